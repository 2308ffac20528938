"""One procedure for all pairs of a family: intervals that hold together, and p.

Drawn is how far the arms' scores may lie from what they are worth: over rows, with the covariances
that the arms' pulls have; over trainings, as Student's t with each arm's own degrees of freedom
(the fiducial answer to Behrens' and Fisher's problem, which keeps its level where Satterthwaite's
degrees of freedom do not: a part with two of them beside a part with thousands).

How unlikely a pair's difference is by itself is read off its own distribution by these draws, and
every pair is held against the most unlikely one of any pair (min-P: Westfall and Young,
"Resampling-Based Multiple Testing", 1993), not against the largest in standard errors (max-t).
Arms with two degrees of freedom lie many standard errors apart by chance; beside them two arms that
repeat themselves would never be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from suite.verdict.confusions import Array
from suite.verdict.interval import LEVEL
from suite.verdict.variance import Components, Spread

DRAWS = 10_000
#: Draws handled at once; and of how many as unlikely as a difference p is no longer counted.
_AT_ONCE, _FEW = 1000, 25
#: Where a pair's own tail is known, in standard errors; between, its logarithm is taken as straight
#: over their squares.
_POINTS = np.concatenate([np.arange(0.2, 5, 0.2), np.geomspace(5, 1000, 16)])
_SQUARES = _POINTS**2
#: Points of each training's and of the rows' variance that a tail is summed over, and the power
#: that draws them towards small chi-squares, where far tails come from. The rows' is as good as
#: known from so many degrees of freedom on.
_SEED_NODES, _ROW_NODES, _POWER, _MANY_ROWS = 10, 4, 5, 500
#: The least tail that is told from 0.
_LEAST = 1e-300

Pairs = NDArray[np.int64]


@dataclass(frozen=True)
class Rarest:
    """The most unlikely difference of any pair of a family by chance alone.

    Args:
        drawn: minus the logarithm of its own tail, ascending, [draws].
        tails: the same of each pair's difference at `_POINTS` standard errors, [pairs, points].
    """

    drawn: Array
    tails: Array

    @property
    def critical(self) -> Array:
        """What each pair's difference exceeds, in its standard errors, where the family's most
        unlikely one does so with probability `LEVEL`, [pairs]."""
        place = int(np.ceil((1 - LEVEL) * (len(self.drawn) + 1))) - 1
        bound = self.drawn[place] if len(self.tails) > 1 else -np.log(LEVEL)
        found = [np.interp(bound, tail, _SQUARES) for tail in self.tails]
        critical: Array = np.sqrt(np.array(found))
        return critical

    def p(self, t: Array) -> Array:
        """How often one as unlikely as each of these comes by chance, [pairs].

        By counting draws. Where few of them are as unlikely, no number of draws bounds p: it is a
        pair's own tail as often as there are pairs (Bonferroni's bound, close so far out).

        Args:
            t: each pair's difference in standard errors, [pairs].
        """
        own = np.array([_rarity(one, tail) for one, tail in zip(t**2, self.tails, strict=True)])
        if len(self.tails) == 1:
            return np.asarray(np.exp(-own))
        exceeding = len(self.drawn) - np.searchsorted(self.drawn, own - 1e-9)
        counted = (1 + exceeding) / (1 + len(self.drawn))
        beyond = np.minimum(_FEW / len(self.drawn), len(self.tails) * np.exp(-own))
        found: Array = np.where(counted < _FEW / len(self.drawn), beyond, counted)
        return found


def _rarity(squares: Array, tail: Array) -> Array:
    """Minus the logarithm of a pair's tail at these squares of standard errors."""
    found: Array = np.interp(squares, _SQUARES, tail)
    return found


