"""Work as it goes on: what has ended, a bar inside each trial, one over all, the time left.

On a terminal a table is redrawn in place; elsewhere each event is a plain line ("12/48, about
14 min left"); with `--quiet` nothing is said but what went wrong. The time left is reckoned from
the arms whose trials are missing, and is left out until each of them has a figure.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from suite.cli import fitting
from suite.cli.console import detail, draws, err, is_verbose, styled, told, words
from suite.contracts.moments import duration
from suite.contracts.results import Checkpoint, Trial
from suite.errors import counted
from suite.report import formats
from suite.verdict.metrics import MACRO_F1, METRICS

if TYPE_CHECKING:
    from suite.study.ledger import Ledger
    from suite.study.preflight import Estimate
    from suite.study.turns import Turns
    from suite.study.work import Work

SHOWN_TRIALS = 15
#: Cells of the bar inside a running trial's line.
SHARE_CELLS = 16
#: Lines of a failed trial's log that --verbose shows.
SHOWN_LOG = 20
#: The storage is asked how far the study is at most once in so many seconds.
ASKED_EVERY = 2.0


@dataclass
class Steps:
    """A piece of work of so many steps: preflight, finals, engines."""

    name: str
    began: float
    done: int = 0
    total: int = 0
    what: str = ""
    #: When it will have ended, where that is told.
    ends: float | None = None

    def left(self, now: float) -> float | None:
        """Seconds left, as told; else as the steps so far took; None before the first is done."""
        if self.ends is not None:
            return max(0.0, self.ends - now)
        if not self.done:
            return None
        return (now - self.began) / self.done * (self.total - self.done)

    def line(self, now: float) -> str:
        """How far it is, as words."""
        reached = so_far(self.done, self.total, self.left(now))
        return f"{told(self.name)}: {reached}, {told(self.what)}"


def so_far(done: int, total: int, left: float | None) -> str:
    """How far, and how long still: "12/48, about 14 min left"."""
    text = f"{done:,}/{total:,}"
    if done >= total:
        return text
    return f"{text}, {how_long(left)}"


def how_long(left: float | None) -> str:
    """The time left, or that it is not known."""
    return told("time left not known yet" if left is None else f"about {duration(left)} left")


@dataclass
class _Running:
    arm: str
    began: float
    fraction: float = 0.0
    f1: float | None = None


@dataclass
class Watching:
    """Follows a study; the base says nothing but warnings."""

    ledger: Ledger | None = None
    turns: Turns | None = None
    workers: int = 1
    running: dict[int, _Running] = field(default_factory=dict)
    ended_trials: list[Trial] = field(default_factory=list)
    seconds: dict[int, float] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    steps: Steps | None = None
    began: float = field(default_factory=time.monotonic)

    def study(self, work: Work, workers: int) -> None:
        """The work that is watched, and how many workers do it here."""
        with self.lock:
            # A split's study begins where another ended.
            self.running.clear()
            self.ended_trials.clear()
            self.seconds.clear()
            self.steps = None
            self.ledger, self.turns, self.workers = work.ledger, work.turns, workers

    def _label(self, language: str) -> str:
        """What the scores are called that the study goes by."""
        if self.ledger is None:
            return MACRO_F1.label(language)
        return METRICS[self.ledger.definition.recipe.objective].label(language)

    def searching(self) -> None:
        """The search begins: what came before it is over."""
        with self.lock:
            self.steps = None
            self.began = time.monotonic()

    def step(self, name: str, done: int, total: int, what: str, left: float | None = None) -> None:
        """How far a piece of work is that is no search, and what is done now."""
        with self.lock:
            now = time.monotonic()
            if self.steps is None or self.steps.name != name:
                self.steps = Steps(name, now)
            self.steps.done, self.steps.total, self.steps.what = done, total, what
            self.steps.ends = None if left is None else now + left

    def estimated(self, estimate: Estimate) -> None:
        """An arm's preflight."""
        if estimate.failure is not None:
            self.said(f"{estimate.arm}: {estimate.failure}")

    def started(self, number: int, arm: str, params: Mapping[str, Any]) -> None:
        """A trial started."""
        with self.lock:
            self.running[number] = _Running(arm, time.monotonic())
        if is_verbose():
            chosen = ", ".join(f"{key}={value}" for key, value in params.items())
            detail(f"trial {number} started: {arm}: {chosen or 'nothing to choose'}")

    def progressed(self, number: int, fraction: float) -> None:
        """How far a trial's budget is spent."""
        with self.lock:
            if number in self.running:
                self.running[number].fraction = fraction

    def scored(self, number: int, checkpoint: Checkpoint) -> None:
        """A checkpoint was scored."""
        with self.lock:
            if number in self.running:
                self.running[number].f1 = checkpoint.score
        if is_verbose():
            detail(
                f"trial {number}: {self._label('en')} {checkpoint.score:.4f} at "
                f"{checkpoint.fraction:.0%} of its budget"
            )

    def ended(self, trial: Trial) -> None:
        """A trial ended."""
        with self.lock:
            running = self.running.pop(trial.number, None)
            if running is not None:
                self.seconds[trial.number] = time.monotonic() - running.began
            self.ended_trials.append(trial)
        if trial.error and is_verbose() and self.ledger is not None:
            log = self.ledger.artifacts.log(trial.number)
            if log.is_file():
                lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
                detail("\n".join(f"  | {line}" for line in lines[-SHOWN_LOG:]))

    def said(self, text: str) -> None:
        """Something a person should know."""

    def reach(self) -> tuple[int, int, float | None]:
        """Finished trials, the number wanted, and the seconds left where they can be told: to the
        end of the command, finals included."""
        if self.ledger is None or self.turns is None:
            return 0, 0, None
        from suite.study.record import OUT
        from suite.study.search import COUNTED, arm_of, contending

        study = self.ledger.study
        trials = study.get_trials(deepcopy=False)
        begun = [t for t in trials if t.state in COUNTED and t.state.name != "WAITING"]
        finished = sum(trial.state.name != "RUNNING" for trial in begun)
        arms = contending(self.ledger.definition, begun, study.user_attrs.get(OUT, {}))
        contenders = {c.arm: c for c in self.turns.contenders(arms, begun)}
        alive = [name for name in contenders if name not in self.turns.unfit]
        once = {name: c.measuring for name, c in contenders.items()}
        target = self.ledger.target
        with self.lock:
            # What has just ended is stored a moment later.
            each = {t.arm: self.seconds[t.number] for t in self.ended_trials if not t.error}
            going = [(run.arm, time.monotonic() - run.began) for run in self.running.values()]
        each |= self.ledger.known_seconds()
        counts = Counter(arm_of(trial) or "" for trial in begun)
        left = seconds_left(counts, alive, target, each, going, self.workers, once)
        finals = sum(c.finals for c in contenders.values() if c.trials or c.arm in alive)
        running = max((max(0.0, each.get(arm, 0.0) - spent) for arm, spent in going), default=0.0)
        return finished, target, within(left, self.turns.allowance.left, running, finals)


