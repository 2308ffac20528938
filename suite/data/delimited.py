"""CSV and its kin -> records: what stands between fields, how they are quoted, which line is odd.

Both are found by parsing the file's beginning in every way and keeping the one in which each
record has as many fields as the header (csv.Sniffer guesses from frequencies, and is often wrong).
The parser is Python's, strict: what it would mend without a word is an error here.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import string
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from suite.data.room import Room
from suite.errors import DataError, counted

DELIMITERS = (",", "\t", ";", "|")
Quoting = Literal["doubled", "escaped", "literal"]

#: Characters of the beginning from which the dialect is found.
_SAMPLE = 1 << 20
#: Records of it that columns are looked at by.
_LOOKED = 2000
#: Bad rows that are listed by their place.
LISTED = 10
#: What nobody sees around a name.
_EDGES = string.whitespace + "\0\u00a0\u00ad\u3000\u200b\u200c\u200d\u200e\u200f\u2060"
_SKIP = "--skip-bad-rows leaves such rows out, and counts them."
#: What Excel takes for the delimiter, as the first line.
_SEPARATOR = re.compile(r"sep=(.)\r?\n")
#: What stands below the header of a Markdown table.
_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)+\|?\s*")
#: A line, or a part of one up to a carriage return.
_PART = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True)
class Dialect:
    """How a file separates and quotes its fields.

    `quoting`: a quotation mark inside quotes is doubled (""), escaped (\\"), or there are no
    quotes, and the mark is a character as any other.
    """

    delimiter: str = ","
    quoting: Quoting = "doubled"

    def __str__(self) -> str:
        mark = {"\t": "tabs"}.get(self.delimiter, f"'{self.delimiter}'")
        told = {
            "doubled": "",
            "escaped": ', quotation marks escaped (\\")',
            "literal": ", quotation marks are part of the texts",
        }
        return f"{mark} between fields{told[self.quoting]}"


@dataclass
class Skipped:
    """Rows that were left out because they could not be read: how many, and the first of them."""

    count: int = 0
    listed: list[str] = field(default_factory=list)

    def add(self, error: DataError) -> None:
        """One more."""
        self.count += 1
        if len(self.listed) < LISTED:
            self.listed.append(f"{error.where}: {error.what}")

    def join(self, other: Skipped) -> None:
        """Those of another file, too."""
        self.count += other.count
        self.listed = [*self.listed, *other.listed][:LISTED]


def no_rows(where: str | None, what: str = "no rows") -> DataError:
    """The error of a file that has none."""
    return DataError(
        what,
        where=where,
        fix="Give rows: the names of the columns in the first line and below it a text with its "
        "class in each line, or in each line a JSON object of both.",
    )


class NoHeader(DataError):
    """The first line of a table looks like a row, and not like the names of columns."""


def find_dialect(beginning: str, cut: bool, delimiter: str | None = None) -> Dialect:
    """The dialect in which a file's beginning is most regular.

    Args:
        cut: whether the file goes on, so that the last record may not be whole.
        delimiter: where it is known.
    """
    marks = DELIMITERS if delimiter is None else (delimiter,)
    ways: list[tuple[tuple[bool, float, int, int], Dialect]] = []
    for order, mark in enumerate(marks):
        for quoting in ("doubled", "escaped", "literal"):
            if quoting == "literal" and mark != "\t":
                continue  # a quote that was never closed would be taken for a character
            if quoting == "escaped" and '\\"' not in beginning:
                continue
            way = Dialect(mark, quoting)
            width, good, bad = _regularity(beginning, way, cut)
            if width > 1 or delimiter is not None:
                part = good / (good + bad) if good + bad else 0.0
                ways.append(((bad == 0, part, width, -order), way))
    # The first of equals: doubled quotes before escaped ones.
    return max(ways, key=lambda found: found[0])[1] if ways else Dialect(delimiter or ",")


def _regularity(beginning: str, way: Dialect, cut: bool) -> tuple[int, int, int]:
    """Fields of the header; records that have as many, and those that have not."""
    widths: list[int] = []
    bad = 0
    records = parser(way, io.StringIO(beginning, newline=""))
    while True:
        try:
            record = next(records, None)
        except csv.Error:
            bad += 1
            continue
        if record is None:
            break
        if record and record != [""]:
            widths.append(len(record))
    if cut and bad:
        bad -= 1
    elif cut and len(widths) > 1:
        widths.pop()
    if not widths:
        return 0, 0, bad
    good = sum(width == widths[0] for width in widths[1:])
    return widths[0], good, bad + len(widths) - 1 - good


def parser(way: Dialect, source: Iterator[str]) -> Iterator[list[str]]:
    """Python's parser, strict, of this dialect."""
    csv.field_size_limit(sys.maxsize)  # a record is bounded, with all its fields
    if way.quoting == "literal":
        return csv.reader(source, delimiter=way.delimiter, quoting=csv.QUOTE_NONE, strict=True)
    if way.quoting == "doubled":
        return csv.reader(source, delimiter=way.delimiter, strict=True)
    # A backslash before anything else is a backslash: in "C:\new" no character is lost.
    lone = re.compile(r"\\([\\\"\r\n" + re.escape(way.delimiter) + "])?")
    kept = map(lambda line: lone.sub(lambda m: m[0] if m[1] else r"\\", line), source)
    return csv.reader(
        kept, delimiter=way.delimiter, doublequote=False, escapechar="\\", strict=True
    )


class Records:
    """The records of a file, after its header.

    Args:
        source: numbered lines with their ends.
        delimiter: where it is known.
        skip: whether rows that cannot be read are left out; they are counted in `skipped`.

    Attributes:
        dialect: as found.
        markdown: whether it is a table of Markdown, whose line of dashes is no row.
        names: of the columns; those without one are called column_1, column_2, ...

    Raises:
        DataError: there is no header, or one that looks like a row (`NoHeader`).
    """

    def __init__(
        self,
        source: Iterator[tuple[int, str]],
        where: str,
        room: Room,
        *,
        delimiter: str | None = None,
        skip: bool = False,
    ) -> None:
        self._where, self._skip = where, skip
        self.skipped = Skipped()
        begun: list[tuple[int, str]] = []
        size = 0
        for number, line in source:
            begun.append((number, line))
            size += len(line)
            if size > _SAMPLE:
                break
        if begun and (told := _SEPARATOR.fullmatch(begun[0][1])) is not None:
            del begun[0]
            delimiter = delimiter or told[1]
        self.markdown = delimiter in (None, "|") and _is_markdown([line for _, line in begun])
        if self.markdown:
            begun, source = list(_markdown(begun)), _markdown(source)
        beginning = "".join(line for _, line in begun)
        self.dialect = (
            Dialect("|", "literal")
            if self.markdown
            else find_dialect(beginning, size > _SAMPLE, delimiter)
        )
        self._fed = _Fed(itertools.chain(begun, source), where, room)
        self._parser = parser(self.dialect, self._fed)
        header: list[str] | None = []
        while header is not None and len(header) < 2 and not "".join(header).strip("\ufeff \t"):
            header = self._next()
        self.empty = header is None
        self._width = len(header or ())
        self.names = column_names(header or [])
        self._raw_header = header and [header[0].lstrip("\ufeff"), *header[1:]]
        self._common = self._look(beginning)

    def _look(self, beginning: str) -> list[frozenset[str]]:
        """For each column of few values, those that come again; and whether the first line is one.

        Raises:
            NoHeader: the first line has such a value.
        """
        seen: list[Counter[str]] = [Counter() for _ in range(self._width)]
        rows = 0
        records = parser(self.dialect, io.StringIO(beginning, newline=""))
        for record in itertools.islice(_sound(records), _LOOKED):
            if len(record) == self._width and record != self._raw_header:
                if (
                    not rows
                    and self._width > 2
                    and _filled(self._raw_header) == 1 < _filled(record)
                ):
                    raise NoHeader(
                        "the first line has one cell: a title, and not the names of columns",
                        where=f"{self._where}, line 1",
                        fix="Take the title out: the first line must name the columns.",
                    )
                rows += 1
                for values, value in zip(seen, record, strict=True):
                    values[value] += 1
        numbered = self._raw_header == [str(place) for place in range(self._width)]
        common = [
            frozenset(value for value, count in values.items() if count > 1 and value.strip())
            if rows >= 3 * len(values)
            else frozenset()
            for values in seen
        ]
        for name, again in zip(self._raw_header or (), common, strict=True):
            if name in again and not numbered:  # as pandas calls columns without names
                raise NoHeader(
                    f"the first line looks like a row, not like names of columns: {name!r:.60} "
                    "comes again below",
                    where=f"{self._where}, line 1",
                    fix="Write the names of the columns as the first line, for example: "
                    + self.dialect.delimiter.join(["text", "label"][: self._width]).replace(
                        "\t", "<tab>"
                    ),
                )
        return common

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        while True:
            try:
                record = self._next()
                if record is None:
                    return
                if record and record[0].startswith("\ufeff"):
                    # Where files were put one after another: not the text's own.
                    record[0] = record[0].lstrip("\ufeff")
                if not record or (len(record) == 1 and not record[0].strip(" \t") and self._width):
                    if self._width == 1 and record:
                        yield self._place, record
                    continue  # an empty line
                self._check(record)
            except DataError as error:
                if not self._skip:
                    raise
                self.skipped.add(error)
                self._fed.back()
                continue
            yield self._place, record

    @property
    def _place(self) -> str:
        return f"{self._where}, line {self._fed.begun}"

    def _next(self) -> list[str] | None:
        """The next record, or None after the last."""
        self._fed.begin()
        try:
            record = next(self._parser, None)
        except csv.Error as error:
            if self._fed.ended:
                raise self._unclosed() from None
            if self._fed.number > self._fed.begun:
                raise self._unclosed(self._fed.number) from None
            raise DataError(
                f"cannot be read: {error}",
                where=self._place,
                fix='A text with quotation marks in it needs "quotes" around it, and each mark '
                'inside twice: "".',
            ) from None
        if record is not None and self._fed.ended and self.dialect.quoting != "literal":
            # The parser asked for more within a record, and takes what there is for its end.
            raise self._unclosed()
        return record

    def _unclosed(self, until: int | None = None) -> DataError:
        what = "a quotation mark is opened and never closed"
        if until is not None:
            what = f"a quotation mark is opened here, and closed only in line {until:,}"
        return DataError(
            what, where=self._place, fix='Write a quotation mark inside a quoted text twice: "".'
        )

    def _check(self, record: list[str]) -> None:
        if len(record) != self._width:
            if self._fed.number > self._fed.begun:
                raise self._unclosed(self._fed.number)
            raise DataError(
                f"{counted(len(record), 'field')} where the first line has {self._width:,}",
                where=self._place,
                fix=self._wider() if len(record) > self._width else _SKIP,
            )
        if record == self._raw_header:
            raise DataError(
                "the first line comes again", where=self._place, fix="Take this line out."
            )
        if self._fed.number > self._fed.begun and self._swallows():
            raise self._unclosed(self._fed.number)

    def _wider(self) -> str:
        """What to do about more fields than columns."""
        if self._width == 1:
            return (
                "The first line must name the columns: take out what stands above them. If another "
                "mark than , ; | or a tab stands between fields, name it with --delimiter."
            )
        return (
            'A text with commas in it needs "quotes".' if self.dialect.delimiter == "," else _SKIP
        )

    def _swallows(self) -> bool:
        """Whether the first of a record's lines is a row of its own but for its opening quote."""
        alone = self._fed.parts[0].rstrip("\r\n").replace('"', "").split(self.dialect.delimiter)
        if len(alone) != self._width or self._width < 2:
            return False
        known = [
            v.strip() in values for v, values in zip(alone, self._common, strict=True) if values
        ]
        return bool(known) and all(known)


def _is_markdown(lines: Sequence[str]) -> bool:
    """Whether the second line that is not empty rules off a header of as many columns."""
    head, rule = ([line for line in lines[:20] if line.strip()] + ["", ""])[:2]
    return bool(_RULE.fullmatch(rule)) and _cells(head).count("|") == _cells(rule).count("|") > 0


def _markdown(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines of a table of Markdown as fields between bars, without what rules its header off."""
    for number, line in lines:
        if not _RULE.fullmatch(line):
            yield number, _cells(line)


def _cells(line: str) -> str:
    bare = line.strip().removeprefix("|")
    if bare.endswith("|") and not bare.endswith("\\|"):
        bare = bare[:-1]
    return "|".join(cell.strip() for cell in bare.split("|")) + "\n"


def _filled(record: Sequence[str] | None) -> int:
    """The fields that are not empty."""
    return sum(bool(value.strip()) for value in record or ())


def _sound(records: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            record = next(records, None)
        except csv.Error:
            continue
        if record is None:
            return
        yield record


def column_names(header: Sequence[str]) -> list[str]:
    """The names of columns; one that has none is called by its place, column_1 the first."""
    names = [name.replace("\ufeff", "").strip(_EDGES) for name in header]
    taken = set(names)
    for place, name in enumerate(names, start=1):
        if not name:
            called = f"column_{place}"
            while called in taken:
                called += "_"
            names[place - 1] = called
            taken.add(called)
    return names


def twice(names: Iterable[str], wanted: Iterable[str], where: str) -> None:
    """
    Raises:
        DataError: two columns have the name of a wanted one.
    """
    counts = Counter(names)
    for name in wanted:
        if counts[name] > 1:
            raise DataError(
                f"{counts[name]} columns are called '{name}'",
                where=where,
                fix="Give each a name of its own.",
            )


class _Fed:
    """Lines for the parser, cut at every end of a line it knows; a record's are bounded, and can
    be taken back but for the first."""

    def __init__(self, source: Iterator[tuple[int, str]], where: str, room: Room) -> None:
        self._source, self._where, self._room = source, where, room
        self._waiting: list[tuple[int, str]] = []  # the next last
        self.parts: list[str] = []
        self._numbers: list[int] = []
        self._size = 0
        self.ended = False

    @property
    def begun(self) -> int:
        """The line on which the record begins."""
        return self._numbers[0] if self._numbers else 1

    @property
    def number(self) -> int:
        """The line on which it ends."""
        return self._numbers[-1] if self._numbers else 1

    def begin(self) -> None:
        """The next line is the first of a record."""
        self.parts, self._numbers, self._size, self.ended = [], [], 0, False

    def back(self) -> None:
        """All lines of the record but its first are given again."""
        self._waiting += reversed(list(zip(self._numbers, self.parts, strict=True))[1:])

    def __iter__(self) -> _Fed:
        return self

    def __next__(self) -> str:
        if not self._waiting:
            try:
                number, line = next(self._source)
            except StopIteration:
                self.ended = bool(self.parts)
                raise
            self._waiting = [(number, line)]
            if "\r" in line[:-2]:
                self._waiting = [(number, part) for part in reversed(_PART.findall(line))]
        number, line = self._waiting.pop()
        self._size += len(line)
        if self._size > self._room.row:
            raise self._room.full(
                "the record that begins here",
                self._room.row,
                f"{self._where}, line {self.begun}",
                "A quotation mark may be opened and never closed.",
            )
        self.parts.append(line)
        self._numbers.append(number)
        return line


def places(names: Sequence[str], wanted: Iterable[str]) -> dict[str, int]:
    """Where each of the wanted columns stands; of two of a name the first."""
    first = {name: at for at, name in reversed(list(enumerate(names)))}
    return {name: first[name] for name in wanted}


def rows(records: Records, wanted: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The wanted fields of each record, every one a text."""
    at_name = places(records.names, wanted)
    for place, record in records:
        yield place, {name: record[at] for name, at in at_name.items()}
