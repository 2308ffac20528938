"""What more rows bring: a power law through scores at several sizes, and what it leaves open.

A score grows as level - scale × (rows + shift)^-exponent (Hestness et al. 2017, "Deep Learning
Scaling is Predictable, Empirically"; Viering and Loog 2023, "The Shape of Learning Curves"); the
shift lets a curve begin flat, as many do. Sizes are few and scores vary with the rows that were
drawn, so no single law is fitted: laws are weighed by how well they explain the scores, over a grid
of exponents, shifts, and how fast the noise falls with the rows. Given these, level, scale and
noise have a closed form; laws that fall, or end above what a score can be, are left out. Everything
told (a band, a prediction, where two arms cross) is read off the same drawn laws, so what is
uncertain stays so. Level and scale are flat in the scores at the smallest and the largest size:
flat in themselves, nearly straight laws of a huge scale would weigh most.

Scores here are merits: more is better. Every draw is by a fixed seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.verdict.interval import LEVEL

Array = NDArray[np.float64]

#: Sizes below which a law of three numbers says nothing beyond them.
FEWEST_SIZES = 4
#: Exponents looked at, and the lognormal that they have beforehand: published ones of text
#: classifiers lie between .1 and 1.
_EXPONENTS = np.geomspace(0.03, 2.5, 60)
_USUAL, _SPREAD = 0.45, 0.8
#: How fast the noise falls: as rows to the power of minus this.
_FALLS = np.array([0.0, 0.25, 0.5])
#: Shifts looked at, in smallest sizes, and what each weighs beforehand: as much as none together.
_SHIFTS = np.array([0.0, 0.5, 2.0, 6.0])
_SHIFTED = np.log([0.5, 1 / 6, 1 / 6, 1 / 6])
#: Noise beforehand: a deviation of half a point at the middle size, worth two scores.
_NOISE, _WORTH = 0.005, 2.0
#: By how much of what a score can be a course may leave its law in a doubling beyond what was seen.
_DRIFT = 0.003
#: Laws that are drawn, and how many at most to have as many that grow and end below the most.
DRAWS = 2000
_MOST_DRAWS = 60_000
#: Where a smaller share of them does, the scores don't grow.
_GROWING = 0.02


@dataclass(frozen=True)
class Size:
    """A score at so many training rows; several draws of rows are several of these."""

    rows: int
    score: float


@dataclass(frozen=True)
class Band:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Laws:
    """Drawn laws, each a value of these, [draws].

    At n rows one of them has level - scale × (n / middle + shift)^-exponent, and scores there
    deviate from it by noise × (n / middle)^-fall. Beyond the largest size it may leave that course,
    by `drift` for each doubling: a law describes what was seen, and promises nothing.
    """

    level: Array
    scale: Array
    exponent: Array
    noise: Array
    fall: Array
    shift: Array
    drift: Array
    largest: float
    middle: float
    least: float
    most: float

    def at(self, rows: float) -> Array:
        """Each law's score at so many rows, [draws]."""
        powers = np.power(rows / self.middle + self.shift, -self.exponent)
        beyond = max(0.0, math.log2(rows / self.largest))
        return self.level - self.scale * powers + self.drift * beyond

    def shifts(self, rows: float) -> Array:
        """Each law's shift, over so many rows, [draws]."""
        return self.shift * self.middle / rows

    def band(self, rows: float) -> Band:
        """The score that the arm has there over all draws of rows."""
        return self._band(self.at(rows))

    def predicted(self, rows: float, draws: int = 1, *, seed: int = 0) -> Band:
        """What will be measured there as the mean over so many draws of rows: wider than `band`."""
        noise = self.noise * np.power(rows / self.middle, -self.fall) / math.sqrt(draws)
        own = np.random.default_rng(seed + 1).standard_normal(len(noise))
        return self._band(self.at(rows) + own * noise)

    def _band(self, values: Array) -> Band:
        low, middle, high = np.quantile(values, [LEVEL / 2, 0.5, 1 - LEVEL / 2])
        inside = np.clip([middle, low, high], self.least, self.most)
        return Band(*(float(value) for value in inside))


