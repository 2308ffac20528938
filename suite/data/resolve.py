"""Tables as they were found -> texts and class indices by split.

Every defect of a row is found here. What a table has on disk stays there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.data.columns import missing
from suite.data.joining import joined
from suite.data.kept import Places, Texting, Texts, chained, mapped, taken
from suite.data.labels import Labels
from suite.data.purposes import check_purposes
from suite.data.snapshot import Split
from suite.data.spellings import check_labelled, no_label, spell, spellings
from suite.data.splits import Keyed
from suite.data.tables import Table
from suite.data.times import read as moments
from suite.data.values import is_missing, spelled
from suite.errors import DataError, counted


@dataclass(frozen=True)
class Part:
    """A table that belongs to a split; `label` fixes the class of all its rows."""

    table: Table
    text: Sequence[str]
    column: str | None
    label: int | None = None


@dataclass(frozen=True)
class Source:
    """Everything found in one place, still in the place's own spelling."""

    description: str
    parts: dict[Split, list[Part]]
    names: list[str] | None = None
    notes: tuple[str, ...] = ()


#: What becomes of a row without text: as it is, left out, or an error.
_Blank = Literal["kept", "dropped", "refused"]


def resolve(
    task: Task, source: Source, *, strict: bool, others: Sequence[str] = ()
) -> tuple[dict[Split, Keyed], list[str]]:
    """Rows by split, and what is to be said of them: texts joined, labels as class indices.

    Args:
        strict: refuse rows without text or label where test is carved; they are else left out.
        others: columns to be kept beside texts and labels.

    Raises:
        DataError: a row has a defect; says file, row and remedy.
    """
    where = f"{source.description.removeprefix('folder ')}/labels.json"
    labels = Labels(task, source.names, where)
    _check_labelled(source)
    blank: _Blank = "kept"
    if task.data.carving is not None:
        blank = "refused" if strict else "dropped"
    spellings_of = {
        split: [_spellings(part, labels, blank) for part in parts]
        for split, parts in source.parts.items()
    }
    labels.settle(
        {s for parts in spellings_of.values() for part in parts for s in part if s is not None},
        source.description,
    )
    dropped: Counter[str] = Counter()
    rows: dict[Split, Keyed] = {}
    for split, parts in source.parts.items():
        indices: list[int] = []
        texts: list[Sequence[str]] = []
        kept: list[tuple[Part, Places]] = []
        for part, own in zip(parts, spellings_of[split], strict=True):
            some, given = _texts(part, task.data.join, blank)
            classes = _indices(part, own, labels, len(given))
            whole = np.flatnonzero(given & (classes >= 0))
            dropped["text"] += int((~given).sum())
            dropped["label"] += int((given & (classes < 0)).sum())
            indices += classes[whole].tolist()
            texts.append(some if len(whole) == len(given) else taken(some, whole))
            kept.append((part, whole))
        if not indices and dropped.total():
            raise DataError("no row has both a text and a label", where=source.description)
        ids = _ids(task, kept)
        together = texts[0] if len(texts) == 1 else chained(texts)
        named = {name: _spelled(_values(kept, name)) for name in others}
        rows[split] = Keyed(
            Rows(together, tuple(indices), ids, others=named), *_keys(task, kept, source)
        )
    said = check_purposes({split: keyed.rows for split, keyed in rows.items()}, source.description)
    return rows, [*said, *_left_out(dropped), *labels.notes]


def _indices(
    part: Part, spellings: Sequence[str | None], labels: Labels, rows: int
) -> NDArray[np.int32]:
    """The class of each row; below 0 where it has no label.

    Raises:
        DataError: a label is none of the task's.
    """
    if part.label is not None:
        return np.full(rows, part.label, np.int32)
    known: dict[str | None, int] = {None: -1}
    for row, spelling in enumerate(spellings, start=1):
        if spelling not in known:
            index = labels.index(str(spelling))
            if index is None:
                raise labels.refuse(str(spelling), f"{part.table.where}, row {row}")
            known[spelling] = index
    return np.fromiter(map(known.__getitem__, spellings), np.int32, rows)


def _values(kept: Sequence[tuple[Part, Places]], name: str) -> Sequence[Any]:
    """A column of the rows that are kept; None where a part has not got it."""
    some = [
        taken(part.table.columns[name], rows) if name in part.table.columns else [None] * len(rows)
        for part, rows in kept
    ]
    return some[0] if len(some) == 1 else chained(some)


def _ids(task: Task, kept: Sequence[tuple[Part, Places]]) -> Sequence[str | None] | None:
    """What the rows that are kept are called; None where no part has such a column."""
    name = task.data.id
    if name is None or not any(name in part.table.columns for part, _ in kept):
        return None
    return _spelled(_values(kept, name))


def _spelled(values: Sequence[Any]) -> Sequence[str | None]:
    """Names as they are spelled; None for a missing one."""
    return mapped(values, lambda value: None if missing(value) else spell(value))


