"""Bytes of every kind, against the readers: rows or one error, and never more memory than said."""

import csv
import gzip
import io
import json
import sys

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from fuzz import BOMBS, INPUTS
from suite import files
from suite.config import yamlfile
from suite.contracts.task import Task
from suite.data import load, tables
from suite.data.room import LEAST, Room
from suite.data.texts import TextFile, chunks
from suite.errors import DataError, SuiteError
from suite.prompting import traces

#: Enough for any input drawn here but the bombs.
ROOM = 4 * LEAST

# --- what is drawn --------------------------------------------------------------------------

odd_text = some.one_of(
    some.text(max_size=20),
    some.sampled_from(["", "\0", "\r", "\r\n", '"', ",", "\ufeff", "\x1b[2J", "NA", "1" * 5000]),
)
odd_bytes = some.one_of(
    some.binary(max_size=60),
    odd_text.map(lambda text: text.encode("utf-8", "surrogatepass")),
    some.sampled_from([b"\xff\xfe", b"\xef\xbb\xbf", b"[" * 5000, b'{"a":' * 5000, b"9" * 5000]),
)
leaves = some.one_of(
    odd_text, some.none(), some.booleans(), some.integers(), some.floats(), some.just(10**4000)
)
values = some.recursive(
    leaves,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(odd_text, inner, max_size=3),
    max_leaves=6,
)
rows = some.lists(
    some.dictionaries(some.sampled_from(["text", "label", "m", ""]), values, max_size=4), max_size=6
)


def _lines(made):
    return b"".join(json.dumps(row).encode() + b"\n" for row in made)


def _csv(table):
    written = io.StringIO(newline="")
    rows = csv.writer(written)
    rows.writerow(["text", "label"])
    rows.writerows(table)
    return written.getvalue().encode("utf-8", "surrogatepass")


json_bytes = some.one_of(
    rows.map(_lines),
    rows.map(lambda made: json.dumps(made).encode()),
    rows.map(lambda made: json.dumps(made, indent=1).encode()),
    some.dictionaries(odd_text, values, max_size=3).map(lambda made: json.dumps(made).encode()),
    some.integers(1, 400).map(lambda n: b'{"text":' + b"[" * n + b"]" * n + b"}\n"),
)
csv_bytes = some.one_of(
    some.lists(some.tuples(odd_text, odd_text), max_size=6).map(_csv),
    some.lists(some.lists(odd_text, max_size=4), max_size=5).map(_csv),
)


def _fasttext(text):
    return f"__label__a {text}\n__label__b{text}\n".encode("utf-8", "surrogatepass")


def _arrow(texts):
    sink = pa.BufferOutputStream()
    table = pa.table({"text": texts, "label": list(range(len(texts)))})
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue().to_pybytes()


def _workbook(texts):
    book, sink = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["text", "label"])
    for text in texts:
        book.active.append([text, 1])
    book.save(sink)
    return sink.getvalue()


whole_text = some.text(some.characters(codec="utf-8", min_codepoint=32), max_size=9)
arrow_bytes = some.lists(whole_text, max_size=6).map(_arrow)
workbook_bytes = some.lists(some.sampled_from(["a", "=1+1", "", "1"]), max_size=4).map(_workbook)
yaml_bytes = some.one_of(
    some.dictionaries(some.sampled_from([*Task.model_fields, "<<", "&a"]), values, max_size=6).map(
        lambda made: json.dumps(made).encode()
    ),
    some.lists(
        some.sampled_from([
            "name: x\n", "title: ", "- ", "  ", "[", "]", "{", "}", ": ", "!!int ", "!!float ",
            "!!python/object:os.system ", "!!timestamp ", "&a ", "*a ", "<<: ", "|\n", ">\n", "'",
            '"', "\\0", "0x" + "f" * 5000, "1:59:59", "9" * 5000, ".inf", "2020-99-99", "\t",
            "---\n", "...\n", "%YAML 9\n", "? ", "#", "labels:\n", "\n", "yes", "~", "=",
            "0b", "1_0", "0o9",
        ]),
        max_size=14,
    ).map(lambda parts: "".join(parts).encode()),
)  # fmt: skip
columns = some.one_of(
    some.lists(some.none() | odd_text, max_size=8),
    some.lists(some.none() | some.integers(-(2**63), 2**63 - 1), max_size=8),
    some.lists(some.lists(odd_text, max_size=2), max_size=4),
    some.lists(some.binary(max_size=9), max_size=4),
    some.lists(some.booleans(), max_size=4),
    some.lists(some.datetimes(), max_size=4),
)


@some.composite
def parquet_bytes(draw):
    """A Parquet file, whole or with some of its bytes changed."""
    columned = {
        name: draw(columns)
        for name in draw(some.sets(some.sampled_from(["text", "label", "a.b", ""]), max_size=3))
    }
    shortest = min(map(len, columned.values()), default=0)
    written = io.BytesIO()
    try:
        table = pa.table({name: made[:shortest] for name, made in columned.items()})
        packing = draw(some.sampled_from(["none", "snappy", "gzip", "zstd"]))
        pq.write_table(table, written, compression=packing)
    except (pa.ArrowException, ValueError):
        assume(False)
    return draw(damaged(some.just(written.getvalue())))


