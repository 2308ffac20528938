"""What is started next: one trial at a time is claimed, and what lost its worker comes again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from suite.study import internals, record, search, storage
from suite.study.keeping import Keeping
from suite.study.ledger import Ledger, is_dead
from suite.study.record import OWNER, RETRY
from suite.study.retiring import Retiring
from suite.study.watching import Observer

MAX_RETRIES = 2


class Queue:
    """The order in which a study's trials start, over all its workers."""

    def __init__(
        self, ledger: Ledger, keeping: Keeping, retiring: Retiring, observer: Observer
    ) -> None:
        self._ledger = ledger
        self._keeping = keeping
        self._retiring = retiring
        self._observer = observer

    def claim(self, study: optuna.Study, index: int) -> bool:
        """Takes the lock and makes sure that one trial waits; keeps the lock if so.

        The lock is given back by the objective once the trial bears its owner, so no two
        workers can start more than are missing.

        Args:
            study: the worker's own; its sampler is set anew.
            index: the worker's number in this process.

        Raises:
            StudyError: no arm is left.
        """
        lock, definition = self._ledger.lock, self._ledger.definition
        lock.acquire()
        try:
            self.requeue_the_dead()
            trials = study.get_trials(deepcopy=False)
            live = [t for t in trials if t.state in search.COUNTED]
            out = self._retiring.out()
            waiting = []
            for trial in (t for t in live if t.state == TrialState.WAITING):
                if search.arm_of(trial) in out:
                    self._drop(trial)
                else:
                    waiting.append(trial)
            self._retiring.check_any_left(out)
            busy = sum(t.state != TrialState.WAITING for t in live)
            if busy >= self._ledger.target:
                lock.release()
                return False
            if not waiting:
                point = search.next_point(definition, trials, out)
                if point is not None:
                    fixed, attributes = point
                    study.enqueue_trial(fixed, user_attrs=attributes)
            study.sampler = search.sampler(
                definition.recipe.sampler, definition.seed, len(trials) + 1000 * index
            )
            return True
        except BaseException:
            lock.release()
            raise

    def requeue_the_dead(self) -> None:
        """Fails and queues again the trials whose owner is gone. Needs the lock.

        Of an owner on another host its silence tells, also where its trial is the last that is
        missing: then none is started, at which Optuna would look. A running trial without an
        owner was claimed under the lock by a worker that died before it could sign: the lock is
        ours now, so it is dead too.
        """
        storage.fail_silent(self._ledger.study)
        for trial in self._ledger.running():
            owner = trial.user_attrs.get(OWNER)
            if owner is not None and not is_dead(owner, self._ledger.host):
                continue
            try:
                self._ledger.fail(trial)
            except UpdateFinishedTrialError:
                continue
            arm = search.arm_of(trial)
            if arm is not None:
                self._keeping.forget(arm, trial.number)
            queue_again(self._ledger.study, trial, "its worker died", self._observer)
            self._observer.said(
                f"trial {trial.number} ({arm}) had lost its worker; it is queued again"
            )

    def _drop(self, trial: FrozenTrial) -> None:
        """Fails a waiting trial whose arm was taken out meanwhile: nobody is to start it."""
        reason = "its arm was taken out before it started"
        found = replace(record.trial_of(trial), state="FAIL", error=reason)
        self._ledger.record(trial, found)
        self._ledger.fail(trial)


def queue_again(
    study: optuna.Study, trial: FrozenTrial, why: str, observer: Observer, *, count: bool = True
) -> None:
    """Queues a trial's parameters again, at most `MAX_RETRIES` times.

    Only they are copied: constraints could not be set a second time, and what was recorded
    belongs to the trial that ended.

    Args:
        why: told where it is not queued any more.
        count: whether it counts as a retry.
    """
    retries = int(trial.user_attrs.get(RETRY, 0)) + (1 if count else 0)
    if retries > MAX_RETRIES:
        observer.said(f"trial {trial.number} is not queued again: {why}, for the {retries}rd time")
        return
    fixed = internals.given(trial)
    if not fixed:
        return  # nothing was decided yet
    attributes: dict[str, Any] = {RETRY: retries, "suite:retry_of": trial.number}
    if search.KNOWN_GOOD in trial.user_attrs:
        attributes[search.KNOWN_GOOD] = trial.user_attrs[search.KNOWN_GOOD]
    study.enqueue_trial(fixed, user_attrs=attributes)
