"""One file of rows, of any format, read by one reader: for studies, checks, drafts and predictions.

    .csv .tsv      fields between , tabs ; or |, in any encoding
    .txt           fastText's lines (__label__X text), else as .csv
    .jsonl .json   an object a line, or one document
    .parquet .arrow
    .xlsx          the first sheet that has rows

each also packed (.gz, .zst). What was found of how a file is written is kept, so that it can be
said; what was left out is counted.
"""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

from suite import files
from suite.contracts.task import Reading
from suite.data import delimited, lines, readers, signatures, workbook
from suite.data.delimited import Dialect, Skipped
from suite.data.lines import Encoding
from suite.data.readers import Pick, Row
from suite.data.room import MOST_COLUMNS, Room
from suite.errors import DataError, counted

#: How a file of rows may be called -> its format.
SUFFIXES = {
    ".jsonl": "json", ".ndjson": "json", ".json": "json", ".csv": "csv", ".tsv": "csv",
    ".txt": "txt", ".parquet": "parquet", ".arrow": "arrow", ".xlsx": "xlsx",
}  # fmt: skip
#: The same in words.
FORMATS = (
    ".csv, .tsv, .txt (fastText's form), .jsonl, .json, .parquet or .xlsx "
    "(each also with .gz or .zst after it)"
)
#: What begins each label in fastText's form.
FASTTEXT = "__label__"
#: How lines of a .txt are to be written.
LINES = (
    f"Each line of a .txt has its label before it: {FASTTEXT}sports The match begins. Or write "
    "columns with a header, as .csv."
)
#: How a file begins that Git LFS keeps elsewhere.
_POINTER = b"version https://git-lfs.github.com/spec"
#: Rows whose keys together are taken for the columns of a JSON file.
_FIRST_ROWS = 1000


@dataclass
class Found:
    """How a file is written, and what of it was left out."""

    format: str
    dialect: Dialect | None = None
    encoding: Encoding | None = None
    sheet: str | None = None
    unread: Sequence[str] = ()
    skipped: Skipped = field(default_factory=Skipped)
    filled: workbook.Filled = field(default_factory=workbook.Filled)

    def __str__(self) -> str:
        """
        >>> str(Found("CSV", Dialect(";"), Encoding("utf-8", bom=True)))
        "CSV: ';' between fields, UTF-8 with BOM"
        """
        said = [str(part) for part in (self.dialect, self.encoding) if part is not None]
        if self.sheet is not None:
            said.append(f"sheet '{self.sheet}'")
        if self.unread:
            said.append(f"not {', '.join(map(repr, self.unread[:5]))}")
        return f"{self.format}: {', '.join(said)}" if said else self.format

    def notes(self, where: str) -> list[str]:
        """What a reader of results must know of it."""
        return [*self._filled(where), *self._skipped(where)]

    def _filled(self, where: str) -> Iterator[str]:
        if count := self.filled.count:
            yield (
                f"{counted(count, 'cell')} of {Path(where).name} "
                f"{'is' if count == 1 else 'are'} merged with the one above, and "
                f"{'has' if count == 1 else 'have'} its value"
            )

    def _skipped(self, where: str) -> Iterator[str]:
        if not self.skipped.count:
            return
        listed = "; ".join(
            told.removeprefix(where).removeprefix(", ") for told in self.skipped.listed
        )
        more = self.skipped.count - len(self.skipped.listed)
        yield (
            f"{counted(self.skipped.count, 'row')} of {Path(where).name} "
            f"{'was' if self.skipped.count == 1 else 'were'} left out: {listed}"
            + (f"; and {more:,} more" if more else "")
        )


