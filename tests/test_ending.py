"""Why a search ends: its trials are there, what was asked for is reached, patience is over."""

import json
from types import SimpleNamespace

import optuna
import pytest
from conftest import command_line as suite
from conftest import write_recipe
from optuna.trial import TrialState
from test_recipe import recipe, refusal

import suite as library
from suite.config.recipe import Recipe, Stop
from suite.contracts.results import Ended, StudyResults
from suite.errors import StudyError
from suite.report.words import Words
from suite.study import ending, record, storage

#: Every trial of an arm scores the same; the two arms lie .3 apart.
APART = {
    "tfidf/toy": {"noise": {"low": 0.3, "high": 0.30001}},
    "fasttext/toy": {"noise": {"low": 0.0, "high": 0.00001}},
}
ALIKE = {"*/toy": {"noise": {"low": 0.3, "high": 0.30001}}}


def shown(name="t"):
    return json.loads(suite("study", "show", name, "--json").stdout)


def create(folder, task, *words, **changes):
    changes = {"trials": 20, "spaces": ALIKE, "pruner": {"name": "none"}} | changes
    path = write_recipe(folder, **changes)
    return suite("study", "create", task, "--recipe", path, "--name", "t", *words)


# ---------------------------------------------------------------- a target


def test_a_search_ends_at_the_f1_that_was_asked_for_and_says_which_trial(folder, toy_task):
    result = create(folder, toy_task, "--target-f1", "0.9", spaces=APART)
    found = shown()
    assert len(found["trials"]) == 2 and len(found["finals"]) == 2  # scored: it is an end
    assert found["stop"] == {"target_f1": 0.9}
    assert found["ended"]["by"] == "target_f1" and found["ended"]["finished"] == 2
    assert "trial 1 (fasttext/toy) has a macro-F1 of 1.0000" in found["ended"]["why"]
    assert "The search ended early: trial 1 (fasttext/toy)" in result.stdout.replace("\n", " ")
    assert "Still missing" not in result.stdout
    # Going on changes nothing, until the target does.
    suite("study", "run", "t")
    assert len(shown()["trials"]) == 2
    suite("study", "run", "t", "--target-f1", "0", "--trials", "3")
    found = shown()
    assert len(found["trials"]) == 3 and found["stop"] == {}
    assert found["ended"] == {"by": "trials", "why": "it has its 3 trials", "finished": 3}


# ---------------------------------------------------------------- patience


def test_patience_ends_a_search_that_finds_nothing_better(folder, toy_task):
    """By two workers at first: a trial that runs is waited for."""
    create(folder, toy_task, "--patience", "2", "--workers", "2")
    found = shown()
    begun = len(found["trials"])
    assert 3 <= begun <= 4 and found["finals"]
    assert found["ended"]["by"] == "patience" and found["ended"]["finished"] == begun
    # The same line again finds it ended; who asks for more trials has patience anew.
    create(folder, toy_task, "--patience", "2")
    assert len(shown()["trials"]) == begun
    suite("study", "run", "t", "--trials", "30")
    assert len(shown()["trials"]) == begun + 2
    suite("study", "run", "t", "--patience", "0", "--trials", begun + 3)
    found = shown()
    assert len(found["trials"]) == begun + 3 and found["ended"]["by"] == "trials"
    # An end that was gone on from is none any more.
    study, definition = storage.load(storage.open_storage(), "t")
    study.add_trial(study.get_trials()[0])
    assert record.results(study, definition).ended is None


def test_what_was_said_and_can_not_be_read_is_one_message(folder, toy_task):
    create(folder, toy_task, "--no-run")
    for damaged in (7, {"patience": "x"}, {"until": 1}):
        storage.find(storage.open_storage(), "t").set_user_attr(ending.STOP, damaged)
        told = suite("study", "run", "t", "--patience", "3", code=2).stderr.replace("\n", " ")
        assert "cannot be read: suite:stop" in told


def test_who_has_another_patience_or_wants_more_trials_is_counted_from_there():
    made = Recipe(name="r", arms=["a/toy"], trials=9)
    study = optuna.create_study()
    study.ask()

    def said(trials=None, **words):
        ending.want(study, SimpleNamespace(name="t", recipe=made), ending.Said(**words), trials)
        return study.user_attrs.get(ending.STOP)

    assert said() is None and said(20) is None  # nothing ends it
    assert said(patience=3) == {"patience": 3, "since": 1}
    study.ask()
    assert said(patience=3) == said(20) == {"patience": 3, "since": 1}
    assert said(target_f1=0.9) == {"patience": 3, "since": 1, "target_f1": 0.9}
    assert said(21)["since"] == 2
    study.ask()
    assert said(patience=0) == {"patience": 0, "since": 3, "target_f1": 0.9}