@some.composite
def damaged(draw, whole):
    """Bytes with some changed, cut off or put in; or as they were."""
    content = bytearray(draw(whole))
    for _ in range(draw(some.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(some.integers(0, max(0, len(content) - 1)))
        match draw(some.sampled_from(["change", "cut", "put"])):
            case "change" if content:
                content[place] = draw(some.integers(0, 255))
            case "cut":
                del content[place:]
            case _:
                content[place:place] = draw(odd_bytes)
    return bytes(content)


KINDS = {
    ".jsonl": damaged(json_bytes | odd_bytes),
    ".json": damaged(json_bytes | odd_bytes),
    ".csv": damaged(csv_bytes | odd_bytes),
    ".tsv": damaged(csv_bytes | odd_bytes),
    ".txt": damaged(csv_bytes | odd_bytes | odd_text.map(_fasttext)),
    ".parquet": parquet_bytes() | odd_bytes,
    ".arrow": damaged(arrow_bytes | odd_bytes),
    ".xlsx": damaged(workbook_bytes | odd_bytes),
}


def _zstd(content):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


PACKED = {".gz": lambda content: gzip.compress(content, 1, mtime=0), ".zst": _zstd}


@some.composite
def drawn_files(draw, kinds):
    """The end of a file's name, and its bytes."""
    suffix = draw(some.sampled_from(kinds))
    content = draw(KINDS[suffix])
    packing = draw(some.sampled_from([None, None, None, *PACKED]))
    if packing is not None:
        return f"{suffix}{packing}", draw(damaged(some.just(PACKED[packing](content))))
    return suffix, content


# --- what must hold -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def told(error):
    """An error is one short message."""
    assert 0 < len(str(error)) < 5000


@INPUTS
@given(drawn=drawn_files(list(KINDS)))
def test_a_table_is_rows_or_one_error(folder, drawn):
    suffix, content = drawn
    file = folder / f"rows{suffix}"
    file.write_bytes(content)
    room = Room(ROOM)
    try:
        found = tables.read_file(file, lambda present: present, room)
    except DataError as error:
        told(error)
        return
    assert len({len(values) for values in found.columns.values()}) == 1
    assert sum(sys.getsizeof(v) for c in found.columns.values() for v in c) <= 8 * ROOM


@INPUTS
@given(drawn=drawn_files(list(KINDS)))
def test_texts_are_texts_or_one_error(folder, drawn):
    suffix, content = drawn
    file = folder / f"texts{suffix}"
    file.write_bytes(content)
    try:
        for chunk in chunks(TextFile(str(file), room=Room(ROOM))):
            assert all(isinstance(text, str) for text in chunk)
    except DataError as error:
        told(error)


@INPUTS
@given(drawn=drawn_files([".jsonl", ".csv", ".parquet"]), names=odd_bytes)
def test_a_folder_of_rows_is_a_task_s_data_or_one_error(folder, drawn, names):
    suffix, content = drawn
    place = folder / "folder"
    place.mkdir(exist_ok=True)
    for file in place.iterdir():
        file.unlink()
    for split in ("train", "test"):
        (place / f"{split}{suffix}").write_bytes(content)
    (place / "labels.json").write_bytes(names)
    task = Task.model_validate({
        "name": "t", "title": "t", "language": "en", "labels": [{"name": "1"}, {"name": "x"}],
        "data": {"folder": "folder", "licence": "x"},
    })  # fmt: skip
    try:
        found = load.load(task, folder / "t.yaml", room=Room(ROOM))
    except SuiteError as error:
        told(error)
        return
    assert len(found.train) and found.facts.fingerprint


@INPUTS
@given(content=damaged(yaml_bytes | odd_bytes))
def test_yaml_is_a_task_or_one_error(folder, content):
    file = folder / "t.yaml"
    file.write_bytes(content)
    try:
        yamlfile.load(file, Task)
    except SuiteError as error:
        told(error)


@INPUTS
@given(content=damaged(json_bytes | odd_bytes))
def test_json_is_a_value_or_no_json(content):
    try:
        value = files.parse_json(content)
    except files.NotJson as error:
        assert "\n" not in str(error)
    else:
        json.dumps(value)  # nothing is nested beyond what may be written again


@INPUTS
@given(content=damaged(json_bytes | odd_bytes))
def test_traces_are_traces_or_one_error(folder, content):
    file = folder / "t.jsonl"
    file.write_bytes(content)
    for read in (traces.read_traces, traces.read_missed):
        try:
            read(file)
        except SuiteError as error:
            told(error)


@BOMBS
@given(
    text=some.sampled_from([b"a", b"ab\n", b"text\n", b"{}\n", b'{"text":"a"}\n', b"[", b"\0"]),
    suffix=some.sampled_from([".txt", ".csv", ".jsonl"]),
)
def test_a_bomb_is_told_before_the_room_is_full(folder, text, suffix):
    file = folder / f"bomb{suffix}.gz"
    file.write_bytes(gzip.compress(b"text\n" + text * (64 * LEAST // len(text)), 1, mtime=0))
    read = 0
    try:
        for chunk in chunks(TextFile(str(file), room=Room(LEAST))):
            read += sum(map(len, chunk))
    except DataError as error:
        told(error)
    assert read < 64 * LEAST
