"""A database as the suite opens it: what may be there, who makes tables, how long is waited.

Nothing but `create` writes here: a database that holds something else, or Optuna's tables in
another version, is told and left as it is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sqlite3
import stat
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from suite import files, redaction
from suite.config import settings
from suite.errors import StorageError, StudyError
from suite.study import internals
from suite.study.patient import Patience, connect

HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 90


#: What an SQLite file begins with.
_HEAD = b"SQLite format 3\0"

#: PostgreSQL's advisory lock under which tables are made: any number, the same for all.
_MAKING = 0x5C17E

_CREATE = "Create one with `suite study create TASK`, or name another --storage."


class Database(RDBStorage):
    """Optuna's storage at a place.

    Args:
        place: where it is.
    """

    def __init__(self, place: URL) -> None:
        self.place = place
        with warnings.catch_warnings():
            # The heartbeat is marked experimental; its behaviour is tested here.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            super().__init__(
                # Optuna fills in what stands in braces. A file is opened by `_options`: no path
                # goes through a URL's text.
                "sqlite:///file"
                if is_sqlite(place)
                else place.render_as_string(hide_password=False)
                .replace("{", "{{")
                .replace("}", "}}"),
                engine_kwargs={"pool_pre_ping": True} | _options(place),
                skip_compatibility_check=True,  # as `_check` has done
                skip_table_creation=True,
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
            )
        self.url = place.render_as_string(hide_password=False)

    def record_heartbeat(self, trial_id: int) -> None:
        """Writes down that a trial's worker lives.

        What can't be written now is with the next beat: Optuna calls this in a thread whose
        errors end it for good, and stand on the terminal as a traceback. The trial's own thread
        tells what is wrong.
        """
        with contextlib.suppress(
            StorageError,
            sqlalchemy.exc.SQLAlchemyError,
            optuna.exceptions.StorageInternalError,
        ):
            if internals.has_trial(self, trial_id):  # else its study was deleted
                super().record_heartbeat(trial_id)


def of(study: optuna.Study) -> Database:
    """The database that a study was loaded from."""
    found = internals.database(study)
    assert isinstance(found, Database)  # `open_storage` opens nothing else
    return found


def open_storage(url: str | Path | None = None, *, create: bool = False) -> Database:
    """The database at a URL, or in an SQLite file; the default is `studies/suite.db`.

    Args:
        create: whether a missing SQLite file (and its folder) is made, and tables in a database
            that is empty.

    Raises:
        StorageError: it can't be opened, with what would work. Passwords are not shown.
        StudyError: there are no studies, and none are to be.
    """
    place = locate(url)
    if is_sqlite(place):
        _check_file(Path(str(place.database)), create)
    with _told(place):
        if _check(place, create):
            _make(place)
            _check(place, create=False)
        return Database(place)


def locate(url: str | Path | None) -> URL:
    """Where a database is: a path is taken as it stands, whatever characters are in it.

    Raises:
        StorageError: it is no database's URL, or has what is not read.
    """
    if isinstance(url, Path):
        return URL.create("sqlite", database=str(url))
    url = url or settings.storage()
    redaction.remember(url)
    try:
        place = make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise StorageError(
            f"--storage {redaction.address(url)}: not a database URL",
            fix="For example sqlite:///studies/suite.db or postgresql+psycopg://user@host/db.",
        ) from None
    if is_sqlite(place):
        if not place.database or place.database == ":memory:":
            raise StorageError(
                "an SQLite storage needs a file; one in memory is gone with the process",
                fix="For example sqlite:///studies/suite.db.",
            )
        if "?" in url:
            raise StorageError(
                f"--storage {url}: what stands after '?' is not read",
                fix="An SQLite storage has no options; a '?' in a file's name is written %3F.",
            )
    return place


def is_sqlite(place: URL) -> bool:
    """Whether a database is an SQLite file."""
    return place.get_backend_name() == "sqlite"


def shown(place: URL) -> str:
    """A database as a person reads it: an SQLite file's path, else the URL without password."""
    return (
        str(place.database)
        if is_sqlite(place)
        else redaction.address(place.render_as_string(hide_password=False))
    )