def why(stop, *trials, arms=("a/toy", "b/toy"), out=(), since=0, **recipe):
    """Why a search of these trials ends: of each its arm, its score or None where it was pruned,
    and by how much it breaks a bound."""
    made = Recipe(name="r", arms=["a/toy"], stop=stop, **recipe)
    definition = SimpleNamespace(recipe=made, runnable=[SimpleNamespace(name=arm) for arm in arms])
    study = optuna.create_study(direction="maximize")
    space = {"arm": optuna.distributions.CategoricalDistribution(arms)}
    for arm, score, *over in trials:
        study.enqueue_trial({"arm": arm}, user_attrs={"macro_f1": score})
        trial = study.ask(space)
        if score is None:
            study.tell(trial, state=TrialState.PRUNED)
            continue
        trial.set_constraint("seconds", over[0] if over else -1.0)
        study.tell(trial, score)
    attributes = {ending.OUT: {arm: {} for arm in out}, ending.STOP: {"since": since}}
    found = ending.met(definition, attributes, study.get_trials())
    return found and found.why


A, B = "a/toy", "b/toy"


def test_a_target_is_reached_within_the_bounds_by_an_arm_that_is_there():
    target = {"target_f1": 0.8}
    assert why({}, (A, 1.0)) is None
    assert why(target, (A, 0.79), (B, 0.9, 0.1), (B, None)) is None
    assert why(target, (A, 0.5), (B, 0.9), out=[B]) is None
    assert why(target, (A, 0.5), (B, 0.8)) == (
        "trial 1 (b/toy) has a macro-F1 of 0.8000 on validation, and 0.8 was asked for"
    )


def test_patience_waits_for_each_arm_s_first_trial_and_counts_from_the_best():
    two = {"patience": 2}
    assert why(two, (A, 0.5), (A, 0.5), (A, 0.5), (A, 0.5)) is None
    ended = "2 trials in a row found nothing better than trial 0 (a/toy)"
    assert why(two, (A, 0.5), (A, 0.4), (B, None)) == ended
    assert why(two, (A, 0.5), (A, 0.4), (A, 0.4), out=[B]).endswith("better than trial 0 (a/toy)")
    assert why(two, (A, 0.5), (B, 0.4), (B, 0.6), (A, 0.6)) is None  # one that is better
    assert why(two, (A, 0.5), (B, 0.9, 0.1), (B, 0.4)) == ended  # one that breaks a bound is not
    assert why(two, (A, 0.5), (B, 0.4), (B, 0.4), since=2) is None
    lower = {"objective": "log_loss"}
    assert why(two, (A, 0.5), (B, 0.4), (A, 0.3), **lower) is None
    assert why(two, (A, 0.5), (B, 0.6), (A, 0.7), **lower) == ended


# ---------------------------------------------------------------- what may be said


def test_what_ends_a_search_stands_in_the_recipe_and_is_changed_by_commands():
    made = recipe("stop: {target_f1: 0.9, patience: 5}\n").stop
    assert made == Stop(target_f1=0.9, patience=5)
    assert made.after({"patience": 0, "target_f1": 0.95}) == Stop(target_f1=0.95)
    assert made.after({}) == made
    assert "stop.target_f1" in refusal("stop: {target_f1: 90}\n")
    assert "stop.patience" in refusal("stop: {patience: 0}\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target-f1", "90"], "--target-f1"),
        (["--patience", "-1"], "--patience"),
    ],
)
def test_what_is_no_end_is_one_message(folder, toy_task, words, said):
    told = suite("study", "create", toy_task, *words, "--no-run", code=2)
    assert said in told.stderr


@pytest.mark.parametrize("target", [1.5, -0.1, float("nan"), "0.9", True])
def test_the_library_refuses_a_target_that_is_none(folder, toy_task, target):
    with pytest.raises(StudyError, match="is no F1"):
        library.create_study(toy_task, target_f1=target)


def test_every_end_is_said_in_chinese():
    words = Words("zh")
    for why in (
        "it has its 5 trials",
        "it has its 1 trial",
        "time was up at 3 of 12 trials",
        "trial 1 (a/toy) has a macro-F1 of 0.9123 on validation, and 0.9 was asked for",
        "3 trials in a row found nothing better than trial 0 (tfidf/toy)",
    ):
        assert words.told(why) != why and not words.told(why).isascii()


def test_an_end_is_read_back_from_json():
    made = StudyResults("t", "t", None, {}, [], [], 0, [], ended=Ended("time", "time was up", 3))
    assert SimpleNamespace(**made.to_json()).ended == {
        "by": "time", "why": "time was up", "finished": 3}  # fmt: skip
