"""What a shell gets after Tab, through the protocol that the installed completion speaks."""

import os
import subprocess
import sys

import pytest
from conftest import PATIENCE, write_recipe
from test_study import cli, suite

from suite.cli import app


def tab(*words, shell):
    """The completions of the last word, and what came on standard error: of a process."""
    if shell == "bash":
        asked = {"COMP_WORDS": " ".join(["suite", *words]), "COMP_CWORD": str(len(words))}
    else:
        asked = {"_TYPER_COMPLETE_ARGS": " ".join(["suite", *words])}
        if shell == "fish":
            asked["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    code = "import sys; sys.argv = ['suite']; from suite.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE,
        env=os.environ | asked | {"_SUITE_COMPLETE": f"complete_{shell}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def offered(*words):
    """The same of bash, in this process."""
    asked = {"COMP_WORDS": " ".join(["suite", *words]), "COMP_CWORD": str(len(words))}
    done = cli.invoke(app, [], prog_name="suite", env=asked | {"_SUITE_COMPLETE": "complete_bash"})
    assert done.exit_code == 0 and done.stderr == "", done.output
    return done.stdout.split()


@pytest.fixture
def studies(folder, toy_task):
    for name in ("toys", "toys-again", "other"):
        suite("study", "create", toy_task, "--recipe", write_recipe(folder), "--name", name,
              "--no-run")  # fmt: skip


def test_names_of_studies(folder, studies):
    assert offered("study", "show", "to") == ["toys", "toys-again"]
    assert offered("study", "run", "") == ["other", "toys", "toys-again"]
    assert offered("bench", "ot") == ["other"]
    suite("study", "export-db", "toys", "elsewhere.db")
    assert offered("study", "best", "--storage", "sqlite:///elsewhere.db", "") == ["toys"]


def test_names_of_tasks_recipes_models_and_arms(folder):
    assert offered("study", "create", "agn") == ["agnews"]
    (folder / "tasks").mkdir()
    (folder / "tasks" / "agent-mail.yaml").write_text("name: agent-mail\n")
    assert offered("study", "create", "ag") == ["agent-mail", "agnews"]
    assert "quick" in offered("study", "create", "agnews", "--recipe", "")
    assert offered("model", "check", "qwen3-0") == ["qwen3-0.6b"]
    assert offered("study", "create", "agnews", "--arms", "tfidf/cl") == ["tfidf/classic"]


def test_models_are_all_those_of_the_catalogue(folder):
    from suite.models.catalogue import load_catalogue

    assert offered("model", "check", "") == sorted(load_catalogue())


def test_commands_and_options():
    assert offered("study", "cr") == ["create"]
    assert offered("study", "create", "agnews", "--tri") == ["--trials"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells(folder, shell):
    told, trouble = tab("study", "create", "agn", shell=shell)
    assert "agnews" in told and trouble == ""


def test_a_broken_or_missing_storage_offers_nothing_and_says_nothing(folder):
    assert offered("study", "show", "") == []
    assert not (folder / "studies").exists()
    (folder / "studies").mkdir()
    (folder / "studies" / "suite.db").write_text("no database")
    assert offered("study", "show", "") == []
    # A server is not asked: it may be slow, or want a password.
    assert offered("study", "show", "--storage", "postgresql+psycopg://x@127.0.0.1:9/x", "") == []


def test_nothing_heavy_is_imported(folder, studies):
    code = (
        "import sys\n"
        "from suite.cli import completion\n"
        "class Context: params = {}\n"
        "assert completion.studies(Context(), [], 'to') == ['toys', 'toys-again']\n"
        "assert completion.arms(Context(), [], 'tfidf')\n"
        "print([m for m in ('torch', 'transformers', 'optuna', 'sqlalchemy', 'sklearn') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_script_for_a_shell_is_there():
    code = "import sys; sys.argv = ['suite']; from suite.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env=os.environ | {"_SUITE_COMPLETE": "source_bash"},
    )  # fmt: skip
    assert done.returncode == 0 and "complete" in done.stdout and "suite" in done.stdout
