"""Every sentence of a page against the table it stands over.

Pages of drawn studies are written with words that remember what they were asked to say: each
sentence is then a phrase's key with its named values. Each value is worked out here once more, from
the results or from the cells of the page's own leaderboard, by other code than the page's; a
sentence that nobody checks fails, and so does a number on the page that belongs to no sentence.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import pytest
from drawn_studies import several_studies, studies
from hypothesis import HealthCheck, given, settings
from scipy import stats

from suite.contracts.results import Comparison, Final, StudyResults, Trial
from suite.contracts.speeds import Rps
from suite.report import formats
from suite.report.data.across import across
from suite.report.pages.across_answer import across_answer
from suite.report.pages.page import render_page
from suite.report.words import Words

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True)
class Statement:
    """What was asked of the words, and what they said."""

    key: str
    values: dict[str, Any]
    said: str


@dataclass(frozen=True)
class Heard(Words):
    """Words that remember their statements."""

    statements: list[Statement] = field(default_factory=list)

    def __call__(self, key: str, **values: str | int) -> str:
        said = super().__call__(key, **values)
        self.statements.append(Statement(key, values, said))
        return said


def numbers(text: str) -> list[str]:
    return NUMBER.findall(text)


def plain(markup: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))).strip()


@dataclass(frozen=True)
class Figures:
    """An arm's figures, straight from the results."""

    score: float
    accuracy: float
    interval: tuple[float, float] | None
    seconds: float | None
    rate: float | None
    within: bool
    ranked: bool
    rps: Rps | None
    unsure: bool


def best_of(results: StudyResults, arm: str) -> Trial:
    done = [t for t in results.trials if t.arm == arm and t.state == "COMPLETE"]
    return max(done, key=lambda t: (t.validation.macro_f1, -t.number))


def figures(results: StudyResults) -> dict[str, Figures]:
    finals = {final.arm: final for final in results.finals}
    found = {}
    for arm in [a.arm for a in results.arms if a.refused is None]:
        final: Final | None = finals.get(arm)
        own = results.trials[final.trial] if final else best_of(results, arm)
        rps = (final.rps if final else None) or own.rps
        seconds = final.train_seconds if final else None
        seconds = own.train_seconds if seconds is None else seconds
        rate = rps.offline_per_second if rps else None
        slow = rate is not None and rate < (results.bounds.get("min_rps") or 0.0)
        long = seconds is not None and seconds > (results.bounds.get("max_train_seconds") or 1e99)
        blind = rate is None and results.bounds.get("min_rps") is not None
        blind |= seconds is None and results.bounds.get("max_train_seconds") is not None
        scores = final.test if final else own.validation
        found[arm] = Figures(
            scores.macro_f1, scores.accuracy, final.test.macro_f1_interval if final else None,
            seconds, rate, not slow and not long and not blind, final is not None or not finals,
            rps, not slow and not long and blind,
        )  # fmt: skip
    return found


