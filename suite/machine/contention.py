"""Who else computes on this machine while something is timed.

Two counters of the system are read before and after: what the cores were busy with (`/proc/stat`),
of which this process and its children are taken off; and, on Linux with pressure stall
information, for how long some runnable thread had to wait for a core. The first is exact about
others and blind to a control group's quota, the second sees every wait and can't tell whose it
was: it counts only where this process alone could not have caused it.

Source: the Linux kernel's Documentation/accounting/psi.rst and filesystems/proc.rst.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from suite.errors import counted
from suite.machine import facts

PRESSURE = Path("/proc/pressure/cpu")

#: The share of the cores that others use before what is timed counts as disturbed: on two cores
#: it takes a fifth of one. A desktop at rest stays far below, one busy process is far above.
BUSY_SHARE = 0.1
#: The share of the time in which threads waited for a core, where one thread was timed.
WAITED_SHARE = 0.25
#: A timed piece that is shorter says nothing: the counters move in steps of 10 ms.
LEAST_SECONDS = 0.05

#: Not computing: a disk is waited for. Guests are counted within user and nice.
_IDLE = frozenset({"idle", "iowait", "guest", "guest_nice"})


@dataclass(frozen=True)
class Beside:
    """What else was computed: `cores` on average by others, `waited` the share of the time in
    which some thread waited for a core (None where the system does not tell), `threads` how many
    cores this process kept busy."""

    seconds: float
    cores: float
    waited: float | None
    threads: float
    usable: float

    @property
    def disturbed(self) -> bool:
        """Whether figures that were taken meanwhile are in doubt."""
        if self.seconds < LEAST_SECONDS:
            return False
        # Threads of one process wait for each other, too, once they are as many as the cores.
        alone = self.threads < min(1.2, self.usable - 0.5)
        waited = alone and self.waited is not None and self.waited >= WAITED_SHARE
        return waited or self.cores >= BUSY_SHARE * self.usable

    def __str__(self) -> str:
        return f"other processes used {counted(round(self.cores, 1), 'core')} meanwhile"


class Watch:
    """Looks at the machine from now on."""

    def __init__(self) -> None:
        self._before = _read()

    def beside(self) -> Beside:
        """What was computed on this process's cores since."""
        then, now = self._before, _read()
        wall = max(now.at - then.at, 1e-9)
        own = max(0.0, now.own - then.own)
        waited = None
        if now.waited is not None and then.waited is not None:
            waited = min(1.0, max(0.0, now.waited - then.waited) / wall)
        return Beside(
            seconds=wall,
            cores=max(0.0, now.busy - then.busy - own) / wall,
            waited=waited,
            threads=own / wall,
            usable=facts.usable_cores(),
        )


@dataclass(frozen=True)
class _Counters:
    """Seconds, since some moment or other."""

    at: float
    busy: float
    own: float
    waited: float | None


def _read() -> _Counters:
    return _Counters(time.perf_counter(), _busy(), _own(), _waited())


def _busy() -> float:
    """Seconds that the cores which this process may use were busy. What the host took from a
    virtual machine (steal) is another's work as well."""
    each = psutil.cpu_times(percpu=True)
    if hasattr(os, "sched_getaffinity"):
        allowed = os.sched_getaffinity(0)
        each = [times for core, times in enumerate(each) if core in allowed] or each
    found = [times._asdict().items() for times in each]
    return float(sum(seconds for core in found for name, seconds in core if name not in _IDLE))


def _own() -> float:
    """Processor seconds of this process and of its children, dead and alive."""
    spent = os.times()
    own = spent.user + spent.system + spent.children_user + spent.children_system
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                times = child.cpu_times()
                own += times.user + times.system
    return own


def _waited() -> float | None:
    """Seconds in which some thread waited for a core (`some ... total=` in microseconds)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        first = PRESSURE.read_text(encoding="ascii").splitlines()[0]
        return int(first.rpartition("total=")[2]) / 1e6
    return None
