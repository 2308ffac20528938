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

from suite.verdict.confusions import Array
from suite.verdict.confusions import macro_f1 as macro_f1


def counted(labels: Sequence[int], predictions: Sequence[int], classes: int) -> Array:
    """The matrix of class indices; predictions below 0 are no answer.

    >>> counted([0, 1, 1], [0, 0, -1], classes=2).tolist()
    [[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]]
    """
    answers = np.asarray(predictions, dtype=np.int64)
    cells = np.asarray(labels, dtype=np.int64) * (classes + 1)
    cells = cells + np.where(answers < 0, classes, answers)
    counts = np.bincount(cells, minlength=classes * (classes + 1))
    return np.asarray(counts, np.float64).reshape(classes, classes + 1)


def per_class_f1(confusion: Array) -> Array:
    """F1 of each class, [..., classes]; 0 of one that occurs nowhere."""
    return _ratio(2 * _hits(confusion), _true(confusion) + _predicted(confusion))


def weighted_f1(confusion: Array) -> Array:
    """Mean F1 of the classes, each weighted by the rows that have it as label."""
    true = _true(confusion)
    return _ratio((per_class_f1(confusion) * true).sum(axis=-1), true.sum(axis=-1))


def micro_f1(confusion: Array) -> Array:
    """F1 of all classes' hits and misses together: accuracy, where every row is answered."""
    answered = _predicted(confusion).sum(axis=-1)
    return _ratio(2 * _hits(confusion).sum(axis=-1), _rows(confusion) + answered)


def accuracy(confusion: Array) -> Array:
    """Share of rows whose predicted class is the labelled one."""
    return _ratio(_hits(confusion).sum(axis=-1), _rows(confusion))


def precision(confusion: Array) -> Array:
    """Mean precision of the classes that occur."""
    return _mean(_ratio(_hits(confusion), _predicted(confusion)), _occurs(confusion))


def recall(confusion: Array) -> Array:
    """Mean recall of the classes that occur."""
    return _mean(_ratio(_hits(confusion), _true(confusion)), _occurs(confusion))


def balanced_accuracy(confusion: Array) -> Array:
    """Mean recall of the classes that occur as label."""
    true = _true(confusion)
    return _mean(_ratio(_hits(confusion), true), true > 0)


def mcc(confusion: Array) -> Array:
    """Matthews' correlation of labels and predictions, -1 to 1; no answer is a value of its own.

    Of several classes: Gorodkin, "Comparing two K-category assignments by a K-category
    correlation coefficient", 2004.
    """
    rows, true, predicted = _rows(confusion), _true(confusion), confusion.sum(axis=-2)
    classes = confusion.shape[-2]
    together = _hits(confusion).sum(axis=-1) * rows
    together = together - (true * predicted[..., :classes]).sum(axis=-1)
    spread = (rows**2 - (true**2).sum(axis=-1)) * (rows**2 - (predicted**2).sum(axis=-1))
    return _ratio(together, np.sqrt(np.maximum(spread, 0)))


def _hits(confusion: Array) -> Array:
    return np.asarray(np.diagonal(confusion, axis1=-2, axis2=-1))


def _true(confusion: Array) -> Array:
    return np.asarray(confusion.sum(axis=-1))


def _predicted(confusion: Array) -> Array:
    return np.asarray(confusion[..., : confusion.shape[-2]].sum(axis=-2))


def _rows(confusion: Array) -> Array:
    return np.asarray(confusion.sum(axis=(-2, -1)))


def _occurs(confusion: Array) -> NDArray[np.bool_]:
    return np.asarray(_true(confusion) + _predicted(confusion) > 0)


def _ratio(above: Array, below: Array) -> Array:
    return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1), 0.0))


def _mean(values: Array, over: NDArray[np.bool_]) -> Array:
    return np.asarray((values * over).sum(axis=-1) / np.maximum(over.sum(axis=-1), 1))
