"""How fast a trial's predictor serves, and whether anything else ran on the machine meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Set
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from suite.child.messages import KEPT, Failed, Finished
from suite.child.runner import Runner
from suite.contracts.speeds import Rps
from suite.data import snapshot
from suite.data.snapshot import Split
from suite.errors import StorageError
from suite.study import record
from suite.study.definition import StoredArm
from suite.study.ledger import Ledger
from suite.study.measurable import is_measured
from suite.study.record import OWNER
from suite.study.watching import Observer

RPS = "suite:rps:"


class Neighbours:
    """Which trials of a study run on this machine, and which were timed beside others."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._overlapped: set[int] = set()

    def enter(self, number: int) -> None:
        """A trial of this process starts."""
        with self._lock:
            self._running.add(number)
        self._look_around(number)

    def leave(self, number: int) -> None:
        """It has ended."""
        with self._lock:
            self._running.discard(number)

    def contended(self, number: int) -> bool:
        """Whether others run beside a trial now, or did when it or they started or ended."""
        self._look_around(number)
        with self._lock:
            return number in self._overlapped

    def overlapped(self, numbers: Set[int]) -> bool:
        """Whether others of this machine ran beside trials that have ended, in any process."""
        those: list[tuple[datetime, datetime]] = []
        others: list[tuple[datetime, datetime]] = []
        for trial in self._ledger.study.get_trials(deepcopy=False):
            begun, ended = trial.datetime_start, trial.datetime_complete
            here = (trial.user_attrs.get(OWNER) or {}).get("host") == self._ledger.host
            if begun is not None and here:
                spans = those if trial.number in numbers else others
                spans.append((begun, ended or datetime.max))
        return any(one[0] < other[1] and other[0] < one[1] for one in those for other in others)

    def running(self) -> set[int]:
        """Trials of this study that run on this machine now, in any process."""
        with self._lock:
            mine = set(self._running)
        there = {
            trial.number
            for trial in self._ledger.running()
            if (trial.user_attrs.get(OWNER) or {}).get("host") == self._ledger.host
        }
        return there | mine

    def together(self) -> set[int]:
        """The same, where they are more than the one that asks."""
        there = self.running()
        return there if len(there) > 1 else set()

    def _look_around(self, number: int) -> None:
        """Marks the trial, and its neighbours, as timed while others ran."""
        together = self.together()
        if together:
            with self._lock:
                self._overlapped |= together | {number}


class Speeds:
    """Serving speeds of one study's predictors on this machine.

    Args:
        threads: of the child that serves.
    """

    def __init__(
        self,
        ledger: Ledger,
        runner: Runner,
        neighbours: Neighbours,
        threads: int,
        observer: Observer,
    ) -> None:
        self._ledger = ledger
        self._runner = runner
        self._neighbours = neighbours
        self._threads = threads
        self._observer = observer

    def of_trial(self, number: int, arm: StoredArm, outcome: Finished, folder: Path) -> Rps | None:
        """Measured once per serving shape and host; predictors of one shape serve equally fast."""
        key = f"{RPS}{self._ledger.host}:{arm.name}:{outcome.serving_shape}"
        known = record.read_rps(self._ledger.study.user_attrs.get(key))
        if known is not None:
            return known
        if not outcome.kept:
            return None  # only a predictor that was kept can be loaded and timed
        rps = self.measure(arm, folder / KEPT, folder)
        if rps is None:
            return None
        shared = f"measured in trial {number} for every trial of this serving shape"
        rps = replace(rps, note="; ".join(filter(None, (rps.note, shared))))
        self._ledger.study.set_user_attr(key, record.dump_rps(rps))
        return rps

    def measure(self, arm: StoredArm, predictor: Path, logs: Path) -> Rps | None:
        """LoadGen's figures for a kept predictor, alone on the machine as far as locks reach."""
        recipe = self._ledger.definition.recipe
        if not is_measured(recipe, arm.model):
            return None
        outcome = self.window(predictor, logs, seconds=recipe.measure.seconds)
        if isinstance(outcome, Failed):
            self._observer.said(f"serving speed could not be measured: {outcome.reason}")
            return None
        return outcome

    def window(
        self,
        predictor: Path,
        logs: Path,
        *,
        seconds: float,
        seed: int = 0,
        forms: bool = True,
        split: Split = "validation",
    ) -> Rps | Failed:
        """One measurement of a kept predictor, loaded anew.

        Args:
            seconds: a scenario's length.
            seed: of the draw of texts.
            forms: whether other forms of the same model are measured, too.
            split: whose texts are asked.
        """
        from suite.serving.load.measure import machine_lock

        rows = snapshot.read_split(self._ledger.artifacts.data, split)
        texts = rows.texts[: self._ledger.definition.recipe.measure.texts]
        before = self._neighbours.together()
        try:
            with machine_lock(timeout=600, say=self._observer.said):
                outcome = self._runner.measure(
                    predictor,
                    texts,
                    seconds,
                    self._threads,
                    logs / "loadgen",
                    seed=seed,
                    forms=forms,
                )
        except StorageError as error:
            # A neighbour that trains for long under the lock must not end this study.
            return Failed(str(error))
        if isinstance(outcome, Failed):
            return outcome
        beside = before | self._neighbours.together()
        return replace(outcome, contended=bool(beside) or outcome.disturbed > 0)
