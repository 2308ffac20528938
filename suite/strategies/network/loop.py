"""The training loop of the models that train by gradient of our own: they share when, not how.

The loop owns the order of rows, the number of steps, the learning rate's course, progress and
checkpoints; a model brings one step over some rows, and a snapshot of itself as a predictor.
It knows neither torch nor scipy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import Predictor, Run
from suite.errors import SuiteError

PredictorT = TypeVar("PredictorT", bound=Predictor)
Indices = NDArray[np.int64]

#: Batches that are sorted by length together: enough to waste little padding, few enough to
#: leave the order random.
GROUPED_BATCHES = 50


def train(
    run: Run,
    *,
    passes: float,
    batch: int,
    step: Callable[[Indices, float], float],
    snapshot: Callable[[], PredictorT],
    lengths: Sequence[int] | None = None,
    warm_up: float = 0.0,
    begins: float = 0.0,
) -> PredictorT:
    """Trains for a number of passes over the rows, with `run.checkpoints` equal stops.

    Never fewer steps than checkpoints, so on a handful of rows there are more passes than asked.

    Args:
        run: the training; its seed decides the order of rows.
        passes: over the training rows.
        batch: rows in a step.
        step: (row indices, learning-rate factor in (0, 1]) -> loss; one update.
        snapshot: the model now, as a predictor that further steps do not change.
        lengths: tokens of each row; rows of like length then share a batch.
        warm_up: part of the steps in which the factor rises; afterwards it falls linearly to 0.
        begins: progress already made (by tokenising) when the first step starts, in [0, 1).

    Returns:
        The last snapshot.

    Raises:
        Pruned: from a checkpoint.
        SuiteError: the loss is no longer a number.
    """
    rows = len(run.train)
    steps = max(run.checkpoints, math.ceil(passes * rows / batch))
    stops = [round(steps * k / run.checkpoints) for k in range(1, run.checkpoints + 1)]
    rising = min(math.ceil(warm_up * steps), steps - 1)
    batches = _batches(rows, batch, lengths, np.random.default_rng(run.seed))
    recent: list[float] = []
    for done in range(steps):
        if done < rising:
            factor = (done + 1) / (rising + 1)
        else:
            factor = (steps - done) / (steps - rising)
        loss = step(next(batches), factor)
        if not math.isfinite(loss):
            raise SuiteError(
                f"the loss is {loss} at step {done + 1} of {steps}: training diverged",
                where=f"{run.model.name}/classic",
                fix="Lower the upper end of learning_rate in the recipe's spaces.",
            )
        recent.append(loss)
        run.progress(begins + (1 - begins) * (done + 1) / steps)
        if done + 1 in stops:
            position = stops.index(done + 1) + 1
            predictor = snapshot()
            last = position == run.checkpoints
            if last:
                run.note(steps=steps, train_loss=round(sum(recent) / len(recent), 6))
            recent.clear()
            run.checkpoint(predictor, 1.0 if last else position / run.checkpoints)
            if last:
                return predictor
    raise AssertionError("the last step is always a stop")


def _batches(
    rows: int, batch: int, lengths: Sequence[int] | None, rng: np.random.Generator
) -> Iterator[Indices]:
    """Shuffled batches without end; each pass sees every row once."""
    while True:
        order = rng.permutation(rows)
        if lengths is None:
            yield from _cut(order, batch)
            continue
        sizes = np.asarray(lengths)
        together = [
            part
            for group in _cut(order, batch * GROUPED_BATCHES)
            for part in _cut(group[np.argsort(sizes[group], kind="stable")], batch)
        ]
        for position in rng.permutation(len(together)):
            yield together[position]


def _cut(order: Indices, size: int) -> list[Indices]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def class_weights(run: Run) -> NDArray[np.float32]:
    """The weight of each class in the loss, float32 [classes]: 1, or as the task balances them.

    A step's loss is the weighted sum over its rows, divided by their number: the weights of all
    rows average 1, and dividing by a batch's own weights would undo them in batches without a
    rare class. Balanced: rows / (classes present × rows of the class); a class without rows has 1.
    """
    weights = np.ones(len(run.task.labels), dtype=np.float32)
    if run.task.class_weights == "balanced":
        counts = np.bincount(np.asarray(run.train.labels), minlength=len(weights))
        present = counts > 0
        weights[present] = len(run.train) / (present.sum() * counts[present])
    return weights
