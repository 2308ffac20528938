"""Arms that are taken out of a study: refused before they are tried, or retired by failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from optuna.trial import TrialState

from suite.child.messages import Cause
from suite.config.recipe import matches
from suite.endpoint import reach
from suite.errors import StudyError, SuiteError, counted, nearest
from suite.study import search
from suite.study.definition import StoredArm
from suite.study.ledger import FINISHED, Ledger
from suite.study.record import ESTIMATES, OUT
from suite.study.watching import Observer

FAILURES_TO_RETIRE = 3

#: Arm -> from which trial on its failures count, and whether it was asked back: those that were
#: out once and came back.
BACK = "suite:back"

#: A single trial that would take longer than the budget allows.
Budget = Literal["budget"]

#: What puts an arm out and may pass.
PASSING = frozenset({"budget", "memory_kill", "memory", "disk", "endpoint", "weights", "outside"})


class Retiring:
    """Which arms of a study are out, and why."""

    def __init__(self, ledger: Ledger, observer: Observer) -> None:
        self._ledger = ledger
        self._observer = observer

    def out(self) -> dict[str, dict[str, str]]:
        """Arm -> `refused` or `retired` -> reason."""
        found: dict[str, dict[str, str]] = self._ledger.study.user_attrs.get(OUT, {})
        return found

    def refuse(self, arm: str, reason: str, cause: Cause | Budget) -> None:
        """Takes an arm out before it is tried."""
        with self._ledger.lock.held():
            self._take_out(arm, "refused", reason, cause)

    def failed(self, arm: StoredArm, reason: str, *, refused: bool, cause: Cause) -> None:
        """Takes an arm out where a trial's failure, not stored as one yet, is one too many.

        An arm that came back by itself and fails again of what may pass has had its try.

        Args:
            reason: as recorded.
            refused: whether the strategy refused to train.
            cause: what the failure comes from.
        """
        with self._ledger.lock.held():
            since, asked = self._back(arm.name)
            streak, worked = self._failures_in_a_row(arm.name, since)
            once = since > 0 and not asked and not worked and cause in PASSING
            if refused and not self._may_go_on(arm):
                self._take_out(arm.name, "refused", reason, cause)
            elif streak + 1 >= (1 if once else FAILURES_TO_RETIRE):
                told = f"{counted(streak + 1, 'failure')} in a row, the last: {reason}"
                self._take_out(arm.name, "retired", told, cause)

    def ask_again(self, retry: Sequence[str] = ()) -> None:
        """Brings back the arms whose trouble may have passed, and those that are named.

        To be called once per command. Who is out because its budget was too small is timed again.

        Args:
            retry: globs of arms to bring back whatever their trouble was.

        Raises:
            StudyError: a glob names no arm that could come back.
        """
        reach.forget()
        # Servers and the Hub take seconds to answer, in which nobody should wait for the lock.
        still = {arm: self._still_away(arm) for arm, why in self.out().items() if _is_away(why)}
        with self._ledger.lock.held():
            out = self.out()
            named = [arm.name for arm in self._ledger.definition.runnable]
            for glob in retry:
                if not any(matches(arm, glob) for arm in named):
                    raise StudyError(
                        f"--retry-arm {glob}: no arm of '{self._ledger.definition.name}' that "
                        f"was not refused when the study was made",
                        fix=nearest(glob, named),
                    )
            for arm, why in out.items():
                wanted = any(matches(arm, glob) for glob in retry)
                if wanted or self._may_have_passed(arm, why, still):
                    self._bring_back(arm, asked=wanted)

    def _still_away(self, arm: str) -> str | None:
        """Why an arm's model, or one beside it, can still not be had; None where they can."""
        found = self._ledger.definition.arm(arm)
        models = [found.model, *(one.model for one in found.companions.values())]
        try:
            return next(filter(None, map(reach.unavailable, models)), None)
        except SuiteError as error:
            return error.what

    def _may_have_passed(
        self, arm: str, why: Mapping[str, str], still: Mapping[str, str | None]
    ) -> bool:
        """Whether an arm's trouble may be over.

        Args:
            still: why models can still not be had, by arm; None of those that can.
        """
        cause = why.get("cause")
        if cause is None and _reason(why).endswith("--force keeps it"):
            cause = "budget"  # from before causes were written down
        if _is_away(why):
            if arm not in still:
                return False  # It went out while others were asked for: its next start asks.
            if (reason := still[arm]) is not None:
                self._observer.said(f"{arm} stays out: {reason}")
                return False
        return cause in PASSING

    def _bring_back(self, arm: str, *, asked: bool) -> None:
        study = self._ledger.study
        trials = len(study.get_trials(deepcopy=False))
        back = study.user_attrs.get(BACK, {})
        study.set_user_attr(BACK, back | {arm: {"since": max(1, trials), "asked": asked}})
        estimates = dict(study.user_attrs.get(ESTIMATES, {}))
        if estimates.pop(arm, None) is not None:
            study.set_user_attr(ESTIMATES, estimates)
        left = self.out()
        reason = _reason(left.pop(arm))
        study.set_user_attr(OUT, left)
        self._observer.said(f"{arm} is tried again; it was out: {reason}")

    def _back(self, arm: str) -> tuple[int, bool]:
        """From which trial on an arm's failures count, and whether it was asked back."""
        found = self._ledger.study.user_attrs.get(BACK, {}).get(arm, {})
        return int(found.get("since", 0)), bool(found.get("asked", False))

    def check_any_left(self, out: dict[str, dict[str, str]]) -> None:
        """Refuses to go on where every arm is out.

        Raises:
            StudyError: with each arm's reason.
        """
        definition = self._ledger.definition
        if all(arm.name in out for arm in definition.runnable):
            reasons = "\n  ".join(f"{arm}: {_reason(why)}" for arm, why in out.items())
            raise StudyError(
                f"no arm is left in the study '{definition.name}':\n  {reasons}",
                fix=f"`suite study run {definition.name}` asks again where the trouble may have "
                f"passed; with --retry-arm ARM it tries an arm whatever it was.",
            )

    def _may_go_on(self, arm: StoredArm) -> bool:
        """Whether a refusal is one point's and not the arm's: others have worked, or are left."""
        trials = self._ledger.study.get_trials(deepcopy=False)
        worked = any(t.state in FINISHED and search.arm_of(t) == arm.name for t in trials)
        return worked or bool(search.untried(arm, trials))

    def _failures_in_a_row(self, arm: str, since: int) -> tuple[int, bool]:
        """An arm's failures at the end of its trials from one number on, and whether any worked."""
        count, worked = 0, False
        for trial in reversed(self._ledger.study.get_trials(deepcopy=False)[since:]):
            if search.arm_of(trial) != arm or not trial.state.is_finished():
                continue
            if trial.state != TrialState.FAIL:
                worked = True
                break
            # Interrupted trials say nothing about their arm.
            count += search.FELL in trial.user_attrs
        return count, worked

    def _take_out(self, arm: str, how: str, reason: str, cause: str) -> None:
        why = {how: reason, "cause": cause}
        self._ledger.study.set_user_attr(OUT, self.out() | {arm: why})
        self._observer.said(f"{arm} is {how}: {reason}")


def _is_away(why: Mapping[str, str]) -> bool:
    """Whether an arm is out because its weights or its server could not be had."""
    return why.get("cause") in ("weights", "endpoint")


def _reason(why: Mapping[str, str]) -> str:
    """Why an arm is out, as it was told."""
    return why.get("refused") or why.get("retired") or "for a reason that was not written down"
