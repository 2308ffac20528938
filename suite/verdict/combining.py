"""Combinations of trained arms: which cascade and which ensemble is worth having, if any.

Chosen on probabilities that arms gave to rows that none of their models had seen, by the study's
objective. A choice that was made on rows flatters itself on them, so every choice is made again
with a fifth of the rows left out, five times, and judged on what was left out: where it does not
hold there, there is no combination, and the reason is said.

A cascade asks a cheap arm first, and a dear one where the cheap one's largest probability lies
below a threshold: the cheapest way to stay within a little of the best arm's score. (Varshney and
Baral, "Model Cascading", 2022.) The cheapest of many that seem to is most often one that was lucky,
so a standard error is taken off first: in simulations of 400 and 1,500 rows, what the chosen
cascade lost on new rows fell from between .004 and .007 on average to .001 or less.

An ensemble is a weighted mean of probabilities, chosen greedily and with replacement from the best
arm on: Caruana et al., "Ensemble Selection from Libraries of Models", 2004.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from suite.contracts.temperature import LEAST
from suite.verdict import confusions, of_confusion
from suite.verdict.answering import sureness
from suite.verdict.metrics import Metric, Probabilities
from suite.verdict.scored import decide

#: How far below the best arm's score a cascade may lie on the rows that it is chosen on, a
#: standard error of the difference taken off.
GIVES_UP = 0.003
#: How many times as fast as its dear arm a cascade must be to be worth a second model.
LEAST_GAIN = 1.25
#: Into how many parts rows are cut, each judged by what the others chose.
PARTS = 5
#: Thresholds that are tried, at equal shares of rows that are passed on.
THRESHOLDS = 50
#: Members of an ensemble, counted as often as they were taken, at most.
MOST_TAKEN = 15
#: Numbers in the probabilities of an arm that choices look at: of more rows, a draw.
MOST_NUMBERS = 500_000

Mask = NDArray[np.bool_]
#: A class index or a value of each row, whichever the objective looks at, [rows].
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """An arm that may be a member.

    Args:
        arm: its name.
        probabilities: [rows, classes], on the rows that all candidates share.
        seconds: to answer a text; None where that is not known.
        served: whether a server is asked, at a cost for each text.
    """

    arm: str
    probabilities: Probabilities
    seconds: float | None = None
    served: bool = False


@dataclass(frozen=True)
class Cascade:
    """`first` answers where its largest probability is at least `threshold`, `second` the rest.

    Args:
        passed: the share of the rows that `second` answers.
        held_out: the objective, on rows that did not choose.
        alone: the best arm's, on the same rows.
        times: how many times as fast as `second` it was reckoned to be.
    """

    first: str
    second: str
    threshold: float
    passed: float
    held_out: float
    alone: float
    times: float


@dataclass(frozen=True)
class Ensemble:
    """A mean of probabilities: arm -> its weight, the heaviest first; they sum to 1.

    `held_out` and `alone` are as of a cascade.
    """

    weights: Mapping[str, float]
    held_out: float
    alone: float


def unsure(first: Probabilities, threshold: float) -> Mask:
    """Which texts a cascade's first arm passes on, [rows]: also those that it has no answer to.

    What a threshold is compared with is what float16 holds: so it is chosen, on answers that were
    kept so, and a served text at the edge goes the same way.
    """
    return np.asarray(sureness(first.max(axis=1)) < max(threshold, LEAST))


def cascaded(first: Probabilities, second: Probabilities, threshold: float) -> NDArray[np.float32]:
    """A cascade's probabilities, [rows, classes]. Where the second arm has no answer, the first
    one's stands."""
    passed = unsure(first, threshold) & second.any(axis=1)
    return np.where(passed[:, None], second, first).astype(np.float32)


def averaged(
    probabilities: Sequence[Probabilities], weights: Sequence[float]
) -> NDArray[np.float32]:
    """The weighted mean over members, [rows, classes]: of a row, over those that answer it."""
    total = np.zeros(probabilities[0].shape)
    heard = np.zeros(len(total))
    for member, weight in zip(probabilities, weights, strict=True):
        total += weight * member
        heard += weight * member.any(axis=1)
    return (total / np.where(heard > 0, heard, 1)[:, None]).astype(np.float32)


