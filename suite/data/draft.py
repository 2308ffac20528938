"""A user's own rows -> a task file.

The draft is a file for a person to go on with: everything that was guessed says so in a comment,
and the file passes the check as it stands. Its last line holds a digest of the rest, by which a
draft is told from a file that somebody has changed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from suite.contracts.language import LANGUAGES
from suite.contracts.task import NAME, Reading, TestCarving, default_prompt
from suite.data import columns, layouts, tables
from suite.data import load as data
from suite.data.audit import IMBALANCE
from suite.data.columns import MOST_CLASSES, Asked, Found
from suite.data.delimited import no_rows
from suite.data.joining import joined
from suite.data.labels import spell, whole
from suite.data.languages import LanguageGuess, detect, estimate_tokens
from suite.data.room import Room
from suite.data.rowfile import LINES
from suite.data.spellings import Case, alike, check_labelled, doubtful, no_label, settle_case
from suite.data.splits import test_share
from suite.errors import DataError, TaskError, counted
from suite.files import is_folder, named
from suite.paths import PACKAGE

UNKNOWN_LICENCE = "unknown - fill in"

#: Classes whose counts are told.
MOST_SHOWN = 12

_DRAFTED = "# As drafted: "


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


@dataclass(frozen=True)
class _Guess:
    """What rows look like."""

    language: LanguageGuess
    columns: Found
    labels: list[tuple[str, list[int]]]
    numbered: bool
    counts: list[int]
    out_of_scope: str | None
    max_tokens: int
    p95: int
    rows: int
    #: What a task calls the source: a file, or a folder with a file for each split.
    key: str
    #: How the rows are written.
    found: str
    #: The test that is not read, for one is carved.
    unread: str | None
    files: list[str]
    validation: bool
    #: How test is carved; None where a file holds it.
    carving: TestCarving | None
    dropped: int
    #: What was mended or left out in reading.
    notes: list[str]
    #: Files of rows in the folder that are no split.
    beside: list[str]


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
    text = _write(name, title or name, guess, said, (guess.key, shown), shown_schema)
    return Draft(text, tuple(_told(source, guess)))


def _look(source: Path, said: Said, room: Room) -> _Guess:
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
    check_labelled(
        {s: [None if no_label(v) else spell(v) for v in read[s]] for s in read},
        {split: str(path) for split, path in files.items()},
    )
    folder = files["train"].parent if key == "folder" else None
    classes, numbered = _classes(folder, table, label, list(read.values()), reading.case)
    labels = list(classes)
    out_of_scope, extra = _out_of_scope(folder, labels, label, room) if folder else (None, [])
    if out_of_scope is not None and out_of_scope not in [label_name for label_name, _ in labels]:
        labels.append((out_of_scope, []))
    texts = list(_texts(table, found.text))
    whole = [
        not no_label(value) and bool(text.strip())
        for value, text in zip(table.columns[label], texts, strict=True)
    ]
    tokens = sorted(estimate_tokens(text) for text in texts)
    p95 = tokens[int(0.95 * (len(tokens) - 1))]
    seen = Counter(spell(v) for v, kept in zip(table.columns[label], whole, strict=True) if kept)
    if reading.case == "merge":
        # Who merges labels that differ by case finds them under the one that stands for them.
        stands = {form: name for name, _ in labels for form in alike(name)}
        merged: Counter[str] = Counter()
        for name, count in seen.items():
            merged[next((stands[form] for form in alike(name) if form in stands), name)] += count
        seen = merged
    return _Guess(
        language=detect(texts),
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
        carving=carving,
        dropped=whole.count(False),
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
    for values in zip(*(table.columns[name] for name in names), strict=True):
        given = [None if columns.missing(value) else str(value) for value in values]
        yield joined(given, " ") or ""


def _rounded(share: float) -> float:
    """A share as a person would write it, and never more."""
    return math.floor(share * 10_000) / 10_000 or share


def _classes(
    folder: Path | None,
    table: tables.Table,
    label: str,
    read: Sequence[Sequence[Any]],
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
    counts = Counter(spell(value) for column in read for value in column if not no_label(value))
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
        pairs = {
            (spell(number), value)
            for number, value in zip(table.columns[label], values, strict=True)
        }
        numbers, names = {n for n, _ in pairs}, {v for _, v in pairs}
        if len(pairs) == len(numbers) == len(names) and all(isinstance(v, str) for v in names):
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


def quoted(value: str) -> str:
    """A text as a YAML scalar on one line, in quotes wherever anything could misread it.

    >>> quoted("Sports"), quoted("yes"), quoted("a: b")
    ('Sports', '"yes"', '"a: b"')
    """
    if re.fullmatch(r"[^\W\d_][\w/-]*( [\w/-]+)*", value) and yaml.safe_load(value) == value:
        return value
    dumped: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=2**30)
    return dumped.strip()


def _write(
    name: str, title: str, guess: _Guess, said: Said, source: tuple[str, str], schema: str
) -> str:
    found = guess.columns
    lines = [
        f"# yaml-language-server: $schema={schema}",
        f"# Drafted from {_comment(', '.join(guess.files))} ({counted(guess.rows, 'row')}"
        f"{' of train' if guess.carving is None else ''}). Read it through: the comments say what "
        "was guessed.",
        f"name: {quoted(name)}",
        f"title: {quoted(title)}  # what a page is headed with",
        f"language: {quoted(guess.language.code)}  # {guess.language.reason}",
        "",
        "# The order is the class index, everywhere. `display` may give a name for prompts and",
        "# pages, `values` other spellings of a class in the data.",
    ]
    if guess.numbered:
        lines.append("# The data only numbers its classes: put names here, and keep the order.")
    lines.append("labels:")
    for label, values in guess.labels:
        lines.append(f"  - name: {quoted(label)}")
        if values:
            lines.append(f"    values: {values}")
    why = {what: _comment(reason) for what, _, reason in found.reasons}
    lines += [
        "",
        "data:",
        f"  {source[0]}: {quoted(source[1])}",
        f"  text: [{', '.join(map(quoted, found.text))}]  # {why['text']}",
    ]
    if found.others:
        lines.append(
            f"  # Also texts: {_comment(', '.join(found.others))}. Columns listed together "
            "are joined by `join`."
        )
    lines.append(f"  label: {quoted(found.label)}  # {why['label']}")
    if found.id is not None:
        lines.append(f"  id: {quoted(found.id)}  # {why['id']}")
    lines += _carving(guess)
    if read := said.reading.model_dump(exclude_defaults=True):
        pairs = ", ".join(f"{key}: {json.dumps(value)}" for key, value in read.items())
        lines.append(f"  reading: {{{pairs}}}")
    lines += [f"  licence: {UNKNOWN_LICENCE}", ""]
    if not guess.validation:
        lines += [
            "# There is no validation file: this part of train is set aside, class by class."
            if guess.carving is None
            else "# Validation is this part of the rows that are left, set aside as test is.",
            "validation: {share: 0.1, seed: 0}",
            "",
        ]
    lines += [
        f"max_tokens: {guess.max_tokens}  # 95 % of the texts have about {guess.p95:,} or fewer",
        "latency_bound_ms: 100  # p99 bound of the Server scenario",
    ]
    lines += _balance(guess)
    if guess.out_of_scope is not None:
        lines.append(f"out_of_scope: {quoted(guess.out_of_scope)}  # from the oos_* files")
    lines += ["", "# What zero_shot and sft ask. The options follow from the labels.", "prompt:"]
    if guess.language.code not in LANGUAGES:
        lines.append("  # Worded in English: the suite has no words of its own in this language.")
    lines.append(f"  {quoted(guess.language.code)}:")
    asked = default_prompt(guess.language.code).model_dump(exclude={"template", "codes"})
    lines += [f"    {key}: {quoted(text)}" for key, text in asked.items()]
    text = "\n".join(lines) + "\n"
    return f"{text}{_DRAFTED}{_digest(text)}\n"


def as_drafted(text: str) -> bool:
    """Whether a task file is a draft that nobody has changed since."""
    body, mark, digest = text.rpartition(_DRAFTED)
    return bool(mark) and digest.strip() == _digest(body)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _carving(guess: _Guess) -> list[str]:
    how = guess.carving
    if how is None:
        return []
    keys: dict[str, object] = {"share": how.share, "seed": how.seed}
    keys |= {key: quoted(name) for key in ("group", "time") if (name := getattr(how, key))}
    rule = "the newest" if how.time else "class by class, by a hash of the texts"
    groups = f", each {_comment(how.group)} on one side" if how.group else ""
    return [
        f"  # There is no file for test: this part of the rows is set aside, {rule}{groups}.",
        f"  test: {{{', '.join(f'{key}: {value}' for key, value in keys.items())}}}",
        *(f"  # Could be added to it: {_comment(hint.removeprefix('--'))}"
          for hint in guess.columns.hints),
    ]  # fmt: skip


def _told(source: Path, guess: _Guess) -> Iterator[str]:
    """What was found, a line each."""
    found = guess.columns
    written = f", {guess.found}" if guess.found else ""
    yield f"{source.name or source.resolve().name}: {counted(guess.rows, 'row')}{written}"
    for what, names, why in found.reasons:
        yield f"  {what}: {names} ({why})"
    for name in found.others:
        yield f"  also a text, not read: {name} (add it with --text)"
    for hint in found.hints:
        yield f"  not used: {hint}"
    sized = sorted(
        zip(guess.counts, (name for name, _ in guess.labels), strict=False), key=lambda s: -s[0]
    )
    shown = ", ".join(f"{name} {count:,}" for count, name in sized[:MOST_SHOWN])
    rest = f", … down to {sized[-1][0]:,}" if len(sized) > MOST_SHOWN else ""
    yield f"  {counted(len(guess.labels), 'class', 'classes')}: {shown}{rest}"
    if unclear := [f"{name!r} ({count:,})" for count, name in sized if doubtful(name)]:
        yield (
            f"  {', '.join(unclear)} "
            f"{'is a class' if len(unclear) == 1 else 'are classes'} here: if rows without a label "
            "are meant, leave the cell empty"
        )
    yield from (f"  {note}" for note in guess.notes)
    if guess.beside:
        yield f"  not read: {', '.join(guess.beside)}"
    if guess.unread is not None:
        yield f"  {guess.unread} is not read: test is carved from train"
    if guess.dropped and guess.carving is not None:
        yield f"  {counted(guess.dropped, 'row')} without text or label left out"


def _balance(guess: _Guess) -> list[str]:
    present = [count for count in guess.counts if count]
    if not present or max(present) / min(present) < IMBALANCE:
        return []
    note = f"largest class of train {counted(max(present), 'row')}, smallest {min(present):,}"
    return [
        "class_weights: none  # or balanced: rare classes count for more in training",
        f"imbalance: {quoted(note)}",
    ]


def _comment(text: str) -> str:
    """A text of the data inside a comment: on one line, whatever it holds."""
    return "".join(c if c.isprintable() else "?" for c in text)
