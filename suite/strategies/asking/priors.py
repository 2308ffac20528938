"""What a model says of the options whatever is asked, in the ways the field measures it.

It is measured once, before anything is answered, and taken out of every answer alike: none depends
on the texts that it happens to be asked with.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Of texts without content (Zhao et al. 2021, "Calibrate Before Use", arXiv:2102.09690); of
#: training texts (Zhou et al. 2024, "Batch Calibration", arXiv:2309.17249); of the answers behind
#: their cue alone (Holtzman et al. 2021, "Surface Form Competition", arXiv:2104.08315).
NONE, CONTEXTUAL, BATCH, DOMAIN = "none", "contextual", "batch", "domain"
WAYS = (NONE, CONTEXTUAL, BATCH, DOMAIN)
#: A server is asked once for each text, and its prompt is its own.
ON_SERVERS = (NONE, CONTEXTUAL)

#: Training texts behind `BATCH`. The standard error of a mean probability is then below .05.
BATCH_TEXTS = 128

Scores = NDArray[np.float32]


def drawn(texts: Sequence[str]) -> list[str]:
    """The training texts whose answers are averaged: no label is looked at, and of the same rows
    they are always the same."""
    return random.Random(0).sample(list(texts), min(BATCH_TEXTS, len(texts)))


def of_logs(scores: Scores) -> list[float]:
    """The mean log-probability [classes] of scores [texts, classes].

    The mean of logs, where Zhao et al. take the log of the mean: what a model adds to an option
    whatever is asked is then taken out to the last digit.
    """
    return [float(value) for value in _logs(scores).mean(axis=0)]


def of_mean(scores: Scores) -> list[float]:
    """The log of the mean probability [classes] of scores [texts, classes]."""
    logs = _logs(scores)
    return [float(value) for value in np.logaddexp.reduce(logs, axis=0) - np.log(len(logs))]


def _logs(scores: Scores) -> NDArray[np.float64]:
    wide = scores.astype(np.float64)
    found: NDArray[np.float64] = wide - np.logaddexp.reduce(wide, axis=1, keepdims=True)
    return found
