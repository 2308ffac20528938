"""The scores of a split, through `evaluate` and without a network.

`evaluate` loads its stock metrics from the Hub; ours (`suite.verdict.metrics`) are wrapped as
`evaluate.Metric`s that keep everything in memory, so neither an unreachable Hub nor an unwritable
home matters. They work alone and in `evaluate.combine`.

Importing `datasets` and `evaluate` costs a second of processor time, and some six more where
evaluate's own evaluators find scipy and transformers' pipelines: these are hidden from it, as
nothing here asks an evaluator. This module imports both at its top, so it is itself imported in
child processes only, never by the command line, the study or the report.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import datasets
import numpy as np
from numpy.typing import NDArray

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Scores
from suite.contracts.strategy import NO_ANSWER
from suite.errors import ModelError
from suite.verdict import of_confusion, scored
from suite.verdict.metrics import Metric
from suite.verdict.scored import decide as decide
from suite.verdict.worth import Worth


@contextmanager
def _hidden(*names: str) -> Iterator[None]:
    """Within: modules that nobody has imported yet can't be; afterwards they can."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]  # None: not to be found
    try:
        yield
    finally:
        for name in missing:
            sys.modules.pop(name, None)


with _hidden("scipy", "transformers", "transformers.pipelines"):
    import evaluate

Classes = list[int]


class _Wrapped(evaluate.Metric):  # type: ignore[misc]  # evaluate is untyped
    """An `evaluate.Metric` over class indices that touches no disk and no network.

    `compute(predictions=..., references=..., classes=n)` takes integers in [0, n).
    """

    summary = ""
    writer: Any
    data: Any

    def __init__(self) -> None:
        super().__init__(keep_in_memory=True)

    def _build_data_dir(self) -> str:
        # The base class creates a folder under the home even when all is kept in memory.
        return str(self._data_dir_root)

    def _finalize(self) -> None:
        # The base class, for what is kept in memory, but that the rows have a name: `datasets`
        # would make one by hashing them and all that is declared of them, for a cache that none of
        # this has, and that was half of what a scoring took.
        if self.writer is not None:
            self.writer.finalize()
        self.writer = None
        table = datasets.table.InMemoryTable.from_buffer(self.buf_writer.getvalue())
        self.data = datasets.Dataset(table, fingerprint="scored")

    def _info(self) -> evaluate.MetricInfo:
        index = datasets.Value("int32")
        return evaluate.MetricInfo(
            description=self.summary,
            citation="",
            inputs_description="Class indices, and the number of classes as `classes`.",
            features=datasets.Features({"predictions": index, "references": index}),
        )


class Score(_Wrapped):
    """One metric of the registry that is a confusion matrix'."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.summary = metric.summary
        super().__init__()

    def _compute(self, predictions: Classes, references: Classes, classes: int) -> dict[str, float]:
        assert self.metric.of_confusion is not None
        matrix = of_confusion.counted(references, predictions, classes)
        return {self.metric.key: float(self.metric.of_confusion(matrix))}


class Everything(_Wrapped):
    """What `Scores` holds of predicted classes, of one confusion matrix: each `Score`, F1 of every
    class by index (0 for one that occurs nowhere), and row counts by labelled class (outer) and
    predicted class (inner), and those unanswered.

    One module and not a combination: each would copy all rows for itself, ten times per split.
    """

    summary = (
        "Every score of a confusion matrix; F1 of each class, by class index; the matrix: counts "
        "by labelled class, then by predicted class; beside it the rows of each labelled class "
        "that were not answered."
    )

    def _compute(self, predictions: Classes, references: Classes, classes: int) -> dict[str, Any]:
        return scored.of_classes(references, predictions, classes)


def score(
    predictions: NDArray[Any],
    labels: Sequence[int],
    classes: int,
    objective: str = DEFAULT_OBJECTIVE,
    worth: Worth | None = None,
) -> Scores:
    """The scores of one split. Free of NaN. Those of probabilities are there where these are given.

    Args:
        predictions: class indices, int [rows], `NO_ANSWER` where there is none (wrong, whatever
            the label); or probabilities, float [rows, classes], as `decide` takes them.
        labels: class indices, one per row.
        classes: how many classes the task has; every index lies in [0, classes).
        objective: key of the metric that counts.
        worth: what answers are worth, where a recipe says it.

    Raises:
        ModelError: the probabilities are not finite: the training diverged.
        ValueError: shapes or indices that do not fit each other.

    >>> score(np.array([0, 1, 1]), [0, 1, 0], classes=2).confusion
    [[1, 1], [0, 1]]
    """
    predicted = np.asarray(predictions)
    probabilities: NDArray[Any] | None = None
    if predicted.ndim == 2:
        if predicted.shape[1] != classes:
            raise ValueError(f"{predicted.shape[1]} probabilities per row for {classes} classes")
        if not np.isfinite(predicted).all():
            raise ModelError(
                "the model's probabilities are not finite: its training diverged",
                fix="A smaller learning rate, or float32 in place of a narrower precision.",
            )
        predicted, probabilities = decide(predicted), predicted
    expected = np.asarray(labels)
    if predicted.ndim != 1 or predicted.shape != expected.shape or not len(expected):
        raise ValueError(f"predictions {predicted.shape} for labels {expected.shape}")
    for name, indices, least in (("prediction", predicted, NO_ANSWER), ("label", expected, 0)):
        if not np.issubdtype(indices.dtype, np.integer):
            raise ValueError(f"a {name} must be a class index, not {indices.dtype}")
        if indices.min() < least or indices.max() >= classes:
            raise ValueError(f"a {name} lies outside [0, {classes})")
    found = Everything().compute(predictions=predicted, references=expected, classes=classes)
    if probabilities is not None:
        found |= scored.of_rows(expected, probabilities, worth)
    return scored.whole(found, objective)
