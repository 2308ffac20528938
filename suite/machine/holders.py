"""Who holds a file: for a message to a person who waits for it."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

#: Words of a command that are told, and characters of each.
_WORDS, _LENGTH = 4, 40


def holders(file: Path) -> list[str]:
    """Other processes that have a lock on a file, else those that have it open, as far as this
    system tells: `pid 12 (python hold.py)`."""
    own = os.getpid()
    found = sorted(_locking(file) - {own}) or sorted(_opening(file) - {own})
    return [_told(pid) for pid in found]


def holds(file: Path) -> bool:
    """Whether this process itself has a lock on a file, as far as this system tells."""
    return os.getpid() in _locking(file)


def _locking(file: Path) -> set[int]:
    """Processes with a lock on a file, by Linux's list of locks."""
    try:
        inode = file.stat().st_ino
        lines = Path("/proc/locks").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    # "1: POSIX  ADVISORY  WRITE 3007 fe:00:2148458 1073741824 1073742335". The device is not
    # compared: layered file systems show another one here than they tell of the file.
    held = [line.split() for line in lines if " -> " not in line]
    return {
        int(words[4])
        for words in held
        if len(words) >= 6 and words[5].rpartition(":")[2] == str(inode) and int(words[4]) > 0
    }


def _opening(file: Path) -> set[int]:
    """Processes that have a file open, as far as this user may know."""
    wanted = os.path.realpath(file)
    found = set()
    for process in psutil.process_iter():
        try:
            if any(opened.path == wanted for opened in process.open_files()):
                found.add(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def _told(pid: int) -> str:
    """A process in few words; without what looks like an address: it may hold a password."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return f"pid {pid}"
    if not words:
        return f"pid {pid}"
    kept = [os.path.basename(words[0]), *(w for w in words[1:] if "://" not in w and "=" not in w)]
    return f"pid {pid} ({' '.join(word[:_LENGTH] for word in kept[:_WORDS])})"
