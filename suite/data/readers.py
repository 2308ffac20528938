"""Bytes of a file -> its rows, one after another, by the format alone, within bounds.

    lines     one text a line
    jsonl     an object a line, or one document: a list of objects, or an object of columns
    csv       a header, then a record a row
    parquet   some columns, a batch at a time

What is no such file is one DataError with its line. Nothing here knows texts from labels. The
parsers are those that bear any input: of pyarrow's, the one for JSON ends the process on objects
nested some ten thousand deep (a stack overflow), and is not used.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, cast

from suite.data.room import Room
from suite.errors import DataError, SuiteError, counted
from suite.files import NotJson, parse_json, why

#: The columns a file has -> the columns wanted of it; raises DataError where they are missing.
Pick = Callable[[list[str]], Sequence[str]]
#: Where a row stands ("rows.csv, line 3"), and the wanted of its columns.
Row = tuple[str, dict[str, Any]]

#: Rows of a Parquet batch: of plain columns, and of those whose values may be of any size.
BATCH = 1024
_CAUTIOUS_BATCH = 16
#: Bytes that the texts of a batch may take together; beyond, they are decoded one by one.
_BATCH_BYTES = 64 * 2**20
#: What a text takes as a Python string, at least.
_LEAST_VALUE = 57

#: A line, or a part of one up to a carriage return.
_PART = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class _Bounded(io.RawIOBase):
    """What a packed file expands to, as long as that stays within a room's bound."""

    def __init__(self, inner: BinaryIO, packed: int, room: Room, where: str) -> None:
        self._inner = inner
        self._packed, self._room, self._where = packed, room, where
        self._left = room.expanded(packed)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes."""
        some = self._inner.read(len(buffer))
        self._left -= len(some)
        if self._left < 0:
            raise self._room.bomb(self._packed, self._where)
        buffer[: len(some)] = some
        return len(some)


def unpacked(raw: BinaryIO, packed: int, room: Room, where: str) -> BinaryIO:
    """A gzip file of `packed` bytes, expanded as it is read."""
    file = cast(BinaryIO, gzip.GzipFile(fileobj=raw))
    return cast(BinaryIO, io.BufferedReader(_Bounded(file, packed, room, where), 1 << 16))


@contextmanager
def told(where: str) -> Iterator[None]:
    """Within: what fails in reading a file is one DataError.

    Raises:
        DataError: as said.
    """
    try:
        yield
    except gzip.BadGzipFile:
        raise DataError(
            "not gzip, though its name ends in .gz",
            where=where,
            fix="Copy or compress the file again.",
        ) from None
    except (EOFError, zlib.error):
        raise DataError(
            "the gzip file is truncated or damaged",
            where=where,
            fix="Copy or compress the file again.",
        ) from None
    except OSError as error:
        raise DataError(why(error), where=where) from None


def lines(file: IO[bytes], where: str, room: Room) -> Iterator[tuple[int, str]]:
    """Lines with their ends, and their numbers from 1.

    Raises:
        DataError: a line is longer than the room allows, or is no UTF-8.
    """
    for number in itertools.count(1):
        line = file.readline(room.row + 1)
        if not line:
            return
        if len(line) > room.row:
            raise room.full("this line", room.row, f"{where}, line {number}")
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"not UTF-8 (byte {error.start + 1} of the line)",
                where=f"{where}, line {number}",
                fix=f"Save the file as UTF-8.{_encoding_guess(line)}",
            ) from None


def _encoding_guess(line: bytes) -> str:
    for encoding in ("gb18030", "utf-16"):
        try:
            line.decode(encoding)
        except UnicodeDecodeError:
            continue
        return f" This line reads as {encoding}."
    return ""


# --- JSON -----------------------------------------------------------------------------------


def json_rows(file: IO[bytes], where: str, room: Room) -> Iterator[Row]:
    """Objects, one a line; or those of one document that stands on several lines or in a list.

    Raises:
        DataError: a line, or the document, is something else.
    """
    first = True
    begun = lines(file, where, room)
    for number, line in begun:
        if not line.strip():
            continue
        place = f"{where}, line {number}"
        try:
            row = None if first and line.lstrip().startswith("[") else parse_json(line)
        except NotJson as error:
            if not first or "nested" in str(error):
                raise _not_json(error, place) from None
            row = None
        if row is None:
            if not first:
                raise _no_object(row, place)
            yield from _document(line, number, begun, where, room)
            return
        if not isinstance(row, dict):
            raise _no_object(row, place)
        first = False
        yield place, row


def _document(
    first: str, number: int, rest: Iterator[tuple[int, str]], where: str, room: Room
) -> Iterator[Row]:
    """The rows of a JSON document: a list of objects or of texts, or an object of columns."""
    parts, size = [first], len(first)
    for _, line in rest:
        parts.append(line)
        size += len(line)
        if size > room.document:
            raise room.full(
                "a JSON document that is not one object a line",
                room.document,
                where,
                "Write it as JSON lines (.jsonl).",
            )
    try:
        found = parse_json("".join(parts))
    except NotJson as error:
        # Where a line of its own is wrong, its place is told, and not that in the document.
        try:
            parse_json(first)
        except NotJson as alone:
            listed = first.lstrip().startswith("[")
            told = (error, where) if listed else (alone, f"{where}, line {number}")
            raise _not_json(*told) from None
        raise _not_json(error, where) from None
    for row, value in enumerate(_listed(found, f"{where}, line {number}"), start=1):
        place = f"{where}, row {row}"
        if isinstance(value, str):
            value = {"text": value}
        if not isinstance(value, dict):
            raise _no_object(value, place)
        yield place, value


def _listed(found: Any, where: str) -> Iterable[Any]:
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        raise _no_object(found, where)
    columns = {
        name: list(values.values()) if isinstance(values, dict) else values
        for name, values in found.items()
    }
    if not all(isinstance(values, list) for values in columns.values()):
        return [found]
    if len({len(values) for values in columns.values()}) > 1:
        raise DataError("its columns are of different lengths", where=where)
    return (
        dict(zip(columns, values, strict=True))
        for values in zip(*columns.values(), strict=True)
    )  # fmt: skip


def _not_json(error: NotJson, where: str) -> DataError:
    return DataError(f"not JSON: {error}", where=where, fix='Each line is one object: {"text": …}.')


def _no_object(value: Any, where: str) -> DataError:
    return DataError(
        f"a {kind_of(value)} where an object was expected",
        where=where,
        fix='Each line is one object: {"text": …, "label": …}.',
    )


def kind_of(value: Any) -> str:
    """What JSON calls a value, in words."""
    match value:
        case bool():
            return "truth value"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case dict():
            return "object"
    return "null"


# --- CSV ------------------------------------------------------------------------------------


def csv_rows(
    file: IO[bytes], where: str, room: Room, pick: Pick, *, ragged: bool = False
) -> Iterator[Row]:
    """Records of a CSV with a header, every field a text; empty lines are passed over.

    Args:
        ragged: whether fields may be missing at the end of a record; they are empty then.

    Raises:
        DataError: a record of another number of fields, an open quotation mark, no header.
    """
    csv.field_size_limit(sys.maxsize)  # a record is bounded, with all its fields
    fed = _Fed(lines(file, where, room), where, room)
    records = csv.reader(fed)
    header = _record(records, fed, where)
    if header is None:
        return
    if not header:
        raise DataError("the first line names no columns", where=where)
    wanted = _csv_columns(header, pick)
    places = {name: header.index(name) for name in wanted}
    while (record := _record(records, fed, where)) is not None:
        place = f"{where}, line {records.line_num}"
        if not record or (ragged and len(record) == 1 and not record[0].strip(" \t")):
            continue  # as pandas passes over them: rows of a study stay what they were
        if len(record) > len(header) or (len(record) < len(header) and not ragged):
            raise DataError(
                f"{counted(len(record), 'field')} where the first line has {len(header):,}",
                where=place,
                fix='A text with commas in it needs "quotes".',
            )
        missing = len(record)
        yield place, {n: record[at] if at < missing else "" for n, at in places.items()}


class _Fed:
    """Lines for the parser of CSV, cut at every end of a line it knows; a record's are bounded."""

    def __init__(self, source: Iterator[tuple[int, str]], where: str, room: Room) -> None:
        self._source, self._where, self._room = source, where, room
        self._parts: list[str] = []
        self.begun = 1  # the line on which the record begins
        self.number = 0
        self.since = 0
        self.ended = False

    def __iter__(self) -> _Fed:
        return self

    def __next__(self) -> str:
        if self._parts:
            return self._parts.pop()
        try:
            self.number, line = next(self._source)
        except StopIteration:
            self.ended = True
            raise
        if not self.since:
            self.begun = self.number
        self.since += len(line)
        if self.since > self._room.row:
            raise self._room.full(
                "the record that begins here",
                self._room.row,
                f"{self._where}, line {self.begun}",
                "A quotation mark may be opened and never closed.",
            )
        if "\r" in line[:-2]:
            *self._parts, line = reversed(_PART.findall(line))
        return line


