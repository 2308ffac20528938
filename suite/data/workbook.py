"""Spreadsheets (.xlsx) -> rows: one sheet, values as they stand in cells, formulas by their result.

A workbook is a packed folder of XML. What it expands to, and what its elements will take in memory,
is bounded before openpyxl parses any of it; that uses defusedxml where it is installed.
"""

from __future__ import annotations

import itertools
import lzma
import re
import struct
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, NamedTuple
from xml.parsers import expat

from suite.data.delimited import NoHeader, column_names, no_rows
from suite.data.room import MOST_COLUMNS, Room
from suite.data.values import spelled
from suite.errors import DataError, counted

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#: Rows of a sheet, at most: what Excel itself has.
_MOST_ROWS = 1_048_576
#: Bytes that an element takes once it is parsed, at least; and what openpyxl makes of one that is
#: neither a cell nor a string: an object.
_ELEMENT_BYTES, _OBJECT_BYTES = 100, 1000
_PLAIN = frozenset({"row", "c", "v", "f", "is", "si", "t"})
#: What stands within a string that is written in several styles.
_STYLED = frozenset(
    {"r", "rPr", "rPh", "phoneticPr", "b", "i", "u", "sz", "color", "rFont", "family", "scheme",
     "charset", "strike", "vertAlign"}
)  # fmt: skip
#: What a damaged workbook raises, in openpyxl and what it reads with.
_DAMAGE = (
    zipfile.BadZipFile, KeyError, ValueError, OSError, TypeError, AttributeError, IndexError,
    SyntaxError, EOFError, NotImplementedError, RuntimeError, zlib.error, lzma.LZMAError,
    struct.error, OverflowError, AssertionError,
)  # fmt: skip


