"""A study's trials read straight from its tables, held to what Optuna itself reads."""

import time

import optuna
import pytest
from conftest import write_recipe

from suite.contracts.results import Checkpoint, Scores, Trial
from suite.study import pruning, reading, record, search, storage
from suite.study.create import Wanted, create

SCORES = Scores(0.7, 0.75, 0.7, 0.7, [0.7, 0.7], [[9, 0], [3, 8]])


pytestmark = pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed")


@pytest.fixture
def study(folder, toy_task, monkeypatch):
    """One trial in every state, and one without a result of ours; far from UTC."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    recipe = write_recipe(folder)
    create(Wanted(task=toy_task, recipe=recipe, name="toy"))
    opened = storage.open_storage()
    study, _ = storage.load(opened, "toy")
    for value, pruned in ((0.7, False), (0.9, True), (0.8, False)):
        trial = study.ask({"arm": optuna.distributions.CategoricalDistribution(["a/b", "c/d"])})
        facts = Trial(
            number=trial.number,
            state="PRUNED" if pruned else "COMPLETE",
            arm=trial.params["arm"],
            params={"learning_rate": 0.1},
            checkpoints=[Checkpoint(0.5, value, 1.0)],
            validation=SCORES,
        )
        trial.set_user_attr(record.TRIAL, record.pack(facts))
        trial.set_user_attr(record.OWNER, {"host": "here", "pid": 1, "started": 0.0})
        state = optuna.trial.TrialState.PRUNED if pruned else optuna.trial.TrialState.COMPLETE
        trial.report(value, 50)
        study.tell(trial, None if pruned else value, state=state)
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    running = study.ask()
    running.set_user_attr(pruning.CHECKPOINTS, [[0.5, 0.6, 2.0]])
    study.enqueue_trial({"arm": "a/b"})
    yield storage.load(opened, "toy")[0]
    monkeypatch.undo()
    time.tzset()


def test_every_trial_is_as_optuna_reads_it(study):
    found = record.trials_of(study)
    assert found == [record.trial_of(t) for t in study.get_trials(deepcopy=False)]
    states = ["COMPLETE", "PRUNED", "COMPLETE", "FAIL", "RUNNING", "WAITING"]
    assert [t.state for t in found] == states
    assert [t.number for t in found] == [0, 1, 2, 3, 4, 5]
    assert found[0].started and found[0].ended and found[0].validation == SCORES
    assert found[4].checkpoints == [Checkpoint(0.5, 0.6, 2.0)] and not found[4].ended


def test_trials_of_other_studies_are_not_read(folder, study):
    create(Wanted(task="toy.yaml", recipe="toys.yaml", name="other"))
    other = storage.load(storage.open_storage(), "other")[0]
    assert record.trials_of(other) == []
    assert reading.summary(other) == reading.Summary(0, None)


def test_a_summary_counts_finished_trials_and_knows_the_best_complete_one(study):
    assert reading.summary(study) == reading.Summary(finished=3, best=0.8)


def test_importance_is_what_optuna_finds_in_the_arm_alone(folder, toy_task):
    recipe = write_recipe(folder, arms=["tfidf/classic"])
    create(Wanted(task=toy_task, recipe=recipe, name="one"))
    study, definition = storage.load(storage.open_storage(), "one")
    arm = definition.runnable[0]
    distributions = search.distributions(arm)
    assert set(distributions) <= set(arm.space.dimensions) and distributions
    sampler = optuna.samplers.RandomSampler(seed=1)
    alone = optuna.create_study(direction="maximize", sampler=sampler)
    trials = []
    for number in range(60):
        asked = alone.ask(distributions)
        value = 1 / (1 + asked.params["C"]) + 0.1 * asked.params["min_df"]
        alone.tell(asked, value)
        scores = Scores(value, value, value, value, [value] * 2, [[1, 0], [0, 1]])
        trials.append(Trial(number, "COMPLETE", arm.name, dict(asked.params), validation=scores))
    expected = optuna.importance.get_param_importances(
        alone, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
    )
    assert record._importance(study, definition, trials) == {arm.name: pytest.approx(expected)}
