"""A study's course told to a function: one `Progress` at a time, whatever thread it comes from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from suite.child.runner import Interrupted
from suite.contracts.results import Checkpoint, Objective, Trial

if TYPE_CHECKING:
    from suite.study.preflight import Estimate
    from suite.study.work import Work


@dataclass(frozen=True)
class Progress:
    """What happened while a study ran.

    Args:
        event: `said` (something a person should know), or of one trial: `started`, `progressed`,
            `scored` (a checkpoint), `ended`.
        text: what was said.
        trial: the trial's number, None for `said`.
        arm: of `started` and `ended`.
        fraction: of the trial's budget that is spent, 0 to 1.
        macro_f1: on validation, of `scored` and `ended`.
        objective: the score that counts, of the same.
        result: the whole trial, of `ended`.
    """

    event: Literal["said", "started", "progressed", "scored", "ended"]
    text: str = ""
    trial: int | None = None
    arm: str = ""
    fraction: float = 0.0
    macro_f1: float | None = None
    objective: Objective | None = None
    result: Trial | None = None


class Stop(threading.Event):
    """The run's own flag, which the caller's raises too."""

    def __init__(self, theirs: threading.Event | None) -> None:
        super().__init__()
        self._theirs = theirs

    def is_set(self) -> bool:
        """Whether either flag is raised."""
        return super().is_set() or self.theirs

    @property
    def theirs(self) -> bool:
        """Whether the caller's is."""
        return self._theirs is not None and self._theirs.is_set()


@contextmanager
def ended(stop: Stop, telling: Telling) -> Iterator[None]:
    """Within: work that may be asked to stop. It ends quietly where the caller's own flag asked,
    else by what the callback raised, or as Ctrl-C does.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    try:
        yield
    except Interrupted:
        if telling.raised is not None:
            raise telling.raised from None
        if not stop.theirs:
            raise KeyboardInterrupt from None
    except KeyboardInterrupt:
        stop.set()
        raise


class Telling:
    """Passes on what happens, and keeps what the callback raised."""

    def __init__(self, progress: Callable[[Progress], None] | None, stop: threading.Event) -> None:
        self._progress = progress
        self._stop = stop
        self._one = threading.Lock()
        self.raised: BaseException | None = None

    def _tell(self, happened: Progress) -> None:
        if self._progress is None:
            return
        with self._one:
            if self.raised is not None:
                return
            try:
                self._progress(happened)
            except BaseException as error:  # noqa: BLE001 - comes out of `run_study`
                self.raised = error
                self._stop.set()

    def started(self, number: int, arm: str, params: Mapping[str, Any]) -> None:
        """A trial started."""
        self._tell(Progress("started", trial=number, arm=arm))

    def progressed(self, number: int, fraction: float) -> None:
        """How far a trial's budget is spent."""
        self._tell(Progress("progressed", trial=number, fraction=fraction))

    def scored(self, number: int, checkpoint: Checkpoint) -> None:
        """A checkpoint was scored."""
        self._tell(
            Progress(
                "scored",
                trial=number,
                fraction=checkpoint.fraction,
                macro_f1=checkpoint.macro_f1,
                objective=checkpoint.objective,
            )
        )

    def ended(self, trial: Trial) -> None:
        """A trial ended."""
        self._tell(
            Progress(
                "ended",
                trial=trial.number,
                arm=trial.arm,
                fraction=1.0,
                macro_f1=trial.macro_f1,
                objective=trial.validation.objective if trial.validation else None,
                result=trial,
            )
        )

    def said(self, text: str) -> None:
        """Something a person should know."""
        self._tell(Progress("said", text=text))

    def estimated(self, estimate: Estimate) -> None:
        """What a trial of an arm will take, as a sentence."""
        if estimate.failure is not None:
            self.said(f"{estimate.arm}: {estimate.failure}")
        elif estimate.seconds is not None:
            self.said(estimate.told(lambda seconds: f"{seconds:,.1f} s"))

    def study(self, work: Work, workers: int) -> None:
        """Nothing: what is told names its trials and arms itself."""

    def searching(self) -> None:
        """Nothing."""

    def step(self, name: str, done: int, total: int, what: str, left: float | None = None) -> None:
        """Nothing."""
