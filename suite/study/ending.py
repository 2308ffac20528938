"""Why a search ends before it has its trials: what was asked for is reached, or nothing new comes.

Whether it ends is worked out anew from the trials before each is started, so that every worker of
every command finds the same, and a search that was killed goes on or stays ended as it was. Trials
that run are waited for, and may undo it. Why it ended is stored once it has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from suite.config.recipe import Stop
from suite.contracts.results import Ended
from suite.errors import counted
from suite.study import search
from suite.study.definition import Definition
from suite.study.readable import checked, readable
from suite.study.record import ENDED, OUT, SAID, STOP, TARGET
from suite.verdict.metrics import METRICS


@dataclass(frozen=True)
class Said:
    """What a command says of when the search ends; 0 takes back what was said before."""

    target_f1: float | None = None
    patience: int | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What it says."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def want(study: optuna.Study, definition: Definition, said: Said, trials: int | None) -> None:
    """Stores what a command says of how far the search is to go.

    Who asks for more trials, or for another patience, wants the search to go on: trials are
    counted from there. Who repeats what stands changes nothing.

    Args:
        trials: that the study is to have in all, where the command says it.

    Raises:
        StudyError: what was said before can't be read.
    """
    with readable(definition.name):
        attributes = study.user_attrs
        stored = checked(SAID, attributes.get(STOP, {}), STOP)
        target = int(attributes.get(TARGET, definition.recipe.trials))
    before = definition.recipe.stop.after(stored)
    now = before.after(said.given)
    more = trials is not None and trials > target
    if now != before or (more and now.patience is not None):
        stored |= said.given
        if more or now.patience != before.patience:
            stored["since"] = len(study.get_trials(deepcopy=False))
        study.set_user_attr(STOP, stored)
    if trials is not None:
        study.set_user_attr(TARGET, trials)


def met(
    definition: Definition, attributes: Mapping[str, Any], trials: Sequence[FrozenTrial]
) -> Ended | None:
    """Why the search ends now though trials are missing; None where it goes on.

    Args:
        attributes: the study's.
        trials: all of it.
    """
    stop = definition.recipe.stop.after(attributes.get(STOP, {}))
    if stop == Stop():
        return None
    alive = {arm.name for arm in definition.runnable} - set(attributes.get(OUT, {}))
    finished = [
        t for t in trials if t.state in search.FINISHED and t.params.get(search.ARM) in alive
    ]
    if stop.target_f1 is not None and (why := _reached(finished, stop.target_f1)):
        return Ended("target_f1", why, _finished(trials))
    if stop.patience is not None:
        since = int(attributes.get(STOP, {}).get("since", 0))
        if why := _patient(definition, finished, alive, stop.patience, since):
            return Ended("patience", why, _finished(trials))
    return None


def tell(
    study: optuna.Study,
    definition: Definition,
    target: int,
    *,
    timed: bool,
    say: Callable[[str], None],
) -> None:
    """Stores why a search ended that was not interrupted, and says it where it was early.

    Args:
        target: trials that the study was to have.
        timed: whether the command had an end.
    """
    trials = study.get_trials(deepcopy=False)
    found = met(definition, study.user_attrs, trials)
    done = _finished(trials)
    if done >= target:
        found = Ended("trials", f"it has its {counted(target, 'trial')}", done)
    elif found is None and timed:
        found = Ended("time", f"time was up at {done:,} of {counted(target, 'trial')}", done)
    elif found is not None:
        say(f"The search ended: {found.why}.")
    if found is not None and asdict(found) != study.user_attrs.get(ENDED):
        study.set_user_attr(ENDED, asdict(found))


def _finished(trials: Sequence[FrozenTrial]) -> int:
    return sum(trial.state in search.FINISHED for trial in trials)


def _reached(finished: Sequence[FrozenTrial], target: float) -> str | None:
    """Which trial has the macro-F1 that was asked for, as a sentence."""
    for trial in finished:
        score = trial.user_attrs.get("macro_f1")
        if search.good(trial) and isinstance(score, int | float) and score >= target:
            return (
                f"trial {trial.number} ({trial.params[search.ARM]}) has a macro-F1 of "
                f"{score:.4f} on validation, and {target:g} was asked for"
            )
    return None


def _patient(
    definition: Definition,
    finished: Sequence[FrozenTrial],
    alive: set[str],
    patience: int,
    since: int,
) -> str | None:
    """After which trial nothing better came for too long, as a sentence.

    It is not counted before each arm has had a trial: who has not been looked at may be the best.

    Args:
        since: the number of the trial from which on they are counted.
    """
    if {trial.params[search.ARM] for trial in finished} < alive:
        return None
    metric = METRICS[definition.recipe.objective]
    best: FrozenTrial | None = None
    highest, row = -math.inf, 0
    for trial in finished:
        row += trial.number >= since
        if search.good(trial) and metric.merit(trial.value or 0.0) > highest:
            best, highest, row = trial, metric.merit(trial.value or 0.0), 0
    if best is None or row < patience:
        return None
    return (
        f"{counted(row, 'trial')} in a row found nothing better than trial {best.number} "
        f"({best.params[search.ARM]})"
    )
