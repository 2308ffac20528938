"""Optuna's side of an arm: what is asked, whose turn it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Sequence
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from suite.contracts.space import Choice, Fixed, Float, Int, Params, every_point
from suite.errors import StudyError
from suite.shell import command
from suite.study import internals
from suite.study.definition import Definition, StoredArm

ARM = "arm"
KNOWN_GOOD = "suite:known_good"
#: Marks a trial that failed by itself, not because it was interrupted.
FELL = "suite:fell"

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
COUNTED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING, TrialState.WAITING)


def distributions(arm: StoredArm) -> dict[str, BaseDistribution]:
    """The arm's hyperparameters as Optuna has them, without those that are fixed."""
    found: dict[str, BaseDistribution] = {}
    for key, dimension in arm.space.dimensions.items():
        match dimension:
            case Choice(options=options):
                found[key] = CategoricalDistribution(list(options))
            case Float(low=low, high=high, log=log):
                found[key] = FloatDistribution(low, high, log=log)
            case Int(low=low, high=high, step=step, log=log):
                found[key] = IntDistribution(low, high, step=step, log=log)
            case Fixed():
                pass
    return found


def share(value: float, dimension: BaseDistribution) -> float:
    """Where a value lies in a range, from 0 to 1, a log scale taken."""
    low, high = _ends(dimension)
    at = math.log(value) if _is_log(dimension) else float(value)
    return min(max((at - low) / (high - low), 0.0), 1.0)


def at(share: float, dimension: BaseDistribution) -> float:
    """The value that lies there; of a range of whole numbers the nearest."""
    low, high = _ends(dimension)
    found = low + share * (high - low)
    found = math.exp(found) if _is_log(dimension) else found
    if isinstance(dimension, IntDistribution):
        found = dimension.low + round((found - dimension.low) / dimension.step) * dimension.step
    assert isinstance(dimension, FloatDistribution | IntDistribution)
    return min(max(found, dimension.low), dimension.high)


def _is_log(dimension: BaseDistribution) -> bool:
    return isinstance(dimension, FloatDistribution | IntDistribution) and dimension.log


def _ends(dimension: BaseDistribution) -> tuple[float, float]:
    """The ends of a range, on the scale that it is searched on."""
    assert isinstance(dimension, FloatDistribution | IntDistribution)
    low, high = float(dimension.low), float(dimension.high)
    return (math.log(low), math.log(high)) if dimension.log else (low, high)


def suggest(trial: optuna.Trial, definition: Definition) -> tuple[StoredArm, Params]:
    """The arm and hyperparameters of a trial; parameters are named `arm:parameter`.

    Raises:
        StudyError: the rows of its trials are not those of its definition.
    """
    try:
        return _suggest(trial, definition)
    except ValueError as error:
        raise StudyError(
            f"the trials of '{definition.name}' are not of the arms that its definition names: "
            f"{error}",
            fix="Its rows were changed by hand, or damaged. Bring it back from a copy; "
            f"`{command('study', 'delete', definition.name)}` removes it.",
        ) from None


def _suggest(trial: optuna.Trial, definition: Definition) -> tuple[StoredArm, Params]:
    name = trial.suggest_categorical(ARM, [arm.name for arm in definition.runnable])
    arm = definition.arm(str(name))
    params: Params = {}
    for key, dimension in arm.space.dimensions.items():
        full = f"{arm.name}:{key}"
        match dimension:
            case Fixed(value=value):
                params[key] = value
            case Choice(options=options):
                params[key] = trial.suggest_categorical(full, list(options))
            case Float(low=low, high=high, log=log):
                params[key] = trial.suggest_float(full, low, high, log=log)
            case Int(low=low, high=high, step=step, log=log):
                params[key] = trial.suggest_int(full, low, high, step=step, log=log)
    return arm, params


def arm_of(trial: FrozenTrial) -> str | None:
    """A trial's arm, also while it waits."""
    arm = internals.given(trial).get(ARM)
    return None if arm is None else str(arm)


def good(trial: FrozenTrial) -> bool:
    """Whether a trial is complete, and within the bounds."""
    within = all(by <= 0 for by in trial.constraints.values())
    return trial.state == TrialState.COMPLETE and trial.value is not None and within


def contending(
    definition: Definition, trials: Sequence[FrozenTrial], out: Container[str]
) -> list[StoredArm]:
    """The arms that may get the next trial, in the recipe's order.

    An arm whose space is finite gets each of its points once: to ask the same model the same again
    would tell nothing, so its turn goes to the others. Only where every arm has run out are points
    repeated.

    Args:
        out: arms that were retired or refused.
    """
    alive = [arm for arm in definition.runnable if arm.name not in out]
    return [arm for arm in alive if untried(arm, trials) != []] or alive


def next_point(
    definition: Definition, trials: Sequence[FrozenTrial], order: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What to enqueue next: fixed parameters and user attributes; None leaves all to the sampler.

    The arm with the fewest trials that count is next, with its next known-good point while it has
    one, or of a finite space with its next point.

    Args:
        order: the arms that may be next (`contending`, less what does not fit); of those with
            equally many trials the first.
    """
    alive = [definition.arm(name) for name in order]
    if not alive:
        return None
    counts = Counter(arm_of(t) for t in trials if t.state in COUNTED)
    arm = min(alive, key=lambda a: counts[a.name])
    if definition.recipe.allocation == "adaptive" and len(alive) == len(definition.runnable):
        # The sampler chooses the arm, once each arm has had its known-good points.
        waiting = [a for a in alive if fresh_points(a, trials)]
        if not waiting:
            return None
        arm = min(waiting, key=lambda a: counts[a.name])
    fixed: dict[str, Any] = {ARM: arm.name}
    fresh = fresh_points(arm, trials)
    left = None if fresh else untried(arm, trials)
    attributes: dict[str, Any] = {}
    if fresh:
        index = fresh[0]
        dimensions = arm.space.dimensions
        fixed |= {
            f"{arm.name}:{key}": value
            for key, value in arm.known_good[index].items()
            if not isinstance(dimensions[key], Fixed)
        }
        attributes[KNOWN_GOOD] = f"{arm.name}#{index}"
    elif left:
        fixed |= {f"{arm.name}:{key}": value for key, value in left[0].items()}
    return fixed, attributes


def untried(arm: StoredArm, trials: Sequence[FrozenTrial]) -> list[Params] | None:
    """Points of a finite space that no trial has, or failed at; None where the space has no end.

    Parameters that are fixed are not asked of Optuna, and left out.
    """
    points = every_point(arm.space)
    if points is None:
        return None
    searched = [k for k, d in arm.space.dimensions.items() if not isinstance(d, Fixed)]
    tried = []
    for trial in trials:
        counts = trial.state in COUNTED or FELL in trial.user_attrs
        if counts and arm_of(trial) == arm.name:
            given = internals.given(trial)
            tried.append({k: given.get(f"{arm.name}:{k}") for k in searched})
    left = [{k: point[k] for k in searched} for point in points]
    return [point for point in left if point not in tried]


def fresh_points(arm: StoredArm, trials: Sequence[FrozenTrial]) -> list[int]:
    """Which of the arm's known-good points no trial has."""
    used = {t.user_attrs.get(KNOWN_GOOD) for t in trials}
    return [i for i in range(len(arm.known_good)) if f"{arm.name}#{i}" not in used]
