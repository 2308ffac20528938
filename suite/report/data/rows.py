"""Results as rows: who ranks where, what it cost, which arms no other arm beats on both counts.

This is the data behind every table, chart and file. It is computed here once and only drawn or
written elsewhere, so that the page, the Markdown and the CSV cannot disagree.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from suite.contracts.calibrated import Calibrated
from suite.contracts.lengths import ByLength
from suite.contracts.money import ArmMoney
from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import (
    Arm,
    Final,
    Holds,
    Published,
    Scores,
    StudyResults,
    TestScores,
    Trial,
)
from suite.contracts.space import Params
from suite.report import formats
from suite.report.words import Words
from suite.verdict.metrics import MACRO_F1, columns, merit_of
from suite.verdict.metrics import METRICS as SCORES
from suite.verdict.metrics import Metric as Score
from suite.verdict.standing import Basis, Place, Standing, standing

#: The phrases that mark an arm which does not keep the bounds, or may not: in short, at length.
BEYOND: dict[Holds, tuple[str, str]] = {
    "outside": ("flag_infeasible", "flag_infeasible_more"),
    "unsure": ("flag_unsure", "flag_unsure_more"),
}


@dataclass(frozen=True)
class LeaderboardRow:
    """An arm with a result. Scores lie in 0..1, times are seconds unless the name says `_ms`.

    `rank` is the claim: by test where finals exist, else by validation; None where this arm has
    no test score but others do. `tied_with` are the arms that share it. `rank_range` is the best
    and the worst rank that the verdicts leave it, and `may_be_best` whether it may be the best:
    None before finals, in finals from before that was told, and of an arm that is no more than one
    trained model (`about_arm` is False). `seed_scores` are the objective of each training.
    """

    arm: str
    model: str
    strategy: str
    family: str
    rank: int | None
    tied_with: tuple[str, ...]
    validation_macro_f1: float | None
    validation_accuracy: float | None
    test_macro_f1: float | None
    test_interval: tuple[float, float] | None
    test_accuracy: float | None
    train_seconds: float | None
    offline_rps: float | None
    offline_valid: bool
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    latency_valid: bool
    peak_memory_bytes: int | None
    parameters: float | None
    params: Params
    trial: int
    seeds: int
    trials: int
    complete: int
    pruned: int
    failed: int
    stale: bool
    contended: bool
    feasible: bool
    retired: str | None
    short: str | None
    others: dict[str, float] = field(default_factory=dict)
    """Metrics that have no field of their own, as `test_<key>` and `validation_<key>`."""
    objective: str = DEFAULT_OBJECTIVE
    """The metric that ranks; `test_interval` is of it."""
    macro_f1_interval: tuple[float, float] | None = None
    rank_range: tuple[int, int] | None = None
    may_be_best: bool | None = None
    about_arm: bool | None = None
    seed_scores: tuple[float, ...] = ()
    deterministic: bool = False
    refit: bool = False
    holds: Holds = "within"
    """Whether it keeps the bounds; `feasible` is that it does for certain."""
    offline_interval: tuple[float, float] | None = None
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """`test_<key>` -> the 95 % interval of that metric; no verdict is drawn from any but the
    objective's."""
    by_length: ByLength | None = None
    calibration: Calibrated | None = None
    unanswered: float | None = None
    """Share of the rows that the scores are of, test's or before finals validation's, which were
    not answered, over all trainings; None where that was not kept."""
    chosen_among: int | None = None
    """Complete trials among which the arm's best was chosen; None where the study was searched on
    since and nobody wrote it down."""
    training_cost: float | None = None
    search_cost: float | None = None
    """Of all its trials; as the others, in `Money.currency`, None where it is not known."""
    cost_per_million: float | None = None
    """Of a million texts at the measured speed, or by what its server takes."""
    cost_per_million_interval: tuple[float, float] | None = None
    steered: float | None = None
    """Share of answers that injected instructions turned into the class that they name; None where
    `suite stress` did not ask."""
    steered_interval: tuple[float, float] | None = None

    @property
    def beyond(self) -> tuple[str, str] | None:
        """The phrases that mark it where it does not keep the bounds for certain."""
        return BEYOND.get(self.holds)

    @property
    def test_score(self) -> float | None:
        """By the objective on test."""
        return METRICS[f"test_{self.objective}"].of(self)

    @property
    def validation_score(self) -> float | None:
        """By the objective on validation."""
        return METRICS[f"validation_{self.objective}"].of(self)


