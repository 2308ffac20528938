"""How sure a model is against how often it is right, and the temperature that brings them together.

A temperature is fitted on answers to rows that the answering model had not seen. It is kept only
where it lowers the log-loss of rows that it was not fitted on, by cross-fitting; a model that it
makes worse keeps its own probabilities.

The calibration error is that of Guo et al. (2017) over bins of equal mass, its bias taken out.
Within a bin, confidence and accuracy lie apart by chance even where they agree in truth, and their
mean distance counts that in full. What chance alone would make of it is known: each row of a
calibrated model is right with its own probability. It is taken out in squares. In simulations
(`tests/test_temperature.py`) what is left of the bias is at most two fifths of the standard error
of a bin, most where few bins have all of the error; with nothing taken out it is up to four fifths.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from suite.contracts.calibrated import CalibrationScores, ReliabilityBin
from suite.contracts.temperature import COLDEST, HOTTEST, logarithms, tempered
from suite.verdict.metrics import brier, log_loss

Array = NDArray[np.float64]

#: Bins of a calibration error where there are rows for them, and rows that one needs.
BINS, LEAST_IN_BIN = 15, 20
#: Parts of cross-fitting.
PARTS = 5
#: Steps that halve the interval in which a temperature lies: to a thousandth of itself.
_STEPS = 14


def fit(probabilities: NDArray[np.floating], labels: Sequence[int]) -> float | None:
    """The temperature at which the log-loss of rows is the least; None where no row was answered.

    As if one more row had been a guess that any class might have got: a set without an error would
    else ask for certainty.

    Args:
        probabilities: float [rows, classes], of a model that had not seen these rows.
        labels: their class indices.
    """
    shares, true = _answered(probabilities, labels)
    if not len(true):
        return None
    scores = logarithms(shares)
    own = scores[np.arange(len(true)), true]
    even = scores.mean(axis=1)

    def slope(coldness: float) -> float:
        """Of the loss, by the temperature's inverse, of which it is convex."""
        raised = scores * coldness
        raised = np.exp(raised - raised.max(axis=1, keepdims=True))
        raised /= raised.sum(axis=1, keepdims=True)
        expected = (raised * scores).sum(axis=1)
        return float((expected - own).sum() + (expected - even).mean())

    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(_STEPS):
        middle = sqrt(low * high)
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return 1 / sqrt(low * high)


def cross_fitted(
    probabilities: NDArray[np.floating], labels: Sequence[int]
) -> tuple[float | None, float]:
    """The temperature of a model, None where its own probabilities do better; and by how much the
    log-loss of a row is lower at temperatures that were fitted without it (below 0: higher)."""
    true = np.asarray(labels, dtype=np.int64)
    part = np.random.default_rng(0).permutation(len(true)) % PARTS
    gained = np.zeros(len(true))
    for index in range(PARTS):
        held, kept = part == index, part != index
        own = probabilities[held]
        at = fit(probabilities[kept], true[kept].tolist())
        gained[held] = log_loss(true[held], own) - log_loss(true[held], tempered(own, at))
    gain = float(gained.mean()) if len(true) else 0.0
    return (fit(probabilities, labels) if gain > 0 else None), gain


def scores(probabilities: NDArray[np.floating], labels: Sequence[int]) -> CalibrationScores:
    """How well probabilities of rows hold. Rows without an answer are in none but log-loss and
    Brier score, where they are even guesses.

    Args:
        probabilities: float [rows, classes], at least one row.
        labels: class indices.
    """
    shares, true = _answered(probabilities, labels)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == true
    every = np.asarray(labels, dtype=np.int64)
    return CalibrationScores(
        ece=calibration_error(confidence, right),
        brier=float(brier(every, probabilities).mean()),
        log_loss=float(log_loss(every, probabilities).mean()),
        bins=[
            ReliabilityBin(len(rows), float(confidence[rows].mean()), float(right[rows].mean()))
            for rows in _bins(confidence)
        ],
    )


def calibration_error(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> float | None:
    """The expected calibration error (ECE), debiased; None without rows.

    Args:
        confidence: of each row, the probability of what was answered.
        right: whether that was right.
    """
    if not len(confidence):
        return None
    found = chance = 0.0
    for rows in _bins(confidence):
        sure = np.asarray(confidence[rows], dtype=np.float64)
        share = len(rows) / len(confidence)
        found += share * abs(float(sure.mean() - right[rows].mean()))
        # The mean distance from 0 of a normal number is its deviation times this.
        deviation = sqrt(float((sure * (1 - sure)).sum())) / len(rows)
        chance += share * deviation * sqrt(2 / pi)
    return sqrt(max(0.0, found**2 - chance**2))


def _bins(confidence: NDArray[np.floating]) -> list[NDArray[np.int64]]:
    """Rows by confidence, in bins of equal mass."""
    count = max(1, min(BINS, len(confidence) // LEAST_IN_BIN))
    order = np.argsort(confidence, kind="stable")
    return [rows for rows in np.array_split(order, count) if len(rows)]


def _answered(
    probabilities: NDArray[np.floating], labels: Sequence[int]
) -> tuple[Array, NDArray[np.int64]]:
    """The rows that were answered, with their labels."""
    shares = np.asarray(probabilities, dtype=np.float64)
    given = shares.any(axis=1)
    return shares[given], np.asarray(labels, dtype=np.int64)[given]
