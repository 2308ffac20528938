"""A user's own rows -> a task file.

The draft is a file for a person to go on with, and it passes the check as it stands.
"""

from __future__ import annotations

import math
import os
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.task import NAME, Reading, TestCarving
from suite.data import columns, layouts, tables
from suite.data import load as data
from suite.data.columns import Asked, Found
from suite.data.delimited import no_rows
from suite.data.draft_text import Guess, told, write
from suite.data.joining import joined
from suite.data.kept import taken
from suite.data.labels import spell, whole
from suite.data.languages import MOST_TEXTS, detect, estimate_tokens
from suite.data.looks import MOST_CLASSES
from suite.data.room import Room
from suite.data.rowfile import LINES
from suite.data.spellings import Case, alike, check_labelled, settle_case, speller, spellings
from suite.data.splits import test_share, validation_share
from suite.errors import DataError, TaskError
from suite.files import is_folder, named
from suite.paths import PACKAGE


@dataclass(frozen=True)
class Said:
    """What a command says of a user's own rows, in place of what would be found in them.

    Args:
        share: the part of the rows that is the test; a fifth, and at most 10,000 rows, where None.
    """

    columns: Asked = field(default_factory=Asked)
    share: float | None = None
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True)
class Draft:
    """The text of a task file, and what was found for it, a line each."""

    text: str
    told: tuple[str, ...]


def draft(
    name: str,
    source: Path,
    *,
    said: Said = Said(),
    title: str | None = None,
    task_file: Path | None = None,
    room: Room | None = None,
) -> Draft:
    """A task file for the rows in a file or a folder.

    Args:
        task_file: where it will stand; a relative `source` is written relative to it.
        room: how much of the rows may be in memory at once.

    Raises:
        TaskError: the name is none.
        DataError: no rows, or no columns that could be texts and classes.
        LabelUnclear: more than one column could be the label.
    """
    if not NAME.fullmatch(name):
        raise TaskError(
            f"{name!r} is no name for a task",
            fix="Small letters, digits, '-', '_' and '.', at most 64 of them.",
        )
    guess = _look(source, said, room or Room())
    place = source.resolve()
    schema = PACKAGE / "config" / "schemas" / "task.schema.json"
    shown, shown_schema = str(place), str(schema)
    if task_file is not None:
        home = task_file.resolve().parent
        if not source.is_absolute():
            shown = os.path.relpath(place, home)
        if home.is_relative_to(PACKAGE.parent):
            shown_schema = os.path.relpath(schema, home)
    text = write(name, title or name, guess, said.reading, (guess.key, shown), shown_schema)
    return Draft(text, tuple(told(source, guess)))


def _look(source: Path, said: Said, room: Room) -> Guess:
    key, files = _files(source)
    reading = said.reading
    table = tables.read_file(files["train"], lambda columns: columns, room, reading)
    if not len(table):
        raise no_rows(table.where)
    found = _columns(table, said)
    carving, unread = _carved(files, said, len(table))
    label = found.label
    # Of the other files the labels alone: a file may lack the column.
    read = {"train": table.columns[label]} | {
        split: tables.read_file(
            path, lambda columns: [label] if label in columns else columns[:1], room, reading
        ).columns.get(label, [])
        for split, path in files.items()
        if split != "train"
    }
    spelled = {split: spellings(read[split]) for split in read}
    check_labelled(spelled, {split: str(path) for split, path in files.items()})
    folder = files["train"].parent if key == "folder" else None
    every = sum(spelled.values(), Counter[str | None]())
    classes, numbered = _classes(folder, table, label, every, reading.case)
    labels = list(classes)
    out_of_scope, extra = _out_of_scope(folder, labels, label, room) if folder else (None, [])
    if out_of_scope is not None and out_of_scope not in [label_name for label_name, _ in labels]:
        labels.append((out_of_scope, []))
    lengths, seen, dropped = _lengths(table, found)
    p95 = int(lengths[int(0.95 * (len(lengths) - 1))])
    if reading.case == "merge":
        # Who merges labels that differ by case finds them under the one that stands for them.
        stands = {form: name for name, _ in labels for form in alike(name)}
        merged: Counter[str] = Counter()
        for name, count in seen.items():
            merged[next((stands[form] for form in alike(name) if form in stands), name)] += count
        seen = merged
    return Guess(
        language=detect(_some_texts(table, found.text)),
        columns=found,
        labels=labels,
        numbered=numbered,
        counts=[
            seen[label_name] or seen[str(values[0] if values else index)]
            for index, (label_name, values) in enumerate(labels)
            if label_name != out_of_scope
        ],
        out_of_scope=out_of_scope,
        max_tokens=next((n for n in (32, 64, 128, 256, 512) if n >= p95 + 2), 1024),
        p95=p95,
        rows=len(table),
        key=key,
        found="" if table.found is None else str(table.found),
        unread=unread,
        files=[*(path.name for path in files.values()), *extra],
        validation="validation" in files,
        validation_share=_rounded(validation_share(len(table))),
        carving=carving,
        dropped=dropped,
        notes=[] if table.found is None else table.found.notes(table.where),
        beside=[]
        if folder is None
        else layouts.beside(folder, [*(path.name for path in files.values()), *extra]),
    )


def _columns(table: tables.Table, said: Said) -> Found:
    """
    Raises:
        DataError: as `columns.find`.
    """
    try:
        return columns.find(table.columns, said.columns, where=table.where)
    except DataError as error:
        if tables.format_of(Path(table.where)) == "txt" and not said.columns.named:
            error.fix = f"{error.fix or ''} {LINES}".strip()
        raise


