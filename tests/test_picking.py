"""Which texts to label next: the choice itself, what is refused and dropped, and its replay."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from conftest import inside, toy_rows, write_recipe, write_task
from test_study import suite

from suite.data.vectors import vectors
from suite.verdict.picking import gain_over, least_sure, margins, picked, unlike

PROBABILITIES = np.array([[0.9, 0.1], [0.55, 0.45], [0.0, 0.0], [0.3, 0.7], [0.52, 0.48]])


def test_the_least_sure_come_first_and_what_is_not_answered_before_them():
    assert margins(PROBABILITIES).round(2).tolist() == [0.8, 0.1, 0.0, 0.4, 0.04]
    assert least_sure(PROBABILITIES, 3).tolist() == [2, 4, 1]
    assert picked("uncertain", PROBABILITIES, None, 9).tolist() == [2, 4, 1, 3, 0]


def test_unlike_texts_are_of_every_kind_and_seldom_sure_ones():
    """Three kinds of texts, of which one is sure: the unsure two are picked, both of them."""
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], 60)
    given = np.eye(8)[kinds] + rng.normal(0, 0.02, (180, 8))
    sure = np.where(kinds == 2, 0.995, 0.55)
    probabilities = np.column_stack([sure, 1 - sure])
    chosen = unlike(probabilities, given, 10, seed=1)
    counts = np.bincount(kinds[chosen], minlength=3)
    assert len(set(chosen.tolist())) == 10 and min(counts[:2]) >= 3 and counts[2] <= 1
    # The least sure by far would all be of one kind.
    uneven = probabilities.copy()
    uneven[kinds == 0] = [0.501, 0.499]
    assert set(kinds[least_sure(uneven, 10)]) == {0}
    assert set(kinds[unlike(uneven, given, 10, seed=1)]) >= {0, 1}


def test_distances_are_those_of_the_gradients_written_out():
    rng = np.random.default_rng(4)
    probabilities = rng.dirichlet(np.ones(3), 12)
    given = rng.normal(size=(12, 4))
    errors = probabilities.copy()
    errors[np.arange(12), errors.argmax(1)] -= 1
    gradients = np.einsum("nc,nd->ncd", errors, given).reshape(12, -1)
    first = int(np.argmax((gradients**2).sum(1)))
    chosen = unlike(probabilities, given, 12, seed=0)
    assert chosen[0] == first and sorted(chosen.tolist()) == list(range(12))


def test_repeats_are_picked_only_where_nothing_else_is_left():
    same = np.tile([0.6, 0.4], (5, 1))
    assert sorted(unlike(same, np.ones((5, 2)), 4).tolist()) == [0, 1, 2, 3]


def test_a_gain_over_random_is_paired():
    gain, reach = gain_over([0.81, 0.72, 0.91], [0.80, 0.70, 0.90])
    assert round(gain, 4) == 0.0133 and reach is not None and 0.01 < reach < 0.02
    assert gain_over([0.8], [0.7])[1] is None


@pytest.mark.parametrize("spaced", [True, False])
def test_like_texts_have_like_vectors(spaced):
    texts = ["the striker scored a goal", "the striker scored two goals", "shares fell on monday",
             "股市周一下跌", "股市周二下跌", "球队赢得比赛"]  # fmt: skip
    found = vectors(texts, spaced=spaced)
    near = found @ found.T
    assert near[0, 1] > near[0, 2] and near[3, 4] > near[3, 5]
    assert vectors(["one"], spaced=spaced).shape == (1, 1)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with a study `t` that is done."""
    with inside(tmp_path_factory.mktemp("toys")) as place:
        task = write_task(place)
        write_recipe(place, trials=2)
        suite("study", "create", task, "--recipe", "toys.yaml", "--name", "t")
    return place


@pytest.fixture
def toys(folder, once):
    return shutil.copytree(once, folder, dirs_exist_ok=True)


def test_texts_are_picked_of_what_is_neither_labelled_nor_tested(toys):
    known = [row["text"] for row in toy_rows(200, 1)][:3]
    fresh = [f"nobody has seen text {n} yet, which speaks of number {n * n}" for n in range(20)]
    file = toys / "texts.txt"
    file.write_text("\n".join([*known, *fresh, fresh[0], ""]) + "\n")
    said = suite("data", "next", "t", "--unlabelled", "texts.txt", "--rows", "5")
    found = [json.loads(line) for line in said.stdout.splitlines()]
    assert len(found) == 5 and {one["text"] for one in found} <= set(fresh)
    assert all(fresh[one["row"] - 4] == one["text"] for one in found)
    assert all(one["label"] in ("ham", "spam") and 0 <= one["margin"] <= 1 for one in found)
    assert "5 of 20 texts to label, by what" in said.stderr
    for line in ("3 texts left out for standing in train or validation",
                 "1 text left out for repeating others"):  # fmt: skip
        assert line in said.stderr
    # The same seed picks the same, also into a file.
    out = toys / "next.jsonl"
    suite("data", "next", "t", "--unlabelled", "texts.txt", "--rows", "5", "--out", str(out))
    assert out.read_text() == said.stdout
    # Somebody may have written labels into it.
    again = ("data", "next", "t", "--unlabelled", "texts.txt", "--out", str(out))
    assert "next.jsonl exists" in suite(*again, code=2).stderr and out.read_text() == said.stdout
    # What stands in test is refused, whatever its case, and so is a file that has nothing new.
    tested = next(row["text"] for row in toy_rows(100, 2))
    (toys / "texts.txt").write_text(f"something new\n{tested.upper()}\n")
    said = suite("data", "next", "t", "--unlabelled", "texts.txt", code=2).stderr
    assert "the study's test has 1 of these 2 texts" in said and "(in the file: 2)" in said
    (toys / "known.txt").write_text(f"{next(iter(toy_rows(200, 1)))['text']}\n\n")
    said = suite("data", "next", "t", "--unlabelled", "known.txt", code=2).stderr
    assert "none of 2 texts is left to label: 1 text left out for standing in train" in said
    assert "1 text left out for being empty" in said
    assert "or replays on labelled rows" in suite("data", "next", "t", code=2).stderr


