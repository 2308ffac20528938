"""Where arms err, class by class: confusion matrices and F1 of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from suite.contracts.results import StudyResults
from suite.report.data.rows import Leaderboard

CONFUSIONS_LISTED = 15

Split = Literal["test", "validation"]


@dataclass(frozen=True)
class Confusion:
    """Rows of one true class that were taken for another."""

    true: int
    predicted: int
    count: int
    share: float


@dataclass(frozen=True)
class ClassView:
    """Where one arm's best trial errs. `shares[true][predicted]`; None in an empty class' row.

    Trained with several `seeds`, the counts are those of all of them together.
    """

    arm: str
    split: Split
    trial: int
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float | None, ...], ...]
    per_class_f1: tuple[float, ...]
    confusions: tuple[Confusion, ...]
    seeds: int = 1


def class_views(results: StudyResults, board: Leaderboard) -> tuple[ClassView, ...]:
    """The confusions of each arm on the leaderboard, in its order; test where finals exist."""
    finals = {final.arm: final for final in results.finals}
    by_number = {trial.number: trial for trial in results.trials}
    views = []
    for row in board.rows:
        final = finals.get(row.arm)
        trial = by_number.get(row.trial)
        if final is not None and final.test.confusion:
            views.append(
                class_view(row.arm, "test", row.trial, final.test.confusion,
                           final.test.per_class_f1, final.seeds)
            )  # fmt: skip
        elif trial is not None and trial.validation is not None:
            scores = trial.validation
            views.append(
                class_view(row.arm, "validation", row.trial, scores.confusion,
                           scores.per_class_f1)
            )  # fmt: skip
    return tuple(views)


def class_view(
    arm: str,
    split: Split,
    trial: int,
    confusion: Sequence[Sequence[int]],
    per_class_f1: Sequence[float],
    seeds: int = 1,
) -> ClassView:
    """Shares of each true class, and the most frequent confusions, of one matrix."""
    shares = tuple(
        tuple(n / total if total else None for n in row)
        for row in confusion
        for total in (sum(row),)
    )
    found = [
        Confusion(true, predicted, n, shares[true][predicted] or 0.0)
        for true, row in enumerate(confusion)
        for predicted, n in enumerate(row)
        if true != predicted and n > 0
    ]
    found.sort(key=lambda c: (-c.count, -c.share, c.true, c.predicted))
    return ClassView(
        arm=arm,
        split=split,
        trial=trial,
        counts=tuple(tuple(row) for row in confusion),
        shares=shares,
        per_class_f1=tuple(per_class_f1),
        confusions=tuple(found[:CONFUSIONS_LISTED]),
        seeds=seeds,
    )


def label_of(labels: Sequence[str], index: int) -> str:
    """A class' name; its index where the results name no labels."""
    return labels[index] if 0 <= index < len(labels) else str(index)