def format_of(path: Path) -> str | None:
    """The format by the file's name (.gz and .zst aside), or None."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in lines.PACKED:
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


class RowFile:
    """A file of rows; it is opened anew for each pass.

    Args:
        path: its name says its format, unless `kind` does.
        room: how much may be in memory at once; of the file's length there is no bound.
        reading: what is known of how it is written.

    Attributes:
        found: what was found; complete once rows have been read.

    Raises:
        DataError: it is missing, no regular file, empty or of no known kind.
    """

    def __init__(
        self,
        path: Path | str,
        room: Room | None = None,
        reading: Reading | None = None,
        *,
        kind: str | None = None,
    ) -> None:
        self.path = Path(path)
        self.where = str(path)
        self.size = files.size(path, DataError)
        kind = kind or format_of(self.path)
        if kind is None:
            raise DataError(
                "unknown kind of file",
                where=self.where,
                fix=f"Rows are read from {FORMATS}.",
            )
        self.kind = kind
        if self.size == 0:
            raise delimited.no_rows(self.where, "the file is empty")
        with files.opened(path, DataError) as raw:
            if raw.read(len(_POINTER)) == _POINTER:
                raise DataError(
                    "a pointer of Git LFS, and not the rows",
                    where=self.where,
                    fix="Fetch the file: git lfs pull.",
                )
        self._room = room or Room()
        self._reading = reading or Reading()
        self._raw: BinaryIO | None = None
        with self._opened() as file:
            signatures.check(file.read(signatures.LOOKED), kind, self.where)
        self.found = Found(kind)
        #: Class names by column, where the source declares them.
        self.class_names: dict[str, list[str]] = {}
        self._done, self._rows = 0, 0

    def rows(self, pick: Pick, *, kept: bool = False) -> Iterator[Row]:
        """The wanted columns of each row, with its place; a row of JSON may lack some.

        Args:
            kept: whether all rows are to be in memory at once.

        Raises:
            DataError: the file is damaged, larger than the room, or has no such columns.
        """
        with self._opened(shown=True) as file:
            for place, row in self._of_kind(file, self._bounded(pick), kept):
                self._done += 1
                yield place, row

    def _bounded(self, pick: Pick) -> Pick:
        def some(present: list[str]) -> Sequence[str]:
            wanted = pick(present)
            if len(wanted) > MOST_COLUMNS:
                raise DataError(
                    f"{len(wanted):,} columns; at most {MOST_COLUMNS:,} are read together",
                    where=self.where,
                    fix="Name the columns of the texts and of the label in a task, or write a "
                    "file of these alone.",
                )
            return wanted

        return some

    def whole(self) -> str:
        """A text file as one text."""
        name = self._encoding().name
        with self._opened(shown=True) as file:
            return "".join(line for _, line in lines.lines(file, self.where, self._room, name))

    def lines(self) -> Iterator[str]:
        """The lines of a text file, without their ends."""
        name = self._encoding().name
        with self._opened(shown=True) as file:
            for _, line in lines.lines(file, self.where, self._room, name):
                yield line.removesuffix("\n").removesuffix("\r")

    def done(self) -> float | None:
        """How much of it was read, 0 to 1; None where that can't be known."""
        if self._rows:
            return min(1.0, self._done / self._rows)
        if self._raw is None or self._raw.closed:
            return None
        return min(1.0, float(self._raw.tell() / self.size))

    @contextmanager
    def _opened(self, *, shown: bool = False) -> Iterator[BinaryIO]:
        """The file, unpacked; where `shown`, it is this one whose progress is told."""
        with files.opened(self.where, DataError) as raw, lines.told(self.where):
            self._raw = raw if shown else self._raw
            packing = lines.packing(self.path)
            yield raw if packing is None else lines.unpacked(
                raw, self.size, self._room, self.where, packing
            )  # fmt: skip

    def _of_kind(self, file: BinaryIO, pick: Pick, kept: bool) -> Iterator[Row]:
        match self.kind:
            case "parquet":
                raw = self._whole(file, "Parquet")
                self.found = Found("Parquet")
                self.class_names = readers.parquet_classes(raw, self.where)
                raw.seek(0)
                return readers.parquet_rows(
                    raw, self.size, self.where, self._room, pick, kept=kept, told_rows=self._told
                )
            case "arrow":
                self.found = Found("Arrow")
                raw = self._whole(file, "Arrow")
                self.class_names, rows = readers.arrow_rows(
                    raw, self.size, self.where, self._room, pick
                )
                return rows
            case "xlsx":
                return self._sheet(self._whole(file, "a workbook"), pick)
        encoding = self._encoding()
        if self.kind == "json":
            self.found = Found("JSON", encoding=encoding)
            skipped = self.found.skipped if self._reading.skip_bad_rows else None
            rows = readers.json_rows(file, self.where, self._room, encoding.name, skipped)
            return _picked(rows, pick, self._room)
        return self._text(file, encoding, pick)

    def _told(self, rows: int) -> None:
        self._rows = rows

    def _encoding(self) -> Encoding:
        if self._reading.encoding is not None:
            return Encoding(self._reading.encoding)
        with self._opened() as file:
            return lines.find_encoding(file, self.where, self._room)

    def _whole(self, file: BinaryIO, what: str) -> BinaryIO:
        """A file that is read back and forth: in memory, where it is packed."""
        if file is self._raw:
            return file
        content = file.read(self._room.document + 1)
        if len(content) > self._room.document:
            raise self._room.full(
                f"{what} inside {lines.packing(self.path)}",
                self._room.document,
                self.where,
                "It is packed already: unpack the file.",
            )
        return io.BytesIO(content)

    def _text(self, file: IO[bytes], encoding: Encoding, pick: Pick) -> Iterator[Row]:
        """Lines of fields, or of fastText's form."""
        numbered = lines.lines(file, self.where, self._room, encoding.name)
        begun: list[tuple[int, str]] = []
        if self.kind == "txt":
            begun = list(_until_some(numbered))
            numbered = itertools.chain(begun, numbered)
            if begun and begun[-1][1].startswith(FASTTEXT):
                self.found = Found("fastText's lines", encoding=encoding)
                pick(["text", "label"])
                skipped = self.found.skipped if self._reading.skip_bad_rows else None
                return _picked(_fasttext(numbered, self.where, skipped), pick, self._room)
        records = delimited.Records(
            numbered,
            self.where,
            self._room,
            delimiter=self._reading.delimiter,
            skip=self._reading.skip_bad_rows,
        )
        kind = "a Markdown table" if records.markdown else "CSV"
        self.found = Found(kind, records.dialect, encoding, skipped=records.skipped)
        if self.kind == "txt" and len(records.names) < 2 and not records.empty:
            raise DataError(
                "lines of text without labels",
                where=self.where,
                fix=LINES,
            )
        if records.empty:
            return iter(())
        wanted = _csv_columns(records, pick)
        delimited.twice(records.names, wanted, self.where)
        return delimited.rows(records, wanted)

    def _sheet(self, raw: BinaryIO, pick: Pick) -> Iterator[Row]:
        sheet = workbook.open_sheet(raw, self.size, self.where, self._room)
        self.found = Found(
            "Excel workbook", sheet=sheet.name, unread=sheet.others, filled=sheet.filled
        )
        wanted = list(pick(sheet.names))
        delimited.twice(sheet.names, wanted, self.where)
        places = delimited.places(sheet.names, wanted)
        return (
            (place, {name: row[at] for name, at in places.items()}) for place, row in sheet.rows
        )


