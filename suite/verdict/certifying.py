"""From which threshold on a model's answers are wrong at most so often, as a claim with a
confidence.

The error among *answered* texts is no monotone risk: of fewer, surer answers more may be wrong. So
thresholds are tested, not bounded: "the error from this threshold on is above the limit" is
rejected by an exact binomial test. Its rows may be any that are no others' business: those that
certify are seen by nothing else, and the thresholds to test, with their order, are learnt on rows
apart from them. One after another is tested, each at full level, until the first that is not
rejected; so all that are rejected hold together, with the confidence asked for.

Source: Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then test: calibrating predictive
algorithms to achieve risk control", 2021 (fixed-sequence testing; an order learnt on a split of its
own). Of so many answered rows, each is wrong with the same probability whatever the threshold, so
the binomial test is exact where theirs is a bound. Tests hold its p-values to mapie's.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

import numpy as np
from numpy.typing import ArrayLike

from suite.contracts.deciding import Limit, Tried
from suite.verdict.answering import Answered, Array

#: Thresholds that are looked at; so many lie half a hundredth of the rows apart.
THRESHOLDS = 200
#: Beyond so many rows nobody is told to find them.
MOST_ROWS = 10_000_000


@dataclass(frozen=True)
class Certified:
    """A threshold of how sure a model is, from which on it answers, and what came of that on the
    rows that speak for it."""

    threshold: float
    on: Tried


def p_values(answered: ArrayLike, wrong: ArrayLike, max_error: float) -> Array:
    """How likely it is to see no more wrong answers, were the error at the limit."""
    from scipy import stats

    return np.asarray(stats.binom.cdf(wrong, answered, max_error), np.float64)


def path(learning: Answered, limit: Limit, rows: int) -> list[float]:
    """The thresholds to test on other rows, in their order: the first is the one that is most
    likely to be rejected there, those after it are lower.

    Args:
        learning: rows that are not those of the test.
        rows: how many the test will have.
    """
    from scipy import stats

    found = thresholds(learning)
    answered, wrong = _counted(learning, found)
    # Half a row more that is wrong: a share of nothing in few rows is not nothing in many.
    error = (wrong + 0.5) / (answered + 1)
    there = np.rint(answered / len(learning) * rows)
    # By logarithm: of many rows the p-values themselves are all nothing.
    likely = stats.binom.logcdf(np.ceil(error * there), there, limit.max_error)
    return [float(threshold) for threshold in found[int(np.argmin(likely)) :]]


def thresholds(rows: Answered) -> Array:
    """Thresholds of some rows, the highest first: as many as there are values of how sure a model
    is, or `THRESHOLDS`, evenly apart in coverage. No answer is below all of them.

    Each lies between two values that were seen. A model that knows few of them would else be
    decided by rounding: what was kept is tempered from float16, what is served from float32.
    """
    sure = np.sort(rows.sure[rows.sure > 0])[::-1]
    if not len(sure):
        return np.array([1.0])
    at = np.linspace(0, len(sure) - 1, min(len(sure), THRESHOLDS)).round().astype(int)
    return between(np.unique(sure[at]), rows.sure)[::-1]


def between(values: Array, seen: Array) -> Array:
    """Numbers halfway from values to the next lower one that was seen, or to 0.

    >>> between(np.array([0.5, 0.9]), np.array([0.9, 0.5, 0.7])).round(3).tolist()
    [0.25, 0.8]
    """
    known = np.unique(np.append(seen, 0.0))
    below = np.maximum(np.searchsorted(known, values) - 1, 0)
    return np.asarray((values + known[below]) / 2)


def certify(rows: Answered, tested: list[float], limit: Limit) -> Certified | None:
    """The lowest threshold from which on answers are wrong at most so often, or None where that
    can't be said of any.

    Args:
        rows: seen by nothing else: neither by a training nor by the search, nor when the thresholds
            were chosen.
        tested: the thresholds in the order in which they are tested.
    """
    answered, wrong = _counted(rows, np.asarray(tested))
    kept = p_values(answered, wrong, limit.max_error) > limit.level
    rejected = int(kept.argmax()) if kept.any() else len(tested)
    if not rejected:
        return None
    last = rejected - 1
    return Certified(tested[last], Tried(len(rows), int(answered[last]), int(wrong[last])))


def _counted(rows: Answered, thresholds: Array) -> tuple[Array, Array]:
    """How many rows are answered from each threshold on, and how many of these wrongly."""
    sure, wrong = np.sort(rows.sure), np.sort(rows.sure[~rows.right])
    return (
        np.asarray(len(sure) - np.searchsorted(sure, thresholds), np.float64),
        np.asarray(len(wrong) - np.searchsorted(wrong, thresholds), np.float64),
    )


def upper_bound(answered: int, wrong: int, confidence: float) -> float:
    """The error that so many wrong answers leave possible at most (Clopper and Pearson, 1934); of
    no answer at all, 1.

    It is exact where the threshold was not chosen on the rows that are counted. That of `certify`
    was: what is certified is the limit, and this lies a little below it. In simulations of five
    kinds of error and 500 to 5,000 rows (4,000 draws each) the error at the threshold found was
    above the limit in at most 9 of 100, and above this in at most 10.5, where 10 may be.
    """
    from scipy import stats

    if wrong >= answered:
        return 1.0
    return float(stats.beta.ppf(confidence, wrong + 1, answered - wrong))


def rows_needed(limit: Limit, error: float = 0.0) -> int | None:
    """How many answered rows would do, were so many of them wrong; None where no number would.

    >>> rows_needed(Limit(0.05, 0.9)), rows_needed(Limit(0.05, 0.9), 0.03)
    (45, 282)
    >>> rows_needed(Limit(0.05, 0.9), 0.06) is None
    True
    """
    if error >= limit.max_error:
        return None
    low = ceil(log(limit.level) / log(1 - limit.max_error))
    high = low

    def enough(rows: int) -> bool:
        return bool(p_values(rows, ceil(rows * error), limit.max_error) <= limit.level)

    while not enough(high):
        low, high = high, high * 2
        if high > MOST_ROWS:
            return None
    # Whole wrong rows make steps; from the least number found on, a few may again be too few.
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