def _record(records: Any, fed: _Fed, where: str) -> list[str] | None:
    """The next record, or None after the last."""
    fed.since = 0
    try:
        record = next(records, None)
    except csv.Error as error:
        raise DataError(
            f"cannot be read: {error}", where=f"{where}, line {records.line_num}"
        ) from None
    if record is not None and fed.ended:
        # The parser asked for more within a record, and takes what there is for its end.
        raise DataError(
            "a quotation mark is opened and never closed",
            where=f"{where}, line {fed.begun}",
            fix='Write a quotation mark inside a quoted text twice: "".',
        )
    return cast("list[str] | None", record)


def _csv_columns(header: list[str], pick: Pick) -> Sequence[str]:
    try:
        return pick(header)
    except DataError as error:
        other = next((mark for mark in ("\t", ";", "|") if any(mark in n for n in header)), None)
        if len(header) == 1 and other:
            hint = f"Separate the columns by commas; here {other!r} stands between them."
        else:
            hint = "A CSV's first line must name its columns, for example: text,label"
        raise DataError(
            error.what, where=error.where, fix=f"{error.fix or ''} {hint}".strip()
        ) from None


# --- Parquet --------------------------------------------------------------------------------


def parquet_rows(
    raw: BinaryIO,
    size: int,
    where: str,
    room: Room,
    pick: Pick,
    *,
    kept: bool = False,
    told_rows: Callable[[int], None] = lambda rows: None,
) -> Iterator[Row]:
    """Some columns of a Parquet file of `size` bytes, a batch at a time.

    What the file says of itself is only believed where it says too much: bounded is what comes
    out. (A page may be of up to 2 GB whatever a file says; one of each column is in memory.)

    Args:
        kept: whether all its rows are to be in memory at once.
        told_rows: told how many rows there are, before the first.

    Raises:
        DataError: no Parquet, or more than the room holds.
    """
    with _parquet_told(where):
        import pyarrow
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(raw, buffer_size=1 << 20) as file:
            schema = file.schema_arrow
            wanted = list(dict.fromkeys(pick(list(schema.names))))
            rows = file.metadata.num_rows
            told_rows(rows)
            if kept and rows * len(wanted) * _LEAST_VALUE > room.bytes:
                raise room.full(f"what its {counted(rows, 'row')} hold", room.bytes, where)
            texts = [n for n in wanted if _is_text(schema.field(n).type)]
            plain = all(n in texts or _is_small(schema.field(n).type) for n in wanted)
        raw.seek(0)
        with pyarrow.parquet.ParquetFile(
            raw, buffer_size=1 << 20, read_dictionary=texts
        ) as file:  # fmt: skip
            left = room.expanded(size)
            done = 0
            batches = file.iter_batches(
                batch_size=BATCH if plain else _CAUTIOUS_BATCH, columns=wanted, use_threads=False
            )
            for batch in batches:
                columns = []
                for name in wanted:
                    column = batch.column(batch.schema.names.index(name))
                    taken, values = _values(column, room, f"{where}, after row {done:,}")
                    left -= taken
                    columns.append(values)
                if left < 0:
                    raise room.bomb(size, where)
                for values in zip(*columns, strict=True):
                    done += 1
                    yield f"{where}, row {done}", dict(zip(wanted, values, strict=True))


