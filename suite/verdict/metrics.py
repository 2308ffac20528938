"""The metrics, one entry each: what it is called, how it is computed, which way is up.

Whatever computes, stores, draws or writes a score goes through the entries in `METRICS`; a new
metric is one more entry. Importing this imports nothing heavy.

What is averaged: the classes that occur in the labels or in the predictions, as scikit-learn does
by default and as published macro-F1 numbers are made. A class absent from both has no F1 of its
own (0/0) and is left out of the averages; `per_class_f1` and `confusion` still have an entry for
it (0, and zeros). Averaging it in as 0 would cap iflytek, whose test split lacks 21 of 119
classes, at .82.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from suite.contracts import results
from suite.contracts.results import Scores, TestScores
from suite.contracts.strategy import NO_ANSWER

Classes = list[int]


@dataclass(frozen=True)
class Metric:
    """A score of one split.

    Args:
        key: its name in JSON, CSV, the database and Optuna's dashboard: a field of `Scores`, or a
            key of `Scores.others`.
        labels: what people read, by language of the page.
        summary: what it is, in a sentence.
        function: of labels and predictions (class indices, `NO_ANSWER` where none was given).
        higher_is_better: which way is up.
        digits: behind the point, where it is shown in full.
        column: whether leaderboards, files and cards have a column of it, not the trials' alone.
        hub: what `evaluate` and the Hub call it, where that is not `key`.
    """

    key: str
    labels: Mapping[str, str]
    summary: str
    function: Callable[[Classes, Classes], float]
    higher_is_better: bool = True
    digits: int = 4
    column: bool = True
    hub: str = ""

    def of(self, scores: Scores | TestScores | None) -> float | None:
        """Its value among some scores; None where they were made before there was this metric."""
        if scores is None:
            return None
        value: float | None = getattr(scores, self.key, scores.others.get(self.key))
        return value

    def label(self, language: str) -> str:
        """What people read in a page's language; in English where none was given in it."""
        return self.labels.get(language, self.labels["en"])

    def shown(self, value: float | None) -> str:
        """A value as tables show it."""
        return "–" if value is None else f"{value:.{self.digits}f}"


def _macro(name: str) -> Callable[[Classes, Classes], float]:
    """A scikit-learn score, averaged over the classes that occur; no answer is not a class."""

    def macro(references: Classes, predictions: Classes) -> float:
        import sklearn.metrics

        occurring = sorted({*references, *predictions} - {NO_ANSWER})
        function = getattr(sklearn.metrics, name)
        return float(
            function(references, predictions, labels=occurring, average="macro", zero_division=0)
        )

    return macro


def _accuracy(references: Classes, predictions: Classes) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(references, predictions))


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            "macro_f1",
            {"en": "macro-F1", "zh": "宏平均 F1"},
            "Mean F1 of the classes that occur in labels or predictions.",
            _macro("f1_score"),
            hub="f1",
        ),
        Metric(
            "accuracy",
            {"en": "accuracy", "zh": "准确率"},
            "Share of rows whose predicted class is the labelled one.",
            _accuracy,
        ),
        Metric(
            "precision",
            {"en": "precision", "zh": "精确率"},
            "Mean precision of the classes that occur in labels or predictions.",
            _macro("precision_score"),
            column=False,
        ),
        Metric(
            "recall",
            {"en": "recall", "zh": "召回率"},
            "Mean recall of the classes that occur in labels or predictions.",
            _macro("recall_score"),
            column=False,
        ),
    )
}

#: Those that have a column in leaderboards.
COLUMNS = tuple(metric for metric in METRICS.values() if metric.column)
#: What a study maximises on validation, and what ranks arms on test.
OBJECTIVE = METRICS[results.OBJECTIVE]