class Chooser:
    """Chooses combinations of arms on rows that none of their models had seen.

    Args:
        candidates: two at least.
        labels: the class index of each row.
        objective: by what.
        seed: of the parts that rows are cut into, and of the draw where there are very many.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        labels: Sequence[int],
        objective: Metric,
        *,
        seed: int = 0,
    ) -> None:
        generator = np.random.default_rng(seed)
        rows, self._classes = candidates[0].probabilities.shape
        drawn = generator.permutation(rows)[: max(PARTS, MOST_NUMBERS // self._classes)]
        self._labels = np.asarray(labels, dtype=np.int64)[drawn]
        self._part = np.arange(len(drawn)) % PARTS
        self._objective = objective
        self._candidates = {one.arm: one for one in candidates}
        self._answers = {
            one.arm: np.asarray(one.probabilities[drawn], np.float64) for one in candidates
        }
        self._values = {arm: self._valued(found) for arm, found in self._answers.items()}
        self._merits = {arm: self._merit(found) for arm, found in self._values.items()}

    @property
    def rows(self) -> int:
        """On how many it chooses."""
        return len(self._labels)

    @property
    def best(self) -> str:
        """The best arm on all rows."""
        return max(self._merits, key=lambda arm: self._merits[arm])

    def ensemble(self) -> Ensemble | str:
        """The ensemble that beats the best arm on rows that did not choose it; or why there is
        none."""
        arms = [arm for arm, one in self._candidates.items() if not one.served]
        if len(arms) < 2:
            return "an ensemble needs two arms that answer without a server"
        weights = self._greedy(arms, self._everything)
        if len(weights) < 2:
            return f"no other arm improves on {next(iter(weights))} on rows that none had seen"
        pooled = np.empty_like(self._values[arms[0]])
        for part in self._parts():
            own = self._greedy(arms, ~part)
            mean = averaged([self._answers[arm][part] for arm in own], list(own.values()))
            pooled[part] = self._valued(mean, part)
        held_out, alone = self._merit(pooled), self._merits[self.best]
        if held_out <= alone:
            return self._worse(held_out, self.best)
        return Ensemble(weights, self._objective.merit(held_out), self._objective.merit(alone))

    def cascade(self, margin: float, gives_up: float = GIVES_UP) -> Cascade | str:
        """The fastest cascade that stays within a little of the best arm; or why there is none.

        Args:
            margin: how far below the best arm it may lie on rows that did not choose it.
            gives_up: and on those that did.
        """
        timed = {arm: one.seconds for arm, one in self._candidates.items() if one.seconds}
        if len(timed) < 2:
            return "a cascade needs two arms whose speed was measured"
        alone = self._merits[self.best]
        ways = list(self._ways(timed, alone - margin))
        if not ways:
            return "no arm that is faster than the best could answer before it"
        chosen = self._cheapest(ways, self._everything, gives_up)
        if isinstance(chosen, str):
            return f"{chosen} alone is as good, and no cascade is faster"
        passed = chosen.passed(self._everything)
        times = timed[chosen.second] / chosen.seconds(passed)
        if times < LEAST_GAIN:
            return (
                f"{chosen.first} would pass {passed:.0%} of the texts on to {chosen.second}: too "
                "little is gained for a second model"
            )
        pooled = np.empty_like(self._values[chosen.first])
        for part in self._parts():
            own = self._cheapest(ways, ~part, gives_up)
            pooled[part] = self._valued_way(own)[part]
        held_out = self._merit(pooled)
        if held_out <= self._merits[chosen.first]:
            return self._worse(held_out, chosen.first)
        if held_out < alone - margin:
            return self._worse(held_out, self.best)
        return Cascade(
            chosen.first,
            chosen.second,
            chosen.threshold,
            passed,
            self._objective.merit(held_out),
            self._objective.merit(alone),
            times,
        )

    @property
    def _everything(self) -> Mask:
        return np.ones(self.rows, bool)

    def _parts(self) -> Iterator[Mask]:
        """Which rows each part has."""
        return (self._part == number for number in range(min(PARTS, self.rows)))

    def _worse(self, held_out: float, arm: str) -> str:
        own, its = (
            self._objective.shown(self._objective.merit(m)) for m in (held_out, self._merits[arm])
        )
        return f"on rows that did not choose it, it has {own} where {arm} alone has {its}"

    def _valued(self, probabilities: Probabilities, rows: Mask | None = None) -> Values:
        """What the objective looks at of each row: its class, or its own value.

        Args:
            rows: whose probabilities these are; of all rows where None.
        """
        of_rows = self._objective.of_rows
        if of_rows is None:
            return decide(probabilities).astype(np.float64)
        return of_rows(self._labels if rows is None else self._labels[rows], probabilities)

    def _merit(self, values: Values, rows: Mask | None = None) -> float:
        """The objective as a number of which the higher is the better one.

        Args:
            values: as `_valued` has them, of the rows that are named, or of all.
        """
        objective = self._objective
        if objective.of_confusion is None:
            return objective.merit(float(values.mean()))
        labels = self._labels if rows is None else self._labels[rows]
        matrix = of_confusion.counted(labels, values.astype(np.int64), self._classes)
        return objective.merit(float(objective.of_confusion(matrix)))

    def _pulls(self, values: Values, rows: Mask) -> Values:
        """How far each of these rows moves the objective, so that the variance of a difference of
        two over other draws of rows is the sum of squares of the difference of their pulls."""
        own, score = values[rows], self._objective.of_confusion
        if score is None:
            return np.asarray((own - own.mean()) / len(own))
        answers = own.astype(np.int64)[None]
        found = confusions.trained(self._labels[rows], answers, self._classes, score)
        return np.asarray(found.pulls[0])

    def _greedy(self, arms: Sequence[str], rows: Mask) -> dict[str, float]:
        """Weights, the heaviest first: from the best arm on, at each step the arm is added that
        helps most, of equals by the labels' probability; as many are taken as help."""
        answers = {arm: self._answers[arm][rows] for arm in arms}
        labels = self._labels[rows]

        def worth(probabilities: Probabilities) -> tuple[float, float]:
            own = probabilities[np.arange(len(labels)), labels]
            merit = self._merit(self._valued(probabilities, rows), rows)
            return merit, float(np.log(np.maximum(own, LEAST)).mean())

        taken: list[str] = []
        total, heard = np.zeros((len(labels), self._classes)), np.zeros(len(labels))
        best: tuple[float, list[str]] = (-np.inf, [])
        for _ in range(MOST_TAKEN):
            found = {}
            for arm, own in answers.items():
                there = heard + own.any(axis=1)
                found[arm] = worth((total + own) / np.where(there > 0, there, 1)[:, None])
            arm = max(found, key=lambda one: found[one])
            taken.append(arm)
            total += answers[arm]
            heard += answers[arm].any(axis=1)
            if found[arm][0] > best[0]:
                best = (found[arm][0], list(taken))
        members = best[1]
        counts = {arm: members.count(arm) / len(members) for arm in dict.fromkeys(members)}
        return dict(sorted(counts.items(), key=lambda pair: -pair[1]))

    def _ways(self, timed: Mapping[str, float], least: float) -> Iterator[_Way]:
        """Every cascade that is tried: from any arm to a better one that takes longer.

        Args:
            timed: arm -> seconds a text.
            least: merit of the arms that may answer last.
        """
        for first, second in product(timed, timed):
            worse = self._merits[second] <= self._merits[first] or self._merits[second] < least
            if worse or timed[second] <= timed[first] or self._candidates[first].served:
                continue
            answers = self._answers[first]
            tops = np.sort(sureness(answers.max(axis=1)))
            answered = self._answers[second].any(axis=1)
            for place in np.unique(np.arange(1, THRESHOLDS) * len(tops) // THRESHOLDS):
                # Between two that were seen: rounding either of them changes nothing.
                threshold = float(tops[place - 1] + tops[place]) / 2
                if tops[place - 1] < threshold:
                    passes = unsure(answers, threshold)
                    seconds = (timed[first], timed[second])
                    yield _Way(first, second, threshold, passes, passes & answered, seconds)

    def _valued_way(self, way: _Way | str) -> Values:
        """What a cascade answers, or an arm, as `_valued` has it of all rows."""
        if isinstance(way, str):
            return self._values[way]
        return np.where(way.taken, self._values[way.second], self._values[way.first])

    def _cheapest(self, ways: Sequence[_Way], rows: Mask, gives_up: float) -> _Way | str:
        """The fastest of cascades and single arms that lies so little below the best single arm,
        and a standard error less."""
        merits = {arm: self._merit(found[rows], rows) for arm, found in self._values.items()}
        best = max(merits, key=lambda arm: merits[arm])
        least, pulls = merits[best] - gives_up, self._pulls(self._values[best], rows)
        options: list[tuple[float, float, _Way | str]] = []
        tried: list[_Way | str] = [*self._values, *ways]
        for way in tried:
            values = self._valued_way(way)
            merit = self._merit(values[rows], rows)
            if merit < least:
                continue
            error = float(np.sqrt(((self._pulls(values, rows) - pulls) ** 2).sum()))
            if merit - error >= least:
                known = self._candidates[way].seconds if isinstance(way, str) else None
                seconds = way.seconds(way.passed(rows)) if isinstance(way, _Way) else known
                options.append((seconds or np.inf, -merit, way))
        return min(options, key=lambda option: option[:2])[2]


@dataclass(frozen=True)
class _Way:
    """A cascade that is tried.

    Args:
        passes: which rows the first arm passes on, [rows].
        taken: those of them that the second arm answers, [rows].
        each: seconds that either arm takes for a text.
    """

    first: str
    second: str
    threshold: float
    passes: Mask
    taken: Mask
    each: tuple[float, float]

    def passed(self, rows: Mask) -> float:
        """The share of these rows that is passed on."""
        return float(self.passes[rows].mean())

    def seconds(self, passed: float) -> float:
        """What a text takes where such a share is passed on."""
        return self.each[0] + passed * self.each[1]
