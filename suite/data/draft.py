"""`suite task new` and `suite task check`: a folder of rows -> a task file, and what a task lacks.

The draft is a file for a person to go on with: everything that was guessed says so in a comment,
and the file passes the check as it stands.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from suite.config.task import load_task
from suite.contracts.language import LANGUAGES
from suite.contracts.task import NAME, Task, default_prompt
from suite.data import load as data
from suite.data import tables
from suite.data.audit import IMBALANCE
from suite.data.labels import spell, whole
from suite.data.languages import LanguageGuess, detect
from suite.data.room import Room
from suite.errors import DataError, SuiteError, TaskError, counted
from suite.files import is_folder, named
from suite.paths import PACKAGE

#: Chinese characters, without punctuation.
CJK = re.compile(LANGUAGES["zh"].script or "")

#: More values than this and a column is not taken to hold classes.
MOST_CLASSES = 1000

UNKNOWN_LICENCE = "unknown - fill in"

_LABEL_NAMES = ("label", "labels", "category", "class", "target", "intent", "topic", "sentiment")


@dataclass(frozen=True)
class Finding:
    """One line of a check: `ok` and `note` are to read, `warning` to mend; `error` stops."""

    level: Literal["ok", "note", "warning", "error"]
    message: str


# --- suite task new -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Guess:
    """What a folder of rows looks like."""

    language: LanguageGuess
    text: str
    other_texts: list[str]
    label: str
    labels: list[tuple[str, list[int]]]
    numbered: bool
    counts: list[int]
    out_of_scope: str | None
    max_tokens: int
    p95: int
    rows: int
    files: list[str]


def draft(
    name: str, data_dir: Path, *, task_file: Path | None = None, room: Room | None = None
) -> str:
    """The text of a task file for the rows in a folder.

    Args:
        task_file: where it will stand; a relative `data_dir` is written relative to it.
        room: how much of the rows may be in memory at once.

    Raises:
        TaskError: the name is none.
        DataError: no train and test files, or no columns that could be texts and classes.
    """
    if not NAME.fullmatch(name):
        raise TaskError(
            f"{name!r} is no name for a task",
            fix="Small letters, digits, '-', '_' and '.', at most 64 of them.",
        )
    guess = _look(data_dir, room or Room())
    folder = data_dir.resolve()
    schema = PACKAGE / "config" / "schemas" / "task.schema.json"
    shown, shown_schema = str(folder), str(schema)
    if task_file is not None:
        home = task_file.resolve().parent
        if not data_dir.is_absolute():
            shown = os.path.relpath(folder, home)
        if home.is_relative_to(PACKAGE.parent):
            shown_schema = os.path.relpath(schema, home)
    return _write(name, guess, shown, shown_schema)


def _look(folder: Path, room: Room) -> _Guess:
    if not is_folder(named(folder, DataError), DataError):
        raise DataError("no such folder", where=str(folder), fix="Give the folder of the rows.")
    files = {
        split: found
        for split in data.SPLITS
        if (found := data.split_file(folder, data.STEMS[split])) is not None
    }
    for split in ("train", "test"):
        if split not in files:
            raise DataError(
                f"no file for {split}",
                where=str(folder),
                fix=f"Expected {split} as {tables.FORMATS}. Found: {data.listing(folder)}.",
            )
    table = tables.read_file(files["train"], lambda columns: columns, room)
    text, others = _text_column(table)
    label = _label_column(table, text)
    # Of the other files the labels alone: a file may lack the column.
    read = [table.columns[label]] + [
        tables.read_file(
            path, lambda columns: [label] if label in columns else columns[:1], room
        ).columns.get(label, [])
        for split, path in files.items()
        if split != "train"
    ]
    labels, numbered = _classes(folder, table, label, read)
    out_of_scope, extra = _out_of_scope(folder, labels, label, room)
    if out_of_scope is not None and out_of_scope not in [label_name for label_name, _ in labels]:
        labels.append((out_of_scope, []))
    texts = [value for value in table.columns[text] if isinstance(value, str)]
    tokens = sorted(estimate_tokens(t) for t in texts)
    p95 = tokens[int(0.95 * (len(tokens) - 1))]
    seen = Counter(spell(value) for value in table.columns[label])
    return _Guess(
        language=detect(texts),
        text=text,
        other_texts=others,
        label=label,
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
        files=[*(path.name for path in files.values()), *extra],
    )


def _text_column(table: tables.Table) -> tuple[str, list[str]]:
    """The column of the longest texts, and other columns that hold texts of some length."""
    looks: dict[str, tuple[bool, float]] = {}
    for name, values in table.columns.items():
        texts = [value for value in values if isinstance(value, str)]
        distinct = len(set(texts))
        if len(texts) * 2 > len(values) and distinct > 1:
            # Classes may have long names, but few of them.
            looks[name] = (distinct * 3 > len(texts), sum(map(len, texts)) / len(texts))
    if not looks:
        raise DataError(
            "no column holds texts",
            where=table.where,
            fix=f"Columns: {', '.join(table.columns)}. Texts are expected in one of them.",
        )
    best = max(looks, key=lambda name: (looks[name], name == "text"))
    others = [name for name, look in looks.items() if name != best and look[0] and look[1] >= 20]
    return best, others


def _label_column(table: tables.Table, text: str) -> str:
    """The column with few values that looks most like classes."""
    found: dict[str, int] = {}
    for name, values in table.columns.items():
        plain = all(isinstance(value, str | int | float) for value in values)
        if name == text or not plain:
            continue
        distinct = len({spell(value) for value in values})
        if 2 <= distinct <= min(MOST_CLASSES, max(2, len(values) * 2 // 3)):
            found[name] = distinct
    if not found:
        raise DataError(
            "no column looks like classes",
            where=table.where,
            fix=f"Columns: {', '.join(table.columns)}. Beside '{text}', one with 2 to "
            f"{MOST_CLASSES:,} different values and none missing is expected.",
        )
    named = [name for known in _LABEL_NAMES for name in found if name.lower() == known]
    return named[0] if named else min(found, key=lambda name: (found[name], name))


def _classes(
    folder: Path, table: tables.Table, label: str, columns: Sequence[Sequence[Any]]
) -> tuple[list[tuple[str, list[int]]], bool]:
    """Class names in order, each with the other numbers that stand for it in the data; and
    whether the names are only numbers."""
    names = data.names_file(folder) or table.class_names.get(label)
    if names:
        return [(name, []) for name in names], False
    values = {spell(value) for column in columns for value in column if value is not None}
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


def estimate_tokens(text: str) -> int:
    """About how many tokens a sub-word vocabulary cuts a text into: one for a Chinese
    character, one for four others."""
    if text.isascii():
        return -(-len(text) // 4)
    chinese = len(CJK.findall(text))
    return chinese + -(-(len(text) - chinese) // 4)


def quoted(value: str) -> str:
    """A text as a YAML scalar on one line, in quotes wherever anything could misread it.

    >>> quoted("Sports"), quoted("yes"), quoted("a: b")
    ('Sports', '"yes"', '"a: b"')
    """
    if re.fullmatch(r"[^\W\d_][\w/-]*( [\w/-]+)*", value) and yaml.safe_load(value) == value:
        return value
    dumped: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=2**30)
    return dumped.strip()


def _write(name: str, guess: _Guess, folder: str, schema: str) -> str:
    lines = [
        f"# yaml-language-server: $schema={schema}",
        f"# Drafted from {_comment(', '.join(guess.files))} ({counted(guess.rows, 'row')} of "
        "train). Read it through: the comments say what was guessed.",
        f"name: {quoted(name)}",
        f"title: {quoted(name)}  # what a page is headed with",
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
    lines += [
        "",
        "data:",
        f"  folder: {quoted(folder)}",
        f"  text: [{quoted(guess.text)}]  # the column of the longest texts",
    ]
    if guess.other_texts:
        lines.append(
            f"  # Also texts: {_comment(', '.join(guess.other_texts))}. Columns listed together "
            "are joined by `join`."
        )
    lines += [
        f"  label: {quoted(guess.label)}",
        f"  licence: {UNKNOWN_LICENCE}",
        "",
    ]
    if not any(file.startswith(data.STEMS["validation"]) for file in guess.files):
        lines += [
            "# There is no validation file: this part of train is set aside, class by class.",
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
    return "\n".join(lines) + "\n"


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


# --- suite task check -----------------------------------------------------------------------


def check(task_file: Path, data_dir: Path | None = None, room: Room | None = None) -> list[Finding]:
    """Everything that can be said of a task file, and of its rows where they are on this machine.

    Never raises for a defect of the file or the data: it is a finding of level `error`.

    Args:
        data_dir: a folder that stands in for the task's source, as `--data` does.
        room: how much of the rows may be in memory at once.
    """
    try:
        task = load_task(task_file)
    except SuiteError as error:
        return [Finding("error", str(error))]
    findings = [
        Finding("ok", f"the file fits the schema: {counted(len(task.labels), 'class', 'classes')}")
    ]
    if task_file.stem != task.name:
        findings.append(
            Finding("note", f"the file is called {task_file.name}, the task '{task.name}': "
                    f"only as {task.name}.yaml is it found by name")
        )  # fmt: skip
    hub = task.data.hub
    if hub is not None and not hub.pinned:
        findings.append(
            Finding("warning", f"data.hub: {hub.id} is not pinned (revision main): its rows may "
                    "change under a study; name a commit of 40 hex digits")
        )  # fmt: skip
    elif hub is not None and not hub.revision_from:
        findings.append(Finding("note", "data.hub: revision_from does not say where it was found"))
    if task.language not in task.prompt:
        findings.append(
            Finding("note", f"no prompt in the task's language ({task.language}): zero_shot and "
                    "sft ask the usual question"
                    + ("" if task.language in LANGUAGES else ", in English"))
        )  # fmt: skip
    if task.data.licence == UNKNOWN_LICENCE:
        findings.append(Finding("note", "data.licence is not filled in"))
    return [*findings, *_check_data(task, task_file, data_dir, room)]


def _check_data(
    task: Task, task_file: Path, data_dir: Path | None, room: Room | None
) -> list[Finding]:
    folder = None if task.data.folder is None else task_file.parent / task.data.folder
    try:
        if data_dir is None and folder is not None and not is_folder(folder, DataError):
            where = os.path.abspath(folder)
            return [Finding("warning", f"its folder {where} is not here: give --data DIR")]
        found = data.load(task, task_file, data=data_dir, hub_reachable=lambda: False, room=room)
    except tables.HubUnavailable:
        return [Finding("note", "the rows are not on this machine: not checked")]
    except SuiteError as error:
        return [Finding("error", str(error))]
    rows, audit = found.facts.rows, found.facts.audit
    findings = [
        Finding(
            "ok",
            f"{found.facts.source}: {rows.train:,} train, {rows.validation:,} validation, "
            f"{counted(rows.test, 'test row')}; fingerprint {found.facts.fingerprint}",
        )
    ]
    if audit is not None:
        findings += [Finding("warning", warning) for warning in audit.warnings]
    long = sum(1 for t in found.train.texts if estimate_tokens(t) > task.max_tokens)
    if long:
        share = 100 * long / len(found.train)
        findings.append(
            Finding("note", f"by their characters, about {share:.1f} % of the train texts "
                    f"({long:,}) are longer than max_tokens ({task.max_tokens}) and will be cut")
        )  # fmt: skip
    return findings
