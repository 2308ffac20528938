"""Macro-F1 on test by the length of texts: arm by arm, where some text is long."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.lengths import LengthScores, Unit
from suite.report import formats
from suite.report.data.rows import Leaderboard
from suite.report.words import Words


@dataclass(frozen=True)
class LengthRow:
    """An arm, what its lengths are counted in, and its scores, the shortest texts first."""

    arm: str
    unit: Unit
    scores: tuple[LengthScores, ...]


def by_length(board: Leaderboard) -> tuple[LengthRow, ...]:
    """The table's rows in the board's order; none where finals say nothing of lengths."""
    return tuple(
        LengthRow(row.arm, row.by_length.unit, tuple(row.by_length.scores))
        for row in board.rows
        if row.by_length is not None
    )


def length_range(scores: LengthScores, words: Words) -> str:
    """Which lengths a score is of: `≤ 510`, `511–1,022`, `> 1,022`."""
    if not scores.above and scores.most is not None:
        return words("by_length_most", most=formats.count(scores.most))
    if scores.most is None:
        return words("by_length_above", above=formats.count(scores.above))
    return words(
        "by_length_between", low=formats.count(scores.above + 1), most=formats.count(scores.most)
    )
