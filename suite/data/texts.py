"""Texts to classify, read one after another from a file, however long it is.

    .txt      one text a line
    .jsonl    objects; the text stands in a column
    .csv      with a header; likewise
    .parquet  likewise

each but Parquet also packed (.gz). `-` is standard input, one text a line. An empty line is an
empty text: answers stand in the order of lines.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from suite import files
from suite.data import readers
from suite.data.room import Room
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
        room: how much may be in memory at once; of the file's length there is no bound.

    Raises:
        DataError: it is missing, of no known kind, or (while it is read) damaged.
    """

    def __init__(self, name: str, column: str = "text", room: Room | None = None) -> None:
        self.name = name
        self.column = column
        self.kind = "txt"
        self._room = room or Room()
        self._raw: Any = None
        self._size = 0
        self._done, self._rows = 0, 0
        if name == STDIN:
            return
        self._size = files.size(name, DataError)
        suffixes = [suffix.lower() for suffix in Path(name).suffixes]
        self._packed = suffixes[-1:] == [".gz"]
        kind = (suffixes[:-1] if self._packed else suffixes)[-1:]
        if not kind or kind[0] not in SUFFIXES or (self._packed and kind[0] == ".parquet"):
            raise DataError(
                "unknown kind of file",
                where=name,
                fix="Texts are read from .txt, .jsonl and .csv (each also .gz) and .parquet.",
            )
        self.kind = kind[0].removeprefix(".")

    def __iter__(self) -> Iterator[str]:
        if self.name == STDIN:
            with readers.told("standard input"):
                yield from self._lines(sys.stdin.buffer, "standard input")
            return
        with files.opened(self.name, DataError) as raw, readers.told(self.name):
            self._raw = raw
            file: IO[bytes] = raw
            if self._packed:
                file = readers.unpacked(raw, self._size, self._room, self.name)
            match self.kind:
                case "jsonl":
                    rows = readers.json_rows(file, self.name, self._room)
                case "csv":
                    rows = readers.csv_rows(file, self.name, self._room, self._pick)
                case "parquet":
                    rows = readers.parquet_rows(
                        raw, self._size, self.name, self._room, self._pick, told_rows=self._counted
                    )
                case _:
                    yield from self._lines(file, self.name)
                    return
            for where, row in rows:
                self._done += 1
                yield self._text(row, where)

    def _counted(self, rows: int) -> None:
        self._rows = rows

    def done(self) -> float | None:
        """How much of it was read, 0 to 1; None where that can't be known."""
        if self._rows:
            return min(1.0, self._done / self._rows)
        if self._raw is None or self._raw.closed or not self._size:
            return None
        return min(1.0, float(self._raw.tell() / self._size))

    def _lines(self, file: IO[bytes], where: str) -> Iterator[str]:
        for _, line in readers.lines(file, where, self._room):
            yield line.removesuffix("\n").removesuffix("\r")

    def _pick(self, present: list[str]) -> Sequence[str]:
        if self.column not in present:
            raise self._missing(present, self.name)
        return (self.column,)

    def _text(self, row: dict[str, Any], where: str) -> str:
        if self.column not in row:
            raise self._missing(row, where)
        value = row[self.column]
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
