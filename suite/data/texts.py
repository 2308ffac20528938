"""Texts to classify, read one after another from a file, however long it is.

A .txt, and standard input (`-`), has one text a line; an empty line is an empty text: answers
stand in the order of lines. A .txt of fastText's form gives its texts without their labels; one
whose first line names the model's columns is a table. Of tables the text stands in columns.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from suite import files
from suite.data import lines
from suite.data.delimited import DELIMITERS
from suite.data.joining import Joining, joined
from suite.data.room import Room
from suite.data.rowfile import FASTTEXT, FORMATS, RowFile, format_of
from suite.data.values import spelled
from suite.errors import DataError, nearest

STDIN = "-"
#: The labels before a text of fastText's form.
_LABELS = re.compile(rf"({FASTTEXT}\S*\s*)+")

#: Texts, and characters, that are classified at once at most: what memory holds.
AT_ONCE = 1024
_CHARACTERS_AT_ONCE = 4_000_000

T = TypeVar("T")


@dataclass(frozen=True)
class Given:
    """A text to classify, and what is kept of its row beside the answer."""

    text: str
    kept: Mapping[str, Any] = field(default_factory=dict)


class TextFile:
    """A file of texts, read as it is iterated over.

    Args:
        name: a path, or "-" for standard input.
        joining: which columns a text is made of; of .txt and standard input there are none.
        columns: what the file calls them, where otherwise. Where none is named and the file has
            none of them, a column `text` is the whole text.
        keep: columns to keep besides the joining's `id`, which a file may lack.
        also: columns to keep where the file has them.
        room: how much may be in memory at once; of the file's length there is no bound.

    Raises:
        DataError: it is missing, of no known kind, or (while it is read) damaged.
    """

    def __init__(
        self,
        name: str,
        joining: Joining | None = None,
        *,
        columns: Sequence[str] = (),
        keep: Sequence[str] = (),
        also: Sequence[str] = (),
        room: Room | None = None,
    ) -> None:
        self.name = name
        joining = joining or Joining()
        self.columns = joining.given(columns)
        self._join = joining.join
        self._named = bool(columns)
        self._keep = tuple(keep)
        self._also = tuple(also) if joining.id is None else (joining.id, *also)
        self._found: tuple[str, ...] | None = None
        self._room = room or Room()
        self._file: RowFile | None = None
        if name == STDIN:
            return
        if format_of(Path(name)) is None:
            files.size(name, DataError)
            raise DataError(
                "unknown kind of file",
                where=name,
                fix=f"Texts are read from .txt, one a line, and from {FORMATS}.",
            )
        # An empty file has no texts, and is none the worse for it.
        if files.size(name, DataError):
            self._file = RowFile(name, self._room)

    def __iter__(self) -> Iterator[str]:
        return (given.text for given in self.rows())

    def rows(self) -> Iterator[Given]:
        """The texts, each with what is kept of its row."""
        if self.name == STDIN:
            with lines.told("standard input"):
                yield from self._lines(sys.stdin.buffer, "standard input")
        elif self._file is None:
            return
        elif self._file.kind == "txt" and not self._is_table(self._file):
            if self._named:
                raise DataError(
                    "it has a text a line, and no columns",
                    where=self.name,
                    fix="Leave --column out, or give a table.",
                )
            yield from map(Given, _unlabelled(self._file.lines()))
        else:
            for where, row in self._file.rows(self._pick):
                yield self._given(row, where)

    def _is_table(self, file: RowFile) -> bool:
        """Whether a .txt begins with the names of the columns, and others beside them."""
        names = [
            {name.strip() for name in next(file.lines(), "").split(mark)} for mark in DELIMITERS
        ]
        return any(len(some) > 1 and set(self.columns) <= some for some in names)

    def done(self) -> float | None:
        """How much of it was read, 0 to 1; None where that can't be known."""
        return None if self._file is None else self._file.done()

    def _lines(self, file: IO[bytes], where: str) -> Iterator[Given]:
        for _, line in lines.lines(file, where, self._room):
            yield Given(line.removesuffix("\n").removesuffix("\r"))

    def _pick(self, present: Sequence[str]) -> Sequence[str]:
        kept = self._kept(present)
        return tuple(dict.fromkeys((*self._read(present, self.name), *kept)))

    def _read(self, present: Iterable[str], where: str) -> tuple[str, ...]:
        """The columns that are read, decided once: by a table's columns, or by the first row."""
        if self._found is None:
            present = list(present)
            plain = "text" in present and not set(self.columns) & set(present)
            self._found = ("text",) if plain and not self._named else self.columns
        for column in self._found:
            if column not in present:
                raise self._missing(column, present, where, "--column")
        return self._found

    def _kept(self, present: Iterable[str]) -> tuple[str, ...]:
        """The columns that are kept beside the answers."""
        for column in self._keep:
            if column not in present:
                raise self._missing(column, present, self.name, "--id")
        present = set(present)
        own = [column for column in self._also if column in present]
        return tuple(dict.fromkeys((*own, *self._keep)))

    def _given(self, row: dict[str, Any], where: str) -> Given:
        columns = self._read(row, where)
        values = [spelled(row[column]) for column in columns]
        for column, value in zip(columns, values, strict=True):
            if value is None and isinstance(row[column], list | dict):
                raise DataError(
                    f"'{column}' is a {type(row[column]).__name__}, not a text", where=where
                )
        text = joined(values, self._join)
        if text is None:
            raise DataError(f"{' and '.join(map(repr, columns))} is null", where=where)
        return Given(text, {column: row[column] for column in self._kept(row)})

    def _missing(self, column: str, present: Iterable[str], where: str, option: str) -> DataError:
        return DataError(
            f"no column '{column}'",
            where=where,
            fix=f"{nearest(column, present)} Name another {option}.",
        )


def _unlabelled(lines: Iterator[str]) -> Iterator[str]:
    """Texts, one a line; where the first has a label before it, as fastText's files have, without
    such labels."""
    labelled: bool | None = None
    for line in lines:
        if labelled is None and line.strip():
            labelled = line.startswith(FASTTEXT)
        yield _LABELS.sub("", line, count=1) if labelled and line.startswith(FASTTEXT) else line


def chunks(
    texts: Iterable[T], size: int = AT_ONCE, *, length: Callable[[Any], int] = len
) -> Iterator[list[T]]:
    """Texts in lists of at most `size`, shorter where they are long."""
    some: list[T] = []
    characters = 0
    for text in texts:
        some.append(text)
        characters += length(text)
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
