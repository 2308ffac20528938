"""Arms by a score that is the mean of a loss of each row, of which less is better.

The law is that of scores of confusion matrices: a row part by jackknife over rows, which of a mean
is how far the row's loss lies from the mean, and a seed part. Everything is compared on the
negative, as scores are of which more is better; whoever tells it turns the sign back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from suite.verdict.comparison import Findings, findings
from suite.verdict.confusions import Trained


def trained(losses: Sequence[ArrayLike], scores: Sequence[float] | None = None) -> Trained:
    """Scores and pulls of an arm's trainings, of the negative.

    Args:
        losses: [trainings][rows].
        scores: their means, where these are known more exactly.
    """
    merits = -np.asarray(losses, np.float64)
    rows = merits.shape[1]
    means = merits.mean(axis=1)
    # Without a row the mean moves by its distance from it, over the rows that are left.
    pulls = (merits - means[:, None]) / np.sqrt(rows * max(rows - 1, 1))
    return Trained(
        scores=means if scores is None else -np.asarray(scores, np.float64),
        pulls=pulls,
        right=merits,
        biases=np.zeros(len(merits)),
        worth=float(rows),
        per_class=float(rows),
    )


def compare(
    losses: Mapping[str, Sequence[ArrayLike]],
    scores: Mapping[str, Sequence[float]],
    *,
    bounds: tuple[float, float],
    deterministic: Collection[str] = (),
    seed: int = 0,
) -> Findings:
    """Every arm's interval, rank and range, and the verdict on every two, all of the negative.

    Args:
        losses: arm -> [trainings][rows], over the same rows.
        scores: arm -> their means, [trainings].
        bounds: what a mean of losses lies between.
        deterministic: arms whose training repeats itself, so that one stands for all.
        seed: of what is drawn.
    """
    arms = {arm: trained(own, scores[arm]) for arm, own in losses.items()}
    return findings(arms, deterministic, bounds=(-bounds[1], -bounds[0]), seed=seed)
