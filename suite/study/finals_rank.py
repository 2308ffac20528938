"""From what the models of finals answered to finals: who beats whom, and what each claims.

An arm that was trained once though its training is random is no more than that trained model: what
it is compared with, it is compared with as one, and it has no range of ranks. A pair of which only
one was trained on validation, too, is not compared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Protocol

import numpy as np

from suite.contracts.combination import Combination
from suite.contracts.measured import Measured
from suite.contracts.results import (
    ClassScores,
    Comparison,
    Final,
    KindSpread,
    Objective,
    Scores,
    TestScores,
)
from suite.contracts.speeds import Rps
from suite.study.finals_plan import Way
from suite.study.trainings_record import Training
from suite.verdict import losses
from suite.verdict.comparison import Findings, compare
from suite.verdict.interval import LEVEL, Interval
from suite.verdict.metrics import MACRO_F1, METRICS, Metric
from suite.verdict.ranks import ranges
from suite.verdict.standing import best_first
from suite.verdict.unjudged import OfClass, of_class, of_metrics


class Entry(Protocol):
    """Who is ranked: an arm that was trained, or a combination of some."""

    @property
    def name(self) -> str:
        """The arm's."""
        ...

    @property
    def number(self) -> int:
        """The trial's that its models have their hyperparameters of."""
        ...

    @property
    def way(self) -> Way:
        """How it came through the finals."""
        ...

    @property
    def trainings(self) -> Sequence[Training]:
        """What its models answered."""
        ...

    @property
    def refit(self) -> bool:
        """Whether they were trained on validation, too."""
        ...

    @property
    def about_arm(self) -> bool:
        """Whether its score says something of the arm, and not of one trained model alone."""
        ...

    @property
    def short(self) -> str | None:
        """Why it has one training though its training is random."""
        ...

    @property
    def combination(self) -> Combination | None:
        """What it is made of, where it was not trained."""
        ...


def ranked(
    contestants: Sequence[Entry],
    labels: Sequence[int],
    classes: int,
    *,
    objective: Metric,
    wanted_refit: bool,
    seed: int,
    looks: int,
    speeds: Mapping[str, Rps | None],
    spreads: Mapping[str, KindSpread],
) -> tuple[list[Final], list[Comparison]]:
    """Finals, the best first, and the comparisons of their arms.

    Args:
        labels: class index of each test row.
        classes: how many there are.
        objective: that arms are ranked by.
        wanted_refit: whether validation was to be trained on.
        seed: of what is drawn.
        looks: how often test scores were looked at, this time included.
        speeds: arm -> the speed of its model.
        spreads: arm -> how far trainings of its kind lie apart.
    """
    answers = {one.name: [t.predictions for t in one.trainings] for one in contestants}
    fixed = {one.name for one in contestants if one.way.deterministic}
    found = _compared(contestants, labels, classes, objective, fixed, seed)
    further = of_metrics(labels, answers, classes, METRICS.values(), fixed)
    if objective.key not in further:
        further[objective.key] = {
            arm: replace(own, value=objective.merit(own.value), low=ends[0], high=ends[1])
            for arm, own in found.intervals.items()
            for ends in [_own(objective, own.low, own.high)]
        }
    by_class = [of_class(labels, answers, index, fixed) for index in range(classes)]
    named = {one.name: one for one in contestants}
    comparisons = [
        Comparison(
            a=d.a,
            b=d.b,
            difference=objective.merit(d.value),
            interval=_own(objective, d.low, d.high),
            p=d.p,
            df=d.df,
            row_variance=d.row_variance,
            seed_variance=d.seed_variance,
            looks=looks,
            of=d.of,
        )
        for d in found.differences
        if _may(named[d.a], named[d.b])
    ]
    finals = []
    for one in contestants:
        low, high = _range(one, contestants, comparisons, objective)
        arm, trainings = one.name, one.trainings
        seconds = [t.train_seconds for t in trainings if t.train_seconds is not None]
        finals.append(
            Final(
                arm=arm,
                trial=one.number,
                seeds=len(trainings),
                stale=False,
                rank=low,
                test=_scores(
                    [t.scores for t in trainings],
                    objective,
                    {key: of[arm] for key, of in further.items()},
                    [of[arm] for of in by_class],
                ),
                train_seconds=fmean(seconds) if seconds else None,
                seed_train_seconds=seconds,
                rps=speeds.get(arm),
                ties=sorted(_ties(arm, comparisons, objective)),
                rank_range=(low, high) if one.about_arm else None,
                may_be_best=low == 1 if one.about_arm else None,
                seed_scores=[objective.merit(value) for value in found.scores[arm]],
                deterministic=one.way.deterministic,
                refit=one.refit or (wanted_refit and not one.way.learns),
                looks=looks,
                short=one.short,
                spread_of_kind=None if one.about_arm else spreads.get(arm),
                combined=one.combination,
            )
        )
    finals.sort(key=best_first)
    return finals, comparisons