@dataclass
class Filled:
    """How many cells have the value of the one above, which they are merged with."""

    count: int = 0


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook: its name, those passed over, its header, its rows with places;
    `filled` grows as they are read."""

    name: str
    others: list[str]
    names: list[str]
    rows: Iterator[tuple[str, list[Any]]]
    filled: Filled


class _Merged(NamedTuple):
    """Cells that are one: the first and last of their columns and rows, from 1."""

    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        from openpyxl.utils import get_column_letter as letter

        return f"{letter(self.left)}{self.top}:{letter(self.right)}{self.bottom}"


def open_sheet(raw: BinaryIO, size: int, where: str, room: Room) -> Sheet:
    """The first sheet that has rows.

    A cell is what it shows: dates as ISO text, a formula as its stored result; cells that are
    merged with the one above have its value. Empty rows are passed over.

    Raises:
        DataError: no workbook, more than the room holds, cells that are merged in the header or
            across columns, two header rows, or a formula without a stored result.
    """
    import openpyxl

    try:
        with zipfile.ZipFile(raw) as packed:
            total = sum(part.file_size for part in packed.infolist())
            if total > max(room.expanded(size), 1):
                raise room.bomb(size, where)
            if total > room.bytes:
                raise room.full("this workbook", room.bytes, where, "Save the sheet as CSV.")
            merged = _looked_over(packed, room, where)
        raw.seek(0)
        values = openpyxl.load_workbook(raw, read_only=True, data_only=True, keep_links=False)
        shown = openpyxl.load_workbook(raw, read_only=True, data_only=False, keep_links=False)
    except DataError:
        raise
    except _DAMAGE as error:
        raise _no_workbook(error, where) from None
    for place, sheet in enumerate(values.worksheets):
        formulas = shown.worksheets[place]
        sheet.reset_dimensions()
        formulas.reset_dimensions()
        joined = merged.get(sheet._worksheet_path, [])
        filled = Filled()
        cells = _cells(sheet, formulas, f"{where}, sheet '{sheet.title}'", joined, filled)
        first = next(cells, None)
        if first is None:
            continue
        ahead = list(itertools.islice(cells, 1))
        if not ahead and place + 1 < len(values.worksheets):
            continue  # a note; the rows are in another sheet
        number, header = first
        place_of_header = f"{where}, sheet '{sheet.title}', row {number}"
        if any(one.top <= number <= one.bottom for one in joined):
            raise DataError(
                "cells of the header are merged",
                where=place_of_header,
                fix="Give each column one cell with its name, in one row.",
            )
        if _filled([first]) == 1 < _filled(ahead):
            raise NoHeader(
                "the first row has one cell: a title, and not the names of columns",
                where=place_of_header,
                fix="Take the title out: the first row must name the columns.",
            )
        width = len(header)
        across = [one for one in joined if one.top > number and one.left <= width]
        if wide := next((one for one in across if one.right > one.left), None):
            raise DataError(
                f"the cells {wide} are merged across columns",
                where=f"{where}, sheet '{sheet.title}'",
                fix="Part them, and write in each what belongs there; or take a note out.",
            )
        rows = _rows(itertools.chain(ahead, cells), width, f"{where}, sheet '{sheet.title}'")
        return Sheet(
            sheet.title,
            [other.title for other in values.worksheets if other.title != sheet.title],
            column_names([spelled(value) or "" for value in header]),
            rows,
            filled,
        )
    raise no_rows(where)


def _filled(rows: list[tuple[int, list[Any]]]) -> int:
    """The cells of the first row that are not empty."""
    return sum(value is not None for value in rows[0][1]) if rows else 0


def _rows(
    cells: Iterator[tuple[int, list[Any]]], width: int, where: str
) -> Iterator[tuple[str, list[Any]]]:
    for number, row in cells:
        place = f"{where}, row {number}"
        if len(row) > width:
            raise DataError(
                f"{counted(len(row), 'cell')} where the first row has {width:,}",
                where=place,
                fix="Name every column in the first row.",
            )
        yield place, row + [None] * (width - len(row))


def _cells(
    sheet: Any, formulas: Any, where: str, merged: list[_Merged], filled: Filled
) -> Iterator[tuple[int, list[Any]]]:
    """Rows that are not empty, with their numbers, without the empty cells at their end."""
    downwards = [one for one in merged if one.left == one.right <= MOST_COLUMNS]
    waiting = deque(sorted(downwards, key=lambda one: one.top))
    open_now: list[tuple[_Merged, Any]] = []
    try:
        for number, (row, written) in enumerate(
            zip(
                sheet.iter_rows(max_row=_MOST_ROWS + 1),
                formulas.iter_rows(max_row=_MOST_ROWS + 1),
                strict=False,
            ),
            start=1,
        ):
            if number > _MOST_ROWS:
                raise DataError(
                    f"more than the {counted(_MOST_ROWS, 'row')} that a sheet can have",
                    where=where,
                    fix="Save it again as .xlsx, or as CSV.",
                )
            found = [cell.value for cell in row[:MOST_COLUMNS]]
            for at, cell in enumerate(written[: len(found)]):
                if found[at] is None and cell.data_type == "f":
                    raise DataError(
                        f"a formula without a stored result: {cell.value!s:.60}",
                        where=f"{where}, cell {cell.coordinate}",
                        fix="Open the workbook in a spreadsheet program, save it, or put the "
                        "value in place of the formula. A text that begins with = needs ' "
                        "before it.",
                    )
            open_now = [(one, value) for one, value in open_now if number <= one.bottom]
            for one, value in open_now:
                found += [None] * (one.left - len(found))
                if found[one.left - 1] is None and value is not None:
                    found[one.left - 1] = value
                    filled.count += 1
            while waiting and waiting[0].top <= number:
                one = waiting.popleft()
                if one.top == number:
                    open_now.append((one, found[one.left - 1] if one.left <= len(found) else None))
            while found and (found[-1] is None or found[-1] == ""):
                found.pop()
            if found:
                yield number, found
    except DataError:
        raise
    except _DAMAGE as error:
        raise _no_workbook(error, where) from None


def _looked_over(packed: zipfile.ZipFile, room: Room, where: str) -> dict[str, list[_Merged]]:
    """Merged cells, by the part of the workbook that is their sheet.

    openpyxl reads them only with the whole sheet in memory.

    Raises:
        DataError: what its parts hold would take more memory than the room has once it is parsed.
    """
    weight = _Weight(room, where)
    sheets: dict[str, list[_Merged]] = {}
    for name in packed.namelist():
        with packed.open(name) as part:
            sheets[name] = weight.take(part)
    return sheets


class _Weight:
    """What the parts of a workbook will take in memory once openpyxl has parsed them.

    Elements stay where they were, though emptied; a string's styles are objects until it ends,
    those of anything else stay.
    """

    def __init__(self, room: Room, where: str) -> None:
        self._room, self._where = room, where
        self._bytes = 0
        self._styled = 0  # of the string that is read
        self._within = 0
        self._merged: list[_Merged] = []

    def take(self, part: IO[bytes]) -> list[_Merged]:
        """One more part; its merged cells. What is no XML, openpyxl will tell.

        Raises:
            DataError: too much, or it declares entities.
        """
        self._merged, self._styled, self._within = [], 0, 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = self._entity
        try:
            while block := part.read(1 << 16):
                parser.Parse(block)
        except expat.ExpatError:
            pass
        return self._merged

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        self._bytes += _ELEMENT_BYTES
        if name in ("si", "row"):
            self._within += 1
        if name in _STYLED and self._within:
            self._styled += _OBJECT_BYTES
        elif name not in _PLAIN:
            self._bytes += _OBJECT_BYTES
        if self._bytes + self._styled > self._room.bytes:
            raise self._room.full(
                "what this workbook holds", self._room.bytes, self._where, "Save the sheet as CSV."
            )
        if name == "mergeCell":
            corners = re.fullmatch(
                r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})", attributes.get("ref", "")
            )
            if corners:
                left, right = (_column(corners[at]) for at in (1, 3))
                self._merged.append(_Merged(left, int(corners[2]), right, int(corners[4])))

    def _end(self, tag: str) -> None:
        if tag.rpartition(" ")[2] in ("si", "row"):
            self._within -= 1
            if not self._within:
                self._styled = 0

    def _entity(self, *declared: object) -> None:
        raise DataError(
            "its XML declares entities, which no spreadsheet program does",
            where=self._where,
            fix="Save it again as .xlsx, or as CSV.",
        )


def _column(letters: str) -> int:
    """The number of a column, from 1: A, B, ..., Z, AA, ..."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _no_workbook(error: BaseException, where: str) -> DataError:
    said = str(error).strip().splitlines()
    return DataError(
        f"not an Excel workbook ({said[0][:200] if said else type(error).__name__})",
        where=where,
        fix="Save it again as .xlsx, or as CSV.",
    )
