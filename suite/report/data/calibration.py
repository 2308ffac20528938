"""How well each arm's probabilities hold on test, before and after they are calibrated."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.calibrated import Calibrated, CalibrationScores
from suite.report import formats
from suite.report.data.rows import Leaderboard
from suite.report.words import Words


@dataclass(frozen=True)
class CalibrationRow:
    """An arm's scores before and after; `kept` where its own probabilities are what it answers."""

    arm: str
    found: Calibrated

    @property
    def kept(self) -> bool:
        """Whether the arm keeps its own probabilities."""
        return self.found.temperature is None

    @property
    def scores(self) -> tuple[tuple[str, float | None, float | None], ...]:
        """What is told, by the word for it: its value before and after; less is better in all."""
        before, after = self.found.before, self.found.after
        return tuple(
            (key, getattr(before, key), getattr(after, key)) for key in ("ece", "brier", "log_loss")
        )


def calibration_rows(board: Leaderboard) -> tuple[CalibrationRow, ...]:
    """The table's rows in the board's order; none where finals say nothing of calibration."""
    return tuple(
        CalibrationRow(row.arm, row.calibration)
        for row in board.rows
        if row.calibration is not None
    )


def temperature_of(row: CalibrationRow, words: Words) -> str:
    """The temperature that an arm answers at."""
    temperature = row.found.temperature
    return words("calibration_own") if temperature is None else f"{temperature:.2f}"


def change(before: float | None, after: float | None) -> str:
    """A score before and after; once where it stays.

    >>> change(0.05, 0.01), change(0.05, 0.05)
    ('0.0500 → 0.0100', '0.0500')
    """
    one, other = formats.score(before), formats.score(after)
    return one if one == other else f"{one} → {other}"


def curve(scores: CalibrationScores) -> tuple[list[float], list[float], list[int]]:
    """Confidence, accuracy and rows of each bin, the least sure first."""
    bins = scores.bins
    return (
        [round(one.confidence, 4) for one in bins],
        [round(one.accuracy, 4) for one in bins],
        [one.rows for one in bins],
    )
