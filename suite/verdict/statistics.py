"""Which differences are chance: intervals and paired tests over the rows of one test split.

All arms are resampled with the same rows (and, where an arm was retrained over seeds, the same
draw of seeds), so that what makes a row hard for everybody cancels out of a difference.

Sources: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile interval,
centred test); Berg-Kirkpatrick, Burkett, Klein, "An Empirical Investigation of Statistical
Significance in NLP", 2012 (paired); Holm, "A simple sequentially rejective multiple test
procedure", 1979.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from suite.verdict.changes import Change, holm
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
