"""Where the arms of a study stand: which trial speaks for an arm, which arms are within the
bounds, which is best, and which one to take.

One pure function over results, asked by page, terminal, JSON, `best`, `predict`, `export` and
`serve`: no two of them can name different arms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from suite.contracts.measured import Measured
from suite.contracts.results import (
    Comparison,
    Final,
    Holds,
    Reason,
    Scores,
    StudyResults,
    TestScores,
    Trial,
    Verdict,
)
from suite.contracts.speeds import Rps
from suite.verdict import metrics, speeds
from suite.verdict.interval import LEVEL
from suite.verdict.metrics import MACRO_F1, METRICS, Metric

Basis = Literal["test", "validation", "none"]

#: Scores are differences of binary fractions: .91 less .90 is a little more than .01.
ROUNDING = 1e-9

_WORSE: tuple[Holds, ...] = ("within", "unsure", "outside")


@dataclass(frozen=True)
class Place:
    """An arm and the one trial that speaks for it: the one that the finals scored, else its best.

    `rank` is by test where finals exist, else by validation; None where this arm has no test
    score but others do. `tied_with` are the arms that share it. `train_seconds` and `rps` are the
    finals', where these measured them, else the trial's; `holds` is whether they keep the bounds.
    `validation` are the trial's scores on validation; of one that was scored over folds, those on
    the first of them where it stands beside arms that were not, else those of all.
    """

    arm: str
    trial: Trial | None
    final: Final | None
    rank: int | None
    tied_with: tuple[str, ...]
    train_seconds: float | None
    rps: Rps | None
    holds: Holds
    validation: Scores | None = None
    objective: Metric = MACRO_F1
    steered: Measured | None = None
    """Share of answers that injected instructions turned into what they name, where asked."""

    @property
    def within(self) -> bool:
        """Whether it keeps the bounds for certain."""
        return self.holds == "within"

    @property
    def number(self) -> int:
        """That trial's number, also where the trial itself is not among the results."""
        return self.final.trial if self.final else self.trial.number if self.trial else -1

    @property
    def score(self) -> float:
        """By the objective on test, or on validation where the arm has no final."""
        if self.final is not None:
            return self.final.test.score
        return self.validation.score if self.validation else 0.0

    @property
    def merit(self) -> float:
        """The score as a number of which the higher is the better one."""
        return self.objective.merit(self.score)


@dataclass(frozen=True)
class Standing:
    """The arms that have a result, best rank first, and what follows for whoever wants one.

    `basis` is what ranks rest on. `contenders` are the ranked arms within the bounds (where there
    are none, those that may be; else all ranked arms), best score first; `leaders` are those among
    them that none of them significantly beats. `verdict` is None where nothing has finished.
    """

    basis: Basis
    places: tuple[Place, ...]
    contenders: tuple[str, ...]
    leaders: tuple[str, ...]
    verdict: Verdict | None
    comparisons: Mapping[frozenset[str], Comparison]

    def place(self, arm: str) -> Place:
        """An arm's place, by its name."""
        return next(place for place in self.places if place.arm == arm)

    def p(self, one: str, other: str) -> float | None:
        """The adjusted p-value of two arms' difference on test, where they were compared."""
        found = self.comparisons.get(frozenset((one, other)))
        return found.p if found else None

    def beats(self, one: str, other: str) -> bool:
        """Whether an arm's lead over another on test is more than chance."""
        return _beats(self.place(one), self.place(other), self.comparisons)

    def speed_ratio(self, one: str, other: str) -> speeds.Ratio | None:
        """How many times as fast an arm serves as another; None where nothing is known of it."""
        return speeds.ratio(self.place(one).rps, self.place(other).rps)

    def times_as_fast(self, one: str, other: str) -> float | None:
        """How many times as fast an arm serves as another; None where that can be chance."""
        found = self.speed_ratio(one, other)
        return found.value if found is not None and found.parts else None


def merit(trial: Trial) -> tuple[bool, float]:
    """What trials of one arm are chosen by: within the bounds first, then the score that counts."""
    return trial.feasible, _merit(trial.validation)


def best_trial(trials: Iterable[Trial]) -> Trial | None:
    """The trial that speaks for an arm before finals, and whose checkpoint is kept.

    Args:
        trials: of one arm; those that did not complete take no part, of equals the first wins.
    """
    done = (trial for trial in trials if trial.state == "COMPLETE" and trial.validation)
    return max(done, key=lambda trial: (*merit(trial), -trial.number), default=None)