def within(left: float | None, allowed: float, running: float, finals: float) -> float | None:
    """Seconds to the end of a command, finals included; None where nothing tells.

    Args:
        left: of the search, were there no end; None where that is not known.
        allowed: to the end of the command's time; infinite where there is none.
        running: of the trials that run: they are not cut off.
        finals: of the finals: they come in any case.
    """
    if left is None and allowed == float("inf"):
        return None
    search = allowed - finals if left is None else min(left, allowed - finals)
    return max(search, running) + finals


def seconds_left(
    counts: Mapping[str, int],
    alive: list[str],
    target: int,
    each: Mapping[str, float],
    going: list[tuple[str, float]],
    workers: int,
    once: Mapping[str, float] | None = None,
) -> float | None:
    """What the missing trials will take, arm by arm; None where an arm's trials are not known.

    Args:
        counts: trials by arm, finished or running.
        alive: arms that still get trials; the one with the fewest is next.
        target: trials the study is to have.
        each: seconds of a trial by arm, so far as known.
        going: arm and seconds of each trial that runs.
        workers: trials at a time.
        once: seconds that come with an arm's first trial.
    """
    first = once or {}
    taken = Counter(dict(counts))
    missing: Counter[str] = Counter()
    for _ in range(target - sum(counts.values())):
        if not alive:
            break
        arm = min(alive, key=lambda name: taken[name])
        taken[arm] += 1
        missing[arm] += 1
    if not each or any(arm not in each for arm in (*missing, *(arm for arm, _ in going))):
        return None
    rest = [max(0.0, each[arm] - spent) for arm, spent in going]
    work = sum(each[arm] * count + first.get(arm, 0.0) for arm, count in missing.items())
    work += sum(rest)
    longest = max([*rest, *(each[arm] for arm in missing)], default=0.0)
    return max(longest, work / max(1, workers))


def ended_line(trial: Trial, spent: float | None, width: int = 0) -> str:
    """A finished trial as one plain line; `width` is that of the longest arm's name."""
    say = words()
    parts = [
        say("progress_trial", n=f"{trial.number:>3}"),
        f"{trial.arm:<{width}}",
        f"{say(f'state_{trial.state.lower()}'):<8}",
    ]
    if trial.score is not None:
        named = trial.validation.objective if trial.validation else None
        other = named is not None and named.name != MACRO_F1.key
        label = METRICS[named.name].label(say.language) if named and other else "F1"
        parts.append(f"{label} {trial.score:.4f}")
    if trial.train_seconds is not None:
        time_taken = formats.duration(trial.train_seconds, say)
        parts.append(say("progress_trained", time=time_taken))
    if trial.rps and trial.rps.offline_per_second:
        parts.append(formats.rate(trial.rps.offline_per_second, say))
    if spent is not None:
        parts.append(say("progress_spent", time=formats.duration(spent, say)))
    if trial.error:
        parts.append(told(trial.error.splitlines()[0]))
    return "  ".join(parts)


