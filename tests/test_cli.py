"""The command line as a person meets it: as a process, with its exit codes and its words."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest
from conftest import write_recipe
from test_study import cli, shown, suite

from suite.cli import app


def process(*words, cwd=None, timeout=120, **environment):
    """Runs the real command line as a process; HF_HUB_OFFLINE is not inherited."""
    env = {k: v for k, v in os.environ.items() if not k.endswith("_OFFLINE")}
    return subprocess.run(
        [sys.executable, "-m", "suite", *map(str, words)],
        capture_output=True, text=True, timeout=timeout, cwd=cwd, env=env | environment,
    )  # fmt: skip


# ---------------------------------------------------------------- help, version


def _commands(command, path=()):
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


def test_every_command_has_help_and_every_option_too():
    import typer

    root = typer.main.get_command(app)
    for path in _commands(root):
        result = cli.invoke(app, [*path, "--help"])
        assert result.exit_code == 0, path
    for path in _commands(root):
        command = root
        for name in path:
            command = command.commands[name]
        assert command.help or not path, path
        for parameter in command.params:
            assert getattr(parameter, "help", None), (path, parameter.name)


def test_version_is_the_packages():
    from suite import __version__

    assert suite("--version").stdout.strip() == f"suite {__version__}"


def test_an_unknown_command_and_option_exit_with_2():
    for words in (["stduy"], ["study", "create"], ["study", "create", "agnews", "--trails", "3"]):
        assert cli.invoke(app, words).exit_code == 2


# ---------------------------------------------------------------- the Hub out of reach


@pytest.fixture
def silent_hub():
    """A server that accepts and never answers."""
    server = socket.create_server(("127.0.0.1", 0))
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    server.close()


def test_without_hub_and_data_the_sample_takes_the_place_and_says_so(folder, silent_hub):
    begun = time.monotonic()
    result = process("study", "create", "agnews", "--no-run", HF_ENDPOINT=silent_hub,
                     HF_HOME=str(folder / "hf"))  # fmt: skip
    seconds = time.monotonic() - begun
    assert result.returncode == 0, result.stderr
    # The contract's 15 s, and what a busy machine takes to start Python and import.
    assert seconds < 25
    assert "WARNING" in result.stderr and "BUNDLED SAMPLE" in result.stderr
    found = shown("agnews-sample")
    assert found["data"]["sample"] is True
    assert found["recipe"] == "sample"
    assert found["study"] == "agnews-sample"
    assert "BUNDLED SAMPLE" in suite("study", "show", "agnews-sample").stdout


def test_no_fallback_is_exit_2(folder):
    result = process("study", "create", "agnews", "--no-run", "--no-fallback",
                     HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(folder / "hf"))  # fmt: skip
    assert result.returncode == 2
    assert "--data DIR" in result.stderr and "Traceback" not in result.stderr
    assert not (folder / "studies").exists()


def test_with_data_and_no_hub_models_out_of_reach_are_refused(folder, toy_task):
    result = process("study", "create", toy_task, "--no-run", "--name", "t",
                     "--arms", "tfidf/classic", "--arms", "bert-base-cased/linear_head",
                     HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(folder / "hf"))  # fmt: skip
    assert result.returncode == 0, result.stderr
    arms = {a["arm"]: a["refused"] for a in shown("t")["arms"]}
    assert arms["tfidf/classic"] is None
    assert "--model" in arms["bert-base-cased/linear_head"]


def test_when_every_arm_is_refused_nothing_is_created(folder, toy_task):
    result = process("study", "create", toy_task, "--arms", "bert-base-cased/*", "--no-run",
                     HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(folder / "hf"))  # fmt: skip
    assert result.returncode == 2 and "every arm is refused" in result.stderr
    assert not (folder / "studies").exists()


# ---------------------------------------------------------------- folders and disks


def test_a_folder_that_cannot_be_written_is_one_message(folder, toy_task):
    task = (folder / toy_task).resolve()
    result = process("study", "create", task, "--arms", "tfidf/classic", "--no-run", cwd="/proc",
                     HF_HUB_OFFLINE="1")  # fmt: skip
    assert result.returncode == 2, result.stderr
    assert "cannot be written" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("blocks", [1, 40])
def test_a_full_disk_is_one_message(folder, toy_task, blocks):
    """A limit on file size stands in for the disk: at first the data, later the database."""
    command = (
        f"ulimit -f {blocks}; exec {sys.executable} -m suite study create {toy_task} "
        "--arms tfidf/classic --no-run --name t"
    )
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr and "Error:" in result.stderr


def test_a_report_folder_that_is_a_file_is_one_message(folder, toy_task):
    suite("study", "create", toy_task, "--recipe", write_recipe(folder), "--name", "t", "--no-run")
    (folder / "reports").write_text("in the way")
    assert "Error:" in suite("report", "t", code=2).stderr


# ---------------------------------------------------------------- the rest of the words


def test_report_writes_what_is_asked_and_ends_with_the_path(folder, toy_task):
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    result = suite("report", "t", "--format", "json,md", "--out", "pages")
    last = result.stdout.strip().splitlines()[-1]
    assert sorted(p.name for p in (folder / "pages").iterdir()) == ["t.json", "t.md"]
    assert (folder / last).exists()
    written = json.loads((folder / "pages" / "t.json").read_text())
    assert written["finals"] == shown("t")["finals"]
    page = suite("report", "--lang", "zh").stdout.strip().splitlines()[-1]
    assert page == "reports/t.html" and 'lang="zh' in (folder / page).read_text()
    assert "unknown format 'htm'" in suite("report", "--format", "htm", code=2).stderr
    assert "unknown language" in suite("report", "--lang", "fr", code=2).stderr


def test_tasks_are_listed_shown_checked_and_drafted(folder, toy_task):
    listed = {t["name"] for t in json.loads(suite("task", "list", "--json").stdout)["tasks"]}
    assert {"agnews", "tnews", "thucnews", "chnsenticorp", "iflytek", "bbc-news", "20newsgroups",
            "imdb", "banking77", "clinc150"} <= listed  # fmt: skip
    assert suite("task", "show", "agnews").stdout.startswith("# yaml-language-server: $schema=")
    assert "is a task" in suite("task", "check", toy_task).stdout
    suite("task", "new", "mail", "--data", "data")
    assert "is a task" in suite("task", "check", "tasks/mail.yaml").stdout
    assert "exists" in suite("task", "new", "mail", "--data", "data", code=2).stderr
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", "mail", "--recipe", recipe, "--name", "m")
    assert len(shown("m")["trials"]) == 2


def test_a_broken_task_does_not_vanish_from_the_list(folder):
    (folder / "tasks").mkdir()
    (folder / "tasks" / "mine.yaml").write_text("name: mine\nlables: [a, b]\n")
    assert "BROKEN" in suite("task", "list").stdout


def test_every_shipped_task_and_recipe_passes_its_check():
    from suite import paths
    from suite.recipe import find_recipe

    for name in paths.yaml_files("tasks"):
        assert "is a task" in suite("task", "check", name).stdout, name
    for name in paths.yaml_files("studies"):
        assert find_recipe(name)[0].name == name


def test_models_are_listed_and_checked(folder):
    listed = {m["name"] for m in json.loads(suite("model", "list", "--json").stdout)["models"]}
    assert {"tfidf", "bert-base-cased", "qwen3-0.6b", "tiny-bert"} <= listed
    assert "can be had here" in suite("model", "check", "tiny-qwen3").stdout
    assert "Did you mean 'qwen3-0.6b'?" in suite("model", "check", "qwen3-0.6", code=2).stderr
    empty = folder / "empty"
    empty.mkdir()
    assert "no config.json" in suite("model", "check", f"x={empty}", code=2).stderr


def test_a_timeout_starts_no_new_trial(folder, toy_task):
    recipe = write_recipe(folder, trials=50, spaces={"*/toy": {"seconds": 1}})
    result = suite("study", "create", toy_task, "--recipe", recipe, "--name", "t",
                   "--timeout", "4s")  # fmt: skip
    assert re.search(r"4\d trials are missing still", result.stderr)
    assert all(t["state"] != "RUNNING" for t in shown("t")["trials"])


def test_a_disk_limit_stops_the_study_and_says_how_to_go_on(folder, toy_task):
    recipe = write_recipe(folder, trials=4)
    result = suite("study", "create", toy_task, "--recipe", recipe, "--name", "t",
                   "--max-disk", "1KB", code=2)  # fmt: skip
    assert "--max-disk" in result.stderr and "suite study run t" in result.stderr


def test_finals_over_seeds_count_the_opening(folder, toy_task):
    recipe = write_recipe(folder, trials=2)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    suite("finals", "t", "--seeds", "2")
    found = shown("t")
    assert found["test_openings"] == 2
    assert {f["seeds"] for f in found["finals"]} == {2}
    assert sum(map(sum, found["finals"][0]["test"]["confusion"])) == 200


def test_doctor_says_what_is_there():
    found = json.loads(cli.invoke(app, ["doctor", "--no-hub", "--json"]).stdout)
    assert found["environment"]["versions"]["optuna"].startswith("5.")


def test_help_is_there_at_once_and_without_heavy_imports():
    code = (
        "import sys, suite.cli, suite.study.record, suite.study.storage, suite.report\n"
        "print([m for m in ('torch', 'transformers', 'evaluate', 'datasets', 'sklearn') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
