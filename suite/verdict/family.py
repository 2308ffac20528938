"""One procedure for all pairs of a family: intervals that hold together, and p.

Drawn is how far the arms' scores may lie from what they are worth: over rows, with the covariances
that the arms' pulls have; over trainings, as Student's t with each arm's own degrees of freedom
(the fiducial answer to Behrens' and Fisher's problem, which keeps its level where Satterthwaite's
degrees of freedom do not: a part with two of them beside a part with thousands). The largest
difference of any pair, in standard errors, is what every pair is held against (max-t).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.verdict.confusions import Array
from suite.verdict.interval import LEVEL
from suite.verdict.variance import Components, Spread

DRAWS = 10_000
#: Draws handled at once; those whose tails are computed where few draws reach; at how many points;
#: and how many are few.
_AT_ONCE, _TAIL_DRAWS, _TAIL_POINTS, _FEW = 1000, 64, 12, 25
#: Standard errors that no critical value lies beyond: t with half a degree of freedom.
_FAR = 1e4

Pairs = NDArray[np.int64]


@dataclass(frozen=True)
class Largest:
    """The largest difference of any pair of a family by chance alone, in standard errors.

    Args:
        drawn: ascending, [draws].
        spreads: standard deviation of each pair's difference given the variances of a draw, in its
            standard errors, [some draws, pairs].
        df: Satterthwaite's degrees of freedom of each pair's variance, [pairs].
    """

    drawn: Array
    spreads: Array
    df: Array

    @property
    def critical(self) -> float:
        """What the largest exceeds with probability `LEVEL`."""
        if self.spreads.shape[1] > 1:
            return float(self.drawn[int(np.ceil((1 - LEVEL) * (len(self.drawn) + 1))) - 1])
        from scipy.optimize import brentq
        from scipy.special import ndtr

        spreads = self.spreads[:, 0]
        found = brentq(lambda t: float(ndtr(-t / spreads).mean()) - LEVEL / 2, 0, _FAR, xtol=1e-3)
        return float(found)

    def p(self, t: Array) -> Array:
        """How often the largest is as large as this by chance, [some].

        By counting draws, or for a single pair by the tail that the draws' variances give. Where
        few draws are as large, no number of draws bounds p: it is the sum over pairs of those
        tails, or of Student's where these are heavier.
        """
        if self.spreads.shape[1] > 1:
            exceeding = len(self.drawn) - np.searchsorted(self.drawn, t - 1e-12)
            p = (1 + exceeding) / (1 + len(self.drawn))
        else:
            p = np.exp(self._tails(t))
        far = (p < _FEW / len(self.drawn)) & (t > 0)
        if far.any():
            points = np.geomspace(t[far].min(), t[far].max() * 1.001, _TAIL_POINTS)
            logs = np.maximum(self._tails(points), self._student(points))
            beyond = np.exp(np.interp(t[far] ** 2, points**2, logs))
            p[far] = np.minimum(_FEW / len(self.drawn), beyond)
        found: Array = np.asarray(p)
        return found

    def _tails(self, t: Array) -> Array:
        """The logarithm of that sum, [some]."""
        from scipy.special import log_ndtr, logsumexp

        tails = [float(logsumexp(log_ndtr(-one / self.spreads))) for one in t]
        found: Array = np.array(tails) + np.log(2) - np.log(len(self.spreads))
        return found

    def _student(self, t: Array) -> Array:
        """The logarithm of the sum of Student's tails, [some]."""
        from scipy.special import stdtr

        with np.errstate(divide="ignore"):
            found: Array = np.log(2 * stdtr(self.df, -t[:, None]).sum(axis=1))
        return found


def largest(
    parts: Components, a: Pairs, b: Pairs, spread: Spread, *, seed: int = 0, draws: int = DRAWS
) -> Largest:
    """Draws the largest difference of any pair.

    Args:
        parts: the arms' components.
        a, b: the pairs, as indices of arms, [pairs].
        spread: of the differences, [pairs]; those that have none take no part.
        seed: of the draws.
        draws: how many.
    """
    errors = np.sqrt(np.where(spread.total > 0, spread.total, np.inf))
    generator = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(parts.rows)
    # Of unbiased estimates some eigenvalues are a little below 0.
    factor = vectors * np.sqrt(np.maximum(values, 0))
    random = np.flatnonzero(parts.seed_df > 0)
    seed_df = parts.seed_df[random]
    covariance = factor @ factor.T
    by_rows = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
    inverse = np.zeros((len(values), len(values)))
    inverse[a, b] = inverse[b, a] = 1 / errors
    found, spreads = [], []
    for first in range(0, draws, _AT_ONCE):
        some = min(_AT_ONCE, draws - first)
        scale = parts.rows_df / generator.chisquare(parts.rows_df, (some, 1))
        moved = np.sqrt(scale) * (generator.standard_normal((some, len(values))) @ factor.T)
        seeds = np.zeros_like(moved)
        drawn = generator.chisquare(np.broadcast_to(seed_df, (some, len(random))))
        seeds[:, random] = parts.seeds[random] * seed_df / drawn
        moved += np.sqrt(seeds) * generator.standard_normal(moved.shape)
        found.append(_largest(np.ascontiguousarray(moved.T), inverse))
        if first < _TAIL_DRAWS or len(a) == 1:
            variances = scale * by_rows + seeds[:, a] + seeds[:, b]
            variances = variances if len(a) == 1 else variances[:_TAIL_DRAWS]
            spreads.append(np.sqrt(np.maximum(variances, 1e-300)) / np.minimum(errors, 1e100))
    return Largest(np.sort(np.concatenate(found)), np.concatenate(spreads), spread.df)


def _largest(moved: Array, inverse: Array) -> Array:
    """The largest difference of any pair, [draws].

    Args:
        moved: [arms, draws].
        inverse: of the pairs' standard errors, [arms, arms]; 0 for what is no pair.
    """
    found = np.zeros(moved.shape[1])
    for arm in range(len(moved) - 1):
        others = np.abs(moved[arm + 1 :] - moved[arm]) * inverse[arm, arm + 1 :, None]
        np.maximum(found, others.max(axis=0), out=found)
    return found


def reach(own: Components, spread: Spread) -> float:
    """Standard errors that 95 % of one arm's score lie within, by the same draws.

    Args:
        own: the components of that arm alone.
        spread: of its score, [1].
    """
    from scipy.special import stdtrit

    if not own.seed_df[0] or not spread.total[0]:
        return float(-stdtrit(own.rows_df, LEVEL / 2))
    beside = Components(
        np.append(own.means, 0.0),
        np.append(own.seeds, 0.0),
        np.append(own.seed_df, 0.0),
        np.diag([float(spread.rows[0]), 0.0]),
        own.rows_df,
    )
    return largest(beside, np.array([0]), np.array([1]), spread, draws=_AT_ONCE).critical
