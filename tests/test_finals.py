"""Finals: how their time is spent, what is trained and kept, and what is claimed of what."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import command_line, files_of, kept_of, write_recipe, write_task
from report_studies import EN

from suite import strategies
from suite.child.messages import Failed, Finished
from suite.child.runner import Interrupted, Predicted, Runner
from suite.config.recipe import Recipe
from suite.contracts.model import Model
from suite.contracts.results import Checkpoint, KindSpread, Objective, Scores
from suite.contracts.rowfacts import Rows as RowCounts
from suite.data import snapshot
from suite.errors import StudyError
from suite.report.data.rows import leaderboard
from suite.report.pages.answer import chosen_of
from suite.study import (
    calibrating,
    estimates,
    finals,
    finals_plan,
    finals_spread,
    finals_training,
    kept_record,
    probabilities,
    storage,
    trainings_record,
)
from suite.study.create import Wanted as Created
from suite.study.create import create
from suite.study.finals_plan import Entrant, Wanted, Way
from suite.study.ledger import Ledger
from suite.study.probabilities import ArmAnswers
from suite.study.record import TARGET
from suite.study.telling import Telling
from suite.study.winner import winner
from suite.study.work import Limits, Work

A, B = "tfidf/toy", "fasttext/toy"


# ---------------------------------------------------------------- the plan, with literal numbers


def entrant(arm, score, done=1, trainings=3, seconds=10.0, rows=400):
    return Entrant(arm, score, rows, trainings, done, seconds)


def order(entrants, left):
    """The arms in the order in which they are trained further."""
    found, entrants = [], {one.arm: one for one in entrants}
    while (arm := finals_plan.next_training(list(entrants.values()), left)) is not None:
        found.append(arm)
        left -= entrants[arm].seconds
        entrants[arm] = replace(entrants[arm], done=entrants[arm].done + 1)
    return "".join(found)


def test_each_gets_a_second_training_the_best_first_before_any_gets_a_third():
    three = [entrant("b", 0.88), entrant("a", 0.9), entrant("c", 0.87)]
    assert order(three, 1e9) == "abcabc"
    assert order(three, 35.0) == "abc"
    assert order(three, 15.0) == "a"
    # One that does not fit any more is passed over; the others go on.
    assert order([entrant("a", 0.9, seconds=100.0), entrant("b", 0.88)], 25.0) == "bb"


def test_what_validation_rules_out_comes_last():
    arms = [entrant("a", 0.9), entrant("x", 0.5), entrant("b", 0.86)]
    assert list(finals_plan.ruled_out(arms)) == ["x"]
    assert order(arms, 1e9) == "ababxx" and order(arms, 45.0) == "abab"
    # On few rows the same difference may be noise.
    assert finals_plan.ruled_out([entrant("a", 0.9, rows=10), entrant("x", 0.5, rows=10)]) == {}
    assert finals_plan.ruled_out([entrant("a", 1.0, rows=20), entrant("x", 0.9, rows=20)]) == {}


def test_how_an_arm_comes_through():
    def way(seeds, refit, **of):
        return Way.of(Wanted(seeds, None, refit), **({"deterministic": False, "learns": True} | of))

    assert (way(3, True).trainings, way(3, True).refit) == (3, True)
    assert (way(1, True).trainings, way(1, False).trainings) == (1, 0)
    # What is deterministic is trained once, and only for more rows; what learns nothing, never.
    assert way(3, True, deterministic=True).trainings == 1
    assert way(3, False, deterministic=True).trainings == 0
    asked = way(3, True, deterministic=True, learns=False)
    assert (asked.trainings, asked.refit) == (0, False)
    assert [way(3, True).kept_back(1.0, trials) for trials in (0, 2, 3, 9)] == [2, 2, 3, 3]
    assert way(3, True).kept_back(None, 0) == 3 and way(3, False).kept_back(0.5, 6) == 3


def test_seeds_are_of_study_arm_and_index_and_never_the_search_s():
    seeds = {
        finals_plan.seed_of(study, 7, arm, index)
        for study in ("s", "t") for arm in (A, B) for index in range(20)
    }  # fmt: skip
    assert len(seeds) == 80 and 7 not in seeds and all(0 <= seed < 2**32 for seed in seeds)
    same = finals_plan.seed_of("s", 7, A, 0)
    assert finals_plan.seed_of("s", 7, A, 0) == same
    # Where the draw is the search's own seed, another is drawn.
    assert finals_plan.seed_of("s", same, A, 0) != same


def test_the_fraction_at_which_the_best_checkpoint_stood():
    def fraction(*checkpoints):
        found = [Checkpoint(f, score, 1.0, rows) for f, score, rows in checkpoints]
        return finals_plan.chosen_fraction(SimpleNamespace(checkpoints=found), 1000)

    assert fraction((0.5, 0.8, 1000), (1.0, 0.9, 1000)) == 1.0
    assert fraction((0.5, 0.9, None), (1.0, 0.9, None)) == 0.5  # the first of equals
    # Early ones on a part: only one that was scored on all rows after all can be the one.
    assert fraction((0.4, 0.95, 500), (0.8, 0.9, 1000), (1.0, 0.85, 1000)) == 0.8
    assert fraction((0.4, 0.95, 500), (0.8, 0.9, 1000), (1.0, 0.9, 1000)) == 1.0
    assert fraction((0.5, 0.9, 500), (1.0, 0.8, 1000)) == 1.0


def test_kinds_of_trainings_and_their_spread():
    own = {"a/linear_head": [0.8], "b/linear_head": [0.70, 0.74], "tfidf/classic": [0.9, 0.92]}
    none = SimpleNamespace()
    found = finals_spread.of_kinds(own, none, "t", ["a/linear_head"], "macro_f1")
    assert found == {"a/linear_head": KindSpread(0.028284, 2, ["b/linear_head"])}


# ---------------------------------------------------------------- what is declared


def test_what_is_declared_deterministic_is_and_what_is_not_draws(tmp_path):
    import numpy as np
    from conftest import toy_rows
    from remembering_run import RememberingRun

    from suite.contracts.strategy import Rows
    from suite.contracts.task import Task

    drawn = toy_rows(120, 3)
    rows = Rows(tuple(r["text"] for r in drawn), tuple(r["label"] for r in drawn))
    task = Task.model_validate(
        {
            "name": "toy",
            "title": "Toy",
            "language": "en",
            "data": {"folder": "data", "licence": "none"},
            "labels": [{"name": "ham"}, {"name": "spam"}],
        }
    )
    models = {
        "tfidf": Model(name="tfidf", family="classic", builder="tfidf"),
        "fasttext": Model(name="fasttext", family="classic", builder="fasttext"),
    }

    def again(model, **params):
        """Whether two trainings of other seeds answer alike, and whether that is declared."""
        strategy = strategies.get("classic")
        space = strategy.space(models[model], task)
        point = dict(space.known_good[0]) | params
        answers = []
        for seed in (1, 2**31):
            run = RememberingRun(tmp_path, models[model], task, rows, point, seed=seed)
            answers.append(strategy.fit(run).predict_proba(list(rows.texts)))
        return bool(np.array_equal(*answers)), strategies.deterministic(
            "classic", models[model], point
        )

    assert again("tfidf", classifier="logistic") == (True, True)
    assert again("tfidf", classifier="svm") == (False, False)
    assert again("fasttext") == (False, False)


def test_a_model_that_is_asked_learns_from_its_examples_alone():
    model = Model(name="m", family="decoder", endpoint="http://127.0.0.1:1/v1", endpoint_model="m")
    for shots, learns in ((0, False), (2, True)):
        params = {"shots": shots}
        assert strategies.learns("zero_shot", model, params) is learns
        assert strategies.deterministic("zero_shot", model, params) is not learns
    assert strategies.deterministic("probe", model, {}) and strategies.learns("probe", model, {})
    assert not strategies.deterministic("toy", model, {}) and strategies.learns("toy", model, {})


# ---------------------------------------------------------------- what is trained and kept


class Killed(BaseException):
    """Stands for SIGKILL."""


class Children:
    """Trainings and predictions that take no process. A model is the text of its seed."""

    def __init__(self):
        self.jobs, self.asked, self.dies = [], [], {}
        self.lengths = None

    @property
    def seeds(self):
        return [(job.arm, job.seed) for job in self.jobs]

    def train(self, runner, job, on_checkpoint=lambda checkpoint: True, **_):
        self.jobs.append(job)
        what = self.dies.pop(len(self.jobs), None)
        if isinstance(what, Failed):
            return what
        if what is not None:
            raise what
        (job.folder / "kept").mkdir(parents=True)
        (job.folder / "kept" / "seed").write_text(str(job.seed))
        score = 0.8 if job.arm == A else 0.78
        checkpoints = [Checkpoint(0.5, score, 0.1, 50), Checkpoint(1.0, score - 0.1, 0.2, 50)]
        if job.refit is None:
            for checkpoint in checkpoints:
                on_checkpoint(checkpoint)
        return Finished(
            pruned=False, checkpoints=checkpoints, scores=scores(score), train_seconds=0.2,
            load_seconds=0.0, evaluation_seconds=0.1, peak_memory_bytes=1, kept=True,
            serving_shape="toy",
        )  # fmt: skip

    def predict(self, runner, folder, *words, **more):
        seed = int((folder / "seed").read_text())
        self.asked.append(folder)
        wrong = seed % 17
        rows = [index % 2 for index in range(100)]
        rows[:wrong] = [1 - row for row in rows[:wrong]]
        return Predicted(rows, scores(1 - wrong / 100), 0.1, [1.0] * 100, lengths=self.lengths)


def scores(value):
    return Scores(value, value, value, value, [value] * 2, [[25, 0], [0, 25]], unanswered=[0, 0])


@pytest.fixture
def children(folder, toy_task, monkeypatch):
    found = Children()
    monkeypatch.setattr(Runner, "train", lambda self, job, **how: found.train(self, job, **how))
    monkeypatch.setattr(Runner, "predict", lambda self, *words, **more: found.predict(self, *words))
    return found


@pytest.fixture
def said():
    return []


@pytest.fixture
def study(children, said):
    """Makes the study `t`, searches it, and returns what opens its work."""

    def make(**changes):
        recipe = write_recipe(Path("."), **({"trials": 2} | changes))
        create(Created(task="toy.yaml", recipe=recipe, name="t"))

        def open_(**limits):
            stop = threading.Event()
            telling = Telling(lambda progress: said.append(progress.text), stop)
            return Work(None, "t", telling, Limits(**limits), stop)

        open_().run()
        children.jobs.clear()
        return open_

    return make


BY_DEFAULT = {"seeds": 3, "share": None, "refit": True}


def test_the_first_training_is_shipped_and_is_named_before_test_is_asked(study, children):
    work = study(finals=BY_DEFAULT)
    found = {final.arm: final for final in finals.score(work())}
    assert [arm for arm, _ in children.seeds] == [A, B] * 3
    assert len(set(children.seeds)) == 6 and {job.refit for job in children.jobs} == {0.5}
    for arm in (A, B):
        taken = winner("t", arm)
        first = finals_plan.seed_of("t", 0, arm, 0)
        assert (taken.folder / "seed").read_text() == str(first) and taken.refit
        # Asked where it is kept: it was named before.
        assert taken.folder in children.asked
        assert (found[arm].seeds, found[arm].refit, found[arm].looks) == (3, True, 1)
        assert found[arm].about_arm and found[arm].short is None
        assert found[arm].seed_scores[0] == pytest.approx(1 - first % 17 / 100, rel=0.001)
        mean = sum(found[arm].seed_scores) / 3
        assert found[arm].test.accuracy == pytest.approx(mean, rel=0.001)
    # The search's own checkpoint is kept beside it.
    assert (kept_of("t", A) / "seed").read_text() == "0"
    results = Ledger(None, "t").results()
    assert [c.of for c in results.comparisons] == ["arms"]


def test_more_seeds_keep_the_trainings_that_are_there(study, children, said):
    work = study(finals=BY_DEFAULT)
    finals.score(work())
    shipped, before = winner("t", A).folder, Ledger(None, "t").results()
    children.jobs.clear()
    found = finals.score(work(), Wanted(5, None, True))
    assert [arm for arm, _ in children.seeds] == [A, B] * 2
    assert {f.seeds for f in found} == {5} and {f.looks for f in found} == {2}
    after = Ledger(None, "t").results()
    assert {c.looks for c in after.comparisons} == {2} and after.test_openings == 2
    one, other = ({f.arm: f.seed_scores for f in r.finals} for r in (before, after))
    assert all(other[arm][:3] == one[arm] for arm in one)
    assert winner("t", A).folder == shipped
    # Where nothing is missing test stays closed.
    finals.score(work(), Wanted(4, None, True), say=said.append)
    assert "Nothing is missing" in said[-1] and Ledger(None, "t").results() == after


def test_what_was_killed_goes_on_where_it_was(study, children):
    work = study(finals=BY_DEFAULT)
    children.dies[4] = Killed()
    with pytest.raises(Killed):
        finals.score(work())
    assert len(children.seeds) == 4 and Ledger(None, "t").results().finals == []
    before = children.seeds[:3]
    children.jobs.clear()
    found = finals.score(work(), if_due=True)
    assert {f.seeds for f in found} == {3} and {f.looks for f in found} == {1}
    assert len(children.seeds) == 3 and not set(children.seeds) & set(before)


def test_killed_after_the_last_training_what_was_made_is_ranked_by_the_next(
    study, children, said, monkeypatch
):
    """Measuring speeds takes minutes, and finals of fewer trainings were there before."""
    work = study(finals=BY_DEFAULT)
    finals.score(work())

    def dies(*words):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("suite.study.finals_outcome.measure_all", dies)
        with pytest.raises(Killed):
            finals.score(work(), Wanted(5, None, True))
    assert {final.seeds for final in Ledger(None, "t").results().finals} == {3}
    children.jobs.clear()
    found = finals.score(work(), Wanted(5, None, True), say=said.append)
    assert not children.jobs and "Nothing is missing" not in said[-1]
    assert {final.seeds for final in found} == {5} and {final.looks for final in found} == {2}
    finals.score(work(), Wanted(5, None, True), say=said.append)
    assert "Nothing is missing" in said[-1]


def test_killed_between_a_training_and_its_answers_the_shipped_model_is_not_trained_again(
    study, children, monkeypatch
):
    work = study(finals=BY_DEFAULT)
    with monkeypatch.context() as patch:
        patch.setattr(trainings_record, "store", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            finals.score(work())
    first = winner("t", A).folder
    children.jobs.clear()
    finals.score(work())
    assert winner("t", A).folder == first and len(children.seeds) == 5


def test_an_interrupted_command_keeps_what_ended(study, children):
    work = study(finals=BY_DEFAULT)
    children.dies[3] = Interrupted()
    with pytest.raises(Interrupted):
        finals.score(work())
    children.jobs.clear()
    finals.score(work())
    assert len(children.seeds) == 4


def test_where_the_command_s_time_is_over_the_search_s_checkpoint_is_scored(study, children, said):
    work = study(finals=BY_DEFAULT)
    found = finals.score(work(timeout=1e-3), say=said.append)
    assert children.jobs == [] and {f.seeds for f in found} == {1}
    assert not any(f.refit or f.about_arm for f in found)
    assert all(f.short.startswith("the search's checkpoint: to train it again") for f in found)
    assert f"{A}: {found[0].short}" in said or f"{B}: {found[0].short}" in said
    assert winner("t", A).folder == kept_of("t", A) and not winner("t", A).refit
    (pair,) = Ledger(None, "t").results().comparisons
    assert pair.of == "trained models"
    # Asked for later, they are trained.
    assert {f.seeds for f in finals.score(work(), Wanted(2, None, True))} == {2}
    assert winner("t", A).refit


def test_the_best_of_so_many_is_of_those_that_stood_when_it_was_chosen(study, children):
    work = study(trials=4)
    assert {f.chosen_among for f in finals.score(work())} == {2}
    ledger = Ledger(None, "t")
    ledger.study.set_user_attr(TARGET, 8)
    work().run()
    found = Ledger(None, "t").results()
    assert all(final.stale for final in found.finals)
    told = chosen_of(leaderboard(found), EN)
    assert "best of 2, " in told and "best of 4" not in told
    # Of finals that did not write it down nobody knows.
    old = replace(found, finals=[replace(final, chosen_among=None) for final in found.finals])
    assert chosen_of(leaderboard(old), EN) == ""
    fresh = replace(old, finals=[replace(final, stale=False) for final in old.finals])
    assert "best of 4, " in chosen_of(leaderboard(fresh), EN)


def test_of_losses_less_is_better(study, children, monkeypatch):
    def lossy(value):
        return replace(scores(0.5), objective=Objective("brier", value))

    def train(self, job, **how):
        loss = 0.3 if job.arm == A else 0.5
        points = [Checkpoint(1.0, 0.5, 0.1, 50, Objective("brier", loss))]
        found = children.train(self, job)
        arms[str(job.seed)] = job.arm
        for point in points if job.refit is None else ():
            how["on_checkpoint"](point)
        return replace(found, checkpoints=points, scores=lossy(loss))

    def predict(self, folder, *words, **more):
        seed = (folder / "seed").read_text()
        base = 0.3 if arms[seed] == A else 0.5
        rows = [base + 0.001 * (int(seed) % 7) + 0.1 * (row % 3) for row in range(100)]
        mean = sum(rows) / 100
        return replace(children.predict(self, folder), scores=lossy(mean), losses=rows)

    arms = {}
    monkeypatch.setattr(Runner, "train", train)
    monkeypatch.setattr(Runner, "predict", predict)
    found = {f.arm: f for f in finals.score(study(finals=BY_DEFAULT, objective="brier")())}
    # The best on validation comes first, and that is the one that loses least.
    assert next(iter(children.jobs)).arm == A
    assert (found[A].rank, found[B].rank) == (1, 2) and found[A].rank_range == (1, 1)
    test = found[A].test
    low, high = test.objective_interval
    assert 0 < low < test.objective.value < high and test.objective.value < 0.5
    assert found[A].seed_scores == pytest.approx([test.objective.value] * 3, abs=0.01)
    results = Ledger(None, "t").results()
    (pair,) = results.comparisons
    ahead = pair.difference if pair.a == A else -pair.difference
    assert ahead < 0 and pair.p < 0.05 and pair.interval[0] <= pair.difference <= pair.interval[1]
    assert results.verdict.best == A
    assert Ledger(None, "t").study.direction.name == "MINIMIZE"
    # What is stored of each row serves the next look.
    more = {f.arm: f for f in finals.score(work_of("t"), Wanted(4, None, True))}
    assert more[A].rank == 1 and more[A].seed_scores[:3] == found[A].seed_scores


def work_of(name):
    stop = threading.Event()
    return Work(None, name, Telling(lambda progress: None, stop), Limits(), stop)


def test_a_share_that_is_spent_leaves_one_training_and_says_what_was_missing(study, children, said):
    work = study(finals=BY_DEFAULT | {"share": 0.0001})
    found = finals.score(work(), say=said.append)
    assert [arm for arm, _ in children.seeds] == [A, B]
    assert all(f.short.startswith("one training: a second would take about") for f in found)
    assert all(f.rank_range is None and f.may_be_best is None for f in found)
    assert all(f.spread_of_kind is None for f in found)
    # What an earlier study of the storage knows of the kind is told.
    create(Created(task="toy.yaml", recipe="./toys.yaml", name="later"))
    finals.score(work(), Wanted(3, None, True))
    telling = Telling(lambda progress: None, threading.Event())
    later = Work(None, "later", telling, Limits(), threading.Event())
    later.run()
    spread = finals.score(later)[0].spread_of_kind
    assert (spread.trainings, spread.arms, spread.studies) == (6, sorted([A, B]), ["t"])
    assert spread.deviation > 0


def test_a_search_of_seconds_leaves_no_arm_with_one_training(study, children, monkeypatch):
    # Two trials in 2 s, and a training of 3 s: no share of that is a second training.
    monkeypatch.setattr(estimates, "searched", lambda trials: 2.0)
    monkeypatch.setattr(finals_training.Contestant, "entrant", slow(3.0))
    found = finals.score(study(finals=BY_DEFAULT | {"share": 1.0})())
    assert [len(f.seed_scores) for f in found] == [3, 3]


def slow(seconds):
    """A contestant's turn as it is, but for what one more training takes."""
    entrant = finals_training.Contestant.entrant
    return lambda one, *about: replace(entrant(one, *about), seconds=seconds)


