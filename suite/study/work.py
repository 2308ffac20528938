"""A worker's loop: claim a trial, train it in a child, measure it, record it.

A worker is a thread that calls `study.optimize` one trial at a time and waits on its child's
messages; `--workers N` is N of them. Whatever ends a worker, its trial is not lost: Ctrl-C
queues it again at once, SIGKILL when the next worker looks (its owner on this host is dead) or
when the heartbeat goes silent (another host).
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from suite import strategies
from suite.child.runner import Interrupted, Runner
from suite.endpoint.consent import Consent
from suite.errors import meant
from suite.machine import cache, scratch
from suite.study import owner, search, storage
from suite.study.deaths import Deaths
from suite.study.definition import Definition
from suite.study.jobs import Jobs
from suite.study.keeping import Keeping
from suite.study.ledger import Ledger
from suite.study.objective import Objective, TrialFailed
from suite.study.queue import Queue
from suite.study.retiring import Retiring
from suite.study.speed import Neighbours, Speeds
from suite.study.watching import Observer


@dataclass(frozen=True)
class Limits:
    """What this command may use."""

    workers: int = 1
    timeout: float | None = None
    max_disk: int | None = None


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
        self._queue = Queue(self.ledger, self.keeping, self.retiring, observer)
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
        self._deadline = time.monotonic() + limits.timeout if limits.timeout else None
        self._errors: list[BaseException] = []

    def run(self) -> None:
        """Works until the study has its trials, time is up, or every arm is retired.

        Raises:
            Interrupted: `stop` was set; running trials are queued again.
            StudyError: no arm is left, or the disk limit is reached.
        """
        with self.ledger.lock.held():
            self._queue.recover()
            self.keeping.sweep()
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
                except KeyboardInterrupt:
                    interrupted = True
                    self.stop.set()
        if self._errors:
            raise self._errors[0]
        if interrupted or self.stop.is_set():
            raise Interrupted

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
        study.pruner = search.pruner(self.ledger.definition.recipe.pruner)
        while not self.stop.is_set() and not self._late():
            self.ledger.check_stands()
            self.keeping.check_disk(self._limits.max_disk)
            if not self._queue.claim(study, index):
                if self.ledger.running():
                    # They may fail; then their trial is missing again.
                    self.stop.wait(0.5)
                    continue
                return
            try:
                study.optimize(self._objective, n_trials=1, catch=(TrialFailed,))
            except Interrupted:
                with self.ledger.lock.held():
                    self._queue.recover()
                raise
            finally:
                self.ledger.lock.release()

    def _late(self) -> bool:
        return self._deadline is not None and time.monotonic() > self._deadline


def _preload(definition: Definition) -> list[str]:
    """What the study's strategies import at great cost, once for all of its children."""
    names = {arm.strategy for arm in definition.runnable} & set(strategies.names())
    return [
        module for name in sorted(names) for module in getattr(strategies.get(name), "preload", ())
    ]
