"""Several splits of one task's rows: folds, the corrected t test, studies made of another."""

import json
import math
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import write_recipe
from pydantic import ValidationError
from report_studies import EN, ZH, study
from test_study import suite

from suite.contracts.strategy import Rows
from suite.contracts.task import Data
from suite.contracts.task import TestCarving as Carving
from suite.data import snapshot
from suite.data.room import Room
from suite.data.splits import Keyed, carve, carve_test
from suite.errors import StudyError
from suite.report.data.over_splits import split_rows, split_sentences
from suite.report.pages.page import render_page
from suite.study import artifacts, parting, record, splitting, storage
from suite.study.create import ensure_snapshot
from suite.study.differences import check_unchanged
from suite.verdict.splits import corrected, over_splits

# --- the test of means ----------------------------------------------------------------------


def test_the_variance_is_nadeaus_and_bengios():
    found = corrected([0.02, 0.04, 0.03, 0.01, 0.05], ratio=0.25)
    variance = 0.00025  # of the five values, n - 1
    assert found.value == pytest.approx(0.03) and found.df == 4
    assert found.error == pytest.approx(math.sqrt((1 / 5 + 0.25) * variance))
    low, high = found.interval()
    assert (low, high) == pytest.approx(
        (0.03 - 2.776445 * found.error, 0.03 + 2.776445 * found.error), abs=1e-6
    )
    assert found.interval(found.p())[0] == pytest.approx(0.0, abs=1e-9)


def test_verdict_and_interval_are_of_one_procedure():
    scores = {
        "a": [0.80, 0.82, 0.81, 0.83, 0.79],
        "b": [0.70, 0.73, 0.70, 0.74, 0.69],
        "c": [0.79, 0.83, 0.80, 0.83, 0.80],
        "d": [0.60, None, None, None, None],
    }
    arms, pairs = over_splits(scores, 0.25, {"a": 0.81})
    assert [arm.arm for arm in arms] == ["a", "c", "b", "d"]
    assert arms[0].pooled == 0.81 and arms[3].interval is None
    assert {(pair.a, pair.b): pair.differs for pair in pairs} == {
        ("a", "c"): False, ("a", "b"): True, ("c", "b"): True,
    }  # fmt: skip
    assert all((pair.p < 0.05) == pair.differs for pair in pairs)


def test_an_interval_stays_within_what_a_score_can_be():
    values = [1.0, 0.95, 1.0, 1.0, 1.0]
    assert over_splits({"a": values}, 0.25)[0][0].interval[1] == 1.0
    (lost,), _ = over_splits({"a": values}, 0.25, higher_is_better=False, within=(0.0, math.inf))
    assert lost.interval[1] > 1.0


def test_scores_that_do_not_vary_settle_nothing():
    (one, other), (pair,) = over_splits({"a": [0.9, 0.9], "b": [0.8, 0.8]}, 0.25)
    assert (pair.p, pair.differs, one.interval, other.interval) == (1.0, False, None, None)


def nearest_means(rng, studies, rows, test):
    """Accuracy differences between two learners that are equally good by construction: each
    parts classes at the middle of its own feature's training means. [studies, splits]."""
    labels = rng.integers(0, 2, (studies, rows))
    features = rng.normal(size=(studies, rows, 2)) + 0.7 * (2 * labels[..., None] - 1)
    found = []
    for part in test:
        held = np.zeros(rows, bool)
        held[part] = True
        right = []
        for feature in (0, 1):
            values = features[..., feature]
            train = values[:, ~held], labels[:, ~held]
            means = [
                np.where(train[1] == c, train[0], 0).sum(1) / np.maximum((train[1] == c).sum(1), 1)
                for c in (0, 1)
            ]
            middle = (means[0] + means[1])[:, None] / 2
            right.append(((values[:, held] > middle) == labels[:, held]).mean(1))
        found.append(right[0] - right[1])
    return np.array(found).T