def test_a_pair_of_which_one_is_refitted_gets_no_verdict(study, children, monkeypatch):
    work = study(finals=BY_DEFAULT)
    finals.score(work())
    ledger = Ledger(None, "t")
    kept_record.store_shipped(ledger.study, B, None)  # B's model is lost
    children.jobs.clear()
    fitted, asked = calibrating.fitted, []

    def fit(study, definition, lies, arm, *, refit):
        asked.append((arm, refit))
        return fitted(study, definition, lies, arm, refit=refit)

    monkeypatch.setattr(calibrating, "fitted", fit)
    found = {f.arm: f for f in finals.score(work(timeout=1e-3))}
    assert found[A].refit and not found[B].refit and children.jobs == []
    assert Ledger(None, "t").results().comparisons == []
    # The temperature is that of the model which answers, not of one that was to be trained.
    assert set(asked) == {(A, True), (B, False)}


def test_what_is_wrong_with_the_study_and_with_no_arm_ends_the_finals(study, children, monkeypatch):
    work = study(finals=BY_DEFAULT)
    for way, name in (("ask_unseen", "answers"), ("train", "trains")):

        def gone(trainer, one, name=name):
            raise StudyError(f"the study is gone while it {name}")

        with monkeypatch.context() as patch:
            patch.setattr(finals_training.Trainer, way, gone)
            with pytest.raises(StudyError, match=f"is gone while it {name}"):
                finals.score(work())
    assert finals.score(work())


