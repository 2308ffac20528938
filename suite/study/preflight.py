"""Before a study starts: a few steps of each arm, timed, and what a trial will take.

Two small trainings of different size are timed, so that what an arm costs once (building a
vocabulary, starting a trainer) is told apart from what it costs per row. Scoring a few validation
texts tells what the checkpoints will take: for an arm that asks a model and trains nothing, that
is all there is. What a child takes beside both (its start, loading weights) is a trial's, too.
What another point of the arm takes is reckoned from it by their `efforts`.

A model beside the arm's own (its companion) embeds every training row, however few of them the arm
itself reads: what that took is told apart by the training, and reckoned by rows. Where the point
that is timed names none, a few rows are embedded by each at a point that does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from suite import strategies
from suite.child import evaluation
from suite.child.messages import Failed, Finished
from suite.contracts import cutting
from suite.contracts.space import Fixed
from suite.machine import scratch
from suite.study import efforts, thumb
from suite.study.definition import StoredArm
from suite.study.efforts import typical
from suite.study.estimates import extrapolate
from suite.study.work import Work

#: Rows of the first training. The second has more, or fewer where the first took long: a single
#: one tells nothing of what is paid once, and that is the most of it where an arm is slow to start.
FEW_ROWS = 32
MORE_ROWS, LESS_ROWS = 160, 8
LONG_SECONDS = 5.0
#: What a training may take, where the command has time enough.
MOST_SECONDS = 300.0
#: How many times the first point's seconds another point has to take to be told of.
TOLD_RATIO = 1.5


@dataclass(frozen=True)
class Estimate:
    """What an arm's trial will take at its first known-good point, or why it could not be tried.

    `most` is what one will take at the point of its space that asks for most.
    """

    arm: str
    seconds: float | None
    failure: str | None = None
    most: float | None = None

    def told(self, duration: Callable[[float], str]) -> str:
        """As a sentence, of one that could be tried."""
        assert self.seconds is not None
        said = f"{self.arm}: a trial takes about {duration(self.seconds)}"
        if self.most is not None and self.most >= TOLD_RATIO * self.seconds:
            said += f", and up to {duration(self.most)} at other hyperparameters"
        return said


def preflight(
    work: Work,
    *,
    force: bool,
    timing: Callable[[int, int, str], None] = lambda done, total, arm: None,
    estimated: Callable[[Estimate], None] = lambda estimate: None,
) -> None:
    """Times each arm of which nothing is known yet; takes out arms that exceed the trial's budget.

    Args:
        force: keep such arms all the same.
        timing: told before each arm how many are done, of how many, and its name.
        estimated: told each arm's estimate as soon as it is there.

    Raises:
        Interrupted: the study was asked to stop.
    """
    known, out = work.ledger.known_seconds(), work.retiring.out()
    untimed = [
        a for a in work.ledger.definition.runnable if a.name not in known and a.name not in out
    ]
    for done, arm in enumerate(untimed):
        if not done:
            work.observer.said("Timing a few steps of each arm …")
        timing(done, len(untimed), arm.name)
        estimated(time_one(work, arm, 2 * MOST_SECONDS, force=force))


def time_one(work: Work, arm: StoredArm, most_seconds: float, *, force: bool) -> Estimate:
    """Times an arm and stores what was found; takes it out where it exceeds the trial's budget.

    Raises:
        Interrupted: the study was asked to stop.
    """
    found, budget = (
        estimate(work, arm, most_seconds),
        work.ledger.definition.recipe.max_trial_seconds,
    )
    if found.seconds is None:
        return found
    work.ledger.set_estimates({arm.name: found.seconds})
    if budget is not None and not force and found.seconds > budget:
        work.retiring.refuse(
            arm.name,
            f"one trial would take about {found.seconds:,.0f} s, above the budget of "
            f"{budget:,.0f} s; --force keeps it",
            "budget",
        )
    return found


def estimate(work: Work, arm: StoredArm, most_seconds: float = 2 * MOST_SECONDS) -> Estimate:
    """Times one arm at its first known-good point.

    Args:
        most_seconds: what both trainings may take together.
    """
    definition = work.ledger.definition
    recipe = definition.recipe
    rows = definition.data.rows.train
    params = typical(arm)
    pace = work.jobs.pace(arm, params)
    epochs = pace.passes if pace else recipe.epochs_for(arm.name)
    tried: set[int] = set()
    times: list[tuple[float, float]] = []
    scoring: list[float] = []  # seconds per validation text
    beside: list[float] = []
    again: list[tuple[float, float]] = []
    embedding: list[tuple[float, float]] = []
    until = time.monotonic() + most_seconds

    def seen(size: int, epochs: float) -> float:
        return size * strategies.passes(arm.strategy, arm.model, size, epochs)

    with scratch.folder(work.keeping.scratch) as folder:
        size = min(FEW_ROWS, rows)
        while size not in tried:
            tried.add(size)
            job = work.jobs.job(arm, params, folder, preflight_rows=size, epochs=1.0, checkpoints=1)
            begun = time.monotonic()
            outcome = work.runner.train(job, max_seconds=min(MOST_SECONDS, until - begun))
            if isinstance(outcome, Failed):
                if times:  # too few rows, or no time was left for more
                    break
                return Estimate(arm.name, None, outcome.reason)
            wall = time.monotonic() - begun
            near = _embedding(arm, outcome)
            embedding.append((size, near))
            times.append((seen(size, 1.0), max(0.0, outcome.train_seconds - near)))
            scoring.append(outcome.evaluated_seconds / max(1, outcome.evaluated))
            again.append((seen(size, 1.0), max(0.0, outcome.again_seconds - near)))
            spent = outcome.train_seconds + outcome.evaluation_seconds + outcome.again_seconds
            beside.append(wall - spent)
            if len(times) == 1:
                quick = outcome.train_seconds <= LONG_SECONDS
                size = min(rows, MORE_ROWS if quick else LESS_ROWS)
        elsewhere = (
            0.0 if any(near for _, near in embedding) else _slowest(work, arm, folder, until)
        )
    # A server's answers to the same texts are kept, and cost nothing the second time; elsewhere
    # the first time pays for what is loaded and compiled once.
    per_text = min(scoring) if arm.model.endpoint is None else max(scoring)
    training = extrapolate(times, seen(rows, epochs))
    once = strategies.scored_once(arm.strategy, arm.model)
    stops = 1 if once else recipe.budget.checkpoints
    early = validation = definition.data.rows.validation
    if recipe.budget.evaluation == "auto":
        early = evaluation.size(training / stops, per_text, validation)
    # The first child may have waited for its forkserver; what is less is a child's own.
    own = max(0.0, min(beside))
    others = (arm.folds - 1) * extrapolate(again, seen(rows, epochs)) if arm.folds else 0.0
    seconds = own + training + per_text * (validation + (stops - 1) * early) + others
    seconds = own + (seconds - own) * _times_read(work, arm)
    most = seconds * efforts.most(arm) / efforts.timed(arm)
    trainings = max(1, arm.folds)
    near = trainings * extrapolate(embedding, rows)
    return Estimate(arm.name, seconds + near, most=most + max(near, trainings * rows * elsewhere))


def _embedding(arm: StoredArm, outcome: Finished) -> float:
    """Seconds that a companion took for the rows of a training."""
    return float(outcome.circumstances.get("near_seconds", 0.0)) if arm.companions else 0.0


def _slowest(work: Work, arm: StoredArm, folder: Path, until: float) -> float:
    """Seconds that the slowest of an arm's companions takes to embed a row, at points that name
    them; 0 where it has none, or no time is left to find out."""
    rows = min(FEW_ROWS, work.ledger.definition.data.rows.train)
    slowest = 0.0
    for params in efforts.naming(arm):
        left = min(MOST_SECONDS, until - time.monotonic())
        if left > 0:
            job = work.jobs.job(arm, params, folder, preflight_rows=rows, epochs=1.0, checkpoints=1)
            outcome = work.runner.train(job, max_seconds=left)
            if not isinstance(outcome, Failed):
                slowest = max(slowest, _embedding(arm, outcome) / rows)
    return slowest


def _times_read(work: Work, arm: StoredArm) -> float:
    """How many times what was timed an arm's trials read, on average over its ways of cutting."""
    dimensions = arm.space.dimensions
    if cutting.NAME not in dimensions:
        return 1.0
    definition = work.ledger.definition
    task = definition.task
    texts = thumb.Texts.of(definition.data, task.language, len(task.labels))
    most = cutting.limit(task, arm.model)
    timed = {k: Fixed(v) if k == cutting.NAME else dimensions[k] for k, v in typical(arm).items()}
    return cutting.times_read(dimensions, texts.lengths, most) / cutting.times_read(
        timed, texts.lengths, most
    )
