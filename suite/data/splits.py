"""Rows -> test, validation, and an order for train: by hash, never by a random generator.

A generator's stream may change with its library's version. A hash of the text and the task's
seed does not, so a split is the same on every machine, and stays when rows are added elsewhere.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from suite.contracts.strategy import Rows
from suite.contracts.task import TestCarving
from suite.data.audit import normalise

#: The part of the rows that is the test where no share is said, and the most rows of it then.
TEST_SHARE = 0.2
MOST_TEST = 10_000


@dataclass(frozen=True)
class Keyed:
    """Rows with what decides, beside text and label, on which side each goes: the values of the
    columns `data.test` names, as the source spells them; None where it names none."""

    rows: Rows
    groups: tuple[Any, ...] | None = None
    times: tuple[Any, ...] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, indices: Sequence[int]) -> Keyed:
        """The rows at these positions."""
        groups, times = (
            None if values is None else tuple(values[i] for i in indices)
            for values in (self.groups, self.times)
        )
        return Keyed(self.rows.take(indices), groups, times)


def carve_test(rows: Keyed, how: TestCarving) -> tuple[Keyed, Keyed]:
    """Rows -> (the rest, test), both in their old order; as validation is carved."""
    share = how.share
    if share is None:
        share = min(TEST_SHARE, MOST_TEST / max(1, len(rows)))
    rest, test = _stratified(rows.rows, share, how.seed)
    return rows.take(rest), rows.take(test)


def carve_validation(train: Rows, *, share: float, seed: int) -> tuple[Rows, Rows]:
    """Train -> (the rest, validation): stratified, seeded, both in their old order.

    Each class gives its rounded share, at least one row of three, and never its last. Texts
    that differ only in case, spaces or punctuation go to one side together where that leaves
    both sides some, so that validation is not found in train.
    """
    rest, chosen = _stratified(train, share, seed)
    return train.take(rest), train.take(chosen)


def _stratified(train: Rows, share: float, seed: int) -> tuple[list[int], list[int]]:
    chosen: set[int] = set()
    for rows in _by_class(train).values():
        keyed = sorted((_hash(seed, normalise(train.texts[row])), row) for row in rows)
        count = round(share * len(rows))
        if len(rows) >= 3:
            count = max(count, 1)
        count = min(count, len(rows) - 1)
        end = count
        while 0 < end < len(rows) and keyed[end][0] == keyed[end - 1][0]:
            end += 1
        count = end if end < len(rows) else count
        chosen.update(row for _, row in keyed[:count])
    rest = [row for row in range(len(train)) if row not in chosen]
    return rest, sorted(chosen)


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
