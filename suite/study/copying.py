"""Studies from one database to another: whole or not at all, and without secrets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Table, select

from suite import redaction
from suite.errors import StorageError, StudyError
from suite.files import whole
from suite.study import artifacts, internals, storage
from suite.study.database import Database
from suite.study.internals import STUDY_ATTRIBUTES
from suite.study.readable import readable
from suite.study.storage import DEFINITION


def copy(source: Database, target: Database, wanted: Mapping[str, str]) -> None:
    """Copies studies with all their trials into another storage, without secrets that they may
    hold: all of them or none.

    A copy has the same id, so it finds the study's files where they lie beside it; under another
    name it is a study of its own, and so it is where that id is taken there.

    Args:
        wanted: name -> what it is to be called there.

    Raises:
        StudyError: one does not exist, or its name is taken there.
    """
    for name, to in wanted.items():
        storage.check(source, name)
        if storage.exists(target, to):
            raise StudyError(
                f"the storage has '{to}' already; nothing was copied",
                fix="Give another name with --name.",
            )
    ids = select(STUDY_ATTRIBUTES.c.value_json).where(STUDY_ATTRIBUTES.c.key == artifacts.ID)
    with source.engine.connect() as reading, target.engine.begin() as writing:
        taken = set(writing.scalars(ids))
        for name, to in wanted.items():
            with readable(name):
                for study in storage.keys(source, name):
                    own = to != name or not taken.isdisjoint(
                        reading.scalars(ids.where(STUDY_ATTRIBUTES.c.study_id == study))
                    )
                    leaving = partial(_leaving, own=own, name=to if to != name else None)
                    _copy_rows(reading, writing, study, to, leaving)


def export(source: Database, name: str, file: Path) -> None:
    """Copies a study into an SQLite file of its own, which is there whole or not at all.

    Raises:
        StudyError: no such study.
        StorageError: the file is there already, or can't be written.
    """
    storage.check(source, name)
    if file.exists():
        raise StorageError(f"{file} exists", fix="Name a new file.")
    with whole(file, what="the file cannot be written", new=True) as draft:
        written = storage.open_storage(draft, create=True)
        try:
            copy(source, written, {name: name})
        finally:
            written.engine.dispose()
            with suppress(OSError):
                draft.with_name(f"{draft.name}-journal").unlink()
        with draft.open("rb") as opened:
            os.fsync(opened.fileno())


def _copy_rows(
    source: Connection,
    target: Connection,
    study_id: int,
    name: str,
    leaving: Callable[[str, str], str],
) -> None:
    """Copies a study's rows as they stand, under new keys, within the target's transaction.

    Optuna's own way is a transaction for every attribute and every trial, and leaves a part of a
    study where it breaks off.

    Args:
        name: what it is called there.
        leaving: an attribute's JSON as it is to stand there, by its name and as it stands here.

    Raises:
        IntegrityError: the name is taken there.
    """
    trials, studies = internals.TABLES["trials"], internals.TABLES["studies"]
    ours = _inserted(target, studies, {"study_name": name})
    for table_ in internals.of_studies():
        rows = source.execute(select(table_).where(table_.c.study_id == study_id)).mappings()
        _copy(target, table_, rows, leaving, study_id={study_id: ours})
    keys: dict[int, int] = {}
    own = select(trials).where(trials.c.study_id == study_id).order_by(trials.c.trial_id)
    for row in source.execute(own).mappings().all():
        values = {name: value for name, value in row.items() if name != "trial_id"}
        keys[row["trial_id"]] = _inserted(target, trials, values | {"study_id": ours})
    for table_ in internals.of_trials():
        belongs = table_.join(trials, table_.c.trial_id == trials.c.trial_id)
        wanted = select(table_).select_from(belongs).where(trials.c.study_id == study_id)
        _copy(target, table_, source.execute(wanted).mappings(), leaving, trial_id=keys)


def _inserted(target: Connection, table_: Table, values: Mapping[str, Any]) -> int:
    """Inserts a row; returns its new key."""
    key = target.execute(table_.insert().values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _copy(
    target: Connection,
    table_: Table,
    rows: sqlalchemy.MappingResult,
    leaving: Callable[[str, str], str],
    **keys: Mapping[int, int],
) -> None:
    """Inserts rows without their own key, the key of what they belong to changed."""
    (own,) = (name for name, found in table_.c.items() if found.primary_key)
    ((foreign, changed),) = keys.items()
    for part in rows.partitions(1000):
        found = [
            {k: changed[v] if k == foreign else v for k, v in row.items() if k != own}
            for row in part
        ]
        for row in found:
            if isinstance(row.get("value_json"), str):
                row["value_json"] = leaving(str(row["key"]), str(row["value_json"]))
        target.execute(table_.insert(), found)


def _leaving(key: str, text: str, *, own: bool, name: str | None) -> str:
    """An attribute's JSON as it may leave.

    Args:
        own: whether the copy is a study of its own, with files of its own.
        name: what it is called there, where that is another name.
    """
    if key == artifacts.ID and own:
        return json.dumps(artifacts.new_id())
    try:
        value = json.loads(text)
        changed = _without_secrets(key, value)
        if key == DEFINITION and name is not None:
            changed = _called(changed, name)
    except (ValueError, RecursionError):
        return redaction.clean(text)
    return text if changed == value else json.dumps(changed)


def _called(definition: Any, name: str) -> Any:
    """A stored definition under another name; as it is where it can't be read."""
    try:
        return json.dumps(json.loads(definition) | {"name": name})
    except (ValueError, TypeError, RecursionError):
        return definition


def _without_secrets(key: str, value: Any) -> Any:
    """An attribute as it may leave: older versions stored commands as they were typed."""
    if not isinstance(value, str):
        return redaction.cleaned(value)
    if key != DEFINITION:
        return redaction.cleaned_json(value)
    try:
        # Of what a study is nothing else may change.
        stored = json.loads(value)
        command = redaction.stored_command(stored["command"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return redaction.cleaned_json(value)
    return value if command == stored["command"] else json.dumps(stored | {"command": command})
