"""Recipe `auto`: the rule with literal numbers, and what is stored of its choice."""

import json
import re
from pathlib import Path

import pytest
from conftest import write_recipe
from hypothesis import given
from hypothesis import strategies as st
from test_study import shown, suite

from suite.errors import StudyError
from suite.models import hub
from suite.study import choosing, storage
from suite.study.choosing import Candidate, choose
from suite.study.create import Wanted, create
from suite.study.duration import parse_duration
from suite.study.thumb import Thumb


def candidate(name, trial=2.0, kind=None, **more):
    model, _, strategy = name.partition("/")
    if kind is None:
        kind = model if strategy == "classic" else f"encoder/{strategy}"
    return Candidate(name, kind, Thumb(trial, per_text=0.0), **more)


ROOT = Path(__file__).parents[1]

CLASSIC = [candidate("textcnn/classic", 8.0), candidate("tfidf/classic", 2.0)]


def chosen(*more, preset="balanced", seconds=1800, test_rows=1000, **settings):
    candidates = [*CLASSIC, *more]
    found = choose(candidates, preset=preset, seconds=seconds, test_rows=test_rows, **settings)
    # Each arm is either taken or left out with why.
    assert sorted([*found.taken, *found.left_out]) == sorted(c.name for c in candidates)
    return found


def test_what_fits_is_taken_the_cheapest_first():
    found = chosen(candidate("bert/linear_head", 100.0))
    assert found.taken == ("tfidf/classic", "textcnn/classic", "bert/linear_head")
    assert found.plan.rounds == 4 and found.left_out == {}


def test_an_arm_whose_trial_takes_too_much_of_the_time_is_left_out_with_what_would_do():
    found = chosen(candidate("bert/linear_head", 600.0))
    assert found.taken == ("tfidf/classic", "textcnn/classic")
    assert found.left_out["bert/linear_head"] == (
        "one trial would take about 10 min on this machine, by rule of thumb: more than 10% of "
        "30 min; --timeout 2h would do"
    )
    assert "bert/linear_head" in chosen(candidate("bert/linear_head", 600.0), seconds=7200).taken
    # A fast look takes less, the best more.
    assert "bert/linear_head" in chosen(candidate("bert/linear_head", 300.0), preset="best").taken
    assert (
        "bert/linear_head" not in chosen(candidate("bert/linear_head", 100.0), preset="fast").taken
    )


@given(trial=st.floats(0.5, 40_000), preset=st.sampled_from(sorted(choosing.PLANS)))
def test_the_time_that_would_do_does(trial, preset):
    arm = candidate("bert/linear_head", trial)
    told = choose([arm], preset=preset, seconds=1, test_rows=1000).left_out[arm.name]
    (enough,) = re.findall(r"--timeout (\S+) would do", told)
    seconds = parse_duration(enough)
    assert trial <= choosing.PLANS[preset].share * seconds <= 1.7 * trial + 0.2


def test_all_that_are_taken_can_finish_a_trial_and_their_finals_in_the_time():
    dear = [candidate(f"{name}/linear_head", 150.0, kind=name) for name in "abcdefgh"]
    found = chosen(*dear, preset="best", seconds=1800)
    # A trial and two trainings more in the finals are 450 s and over: of 1,620 s three fit.
    assert [name for name in found.taken if name.endswith("linear_head")] == [
        "a/linear_head", "b/linear_head", "c/linear_head",
    ]  # fmt: skip
    assert "are left beside the cheaper arms" in found.left_out["d/linear_head"]


def test_many_ways_come_before_many_models():
    encoders = [
        candidate(f"{model}/{strategy}", trial)
        for strategy, trial in (("probe", 10.0), ("linear_head", 60.0))
        for model in ("small", "middle", "large")
    ]
    found = chosen(*encoders, preset="fast", seconds=3600)
    assert found.plan.arms == 4
    ways = {name.partition("/")[2] for name in found.taken}
    assert ways == {"classic", "probe", "linear_head"}
    assert "takes 4 arms, and others come first" in found.left_out["middle/linear_head"]


def test_of_a_kind_weights_that_are_here_come_first_and_then_the_larger_model():
    found = chosen(
        candidate("away/probe", 30.0, fetched=90e6),
        candidate("small/probe", 10.0),
        candidate("large/probe", 20.0),
        candidate("huge/probe", 4000.0),
        preset="fast",
    )
    assert set(found.taken) - {c.name for c in CLASSIC} == {"large/probe", "small/probe"}


