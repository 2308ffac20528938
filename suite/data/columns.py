"""A table -> which of its columns are texts, which is the label, which names the rows.

A guess is made by names, kinds, lengths and repeats, and each says why, for whoever reads it. What
could be meant in two ways is not decided here: two columns that both look like classes are an
error which names them. A column to split by (a customer, a date) is never guessed, only pointed
out, for it changes what a score means.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suite.data.column_names import (
    BESIDE,
    GROUPS,
    HEADINGS,
    IDS,
    LABELS,
    TEXTS,
    check_first_row,
)
from suite.data.looks import MOST_CLASSES, Column, look
from suite.data.spellings import spell
from suite.data.values import is_missing
from suite.errors import DataError, counted, nearest

_ENDS_IN_ID = re.compile(r"(?i:(^|[\W_])id$)|[a-z]I[Dd]$")


@dataclass(frozen=True)
class Asked:
    """What was said of columns, in place of a guess."""

    text: tuple[str, ...] = ()
    label: str | None = None
    id: str | None = None
    group: str | None = None
    time: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """Each column that was named -> the option that names it."""
        options = {name: "--text" for name in self.text}
        for option in ("label", "id", "group", "time"):
            if (name := getattr(self, option)) is not None:
                options.setdefault(name, f"--{option}")
        return options


@dataclass(frozen=True)
class Found:
    """The columns of a table, each with the reason it was taken for.

    Args:
        reasons: `(what, columns, why)`, as in `("text", "subject, body", "the longest texts …")`.
        others: further columns that hold texts of some length.
        hints: what could be given besides, in words.
    """

    text: tuple[str, ...]
    label: str
    id: str | None
    reasons: tuple[tuple[str, str, str], ...]
    others: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A column that could be the label: how many classes, and the commonest."""

    name: str
    classes: int
    commonest: tuple[str, ...]

    def __str__(self) -> str:
        more = ", …" if self.classes > len(self.commonest) else ""
        return f"{self.name} ({self.classes:,}: {', '.join(self.commonest)}{more})"


class LabelUnclear(DataError):
    """Several columns look like classes; `candidates` are they."""

    def __init__(self, candidates: Sequence[Candidate], where: str) -> None:
        names = [candidate.name for candidate in candidates]
        shown = candidates[:6]
        more = f"; and {len(candidates) - 6} more" if len(candidates) > 6 else ""
        super().__init__(
            f"{counted(len(candidates), 'column')} could be the label: "
            f"{'; '.join(map(str, shown))}{more}",
            where=where,
            fix=f"Name it: {' or '.join(f'--label {name}' for name in names[:2])}.",
        )
        self.candidates = tuple(candidates)


def find(columns: Mapping[str, Sequence[Any]], asked: Asked, *, where: str) -> Found:
    """The columns of texts, of the label and of the rows' names.

    Args:
        columns: name -> values, all of one length; a missing value is None, NaN or blank.
        asked: what was named; the rest is guessed.
        where: the table, for errors.

    Raises:
        LabelUnclear: several columns look like classes, and none is called so.
        DataError: a named column is not there, or none could be texts, or classes.
    """
    _check_named(columns, asked, where)
    check_first_row(columns, where)
    seen = {name: look(name, values) for name, values in columns.items()}
    free = {name: column for name, column in seen.items() if name not in asked.named}
    text, why_text = _text(free, asked, where)
    free = {name: column for name, column in free.items() if name not in text}
    if asked.label is not None:
        label, why_label = asked.label, f"named with --label; {_classes(seen[asked.label])}"
        if (error := _unfit(seen[label], where, named=True)) is not None:
            raise error
    else:
        label, why_label = _label(columns, free, text, where)
    free.pop(label, None)
    reasons = [("text", ", ".join(text), why_text), ("label", label, why_label)]
    id, why_id = _id(free, asked)
    if id is not None:
        reasons.append(("id", id, why_id))
        free.pop(id, None)
    for option in ("group", "time"):
        if (name := getattr(asked, option)) is not None:
            reasons.append((option, name, f"named with --{option}"))
    return Found(
        text,
        label,
        id,
        tuple(reasons),
        tuple(
            name
            for name, column in free.items()
            if column.prose and column.varied and column.length >= 20
        ),
        tuple(_hints(free, asked)),
    )


