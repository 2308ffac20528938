"""One child process and the channel to it: started, listened to, ended, and how it came to die.

A death says nothing by itself: the same signal comes from a person, from the system because memory
ran out, and from a bug. What it was decides whose failure it is, so it is found out here.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import psutil

from suite.child.messages import LOG, Cause, Failed
from suite.errors import counted
from suite.machine import memory

POLL_SECONDS = 0.1
#: How often a child's memory is looked at, in seconds.
LOOK_SECONDS = 1.0
#: A child that waits for ever may wake now and then: a smaller share of a core is no work.
WORKING_SHARE = 0.001
#: How often its processor time is looked at before it counts as hanging.
LOOKS_IN_BOUND = 10
#: How often a child is started anew where the forkserver dies over it.
STARTS = 3
#: How soon a child that has said its last word closes its channel, and how long it may then take
#: to be gone.
CLOSING_SECONDS, LEAVING_SECONDS = 0.2, 2.0
#: How long a killed forkserver may take to be gone.
SERVER_SECONDS = 5.0

#: Signals that come from outside: from a person, a batch system, a machine that is shut down.
_FROM_OUTSIDE = frozenset(
    {signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}
)
#: What multiprocessing calls the end of a child whose forkserver is gone: it can't be known.
_UNKNOWN = 255


class Offspring:
    """A child process, from its start to its end.

    Args:
        context: the forkserver's; it is started again where it was killed.
        target: runs in the child, with its end of the channel and `arguments`.
        folder: where the child keeps its log.
    """

    def __init__(
        self,
        context: ForkServerContext,
        target: Callable[..., None],
        arguments: tuple[Any, ...],
        folder: Path,
    ) -> None:
        self._folder = folder
        self._peak = 0
        self._looked = self._asked = self._awake = time.monotonic()
        self._stirred = self._weighed = self._awake
        #: Processor seconds when the child had stirred last; None until they are looked up.
        self._spent: float | None = None
        #: The count before the last look, which a kill that is met now can't be in.
        self._kills = self._kills_now = memory.kills()
        self._started: tuple[ForkServerProcess, Connection] | None = None
        self._process: psutil.Process | None = None
        self._server: psutil.Process | None = None
        for _ in range(STARTS):
            ours, theirs = context.Pipe()
            child = context.Process(target=target, args=(theirs, *arguments), daemon=True)
            try:
                with _main_hidden():
                    child.start()
            except (EOFError, ConnectionError):
                # The forkserver was killed meanwhile; the next start brings a new one.
                ours.close()
                continue
            finally:
                theirs.close()
            self._started = child, ours
            with contextlib.suppress(psutil.Error):
                self._process = psutil.Process(child.pid)
                self._server = self._process.parent()
            return

    def receive(self) -> Any:
        """The next message; None after a short wait; `Failed` where there will be none."""
        if self._started is None:
            reason = f"the forkserver was killed {counted(STARTS, 'time')} while a child started"
            return Failed(reason, cause="outside")
        channel = self._started[1]
        self._look()
        try:
            if not channel.poll(POLL_SECONDS):
                return None
            self._heard(time.monotonic())
            return channel.recv()
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return self._death()

    def is_silent(self, bound: float) -> bool:
        """Whether the child has said nothing and computed nothing for so many seconds.

        A long scoring says nothing either, and is honest work: its processor time tells. To be
        asked all the while, between messages.
        """
        now, before = time.monotonic(), self._awake
        self._awake = now
        if now - before > bound / 2:
            # This process itself stood still: a person stopped it, or its machine slept.
            self._heard(now)
        if now - self._weighed < bound / LOOKS_IN_BOUND:
            return False
        self._weighed, spent, since = now, self._processor_seconds(), now - self._stirred
        if self._spent is None:
            self._spent = spent
        elif spent - self._spent >= WORKING_SHARE * since:
            self._spent, self._stirred = spent, now
        else:
            return since > bound
        return False

    def due(self, seconds: float) -> bool:
        """Whether so many seconds have passed since this was so last."""
        now = time.monotonic()
        if now - self._asked < seconds:
            return False
        self._asked = now
        return True

    def send(self, value: bool | int) -> None:
        """Answers the child."""
        if self._started is not None:
            # It may have died after its message; the next receive says so.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._started[1].send(value)

    def end(self) -> None:
        """Sees to it that the child is gone."""
        if self._started is None:
            return
        child, channel = self._started
        self._started = None
        done = _is_closed(channel)
        channel.close()
        if done:
            child.join(timeout=LEAVING_SECONDS)
        # A child whose forkserver is gone counts as ended there, and may live.
        if (child.is_alive() or self._lives()) and self._process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._process.terminate()
                self._wait(2)
            if self._lives():
                with contextlib.suppress(psutil.NoSuchProcess):
                    self._process.kill()
                    self._wait(10)
        child.join()
        child.close()

    def _heard(self, now: float) -> None:
        """A sign of life: from here on silence is counted anew."""
        self._stirred = self._weighed = now
        self._spent = None

    def _processor_seconds(self) -> float:
        """Of the child and of what it started; as far as it can be told."""
        spent = 0.0
        with contextlib.suppress(psutil.Error):
            assert self._process is not None
            for process in (self._process, *self._process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    spent += times.user + times.system
        return spent

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._lives() and time.monotonic() < until:
            time.sleep(0.02)

    def _lives(self) -> bool:
        return _is_alive(self._process)

    def _look(self) -> None:
        """Remembers the most memory that the child was seen with, and the kills so far."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS or self._process is None:
            return
        self._looked = now
        self._peak = max(self._peak, memory.peak(self._process.pid))
        self._kills, self._kills_now = self._kills_now, memory.kills()

    def _death(self) -> Failed:
        """Why the child is gone, in a sentence, and whose doing it was."""
        assert self._started is not None
        child = self._started[0]
        child.join(timeout=10)
        code = child.exitcode
        log = f"; its log: {self._folder / LOG}" if (self._folder / LOG).exists() else ""
        if code == _UNKNOWN and self._server_is_gone():
            told = "the child was killed together with its forkserver"
            return Failed(f"{told}{log}", cause="outside")
        if code is None or code >= 0:
            return Failed(f"the child ended with exit code {code} and without a result{log}")
        try:
            sign = signal.Signals(-code)
        except ValueError:
            return Failed(f"the child died of signal {-code}{log}")
        cause: Cause = "outside" if sign in _FROM_OUTSIDE else "own"
        told = ": killed from outside" if cause == "outside" else ""
        if sign == signal.SIGKILL and self._memory_ran_out():
            cause = "memory_kill"
            told = f": memory ran out; {memory.figures(self._peak)}"
        return Failed(f"the child died of {sign.name}{told}{log}", cause=cause)

    def _server_is_gone(self) -> bool:
        """Whether the forkserver died with its child: it may take a moment to be seen."""
        until = time.monotonic() + SERVER_SECONDS
        while _is_alive(self._server):
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def _memory_ran_out(self) -> bool:
        now = memory.kills()
        rose = now is not None and self._kills is not None and now > self._kills
        return rose or memory.is_near(self._peak)


def _is_closed(channel: Connection) -> bool:
    """Whether the other end is closed: who did it has said all, and goes by itself. A child in the
    middle of its work would not see that nobody listens any more."""
    until = time.monotonic() + LEAVING_SECONDS  # one that goes on talking is in the middle of it
    try:
        while time.monotonic() < until and channel.poll(CLOSING_SECONDS):
            channel.recv()
    except (EOFError, OSError):
        return True
    return False


def _is_alive(process: psutil.Process | None) -> bool:
    if process is None:
        return False
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


_main_lock = threading.Lock()


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Within: a child that starts does not run the calling script again.

    multiprocessing lets every child import the parent's main file first. Trials need nothing of
    it, and a script without `if __name__ == "__main__"` would start its study again in each.
    """
    with _main_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
