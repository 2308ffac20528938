"""Rows -> test, validation, and an order for train: by hash, never by a random generator.

A generator's stream may change with its library's version. A hash of the text and the task's
seed does not, so a split is the same on every machine, and stays when rows are added elsewhere.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import Rows
from suite.contracts.task import Calibration, TestCarving
from suite.data.audit import normalise
from suite.data.kept import BATCH, Places, chained, taken

#: Half a hash each.
Digests = NDArray[np.uint64]

#: The part of the rows that is the test where no share is said, and the most rows of it then.
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
MOST_TEST = 10_000


#: Rows that are set aside for calibration, at most: with them an error of .05 is told to .004, and
#: each is asked about in every training of the finals.
MOST_CALIBRATION = 10_000


@dataclass(frozen=True)
class Keyed:
    """Rows with what decides, beside text and label, on which side each goes.

    Args:
        groups: whom each row comes from; None for a row that comes from nobody else.
        times: when each was made, as numbers that grow.
    """

    rows: Rows
    groups: Sequence[str | None] | None = None
    times: Sequence[float] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: Places) -> Keyed:
        """The rows at these positions."""
        return Keyed(
            self.rows.take(indices),
            None if self.groups is None else taken(self.groups, indices),
            None if self.times is None else taken(self.times, indices),
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
    taken = left = np.arange(len(rows))
    for fold in range(1, how.fold + 1):
        taken = left
        if fold < count:
            part = _carved(rows.take(left), share=1 / (count + 1 - fold), seed=how.seed)
            taken = left[part]
        left = np.setdiff1d(left, taken, assume_unique=True)
    return _parted(rows, taken)


def _parted(rows: Keyed, taken: Places) -> tuple[Keyed, Keyed]:
    """(The others, those at these places), in their order."""
    rest = np.ones(len(rows), bool)
    rest[taken] = False
    return rows.take(np.flatnonzero(rest)), rows.take(taken)


def drawn_anew(train: Keyed, test: Keyed, seed: int) -> tuple[Keyed, Keyed]:
    """Train and a given test together -> (train, a test of as many rows), as `carve` does."""
    ids = None
    if train.rows.ids is not None or test.rows.ids is not None:
        ids = tuple(
            id for part in (train, test) for id in part.rows.ids or (None,) * len(part.rows)
        )
    texts = chained((train.rows.texts, test.rows.texts))
    others = {
        name: chained((values, test.rows.others[name]))
        for name, values in train.rows.others.items()
    }
    both = Keyed(Rows(texts, train.rows.labels + test.rows.labels, ids, others=others))
    return carve(both, share=len(test) / max(1, len(both)), seed=seed)


def test_share(rows: int) -> float:
    """The part of so many rows that is the test where none is said: a fifth, and at most 10,000.

    >>> test_share(3000), test_share(200_000)
    (0.2, 0.05)
    """
    return min(TEST_SHARE, MOST_TEST / max(1, rows))


def validation_share(rows: int) -> float:
    """The part that a drafted task makes validation: a tenth, and at most as many rows as test.

    >>> validation_share(3000), validation_share(1_000_000)
    (0.1, 0.01)
    """
    return min(VALIDATION_SHARE, MOST_TEST / max(1, rows))


def calibration_rows(how: Calibration, rows: int) -> int:
    """How many of train's rows are wanted for calibration.

    >>> [calibration_rows(Calibration(), rows) for rows in (1000, 5000, 120_000)]
    [500, 1000, 10000]
    """
    return max(how.least, min(round(how.share * rows), MOST_CALIBRATION))


def carve(rows: Keyed, *, share: float, seed: int) -> tuple[Keyed, Keyed]:
    """Rows -> (the rest, a part), both in their old order.

    What belongs together goes to one side: texts that differ only in case, spaces or punctuation,
    and the rows of a group. With times the newest are the part (of what belongs together, its
    newest row counts). Without, each class gives its rounded share, at least one row of three, and
    never its last; which rows is a matter of a hash of their texts (or groups) and the seed, so
    their order is none, and more rows move few others. What is larger than twice what is wanted
    stays in the rest.
    """
    return _parted(rows, _carved(rows, share=share, seed=seed))


def _carved(rows: Keyed, *, share: float, seed: int) -> Places:
    """The positions of the part that `carve` takes, in order."""
    found = Units(rows, seed)
    if rows.times is None:
        chosen = _stratified(found, Counter(rows.rows.labels), share)
    else:
        chosen = _newest(found, share * len(rows))
    return np.sort(np.fromiter((row for unit in chosen for row in unit.rows), np.int64))


@dataclass(frozen=True, eq=False, slots=True)
class Unit:
    """Rows that go to one side together."""

    rows: tuple[int, ...]
    classes: Counter[int]

    def __len__(self) -> int:
        return len(self.rows)


class Units:
    """Units in the order in which they are asked: the newest first, or by hash, whatever order the
    rows are in. Each is made as it is asked for: most are never."""

    def __init__(self, keyed: Keyed, seed: int) -> None:
        self._labels = keyed.rows.labels
        self._single = {label: Counter((label,)) for label in set(self._labels)}
        high, low = _digests(seed, _together(keyed))
        rows = np.lexsort((low, high))  # stable: the rows of a unit in their order
        high, low = high[rows], low[rows]
        first = np.ones(len(rows), bool)
        first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
        begins = np.flatnonzero(first)
        ends = np.append(begins[1:], len(rows))
        if keyed.times is not None and len(rows):
            newest = np.maximum.reduceat(np.asarray(keyed.times)[rows], begins)
            order = np.argsort(-newest, kind="stable")
            begins, ends = begins[order], ends[order]
        self._rows, self._begins, self._ends = rows, begins, ends

    def __len__(self) -> int:
        return len(self._begins)

    def __getitem__(self, at: int) -> Unit:
        return self._unit(int(self._begins[at]), int(self._ends[at]))

    def __iter__(self) -> Iterator[Unit]:
        for start in range(0, len(self), BATCH):
            some = slice(start, start + BATCH)
            yield from map(self._unit, self._begins[some].tolist(), self._ends[some].tolist())

    def by_length(self) -> Iterator[tuple[int, Unit]]:
        """The short ones first, each with its place in the order."""
        for at in np.argsort(self._ends - self._begins, kind="stable").tolist():
            yield at, self[at]

    def _unit(self, begin: int, end: int) -> Unit:
        rows = tuple(self._rows[begin:end].tolist())
        if end == begin + 1:
            return Unit(rows, self._single[self._labels[rows[0]]])
        return Unit(rows, Counter(map(self._labels.__getitem__, rows)))


def _together(keyed: Keyed) -> Iterator[str]:
    """For each row the name of what it belongs to: its text's form, or the first of the groups
    that it and its repeats come from.

    A text that many groups share (a greeting) would make one of them all: groups are joined only
    as far as they stay within a twentieth of the rows.
    """
    if keyed.groups is None:
        yield from map(normalise, keyed.rows.texts)
        return
    first = _joined(keyed, keyed.groups)
    for text, group in zip(keyed.rows.texts, keyed.groups, strict=True):
        name = _named(text, group)
        while first.get(name, name) != name:
            name = first[name]
        yield name


def _named(text: str, group: str | None) -> str:
    return f"text {normalise(text)}" if group is None else f"group {group}"


def _joined(keyed: Keyed, groups: Sequence[str | None]) -> dict[str, str]:
    """Of the names of rows whose forms come again, the one that each follows; itself, else."""
    texts = keyed.rows.texts
    hashes = np.fromiter((hash(normalise(text)) for text in texts), np.int64, len(texts))
    _, at, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    again = np.flatnonzero(counts[at] > 1)
    sharing: dict[str, set[str]] = defaultdict(set)
    for text, row in zip(taken(texts, again), again.tolist(), strict=True):
        sharing[normalise(text)].add(_named(text, groups[row]))
    sharing = {form: names for form, names in sharing.items() if len(names) > 1}
    first = {name: name for names in sharing.values() for name in names}
    size: Counter[str] = Counter()
    for text, group in zip(texts, groups, strict=True):
        if group is None or f"group {group}" in first:
            name = _named(text, group)
            if name in first:
                size[name] += 1

    def root(name: str) -> str:
        while first[name] != name:
            name = first[name]
        return name

    most = max(2, len(keyed) // 20)
    for form in sorted(sharing, key=lambda form: (len(sharing[form]), form)):
        for name in sorted(sharing[form]):
            one, other = sorted((root(min(sharing[form])), root(name)))
            if one != other and size[one] + size[other] <= most:
                first[other] = one
                size[one] += size[other]
    return first


def _newest(units: Units, wanted: float) -> list[Unit]:
    chosen: list[Unit] = []
    count = 0
    for unit in units:
        if 2 * (wanted - count) < 1:
            break
        # Taken where the part comes nearer to what is wanted with it than without.
        if len(unit) <= 2 * (wanted - count):
            chosen.append(unit)
            count += len(unit)
    return chosen


def _stratified(units: Units, sizes: Counter[int], share: float) -> list[Unit]:
    wanted = {label: _wanted(count, share) for label, count in sizes.items()}
    left = most = sum(wanted.values())
    taken: Counter[int] = Counter()
    chosen: dict[int, Unit] = {}

    def spared(unit: Unit) -> bool:
        """Whether each class keeps a row without it."""
        return all(taken[label] + n < sizes[label] for label, n in unit.classes.items())

    def take(at: int, unit: Unit) -> None:
        nonlocal left
        chosen[at] = unit
        taken.update(unit.classes)
        left -= len(unit)

    for at, unit in enumerate(units):
        if left <= 0:
            break
        useful = sum(min(n, max(0, wanted[c] - taken[c])) for c, n in unit.classes.items())
        if 2 * useful > len(unit) and len(unit) <= 2 * left and spared(unit):
            take(at, unit)
    # A class that is still without gets its smallest unit; then what is missing in all.
    without = {c for c in wanted if wanted[c] and not taken[c]}
    for at, unit in units.by_length() if without else ():
        if not without:
            break
        wanting = without & unit.classes.keys() and at not in chosen and len(unit) <= most
        if wanting and spared(unit):
            take(at, unit)
            without -= unit.classes.keys()
    for at, unit in enumerate(units) if left > 0 else ():
        if left <= 0:
            break
        if at not in chosen and len(unit) <= 2 * left and spared(unit):
            take(at, unit)
    return list(chosen.values())


def _wanted(rows: int, share: float) -> int:
    """How many rows a class of so many gives: at least one of three, and never its last."""
    count = round(share * rows)
    return min(max(count, 1) if rows >= 3 else count, rows - 1)


def carve_validation(train: Rows, *, share: float, seed: int) -> tuple[Rows, Rows]:
    """Train -> (the rest, validation), where a task brings its own test: as `carve`, but texts of
    one form go together only within a class, and may be parted where they are all of it. Studies
    are stored with this; what they have must be found again.
    """
    high, low = _digests(seed, map(normalise, train.texts))
    chosen: list[Places] = []
    for members in _by_class(train):
        rows = members[np.lexsort((low[members], high[members]))]
        count = end = _wanted(len(rows), share)
        while 0 < end < len(rows) and _same(high, low, rows[end], rows[end - 1]):
            end += 1
        chosen.append(rows[: end if end < len(rows) else count])
    taken = np.sort(np.concatenate([np.zeros(0, np.int64), *chosen]))
    rest, part = _parted(Keyed(train), taken)
    return rest.rows, part.rows


def _same(high: Digests, low: Digests, one: int, other: int) -> bool:
    return bool(high[one] == high[other] and low[one] == low[other])


def nested_order(rows: Rows, *, seed: int) -> Places:
    """An order of which every prefix is a stratified sample, and holds the shorter ones.

    One row of each class comes first; after that, a class with n rows has its r-th at
    (r + ½) / n of the way.
    """
    # A text that stands twice in a class is told apart by how often it was met before.
    met = _met(rows)
    names = (f"{before}\0{text}" for before, text in zip(met.tolist(), rows.texts, strict=True))
    high, low = _digests(seed, names)
    place = np.empty(len(rows))
    tie = np.zeros(len(rows), np.int64)
    for members in _by_class(rows):
        members = members[np.lexsort((low[members], high[members]))]
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
        place[members[0]], tie[members[0]] = -1.0, rows.labels[int(members[0])]
    return np.lexsort((low, high, tie, place))


def _met(rows: Rows) -> Places:
    """For each row how many of its class before it have its text."""
    hashes = np.fromiter(map(hash, rows.texts), np.int64, len(rows))
    labels = np.asarray(rows.labels, np.int64)
    order = np.lexsort((hashes, labels))
    new = np.ones(len(rows), bool)
    new[1:] = (np.diff(hashes[order]) != 0) | (np.diff(labels[order]) != 0)
    begins = np.flatnonzero(new)
    lengths = np.diff(np.append(begins, len(rows)))
    met = np.empty(len(rows), np.int64)
    met[order] = np.arange(len(rows)) - np.repeat(begins, lengths)
    return met


def _by_class(rows: Rows) -> Iterator[Places]:
    """The places of each class's rows, in their order."""
    labels = np.asarray(rows.labels, np.int64)
    for label in np.unique(labels):
        yield np.flatnonzero(labels == label)


def _digests(seed: int, names: Iterable[str]) -> tuple[Digests, Digests]:
    """A hash of each name, its first and its last eight bytes: their order is that of the bytes."""
    content = bytearray()
    for name in names:
        content += _hash(seed, name)
    pairs = np.frombuffer(content, ">u8").astype(np.uint64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _hash(seed: int, text: str) -> bytes:
    content = f"{seed}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=16).digest()
