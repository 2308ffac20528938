"""Spreadsheets (.xlsx) -> rows: one sheet, values as they stand in cells, formulas by their result.

A workbook is a packed folder of XML. What it expands to is bounded before any of it is parsed, and
XML is parsed by defusedxml, which openpyxl uses where it is installed.
"""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from suite.data.delimited import NoHeader, column_names
from suite.data.room import Room
from suite.data.values import spelled
from suite.errors import DataError, counted

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
#: Columns of a sheet, at most: what Excel itself has.
_MOST_COLUMNS = 16_384


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook: its name, those passed over, its header, its rows with places."""

    name: str
    others: list[str]
    names: list[str]
    rows: Iterator[tuple[str, list[Any]]]


def open_sheet(raw: BinaryIO, size: int, where: str, room: Room) -> Sheet:
    """The first sheet that has rows.

    A cell is what it shows: dates as ISO text, a formula as its stored result. Empty rows are
    passed over.

    Raises:
        DataError: no workbook, more than the room holds, a header whose cells are merged, two
            header rows, or a formula without a stored result.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(raw) as packed:
            total = sum(part.file_size for part in packed.infolist())
            if total > max(room.expanded(size), 1):
                raise room.bomb(size, where)
            if total > room.bytes:
                raise room.full("this workbook", room.bytes, where, "Save the sheet as CSV.")
            merged = _merged(packed, room, where)
        raw.seek(0)
        values = openpyxl.load_workbook(raw, read_only=True, data_only=True, keep_links=False)
        shown = openpyxl.load_workbook(raw, read_only=True, data_only=False, keep_links=False)
    except DataError:
        raise
    except (
        zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError, TypeError,
        AttributeError, IndexError, SyntaxError, EOFError, NotImplementedError, RuntimeError,
    ) as error:  # fmt: skip
        raise _no_workbook(error, where) from None
    for place, sheet in enumerate(values.worksheets):
        formulas = shown.worksheets[place]
        sheet.reset_dimensions()
        formulas.reset_dimensions()
        cells = _cells(sheet, formulas, f"{where}, sheet '{sheet.title}'")
        first = next(cells, None)
        if first is None:
            continue
        number, header = first
        place_of_header = f"{where}, sheet '{sheet.title}', row {number}"
        if any(low <= number <= high for low, high in merged.get(place, [])):
            raise DataError(
                "cells of the header are merged",
                where=place_of_header,
                fix="Give each column one cell with its name, in one row.",
            )
        ahead = list(itertools.islice(cells, 1))
        if _filled([first]) == 1 < _filled(ahead):
            raise NoHeader(
                "the first row has one cell: a title, and not the names of columns",
                where=place_of_header,
                fix="Take the title out: the first row must name the columns.",
            )
        width = len(header)
        rows = _rows(itertools.chain(ahead, cells), width, f"{where}, sheet '{sheet.title}'")
        return Sheet(
            sheet.title,
            [other.title for other in values.worksheets if other.title != sheet.title],
            column_names([spelled(value) or "" for value in header]),
            rows,
        )
    raise DataError("no rows", where=where)


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


def _cells(sheet: Any, formulas: Any, where: str) -> Iterator[tuple[int, list[Any]]]:
    """Rows that are not empty, with their numbers, without the empty cells at their end."""
    try:
        for number, (row, written) in enumerate(
            zip(sheet.iter_rows(), formulas.iter_rows(), strict=False), start=1
        ):
            found = [cell.value for cell in row[:_MOST_COLUMNS]]
            for at, cell in enumerate(written[: len(found)]):
                if found[at] is None and cell.data_type == "f":
                    raise DataError(
                        f"a formula without a stored result: {cell.value!s:.60}",
                        where=f"{where}, cell {cell.coordinate}",
                        fix="Open the workbook in a spreadsheet program, save it, or put the "
                        "value in place of the formula. A text that begins with = needs ' "
                        "before it.",
                    )
            while found and (found[-1] is None or found[-1] == ""):
                found.pop()
            if found:
                yield number, found
    except DataError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, OSError,
            EOFError, zipfile.BadZipFile, RuntimeError) as error:  # fmt: skip
        raise _no_workbook(error, where) from None


def _merged(packed: zipfile.ZipFile, room: Room, where: str) -> dict[int, list[tuple[int, int]]]:
    """First and last rows of merged cells that span columns or rows, by the sheet's place.

    openpyxl reads them only with the whole sheet in memory.
    """
    import re

    found: dict[int, list[tuple[int, int]]] = {}
    sheets = sorted(
        (name for name in packed.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)),
        key=lambda name: int(re.sub(r"\D", "", name)),
    )
    for place, name in enumerate(sheets):
        with packed.open(name) as part:
            rest = b""
            while block := part.read(1 << 20):
                rest += block
                for corner in re.finditer(rb'<mergeCell ref="[A-Z]+(\d+):[A-Z]+(\d+)"', rest):
                    found.setdefault(place, []).append((int(corner[1]), int(corner[2])))
                rest = rest[-100:]
    return found


def _no_workbook(error: BaseException, where: str) -> DataError:
    said = str(error).strip().splitlines()
    return DataError(
        f"not an Excel workbook ({said[0][:200] if said else type(error).__name__})",
        where=where,
        fix="Save it again as .xlsx, or as CSV.",
    )
