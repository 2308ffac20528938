"""Tables as people have them: one file whose splits are carved, every format, every spelling."""

import pytest

from suite.contracts.task import Data, Task
from suite.data import load as data
from suite.errors import DataError

SENTENCES = [f"text number {i} of {'a shop' if i % 2 else 'a school'}" for i in range(60)]


def make_task(labels=("sad", "glad"), **source):
    return Task.model_validate(
        {
            "name": "moods",
            "title": "Moods",
            "language": "en",
            "labels": [{"name": label} for label in labels],
            "data": {"licence": "ours"} | source,
        }
    )


def load(folder, task, **options):
    return data.load(task, folder / "moods.yaml", **options)


def refusal(folder, task, **options):
    with pytest.raises(DataError) as caught:
        load(folder, task, **options)
    return str(caught.value)


def write_csv(path, texts=SENTENCES):
    lines = [f"{text},{('sad', 'glad')[i % 2]}" for i, text in enumerate(texts)]
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return path


# --- one table ------------------------------------------------------------------------------


def test_one_table_is_carved_into_three_splits(tmp_path):
    write_csv(tmp_path / "mail.csv")
    found = load(tmp_path, make_task(file="mail.csv"))
    assert found.facts.source == "file mail.csv"
    assert found.facts.rows.test == 12  # a fifth
    assert sorted(found.train.texts + found.validation.texts + found.test.texts) == sorted(
        SENTENCES
    )
    assert set(found.test.labels) == {0, 1}
    assert load(tmp_path, make_task(file="mail.csv")).facts.fingerprint == found.facts.fingerprint
    half = load(tmp_path, make_task(file="mail.csv", test={"share": 0.5, "seed": 1}))
    assert half.facts.rows.test == 30


def test_a_folder_without_a_test_is_carved_where_the_task_says_so(tmp_path):
    write_csv(tmp_path / "train.csv")
    assert "no file for test" in refusal(tmp_path, make_task(folder="."))
    found = load(tmp_path, make_task(folder=".", test={"share": 0.2}))
    assert found.facts.rows.test == 12
    (tmp_path / "test.csv").write_text("text,label\nother,sad\n")
    found = load(tmp_path, make_task(folder=".", test={"share": 0.2}))
    assert found.facts.rows.test == 12
    assert "test.csv is not read: data.test carves test" in found.facts.audit.warnings[0]


def test_a_file_stands_in_for_a_task_of_one_table(tmp_path):
    write_csv(tmp_path / "mail.csv")
    other = write_csv(tmp_path / "other.csv", SENTENCES[:30])
    found = load(tmp_path, make_task(file="mail.csv"), data=other)
    assert sum([found.facts.rows.train, found.facts.rows.validation, found.facts.rows.test]) == 30


@pytest.mark.parametrize(
    "source, told",
    [
        ({"files": {"train": "a.csv"}}, "files names no test"),
        ({"files": {"train": "a", "test": "b"}, "test": {}}, "leave one away"),
        ({"file": "a.csv", "folder": "b"}, "not folder and file"),
        ({"file": "a.csv", "reading": {"encoding": "klingon"}}, "is no encoding"),
        ({"file": "a.csv", "reading": {"encoding": "rot13"}}, "no encoding of texts"),
        ({"file": "a.csv", "reading": {"delimiter": '"'}}, "separates no fields"),
    ],
)
def test_what_a_source_contradicts(source, told):
    with pytest.raises(ValueError, match=told):
        Data.model_validate({"licence": "ours"} | source)