def _until_some(numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines up to the first that is not empty."""
    for number, line in numbered:
        yield number, line
        if line.strip():
            return


def _csv_columns(records: delimited.Records, pick: Pick) -> Sequence[str]:
    try:
        return pick(records.names)
    except DataError as error:
        if len(records.names) == 1:
            hint = "No other mark stands between fields throughout: , ; | or a tab was expected."
        else:
            hint = "A CSV's first line must name its columns, for example: text,label"
        raise DataError(
            error.what, where=error.where, fix=f"{error.fix or ''} {hint}".strip()
        ) from None


def _picked(rows: Iterator[Row], pick: Pick, room: Room) -> Iterator[Row]:
    """The wanted columns of rows that bear their names; a row may lack some of them."""
    first: list[Row] = []
    size = 0
    for found in rows:
        first.append(found)
        size += sum(map(sys.getsizeof, found[1].values()))
        if len(first) == _FIRST_ROWS or size > room.row:
            break
    wanted = pick(list(dict.fromkeys(name for _, row in first for name in row))) if first else ()
    for where, row in itertools.chain(first, rows):
        yield where, {name: row[name] for name in wanted if name in row}


def _fasttext(
    numbered: Iterator[tuple[int, str]], where: str, skipped: Skipped | None
) -> Iterator[Row]:
    """A label and a text a line; where `skipped` is given, other lines are left out."""
    for number, line in numbered:
        line = line.removesuffix("\n").removesuffix("\r")
        if not line.strip():
            continue
        label, _, text = line.partition("\t" if "\t" in line.split(" ", 1)[0] else " ")
        what = ""
        if not label.startswith(FASTTEXT) or label == FASTTEXT:
            what = f"no {FASTTEXT}X before the text"
        elif text.lstrip().startswith(FASTTEXT):
            what = "more than one label"
        if not what:
            yield f"{where}, line {number}", {"text": text, "label": label.removeprefix(FASTTEXT)}
            continue
        error = DataError(
            what,
            where=f"{where}, line {number}",
            fix="Each line is one label and a text. --skip-bad-rows leaves others out, and "
            "counts them.",
        )
        if skipped is None:
            raise error
        skipped.add(error)
