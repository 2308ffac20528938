"""Every metric of every arm on test, each with its own interval: read, not ranked by."""

from __future__ import annotations

from dataclasses import dataclass

from suite.report.data.rows import METRICS, Leaderboard, LeaderboardRow, Metric
from suite.verdict.metrics import METRICS as SCORES

Cell = tuple[float, tuple[float, float] | None]


@dataclass(frozen=True)
class EveryMetric:
    """Metrics that some arm has on test, the objective first; a cell is a value and its interval,
    None where an arm has none."""

    metrics: tuple[Metric, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]


def every_metric(board: Leaderboard) -> EveryMetric | None:
    """The table; None where finals told of no interval but the objective's."""
    tested = [row for row in board.rows if row.intervals]
    if not tested:
        return None
    ordered = sorted(SCORES, key=lambda key: key != board.objective.key)
    found = [METRICS[f"test_{key}"] for key in ordered]
    found = [metric for metric in found if any(metric.of(row) is not None for row in tested)]

    def cells(row: LeaderboardRow) -> tuple[Cell | None, ...]:
        values = ((metric.of(row), row.intervals.get(metric.key)) for metric in found)
        return tuple(None if value is None else (value, span) for value, span in values)

    return EveryMetric(tuple(found), tuple((row.arm, cells(row)) for row in tested))
