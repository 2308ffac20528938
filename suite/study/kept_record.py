"""How kept models stand in a study's storage, and on which machine each is: an arm's best
checkpoint of the search, and the model of its finals, which is shipped in its place.

Where on that machine is computed (`artifacts`), never read: a database may be anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import optuna
from pydantic import Field, TypeAdapter, ValidationError

from suite.contracts.combination import ARMS
from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.records import why
from suite.contracts.results import Objective
from suite.data.answered import Answered
from suite.verdict import metrics

KEPT_AT = "suite:kept:"
SHIPPED_AT = "suite:shipped:"

_Mark = Annotated[str, Field(pattern="^[0-9a-f]{8}$")]


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
        answered: what its trial answered to rows that it had not seen; the file is attached to the
            trial. None in records from before that was kept.
    """

    trial: Annotated[int, Field(ge=0)]
    host: str
    macro_f1: float
    feasible: bool
    serving_shape: str
    mark: _Mark | None = None
    objective: Objective | None = None
    answered: Answered | None = None

    @property
    def merit(self) -> tuple[bool, float]:
        """What it is compared by with others of its arm, as `standing.merit` has it of trials."""
        named = self.objective or Objective(DEFAULT_OBJECTIVE, self.macro_f1)
        return self.feasible, metrics.merit(named)

    @property
    def place(self) -> str:
        """What tells its folder from others of its arm."""
        return "" if self.mark is None else f"{self.trial}-{self.mark}"


@dataclass(frozen=True)
class Shipped:
    """The model of an arm's finals: the first training of its best trial's hyperparameters.

    Args:
        trial: the number of that trial.
        host: the machine it is on.
        mark: 8 hex digits that tell its folder from others of its arm.
        seed: of its training.
        refit: whether validation was trained on, too.
        train_seconds: of its training.
        serving_shape: predictors of one shape serve equally fast.
    """

    trial: Annotated[int, Field(ge=0)]
    host: str
    mark: _Mark
    seed: Annotated[int, Field(ge=0)]
    refit: bool
    train_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    serving_shape: str

    @property
    def place(self) -> str:
        """What tells its folder from others of its arm."""
        return f"{self.trial}-{self.mark}"


_KEPT = TypeAdapter(Kept)
_SHIPPED = TypeAdapter(Shipped)


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


def shipped(attributes: Mapping[str, Any], arm: str) -> Shipped | None:
    """The model of an arm's finals; None where there is none, or none of what the arm keeps now:
    the study was searched on since."""
    kept, found = of_arm(attributes, arm), read_shipped(attributes.get(f"{SHIPPED_AT}{arm}"))
    if arm in ARMS.values():
        return found  # A combination keeps no checkpoint.
    return found if kept and found and found.trial == kept.trial else None


def combinations(attributes: Mapping[str, Any]) -> dict[str, Shipped]:
    """The combinations of a study's arms that its finals keep, by their names."""
    found = {arm: shipped(attributes, arm) for arm in ARMS.values()}
    return {arm: one for arm, one in found.items() if one is not None}


def taken(attributes: Mapping[str, Any], arm: str) -> Kept | Shipped | None:
    """What is taken away of an arm: its finals' model, else the checkpoint that it keeps."""
    return shipped(attributes, arm) or of_arm(attributes, arm)


def version(attributes: Mapping[str, Any], arm: str) -> tuple[int, bool] | None:
    """Which model that is: its trial, and whether it is refitted."""
    found = taken(attributes, arm)
    return None if found is None else (found.trial, isinstance(found, Shipped) and found.refit)


def read(value: Any) -> Kept | None:
    """A checkpoint as a trial bears it that placed it; None where it has none that can be read."""
    try:
        return _KEPT.validate_python(value)
    except ValidationError:
        return None


def read_shipped(value: Any) -> Shipped | None:
    """The model of an arm's finals as it stands stored; None where it can't be read."""
    try:
        return _SHIPPED.validate_python(value)
    except ValidationError:
        return None


def store(study: optuna.Study, arm: str, kept: Kept | None) -> None:
    """Writes down what an arm keeps, or that it keeps nothing."""
    study.set_user_attr(f"{KEPT_AT}{arm}", kept and asdict(kept))


def store_shipped(study: optuna.Study, arm: str, shipped: Shipped | None) -> None:
    """Writes down which model an arm's finals ship, or that there is none."""
    study.set_user_attr(f"{SHIPPED_AT}{arm}", shipped and asdict(shipped))
