"""Before a study starts: a few steps of each arm, timed, and what a trial will take.

Two small trainings of different size are timed, so that what an arm costs once (building a
vocabulary, starting a trainer) is told apart from what it costs per row. Scoring a few validation
texts tells what the checkpoints will take: for an arm that asks a model and trains nothing, that
is all there is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from suite import strategies
from suite.child import evaluation
from suite.child.messages import Failed
from suite.contracts.space import Choice, Dimension, Fixed, Float, Int, Params, Value
from suite.machine import scratch
from suite.study.definition import StoredArm
from suite.study.record import ESTIMATES
from suite.study.work import Work

FEW_ROWS = 32
MORE_ROWS = 160
#: The second, larger training is skipped where the first one took longer than this.
ENOUGH_SECONDS = 5.0


@dataclass(frozen=True)
class Estimate:
    """What an arm's trial will take, or why it could not be tried."""

    arm: str
    seconds: float | None
    failure: str | None = None


def preflight(
    work: Work,
    *,
    max_trial_seconds: float | None,
    force: bool,
    timing: Callable[[int, int, str], None] = lambda done, total, arm: None,
    estimated: Callable[[Estimate], None] = lambda estimate: None,
) -> list[Estimate]:
    """Times each arm that has no estimate yet; takes out arms whose trial exceeds the budget.

    Args:
        max_trial_seconds: the budget of one trial, or None.
        force: keep such arms all the same.
        timing: told before each arm how many are done, of how many, and its name.
        estimated: told each arm's estimate as soon as it is there.

    Raises:
        Interrupted: the study was asked to stop.
    """
    known = work.ledger.study.user_attrs.get(ESTIMATES, {})
    out = work.retiring.out()
    estimates: list[Estimate] = []
    untimed = [
        a for a in work.ledger.definition.runnable if a.name not in known and a.name not in out
    ]
    for arm in untimed:
        if not estimates:
            work.observer.said("Timing a few steps of each arm …")
        timing(len(estimates), len(untimed), arm.name)
        found = estimate(work, arm)
        estimates.append(found)
        estimated(found)
        if found.seconds is None or max_trial_seconds is None or force:
            continue
        if found.seconds > max_trial_seconds:
            work.retiring.refuse(
                arm.name,
                f"one trial would take about {found.seconds:,.0f} s, above the budget of "
                f"{max_trial_seconds:,.0f} s; --force keeps it",
                "budget",
            )
    work.ledger.set_estimates({e.arm: e.seconds for e in estimates if e.seconds is not None})
    return estimates


def estimate(work: Work, arm: StoredArm) -> Estimate:
    """Times one arm at its first known-good point."""
    definition = work.ledger.definition
    recipe = definition.recipe
    rows = definition.data.rows.train
    epochs = recipe.epochs_for(arm.name)
    params = typical(arm)
    times: list[tuple[int, float]] = []
    scoring = 0.0  # seconds per validation text
    with scratch.folder(work.keeping.scratch) as folder:
        for size in (FEW_ROWS, MORE_ROWS):
            size = min(size, rows)
            job = work.jobs.job(arm, params, folder, preflight_rows=size, epochs=1.0, checkpoints=1)
            outcome = work.runner.train(job, max_seconds=300)
            if isinstance(outcome, Failed):
                return Estimate(arm.name, None, outcome.reason)
            times.append((size, outcome.train_seconds))
            # The larger: a server's answers to the same texts are kept, and cost nothing then.
            scoring = max(scoring, outcome.evaluation_seconds / max(1, outcome.evaluated))
            if outcome.train_seconds > ENOUGH_SECONDS or size == rows:
                break
    training = extrapolate(times, rows * epochs)
    once = strategies.scored_once(arm.strategy, arm.model)
    stops = 1 if once else recipe.budget.checkpoints
    early = validation = definition.data.rows.validation
    if recipe.budget.evaluation == "auto":
        early = evaluation.size(training / stops, scoring, validation)
    return Estimate(arm.name, training + scoring * (validation + (stops - 1) * early))


def extrapolate(times: list[tuple[int, float]], rows: float) -> float:
    """Seconds for `rows` from one or two (rows, seconds) pairs.

    >>> extrapolate([(10, 2.0), (110, 3.0)], 1010)
    12.0
    """
    size, seconds = times[-1]
    if len(times) == 1:
        return seconds * rows / size
    fewer, less = times[0]
    per_row = max(0.0, (seconds - less) / (size - fewer))
    return seconds + per_row * max(0.0, rows - size)


def typical(arm: StoredArm) -> Params:
    """The arm's first known-good point, what it leaves open taken from the middle."""
    point = dict(arm.known_good[0]) if arm.known_good else {}
    return {k: point.get(k, _middle(d)) for k, d in arm.space.dimensions.items()}


def _middle(dimension: Dimension) -> Value:
    match dimension:
        case Fixed(value=value):
            return value
        case Choice(options=options):
            return options[0]
        case Float(low=low, high=high, log=log):
            return (low * high) ** 0.5 if log else (low + high) / 2
        case Int(low=low, high=high, step=step):
            return low + (high - low) // (2 * step) * step