def excess(
    bounds: Mapping[str, float | None], train_seconds: float | None, rps: Rps | None
) -> dict[str, float]:
    """By how much figures miss each bound that is set: 0 and below is within it.

    What is not known is not held against them.
    """
    found: dict[str, float] = {}
    longest, slowest = bounds.get("max_train_seconds"), bounds.get("min_rps")
    if longest is not None:
        found["max_train_seconds"] = 0.0 if train_seconds is None else train_seconds - longest
    if slowest is not None:
        offline = rps.offline_per_second if rps else None
        found["min_rps"] = 0.0 if offline is None else slowest - offline
    return found


def holds(
    bounds: Mapping[str, float | None],
    train_seconds: float | None,
    rps: Rps | None,
    trainings: Sequence[float] = (),
    steered: Measured | None = None,
) -> Holds:
    """Whether figures keep every bound that is set; the worst of them decides.

    A speed that was measured in rounds keeps a bound where its whole interval does, and misses it
    where none of it does: between, and where nothing was measured, it may not hold. So does the
    time of several trainings, and the share of answers that instructions steer.

    Args:
        trainings: seconds of each, where there are several.
        steered: that share; None where it was not asked.
    """
    longest, slowest = bounds.get("max_train_seconds"), bounds.get("min_rps")
    found: list[Holds] = []
    if longest is not None:
        low, high = speeds.training(train_seconds, trainings)
        found.append("within" if high <= longest else "outside" if low > longest else "unsure")
    if slowest is not None:
        low, high = speeds.reach(rps)
        found.append("within" if low >= slowest else "outside" if high < slowest else "unsure")
    most = bounds.get("max_flips")
    if most is not None:
        low, high = (0.0, 1.0) if steered is None else (steered.low, steered.high)
        found.append("within" if high <= most else "outside" if low > most else "unsure")
    return max(found, key=_WORSE.index, default="within")


def best_first(final: Final) -> tuple[int, float]:
    """The order of finals."""
    return final.rank, -_merit(final.test)


def standing(results: StudyResults) -> Standing:
    """Where the arms of a study stand."""
    comparisons = {frozenset((c.a, c.b)): c for c in results.comparisons}
    places = _places(results)
    ranked = [place for place in places if place.rank is not None]
    ways = ([p for p in ranked if p.holds == state] for state in _WORSE)
    among = sorted(next(filter(None, ways), []), key=lambda place: -place.merit)
    leaders = among[:1]
    if results.finals:
        leaders = [a for a in among if not any(_beats(b, a, comparisons) for b in among)]
    return Standing(
        basis="test" if results.finals else "validation" if places else "none",
        places=tuple(places),
        contenders=tuple(place.arm for place in among),
        leaders=tuple(place.arm for place in leaders),
        verdict=_verdict(among, results.margin, comparisons) if among else None,
        comparisons=comparisons,
    )


def _places(results: StudyResults) -> list[Place]:
    trials: dict[str, list[Trial]] = defaultdict(list)
    for trial in results.trials:
        trials[trial.arm].append(trial)
    finals = {final.arm: final for final in results.finals}
    speaking: dict[str, Trial | None] = {}
    for arm in dict.fromkeys([*(a.arm for a in results.arms), *trials, *finals]):
        final = finals.get(arm)
        if final is not None:
            speaking[arm] = next((t for t in trials[arm] if t.number == final.trial), None)
        elif (best := best_trial(trials[arm])) is not None:
            speaking[arm] = best
    ranks = {arm: final.rank for arm, final in finals.items()}
    mixed = len({trial.folds > 0 for trial in speaking.values() if trial}) > 1
    validated = {arm: _validated(trial, alone=mixed) for arm, trial in speaking.items()}
    if not finals:
        scores = {arm: _merit(found) for arm, found in validated.items()}
        above = {own: sum(other > own for other in scores.values()) for own in scores.values()}
        ranks = {arm: 1 + above[own] for arm, own in scores.items()}
    objective = METRICS[results.objective]
    bounds = results.bounds
    steered = {one.arm: one.steered for one in results.stress}
    places = [
        _place(arm, trial, finals.get(arm), ranks, bounds, validated[arm], objective, steered)
        for arm, trial in speaking.items()
    ]

    # A range of ranks orders nothing: then the score does.
    ranged = any(final.seed_scores for final in results.finals)

    def order(place: Place) -> tuple[bool, int, float, float, str]:
        rank, validation = place.rank, _merit(place.validation)
        above = 0 if ranged else rank or 0
        return rank is None, above, -place.merit, -validation, place.arm

    return sorted(places, key=order)


