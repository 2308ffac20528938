"""Whether arms find the same rows hard: the rank correlation of their losses, row by row.

How alike two arms can be is bounded by how alike each is to itself: trained again with another
seed, it finds other rows hard too. That is told beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from suite.contracts.alike import Alike
from suite.contracts.measured import Measured
from suite.verdict.interval import LEVEL

Losses = NDArray[np.float64]

#: The least probability that a loss is taken of, as of the metric log-loss; and rows, below which a
#: correlation has no interval.
LEAST, FEWEST = 1.2e-7, 10
_ROUNDING = 1e-9


def losses(probabilities: NDArray[np.floating], labels: Sequence[int]) -> Losses:
    """Of each row -ln of its label's probability, float [rows].

    Args:
        probabilities: float [rows, classes]; a row of zeros is no answer.
        labels: class indices.
    """
    shares = np.asarray(probabilities, np.float64)[np.arange(len(labels)), list(labels)]
    return np.asarray(-np.log(np.maximum(shares, LEAST)))


def spearman(one: Losses, other: Losses) -> Measured:
    """Spearman's rank correlation of two losses of the same rows, with its 95 % interval.

    The interval is Fisher's, with the variance of Bonett and Wright, "Sample size requirements for
    estimating Pearson, Kendall and Spearman correlations", Psychometrika 2000. Where there is
    nothing to order by, or few rows, it is from -1 to 1.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    a, b = rankdata(one), rankdata(other)
    if len(a) < 2 or a.std() == 0 or b.std() == 0:
        return Measured(0.0, -1.0, 1.0)
    value = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
    if len(a) < FEWEST:
        return Measured(value, -1.0, 1.0)
    if abs(value) > 1 - _ROUNDING:
        return Measured(value, value, value)
    error = np.sqrt((1 + value**2 / 2) / (len(a) - 3))
    middle, half = np.arctanh(value), ndtri(1 - LEVEL / 2) * error
    return Measured(value, float(np.tanh(middle - half)), float(np.tanh(middle + half)))


def alike(arms: Mapping[str, Sequence[Losses]]) -> list[Alike]:
    """Each two arms by their first trainings, and each arm with itself by its first two.

    Args:
        arms: arm -> trainings -> losses, over the same rows.
    """
    own = [
        Alike(arm, arm, spearman(trainings[0], trainings[1]))
        for arm, trainings in arms.items()
        if len(trainings) > 1
    ]
    return own + [
        Alike(a, b, spearman(arms[a][0], arms[b][0]))
        for a, b in combinations(arms, 2)
        if arms[a] and arms[b]
    ]
