"""The suite as a library: the documents' example as it stands, and what a caller may rely on."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import PATIENCE, write_recipe
from documents import ROOT, blocks
from typer.testing import CliRunner

import suite
from suite.cli import app
from suite.errors import DataError, ModelError, StudyError, SuiteError, TaskError


def python(code, folder, *arguments, **environment):
    """Runs code in a fresh process; returns what it printed, which must not be on stderr."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input=code,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=PATIENCE,
        env={**os.environ, "SUITE_CACHE": str(folder / "cache"), **environment},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


# ---------------------------------------------------------------- the documents' example


def test_the_example_runs_as_it_stands(tmp_path):
    (code,) = blocks("docs/library.md", "python", "library example")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    # An own recipe of the name wins: one training each, and no minute of measuring.
    (tmp_path / "studies").mkdir()
    recipe = yaml.safe_load((ROOT / "studies" / "sample.yaml").read_text(encoding="utf-8"))
    quick = {"finals": {"seeds": 1}, "measure": {"seconds": 0}}
    (tmp_path / "studies" / "sample.yaml").write_text(json.dumps(recipe | quick))
    # Without the tests' own toy strategies, which `tfidf/*` would match as well.
    printed = python("", tmp_path, "example.py", PYTHONPATH=str(ROOT))
    assert len(code.splitlines()) <= 24
    assert "Business" in printed
    assert (tmp_path / "reports" / "agnews-sample.html").stat().st_size > 100_000
    results = suite.load_results(
        "agnews-sample", storage=f"sqlite:///{tmp_path}/studies/suite.db", importance=False
    )
    assert {f.arm for f in results.finals} == {"tfidf/classic", "fasttext/classic"}


# ---------------------------------------------------------------- importing


def test_importing_the_package_stays_light(tmp_path):
    heavy = "import suite, sys; print([m for m in ('pydantic', 'optuna', 'numpy', 'torch', 'rich') "
    assert python(heavy + "if m in sys.modules])", tmp_path, "-") == "[]\n"
    results = "import suite.api, sys; print([m for m in ('torch', 'evaluate', 'plotly', 'pandas') "
    assert python(results + "if m in sys.modules])", tmp_path, "-") == "[]\n"


def test_every_public_name_is_there_and_documented():
    for name in suite.__all__:
        thing = getattr(suite, name)
        assert thing.__doc__ and name in dir(suite)
        if callable(thing) and not isinstance(thing, type):
            assert "Example:" in thing.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'load_tusk'"):
        _ = suite.load_tusk
    from suite.data import sample  # a room of the package is still found

    assert sample.sample_data


# ---------------------------------------------------------------- a study from Python


@pytest.fixture
def made(folder, toy_task):
    recipe = write_recipe(folder, trials=4, spaces={"*/toy": {"noise": [0.0, 0.2]}})
    return suite.create_study(toy_task, recipe=recipe, name="t")


