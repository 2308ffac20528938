"""Speeds measured in rounds: of models in finals, of engines in `suite bench`.

Each round measures every one once, each loaded anew, every second round in the opposite order: a
slow minute hits all of them, and what only one loading or one moment makes of a speed counts once.
All of a round are asked the same draw of texts, the next round another. What others disturbed is
measured again, a few times; which measurement stands is decided by who else computed meanwhile,
never by the speed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from suite.contracts.speeds import Rps, SingleStream
from suite.errors import counted
from suite.verdict.speeds import ROUNDS, middle

#: Windows of a model that are measured again, at most, because others computed meanwhile.
REPEATS = 3


@dataclass
class Course:
    """One's windows so far, one a round; None where a round has none.

    Args:
        repeated: how many were measured again.
        failed: whether it can't be measured.
    """

    windows: list[Rps | None] = field(default_factory=list)
    repeated: int = 0
    failed: bool = False


def over_rounds(
    names: Iterable[str],
    window: Callable[[str, int], Rps | None],
    *,
    left: Callable[[], float],
    said: Callable[[str], None],
) -> dict[str, Course]:
    """Measures each in each of `ROUNDS` rounds; a round is begun only where there is time for it,
    but for the first.

    Args:
        window: measures one, in a round of that number; None where it can't be measured.
        left: seconds that there are.
        said: told where time is up.
    """
    courses = {name: Course() for name in names}
    longest = 0.0
    for number in range(ROUNDS if courses else 0):
        if number and longest > left():
            said(
                f"time was up after {counted(number, 'round')} of {ROUNDS}: speeds have no interval"
            )
            break
        begun = time.monotonic()
        order = list(courses)
        for name in order if number % 2 == 0 else reversed(order):
            course = courses[name]
            course.windows.append(_window(course, name, number, window))
        longest = max(longest, time.monotonic() - begun)
    return courses


def _window(
    course: Course, name: str, number: int, window: Callable[[str, int], Rps | None]
) -> Rps | None:
    """One round's figure, measured again where others disturbed it."""
    if course.failed:
        return None
    first: Rps | None = None
    while True:
        found = window(name, number)
        if found is None:
            course.failed = first is None
            return first
        if not found.contended:
            return found
        first = first or found
        if course.repeated >= REPEATS:
            return first
        course.repeated += 1


def combined(
    windows: Sequence[Rps | None], repeated: int, named: str, known: Rps | None
) -> Rps | None:
    """A speed over its rounds.

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
        note="; ".join(filter(None, notes)),
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
