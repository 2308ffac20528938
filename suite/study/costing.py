"""What a point of an arm takes beside others, learnt from its trials: for who proposes the next.

What a strategy says of its hyperparameters (`effort`) is believed, and corrected by a ridge
regression of the logarithm of a trial's seconds over the arm's parameters: with few trials it
changes little, with many it finds what nobody declared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from suite.study import efforts, search
from suite.study.definition import StoredArm

Space = Mapping[str, BaseDistribution]

#: How strongly slopes are drawn to nothing: as one trial at the end of each range would.
_RIDGE = 1.0
#: Trials without which nothing is learnt from them.
_FEWEST = 3


def seconds(trial: FrozenTrial) -> float | None:
    """What a finished trial's training takes or, where it was pruned, would have taken."""
    took = trial.user_attrs.get("train_seconds")
    if trial.state not in search.FINISHED or not isinstance(took, int | float) or took <= 0:
        return None
    share = max(trial.intermediate_values, default=0) / 100
    pruned = trial.state == TrialState.PRUNED
    return took / share if pruned and share else float(took)


def cost_of(
    arm: StoredArm, space: Space, trials: Sequence[FrozenTrial]
) -> Callable[[Mapping[str, np.ndarray]], np.ndarray]:
    """A function from points to the logarithm of what they take, up to a constant.

    Args:
        space: the arm's parameters, by their full names.
        trials: the arm's.

    Returns:
        Takes an array of n values for each parameter, as Optuna has them; gives float64 [n].
    """
    known = [(t, took) for t in trials if (took := seconds(t)) is not None]
    known = [(t, took) for t, took in known if space.keys() <= t.params.keys()]
    centre = np.zeros(0)
    slopes = np.zeros(0)
    if len(known) >= _FEWEST:
        rows = np.array([_features(t.params, space) for t, _ in known])
        centre = rows.mean(axis=0)
        rest = np.array([math.log(took / _effort(arm, t.params)) for t, took in known])
        inner = (rows - centre).T @ (rows - centre) + _RIDGE * np.eye(len(centre))
        slopes = np.linalg.solve(inner, (rows - centre).T @ (rest - rest.mean()))

    def cost(samples: Mapping[str, np.ndarray]) -> np.ndarray:
        found = []
        for values in zip(*(samples[name] for name in space), strict=True):
            point = {
                name: dimension.to_external_repr(float(value))
                for (name, dimension), value in zip(space.items(), values, strict=True)
            }
            corrected = (_features(point, space) - centre) @ slopes if len(slopes) else 0.0
            found.append(math.log(_effort(arm, point)) + float(corrected))
        return np.array(found)

    return cost


def _effort(arm: StoredArm, params: Mapping[str, Any]) -> float:
    """What the strategy says of a point, its parameters by their full names."""
    own = {key: params.get(f"{arm.name}:{key}", value) for key, value in
           efforts.typical(arm).items()}  # fmt: skip
    return max(efforts.at(arm, own), 1e-9)


def _features(params: Mapping[str, Any], space: Space) -> np.ndarray:
    """A point as numbers: ranges from 0 to 1, log scales taken, each option of a choice apart."""
    found: list[float] = []
    for name, dimension in space.items():
        if isinstance(dimension, CategoricalDistribution):
            found += [float(params[name] == option) for option in dimension.choices]
        else:
            found.append(search.share(params[name], dimension))
    return np.array(found)
