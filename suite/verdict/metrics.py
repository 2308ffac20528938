"""The metrics, one entry each: what it is called, how it is computed, which way is up.

Whatever computes, stores, draws or writes a score goes through the entries in `METRICS`; a new
metric is one more entry. Importing this imports nothing heavy.

What is averaged: the classes that occur in the labels or in the predictions, as scikit-learn does
by default and as published macro-F1 numbers are made. A class absent from both has no F1 of its
own (0/0) and is left out of the averages; `per_class_f1` and `confusion` still have an entry for
it (0, and zeros). Averaging it in as 0 would cap iflytek, whose test split lacks 21 of 119
classes, at .82.

No answer is wrong, whatever the label. Where probabilities are scored, it is the even guess over
the classes: it says nothing of them, and a model that is sure and wrong does worse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Checkpoint, Objective, Scores, TestScores
from suite.contracts.temperature import LEAST
from suite.verdict import answering, of_confusion, selective
from suite.verdict.confusions import Array, Score
from suite.verdict.worth import Worth

#: Class indices, int [rows].
Labels = NDArray[np.int64]
#: Probabilities, float [rows, classes]; a row of zeros is no answer.
Probabilities = NDArray[np.floating]


@dataclass(frozen=True)
class Metric:
    """A score of one split: of its confusion matrix, or the mean of a value of each row.

    Args:
        key: its name in JSON, CSV, the database and Optuna's dashboard: a field of `Scores`, or a
            key of `Scores.others`.
        labels: what people read, by language of the page.
        summary: what it is, in a sentence.
        of_confusion: of confusion matrices as `verdict.confusions` has them.
        of_rows: of labels and probabilities, one value a row; where `of_confusion` is None. Of
            `value` both are None but in a study whose recipe says what answers are worth
            (`objective_of`).
        bounds: what it lies between.
        higher_is_better: which way is up.
        digits: behind the point, where it is shown in full.
        column: whether leaderboards, files and cards have a column of it, not the trials' alone.
        hub: what `evaluate` and the Hub call it, where that is not `key`.
        average: how it averages over classes, in the Hub's words; "" where that is said in `hub`.
    """

    key: str
    labels: Mapping[str, str]
    summary: str
    of_confusion: Score | None = None
    of_rows: Callable[[Labels, Probabilities], Array] | None = None
    bounds: tuple[float, float] = (0.0, 1.0)
    higher_is_better: bool = True
    digits: int = 4
    column: bool = True
    hub: str = ""
    average: str = ""

    def of(self, scores: Scores | TestScores | None) -> float | None:
        """Its value among some scores; None where they were made before there was this metric."""
        if scores is None:
            return None
        value: float | None = getattr(scores, self.key, scores.others.get(self.key))
        return value

    def merit(self, value: float) -> float:
        """A value of it as a number of which the higher is the better one."""
        return value if self.higher_is_better else -value

    @property
    def way(self) -> float:
        """How far it is from the worst value to the best."""
        return self.bounds[1] - self.bounds[0]

    def share(self, value: float) -> float:
        """How much of that way a value has come, 0 to 1.

        >>> METRICS["mcc"].share(0.0), METRICS["brier"].share(0.5)
        (0.5, 0.75)
        """
        low, high = self.bounds
        return (value - low if self.higher_is_better else high - value) / (high - low)

    def label(self, language: str) -> str:
        """What people read in a page's language; in English where none was given in it."""
        return self.labels.get(language, self.labels["en"])

    def shown(self, value: float | None) -> str:
        """A value as tables show it."""
        return "–" if value is None else f"{value:.{self.digits}f}"


def log_loss(labels: Labels, probabilities: Probabilities) -> Array:
    """-ln of the labelled class' probability, by row."""
    shares = _guessed(probabilities)
    own = shares[np.arange(len(labels)), labels]
    return np.asarray(-np.log(np.clip(own, LEAST, 1 - LEAST)))


def brier(labels: Labels, probabilities: Probabilities) -> Array:
    """Squared distance of the probabilities to the labelled class' 1 and all others' 0, by row.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.
    """
    apart = _guessed(probabilities)
    apart[np.arange(len(labels)), labels] -= 1
    return np.asarray((apart**2).sum(axis=1))


def aurc(labels: Labels, probabilities: Probabilities) -> Array:
    """What each row adds to the area under the curve of coverage against error; as
    `selective.aurc` has it."""
    classes, sure = answering.of(probabilities)
    return selective.parts_of_aurc(answering.Answered(sure, classes == labels))


