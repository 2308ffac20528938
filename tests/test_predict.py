"""`suite predict`: texts from words, files and pipes; answers for people and for programs."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys

import pytest
from conftest import PATIENCE, write_recipe, write_task
from typer.testing import CliRunner

from suite.cli import app
from suite.data.texts import TextFile, chunks, whole
from suite.errors import DataError
from suite.strategies import load_predictor
from suite.study.winner import winner

cli = CliRunner()
TEXTS = ["win a prize, now", 'lunch "with" a friend', "", "邮件 😀", "x" * 5000]


def suite(*words, code=0, stdin=None):
    result = cli.invoke(app, [str(w) for w in words], input=stdin)
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a study `t` of one arm, which nobody changes."""
    folder = tmp_path_factory.mktemp("predicted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        recipe = write_recipe(folder, arms=["tfidf/classic"], trials=1)
        suite(
            "study", "create", write_task(folder), "--recipe", recipe, "--name", "t", "--quiet"
        )  # fmt: skip
    return folder


@pytest.fixture
def study(home, monkeypatch):
    monkeypatch.chdir(home)
    return "t"


def write(path, texts=TEXTS, column="text"):
    """A file of texts in the format its name says."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({"id": range(len(texts)), column: texts}), path)
        return path
    with (gzip.open if path.suffix == ".gz" else open)(
        path, "wt", encoding="utf-8", newline=""
    ) as f:
        if name.endswith(".jsonl"):
            f.writelines(json.dumps({"id": i, column: t}) + "\n" for i, t in enumerate(texts))
        elif name.endswith(".csv"):
            rows = csv.writer(f)
            rows.writerows([["id", column], *([i, t] for i, t in enumerate(texts))])
        else:
            f.writelines(t + "\r\n" for t in texts)
    return path


FILES = ("a.txt", "a.jsonl", "a.csv", "a.parquet", "a.txt.gz", "a.jsonl.gz", "a.CSV.gz")


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_gives_its_texts_in_order(tmp_path, name):
    file = write(tmp_path / name if "CSV" not in name else tmp_path / "a.csv.gz")
    assert list(TextFile(str(file))) == TEXTS


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"text": [3]}\n', "line 2: 'text' is a list"),
        ("a.jsonl", b'{"text": "a"}\n{"tekst": "b"}\n', "line 2: no column 'text'"),
        ("a.jsonl", b"[1]\n", "row 1: a number where an object"),
        ("a.jsonl", b"{\n", "line 1: not JSON"),
        ("a.jsonl", b"[" * 100_000, "not JSON: nested deeper"),
        ("a.csv", b"title\na\n", "no column 'text'"),
        ("a.csv", b"text,b\na,b\nc\n", "line 3: 1 field where the first line has 2"),
        ("a.csv", b'text\n"a\n', "opened and never closed"),
        ("a.txt", b"a\n\xff\n", "line 2: not UTF-8"),
        ("a.txt.gz", b"not gzip", "not gzip, though"),
        ("a.txt.gz", gzip.compress(b"a\n" * 9999, mtime=0)[:40], "truncated or damaged"),
        ("a.parquet", b"PAR1 no", "not a Parquet file"),
        ("a.docx", b"", "unknown kind of file"),
        ("a.parquet.gz", b"no", "not gzip, though"),
    ],
)
def test_damaged_files_are_one_message_with_the_place(tmp_path, name, content, words):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DataError) as error:
        list(TextFile(str(file)))
    assert words in str(error.value) and str(file) in str(error.value)


def test_a_file_is_read_a_part_at_a_time(tmp_path):
    file = write(tmp_path / "a.txt", [f"text {i}" for i in range(50_000)])
    source = TextFile(str(file))
    reader = chunks(source)
    assert len(next(reader)) == 1024
    assert 0 < source.done() < 0.5  # read ahead by a buffer, not to the end
    assert sum(map(len, reader)) == 50_000 - 1024
    assert [len(c) for c in chunks(["x" * 3_000_000] * 3)] == [2, 1]


def test_halves_of_characters_are_read_as_a_mark():
    assert whole("a\ud800b") == "a\ufffdb" and whole("\ud83d\ude00") == "😀"
    text = "whole 😀"
    assert whole(text) is text


def test_a_file_in_and_json_lines_out_agree_with_the_predictor(study, home):
    file = write(home / "in.csv", column="title")
    told = suite("predict", study, "--file", file, "--column", "title", "--out", "out.jsonl")
    assert "Wrote 5 answers of tfidf/classic to out.jsonl" in told.stdout
    rows = [json.loads(line) for line in (home / "out.jsonl").read_text().splitlines()]
    expected = load_predictor(winner(study).folder).predict_proba(TEXTS)
    assert [row["text"] for row in rows] == TEXTS
    for row, values in zip(rows, expected):
        assert list(row) == ["text", "label", "probabilities"]
        assert list(row["probabilities"].values()) == pytest.approx(values.tolist())
        assert row["label"] == max(row["probabilities"], key=row["probabilities"].get)
    assert not (home / "out.jsonl.part").exists()
    told = suite("predict", study, "--file", file, "--out", "out.jsonl", code=2)
    assert "exists" in told.stderr
    # What was there stays where a file ends badly, and nothing half written is left.
    (home / "bad.jsonl").write_text('{"text": "a"}\n{\n')
    suite("predict", study, "--file", "bad.jsonl", "--out", "new.jsonl", code=2)
    assert not list(home.glob("new.jsonl*"))


def test_json_lines_to_standard_output_and_the_most_probable_first(study):
    told = suite("predict", study, "win a prize", "lunch with a friend", "--jsonl", "--top", 1)
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert [list(row["probabilities"]) for row in rows] == [["spam"], ["ham"]]
    line = suite("predict", study, "win a prize", "--top", 2).stdout.split()
    assert line[0] == "spam" and line[2] == "ham" and float(line[1]) + float(line[3]) > 0.99


def test_standard_input_and_the_one_object_are_as_they_were(study):
    told = suite("predict", study, "--json", stdin="win a prize\nlunch with a friend\n")
    found = json.loads(told.stdout)
    assert (found["study"], found["arm"]) == ("t", "tfidf/classic")
    assert [p["label"] for p in found["predictions"]] == ["spam", "ham"]
    assert suite("predict", study, "win a prize").stdout.startswith("spam  ")
    assert suite("predict", study, "-", stdin="win a prize\n").stdout.startswith("spam  ")
    assert suite("predict", study, "--file", "-", stdin="win\n\n").stdout.count("\n") == 2


def test_nothing_to_classify_is_one_message(study, home):
    (home / "empty.txt").touch()
    (home / "none.csv").write_text("text\n")
    for words in (("--file", "empty.txt"), ("--file", "none.csv"), ()):
        told = suite("predict", study, *words, code=2, stdin="")
        assert "no text to classify" in told.stderr and told.stdout == ""
    assert "no such file" in suite("predict", study, "--file", "gone.txt", code=2).stderr
    assert "contradict" in suite("predict", study, "a", "--file", "empty.txt", code=2).stderr
    assert "contradicts" in suite("predict", study, "a", "--json", "--jsonl", code=2).stderr


def test_an_exported_folder_stands_in_for_the_name(study, home):
    suite("export", study, "model")
    one = json.loads(suite("predict", study, "win a prize", "--json").stdout)
    for name in ("./model", home / "model", "model"):
        assert json.loads(suite("predict", name, "win a prize", "--json").stdout) == one
    told = suite("predict", "./model", "a", "--arm", "other/classic", code=2).stderr
    assert "holds tfidf/classic" in told
    # A study's name means the study, whatever folders there are.
    (home / "t").mkdir()
    assert json.loads(suite("predict", "t", "win a prize", "--json").stdout) == one


def test_bytes_that_are_no_text_and_a_closed_pipe_do_no_harm(study, home):
    command = [sys.executable, "-m", "suite", "predict", study, b"win \xff prize", "--jsonl"]
    found = subprocess.run(command, capture_output=True, timeout=PATIENCE)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["text"] == "win \ufffd prize"
    assert b"halves of characters" in found.stderr
    write(home / "many.txt", ["win a prize"] * 5_000)
    shell = f"{sys.executable} -m suite predict {study} --file many.txt --jsonl | head -1"
    found = subprocess.run(shell, shell=True, capture_output=True, text=True, timeout=PATIENCE,
                           env=os.environ)  # fmt: skip
    assert found.stdout.count("\n") == 1 and "Traceback" not in found.stderr
