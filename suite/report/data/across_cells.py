"""What each arm is worth in one of several studies: its score, its rank, and its costs as multiples
of one arm's, so that studies on unlike machines can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from suite.contracts.results import Holds, StudyResults
from suite.report import formats
from suite.report.data.absences import absent
from suite.report.data.rows import (
    Leaderboard,
)
from suite.report.data.side_by_side import ratio
from suite.verdict.speeds import Ratio

CellState = Literal["scored", "refused", "retired", "without_result", "not_in_study"]


@dataclass(frozen=True)
class Cell:
    """An arm in the study that stands for a task.

    `score` is by the column's objective, on test where its basis is test, `merit` the same as a
    number of which the higher is the better one; `gap` is by how much that is worse than the best
    arm's there (0 or less). `speed` and `training` are texts per second and training time as
    multiples of the reference arm's in the same study, or of the study's median.
    """

    study: str
    state: CellState
    reason: str | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    rank: int | None = None
    shared: bool = False
    gap: float | None = None
    train_seconds: float | None = None
    offline_rps: float | None = None
    training: float | None = None
    speed: float | None = None
    stale: bool = False
    rank_range: tuple[int, int] | None = None
    place: str = ""
    """Its rank in that study as tables show it; empty where there is none."""
    holds: Holds = "within"
    speed_interval: tuple[float, float] | None = None
    """Of `speed`, where both were measured in rounds: only where it leaves 1 out is an arm told to
    be so many times as fast."""
    merit: float | None = None


def cells_of(
    results: StudyResults, board: Leaderboard, names: Mapping[str, str], reference: str | None
) -> dict[str, Cell]:
    """Each arm's cell in a study.

    Args:
        names: arms of all studies.
        reference: the arm whose costs are 1; None for the study's median.
    """
    gone = {arm.arm: arm for arm in absent(results, board)}
    scores = {row.arm: value for row in board.rows if (value := board.score.of(row)) is not None}
    merits = {arm: board.score.merit(value) for arm, value in scores.items()}
    top = max(merits.values(), default=0.0)
    base = board.row(reference) if reference else None
    seconds = base.train_seconds if base else _median([r.train_seconds for r in board.rows])
    rps = base.offline_rps if base else _median([r.offline_rps for r in board.rows])
    cells = {}
    for name in names:
        row = board.row(name)
        faster = speed_ratio(board, name, reference)
        if row is not None and name in scores:
            low, high = row.test_interval or (None, None)
            tested = board.basis == "test"
            cells[name] = Cell(
                study=results.study,
                state="scored",
                score=scores[name],
                low=low if tested else None,
                high=high if tested else None,
                rank=row.rank,
                shared=bool(row.tied_with),
                gap=merits[name] - top,
                train_seconds=row.train_seconds,
                offline_rps=row.offline_rps,
                training=ratio(row.train_seconds, seconds),
                speed=ratio(row.offline_rps, rps),
                stale=row.stale,
                rank_range=row.rank_range,
                place=place if (place := board.place(row)) != formats.MISSING else "",
                holds=row.holds,
                speed_interval=(faster.low, faster.high) if faster else None,
                merit=merits[name],
            )
        elif name in gone:
            cells[name] = Cell(results.study, gone[name].kind, gone[name].reason)
        elif row is not None:
            cells[name] = Cell(results.study, "without_result")
        else:
            cells[name] = Cell(results.study, "not_in_study")
    return cells


def speed_ratio(board: Leaderboard, arm: str, reference: str | None) -> Ratio | None:
    """An arm's speed as a multiple of the reference's in one study, with its interval."""
    if reference is None or board.row(arm) is None or board.row(reference) is None:
        return None
    return board.standing.speed_ratio(arm, reference)


def _median(values: Sequence[float | None]) -> float | None:
    known = sorted(value for value in values if value is not None and value > 0)
    if not known:
        return None
    middle = len(known) // 2
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2
