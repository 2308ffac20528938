"""A study as it runs: a table that fills as trials end, a bar inside each, the time left.

On a terminal the table is redrawn in place; elsewhere each event is a plain line; with
`--quiet` nothing is said but what went wrong.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from suite.cli.console import err
from suite.results import Checkpoint, Trial

if TYPE_CHECKING:
    from suite.study.preflight import Estimate
    from suite.study.work import Work

SHOWN_TRIALS = 15


@dataclass
class _Running:
    arm: str
    began: float
    fraction: float = 0.0
    f1: float | None = None


@dataclass
class Watching:
    """Follows a study; the base says nothing but warnings."""

    work: Work | None = None
    spent: dict[str, list[float]] = field(default_factory=dict)
    running: dict[int, _Running] = field(default_factory=dict)
    ended_trials: list[Trial] = field(default_factory=list)
    seconds: dict[int, float] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def study(self, work: Work) -> None:
        """The study that is watched."""
        self.work = work

    def estimated(self, estimate: Estimate) -> None:
        """An arm's preflight."""
        if estimate.failure is not None:
            self.said(f"{estimate.arm}: {estimate.failure}")

    def started(self, number: int, arm: str, params: Mapping[str, Any]) -> None:
        """A trial started."""
        with self.lock:
            self.running[number] = _Running(arm, time.monotonic())

    def progressed(self, number: int, fraction: float) -> None:
        """How far a trial's budget is spent."""
        with self.lock:
            if number in self.running:
                self.running[number].fraction = fraction

    def scored(self, number: int, checkpoint: Checkpoint) -> None:
        """A checkpoint was scored."""
        with self.lock:
            if number in self.running:
                self.running[number].f1 = checkpoint.macro_f1

    def ended(self, trial: Trial) -> None:
        """A trial ended."""
        with self.lock:
            running = self.running.pop(trial.number, None)
            if running is not None:
                spent = time.monotonic() - running.began
                self.spent.setdefault(trial.arm, []).append(spent)
                self.seconds[trial.number] = spent
            self.ended_trials.append(trial)

    def said(self, text: str) -> None:
        """Something a person should know."""

    def left(self) -> float | None:
        """Seconds left: what each arm's trials took so far, for those still missing."""
        if self.work is None:
            return None
        missing = self.work.missing()
        means = [sum(s) / len(s) for s in self.spent.values()]
        if not means or not missing:
            return None
        workers = max(1, self.work.limits.workers)
        return missing * (sum(means) / len(means)) / workers


def ended_line(trial: Trial, spent: float | None, width: int = 0) -> str:
    """A finished trial as one plain line; `width` is that of the longest arm's name."""
    parts = [f"trial {trial.number:>3}", f"{trial.arm:<{width}}", f"{trial.state.lower():<8}"]
    if trial.macro_f1 is not None:
        parts.append(f"F1 {trial.macro_f1:.4f}")
    if trial.train_seconds is not None:
        parts.append(f"trained {trial.train_seconds:,.1f} s")
    if trial.rps and trial.rps.offline_per_second:
        parts.append(f"{trial.rps.offline_per_second:,.0f} texts/s")
    if spent is not None:
        parts.append(f"({spent:,.0f} s in all)")
    if trial.error:
        parts.append(trial.error.splitlines()[0])
    return "  ".join(parts)


class Lines(Watching):
    """Plain lines, for logs and pipes."""

    def said(self, text: str) -> None:
        """One line."""
        err.print(text, markup=False)

    def estimated(self, estimate: Estimate) -> None:
        """One line."""
        super().estimated(estimate)
        if estimate.seconds is not None:
            self.said(f"{estimate.arm}: a trial takes about {duration(estimate.seconds)}")

    def ended(self, trial: Trial) -> None:
        """One line."""
        super().ended(trial)
        arms = self.work.definition.arms if self.work else ()
        width = max((len(arm.name) for arm in arms), default=0)
        self.said(ended_line(trial, self.seconds.get(trial.number), width))


class LiveTable(Watching):
    """The live table."""

    def __init__(self) -> None:
        super().__init__()
        self._missing = 0
        self._asked = 0.0
        self.live = Live(
            get_renderable=self._draw, console=err, refresh_per_second=4, transient=True
        )

    def said(self, text: str) -> None:
        """Printed above the table."""
        err.print(text, markup=False, style="dim")

    def estimated(self, estimate: Estimate) -> None:
        """Printed above the table."""
        super().estimated(estimate)
        if estimate.seconds is not None:
            self.said(f"{estimate.arm}: a trial takes about {duration(estimate.seconds)}")

    def _draw(self) -> RenderableType:
        with self.lock:
            table = Table(expand=False)
            for column in ("#", "arm", "state", "F1", "seconds", "texts/s"):
                table.add_column(column, justify="left" if column in {"arm", "state"} else "right")
            for trial in self.ended_trials[-SHOWN_TRIALS:]:
                rps = trial.rps.offline_per_second if trial.rps else None
                table.add_row(
                    str(trial.number),
                    trial.arm,
                    trial.state.lower() if not trial.error else f"failed: {trial.error[:50]}",
                    "–" if trial.macro_f1 is None else f"{trial.macro_f1:.4f}",
                    "–" if trial.train_seconds is None else f"{trial.train_seconds:,.1f}",
                    "–" if rps is None else f"{rps:,.0f}",
                )
            for number, running in sorted(self.running.items()):
                table.add_row(
                    str(number),
                    running.arm,
                    ProgressBar(total=1.0, completed=running.fraction, width=24),
                    "…" if running.f1 is None else f"{running.f1:.4f}",
                    f"{time.monotonic() - running.began:,.0f}",
                    "",
                )
            return Group(table, Text(self._status(), style="dim"))

    def _status(self) -> str:
        if self.work is None:
            return ""
        # The storage is asked at most once in two seconds, not at every redraw.
        if time.monotonic() - self._asked > 2:
            self._missing, self._asked = self.work.missing(), time.monotonic()
        status = f"{self._missing} trials to go"
        left = self.left() if self.spent else None
        return status + (f", about {duration(left)}" if left else "")


def duration(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 100:
        return f"{seconds:,.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds / 3600:,.1f} h"


@contextmanager
def observer(quiet: bool) -> Iterator[Watching]:
    """Who watches, by where the command runs."""
    if quiet:
        yield Watching()
    elif err.is_terminal:
        table = LiveTable()
        with table.live:
            yield table
    else:
        yield Lines()
