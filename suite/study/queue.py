"""What is started next: one trial at a time is claimed, and what lost its worker comes again.

A point that was started is finished, or it fails by itself, or it is owed: it is queued again.
Whether it is owed stands in the storage alone: it failed, not by itself, and no later trial bears
its number as the one it makes good. So it does not matter when whom a SIGKILL meets, and queueing
twice what is owed once is not possible under the study's lock.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from suite.contracts.records import UNREADABLE
from suite.contracts.results import Trial
from suite.errors import counted
from suite.machine import memory
from suite.study import internals, kept_record, record, sampling, search, storage
from suite.study.allotting import Turn
from suite.study.keeping import Keeping
from suite.study.ledger import Ledger, is_dead
from suite.study.record import BOOKMARK, HALVED, OWNER, PLACED, RETRY, RETRY_OF
from suite.study.retiring import Retiring
from suite.study.turns import Turns
from suite.study.watching import Observer

#: How often a point is tried again over which memory ran out so that its worker died of it.
MAX_RETRIES = 2

STOP = Turn("stop")


class Queue:
    """The order in which a study's trials start, over all its workers."""

    def __init__(
        self,
        ledger: Ledger,
        keeping: Keeping,
        retiring: Retiring,
        turns: Turns,
        observer: Observer,
    ) -> None:
        self._ledger = ledger
        self._keeping = keeping
        self._retiring = retiring
        self._turns = turns
        self._observer = observer

    def claim(self, study: optuna.Study, index: int) -> Turn:
        """Takes the lock and makes sure that one trial waits; keeps the lock if so.

        The lock is given back by the objective once the trial bears its owner, so no two
        workers can start more than are missing.

        Args:
            study: the worker's own; its sampler is set anew.
            index: the worker's number in this process.

        Returns:
            What to do: only with "start" the lock is kept.

        Raises:
            StudyError: no arm is left.
        """
        lock, definition = self._ledger.lock, self._ledger.definition
        lock.acquire()
        try:
            self._bury_dead()
            out = self._retiring.out()
            self._retiring.check_any_left(out)
            trials = study.get_trials(deepcopy=False)
            started = [t for t in trials if t.state in search.COUNTED and _begun(t)]
            missing = self._ledger.target - len(started)
            if missing > 0 and self._ledger.met(trials) is not None:
                missing = 0
            turn = self._turns.next([t for t in trials if _begun(t)], out) if missing > 0 else STOP
            waiting = self._waiting(out, turn)
            if turn.do == "time":
                self._turns.timing.add(turn.arm)
            if turn.do != "start":
                lock.release()
                return turn
            if not waiting:
                point = search.next_point(definition, trials, turn.order)
                if point is not None:
                    fixed, attributes = point
                    study.enqueue_trial(fixed, user_attrs=attributes)
            study.sampler = sampling.sampler(definition, len(trials) + 1000 * index)
            return turn
        except BaseException:
            lock.release()
            raise

    def _waiting(self, out: Container[str], turn: Turn) -> bool:
        """Whether a trial waits that may be started; what is owed is queued, what may not drops."""
        self._queue_owed(out, turn.unfit)
        found = False
        for trial in self._ledger.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            arm = search.arm_of(trial)
            if arm in out:
                self._drop(trial, "its arm was taken out before it started")
            elif arm in turn.unfit:
                self._drop(trial, "no time was left for it")
            else:
                found = True
        return found

    def recover(self) -> None:
        """Ends the trials whose worker is gone, and queues again what is owed. Needs the lock."""
        self._bury_dead()
        self._queue_owed(self._retiring.out(), self._turns.unfit)

    def bookmarked(self) -> set[int]:
        """The trials whose bookmarks are still to be gone on from: of those that run, and of those
        that are owed while trials are missing."""
        trials = self._ledger.study.get_trials(deepcopy=False)
        going = [t for t in trials if t.state in (TrialState.RUNNING, TrialState.WAITING)]
        if self._ledger.missing():
            going += owed(trials)
        return {bookmark_of(trial) for trial in going}

    def _bury_dead(self) -> None:
        """Ends the trials whose worker is gone. Needs the lock.

        Of an owner on another host its silence tells, also where its trial is the last that is
        missing: then none is started, at which Optuna would look. A running trial without an
        owner was claimed under the lock by a worker that died before it could sign: the lock is
        ours now, so it is dead too.
        """
        storage.fail_silent(self._ledger.study)
        for trial in self._ledger.running():
            owner = trial.user_attrs.get(OWNER)
            if owner is None or is_dead(owner, self._ledger.host):
                self._bury(trial)

    def _queue_owed(self, *without: Container[str]) -> None:
        """Queues again what is owed, but for arms that get no trials now."""
        if self._ledger.missing() == 0:
            return  # what is owed stays so, until more is asked for
        for trial in owed(self._ledger.study.get_trials(deepcopy=False)):
            arm = search.arm_of(trial)
            if not any(arm in arms for arms in without):
                self._queue_again(trial)

    def _bury(self, trial: FrozenTrial) -> None:
        """Ends a trial whose worker died: finished where it had said all, else failed."""
        found = _finished(trial)
        try:
            if found is not None:
                placed = kept_record.read(trial.user_attrs.get(PLACED))
                if placed is not None:
                    self._keeping.keep(found.arm, placed)
                self._ledger.finish(trial, found)
                self._observer.said(
                    f"trial {trial.number} ({found.arm}) had lost its worker, but was finished"
                )
                return
            if self._memory_ran_out(trial) and _retries(trial) >= MAX_RETRIES:
                self._give_up(trial)
                return
            self._ledger.fail(trial)
        except UpdateFinishedTrialError:
            return
        arm = search.arm_of(trial)
        if arm is not None:
            self._keeping.forget(arm, trial.number)

    def _give_up(self, trial: FrozenTrial) -> None:
        """Fails a trial for good over which its worker died too often."""
        times = counted(_retries(trial) + 1, "time")
        reason = (
            f"memory ran out so that the worker was killed, {times}; "
            "a smaller batch, fewer tokens or LoRA needs less"
        )
        found = replace(record.trial_of(trial), state="FAIL", error=reason)
        self._ledger.record(trial, found, {search.FELL: True})
        self._ledger.fail(trial)
        self._observer.said(f"trial {trial.number} ({found.arm}): {reason}")

    def _drop(self, trial: FrozenTrial, reason: str) -> None:
        """Fails a waiting trial that nobody is to start.

        It is owed: should its arm come back, or there be more time, so does the point.
        """
        found = replace(record.trial_of(trial), state="FAIL", error=reason)
        self._ledger.record(trial, found)
        self._ledger.fail(trial)

    def _queue_again(self, trial: FrozenTrial) -> None:
        """Queues a trial's parameters once more.

        Only they are copied: constraints could not be set a second time, and what was recorded
        belongs to the trial that ended.
        """
        attributes: dict[str, Any] = {RETRY_OF: trial.number}
        for name in (search.KNOWN_GOOD, RETRY, HALVED):
            if name in trial.user_attrs:
                attributes[name] = trial.user_attrs[name]
        attributes[BOOKMARK] = bookmark_of(trial)
        if self._memory_ran_out(trial):
            attributes[RETRY] = _retries(trial) + 1
            attributes[HALVED] = int(trial.user_attrs.get(HALVED, 0)) + 1
        self._ledger.study.enqueue_trial(internals.given(trial), user_attrs=attributes)
        if record.TRIAL not in trial.user_attrs:
            self._observer.said(
                f"trial {trial.number} ({search.arm_of(trial)}) had lost its worker; it is queued "
                f"again"
            )

    def _memory_ran_out(self, trial: FrozenTrial) -> bool:
        """Whether a trial's worker died here, and the system killed meanwhile to have memory."""
        owner = trial.user_attrs.get(OWNER) or {}
        if record.TRIAL in trial.user_attrs or owner.get("host") != self._ledger.host:
            return False
        before, now = owner.get("memory_kills"), memory.kills()
        same = owner.get("memory_group") == memory.group()
        return same and before is not None and now is not None and now > int(before)


def _begun(trial: FrozenTrial) -> bool:
    return trial.state != TrialState.WAITING


def owed(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that ended without a result of their own, and whose point no later one has."""
    made_good = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    return [
        trial
        for trial in trials
        if trial.state == TrialState.FAIL
        and search.FELL not in trial.user_attrs
        and trial.number not in made_good
        and internals.given(trial)  # else nothing was decided yet
    ]


def bookmark_of(trial: FrozenTrial | optuna.Trial) -> int:
    """The trial by whose number a trial's bookmark is called: the first of its point."""
    found = trial.user_attrs.get(BOOKMARK)
    return found if type(found) is int and 0 <= found <= trial.number else trial.number


def _retries(trial: FrozenTrial) -> int:
    return int(trial.user_attrs.get(RETRY, 0))


def _finished(trial: FrozenTrial) -> Trial | None:
    """What a trial recorded that had nothing left to do but to end; None where it had more."""
    if record.TRIAL not in trial.user_attrs:
        return None
    try:
        found = record.unpack(trial.user_attrs[record.TRIAL], number=trial.number)
    except UNREADABLE:
        return None
    return found if found.state in ("COMPLETE", "PRUNED") else None
