"""The floor of optimiser steps: smaller batches first, then more passes; and who knows of it."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_studies import EN, ZH

from suite.config.recipe import LEAST_STEPS, Recipe
from suite.config.task import find_task
from suite.contracts.results import Trial
from suite.models.catalogue import load_catalogue
from suite.report.data.learnt import learnt_in
from suite.study import arms, migrations, pace, thumb
from suite.study.definition import StoredArm
from suite.study.jobs import Jobs
from suite.study.preflight import estimate
from suite.study.turns import reckoned

CATALOGUE = load_catalogue()
AGNEWS = find_task("agnews")[0]


@settings(max_examples=300, deadline=None)
@given(
    rows=st.integers(1, 5000),
    passes=st.floats(0.1, 10),
    batch=st.integers(1, 128),
    least=st.integers(0, 200),
)
def test_steps_are_floored_by_smaller_batches_first_and_then_by_passes(rows, passes, batch, least):
    found = pace.paced(rows, passes, batch, least)
    steps = math.ceil(found.passes * rows / min(found.batch, rows))
    assert steps >= least
    assert found.batch in {batch, 16, 8} and found.batch <= batch
    if math.ceil(passes * rows / min(batch, rows)) >= least:
        assert found == pace.Pace(batch, passes)  # nothing to mend, nothing changed
    if found.passes > passes:  # the smallest batch was not enough, and there is no step too many
        assert found.batch == min(batch, 8) and steps <= least + 1


@settings(max_examples=200, deadline=None)
@given(
    rows=st.integers(8, 5000),
    passes=st.floats(0.1, 10),
    batches=st.tuples(st.integers(8, 128), st.integers(8, 128)),
)
def test_trials_of_an_arm_read_as_many_texts_whatever_their_batch(rows, passes, batches):
    one, other = (pace.paced(rows, passes, batch, LEAST_STEPS).passes for batch in batches)
    assert one == other == pace.paced(rows, passes, 8, LEAST_STEPS).passes


def work(arm, rows, **budget):
    """An arm's planned form, and a study of it whose children only say what they were told."""
    recipe = Recipe(name="r", arms=[arm], budget={"evaluation": "full", "checkpoints": 1} | budget)
    [planned] = arms.plan(recipe, AGNEWS, CATALOGUE, unavailable=lambda model: None)
    data = SimpleNamespace(rows=SimpleNamespace(train=rows, validation=0), fingerprint="f")
    definition = SimpleNamespace(recipe=recipe, data=data, task=AGNEWS, seed=0)
    ledger = SimpleNamespace(
        definition=definition,
        artifacts=SimpleNamespace(data="data"),
        study=SimpleNamespace(user_attrs={}),
    )
    return StoredArm.of(planned), Jobs(ledger, workers=1), ledger


def test_a_child_is_told_the_smaller_batch_and_the_passes_and_the_trial_says_so(tmp_path):
    arm, jobs, _ = work("tiny-qwen3/sft", rows=100)
    params = {"batch": 96, "learning_rate": 1e-4}
    job = jobs.job(arm, params, tmp_path)
    assert (job.params["batch"], job.epochs) == (8, pytest.approx(3.84))
    assert job.params["learning_rate"] == 1e-4 and params["batch"] == 96
    assert jobs.paced(arm, params) == {"passes": 3.84, "passes_asked": 2.0, "batch_asked": 96}
    # Enough steps: nothing is changed, and the passes are told all the same.
    arm, jobs, _ = work("tiny-qwen3/sft", rows=10_000)
    assert jobs.job(arm, params, tmp_path).params == params
    assert jobs.paced(arm, params) == {"passes": 2.0}


def test_a_recipe_may_set_no_floor_and_other_strategies_have_none(tmp_path):
    arm, jobs, _ = work("tiny-qwen3/sft", rows=100, least_steps=0)
    job = jobs.job(arm, {"batch": 96}, tmp_path)
    assert (job.params["batch"], job.epochs) == (96, 2.0)
    arm, jobs, _ = work("textcnn/classic", rows=100)
    assert jobs.job(arm, {"batch": 64}, tmp_path).params == {"batch": 64}
    assert jobs.paced(arm, {"batch": 64}) == {}


def test_a_preflight_times_the_batch_and_reckons_with_the_passes_that_there_will_be(tmp_path):
    arm, jobs, ledger = work("tiny-qwen3/sft", rows=160)
    told = []

    def train(job, max_seconds):
        """A second for each row, and nothing beside it."""
        told.append(job)
        return SimpleNamespace(
            train_seconds=float(job.preflight_rows), evaluation_seconds=0.0, evaluated=0,
            evaluated_seconds=0.0, again_seconds=0.0,
        )  # fmt: skip

    found = estimate(
        SimpleNamespace(
            ledger=ledger,
            jobs=jobs,
            runner=SimpleNamespace(train=train),
            keeping=SimpleNamespace(scratch=tmp_path),
        ),
        arm,
    )
    assert {(job.params["batch"], job.epochs) for job in told} == {(8, 1.0)}
    assert found.seconds == pytest.approx(48 * 8, rel=0.01)


def test_the_rule_of_thumb_reckons_with_them():
    def trial(least):
        arm, _, ledger = work("qwen3-0.6b/sft", rows=96, least_steps=least)
        texts = thumb.Texts(96, 100, 100, 200.0, "en", 4)
        recipe = ledger.definition.recipe
        return reckoned(arm, recipe, AGNEWS, texts, thumb.Machine(2.0), 0).trial

    assert trial(48) > 1.5 * trial(0)  # 4 passes in place of 2


def test_a_study_made_before_keeps_its_steps():
    step = migrations._STEPS[4]
    assert step({"recipe": {"budget": {"epochs": 3}}})["recipe"]["budget"] == {
        "epochs": 3,
        "least_steps": 0,
    }
    assert step({"recipe": {}})["recipe"]["budget"] == {"least_steps": 0}
    for damaged in ({"recipe": []}, {"recipe": {"budget": 3}}):  # told when all steps are done
        assert step(damaged) == damaged


@pytest.mark.parametrize(
    ("facts", "english", "chinese"),
    [
        ({"steps": 63, "passes": 2.0, "batch": 16, "batch_asked": 96},
         "63 steps, 2 passes, batch 16 (96 asked)", "63 步，2 遍，批大小 16（要求 96）"),
        ({"steps": 48, "passes": 3.84, "passes_asked": 2.0, "batch": 8},
         "48 steps, 3.84 passes (2 asked)", "48 步，3.84 遍（要求 2 遍）"),
        ({"steps": 48}, "", ""),
        ({"steps": "many", "passes": float("nan")}, "", ""),
    ],
)  # fmt: skip
def test_what_it_was_learnt_in_is_told(facts, english, chinese):
    trial = Trial(0, "COMPLETE", "a/sft", {}, circumstances=facts)
    assert (learnt_in(trial, EN), learnt_in(trial, ZH)) == (english, chinese)
    assert learnt_in(None, EN) == ""
