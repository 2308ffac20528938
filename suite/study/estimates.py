"""What a trial of an arm takes, and its finals: as measured, else as the preflight reckoned.

A trial's seconds run from its start to its end, without the measuring of its serving speed, which
comes once per arm and is reckoned apart. So one figure serves for the preflight, for what is left,
and for what still fits into a command's time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from optuna.trial import FrozenTrial, TrialState

from suite.config.recipe import Recipe
from suite.contracts.model import Model
from suite.contracts.results import Trial
from suite.contracts.rowfacts import Rows
from suite.study import efforts, record, search
from suite.study.definition import StoredArm
from suite.study.measurable import is_measured, window_seconds
from suite.study.record import BEFORE, ESTIMATES, MEASURED, OWNER
from suite.verdict.metrics import Metric
from suite.verdict.speeds import ROUNDS

#: LoadGen's two scenarios with warming up and calibrating, in lengths of a scenario.
SCENARIOS = 2.5
#: Seconds that a child takes beside its work where nothing was measured: it loads what it needs.
CHILD_SECONDS = 2.0
#: Seconds that loading a model anew takes, for most of them.
LOADING_SECONDS = 1.0


@dataclass(frozen=True)
class Taken:
    """Seconds of an arm's trials for an effort of 1: what one takes on average, and the longest."""

    mean: float
    longest: float


def taken(
    trials: Sequence[FrozenTrial], host: str, arms: Mapping[str, StoredArm]
) -> dict[str, Taken]:
    """What each arm's finished trials took for an effort of 1, arm by arm.

    A pruned one counts only where none is complete, as if it had gone on to its end; one of
    another machine only where none was run here.
    """
    found: dict[str, dict[tuple[bool, bool], list[float]]] = defaultdict(lambda: defaultdict(list))
    for trial in trials:
        arm, seconds = search.arm_of(trial), _seconds(trial)
        if arm is None or seconds is None:
            continue
        if arm in arms:
            seconds /= efforts.of_trial(arms[arm], trial)
        here = (trial.user_attrs.get(OWNER) or {}).get("host") == host
        found[arm][(here, trial.state == TrialState.COMPLETE)].append(seconds)
    best = {arm: kinds[max(kinds)] for arm, kinds in found.items()}
    return {arm: Taken(fmean(seconds), max(seconds)) for arm, seconds in best.items()}


def _seconds(trial: FrozenTrial) -> float | None:
    """A finished trial's own seconds, those of the processes that it went on from included; a
    pruned one's as if it had gone on."""
    if trial.duration is None or trial.state not in (TrialState.COMPLETE, TrialState.PRUNED):
        return None
    measuring = float(trial.user_attrs.get(MEASURED, 0.0))
    seconds = max(0.0, trial.duration.total_seconds() - measuring)
    seconds += float(trial.user_attrs.get(BEFORE, 0.0))
    if trial.state == TrialState.PRUNED:
        reached = max(trial.intermediate_values, default=0)
        return seconds * 100 / reached if reached else None
    return seconds


def each(
    trials: Sequence[FrozenTrial],
    attributes: Mapping[str, object],
    host: str,
    arms: Mapping[str, StoredArm],
) -> dict[str, float]:
    """Seconds of a trial by arm for an effort of 1, so far as they are known.

    Args:
        attributes: the study's, with the preflight's figures.
    """
    known = timed(attributes, arms)
    return known | {arm: found.mean for arm, found in taken(trials, host, arms).items()}


def timed(attributes: Mapping[str, object], arms: Mapping[str, StoredArm]) -> dict[str, float]:
    """The same by the preflight alone."""
    stored = attributes.get(ESTIMATES) or {}
    assert isinstance(stored, Mapping)
    return {
        str(arm): float(seconds) / (efforts.timed(arms[arm]) if arm in arms else 1.0)
        for arm, seconds in stored.items()
        if seconds is not None
    }


def measuring(recipe: Recipe, model: Model) -> float:
    """Seconds that measuring the speed of an arm's predictor adds to its first trial.

    >>> from suite.config.recipe import Recipe
    >>> from suite.contracts.model import Model
    >>> measuring(Recipe(name="r", arms=["m/s"]), Model(name="m", family="encoder", path="/m"))
    9.5
    """
    if not is_measured(recipe, model):
        return 0.0
    return SCENARIOS * recipe.measure.seconds + CHILD_SECONDS


