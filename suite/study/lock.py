"""The study's lock: one worker at a time decides what others rely on, on one machine or on many."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import sqlalchemy
from filelock import FileLock
from filelock import Timeout as LockTimeout

from suite import paths, redaction
from suite.errors import StorageError
from suite.machine.holders import holders
from suite.study.database import Database, is_sqlite

PATIENCE_SECONDS = 120.0
#: Who waits for longer says so.
MOMENT_SECONDS = 3.0
POLL_SECONDS = 0.05

#: What a person can do about a lock that is never given back.
_END_PROCESS = "End the process that has this file open, and run the command again."
_END_SESSION = (
    "`select pid, client_addr, backend_start from pg_stat_activity join pg_locks using (pid) where "
    "locktype = 'advisory' and granted` tells who has it, `select pg_terminate_backend(PID)` ends "
    "a session; then run the command again."
)


class StudyLock:
    """Held by one worker at a time, over threads, processes and machines.

    SQLite: a lock file beside the database. PostgreSQL: an advisory lock, which reaches every
    machine and ends with its connection. Elsewhere: a lock file of this machine.

    Args:
        patience: seconds after which waiting is given up.
        say: told whom it waits for, where that takes longer than a moment.
    """

    def __init__(
        self,
        storage: Database,
        study: str,
        *,
        patience: float = PATIENCE_SECONDS,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        place = storage.place
        shown = place.render_as_string()  # without the password
        digest = hashlib.sha256(f"{shown}#{study}".encode()).digest()
        self._among_processes: Callable[[float], AbstractContextManager[None]]
        if place.get_backend_name() == "postgresql":
            key = int.from_bytes(digest[:8], "big", signed=True)
            self._among_processes = partial(_advisory_lock, storage.engine, key)
            self._where, self._fix = redaction.address(shown), _END_SESSION
            self._file: Path | None = None
        else:
            if is_sqlite(place):
                file = Path(str(place.database)).with_suffix(f".{study}.lock")
            else:
                file = paths.cache() / f"{digest.hex()[:16]}.lock"
            self._among_processes = partial(_lock_file, file)
            self._where, self._fix = str(file), _END_PROCESS
            self._file = file
        self.say = say
        self._among_threads = threading.Lock()
        self._patience = patience
        self._held = ExitStack()
        self._holder: int | None = None

    def acquire(self) -> None:
        """Waits for the lock.

        Raises:
            StorageError: it could not be had within two minutes.
        """
        until = time.monotonic() + self._patience
        if not self._among_threads.acquire(timeout=self._patience):
            raise self._given_up()
        try:
            self._held.enter_context(self._taken(until))
            self._holder = threading.get_ident()
        except BaseException as error:
            # Ctrl-C may come when it is had already, and nobody yet gives it back.
            self._give_back()
            if isinstance(error, TimeoutError):
                raise self._given_up() from None
            raise

    def _taken(self, until: float) -> ExitStack:
        """The lock among processes, entered once nobody else has it.

        Raises:
            TimeoutError: somebody has it for too long.
        """
        held = ExitStack()
        try:
            held.enter_context(self._among_processes(min(MOMENT_SECONDS, self._patience)))
        except TimeoutError:
            who = ", ".join(holders(self._file)) if self._file is not None else ""
            self.say(f"waiting for the study's lock, which {who or 'another worker'} has")
            held.enter_context(self._among_processes(max(0.0, until - time.monotonic())))
        return held

    def release(self) -> None:
        """Gives the lock back; does nothing where this thread does not hold it."""
        if self._holder == threading.get_ident():
            self._give_back()

    def _give_back(self) -> None:
        self._holder = None
        try:
            self._held.close()
        finally:
            self._among_threads.release()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within: held."""
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def remove(self) -> None:
        """Removes the lock's file, where it has one and nobody holds it: its study is deleted.

        Who waits for it meanwhile gets a lock of its own, and finds the study gone.
        """
        if self._file is None or not self._file.exists():
            return
        with suppress(TimeoutError, StorageError), self._among_processes(0):
            self._file.unlink(missing_ok=True)

    def _given_up(self) -> StorageError:
        who = ", ".join(holders(self._file)) if self._file is not None else ""
        return StorageError(
            f"another worker holds the study's lock for over {self._patience:g} s"
            + (f": {who}" if who else ""),
            where=self._where,
            fix=self._fix,
        )


@contextmanager
def _advisory_lock(engine: sqlalchemy.Engine, key: int, patience: float) -> Iterator[None]:
    """Within: PostgreSQL's advisory lock of that number is held.

    Raises:
        TimeoutError: it could not be had in so many seconds.
    """
    until = time.monotonic() + patience
    # Without a transaction: one that stays open for as long as a trial starts is in others' way.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            take = sqlalchemy.text("select pg_try_advisory_lock(:key)")
            while not connection.scalar(take, {"key": key}):
                if time.monotonic() > until:
                    raise TimeoutError
                time.sleep(POLL_SECONDS)
            yield
            connection.execute(sqlalchemy.text("select pg_advisory_unlock(:key)"), {"key": key})
        except BaseException:
            # Whether the lock is held is not known now: in the pool the connection might hold it
            # for good, closed it can't.
            connection.invalidate()
            raise


@contextmanager
def _lock_file(file: Path, patience: float) -> Iterator[None]:
    """Within: the file is locked.

    Raises:
        TimeoutError: it could not be had in so many seconds.
        StorageError: it can't be written.
    """
    lock = FileLock(file, timeout=max(0.0, patience), thread_local=False)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except LockTimeout:
        raise TimeoutError from None
    except OSError as error:
        raise StorageError(
            f"the lock cannot be written: {error.strerror}", where=str(file)
        ) from None
    try:
        yield
    finally:
        lock.release()
