"""Which differences are chance: intervals and paired tests over the rows of one test split.

All arms are resampled with the same rows (and, where an arm was retrained over seeds, the same
draw of seeds), so that what makes a row hard for everybody cancels out of a difference.

Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile interval,
centred test); Berg-Kirkpatrick, Burkett, Klein, "An Empirical Investigation of Statistical
Significance in NLP", 2012 (paired); Holm, "A simple sequentially rejective multiple test
procedure", 1979.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from suite.verdict.confusions import Array, Score, macro_f1
from suite.verdict.interval import LEVEL as LEVEL
from suite.verdict.interval import Interval as Interval

RESAMPLES = 5000
#: Quantiles that bound a 95 % interval.
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Difference:
    """A paired comparison: a − b, its 95 % interval, and the Holm-adjusted p."""

    a: str
    b: str
    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Change:
    """How much a score changed between two studies: after − before, its 95 % interval, its p."""

    value: float
    low: float
    high: float
    p: float


def compare(
    labels: Sequence[int],
    predictions: Mapping[str, Sequence[Sequence[int]]],
    classes: int,
    *,
    score: Score = macro_f1,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[dict[str, Interval], list[Difference]]:
    """Intervals of each arm and paired tests of every two.

    Args:
        labels: class indices, [rows].
        predictions: arm -> class indices, [seeds][rows], over the same rows; below 0 for no
            answer, which is wrong whatever the label.
        score: what is compared, of confusion matrices; the higher the better.
        resamples: bootstrap draws.

    Returns:
        arm -> interval of its score (mean over seeds); differences, best arm first.
    """
    drawn = _resampled(labels, predictions, classes, score, seed, resamples)
    intervals = {
        arm: Interval(
            float(scores[0]),
            float(np.quantile(scores[1:], TAILS[0])),
            float(np.quantile(scores[1:], TAILS[1])),
        )
        for arm, scores in drawn.items()
    }
    ordered = sorted(drawn, key=lambda arm: -drawn[arm][0])
    pairs = list(combinations(ordered, 2))
    tested = [_tested(drawn[a] - drawn[b]) for a, b in pairs]
    adjusted = holm([one.p for one in tested])
    return intervals, [
        Difference(a, b, one.value, one.low, one.high, p)
        for (a, b), one, p in zip(pairs, tested, adjusted, strict=True)
    ]


def _resampled(
    labels: Sequence[int],
    predictions: Mapping[str, Sequence[Sequence[int]]],
    classes: int,
    score: Score,
    seed: int,
    resamples: int,
) -> dict[str, NDArray[np.float64]]:
    """Each arm's score (mean over seeds) on the rows as they are, then on each draw of them.

    Rows that agree in label and every answer are counted together. An arm of several seeds
    draws these anew each time, with replacement.
    """
    answers = {
        arm: [np.where(np.asarray(p) < 0, classes, p).astype(np.int64) for p in seeds]
        for arm, seeds in predictions.items()
    }
    truth = np.asarray(labels, dtype=np.int64)
    table = np.stack([truth, *(p for seeds in answers.values() for p in seeds)])
    groups, group_of = np.unique(table, axis=1, return_inverse=True)
    group_of = group_of.ravel()
    names = iter(groups[1:])
    cells = {
        arm: [groups[0] * (classes + 1) + next(names) for _ in seeds]
        for arm, seeds in answers.items()
    }
    generator = np.random.default_rng(seed)
    found = {arm: np.empty(1 + resamples) for arm in cells}
    for draw in range(1 + resamples):
        rows = group_of if draw == 0 else group_of[generator.integers(0, len(truth), len(truth))]
        weights = np.bincount(rows, minlength=groups.shape[1])
        for arm, seeds in cells.items():
            chosen = np.arange(len(seeds))
            if draw and len(seeds) > 1:
                chosen = generator.integers(0, len(seeds), len(seeds))
            found[arm][draw] = np.mean(
                [score(_matrix(seeds[one], weights, classes)) for one in chosen]
            )
    return found


def _matrix(cells: NDArray[np.int64], weights: NDArray[np.int64], classes: int) -> Array:
    counts = np.bincount(cells, weights=weights, minlength=classes * (classes + 1))
    return np.asarray(counts, np.float64).reshape(classes, classes + 1)


def _tested(differences: NDArray[np.float64]) -> Change:
    """The first difference as observed, the others resampled: interval and centred test."""
    value, drawn = float(differences[0]), differences[1:]
    extreme = np.abs(drawn - drawn.mean()) >= abs(value) - 1e-12
    low, high = np.quantile(drawn, TAILS)
    return Change(value, float(low), float(high), float((extreme.sum() + 1) / (len(drawn) + 1)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm-adjusted p-values, in the given order.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for position, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - position) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def ranks(
    scores: Mapping[str, float], differences: Sequence[Difference], level: float = LEVEL
) -> dict[str, int]:
    """Rank = 1 + the number of arms that are better by more than chance."""
    found = dict.fromkeys(scores, 1)
    for difference in differences:
        if difference.p < level:
            loser = difference.b if difference.value > 0 else difference.a
            found[loser] += 1
    return found


def paired_change(
    labels: Sequence[int],
    before: Sequence[Sequence[int]],
    after: Sequence[Sequence[int]],
    classes: int,
    *,
    score: Score = macro_f1,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Change:
    """The change of a score on the same test rows, by a paired bootstrap; p is not adjusted.

    Args:
        labels: class indices, [rows].
        before: what the first study's arm answered, [seeds][rows]; below 0 for no answer.
        after: the same of the second study, on the same rows.
        classes: how many there are.
        score: of confusion matrices.
        seed: of the draws.
        resamples: bootstrap draws.
    """
    both = {"before": before, "after": after}
    drawn = _resampled(labels, both, classes, score, seed, resamples)
    return _tested(drawn["after"] - drawn["before"])


def unpaired_change(before: Interval, after: Interval) -> Change | None:
    """The change between two scores of which only intervals are known; p is not adjusted.

    Each interval is read as 1.96 standard errors either way, and the two as independent. On the
    same test rows that asks more of a difference than a paired test would. None where an
    interval has no width, which says nothing about chance.
    """
    from statistics import NormalDist

    normal = NormalDist()
    reach = normal.inv_cdf(0.975)
    errors = [(side.high - side.low) / (2 * reach) for side in (before, after)]
    if min(errors) <= 0:
        return None
    value, error = after.value - before.value, math.hypot(*errors)
    p = 2 * (1 - normal.cdf(abs(value) / error))
    return Change(value, value - reach * error, value + reach * error, p)
