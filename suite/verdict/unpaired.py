"""Whether two confusion matrices are of unlike macro-F1, where what was answered to each row is not
known any more: of trials that were not kept.

Their variances by the jackknife add up. Answers to the same rows vary together, so that a
difference varies by less than this, as a rule: what is told apart here is apart, and what is not
may be chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from suite.verdict import confusions
from suite.verdict.interval import LEVEL

Counts = Sequence[Sequence[int]]


def apart(one: Counts, other: Counts) -> bool:
    """Whether their macro-F1 differ by more than chance.

    Args:
        one, other: counts, [classes][classes + 1], the last column being rows without an answer.
    """
    from scipy.special import ndtri

    scores, variances = zip(*map(_score, (one, other)), strict=True)
    return bool(abs(scores[0] - scores[1]) > ndtri(1 - LEVEL / 2) * np.sqrt(sum(variances)))


def _score(counts: Counts) -> tuple[float, float]:
    """Macro-F1 and its variance."""
    matrix = np.asarray(counts, np.int64)
    classes = len(matrix)
    cells = (index.ravel() for index in np.indices(matrix.shape))
    labels, answers = (np.repeat(cell, matrix.ravel()) for cell in cells)
    if not len(labels):
        return 0.0, 0.0
    found = confusions.trained(labels, np.where(answers == classes, -1, answers)[None], classes)
    return float(found.scores[0]), float((found.pulls**2).sum())