def measuring_rounds(recipe: Recipe, model: Model) -> float:
    """Seconds that measuring an arm's speed takes in the finals, in rounds.

    >>> from suite.config.recipe import Recipe
    >>> from suite.contracts.model import Model
    >>> measuring_rounds(
    ...     Recipe(name="r", arms=["m/s"]), Model(name="m", family="encoder", path="/m")
    ... )
    21.0
    """
    if not is_measured(recipe, model):
        return 0.0
    return ROUNDS * (SCENARIOS * window_seconds(recipe.measure.seconds) + LOADING_SECONDS)


@dataclass(frozen=True)
class Finals:
    """What an arm's finals are reckoned from.

    Args:
        training: seconds of training its best once more.
        per_text: seconds of scoring a text.
        measure: seconds of measuring its speed.
    """

    training: float
    per_text: float
    measure: float

    def scoring(self, rows: int) -> float:
        """Seconds of scoring so many rows by one model."""
        return CHILD_SECONDS + self.per_text * rows

    def seconds(self, trainings: int, rows: int) -> float:
        """Seconds of an arm's finals: trained so often, each model scored, one measured.

        Args:
            trainings: 0 where the checkpoint of the search is scored.

        >>> Finals(training=10.0, per_text=0.01, measure=0.0).seconds(trainings=0, rows=1000)
        12.0
        >>> Finals(training=10.0, per_text=0.01, measure=5.0).seconds(trainings=3, rows=1000)
        71.0
        """
        return trainings * self.training + max(1, trainings) * self.scoring(rows) + self.measure


def finals_of(
    trial: Trial, seconds: float, measure: float, rows: Rows, *, refit: float | None = None
) -> Finals:
    """What is known of an arm's finals from its best trial.

    Args:
        seconds: of a trial of the arm.
        measure: seconds of measuring its speed.
        rows: in each split. A checkpoint was scored on all of validation where it says nothing.
        refit: where it is trained on train and validation: the part of the budget it takes.
    """
    scored = sum(checkpoint.rows or rows.validation for checkpoint in trial.checkpoints)
    per_text = (trial.evaluation_seconds or 0.0) / scored if scored else 0.0
    if trial.search_seconds is not None:  # Over folds: of all its trainings one is repeated.
        training = (trial.train_seconds or 0.0) + (trial.load_seconds or 0.0)
    elif refit is None:
        training = seconds
    else:
        training = max(0.0, seconds - (trial.evaluation_seconds or 0.0))
    if refit is None:
        return Finals(training, per_text, measure)
    # More rows, none of them scored, and no further than the best checkpoint was.
    grown = 1 + rows.validation / max(1, rows.train)
    return Finals(training * grown * refit, per_text, measure)


def searched(trials: Sequence[FrozenTrial]) -> float:
    """Seconds that a study's finished trials took, without the measuring of speeds."""
    spent = 0.0
    for trial in trials:
        if trial.duration is not None and trial.state.is_finished():
            measuring = float(trial.user_attrs.get(MEASURED, 0.0))
            spent += max(0.0, trial.duration.total_seconds() - measuring)
    return spent


def extrapolate(times: Sequence[tuple[float, float]], rows: float) -> float:
    """Seconds for `rows` by the line through two (rows, seconds) pairs.

    One pair, where all rows were taken at once, is a line through nothing.

    >>> extrapolate([(10, 2.0), (110, 3.0)], 1010)
    12.0
    """
    times = sorted(times)
    size, seconds = times[-1]
    if len(times) == 1:
        return seconds * rows / size
    fewer, less = times[0]
    per_row = max(0.0, (seconds - less) / (size - fewer))
    return seconds + per_row * max(0.0, rows - size)


def best_trials(study_trials: Sequence[FrozenTrial], objective: Metric) -> dict[str, Trial]:
    """The best complete trial of each arm, by its objective."""
    best: dict[str, FrozenTrial] = {}
    for trial in study_trials:
        arm = search.arm_of(trial)
        if arm is None or trial.state != TrialState.COMPLETE or trial.value is None:
            continue
        before = best.get(arm)
        if before is None or objective.merit(trial.value) > objective.merit(before.value or 0.0):
            best[arm] = trial
    return {arm: record.trial_of(trial) for arm, trial in best.items()}
