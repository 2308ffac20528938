"""Commands to paste: whatever a name or a path is, the shell reads one word."""

import re
import shlex
import subprocess

import pytest
from conftest import write_recipe
from test_study import suite

from suite.errors import StudyError
from suite.shell import command
from suite.study.definition import Definition

ODD = [
    "a b",
    "$(touch owned)",
    "a;touch owned",
    "a'b",
    'a"b',
    "`touch owned`",
    "*",
    "评论",
    "~",
    "#x",
]


@pytest.mark.parametrize("name", ODD)
def test_a_word_stays_one_word(name, folder):
    written = command("report", name, storage=f"sqlite:///{name}.db")
    assert shlex.split(written) == ["suite", "report", name, "--storage", f"sqlite:///{name}.db"]
    read = subprocess.run(
        ["sh", "-c", written.replace("suite", "printf '%s\\n'", 1)], capture_output=True, text=True
    ).stdout
    assert read.splitlines() == shlex.split(written)[1:]
    assert list(folder.iterdir()) == []


def told_next(*words):
    (line,) = re.findall(r"^Next: (.*)$", suite(*words).stderr, re.MULTILINE)
    return shlex.split(line.removesuffix(", where it is wanted"))


def test_what_is_next_is_quoted(folder, toy_task):
    odd = folder / "a b; $(x)"
    odd.mkdir()
    task = odd / "toy.yaml"
    task.write_text((folder / toy_task).read_text())
    (odd / "data").symlink_to(folder / "data")
    assert told_next("task", "check", task, "--data", odd / "data") == [
        "suite", "study", "create", str(task), "--data", str(odd / "data"),
    ]  # fmt: skip
    url = f"sqlite:///{odd}/s.db"
    recipe = write_recipe(folder, trials=1, arms=["tfidf/toy"])
    made = ("study", "create", task, "--recipe", recipe, "--name", "s", "--storage", url)
    assert told_next(*made, "--no-run") == ["suite", "study", "run", "s", "--storage", url]
    told = suite("study", "best", "s", "--storage", url, code=2).stderr
    assert shlex.quote(url) in told
    file = odd / "copy.db"
    exported = told_next("study", "export-db", "s", file, "--storage", url)
    assert exported == ["suite", "study", "import-db", str(file)]


def test_a_name_from_elsewhere_is_quoted_in_what_mends():
    with pytest.raises(StudyError) as caught:
        Definition.read("{}", "a; $(touch owned)")
    assert "`suite study delete 'a; $(touch owned)'`" in str(caught.value)
