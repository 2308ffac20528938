"""An arm's own 95 % interval: what other rows, and other trainings, would have scored.

Of what was tried in simulation (`make verdicts`), this covers: the variance by the jackknife, its
bias taken off, and Wilson's form, which has a width where nothing is wrong. The percentile
bootstrap, its bias-corrected form and the delta method (Takahashi, Yamamoto, Kuchiba, Koyama,
"Confidence interval for micro-averaged F1 and macro-averaged F1 scores", 2022) are too narrow
where classes are many and their rows few: a class of two rows is often missing from a resample,
and its F1 is far from a sum of small parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVEL = 0.05

#: Rows of each class that occurs in test (harmonic mean), below which simulated intervals cover
#: less than .93 of what they should hold.
ROWS_PER_CLASS = 3.0


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval; `narrow` where it covers less, for rows a class are few."""

    value: float
    low: float
    high: float
    narrow: bool = False


def around(
    value: float,
    variance: float,
    reach: float,
    *,
    worth: float,
    bias: float = 0.0,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    narrow: bool = False,
) -> Interval:
    """The interval of a score (Wilson, "Probable inference", 1927, of one that is bounded).

    A bounded score is read as a share of so many rows as would give it this variance.

    Args:
        value: the score; it lies in the interval in any case.
        variance: of it.
        reach: standard errors that 95 % lie within.
        worth: rows that it is read as a share of where it has no variance: all right, or wrong.
        bias: by how much the score is expected to be off.
        bounds: what it lies between; None where it is not bounded.
        narrow: as of `Interval`.
    """
    middle = value - bias
    if bounds is None:
        half = reach * float(np.sqrt(variance))
        low, high = middle - half, middle + half
    else:
        least, most = bounds
        width = most - least
        share = min(max((middle - least) / width, 0.0), 1.0)
        # By the score as it is: its bias taken off, it may lie at the edge.
        own = min(max((value - least) / width, 0.0), 1.0)
        spread = variance / width**2
        rows = own * (1 - own) / spread if spread > 0 and 0 < own < 1 else worth
        part = reach**2 / rows
        centre = (share + part / 2) / (1 + part)
        half = np.sqrt(part * share * (1 - share) + part**2 / 4) / (1 + part)
        low = least + width * max(centre - half, 0.0)
        high = least + width * min(centre + half, 1.0)
    return Interval(value, float(min(low, value)), float(max(high, value)), narrow)
