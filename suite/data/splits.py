"""Rows -> test, validation, and an order for train: by hash, never by a random generator.

A generator's stream may change with its library's version. A hash of the text and the task's
seed does not, so a split is the same on every machine, and stays when rows are added elsewhere.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from suite.contracts.strategy import Rows
from suite.contracts.task import TestCarving
from suite.data.audit import normalise

#: The part of the rows that is the test where no share is said, and the most rows of it then.
TEST_SHARE = 0.2
MOST_TEST = 10_000


@dataclass(frozen=True)
class Keyed:
    """Rows with what decides, beside text and label, on which side each goes.

    Args:
        groups: whom each row comes from; None for a row that comes from nobody else.
        times: when each was made, as numbers that grow.
    """

    rows: Rows
    groups: tuple[str | None, ...] | None = None
    times: tuple[float, ...] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: Sequence[int]) -> Keyed:
        """The rows at these positions."""
        return Keyed(
            self.rows.take(indices),
            None if self.groups is None else tuple(self.groups[i] for i in indices),
            None if self.times is None else tuple(self.times[i] for i in indices),
        )


def carve_test(rows: Keyed, how: TestCarving) -> tuple[Keyed, Keyed]:
    """Rows -> (the rest, test), both in their old order, as `carve` does.

    Of equal folds each is carved of what those before it left, and the last is what is left: the
    first is the test of the same share and seed.
    """
    share = test_share(len(rows)) if how.share is None else how.share
    if how.fold is None:
        return carve(rows, share=share, seed=how.seed)
    count = round(1 / share)
    left = list(range(len(rows)))
    for fold in range(1, how.fold + 1):
        taken = left
        if fold < count:
            part = _carved(rows.take(left), share=1 / (count + 1 - fold), seed=how.seed)
            taken = [left[row] for row in part]
        held = set(taken)
        left = [row for row in left if row not in held]
    rest = [row for row in range(len(rows)) if row not in held]
    return rows.take(rest), rows.take(taken)


def test_share(rows: int) -> float:
    """The part of so many rows that is the test where none is said: a fifth, and at most 10,000.

    >>> test_share(3000), test_share(200_000)
    (0.2, 0.05)
    """
    return min(TEST_SHARE, MOST_TEST / max(1, rows))


def carve(rows: Keyed, *, share: float, seed: int) -> tuple[Keyed, Keyed]:
    """Rows -> (the rest, a part), both in their old order.

    What belongs together goes to one side: texts that differ only in case, spaces or punctuation,
    and the rows of a group. With times the newest are the part (of what belongs together, its
    newest row counts). Without, each class gives its rounded share, at least one row of three, and
    never its last; which rows is a matter of a hash of their texts (or groups) and the seed, so
    their order is none, and more rows move few others. What is larger than twice what is wanted
    stays in the rest.
    """
    taken = _carved(rows, share=share, seed=seed)
    held = set(taken)
    return rows.take([row for row in range(len(rows)) if row not in held]), rows.take(taken)


def _carved(rows: Keyed, *, share: float, seed: int) -> list[int]:
    """The positions of the part that `carve` takes, in order."""
    found = units(rows, seed)
    if rows.times is None:
        chosen = _stratified(found, Counter(rows.rows.labels), share)
    else:
        chosen = _newest(found, share * len(rows))
    return sorted(row for unit in chosen for row in unit.rows)


@dataclass(frozen=True, eq=False)
class Unit:
    """Rows that go to one side together; `place` orders units whatever order the rows are in."""

    rows: tuple[int, ...]
    classes: Counter[int]
    place: tuple[float, bytes]

    def __len__(self) -> int:
        return len(self.rows)


def units(keyed: Keyed, seed: int) -> list[Unit]:
    """Units in the order in which they are asked: the newest first, or by hash."""
    members: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(_together(keyed)):
        members[name].append(row)
    found = [
        Unit(
            tuple(rows),
            Counter(keyed.rows.labels[row] for row in rows),
            (-max(keyed.times[row] for row in rows) if keyed.times else 0.0, _hash(seed, name)),
        )
        for name, rows in members.items()
    ]
    return sorted(found, key=lambda unit: unit.place)


def _together(keyed: Keyed) -> list[str]:
    """For each row the name of what it belongs to: its text's form, or the first of the groups
    that it and its repeats come from.

    A text that many groups share (a greeting) would make one of them all: groups are joined only
    as far as they stay within a twentieth of the rows.
    """
    forms = [normalise(text) for text in keyed.rows.texts]
    if keyed.groups is None:
        return forms
    names = [
        f"text {form}" if group is None else f"group {group}"
        for form, group in zip(forms, keyed.groups, strict=True)
    ]
    size = Counter(names)
    first = {name: name for name in size}

    def root(name: str) -> str:
        while first[name] != name:
            name = first[name]
        return name

    most = max(2, len(keyed) // 20)
    sharing: dict[str, set[str]] = defaultdict(set)
    for form, name in zip(forms, names, strict=True):
        sharing[form].add(name)
    for form in sorted(sharing, key=lambda form: (len(sharing[form]), form)):
        for name in sorted(sharing[form]):
            one, other = sorted((root(min(sharing[form])), root(name)))
            if one != other and size[one] + size[other] <= most:
                first[other] = one
                size[one] += size[other]
    return [root(name) for name in names]


def _newest(units: Sequence[Unit], wanted: float) -> list[Unit]:
    chosen: list[Unit] = []
    count = 0
    for unit in units:
        # Taken where the part comes nearer to what is wanted with it than without.
        if len(unit) <= 2 * (wanted - count):
            chosen.append(unit)
            count += len(unit)
    return chosen


def _stratified(units: Sequence[Unit], sizes: Counter[int], share: float) -> list[Unit]:
    wanted = {label: _wanted(count, share) for label, count in sizes.items()}
    left = sum(wanted.values())
    taken: Counter[int] = Counter()
    chosen: dict[Unit, None] = {}

    def spared(unit: Unit) -> bool:
        """Whether each class keeps a row without it."""
        return all(taken[label] + n < sizes[label] for label, n in unit.classes.items())

    def take(unit: Unit) -> None:
        nonlocal left
        chosen[unit] = None
        taken.update(unit.classes)
        left -= len(unit)

    for unit in units:
        useful = sum(min(n, max(0, wanted[c] - taken[c])) for c, n in unit.classes.items())
        if 2 * useful > len(unit) and len(unit) <= 2 * left and spared(unit):
            take(unit)
    # A class that is still without gets its smallest unit; then what is missing in all.
    most = sum(wanted.values())
    for unit in sorted(units, key=len):
        without = any(wanted[c] and not taken[c] for c in unit.classes)
        if without and unit not in chosen and len(unit) <= most and spared(unit):
            take(unit)
    for unit in units:
        if unit not in chosen and len(unit) <= 2 * left and spared(unit):
            take(unit)
    return list(chosen)


def _wanted(rows: int, share: float) -> int:
    """How many rows a class of so many gives: at least one of three, and never its last."""
    count = round(share * rows)
    return min(max(count, 1) if rows >= 3 else count, rows - 1)


def carve_validation(train: Rows, *, share: float, seed: int) -> tuple[Rows, Rows]:
    """Train -> (the rest, validation), where a task brings its own test: as `carve`, but texts of
    one form go together only within a class, and may be parted where they are all of it. Studies
    are stored with this; what they have must be found again.
    """
    chosen: set[int] = set()
    for rows in _by_class(train).values():
        keyed = sorted((_hash(seed, normalise(train.texts[row])), row) for row in rows)
        count = end = _wanted(len(rows), share)
        while 0 < end < len(rows) and keyed[end][0] == keyed[end - 1][0]:
            end += 1
        count = end if end < len(rows) else count
        chosen.update(row for _, row in keyed[:count])
    rest = [row for row in range(len(train)) if row not in chosen]
    return train.take(rest), train.take(sorted(chosen))


def nested_order(rows: Rows, *, seed: int) -> list[int]:
    """An order of which every prefix is a stratified sample, and holds the shorter ones.

    One row of each class comes first; after that, a class with n rows has its r-th at
    (r + ½) / n of the way.
    """
    placed: list[tuple[float, int, bytes, int]] = []
    for label, members in _by_class(rows).items():
        # A text that stands twice is told apart by how often it was met before.
        met: Counter[str] = Counter()
        keyed = []
        for row in members:
            text = rows.texts[row]
            keyed.append((_hash(seed, f"{met[text]}\0{text}"), row))
            met[text] += 1
        for rank, (key, row) in enumerate(sorted(keyed)):
            place = (rank + 0.5) / len(keyed) if rank else -1.0
            placed.append((place, label if rank == 0 else 0, key, row))
    return [row for *_, row in sorted(placed)]


def _by_class(rows: Rows) -> dict[int, list[int]]:
    members: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(rows.labels):
        members[label].append(row)
    return dict(sorted(members.items()))


def _hash(seed: int, text: str) -> bytes:
    content = f"{seed}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=16).digest()