def test_no_arm_is_refitted_where_one_s_probabilities_would_be_nobody_s():
    def definition(train, validation, folds, **recipe):
        arms = [
            SimpleNamespace(name=name, folds=own, strategy="toy", model=None)
            for name, own in zip("ab", folds, strict=True)
        ]
        return SimpleNamespace(
            recipe=Recipe(name="r", arms=["a/b"], **recipe),
            data=SimpleNamespace(rows=RowCounts(train, validation, 100)),
            runnable=arms,
        )

    alone = finals_plan.speaking_alone
    few = (100, 80)
    # `b` was too dear for folds, and with validation it would have 1.8 times the rows.
    assert alone(definition(*few, (5, 0), decide={})) == "b"
    assert alone(definition(*few, (5, 0), value={"wrong": -5})) == "b"
    assert alone(definition(*few, (5, 5), decide={})) is None
    assert alone(definition(100, 50, (5, 0), decide={})) is None
    assert alone(definition(*few, (5, 0))) is None  # nothing rests on how sure it is


def test_a_better_trial_takes_the_place_of_what_was_shipped(study, children):
    work = study(finals=BY_DEFAULT)
    finals.score(work())
    before = winner("t", A)
    ledger = work().keeping
    better = replace(ledger.kept(A), trial=9, macro_f1=0.99, mark="0" * 8)
    ledger.keep(A, better)
    assert not before.folder.exists() and ledger.taken(A) == better
    assert winner("t", B).refit


