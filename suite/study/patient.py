"""SQLite's file, waited for while another process holds it: who that is, and no wait without end.

SQLite's own waiting says nothing, can't be interrupted, and is counted anew for every statement.
Here a busy statement is tried again for as long as all connections of a storage have patience
together; then it is one message. A statement or a commit that found the file busy has done
nothing, so trying it again is safe: https://www.sqlite.org/c3ref/busy_handler.html
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from suite.errors import StorageError
from suite.machine.holders import holders

#: Below the silence after which a trial's worker is taken for dead (`storage.GRACE_SECONDS`).
PATIENCE_SECONDS = 60.0
#: After so long a person is told.
TELL_SECONDS = 2.0
#: What SQLite itself waits for at a time; Ctrl-C waits as long.
_STEP_SECONDS = 0.5

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Patience:
    """How long a storage's connections wait for its file, all together."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._one = threading.Lock()
        self._since: float | None = None
        self._told = False

    def __call__(self, work: Callable[[], T]) -> T:
        """What `work` returns, once the file can be had.

        Raises:
            StorageError: another process holds it for too long, with who that is.
        """
        waited = False
        while True:
            try:
                found = work()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                self._wait()
                waited = True
            else:
                if waited:
                    self._ended()
                return found

    def _wait(self) -> None:
        """Tells who holds the file, or gives up. SQLite has waited already."""
        with self._one:
            now = time.monotonic()
            # One that gave up, or was interrupted, long ago does not count.
            if self._since is None or now - self._since > 2 * PATIENCE_SECONDS:
                self._since, self._told = now - _STEP_SECONDS, False
            waited = now - self._since
            if waited >= PATIENCE_SECONDS:
                raise StorageError(
                    f"another process holds the database for over {PATIENCE_SECONDS:g} s: "
                    f"{self._who()}",
                    where=str(self._file),
                    fix="End that process, or wait until it is done; then run the command again. "
                    "Everything so far is saved.",
                )
            if waited >= TELL_SECONDS and not self._told:
                self._told = True
                _log.warning(
                    "%s is held by %s; waiting for it, up to %g s",
                    self._file,
                    self._who(),
                    PATIENCE_SECONDS,
                )

    def _ended(self) -> None:
        with self._one:
            self._since = None

    def _who(self) -> str:
        return ", ".join(holders(self._file)[:3]) or "a process that this system does not tell"


class _Cursor(sqlite3.Cursor):
    """A cursor whose statements wait."""

    connection: PatientConnection

    def execute(self, *words: Any) -> _Cursor:
        """As sqlite3's."""
        return self.connection.patience(lambda: super(_Cursor, self).execute(*words))

    def executemany(self, *words: Any) -> _Cursor:
        """As sqlite3's."""
        return self.connection.patience(lambda: super(_Cursor, self).executemany(*words))


class PatientConnection(sqlite3.Connection):
    """A connection whose statements and commits wait."""

    patience: Patience

    def cursor(self, *_: Any) -> Any:
        """A cursor that waits too."""
        return super().cursor(_Cursor)

    def commit(self) -> None:
        """As sqlite3's."""
        self.patience(super().commit)


def connect(file: Path, patience: Patience, *, read_only: bool = False) -> PatientConnection:
    """A connection to a file, to be used by one thread at a time.

    Args:
        read_only: nothing is written, whatever is asked: no table, and no journal is played back.
    """
    address = f"file:{quote(str(file.absolute()))}?mode=ro" if read_only else str(file.absolute())
    connection = PatientConnection(
        address, timeout=_STEP_SECONDS, check_same_thread=False, uri=read_only
    )
    connection.patience = patience
    return connection
