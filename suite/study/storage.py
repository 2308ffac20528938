"""Databases: opening them with errors a person can act on, listing, copying, deleting studies."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy.engine import make_url

from suite import paths, redaction
from suite.contracts.task import NAME
from suite.errors import StorageError, StudyError, nearest
from suite.study import artifacts, attributes, internals, owner
from suite.study.definition import Definition

optuna.logging.set_verbosity(optuna.logging.ERROR)

DEFINITION = "suite:definition"
HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 90

StaleCallback = Callable[[optuna.Study, FrozenTrial], None]


def _parsed(url: str) -> sqlalchemy.URL:
    try:
        return make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise StorageError(
            f"--storage {redaction.address(url)}: not a database URL",
            fix="For example sqlite:///studies/suite.db or postgresql+psycopg://user@host/db.",
        ) from None


def open_storage(
    url: str | None = None, *, create: bool = False, on_stale: StaleCallback | None = None
) -> RDBStorage:
    """The storage at a URL; the default is `studies/suite.db` in the working folder.

    Args:
        create: whether a missing SQLite file (and its folder) is made.
        on_stale: what happens to a trial whose heartbeat went silent.

    Raises:
        StorageError: it can't be opened, with what would work. Passwords are not shown.
    """
    url = url or paths.default_storage()
    shown = redaction.address(url)
    redaction.remember(url)
    parsed = _parsed(url)
    engine: dict[str, Any] = {"pool_pre_ping": True}
    if parsed.get_backend_name() == "sqlite":
        _prepare_sqlite(parsed.database, create)
        # Several workers write: wait for the lock instead of failing at once.
        engine["connect_args"] = {"timeout": 60}
    try:
        with warnings.catch_warnings():
            # The heartbeat is marked experimental; its behaviour is tested here.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return RDBStorage(
                url,
                engine_kwargs=engine,
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=on_stale,
            )
    except ImportError as error:
        raise StorageError(
            f"{shown}: the database driver is missing",
            fix=f"For PostgreSQL: pip install 'psycopg[binary]' ({error.__cause__ or error}).",
        ) from None
    except (sqlalchemy.exc.SQLAlchemyError, RuntimeError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StorageError(f"{shown} cannot be used: {reason}") from None


def place(url: str | None = None) -> str:
    """Where a storage lies, as decisions about it are kept: without user and password, a file by
    its whole path.

    Raises:
        StorageError: it is no database URL.
    """
    return ":".join(owner.place(_parsed(url or paths.default_storage()), Path("/")).values())


def _prepare_sqlite(database: str | None, create: bool) -> None:
    if not database or database == ":memory:":
        raise StorageError(
            "an SQLite storage needs a file; one in memory is gone with the process",
            fix="For example sqlite:///studies/suite.db.",
        )
    file = Path(database)
    if file.is_file():
        if file.stat().st_size and file.open("rb").read(15) != b"SQLite format 3":
            raise StorageError("this file is no SQLite database", where=str(file))
        return
    if not create:
        raise StudyError(
            f"no studies here: {file} does not exist",
            fix="Create one with `suite study create TASK`, or name another --storage.",
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        probe = file.parent / f".write-{time.time_ns()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageError(
            f"the folder {file.parent.resolve()} cannot be written: {error.strerror}",
            fix="Work in a folder of your own, or name another --storage.",
        ) from None


def names(storage: RDBStorage) -> list[str]:
    """The suite's studies in a storage, by name."""
    return sorted(
        study.study_name for study in storage.get_all_studies() if DEFINITION in study.user_attrs
    )


def find(storage: RDBStorage, name: str) -> optuna.Study:
    """A study by name, also one that only another version of the suite can read.

    Raises:
        StudyError: no such study (the nearest is named), or not one of the suite's.
    """
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        raise StudyError(f"no study '{name}'", fix=nearest(name, names(storage))) from None
    if DEFINITION not in study.user_attrs:
        raise StudyError(f"the study '{name}' was not made by the suite")
    return study


def load(storage: RDBStorage, name: str) -> tuple[optuna.Study, Definition]:
    """A study by name, with what it is.

    Raises:
        StudyError: as `find`; or another version stored it in a form that can't be read here, or
            its name is none.
    """
    study = find(storage, name)
    definition = Definition.read(study.user_attrs[DEFINITION], name)
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
        return Definition.read(study.user_attrs[DEFINITION], study.study_name).data.fingerprint
    except StudyError:
        return None


def create(storage: RDBStorage, definition: Definition, id: str) -> optuna.Study:
    """A new study, its definition stored with it.

    Args:
        id: what its folder is called.

    Raises:
        StudyError: the name is taken.
    """
    try:
        study = optuna.create_study(
            study_name=definition.name, storage=storage, direction="maximize"
        )
    except optuna.exceptions.DuplicatedStudyError:
        raise StudyError(f"the study '{definition.name}' exists already") from None
    # In this order: dashboards list the first ones first.
    attributes.describe(study, definition)
    study.set_user_attr(artifacts.ID, id)
    study.set_user_attr(DEFINITION, definition.model_dump_json())
    return study


def exists(storage: RDBStorage, name: str) -> bool:
    """Whether a study of that name stands in the storage."""
    return any(study.study_name == name for study in storage.get_all_studies())


def fail_silent(study: optuna.Study) -> None:
    """Fails the trials whose heartbeat went silent; `on_stale` is told each."""
    with warnings.catch_warnings():
        # As the heartbeat itself: marked experimental, and tested here.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        optuna.storages.fail_stale_trials(study)


def delete(storage: RDBStorage, name: str) -> None:
    """Removes a study and all its trials from a storage."""
    optuna.delete_study(study_name=name, storage=storage)


def copy(source: RDBStorage, target: RDBStorage, name: str, to: str | None = None) -> None:
    """Copies a study with all its trials into another storage, without secrets that it may hold.

    The copy has the same id, so it finds the study's files where they lie beside it; under
    another name it is a study of its own, and so it is where that id is taken there.

    Args:
        to: its name there; the same where None.

    Raises:
        StudyError: it does not exist, or its name is taken there.
    """
    study = find(source, name)
    to = to or name
    if exists(target, to):
        raise StudyError(f"the study '{to}' exists in the target already")
    ids = {other.user_attrs.get(artifacts.ID) for other in target.get_all_studies()}
    own = to != name or study.user_attrs.get(artifacts.ID) in ids - {None}

    def changed(key: str, value: Any) -> Any:
        if key == artifacts.ID and own:
            return artifacts.new_id()
        value = _without_secrets(key, value)
        return _called(value, to) if key == DEFINITION and to != name else value

    internals.copy(source, target, name, to, changed)


def _called(definition: Any, name: str) -> Any:
    """A stored definition under another name; as it is where it can't be read."""
    try:
        return json.dumps(json.loads(definition) | {"name": name})
    except (ValueError, TypeError, RecursionError):
        return definition


def stated_name(study: optuna.Study) -> str:
    """The name in a study's definition; its own where the definition can't be read."""
    try:
        return str(json.loads(study.user_attrs[DEFINITION])["name"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return study.study_name


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
