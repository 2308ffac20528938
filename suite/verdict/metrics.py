"""The scores of a trial, as `evaluate` metrics of our own over scikit-learn.

`evaluate` loads its stock metrics from the Hub; these need no network, and keep everything in
memory, so neither an unreachable Hub nor an unwritable home matters. They work alone and in
`evaluate.combine`.

Importing `evaluate` costs some 11 s on two cores (it pulls transformers' pipelines). This module
imports it at its top, so it is itself imported in child processes only, never by the command
line, the study or the report.

What is averaged: the classes that occur in the labels or in the predictions, as scikit-learn does
by default and as published macro-F1 numbers are made. A class absent from both has no F1 of its
own (0/0) and is left out of the averages; `per_class_f1` and `confusion` still have an entry for
it (0, and zeros). Averaging it in as 0 would cap iflytek, whose test split lacks 21 of 119
classes, at .82.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from suite.contracts.results import Scores
from suite.contracts.strategy import NO_ANSWER
from suite.errors import ModelError

Classes = list[int]


class SuiteMetric(evaluate.Metric):  # type: ignore[misc]  # evaluate is untyped
    """An `evaluate.Metric` over class indices that touches no disk and no network.

    `compute(predictions=..., references=..., classes=n)` takes integers in [0, n).
    """

    summary = ""

    def __init__(self) -> None:
        super().__init__(keep_in_memory=True)

    def _build_data_dir(self) -> str:
        # The base class creates a folder under the home even when all is kept in memory.
        return str(self._data_dir_root)

    def _info(self) -> evaluate.MetricInfo:
        index = datasets.Value("int32")
        return evaluate.MetricInfo(
            description=self.summary,
            citation="",
            inputs_description="Class indices, and the number of classes as `classes`.",
            features=datasets.Features({"predictions": index, "references": index}),
        )


class MacroF1(SuiteMetric):
    """Mean F1 of the classes that occur, each weighing the same."""

    summary = "Mean F1 of the classes that occur in labels or predictions."

    def _compute(self, predictions: Classes, references: Classes, classes: int) -> dict[str, float]:
        return {"macro_f1": _macro(f1_score, references, predictions)}


class Accuracy(SuiteMetric):
    """Share of rows whose class is right."""

    summary = "Share of rows whose predicted class is the labelled one."

    def _compute(self, predictions: Classes, references: Classes, classes: int) -> dict[str, float]:
        return {"accuracy": float(accuracy_score(references, predictions))}


class MacroPrecision(SuiteMetric):
    """Mean precision of the classes that occur; 0 for one never predicted."""

    summary = "Mean precision of the classes that occur in labels or predictions."

    def _compute(self, predictions: Classes, references: Classes, classes: int) -> dict[str, float]:
        return {"precision": _macro(precision_score, references, predictions)}


class MacroRecall(SuiteMetric):
    """Mean recall of the classes that occur; 0 for one that is predicted but never labelled."""

    summary = "Mean recall of the classes that occur in labels or predictions."

    def _compute(self, predictions: Classes, references: Classes, classes: int) -> dict[str, float]:
        return {"recall": _macro(recall_score, references, predictions)}


class PerClassF1(SuiteMetric):
    """F1 of every class by index; 0 for one that occurs nowhere."""

    summary = "F1 of each class, by class index."

    def _compute(
        self, predictions: Classes, references: Classes, classes: int
    ) -> dict[str, list[float]]:
        values = f1_score(
            references, predictions, labels=range(classes), average=None, zero_division=0
        )
        return {"per_class_f1": [float(value) for value in values]}


class Confusion(SuiteMetric):
    """Row counts by labelled class (outer) and predicted class (inner)."""

    summary = "Confusion matrix: counts by labelled class, then by predicted class."

    def _compute(
        self, predictions: Classes, references: Classes, classes: int
    ) -> dict[str, list[list[int]]]:
        counts = confusion_matrix(references, predictions, labels=range(classes))
        return {"confusion": [[int(count) for count in row] for row in counts]}


def _macro(metric: Callable[..., Any], references: Classes, predictions: Classes) -> float:
    """A scikit-learn score, averaged over the classes that occur; no answer is not a class."""
    occurring = sorted({*references, *predictions} - {NO_ANSWER})
    value = metric(references, predictions, labels=occurring, average="macro", zero_division=0)
    return float(value)


def decide(probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Class indices, int64 [rows], of probabilities, float [rows, classes].

    The largest decides, the first of equals. A row of zeros is no answer (`NO_ANSWER`): a model
    that never closed its thinking, or a text no option could be read from. It counts as wrong.

    >>> decide(np.array([[0.2, 0.8], [0.0, 0.0]])).tolist()
    [1, -1]
    """
    return np.where(probabilities.any(axis=1), probabilities.argmax(axis=1), NO_ANSWER)


def all_metrics() -> evaluate.CombinedEvaluations:
    """Every metric of `Scores`, combined; pass `classes` to its `compute`."""
    return evaluate.combine(
        [MacroF1(), Accuracy(), MacroPrecision(), MacroRecall(), PerClassF1(), Confusion()]
    )


def score(predictions: NDArray[Any], labels: Sequence[int], classes: int) -> Scores:
    """The scores of one split. Free of NaN.

    Args:
        predictions: class indices, int [rows], `NO_ANSWER` where there is none (wrong, whatever
            the label); or probabilities, float [rows, classes], as `decide` takes them.
        labels: class indices, one per row.
        classes: how many classes the task has; every index lies in [0, classes).

    Raises:
        ModelError: the probabilities are not finite: the training diverged.
        ValueError: shapes or indices that do not fit each other.

    >>> score(np.array([0, 1, 1]), [0, 1, 0], classes=2).confusion
    [[1, 1], [0, 1]]
    """
    predicted = np.asarray(predictions)
    if predicted.ndim == 2:
        if predicted.shape[1] != classes:
            raise ValueError(f"{predicted.shape[1]} probabilities per row for {classes} classes")
        if not np.isfinite(predicted).all():
            raise ModelError(
                "the model's probabilities are not finite: its training diverged",
                fix="A smaller learning rate, or float32 in place of a narrower precision.",
            )
        predicted = decide(predicted)
    expected = np.asarray(labels)
    if predicted.ndim != 1 or predicted.shape != expected.shape or not len(expected):
        raise ValueError(f"predictions {predicted.shape} for labels {expected.shape}")
    for name, indices, least in (("prediction", predicted, NO_ANSWER), ("label", expected, 0)):
        if not np.issubdtype(indices.dtype, np.integer):
            raise ValueError(f"a {name} must be a class index, not {indices.dtype}")
        if indices.min() < least or indices.max() >= classes:
            raise ValueError(f"a {name} lies outside [0, {classes})")
    found = all_metrics().compute(predictions=predicted, references=expected, classes=classes)
    return Scores(**found)