def _guessed(probabilities: Probabilities) -> Array:
    """Probabilities, a copy; the even guess where there is no answer."""
    shares = np.array(probabilities, dtype=np.float64)
    shares[~shares.any(axis=1)] = 1 / shares.shape[1]
    return shares


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            "macro_f1",
            {"en": "macro-F1", "zh": "宏平均 F1"},
            "Mean F1 of the classes that occur in labels or predictions.",
            of_confusion.macro_f1,
            hub="f1",
            average="macro",
        ),
        Metric(
            "accuracy",
            {"en": "accuracy", "zh": "准确率"},
            "Share of rows whose predicted class is the labelled one.",
            of_confusion.accuracy,
        ),
        Metric(
            "precision",
            {"en": "precision", "zh": "精确率"},
            "Mean precision of the classes that occur in labels or predictions.",
            of_confusion.precision,
            column=False,
            average="macro",
        ),
        Metric(
            "recall",
            {"en": "recall", "zh": "召回率"},
            "Mean recall of the classes that occur in labels or predictions.",
            of_confusion.recall,
            column=False,
            average="macro",
        ),
        Metric(
            "balanced_accuracy",
            {"en": "balanced accuracy", "zh": "平衡准确率"},
            "Mean recall of the classes that occur in labels.",
            of_confusion.balanced_accuracy,
            column=False,
        ),
        Metric(
            "micro_f1",
            {"en": "micro-F1", "zh": "微平均 F1"},
            "F1 of all classes' hits and misses together; accuracy where every row is answered.",
            of_confusion.micro_f1,
            column=False,
            hub="f1",
            average="micro",
        ),
        Metric(
            "weighted_f1",
            {"en": "weighted F1", "zh": "加权 F1"},
            "Mean F1 of the classes, each weighted by its labelled rows.",
            of_confusion.weighted_f1,
            column=False,
            hub="f1",
            average="weighted",
        ),
        Metric(
            "mcc",
            {"en": "Matthews correlation", "zh": "马修斯相关系数"},
            "Correlation of labels and predictions, -1 to 1.",
            of_confusion.mcc,
            bounds=(-1.0, 1.0),
            column=False,
            hub="matthews_correlation",
        ),
        Metric(
            "log_loss",
            {"en": "log-loss", "zh": "对数损失"},
            "Mean -ln of the labelled class' probability; no answer is the even guess.",
            of_rows=log_loss,
            bounds=(0.0, -log(LEAST)),
            higher_is_better=False,
            column=False,
        ),
        Metric(
            "brier",
            {"en": "Brier score", "zh": "Brier 分数"},
            "Mean squared distance of probabilities to the label, 0 to 2; no answer is the even "
            "guess.",
            of_rows=brier,
            bounds=(0.0, 2.0),
            higher_is_better=False,
            column=False,
            hub="brier_score",
        ),
        Metric(
            "aurc",
            {"en": "AURC", "zh": "AURC"},
            "Mean error over every number of texts that may be answered, the surest first.",
            of_rows=aurc,
            higher_is_better=False,
        ),
        Metric(
            "value",
            {"en": "value", "zh": "价值"},
            "Worth of the answers beyond passing every text on, as a share of what right answers "
            "to all would be worth; only answers that pay are given.",
            bounds=(-inf, 1.0),
            column=False,
        ),
    )
}

#: What answers are worth: nothing where a recipe does not say it.
VALUE = METRICS["value"]


def objective_of(name: str, worth: Worth | None = None) -> Metric:
    """The metric that a study goes by.

    Args:
        worth: what answers are worth there, where the recipe says it.
    """
    if name != VALUE.key or worth is None:
        return METRICS[name]
    return replace(VALUE, of_rows=worth.parts, bounds=(worth.least, 1.0))


#: Those that have a column in leaderboards, whatever the objective is.
COLUMNS = tuple(metric for metric in METRICS.values() if metric.column)
#: The objective of a study that names none.
MACRO_F1 = METRICS[DEFAULT_OBJECTIVE]


def columns(objective: Metric) -> tuple[Metric, ...]:
    """The metrics that have a column beside an objective: it first, then the usual ones."""
    return (objective, *(metric for metric in COLUMNS if metric is not objective))


def merit(objective: Objective) -> float:
    """A score by some objective as a number of which the higher is the better one."""
    return METRICS[objective.name].merit(objective.value)


def merit_of(scored: Checkpoint | Scores | TestScores) -> float:
    """The same of what bears one, or goes by macro-F1."""
    return merit(scored.objective) if scored.objective else scored.macro_f1
