"""How fast the models of finals serve: in rounds over all of them, alone on the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suite.child.messages import Failed
from suite.contracts import moments
from suite.contracts.speeds import Rps
from suite.study.definition import StoredArm
from suite.study.measurable import is_measured, window_seconds
from suite.study.rounds import combined, over_rounds
from suite.study.work import Work
from suite.verdict.speeds import ROUNDS


@dataclass(frozen=True)
class Served:
    """A model to be measured.

    Args:
        folder: of the model that is shipped.
        known: what the search measured of this very model; None where it is another.
    """

    arm: StoredArm
    folder: Path
    known: Rps | None


def measure_all(work: Work, served: Mapping[str, Served]) -> dict[str, Rps | None]:
    """Arm -> the speed of its model; None where it is not measured.

    Each window is a child of its own that loads the model anew. A round is begun only where the
    command's time is enough for it, but for the first.

    Raises:
        Interrupted: asked to stop.
    """
    recipe = work.ledger.definition.recipe
    seconds = window_seconds(recipe.measure.seconds)
    logs = work.keeping.scratch / "finals" / "measure"

    def window(arm: str, number: int) -> Rps | None:
        outcome = work.speeds.window(
            served[arm].folder, logs, seconds=seconds, seed=number, forms=False
        )
        if isinstance(outcome, Failed):
            work.observer.said(f"{arm}: serving speed could not be measured: {outcome.reason}")
            return None
        return outcome

    measured = [arm for arm, one in served.items() if is_measured(recipe, one.arm.model)]
    if measured:
        work.observer.said(f"measuring speeds in {ROUNDS} rounds …")
    courses = over_rounds(
        measured, window, left=lambda: work.turns.allowance.left, said=work.observer.said
    )
    named = f"{work.ledger.host} {moments.now()}"
    found = {arm: one.known for arm, one in served.items()}
    for arm, course in courses.items():
        found[arm] = combined(course.windows, course.repeated, named, served[arm].known)
    return found
