"""What a split's answers score, whole: what `Scores` holds of class indices or probabilities.

`verdict/scoring` asks `evaluate` for the same; whoever can't afford its import asks here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Objective, Scores
from suite.contracts.strategy import NO_ANSWER
from suite.verdict import of_confusion
from suite.verdict.metrics import METRICS, objective_of
from suite.verdict.of_confusion import Classes
from suite.verdict.worth import Worth


def decide(probabilities: NDArray[Any]) -> NDArray[np.int64]:
    """Class indices, int64 [rows], of probabilities, float [rows, classes].

    The largest decides, the first of equals. A row of zeros is no answer (`NO_ANSWER`): a model
    that never closed its thinking, or a text no option could be read from. It counts as wrong.

    >>> decide(np.array([[0.2, 0.8], [0.0, 0.0]])).tolist()
    [1, -1]
    """
    return np.where(probabilities.any(axis=1), probabilities.argmax(axis=1), NO_ANSWER)


def of_classes(labels: Classes, predictions: Classes, classes: int) -> dict[str, Any]:
    """Every metric of the confusion matrix by its key, F1 of each class, the matrix, and the rows
    of each labelled class that were not answered."""
    matrix = of_confusion.counted(labels, predictions, classes)
    return {
        **{
            metric.key: float(metric.of_confusion(matrix))
            for metric in METRICS.values()
            if metric.of_confusion is not None
        },
        "per_class_f1": of_confusion.per_class_f1(matrix).tolist(),
        "confusion": matrix[:, :-1].astype(int).tolist(),
        "unanswered": matrix[:, -1].astype(int).tolist(),
    }


def of_rows(
    labels: NDArray[np.int64], probabilities: NDArray[Any], worth: Worth | None = None
) -> dict[str, float]:
    """Every metric that is the mean of a value of each row, by its key.

    Args:
        worth: what answers are worth, where a recipe says it.
    """
    exact = probabilities.astype(np.float64)
    metrics = (objective_of(key, worth) for key in METRICS)
    return {
        metric.key: float(metric.of_rows(labels, exact).mean())
        for metric in metrics
        if metric.of_rows is not None
    }


def whole(found: Mapping[str, Any], objective: str) -> Scores:
    """What was found, by key, as `Scores`.

    Args:
        objective: key of the metric that counts.
    """
    own = {field.name for field in fields(Scores)}
    return Scores(
        **{key: value for key, value in found.items() if key in own},
        others={key: value for key, value in found.items() if key not in own},
        objective=Objective(objective, found[objective]),
    )


def of_probabilities(
    labels: Sequence[int],
    probabilities: NDArray[Any],
    objective: str = DEFAULT_OBJECTIVE,
    worth: Worth | None = None,
) -> Scores:
    """The scores of probabilities, float [rows, classes], a row of zeros being no answer.

    Args:
        labels: the class index of each row.
        objective: key of the metric that counts.
        worth: what answers are worth, where a recipe says it.
    """
    expected = np.asarray(labels)
    predicted = decide(probabilities)
    found = of_classes(labels, predicted, probabilities.shape[1])
    return whole(found | of_rows(expected, probabilities, worth), objective)
