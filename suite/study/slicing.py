"""What test rows are parted by, and what arms score on the parts that every study has: by length
and by the size of classes."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence

import optuna

from suite.contracts.results import Final
from suite.contracts.slices import (
    CLASS_SIZE,
    FEWEST_ROWS,
    LANGUAGE,
    MISSING,
    Slices,
)
from suite.contracts.strategy import Rows
from suite.data import times
from suite.data.languages import of_each
from suite.errors import DataError
from suite.study import by_length, slices_record
from suite.study.definition import Definition
from suite.verdict.slicing import Group, judged
from suite.verdict.unjudged import Answers

#: Rows to learn from at which classes are parted.
SIZES = (10, 100, 1000)
#: Values of a column that are told of, at most: those with most rows.
MOST_VALUES = 20
#: Part of the texts that a language must have to be told of.
LEAST_LANGUAGE = 0.02


def of_finals(
    study: optuna.Study,
    definition: Definition,
    test: Rows,
    answers: Answers,
    fixed: Collection[str],
) -> Slices:
    """The parts that every study has, stored in place of what stood there. How far the splits
    differ stays as it was found: their rows are the same."""
    groups = [
        *by_length.thirds(test.texts, definition.task.language),
        *by_size(definition, test.labels),
    ]
    classes = len(definition.task.labels)
    found = Slices(
        judged(test.labels, answers, groups, classes, fixed),
        drift=slices_record.drift(study),
        few=few(definition, test.labels),
    )
    slices_record.store(study, found)
    return found


def fixed_of(finals: Sequence[Final]) -> set[str]:
    """Arms whose training repeats itself."""
    return {final.arm for final in finals if final.deterministic}


def by_size(definition: Definition, labels: Sequence[int]) -> list[Group]:
    """Test rows by how many rows there are to learn their class from; none where all have alike
    many."""
    rows = _train_rows(definition)
    places = [sum(count >= size for size in SIZES) for count in rows]
    ends = (0, *SIZES)
    found = []
    for place, low in enumerate(ends):
        own = tuple(label for label, at in enumerate(places) if at == place)
        if not own:
            continue
        high = ends[place + 1] - 1 if place < len(SIZES) else None
        value = f"≥ {low:,}" if high is None else f"{low:,}–{high:,}"
        held = [row for row, label in enumerate(labels) if places[label] == place]
        found.append(Group(CLASS_SIZE, value, held, own))
    return found if len(found) > 1 else []


def few(definition: Definition, labels: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Classes with too few rows in train or test for anything to be said, each with both."""
    tested = Counter(labels)
    return {
        name: (rows, tested.get(label, 0))
        for label, (name, rows) in enumerate(
            zip(definition.task.label_names, _train_rows(definition), strict=True)
        )
        if min(rows, tested.get(label, 0)) < FEWEST_ROWS
    }


def by_language(texts: Sequence[str]) -> list[Group]:
    """Rows by the language that their texts are taken for; none where all are of one."""
    codes = of_each(texts)
    shares = Counter(codes)
    told = [code for code, rows in shares.most_common() if rows >= LEAST_LANGUAGE * len(texts)]
    if len(told) < 2:
        return []
    return [
        Group(LANGUAGE, code, [row for row, own in enumerate(codes) if own == code])
        for code in told
    ]


def by_value(column: str, values: Sequence[str | None]) -> tuple[list[Group], int]:
    """Rows by their value in a column, the most frequent values first, and how many values are left
    out; of more different numbers or times than are told of, thirds."""
    known = [value or MISSING for value in values]
    shares = Counter(known)
    if len(shares) > MOST_VALUES and (found := _by_order(column, known)):
        return found
    told = [value for value, rows in shares.most_common(MOST_VALUES) if rows >= FEWEST_ROWS]
    groups = [
        Group(column, value, [row for row, own in enumerate(known) if own == value], column=True)
        for value in told
    ]
    return groups, len(shares) - len(told)


def _by_order(column: str, values: Sequence[str]) -> tuple[list[Group], int] | None:
    """The same of numbers or times; None where the values are neither, or nearly all alike."""
    try:
        places = times.read(values, column, "")
    except DataError:
        return None
    there = [place for place in places if place != times.OLDEST]
    ends = by_length.ends_of_thirds(there)
    if not ends:
        return None
    spelled = dict(zip(places, values, strict=True))
    low, high = spelled[ends[0]], spelled[ends[-1]]
    names = [f"≤ {low}", *([f"> {low}, ≤ {high}"] if len(ends) > 1 else []), f"> {high}"]
    rows: list[list[int]] = [[] for _ in names]
    missing = []
    for row, place in enumerate(places):
        if place == times.OLDEST:
            missing.append(row)
        else:
            rows[bisect_left(ends, place)].append(row)
    groups = [Group(column, name, own, column=True) for name, own in zip(names, rows, strict=True)]
    if len(missing) >= FEWEST_ROWS:
        return [*groups, Group(column, MISSING, missing, column=True)], 0
    return groups, int(bool(missing))


def _train_rows(definition: Definition) -> list[int]:
    audit = definition.data.audit
    if audit is None:
        return [FEWEST_ROWS] * len(definition.task.labels)
    return audit.splits["train"].class_counts
