"""How a model is made to classify: one file per strategy, found by name.

A strategy of somebody's own comes in through the entry point group `suite.strategies`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from suite.contracts.hyperparameters import Hyperparameter
from suite.contracts.model import Model
from suite.contracts.package import Package
from suite.contracts.registry import Registry
from suite.contracts.space import Params, Space
from suite.contracts.strategy import Predictor, Probabilities, Strategy
from suite.contracts.task import Task
from suite.errors import ModelError, counted, nearest
from suite.models.folder import Use
from suite.strategies import mark
from suite.strategies.calibrated import with_temperature
from suite.strategies.mark import CALIBRATION as CALIBRATION
from suite.strategies.mark import MARK as MARK
from suite.strategies.mark import SETTINGS as SETTINGS
from suite.strategies.mark import Mark

_KNOWN: Registry[Strategy] = Registry(
    "strategy",
    "suite.strategies",
    {
        "classic": "suite.strategies.classic.strategy:ClassicStrategy",
        "linear_head": "suite.strategies.heads.linear_head:LinearHeadStrategy",
        "probe": "suite.strategies.heads.probe:ProbeStrategy",
        "sft": "suite.strategies.teaching.sft:SftStrategy",
        "zero_shot": "suite.strategies.asking.zero_shot:ZeroShotStrategy",
    },
)

#: What is made of models that were trained, and the module of each: no arm names one, but a kept
#: predictor may be one.
COMBINATIONS: Mapping[str, str] = {
    "cascade": "suite.strategies.combined.cascade",
    "ensemble": "suite.strategies.combined.ensemble",
}

#: The module that imports torch, transformers and peft.
NETWORKS = "suite.child.preload_networks"


def names() -> list[str]:
    """Every installed strategy's name."""
    return sorted(_KNOWN.names())


def get(name: str) -> Strategy:
    """The strategy of that name. Constructing one imports no heavy library; `fit` does.

    Raises:
        SuiteError: no such strategy (the nearest is named).
    """
    return _KNOWN.get(name)


# What a strategy may declare, and what holds where it does not.


def fits(model: Model, name: str) -> bool:
    """Whether a glob pairs them; an arm written out in full may name any pair."""
    declared: Any = get(name)
    if model.endpoint is not None:
        return bool(getattr(declared, "served", False))
    return model.family in getattr(declared, "families", (model.family,))


def variants(name: str) -> Mapping[str, Mapping[str, Any]]:
    """A strategy's variants: name -> hyperparameter -> dimension as a recipe writes it."""
    found: Mapping[str, Mapping[str, Any]] = getattr(get(name), "variants", {})
    return found


def hyperparameters(name: str, model: Model) -> Mapping[str, Hyperparameter]:
    """What a strategy says of its hyperparameters with a model that fits it; none where it says
    nothing, and is held to the names of its space alone."""
    declared = getattr(get(name), "hyperparameters", None)
    found: Mapping[str, Hyperparameter] = {} if declared is None else declared(model)
    return found


def for_long_texts(name: str, model: Model, space: Space) -> Space:
    """A strategy's space where the training texts are longer than it may read."""
    declared = getattr(get(name), "for_long_texts", None)
    found: Space = space if declared is None else declared(space, model)
    return found


def for_rare_classes(name: str, model: Model, space: Space, task: Task) -> Space:
    """A strategy's space where some classes have few rows beside others."""
    declared = getattr(get(name), "for_rare_classes", None)
    found: Space = space if declared is None else declared(space, model, task)
    return found


def space(name: str, model: Model, task: Task, rows: int | None = None) -> Space:
    """A strategy's space, with known-good points for so many training rows where it has some."""
    strategy = get(name)
    found = strategy.space(model, task)
    declared = getattr(strategy, "known_good", None)
    if declared is None or rows is None:
        return found
    return Space(found.dimensions, tuple(declared(model, task, rows)))


def scored_once(name: str, model: Model) -> bool:
    """Whether a training is scored at its end alone, whatever the recipe's checkpoints."""
    declared = getattr(get(name), "scored_once", None)
    return declared is not None and bool(declared(model))


def cheap(name: str) -> bool:
    """Whether its trials may be scored over folds unasked, where these take little."""
    return name in _KNOWN.names() and bool(getattr(get(name), "cheap", False))


def lacks(name: str, model: Model, task: Task, space: Space) -> str | None:
    """What an arm needs for this space and does not have here, and what would help; or None."""
    declared = getattr(get(name), "lacks", None)
    found: str | None = None if declared is None else declared(model, task, space)
    return found


def learns_late(name: str) -> bool:
    """Whether learning sets in only after some dozens of optimiser steps, of `batch` texts each."""
    return name in _KNOWN.names() and bool(getattr(get(name), "learns_late", False))


def deterministic(name: str, model: Model, params: Params) -> bool:
    """Whether training twice with other seeds gives the same predictor."""
    declared = getattr(get(name), "deterministic", None)
    return declared is not None and bool(declared(model, params))


def passes(name: str, model: Model, rows: int, epochs: float) -> float:
    """Passes over so many rows that a training makes in a budget, in a unit of the strategy's."""
    declared = getattr(get(name), "passes", None)
    return epochs if declared is None else float(declared(model, rows, epochs))