def missing(value: Any) -> bool:
    """Whether a cell holds nothing: null, NaN, or blank."""
    return is_missing(value) or (isinstance(value, str) and not value.strip())


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in a row, cut where there are very many."""
    names = list(names)
    more = f", … ({len(names):,} in all)" if len(names) > most else ""
    return ", ".join(name or "(unnamed)" for name in names[:most]) + more


def _check_named(columns: Mapping[str, Sequence[Any]], asked: Asked, where: str) -> None:
    for name, option in asked.named.items():
        if name not in columns:
            raise DataError(
                f"no column '{name}', which {option} names",
                where=where,
                fix=nearest(name, list(columns)),
            )
    if len(set(asked.text)) < len(asked.text):
        raise DataError("--text names a column twice", where=where)
    if asked.label in asked.text:
        raise DataError(
            f"'{asked.label}' is named as text and as label",
            where=where,
            fix="A text that holds its own class is no problem to solve: name another column.",
        )
    if asked.label is not None and asked.label in (asked.group, asked.time):
        raise DataError(
            f"'{asked.label}' is the label, by which rows can't be split too",
            where=where,
            fix="Name another column with --group or --time.",
        )


# --- texts ----------------------------------------------------------------------------------


def _text(free: Mapping[str, Column], asked: Asked, where: str) -> tuple[tuple[str, ...], str]:
    if asked.text:
        return asked.text, "named with --text" + _joined(asked.text)
    prose = [c for c in free.values() if c.prose and (c.varied or c.distinct > 20)]
    if not prose:
        return _odd_text(free, where)
    longest = max(prose, key=lambda c: (c.varied, c.length))
    best = max(prose, key=lambda c: (c.varied, c.plain in TEXTS, c.length))
    # A name says more than length where both are texts; but not of a column of single words.
    if best.length < 0.1 * longest.length:
        best = longest
    chosen = _companions(best, prose)
    names = tuple(column.name for column in chosen)
    by_name = [c.name for c in chosen if c.plain in TEXTS | HEADINGS]
    *some, last = (round(column.length) for column in chosen)
    lengths = " and ".join([*(f"{length:,}" for length in some), counted(last, "character")])
    reason = "called so" if len(by_name) == len(chosen) else "the longest texts"
    return names, f"{reason}, {lengths} on average{_joined(names)}"


def _joined(names: Sequence[str]) -> str:
    return "; joined to one text" if len(names) > 1 else ""


def _companions(best: Column, prose: Sequence[Column]) -> list[Column]:
    """The texts that are read together: a heading with its text, or text1 and text2."""

    def together(column: Column) -> bool:
        if column is best or not column.varied:
            return column is best
        ends = {column.plain[-1:], best.plain[-1:]}
        pair = column.plain[:-1] == best.plain[:-1] and ends in ({"1", "2"}, {"a", "b"})
        under = best.plain in HEADINGS and column.plain in TEXTS
        return pair or under or column.plain in HEADINGS

    return [column for column in prose if together(column)]


def _odd_text(free: Mapping[str, Column], where: str) -> tuple[tuple[str, ...], str]:
    """A column that is called text, whatever is in it: numbers and dates can be texts.

    Raises:
        DataError: none is called so.
    """
    fitting = [c for c in free.values() if c.distinct > 1 and not c.nested]
    for column in fitting:
        if column.plain in TEXTS:
            return (column.name,), f"called so, though {_oddity(column)}"
    if max((column.rows for column in free.values()), default=0) < 2:
        raise DataError(
            "there is one row", where=where, fix="Give rows of at least two classes, several each."
        )
    fix = "; ".join(f"{name or '(unnamed)'}: {_oddity(c)}" for name, c in list(free.items())[:6])
    more = f", … ({len(free):,} in all)" if len(free) > 6 else ""
    fix = f"Columns: {fix}{more}."
    if odd := [c for c in fitting if c.varied or c.distinct > 20]:
        most = max(odd, key=lambda c: c.distinct)
        fix += f" If numbers or codes are the texts, name them: --text {most.name}."
    if any(column.nested for column in free.values()):
        fix += " Write each text, and each label, as a column of its own."
    raise DataError("no column holds texts", where=where, fix=fix)


def _oddity(column: Column) -> str:
    """What a column holds that is not taken for texts."""
    kinds = (("dates", column.dates), ("numbers", column.numbers), ("addresses", column.addresses))
    what = next((kind for kind, count in kinds if column.mostly(count)), None)
    if column.nested:
        return "its values are lists or objects"
    if what is not None:
        return f"its values are {what}"
    if column.filled * 2 <= column.rows:
        return f"{counted(column.rows - column.filled, 'row')} of {column.rows:,} have none"
    if column.distinct == 1:
        return f"its value is the same in {counted(column.filled, 'row')}"
    return f"there are {column.distinct:,} different ones"


# --- the label ------------------------------------------------------------------------------


def _label(
    columns: Mapping[str, Sequence[Any]],
    free: Mapping[str, Column],
    text: Sequence[str],
    where: str,
) -> tuple[str, str]:
    named = [c for known in LABELS for c in free.values() if c.plain == known]
    wrong = {c.name: error for c in named if (error := _unfit(c, where)) is not None}
    if named:
        if len(wrong) == len(named):
            raise wrong[named[0].name]
        return _one_of(columns, [c for c in named if c.name not in wrong], where, "called so; ")
    found = [
        c for c in free.values()
        if _unfit(c, where) is None and c.filled * 2 >= c.rows
        and c.distinct <= max(2, c.filled * 2 // 3)
        and c.plain not in IDS | GROUPS
        and (c.distinct <= 10 or not c.mostly(c.numbers))
    ]  # fmt: skip
    found = [c for c in found if c.plain not in BESIDE] or found
    # Few values, each often: what else repeats are names of people, places and things.
    often = [c for c in found if c.distinct <= 20 or c.filled >= 20 * c.distinct] or found
    if often:
        return _one_of(columns, often, where, "")
    if len(free) == 1:
        (only,) = free.values()
        if (error := _unfit(only, where)) is not None:
            raise error
    if len(columns) == 1:
        raise DataError(
            f"there is one column: {listed(columns)}",
            where=where,
            fix="Beside the texts a column of classes is expected. If another mark than , ; | or a "
            "tab stands between fields, name it with --delimiter.",
        )
    raise DataError(
        "no column looks like classes",
        where=where,
        fix=f"Columns: {listed([*text, *free])}. Beside {listed(text)}, one with 2 to "
        f"{MOST_CLASSES:,} different values that repeat is expected; name it with --label.",
    )


def _one_of(
    columns: Mapping[str, Sequence[Any]], found: Sequence[Column], where: str, why: str
) -> tuple[str, str]:
    """The one candidate; of columns that name the same classes, the first that has names.

    Raises:
        LabelUnclear: there are several.
    """
    kept: list[Column] = []
    for column in found:
        twin = next((k for k in kept if _same(columns[k.name], columns[column.name])), None)
        if twin is None:
            kept.append(column)
        elif not why and twin.mostly(twin.numbers) and not column.mostly(column.numbers):
            kept[kept.index(twin)] = column
    if len(kept) > 1:
        raise LabelUnclear(
            [
                Candidate(
                    c.name, c.distinct, tuple(v[:40] for v, _ in Counter(c.values).most_common(3))
                )
                for c in kept
            ],
            where,
        )
    return kept[0].name, why + _classes(kept[0])


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether two columns name the same classes, one to one."""
    raw = {(type(a), a, type(b), b) for a, b in zip(one, other, strict=True)}
    pairs = {(spell(a), spell(b)) for _, a, _, b in raw}
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def _classes(column: Column) -> str:
    return f"{counted(column.distinct, 'different value')} in {counted(column.filled, 'row')}"


