"""Arms over several splits of train and test: means, and which differences are more than chance.

Scores of splits are not independent: their training rows overlap. The variance of a mean over k
splits is therefore not s²/k but (1/k + n_test/n_train) s²: the corrected resampled t test of Nadeau
and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003. For folds, whose
tests are disjoint, it is the same with n_test/n_train = 1/(k - 1) (Bouckaert and Frank 2004).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from suite.contracts.splits import SplitArm, SplitPair

LEVEL = 0.05


@dataclass(frozen=True)
class Mean:
    """A mean over splits with its corrected standard error, and k - 1 degrees of freedom."""

    value: float
    error: float
    df: int

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """What covers it with probability 1 - level; up to 0 where the values don't vary, which
        says nothing of how far they would."""
        from scipy import stats

        if self.error == 0:
            return min(0.0, self.value), max(0.0, self.value)
        reach = float(stats.t.ppf(1 - level / 2, self.df)) * self.error
        return self.value - reach, self.value + reach

    def p(self) -> float:
        """Of the hypothesis that it is 0; 1 where the values don't vary."""
        from scipy import stats

        if self.error == 0:
            return 1.0
        return float(2 * stats.t.sf(abs(self.value) / self.error, self.df))


def corrected(values: Sequence[float], ratio: float) -> Mean:
    """The mean of one value a split.

    Args:
        values: at least two.
        ratio: test rows over training rows.
    """
    count = len(values)
    mean = math.fsum(values) / count
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    return Mean(mean, math.sqrt((1 / count + ratio) * variance), count - 1)


def over_splits(
    scores: Mapping[str, Sequence[float | None]],
    ratio: float,
    pooled: Mapping[str, float] | None = None,
    *,
    higher_is_better: bool = True,
    within: tuple[float, float] = (0.0, 1.0),
) -> tuple[list[SplitArm], list[SplitPair]]:
    """Arms by their mean, the best first, and all pairs of them.

    An interval of a pair covers with all others at once, and its p is the level at which it would
    just leave 0 out: 1 - (1 - p)^m over m pairs (Šidák). A pair needs two splits that have both.

    Args:
        scores: arm -> test score of each split; None where it has none.
        ratio: test rows over training rows.
        pooled: arm -> the score of all test answers together, where there is one.
        within: what a score can be, at least and at most; no arm's interval reaches beyond.
    """
    arms = []
    for arm, values in scores.items():
        given = [value for value in values if value is not None]
        if not given:
            continue
        mean = corrected(given, ratio) if len(given) > 1 else None
        arms.append(
            SplitArm(
                arm=arm,
                scores=list(values),
                mean=math.fsum(given) / len(given),
                deviation=_deviation(given),
                interval=None if mean is None or not mean.error else _cut(mean.interval(), *within),
                pooled=(pooled or {}).get(arm),
            )
        )
    arms.sort(key=lambda one: (-one.mean if higher_is_better else one.mean, one.arm))
    differences = {
        (a.arm, b.arm): [
            one - other
            for one, other in zip(a.scores, b.scores, strict=True)
            if one is not None and other is not None
        ]
        for a, b in combinations(arms, 2)
    }
    means = {pair: corrected(d, ratio) for pair, d in differences.items() if len(d) > 1}
    each = -math.expm1(math.log1p(-LEVEL) / len(means)) if means else LEVEL
    pairs = [
        SplitPair(
            a=a,
            b=b,
            difference=mean.value,
            interval=mean.interval(each),
            p=_of_all(mean.p(), len(means)),
            df=mean.df,
            splits=mean.df + 1,
        )
        for (a, b), mean in means.items()
    ]
    return arms, pairs


def _cut(interval: tuple[float, float], least: float, most: float) -> tuple[float, float]:
    return max(least, interval[0]), min(most, interval[1])


def _of_all(p: float, pairs: int) -> float:
    return 1.0 if p >= 1 else -math.expm1(pairs * math.log1p(-p))


def _deviation(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