@dataclass(frozen=True)
class Leaderboard:
    """The rows by rank, and the standing they show, by an objective."""

    standing: Standing
    rows: tuple[LeaderboardRow, ...]
    objective: Score = MACRO_F1

    @property
    def basis(self) -> Basis:
        """What the ranks rest on."""
        return self.standing.basis

    @property
    def score(self) -> Metric:
        """The metric that ranks: the objective on test, or on validation before the finals."""
        return METRICS[f"{self.split}_{self.objective.key}"]

    @property
    def split(self) -> Literal["test", "validation"]:
        """Where the scores that rank come from."""
        return "test" if self.basis == "test" else "validation"

    @property
    def further(self) -> tuple[Metric, ...]:
        """The other metrics on that split."""
        return tuple(METRICS[f"{self.split}_{m.key}"] for m in columns(self.objective)[1:])

    @property
    def ranks(self) -> str:
        """How ranks are to be read: as ranges, as single ranks on test, or on validation."""
        return "ranges" if self.ranged else self.basis

    @property
    def ranged(self) -> bool:
        """Whether ranks are ranges: the finals tell of trainings, not of one checkpoint each."""
        return any(row.about_arm is not None for row in self.rows)

    def place(self, row: LeaderboardRow) -> str:
        """A row's rank as tables show it: `1–3`, or `1=` where ranks are none but shared."""
        if not self.ranged:
            shared = "=" if row.tied_with else ""
            return formats.MISSING if row.rank is None else f"{row.rank}{shared}"
        low, high = row.rank_range or (None, None)
        if low is None:
            return formats.MISSING
        return str(low) if low == high else f"{low}–{high}"

    @property
    def contenders(self) -> list[LeaderboardRow]:
        """The arms that are chosen among, best score first."""
        rows = {row.arm: row for row in self.rows}
        return [rows[arm] for arm in self.standing.contenders]

    def row(self, arm: str) -> LeaderboardRow | None:
        """An arm's row, or None."""
        return next((row for row in self.rows if row.arm == arm), None)


@dataclass(frozen=True)
class Metric:
    """A column as data: where its value is, its unit, and which way is up.

    `key` names the `LeaderboardRow` field, or one of `others`; `Words.column` has the label.
    """

    key: str
    unit: Literal["", "texts/s", "s", "ms", "bytes", "parameters"]
    higher_is_better: bool
    log: bool = False

    def of(self, row: LeaderboardRow) -> float | None:
        """The row's value; None where it is missing or not a finite number."""
        value = getattr(row, self.key, row.others.get(self.key))
        return float(value) if value is not None and math.isfinite(value) else None

    def merit(self, value: float) -> float:
        """A value of it as a number of which the higher is the better one."""
        return value if self.higher_is_better else -value


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        *(
            Metric(f"{split}_{score.key}", "", score.higher_is_better)
            for split in ("test", "validation")
            for score in SCORES.values()
        ),
        Metric("train_seconds", "s", higher_is_better=False, log=True),
        Metric("offline_rps", "texts/s", higher_is_better=True, log=True),
        Metric("p50_ms", "ms", higher_is_better=False, log=True),
        Metric("p90_ms", "ms", higher_is_better=False, log=True),
        Metric("p99_ms", "ms", higher_is_better=False, log=True),
        Metric("peak_memory_bytes", "bytes", higher_is_better=False, log=True),
        Metric("parameters", "parameters", higher_is_better=False, log=True),
        Metric("steered", "", higher_is_better=False),
    )
}


@dataclass(frozen=True)
class References:
    """Published numbers: those that may be drawn, and those that only stand in a footnote."""

    drawable: tuple[Published, ...]
    footnotes: tuple[Published, ...]


def leaderboard(results: StudyResults) -> Leaderboard:
    """Every arm that has a complete trial or a test score, best first."""
    counts = trial_counts(results.trials)
    facts = {arm.arm: arm for arm in results.arms}
    found = standing(results)
    costs = {arm.arm: arm for arm in results.money.arms} if results.money else {}
    rows = (
        _row(place, facts.get(place.arm), counts[place.arm], costs.get(place.arm))
        for place in found.places
    )
    return Leaderboard(found, tuple(rows), SCORES[results.objective])


def beyond_of(board: Leaderboard, arm: str, words: Words) -> str:
    """The mark of an arm that does not keep the bounds for certain; empty where it does."""
    row = board.row(arm)
    return words(row.beyond[0]) if row is not None and row.beyond else ""


def silence_of(row: LeaderboardRow, words: Words) -> str:
    """The mark of an arm that left rows without an answer; empty where it answered all."""
    return words("flag_unanswered", share=formats.percent(row.unanswered)) if row.unanswered else ""


