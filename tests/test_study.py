"""The study around toy arms: allocation, pruning, failing, resuming, refusing, the contract."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import optuna
import pytest
from conftest import PATIENCE, files_of, kept_of, left_in, write_recipe
from optuna.trial import TrialState, create_trial
from typer.testing import CliRunner

from suite import api
from suite.cli import app
from suite.config.recipe import Pruner
from suite.study import pruning, search, storage

cli = CliRunner()


def suite(*words, code=0):
    """Runs the real command line in this process; returns what it printed."""
    result = cli.invoke(app, [str(w) for w in words])
    assert code is None or result.exit_code == code, result.output + repr(result.exception)
    return result


def shown(name):
    return json.loads(suite("study", "show", name, "--json").stdout)


def shown_in(name, url):
    return json.loads(suite("study", "show", name, "--json", "--storage", url).stdout)


def states(found):
    return [t["state"] for t in found["trials"]]


# ---------------------------------------------------------------- pruning, with literal numbers


def _study_with(values):
    """A study whose complete trials have these (arm, {step: value}) histories."""
    study = optuna.create_study(direction="maximize")
    arms = optuna.distributions.CategoricalDistribution(["a", "b"])
    for arm, steps in values:
        study.add_trial(
            create_trial(
                params={"arm": arm},
                distributions={"arm": arms},
                intermediate_values=steps,
                value=max(steps.values()),
            )
        )
    return study, arms


def _running(study, arms, arm, steps):
    study.add_trial(
        create_trial(
            state=TrialState.RUNNING,
            params={"arm": arm},
            distributions={"arm": arms},
            intermediate_values=steps,
        )
    )
    return study.get_trials()[-1]


@pytest.mark.parametrize(
    ("arm", "value", "ends"),
    [
        ("a", 0.4, False),  # below every trial of b, but the best of its own arm
        ("a", 0.2, True),
        ("b", 0.8, True),  # above every trial of a, but below its own arm's median
        ("b", 0.95, False),
    ],
)
def test_pruning_compares_an_arm_with_its_own_kind(arm, value, ends):
    study, arms = _study_with(
        [("a", {20: 0.3}), ("a", {20: 0.35}), ("b", {20: 0.9}), ("b", {20: 0.9})]
    )
    trial = _running(study, arms, arm, {20: value})
    assert pruning.pruner(Pruner()).prune(study, trial) == ends


def test_pruning_over_the_study_lets_the_slow_starter_go():
    study, arms = _study_with(
        [("a", {20: 0.3}), ("a", {20: 0.35}), ("b", {20: 0.9}), ("b", {20: 0.9})]
    )
    trial = _running(study, arms, "a", {20: 0.4})
    assert pruning.pruner(Pruner(scope="study")).prune(study, trial)


def test_pruning_waits_for_two_trials_of_the_arm():
    study, arms = _study_with([("a", {20: 0.9}), ("b", {20: 0.9}), ("b", {20: 0.9})])
    trial = _running(study, arms, "a", {20: 0.1})
    assert not pruning.pruner(Pruner()).prune(study, trial)


# ---------------------------------------------------------------- a whole study


def test_a_study_end_to_end(folder, toy_task):
    recipe = write_recipe(folder, trials=6)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    found = shown("t")
    assert found["schema_version"] == 1
    assert [t["state"] for t in found["trials"] if t["state"] == "COMPLETE"]
    assert sum(s in ("COMPLETE", "PRUNED") for s in states(found)) == 6
    assert {a["arm"]: a["trials"] for a in found["arms"]} == {"tfidf/toy": 3, "fasttext/toy": 3}
    # Known-good points come first in each arm.
    assert [t["params"]["noise"] for t in found["trials"][:2]] == [0.3, 0.3]
    assert found["test_openings"] == 1
    assert {f["arm"] for f in found["finals"]} == {"tfidf/toy", "fasttext/toy"}
    for final in found["finals"]:
        low, high = final["test"]["macro_f1_interval"]
        assert low < final["test"]["macro_f1"] < high
        assert sum(map(sum, final["test"]["confusion"])) == 100
        best = max(
            t["validation"]["macro_f1"]
            for t in found["trials"]
            if t["arm"] == final["arm"] and t["state"] == "COMPLETE"
        )
        assert found["trials"][final["trial"]]["validation"]["macro_f1"] == best
    trial = found["trials"][0]
    assert [c["fraction"] for c in trial["checkpoints"]] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert trial["peak_memory_bytes"] > 1e6
    assert trial["train_seconds"] >= 0
    # What its forkserver imported is no garbage of the child's: to look through it is to copy it.
    assert trial["circumstances"]["frozen"] > 100_000
    # Another study of this process may need them.
    assert trial["circumstances"]["heavy"] == ["torch", "transformers"]
    # Only the best checkpoint of each arm is kept.
    kept = sorted(p.name.rpartition("-")[0] for p in (files_of("t") / "kept").iterdir())
    best = {final["arm"]: final["trial"] for final in found["finals"]}
    assert kept == [f"fasttext--toy-{best['fasttext/toy']}", f"tfidf--toy-{best['tfidf/toy']}"]
    assert not left_in(files_of("t"))


def test_rows_of_train_validation_and_test_are_told(folder, toy_task):
    suite("study", "create", toy_task, "--recipe", write_recipe(folder), "--no-run", "--name", "t")
    rows = {"train": 150, "validation": 50, "test": 100, "calibration": 0}
    assert shown("t")["data"]["rows"] == rows


def test_going_on_to_more_trials_marks_and_renews_the_finals(folder, toy_task):
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    again = suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    assert "exists: going on" in again.stderr
    assert len(shown("t")["trials"]) == 2  # nothing was missing, nothing was started
    assert shown("t")["test_openings"] == 1
    suite("study", "run", "t", "--trials", "4")
    found = shown("t")
    assert len(found["trials"]) == 4
    assert found["test_openings"] == 2
    assert not any(f["stale"] for f in found["finals"])


def test_a_hopeless_trial_is_pruned_within_its_arm(folder, toy_task):
    recipe = write_recipe(
        folder,
        arms=["tfidf/toy"],
        trials=6,
        spaces={"tfidf/toy": {"noise": [0.0, 0.05, 0.85]}},
        seed=3,
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    found = shown("t")
    hopeless = [t for t in found["trials"] if t["params"]["noise"] == 0.85]
    later = [t for t in hopeless if t["number"] >= 2]
    assert later and all(t["state"] == "PRUNED" and len(t["checkpoints"]) == 1 for t in later)


def test_a_failing_arm_is_retired_and_the_others_go_on(folder, toy_task):
    recipe = write_recipe(folder, trials=3, spaces={"fasttext/toy": {"behaviour": ["crash"]}})
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    found = shown("t")
    arms = {a["arm"]: a for a in found["arms"]}
    assert "the toy broke on purpose" in arms["fasttext/toy"]["retired"]
    assert arms["tfidf/toy"]["trials"] == 3
    failed = [t for t in found["trials"] if t["state"] == "FAIL"]
    assert len(failed) == 3 and all("ValueError" in t["error"] for t in failed)


def test_a_strategy_whose_save_loses_something_fails_with_the_reason(folder, toy_task):
    spaces = {"*/toy": {"behaviour": ["forgets"], "noise": [0.9, 0.8, 0.7]}}
    recipe = write_recipe(folder, trials=1, arms=["tfidf/toy"], spaces=spaces)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", code=2)
    failed = [t["error"] for t in shown("t")["trials"]]
    assert failed and all("answers otherwise when it is loaded" in error for error in failed)


def test_a_point_that_is_refused_costs_its_arm_neither_the_others_nor_itself_twice(
    folder, toy_task
):
    recipe = write_recipe(
        folder,
        trials=2,
        arms=["tfidf/toy"],
        spaces={"*/toy": {"behaviour": ["refuse", "good"], "noise": [0.2, 0.3]}},
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    found = shown("t")
    [arm] = found["arms"]
    assert arm["refused"] is None and arm["retired"] is None
    assert sum(s in ("COMPLETE", "PRUNED") for s in states(found)) == 2
    failed = [t["params"]["noise"] for t in found["trials"] if t["state"] == "FAIL"]
    assert failed and len(set(failed)) == len(failed)  # none twice
    only = write_recipe(
        folder, trials=1, arms=["tfidf/toy"], spaces={"*/toy": {"behaviour": "refuse"}}
    )
    result = suite("study", "create", toy_task, "--recipe", only, "--name", "u", code=2)
    assert "the toy refuses this point" in result.stderr


def test_an_arm_that_can_not_predict_costs_the_others_no_finals(folder, toy_task):
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("suite.study.finals.due", lambda ledger, *, early: False)
        suite("study", "run", "t")
    for file in kept_of("t", "fasttext/toy").glob("*.json"):
        file.unlink()
    words = ("finals", "t", "--seeds", "1", "--no-refit")
    result = suite(*words)
    assert "fasttext/toy could not predict the test split" in result.stderr
    assert [f["arm"] for f in shown("t")["finals"]] == ["tfidf/toy"]
    shutil.rmtree(kept_of("t", "tfidf/toy"))
    result = suite(*words, code=2)
    assert "fasttext/toy could not predict the test split" in result.stderr
    assert [f["arm"] for f in shown("t")["finals"]] == ["tfidf/toy"]  # what was scored stays


def test_when_every_arm_is_retired_the_study_says_why(folder, toy_task):
    recipe = write_recipe(folder, arms=["tfidf/toy"], spaces={"tfidf/toy": {"behaviour": ["oom"]}})
    result = suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", code=2)
    assert "no arm is left" in result.stderr and "memory ran out" in result.stderr


def test_a_child_that_crashes_is_a_failed_trial_never_a_dead_study(folder, toy_task):
    recipe = write_recipe(folder, trials=2, spaces={"fasttext/toy": {"behaviour": ["segfault"]}})
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    found = shown("t")
    failed = [t for t in found["trials"] if t["state"] == "FAIL"]
    assert len(failed) == 3 and all("SIGSEGV" in t["error"] for t in failed)
    assert sum(s == "COMPLETE" for s in states(found)) == 2


def test_a_trial_that_takes_too_long_is_ended(folder, toy_task):
    recipe = write_recipe(
        folder,
        arms=["tfidf/toy"],
        max_trial_seconds=1,
        spaces={"tfidf/toy": {"seconds": 60}},
    )
    result = suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", code=2)
    assert "max_trial_seconds" in result.stderr


def test_two_workers_start_no_more_than_are_missing(folder, toy_task):
    recipe = write_recipe(folder, trials=5, spaces={"*/toy": {"seconds": 0.4}})
    result = suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--workers", "2")
    found = shown("t")
    assert len(found["trials"]) == 5
    assert any(t["contended"] for t in found["trials"])
    assert "trained again alone" in result.stderr  # the winner's times would be the neighbours'


def test_bounds_are_constraints_and_an_answer_that_breaks_them_says_so(folder, toy_task):
    recipe = write_recipe(
        folder,
        trials=4,
        bounds={"max_train_seconds": 1.5},
        spaces={"fasttext/toy": {"seconds": 1.5, "noise": 0.0}, "tfidf/toy": {"noise": 0.4}},
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    found = shown("t")
    assert {(t["arm"], t["feasible"]) for t in found["trials"]} == {
        ("tfidf/toy", True),
        ("fasttext/toy", False),
    }
    study, _ = storage.load(storage.open_storage(), "t")
    # Optuna itself takes the worse arm for the best: the better one breaks the bound.
    assert study.best_trial.params["arm"] == "tfidf/toy"


def test_serving_speed_is_measured_once_per_shape_by_loadgen(folder, toy_task):
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=2, measure={"seconds": 0.3})
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    first, second = (t["rps"] for t in shown("t")["trials"])
    assert first == second and "measured in trial 0" in first["note"]
    assert first["valid"] and first["offline_per_second"] > 0
    assert 0 < first["single_stream"]["p50_ms"] <= first["single_stream"]["p90_ms"]


def next_point(definition, trials, out):
    arms = search.contending(definition, trials, out)
    return search.next_point(definition, trials, [arm.name for arm in arms])


def test_adaptive_allocation_lets_the_sampler_choose_after_the_known_good_points():
    from suite.config.recipe import Recipe
    from suite.models.catalogue import load_catalogue
    from suite.study.definition import StoredArm

    model = load_catalogue()["tfidf"]
    arms = [
        StoredArm(name=f"{m}/toy", model=model, strategy="toy", dimensions={"noise": [0.1, 0.2]},
                  known_good=[{"noise": 0.1}])
        for m in "ab"
    ]  # fmt: skip

    class Definition:
        recipe = Recipe(name="r", arms=["a/toy"], allocation="adaptive")
        runnable = arms
        arm = staticmethod(lambda name: next(arm for arm in arms if arm.name == name))

    fixed, attributes = next_point(Definition, [], set())
    assert fixed == {"arm": "a/toy", "a/toy:noise": 0.1}
    done = [
        create_trial(state=TrialState.COMPLETE, value=0.5, user_attrs=attributes),
        create_trial(state=TrialState.COMPLETE, value=0.5,
                     user_attrs={search.KNOWN_GOOD: "b/toy#0"}),
    ]  # fmt: skip
    assert next_point(Definition, done, set()) is None
    # With an arm out, turns are taken among those that are left.
    assert next_point(Definition, done, {"a/toy"})[0] == {"arm": "b/toy", "b/toy:noise": 0.1}


def test_a_finite_arm_has_each_of_its_points_once_and_then_leaves_its_turn():
    from suite.config.recipe import Recipe
    from suite.models.catalogue import load_catalogue
    from suite.study.definition import StoredArm

    model = load_catalogue()["tfidf"]
    finite = {"mode": "x", "shots": [0, 1], "calibrate": [False, True]}

    arms = [
        StoredArm(name="a/toy", model=model, strategy="toy", dimensions=finite,
                  known_good=[{"shots": 1, "calibrate": False}]),
        StoredArm(name="b/toy", model=model, strategy="toy",
                  dimensions={"noise": {"low": 0.0, "high": 1.0}}),
    ]  # fmt: skip

    class Definition:
        recipe = Recipe(name="r", arms=["a/toy"])
        runnable = arms
        arm = staticmethod(lambda name: next(arm for arm in arms if arm.name == name))

    trials = []
    for _ in range(9):
        fixed, attributes = next_point(Definition, trials, set())
        trials.append(
            create_trial(
                state=TrialState.WAITING, system_attrs={"fixed_params": fixed},
                user_attrs=attributes,
            )
        )  # fmt: skip
    asked = [t.system_attrs["fixed_params"] for t in trials]
    mine = [f for f in asked if f["arm"] == "a/toy"]
    assert mine[0] == {"arm": "a/toy", "a/toy:shots": 1, "a/toy:calibrate": False}
    points = {(f["a/toy:shots"], f["a/toy:calibrate"]) for f in mine}
    assert len(mine) == len(points) == 4
    assert sum(f["arm"] == "b/toy" for f in asked) == 5
    # Alone and tried out, it is repeated: a study still reaches its number of trials.
    assert next_point(Definition, trials, {"b/toy"})[0] == {"arm": "a/toy"}


# ---------------------------------------------------------------- refusing


def test_a_refused_arm_is_listed_with_its_reason(folder, toy_task):
    recipe = write_recipe(folder, arms=["tfidf/toy", "textcnn/toy"], trials=1)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    arms = {a["arm"]: a["refused"] for a in shown("t")["arms"]}
    assert arms == {"tfidf/toy": None, "textcnn/toy": "the toy does not like textcnn"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["agnew"], "Did you mean 'agnews'?"),
        (["toy.yaml", "--recipe", "quik"], "Did you mean 'quick'?"),
        (["toy.yaml", "--arms", "tfdif/*"], "Did you mean 'tfidf/"),
        (["toy.yaml", "--arms", "tfidf"], "an arm is model/strategy"),
        (["toy.yaml", "--arms", "tfidf/linear-head"], "unknown strategy 'linear-head'"),
        (["toy.yaml", "--model", "mini"], "expected NAME=PATH"),
        (["toy.yaml", "--model", "mini=nowhere"], "no folder nowhere"),
        (["toy.yaml", "--timeout", "soon"], "is no duration"),
        (["toy.yaml", "--max-disk", "lots"], "is no size"),
        (["toy.yaml", "--storage", "nonsense"], "not a database URL"),
        (["toy.yaml", "--storage", "sqlite:///:memory:"], "needs a file"),
        (["toy.yaml", "--data", "nowhere"], "nowhere"),
        (["toy.yaml", "--name", "Bad Name"], "is no name"),
        (["toy.yaml", "--train-rows", "100000"], "--train-rows"),
    ],
)
def test_bad_words_are_one_message_and_exit_2(folder, toy_task, words, said):
    result = suite("study", "create", *words, "--no-run", code=2)
    assert said in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output


def test_contradicting_options_are_named_one_by_one(folder, toy_task):
    recipe = write_recipe(folder)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run")
    result = suite(
        "study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run",
        "--seed", "7", "--train-rows", "100", code=2,
    )  # fmt: skip
    for difference in (
        "--seed: stored 0, now 7",
        "--train-rows: stored None, now 100",
        "data fingerprint",
    ):
        assert difference in result.stderr


def test_a_changed_task_is_refused_on_resume(folder, toy_task):
    recipe = write_recipe(folder, trials=1)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    task = folder / toy_task
    task.write_text(task.read_text() + "max_tokens: 64\n")
    result = suite("study", "run", "t", "--trials", "2", code=2)
    assert "toy.yaml changed: max_tokens" in result.stderr


def test_a_missing_study_names_the_nearest(folder, toy_task):
    recipe = write_recipe(folder)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "mail", "--no-run")
    assert "Did you mean 'mail'?" in suite("study", "show", "mial", code=2).stderr


def test_a_folder_without_studies_says_so(folder):
    assert "no studies here" in suite("study", "list", code=2).stderr


def test_a_file_that_is_no_database_is_told(folder):
    (folder / "x.db").write_text("hello, I am not a database at all")
    result = suite("study", "list", "--storage", "sqlite:///x.db", code=2)
    assert "no SQLite database" in result.stderr


def test_preflight_refuses_an_arm_beyond_the_budget_unless_forced(folder, toy_task):
    recipe = write_recipe(
        folder,
        trials=1,
        preflight=True,
        max_trial_seconds=4,
        spaces={"fasttext/toy": {"seconds": 4.5}},
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    arms = {a["arm"]: a for a in shown("t")["arms"]}
    assert "above the budget of 4 s" in arms["fasttext/toy"]["refused"]
    assert arms["tfidf/toy"]["trials"] == 1


def test_preflight_counts_what_scoring_takes(folder, toy_task):
    recipe = write_recipe(
        folder,
        trials=1,
        arms=["tfidf/toy"],
        preflight=True,
        spaces={"*/toy": {"answer_seconds": 0.01}},
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    found = shown("t")
    [arm] = found["arms"]
    validation = found["data"]["rows"]["validation"]
    stops = found["budget"]["checkpoints"]
    assert arm["estimate_seconds"] == pytest.approx(0.01 * validation * stops, rel=0.5, abs=0.3)
    # What a predictor says of its last answers belongs to the trial.
    assert found["trials"][0]["circumstances"]["answered"] == validation


# ---------------------------------------------------------------- keeping and removing


def test_best_list_copy_and_delete(folder, toy_task):
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    best = json.loads(suite("study", "best", "t", "--json").stdout)
    assert best["arm"] in ("tfidf/toy", "fasttext/toy") and best["trial"]["number"] in (0, 1)
    test = next(f for f in shown("t")["finals"] if f["arm"] == best["arm"])["test"]
    assert best["objective"] == {"name": "macro_f1", "value": best["test_macro_f1"]}
    assert best["objective_interval"] == best["test_macro_f1_interval"] == test["macro_f1_interval"]
    assert best["unanswered"] == test["unanswered"] == [0, 0]
    listed = json.loads(suite("study", "list", "--json").stdout)["studies"]
    assert [(s["study"], s["finished"]) for s in listed] == [("t", 2)]
    suite("study", "export-db", "t", "copy.db")
    assert "needs --yes" in suite("study", "delete", "t", code=2).stderr
    files = files_of("t")
    assert files.is_dir()
    suite("study", "delete", "t", "--yes")
    assert not files.exists() and not list(files.parent.iterdir())
    suite("study", "import-db", "copy.db")
    assert shown("t")["finals"]
    assert "has 't' already" in suite("study", "import-db", "copy.db", code=2).stderr


def test_predict_uses_the_kept_winner(folder, toy_task):
    recipe = write_recipe(folder, trials=2, spaces={"*/toy": {"noise": 0.0}})
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    said = json.loads(suite("predict", "t", "win cash prize", "garden music", "--json").stdout)
    assert [p["label"] for p in said["predictions"]] == ["spam", "ham"]
    suite("export", "t", "out")
    assert (folder / "out" / "toy.json").exists()


# ---------------------------------------------------------------- killing, interrupting


def start(*words, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "suite", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        # A shell starts its background jobs with Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(condition, process):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.kill()
    raise AssertionError(process.communicate())


def running(name):
    try:
        study, _ = storage.load(storage.open_storage(), name)
    except Exception:
        return []
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def test_two_processes_that_score_at_once_open_the_test_split_once(folder, toy_task, hold):
    recipe = write_recipe(
        folder, arms=["tfidf/toy"], trials=1, spaces={"*/toy": {"hold": str(hold)}}
    )
    hold.unlink()
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    before = shown("t")["test_openings"]
    hold.touch()  # now whoever trains again waits half-way

    def claim():
        study, _ = storage.load(storage.open_storage(), "t")
        return study.user_attrs.get("suite:opening")

    first = start("finals", "t", "--seeds", "2", "--no-refit")
    wait_for(claim, first)
    told = []

    def watch(progress):
        told.append(progress.text)
        if "is waited for" in progress.text:
            hold.unlink(missing_ok=True)

    found = api.score_finals("t", seeds=2, refit=False, progress=watch)
    _, said = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, said
    assert any(f"process {first.pid}" in text and "is waited for" in text for text in told)
    assert {final.seeds for final in found.finals} == {2}
    assert shown("t")["test_openings"] == before + 1
    assert claim() is None


def alive_children(pid):
    import psutil

    return [p for p in psutil.Process(pid).children(recursive=True) if p.is_running()]


@pytest.fixture
def slow_study(folder, toy_task, hold):
    """A study whose trials stay half-way until `hold` is gone."""
    spaces = {"*/toy": {"seconds": 0.5, "hold": str(hold)}}
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=2, spaces=spaces)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run")
    return "t"


def test_after_sigkill_of_child_and_parent_the_study_finishes(folder, slow_study, hold):
    process = start("study", "run", "t")
    wait_for(lambda: any(t.intermediate_values for t in running("t")), process)
    # The child first: the trial fails, the next one starts.
    child = next(
        p
        for p in alive_children(process.pid)
        if "forkserver" in " ".join(p.cmdline()) and p.parent().pid != process.pid
    )
    first = running("t")[0].number
    child.kill()
    wait_for(
        lambda: any(t.number != first and t.intermediate_values for t in running("t")), process
    )
    # Then the parent: its children must go with it.
    offspring = alive_children(process.pid)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + PATIENCE
    while any(p.is_running() and p.status() != "zombie" for p in offspring):
        assert time.monotonic() < deadline, "a child outlived its parent"
        time.sleep(0.1)
    hold.unlink()
    result = suite("study", "run", "t")
    assert "had lost its worker; it is queued again" in result.stderr
    found = shown("t")
    assert sum(t["state"] in ("COMPLETE", "PRUNED") for t in found["trials"]) == 2
    errors = [t["error"] for t in found["trials"] if t["state"] == "FAIL"]
    assert len(errors) == 2 and "SIGKILL" in errors[0] and "worker died" in errors[1]
    assert not running("t")
    assert not left_in(files_of("t"))


def test_ctrl_c_saves_and_run_goes_on(folder, slow_study, hold):
    process = start("study", "run", "t")
    wait_for(lambda: any(len(t.intermediate_values) > 1 for t in running("t")), process)
    [trial] = [t for t in shown("t")["trials"] if t["state"] == "RUNNING"]
    # Training slept for .1 s before each; what scoring and waiting took is not in it.
    first, second = (c["train_seconds"] for c in trial["checkpoints"])
    assert 0.1 <= first <= second - 0.1
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, error
    assert "suite study run t" in error and "Traceback" not in error
    found = shown("t")
    assert states(found) == ["FAIL", "WAITING"]
    assert (
        found["trials"][0]["params"] == found["trials"][1]["params"]
        or not (found["trials"][1]["params"])
    )
    hold.unlink()
    suite("study", "run", "t")
    found = shown("t")
    assert sum(t["state"] in ("COMPLETE", "PRUNED") for t in found["trials"]) == 2
    assert found["trials"][1]["params"] == found["trials"][0]["params"]