def _left_out(dropped: Counter[str]) -> Iterator[str]:
    if count := dropped.total():
        what = " and ".join(f"{n:,} without {name}" for name, n in sorted(dropped.items()))
        verb = "is" if count == 1 else "are"
        yield f"{counted(count, 'row')} {verb} left out: {what}"


def _keys(
    task: Task, kept: Sequence[tuple[Part, Places]], source: Source
) -> tuple[Sequence[str | None] | None, Sequence[float] | None]:
    """The values of the columns by which test is carved, of the rows that are kept."""
    carving = task.data.carving
    groups = times = None
    if carving is not None and carving.group is not None:
        groups = _spelled(_values(kept, carving.group))
    if carving is not None and carving.time is not None:
        values = _values(kept, carving.time)
        times = tuple(moments(values, carving.time, source.description))
    return groups, times


def _check_labelled(source: Source) -> None:
    """Refuses a test or a validation without labels."""
    labelled = {
        split: [part for part in parts if part.column is not None]
        for split, parts in source.parts.items()
    }
    check_labelled(
        {
            split: spellings(*(part.table.columns[str(part.column)] for part in parts))
            for split, parts in labelled.items()
        },
        {split: parts[0].table.where if parts else "" for split, parts in labelled.items()},
    )


def _spellings(part: Part, labels: Labels, blank: _Blank) -> Sequence[str | None]:
    if part.column is None:
        return []
    values = part.table.columns[part.column]
    names = part.table.class_names.get(part.column)
    if names and not labels.reads(names, part.table.where):
        names = None
    rows: Counter[Any] = Counter()
    first: dict[Any, tuple[int, Any]] = {}
    for row, value in enumerate(values, start=1):
        key = _key(value)
        rows[key] += 1
        first.setdefault(key, (row, value))
    read: dict[Any, str | None] = {}
    for key, (row, value) in first.items():
        try:
            read[key] = _spelling(value, rows[key], names, part, labels, blank)
        except DataError as error:
            error.where = f"{part.table.where}, row {row}"
            raise
    return tuple(read[_key(value)] for value in values)


def _key(value: Any) -> Any:
    """What tells a label from others: 1, 1.0 and True are three."""
    return value if isinstance(value, str) else (type(value), repr(value))


def _spelling(
    value: Any,
    rows: int,
    names: Sequence[str] | None,
    part: Part,
    labels: Labels,
    blank: _Blank,
) -> str | None:
    """A label that so many rows have, as it is spelled; None for a missing one, whose rows are
    left out.

    Raises:
        DataError: it is missing, or no label.
    """
    if names and isinstance(value, int) and 0 <= value < len(names):
        value = names[value]
    if missing(value) or (blank != "kept" and no_label(value)):
        if blank == "dropped":
            return None
        raise DataError(
            f"the label is {'null' if value is None else 'empty'}",
            fix=f"Every row needs a value in '{part.column}'.",
        )
    if not isinstance(value, str | int | float | Decimal):
        raise DataError(
            f"the label is a {type(value).__name__}: {value!r:.60}",
            fix=f"'{part.column}' must hold one name or number; name another column "
            "in the task under data.label.",
        )
    return labels.read(value, rows)


def _texts(part: Part, join: str, blank: _Blank) -> tuple[Sequence[str], NDArray[np.bool_]]:
    """The text of each row, and which have one; the others are dropped."""
    columns = [part.table.columns[name] for name in part.text]
    given = np.ones(len(columns[0]), bool)
    own = len(columns) == 1 and isinstance(columns[0], Texts)
    made = Texting(aside=any(isinstance(column, Texts) for column in columns) and not own)
    for row, values in enumerate(zip(*columns, strict=True)):
        text = _text(values, part, join, blank, row)
        given[row] = text is not None
        # One column of texts is read where it lies.
        if not own:
            made.add(text or "")
    return (columns[0] if own else made.done()), given


def _text(values: Sequence[Any], part: Part, join: str, blank: _Blank, row: int) -> str | None:
    """The text of one row; None for a blank one that is dropped."""
    texts = [value if type(value) is str else spelled(value) for value in values]
    for name, value, text in zip(part.text, values, texts, strict=True):
        if text is None and not is_missing(value):
            raise DataError(
                f"'{name}' is a {type(value).__name__}, not a text: {value!r:.60}",
                where=f"{part.table.where}, row {row + 1}",
                fix="Name the column of the texts in the task under data.text.",
            )
    text = joined(texts, join)
    if text is None or (blank != "kept" and not any(t and t.strip() for t in texts)):
        if blank == "dropped":
            return None
        raise DataError(
            f"the text is {'null' if text is None else 'empty'}",
            where=f"{part.table.where}, row {row + 1}",
            fix=f"Every row needs a text in {' or '.join(map(repr, part.text))}.",
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError(
            "half of a character (\\ud800 to \\udfff), which no tokenizer reads",
            where=f"{part.table.where}, row {row + 1}",
            fix="Write the character whole, or U+FFFD in its place.",
        ) from None
    return text