@dataclass
class Checker:
    """A page's statements against its results and its leaderboard."""

    results: StudyResults
    words: Heard
    cells: dict[str, dict[str, str]]
    taken: str = ""

    def __post_init__(self) -> None:
        self.arms = figures(self.results)
        ranked = {arm: own for arm, own in self.arms.items() if own.ranked}
        within = {arm: own for arm, own in ranked.items() if own.within}
        unsure = {arm: own for arm, own in ranked.items() if own.unsure}
        self.among = within or unsure or ranked
        self.top = max((own.score for own in self.among.values()), default=0.0)
        self.pairs = {frozenset((c.a, c.b)): c for c in self.results.comparisons}
        takes = [s for s in self.words.statements if s.key in ("take", "take_for_now")]
        self.taken = takes[0].values["arm"] if takes else ""

    # What a sentence may claim.

    def cell(self, arm: str, column: str, told: str) -> None:
        """A number of a sentence is the one of the arm's cell."""
        head = self.words.column(column) if "_" in column else column
        assert numbers(told) == numbers(self.cells[arm][head]), (arm, head, told)

    def split(self) -> str:
        return "test" if self.results.finals else "validation"

    def score(self, arm: str, told: str) -> None:
        self.cell(arm, f"{self.split()}_macro_f1", told)
        assert told == f"{self.arms[arm].score:.4f}"

    def interval(self, arm: str, low: str, high: str) -> None:
        head = self.words("metric_test_interval")
        assert numbers(self.cells[arm][head]) == [low, high]

    def gap(self, one: str, other: str, told: str) -> None:
        apart = abs(self.arms[one].score - self.arms[other].score)
        self.size(apart, told)

    @staticmethod
    def size(apart: float, told: str) -> None:
        if 0 < apart < 0.00005:
            assert told == "<0.0001"
        else:
            assert told == f"{apart:.4f}"

    def best(self, arm: str) -> None:
        assert self.arms[arm].score == self.top and arm in self.among

    def cheapest(self, arm: str, among: list[str]) -> None:
        known = [self.arms[a].seconds for a in among if self.arms[a].seconds is not None]
        assert self.arms[arm].seconds == min(known)

    def useful(self) -> list[str]:
        return [arm for arm, own in self.among.items() if own.score >= self.top / 2]

    @staticmethod
    def times(one: float, other: float, told: str) -> None:
        """A multiple is right to within what its digits can say."""
        ratio = one / other
        said = 1 / float(told[2:].replace(",", "")) if told[:2] == "1/" else float(
            told.rstrip("×").replace(",", ""))  # fmt: skip
        assert said == pytest.approx(ratio, rel=0.06, abs=0.051)

    def chance(self, one: str, other: str, text: str) -> None:
        """What is said of a pair's difference is what its row of the comparisons says."""
        pair = self.pairs[frozenset((one, other))]
        real = pair.p < 0.05
        key = "more_than_chance_p" if real else "could_be_chance_p"
        told = Words(self.words.language)
        said = told(key, p=formats.p_told(pair.p))
        # Of a pair that is no more than two trained models that is said.
        models = pair.of == "trained models"
        assert text == (told("chance_models", what=said) if models else said)
        shown = formats.p_value(pair.p)
        assert numbers(formats.p_told(pair.p)) == numbers(shown.replace(".", "0.", 1)
               if shown[0] in "<>" and shown[1] == "." else shown) or shown[1:] in text  # fmt: skip

    def costs(self, one: str, other: str, text: str) -> None:
        """Ratios that stand in a sentence: those of two known figures, in their order."""
        pairs = [(self.arms[one].seconds, self.arms[other].seconds),
                 self.apart(one, other)]  # fmt: skip
        told = re.findall(r"1/[\d.,]*\d|[\d.,]*\d×", text)
        known = [(a, b) for a, b in pairs if a is not None and b]
        assert len(told) == len(known)
        for (a, b), times in zip(known, told, strict=True):
            self.times(a, b, times)

    def apart(self, one: str, other: str) -> tuple[float | None, float | None]:
        """Two rates, where both were measured in rounds that tell them apart."""
        speeds = [self.arms[arm].rps for arm in (one, other)]
        rates = [rps.windows[0] for rps in speeds if rps and rps.windows]
        return tuple(rates) if len(rates) == 2 and rates[0] != rates[1] else (None, None)

    # The sentences.

    def take(self, v: dict[str, Any]) -> None:
        self.taken = v["arm"]
        assert self.taken in self.among
        assert self.arms[self.taken].score >= self.top - 0.01 - 1e-9

    def gives(self, v: dict[str, Any]) -> None:
        self.score(self.taken, v["f1"])
        self.cell(self.taken, f"{self.split()}_accuracy", v["accuracy"])
        if self.results.finals:
            self.interval(self.taken, v["low"], v["high"])

    def gives_best(self, v: dict[str, Any]) -> None:
        self.gives(v)
        assert all(own.score <= self.arms[self.taken].score for own in self.arms.values()
                   if own.ranked)  # fmt: skip

    def adds(self, v: dict[str, Any]) -> None:
        self.best(v["best"])
        self.gap(v["best"], self.taken, v["gap"])
        self.chance(v["best"], self.taken, v["chance"])
        self.costs(v["best"], self.taken, v["costs"])

    def adds_nothing(self, v: dict[str, Any]) -> None:
        assert self.arms[v["best"]].score == self.arms[self.taken].score
        self.costs(v["best"], self.taken, v["costs"])

    def cheap(self, v: dict[str, Any], among: list[str]) -> None:
        self.cheapest(v["arm"], among)
        own_cells = self.cells[v["arm"]]
        heads = [self.words.column(key) for key in ("train_seconds", "offline_rps")]
        assert numbers(v["costs"]) == [n for head in heads for n in numbers(own_cells[head])]
        own, taken = self.arms[v["arm"]].score, self.arms[self.taken].score
        said = next(s for s in self.words.statements if s.said == v["scores"])
        told = "lower" if own < taken else "higher" if own > taken else "same"
        assert said.key.split("_")[1] == told
        if told != "same":
            self.gap(v["arm"], self.taken, said.values["gap"])
        if said.key == "scores_lower_tested":
            self.chance(v["arm"], self.taken, said.values["chance"])

    def recommended(self, v: dict[str, Any]) -> None:
        assert v["arm"] == self.taken
        self.best(v["best"])
        assert float(v["margin"]) == self.results.margin
        if v["arm"] != v["best"]:
            self.cell(v["arm"], "offline_rps", v["rps"])
            near = [a for a in self.among
                    if self.arms[a].score >= self.top - self.results.margin - 1e-9
                    and (a == v["best"] or not self.beats(v["best"], a))]  # fmt: skip
            measured = {f.arm: f.rps.offline_per_second for f in self.results.finals if f.rps}
            assert (measured[v["arm"]] or 0) == max(measured.get(a) or 0 for a in near)

    def beats(self, one: str, other: str) -> bool:
        pair = self.pairs[frozenset((one, other))]
        return self.arms[one].score > self.arms[other].score and pair.p < 0.05

    def below(self, v: dict[str, Any]) -> None:
        best = next(s for s in self.words.statements if s.key.startswith("recommended_")).values
        pair: Comparison = self.pairs[frozenset((best["best"], self.taken))]
        high = pair.interval[1] if pair.a == best["best"] else -pair.interval[0]
        assert high > 0
        self.size(high, v["gap"])

    def single(self, v: dict[str, Any]) -> None:
        self.best(v["arm"])
        assert self.beats(v["arm"], v["second"])
        if "f1" in v:
            assert numbers(v["f1"])[0] == f"{self.top:.4f}"
        self.gap(v["arm"], v["second"], v["gap"])
        self.chance(v["arm"], v["second"], v["chance"])
        others = [own.score for arm, own in self.among.items() if arm != v["arm"]]
        assert self.arms[v["second"]].score == max(others)

    def tie(self, v: dict[str, Any]) -> None:
        members = [s.values["arm"] for s in self.words.statements
                   if s.key in ("answer_member", "answer_member_next")]  # fmt: skip
        self.best(members[0])
        assert len(members) > 1 and v["second"] == members[1]
        for arm in members:
            assert not any(self.beats(other, arm) for other in self.among if other != arm)
        self.gap(members[0], v["second"], v["gap"])
        self.chance(members[0], v["second"], v["chance"])

    def seeds(self, v: dict[str, Any]) -> None:
        own = sorted({f.seeds for f in self.results.finals if f.seeds > 1})
        assert v["n"] == "–".join(map(str, dict.fromkeys((own[0], own[-1]))))

    def looks(self, v: dict[str, Any]) -> None:
        assert v["n"] == max(f.looks for f in self.results.finals) > 1

    def refitted(self, s: Statement) -> None:
        refit = [f.arm for f in self.results.finals if f.refit]
        assert (s.key == "refit_all") == (len(refit) == len(self.results.finals)) and refit
        assert all(arm in s.values.get("arms", arm) for arm in refit)

    def once(self, s: Statement) -> None:
        finals = [f for f in self.results.finals if not f.deterministic and f.seeds == 1]
        short = s.values["reason"] or None
        same = [f.arm for f in finals if f.short == short]
        assert same and s.values["arms"] == self.words.join(same)

    def settled(self, s: Statement) -> None:
        v = s.values
        pair = self.pairs[frozenset((v["a"], v["b"]))]
        error = (pair.row_variance + pair.seed_variance) ** 0.5
        # An interval stretched to 0 by the sign test is as wide as its nearer end says.
        half = min(pair.difference - pair.interval[0], pair.interval[1] - pair.difference)
        smallest = half + error * stats.t.ppf(0.8, pair.df)
        self.size(smallest, v["smallest"])
        assert (v["margin"], v["power"]) == ("0.01", "0.8")
        assert (s.key == "settled_already") == (smallest <= 0.01)
        if s.key == "settled_by":
            wanted = (0.01 * error / smallest) ** 2
            ways = {s.key: s.values for s in self.words.statements if s.said in v["ways"]}
            rows = ways.get("settled_rows")
            assert bool(rows) == (wanted > pair.seed_variance)
            if rows:
                needed = 200 * pair.row_variance / (wanted - pair.seed_variance)
                assert max(200, needed) <= rows["rows"] * 1.0001
                assert rows["rows"] <= 1.11 * max(200, needed) + 1

    def chosen(self, v: dict[str, Any]) -> None:
        own = [t for t in self.results.trials if t.arm == v["arm"] and t.state == "COMPLETE"]
        (final,) = [f for f in self.results.finals if f.arm == v["arm"]]
        assert v["n"] == (final.chosen_among or len(own)) > 1
        best = self.results.trials[final.trial].validation
        assert (v["validation"], v["test"]) == (
            f"{best.macro_f1:.4f}", f"{final.test.macro_f1:.4f}"
        )  # fmt: skip

    def leans(self, v: dict[str, Any]) -> None:
        label = self.results.labels.index(v["label"])
        shares = []
        for trial in self.results.trials:
            if trial.arm == v["arm"] and trial.validation:
                silent, counts = trial.validation.unanswered, trial.validation.confusion
                true = sum(counts[label]) + (silent[label] if silent else 0)
                rows = sum(map(sum, counts)) + sum(silent)
                shares.append((sum(row[label] for row in counts) / rows, true / rows))
        told = [(formats.percent(n), formats.percent(o)) for n, o in shares if n - o >= 0.3]
        assert (v["named"], v["occurs"]) in told

    def choices(self, s: Statement) -> None:
        """Every arm with a choice and a score on test is told, and no other."""
        done = [t.arm for t in self.results.trials if t.state == "COMPLETE"]
        chosen = {
            f.arm
            for f in self.results.finals
            if (f.chosen_among or (0 if f.stale else done.count(f.arm))) > 1
        }
        told = [t for t in self.words.statements if t.key == "chosen_of_arm"]
        assert {t.values["arm"] for t in told} == chosen
        assert all(t.said in s.said for t in told)

    def spread(self, s: Statement) -> None:
        (kind,) = [f.spread_of_kind for f in self.results.finals if f.arm == s.values["arm"]]
        assert kind is not None
        assert bool(kind.studies) == s.key.endswith("earlier")
        assert s.values["deviation"] == f"{kind.deviation:.4f}"
        assert s.values["n"] == kind.trainings

    def ranks(self) -> None:
        """Each arm's rank in the leaderboard is what its verdicts leave it."""
        finals = {f.arm: f for f in self.results.finals}
        if not any(f.seed_scores for f in finals.values()):
            return
        head = self.words("metric_rank")
        scores = [self.arms[arm].score for arm in self.cells if self.arms[arm].ranked]
        assert scores == sorted(scores, reverse=True), "sorted by score"
        for arm, cells in self.cells.items():
            own = finals.get(arm)
            if own is None or not (own.deterministic or own.seeds > 1):
                assert cells[head] == "–"
                continue
            claimed = [f.arm for f in finals.values() if f.deterministic or f.seeds > 1]
            low = 1 + sum(self.beats(other, arm) for other in claimed if other != arm)
            high = len(claimed) - sum(self.beats(arm, other) for other in claimed if other != arm)
            assert cells[head] == (str(low) if low == high else f"{low}–{high}")
            best = self.words("flag_may_be_best") in cells[self.words("metric_arm")]
            assert best == (low == 1)

    def member(self, v: dict[str, Any]) -> None:
        self.score(v["arm"], v["f1"])
        self.interval(v["arm"], v["low"], v["high"])

    def on_validation(self, v: dict[str, Any]) -> None:
        assert not self.results.finals
        self.best(v["arm"])
        self.score(v["arm"], v["f1"])
        if "second" in v:
            self.gap(v["arm"], v["second"], v["gap"])

    def curves(self, v: dict[str, Any]) -> None:
        drawn = [t for t in self.results.trials
                 if t.state in ("COMPLETE", "PRUNED") and len(t.checkpoints) > 1]  # fmt: skip
        assert drawn

    def curve(self, s: Statement) -> None:
        arm = s.values["arm"]
        speaking = next((f.trial for f in self.results.finals if f.arm == arm), None)
        own = best_of(self.results, arm) if speaking is None else self.results.trials[speaking]
        points = [(c.fraction, c.macro_f1) for c in own.checkpoints]
        scores = [f1 for _, f1 in points]
        if s.key == "finding_curves":
            assert s.values["near"] == "0.01" and scores[-2] >= max(scores) - 0.01
            inside = len(scores)
            while inside and scores[inside - 1] >= max(scores) - 0.01:
                inside -= 1
            assert s.values["share"] == f"{points[inside][0] * 100:.0f}%"
            assert points[inside][0] < 1, "that it is best at its end says nothing"
        elif s.key == "finding_curves_rose":
            self.size(scores[-1] - scores[-2], s.values["gap"])
            assert scores[-1] > scores[-2]
        else:
            top = scores.index(max(scores))
            assert s.values["share"] == f"{points[top][0] * 100:.0f}%"
            self.size(scores[top] - scores[-1], s.values["gap"])

    def losses(self, s: Statement) -> None:
        arm = s.values["arm"]
        speaking = next((f.trial for f in self.results.finals if f.arm == arm), None)
        own = best_of(self.results, arm) if speaking is None else self.results.trials[speaking]
        audit = self.results.data.audit
        split = audit.splits.get("validation") if audit else None
        counts = [n for n in (split.class_counts if split else []) if n]
        counts = counts or [1] * len(self.results.labels)
        least = -sum(n / sum(counts) * math.log(n / sum(counts)) for n in counts)
        better = [c.fraction for c in own.checkpoints if c.loss is not None and c.loss < least]
        if s.key == "finding_losses_never":
            assert not better
        else:
            assert s.values["share"] == f"{better[0] * 100:.0f}%"

    def losses_of_others(self, s: Statement) -> None:
        told = [
            t for t in self.results.trials
            if t.state in ("COMPLETE", "PRUNED")
            and sum(c.loss is not None for c in t.checkpoints) > 1
        ]  # fmt: skip
        assert s.values["trials"] == len(told)
        speaking = {f.arm: f.trial for f in self.results.finals}
        best = [speaking[t.arm] if t.arm in speaking else best_of(self.results, t.arm).number
                for t in told if t.state == "COMPLETE" or t.arm in speaking]  # fmt: skip
        assert not {t.number for t in told} & set(best)

    def history(self, v: dict[str, Any]) -> None:
        done = [t for t in self.results.trials if t.state == "COMPLETE"]
        own = self.results.trials[int(v["n"])]
        assert own.validation.macro_f1 == max(t.validation.macro_f1 for t in done)
        assert (own.arm, f"{own.validation.macro_f1:.4f}") == (v["arm"], v["score"])
        later = [t for t in self.results.trials[own.number + 1 :]
                 if t.state == "COMPLETE" or (t.state == "PRUNED" and t.checkpoints)]  # fmt: skip
        assert v["trials"] == len(later)

    def states(self, v: dict[str, Any]) -> None:
        states = [t.state for t in self.results.trials]
        assert (v["trials"], v["complete"], v["pruned"], v["failed"]) == (
            len(states), states.count("COMPLETE"), states.count("PRUNED"), states.count("FAIL")
        )  # fmt: skip

    def trade_off(self, s: Statement) -> None:
        v, speed = s.values, "speed" in s.key
        known = {arm: own for arm, own in self.arms.items()
                 if (own.rate if speed else own.seconds) is not None
                 and (own.ranked or not self.results.finals)}  # fmt: skip
        known = {arm: own for arm, own in known.items() if own.within} or known
        cost = {arm: own.rate if speed else own.seconds for arm, own in known.items()}
        assert cost[v["arm"]] == (max if speed else min)(cost.values())
        top = max(own.score for own in known.values())
        if "same" in s.key:
            assert known[v["arm"]].score == top
            drawn = [own for own in self.arms.values()
                     if (own.rate if speed else own.seconds) is not None
                     and (own.ranked or not self.results.finals)]  # fmt: skip
            assert s.key.endswith("_drawn") == (len(drawn) < len(self.cells))
            return
        assert known[v["best"]].score == top
        self.gap(v["best"], v["arm"], v["gap"])
        a, b = cost[v["arm"]], cost[v["best"]]
        if speed:
            assert ("times" in v) == (self.apart(v["arm"], v["best"]) != (None, None))
            if "times" not in v:
                return
        self.times(*((a, b) if speed else (b, a)), v["times"])

    def confusion(self, s: Statement) -> None:
        names, v = self.results.labels, s.values
        true, predicted = names.index(v["true"]), names.index(v["predicted"])
        finals = {f.arm: f.test.confusion for f in self.results.finals}
        found = []
        for arm in self.arms:
            counts = finals.get(arm) or best_of(self.results, arm).validation.confusion
            found.append((counts[true][predicted], counts[true]))
        assert any(v["rows"] == n and self.percent(v["share"], n / sum(row))
                   for n, row in found if n)  # fmt: skip
        assert true != predicted

    @staticmethod
    def percent(text: str, share: float) -> bool:
        if text[0] in "<>":
            return 0 < share < 1
        return text == f"{share * 100:.1f}%"

    def per_class(self, v: dict[str, Any]) -> None:
        rows = [f.test.per_class_f1 for f in self.results.finals] or [
            best_of(self.results, arm).validation.per_class_f1 for arm in self.arms]  # fmt: skip
        means = [sum(column) / len(column) for column in zip(*rows, strict=True)]
        assert means[self.results.labels.index(v["hard"])] == pytest.approx(min(means))
        assert means[self.results.labels.index(v["easy"])] == pytest.approx(max(means))
        assert (float(v["low"]), float(v["high"])) == pytest.approx(
            (min(means), max(means)), abs=0.000051
        )

    def importance(self, v: dict[str, Any]) -> None:
        values = self.results.importance[v["arm"]]
        assert values[v["parameter"]] == max(values.values())
        if v["share"][0] not in "<>":
            assert float(v["share"][:-1]) / 100 == pytest.approx(max(values.values()), abs=0.0051)

    def parallel(self, v: dict[str, Any]) -> None:
        own = self.results.trials[int(v["n"])]
        same = [t for t in self.results.trials if t.arm == own.arm and t.checkpoints
                and t.state in ("COMPLETE", "PRUNED")]  # fmt: skip
        assert v["score"] == f"{self.last(own):.4f}"
        assert self.last(own) == max(self.last(t) for t in same if t.state == "COMPLETE")
        value = own.params[v["parameter"]]
        assert v["value"] == (f"{value:.4g}" if isinstance(value, float) else str(value))

    @staticmethod
    def last(own: Trial) -> float:
        return own.validation.macro_f1 if own.validation else max(
            c.macro_f1 for c in own.checkpoints)  # fmt: skip

    def slices(self, v: dict[str, Any]) -> None:
        groups = []
        for arm in self.arms:
            scored = [self.last(t) for t in self.results.trials if t.arm == arm and t.checkpoints
                      and t.state in ("COMPLETE", "PRUNED")]  # fmt: skip
            groups.append((len(scored), f"{min(scored):.4f}", f"{max(scored):.4f}"))
        assert (v["trials"], v["low"], v["high"]) in groups

    def costs_of_search(self, v: dict[str, Any]) -> None:
        assert v["arm"] in self.arms and v["share"].endswith("%")

    def wall(self, v: dict[str, Any]) -> None:
        assert v["trials"] == len(self.results.trials)
        assert v["workers"] == len({t.worker for t in self.results.trials})

    def lengths(self, v: dict[str, Any]) -> None:
        quantiles = self.results.data.audit.splits["train"].length_quantiles
        assert (v["half"], v["long"]) == (quantiles[10], quantiles[19])

    def openings(self, v: dict[str, Any]) -> None:
        assert v["n"] == self.results.test_openings > 1

    def missing(self, v: dict[str, Any]) -> None:
        ran = {a.family for a in self.results.arms if a.refused is None}
        out = [a for a in self.results.arms if a.refused and a.family not in ran]
        assert v["arms"] == len(out) > 0
        named = {self.words.family(family) for family in {a.family for a in out}}
        assert all(name in v["families"] for name in named)

    def checks(self) -> dict[str, Callable[[Statement], None]]:
        """Key -> what is checked of such a statement; every other one may hold no number."""
        by_values: dict[str, Callable[[dict[str, Any]], None]] = {
            "take": self.take, "take_for_now": self.take,
            "gives_test": self.gives, "gives_validation": self.gives,
            "gives_test_best": self.gives_best, "gives_validation_best": self.gives_best,
            "gives_trained": lambda v: self.cell(self.taken, "train_seconds", v["time"]),
            "gives_serves": lambda v: self.cell(self.taken, "offline_rps", v["rps"]),
            "best_adds": self.adds, "best_adds_within": self.adds,
            "best_adds_nothing": self.adds_nothing,
            "cheapest_all": lambda v: self.cheap(v, list(self.arms)),
            "cheapest_useful": lambda v: self.cheap(v, self.useful()),
            "cheapest_taken_all": lambda v: self.cheapest(self.taken, list(self.arms)),
            "cheapest_taken_useful": lambda v: self.cheapest(self.taken, self.useful()),
            "recommended_other": self.recommended, "recommended_best": self.recommended,
            "recommended_one_training": self.recommended, "recommended_below": self.below,
            "recommended_no_speed": self.recommended, "recommended_no_finals": self.recommended,
            "answer_single": self.single, "answer_lead": self.single,
            "answer_tie": self.tie, "answer_tie_within": self.tie,
            "answer_tie_ranges": self.tie, "seeds_mean": self.seeds, "answer_looks": self.looks,
            "chosen_of_arm": self.chosen, "leans_arm": self.leans,
            "answer_member": self.member, "answer_member_next": self.member,
            "answer_validation": self.on_validation, "answer_validation_same": self.on_validation,
            "answer_validation_only": self.on_validation,
            "answer_validation_only_within": self.on_validation,
            "answer_openings": self.openings, "answer_missing": self.missing,
            "finding_curves_none": self.curves, "finding_history": self.history,
            "finding_states": self.states, "finding_per_class": self.per_class,
            "finding_importance": self.importance, "finding_parallel": self.parallel,
            "finding_slices": self.slices, "finding_costs": self.costs_of_search,
            "finding_timeline": self.wall, "finding_lengths": self.lengths,
        }  # fmt: skip
        found: dict[str, Callable[[Statement], None]] = {
            key: lambda s, check=check: check(s.values) for key, check in by_values.items()
        }
        for key in ("finding_curves", "finding_curves_rose", "finding_curves_fell"):
            found[key] = self.curve
        found |= dict.fromkeys(("finding_losses", "finding_losses_never"), self.losses)
        found["finding_losses_none"] = self.losses_of_others
        found |= dict.fromkeys(("settled_by", "settled_neither", "settled_already"), self.settled)
        found |= dict.fromkeys(("refit_all", "refit_some"), self.refitted)
        found |= dict.fromkeys(("one_training", "one_training_why"), self.once)
        found |= dict.fromkeys(("spread_of_kind", "spread_of_kind_earlier"), self.spread)
        found["chosen_of"] = self.choices
        for kind in ("speed", "time"):
            for end in ("", "_level", "_same", "_same_drawn"):
                found[f"finding_{kind}{end}"] = self.trade_off
        found["finding_confusion"] = found["finding_confusion_seeds"] = self.confusion
        return found

    #: Phrases put into others, or that repeat a number of the results as it is.
    REPEATED = re.compile(
        r"unit_|n_|metric_|leans(_help_\w+)?$|axis_|gloss_|term_|costs_|scores_|(more_than|could_be)_chance_p$|bound_"
        r"|answer_(within|infeasible|unsure|interval|only|only_within|tie(_within|_ranges)?_same)$"
        r"|settled_(rows|trainings)$|chance_models$|verdict_(models|looks)$|comparisons_family$"
        r"|rows_line|made_by|trials_|timeline_intro|class_|per_class_table|per_class_intro"
        r"|all_trials_more|test_in_train|validation_in_train|comparisons_intro|tied_with"
        r"|f1_difference|confusion_summed|slices_intro|parallel_intro|single_p|history_intro"
        r"|about_|interval$|interval_|chart_|importance_|reason_|finding_only$|front_none$|curves_intro|macro_f1"
        r"|server_|length$|other_form|flag_|knobs_|test_|charts_|errors_|missed_|difference$"
    )

    def check(self) -> None:
        checks = self.checks()
        self.ranks()
        for statement in list(self.words.statements):
            if statement.key in checks:
                checks[statement.key](statement)
            elif numbers(statement.said):
                assert self.REPEATED.match(statement.key), f"nobody checks {statement.key}"


