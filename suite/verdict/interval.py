"""An arm's own 95 % interval: what other rows, and other trainings, would have scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVEL = 0.05


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def around(value: float, variance: float, df: float, rows: int) -> Interval:
    """The interval of a score between 0 and 1 (Wilson, "Probable inference", 1927).

    The score is read as a share of so many rows as would give it this variance; where there is no
    variance at all (nothing wrong, or nothing right), of the rows there are.

    Args:
        value: the score.
        variance: of it.
        df: degrees of freedom of the variance.
        rows: of the test split.
    """
    from scipy.special import stdtrit

    reach = float(-stdtrit(df, LEVEL / 2))
    worth = value * (1 - value) / variance if variance > 0 else float(rows)
    share = reach**2 / worth
    middle = (value + share / 2) / (1 + share)
    half = np.sqrt(reach**2 * value * (1 - value) / worth + share**2 / 4) / (1 + share)
    return Interval(value, float(max(middle - half, 0.0)), float(min(middle + half, 1.0)))
