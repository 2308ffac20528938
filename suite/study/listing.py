"""The studies of a storage at a glance, those of other versions of the suite among them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import TypeAdapter

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Objective
from suite.errors import StudyError
from suite.study import reading, storage
from suite.study.database import Database
from suite.study.readable import attribute, checked, readable
from suite.study.record import FINALS, TARGET


@dataclass(frozen=True)
class Listed:
    """A study in a line.

    Args:
        finished: trials that are complete or pruned, of `target`.
        best_validation: of its trials, by the study's objective.
        unreadable: why its definition can't be read here; what it would tell is null then.
        split_of: the study that it is a further split of; null where it is none.
        curve_of: the study that it is a part of the learning curve of; likewise.
    """

    study: str
    task: str | None
    recipe: str | None
    finished: int
    target: int | None
    best_validation_macro_f1: float | None
    finals: bool
    sample: bool | None
    created: str | None
    unreadable: str | None = None
    best_validation: Objective | None = None
    split_of: str | None = None
    curve_of: str | None = None

    @property
    def whose(self) -> str:
        """The study that it is made of; itself where of none."""
        return self.split_of or self.curve_of or self.study


_TARGET: TypeAdapter[int | None] = TypeAdapter(int | None)
_BEST: TypeAdapter[float | None] = TypeAdapter(float | None)


def studies(opened: Database) -> list[Listed]:
    """Every study of the suite, by name, what is made of a study (its further splits, the parts of
    its learning curve) after it by their number. One that can't be read does not hide the
    others."""
    found = [_each(opened, name) for name in storage.names(opened)]
    return sorted(found, key=lambda one: (one.whose, len(one.study), one.study))


def made_of(opened: Database, name: str) -> list[str]:
    """The further splits of a study's rows that are there, and the parts of its learning curve,
    each a study of its own.

    They are known by their names, and by what each says that it is.
    """
    found = []
    for other in storage.names(opened):
        if other.startswith(f"{name}."):
            one = _each(opened, other)
            found += [other] if name in (one.split_of, one.curve_of) else []
    return sorted(found, key=lambda other: (len(other), other))


def _each(opened: Database, name: str) -> Listed:
    try:
        with readable(name):
            return _listed(opened, name)
    except StudyError as error:
        return Listed(name, None, None, 0, None, None, False, None, None, error.what)


def _listed(opened: Database, name: str) -> Listed:
    study = storage.find(opened, name)
    counted = reading.summary(study)
    target = checked(_TARGET, attribute(study, TARGET), TARGET)
    best = checked(_BEST, counted.best, "a trial's value")
    finals = bool(attribute(study, FINALS))
    try:
        _, definition = storage.load(opened, name)
    except StudyError as error:
        return Listed(
            name, None, None, counted.finished, target, None, finals, None, None, error.what
        )
    objective = definition.recipe.objective
    return Listed(
        name,
        definition.task.name,
        definition.recipe.name,
        counted.finished,
        target,
        best if objective == DEFAULT_OBJECTIVE else None,
        finals,
        definition.sample,
        definition.created,
        best_validation=None if best is None else Objective(objective, best),
        split_of=definition.split.study if definition.split is not None else None,
        curve_of=definition.subset.study if definition.subset is not None else None,
    )