def test_texts_that_have_a_label_in_their_file_are_dropped_and_counted(toys):
    fresh = [f"nobody has seen text {n} yet, which speaks of number {n * n}" for n in range(9)]
    labels = ["ham", "", None, " ", -1, "a note", "spam", "1", 0.0]
    rows = [{"text": text, "label": label} for text, label in zip(fresh, labels, strict=True)]
    rows.append({"text": fresh[0].upper()})  # the same as one with a label
    rows.append({"text": "of this row nobody says anything", "other": 1})
    (toys / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = suite("data", "next", "t", "--unlabelled", "rows.jsonl", "--rows", "50")
    assert "5 texts left out for having a label in the file" in said.stderr
    found = {json.loads(line)["row"] for line in said.stdout.splitlines()}
    assert found == {2, 3, 4, 5, 6, 11}
    (toys / "rows.csv").write_text("text,label\nsomething new that nobody knows,spam\n")
    said = suite("data", "next", "t", "--unlabelled", "rows.csv", code=2).stderr
    assert "none of 1 text is left to label: 1 text left out for having a label in" in said


def test_files_that_have_no_texts_say_so(toys):
    (toys / "empty.txt").write_text("")
    (toys / "others.csv").write_text("id,body\n1,something\n")
    (toys / "headed.csv").write_text("text,label\n")
    for file, why in (
        ("empty.txt", "no texts stand in it"),
        ("headed.csv", "no texts stand in it"),
        ("others.csv", "no column 'text'"),
        ("nowhere.txt", "nowhere.txt"),
    ):
        said = suite("data", "next", "t", "--unlabelled", file, code=2).stderr
        assert why in said and file in said, said
    (toys / "lines.txt").write_text("one text\n")
    words = ("data", "next", "t", "--unlabelled", "lines.txt", "--column", "body")
    assert "a text a line, and no columns" in suite(*words, code=2).stderr
    assert "something" in suite(
        "data", "next", "t", "--unlabelled", "others.csv", "--column", "body"
    ).stdout  # fmt: skip


def test_a_replay_that_cannot_be_is_refused(toys):
    said = suite("data", "next", "t", "--unlabelled", "x.txt", "--draws", "2", code=2).stderr
    assert "--draws says nothing without --replay" in said
    replay = ("data", "next", "t", "--replay", "--arm", "tfidf/toy")
    said = suite(*replay, "--rows", "1", "--rounds", "1", code=2).stderr
    assert "1 row to begin with, of 2 classes: some would have none" in said
    assert "--replay picks among" in suite(*replay, "--out", "x.jsonl", code=2).stderr
    assert "has no arm 'tfidf/toys'" in suite(*replay[:-1], "tfidf/toys", code=2).stderr
    recipe = write_recipe(toys, name="none")
    suite("study", "create", "toy.yaml", "--recipe", recipe, "--name", "n", "--no-run")
    said = suite("data", "next", "n", "--replay", "--rows", "10", code=2).stderr
    assert "'n' has no finished trial yet" in said and "suite study run n" in said


def test_every_way_is_replayed_from_the_same_rows_and_so_by_its_seed(toys):
    words = ("data", "next", "t", "--replay", "--rows", "10", "--rounds", "1")
    words = (*words, "--arm", "tfidf/toy", "--json")
    first, same, found = (
        json.loads(suite(*words, "--draws", draws, "--seed", seed).stdout)
        for draws, seed in (("1", "0"), ("1", "0"), ("2", "1"))
    )
    assert first == same and first["start"][0] not in found["start"]
    assert found["labelled"] == [10, 20] and len(found["start"]) == 2
    assert [way["way"] for way in found["ways"]] == ["random", "diverse", "uncertain"]
    for way in found["ways"]:
        assert [len(rounds) for rounds in way["scores"]] == [1, 1]
    assert found["ways"][0]["gain"] == 0 and found["ways"][1]["reach"] is not None


def test_a_replay_that_leaves_nothing_to_pick_among_is_refused(toys):
    said = suite("data", "next", "t", "--replay", "--rows", "60", "--rounds", "3", code=2).stderr
    assert "leave nothing to pick among" in said and "--rows 18" in said