def effort(name: str, model: Model, params: Params) -> float:
    """How much there is to do at these hyperparameters beside others, above 0; 1 where the strategy
    says nothing of it."""
    declared = getattr(get(name), "effort", None)
    return 1.0 if declared is None else float(declared(model, params))


def learns(name: str, model: Model, params: Params) -> bool:
    """Whether anything of a predictor comes from training rows."""
    declared = getattr(get(name), "learns", None)
    return declared is None or bool(declared(model, params))


def shrinks(name: str, model: Model) -> bool:
    """Whether a strategy halves its batch at once by `run.halvings`; the effective one stays."""
    declared = getattr(get(name), "shrinks", None) if name in _KNOWN.names() else None
    return declared is not None and bool(declared(model))


def keeps_network(name: str) -> bool:
    """Whether what a strategy keeps is a network that engines can convert."""
    return name in _KNOWN.names() and bool(getattr(get(name), "network", False))


def reads(name: str) -> Use | None:
    """What a strategy reads a transformers folder as, or None."""
    found: Use | None = getattr(get(name), "reads", None)
    return found


def preload(name: str, model: Model) -> Sequence[str]:
    """The modules that a study's forkserver imports once for its children."""
    declared = getattr(get(name), "preload", None)
    found: Sequence[str] | None = None if declared is None else declared(model)
    return (NETWORKS,) if found is None else found


def packages() -> list[Package]:
    """What some work of some strategy needs beside the suite's own requirements."""
    return [package for name in names() for package in getattr(get(name), "packages", ())]


def save_predictor(predictor: Predictor, strategy: str, folder: Path) -> None:
    """Writes a predictor and the mark by which `load_predictor` finds its strategy."""
    folder.mkdir(parents=True, exist_ok=True)
    predictor.save(folder)
    mark_predictor(folder, strategy)


def mark_predictor(folder: Path, strategy: str) -> None:
    """Writes the mark beside what a strategy, or a combination, has written."""
    own = Mark(
        strategy=strategy,
        settings_sha256=mark.digest(folder / SETTINGS),
        calibration_sha256=mark.digest(folder / CALIBRATION),
    )
    mark.write(folder, own)


def strategy_of(folder: Path) -> str:
    """The name of the strategy whose predictor a folder holds.

    Raises:
        ModelError: the folder holds none.
    """
    return _mark(folder).strategy


def _mark(folder: Path) -> Mark:
    fix = "Expected a folder that `suite export NAME DIR` wrote, whole."
    found = mark.read(folder, fix=fix) if folder.is_dir() else None
    if found is None:
        raise ModelError(f"{folder} holds no trained predictor", fix=fix)
    named = found.strategy
    if named not in _KNOWN.names() and named not in COMBINATIONS:
        raise ModelError(
            f"the strategy '{named[:100]}' is not installed",
            where=str(folder / MARK),
            fix=nearest(named[:100], names()),
        )
    return found


def load_predictor(folder: Path, *, classes: int | None = None) -> Predictor:
    """A predictor from the folder `save_predictor` wrote, as users are answered: at the temperature
    that was fitted for it, where one is kept beside it. Arguments and errors as in
    `load_uncalibrated`."""
    return with_temperature(load_uncalibrated(folder, classes=classes), folder)


def load_uncalibrated(folder: Path, *, classes: int | None = None) -> Predictor:
    """A predictor from the folder `save_predictor` wrote, with its own probabilities.

    Args:
        classes: how many it has to tell apart, where that is known.

    Raises:
        ModelError: the folder is not one, or the predictor tells another number apart.
    """
    known = _mark(folder)
    named = known.strategy
    loads: Any = import_module(COMBINATIONS[named]) if named in COMBINATIONS else get(named)
    predictor: Predictor = loads.load(folder)
    # Afterwards: what is wrong with a value says more than that it is another.
    if known.settings_sha256 not in (None, mark.digest(folder / SETTINGS)):
        raise ModelError(
            "it is not the one that was saved with the model",
            where=str(folder / SETTINGS),
            fix="Export the model again with `suite export NAME DIR`.",
        )
    if classes is None:
        return predictor
    own = getattr(predictor, "classes", None)
    if own is None:  # A strategy of somebody's own need not say.
        own = predictor.predict_proba(["a text"]).shape[1]
    if own != classes:
        raise ModelError(
            f"the model tells {counted(own, 'class', 'classes')} apart, and {classes} are named "
            "for it",
            where=str(folder),
            fix="Export it again: labels.json is not this model's.",
        )
    return predictor


def refuse_no_probabilities(found: Probabilities, folder: Path) -> None:
    """Refuses answers that are no probabilities, before anybody is served them.

    Args:
        found: [texts, classes].
        folder: of the predictor that gave them.

    Raises:
        ModelError: a number is none, below 0, or a row neither sums to 1 nor is all 0.
    """
    sums = found.sum(axis=1)
    # A comparison with NaN is false.
    if not ((found >= 0).all() and ((abs(sums - 1) < 1e-3) | (sums == 0)).all()):
        raise ModelError(
            "the model answers what are no probabilities (NaN, or rows that do not sum to 1)",
            where=str(folder),
            fix="Its training diverged, or its files are damaged: train it again.",
        )
