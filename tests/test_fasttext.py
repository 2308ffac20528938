"""fastText: what the library is given, what is kept of it, and what a hostile folder can do."""

from __future__ import annotations

import json
import stat
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from test_strategies_classic import ToyRun, english_rows, toy_task

from suite import strategies
from suite.contracts.strategy import Rows
from suite.errors import ModelError, RecipeError, SuiteError
from suite.strategies.classic import fasttext, fasttext_file, knobs
from suite.strategies.classic.strategy import ClassicStrategy


def fitted(params=None, rows=None, **changes):
    run = ToyRun("fasttext", toy_task(), rows or english_rows(60), params)
    vars(run).update(changes)
    return run, ClassicStrategy().fit(run)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with a trained predictor, never changed."""
    folder = tmp_path_factory.mktemp("kept")
    strategies.save_predictor(fitted({"subwords": True})[1], "classic", folder)
    return folder


def changed(kept, folder, settings=None, arrays=None):
    """A copy of the folder with other settings and arrays; no digest is held against them."""
    folder.mkdir()
    told = json.loads((kept / "settings.json").read_text(encoding="utf-8"))
    found = load_file(kept / "arrays.safetensors")
    told.update(settings(told) if settings else {})
    found.update(arrays(found) if arrays else {})
    (folder / "settings.json").write_text(json.dumps(told), encoding="utf-8")
    save_file(found, folder / "arrays.safetensors")
    return folder


# --- what is kept, and the file the library reads -------------------------------------------------


@pytest.mark.parametrize(("ngrams", "subwords"), [(1, False), (2, False), (3, True)])
def test_the_file_written_anew_is_the_model_that_was_trained(
    monkeypatch, tmp_path, ngrams, subwords
):
    trained, plain = [], fasttext.fasttext.train_supervised

    def train(file, **arguments):
        trained.append(plain(file, **arguments))
        return trained[-1]

    monkeypatch.setattr(fasttext.fasttext, "train_supervised", train)
    run, predictor = fitted({"ngrams": ngrams, "subwords": subwords, "dropout": 0.0})
    theirs, ours = trained[0], predictor._model
    assert ours.get_words() == theirs.get_words()
    assert set(ours.get_labels()) == set(theirs.get_labels())
    assert ours.get_input_matrix().shape == theirs.get_input_matrix().shape
    for text in run.train.texts:  # Of words and n-grams that training met.
        np.testing.assert_array_equal(
            ours.get_sentence_vector(text), theirs.get_sentence_vector(text)
        )
        shares = dict(zip(*theirs.predict(text, k=-1)))
        np.testing.assert_allclose(
            predictor.predict_proba([text])[0],
            [shares[f"__label__{i}"] for i in range(3)],
            atol=1e-4,
        )
    # What it never met adds nothing, where the library would add random numbers.
    unmet = ours.get_input_matrix()[
        np.setdiff1d(range(predictor._parts.rows), predictor._parts.filled)
    ]
    assert not unmet.any() and (ngrams == 1 or len(unmet))


def test_the_library_s_file_is_private_and_gone_at_once(monkeypatch, tmp_path, kept):
    seen, plain = [], fasttext_file.fasttext.load_model

    def load(name):
        for path in (Path(name), Path(name).parent):
            seen.append((path, stat.S_IMODE(path.stat().st_mode)))
        return plain(name)

    monkeypatch.setattr(fasttext_file.fasttext, "load_model", load)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    strategies.load_predictor(kept)
    assert [mode for _, mode in seen] == [0o600, 0o700]
    assert seen[0][0].is_relative_to(tmp_path) and not list(tmp_path.iterdir())


def test_a_full_disk_is_told(monkeypatch, kept):
    def full(file, parts):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fasttext_file, "write", full)
    with pytest.raises(SuiteError, match="could not be written: No space left on device"):
        strategies.load_predictor(kept)


HOSTILE = {
    "a bucket that is none": (lambda s: {"buckets": -1}, None, "buckets"),
    "more numbers than memory": (lambda s: {"buckets": 2**27}, None, "a table of"),
    "less than is filled": (lambda s: {"words": s["words"][:1], "buckets": 1}, None, "filled"),
    "a word twice": (lambda s: {"words": [*s["words"], s["words"][0]]}, None, "twice"),
    "a word that ends early": (lambda s: {"words": [*s["words"], "a\0b"]}, None, "is no word"),
    "half a character": (lambda s: {"words": [*s["words"], "\ud800"]}, None, "surrogates"),
    "no words": (lambda s: {"words": []}, None, "words"),
    "a class beyond": (lambda s: {"trained": [0, 1, 3]}, None, "trained"),
    "a class less": (lambda s: {"trained": [0, 1]}, None, "output"),
    "longer n-grams": (lambda s: {"ngrams": 10}, None, "ngrams"),
    "vectors below 0": (None, lambda a: {"filled": a["filled"] - 1}, "ascending"),
    "vectors twice": (None, lambda a: {"filled": a["filled"] * 0}, "ascending"),
    "vectors of wide numbers": (None, lambda a: {"filled": a["filled"].astype("i8")}, "I64"),
    "no number": (None, lambda a: {"output": a["output"] * np.float32("nan")}, "NaN"),
    "other widths": (None, lambda a: {"output": a["output"][:, :-1].copy()}, "shape"),
    "no width": (
        None,
        lambda a: {name: a[name][:, :0].copy() for name in ("vectors", "output")},
        "a table of",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_folder_is_refused_before_the_library_reads_a_byte(
    monkeypatch, tmp_path, kept, what
):
    settings, arrays, said = HOSTILE[what]
    folder = changed(kept, tmp_path / "hostile", settings, arrays)
    monkeypatch.setattr(fasttext_file.fasttext, "load_model", lambda name: pytest.fail("read"))
    with pytest.raises(ModelError, match=said) as caught:
        ClassicStrategy().load(folder)
    assert str(folder) in str(caught.value.where)


def test_what_the_suite_trained_by_itself_is_refused(tmp_path, kept):
    folder = changed(kept, tmp_path / "old", lambda s: {"format": "fasttext"})
    with pytest.raises(ModelError, match="which the fastText library has replaced") as caught:
        ClassicStrategy().load(folder)
    assert "Train it again" in str(caught.value.fix)
    # A study that searched it goes on with the library's.
    run, _ = fitted({"batch": 64, "min_count": 2, "dropout": 0.7})
    assert run.notes["passed_over"] == ["batch", "min_count"]


# --- what the library is given --------------------------------------------------------------------


def lines_of(copies=1, dropout=0.0, rows=None, seed=0, weights="none", epochs=None):
    rows = rows or english_rows(60)
    run = ToyRun("fasttext", toy_task(class_weights=weights), rows, seed=seed)
    return list(fasttext._lines(run, [text.split() for text in rows.texts], copies, dropout))


def test_each_row_is_written_once_a_pass_in_an_order_of_its_own():
    rows = english_rows(60)
    whole = [f"__label__{label} {text}\n" for text, label in zip(rows.texts, rows.labels)]
    written = lines_of(copies=3)
    passes = [written[start : start + 60] for start in (0, 60, 120)]
    assert all(sorted(one) == sorted(whole) for one in passes)
    assert all(one != two for one, two in pairwise(passes))
    assert written == lines_of(copies=3) != lines_of(copies=3, seed=1)


def test_words_are_left_out_at_random_and_in_their_order():
    rows = Rows((" ".join(f"w{i}" for i in range(200)),), (0,))
    first, second = (line.split()[1:] for line in lines_of(copies=2, dropout=0.5, rows=rows))
    assert first != second and 60 < len(first) < 140
    assert sorted(first, key=lambda word: int(word[1:])) == first


def test_a_rare_class_is_written_as_often_as_a_frequent_one():
    rows = Rows(("a",) * 100, (*(0,) * 90, *(1,) * 10))
    labels = [line.split()[0] for line in lines_of(rows=rows, weights="balanced")]
    assert abs(labels.count("__label__0") - 50) <= 1 and abs(labels.count("__label__1") - 50) <= 1


def test_where_rows_are_many_each_line_serves_several_passes(monkeypatch):
    given, plain = [], fasttext.fasttext.train_supervised

    def train(file, **arguments):
        given.append((Path(file).read_text().count("\n"), arguments["epoch"], arguments["thread"]))
        return plain(file, **arguments)

    monkeypatch.setattr(fasttext.fasttext, "train_supervised", train)
    monkeypatch.setattr(knobs, "LEAST_LINES", 0)
    few, _ = fitted()
    monkeypatch.setattr(fasttext, "MOST_LINES", 150)
    fewer, _ = fitted()
    monkeypatch.setattr(fasttext, "MOST_LINES", 10)
    many, _ = fitted()
    assert [found for found in given if found[1]] == [(600, 1, 1), (120, 5, 1), (60, 10, 1)]
    # Of one line that serves all passes, words left out would be lost.
    assert [run.notes.get("dropout_used") for run in (few, fewer, many)] == [None, None, 0.0]


def test_few_rows_get_the_passes_that_they_need(monkeypatch):
    # 60 rows in the ten passes of a budget: 600 steps, after which nothing is learnt yet.
    rows, unseen = english_rows(60), english_rows(180).take(range(60, 180))
    right = {}
    for least in (0, knobs.LEAST_LINES):
        monkeypatch.setattr(knobs, "LEAST_LINES", least)
        run, predictor = fitted({"learning_rate": 0.1}, rows)
        found = predictor.predict_proba(unseen.texts).argmax(axis=1)
        right[run.notes["passes"]] = float((found == np.asarray(unseen.labels)).mean())
    assert right[10] < 0.7 and right[200] > 0.9
    # A budget that is larger than that stays what it is.
    assert knobs.fasttext_passes(60, epochs=100) == 500


def test_words_that_the_library_would_take_for_something_else(tmp_path):
    texts = ("__label__1 goal", "___label__2 goal", "</s> bank", "cell \0 gene \ud800") * 10
    _, predictor = fitted(rows=Rows(texts, (0, 0, 1, 2) * 10), epochs=8.0)
    odd = ["__label__1 goal", "bank </s>", "gene \ud800 cell", "a\nb\r\v\f\x1c\u2028c", "\0"]
    assert predictor.predict_proba(odd).argmax(axis=1)[:3].tolist() == [0, 1, 2]
    assert "___label__1" in predictor._parts.words
    predictor.save(tmp_path)
    again = ClassicStrategy().load(tmp_path).predict_proba(odd)
    np.testing.assert_array_equal(again, predictor.predict_proba(odd))


def test_training_that_diverges_and_tables_too_large_are_the_user_s_to_mend(monkeypatch):
    with pytest.raises(RecipeError, match="take more than 4 GB"):
        fitted({"buckets": 2**27, "dim": 4096}, Rows(("a " * 400_000, "b"), (0, 1)))

    def diverged(file, **arguments):
        raise RuntimeError("Encountered NaN.")

    monkeypatch.setattr(fasttext.fasttext, "train_supervised", diverged)
    with pytest.raises(SuiteError, match="training diverged") as caught:
        fitted()
    assert "learning_rate" in str(caught.value.fix)
