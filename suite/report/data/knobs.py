"""Which hyperparameters mattered, as typed values: importance, parallel axes, slices.

An axis is placed here (0 at its bottom, 1 at its top), so that the picture and a test agree on
where a value stands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import StudyResults, Trial
from suite.report.data.rows import Leaderboard, last_score
from suite.verdict.metrics import METRICS

#: Trials drawn of an arm; hyperparameters that get an axis or a slice of their own.
TRIALS_DRAWN = 200
AXES_DRAWN = 8
#: An axis whose values span more than this is read in orders of magnitude.
LOG_SPAN = 20
#: Names on one axis.
NAMES_DRAWN = 12


@dataclass(frozen=True)
class Importance:
    """What a hyperparameter explains within its arm, 0 to 1."""

    arm: str
    parameter: str
    value: float


@dataclass(frozen=True)
class Axis:
    """One hyperparameter over an arm's trials.

    `places` has each trial's place on the axis, 0 to 1, None where the trial has no such value;
    `values` what it was; `ticks` are (place, text).
    """

    parameter: str
    kind: Literal["linear", "log", "choice"]
    places: tuple[float | None, ...]
    values: tuple[str | int | float | bool | None, ...]
    ticks: tuple[tuple[float, str], ...]
    importance: float | None


@dataclass(frozen=True)
class Knobs:
    """An arm's finished trials by hyperparameter, most important axis first.

    `scores` are by the objective on validation (a pruned trial's at the end it came to), trial by
    trial.
    """

    arm: str
    trials: tuple[int, ...]
    scores: tuple[float, ...]
    pruned: tuple[bool, ...]
    axes: tuple[Axis, ...]
    axes_total: int
    total: int
    best: int
    """Position in `trials` of the best one that ran to its end."""
    objective: str = DEFAULT_OBJECTIVE


def importances(results: StudyResults) -> tuple[Importance, ...]:
    """Every finite importance, arms in the study's order, most important first in each."""
    order = [arm.arm for arm in results.arms]
    arms = sorted(
        results.importance, key=lambda a: (order.index(a) if a in order else len(order), a)
    )
    return tuple(
        Importance(arm, name.rpartition(":")[2], value)
        for arm in arms
        for name, value in sorted(
            results.importance[arm].items(), key=lambda item: (-item[1], item[0])
        )
        if math.isfinite(value)
    )


def knobs(results: StudyResults, board: Leaderboard, cap: int = TRIALS_DRAWN) -> tuple[Knobs, ...]:
    """Arms with at least three scored trials and a hyperparameter that varied, by rank."""
    known = {(i.arm, i.parameter): i.value for i in importances(results)}
    merit = METRICS[results.objective].merit
    found = []
    for row in board.rows:
        scored = [
            (trial, score)
            for trial in results.trials
            if trial.arm == row.arm
            and trial.state in ("COMPLETE", "PRUNED")
            and (score := last_score(trial)) is not None
        ]
        if len(scored) < 3:
            continue
        total = len(scored)
        scored = sorted(_thinned(scored, cap, merit), key=lambda pair: pair[0].number)
        names = dict.fromkeys(name for trial, _ in scored for name in trial.params)
        axes = []
        for name in names:
            axis = _axis(name, [trial.params.get(name) for trial, _ in scored], known, row.arm)
            if axis is not None:
                axes.append(axis)
        if not axes:
            continue
        axes.sort(key=lambda axis: -(axis.importance or 0.0))
        found.append(
            Knobs(
                arm=row.arm,
                objective=results.objective,
                trials=tuple(trial.number for trial, _ in scored),
                scores=tuple(score for _, score in scored),
                pruned=tuple(trial.state == "PRUNED" for trial, _ in scored),
                axes=tuple(axes[:AXES_DRAWN]),
                axes_total=len(axes),
                total=total,
                best=max(
                    range(len(scored)),
                    key=lambda i: (scored[i][0].state == "COMPLETE", merit(scored[i][1])),
                ),
            )
        )
    return tuple(found)


def _thinned(
    scored: list[tuple[Trial, float]], cap: int, merit: Callable[[float], float]
) -> list[tuple[Trial, float]]:
    """The best half of the room, the rest of it evenly from what is left."""
    if len(scored) <= cap:
        return scored
    ordered = sorted(scored, key=lambda pair: -merit(pair[1]))
    best, rest = ordered[: cap // 2], ordered[cap // 2 :]
    room = cap - len(best)
    return best + [rest[i * len(rest) // room] for i in range(room)]


def _axis(
    name: str,
    values: Sequence[str | int | float | bool | None],
    known: dict[tuple[str, str], float],
    arm: str,
) -> Axis | None:
    """The axis of a hyperparameter; None where every trial had the same value."""
    short = name.rpartition(":")[2]
    given = [value for value in values if value is not None]
    if len(set(map(str, given))) < 2:
        return None
    importance = known.get((arm, short))
    numeric = [float(v) for v in given if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numeric) < len(given):
        names = sorted({_text(value) for value in given})
        step = 1 / (len(names) - 1)
        at = {name: i * step for i, name in enumerate(names)}
        every = max(1, math.ceil(len(names) / NAMES_DRAWN))
        return Axis(
            short,
            "choice",
            tuple(None if value is None else at[_text(value)] for value in values),
            tuple(values),
            tuple((at[name], name) for name in names[::every]),
            importance,
        )
    low, high = min(numeric), max(numeric)
    log = low > 0 and high / low >= LOG_SPAN

    def place(value: float) -> float:
        if log:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    return Axis(
        short,
        "log" if log else "linear",
        tuple(
            place(float(v)) if isinstance(v, int | float) and not isinstance(v, bool) else None
            for v in values
        ),
        tuple(values),
        tuple((place(value), f"{value:.3g}") for value in _ticks(low, high, log)),
        importance,
    )


def _ticks(low: float, high: float, log: bool) -> list[float]:
    """The ends, and what is round between them and not too near to either."""
    between: list[float] = []
    if log:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        between = [10.0**d for d in decades if low < 10.0**d < high]

        def far(a: float, b: float) -> bool:
            return abs(math.log(a / b)) > 0.12 * math.log(high / low)
    else:
        step = 10.0 ** math.floor(math.log10(high - low))
        step *= 0.5 if (high - low) / step < 2 else 2 if (high - low) / step > 5 else 1
        first = math.ceil(low / step)
        between = [i * step for i in range(first, math.floor(high / step) + 1)]

        def far(a: float, b: float) -> bool:
            return abs(a - b) > 0.12 * (high - low)

    return [low, *[v for v in between if far(v, low) and far(v, high)], high]


def _text(value: str | int | float | bool | None) -> str:
    return "true" if value is True else "false" if value is False else str(value)