def _files(source: Path) -> tuple[str, dict[data.Split, Path]]:
    """What a task calls the source, and the file of each split that is there; of one table, train.

    Raises:
        DataError: nothing is there, or nothing that could be train.
    """
    if not is_folder(named(source, DataError), DataError):
        if not source.exists():
            raise DataError(
                "no such file or folder", where=str(source), fix="Give the file of the rows."
            )
        return "file", {"train": source}
    files = {
        split: found
        for split in data.SPLITS
        if (found := data.split_file(source, data.STEMS[split])) is not None
    }
    if "train" in files:
        return "folder", files
    if layouts.arrow_files(source) or len(layouts.class_folders(source)) > 1:
        return "file", {"train": source}
    raise DataError(
        "no file for train",
        where=str(source),
        fix=f"Expected train as {tables.FORMATS}. Found: {data.listing(source)}.",
    )


def _carved(
    files: dict[data.Split, Path], said: Said, rows: int
) -> tuple[TestCarving | None, str | None]:
    """How test is carved, where it is; and the test file that is then not read, taken out."""
    asked = said.share or said.columns.group or said.columns.time
    if said.share is not None and not 0 < said.share < 1:
        raise DataError(
            f"the test's share is {said.share:g}", fix="A part of the rows, for example 0.2."
        )
    if "test" in files and not asked:
        return None, None
    unread = files.pop("test", None)
    share = said.share or _rounded(test_share(rows))
    carving = TestCarving(share=share, group=said.columns.group, time=said.columns.time)
    return carving, None if unread is None else unread.name


def _texts(table: tables.Table, names: Sequence[str]) -> Iterator[str]:
    """The texts as they will be read, for their lengths and letters."""
    return map(_text, zip(*(table.columns[name] for name in names), strict=True))


def _text(values: Sequence[Any]) -> str:
    given = [None if columns.missing(value) else str(value) for value in values]
    return joined(given, " ") or ""


def _some_texts(table: tables.Table, names: Sequence[str]) -> list[str]:
    """Evenly spaced texts, as many as tell the language."""
    rows = range(0, len(table), max(1, -(-len(table) // MOST_TEXTS)))
    return list(map(_text, zip(*(taken(table.columns[n], rows) for n in names), strict=True)))


def _lengths(table: tables.Table, found: Found) -> tuple[NDArray[np.int32], Counter[str], int]:
    """Tokens of each text, the short ones first; rows by label; and rows that lack either."""
    lengths = array("i")
    seen: Counter[str] = Counter()
    spelled = speller()
    for value, text in zip(table.columns[found.label], _texts(table, found.text), strict=True):
        lengths.append(estimate_tokens(text))
        name = spelled(value)
        if name is not None and text.strip():
            seen[name] += 1
    return np.sort(np.frombuffer(lengths, np.int32)), seen, len(lengths) - seen.total()


def _rounded(share: float) -> float:
    """A share as a person would write it, and never more."""
    return math.floor(share * 10_000) / 10_000 or share


def _classes(
    folder: Path | None,
    table: tables.Table,
    label: str,
    read: Mapping[str | None, int],
    case: Case | None,
) -> tuple[list[tuple[str, list[int]]], bool]:
    """Class names in order, each with the other numbers that stand for it in the data; and
    whether the names are only numbers.

    Raises:
        CaseDiffers: some differ by case alone, and nothing is said of it.
    """
    names = (folder and data.names_file(folder)) or table.class_names.get(label)
    if names:
        return [(name, []) for name in names], False
    counts = {name: rows for name, rows in read.items() if name is not None}
    one, _ = settle_case(counts, case, table.where)
    values = set(one.values())
    if len(values) > MOST_CLASSES:
        raise DataError(f"'{label}' has {len(values):,} different values", where=table.where)
    numbers = {number: value for value in values if (number := whole(value)) is not None}
    if len(numbers) < len(values):
        return [(value, []) for value in sorted(values)], False
    ordered = [(numbers[number], number) for number in sorted(numbers)]
    named = _named_beside(table, label)
    if named is not None and set(named) >= set(values):
        ordered = [(named[value], number) for value, number in ordered]
    positions = [number for _, number in ordered] == list(range(len(ordered)))
    return (
        [(name, [] if positions else [number]) for name, number in ordered],
        named is None,
    )


def _named_beside(table: tables.Table, label: str) -> dict[str, str] | None:
    """Number -> name, where another column (label_text, ...) names the classes one to one."""
    for name, values in table.columns.items():
        if name == label or not name.lower().startswith(label.lower()):
            continue
        pairs: set[tuple[str, Any]] = set()
        for number, value in zip(table.columns[label], values, strict=True):
            pairs.add((spell(number), value))
            if len(pairs) > MOST_CLASSES:
                break
        numbers, names = {n for n, _ in pairs}, {v for _, v in pairs}
        if len(pairs) == len(numbers) == len(names) <= MOST_CLASSES and all(
            isinstance(v, str) for v in names
        ):
            return {number: str(value) for number, value in pairs}
    return None


def _out_of_scope(
    folder: Path, labels: list[tuple[str, list[int]]], column: str, room: Room
) -> tuple[str | None, list[str]]:
    """The label of the rows in oos_*.jsonl, where there are such files; and their names."""
    files = [
        found
        for split in data.SPLITS
        if (found := data.split_file(folder, tuple(f"oos_{s}" for s in data.STEMS[split])))
    ]
    if not files:
        return None, []
    table = tables.read_file(files[0], lambda columns: columns, room)
    values = {spell(value) for value in table.columns.get(column, [])}
    name = "out_of_scope"
    if len(values) == 1:
        value = values.pop()
        number = whole(value)
        if number is None:
            name = value or name
        elif 0 <= number < len(labels):
            name = labels[number][0]
    return name, [path.name for path in files]