def fit(
    sizes: Sequence[Size], *, least: float = 0.0, most: float = 1.0, seed: int = 0
) -> Laws | None:
    """Laws that scores at several sizes leave possible.

    Args:
        sizes: one or more scores at each of at least four sizes; else there are none.
        least, most: what a merit can be; infinite where it has no end.

    Returns:
        None where there are too few sizes, or the scores don't grow.
    """
    rows = np.array([one.rows for one in sizes], dtype=np.float64)
    scores = np.array([one.score for one in sizes], dtype=np.float64)
    if len(np.unique(rows)) < FEWEST_SIZES:
        return None
    middle = float(np.exp(np.log(rows).mean()))
    spans = most - least if math.isfinite(most - least) else max(float(np.ptp(scores)), 1e-9)
    worlds = _worlds(rows / middle, scores, (_NOISE * spans) ** 2)
    generator = np.random.default_rng(seed)
    found = _drawn(worlds, most, generator)
    if found is None:
        return None
    drift = _DRIFT * spans * generator.standard_normal(len(found))
    level, scale, exponent, noise, fall, shift = found.T
    return Laws(
        level, scale, exponent, noise, fall, shift, drift, float(rows.max()), middle, least, most
    )


@dataclass(frozen=True)
class _Worlds:
    """What holds given an exponent, a fall and a shift, for each three of them: the weight; the
    least squares [.., 2] of level and scale, their spread [.., 2, 2], and the noise."""

    exponent: Array
    fall: Array
    shift: Array
    log_weight: Array
    best: Array
    spread: Array
    rest: Array
    freedom: float


def _worlds(rows: Array, scores: Array, noise: float) -> _Worlds:
    """Every exponent with every fall and every shift, weighed.

    Args:
        rows: over their middle.
        noise: the variance beforehand.
    """
    grid = np.meshgrid(_EXPONENTS, _FALLS, np.arange(len(_SHIFTS)), indexing="ij")
    exponent, fall, which = (axis.ravel() for axis in grid)
    shift = _SHIFTS[which] * rows.min()
    powers = np.power(rows[None, :] + shift[:, None], -exponent[:, None])
    weights = np.power(rows[None, :], 2 * fall[:, None])
    columns = np.stack([np.ones_like(powers), -powers], axis=2)  # [worlds, scores, 2]
    normal = np.einsum("wsi,wsj->wij", columns * weights[:, :, None], columns)
    spread = np.linalg.inv(normal)
    best = np.einsum("wij,wsj,ws,s->wi", spread, columns, weights, scores, optimize=True)
    missed = scores[None, :] - np.einsum("wsi,wi->ws", columns, best)
    rest = _WORTH * noise + np.sum(weights * missed**2, axis=1)
    freedom = _WORTH + len(rows) - 2
    log_weight = (
        0.5 * np.log(weights).sum(axis=1)
        - 0.5 * np.log(np.linalg.det(normal))
        - 0.5 * freedom * np.log(rest)
        + np.log(powers.max(axis=1) - powers.min(axis=1))
        - 0.5 * (np.log(exponent / _USUAL) / _SPREAD) ** 2
        + _SHIFTED[which]
    )
    return _Worlds(exponent, fall, shift, log_weight, best, spread, rest, freedom)


def _drawn(worlds: _Worlds, most: float, generator: np.random.Generator) -> Array | None:
    """Laws that grow and end at most at `most`, [draws, 6]: level, scale, exponent, noise, fall,
    shift.

    A level is drawn from its own distribution up to `most` (Student's), then noise and scale given
    it; None where hardly any has a scale above 0.
    """
    from scipy import stats

    width = np.sqrt(worlds.rest / worlds.freedom * worlds.spread[:, 0, 0])
    within = stats.t.cdf((most - worlds.best[:, 0]) / width, worlds.freedom)
    log_weight = worlds.log_weight + np.log(np.maximum(within, 1e-300))
    weight = np.exp(log_weight - log_weight.max())
    kept: list[Array] = []
    drawn = have = 0
    while have < DRAWS and drawn < _MOST_DRAWS:
        which = generator.choice(len(weight), size=DRAWS, p=weight / weight.sum())
        below = generator.uniform(size=DRAWS) * within[which]
        off = stats.t.ppf(np.maximum(below, 1e-300), worlds.freedom) * width[which]
        spread = worlds.spread[which]
        left = worlds.rest[which] + off**2 / spread[:, 0, 0]
        noise = np.sqrt(left / generator.chisquare(worlds.freedom + 1, size=DRAWS))
        slope = spread[:, 0, 1] / spread[:, 0, 0]
        own = np.maximum(spread[:, 1, 1] - slope * spread[:, 0, 1], 0.0)
        scale = worlds.best[which, 1] + slope * off
        scale = scale + noise * np.sqrt(own) * generator.standard_normal(DRAWS)
        level = np.minimum(worlds.best[which, 0] + off, most)
        own_of = (worlds.exponent[which], noise, worlds.fall[which], worlds.shift[which])
        laws = np.column_stack([level, scale, *own_of])[scale >= 0]
        kept.append(laws)
        drawn, have = drawn + DRAWS, have + len(laws)
    return np.concatenate(kept)[:DRAWS] if have >= _GROWING * drawn else None


