"""Folders that a process needs for a while, and what a process that died left of its own.

A folder's name tells whose it is (process and start time), and its process holds a lock in it for
as long as it lives. So the next command can tell what nobody needs any more, whatever ended the
one before: the lock is free, and no such process runs. Where either can't be told (another host's
on a shared disk, another user's) the folder stays.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from suite import paths
from suite.errors import counted

_LOCK = ".lock"
#: A file in the making, as a report writes it beside its place: of which process it is.
_PART = re.compile(r"\..{1,250}\.(\d{1,10})\.part")
_NAME = re.compile(r"\.suite-work-(\d{1,10})-(\d{1,12})-\w{1,16}")


class Scratch:
    """A new folder of this process alone, for as long as it is open.

    Args:
        place: the folder it is made in; made too where it is missing.

    Raises:
        OSError: nothing can be written there.
    """

    def __init__(self, place: Path) -> None:
        place.mkdir(parents=True, exist_ok=True)
        started = int(psutil.Process().create_time())
        while True:
            folder = tempfile.mkdtemp(prefix=f".suite-work-{os.getpid()}-{started}-", dir=place)
            self.folder = Path(folder)
            self._lock = FileLock(self.folder / _LOCK, thread_local=False)
            with suppress(FileNotFoundError):
                self._lock.acquire()
                return
            # In a process namespace of its own somebody took the folder for a dead one's before
            # it was locked.

    def close(self) -> None:
        """Removes the folder with what is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()


@contextmanager
def folder(place: Path) -> Iterator[Path]:
    """Within: a new folder in that place, removed afterwards.

    Raises:
        OSError: nothing can be written there.
    """
    scratch = Scratch(place)
    try:
        yield scratch.folder
    finally:
        scratch.close()


@contextmanager
def temporary() -> Iterator[Path]:
    """Within: a new folder among the system's temporary ones (TMPDIR), removed afterwards."""
    with folder(Path(tempfile.gettempdir())) as found:
        yield found


def in_use(place: Path) -> bool:
    """Whether a process that lives has a folder of its own in that place."""
    return any(_locked(found) is None for found in _folders(place))


def sweep(place: Path) -> int:
    """Removes what dead processes of this user left in a place; returns how many bytes."""
    freed = _sweep_parts(place)
    for found in _folders(place):
        lock = _locked(found)
        if lock is None:
            continue
        freed += size(found)
        shutil.rmtree(found, ignore_errors=True)
        lock.release()
    return freed


def _sweep_parts(place: Path) -> int:
    freed = 0
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            named = _PART.fullmatch(entry.name)
            if named is None or psutil.pid_exists(int(named[1])):
                continue
            with suppress(OSError):
                facts = entry.stat(follow_symlinks=False)
                if entry.is_file(follow_symlinks=False) and facts.st_uid == os.getuid():
                    os.unlink(entry.path)
                    freed += facts.st_size
    return freed


def sweep_shared(say: Callable[[str], None]) -> None:
    """Removes what dead commands left in TMPDIR and in the suite's cache, and says how much."""
    with suppress(OSError):  # No temporary folder at all: who needs one says so.
        tell(sweep(Path(tempfile.gettempdir())) + sweep(paths.cache()), "temporary files", say)


def tell(freed: int, where: str, say: Callable[[str], None]) -> None:
    """Says how much was removed, where anything was."""
    if freed:
        say(f"Removed what a command that died had left in {where}: {shown(freed)}.")


def shown(size: int) -> str:
    """Bytes as a person reads them.

    >>> shown(999), shown(1_000_000), shown(2_500_000_000)
    ('999 bytes', '1.0 MB', '2.5 GB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return counted(size, "byte")


def size(folder: Path) -> int:
    """Bytes of a folder's files, each counted once, however many names it has there; what others
    remove meanwhile does not count."""
    total = 0
    linked: set[tuple[int, int]] = set()
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found = os.lstat(os.path.join(parent, name))
                if found.st_nlink > 1:
                    if (found.st_dev, found.st_ino) in linked:
                        continue
                    linked.add((found.st_dev, found.st_ino))
                total += found.st_size
    return total


def alive(pid: int, started: float) -> bool:
    """Whether a process of this machine that started then (seconds since the epoch) still runs.

    A process id is given out again: the start time tells whether it is the same process.
    """
    try:
        process = psutil.Process(pid)
        return (
            abs(process.create_time() - started) <= 1.0 and process.status() != psutil.STATUS_ZOMBIE
        )
    except (psutil.NoSuchProcess, OverflowError):
        return False
    except psutil.AccessDenied:
        return True


def _folders(place: Path) -> list[Path]:
    """Folders in a place that are called as ours, and belong to this user. No links."""
    found = []
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                with suppress(OSError):
                    facts = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False) and facts.st_uid == os.getuid():
                        found.append(Path(entry.path))
    return found


def _locked(found: Path) -> FileLock | None:
    """The lock of a dead process's folder, held now; None where its process may live."""
    named = _NAME.fullmatch(found.name)
    assert named is not None
    if alive(int(named[1]), float(named[2])):
        return None
    lock = FileLock(found / _LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return None
    return lock
