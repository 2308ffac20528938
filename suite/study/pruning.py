"""Who ends trials early: with whom a trial is compared, and when it may be.

A network that is fine-tuned scores what guessing does until learning sets in, and then rises
within a few steps; when that is differs between trials of an arm, and says little of where they
end. So such a trial is not ended before learning has shown, and is then compared with others as
they were when they had learnt for no longer than it surely has.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner
from optuna.trial import FrozenTrial
from pydantic import TypeAdapter, ValidationError

from suite import strategies
from suite.config import recipe as recipes
from suite.contracts.results import Checkpoint
from suite.study import internals
from suite.study.definition import Definition
from suite.study.search import ARM
from suite.verdict.guessing import Guessing

#: A trial's checkpoints so far: a list of the values of each.
CHECKPOINTS = "suite:checkpoints"

_CHECKPOINTS = TypeAdapter(list[Checkpoint])


def checkpoints(trial: FrozenTrial) -> list[dict[str, Any]]:
    """What stands of a trial's checkpoints with it; older records have fewer values of each."""
    names = [field.name for field in fields(Checkpoint)]
    stored = trial.user_attrs.get(CHECKPOINTS, [])
    return [dict(zip(names, values, strict=False)) for values in stored]


def step(fraction: float) -> int:
    """Where Optuna has a checkpoint: percent of the budget."""
    return round(fraction * 100)


@dataclass(frozen=True)
class Onset:
    """When learning has set in, in trials of arms that learn late.

    Args:
        arms: their names.
        guessing: what guessing scores on validation.
        rows: of validation.
    """

    arms: frozenset[str]
    guessing: Guessing
    rows: int

    @classmethod
    def of(cls, definition: Definition) -> Onset:
        """Of a study."""
        late = frozenset(a.name for a in definition.runnable if strategies.learns_late(a.strategy))
        guessing = Guessing.of_validation(definition.data, len(definition.task.labels))
        return cls(late, guessing, definition.data.rows.validation)

    def shows(self, found: Checkpoint) -> bool:
        """Whether a checkpoint scores what no guess does: its macro-F1 lies beyond chance, and its
        answers cost less than the classes' shares would. F1 alone says too little: a model that
        could answer a bit before it learnt is sure and often wrong, and its loss tells. (Answers
        that are a class and no probabilities have no loss.)"""
        cheap = found.loss is None or found.loss < self.guessing.loss
        return cheap and found.macro_f1 > self.guessing.macro_f1(found.rows or self.rows)

    def late(self, trial: FrozenTrial) -> bool:
        """Whether it is of an arm that learns late."""
        return trial.params.get(ARM) in self.arms

    def at(self, trial: FrozenTrial) -> int | None:
        """The position among a trial's reports at which learning first shows; None so far."""
        try:
            found = _CHECKPOINTS.validate_python(checkpoints(trial))
        except (TypeError, ValidationError):  # its record is damaged: it is left alone
            return None
        shown = {step(checkpoint.fraction) for checkpoint in found if self.shows(checkpoint)}
        reports = sorted(trial.intermediate_values)
        return next((i for i, report in enumerate(reports) if report in shown), None)

    def learnt(self, trial: FrozenTrial) -> int:
        """For how many checkpoints it surely has been learning: 0 where it shows for the first
        time, or not yet."""
        at = self.at(trial)
        return 0 if at is None else len(trial.intermediate_values) - 1 - at

    def beside(self, trial: FrozenTrial, other: FrozenTrial) -> FrozenTrial:
        """Another trial as it is to be compared with one of an arm that learns late.

        Learning sets in somewhere before the checkpoint that shows it. `learnt` checkpoints later a
        trial has learnt for at least so many, and another at most for so many where it is one
        checkpoint less beyond its own. So of two that learn alike from then on, the one that set in
        later is never behind. One that never learnt stands as it was at an equal fraction, as one
        does that set in later still.
        """
        reports = sorted(other.intermediate_values)
        now = len(trial.intermediate_values) - 1
        at = self.at(other) if self.late(other) else None
        if at is not None:
            now = min(now, at + self.learnt(trial) - 1)
        seen = copy.copy(other)
        last = trial.last_step
        values = [other.intermediate_values[report] for report in reports[now : now + 1]]
        seen.intermediate_values = {last: values[0]} if values and last is not None else {}
        return seen


#: Nothing learns late.
_NONE = Onset(frozenset(), Guessing(1, 0.0), 0)


def pruner(settings: recipes.Pruner, onset: Onset = _NONE) -> BasePruner:
    """The recipe's pruner, shown one arm alone unless its scope is the study."""
    inner: BasePruner
    match settings.name:
        case "none":
            return optuna.pruners.NopPruner()
        case "median":
            inner = optuna.pruners.MedianPruner(n_startup_trials=settings.startup_trials)
        case "percentile":
            inner = optuna.pruners.PercentilePruner(
                settings.percentile, n_startup_trials=settings.startup_trials
            )
        case "successive_halving":
            # Steps are percent of the budget: the first rung stands at a fifth of it.
            inner = optuna.pruners.SuccessiveHalvingPruner(min_resource=20, reduction_factor=2)
        case "hyperband":
            return PatientHyperband(onset)
    return PatientPruner(inner, onset, within_arm=settings.scope == "arm")


class PatientPruner(BasePruner):
    """Shows an inner pruner the trials that a trial is to be compared with.

    Within the arm these are its own kind: arms learn at different speeds, and across arms a slow
    starter is pruned for being what it is.
    """

    def __init__(self, inner: BasePruner, onset: Onset, *, within_arm: bool) -> None:
        self.inner = inner
        self.onset = onset
        self.within_arm = within_arm

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether the trial should end."""
        late = self.onset.late(trial)
        if late and not self.onset.learnt(trial):
            return False
        view: Any = internals.View(study, partial(self._others, study, trial, late))
        return bool(self.inner.prune(view, trial))

    def _others(self, study: optuna.Study, trial: FrozenTrial, late: bool) -> list[FrozenTrial]:
        found: Sequence[FrozenTrial] = study.get_trials(deepcopy=False)
        if self.within_arm:
            arm = trial.params.get(ARM)
            found = [t for t in found if t.params.get(ARM) == arm]
        return [self.onset.beside(trial, t) for t in found] if late else list(found)


class PatientHyperband(HyperbandPruner):
    """Hyperband over the whole study, which does not end a trial before learning has set in.

    (Samplers ask what a study's pruner is: it can't be another's inner one.)
    """

    def __init__(self, onset: Onset) -> None:
        super().__init__(min_resource=20, max_resource=100)
        self._onset = onset

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether the trial should end."""
        if self._onset.late(trial) and not self._onset.learnt(trial):
            return False
        return bool(super().prune(study, trial))
