"""Whether memory ran out: what the system says of it, and what a process held.

A process that overdraws is killed without an error that it could catch, and the signal is the one
that anybody may send. So whoever waits for a process looks here, before and after.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path

import psutil

from suite.machine import facts

VMSTAT = Path("/proc/vmstat")
PROC = Path("/proc")

#: Part of the memory that may be used from which on a process that was killed held too much: the
#: system and its page tables need the rest.
NEAR = 0.9


#: Libraries in other languages tell of it in a text alone.
_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "bad_alloc")


def ran_out(error: BaseException) -> bool:
    """Whether an error means that memory ran out, a GPU's or the machine's."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _WORDS)


def kills() -> int | None:
    """How many processes of this control group the system has killed because memory ran out.

    Counted by the group's `memory.events` (version 2) or `memory.oom_control` (version 1), on a
    machine without groups by /proc/vmstat; None where nothing counts.
    """
    files = [
        folder / name
        for folder in facts.cgroup_folders("memory")
        for name in ("memory.events", "memory.oom_control")
    ]
    for file in (*files, VMSTAT):
        for line in facts.read(file).splitlines():
            key, _, count = line.partition(" ")
            if key == "oom_kill" and count.strip().isdecimal():
                return int(count)
    return None


def group() -> str:
    """This process's control group, as the system names it: counts of another don't compare."""
    return " ".join(facts.read(facts.OWN_CGROUP).split())


def peak(pid: int) -> int:
    """Bytes that a process has held in memory at most; 0 where it is gone or nobody tells."""
    for line in facts.read(PROC / str(pid) / "status").splitlines():
        key, _, rest = line.partition(":")
        number, _, unit = rest.strip().partition(" ")
        if key == "VmHWM" and number.isdecimal() and unit == "kB":
            return int(number) * 1024
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def is_near(held: int) -> bool:
    """Whether so many bytes are about all that this process's group or machine may use."""
    return held >= NEAR * facts.usable_memory()


def figures(held: int) -> str:
    """What was held, and what may be, in words."""
    limit, total = facts.usable_memory(), int(psutil.virtual_memory().total)
    bound = "its control group allows" if limit < total else "the machine has"
    return f"it held {held / 1e9:.2f} GB at its peak, {bound} {limit / 1e9:.2f} GB"