def _options(place: URL, *, read_only: bool = False) -> dict[str, Any]:
    """What an engine needs to know beside the URL."""
    if not is_sqlite(place):
        return {}
    file = Path(str(place.database))
    patience = Patience(file)
    return {"creator": lambda: connect(file, patience, read_only=read_only)}


def _check_file(file: Path, create: bool) -> None:
    """Whether a path is an SQLite file, or may become one.

    Raises:
        StorageError: it is something else, or can't be read or made.
        StudyError: it does not exist, and is not to be made.
    """
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        if not create:
            raise StudyError(f"no studies here: {file} does not exist", fix=_CREATE) from None
        _check_folder(file.parent)
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"it cannot be read: {reason}", where=str(file)) from None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "no regular file"
        raise StorageError(f"an SQLite storage is a file; this is {kind}", where=str(file))
    if not os.access(file, os.R_OK):
        reason = os.strerror(errno.EACCES)
        raise StorageError(f"it cannot be read: {reason}", where=str(file))
    if not _may_be_database(file):
        raise StorageError("this file is no SQLite database", where=str(file))


def _may_be_database(file: Path) -> bool:
    """Whether SQLite takes a file for one of its own, or for one that may become it.

    SQLite is asked, and the file itself read only where it says no: to close a file drops every
    lock that this process has on it, those of another thread's connection too
    (https://www.sqlite.org/howtocorrupt.html, 2.2).
    """
    address = f"file:{quote(str(file.absolute()))}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, timeout=0, uri=True)) as opened:
            opened.execute("pragma schema_version")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
            with file.open("rb") as read:
                return read.read(len(_HEAD)) == _HEAD  # else it was one, and is damaged
    return True