def test_a_study_from_creation_to_prediction(folder, made, capfd):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KMP_")}
    handlers = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    assert (made.name, made.resumed) == ("t", False)
    assert suite.create_study("toy.yaml", recipe="toys.yaml", name="t").resumed

    happened = []
    results = suite.run_study(made, progress=happened.append)
    assert [f.arm for f in results.finals] and results.test_openings == 1
    assert {f.arm for f in results.finals} == {"tfidf/toy", "fasttext/toy"}
    of_first = [p.event for p in happened if p.trial == 0 and p.event != "progressed"]
    assert of_first == ["started", *["scored"] * 5, "ended"]
    ended = [p for p in happened if p.event == "ended"]
    assert [p.macro_f1 for p in ended] == [t.macro_f1 for t in results.trials]
    assert {p.arm for p in ended} == {"tfidf/toy", "fasttext/toy"}
    assert "create_study('toy.yaml', recipe='toys.yaml'" not in results.command  # the first call
    assert results.command.startswith("suite.create_study('toy.yaml', ")

    # Reading again finds the same; more trials go on where it ended.
    again = suite.load_results("t")
    assert again == results
    more = suite.run_study("t", trials=5, workers=2, timeout="1h")
    assert sum(t.state in ("COMPLETE", "PRUNED") for t in more.trials) == 5
    assert more.test_openings == 2

    said = []
    scored = suite.score_finals(made, seeds=2, refit=False, progress=lambda p: said.append(p.text))
    assert scored.test_openings == 3 and scored == suite.load_results("t")
    assert {(f.seeds, f.refit, f.looks) for f in scored.finals} == {(2, False, 3)}
    assert any("training trial" in text for text in said)
    # Trainings that are there are kept: nothing is missing, and test stays closed.
    assert suite.score_finals("t", seeds=2, refit=False).test_openings == 3

    board, trials = suite.leaderboard_frame(more), suite.trials_frame(more)
    assert list(board["rank"]) == sorted(board["rank"]) and len(board) == 2
    assert list(trials["number"]) == [t.number for t in more.trials]
    assert trials["params"][0] == more.trials[0].params

    predictor = suite.load_predictor("t", arm="tfidf/toy")
    assert predictor.labels == ["ham", "spam"] and predictor.arm == "tfidf/toy"
    assert predictor.study == "t"
    assert predictor.predict(["win cash prize", "garden music"]) == ["spam", "ham"]
    shares = predictor.predict_proba(["win cash prize", ""])
    assert shares.dtype == np.float32 and shares.shape == (2, 2)
    assert shares.sum(axis=1) == pytest.approx([1, 1])
    assert predictor.predict([]) == [] and predictor.predict_proba([]).shape == (0, 2)

    (page,) = suite.build_report(more, out="own", formats=["html"], storage="sqlite:///own.db")
    assert "--storage sqlite:///own.db</pre>" in page.read_text(encoding="utf-8")
    written = suite.build_report(more, out="pages", formats=["csv", "json"], lang="zh")
    assert all(path.parent == Path("pages") and path.is_file() for path in written)
    assert {path.suffix for path in written} == {".csv", ".json"}

    assert capfd.readouterr() == ("", "")
    assert {k: v for k, v in os.environ.items() if not k.startswith("KMP_")} == environment
    assert {s: signal.getsignal(s) for s in handlers} == handlers
    # The command line sees the same study.
    shown = CliRunner().invoke(app, ["study", "show", "t", "--json"])
    assert json.loads(shown.stdout)["finals"] == suite.load_results("t").to_json()["finals"]


def test_an_exported_folder_is_loaded_by_its_path(folder, made):
    suite.run_study("t")
    done = CliRunner().invoke(app, ["export", "t", "out", "--arm", "fasttext/toy"])
    assert done.exit_code == 0, done.output
    texts = ["win cash prize", "garden music", "lunch meeting"]
    kept = suite.load_predictor("t", arm="fasttext/toy")
    for named in (Path("out"), "./out", "out"):
        exported = suite.load_predictor(named)
        assert exported.labels == kept.labels and exported.arm == "fasttext/toy"
        assert np.array_equal(exported.predict_proba(texts), kept.predict_proba(texts))
    with pytest.raises(ModelError, match="holds one arm"):
        suite.load_predictor("./out", arm="tfidf/toy")


def test_a_task_as_a_value(folder, toy_task):
    (folder / "mine").mkdir()
    for name in ("toy.yaml", "data"):
        (folder / name).rename(folder / "mine" / name)
    task = suite.load_task("mine/toy.yaml")
    assert suite.load_task(Path("mine") / "toy.yaml") == task
    # Data files are named from the task's file, also where the value was changed.
    other = task.model_copy(update={"title": "Another title", "max_tokens": 64})
    recipe = write_recipe(folder, trials=2)
    made = suite.create_study(other, recipe=recipe, name="t")
    assert made.definition.task.max_tokens == 64
    results = suite.run_study("t")
    assert results.title == "Another title" and len(results.finals) == 2
    with pytest.raises(StudyError, match="max_tokens"):
        suite.create_study(task, recipe=recipe, name="t")
    # The study is an ordinary one: the command line goes on with it.
    done = CliRunner().invoke(app, ["study", "run", "t", "--trials", "3"])
    assert done.exit_code == 0, done.output