@pytest.mark.parametrize("way", ["holdout", "folds"])
def test_equal_learners_are_seldom_told_apart(way):
    rng = np.random.default_rng(7)
    rows, studies = 200, 1500
    order = rng.permutation(rows)
    parts = (
        [order[40 * k : 40 * k + 40] for k in range(5)]
        if way == "folds"
        else [rng.permutation(rows)[:40] for _ in range(5)]
    )
    differences = nearest_means(rng, studies, rows, parts)
    told = [
        over_splits({"a": list(row), "b": [0.0] * 5}, 40 / 160)[1][0].differs for row in differences
    ]
    level = sum(told) / studies
    assert level <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / studies)
    # As if splits were independent, three and more in a hundred more would be.
    naive = [corrected(list(row), 0.0).p() < 0.05 for row in differences]
    assert sum(naive) / studies > level


# --- folds and tasks ------------------------------------------------------------------------


def rows_of(count):
    texts = [f"text {n // 2 if n % 10 == 0 else n}" for n in range(count)]
    return Keyed(
        Rows(tuple(texts), tuple(n % 3 for n in range(count))),
        tuple(f"g{n % 17}" if n % 2 else None for n in range(count)),
    )


def test_folds_hold_every_row_once_and_the_first_is_the_test_as_it_was():
    rows = rows_of(233)
    parts = [carve_test(rows, Carving(share=0.2, seed=3, fold=fold)) for fold in range(1, 6)]
    assert parts[0] == carve(rows, share=0.2, seed=3)
    texts = [text for _, test in parts for text in test.rows.texts]
    assert sorted(texts) == sorted(rows.rows.texts)
    for rest, test in parts:
        assert len(rest) + len(test) == 233 and abs(len(test) - 233 / 5) < 8
        assert not (set(rest.groups) & set(test.groups)) - {None}


def test_a_fold_needs_a_share_that_has_it():
    with pytest.raises(ValueError, match=r"a share of 0\.2 makes 5 folds"):
        Carving(share=0.2, fold=6)
    with pytest.raises(ValueError, match="needs a share"):
        Carving(fold=1)


# --- studies --------------------------------------------------------------------------------


@pytest.fixture
def mail(folder):
    """100 rows in a file, and a recipe of two arms."""
    kinds = (("ham", "lunch meeting notes"), ("spam", "win free money"))
    lines = ["text,label"]
    lines += [f"{kinds[n % 2][1]} {n} {n * 7 % 13},{kinds[n % 2][0]}" for n in range(100)]
    (folder / "mail.csv").write_text("\n".join(lines) + "\n")
    return write_recipe(folder, trials=2)


def test_few_rows_are_parted_into_folds_each_searched_on_its_own(mail):
    words = ("study", "create", "mail.csv", "--recipe", mail, "--name", "mail", "--splits", "5")
    said = suite(*words)
    assert "5 folds, which together test every row, each searched on its own" in said.stderr
    assert "Split 5 of 5: mail.split-5" in said.stderr
    found = json.loads(suite("study", "show", "mail", "--json").stdout)
    splits = found["splits"]
    assert (splits["way"], splits["missing"]) == ("folds", [])
    assert splits["studies"] == ["mail", *(f"mail.split-{n}" for n in range(2, 6))]
    assert {arm["arm"] for arm in splits["arms"]} == {"tfidf/toy", "fasttext/toy"}
    assert all(None not in arm["scores"] and arm["pooled"] is not None for arm in splits["arms"])
    opened = storage.open_storage(None)
    stored = [storage.load(opened, name)[1] for name in splits["studies"]]
    assert len({one.data.fingerprint for one in stored}) == 5
    assert len({one.seed for one in stored}) == 5
    assert sum(one.data.rows.test for one in stored) == 100
    # The same line goes on, and has nothing to do; folds of another number are others.
    again = suite(*words)
    assert "going on with it" in again.stderr
    refused = suite(*words[:-1], "3", code=2)
    assert "'mail' has 5 folds, which together test every row, and not 3" in refused.stderr
    table = suite("study", "show", "mail").stdout
    assert "over 5 splits of the rows" in table and "all rows" in table
    # A split is a study as any other, and its own task file's change is none.
    assert suite("study", "run", "mail.split-3").exit_code == 0
    with pytest.raises(StudyError, match="is a split of 'mail' itself"):
        splitting.check(stored[2])
    # They are listed below it, whatever else is there, and go with it.
    suite("study", "create", "mail.csv", "--recipe", mail, "--name", "mail-2", "--no-run")
    listed = json.loads(suite("study", "list", "--json").stdout)["studies"]
    assert [one["study"] for one in listed] == [*splits["studies"], "mail-2"]
    assert [one["split_of"] for one in listed] == [None, *["mail"] * 4, None]
    refused = suite("study", "delete", "mail", code=2).stderr
    assert "deleting 'mail' with its 2 trials, and mail.split-2, mail.split-3, " in refused
    assert "mail.split-5 with 8 trials needs --yes" in refused
    suite("study", "delete", "mail.split-4", "--yes")
    assert len(storage.names(opened)) == 5
    told = suite("study", "delete", "mail", "--yes").stdout
    assert told.splitlines()[-1] == "Deleted 'mail'." and "Deleted 'mail.split-5'." in told
    assert storage.names(opened) == ["mail-2"]
    assert len([path for path in Path("studies/artifacts").iterdir() if path.is_dir()]) == 1