def rarest(
    parts: Components, a: Pairs, b: Pairs, spread: Spread, *, seed: int = 0, draws: int = DRAWS
) -> Rarest:
    """Draws the most unlikely difference of any pair.

    Args:
        parts: the arms' components.
        a, b: the pairs, as indices of arms, [pairs].
        spread: of the differences, [pairs]; those that have none take no part.
        seed: of the draws.
        draws: how many.
    """
    variances = np.where(spread.total > 0, spread.total, np.inf)
    values, vectors = np.linalg.eigh(parts.rows)
    # Of unbiased estimates some eigenvalues are a little below 0.
    factor = vectors * np.sqrt(np.maximum(values, 0))
    covariance = factor @ factor.T
    by_rows = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
    tails = _tails(parts, a, b, np.maximum(by_rows, 0), variances)
    if len(a) == 1:
        return Rarest(np.zeros(0), tails)
    generator = np.random.default_rng(seed)
    random = np.flatnonzero(parts.seed_df > 0)
    seed_df = parts.seed_df[random]
    found = []
    for first in range(0, draws, _AT_ONCE):
        some = min(_AT_ONCE, draws - first)
        scale = parts.rows_df / generator.chisquare(parts.rows_df, (some, 1))
        moved = np.sqrt(scale) * (generator.standard_normal((some, len(values))) @ factor.T)
        seeds = np.zeros_like(moved)
        drawn = generator.chisquare(np.broadcast_to(seed_df, (some, len(random))))
        seeds[:, random] = parts.seeds[random] * seed_df / drawn
        moved += np.sqrt(seeds) * generator.standard_normal(moved.shape)
        arms = np.ascontiguousarray(moved.T)
        most = np.zeros(some)
        for one, other, variance, tail in zip(a, b, variances, tails, strict=True):
            np.maximum(most, _rarity((arms[one] - arms[other]) ** 2 / variance, tail), out=most)
        found.append(most)
    return Rarest(np.sort(np.concatenate(found)), tails)


def _tails(parts: Components, a: Pairs, b: Pairs, by_rows: Array, variances: Array) -> Array:
    """Minus the logarithm of each pair's tail at `_POINTS` standard errors, [pairs, points].

    Args:
        by_rows: the variance of each difference by rows, [pairs].
        variances: all of it, [pairs].
    """
    from scipy.special import ndtr, stdtr

    arms = [
        _variances(variance, df, _SEED_NODES)
        for variance, df in zip(parts.seeds, parts.seed_df, strict=True)
    ]
    nodes = _ROW_NODES if parts.rows_df < _MANY_ROWS else 1
    rows, row_weights = _variances(1.0, parts.rows_df, nodes)
    tails = np.empty((len(a), len(_POINTS)))
    for pair, (one, other) in enumerate(zip(a, b, strict=True)):
        if not parts.seed_df[one] and not parts.seed_df[other]:
            tails[pair] = 2 * stdtr(parts.rows_df, -_POINTS)
            continue
        (first, first_weights), (second, second_weights) = arms[one], arms[other]
        drawn = np.add.outer(np.add.outer(first, second), by_rows[pair] * rows).ravel()
        weights = np.multiply.outer(np.outer(first_weights, second_weights), row_weights).ravel()
        spreads = np.sqrt(np.maximum(drawn / variances[pair], _LEAST))
        tails[pair] = 2 * (weights @ ndtr(-_POINTS / spreads[:, None]))
    return -np.log(np.maximum(tails, _LEAST))


def _variances(estimate: float, df: float, count: int) -> tuple[Array, Array]:
    """What a variance may be of which there is an estimate, at points to sum over, [count], and
    the weights of these; the estimate alone where it is known, or where one point is enough."""
    from scipy.special import gammaincinv

    if not df or count == 1:
        return np.array([float(estimate)]), np.ones(1)
    shares, weights = _shares(count)
    return estimate * df / (2 * gammaincinv(df / 2, shares)), weights


@cache
def _shares(count: int) -> tuple[Array, Array]:
    """Shares of a distribution to sum over, the lowest the closest, and their weights."""
    places, weights = np.polynomial.legendre.leggauss(count)
    places, weights = (places + 1) / 2, weights / 2
    return places**_POWER, weights * _POWER * places ** (_POWER - 1)


def reach(own: Components, spread: Spread) -> float:
    """Standard errors that 95 % of one arm's score lie within, by the same distribution.

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
    return float(rarest(beside, np.array([0]), np.array([1]), spread).critical[0])
