"""How fast the models of finals serve: measured when all are trained, alone on the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suite.contracts.results import Rps
from suite.study.definition import StoredArm
from suite.study.work import Work


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

    What the search measured of the same model while nothing else ran stands.
    """
    found: dict[str, Rps | None] = {}
    for arm, one in served.items():
        found[arm] = one.known
        if one.known is None or one.known.contended:
            logs = work.keeping.scratch / "finals" / "measure"
            found[arm] = work.speeds.measure(one.arm, one.folder, logs) or one.known
    return found
