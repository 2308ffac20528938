"""Files that a command appends to: by one run at a time, so that what was paid for survives a crash
and the next run goes on.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from suite import files
from suite.data.room import Room
from suite.errors import DataError, StorageError


@contextmanager
def alone(file: Path, what: str, command: str = "distil") -> Iterator[None]:
    """Within: no other run writes this file.

    Args:
        what: its lines are, in the plural: for messages.
        command: of the suite, that writes it.

    Raises:
        StorageError: another does, or nothing can be written there.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file.with_suffix(".lock"))
        lock.acquire(timeout=0)
    except Timeout:
        raise StorageError(
            f"another `suite {command}` is writing this file",
            where=str(file),
            fix="Wait for it to end: the next one goes on where it stopped.",
        ) from None
    except OSError as error:
        raise _unwritable(file, what, error) from None
    try:
        yield
    finally:
        with suppress(OSError):
            Path(lock.lock_file).unlink()  # before: nobody waits, who comes now makes one anew
        lock.release()


@contextmanager
def appending(file: Path, what: str) -> Iterator[IO[str]]:
    """A file to append lines to; half a line at its end (a crash) is cut off first.

    Args:
        what: its lines are, in the plural: for messages.

    Raises:
        StorageError: it can't be written.
    """
    if os.path.lexists(file):
        files.size(file, StorageError)  # no pipe, which would be waited for
    try:
        with file.open("a+b") as stream:
            stream.seek(0)
            content = stream.read()
            if content and not content.endswith(b"\n"):
                stream.truncate(content.rfind(b"\n") + 1)
        with file.open("a", encoding="utf-8") as text:
            yield text
    except OSError as error:
        raise _unwritable(file, what, error) from None


def lines(file: Path) -> Iterator[bytes]:
    """The lines of a file; half a line at the end, of a run that was killed, is left out.

    Raises:
        DataError: it can't be read, or a line is longer than memory allows.
    """
    room = Room()
    with files.opened(file, DataError) as opened:
        for number in itertools.count(1):
            line = opened.readline(room.row + 1)
            if len(line) > room.row:
                raise room.full("this line", room.row, f"{file}, line {number}")
            if not line.endswith(b"\n"):
                return
            yield line


def _unwritable(file: Path, what: str, error: OSError) -> StorageError:
    return StorageError(
        f"{what} can't be kept: {files.reason(error, file)}",
        where=str(file),
        fix="Work in a folder that can be written, on a disk with space left.",
    )
