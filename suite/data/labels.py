"""The spellings of a source's labels -> class indices.

A name (or a spelling under `values`) is asked first. A number that is no name is a position: in
labels.json where the folder has one, else in the task. Whether the numbers of a source are names
("5" stars) or positions is decided once over all its rows, never row by row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from suite.contracts.task import Task
from suite.data.spellings import CaseDiffers, Merged, alike, merged_note, spell
from suite.errors import DataError, counted, nearest

__all__ = ["Labels", "spell", "whole"]

_WHOLE = re.compile(r"[+-]?\d+(\.0+)?")


class Labels:
    """What the labels of one source mean.

    Args:
        names: the class names by number, as the folder's labels.json has them.
        where: that file, for errors.

    Raises:
        DataError: `names` cannot be the task's classes.
    """

    def __init__(self, task: Task, names: Sequence[str] | None = None, where: str = "") -> None:
        self.task = task
        self.notes: list[str] = []
        self._named = names is not None
        self._spelled: dict[str, int] = {}
        self._exact: dict[str, int] = {}
        for index, label in enumerate(task.labels):
            for spelling in (label.name, *label.values):
                # Where a task has 1 and 1.0, or a and A with another width, it means both.
                self._exact[str(spelling)] = index
                self._spelled.setdefault(spell(spelling), index)
        self._digits = any(_WHOLE.fullmatch(spelling) for spelling in self._spelled)
        self._positions = {index: index for index in range(len(task.labels))}
        self._unknown: dict[int, str] = {}
        self._by_position = False
        self._merged = Merged()
        self.notes += _alike(task)
        if names is not None:
            self._read_names(names, where)

    def _read_names(self, names: Sequence[str], where: str) -> None:
        names = [spell(name) for name in names]
        mapped = [self._spelled.get(name) for name in names]
        strange = [name for name, index in zip(names, mapped, strict=True) if index is None]
        if strange and len(names) == len(self.task.labels):
            self._spelled = {name: i for i, name in enumerate(names)} | self._spelled
            self.notes.append(_by_order("labels.json", strange))
            return
        if strange and len(strange) == len(names):
            raise DataError(
                f"{counted(len(names), 'class', 'classes')}, none of them among the task's "
                f"{len(self.task.labels)}",
                where=where,
                fix="Other names of a class are listed in the task under labels[].values. "
                f"{nearest(strange[0], self.task.label_names)}",
            )
        self._positions = {i: index for i, index in enumerate(mapped) if index is not None}
        self._unknown = {i: name for i, name in enumerate(names) if mapped[i] is None}

    def read(self, value: Any, rows: int = 1) -> str:
        """How a label of the data is spelled, which so many rows have; the ways to write a class
        are counted."""
        if isinstance(value, str) and value in self._exact and spell(value) != value:
            return value
        return self._merged.add(value, rows)

    def settle(self, seen: Collection[str], where: str = "") -> None:
        """Decides, from every spelling that occurs, whether numbers are positions, and what stands
        for a class in another case.

        Raises:
            CaseDiffers: some are classes of the task but for their case, and nothing is said of it.
        """
        self._settle_case(seen, where)
        self.notes += self._merged.notes()
        seen = set(seen)
        numbers = {whole(spelling) for spelling in seen}
        all_positions = numbers <= set(self._positions)
        known = self._spelled.keys() | self._exact.keys()
        self._by_position = all_positions and (self._named or not seen <= known)

    def _settle_case(self, seen: Collection[str], where: str) -> None:
        folded = {form: name for name in self._spelled for form in alike(name)}
        strange = {
            name: next(folded[form] for form in alike(name) if form in folded)
            for name in seen
            if name not in self._spelled
            and name not in self._exact
            and any(form in folded for form in alike(name))
        }
        case = self.task.data.reading.case
        if not strange or case == "keep":
            return
        counts = self._merged.counts
        if case is None:
            groups = [
                {known: counts.get(known, 0), name: counts.get(name, 0)}
                for name, known in sorted(strange.items())
            ]
            raise CaseDiffers(groups, where)
        self._spelled |= {name: self._spelled[known] for name, known in strange.items()}
        rows = sum(counts.get(name, 0) for name in strange)
        self.notes.append(merged_note(rows, strange.items()))

    def reads(self, names: Sequence[str], where: str) -> bool:
        """Whether a column's declared class names, rather than its numbers, are to be used.

        They are, unless some are unknown while there are as many as the task has; then the
        order is taken to be the task's, with a note.
        """
        strange = [name for name in names if name not in self._spelled]
        positions = all(whole(name) in self._positions for name in names)
        if not strange or positions or len(names) != len(self.task.labels):
            return True
        note = _by_order(where, strange)
        if note not in self.notes:
            self.notes.append(note)
        return False

    def index(self, spelling: str) -> int | None:
        """The class, or None where the spelling is none of the task's."""
        number = whole(spelling)
        if self._by_position:
            return None if number is None else self._positions.get(number)
        if spelling in self._exact:
            return self._exact[spelling]
        if spelling in self._spelled:
            return self._spelled[spelling]
        return self._positions.get(number) if number is not None and not self._digits else None

    def refuse(self, spelling: str, where: str) -> DataError:
        """The error for a label that is none of the task's."""
        number = whole(spelling)
        known = self.task.label_names
        if number == -1:
            return DataError(
                "the label is -1, which usually marks rows without one",
                where=where,
                fix="Name a labelled split in the task under data.splits.",
            )
        if number is not None and number in self._unknown:
            name = self._unknown[number]
            return DataError(
                f"the label {number} is '{name}' in labels.json, which is not among the task's",
                where=where,
                fix=nearest(name, known),
            )
        if number is not None:
            listed = ", ".join(f"{i} {name}" for i, name in enumerate(known[:12]))
            return DataError(
                f"the label {spelling} is not among the task's {len(known)}",
                where=where,
                fix=f"By number they are: {listed}{', …' if len(known) > 12 else ''}.",
            )
        return DataError(
            f"the label {spelling!r:.80} is not among the task's {len(known)}",
            where=where,
            fix=nearest(spelling, known),
        )


def _alike(task: Task) -> list[str]:
    """What is to be said of classes that are one but for how they are spelled."""
    kept = task.data.reading.case == "keep"
    together: dict[str, list[str]] = {}
    for name in task.label_names:
        spelled = spell(name)
        together.setdefault(spelled if kept else alike(spelled)[1], []).append(name)
    return [
        f"the task has {' and '.join(map(repr, names))} as {len(names)} classes, which differ in "
        "their spelling alone"
        for names in together.values()
        if len(names) > 1
    ]


def _by_order(where: str, strange: Sequence[str]) -> str:
    listed = ", ".join(strange[:3]) + (", …" if len(strange) > 3 else "")
    return (
        f"{where} names {len(strange)} of the classes otherwise than the task ({listed}); "
        "their order is taken to be the task's"
    )


def whole(spelling: str) -> int | None:
    """The whole number that a text spells ("3", "3.0"), or None."""
    if not _WHOLE.fullmatch(spelling) or len(spelling) > 18:
        return None
    return int(spelling.partition(".")[0])