@dataclass(frozen=True)
class HeldBack:
    """The largest size, predicted from those of at most half as many rows, beside the truth.

    `truth` is the mean over `draws` draws of rows.
    """

    rows: int
    known: int
    predicted: Band
    truth: float
    draws: int

    @property
    def error(self) -> float:
        """How far the prediction is off."""
        return abs(self.predicted.value - self.truth)

    @property
    def covered(self) -> bool:
        """Whether the interval holds the truth."""
        return self.predicted.low <= self.truth <= self.predicted.high


def held_back(
    sizes: Sequence[Size], *, least: float = 0.0, most: float = 1.0, seed: int = 0
) -> HeldBack | None:
    """How good the laws are at twice the rows: the largest size is predicted without it.

    Returns:
        None where too few sizes are left.
    """
    if not sizes:
        return None
    rows = max(one.rows for one in sizes)
    known = [one for one in sizes if 2 * one.rows <= rows]
    laws = fit(known, least=least, most=most, seed=seed)
    if laws is None:
        return None
    own = [one.score for one in sizes if one.rows == rows]
    predicted = laws.predicted(rows, len(own), seed=seed)
    largest = max(one.rows for one in known)
    return HeldBack(rows, largest, predicted, math.fsum(own) / len(own), len(own))


@dataclass(frozen=True)
class Crossing:
    """From how many rows on one arm is above another that is above it with fewer.

    `low` and `high` are the ends of the 95 % interval, None where it goes on beyond the sizes that
    were looked at; `share` is the part of the laws that cross within them.
    """

    rows: int
    low: int | None
    high: int | None
    share: float


#: Sizes between the ends that a crossing is looked for at, and how far beyond the largest.
_STEPS = 240
BEYOND = 4.0
#: Fewer laws that cross within say that the arms don't.
_FEWEST_SHARE = 0.5


def crossing(
    above: Laws,
    below: Laws,
    rows: tuple[int, int],
    apart: Sequence[tuple[int, float]] = (),
    *,
    seed: int = 0,
) -> Crossing | None:
    """Where `above` overtakes `below`: looked for from the smallest size to four times the largest.

    Args:
        above: the arm that is above at many rows; the other is above at few.
        rows: the smallest and the largest size that was measured.
        apart: at sizes, the standard error of how far the arms lie apart by other test rows. All
            sizes were tested on the same rows, which may favour one of the arms at all of them.

    Returns:
        None where less than half of the laws cross so.
    """
    places = np.geomspace(rows[0], BEYOND * rows[1], _STEPS)
    differ = np.stack([differences(above, below, n) for n in places], axis=1)
    if apart:
        at, errors = np.array(sorted(apart), dtype=np.float64).T
        favour = np.random.default_rng(seed + 2).standard_normal(len(differ))
        differ = differ + favour[:, None] * np.interp(np.log(places), np.log(at), errors)
    ahead = differ > 0
    # The last place at which it is not ahead; -1: always ahead, the last place: never.
    last = np.where(ahead.all(axis=1), -1, _STEPS - 1 - np.argmin(ahead[:, ::-1], axis=1))
    within = (last >= 0) & (last < _STEPS - 1)
    share = float(within.mean())
    if share < _FEWEST_SHARE:
        return None
    # Orders laws that never cross at the end that they tell: sooner, or later, than looked for.
    low, high = np.quantile(last, [LEVEL / 2, 1 - LEVEL / 2], method="nearest")
    middle = float(np.median(places[np.clip(last[within], 0, _STEPS - 1)]))
    return Crossing(
        rows=round(middle),
        low=None if low < 0 else round(float(places[int(low)])),
        high=None if high >= _STEPS - 1 else round(float(places[int(high)])),
        share=share,
    )


def differences(one: Laws, other: Laws, rows: float) -> Array:
    """How far one arm is above another at so many rows, by pairs of laws, [draws].

    Both were drawn by the same seed: a law of one is paired with one of the other that was drawn at
    another moment, so that their chances are not the same.
    """
    draws = min(len(one.level), len(other.level))
    return one.at(rows)[:draws] - np.roll(other.at(rows)[:draws], draws // 2)


def often_below(arm: Laws, best: Laws, rows: float, margin: float) -> float:
    """The part of the laws by which an arm lies more than a margin below another there."""
    return float(np.mean(differences(best, arm, rows) > margin))