def _check_folder(folder: Path) -> None:
    """Makes the folder of a database that is to be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}-{time.time_ns()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageError(
            f"the folder {folder.resolve()} cannot be written: {error.strerror}",
            fix="Work in a folder of your own, or name another --storage.",
        ) from None


@contextmanager
def _told(place: URL) -> Iterator[None]:
    """Within: what a database says is a message."""
    try:
        yield
    except ImportError as error:
        raise StorageError(
            f"{shown(place)}: the database driver is missing",
            fix=f"For PostgreSQL: pip install 'psycopg[binary]' ({error.__cause__ or error}).",
        ) from None
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        cause = getattr(error, "orig", None) or error.__cause__ or error
        reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
        raise StorageError(
            f"{shown(place)} cannot be used: {reason}", fix=remedy(reason, place)
        ) from None


def remedy(reason: str, place: URL | None = None) -> str | None:
    """What helps against what a database says; None where nothing is known.

    Args:
        reason: the database's words.
        place: where it is, if that is known here.
    """
    if "malformed" in reason or "not a database" in reason:
        file = shown(place) if place is not None else "FILE"
        return (
            f"The file is damaged. Restore it from a copy; `sqlite3 {file} .recover | sqlite3 "
            "saved.db` saves what can still be read."
        )
    if "disk is full" in reason:
        return files.MAKE_ROOM
    return None


def _check(place: URL, create: bool) -> bool:
    """Whether Optuna's tables have to be made. Writes nothing.

    Raises:
        StorageError: they are there in part or in another version; or are to be made in an
            SQLite file that is another program's.
        StudyError: there are none, and are not to be made.
    """
    if is_sqlite(place) and not Path(str(place.database)).exists():
        return True
    with _looking(place) as connection:
        looked = inspect(connection)
        there = set(looked.get_table_names())
        wanted = {*internals.TABLES, internals.ALEMBIC.name}
        if not there & wanted:
            if not create:
                whose = f" (another program's, with {_named(there)})" if there else ""
                raise StudyError(
                    f"no studies here: {shown(place)} has none of Optuna's tables{whose}",
                    fix=_CREATE,
                )
            if there and is_sqlite(place):
                raise StorageError(
                    f"{shown(place)} is another program's database, with {_named(there)}",
                    fix="Name another --storage.",
                )
            return True
        if internals.ALEMBIC.name in there:
            _check_version(place, connection)
        columns = looked.get_multi_columns(filter_names=sorted(there & wanted))
        found = {name: {c["name"] for c in kept} for (_, name), kept in columns.items()}
        lacking = [f"table {name}" for name in sorted(wanted - there)]
        lacking += [
            f"column {name}.{column}"
            for name, table in internals.TABLES.items()
            for column in table.c.keys()  # noqa: SIM118 - of a collection that holds columns
            if name in there and column not in found.get(name, set())
        ]
        if not lacking and connection.scalar(select(internals.TABLES["version_info"])) is None:
            lacking = ["row of version_info"]
    if lacking:
        raise StorageError(
            f"{shown(place)} cannot be used: its {lacking[0]} is missing",
            fix="Its tables are Optuna's in part. Restore it from a copy, or name another "
            "--storage.",
        )
    return False


def _named(tables: set[str]) -> str:
    """Some tables by name."""
    few = sorted(tables)[:3]
    return f"the tables {', '.join(few)}" + (" and more" if len(tables) > len(few) else "")


def _check_version(place: URL, connection: Connection) -> None:
    """Whether Optuna's tables have the version of the Optuna that is installed.

    Raises:
        StorageError: another one, with what would help.
    """
    found = [str(version) for version in connection.scalars(select(internals.ALEMBIC))]
    known = internals.versions()
    if found == known[:1]:
        return
    what = f"{shown(place)} has Optuna's tables in version {', '.join(found) or 'unknown'}"
    if len(found) == 1 and found[0] in known:
        url = shlex.quote(redaction.address(place.render_as_string(hide_password=False)))
        raise StorageError(
            f"{what}, older than the {known[0]} of Optuna {optuna.__version__}",
            fix=f"Make a copy, then `optuna storage upgrade --storage {url}`.",
        )
    raise StorageError(
        f"{what}; Optuna {optuna.__version__} knows them up to {known[0]}",
        fix="Work where it was made, or with the versions that it was made with.",
    )


@contextmanager
def _looking(place: URL) -> Iterator[Connection]:
    """Within: a connection that writes nothing, an SQLite journal neither.

    One that has to be played back first, after a worker was killed while it wrote, is played
    back: without that nothing can be read.
    """
    engine = _engine(place, read_only=True)
    try:
        if is_sqlite(place) and not _can_be_read(engine):
            engine.dispose()
            engine = _engine(place)
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _can_be_read(engine: Engine) -> bool:
    """Whether an SQLite file can be read without being written."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("select count(*) from sqlite_master")
    except sqlalchemy.exc.OperationalError:
        return False
    return True


def _engine(place: URL, *, read_only: bool = False) -> Engine:
    options = _options(place, read_only=read_only)
    return sqlalchemy.create_engine(place, poolclass=NullPool, **options)


def _make(place: URL) -> None:
    """Makes Optuna's tables, unless another has made them meanwhile; all or none of them."""
    engine = _engine(place)
    if is_sqlite(place):
        # As SQLAlchemy's documentation has it: sqlite3 would begin no transaction for tables.
        sqlalchemy.event.listen(
            engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None)
        )
        sqlalchemy.event.listen(
            engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE")
        )
    try:
        with engine.begin() as connection:
            if place.get_backend_name() == "postgresql":
                take = sqlalchemy.text("select pg_advisory_xact_lock(:key)")
                connection.execute(take, {"key": _MAKING})
            if not inspect(connection).has_table("studies"):
                internals.make_tables(connection)
    finally:
        engine.dispose()
