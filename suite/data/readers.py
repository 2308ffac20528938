"""Bytes of a file -> its rows, one after another, by the format alone, within bounds.

    jsonl     an object a line, or one document: a list of objects, or an object of columns
    parquet   some columns, a batch at a time
    arrow     likewise, as `datasets` leaves it on disk

What is no such file is one DataError with its line. Nothing here knows texts from labels. The
parsers are those that bear any input: of pyarrow's, the one for JSON ends the process on objects
nested some ten thousand deep (a stack overflow), and is not used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, BinaryIO

from suite.data import arrow, delimited
from suite.data.delimited import Skipped
from suite.data.lines import lines
from suite.data.room import Room
from suite.errors import DataError, SuiteError, counted
from suite.files import KeyTwice, NotJson, parse_json

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


# --- JSON -----------------------------------------------------------------------------------


def json_rows(
    file: IO[bytes],
    where: str,
    room: Room,
    encoding: str = "utf-8",
    skipped: Skipped | None = None,
) -> Iterator[Row]:
    """Objects, one a line; or those of one document that stands on several lines or in a list.

    Args:
        skipped: where it is given, lines that are no objects are left out, and counted there.

    Raises:
        DataError: a line, or the document, is something else.
    """
    first = True
    begun: Iterator[tuple[int, str]] = lines(file, where, room, encoding)
    while (numbered := next(begun, None)) is not None:
        number, line = numbered
        if not line.strip():
            continue
        place = f"{where}, line {number}"
        if first:
            begun, alone = _told_apart(line, begun, skipped is not None)
            if not alone:
                yield from _document(line, number, begun, where, room)
                return
        try:
            row = parse_json(line, once=True)
            if not isinstance(row, dict):
                raise _no_object(row, place)
        except (NotJson, DataError) as error:
            bad = error if isinstance(error, DataError) else _not_json(error, place)
            if skipped is None:
                raise bad from None
            skipped.add(bad)
            continue
        if first and _holds_rows(row):
            # A document on one line, as pandas writes them; or objects of lists, one a line.
            following = next((one for one in begun if one[1].strip()), None)
            if following is None:
                yield from _rows_of(row, place, where)
                return
            begun = itertools.chain([following], begun)
        first = False
        yield place, row


def _told_apart(
    line: str, rest: Iterator[tuple[int, str]], skip: bool
) -> tuple[Iterator[tuple[int, str]], bool]:
    """The lines that follow, and whether the first stands alone: it is no beginning of a document.

    Args:
        skip: whether a line that is no JSON may be left out; then the next decides.
    """
    if line.lstrip().startswith("["):
        return rest, False
    if _is_json(line):
        return rest, True
    following = next((one for one in rest if one[1].strip()), None) if skip else None
    if following is None:
        return rest, False
    return itertools.chain([following], rest), _is_json(following[1])


def _is_json(line: str) -> bool:
    """Whether a line is a value of its own; of one nested too deeply, or with a key twice, its own
    error is told."""
    try:
        return parse_json(line, once=True) is not None
    except NotJson as error:
        return isinstance(error, KeyTwice) or "nested" in str(error)


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
        found = parse_json("".join(parts), once=True)
    except NotJson as error:
        # Where a line of its own is wrong, its place is told, and not that in the document.
        try:
            parse_json(first)
        except NotJson as alone:
            listed = first.lstrip().startswith("[")
            told = (error, where) if listed else (alone, f"{where}, line {number}")
            raise _not_json(*told) from None
        raise _not_json(error, where) from None
    yield from _rows_of(found, f"{where}, line {number}", where)


def _holds_rows(found: dict[str, Any]) -> bool:
    """Whether each of an object's values is a column, or the rows."""
    return bool(found) and all(isinstance(value, list | dict) for value in found.values())


def _rows_of(found: Any, begun: str, where: str) -> Iterator[Row]:
    """The rows of a document that begins at `begun`."""
    for row, value in enumerate(_listed(found, begun), start=1):
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
    (*_, only) = found.values() or [None]
    if len(found) == 1 and isinstance(only, list) and only and isinstance(only[0], dict):
        return only
    if all(name.isdigit() and isinstance(row, dict) for name, row in found.items()):
        return found.values()  # rows by number, as pandas writes them too
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
    if isinstance(error, KeyTwice):
        return DataError(
            str(error), where=where, fix="Take one of them out, or call it by another name."
        )
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
    with parquet_told(where):
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
                for at in delimited.places(batch.schema.names, wanted).values():
                    column = batch.column(at)
                    taken, values = _values(column, room, f"{where}, after row {done:,}")
                    left -= taken
                    columns.append(values)
                if left < 0:
                    raise room.bomb(size, where)
                for values in zip(*columns, strict=True):
                    done += 1
                    yield f"{where}, row {done}", dict(zip(wanted, values, strict=True))


@contextmanager
def parquet_told(where: str, what: str = "a Parquet file") -> Iterator[None]:
    """Whatever pyarrow raises within, as one DataError: its readers raise nearly anything."""
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
            f"not {what} ({said[0][:300] if said else type(error).__name__})",
            where=where,
            fix=f"Write it again as {what.split()[1]}, or use .jsonl or .csv.",
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
    with parquet_told(where):
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(raw) as file:
            noted = (file.schema_arrow.metadata or {}).get(b"huggingface")
    return _noted_classes(noted)


def _noted_classes(noted: bytes | None) -> dict[str, list[str]]:
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


def arrow_rows(
    raw: BinaryIO, size: int, where: str, room: Room, pick: Pick
) -> tuple[dict[str, list[str]], Iterator[Row]]:
    """Class names by column, and some columns of an Arrow stream, a batch at a time.

    Args:
        raw: can be read twice: what its batches expand to is known before one is unpacked.

    Raises:
        DataError: no Arrow stream, or more than the room holds.
    """
    with parquet_told(where, "an Arrow stream"):
        import pyarrow.ipc

        messages = pyarrow.ipc.MessageReader.open_stream(raw)
        if sum(map(arrow.expanded, messages)) > room.expanded(size):
            raise room.bomb(size, where)
        raw.seek(0)
        stream = pyarrow.ipc.open_stream(raw)
        classes = _noted_classes((stream.schema.metadata or {}).get(b"huggingface"))
        wanted = list(dict.fromkeys(pick(list(stream.schema.names))))
    return classes, _arrow_batches(stream, wanted, size, where, room)


def _arrow_batches(
    stream: Any, wanted: list[str], size: int, where: str, room: Room
) -> Iterator[Row]:
    left, done = room.expanded(size), 0
    with parquet_told(where, "an Arrow stream"):
        places = delimited.places(stream.schema.names, wanted).values()
        for whole in stream:
            # Otherwise lengths and places that the file gives are believed, beyond what is there.
            whole.validate(full=True)
            left -= whole.nbytes
            if left < 0:
                raise room.bomb(size, where)
            for begin in range(0, whole.num_rows, BATCH):
                batch = whole.slice(begin, BATCH)
                columns = [batch.column(at) for at in places]
                for at in range(batch.num_rows):
                    done += 1
                    row = {n: c[at].as_py() for n, c in zip(wanted, columns, strict=True)}
                    yield f"{where}, row {done}", row
