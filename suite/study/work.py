"""A worker's loop: claim a trial, train it in a child, measure it, record it.

A worker is a thread that calls `study.optimize` one trial at a time and waits on its child's
messages; `--workers N` is N of them. Whatever ends a worker, its trial is not lost: Ctrl-C
queues it again at once, SIGKILL when the next worker looks (its owner on this host is dead) or
when the heartbeat goes silent (another host).
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from suite import strategies
from suite.child.runner import Interrupted, Runner
from suite.endpoint.consent import Consent
from suite.errors import meant
from suite.machine import cache, scratch
from suite.study import owner, pruning, record, search, storage
from suite.study.allotting import Allowance
from suite.study.deaths import Deaths
from suite.study.definition import Definition, StoredArm
from suite.study.jobs import Jobs
from suite.study.keeping import Keeping
from suite.study.ledger import Ledger
from suite.study.objective import Objective, TrialFailed
from suite.study.queue import Queue
from suite.study.ranking import Ranking
from suite.study.retiring import Retiring
from suite.study.speed import Neighbours, Speeds
from suite.study.turns import Turns
from suite.study.watching import Observer


@dataclass(frozen=True)
class Limits:
    """What this command may use.

    Args:
        workers: trials at a time.
        timeout: seconds of the whole command; where None, what the recipe says, if it does.
        max_disk: bytes of the study's files.
        force: start trials that take longer than there is time.
        began: when the command began, by `time.monotonic`; now where None.
    """

    workers: int = 1
    timeout: float | None = None
    max_disk: int | None = None
    force: bool = False
    began: float | None = None


class Work:
    """One command's share of a study: its parts, put together, and its workers.

    Args:
        url: the storage's URL, None for the default.
        name: the study's name.
        observer: who watches.
        limits: workers, timeout, disk.
        stop: set from outside to end early.
        allow_endpoint: servers that the user allows this command to ask.

    Raises:
        EndpointError: the study names a server that the user has not allowed.
    """

    def __init__(
        self,
        url: str | None,
        name: str,
        observer: Observer,
        limits: Limits,
        stop: threading.Event | None = None,
        allow_endpoint: Sequence[str] = (),
    ) -> None:
        cache.bound()  # A bound that can't be read is told before anything starts.
        self.stop = stop or threading.Event()
        self.observer = observer
        self.ledger = Ledger(url, name)
        self.ledger.lock.say = observer.said
        scratch.sweep_shared(observer.said)
        self.ledger.claim(observer.said)
        #: What the user lets this command ask.
        self.consent = Consent(storage.place(url), allow_endpoint)
        self.runner = Runner(
            self.stop,
            still=self.ledger.check_stands,
            max_silent_seconds=self.ledger.definition.recipe.max_silent_seconds,
            preload=_preload(self.ledger.definition),
            servers=self.consent.settle(
                arm.model.endpoint
                for arm in self.ledger.definition.runnable
                if arm.model.endpoint is not None
            ),
        )
        self.keeping = Keeping(self.ledger, observer.said)
        self.retiring = Retiring(self.ledger, observer)
        self.jobs = Jobs(self.ledger, limits.workers)
        self.neighbours = Neighbours(self.ledger)
        self.speeds = Speeds(self.ledger, self.runner, self.neighbours, self.jobs.threads, observer)
        self._limits = limits
        recipe = self.ledger.definition.recipe
        self.turns = Turns(
            self.ledger,
            Allowance(
                limits.timeout or (recipe.choose.seconds if recipe.choose else None),
                began=limits.began,
            ),
            force=limits.force,
        )
        self._queue = Queue(self.ledger, self.keeping, self.retiring, self.turns, observer)
        self._ranking = Ranking(self.ledger, self.turns, observer)
        self._objective = Objective(
            self.ledger,
            self.jobs,
            self.runner,
            self.keeping,
            self.neighbours,
            self.speeds,
            self.retiring,
            Deaths(),
            observer,
        )
        self._time_arm: Callable[[StoredArm, float], None] = lambda arm, most: None
        #: Trials of other commands whose end is waited for, and was said to be.
        self._awaited: set[int] = set()
        self._errors: list[BaseException] = []

    def run(self, time_arm: Callable[[StoredArm, float], None] = lambda arm, most: None) -> None:
        """Works until the study has its trials, time is up, or every arm is retired.

        Args:
            time_arm: times an arm before its first trial, in so many seconds at most.

        Raises:
            Interrupted: `stop` was set; running trials are queued again.
            StudyError: no arm is left, or the disk limit is reached.
        """
        self._time_arm = time_arm
        with self.ledger.lock.held():
            self._queue.recover()
            self.keeping.sweep(self._queue.bookmarked())
        # Waiting is by events, not by `Thread.join`: interrupted in it, Python 3.11 takes a
        # running thread for ended (python/cpython#90882).
        ended = [threading.Event() for _ in range(self._limits.workers)]
        for index, event in enumerate(ended):
            threading.Thread(target=self._loop, args=(index, event), name=f"worker-{index}").start()
        interrupted = False
        for event in ended:
            while not event.is_set():
                try:
                    event.wait(0.2)
                    self._ranking.look()
                except KeyboardInterrupt:
                    interrupted = True
                    self.stop.set()
        if self._errors:
            raise self._errors[0]
        if interrupted or self.stop.is_set():
            raise Interrupted

    def may_end(self) -> bool:
        """Whether a study whose trials are not all there can be scored: something has finished
        here, and nobody goes on with it."""
        arms = [arm.name for arm in self.ledger.definition.runnable]
        kept = [(arm, self.keeping.kept(arm)) for arm in arms]
        here = any(one is not None and self.keeping.here(arm, one) for arm, one in kept)
        return here and not self.ledger.running()

    def close(self) -> None:
        """Removes what this command needed on disk while it ran."""
        self.keeping.close()
        folder = self.ledger.artifacts.folder
        # A child may have written once more. A folder that still names its owner was not deleted:
        # the database was replaced under our feet.
        if self.ledger.deleted and not (folder / owner.FILE).exists():
            shutil.rmtree(folder, ignore_errors=True)

    def _loop(self, index: int, ended: threading.Event) -> None:
        try:
            self._work(index)
        except Interrupted:
            pass
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            self._errors.append(self.ledger.why(meant(error)))
            self.stop.set()
        finally:
            ended.set()

    def _work(self, index: int) -> None:
        study = self.ledger.another()
        study.pruner = pruning.pruner(
            self.ledger.definition.recipe.pruner, pruning.Onset.of(self.ledger.definition)
        )
        while not self.stop.is_set():
            self.ledger.check_stands()
            self.keeping.check_disk(self._limits.max_disk)
            turn = self._queue.claim(study, index)
            if turn.do == "time":
                self._time(turn.arm)
            elif turn.do == "wait" or (turn.do == "stop" and self._others_may_fail()):
                self.stop.wait(0.5)
            elif turn.do == "stop":
                return
            else:
                try:
                    study.optimize(self._objective, n_trials=1, catch=(TrialFailed,))
                    self._ranking.ended()
                except Interrupted:
                    with self.ledger.lock.held():
                        self._queue.recover()
                    raise
                finally:
                    self.ledger.lock.release()

    def _time(self, name: str) -> None:
        """Times an arm, within the command's share for it."""
        try:
            with self.turns.allowance.timing():
                self._time_arm(self.ledger.definition.arm(name), self.turns.allowance.timing_left)
        finally:
            self.turns.timed.add(name)
            self.turns.timing.discard(name)

    def _others_may_fail(self) -> bool:
        """Whether trials run whose place would be free again if they failed, and there is time.

        It is said of another command's, whose they are, once for each.
        """
        running = self.ledger.running()
        if not running or self.turns.allowance.left <= 0:
            return False
        for trial in running:
            owner = trial.user_attrs.get(record.OWNER) or {}
            mine = all(owner.get(key) == self.ledger.owner[key] for key in ("host", "pid"))
            if not mine and trial.number not in self._awaited:
                self._awaited.add(trial.number)
                self.observer.said(
                    f"waiting for trial {trial.number} ({search.arm_of(trial)}) of process "
                    f"{owner.get('pid')} on {owner.get('host')}"
                )
        return True


def _preload(definition: Definition) -> list[str]:
    """What the study's strategies import at great cost, once for all of its children."""
    known = set(strategies.names())
    return [
        module
        for arm in definition.runnable
        if arm.strategy in known
        for module in strategies.preload(arm.strategy, arm.model)
    ]
