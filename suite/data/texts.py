"""Texts to classify, read one after another from a file, however long it is.

    .txt      one text a line
    .jsonl    objects; the text stands in a column
    .csv      with a header; likewise
    .parquet  likewise

each but Parquet also packed (.gz). `-` is standard input, one text a line. An empty line is an
empty text: answers stand in the order of lines.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from suite.errors import DataError, nearest

SUFFIXES = (".txt", ".jsonl", ".csv", ".parquet")
STDIN = "-"

#: Texts, and characters, that are classified at once at most: what memory holds.
AT_ONCE = 1024
_CHARACTERS_AT_ONCE = 4_000_000


class TextFile:
    """A file of texts, read as it is iterated over.

    Args:
        name: a path, or "-" for standard input.
        column: where the text stands; of .txt and standard input there is none.

    Raises:
        DataError: it is missing, of no known kind, or (while it is read) damaged.
    """

    def __init__(self, name: str, column: str = "text") -> None:
        self.name = name
        self.column = column
        self.kind = "txt"
        self._raw: Any = None
        self._size = 0
        self._rows_done, self._rows = 0, 0
        if name == STDIN:
            return
        path = Path(name)
        if not path.is_file():
            raise DataError("this is a folder" if path.is_dir() else "no such file", where=name)
        suffixes = [suffix.lower() for suffix in path.suffixes]
        self._packed = suffixes[-1:] == [".gz"]
        kind = (suffixes[:-1] if self._packed else suffixes)[-1:]
        if not kind or kind[0] not in SUFFIXES or (self._packed and kind[0] == ".parquet"):
            raise DataError(
                "unknown kind of file",
                where=name,
                fix="Texts are read from .txt, .jsonl and .csv (each also .gz) and .parquet.",
            )
        self.kind = kind[0].removeprefix(".")
        self._size = path.stat().st_size

    def __iter__(self) -> Iterator[str]:
        if self.kind == "parquet":
            yield from self._parquet()
            return
        if self.name == STDIN:
            yield from self._lines(sys.stdin.buffer)
            return
        try:
            with open(self.name, "rb") as raw:
                self._raw = raw
                file = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if self._packed else raw
                match self.kind:
                    case "jsonl":
                        yield from self._jsonl(file)
                    case "csv":
                        yield from self._csv(file)
                    case _:
                        yield from self._lines(file)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise DataError(
                "the gzip file is truncated or damaged",
                where=self.name,
                fix="Copy or compress the file again.",
            ) from None

    def done(self) -> float | None:
        """How much of it was read, 0 to 1; None where that can't be known."""
        if self._rows:
            return self._rows_done / self._rows
        if self._raw is None or self._raw.closed or not self._size:
            return None
        return min(1.0, float(self._raw.tell() / self._size))

    def _decoded(self, file: IO[bytes]) -> Iterator[tuple[int, str]]:
        """Lines with their ends, and their numbers."""
        for number, line in enumerate(file, start=1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            try:
                yield number, line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"not UTF-8 (byte {error.start + 1} of the line)",
                    where=f"{self._where}, line {number}",
                    fix="Save the file as UTF-8.",
                ) from None

    @property
    def _where(self) -> str:
        return "standard input" if self.name == STDIN else self.name

    def _lines(self, file: IO[bytes]) -> Iterator[str]:
        for _, line in self._decoded(file):
            yield line.removesuffix("\n").removesuffix("\r")

    def _jsonl(self, file: IO[bytes]) -> Iterator[str]:
        for number, line in self._decoded(file):
            if not line.strip():
                continue
            where = f"{self.name}, line {number}"
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(
                    f"not JSON: {error}", where=where, fix='Each line is one object: {"text": …}.'
                ) from None
            if not isinstance(row, dict):
                raise DataError(
                    "no object", where=where, fix='Each line is one object: {"text": …}.'
                )
            if self.column not in row:
                raise self._missing(row, where)
            yield self._text(row[self.column], where)

    def _csv(self, file: IO[bytes]) -> Iterator[str]:
        csv.field_size_limit(sys.maxsize)
        reader = csv.reader((line for _, line in self._decoded(file)), strict=True)
        try:
            header = next(reader, None)
            if header is None:
                return
            if self.column not in header:
                raise self._missing(header, self.name)
            place = header.index(self.column)
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    raise DataError(
                        f"{len(row)} fields where the first line has {len(header)}",
                        where=f"{self.name}, line {reader.line_num}",
                        fix='A text with commas in it needs "quotes".',
                    )
                yield row[place]
        except csv.Error as error:
            raise DataError(
                f"cannot be read: {error}", where=f"{self.name}, line {reader.line_num}"
            ) from None

    def _parquet(self) -> Iterator[str]:
        import pyarrow
        import pyarrow.parquet

        try:
            with pyarrow.parquet.ParquetFile(self.name) as file:
                names = file.schema_arrow.names
                if self.column not in names:
                    raise self._missing(names, self.name)
                self._rows = file.metadata.num_rows
                for batch in file.iter_batches(batch_size=AT_ONCE, columns=[self.column]):
                    for value in batch.column(0).to_pylist():
                        self._rows_done += 1
                        yield self._text(value, f"{self.name}, row {self._rows_done}")
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            lines = str(error).strip().splitlines()
            raise DataError(
                f"not a Parquet file ({lines[0] if lines else type(error).__name__})",
                where=self.name,
            ) from None

    def _text(self, value: Any, where: str) -> str:
        if not isinstance(value, str):
            what = "null" if value is None else f"a {type(value).__name__}, not a text"
            raise DataError(f"'{self.column}' is {what}", where=where)
        return value

    def _missing(self, present: Iterable[str], where: str) -> DataError:
        return DataError(
            f"no column '{self.column}'",
            where=where,
            fix=f"{nearest(self.column, present)} Name another --column.",
        )


def chunks(texts: Iterable[str], size: int = AT_ONCE) -> Iterator[list[str]]:
    """Texts in lists of at most `size`, shorter where they are long."""
    some: list[str] = []
    characters = 0
    for text in texts:
        some.append(text)
        characters += len(text)
        if len(some) >= size or characters >= _CHARACTERS_AT_ONCE:
            yield some
            some, characters = [], 0
    if some:
        yield some


def whole(text: str) -> str:
    """A text without halves of characters, which no tokenizer reads: U+FFFD in their place.

    They come from JSON (`"\\\\ud800"`) and from bytes on the command line that are no UTF-8.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
