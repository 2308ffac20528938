"""How kept checkpoints stand in a study's storage: one an arm, and on which machine it is.

Where on that machine is computed (`artifacts`), never read: a database may be anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import optuna
from pydantic import Field, TypeAdapter, ValidationError

from suite.contracts.records import why
from suite.contracts.results import DEFAULT_OBJECTIVE, Objective
from suite.verdict import metrics

KEPT_AT = "suite:kept:"


@dataclass(frozen=True)
class Kept:
    """An arm's kept checkpoint.

    Args:
        trial: the number of the trial that made it.
        host: the machine it is on.
        macro_f1: on validation.
        feasible: whether the trial kept within the recipe's bounds.
        serving_shape: predictors of one shape serve equally fast.
        objective: on validation, where the study goes by another metric than macro-F1.
        mark: 8 hex digits that tell its folder from that of another history's trial of the same
            number: databases are copied and restored. None in records from before there were any.
    """

    trial: Annotated[int, Field(ge=0)]
    host: str
    macro_f1: float
    feasible: bool
    serving_shape: str
    mark: Annotated[str, Field(pattern="^[0-9a-f]{8}$")] | None = None
    objective: Objective | None = None

    @property
    def merit(self) -> tuple[bool, float]:
        """What it is compared by with others of its arm, as `standing.merit` has it of trials."""
        named = self.objective or Objective(DEFAULT_OBJECTIVE, self.macro_f1)
        return self.feasible, metrics.merit(named)

    @property
    def place(self) -> str:
        """What tells its folder from others of its arm."""
        return "" if self.mark is None else f"{self.trial}-{self.mark}"


_KEPT = TypeAdapter(Kept)


def of_arms(attributes: Mapping[str, Any], unread: list[str] | None = None) -> dict[str, Kept]:
    """Arm -> what it keeps, from a study's attributes; without arms that keep nothing.

    Args:
        unread: told the records that can't be read, a line each.
    """
    found: dict[str, Kept] = {}
    for key, value in attributes.items():
        if not key.startswith(KEPT_AT) or not value:
            continue
        arm = key.removeprefix(KEPT_AT)
        try:
            found[arm] = _KEPT.validate_python(value)
        except ValidationError as error:
            if unread is not None:
                unread.append(f"the kept checkpoint of {arm}: {why(error)}")
    return found


def of_arm(attributes: Mapping[str, Any], arm: str) -> Kept | None:
    """What one arm keeps."""
    key = f"{KEPT_AT}{arm}"
    return of_arms({key: attributes.get(key)}).get(arm)


def read(value: Any) -> Kept | None:
    """A checkpoint as a trial bears it that placed it; None where it has none that can be read."""
    try:
        return _KEPT.validate_python(value)
    except ValidationError:
        return None


def store(study: optuna.Study, arm: str, kept: Kept | None) -> None:
    """Writes down what an arm keeps, or that it keeps nothing."""
    study.set_user_attr(f"{KEPT_AT}{arm}", kept and asdict(kept))
