"""How often a model errs when it answers only where it is sure: the curve of coverage against
error, and the area under it.

Source: Geifman and El-Yaniv, "Selective classification for deep neural networks", 2017 (risk and
coverage); Geifman, Uziel and El-Yaniv, "Bias-reduced uncertainty estimation for deep neural
classifiers", 2019 (AURC).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suite.verdict.answering import Answered, Array


@dataclass(frozen=True)
class Point:
    """A model that answers from a threshold on.

    Args:
        threshold: of how sure it is.
        coverage: share of all rows that it answers then.
        error: share of these that are wrong.
    """

    threshold: float
    coverage: float
    error: float


def curve(rows: Answered, points: int = 200) -> list[Point]:
    """Coverage against error, from the surest rows to all of them.

    Rows that a model is equally sure of come in together. The last point answers every row; those
    without an answer count as wrong there.

    Args:
        points: at most so many, evenly apart in coverage.

    >>> [(p.threshold, p.coverage) for p in curve(
    ...     Answered(np.array([0.5, 0.5, 0.9, 0.7]), np.ones(4, bool)))]
    [(0.9, 0.25), (0.7, 0.5), (0.5, 1.0)]
    """
    order = np.argsort(-rows.sure, kind="stable")
    sure = rows.sure[order]
    wrong = np.cumsum(~rows.right[order])
    ends = np.flatnonzero(np.append(sure[1:] != sure[:-1], True))
    if len(ends) > points:
        marks = np.linspace(ends[0], ends[-1], points)
        ends = np.unique(ends[np.searchsorted(ends, marks)])
    return [
        Point(float(sure[end]), float((end + 1) / len(sure)), float(wrong[end] / (end + 1)))
        for end in ends
    ]


def aurc(rows: Answered) -> float:
    """Area under the curve of coverage against error: the mean error over every number of rows that
    may be answered, the surest first; 0 is best.

    Rows that a model is equally sure of may come in any order: the mean over all of them.

    >>> aurc(Answered(np.array([0.9, 0.8]), np.array([True, False])))
    0.25
    >>> aurc(Answered(np.array([0.8, 0.8]), np.array([True, False])))
    0.5
    """
    return float(parts_of_aurc(rows).mean())


def parts_of_aurc(rows: Answered) -> Array:
    """What each row adds to the area, float [rows], which is their mean."""
    order = np.argsort(-rows.sure, kind="stable")
    sure = rows.sure[order]
    wrong = (~rows.right[order]).astype(np.float64)
    starts = np.flatnonzero(np.append(True, sure[1:] != sure[:-1]))
    sizes = np.diff(np.append(starts, len(sure)))
    shared = np.repeat(np.add.reduceat(wrong, starts) / sizes, sizes)
    # A row is among the first k from its own place on, and is then one of k.
    weights = np.cumsum((1 / np.arange(1, len(sure) + 1))[::-1])[::-1]
    found = np.empty(len(sure))
    found[order] = shared * weights
    return found
