"""Which arms of a study differ by more than chance, and what each is worth.

A claim about an arm is one about its training at the hyperparameters that were found, on these
training rows: it holds for other trainings and other test rows of the same kind. All pairs of arms
that can be claimed about are one family, and verdict and interval of a pair are one procedure
(`verdict/family`): two arms differ where the interval that holds for all pairs together excludes
0, and p is the level at which it would.

An arm whose training is random and that was trained once is no more than that trained model. It
stands outside the family; what it is compared with, it is compared with as trained models, over
rows alone, and the difference says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from suite.verdict import confusions, variance
from suite.verdict import ranks as ranking
from suite.verdict.confusions import Array, Score, Trained, macro_f1
from suite.verdict.family import DRAWS, Pairs, Rarest, rarest, reach
from suite.verdict.interval import LEVEL, ROWS_PER_CLASS, Interval, around
from suite.verdict.variance import Components

#: Where fewer rows than this tell two predictors apart, the sign test's p bounds theirs below.
FEW_ROWS = 25

#: Divided by in place of nothing.
_TINY = 1e-12

Of = Literal["arms", "trained models"]


@dataclass(frozen=True)
class Difference:
    """Arm a less arm b, with the interval and the p that hold for all pairs together.

    `of` says what is compared: arms, or the trained models that there are. `df` are the degrees
    of freedom of `row_variance` + `seed_variance`, the variance of the difference by other rows
    and by other trainings.
    """

    a: str
    b: str
    value: float
    low: float
    high: float
    p: float
    df: float
    row_variance: float
    seed_variance: float
    of: Of = "arms"

    @property
    def winner(self) -> str | None:
        """The better arm, where the difference is more than chance."""
        if self.p >= LEVEL or not self.value:
            return None
        return self.a if self.value > 0 else self.b

    @property
    def loser(self) -> str | None:
        """The other one."""
        won = self.winner
        return None if won is None else self.b if won == self.a else self.a


@dataclass(frozen=True)
class Findings:
    """What a study's test split says about its arms; mappings are by arm.

    `scores` are the trainings', `intervals` hold their mean. `differences` are all pairs, those of
    arms first, best arm first. `rank` is 1 + arms that beat it. `ranges` are the best and worst
    rank an arm may have, and `may_be_best` whether nothing beats it: None for an arm that is no
    more than a trained model.
    """

    scores: dict[str, list[float]]
    intervals: dict[str, Interval]
    differences: list[Difference]
    ranks: dict[str, int]
    ranges: dict[str, tuple[int, int] | None]
    may_be_best: dict[str, bool | None]


def compare(
    labels: Sequence[int],
    predictions: Mapping[str, Sequence[Sequence[int]]],
    classes: int,
    *,
    deterministic: Collection[str] = (),
    score: Score = macro_f1,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    seed: int = 0,
) -> Findings:
    """Every arm's interval, rank and range, and the verdict on every two.

    Args:
        labels: class indices, [rows].
        predictions: arm -> class indices, [trainings][rows], over the same rows; below 0 for no
            answer, which is wrong whatever the label.
        classes: how many there are.
        deterministic: arms whose training repeats itself, so that one stands for all.
        score: the objective, of confusion matrices.
        bounds: what it lies between; None where it is not bounded.
        seed: of what is drawn.
    """
    arms = {
        arm: confusions.trained(labels, answers, classes, score)
        for arm, answers in predictions.items()
    }
    return findings(arms, deterministic, bounds=bounds, seed=seed)


def findings(
    arms: Mapping[str, Trained],
    deterministic: Collection[str] = (),
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
    seed: int = 0,
    draws: int = DRAWS,
) -> Findings:
    """The same of arms whose scores and pulls are known.

    Args:
        arms: by name, over the same rows.
        deterministic, bounds, seed: as of `compare`.
        draws: how many.
    """
    ordered = sorted(arms, key=lambda arm: -arms[arm].scores.mean())
    claimed = [arm for arm in ordered if arm in deterministic or arms[arm].count > 1]
    once = set(ordered) - set(claimed)
    differences = verdicts(arms, list(combinations(claimed, 2)), deterministic, "arms", seed, draws)
    models = [pair for pair in combinations(ordered, 2) if once & set(pair)]
    differences += verdicts(arms, models, ordered, "trained models", seed, draws)
    wins = [(d.winner, d.loser) for d in differences if d.winner and d.loser]
    found = ranking.ranges(claimed, [(a, b) for a, b in wins if a not in once and b not in once])
    lows = ranking.ranges(ordered, wins)
    return Findings(
        scores={arm: [float(value) for value in arms[arm].scores] for arm in arms},
        intervals=intervals(arms, deterministic, bounds=bounds),
        differences=differences,
        ranks={arm: found.get(arm, lows[arm])[0] for arm in arms},
        ranges={arm: found.get(arm) for arm in arms},
        may_be_best={arm: found[arm][0] == 1 if arm in found else None for arm in arms},
    )


def intervals(
    arms: Mapping[str, Trained],
    deterministic: Collection[str] = (),
    *,
    bounds: tuple[float, float] | None = (0.0, 1.0),
) -> dict[str, Interval]:
    """Each arm's own interval; of one that was trained once at random, that trained model's.

    Args:
        arms, deterministic, bounds: as of `findings`.
    """
    fixed = [name in deterministic or arm.count == 1 for name, arm in arms.items()]
    parts = variance.components(list(arms.values()), fixed)
    return {
        name: _interval(arm, parts.alone(index), bounds)
        for index, (name, arm) in enumerate(arms.items())
    }


def _interval(arm: Trained, own: Components, bounds: tuple[float, float] | None) -> Interval:
    """Args: own: the components of this arm alone."""
    spread = variance.of_scores(own)
    return around(
        float(own.means[0]),
        float(spread.total[0]),
        reach(own, spread),
        worth=arm.worth,
        bias=float(arm.biases.mean()),
        bounds=bounds,
        narrow=arm.per_class < ROWS_PER_CLASS,
    )


def verdicts(
    arms: Mapping[str, Trained],
    pairs: Sequence[tuple[str, str]],
    fixed: Collection[str],
    of: Of = "arms",
    seed: int = 0,
    draws: int = DRAWS,
) -> list[Difference]:
    """The verdicts on pairs that are one family.

    Args:
        arms: by name, over the same rows.
        pairs: all that are compared.
        fixed: arms whose predictors stand for themselves alone.
        of: what is compared.
        seed: of the draws.
        draws: how many.
    """
    if not pairs:
        return []
    names = list(dict.fromkeys(arm for pair in pairs for arm in pair))
    index = {arm: i for i, arm in enumerate(names)}
    members = [arms[arm] for arm in names]
    parts = variance.components(members, [arm in fixed for arm in names])
    a, b = (np.array([index[pair[side]] for pair in pairs]) for side in (0, 1))

    def sign(one: int, other: int, needed: bool) -> tuple[float, bool]:
        return sign_test(members[one], members[other], needed=needed)

    spread, low, high, p = judged(parts, a, b, sign, seed=seed, draws=draws)
    values = parts.means[a] - parts.means[b]
    return [
        Difference(
            a=one,
            b=other,
            value=float(values[i]),
            low=float(low[i]),
            high=float(high[i]),
            p=float(p[i]),
            df=float(spread.df[i]),
            row_variance=float(spread.rows[i]),
            seed_variance=float(spread.seeds[i]),
            of=of,
        )
        for i, (one, other) in enumerate(pairs)
    ]


def judged(
    parts: Components,
    a: Pairs,
    b: Pairs,
    sign: Callable[[int, int, bool], tuple[float, bool]] = lambda one, other, needed: (0.0, False),
    *,
    seed: int = 0,
    draws: int = DRAWS,
) -> tuple[variance.Spread, Array, Array, Array]:
    """The same by indices of arms: their spread, low, high, p, each [pairs].

    Args:
        parts: the arms' components.
        a, b: the pairs.
        sign: as `sign_test`, by indices.
        seed: of the draws.
        draws: how many.
    """
    spread = variance.of_differences(parts, a, b)
    flat = spread.total == 0
    signs = [sign(int(i), int(j), bool(needed)) for i, j, needed in zip(a, b, flat, strict=True)]
    low, high, p = tested(
        parts.means[a] - parts.means[b],
        flat,
        np.sqrt(np.where(flat, 1, spread.total)),
        rarest(parts, a, b, spread, seed=seed, draws=draws),
        *map(np.array, zip(*signs, strict=True)),
    )
    return spread, low, high, p


def tested(
    values: Array,
    flat: NDArray[np.bool_],
    errors: Array,
    rarest: Rarest,
    signs: Array,
    few: NDArray[np.bool_],
) -> tuple[Array, Array, Array]:
    """Intervals and p of the differences of one family: low, high, p, each [pairs].

    Where there is no variance, t has nothing to divide by: p is 1 without a difference, and with
    one (all right against all wrong) the sign test's.

    Args:
        values: the differences, [pairs].
        flat: those without variance, [pairs].
        errors: their standard errors, 1 where they have none, [pairs].
        rarest: what they are held against.
        signs: the sign test's p, [pairs].
        few: whether p is not below it, [pairs].
    """
    from scipy.special import ndtri

    sizes = np.abs(values)
    signs = np.where(flat & (sizes == 0), 1.0, signs)
    apart = np.where(signs < 1, signs, 0)
    together = np.where(signs < 1, -np.expm1(len(values) * np.log1p(-apart)), 1.0)
    p = np.where(flat, together, rarest.p(sizes / errors))
    p = np.where(few, np.maximum(p, together), p)
    # Without variance: the error by which this would be as far out as the sign test finds it.
    each = -np.expm1(np.log1p(-LEVEL) / len(values))
    implied = ndtri(each / 2) / np.minimum(ndtri(signs / 2), -_TINY)
    half = np.where(flat, sizes * implied, errors * rarest.critical)
    half = np.where(flat & (sizes == 0), 0.0, half)
    low, high = values - half, values + half
    # At a level below the sign test's p the interval holds 0 as well.
    chance = p >= LEVEL
    return np.where(chance, np.minimum(low, 0), low), np.where(chance, np.maximum(high, 0), high), p


def sign_test(one: Trained, other: Trained, *, needed: bool = False) -> tuple[float, bool]:
    """The exact two-sided sign test over rows on which one is right more often than the other.

    Args:
        one, other: the arms.
        needed: whether p is wanted also where it bounds nothing; else it is then 0.

    Returns:
        its p; and whether it bounds the p of the difference from below: two single predictors
        that fewer than `FEW_ROWS` rows tell apart.
    """
    from scipy.special import bdtr

    single = all(arm.count == 1 or arm.alike for arm in (one, other))
    if not single and not needed:
        return 0.0, False
    ahead = one.right.mean(axis=0) - other.right.mean(axis=0)
    better, worse = int((ahead > 0).sum()), int((ahead < 0).sum())
    p = min(1.0, 2 * float(bdtr(min(better, worse), better + worse, 0.5)))
    return p, single and better + worse < FEW_ROWS
