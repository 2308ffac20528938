"""A test split's openings are counted over all studies of a storage that have it."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing

import pytest
from conftest import command_line, write_recipe, write_task

from suite.report.pages.answer import opened_elsewhere
from suite.report.words import words_of
from suite.study import opening, openings
from suite.study.ledger import Ledger


def create(*words):
    command_line("study", "create", *words, "--no-run", "--quiet")


def opens(study, told, before=lambda: None):
    """What finals do before labels meet predictions."""
    with opening.claimed(Ledger(None, study), threading.Event(), told.append) as claim:
        before()
        claim.count()


def shown(study):
    return json.loads(command_line("study", "show", study, "--json").stdout)


@pytest.fixture
def studies(folder, toy_task):
    """Of one task: `a` on all rows, `b` on fewer training rows; `c` has another test."""
    recipe = write_recipe(folder)
    create("toy.yaml", "--recipe", recipe, "--name", "a")
    create("toy.yaml", "--recipe", recipe, "--name", "b", "--train-rows", "60")
    (folder / "elsewhere").mkdir()
    write_task(folder / "elsewhere")
    rows = (folder / "elsewhere/data/test.jsonl").read_text().splitlines()
    (folder / "elsewhere/data/test.jsonl").write_text("\n".join(rows[1:]) + "\n")
    create("elsewhere/toy.yaml", "--recipe", recipe, "--name", "c")


def test_a_second_study_on_the_same_test_says_so(studies):
    told = []
    opens("a", told)
    opens("a", told)
    opens("c", told)
    assert told == []
    opens("b", told)
    assert told == ["this test split was opened 2 times by other studies of the storage: a"]
    found = {name: shown(name) for name in "abc"}
    assert [found[name]["test_openings"] for name in "abc"] == [2, 1, 1]
    assert [found[name]["test_openings_of_split"] for name in "abc"] == [3, 3, 1]
    assert [found[name]["test_opened_in"] for name in "abc"] == [["b"], ["a"], []]
    assert found["a"]["data"]["fingerprint"] != found["b"]["data"]["fingerprint"]
    assert found["a"]["data"]["test_digest"] == found["b"]["data"]["test_digest"]
    assert "The test split was opened 3 times by studies of this storage, also by b" in " ".join(
        command_line("study", "show", "a").stdout.split()
    )
    (results,) = (Ledger(None, name).results() for name in "a")
    assert "3" in opened_elsewhere(results, words_of("zh"))


def test_two_that_open_at_once_are_both_counted_and_one_is_told(studies):
    told, meet = {"a": [], "b": []}, threading.Barrier(2)
    threads = [
        threading.Thread(target=opens, args=(name, told[name], lambda: meet.wait(60)))
        for name in told
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert openings.of_split(Ledger(None, "a").study) == {"a": 1, "b": 1}
    assert told["a"] or told["b"]


def test_studies_from_before_are_known_by_all_their_rows(studies, folder):
    create("toy.yaml", "--recipe", str(folder / "toys.yaml"), "--name", "old")
    Ledger(None, "old").study.set_user_attr(openings.OPENINGS, 1)
    with closing(sqlite3.connect("studies/suite.db")) as database:
        database.execute(
            "delete from study_user_attributes where key = 'test_digest' and study_id = "
            "(select study_id from studies where study_name = 'old')"
        )
        database.commit()
    told = []
    assert openings.of_split(Ledger(None, "a").study) == {"old": 1}
    assert openings.of_split(Ledger(None, "b").study) == {}  # other rows, as far as is known
    opens("a", told)
    assert openings.of_split(Ledger(None, "old").study) == {"a": 1, "old": 1}
    assert len(told) == 1
