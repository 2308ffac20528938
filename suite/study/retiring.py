"""Arms that are taken out of a study: refused before they are tried, or retired by failures."""

from __future__ import annotations

from optuna.trial import TrialState

from suite.errors import StudyError, counted
from suite.study import search
from suite.study.definition import StoredArm
from suite.study.ledger import FINISHED, Ledger
from suite.study.record import OUT
from suite.study.watching import Observer

FAILURES_TO_RETIRE = 3


class Retiring:
    """Which arms of a study are out, and why."""

    def __init__(self, ledger: Ledger, observer: Observer) -> None:
        self._ledger = ledger
        self._observer = observer

    def out(self) -> dict[str, dict[str, str]]:
        """Arm -> `refused` or `retired` -> reason."""
        found: dict[str, dict[str, str]] = self._ledger.study.user_attrs.get(OUT, {})
        return found

    def refuse(self, arm: str, reason: str) -> None:
        """Takes an arm out before it is tried."""
        with self._ledger.lock.held():
            self._take_out(arm, "refused", reason)

    def failed(self, arm: StoredArm, reason: str, *, refused: bool) -> None:
        """Takes an arm out where a trial's failure, not stored as one yet, is one too many.

        Args:
            reason: as recorded.
            refused: whether the strategy refused to train.
        """
        with self._ledger.lock.held():
            streak = self._failures_in_a_row(arm.name) + 1
            if refused and not self._may_go_on(arm):
                self._take_out(arm.name, "refused", reason)
            elif streak >= FAILURES_TO_RETIRE:
                told = f"{counted(streak, 'failure')} in a row, the last: {reason}"
                self._take_out(arm.name, "retired", told)

    def check_any_left(self, out: dict[str, dict[str, str]]) -> None:
        """Refuses to go on where every arm is out.

        Raises:
            StudyError: with each arm's reason.
        """
        definition = self._ledger.definition
        if all(arm.name in out for arm in definition.runnable):
            reasons = "\n  ".join(f"{arm}: {next(iter(why.values()))}" for arm, why in out.items())
            raise StudyError(f"no arm is left in the study '{definition.name}':\n  {reasons}")

    def _may_go_on(self, arm: StoredArm) -> bool:
        """Whether a refusal is one point's and not the arm's: others have worked, or are left."""
        trials = self._ledger.study.get_trials(deepcopy=False)
        worked = any(t.state in FINISHED and search.arm_of(t) == arm.name for t in trials)
        return worked or bool(search.untried(arm, trials))

    def _failures_in_a_row(self, arm: str) -> int:
        count = 0
        for trial in reversed(self._ledger.study.get_trials(deepcopy=False)):
            if search.arm_of(trial) != arm or not trial.state.is_finished():
                continue
            if trial.state != TrialState.FAIL:
                break
            # Interrupted trials say nothing about their arm.
            count += search.FELL in trial.user_attrs
        return count

    def _take_out(self, arm: str, how: str, reason: str) -> None:
        self._ledger.study.set_user_attr(OUT, self.out() | {arm: {how: reason}})
        self._observer.said(f"{arm} is {how}: {reason}")
