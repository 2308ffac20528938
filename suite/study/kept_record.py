"""How kept checkpoints stand in a study's storage: one an arm, and on which machine it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import optuna

KEPT_AT = "suite:kept:"


@dataclass(frozen=True)
class Kept:
    """An arm's kept checkpoint.

    Args:
        trial: the number of the trial that made it.
        host: the machine it is on.
        path: the predictor's folder there.
        macro_f1: on validation.
        feasible: whether the trial kept within the recipe's bounds.
        serving_shape: predictors of one shape serve equally fast.
    """

    trial: int
    host: str
    path: str
    macro_f1: float
    feasible: bool
    serving_shape: str


_NAMES = {field.name for field in fields(Kept)}


def of_arms(attributes: Mapping[str, Any]) -> dict[str, Kept]:
    """Arm -> what it keeps, from a study's attributes; without arms that keep nothing."""
    return {
        key.removeprefix(KEPT_AT): _read(value)
        for key, value in attributes.items()
        if key.startswith(KEPT_AT) and value
    }


def of_arm(attributes: Mapping[str, Any], arm: str) -> Kept | None:
    """What one arm keeps."""
    value = attributes.get(f"{KEPT_AT}{arm}")
    return _read(value) if value else None


def store(study: optuna.Study, arm: str, kept: Kept | None) -> None:
    """Writes down what an arm keeps, or that it keeps nothing."""
    study.set_user_attr(f"{KEPT_AT}{arm}", kept and asdict(kept))


def _read(value: Mapping[str, Any]) -> Kept:
    # What a later version adds is of no concern here.
    return Kept(**{name: found for name, found in value.items() if name in _NAMES})
