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

RESAMPLES = 5000
LEVEL = 0.05


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A paired comparison: a − b, its 95 % interval, and the Holm-adjusted p."""

    a: str
    b: str
    value: float
    low: float
    high: float
    p: float


def macro_f1(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Macro-F1 over the classes that occur as label or prediction.

    Args:
        confusion: [..., classes, classes or more], true × predicted, counts or weights; columns
            beyond the classes are answers that name none of them.
    """
    classes = confusion.shape[-2]
    true = confusion.sum(axis=-1)
    predicted = confusion[..., :classes].sum(axis=-2)
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    total = true + predicted
    occurs = total > 0
    f1 = np.where(occurs, 2 * hits / np.where(occurs, total, 1), 0.0)
    return np.asarray(f1.sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1))


def compare(
    labels: Sequence[int],
    predictions: Mapping[str, Sequence[Sequence[int]]],
    classes: int,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[dict[str, Interval], list[Difference]]:
    """Intervals of each arm and paired tests of every two.

    Args:
        labels: class indices, [rows].
        predictions: arm -> class indices, [seeds][rows], over the same rows; below 0 for no
            answer, which is wrong whatever the label.
        resamples: bootstrap draws.

    Returns:
        arm -> interval of its macro-F1 (mean over seeds); differences, best arm first.
    """
    truth = np.asarray(labels, dtype=np.int64)
    arms = list(predictions)
    columns = classes + 1  # the last one holds what was not answered
    cells = {
        arm: [
            truth * columns + np.where(np.asarray(p) < 0, classes, p).astype(np.int64)
            for p in predictions[arm]
        ]
        for arm in arms
    }
    observed = {
        arm: float(
            np.mean(
                [_macro(np.bincount(c, minlength=classes * columns), classes) for c in cells[arm]]
            )
        )
        for arm in arms
    }
    generator = np.random.default_rng(seed)
    drawn = {arm: np.empty(resamples) for arm in arms}
    for draw in range(resamples):
        rows = generator.integers(0, len(truth), len(truth))
        for arm in arms:
            seeds = cells[arm]
            chosen = generator.integers(0, len(seeds), len(seeds)) if len(seeds) > 1 else [0]
            drawn[arm][draw] = np.mean(
                [
                    _macro(np.bincount(seeds[s][rows], minlength=classes * columns), classes)
                    for s in chosen
                ]
            )
    intervals = {
        arm: Interval(observed[arm], *(float(q) for q in np.quantile(drawn[arm], [0.025, 0.975])))
        for arm in arms
    }
    ordered = sorted(arms, key=lambda arm: -observed[arm])
    pairs = list(combinations(ordered, 2))
    raw: list[float] = []
    bounds: list[tuple[float, float]] = []
    for a, b in pairs:
        gap = observed[a] - observed[b]
        differences = drawn[a] - drawn[b]
        extreme = np.abs(differences - differences.mean()) >= abs(gap) - 1e-12
        raw.append(float((extreme.sum() + 1) / (resamples + 1)))
        low, high = np.quantile(differences, [0.025, 0.975])
        bounds.append((float(low), float(high)))
    return intervals, [
        Difference(a, b, observed[a] - observed[b], low, high, p)
        for (a, b), (low, high), p in zip(pairs, bounds, holm(raw), strict=True)
    ]


def _macro(counts: NDArray[np.int64], classes: int) -> float:
    return float(macro_f1(counts.reshape(classes, classes + 1).astype(np.float64)))


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