class Lines(Watching):
    """Plain lines, for logs and pipes."""

    def said(self, text: str) -> None:
        """One line."""
        err.print(told(text), markup=False)

    def step(self, name: str, done: int, total: int, what: str, left: float | None = None) -> None:
        """One line."""
        super().step(name, done, total, what, left)
        if self.steps is not None:
            self.said(self.steps.line(time.monotonic()))

    def estimated(self, estimate: Estimate) -> None:
        """One line."""
        super().estimated(estimate)
        if estimate.seconds is not None:
            self.said(estimate.told(duration))

    def ended(self, trial: Trial) -> None:
        """One line."""
        super().ended(trial)
        arms = self.ledger.definition.arms if self.ledger else ()
        width = max((len(arm.name) for arm in arms), default=0)
        finished, target, left = self.reach()
        # Its own state is stored only after this is told.
        finished = min(target, finished + (trial.state in ("COMPLETE", "PRUNED")))
        line = ended_line(trial, self.seconds.get(trial.number), width)
        self.said(f"{line}  [{so_far(finished, target, left)}]")


class LiveTable(Watching):
    """The live table."""

    def __init__(self) -> None:
        super().__init__()
        self._reach: tuple[int, int, float | None] = (0, 0, None)
        self._asked = 0.0
        self.live = Live(
            get_renderable=self._draw, console=err, refresh_per_second=4, transient=True
        )

    def said(self, text: str) -> None:
        """Printed above the table."""
        err.print(told(text), markup=False, style="dim")

    def estimated(self, estimate: Estimate) -> None:
        """Printed above the table."""
        super().estimated(estimate)
        if estimate.seconds is not None:
            self.said(estimate.told(duration))

    def _draw(self) -> RenderableType:
        with self.lock:
            parts: list[RenderableType] = []
            if self.ended_trials or self.running:
                parts.append(self._trials())
            now = time.monotonic()
            if self.steps is not None:
                steps = self.steps
                parts.append(
                    _bar(steps.done, steps.total, f"{told(steps.name)}: {told(steps.what)}")
                )
                parts.append(_times(now - steps.began, steps.left(now)))
            elif self.running:
                finished, target, left = self._reached(now)
                parts.append(
                    _bar(finished, target, f"{finished:,}/{told(counted(target, 'trial'))}")
                )
                parts.append(_times(now - self.began, left))
            return Group(*parts)

    def _trials(self) -> fitting.Fitted:
        say = words()
        table = Table(
            fitting.number(say("head_trial")),
            fitting.name(say("head_arm")),
            fitting.text(say("head_state")),
            fitting.number(self._label(say.language)),
            fitting.number(say("head_wall"), leaves=1),
            fitting.number(say("head_rate"), leaves=2),
        )
        for trial in self.ended_trials[-SHOWN_TRIALS:]:
            rps = trial.rps.offline_per_second if trial.rps else None
            state = say(f"state_{trial.state.lower()}")
            if not trial.feasible:
                state = say.join([state, say("flag_infeasible")])
            table.add_row(
                str(trial.number),
                trial.arm,
                say("because", what=state, reason=told(trial.error)) if trial.error else state,
                formats.score(trial.score),
                formats.duration(self.seconds.get(trial.number), say),
                formats.quantity(rps),
            )
        for number, running in sorted(self.running.items()):
            table.add_row(
                str(number),
                running.arm,
                _share(running.fraction),
                "…" if running.f1 is None else formats.score(running.f1),
                # From its start, as of those that ended.
                formats.duration(time.monotonic() - running.began, say),
                "",
            )
        return fitting.Fitted(table)

    def _reached(self, now: float) -> tuple[int, int, float | None]:
        if now - self._asked > ASKED_EVERY:
            self._reach, self._asked = self.reach(), now
        return self._reach


def _share(fraction: float) -> Text:
    """How far a trial is, as a bar that fits a cell."""
    full = round(SHARE_CELLS * min(1.0, fraction))
    return Text("━" * full, "green") + Text("━" * (SHARE_CELLS - full), "bright_black")


def _bar(done: int, total: int, text: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(ProgressBar(total=max(1, total), completed=done, width=32), styled(text))
    return grid


def _times(elapsed: float, left: float | None) -> Text:
    text = words()("progress_so_far", time=told(duration(elapsed)), left=how_long(left))
    return Text(text, style="dim")


@contextmanager
def observer(quiet: bool) -> Iterator[Watching]:
    """Who watches, by where the command runs."""
    if quiet:
        yield Watching()
    elif draws(err):
        table = LiveTable()
        with table.live:
            yield table
    else:
        yield Lines()