def leaderboard_of(page: str) -> dict[str, dict[str, str]]:
    """Arm -> heading -> cell of the page's leaderboard."""
    table = page[page.index('id="board"') :]
    table = table[: table.index("</table>")]
    heads = [plain(h) for h in re.findall(r"<th scope=\"col\".*?</th>", table, flags=re.S)]
    found = {}
    for row in re.findall(r"<tr data-kind.*?</tr>", table, flags=re.S):
        cells = re.findall(r"<t[dh]\b.*?</t[dh]>", row, flags=re.S)
        arm = re.search(r'data-text="([^"]+)"', row)
        assert arm is not None
        found[html.unescape(arm[1])] = dict(zip(heads, map(plain, cells), strict=True))
    return found


def prose_of(page: str) -> str:
    """What a reader reads outside tables, pictures, lists of facts and commands."""
    main = page[page.index("<main") : page.index("</main>")]
    for kind in ("table", "svg", "pre", "dl", "select"):
        main = re.sub(rf"<{kind}\b.*?</{kind}>", " ", main, flags=re.S)
    return plain(main)


def checked(results: StudyResults, language: str) -> None:
    words = Heard(language)
    page = re.sub(r"<(script|style).*?</\1>", "", render_page(results, words), flags=re.S)
    Checker(results, words, leaderboard_of(page)).check()
    said = {number for statement in words.statements for number in numbers(statement.said)}
    # Written by the page itself: how many pairs there are to compare, and a view's trial.
    said |= {str(len(results.comparisons)), *(str(t.number) for t in results.trials)}
    strange = [n for n in numbers(prose_of(page)) if n not in said]
    assert strange == [], prose_of(page)


