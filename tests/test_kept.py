"""Rows beyond what memory should hold: on disk, and the same rows."""

import csv
import random
import tracemalloc

import pytest

from suite.config import yamlfile
from suite.contracts.task import Task
from suite.data import kept, tables
from suite.data.ahead import ahead
from suite.data.check import check_text
from suite.data.columns import Asked
from suite.data.draft import Said, draft
from suite.data.load import load
from suite.data.room import Room
from suite.data.snapshot import read_snapshot, write_snapshot
from suite.errors import StorageError
from suite.study import auto
from suite.study.create import Wanted, create

#: So much that nothing goes to disk, and so little that most does.
LARGE, SMALL = 2**33, 2**20


def everything(columns):
    return columns


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A table whose texts come again or are empty, with a group and a date."""
    draw = random.Random(0)
    words = ["refund", "Login", "späť", "登录", "late", "parcel", *(f"w{n}" for n in range(500))]
    file = tmp_path_factory.mktemp("rows") / "tickets.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["ticket", "subject", "body", "team", "customer", "day"])
        for number in range(3000):
            body = " ".join(draw.choices(words, k=draw.randint(4, 30)))
            if number % 30 == 0:
                body = ["", "Thanks!", "thanks"][number // 30 % 3]
            table.writerow(
                [
                    f"T{number}", draw.choice(words) if number % 7 else "", body,
                    draw.choices(["billing", "login ", "login", "other", ""], [5, 3, 1, 2, 0.1])[0],
                    f"c{draw.randrange(300)}" if number % 5 else "",
                    f"2024-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}",
                ]
            )  # fmt: skip
    return file


@pytest.mark.parametrize("asked", [Asked(), Asked(group="customer"), Asked(time="day")])
def test_rows_on_disk_are_those_in_memory(rows, tmp_path, monkeypatch, asked):
    monkeypatch.setattr(kept, "_MOST_CODED", 100)
    texts, found = [], []
    for size in (LARGE, SMALL):
        made = draft("tickets", rows, said=Said(asked), room=Room(size))
        texts.append((made.text, made.told))
        task = yamlfile.validate(made.text, Task, "tickets.yaml")
        found.append(load(task, tmp_path / "tickets.yaml", data=rows, room=Room(size)))
    memory, disk = found
    assert texts[0] == texts[1]
    assert isinstance(memory.train.texts, tuple) and isinstance(disk.train.texts, kept.Texts)
    assert disk.facts == memory.facts and disk.groups == memory.groups
    for split in ("train", "validation", "test"):
        ours, theirs = getattr(disk, split), getattr(memory, split)
        assert ours.texts == theirs.texts and ours.labels == theirs.labels
        assert list(ours.ids) == list(theirs.ids)
    write_snapshot(tmp_path / "snapshot", disk)
    assert read_snapshot(tmp_path / "snapshot").test.texts == memory.test.texts


def peak(file, count):
    """Bytes of Python's memory that reading so many rows of 2 kB takes at once, at most."""
    file.write_text("text,label\n" + "".join(f"{n} {'x' * 2000},{n % 3}\n" for n in range(count)))
    tracemalloc.start()
    try:
        table = tables.read_file(file, everything, Room(2**23))
        assert sum(map(len, table.columns["text"])) > 2000 * count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_texts(tmp_path):
    grown = peak(tmp_path / "long.csv", 6000) - peak(tmp_path / "short.csv", 2000)
    assert grown < 1_000_000  # of 8 MB: where each of the texts ends


def test_a_check_says_of_a_large_file_what_it_says_of_it_in_memory(rows, tmp_path):
    made = draft("tickets", rows, room=Room(SMALL), task_file=tmp_path / "tickets.yaml").text
    said = [check_text(made, tmp_path / "tickets.yaml", room=Room(s)) for s in (LARGE, SMALL)]
    assert said[0] == said[1] and any("left out" in one.message for one in said[0])


def test_columns_on_disk_are_lists():
    values = ["a", None, "é" * 5000, "\ud800", ""] * 2000
    column = kept.chained([kept.Coded(["a"], kept.np.zeros(3, "uint16")), values])
    assert isinstance(column, kept.Coded) and list(column) == ["a"] * 3 + values
    writer = kept.TextWriter()
    writer.add(values)
    texts = writer.done()
    assert list(texts) == values and texts[2] == values[2] and texts[-1] == "" and texts[1] is None
    some = texts.take([9, 0, 6, 3])
    assert list(some) == ["", "a", None, "\ud800"] and list(some[1:3]) == ["a", None]
    assert some == ("", "a", None, "\ud800") and some != ("", "a", None)
    with pytest.raises(IndexError):
        some[4]


def test_a_full_disk_is_told_with_what_helps(tmp_path, monkeypatch):
    file = tmp_path / "long.csv"
    file.write_text("text,label\n" + "".join(f"{n} {'x' * 2000},{n % 3}\n" for n in range(2000)))
    monkeypatch.setattr(kept, "free_bytes", lambda place: 1000)
    with pytest.raises(StorageError, match="TMPDIR"):
        tables.read_file(file, everything, Room(2**20 * 4))


def test_labels_of_other_kinds_stay_in_memory_beside_texts_on_disk(tmp_path):
    file = tmp_path / "rows.jsonl"
    lines = [f'{{"text": "{n} {"y" * 300}", "label": {n % 2}}}' for n in range(3000)]
    lines[2500] = '{"text": 7, "label": "1"}'
    file.write_text("\n".join(lines))
    table = tables.read_file(file, everything, Room(2 * SMALL))
    assert table.columns["label"][2499:2502] == [1, "1", 1] and table.columns["text"][2500] == 7


def test_what_a_large_file_takes_is_said_before_it_is_read(rows, tmp_path):
    assert ahead(rows, Room(LARGE)) is None and ahead(tmp_path / "none.csv", Room(SMALL)) is None
    said = ahead(rows, Room(SMALL))
    assert said is not None and said.startswith("tickets.csv is 337,")
    assert said.endswith("memory takes about 350.6 MB")


def test_auto_trains_on_so_many_rows_at_most_and_says_so(folder, rows, monkeypatch):
    monkeypatch.setattr(auto, "MOST_ROWS", 500)
    (folder / "tickets.csv").write_bytes(rows.read_bytes())
    said = []
    wanted = Wanted("tickets.csv", arms=["tfidf/classic"], storage="sqlite:///s.db")
    made = create(wanted, say=said.append).definition
    assert made.train_rows == made.data.rows.train == 500 and made.data.train_rows_of == 2114
    assert "  of 2,114 training rows 500 are taken, class by class: --train-rows takes more" in said
    assert create(wanted).resumed
