"""A task -> its train, validation and test rows, with a fingerprint and an audit.

Rows are looked for in one order: `--data DIR`, the files or the folder that the task names, the
local Hub cache, the Hub at the pinned revision.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from suite import files
from suite.contracts.task import Calibration, Task
from suite.data import layouts, tables
from suite.data.parts import assemble, describe
from suite.data.readers import Pick
from suite.data.resolve import Part, Source, resolve
from suite.data.room import Room
from suite.data.snapshot import (
    SPLITS,
    Split,
    TaskData,
    read_snapshot,
    read_split,
    read_train_validation,
    write_snapshot,
)
from suite.data.tables import HubUnavailable
from suite.errors import DataError

__all__ = [
    "SPLITS",
    "STEMS",
    "HubUnavailable",
    "Split",
    "TaskData",
    "beside",
    "describe",
    "listing",
    "load",
    "names_file",
    "read_snapshot",
    "read_split",
    "read_train_validation",
    "split_file",
    "write_snapshot",
]

T = TypeVar("T")

#: Bytes of labels.json, at most: the names of some hundred thousand classes.
_MOST_NAMES = 10_000_000

#: What files of a split may be called in a folder.
STEMS: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test",),
}


def load(
    task: Task,
    task_file: Path,
    *,
    data: Path | None = None,
    hub_reachable: Callable[[], bool] = lambda: False,
    train_rows: int | None = None,
    most_rows: int | None = None,
    calibration: Calibration | None = None,
    room: Room | None = None,
    strict: bool = False,
    others: Sequence[str] = (),
) -> TaskData:
    """The rows of a task.

    Args:
        task_file: the task's own file; paths in the task are relative to it.
        data: a folder, or a file where test is carved, that stands in for the task's source.
        hub_reachable: asked once, and only when the rows are nowhere local.
        train_rows: a stratified part of train; the part of 1,000 lies in the part of 5,000,
            and validation is the same for all.
        most_rows: likewise, where train has more.
        calibration: how rows of train are set aside, the same whatever part of the others is
            taken; none are where it is None.
        room: how much of it may be in memory at once.
        strict: refuse rows without text or label where test is carved here; they are else left
            out, and counted.
        others: columns that are read beside texts and labels (`Rows.others`); `tables.PLACE` is
            where each stands.

    Raises:
        HubUnavailable: the rows are neither local nor cached, and the Hub is out of reach.
        DataError: no rows, or rows that are no labelled problem; says file, row and remedy.
    """
    wanted = _Wanted(room or Room(), tuple(others))
    if data is not None and not files.is_folder(data, DataError) and data.exists():
        source = _from_file(task, data, wanted, named_by_task=False)
    elif data is not None:
        source = _from_folder(task, data, wanted, named_by_task=False)
    elif task.data.files is not None:
        source = _from_files(task, task_file, wanted)
    elif task.data.file is not None:
        source = _from_file(task, beside(task_file, task.data.file), wanted)
    elif task.data.folder is not None:
        source = _from_folder(task, beside(task_file, task.data.folder), wanted, named_by_task=True)
    else:
        source = _from_hub(task, hub_reachable, wanted)
    rows, notes = resolve(task, source, strict=strict, others=others)
    return assemble(
        task,
        rows,
        source.description,
        [*notes, *source.notes],
        train_rows,
        most_rows,
        calibration,
    )


@dataclass(frozen=True)
class _Wanted:
    """How much may be in memory at once, and what is read beside texts and labels."""

    room: Room
    others: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """What of it stands in the source."""
        return [name for name in self.others if name != tables.PLACE]

    @property
    def placed(self) -> bool:
        """Whether it is wanted where each row stands."""
        return tables.PLACE in self.others


def _from_folder(task: Task, folder: Path, wanted: _Wanted, *, named_by_task: bool) -> Source:
    if not files.is_folder(folder, DataError):
        what = "this is a file, not a folder" if folder.exists() else "no such folder"
        raise DataError(
            what, where=str(folder), fix="Name the folder of train and test: --data DIR."
        )
    names = names_file(folder)
    parts: dict[Split, list[Part]] = {}
    notes: list[str] = []
    for split in SPLITS:
        stems = STEMS[split]
        if split == "test" and task.data.test is not None:
            if (unread := split_file(folder, stems)) is not None:
                notes.append(f"{unread.name} is not read: data.test carves test from train")
            continue
        own = getattr(task.data.splits, split)
        if named_by_task and own is not None and own not in stems:
            stems = (own,)
        file = split_file(folder, stems)
        if not file:
            if split == "validation" or (split == "test" and task.data.carving is not None):
                continue
            raise DataError(
                f"no file for {split}",
                where=str(folder),
                fix=f"Expected {stems[0]} as {tables.FORMATS}. Found: {listing(folder)}.",
            )
        part = _part(task, file, wanted, fall_back=not named_by_task)
        if list(part.text) != task.data.text or part.column != task.data.label:
            expected = [*task.data.text, task.data.label]
            missing = [name for name in expected if name not in part.table.columns]
            notes.append(
                f"the files have no column {' and '.join(missing)}: text and label are read instead"
            )
        notes += _read_notes(part)
        parts[split] = [part]
    if task.out_of_scope is not None:
        index = task.label_names.index(task.out_of_scope)
        for split in SPLITS:
            extra = split_file(folder, tuple(f"oos_{stem}" for stem in STEMS[split]))
            if extra:
                part = _part(task, extra, wanted, fall_back=not named_by_task, label=index)
                # Where validation is to be carved from train, its rows go there too.
                parts[split if split in parts else "train"].append(part)
    return Source(f"folder {folder}", parts, names, tuple(dict.fromkeys(notes)))


def _from_files(task: Task, task_file: Path, wanted: _Wanted) -> Source:
    given = task.data.files
    assert given is not None
    named = {"train": given.train, "validation": given.validation, "test": given.test}
    parts = {
        split: [_part(task, beside(task_file, str(named[split])), wanted, fall_back=False)]
        for split in SPLITS
        if named[split] is not None
    }
    listed = ", ".join(str(name) for name in named.values() if name is not None)
    notes = [note for some in parts.values() for note in _read_notes(some[0])]
    return Source(f"files {listed}", parts, notes=tuple(notes))


def _from_file(task: Task, path: Path, wanted: _Wanted, *, named_by_task: bool = True) -> Source:
    if task.data.carving is None:
        raise DataError(
            "this is a file, not a folder",
            where=str(path),
            fix="Name the folder of train and test: --data DIR. A task whose test is carved from "
            "one file says so under data.test.",
        )
    part = _part(task, path, wanted, fall_back=not named_by_task)
    return Source(f"file {path.name}", {"train": [part]}, notes=_read_notes(part))


def _read_notes(part: Part) -> tuple[str, ...]:
    """What was left out in reading a part."""
    found = part.table.found
    return () if found is None else tuple(found.notes(part.table.where))


def _from_hub(task: Task, hub_reachable: Callable[[], bool], wanted: _Wanted) -> Source:
    hub = task.data.hub
    assert hub is not None
    splits = {s: str(getattr(task.data.splits, s)) for s in SPLITS if getattr(task.data.splits, s)}
    if task.data.carving is not None:
        splits.pop("test", None)
    columns = _columns(task)

    def pick(where: str) -> Pick:
        exactly = tables.pick_columns(*columns, where=where)
        return lambda present: _with_others(task, exactly(present), present, wanted, where)

    found = tables.read_hub(hub, splits, pick, hub_reachable, wanted.room, placed=wanted.placed)
    parts = {
        split: [Part(found[split], task.data.text, task.data.label)]
        for split in SPLITS
        if split in found
    }
    return Source(f"Hub {hub.id}@{hub.revision}", parts)


def _columns(task: Task, *, labelled: bool = True) -> list[str]:
    """The columns that are read of a source."""
    carving = task.data.carving
    keys = [] if carving is None else [carving.group, carving.time]
    label = [task.data.label] if labelled else []
    return list(dict.fromkeys(name for name in [*task.data.text, *label, *keys] if name))


def _with_others(
    task: Task, columns: Sequence[str], present: Sequence[str], wanted: _Wanted, where: str
) -> Sequence[str]:
    """The columns, the rows' own names where there are any (nothing depends on them), and what else
    is wanted."""
    own = [task.data.id] if task.data.id is not None and task.data.id in present else []
    for name in wanted.columns:
        if name not in present:
            raise tables.missing_column(name, present, where)
    return list(dict.fromkeys([*columns, *own, *wanted.columns]))


def _part(
    task: Task, path: Path, wanted: _Wanted, *, fall_back: bool, label: int | None = None
) -> Part:
    """A file as a part; where `fall_back`, its columns may also be called text and label."""
    columns = _columns(task, labelled=label is None)

    def pick(present: list[str]) -> Sequence[str]:
        plain = ["text"] if label is not None else ["text", "label"]
        if fall_back and not set(columns) <= set(present) and set(plain) <= set(present):
            return _with_others(task, plain, present, wanted, str(path))
        missing = [name for name in columns if name not in present]
        if missing:
            raise tables.missing_column(missing[0], present, str(path))
        return _with_others(task, columns, present, wanted, str(path))

    table = tables.read_file(path, pick, wanted.room, task.data.reading, placed=wanted.placed)
    own = set(columns) <= set(table.columns)
    column = None if label is not None else (task.data.label if own else "label")
    return Part(table, task.data.text if own else ["text"], column, label)


def beside(task_file: Path, path: str) -> Path:
    """The place of a path that a task names, which is relative to its file. The file's folder need
    not be there yet; in the working folder the place is as one would type it."""
    place = Path(os.path.normpath(task_file.parent.resolve() / path))
    here = Path.cwd()
    return place.relative_to(here) if place.is_relative_to(here) and place != here else place


def split_file(folder: Path, stems: Sequence[str]) -> Path | None:
    """The one file of a folder that is called by one of these names, or None.

    Raises:
        DataError: two files could be meant, or the folder may not be listed.
    """
    found = layouts.split_places(folder, stems)
    if len(found) > 1:
        raise DataError(
            f"{' and '.join(path.name for path in found)} could both be meant",
            where=str(folder),
            fix="Leave one, or name the files in the task under data.files.",
        )
    return found[0] if found else None


def listing(folder: Path) -> str:
    """What lies in a folder, for an error message."""
    names = [path.name for path in layouts.listed(folder)]
    return (", ".join(names[:12]) + (", …" if len(names) > 12 else "")) or "nothing"


def names_file(folder: Path) -> list[str] | None:
    """The class names of a folder's labels.json, in the order of its numbers."""
    path = folder / "labels.json"
    if not os.path.lexists(path):
        return None
    try:
        names = files.parse_json(files.read_small(path, _MOST_NAMES, DataError))
    except files.NotJson as error:
        raise DataError(f"cannot be read as JSON: {error}", where=str(path)) from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(
            "not a list of names",
            where=str(path),
            fix='Expected ["first", "second"]: the class names in the order of their numbers.',
        )
    return names
