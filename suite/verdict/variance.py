"""The variance of arms' scores: trainings nested in arms and crossed with rows.

A score of an arm is the mean of its trainings' scores on the same test rows. It would be another
with other trainings and with other rows; an arm's claim holds for both. As for readers and cases
in Obuchowski and Rockette, "Hypothesis testing of diagnostic accuracy for multiple readers and
multiple tests", 1995; Gallas, "One-shot estimate of MRMC variance", 2006; Hillis, "A comparison of
denominator degrees of freedom methods for multiple observer ROC analysis", 2007; for machine
learning Bouthillier et al., "Accounting for variance in machine learning benchmarks", 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.verdict.confusions import Array, Trained
from suite.verdict.shrinking import shrunk

#: Of scores, and of the variances that one is a difference of.
_ROUNDING = 1e-10


@dataclass(frozen=True)
class Components:
    """What several arms' mean scores vary by.

    Args:
        means: each arm's score, float [arms].
        seeds: variance of each mean by other trainings, s²/S, shrunk towards the other arms'
            (`verdict/shrinking`); 0 for an arm whose predictors stand fixed. Float [arms].
        seed_df: degrees of freedom of `seeds`; 0 where it is known to be 0. Float [arms].
        rows: covariances of the arms' scores over other rows, between different trainings,
            float [arms, arms].
        rows_df: degrees of freedom of `rows`.
    """

    means: Array
    seeds: Array
    seed_df: Array
    rows: Array
    rows_df: int

    def alone(self, arm: int) -> Components:
        """Those of one arm."""
        one = slice(arm, arm + 1)
        return Components(
            self.means[one], self.seeds[one], self.seed_df[one], self.rows[one, one], self.rows_df
        )


@dataclass(frozen=True)
class Spread:
    """The variance of a score or a difference, in two parts, and its degrees of freedom.

    Args:
        rows: the part by other rows; arrays of any one shape.
        seeds: the part by other trainings.
        df: Satterthwaite's, of their sum.
    """

    rows: Array
    seeds: Array
    df: Array

    @property
    def total(self) -> Array:
        """The variance."""
        return self.rows + self.seeds


def components(arms: Sequence[Trained], fixed: Sequence[bool]) -> Components:
    """The components of arms that were asked the same rows.

    Args:
        arms: at least one.
        fixed: by arm, whether its predictors stand for themselves alone: trained by a strategy
            that repeats itself, or claimed as trained models and not as an arm. Of any other arm
            there are two trainings or more.
    """
    mean_pulls = np.stack([arm.pulls.mean(axis=0) for arm in arms])
    rows = mean_pulls @ mean_pulls.T
    scatter, seed_df = np.zeros(len(arms)), np.zeros(len(arms))
    counts = np.array([arm.count for arm in arms], np.float64)
    for index, (arm, stands) in enumerate(zip(arms, fixed, strict=True)):
        if stands or arm.alike:
            continue
        count = arm.count
        own = float((arm.pulls**2).sum())
        # Between different trainings alone: with a training itself its seed's part would come in.
        rows[index, index] = (count**2 * rows[index, index] - own) / (count * (count - 1))
        spread = float(arm.scores.var(ddof=1))
        # Scores that are the same but for rounding do not scatter.
        scatter[index] = spread if spread > _ROUNDING**2 else 0.0
        seed_df[index] = count - 1
    random = seed_df > 0
    scatter[random], seed_df[random] = shrunk(scatter[random], seed_df[random])
    means = np.array([arm.scores.mean() for arm in arms])
    return Components(means, scatter / counts, seed_df, rows, max(arms[0].rows - 1, 1))


def of_differences(parts: Components, a: NDArray[np.int64], b: NDArray[np.int64]) -> Spread:
    """The spread of arm a less arm b, for pairs of indices [pairs]."""
    covariances = parts.rows
    rows = covariances[a, a] + covariances[b, b] - 2 * covariances[a, b]
    # What is left of rounding where two arms answer alike is no variance.
    rows = np.where(rows > _ROUNDING * (covariances[a, a] + covariances[b, b]), rows, 0.0)
    seeds = np.stack([parts.seeds[a], parts.seeds[b]])
    return _satterthwaite(rows, seeds, np.stack([parts.seed_df[a], parts.seed_df[b]]), parts)


def of_scores(parts: Components) -> Spread:
    """The spread of each arm's own score, [arms]."""
    rows = np.maximum(np.diagonal(parts.rows), 0.0)
    return _satterthwaite(rows, parts.seeds[None], parts.seed_df[None], parts)


def _satterthwaite(rows: Array, seeds: Array, seed_df: Array, parts: Components) -> Spread:
    """Args: rows: [...]; seeds, seed_df: [arms in it, ...]."""
    total = rows + seeds.sum(axis=0)
    weights = rows**2 / parts.rows_df
    weights = weights + (seeds**2 / np.where(seed_df > 0, seed_df, 1)).sum(axis=0)
    df = np.where(weights > 0, total**2 / np.where(weights > 0, weights, 1), parts.rows_df)
    return Spread(rows, seeds.sum(axis=0), df)