def test_a_model_that_can_not_be_trained_more_often_keeps_what_it_has(study, children, said):
    work = study(finals=BY_DEFAULT)
    children.dies[3] = Failed("memory ran out")
    found = {f.arm: f for f in finals.score(work(), say=said.append)}
    assert (found[A].seeds, found[B].seeds) == (1, 3) and "memory ran out" in " ".join(said)
    assert "its finals rest on 1 training" in " ".join(said) and not found[A].about_arm


def test_without_refit_and_with_one_seed_the_checkpoint_of_the_search_is_scored(study, children):
    found = finals.score(study()())
    assert children.jobs == [] and {(f.seeds, f.refit) for f in found} == {(1, False)}
    assert winner("t", A).folder == kept_of("t", A)
    assert [f.seed_scores for f in found] == [[1.0], [1.0]]  # seed 0: nothing is wrong


def test_what_is_deterministic_is_trained_once_and_counts_as_an_arm(study, children, monkeypatch):
    monkeypatch.setattr(strategies.get("toy"), "deterministic", lambda m, p: True, raising=False)
    found = finals.score(study(finals=BY_DEFAULT)())
    assert len(children.seeds) == 2 and all(f.deterministic and f.about_arm for f in found)
    assert all(f.rank_range == (1, 2) or f.rank_range for f in found)