def _validated(trial: Trial | None, *, alone: bool) -> Scores | None:
    """A trial's scores on validation.

    Args:
        alone: on validation alone, where it was scored over folds.
    """
    if trial is None:
        return None
    return (trial.first_fold if alone else None) or trial.validation


def _merit(scores: Scores | TestScores | None) -> float:
    """A score as a number of which the higher is the better one; where there is none, the least."""
    return -inf if scores is None else metrics.merit_of(scores)


def _place(
    arm: str,
    trial: Trial | None,
    final: Final | None,
    ranks: Mapping[str, int],
    bounds: Mapping[str, float | None],
    validation: Scores | None,
    objective: Metric,
    steered: Mapping[str, Measured | None],
) -> Place:
    rank = ranks.get(arm)
    rps = (final.rps if final else None) or (trial.rps if trial else None)
    seconds = final.train_seconds if final else None
    if seconds is None and trial is not None:
        seconds = trial.train_seconds
    return Place(
        arm=arm,
        trial=trial,
        final=final,
        rank=rank,
        tied_with=tuple(a for a, other in ranks.items() if other == rank and a != arm),
        train_seconds=seconds,
        rps=rps,
        holds=holds(
            bounds, seconds, rps, final.seed_train_seconds if final else (), steered.get(arm)
        ),
        validation=validation,
        steered=steered.get(arm),
        objective=objective,
    )


def _beats(one: Place, other: Place, comparisons: Mapping[frozenset[str], Comparison]) -> bool:
    """The paired tests decide; a pair they do not hold is decided by the ranks, which rest on
    the same tests."""
    if one.final is None or other.final is None or one.merit <= other.merit:
        return False
    pair = comparisons.get(frozenset((one.arm, other.arm)))
    return pair.p < LEVEL if pair else one.final.rank < other.final.rank


def _verdict(
    among: Sequence[Place], margin: float, comparisons: Mapping[frozenset[str], Comparison]
) -> Verdict:
    """What to take among arms, best score first."""
    best = taken = among[0]
    reason: Reason = "cheapest"
    if best.final is None:
        reason = "no_finals"
    elif not best.final.about_arm:
        reason = "one_training"
    else:
        rivals = [
            rival
            for rival in among
            if rival.final is not None
            and rival.final.about_arm
            and best.merit - rival.merit <= margin + ROUNDING
            and not _beats(best, rival, comparisons)
        ]
        quickest = max(rivals, key=_served)
        # What serves as fast as far as anybody can tell costs the same: the better score decides.
        taken = next(rival for rival in rivals if rival is quickest or _as_fast(rival, quickest))
        if not _served(quickest):
            reason, taken = "no_speed", best
    pair = comparisons.get(frozenset((best.arm, taken.arm)))
    below = 0.0 if taken is best else None
    if pair is not None:
        # Of losses the lower one leads.
        first = (pair.a == best.arm) == best.objective.higher_is_better
        below = pair.interval[1] if first else -pair.interval[0]
    return Verdict(
        best=best.arm,
        recommended=taken.arm,
        reason=reason,
        of="arms" if reason == "cheapest" else "trained models",
        margin=margin,
        could_be_below_by=below,
        within_bounds=best.within,
    )


def _as_fast(one: Place, other: Place) -> bool:
    """Whether two arms of the finals that were measured in rounds can't be told apart in speed."""
    if one.final is None or other.final is None:
        return False
    found = speeds.ratio(one.final.rps, other.final.rps)
    return found is not None and not found.parts


def _served(place: Place) -> float:
    """Texts per second Offline in the finals; 0 where not measured, as of most that are asked.

    Nothing here knows what a request costs, so an arm that is asked comes after all measured.
    """
    rps = place.final.rps if place.final else None
    return (rps.offline_per_second if rps else None) or 0.0
