"""Scores of confusion matrices: one matrix, or as many at once as rows are resampled.

A matrix is true × predicted, counts or weights, float [..., classes, classes + 1]: its last column
holds the rows that were not answered, which are wrong whatever their label and count for no class.
Each function takes away the last two axes.

Averages are over the classes that occur as label or prediction, as scikit-learn's are by default;
what has no value (0/0) is 0. Tests hold every function to scikit-learn's of the same name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suite.verdict.confusions import Array, Margins, OfMargins, ratio
from suite.verdict.confusions import macro_f1 as macro_f1

Classes = Sequence[int] | NDArray[np.int64]


def counted(labels: Classes, predictions: Classes, classes: int) -> Array:
    """The matrix of class indices; predictions below 0 are no answer.

    >>> counted([0, 1, 1], [0, 0, -1], classes=2).tolist()
    [[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]]
    """
    answers = np.asarray(predictions, dtype=np.int64)
    cells = np.asarray(labels, dtype=np.int64) * (classes + 1)
    cells = cells + np.where(answers < 0, classes, answers)
    counts = np.bincount(cells, minlength=classes * (classes + 1))
    return np.asarray(counts, np.float64).reshape(classes, classes + 1)


@OfMargins
def per_class_f1(of: Margins) -> Array:
    """F1 of each class, [..., classes]; 0 of one that occurs nowhere."""
    return ratio(2 * of.hits, of.true + of.predicted)


@OfMargins
def per_class_precision(of: Margins) -> Array:
    """Precision of each class, [..., classes]; 0 of one that is never answered."""
    return ratio(of.hits, of.predicted)


@OfMargins
def per_class_recall(of: Margins) -> Array:
    """Recall of each class, [..., classes]; 0 of one that is no label."""
    return ratio(of.hits, of.true)


@OfMargins
def weighted_f1(of: Margins) -> Array:
    """Mean F1 of the classes, each weighted by the rows that have it as label."""
    return ratio((per_class_f1.of(of) * of.true).sum(axis=-1), of.rows)


@OfMargins
def micro_f1(of: Margins) -> Array:
    """F1 of all classes' hits and misses together: accuracy, where every row is answered."""
    return ratio(2 * of.hits.sum(axis=-1), of.rows + of.predicted.sum(axis=-1))


@OfMargins
def accuracy(of: Margins) -> Array:
    """Share of rows whose predicted class is the labelled one."""
    return ratio(of.hits.sum(axis=-1), of.rows)


@OfMargins
def precision(of: Margins) -> Array:
    """Mean precision of the classes that occur."""
    return _mean(per_class_precision.of(of), of.occurs)


@OfMargins
def recall(of: Margins) -> Array:
    """Mean recall of the classes that occur."""
    return _mean(per_class_recall.of(of), of.occurs)


@OfMargins
def balanced_accuracy(of: Margins) -> Array:
    """Mean recall of the classes that occur as label."""
    return _mean(per_class_recall.of(of), of.true > 0)


@OfMargins
def mcc(of: Margins) -> Array:
    """Matthews' correlation of labels and predictions, -1 to 1; no answer is a value of its own.

    Of several classes: Gorodkin, "Comparing two K-category assignments by a K-category
    correlation coefficient", 2004.
    """
    rows = of.rows
    silent = rows - of.predicted.sum(axis=-1)
    together = of.hits.sum(axis=-1) * rows - (of.true * of.predicted).sum(axis=-1)
    answers = (of.predicted**2).sum(axis=-1) + silent**2
    spread = (rows**2 - (of.true**2).sum(axis=-1)) * (rows**2 - answers)
    return ratio(together, np.sqrt(np.maximum(spread, 0)))


def _mean(values: Array, over: NDArray[np.bool_]) -> Array:
    return np.asarray((values * over).sum(axis=-1) / np.maximum(over.sum(axis=-1), 1))
