"""Intervals of what no verdict is drawn from: every metric, and single classes.

They are an arm's own, by the law of the objective's interval (`verdict/interval`). One of several
metrics, or of many classes, lies apart by chance sooner than the one that was settled on before:
so there is no p, and nothing is ranked by them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from suite.verdict import confusions, of_confusion
from suite.verdict.comparison import intervals
from suite.verdict.confusions import Array, Margins, OfMargins, Trained
from suite.verdict.interval import Interval
from suite.verdict.metrics import Metric

#: Arm -> class indices, [trainings][rows]; below 0 for no answer.
Answers = Mapping[str, Sequence[Sequence[int]]]


@dataclass(frozen=True)
class OfClass:
    """F1, precision and recall of a class, as means of an arm's trainings.

    None of what is nothing over nothing for every training: recall of a class that is no label,
    precision of one that is never answered, F1 of one that is neither.
    """

    f1: Interval | None
    precision: Interval | None
    recall: Interval | None


def of_metrics(
    labels: Sequence[int],
    answers: Answers,
    classes: int,
    metrics: Iterable[Metric],
    deterministic: Collection[str] = (),
) -> dict[str, dict[str, Interval]]:
    """Metric's key -> arm -> its interval; of metrics of confusion matrices.

    Args:
        labels: class indices, [rows].
        answers: over the same rows.
        classes: how many there are.
        metrics: the others among them are left out.
        deterministic: arms whose training repeats itself.
    """
    return {
        metric.key: intervals(
            {
                arm: confusions.trained(labels, own, classes, metric.of_confusion)
                for arm, own in answers.items()
            },
            deterministic,
            bounds=metric.bounds,
        )
        for metric in metrics
        if metric.of_confusion is not None
    }


def of_class(
    labels: Sequence[int], answers: Answers, index: int, deterministic: Collection[str] = ()
) -> dict[str, OfClass]:
    """Arm -> a class of it, against all others.

    Args:
        labels, answers, deterministic: as of `of_metrics`.
        index: the class.
    """
    own = (np.asarray(labels) == index).astype(np.int64)
    named = {arm: (np.asarray(one) == index).astype(np.int64) for arm, one in answers.items()}
    f1, precision, recall = (
        _of_class(own, named, score, weigh, deterministic) for score, weigh in _OF_CLASS
    )
    return {arm: OfClass(f1.get(arm), precision.get(arm), recall.get(arm)) for arm in answers}


def _second(score: OfMargins) -> OfMargins:
    """A score by class of the second of two classes alone."""

    def of(margins: Margins) -> Array:
        return np.asarray(score.of(margins)[..., 1])

    return OfMargins(of)


#: A score of a class against all others, and the rows it is a share of: by how many have the class
#: as label and how many were answered with it.
_OF_CLASS: tuple[tuple[OfMargins, Callable[[float, float], float]], ...] = (
    (_second(of_confusion.per_class_f1), lambda true, predicted: (true + predicted) / 2),
    (_second(of_confusion.per_class_precision), lambda true, predicted: predicted),
    (_second(of_confusion.per_class_recall), lambda true, predicted: true),
)


def _of_class(
    own: NDArray[np.int64],
    named: Mapping[str, NDArray[np.int64]],
    score: OfMargins,
    weigh: Callable[[float, float], float],
    deterministic: Collection[str],
) -> dict[str, Interval]:
    """Arm -> the interval of a score of one class; arms for which it is nothing are left out.

    Args:
        own: whether each row has the class as label, [rows].
        named: arm -> whether it was answered with it, [trainings, rows].
        score, weigh: as of `_OF_CLASS`.
    """
    arms: dict[str, Trained] = {}
    for arm, answers in named.items():
        worth = weigh(float(own.sum()), float(answers.sum(axis=1).mean()))
        if worth > 0:
            trained = confusions.trained(own, answers, 2, score)
            arms[arm] = replace(trained, worth=worth)
    return intervals(arms, deterministic) if arms else {}
