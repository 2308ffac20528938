"""Where arms err, class by class: confusion matrices and F1 of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from suite.contracts.results import ClassScores, StudyResults
from suite.report.data.rows import Leaderboard

CONFUSIONS_LISTED = 15

Split = Literal["test", "validation"]


@dataclass(frozen=True)
class Confusion:
    """Rows of one true class that were taken for another; `predicted` below 0: not answered."""

    true: int
    predicted: int
    count: int
    share: float


@dataclass(frozen=True)
class ClassView:
    """Where one arm's best trial errs. `shares[true][predicted]`; None in an empty class' row.
    `unanswered` are the rows of each class that were not answered, which shares are of, too; empty
    where each was.

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
    unanswered: tuple[int, ...] = ()
    per_class: tuple[ClassScores, ...] = ()
    """Of test, where finals told them."""

    def silence(self, true: int) -> float | None:
        """The share of a class' rows that was not answered; None of an empty class."""
        whole = sum(self.counts[true]) + self.unanswered[true]
        return self.unanswered[true] / whole if whole else None


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
                           final.test.per_class_f1, final.seeds, final.test.unanswered,
                           final.test.per_class)
            )  # fmt: skip
        elif trial is not None and trial.validation is not None:
            scores = trial.validation
            views.append(
                class_view(row.arm, "validation", row.trial, scores.confusion,
                           scores.per_class_f1, unanswered=scores.unanswered)
            )  # fmt: skip
    return tuple(views)


def class_view(
    arm: str,
    split: Split,
    trial: int,
    confusion: Sequence[Sequence[int]],
    per_class_f1: Sequence[float],
    seeds: int = 1,
    unanswered: Sequence[int] = (),
    per_class: Sequence[ClassScores] = (),
) -> ClassView:
    """Shares of each true class, and the most frequent confusions, of one matrix.

    Args:
        unanswered: rows of each class that stand in no column, for they were not answered.
        per_class: each class' scores with their intervals, where these are known.
    """
    silent = tuple(unanswered) if any(unanswered) else ()
    totals = [sum(row) + (silent[true] if silent else 0) for true, row in enumerate(confusion)]
    shares = tuple(
        tuple(n / total if total else None for n in row)
        for row, total in zip(confusion, totals, strict=True)
    )
    found = [
        Confusion(true, predicted, n, shares[true][predicted] or 0.0)
        for true, row in enumerate(confusion)
        for predicted, n in enumerate(row)
        if true != predicted and n > 0
    ]
    found += [Confusion(true, -1, n, n / totals[true]) for true, n in enumerate(silent) if n]
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
        unanswered=silent,
        per_class=tuple(per_class),
    )


def label_of(labels: Sequence[str], index: int) -> str:
    """A class' name; its index where the results name no labels."""
    return labels[index] if 0 <= index < len(labels) else str(index)
