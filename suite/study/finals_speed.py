"""How fast the models of finals serve: in rounds over all of them, alone on the machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from suite.child.messages import Failed
from suite.contracts import moments
from suite.contracts.model import Model
from suite.contracts.speeds import Rps
from suite.data.snapshot import Split
from suite.study.measurable import is_measured, window_seconds
from suite.study.rounds import combined, over_rounds
from suite.study.work import Work
from suite.verdict.speeds import ROUNDS


@dataclass(frozen=True)
class Served:
    """A model to be measured.

    Args:
        models: whose they are: one, or a combination's.
        folder: of the model that is shipped.
        known: what the search measured of this very model; None where it is another.
    """

    models: Sequence[Model]
    folder: Path
    known: Rps | None


def measure_all(
    work: Work, served: Mapping[str, Served], split: Split = "validation"
) -> dict[str, Rps | None]:
    """Arm -> the speed of its model; None where it is not measured.

    Args:
        split: whose texts are asked. A cascade's speed is that of its surer member where that one
            is sure, as it is of texts that it was trained on: where there is one, all are asked
            texts of test, whose labels nobody looks at here.

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
            served[arm].folder, logs, seconds=seconds, seed=number, forms=False, split=split
        )
        if isinstance(outcome, Failed):
            work.observer.said(f"{arm}: serving speed could not be measured: {outcome.reason}")
            return None
        return outcome

    measured = [
        arm
        for arm, one in served.items()
        if all(is_measured(recipe, model) for model in one.models)
    ]
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
