"""How well an arm's probabilities hold, as results have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from suite.contracts.records import FINITE


@dataclass(frozen=True)
class ReliabilityBin:
    """Test rows of about the same confidence: how many, their mean confidence, and the share of
    them that was right."""

    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class CalibrationScores:
    """How well an arm's probabilities hold on test, as means of its trainings at the temperature of
    the one that is shipped.

    `ece` is the debiased calibration error over bins of equal mass, null where no row was answered;
    `bins` are those of the model that is shipped, the least sure first.
    """

    ece: float | None
    brier: float
    log_loss: float
    bins: list[ReliabilityBin] = field(default_factory=list)


@dataclass(frozen=True)
class Calibrated:
    """The temperature at which an arm answers, and what it does on test.

    `temperature` is null where the arm's own probabilities do better, or where the models of the
    finals are trained on many more rows than the answering ones; it was fitted on `rows` that these
    had not seen. `gain` is how much lower a row's log-loss was there at
    temperatures fitted without it.
    """

    __pydantic_config__ = FINITE

    temperature: float | None
    fitted_on: Literal["train+validation", "validation"]
    rows: int
    gain: float
    before: CalibrationScores
    after: CalibrationScores
