"""A study's whole course, for the command line and the library alike: preflight, search, finals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from suite.contracts.moments import duration
from suite.endpoint import consent
from suite.study import registry
from suite.study.allotting import TIMING_SHARE
from suite.study.preflight import Estimate, preflight, time_one
from suite.study.watching import Observer
from suite.study.work import Work


class Watcher(Observer, Protocol):
    """Who follows a study's whole course, not its trials alone."""

    def study(self, work: Work, workers: int) -> None:
        """The work that begins, and how many workers do it here."""

    def estimated(self, estimate: Estimate) -> None:
        """What a trial of an arm will take, or why the arm can't run."""

    def searching(self) -> None:
        """The search begins: what came before it is over."""

    def step(self, name: str, done: int, total: int, what: str, left: float | None = None) -> None:
        """How far a piece of work is that is no search, and what is done now.

        Args:
            left: seconds to its end, where that is known better than from the steps so far.
        """


def run(
    work: Work,
    watcher: Watcher,
    *,
    force: bool = False,
    retry_arms: Sequence[str] = (),
) -> None:
    """Times each arm where the recipe wants it, searches, and scores the winners where due.

    A command that has an end times arms as their turns come, each before its first trial. When its
    time is up the winners are scored though trials are missing.

    Args:
        force: keep arms whose single trial exceeds the budget.
        retry_arms: globs of arms to bring back that are out.

    Raises:
        Interrupted: asked to stop; what ran is queued again.
    """
    from suite.study import deciding, finals

    recipe, allowance = work.ledger.definition.recipe, work.turns.allowance
    if retry_arms or work.ledger.missing() > 0:
        with consent.held(work.consent):
            work.retiring.ask_again(retry_arms)
    missing = work.ledger.missing() > 0
    if missing:
        registry.check(recipe.sampler.package)
    if missing and allowance.seconds is not None:
        watcher.said(told(allowance.seconds))
    if missing:
        work.runner.warm(work.keeping.scratch)
    if missing and allowance.seconds is None and recipe.preflight:
        preflight(
            work,
            force=force,
            timing=lambda done, total, arm: watcher.step("timing arms", done, total, arm),
            estimated=watcher.estimated,
        )
    watcher.searching()
    work.run(lambda arm, most: watcher.estimated(time_one(work, arm, most, force=force)))
    work.turns.tell(watcher.said)
    work.ledger.tell_end(watcher.said, timed=allowance.seconds is not None)
    early = allowance.seconds is not None and work.may_end()
    if finals.due(work.ledger, early=early):
        watcher.said("Scoring each arm's best on the test split …")
        finals.score(
            work,
            if_due=True,
            early=early,
            say=watcher.said,
            watch=partial(watcher.step, "finals"),
        )
    else:
        deciding.the_rest(work.ledger, watcher.said)


def told(seconds: float) -> str:
    """What a command's time is, in words.

    >>> told(1800)
    'At most 30 min, finals included; timing arms takes 3 min of it at most. --timeout changes it.'
    """
    return (
        f"At most {duration(seconds)}, finals included; timing arms takes "
        f"{duration(TIMING_SHARE * seconds)} of it at most. --timeout changes it."
    )
