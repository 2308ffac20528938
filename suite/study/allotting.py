"""What a command's time is spent on: which arm is timed, which gets a trial, what fits no more.

`--timeout` is the whole command's. A tenth of it at most goes into timing arms; what the finals
will take is kept back; the rest is dealt in rounds, one trial of each arm, the cheapest first. An
arm of which one more trial does not fit gets none, and the others go on without it. An arm's first
trial needs less to be kept back, one training of each arm: an arm trained once stands in the
answer, one without a trial does not. What is known
of an arm's cost comes from its trials, else from its timing, else from a rule of thumb; an arm is
timed only where the rule of thumb does not settle whether it fits. An estimate may err: what runs
is not cut off, so a command may be late by one trial.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

#: What of a command's time may go into timing arms.
TIMING_SHARE = 0.1
#: A rule of thumb is trusted where so many times its seconds would fit.
SURE = 10.0
#: Less of the share for timing is no use.
LEAST_SECONDS = 1.0


class Allowance:
    """A command's time.

    Args:
        seconds: in all; None where there is no end.
        clock: seconds from anywhere.
        began: when the command began, by that clock; now where None.
    """

    def __init__(
        self,
        seconds: float | None,
        clock: Callable[[], float] = time.monotonic,
        began: float | None = None,
    ) -> None:
        self.seconds = seconds
        self._clock = clock
        self._began = clock() if began is None else began
        self._timing = 0.0

    @property
    def left(self) -> float:
        """Seconds to its end: below 0 when it is over, infinite where there is none."""
        if self.seconds is None:
            return float("inf")
        return self.seconds - (self._clock() - self._began)

    @property
    def timing_left(self) -> float:
        """Seconds that may still go into timing arms."""
        if self.seconds is None:
            return float("inf")
        return min(self.left, TIMING_SHARE * self.seconds - self._timing)

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Within: arms are timed."""
        begun = self._clock()
        try:
            yield
        finally:
            self._timing += self._clock() - begun


@dataclass(frozen=True)
class Contender:
    """An arm that might get the next trial.

    Args:
        arm: its name.
        trials: that it has, finished or running.
        seconds: of one more, as trials or a timing tell; None where neither does.
        thumb: the same by a rule of thumb; None where there is none.
        measuring: what of both is spent on measuring speed, with its first trial alone.
        finals: seconds of its finals.
        least: seconds of its finals with one training; as `finals` where None.
        timed: whether timing it was tried.
    """

    arm: str
    trials: int
    seconds: float | None = None
    thumb: float | None = None
    measuring: float = 0.0
    finals: float = 0.0
    least: float | None = None
    timed: bool = False

    @property
    def known(self) -> bool:
        """Whether anything is known of a trial's seconds."""
        return self.seconds is not None or self.thumb is not None

    def kept_back(self, first: bool) -> float:
        """Seconds of its finals that are kept back; before an arm's first trial the least."""
        return self.least if first and self.least is not None else self.finals

    @property
    def cost(self) -> float:
        """What is known of a trial's seconds; infinite where nothing is."""
        known = self.thumb if self.seconds is None else self.seconds
        return float("inf") if known is None else known


@dataclass(frozen=True)
class Turn:
    """What is done next.

    Args:
        do: start a trial of `arm`; time it first; wait for others that are timed; or stop, for
            nothing fits any more.
        arm: "" where it waits or stops.
        order: the arms in the order in which they would be started.
        unfit: arms that get no more trials in this command, each with what a trial would take.
    """

    do: Literal["start", "time", "wait", "stop"]
    arm: str = ""
    order: tuple[str, ...] = ()
    unfit: dict[str, float] = field(default_factory=dict)


def next_turn(
    contenders: Sequence[Contender],
    left: float,
    timing_left: float,
    *,
    rounds: float = float("inf"),
    whole: float | None = None,
) -> Turn:
    """Whose turn it is: the arm with the fewest trials, the cheapest where they are equal.

    Args:
        contenders: in the recipe's order.
        left: seconds to the end of the command.
        timing_left: seconds of them that may go into timing arms.
        rounds: trials with which an arm has all that it gets; its finals are still to come.
        whole: seconds of the command in all. Where nothing fits any more before anything was tried
            (it was slow to start), the cheapest arm is tried all the same if they would do for it:
            a late answer is better than none.
    """
    tried = [c for c in contenders if c.trials]
    ordered = sorted((c for c in contenders if c.trials < rounds), key=lambda c: (c.trials, c.cost))
    unfit: dict[str, float] = {}
    found: Turn | None = None
    for contender in ordered:
        first = not contender.trials
        due = [*tried, contender] if first else tried
        reserved = sum(c.kept_back(first) for c in due)
        do = _fitting(contender, left - reserved, timing_left)
        if do is None:
            unfit[contender.arm] = contender.cost
        elif found is None:
            found = Turn(do, contender.arm)
    if found is None:
        cheapest = ordered[0] if ordered else None
        if cheapest is None or whole is None or tried:
            return Turn("stop", unfit=unfit)
        if cheapest.known and whole < cheapest.cost:
            return Turn("stop", unfit=unfit)
        del unfit[cheapest.arm]
        found = Turn("start", cheapest.arm)
    names = tuple(c.arm for c in ordered if c.arm not in unfit)
    return Turn(found.do, found.arm, names, unfit)


def _fitting(
    contender: Contender, there: float, timing_left: float
) -> Literal["start", "time"] | None:
    """What is done with an arm in so many seconds, its finals kept back; None: it does not fit."""
    if there <= 0:
        return None
    if contender.seconds is not None:
        return "start" if contender.seconds <= there else None
    if not contender.timed:
        if contender.thumb is not None and SURE * contender.thumb <= there:
            return "start"
        if timing_left >= LEAST_SECONDS:
            return "time"
    return "start" if (contender.thumb or 0.0) <= there else None
