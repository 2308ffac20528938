"""How fast the models of finals serve: in rounds over all of them, alone on the machine.

Each round measures every model once, each in a child of its own that loads it anew, every second
round in the opposite order: a slow minute hits all of them, and what only one loading or one
moment makes of a speed counts once. All models of a round are asked the same draw of texts, the
next round another. What others disturbed is measured again, a few times; which measurement stands
is decided by who else computed meanwhile, never by the speed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from suite.child.messages import Failed
from suite.contracts import moments
from suite.contracts.speeds import Rps, SingleStream
from suite.errors import counted
from suite.study.definition import StoredArm
from suite.study.measurable import is_measured, window_seconds
from suite.study.work import Work
from suite.verdict.speeds import ROUNDS, middle

#: Windows of a model that are measured again, at most, because others computed meanwhile.
REPEATS = 3


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


@dataclass
class _Course:
    """A model's windows so far, one a round; None where a round has none."""

    served: Served
    windows: list[Rps | None] = field(default_factory=list)
    repeated: int = 0
    failed: bool = False


def measure_all(work: Work, served: Mapping[str, Served]) -> dict[str, Rps | None]:
    """Arm -> the speed of its model; None where it is not measured.

    A round is begun only where the command's time is enough for it, but for the first.

    Raises:
        Interrupted: asked to stop.
    """
    recipe = work.ledger.definition.recipe
    courses = {
        arm: _Course(one) for arm, one in served.items() if is_measured(recipe, one.arm.model)
    }
    seconds = window_seconds(recipe)
    longest = 0.0
    rounds = 0
    while courses and rounds < ROUNDS:
        if rounds and longest > work.turns.allowance.left:
            work.observer.said(
                f"time was up after {counted(rounds, 'round')} of {ROUNDS}: speeds have no interval"
            )
            break
        if not rounds:
            work.observer.said(f"measuring speeds in {ROUNDS} rounds …")
        begun = time.monotonic()
        order = list(courses.values())
        for course in order if rounds % 2 == 0 else reversed(order):
            course.windows.append(_window(work, course, rounds, seconds))
        longest = max(longest, time.monotonic() - begun)
        rounds += 1
    named = f"{work.ledger.host} {moments.now()}"
    found: dict[str, Rps | None] = {arm: one.known for arm, one in served.items()}
    for arm, course in courses.items():
        found[arm] = combined(course.windows, course.repeated, named, course.served.known)
    return found


def _window(work: Work, course: _Course, number: int, seconds: float) -> Rps | None:
    """One round's figure of a model, measured again where others disturbed it."""
    if course.failed:
        return None
    logs = work.keeping.scratch / "finals" / "measure"
    first: Rps | None = None
    while True:
        outcome = work.speeds.window(
            course.served.folder, logs, seconds=seconds, seed=number, forms=False
        )
        if isinstance(outcome, Failed):
            if first is None:
                course.failed = True
                work.observer.said(
                    f"{course.served.arm.name}: serving speed could not be measured: "
                    f"{outcome.reason}"
                )
            return first
        if not outcome.contended:
            return outcome
        first = first or outcome
        if course.repeated >= REPEATS:
            return first
        course.repeated += 1


def combined(
    windows: Sequence[Rps | None], repeated: int, named: str, known: Rps | None
) -> Rps | None:
    """A model's speed over its rounds.

    Medians, with intervals where the rounds are enough; valid where every window is. A percentile
    that not every window establishes is the search's, of the same model, where that has it.

    Args:
        windows: a round each; None where it has none.
        repeated: how many were measured again.
        named: what the rounds are known by.
        known: what the search measured.
    """
    there = [window for window in windows if window is not None]
    if not there:
        return known
    singles = [window.single_stream for window in there]
    rates = middle([w.offline_per_second for w in there if w.offline_per_second is not None])
    latencies = middle([single.p50_ms for single in singles if single.p50_ms is not None])
    before = known.single_stream if known is not None else None
    disturbed = sum(window.contended for window in there)
    notes = [f"median of {counted(len(there), 'round')}, each after loading anew", there[0].note]
    if disturbed:
        notes.insert(1, f"{counted(disturbed, 'round')} beside other work")
    return replace(
        there[0],
        single_stream=SingleStream(
            p50_ms=latencies.value if latencies else None,
            p90_ms=_percentile([s.p90_ms for s in singles], before.p90_ms if before else None),
            p99_ms=_percentile([s.p99_ms for s in singles], before.p99_ms if before else None),
            valid=all(single.valid for single in singles),
            windows=[w.single_stream.p50_ms if w else None for w in windows],
            p50_interval=latencies.interval if latencies else None,
        ),
        offline_per_second=rates.value if rates else None,
        valid=all(window.valid for window in there),
        contended=disturbed > 0,
        note="; ".join(notes),
        other_forms=known.other_forms if known is not None else [],
        windows=[w.offline_per_second if w else None for w in windows],
        offline_interval=rates.interval if rates else None,
        rounds=named,
        disturbed=disturbed,
        repeated=repeated,
    )


def _percentile(figures: Sequence[float | None], before: float | None) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return float(median(known)) if len(known) == len(figures) else before
