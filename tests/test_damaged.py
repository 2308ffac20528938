"""Damaged databases: each study is read by itself; a bad one is a row, and can be deleted.

The damages stand in `damages.py`, which also tries all of them with all commands.
"""

import json
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import optuna
import pytest
from damages import BAD, FILE, GOOD, damages, healthy, statement, tried
from typer.testing import CliRunner

from suite.cli import app
from suite.errors import StudyError
from suite.study import search

#: One of each kind; the helper has some 600.
CHOSEN = (
    "suite:definition null", "suite:definition number", "suite:definition cut",
    "suite:definition deep", "suite:definition nested", "suite:definition empty",
    "suite:finals table", "suite:finals cut", "suite:finals number", "suite:finals nan",
    "suite:comparisons null", "suite:out list", "suite:out text", "suite:estimates text",
    "suite:target nan", "suite:target huge", "suite:openings text", "suite:openings huge",
    "suite:opened_at table", "suite:truncated list", "suite:predictions list",
    "suite:artifacts table", "suite:artifacts cut",
    "trial suite:trial number", "trial suite:trial cut", "trial suite:trial deep",
    "trial suite:owner number", "trial suite:checkpoints number", "trial arm cut",
    "trial fixed_params list", "definition ['version'] text", "definition ['task'] gone",
    "definition ['task', 'labels'] number", "definition ['arms'] null",
    "definition ['arms', 0] text", "definition ['data', 'rows'] gone",
    "definition ['environment'] list", "definition more", "record ['validation', 'macro_f1'] text",
    "record ['validation', 'macro_f1'] nan", "record ['validation', 'confusion', 'size'] number",
    "record ['params'] list", "record ['rps'] text", "record ['train_seconds'] text",
    "finals [0, 'test', 'macro_f1'] nan", "finals [0, 'test', 'macro_f1_interval'] text",
    "predictions ['labels'] zip", "no number", "negative number", "the same number",
    "state unknown", "no date", "date impossible", "date first", "distribution cut",
    "distribution unknown", "value text", "value type unknown", "intermediate type",
    "trials of nobody", "attributes of nobody", "direction unknown", "no direction",
    "value json null", "definition bytes", "two of a name",
)  # fmt: skip

COMMANDS = (
    ("study", "list", "--json"),
    ("study", "show", BAD, "--json"),
    ("study", "best", BAD),
)
runner = CliRunner()


def invoke(words):
    result = runner.invoke(app, list(words))
    said = result.stdout if "--json" in words else result.output
    return result.exit_code, said, result.exception


def listed():
    code, said, error = invoke(("study", "list", "--json"))
    assert code == 0, error
    return {row["study"]: row for row in json.loads(said)["studies"]}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """A healthy database, how the good study is listed in it, and the damages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("healthy"))
        healthy()
        return FILE.read_bytes(), listed()[GOOD], damages()


@pytest.mark.parametrize("name", CHOSEN)
def test_a_damaged_study_is_one_message_hides_no_other_and_can_be_deleted(folder, content, name):
    database, before, every = content
    FILE.parent.mkdir()
    FILE.write_bytes(database)
    assert tried(every[name], COMMANDS, invoke, before) == []


@pytest.mark.parametrize(
    "name", ["suite:out list", "trial suite:owner number", "distribution cut", "direction unknown"]
)
def test_what_cannot_be_read_is_not_gone_on_with(folder, content, name):
    database, _, every = content
    FILE.parent.mkdir()
    FILE.write_bytes(database)
    assert tried(every[name], [("study", "run", BAD), ("report", BAD)], invoke, None) == []


@pytest.mark.parametrize("name", ["state unknown", "direction unknown", "date impossible"])
def test_what_cannot_be_read_is_not_copied(folder, content, name):
    database, _, every = content
    FILE.parent.mkdir()
    FILE.write_bytes(database)
    assert tried(every[name], [("study", "export-db", BAD, "out.db")], invoke, None) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("key null", ("predict", BAD, "a text")),
        ("key null", ("study", "run", BAD)),
        ("no trials", ("finals", BAD, "--seeds", "1")),
    ],
)
def test_what_can_not_be_used_is_told(folder, content, name, words):
    database, _, every = content
    FILE.parent.mkdir()
    FILE.write_bytes(database)
    assert tried(every[name], [words], invoke, None) == []


def test_a_bad_study_is_a_row_with_its_reason(folder, content):
    FILE.parent.mkdir()
    FILE.write_bytes(content[0])
    with closing(sqlite3.connect(FILE)) as opened:
        statement("update study_directions set direction = 'UP' where study_id = {own}")(opened)
        opened.commit()
    rows = listed()
    assert "UP" in rows[BAD]["unreadable"] and rows[GOOD] == content[1]
    code, said, _ = invoke(("study", "show", BAD))
    assert code == 2 and f"suite study delete {BAD}" in said


def test_trials_of_arms_that_the_definition_does_not_name_are_told():
    study = optuna.create_study()
    study.enqueue_trial({search.ARM: "tfidf/classic"})
    definition = SimpleNamespace(name="mail", runnable=[SimpleNamespace(name="../../victim")])
    with pytest.raises(StudyError, match="not of the arms that its definition names") as told:
        search.suggest(study.ask(), definition)
    assert "`suite study delete mail` removes it" in told.value.fix


def test_a_name_that_is_no_utf_8_is_a_row_with_its_reason_and_can_be_deleted(folder, content):
    FILE.parent.mkdir()
    FILE.write_bytes(content[0])
    with closing(sqlite3.connect(FILE)) as opened:
        named = "update studies set study_name = cast(x'636166e9' as text) where study_name = ?"
        opened.execute(named, (BAD,))
        opened.commit()
    rows = listed()
    typed = "caf\\xe9"  # as it is shown
    assert "its name is no UTF-8" in rows[typed]["unreadable"] and rows[GOOD] == content[1]
    for words in (["study", "list"], ["report", "--out", "pages"]):
        code, said, _ = invoke(words)
        assert code == 0, said
    for words in (["study", "show", typed], ["predict", typed, "a text"]):
        code, said, _ = invoke(words)
        assert code == 2 and "`suite study delete 'caf\\xe9'` removes it" in said, said
    assert invoke(["study", "delete", typed, "--yes"])[0] == 0
    assert list(listed()) == [GOOD]