def test_what_learns_nothing_is_asked_as_it_is_and_counts_as_refitted(study, children, monkeypatch):
    for name, value in (("deterministic", True), ("learns", False)):
        monkeypatch.setattr(strategies.get("toy"), name, lambda m, p, v=value: v, raising=False)
    found = finals.score(study(finals=BY_DEFAULT)())
    assert children.jobs == [] and all(f.refit and f.about_arm for f in found)
    assert len(Ledger(None, "t").results().comparisons) == 1


def test_test_that_is_newest_by_time_forbids_a_given_validation():
    def definition(given, time):
        carving = SimpleNamespace(time=time)
        return SimpleNamespace(
            task=SimpleNamespace(data=SimpleNamespace(carving=carving)),
            data=SimpleNamespace(validation_given=given),
        )

    assert finals_plan.may_refit(definition(True, None))
    assert finals_plan.may_refit(definition(False, "made"))
    assert not finals_plan.may_refit(definition(True, "made"))
    assert not finals_plan.may_refit(definition(None, "made"))  # nobody knows


def test_scores_by_length_are_kept_with_the_trainings(study, children):
    work = study(finals=BY_DEFAULT)
    children.lengths = [0] * 60 + [1] * 35 + [2] * 5
    finals.score(work())
    first = Ledger(None, "t").results().finals[0].by_length
    assert first.unit == "tokens" and [one.rows for one in first.scores] == [60, 35, 5]
    # All is right in its bucket but what the fake gets wrong, in the first one.
    assert first.scores[0].macro_f1 < first.scores[1].macro_f1 == 1
    assert first.scores[2].macro_f1 is None
    children.lengths = None  # further trainings take the lengths of the first
    finals.score(work(), Wanted(4, None, True))
    again = Ledger(None, "t").results().finals[0].by_length
    assert [one.rows for one in again.scores] == [60, 35, 5]