def test_nothing_large_is_downloaded_unasked():
    large = candidate("qwen/probe", 20.0, fetched=1.19e9)
    found = chosen(large, candidate("minilm/probe", 10.0, fetched=91e6))
    assert "minilm/probe" in found.taken
    assert found.left_out["qwen/probe"] == (
        "its weights would be downloaded: 1,190 MB, above 500 MB; --download 1190MB allows it"
    )
    assert "qwen/probe" in chosen(large, most_fetched=2e9).taken
    assert "not known" in chosen(candidate("x/probe", fetched=None)).left_out["x/probe"]


def test_what_the_user_brought_comes_first_and_may_take_more():
    mine = candidate("mine/linear_head", 500.0, brought=True)
    found = chosen(mine, candidate("bert/linear_head", 170.0))
    assert "mine/linear_head" in found.taken
    # What can't finish at all is left out, whoever brought it.
    assert "mine/linear_head" in chosen(mine, seconds=400).left_out


def test_what_is_refused_stays_refused_and_what_nobody_knows_is_reckoned_with():
    found = chosen(
        candidate("zh/probe", refused="zh was trained on Chinese"),
        Candidate("own/toy", "own/toy"),
    )
    assert found.left_out == {"zh/probe": "zh was trained on Chinese"}
    assert found.taken[-1] == "own/toy"


@pytest.mark.parametrize("page", ["docs/recipes.md", "docs/zh/recipes.md"])
def test_the_documents_say_what_each_preset_means(page):
    rows = re.findall(
        r"^\| `(fast|balanced|best)`[^|]*\| (\d+) \| (\d+) \|", (ROOT / page).read_text(), re.M
    )
    assert {name: (int(rounds), int(arms)) for name, rounds, arms in rows} == {
        name: (plan.rounds, plan.arms) for name, plan in choosing.PLANS.items()
    }


# ---------------------------------------------------------------- stored


@pytest.fixture
def auto(folder, toy_task):
    """A study of recipe `auto`, without a Hub, and what it was made of."""

    def make(**more):
        return create(Wanted(task=toy_task, name="t", **more))

    return make


def test_a_task_without_a_recipe_of_its_own_takes_what_fits(auto):
    made = auto()
    recipe = made.definition.recipe
    assert recipe.name == "auto" and recipe.choose.preset == "balanced"
    assert recipe.arms == [arm.name for arm in made.definition.runnable]
    # The toy strategy comes in by its entry point.
    own = {"tfidf/toy", "fasttext/toy"}
    assert set(recipe.arms) - own == {"tfidf/classic", "fasttext/classic", "textcnn/classic"}
    assert recipe.arms[0] == "tfidf/classic"  # the cheapest first
    assert recipe.trials == 4 * len(recipe.arms)
    out = {arm.name: arm.refused for arm in made.definition.arms if arm.refused}
    assert "not in the local cache" in out["minilm/probe"]
    assert "fasttext/probe" not in out  # no such pair


def test_a_resume_never_chooses_anew(auto, monkeypatch):
    first = auto(preset="fast", seconds=600.0)
    assert first.definition.recipe.trials == 6
    # Another machine, with other weights and no time: the study keeps its arms.
    monkeypatch.setattr(choosing, "choose", None)
    monkeypatch.setattr(hub, "unavailable", lambda model, deadline=0: None)
    again = auto(seconds=5.0)
    assert again.resumed and again.told is None
    assert again.definition.recipe == first.definition.recipe
    assert again.definition.arms == first.definition.arms
    with pytest.raises(StudyError, match="chosen by --preset fast, and not best"):
        auto(preset="best")


def test_arms_that_are_named_are_taken_whatever_they_take(auto):
    made = auto(arms=["tfidf/classic"], preset="best")
    assert [arm.name for arm in made.definition.arms] == ["tfidf/classic"]
    assert made.definition.recipe.trials == 10
    assert made.definition.recipe.finals.seeds == 5


def test_a_preset_belongs_to_a_recipe_that_chooses(auto, folder):
    with pytest.raises(StudyError, match="--preset belongs to a recipe that chooses its arms"):
        auto(recipe=write_recipe(folder), preset="fast")


def test_the_terminal_tells_what_was_chosen_and_why_the_rest_was_not(folder, toy_task):
    told = suite("study", "create", toy_task, "--name", "t", "--timeout", "10m", "--no-run").stderr
    assert "Chosen for 10 min (--preset balanced): tfidf/classic, " in told
    assert re.search(r"Left out: minilm/linear_head.* minilm/probe.*: its weights", told)
    stored = storage.load(storage.open_storage(), "t")[1]
    assert stored.recipe.choose.seconds == 600
    arms = {arm["arm"]: arm["refused"] for arm in shown("t")["arms"]}
    assert arms["tfidf/classic"] is None and arms["minilm/probe"]
    runnable = sum(reason is None for reason in arms.values())
    assert json.loads(suite("study", "show", "t", "--json").stdout)["target_trials"] == 4 * runnable
