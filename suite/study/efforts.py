"""How much one point of an arm has to do beside another: what a trial takes follows its point.

A strategy says it of its hyperparameters (`effort`), in a unit of its own; of one that says nothing
all points are alike. So seconds that were measured at one point tell what another one takes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from statistics import fmean

from optuna.trial import FrozenTrial

from suite import strategies
from suite.contracts.space import Choice, Dimension, Fixed, Float, Int, Params, Space, Value
from suite.study import internals, search
from suite.study.definition import StoredArm

#: Points that stand for what a sampler draws.
_DRAWS = 64


def at(arm: StoredArm, params: Params) -> float:
    """The effort of a point, above 0. What is not searched may be left out of it."""
    fixed = {k: d.value for k, d in arm.space.dimensions.items() if isinstance(d, Fixed)}
    return strategies.effort(arm.strategy, arm.model, fixed | params)


def timed(arm: StoredArm) -> float:
    """That of the point that a preflight times."""
    return at(arm, typical(arm))


def of_trial(arm: StoredArm, trial: FrozenTrial) -> float:
    """That of a trial's point."""
    given = internals.given(trial)
    point = typical(arm)
    return at(arm, {key: given.get(f"{arm.name}:{key}", value) for key, value in point.items()})


def ahead(arm: StoredArm, trials: Sequence[FrozenTrial]) -> float:
    """That of the arm's next trial: of the point it will have, or where a sampler will draw it, of
    the mean point of its space."""
    fresh = search.fresh_points(arm, trials)
    if fresh:
        return at(arm, typical(arm, fresh[0]))
    left = search.untried(arm, trials)
    if left:
        return at(arm, typical(arm) | left[0])
    return fmean(_drawn(arm))


def most(arm: StoredArm) -> float:
    """That of the point that asks for most, of those that are known to be good or may be drawn."""
    return max(timed(arm), *_drawn(arm))


def typical(arm: StoredArm, index: int = 0) -> Params:
    """One of the arm's known-good points, what it leaves open taken from the middle."""
    point = dict(arm.known_good[index]) if arm.known_good else {}
    return {k: point.get(k, _middle(d)) for k, d in arm.space.dimensions.items()}


def naming(arm: StoredArm) -> list[Params]:
    """Of each of the arm's companions a point that names it, the one that asks for most."""
    drawn = random.Random(0)
    points = [_draw(arm.space, drawn) for _ in range(_DRAWS)] if arm.companions else []
    found = []
    for name in arm.companions:
        own = [point for point in points if name in point.values()]
        found += [max(own, key=lambda point: at(arm, point))] if own else []
    return found


def _drawn(arm: StoredArm) -> list[float]:
    """Efforts of points of the space, always the same ones."""
    drawn, space = random.Random(0), arm.space
    return [at(arm, _draw(space, drawn)) for _ in range(_DRAWS)]


def _draw(space: Space, drawn: random.Random) -> Params:
    return {key: _one(dimension, drawn) for key, dimension in space.dimensions.items()}


def _one(dimension: Dimension, drawn: random.Random) -> Value:
    match dimension:
        case Fixed(value=value):
            return value
        case Choice(options=options):
            return drawn.choice(options)
        case Float(low=low, high=high, log=log):
            share = drawn.random()
            return low * (high / low) ** share if log else low + (high - low) * share
        case Int(low=low, high=high, step=step):
            return drawn.randrange(low, high + 1, step)


def _middle(dimension: Dimension) -> Value:
    match dimension:
        case Fixed(value=value):
            return value
        case Choice(options=options):
            return options[0]
        case Float(low=low, high=high, log=log):
            return (low * high) ** 0.5 if log else (low + high) / 2
        case Int(low=low, high=high, step=step):
            return low + (high - low) // (2 * step) * step
