"""One number by which a model's probabilities are made as sure as it is right: its temperature.

Above 1 it takes confidence away, below 1 it gives some; which class is the likeliest stays. It acts
on the logarithms of probabilities, which are a network's raw scores but for a number that each row
has in common, so it means the same behind every model and engine.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import Probabilities

#: No probability counts as less: float32's smallest step, which predictors answer in. So a model
#: that gives one class everything can be taken down from it, too.
LEAST = float(np.finfo(np.float32).eps)
#: Temperatures that are looked for, and believed.
COLDEST, HOTTEST = 0.05, 20.0


def logarithms(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Of probabilities, float64 [rows, classes], none below that of `LEAST`."""
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), LEAST))


def tempered(probabilities: Probabilities, temperature: float | None) -> Probabilities:
    """Probabilities at a temperature, float32 [rows, classes]; as they are where it is None. A row
    of zeros is no answer, and stays one.

    >>> tempered(np.array([[0.8, 0.2], [0, 0]], np.float32), 2.0).round(3).tolist()
    [[0.6669999957084656, 0.3330000042915344], [0.0, 0.0]]
    """
    if temperature is None or not len(probabilities):
        return probabilities
    scores = logarithms(probabilities) / temperature
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    there = np.asarray(probabilities).any(axis=1)
    shares[~there] = 0
    made: Probabilities = shares.astype(np.float32)
    # Two that are nearly equal become equal in float32, and the first of equals is the answer.
    own = np.asarray(probabilities).argmax(axis=1)
    lost = np.flatnonzero(there & (made.argmax(axis=1) != own))
    made[lost, own[lost]] = np.nextafter(made[lost].max(axis=1), np.float32(2))
    return made