def test_the_table_shows_what_a_study_has_so_far(mail):
    said = suite(
        "study", "create", "mail.csv", "--recipe", mail, "--name", "mail", "--splits", "3",
        "--no-run",
    )  # fmt: skip
    assert "3 splits of the rows, test drawn anew for each" in said.stderr
    found = json.loads(suite("study", "show", "mail", "--json").stdout)["splits"]
    assert found["way"] == "holdout" and len(found["missing"]) == 3 and found["arms"] == []
    opened = storage.open_storage(None)
    first = storage.load(opened, "mail")[1]
    more = {"study": "mail", "way": "holdout", "fingerprint": first.data.fingerprint}
    name = splitting.ensure(opened, first, parting.SplitOf(index=2, **more))
    second = storage.load(opened, name)[1]
    assert second.task.data.test.seed == first.task.data.test.seed + 1
    assert second.data.rows == first.data.rows and second.data != first.data
    Path("mail.csv").write_text(Path("mail.csv").read_text() + "one more,ham\n")
    with pytest.raises(StudyError, match="are not those of 'mail'"):
        splitting.ensure(opened, first, parting.SplitOf(index=3, **more))
    other = more | {"fingerprint": "0" * 16}
    with pytest.raises(StudyError, match="is there, and is no such split of 'mail'"):
        splitting.ensure(opened, first, parting.SplitOf(index=2, **other))


def test_a_given_test_is_the_first_split_s_and_then_drawn_from_train_and_test(toy_task, folder):
    recipe = write_recipe(folder)
    words = ("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run")
    said = suite(*words, "--splits", "3").stderr
    assert "3 splits of the rows, test drawn anew for each, each searched on its own" in said
    assert "each further one takes train and test together and draws a test of as many rows" in said
    opened = storage.open_storage(None)
    first = storage.load(opened, "t")[1]
    more = {"study": "t", "way": "holdout", "fingerprint": first.data.fingerprint}
    splits = [
        storage.load(opened, splitting.ensure(opened, first, parting.SplitOf(index=n, **more)))[1]
        for n in (2, 3)
    ]
    assert [one.task.data.redraw for one in splits] == [1, 2]
    read = [
        snapshot.read_snapshot(artifacts.find(storage.find(opened, name), None).data)
        for name in ("t", "t.split-2", "t.split-3")
    ]
    assert len({data.test.texts for data in read}) == 3
    assert all(abs(len(data.test) - 100) <= 1 for data in read)
    for data in read:  # the same rows, each once
        texts = (*data.train.texts, *data.validation.texts, *data.test.texts)
        assert sorted(texts) == sorted(read[0].train.texts + read[0].validation.texts
                                       + read[0].test.texts)  # fmt: skip
    # A split's own task is that of the file, drawn anew: it goes on, with its rows made once more.
    shutil.rmtree(artifacts.find(storage.find(opened, "t.split-2"), None).data)
    study, definition = storage.load(opened, "t.split-2")
    ensure_snapshot(study, definition)
    check_unchanged(definition, lambda path: True)


