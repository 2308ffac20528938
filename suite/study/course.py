"""A study's whole course, for the command line and the library alike: preflight, search, finals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from suite.endpoint import consent
from suite.study.ledger import Ledger
from suite.study.preflight import Estimate, preflight
from suite.study.watching import Observer
from suite.study.work import Work


class Watcher(Observer, Protocol):
    """Who follows a study's whole course, not its trials alone."""

    def study(self, ledger: Ledger, workers: int) -> None:
        """The study that is run, opened, and how many work on it here."""

    def estimated(self, estimate: Estimate) -> None:
        """What a trial of an arm will take, or why the arm can't run."""

    def searching(self) -> None:
        """The search begins: what came before it is over."""

    def step(self, name: str, done: int, total: int, what: str) -> None:
        """How far a piece of work is that is no search, and what is done now."""


def run(
    work: Work,
    watcher: Watcher,
    *,
    timeout: float | None,
    force: bool,
    retry_arms: Sequence[str] = (),
) -> None:
    """Times each arm where the recipe wants it, searches, and scores the winners where due.

    Args:
        timeout: seconds after which no new trial starts; a trial must fit in it.
        force: keep arms whose single trial exceeds the budget.
        retry_arms: globs of arms to bring back that are out.

    Raises:
        Interrupted: asked to stop; what ran is queued again.
    """
    from suite.study import finals

    recipe = work.ledger.definition.recipe
    if retry_arms or work.ledger.missing() > 0:
        with consent.held(work.consent):
            work.retiring.ask_again(retry_arms)
    if recipe.preflight and work.ledger.missing() > 0:
        preflight(
            work,
            max_trial_seconds=min(
                (b for b in (recipe.max_trial_seconds, timeout) if b is not None), default=None
            ),
            force=force,
            timing=lambda done, total, arm: watcher.step("timing arms", done, total, arm),
            estimated=watcher.estimated,
        )
    watcher.searching()
    work.run()
    if finals.due(work.ledger):
        watcher.said("Scoring each arm's best on the test split …")
        finals.score(
            work,
            seeds=recipe.finals.seeds,
            if_due=True,
            say=watcher.said,
            watch=lambda done, total, arm: watcher.step("finals", done, total, arm),
        )