@contextmanager
def _parquet_told(where: str) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except SuiteError:
        raise
    except (
        pyarrow.ArrowException, OSError, ValueError, LookupError, OverflowError, RuntimeError,
        MemoryError, TypeError,
    ) as error:  # fmt: skip
        said = str(error).strip().splitlines()
        raise DataError(
            f"not a Parquet file ({said[0][:300] if said else type(error).__name__})",
            where=where,
            fix="Write it again as Parquet, or use .jsonl or .csv.",
        ) from None


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_small(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(types.is_primitive(kind) or types.is_boolean(kind) or types.is_null(kind))


def _values(column: Any, room: Room, where: str) -> tuple[int, Iterable[Any]]:
    """A column of a batch as values, and the bytes they take."""
    import pyarrow
    import pyarrow.compute

    if not pyarrow.types.is_dictionary(column.type):
        if column.nbytes > room.row * _CAUTIOUS_BATCH:
            raise room.full("a row here", room.row, where)
        return column.nbytes, column.to_pylist()
    # Texts come as places in a dictionary: a thousand rows may be one text of a gigabyte.
    lengths = pyarrow.compute.binary_length(column.dictionary)
    longest = pyarrow.compute.max(lengths).as_py() or 0
    if longest > room.row:
        raise room.full("a row here", room.row, where)
    taken = int(pyarrow.compute.sum(lengths.take(column.indices)).as_py() or 0)
    if taken <= _BATCH_BYTES:
        return taken, column.dictionary_decode().to_pylist()
    return taken, (one.as_py() for one in column)


def parquet_classes(raw: BinaryIO, where: str) -> dict[str, list[str]]:
    """Class names by column, where `datasets` wrote the file and noted them in its schema."""
    with _parquet_told(where):
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(raw) as file:
            noted = (file.schema_arrow.metadata or {}).get(b"huggingface")
    if noted is None:
        return {}
    try:
        features = parse_json(noted)["info"]["features"]
        return {
            str(name): [str(one) for one in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (NotJson, LookupError, TypeError, AttributeError):
        return {}
