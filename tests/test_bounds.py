"""The one bound of reading: what it refuses, what its message names, and that it can be raised."""

import gzip
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PATIENCE, write_recipe
from test_data import good, jsonl, refusal, rows
from test_predict import suite

import suite as library
from suite.config import yamlfile
from suite.config.recipe import Recipe
from suite.contracts.limits import MOST_SEED
from suite.contracts.task import Reading, Task
from suite.data import tables
from suite.data.room import LEAST, MOST_COLUMNS, Room
from suite.data.texts import TextFile
from suite.errors import DataError, StudyError, SuiteError, YamlError, nearest
from suite.study.sampling import sampler

SMALL = LEAST  # a row of 16 KiB, a document of 128 KiB
ROW = Room(SMALL).row


def read(path, room=None):
    return tables.read_file(path, tables.pick_columns("text", "label", where=str(path)), room)


def write(path, content):
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
    return path


LONG = b"a" * (ROW + 1)
TOO_LARGE = {
    "line.jsonl": (b'{"text":"' + LONG + b'","label":1}\n', "line 1: this line takes more than"),
    "line.csv": (b"text,label\n" + LONG + b",1\n", "line 2: this line takes more than"),
    "record.csv": (b'text,label\n"' + b"a\n" * ROW, "line 2: the record that begins here"),
    "columns.csv": (b"text,label" + b",x" * ROW + b"\na,1\n", "line 1: this line takes more"),
    "zeros.jsonl.gz": (b"\0" * 10**7, "line 1: this line takes more than"),
    "bomb.jsonl.gz": (b'{"text":"a","label":1}\n' * 10**6, "what is read takes more"),
    "bomb.csv.gz": (b"text,label\n" + b"\n" * 10**7, "beyond 200-fold"),
    "list.json": (json.dumps(rows(8000), indent=1).encode(), "a JSON document that is not one"),
    "many.jsonl": (jsonl(rows(30_000)), "what is read takes more than 1.0 MB"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_names_its_bound_and_the_option_that_raises_it(tmp_path, name):
    content, words = TOO_LARGE[name]
    file = write(tmp_path / name, content)
    with pytest.raises(DataError) as caught:
        read(file, Room(SMALL))
    told = str(caught.value)
    assert words in told and str(file) in told and "--max-memory" in told
    assert len(told) < 600


def test_a_larger_bound_reads_the_same_file(tmp_path):
    file = write(tmp_path / "a.csv", b"text,label\n" + LONG + b",1\n")
    assert len(read(file, Room(2 * SMALL))) == 1
    with pytest.raises(SuiteError, match="too little to read anything"):
        Room(SMALL - 1)


def test_the_length_of_a_file_that_is_streamed_is_not_bounded(tmp_path):
    file = write(tmp_path / "a.jsonl", jsonl(rows(30_000)))
    assert sum(1 for _ in TextFile(str(file), room=Room(SMALL))) == 30_000


def test_a_parquet_file_is_bounded_by_what_comes_out(tmp_path):
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x" * 1000])
    pq.write_table(pa.table({"text": repeated, "label": repeated}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    for room in (Room(SMALL), Room(4 * SMALL)):
        with pytest.raises(DataError, match=r"takes? more than|beyond 200-fold"):
            read(tmp_path / "a.parquet", room)
    assert len(read(tmp_path / "a.parquet", Room(200 * SMALL))) == 20_000
    long = pa.table({"text": ["x" * (ROW + 1)], "label": ["1"]})
    pq.write_table(long, tmp_path / "b.parquet")
    with pytest.raises(DataError, match="a row here takes more than"):
        read(tmp_path / "b.parquet", Room(SMALL))


def test_a_pipe_among_the_files_of_a_folder_is_refused_at_once(tmp_path):
    folder = good(tmp_path)
    (folder / "train.jsonl").unlink()
    os.mkfifo(folder / "train.jsonl")
    assert "this is a pipe, not a file" in refusal(folder)
    (folder / "train.jsonl").unlink()
    (folder / "train.jsonl").symlink_to("/dev/zero")
    assert "this is a device, not a file" in refusal(folder)
    (folder / "train.jsonl").unlink()
    (folder / "train.jsonl").symlink_to("train.jsonl")
    assert "lead in a circle" in refusal(folder)


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000])
def test_a_folder_whose_name_no_folder_can_have(tmp_path, name):
    assert str(tmp_path) in refusal(tmp_path / name)


def test_the_nearest_of_a_million_names_is_not_looked_for():
    assert nearest("tset", [f"name {i}" for i in range(10**5)]) == "Available: 100000 names."
    told = nearest("x" * 10**6, ["y" * 10**6])
    assert len(told) < 200


def test_a_seed_that_no_generator_takes(folder, toy_task):
    for seed in (-1, MOST_SEED + 1, 10**5000, 1.5, True):
        with pytest.raises(StudyError, match="the seed"):
            library.create_study(toy_task, seed=seed)
    with pytest.raises(StudyError, match="trials is a whole number of more"):
        library.create_study(toy_task, trials=10**5000)


def test_seeds_and_trials_are_bounded_wherever_they_come_in(folder, toy_task):
    for number in (-1, MOST_SEED + 1):
        told = suite("study", "create", toy_task, "--seed", number, code=2).stderr
        assert "--seed" in told
        with pytest.raises(YamlError, match="seed"):
            yamlfile.validate(f"name: r\narms: [a/b]\nseed: {number}", Recipe, "r.yaml")
        text = re.sub("(?m)^validation:.*$", "", (folder / toy_task).read_text())
        text += f"\nvalidation: {{seed: {number}}}\n"
        with pytest.raises(YamlError, match=r"validation\.seed"):
            yamlfile.validate(text, Task, "t.yaml")
    assert "--trials" in suite("study", "create", toy_task, "--trials", 10**9, code=2).stderr
    definition = SimpleNamespace(recipe=Recipe(name="r", arms=["a/b"]), seed=MOST_SEED, runnable=[])
    assert sampler(definition, 7) is not None


def test_standard_output_on_a_full_disk_is_one_message():
    with open("/dev/full", "wb") as full:
        found = subprocess.run(
            [sys.executable, "-m", "suite", "task", "list"],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert found.returncode == 2 and "Traceback" not in found.stderr
    assert "No space left on device" in found.stderr


def test_a_database_on_a_full_disk_is_told_with_a_remedy(folder, toy_task, monkeypatch):
    import sqlite3

    from suite.study import listing

    def full(storage):
        raise sqlite3.OperationalError("database or disk is full")

    recipe = write_recipe(folder, arms=["tfidf/classic"], trials=1)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t", "--no-run")
    monkeypatch.setattr(listing, "studies", full)
    told = suite("study", "list", code=2).stderr
    assert "database or disk is full" in told and "Free some space" in told


def arrow(path, table, packed=None):
    options = pa.ipc.IpcWriteOptions(compression=packed)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(
        file, table.schema, options=options
    ) as stream:  # fmt: skip
        stream.write_table(table)
    return path


def test_an_arrow_stream_is_bounded_before_it_is_unpacked(tmp_path, monkeypatch):
    long = pa.table({"text": ["x" * 10**6] * 40, "label": ["1"] * 40})
    coded = long.append_column("more", long["text"].dictionary_encode())
    for table in (long, coded):
        file = arrow(tmp_path / "a.arrow", table, "zstd")
        assert file.stat().st_size < 50_000
        with monkeypatch.context() as patched, pytest.raises(DataError, match="beyond 200-fold"):
            patched.setattr(pa.ipc, "open_stream", None)
            read(file, Room(4 * SMALL))
        assert len(read(file, Room(200 * SMALL))) == 40


def test_places_beyond_an_arrow_stream_are_refused(tmp_path):
    texts = [f"the match ended {number:04}" for number in range(40)]
    table = pa.table({"text": texts, "label": ["a", "b"] * 20})
    content = bytearray(arrow(tmp_path / "a.arrow", table).read_bytes())
    at = content.index(struct.pack("<iii", 0, 20, 40))
    files = [tmp_path / f"{place}.arrow" for place in range(3)]
    for file, value in zip(files, (-5, 2**31 - 1, 50_000_000), strict=True):
        struct.pack_into("<i", content, at + 8, value)
        file.write_bytes(content)
    # In a process of its own, which such places end.
    program = (
        "import sys\nfrom pathlib import Path\nfrom suite.errors import DataError\n"
        "from test_bounds import read\n"
        "for file in sys.argv[1:]:\n"
        "    try: read(Path(file))\n"
        "    except DataError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *files], capture_output=True, text=True, timeout=PATIENCE,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.count("not an Arrow stream") == 3, done


SHEET = "xl/worksheets/sheet1.xml"
STRINGS = (
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">%s</sst>'
)  # fmt: skip


def altered_workbook(path, alter, name=SHEET, packed=zipfile.ZIP_DEFLATED):
    """A workbook one of whose parts is changed: that of the name."""
    book = openpyxl.Workbook()
    for row in (["text", "label"], ["one", "a"], ["two", "b"]):
        book.active.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as made:
        parts = {part: made.read(part) for part in made.namelist()}
    parts[name] = alter(parts.get(name, b""))
    with zipfile.ZipFile(path, "w", packed) as file:
        for part, content in parts.items():
            file.writestr(part, content)
    return path


def more_rows(rows):
    return lambda sheet: sheet.replace(b"</sheetData>", rows + b"</sheetData>")


HEAVY = {
    "cells": (SHEET, more_rows(b"<row>" + b"<c/>" * 50_000 + b"</row>")),
    "rows": (SHEET, more_rows(b"<row/>" * 50_000)),
    "strings": ("xl/sharedStrings.xml", lambda _: STRINGS % (b"<si/>" * 50_000)),
    "styles of a string": (
        "xl/sharedStrings.xml",
        lambda _: STRINGS % (b"<si>" + b"<r/>" * 5000 + b"</si>"),
    ),
    "styles": (
        "xl/styles.xml",
        lambda styles: styles.replace(b"</cellXfs>", b"<xf/>" * 5000 + b"</cellXfs>"),
    ),
}


@pytest.mark.parametrize("what", HEAVY)
def test_a_workbook_is_bounded_by_what_its_elements_take(tmp_path, monkeypatch, what):
    name, alter = HEAVY[what]
    path = altered_workbook(tmp_path / "a.xlsx", alter, name)
    with monkeypatch.context() as patched, pytest.raises(DataError, match="this workbook holds"):
        patched.setattr(openpyxl, "load_workbook", None)
        read(path, Room(4 * SMALL))
    if what == "styles of a string":  # of many strings they are gone, one after another
        many = STRINGS % (b"<si><r><t>a</t></r></si>" * 5000)
        path = altered_workbook(tmp_path / "a.xlsx", lambda _: many, name)
        assert len(read(path, Room(4 * SMALL))) == 2


def test_a_row_of_a_workbook_that_no_sheet_has(tmp_path):
    far = b'<row r="%s"><c t="inlineStr"><is><t>a</t></is></c></row>'
    path = altered_workbook(tmp_path / "a.xlsx", more_rows(far % b"1048577"))
    with pytest.raises(DataError, match="more than the 1,048,576 rows"):
        read(path)


def test_a_workbook_that_declares_entities(tmp_path):
    declared = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    path = altered_workbook(
        tmp_path / "a.xlsx", lambda sheet: declared + sheet[sheet.index(b"<worksheet") :]
    )
    with pytest.raises(DataError, match="declares entities"):
        read(path)


def test_a_workbook_whose_packed_parts_are_damaged(tmp_path):
    for packed in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        path = altered_workbook(tmp_path / "a.xlsx", more_rows(b""), packed=packed)
        content = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as file:
            part = file.getinfo(SHEET)
        begin = part.header_offset + 30 + len(SHEET)
        for at in range(begin + 15, begin + part.compress_size - 5):
            content[at] ^= 0x5A
        path.write_bytes(content)
        with pytest.raises(DataError, match="not an Excel workbook"):
            read(path)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.arrow"])
def test_a_table_of_more_columns_than_are_read_together(tmp_path, name):
    path = tmp_path / name
    columns = {"text": "a", "label": "1"} | {f"c{at}": "" for at in range(MOST_COLUMNS)}
    match path.suffix:
        case ".csv":
            path.write_text("\n".join(",".join(row) for row in (columns, columns.values())))
        case ".jsonl":
            path.write_bytes(jsonl([columns]))
        case ".parquet":
            pq.write_table(pa.table({name: [value] for name, value in columns.items()}), path)
        case ".arrow":
            arrow(path, pa.table({name: [value] for name, value in columns.items()}))
    with pytest.raises(DataError, match="16,386 columns; at most 16,384 are read together"):
        tables.read_file(path, lambda names: names)
    assert read(path).columns == {"text": ["a"], "label": ["1"]}


@pytest.mark.parametrize("name", ["punycode", "idna", "undefined", "unicode_escape"])
def test_codecs_that_are_no_encoding_of_a_file(name):
    with pytest.raises(ValueError, match="is no encoding of texts"):
        Reading(encoding=name)


def test_a_wide_encoding_by_any_of_its_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\none,1\n".encode("utf-16"))
    said = Reading(encoding="utf_16")
    assert len(tables.read_file(path, lambda names: names, None, said)) == 1
    path.write_bytes(b"text,label\none,1\n")
    with pytest.raises(DataError, match="not utf-16"):
        tables.read_file(path, lambda names: names, None, said)
