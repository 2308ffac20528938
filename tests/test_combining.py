"""Cascades and ensembles: which is chosen, when there is none, and what a combination answers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from suite.verdict import combining
from suite.verdict.combining import Candidate, Cascade, Chooser, Ensemble
from suite.verdict.metrics import METRICS

ROWS, CLASSES = 1500, 4
_COSTS = {"cheap": 0.001, "dear": 0.1, "a": 0.001, "b": 0.1}


def drawn(
    skill: Mapping[str, float], *, rows: int = ROWS, seed: int = 0, shared: float = 0.0
) -> tuple[list[int], dict[str, np.ndarray]]:
    """Labels, and each arm's probabilities: the higher its skill, the more often it is right, and
    the surer it is where it is right.

    Args:
        shared: part of what misleads them that misleads all alike.
    """
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, CLASSES, rows)
    common = generator.standard_normal((rows, CLASSES))
    found = {}
    for arm, own in skill.items():
        noise = shared * common + (1 - shared**2) ** 0.5 * generator.standard_normal(
            (rows, CLASSES)
        )
        logits = noise + own * np.eye(CLASSES)[labels]
        exponents = np.exp(own * (logits - logits.max(axis=1, keepdims=True)))
        found[arm] = (exponents / exponents.sum(axis=1, keepdims=True)).astype(np.float32)
    return labels.tolist(), found


def chooser(
    labels: list[int],
    answers: Mapping[str, np.ndarray],
    seconds: Mapping[str, float | None] | None = None,
    *,
    objective: str = "macro_f1",
    served: tuple[str, ...] = (),
) -> Chooser:
    known = seconds or {}
    candidates = [Candidate(a, p, known.get(a), a in served) for a, p in answers.items()]
    return Chooser(candidates, labels, METRICS[objective])


def f1(labels: list[int], probabilities: np.ndarray) -> float:
    from suite.verdict.scored import of_probabilities

    return of_probabilities(labels, probabilities).macro_f1


class TestWhatACascadeAnswers:
    """The first arm's answers where it is sure, the second one's elsewhere."""

    first = np.array([[0.9, 0.1], [0.6, 0.4], [0.0, 0.0], [0.55, 0.45]], np.float32)
    second = np.array([[0.2, 0.8], [0.1, 0.9], [0.3, 0.7], [0.0, 0.0]], np.float32)

    def test_the_unsure_and_the_unanswered_are_passed_on(self) -> None:
        assert combining.unsure(self.first, 0.7).tolist() == [False, True, True, True]
        # Even where nothing is too unsure, no answer is no answer.
        assert combining.unsure(self.first, 0.0).tolist() == [False, False, True, False]

    def test_at_the_edge_a_text_goes_the_way_that_its_kept_answer_goes(self) -> None:
        """Thresholds lie between answers that were kept in float16; served ones are float32."""
        served = np.linspace(0.6, 0.8, 2001, dtype=np.float32)
        kept = served.astype(np.float16).astype(np.float32)
        threshold = 0.70004
        both = [combining.unsure(np.stack([p, 1 - p], 1), threshold) for p in (served, kept)]
        assert both[0].tolist() == both[1].tolist() and 900 < both[0].sum() < 1100

    def test_where_the_second_is_silent_the_first_stands(self) -> None:
        found = combining.cascaded(self.first, self.second, 0.7)
        assert found.argmax(axis=1).tolist() == [0, 1, 1, 0]
        assert found[3].tolist() == self.first[3].tolist()

    def test_always_sure_and_never_sure(self) -> None:
        assert combining.cascaded(self.first[:2], self.second[:2], 0.0) == pytest.approx(
            self.first[:2]
        )
        assert combining.cascaded(self.first[:2], self.second[:2], 1.1) == pytest.approx(
            self.second[:2]
        )


class TestWhatAnEnsembleAnswers:
    def test_a_weighted_mean_of_whoever_answers(self) -> None:
        one = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]], np.float32)
        other = np.array([[0.0, 1.0], [0.2, 0.8], [0.0, 0.0]], np.float32)
        found = combining.averaged([one, other], [0.75, 0.25])
        assert found == pytest.approx(np.array([[0.75, 0.25], [0.2, 0.8], [0.0, 0.0]]))


class TestCascades:
    """Chosen for speed, within a little of the best arm."""

    def test_it_keeps_the_score_at_a_fraction_of_the_cost(self) -> None:
        labels, answers = drawn({"cheap": 2.0, "dear": 3.0}, shared=0.6)
        found = chooser(labels, answers, {"cheap": 0.001, "dear": 0.1}).cascade(margin=0.01)
        assert isinstance(found, Cascade)
        assert (found.first, found.second) == ("cheap", "dear")
        assert found.times > 1.5 and 0 < found.passed < 0.6
        assert found.held_out > f1(labels, answers["cheap"])
        assert found.held_out > f1(labels, answers["dear"]) - 0.01
        # On rows that nobody chose by it passes on as much.
        _, again = drawn({"cheap": 2.0, "dear": 3.0}, shared=0.6, seed=1)
        share = combining.unsure(again["cheap"], found.threshold).mean()
        assert share == pytest.approx(found.passed, abs=0.05)

    def test_it_loses_little_on_rows_that_nobody_chose_by(self) -> None:
        """Of 20 choices on 400 rows each: .006 on average without the standard error."""
        skill = {"cheap": 2.0, "dear": 3.0}
        lost = []
        for seed in range(20):
            labels, answers = drawn(skill, rows=400, shared=0.6, seed=seed)
            found = chooser(labels, answers, _COSTS).cascade(margin=0.02)
            fresh, again = drawn(skill, rows=8000, shared=0.6, seed=100 + seed)
            both = again["dear"]
            if isinstance(found, Cascade):
                both = combining.cascaded(again["cheap"], again["dear"], found.threshold)
            lost.append(f1(fresh, again["dear"]) - f1(fresh, both))
        assert np.mean(lost) < 0.003

    def test_where_a_class_is_rare_its_rows_make_the_error_that_is_taken_off(self) -> None:
        """Of 1,000 rows 30 are of the second class, and macro-F1 hangs on them: the standard error
        of the share that is right, .004, is less than a tenth of its own."""
        generator = np.random.default_rng(0)
        labels = (np.arange(1000) < 30).astype(np.int64)
        values = [labels * (generator.random(1000) < share) for share in (0.6, 0.8)]
        answers = {arm: np.eye(2, dtype=np.float32)[own] for arm, own in zip("ab", values)}
        found = chooser(labels.tolist(), answers)
        rows = np.ones(1000, bool)
        known = np.stack([labels, *values])
        pulls = [found._pulls(found._values[arm], rows) for arm in "ab"]
        error = float(np.sqrt(((pulls[0] - pulls[1]) ** 2).sum()))
        drawn = []
        for _ in range(400):
            some = known[:, generator.integers(0, 1000, 1000)]
            two = [f1(some[0].tolist(), np.eye(2)[own]) for own in some[1:]]
            drawn.append(two[0] - two[1])
        assert error == pytest.approx(float(np.std(drawn)), rel=0.25)

    def test_an_arm_that_is_never_sure_makes_none(self) -> None:
        """All its probabilities are alike, so that no threshold tells its answers apart."""
        labels, answers = drawn({"cheap": 1.0, "dear": 3.0})
        flat = np.full_like(answers["cheap"], 0.2)
        flat[np.arange(ROWS), answers["cheap"].argmax(axis=1)] = 0.4
        found = chooser(labels, {"cheap": flat, "dear": answers["dear"]}, _COSTS).cascade(0.01)
        assert found == "no arm that is faster than the best could answer before it"

    def test_an_arm_that_is_sure_of_what_is_wrong_makes_none(self) -> None:
        labels, answers = drawn({"dear": 3.0})
        guesses = np.random.default_rng(1).dirichlet(np.full(CLASSES, 0.3), ROWS)
        found = chooser(labels, {"cheap": guesses, **answers}, _COSTS).cascade(0.01)
        assert found == "dear alone is as good, and no cascade is faster"

    def test_one_that_is_hardly_ever_sure_is_not_worth_a_second_model(self) -> None:
        labels, answers = drawn({"cheap": 1.0, "dear": 3.0})
        found = chooser(labels, answers, {"cheap": 0.04, "dear": 0.1}).cascade(0.01)
        assert isinstance(found, str)
        assert "alone is as good" in found or "too little is gained" in found

    def test_where_the_cheap_one_is_as_good_there_is_none(self) -> None:
        labels, answers = drawn({"cheap": 3.0, "dear": 3.0})
        best = answers["dear"].copy()
        best[:2] = np.eye(CLASSES)[labels[:2]]  # at most two rows better
        found = chooser(labels, {"cheap": answers["dear"], "dear": best}, _COSTS).cascade(0.01)
        assert isinstance(found, str)
        assert "cheap alone is as good" in found or "no arm that is faster" in found

    def test_speeds_must_be_known(self) -> None:
        labels, answers = drawn({"cheap": 2.0, "dear": 3.0})
        found = chooser(labels, answers, {"cheap": 0.001, "dear": None}).cascade(0.01)
        assert found == "a cascade needs two arms whose speed was measured"

    def test_a_server_is_asked_last_and_never_first(self) -> None:
        labels, answers = drawn({"cheap": 2.0, "dear": 3.0}, shared=0.6)
        last = chooser(labels, answers, _COSTS, served=("dear",)).cascade(0.01)
        assert isinstance(last, Cascade) and last.second == "dear"
        first = chooser(labels, answers, _COSTS, served=("cheap",)).cascade(0.01)
        assert isinstance(first, str)

    @pytest.mark.parametrize("objective", ["accuracy", "log_loss", "brier", "mcc"])
    def test_by_any_objective(self, objective: str) -> None:
        labels, answers = drawn({"cheap": 2.0, "dear": 3.0}, shared=0.6, seed=2)
        found = chooser(labels, answers, _COSTS, objective=objective).cascade(0.02)
        assert isinstance(found, Cascade)
        metric = METRICS[objective]
        assert metric.merit(found.held_out) >= metric.merit(found.alone) - 0.02


class TestEnsembles:
    """Greedy, with replacement, and only where it holds on rows that did not choose it."""

    def test_arms_that_err_apart_are_averaged(self) -> None:
        skill = {"a": 2.0, "b": 2.0, "c": 2.0, "noise": 0.0}
        labels, answers = drawn(skill)
        found = chooser(labels, answers).ensemble()
        assert isinstance(found, Ensemble)
        assert {"a", "b", "c"} == set(found.weights)
        assert sum(found.weights.values()) == pytest.approx(1.0)
        assert found.held_out > found.alone
        fresh, again = drawn(skill, seed=1)
        mean = combining.averaged([again[arm] for arm in found.weights], [*found.weights.values()])
        assert f1(fresh, mean) > max(f1(fresh, own) for own in again.values()) + 0.02

    def test_a_gain_that_only_choosing_made_is_none(self) -> None:
        """Beside one good arm many that guess: on the rows that choose, some of them always seem
        to help. Over ten draws the gain must be refused nearly always."""
        refused = 0
        for seed in range(10):
            labels, answers = drawn(
                {"good": 2.0, **{f"guess{i}": 0.02 for i in range(6)}}, rows=300, seed=seed
            )
            refused += isinstance(chooser(labels, answers).ensemble(), str)
        assert refused >= 8

    def test_the_same_arm_twice_is_no_ensemble(self) -> None:
        labels, answers = drawn({"a": 2.0})
        found = chooser(labels, {"a": answers["a"], "b": answers["a"]}).ensemble()
        assert isinstance(found, str) and "improves" in found

    def test_servers_take_no_part(self) -> None:
        labels, answers = drawn({"a": 2.0, "b": 2.0})
        found = chooser(labels, answers, served=("b",)).ensemble()
        assert found == "an ensemble needs two arms that answer without a server"

    def test_separable_rows_need_none(self) -> None:
        labels, answers = drawn({"a": 50.0, "b": 2.0}, rows=60)
        found = chooser(labels, answers).ensemble()
        assert isinstance(found, str) and "no other arm improves on a" in found


def test_of_very_many_rows_a_draw_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combining, "MOST_NUMBERS", 800)
    labels, answers = drawn({"a": 2.0, "b": 2.0})
    found = chooser(labels, answers)
    assert found.rows == 200
    assert isinstance(found.ensemble(), Ensemble)


def test_fewer_rows_than_parts() -> None:
    labels, answers = drawn({"a": 1.0, "b": 2.0}, rows=3)
    found = chooser(labels, answers, _COSTS)
    assert isinstance(found.ensemble(), str | Ensemble)
    assert isinstance(found.cascade(0.01), str | Cascade)


@pytest.mark.parametrize("repeats", [False, True])
def test_a_combination_of_equals_is_claimed_to_differ_no_more_often_than_said(
    repeats: bool,
) -> None:
    """Though it shares trainings with its members: level .05 for the family of three. At most 13 of
    120 studies are so with probability .997 where it is .05."""
    from tests.verdicts.combined import claims

    of_members, of_any = claims(300, 0.01, 0.6, 120, repeats=repeats, draws=400)
    assert of_members <= of_any <= 13
