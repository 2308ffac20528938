"""What arms score on the test rows that train does not nearly hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from suite.contracts.results import FarRows, Final, Objective
from suite.contracts.rowfacts import DataFacts
from suite.contracts.strategy import Rows
from suite.data import snapshot
from suite.data.audit import near_train
from suite.verdict import of_confusion
from suite.verdict.metrics import MACRO_F1, Metric


def near_rows(folder: Path, data: DataFacts, *, refit: bool) -> list[bool]:
    """Which test rows of a snapshot train nearly holds; none where its audit has seen none.

    Args:
        refit: what is asked about was trained on validation too.

    Raises:
        DataError: the snapshot is not there, or was changed.
    """
    test = snapshot.read_split(folder, "test")
    train, validation = snapshot.read_train_validation(folder)
    if not refit:
        if data.audit is not None and data.audit.test_near_train == 0:
            return [False] * len(test)
        return near_train(train, test)
    both = Rows((*train.texts, *validation.texts), (*train.labels, *validation.labels))
    return near_train(both, test)


def with_far_rows(
    finals: Sequence[Final],
    labels: Sequence[int],
    answers: Mapping[str, Sequence[Sequence[int]]],
    near: Sequence[bool],
    classes: int,
    objective: Metric,
    losses: Mapping[str, Sequence[Sequence[float]]],
) -> list[Final]:
    """Finals that say what their arms score without the rows that are near.

    Args:
        labels: the class of each test row.
        answers: arm -> trainings -> rows; below 0 for no answer.
        near: whether train nearly holds the row.
        classes: how many there are.
        losses: arm -> trainings -> rows, the objective's values, where it is the mean of some.
    """
    far = [row for row, is_near in enumerate(near) if not is_near]
    if not far or len(far) == len(near):
        return list(finals)
    truth = [labels[row] for row in far]

    def scored(metric: Metric, arm: str) -> float:
        if metric.of_confusion is None:
            return fmean(fmean(rows[row] for row in far) for rows in losses[arm])
        found = (
            metric.of_confusion(of_confusion.counted(truth, [rows[row] for row in far], classes))
            for rows in answers[arm]
        )
        return fmean(float(value) for value in found)

    return [
        replace(
            final,
            test_without_near_duplicates=FarRows(
                rows=len(far),
                left_out=len(near) - len(far),
                macro_f1=scored(MACRO_F1, final.arm),
                objective=Objective(objective.key, scored(objective, final.arm)),
            ),
        )
        for final in finals
    ]