def _unfit(column: Column, where: str, *, named: bool = False) -> DataError | None:
    """Why a column can't be the label: it has no value, one, as many as rows, too many, or lists;
    dates or measured numbers, where nobody named it; or None."""
    name, distinct = column.name, column.distinct
    fix = "Name another column with --label."
    if column.nested:
        what = f"'{name}' holds lists or objects, not one class a row"
    elif not distinct:
        what = f"'{name}' is empty in every row"
    elif distinct == 1:
        only = next(iter(column.values))
        what = f"'{name}' has one value in all {counted(column.filled, 'row')}: {only!r:.60}"
        fix = f"A classifier needs rows of at least two classes. {fix}"
    elif distinct == column.filled and distinct > 2:
        what = f"'{name}' has as many values as rows: {distinct:,}"
        fix = f"Each class would have one row, and none could be held out. {fix}"
    elif distinct > MOST_CLASSES:
        what = f"'{name}' has {distinct:,} different values; at most {MOST_CLASSES:,} are classes"
    elif (again := column.values.get(name)) is not None:
        what = f"'{name}' is the column's name, and its value in {counted(again, 'row')}"
        fix = (
            "The file's first line seems to be a row: write the columns' names over it. If it "
            "stands in the file again, take it out there."
        )
    elif not named and column.mostly(column.dates):
        what = f"the values of '{name}' are dates"
        fix = f"If each date is a class: --label {name}. Else name another column."
    elif not named and column.mostly(column.numbers) and not column.mostly(column.wholes):
        what = f"the values of '{name}' are measured numbers ({distinct:,} different)"
        fix = f"If each number is a class: --label {name}. Else name another column."
    else:
        return None
    return DataError(what, where=where, fix=fix)


# --- the rest -------------------------------------------------------------------------------


def _id(free: Mapping[str, Column], asked: Asked) -> tuple[str | None, str]:
    if asked.id is not None:
        return asked.id, "named with --id"
    for column in free.values():
        known = column.plain in IDS or _ENDS_IN_ID.search(column.name)
        if known and column.unique and not column.spaced:
            return column.name, "called so, and different in every row; kept in outputs"
    return None, ""


def _hints(free: Mapping[str, Column], asked: Asked) -> Iterable[str]:
    """Columns to split by, where there are any and none was named."""
    if asked.time is None:
        for column in free.values():
            if column.mostly(column.dates) and column.distinct > 1:
                yield f"--time {column.name}  (dates: the newest rows would be the test)"
                break
    if asked.group is None:
        for column in free.values():
            stem = re.sub(r"(id|name|no|nr|email)$", "", column.plain)
            if {column.plain, stem} & GROUPS and 2 < column.distinct < column.filled:
                yield (
                    f"--group {column.name}  ({counted(column.distinct, 'value')}, "
                    f"{counted(round(column.filled / column.distinct, 1), 'row')} each: each "
                    "would stay on one side)"
                )
                break