@pytest.mark.parametrize(
    ("parted", "why"), [("time", "is the newest rows"), ("group", "groups that train has no row")]
)
def test_a_given_test_that_is_no_draw_is_not_drawn_anew(toy_task, folder, parted, why):
    task = Path(toy_task)
    task.write_text(task.read_text().replace("data: {", f"data: {{parted: {parted}, "))
    said = suite("study", "create", toy_task, "--recipe", write_recipe(folder), "--splits", "5",
                 code=2)  # fmt: skip
    assert "its test is given, and" in said.stderr and why in said.stderr
    assert not Path("studies/suite.db").exists()
    redrawn = {"folder": "data", "licence": "none", "parted": parted, "redraw": 1}
    with pytest.raises(ValidationError, match="it is not drawn anew"):
        Data.model_validate(redrawn)
    with pytest.raises(ValidationError, match="give test another seed"):
        Data.model_validate({"file": "a.csv", "licence": "none", "redraw": 1})


def run_splits(name, seconds):
    """What `splitting.run` asks for: each study with its share of the time; finals are made up."""
    opened = storage.open_storage(None)
    asked = []

    def one(split, share, began):
        asked.append((split, share))
        storage.find(opened, split).set_user_attr(record.FINALS, [{"arm": "tfidf/classic"}])

    splitting.run(
        opened, name, one, seconds=seconds, began=time.monotonic(), room=Room(),
        say=lambda line: None, ended=lambda: False,
    )  # fmt: skip
    return asked


def test_auto_adds_folds_to_few_rows_where_there_is_time(mail):
    suite("study", "create", "mail.csv", "--arms", "tfidf/classic", "--no-run")
    # What is left would not do for the folds.
    assert [name for name, _ in run_splits("mail", 1e-4)] == ["mail"]
    asked = run_splits("mail", 100.0)
    assert [name for name, _ in asked] == ["mail", *(f"mail.split-{n}" for n in range(2, 6))]
    assert asked[0][1] == 100.0 and 0 < asked[1][1] <= 25.0
    suite("study", "create", "mail.csv", "--arms", "tfidf/classic", "--no-run", "--name", "once",
          "--splits", "1")  # fmt: skip
    assert [name for name, _ in run_splits("once", 100.0)] == ["once"]


def test_splits_that_were_asked_for_share_the_time(mail):
    words = ("study", "create", "mail.csv", "--arms", "tfidf/classic", "--no-run", "--name", "two")
    suite(*words, "--splits", "2", "--timeout", "10m")
    opened = storage.open_storage(None)
    assert storage.load(opened, "two")[1].recipe.choose.seconds == 300
    (_, first), (name, second) = run_splits("two", None)
    assert name == "two.split-2" and first == 300 and 300 < second <= 600
    # More may be asked for, and what is there stays.
    assert "3 splits of the rows" in suite(*words, "--splits", "3").stderr
    assert [one for one, _ in run_splits("two", 90.0)][2] == "two.split-3"


# --- the page -------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [EN, ZH])
def test_the_page_says_which_arms_differ_over_splits(words):
    found = study()
    names = [final.arm for final in found.finals]
    scores = {
        arm: [0.9 - at / 10 + n / 500 for n in (1, 5, 2, 4, 3)] for at, arm in enumerate(names)
    }
    scores[names[1]] = [score + (-1) ** n * 0.05 for n, score in enumerate(scores[names[0]])]
    done = splitting.Wanted(5, "folds")
    splits = replace(splitting.together([found], splitting.Wanted(1, "folds")), way=done.way)
    arms, pairs = over_splits(scores, 0.25)
    splits = replace(splits, studies=["s", *"abcd"], arms=arms, pairs=pairs, missing=[])
    page = render_page(replace(found, splits=splits), words)
    assert 'id="splits-table"' in page
    told = words.sentences(split_sentences(splits, words))
    assert told in page or told.replace("'", "&#39;") in page
    beaten = [row.beaten for row in split_rows(splits)]
    assert beaten[0] is None and False in beaten[1:]
    assert 'id="splits-table"' not in render_page(found, words)
