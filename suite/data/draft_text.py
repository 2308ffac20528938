"""What rows look like -> the text of a task file, and what is said of it.

Everything that was guessed says so in a comment. The last line holds a digest of the rest, by which
a draft is told from a file that somebody has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from suite.contracts.balancing import are_rare
from suite.contracts.language import LANGUAGES
from suite.contracts.task import Reading, TestCarving, default_prompt
from suite.data.columns import Found
from suite.data.languages import LanguageGuess
from suite.data.spellings import doubtful
from suite.errors import counted

UNKNOWN_LICENCE = "unknown - fill in"

#: Classes whose counts are told.
MOST_SHOWN = 12

_DRAFTED = "# As drafted: "


@dataclass(frozen=True)
class Guess:
    """What rows look like, of which a task is written."""

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
    #: How much of train is validation, where no file holds it.
    validation_share: float
    #: How test is carved; None where a file holds it.
    carving: TestCarving | None
    dropped: int
    #: What was mended or left out in reading.
    notes: list[str]
    #: Files of rows in the folder that are no split.
    beside: list[str]


def quoted(value: str) -> str:
    """A text as a YAML scalar on one line, in quotes wherever anything could misread it.

    >>> quoted("Sports"), quoted("yes"), quoted("a: b")
    ('Sports', '"yes"', '"a: b"')
    """
    if re.fullmatch(r"[^\W\d_][\w/-]*( [\w/-]+)*", value) and yaml.safe_load(value) == value:
        return value
    dumped: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=2**30)
    return dumped.strip()


def write(
    name: str, title: str, guess: Guess, reading: Reading, source: tuple[str, str], schema: str
) -> str:
    """The text of a task file.

    Args:
        source: what a task calls the source, and its path.
        schema: the path of a task's schema, for editors.
    """
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
    if read := reading.model_dump(exclude_defaults=True):
        pairs = ", ".join(f"{key}: {json.dumps(value)}" for key, value in read.items())
        lines.append(f"  reading: {{{pairs}}}")
    lines += [f"  licence: {UNKNOWN_LICENCE}", ""]
    if not guess.validation:
        lines += [
            "# There is no validation file: this part of train is set aside, class by class."
            if guess.carving is None
            else "# Validation is this part of the rows that are left, set aside as test is.",
            f"validation: {{share: {guess.validation_share:g}, seed: 0}}",
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


def _carving(guess: Guess) -> list[str]:
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


def told(source: Path, guess: Guess) -> Iterator[str]:
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


def _balance(guess: Guess) -> list[str]:
    present = [count for count in guess.counts if count]
    if not are_rare(present):
        return []
    note = f"largest class of train {counted(max(present), 'row')}, smallest {min(present):,}"
    return [
        "class_weights: none  # or balanced: rare classes count for more in training",
        f"imbalance: {quoted(note)}",
    ]


def _comment(text: str) -> str:
    """A text of the data inside a comment: on one line, whatever it holds."""
    return "".join(c if c.isprintable() else "?" for c in text)
