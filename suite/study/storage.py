"""The studies of a database: found, loaded, created, copied, deleted."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import optuna
import sqlalchemy
from sqlalchemy import select

from suite.contracts.task import NAME
from suite.errors import StudyError, nearest
from suite.study import artifacts, attributes, internals, owner, reading
from suite.study.database import Database, locate
from suite.study.database import open_storage as open_storage
from suite.study.definition import Definition
from suite.study.internals import STUDY_ATTRIBUTES, TRIALS
from suite.study.lock import StudyLock
from suite.study.readable import attribute, readable
from suite.study.readable import attributes as attributes_of
from suite.study.record import OUT, TARGET
from suite.verdict.metrics import METRICS

optuna.logging.set_verbosity(optuna.logging.ERROR)

DEFINITION = "suite:definition"


def place(url: str | None = None) -> str:
    """Where a storage lies, as decisions about it are kept: without user and password, a file by
    its whole path.

    Raises:
        StorageError: it is no database URL.
    """
    return ":".join(owner.place(locate(url), Path("/")).values())


def names(storage: Database) -> list[str]:
    """The suite's studies in a storage, by name. What stands in them is not read."""
    query = select(STUDY_ATTRIBUTES.c.study_id).where(STUDY_ATTRIBUTES.c.key == DEFINITION)
    with storage.engine.connect() as connection:
        own = set(connection.scalars(query))
    return sorted({name for key, name, _ in reading.names_of_all(storage) if key in own})


def keys(storage: Database, name: str) -> list[int]:
    """The keys of the studies of a name, the suite's or not: one, or none; several in a damaged
    database."""
    return [key for key, stored, _ in reading.names_of_all(storage) if stored == name]


def exists(storage: Database, name: str) -> bool:
    """Whether a study of that name stands in the storage."""
    return bool(keys(storage, name))


def check(storage: Database, name: str) -> None:
    """Whether the suite has a study of that name, readable or not.

    Raises:
        StudyError: no such study (the nearest is named), or not one of the suite's.
    """
    known = names(storage)
    if name in known:
        return
    if exists(storage, name):
        raise StudyError(f"the study '{name}' was not made by the suite")
    raise StudyError(f"no study '{name}'", fix=nearest(name, known))


def find(storage: Database, name: str) -> optuna.Study:
    """A study by name, also one that only another version of the suite can read.

    Raises:
        StudyError: as `check`.
    """
    check(storage, name)
    with readable(name):
        if not any(stored == name and text for _, stored, text in reading.names_of_all(storage)):
            raise ValueError("its name is no UTF-8")
        return optuna.load_study(study_name=name, storage=storage)


def load(storage: Database, name: str) -> tuple[optuna.Study, Definition]:
    """A study by name, with what it is.

    Raises:
        StudyError: as `find`; or another version stored it in a form that can't be read here, or
            its name is none.
    """
    study = find(storage, name)
    with readable(name):
        definition = Definition.read(attributes_of(study)[DEFINITION], name)
    check_name(name, definition.name)
    return study, definition


def check_name(name: str, stated: str) -> None:
    """A study's name as a database has it: names of files are made from it.

    Args:
        stated: the name in the study's definition.

    Raises:
        StudyError: it is none, or they are two.
    """
    if NAME.fullmatch(name) and stated == name:
        return
    what = f"the study {name!r} has a name that no study can have"
    if NAME.fullmatch(name):
        what = f"the study {name!r} calls itself {stated!r} in its definition"
    raise StudyError(
        f"{what}: the suite did not store it so",
        fix="`suite study import-db FILE --name NAME` gives it one; `suite study delete` removes "
        "it, and no file by such a name.",
    )


def fingerprint(study: optuna.Study) -> str | None:
    """The fingerprint of a study's rows; None where its definition can't be read here."""
    try:
        stored = attribute(study, DEFINITION)
        return Definition.read(stored, study.study_name).data.fingerprint
    except StudyError:
        return None


def create(
    storage: Database,
    definition: Definition,
    id: str,
    target: int,
    out: Mapping[str, Mapping[str, str]] | None = None,
) -> optuna.Study:
    """A new study, stored whole or not at all.

    Args:
        id: what its folder is called.
        target: how many finished trials it is to have.
        out: arms that are out from the beginning, as `Retiring` has them.

    Raises:
        DuplicatedStudyError: the name is taken.
    """
    # In this order: dashboards list the first ones first.
    stored = (
        attributes.of_study(definition)
        | {
            artifacts.ID: id,
            DEFINITION: definition.model_dump_json(),
            TARGET: target,
        }
        | ({OUT: out} if out else {})
    )
    internals.create_study(
        storage,
        definition.name,
        stored,
        attributes.notes(definition),
        maximise=METRICS[definition.recipe.objective].higher_is_better,
    )
    return optuna.load_study(study_name=definition.name, storage=storage)


def fail_silent(study: optuna.Study) -> None:
    """Fails the trials whose heartbeat went silent."""
    with warnings.catch_warnings():
        # As the heartbeat itself: marked experimental, and tested here.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)


def trials(storage: Database, name: str) -> int:
    """How many trials a study has, whatever stands in it.

    Raises:
        StudyError: as `check`.
    """
    check(storage, name)
    query = select(sqlalchemy.func.count()).where(TRIALS.c.study_id.in_(keys(storage, name)))
    with storage.engine.connect() as connection:
        return int(connection.scalar(query) or 0)


def files(storage: Database, name: str) -> artifacts.Artifacts | None:
    """Where a study's files lie, also those of one that can't be read; None where Optuna can't
    even load it.

    Raises:
        StudyError: as `check`.
    """
    check(storage, name)
    try:
        study = find(storage, name)
    except StudyError:
        return None
    return artifacts.find(study, fingerprint(study))


def delete(storage: Database, name: str) -> None:
    """Removes a study and all its trials from a storage, whatever stands in it."""
    found = keys(storage, name)
    with storage.engine.begin() as connection:
        for key in found:
            internals.delete_study(connection, key)
    if NAME.fullmatch(name):  # Under no other name was there ever a lock.
        StudyLock(storage, name).remove()


def stated_name(study: optuna.Study) -> str:
    """The name in a study's definition; its own where the definition can't be read."""
    try:
        return str(json.loads(attribute(study, DEFINITION))["name"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return study.study_name
