"""Which arm is best whatever the task: ranks over several tasks, and how much so few can tell.

Tasks are what is drawn: another study has other tasks, so intervals come from drawing these again.
An arm's win rate is the share of the others that it scores above, over the tasks; a tie is half.

Sources: Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", 2006 (average
ranks, Friedman's test as corrected by Iman and Davenport, Nemenyi's critical difference); so do
AMLB (Gijsbers et al., 2024: average ranks with critical differences) and TabArena (Erickson et
al., 2025: pairwise wins, bootstrap over data sets).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.verdict.interval import LEVEL

#: Below so many tasks nothing is said over tasks: a permutation of three orders happens by chance.
LEAST_TASKS = 5
#: Draws of the tasks.
RESAMPLES = 5000


@dataclass(frozen=True)
class OverTasks:
    """An arm over tasks: its mean rank (1 is best) and its win rate (0 to 1), each with the 95 %
    interval of other draws of these tasks."""

    average_rank: float
    rank_interval: tuple[float, float]
    win_rate: float
    win_interval: tuple[float, float]


def ranks_of_tasks(scores: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Each arm's rank on each task, 1 for the highest score; equal scores share the mean rank.

    Args:
        scores: arm -> its score on each task, the same tasks in the same order.

    >>> ranks_of_tasks({"a": [0.9, 0.8], "b": [0.9, 0.7], "c": [0.1, 0.9]})
    {'a': [1.5, 2.0], 'b': [1.5, 3.0], 'c': [3.0, 1.0]}
    """
    found: dict[str, list[float]] = {arm: [] for arm in scores}
    for column in zip(*scores.values(), strict=True):
        for arm, own in zip(scores, column, strict=True):
            above = sum(other > own for other in column)
            found[arm].append(1 + above + (column.count(own) - 1) / 2)
    return found


def average_ranks(scores: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Each arm's mean rank over tasks.

    >>> average_ranks({"a": [0.9, 0.8], "b": [0.9, 0.7], "c": [0.1, 0.9]})
    {'a': 1.75, 'b': 2.25, 'c': 2.0}
    """
    ranks = ranks_of_tasks(scores)
    return {arm: sum(own) / len(own) for arm, own in ranks.items() if own}


def over_tasks(
    scores: Mapping[str, Sequence[float]], *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, OverTasks]:
    """Every arm over these tasks; empty below `LEAST_TASKS` of them, and of a single arm.

    Args:
        scores: as of `ranks_of_tasks`.
        seed: of the draws.
        resamples: how many there are.
    """
    tasks = len(next(iter(scores.values()), ()))
    if tasks < LEAST_TASKS or len(scores) < 2:
        return {}
    ranks = np.array(list(ranks_of_tasks(scores).values()))
    drawn = np.random.default_rng(seed).integers(0, tasks, (resamples, tasks))
    counts = np.apply_along_axis(np.bincount, 1, drawn, minlength=tasks)
    means: NDArray[np.float64] = ranks @ counts.T / tasks
    lows, highs = np.quantile(means, (LEVEL / 2, 1 - LEVEL / 2), axis=1)

    def rate(rank: float) -> float:
        # A rank among k arms is 1 + the others above it: what is left of them it wins.
        return float((len(scores) - rank) / (len(scores) - 1))

    return {
        arm: OverTasks(
            float(own.mean()), (float(low), float(high)), rate(own.mean()), (rate(high), rate(low))
        )
        for arm, own, low, high in zip(scores, ranks, lows, highs, strict=True)
    }


@dataclass(frozen=True)
class RankTest:
    """Whether arms differ over tasks at all, and from which distance of average ranks two do.

    `p` is Friedman's test as corrected by Iman and Davenport; two arms whose average ranks are
    at least `critical_difference` apart differ at 5 % (Nemenyi).
    """

    statistic: float
    p: float
    critical_difference: float


def rank_test(scores: Mapping[str, Sequence[float]], level: float = LEVEL) -> RankTest | None:
    """Friedman's test over tasks; None with fewer than three arms or two tasks."""
    arms, tasks = len(scores), len(next(iter(scores.values()), ()))
    if arms < 3 or tasks < 2:
        return None
    from scipy import stats

    if len({tuple(column) for column in scores.values()}) == 1:
        statistic, p = 0.0, 1.0
    else:
        statistic = float(stats.friedmanchisquare(*scores.values()).statistic)
        room = tasks * (arms - 1) - statistic
        # Where every task orders the arms alike there is no room left, and F has no bound.
        corrected = (tasks - 1) * statistic / room if room > 1e-9 else np.inf
        p = float(stats.f.sf(corrected, arms - 1, (arms - 1) * (tasks - 1)))
    reach = float(stats.studentized_range.ppf(1 - level, arms, np.inf)) / 2**0.5
    return RankTest(statistic, p, reach * (arms * (arms + 1) / (6 * tasks)) ** 0.5)
