"""The training clock: it runs while a strategy trains, and stands still while it is scored."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Training seconds by `time.perf_counter`, the accelerator synchronised at each reading."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since: float | None = None

    def start(self) -> None:
        """Starts, or goes on."""
        synchronise()
        self._since = time.perf_counter()

    def stop(self) -> None:
        """Stops; `seconds` holds the sum."""
        synchronise()
        if self._since is not None:
            self.seconds += time.perf_counter() - self._since
        self._since = None

    @contextmanager
    def paused(self) -> Iterator[list[float]]:
        """Within: not counted. The list it gives holds the seconds spent, afterwards."""
        running = self._since is not None
        self.stop()
        spent: list[float] = []
        begun = time.perf_counter()
        try:
            yield spent
        finally:
            synchronise()
            spent.append(time.perf_counter() - begun)
            if running:
                self.start()


def synchronise() -> None:
    """Waits for the accelerator, where one was used: its work is asynchronous."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.synchronize()
