"""How well each arm tells texts that fit no class from those that do."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.results import StudyResults
from suite.contracts.scope import OutOfScope
from suite.report.data.rows import Leaderboard


@dataclass(frozen=True)
class ScopeRow:
    """An arm's line."""

    arm: str
    found: OutOfScope


def scope_rows(results: StudyResults, board: Leaderboard) -> tuple[ScopeRow, ...]:
    """The table's rows in the board's order; none where the task names no class of such texts, or
    finals are from before it was told."""
    found = {final.arm: final.out_of_scope for final in results.finals}
    return tuple(
        ScopeRow(row.arm, own) for row in board.rows if (own := found.get(row.arm)) is not None
    )