@pytest.mark.parametrize("language", ["en", "zh"])
@settings(
    max_examples=12, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(results=studies())
def test_every_number_of_every_sentence_is_that_of_its_table(language: str, results: StudyResults):
    checked(results, language)


# --- across studies ------------------------------------------------------------------------------


@dataclass
class AcrossChecker:
    """What is said over tasks, against the studies themselves."""

    studies: list[StudyResults]
    statements: list[Statement]

    def __post_init__(self) -> None:
        tested = [s for s in self.studies if s.finals]
        real = [s for s in tested if not s.data.sample]
        # The sample counts only where there is nothing else.
        self.counted = real or tested
        self.scores = [{f.arm: f.test.macro_f1 for f in s.finals} for s in self.counted]
        arms = {arm for scores in self.scores for arm in scores}
        self.common = {arm for arm in arms if all(arm in scores for scores in self.scores)}

    def rank(self, arm: str) -> float:
        """Its mean rank among the common arms; equals share the middle of their places."""
        own = []
        for scores in self.scores:
            among = [scores[other] for other in self.common]
            better = sum(s > scores[arm] for s in among)
            own.append(better + (among.count(scores[arm]) + 1) / 2)
        return sum(own) / len(own)

    def outcomes(self, arm: str, against: set[str] | None = None) -> tuple[int, int, int]:
        """Contests won, level and lost."""
        won = level = lost = 0
        for results in self.counted:
            for c in results.comparisons:
                if arm not in (c.a, c.b):
                    continue
                other = c.b if c.a == arm else c.a
                if against is not None and other not in against:
                    continue
                lead = c.difference if c.a == arm else -c.difference
                won, level, lost = (won + (c.p < 0.05 and lead > 0), level + (c.p >= 0.05),
                                    lost + (c.p < 0.05 and lead < 0))  # fmt: skip
        return won, level, lost

    def check_one(self, s: Statement) -> None:
        v = s.values
        if "tasks" in v:
            assert v["tasks"] == len(self.counted)
        match s.key:
            case "across_one_task_best" | "across_one_task_best_within":
                (scores,) = self.scores
                assert v["f1"] == f"{scores[v['arm']]:.4f}"
                highest = scores[v["arm"]] == max(scores.values())
                assert highest == (s.key == "across_one_task_best")
            case "across_best":
                ranks = sorted(self.rank(arm) for arm in self.common)
                assert v["arms"] == len(self.common)
                assert self.rank(v["arm"]) == pytest.approx(ranks[0])
                assert float(v["rank"]) == pytest.approx(ranks[0], abs=0.0051)
                assert float(v["rank2"]) == pytest.approx(ranks[1], abs=0.0051)
            case "across_best_shared":
                assert float(v["rank"]) == pytest.approx(
                    min(map(self.rank, self.common)), abs=0.0051
                )
            case "across_silent":
                assert v["tasks"] < v["least"] == 5 and len(self.common) > 1
            case "across_rests":
                own, others = self.rank(v["arm"]), len(self.common) - 1
                assert float(v["low"]) - 0.006 <= own <= float(v["high"]) + 0.006
                assert float(v["low"]) >= 1 and float(v["high"]) <= others + 1
                if "<" not in v["rate"] and ">" not in v["rate"]:
                    rate = (others + 1 - own) / others
                    assert float(v["rate"].rstrip("%")) / 100 == pytest.approx(rate, abs=0.0051)
            case "across_too_few_arms":
                told = (v["won"], v["level"], v["lost"])
                assert told == self.outcomes(v["arm"], {v["second"]})
            case "across_no_common":
                won, level, lost = self.outcomes(v["arm"])
                assert (v["won"], v["contests"]) == (won, won + level + lost) and not self.common
            case "across_but":
                won, level, lost = self.outcomes(v["arm"], {self.first()})
                assert (v["lost"], v["met"]) == (won, won + level + lost)
            case "across_zero_shot":
                gaps = [max(scores.values()) - scores[v["arm"]] for scores in self.scores
                        if v["arm"] in scores]  # fmt: skip
                assert v["n"] == len(gaps)
                self.gap(sum(gaps) / len(gaps), v["gap"])
            case "across_take_level" | "across_take_cheap":
                first = self.first()
                ratios = []
                for results in self.counted:
                    rows = figures(results)
                    ratios.append(rows[v["arm"]].seconds / rows[first].seconds)
                mean = prod(ratios) ** (1 / len(ratios))
                assert mean < 1
                if s.key == "across_take_cheap":
                    assert v["far"] == "0.2"
                Checker.times(mean, 1.0, v["training"])
                if s.key == "across_take_level":
                    assert self.outcomes(first, {v["arm"]})[0] == 0
                else:
                    below = [scores[first] - scores[v["arm"]] for scores in self.scores]
                    self.gap(max(0.0, sum(below) / len(below)), v["gap"])
            case "across_friedman_none" | "across_cd_real" | "across_cd_chance":
                assert "1.000" not in v["p"] and v["p"][0] in "<>="
                if s.key != "across_friedman_none":
                    assert (float(v["distance"]) >= float(v["cd"])) == (s.key == "across_cd_real")
            case _:
                told = r"n_|across_(machines|validation|nothing|stale|sample|none|one_common|take)"
                assert not numbers(s.said) or re.match(told, s.key), s.key

    def first(self) -> str:
        """The best on average, as the answer names it."""
        named = [
            s.values["arm"]
            for s in self.statements
            if s.key in ("across_take", "across_take_rival")
        ]
        best = min(map(self.rank, self.common))
        tops = [arm for arm in self.common if self.rank(arm) == pytest.approx(best)]
        return named[0] if named else tops[0]

    @staticmethod
    def gap(apart: float, told: str) -> None:
        if told[0] == "<":
            assert 0 < apart < 0.00005
        else:
            assert float(told) == pytest.approx(apart, abs=0.000051)


@pytest.mark.parametrize("language", ["en", "zh"])
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(found=several_studies())
def test_what_is_said_over_tasks_is_what_the_studies_say(language: str, found: list[StudyResults]):
    words = Heard(language)
    across_answer(across(found), words)
    checker = AcrossChecker(found, words.statements)
    for statement in list(words.statements):
        checker.check_one(statement)