def _compared(
    contestants: Sequence[Entry],
    labels: Sequence[int],
    classes: int,
    objective: Metric,
    fixed: Collection[str],
    seed: int,
) -> Findings:
    """The arms compared by the objective; of one of which less is better, by its negative."""
    if objective.of_confusion is not None:
        answers = {one.name: [t.predictions for t in one.trainings] for one in contestants}
        return compare(
            labels,
            answers,
            classes,
            deterministic=fixed,
            score=objective.of_confusion,
            bounds=objective.bounds,
            seed=seed,
        )
    # Of which less is better: of a metric of which more is, its negative.
    sign = -1 if objective.higher_is_better else 1
    low, high = sorted(sign * end for end in objective.bounds)
    return losses.compare(
        {one.name: [sign * np.array(t.losses or []) for t in one.trainings] for one in contestants},
        {one.name: [sign * t.scores.score for t in one.trainings] for one in contestants},
        bounds=(low, high),
        deterministic=fixed,
        seed=seed,
    )


def _own(objective: Metric, low: float, high: float) -> tuple[float, float]:
    """An interval of what was compared, in the objective's own sign."""
    return (low, high) if objective.higher_is_better else (-high, -low)


def _may(one: Entry, other: Entry) -> bool:
    """Whether they may be compared: both were trained on validation, too, or neither was, or one
    learns from no rows."""
    return one.refit == other.refit or not (one.way.learns and other.way.learns)


def _range(
    one: Entry,
    contestants: Sequence[Entry],
    comparisons: Sequence[Comparison],
    objective: Metric,
) -> tuple[int, int]:
    """The best and the worst rank it may have: of an arm among arms, of what is no more than a
    trained model among all."""
    among = [other.name for other in contestants if other.about_arm or not one.about_arm]
    pairs = [c for c in comparisons if {c.a, c.b} <= set(among)]
    won = [(_winner(c, objective), c) for c in pairs]
    wins = [(winner, c.b if winner == c.a else c.a) for winner, c in won if winner]
    return ranges(among, wins)[one.name]


def _winner(pair: Comparison, objective: Metric) -> str | None:
    """The better one, where the difference is more than chance."""
    if pair.p >= LEVEL or not pair.difference:
        return None
    return pair.a if objective.merit(pair.difference) > 0 else pair.b


def _ties(arm: str, comparisons: Sequence[Comparison], objective: Metric) -> set[str]:
    """The arms whose difference from it could be chance."""
    return {
        pair.b if pair.a == arm else pair.a
        for pair in comparisons
        if arm in (pair.a, pair.b) and _winner(pair, objective) is None
    }


def _scores(
    scores: Sequence[Scores],
    objective: Metric,
    intervals: Mapping[str, Interval],
    by_class: Sequence[OfClass],
) -> TestScores:
    """Mean scores over seeds; the confusion matrix is their sum.

    Args:
        intervals: of each metric that has one, by its key; the objective's and macro-F1's are.
        by_class: of each class.
    """
    means = {key: fmean(metric.of(s) or 0.0 for s in scores) for key, metric in METRICS.items()}
    first = scores[0]
    classes = range(len(first.per_class_f1))
    summed: list[list[int]] = [
        [sum(s.confusion[i][j] for s in scores) for j in classes] for i in classes
    ]
    told = {key: (interval.low, interval.high) for key, interval in intervals.items()}
    return TestScores(
        macro_f1=intervals[MACRO_F1.key].value,
        accuracy=means["accuracy"],
        macro_f1_interval=told[MACRO_F1.key],
        precision=means["precision"],
        recall=means["recall"],
        per_class_f1=[sum(s.per_class_f1[i] for s in scores) / len(scores) for i in classes],
        confusion=summed,
        others={key: means[key] for key in first.others},
        unanswered=[sum(s.unanswered[i] for s in scores) for i in range(len(first.unanswered))],
        objective=Objective(objective.key, intervals[objective.key].value),
        objective_interval=told[objective.key],
        intervals=told,
        per_class=[
            ClassScores(_measured(one.f1), _measured(one.precision), _measured(one.recall))
            for one in by_class
        ],
    )


def _measured(interval: Interval | None) -> Measured | None:
    return None if interval is None else Measured(interval.value, interval.low, interval.high)
