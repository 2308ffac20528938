"""Texts of several columns: the same in training, files, requests and exported folders; and one
name for a class."""

import asyncio
import csv
import json
import os
from pathlib import Path

import httpx
import pyarrow.parquet
import pytest
from conftest import toy_rows, write_recipe
from typer.testing import CliRunner

from suite.api import load_predictor
from suite.cli import app
from suite.data.joining import Joining, joined
from suite.data.texts import TextFile
from suite.errors import DataError
from suite.handover.export import read_exported
from suite.serving.http.interface import Limits, Problem, Served, texts_of
from suite.serving.http.server import create_app
from suite.serving.http.service import Service
from suite.study.winner import winner

cli = CliRunner()
TWO = Joining(("subject", "body"), " | ", "ticket")


def suite(*words, code=0):
    result = cli.invoke(app, [str(w) for w in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A study `t` whose texts are `subject` and `body`, with a class that prompts word otherwise,
    and what it exports to `model`."""
    folder = tmp_path_factory.mktemp("joined")
    before = Path.cwd()
    os.chdir(folder)
    try:
        Path("data").mkdir()
        for split, count, seed in (("train", 200, 1), ("test", 40, 2)):
            with Path(f"data/{split}.csv").open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["ticket", "subject", "body", "label"])
                for number, row in enumerate(toy_rows(count, seed)):
                    first, _, rest = row["text"].partition(" ")
                    rows.writerow([f"T{number}", first, rest, row["label"]])
        Path("toy.yaml").write_text(
            "name: toy\ntitle: Toy mail\nlanguage: en\n"
            "labels: [{name: ham, display: Wanted}, {name: spam}]\n"
            "data: {folder: data, text: [subject, body], join: ' | ', id: ticket, licence: ours}\n"
        )
        recipe = write_recipe(folder, arms=["tfidf/classic"], trials=1)
        suite("study", "create", "toy.yaml", "--recipe", recipe, "--name", "t", "--quiet")
        suite("export", "t", "model")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)
    return home


def expected(home):
    with (home / "data" / "test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    texts = [" | ".join(filter(None, (row["subject"], row["body"]))) for row in rows]
    return texts, [row["ticket"] for row in rows]


def test_one_rule_joins_columns():
    assert joined(["a", None, "", "b"], "+") == "a+b"
    assert (joined([None, None], "+"), joined([None, ""], "+")) == (None, "")
    assert TWO.text({"body": "b", "subject": "a", "more": 1}) == "a | b"
    with pytest.raises(DataError, match="no 'body'"):
        TWO.text({"subject": "a"})


@pytest.mark.parametrize("name", ["t", "./model"])
def test_a_file_is_read_by_the_columns_of_the_task_and_its_ids_are_kept(at_home, tmp_path, name):
    texts, tickets = expected(at_home)
    out = tmp_path / "out.jsonl"
    suite("predict", name, "--file", "data/test.csv", "--id", "label", "--out", out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["text"] for row in rows] == texts
    assert [row["ticket"] for row in rows] == tickets
    assert {row["label"] for row in rows} == {"ham", "spam"}
    given = [row["label of the file"] for row in rows]  # beside the answer, and not in its place
    told = [("ham", "spam")[int(label)] for label in given]
    assert sum(a == row["label"] for a, row in zip(told, rows)) > len(rows) * 0.8
    assert list(rows[0]["probabilities"]) == ["ham", "spam"]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["subject"], "names 1 column, and the model reads 2: 'subject' and 'body', joined"),
        (["subject", "body", "label"], "names 3 columns, and the model reads 2"),
        (["subject", "ticke"], "no column 'ticke'"),
    ],
)
def test_columns_that_do_not_fit_are_exit_2(at_home, columns, told):
    options = [word for column in columns for word in ("--column", column)]
    found = suite("predict", "t", "--file", "data/test.csv", *options, code=2)
    assert told in found.stderr.replace("\n", " ")


def test_columns_may_have_other_names_in_the_file_or_be_joined_already(at_home, tmp_path):
    file = tmp_path / "other.jsonl"
    file.write_text('{"betreff": "win", "inhalt": "a prize"}\n{"betreff": null, "inhalt": "x"}\n')
    read = [*TextFile(str(file), TWO, columns=("betreff", "inhalt"))]
    assert read == ["win | a prize", "x"]
    same = [*TextFile("data/test.csv", TWO, columns=("body", "subject"))]
    assert same == expected(at_home)[0]  # names decide, where they are the task's
    file.write_text('{"text": "win | a prize", "ticket": 7}\n')
    (given,) = TextFile(str(file), TWO).rows()
    assert (given.text, given.kept) == ("win | a prize", {"ticket": 7})
    file.write_text('{"text": "a", "subject": "b"}\n')
    with pytest.raises(DataError, match="no column 'body'"):
        list(TextFile(str(file), TWO))


def test_one_text_takes_one_column():
    with pytest.raises(DataError, match="names 2 columns, and the model reads 1: 'text'"):
        TextFile("-", Joining(), columns=("a", "b"))


def test_answers_are_written_as_the_file_is_called(at_home, tmp_path):
    texts, tickets = expected(at_home)
    for ending in ("csv", "tsv", "parquet"):
        out = tmp_path / f"out.{ending}"
        suite("predict", "t", "--file", "data/test.csv", "--out", out)
        if ending == "parquet":
            rows = pyarrow.parquet.read_table(out).to_pylist()
        else:
            with out.open(newline="") as file:
                rows = list(csv.DictReader(file, delimiter="\t" if ending == "tsv" else ","))
        assert [row["text"] for row in rows] == texts
        assert [row["ticket"] for row in rows] == tickets
        for row in rows:
            shares = {name: float(row[f"probability of {name}"]) for name in ("ham", "spam")}
            assert row["label"] == max(shares, key=shares.get)
            assert float(row["probability"]) == max(shares.values())
    out = tmp_path / "two.csv"
    suite("predict", "t", "--file", "data/test.csv", "--out", out, "--top", 2)
    head = out.read_text().splitlines()[0]
    assert head == "ticket,text,label,probability,label 2,probability 2"
    found = suite("predict", "t", "--file", "data/test.csv", "--out", tmp_path / "o.xlsx", code=2)
    assert "not written as .xlsx" in found.stderr and ".parquet" in found.stderr


def test_an_exported_folder_knows_its_columns(at_home):
    found = read_exported(at_home / "model")
    assert found.joining == TWO
    assert found.labels == ["ham", "spam"]
    row = {"subject": "win", "body": "a prize now"}
    by_rows = load_predictor(Path("model")).predict_proba([row, "win | a prize now"])
    assert by_rows[0].tolist() == by_rows[1].tolist()


def test_a_class_has_one_name_everywhere(at_home):
    described = json.loads((at_home / "model" / "labels.json").read_text())
    assert described["labels"][0] == {"name": "ham", "shown": "Wanted"}
    found = json.loads(suite("predict", "t", "lunch", "--json").stdout)["predictions"][0]
    assert list(found["probabilities"]) == ["ham", "spam"]
    results = json.loads(suite("study", "show", "t", "--json").stdout)
    assert results["labels"] == winner("t").labels == ["ham", "spam"]


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ({"text": "x"}, ["x"]),
        ({"subject": "s", "body": "b"}, ["s | b"]),
        ({"subject": None, "body": "b"}, ["b"]),
        ({"texts": ["x", {"subject": "s", "body": "b"}]}, ["x", "s | b"]),
    ],
)
def test_a_request_may_be_a_row_of_the_models_columns(body, texts):
    assert texts_of(json.dumps(body).encode(), Limits(), TWO) == texts


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"subject": "s"}, "no 'body'"),
        ({"subject": "s", "bdy": "b"}, "unknown key 'bdy'"),
        ({"texts": [{"subject": "s"}]}, "texts[0].body"),
        ({"texts": [{"subject": "s", "body": "b", "x": "y"}]}, "unknown key 'texts[0].x'"),
        ({"texts": [7]}, "texts[0]: a text, or an object of 'subject' and 'body'"),
        ({"texts": ["a"], "subject": "s", "body": "b"}, "give one of"),
        ({"subject": None, "body": None}, "no text"),
        ({"cell_0": "s", "body": "b"}, "unknown key 'cell_0'"),
    ],
)
def test_other_rows_are_422(body, told):
    with pytest.raises(Problem) as caught:
        texts_of(json.dumps(body).encode(), Limits(), TWO)
    assert caught.value.status_code == 422
    assert told in caught.value.detail


def test_large_requests_of_rows_are_read_and_counted():
    rows = [{"subject": "s" * 40, "body": "b" * 40}] * 1000
    assert len(texts_of(json.dumps({"texts": rows}).encode(), Limits(), TWO)) == 1000
    with pytest.raises(Problem) as caught:
        texts_of(json.dumps({"texts": rows * 3}).encode(), Limits(), TWO)
    assert caught.value.status_code == 413


def test_columns_that_are_called_as_a_request_is_are_columns():
    odd = Joining(("title", "text"), " ")
    assert texts_of(b'{"title": "t", "text": "x"}', Limits(), odd) == ["t x"]
    assert texts_of(b'{"text": "x"}', Limits(), odd) == ["x"]
    assert texts_of(b'{"title": "t"}', Limits(), Joining(("title",))) == ["t"]


def test_the_server_answers_a_row_as_its_text_and_describes_it(at_home):
    kept = load_predictor("t")
    service = Service(Served(kept.predict_proba, kept.labels, {}, "x", kept.joining), Limits())
    service.state = "ready"

    async def ask():
        transport = httpx.ASGITransport(create_app(service))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            row = {"subject": "win", "body": "a prize now"}
            answers = [
                (await client.post("/predict", json=body)).json()["predictions"][0]
                for body in (row, {"text": "win | a prize now"})
            ]
            return answers, (await client.get("/openapi.json")).json()

    try:
        answers, described = asyncio.run(ask())
    finally:
        service.close()
    assert answers[0] == answers[1]
    body = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    assert {"subject", "body"} <= set(body["schema"]["properties"])
    assert set(body["examples"]["row"]["value"]) == {"subject", "body"}
