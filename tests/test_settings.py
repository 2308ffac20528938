"""Settings: where each may come from, which wins, what is refused, and that it holds."""

import json
import os
import subprocess
import sys

import pytest
from conftest import PATIENCE
from typer.testing import CliRunner

from suite import redaction
from suite.cli import app
from suite.config import settings
from suite.config.task import find_task
from suite.errors import SettingsError
from suite.machine import computing, facts, surroundings
from suite.study import database

cli = CliRunner()


def suite(*words, code=0):
    result = cli.invoke(app, [str(w) for w in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    for name in settings.NAMES:
        monkeypatch.delenv(settings.variable(name), raising=False)
    for name in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    settings.forget()
    yield
    settings.forget()
    computing.undo()


def told(name):
    found = settings.settings()[name]
    return found.value, found.origin


def test_the_first_that_says_it_wins(folder, monkeypatch):
    assert told("storage") == ("sqlite:///studies/suite.db", "default")
    assert told("threads") == (None, "default")
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.suite]\nthreads = 2\n')
    assert told("threads") == (2, "pyproject.toml, line 5")
    (folder / "suite.toml").write_text('# ours\nstorage = "sqlite:///own.db"\nthreads = 3\n')
    assert told("threads") == (3, "suite.toml, line 3")
    assert told("storage") == ("sqlite:///own.db", "suite.toml, line 2")
    monkeypatch.setenv("SUITE_THREADS", "4")
    assert told("threads") == (4, "SUITE_THREADS")
    settings.ask("threads", 5)
    assert told("threads") == (5, "--threads")
    monkeypatch.setenv("SUITE_STORAGE", "")  # as good as unset
    assert database.locate(None).database == "own.db"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("suite.toml", 'storge = "x"\n', "suite.toml, line 1: unknown setting 'storge'"),
        ("suite.toml", "threads = 2\n\n[device]\nkind = 1\n", "suite.toml, line 3: device"),
        ("suite.toml", "threads = true\n", "threads: a whole number from 1 to 1,024 is expected"),
        ("suite.toml", 'lang = "en"\nthreads = 0\n', "suite.toml, line 2: threads"),
        ("suite.toml", "threads =\n", "suite.toml, line 1: Invalid value"),
        ("suite.toml", 'device = "gpu"\n', "cpu, cuda, cuda:N or mps is expected, not 'gpu'"),
        ("pyproject.toml", "[tool.suite]\na = 1\n", "pyproject.toml, line 2: unknown setting 'a'"),
        ("pyproject.toml", "[tool]\nsuite = 3\n", "[tool.suite] must be a table"),
    ],
)
def test_what_is_no_setting_is_exit_2_with_file_and_line(folder, file, text, expected):
    (folder / file).write_text(text)
    assert expected in suite("study", "list", code=2).stderr.replace("\n", " ")


def test_a_name_is_told_that_was_meant_and_others_files_are_not_ours(folder):
    (folder / "suite.toml").write_text('storge = "x"\n')
    assert "Did you mean 'storage'?" in suite("task", "list", code=2).stderr
    (folder / "suite.toml").unlink()
    (folder / "pyproject.toml").write_text("[tool.other]\nthreads = 'x'\n")
    assert told("threads") == (None, "default")
    (folder / "pyproject.toml").write_text("broken [\n")
    assert told("threads") == (None, "default")


@pytest.mark.parametrize("variable", ["SUITE_DEVICE", "SUITE_THREADS"])
def test_a_variable_that_is_no_value_is_named(folder, monkeypatch, variable):
    monkeypatch.setenv(variable, "many")
    with pytest.raises(SettingsError, match=variable):
        settings.settings()


def test_studies_and_tasks_are_looked_for_where_the_settings_say(folder, monkeypatch):
    (folder / "mine").mkdir()
    (folder / "mine" / "mail.yaml").write_text(
        "name: mail\ntitle: Mail\nlanguage: en\nlabels: [{name: a}, {name: b}]\n"
        "data: {folder: rows, licence: ours}\n"
    )
    (folder / "suite.toml").write_text('tasks = "mine"\nstorage = "sqlite:///own.db"\n')
    assert find_task("mail")[0].title == "Mail"
    assert "mail" in suite("task", "list").stdout and "agnews" in suite("task", "list").stdout
    assert database.locate(None).database == "own.db"
    monkeypatch.setenv("SUITE_TASKS", "gone")
    assert "SUITE_TASKS: no folder gone" in suite("task", "list", code=2).stderr


