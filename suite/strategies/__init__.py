"""How a model is made to classify: one file per strategy, found by name.

A strategy of somebody's own comes in through the entry point group `suite.strategies`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from suite.contracts.hyperparameters import Hyperparameter
from suite.contracts.model import Model
from suite.contracts.package import Package
from suite.contracts.registry import Registry
from suite.contracts.strategy import Predictor, Strategy
from suite.errors import ModelError

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

MARK = "predictor.json"


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


def scored_once(name: str, model: Model) -> bool:
    """Whether a training is scored at its end alone, whatever the recipe's checkpoints."""
    declared = getattr(get(name), "scored_once", None)
    return declared is not None and bool(declared(model))


def keeps_network(name: str) -> bool:
    """Whether what a strategy keeps is a network that engines can convert."""
    return name in _KNOWN.names() and bool(getattr(get(name), "network", False))


def packages() -> list[Package]:
    """What some work of some strategy needs beside the suite's own requirements."""
    return [package for name in names() for package in getattr(get(name), "packages", ())]


def save_predictor(predictor: Predictor, strategy: str, folder: Path) -> None:
    """Writes a predictor and the mark by which `load_predictor` finds its strategy."""
    folder.mkdir(parents=True, exist_ok=True)
    predictor.save(folder)
    (folder / MARK).write_text(json.dumps({"strategy": strategy}), encoding="utf-8")


def load_predictor(folder: Path) -> Predictor:
    """A predictor from the folder `save_predictor` wrote.

    Raises:
        ModelError: the folder is not one.
    """
    try:
        strategy = str(json.loads((folder / MARK).read_text(encoding="utf-8"))["strategy"])
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(f"{folder} holds no trained predictor") from None
    return get(strategy).load(folder)
