"""Thinking traces on disk: one JSON line per training row, kept where the answer was right.

`suite distil` writes them, the `sft` arm reads them. Rows that were asked in vain stand in a file
beside, so that going on asks nothing twice.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from suite import files, paths, shell
from suite.contracts.strategy import Refused, Rows
from suite.contracts.task import Task
from suite.data.room import Room
from suite.errors import DataError
from suite.prompting import layout
from suite.prompting.layout import COMMON_MARKS

Outcome = Literal["right", "wrong", "unanswered", "unclosed", "no thought"]


@dataclass(frozen=True)
class Trace:
    """A line of the file: the thought about one training text, and the right answer it led to.

    Args:
        key: `text_key` of the text.
        label: the class's name.
        code: the option that stood for this class when the model was asked; its thought may say it.
        answer: what the model wrote after its thought.
        model: who thought.
    """

    key: str
    label: str
    code: str
    thought: str
    answer: str
    model: str


@dataclass(frozen=True)
class Missed:
    """A line of the file beside it: a row that was asked (and paid) in vain."""

    key: str
    label: str
    outcome: Outcome
    answer: str
    model: str
    max_tokens: int


def text_key(text: str) -> str:
    """What identifies a text: its SHA-256, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def defused(thought: str) -> str:
    """A thought in which no control mark stands, safe to put between think marks."""
    return layout.defuse(thought.encode("utf-8", "replace").decode("utf-8"), COMMON_MARKS).strip()


def lacks(task: Task) -> str | None:
    """Why nothing can be taught to think about a task, and what would help; None where there are
    thoughts of it in this working folder."""
    file = paths.distilled(task.name)
    if file.is_file():
        return None
    sampled = task.data.folder == "bundled-sample"  # what `sample_task` writes
    named = (task.name.removesuffix("-sample"), "--sample") if sampled else (task.name,)
    return (
        f"think: distilled needs thinking traces, and {file} is not there: run "
        f"`{shell.command('distil', *named)}` first, or use think: prompt"
    )


def traces_for(task: Task, rows: Rows) -> list[Trace | None]:
    """The trace of each row, or None where there is none; in the order of the rows.

    Raises:
        Refused: nothing was distilled for this task in this working folder.
        DataError: the file holds something else.
    """
    missing = lacks(task)
    if missing is not None:
        raise Refused(missing)
    file = paths.distilled(task.name)
    traces = {(trace.key, trace.label): trace for trace in read_traces(file)}
    names = task.label_names
    return [
        traces.get((text_key(text), names[label]))
        for text, label in zip(rows.texts, rows.labels, strict=True)
    ]


def missed_file(file: Path) -> Path:
    """Where rows that were asked in vain stand, beside a file of traces."""
    return file.with_name(f"{file.stem}~missed.jsonl")  # no task is called so


def write_line(stream: IO[str], line: Trace | Missed) -> None:
    """Appends a line, at once: what was paid for must survive a crash."""
    stream.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
    stream.flush()


def read_traces(file: Path) -> list[Trace]:
    """The traces of a file; none where it is missing.

    Raises:
        DataError: a line is something else.
    """
    words = ("key", "label", "code", "thought", "answer", "model")
    found = _lines(file, dict.fromkeys(words, str))
    # Defused again: the file may have been written by other hands.
    return [Trace(**{**line, "thought": defused(line["thought"])}) for line in found]


def read_missed(file: Path) -> list[Missed]:
    """The rows that were asked in vain; none where the file is missing.

    Raises:
        DataError: a line is something else.
    """
    words = dict.fromkeys(("key", "label", "outcome", "answer", "model"), str)
    return [Missed(**line) for line in _lines(file, {**words, "max_tokens": int})]


def _lines(file: Path, wanted: Mapping[str, type]) -> Iterator[dict[str, Any]]:
    """What is wanted of each line; half a line at the end, from a run that was killed, is left out.

    Raises:
        DataError: another line is not what it should be.
    """
    if not os.path.lexists(file):
        return
    room = Room()
    with files.opened(file, DataError) as stream:
        for number in itertools.count(1):
            where = f"{file}, line {number}"
            raw = stream.readline(room.row + 1)
            if len(raw) > room.row:
                raise room.full("this line", room.row, where)
            if not raw.endswith(b"\n"):
                return
            if raw.strip():
                yield _line(raw, wanted, where)


def _line(raw: bytes, wanted: Mapping[str, type], where: str) -> dict[str, Any]:
    try:
        line = files.parse_json(raw)
        found = {name: line[name] for name in wanted}
        right = all(isinstance(found[name], kind) for name, kind in wanted.items())
    except (files.NotJson, KeyError, TypeError):
        right = False
    if not right:
        raise DataError(
            f"this is no line of `suite distil` (expected {', '.join(wanted)})",
            where=where,
            fix="Remove the line; its row is asked again.",
        )
    return found
