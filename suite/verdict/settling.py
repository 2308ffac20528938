"""What would settle whether two arms differ: how small a difference this study could have found,
and how many test rows, or trainings, would make a given one findable.

Reckoned from the study's own variances and never from the gap that it observed: power at the
observed difference says no more than its p (Hoenig and Heisey, "The abuse of power", 2001).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: With what probability a difference is to be found.
POWER = 0.8


@dataclass(frozen=True)
class Settling:
    """What two arms' comparison can find.

    Args:
        smallest: the least difference that is found with probability `POWER`.
        rows: test rows that would do for the margin, all else as it is; None where no number would.
        trainings: trainings of each arm that would do; None likewise.
    """

    smallest: float
    rows: int | None
    trainings: int | None


def settling(
    half: float,
    row_variance: float,
    seed_variance: float,
    df: float,
    margin: float,
    *,
    rows: int,
    trainings: int,
) -> Settling | None:
    """What would settle a pair; None where nothing varies.

    Args:
        half: how far the difference's interval, simultaneous over the study's pairs, reaches to
            its nearer end: so many standard errors a difference must lie from 0. (The other end
            is further where the sign test has the interval hold 0.)
        row_variance, seed_variance: the two parts of the difference's variance.
        df: degrees of freedom of their sum.
        margin: the difference that matters.
        rows: test rows there are.
        trainings: of each of the two arms, at least.
    """
    error = math.sqrt(row_variance + seed_variance)
    if not error:
        return None
    from scipy import stats

    # A true difference lies above the bound with probability POWER where it is so far beyond it.
    reach = half / error + float(stats.t.ppf(POWER, max(df, 1.0)))
    wanted = (margin / reach) ** 2
    return Settling(
        smallest=reach * error,
        rows=_times(rows, row_variance, wanted - seed_variance),
        trainings=_times(trainings, seed_variance, wanted - row_variance),
    )


def _times(count: int, variance: float, room: float) -> int | None:
    """How many, in place of `count` that leave this variance, leave no more than there is room
    for; as many as there are where these do."""
    if room <= 0:
        return None
    return max(count, math.ceil(count * variance / room))