def test_a_damaged_training_is_made_anew(study, children):
    work = study(finals=BY_DEFAULT)
    finals.score(work())
    study_ = Ledger(None, "t").study
    stored = study_.user_attrs[f"{trainings_record.TRAINING}{A}:1"]
    study_.set_user_attr(f"{trainings_record.TRAINING}{A}:1", stored | {"predictions": "nothing"})
    children.jobs.clear()
    found = {f.arm: f for f in finals.score(work(), Wanted(3, None, True))}
    assert [arm for arm, _ in children.seeds] == [A] and found[A].seeds == 3


# ---------------------------------------------------------------- with real children


def test_the_refitted_model_has_seen_all_rows_up_to_the_best_checkpoint(folder, toy_task):
    recipe = write_recipe(
        folder, arms=[A], trials=1, budget={"checkpoints": 4},
        finals={"seeds": 2, "share": None, "refit": True},
        spaces={"*/toy": {"noise": 0.0}},
    )  # fmt: skip
    command_line("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--quiet")
    found = json.loads(command_line("study", "show", "t", "--json").stdout)
    checkpoints = found["trials"][0]["checkpoints"]
    best = max(c["macro_f1"] for c in checkpoints)
    end = next(c["fraction"] for c in checkpoints if c["macro_f1"] == best)
    taken = winner("t")
    made, searched = (
        json.loads((f / "toy.json").read_text()) for f in (taken.folder, kept_of("t", A))
    )

    def rows(model):  # each of the toy's texts ends in a number of its own
        return sum(sum(v.values()) for w, v in model["votes"].items() if w.isdigit())

    assert (rows(searched), rows(made)) == (150, 200)
    assert made["noise"] == searched["noise"] == pytest.approx(0.1 * (1 - end))
    final = found["finals"][0]
    assert (final["seeds"], final["refit"]) == (2, True) and found["test_openings"] == 1
    # What the one that saw no validation row answered to them is kept, and what each model of the
    # finals answered to test.
    there, lies = probabilities.of_arm("t", A), files_of("t")
    data = snapshot.read_snapshot(lies / "data")
    unseen = strategies.load_predictor(kept_of("t", A)).predict_proba(data.validation.texts)
    assert np.abs(there.unseen.probabilities - unseen).max() <= 0.0005
    assert there.unseen.rows == data.validation and not there.unseen.refit
    assert [(one.which, one.seed, one.refit) for one in there.test] == [
        ("test", finals_plan.seed_of("t", 0, A, index), True) for index in (0, 1)
    ]
    asked = strategies.load_uncalibrated(taken.folder).predict_proba(data.test.texts)
    assert np.abs(there.test[0].probabilities - asked).max() <= 0.0005
    assert there.test[0].rows.texts == data.test.texts
    # A file that was changed is not taken for what was answered.
    (lies / "attached" / "finals" / "tfidf--toy" / "1").write_bytes(b"other")
    assert len(probabilities.of_arm("t", A).test) == 1
    # A copy of the storage has no such files, and so none of them.
    command_line("study", "export-db", "t", "copy.db")
    assert probabilities.of_arm("t", A, folder / "copy.db") == ArmAnswers(None)
    # Everything that takes a model away takes that one.
    command_line("export", "t", "model")
    assert json.loads((folder / "model" / "toy.json").read_text()) == made


def test_studies_from_before_finals_trained_again_keep_what_they_were(tmp_path):
    stored = Path(__file__).parent / "stored" / "b0e390f"
    for name, database, seeds, asked in (
        ("own", "own.db", 2, 2),
        ("agnews-sample", "sample.db", 1, 3),
    ):
        copy = Path(shutil.copy(stored / database, tmp_path))
        _, definition = storage.load(storage.open_storage(copy), name)
        assert Wanted.of(definition.recipe.finals) == Wanted(seeds, None, False)
        for arm in definition.runnable:  # nor was it kept what they answered
            assert probabilities.of_arm(name, arm.name, copy).unseen is None
        # Asked for, they are made as they are today.
        assert finals.asked(definition, None, None) == Wanted(asked, None, True)
        assert finals.asked(definition, 7, False) == Wanted(7, None, False)


def test_a_recipe_that_says_no_refit_keeps_to_it(folder):
    write_task(folder)
    recipe = write_recipe(folder, finals={"seeds": 2, "refit": False})
    made = create(Created(task="toy.yaml", recipe=recipe, name="t")).definition
    assert finals.asked(made, None, None) == Wanted(2, None, False)