def trial_counts(trials: Sequence[Trial]) -> dict[str, Counter[str]]:
    """Arm -> state -> number of trials; a missing arm counts nothing."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for trial in trials:
        counts[trial.arm][trial.state] += 1
    return counts


def last_score(trial: Trial) -> float | None:
    """A trial's score on validation; of one that did not end, its best checkpoint's."""
    if trial.score is not None:
        return trial.score
    best = max(trial.checkpoints, key=merit_of, default=None)
    return best.score if best else None


def pareto_front(rows: Sequence[LeaderboardRow], x: Metric, y: Metric) -> tuple[str, ...]:
    """The arms that no other arm equals or beats on both metrics and beats on one, by rising x.

    Rows that lack either figure take no part, nor do those that don't keep the bounds for certain.
    """
    points = {
        row.arm: (across, above)
        for row in rows
        if row.feasible and (across := x.of(row)) is not None and (above := y.of(row)) is not None
    }
    oriented = {arm: (x.merit(a), y.merit(b)) for arm, (a, b) in points.items()}
    front = [
        arm
        for arm, (a, b) in oriented.items()
        if not any(c >= a and d >= b and (c, d) != (a, b) for c, d in oriented.values())
    ]
    return tuple(sorted(front, key=lambda arm: (points[arm], arm)))


def extreme(rows: Sequence[LeaderboardRow], metric: Metric) -> LeaderboardRow | None:
    """The row best by a metric; None where no row has it."""
    having = [(value, row) for row in rows if (value := metric.of(row)) is not None]
    if not having:
        return None
    return max(having, key=lambda pair: metric.merit(pair[0]))[1]


def references(results: StudyResults) -> References:
    """Published numbers split by whether their data and training size match ours."""
    return References(
        drawable=tuple(r for r in results.references if r.differs is None),
        footnotes=tuple(r for r in results.references if r.differs is not None),
    )


def bounds_of(results: StudyResults) -> dict[str, float]:
    """The bounds that were set."""
    return {name: value for name, value in results.bounds.items() if value is not None}


def _unanswered(scores: Scores | TestScores | None) -> float | None:
    if scores is None or not scores.unanswered:
        return None
    silent = sum(scores.unanswered)
    return silent / ((sum(map(sum, scores.confusion)) + silent) or 1)


def _row(
    place: Place, arm: Arm | None, counts: Counter[str], cost: ArmMoney | None
) -> LeaderboardRow:
    model, _, strategy = place.arm.partition("/")
    trial, final, rps = place.trial, place.final, place.rps
    contended = bool(rps and rps.contended)
    if trial is not None and (final is None or final.train_seconds is None):
        # The finals measure alone: only what they did not measure again can still be contended.
        contended = contended or trial.contended
    validation = place.validation
    scores = {"test": final.test if final else None, "validation": validation}
    named = {
        f"{split}_{m.key}": m.of(found) for split, found in scores.items() for m in SCORES.values()
    }
    own = LeaderboardRow.__dataclass_fields__
    counted = trial.circumstances.get("parameters") if trial else None
    single = rps.single_stream if rps else None
    return LeaderboardRow(
        arm=place.arm,
        model=model,
        strategy=strategy,
        family=arm.family if arm else "",
        rank=place.rank,
        tied_with=place.tied_with,
        validation_macro_f1=named["validation_macro_f1"],
        validation_accuracy=named["validation_accuracy"],
        test_macro_f1=named["test_macro_f1"],
        test_interval=final.test.interval if final else None,
        test_accuracy=named["test_accuracy"],
        train_seconds=place.train_seconds,
        offline_rps=rps.offline_per_second if rps else None,
        offline_valid=rps.valid if rps else True,
        p50_ms=single.p50_ms if single else None,
        p90_ms=single.p90_ms if single else None,
        p99_ms=single.p99_ms if single else None,
        latency_valid=single.valid if single else True,
        peak_memory_bytes=trial.peak_memory_bytes if trial else None,
        parameters=(
            float(counted)
            if isinstance(counted, int | float) and not isinstance(counted, bool)
            else None
        ),
        params=dict(trial.params) if trial else {},
        trial=place.number,
        seeds=final.seeds if final else 1,
        trials=counts["COMPLETE"] + counts["PRUNED"] + counts["FAIL"],
        complete=counts["COMPLETE"],
        pruned=counts["PRUNED"],
        failed=counts["FAIL"],
        stale=final.stale if final else False,
        contended=contended,
        feasible=place.within,
        holds=place.holds,
        offline_interval=rps.offline_interval if rps else None,
        retired=arm.retired if arm else None,
        short=arm.short if arm else None,
        objective=place.objective.key,
        macro_f1_interval=final.test.macro_f1_interval if final else None,
        others={k: value for k, value in named.items() if k not in own and value is not None},
        rank_range=final.rank_range if final else None,
        may_be_best=final.may_be_best if final else None,
        about_arm=final.about_arm if final and final.seed_scores else None,
        seed_scores=tuple(final.seed_scores) if final else (),
        deterministic=bool(final and final.deterministic),
        refit=bool(final and final.refit),
        unanswered=_unanswered(final.test if final else validation),
        intervals={f"test_{k}": own for k, own in final.test.intervals.items()} if final else {},
        by_length=final.by_length if final else None,
        calibration=final.calibration if final else None,
        chosen_among=_chosen_among(final, counts["COMPLETE"]),
        training_cost=cost.training.value if cost and cost.training else None,
        search_cost=cost.search if cost else None,
        cost_per_million=cost.per_million.value if cost and cost.per_million else None,
        cost_per_million_interval=(
            cost.per_million.interval if cost and cost.per_million else None
        ),
        steered=place.steered.value if place.steered else None,
        steered_interval=(place.steered.low, place.steered.high) if place.steered else None,
    )


def _chosen_among(final: Final | None, complete: int) -> int | None:
    """Among how many trials the best was chosen that a row is of.

    Args:
        complete: trials of the arm that are complete now.
    """
    if final is not None and final.chosen_among is not None:
        return final.chosen_among
    return None if final is not None and final.stale else complete