def test_what_a_person_can_mend_is_a_suite_error(folder, made):
    with pytest.raises(TaskError, match="Did you mean 'agnews'"):
        suite.load_task("agnew")
    with pytest.raises(StudyError, match="no study 'tt'"):
        suite.load_results("tt")
    with pytest.raises(StudyError, match="no kept checkpoint yet"):
        suite.load_predictor("t")
    with pytest.raises(ModelError):
        suite.load_predictor("./nowhere")
    with pytest.raises(StudyError, match="exists and differs"):
        suite.create_study("toy.yaml", recipe="toys.yaml", name="t", seed=7)
    for call in (
        lambda: suite.create_study("toy.yaml", arms="tfidf/*"),
        lambda: suite.create_study("toy.yaml", trials=0),
        lambda: suite.run_study("t", workers=0),
        lambda: suite.score_finals("t", seeds=21),
        lambda: suite.score_finals("t", allow_endpoint="host"),
        lambda: suite.run_study("t", timeout="soon"),
        lambda: suite.build_report([], out="pages"),
        lambda: suite.build_report(suite.load_results("t"), formats=["pdf"]),
    ):
        with pytest.raises(SuiteError):
            call()
    suite.run_study("t", trials=2)
    with pytest.raises(DataError, match="not one string"):
        suite.load_predictor("t").predict("a text")


def test_the_sample_in_the_data_s_place_is_warned_of(folder):
    with pytest.warns(UserWarning, match="BUNDLED SAMPLE") as caught:
        made = suite.create_study("agnews", arms=["tfidf/*"])
    [warning] = [one for one in caught if "BUNDLED SAMPLE" in str(one.message)]
    assert warning.filename == __file__
    assert made.name == "agnews-sample" and made.definition.sample
    with pytest.raises(DataError, match="out of reach"):
        suite.create_study("agnews", no_fallback=True)


# ---------------------------------------------------------------- ending early


@pytest.fixture
def slow(folder, toy_task, hold):
    recipe = write_recipe(folder, trials=3, spaces={"*/toy": {"hold": str(hold)}})
    return suite.create_study(toy_task, recipe=recipe, name="t").name


def test_an_exception_of_the_callback_comes_out(slow):
    def fail(happened):
        if happened.event == "scored":
            raise ZeroDivisionError("of the callback")

    with pytest.raises(ZeroDivisionError, match="of the callback"):
        suite.run_study(slow, progress=fail)
    states = [t.state for t in suite.load_results(slow).trials]
    assert states == ["FAIL", "WAITING"]  # the trial that ran is queued again


def test_another_thread_stops_a_study_that_runs_in_a_thread(slow):
    stop, scored, found = threading.Event(), threading.Event(), []

    def work():
        def watch(happened):
            if happened.event == "scored":
                scored.set()

        found.append(suite.run_study(slow, stop=stop, progress=watch))

    thread = threading.Thread(target=work)
    thread.start()
    assert scored.wait(PATIENCE)
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert [t.state for t in found[0].trials] == ["FAIL", "WAITING"]
    assert found[0].finals == []


# ---------------------------------------------------------------- scripts and notebooks

#: A study of toys needs no network: 7 s of a process's first study.
LIGHT = "from suite.machine import surroundings; surroundings.runs_one_command()\n"
SCRIPT = """
import threading
with open("ran.txt", "a") as file:
    file.write("x")
from suite import create_study, run_study
create_study("toy.yaml", recipe="toys.yaml", name="t")
def work():
    results = run_study("t")
    print(sorted(f.arm for f in results.finals), [t.state for t in results.trials])
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
FOUND = "['fasttext/toy', 'tfidf/toy'] ['COMPLETE', 'COMPLETE']\n"


def test_trials_do_not_run_the_calling_script_again(folder, toy_task):
    write_recipe(folder, trials=2)
    (folder / "script.py").write_text(LIGHT + SCRIPT)
    assert python("", folder, "script.py") == FOUND
    assert (folder / "ran.txt").read_text() == "x"


def test_ctrl_c_saves_and_comes_out_without_a_main_file_too(folder, slow):
    code = LIGHT + (
        "import os, signal, suite\n"
        "def watch(happened):\n"
        "    if happened.event == 'scored': os.kill(os.getpid(), signal.SIGINT)\n"
        "try:\n"
        "    suite.run_study('t', progress=watch)\n"
        "except KeyboardInterrupt:\n"
        "    print([t.state for t in suite.load_results('t').trials])\n"
    )
    assert python(code, folder, "-") == "['FAIL', 'WAITING']\n"
