"""How a model is made to classify: one file per strategy, found by name.

A strategy of somebody's own comes in through the entry point group `suite.strategies`.
The modules are imported only when asked for: listing them must not import torch.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from suite.contracts.hyperparameters import Hyperparameter
from suite.contracts.model import Model
from suite.contracts.strategy import Predictor, Strategy
from suite.errors import ModelError, SuiteError, nearest

_OWN = {
    "classic": "suite.strategies.classic.strategy:ClassicStrategy",
    "linear_head": "suite.strategies.heads.linear_head:LinearHeadStrategy",
    "probe": "suite.strategies.heads.probe:ProbeStrategy",
    "sft": "suite.strategies.teaching.sft:SftStrategy",
    "zero_shot": "suite.strategies.asking.zero_shot:ZeroShotStrategy",
}

MARK = "predictor.json"


def names() -> list[str]:
    """Every installed strategy's name."""
    return sorted({*_OWN, *(e.name for e in entry_points(group="suite.strategies"))})


@cache
def get(name: str) -> Strategy:
    """The strategy of that name. Constructing one imports no heavy library; `fit` does.

    Raises:
        SuiteError: no such strategy (the nearest is named).
    """
    if name in _OWN:
        module, _, attribute = _OWN[name].partition(":")
        strategy: Strategy = getattr(importlib.import_module(module), attribute)()
        return strategy
    for entry in entry_points(group="suite.strategies"):
        if entry.name == name:
            plugged: Strategy = entry.load()()
            return plugged
    raise SuiteError(f"unknown strategy '{name}'", fix=nearest(name, names()))


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
