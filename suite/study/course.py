"""A study's whole course, for the command line and the library alike: preflight, search, finals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suite.study.preflight import Estimate
    from suite.study.work import Work

#: What is being gone through, how many are done, of how many, and which is next.
Step = Callable[[str, int, int, str], None]


def run(
    work: Work,
    *,
    timeout: float | None,
    force: bool,
    said: Callable[[str], None],
    estimated: Callable[[Estimate], None],
    searching: Callable[[], None] = lambda: None,
    step: Step = lambda what, done, total, name: None,
) -> None:
    """Times each arm where the recipe wants it, searches, and scores the winners where due.

    Args:
        timeout: seconds after which no new trial starts; a trial must fit in it.
        force: keep arms whose single trial exceeds the budget.
        said: told what a person should know.
        estimated: told what a trial of an arm will take, or why the arm can't run.
        searching: called when the search begins.
        step: told how far the preflight and the finals are.

    Raises:
        Interrupted: asked to stop; what ran is queued again.
    """
    from suite.study import finals
    from suite.study.preflight import preflight

    recipe = work.definition.recipe
    if recipe.preflight and work.missing() > 0:
        preflight(
            work,
            max_trial_seconds=min(
                (b for b in (recipe.max_trial_seconds, timeout) if b is not None), default=None
            ),
            force=force,
            timing=lambda done, total, arm: step("timing arms", done, total, arm),
            estimated=estimated,
        )
    searching()
    work.run()
    if finals.due(work):
        said("Scoring each arm's best on the test split …")
        finals.score(
            work,
            seeds=recipe.finals.seeds,
            say=said,
            watch=lambda done, total, arm: step("finals", done, total, arm),
        )