def test_threads_hold_for_all_that_computes_and_end_with_a_call(folder):
    (folder / "suite.toml").write_text("threads = 3\n")
    with surroundings.restored():
        assert facts.threads() == 3
        assert {os.environ[name] for name in ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")} == {"3"}
    assert "OMP_NUM_THREADS" not in os.environ
    assert facts.threads() == max(1, int(facts.usable_cores()))


def test_the_cpu_hides_every_gpu(folder, monkeypatch):
    monkeypatch.setattr(facts, "gpu_files", lambda: True)
    assert facts.has_gpu()
    monkeypatch.setenv("SUITE_DEVICE", "cpu")
    computing.settle()
    assert (os.environ["CUDA_VISIBLE_DEVICES"], facts.has_gpu()) == ("", False)
    assert computing.on_cpu()


@pytest.mark.parametrize(
    ("visible", "device", "expected"),
    [(None, "cuda:1", "1"), ("4,7", "cuda:1", "7"), ("4,7", "cuda", "4,7"), (None, "cuda", None)],
)
def test_a_gpu_is_counted_among_those_that_are_visible(monkeypatch, visible, device, expected):
    monkeypatch.setattr(facts, "gpu_files", lambda: True)
    monkeypatch.setattr(facts, "gpus", lambda: (None, None))
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    settings.ask("device", device)
    for _ in range(2):  # Settled twice it is the same.
        computing.settle()
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == expected
    computing.undo()
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == visible


def test_a_gpu_that_is_not_there_is_exit_2(folder, monkeypatch):
    monkeypatch.setattr(facts, "gpu_files", lambda: False)
    found = suite("study", "run", "x", "--device", "cuda:1", code=2).stderr
    assert "--device: no cuda:1 here: this machine shows no GPU" in found
    monkeypatch.setattr(facts, "gpu_files", lambda: True)
    monkeypatch.setattr(facts, "gpus", lambda: (None,))
    found = suite("study", "run", "x", "--device", "cuda:1", code=2).stderr
    assert "no cuda:1 here: 1 GPU, counted from cuda:0" in found
    assert "cpu, cuda, cuda:N or mps" in suite("bench", "x", "--device", "tpu", code=2).stderr


def test_children_obey(folder):
    code = (
        "import os, sys; from suite.cli import app; import suite.study.storage as s\n"
        "from suite.machine import facts\n"
        "def seen(*a, **k):\n"
        "    import torch\n"
        "    print(torch.get_num_threads(), torch.cuda.is_available(), facts.threads())\n"
        "    raise SystemExit(0)\n"
        "import suite.api; suite.api.run_study = seen\n"
        "app(['study', 'run', 'x', '--device', 'cpu', '--threads', '1'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE
    )
    assert found.stdout.split() == ["1", "False", "1"], found.stderr


def test_doctor_says_where_each_comes_from_without_passwords(folder, monkeypatch):
    (folder / "suite.toml").write_text(
        'storage = "postgresql+psycopg://u:hunter2secret@127.0.0.1:9/db"\nthreads = 2\n'
    )
    monkeypatch.setenv("SUITE_LANG", "en")
    result = cli.invoke(app, ["doctor", "--no-hub", "--json"])
    found = {row["name"]: row for row in json.loads(result.stdout)["settings"]}
    assert found["storage"]["origin"] == "suite.toml, line 1"
    assert found["threads"] == {"name": "threads", "value": 2, "origin": "suite.toml, line 2"}
    assert found["lang"]["origin"] == "SUITE_LANG"
    assert found["device"]["origin"] == "default"
    assert "hunter2secret" not in result.output
    assert redaction.clean("login failed for hunter2secret") == "login failed for ***"
