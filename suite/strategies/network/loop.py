"""The training loop of the models that train by gradient of our own: they share when, not how.

The loop owns the order of rows, the number of steps, the learning rate's course, progress and
checkpoints; a model brings one step over some rows, and a snapshot of itself as a predictor.
It knows neither torch nor scipy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from suite.contracts.bookmark import Bookmark, bookmarks_of
from suite.contracts.strategy import Predictor, Run
from suite.errors import SuiteError
from suite.strategies.network.shrinking import Attempts, half

PredictorT = TypeVar("PredictorT", bound=Predictor, covariant=True)
Indices = NDArray[np.int64]

#: Batches that are sorted by length together: enough to waste little padding, few enough to
#: leave the order random.
GROUPED_BATCHES = 50


class Learner(Protocol[PredictorT]):
    """A model while it learns."""

    def step(self, indices: Indices, factor: float) -> float:
        """One update on these rows, by a learning rate times a factor in (0, 1]; their loss."""
        ...

    def snapshot(self) -> PredictorT:
        """The model now, as a predictor that further steps do not change."""
        ...

    def remembered(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """All that steps have changed: torch's tensors by name, and JSON values. Nothing is changed
        by asking."""
        ...

    def remember(self, tensors: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Takes what `remembered` gave, in a model that has learned nothing yet."""
        ...


def train(
    run: Run,
    strategy: str,
    *,
    passes: float,
    batch: int,
    begin: Callable[[int], Learner[PredictorT]],
    advice: str,
    lengths: Sequence[int] | None = None,
    warm_up: float = 0.0,
    begins: float = 0.0,
) -> PredictorT:
    """Trains for a number of passes over the rows, with `run.checkpoints` equal stops.

    Never fewer steps than checkpoints, so on a handful of rows there are more passes than asked.
    A training that was broken off goes on from its bookmark, where its run has one. Where memory
    runs out, the training begins again with half the rows of a step at once.

    Args:
        run: the training; its seed decides the order of rows.
        strategy: whose it is.
        passes: over the training rows.
        batch: rows in a step.
        begin: rows at once -> a model that has learned nothing yet; its steps add up the
            gradients of so many rows (`parts`), so that an update stays what it was.
        advice: what would help where memory runs out at a single row.
        lengths: tokens of each row; rows of like length then share a batch.
        warm_up: part of the steps in which the factor rises; afterwards it falls linearly to 0.
        begins: progress already made (by tokenising) when the first step starts, in [0, 1).

    Returns:
        The last snapshot.

    Raises:
        Pruned: from a checkpoint.
        SuiteError: the loss is no longer a number.
        OutOfMemory: memory ran out, and no fewer rows may, or can, go at once.
    """
    attempts = Attempts(run, min(batch, len(run.train)), advice)

    def smaller(at_once: int) -> int | None:
        return half(at_once) if run.shrink_batch else None

    def attempt(at_once: int) -> PredictorT:
        return _train(
            attempts,
            begin(at_once),
            strategy,
            steps=max(run.checkpoints, math.ceil(passes * len(run.train) / batch)),
            batches=_batches(len(run.train), batch, lengths, np.random.default_rng(run.seed)),
            warm_up=warm_up,
            begins=begins,
            known_by=[strategy, run.fingerprint, batch, attempts.halved],
        )

    begun = attempts.begun(attempts.batch, smaller)
    run.note(batch=attempts.batch, rows_at_once=begun)
    return attempts.fit(
        begun, attempt, smaller=smaller, notes=lambda at_once: {"rows_at_once": at_once}
    )


def parts(rows: int, at_once: int) -> list[slice]:
    """What of a step's rows goes at once.

    >>> parts(5, 2), parts(5, 8)
    ([slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)], [slice(0, 5, None)])
    """
    return [slice(start, min(start + at_once, rows)) for start in range(0, rows, at_once)]


def _train(
    attempts: Attempts,
    learner: Learner[PredictorT],
    strategy: str,
    *,
    steps: int,
    batches: Iterator[Indices],
    warm_up: float,
    begins: float,
    known_by: Sequence[Any],
) -> PredictorT:
    run, bookmarks = attempts.run, bookmarks_of(attempts.run)
    stops = [round(steps * k / run.checkpoints) for k in range(1, run.checkpoints + 1)]
    rising = min(math.ceil(warm_up * steps), steps - 1)
    recent: list[float] = []
    begun = bookmarks.begin(known_by, steps) if bookmarks else None
    first = 0
    if begun is not None:
        first, recent = begun.step, list(begun.values["recent"])
        attempts.scored = float(begun.values["scored"])
        learner.remember(begun.tensors, begun.values["learner"])
        for _ in range(first):  # The order of rows is drawn again.
            next(batches)

    def whole(step: int) -> Bookmark:
        tensors, values = learner.remembered()
        told = {"recent": recent, "scored": attempts.scored, "learner": values}
        return Bookmark(step, tensors, told)

    for done in range(first, steps):
        if done < rising:
            factor = (done + 1) / (rising + 1)
        else:
            factor = (steps - done) / (steps - rising)
        loss = learner.step(next(batches), factor)
        if not math.isfinite(loss):
            raise SuiteError(
                f"the loss is {loss} at step {done + 1} of {steps}: training diverged",
                where=f"{run.model.name}/{strategy}",
                fix="Lower the upper end of learning_rate in the recipe's spaces.",
            )
        recent.append(loss)
        run.progress(begins + (1 - begins) * (done + 1) / steps)
        if done + 1 in stops:
            position = stops.index(done + 1) + 1
            predictor = learner.snapshot()
            last = position == run.checkpoints
            if last:
                run.note(steps=steps, train_loss=round(sum(recent) / len(recent), 6))
            recent.clear()
            attempts.checkpoint(predictor, 1.0 if last else position / run.checkpoints)
            if last:
                return predictor
        if bookmarks is not None:
            bookmarks.at(done + 1, partial(whole, done + 1), scored=done + 1 in stops)
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


def marks(steps: int, checkpoints: int) -> dict[int, float]:
    """Optimiser step -> fraction of the budget that is scored there.

    Where there are fewer steps than checkpoints, those that fall on one step are scored once,
    under the largest fraction.

    >>> marks(10, 2)
    {5: 0.5, 10: 1.0}
    >>> marks(2, 4)
    {1: 0.5, 2: 1.0}
    """
    return {-(-i * steps // checkpoints): i / checkpoints for i in range(1, checkpoints + 1)}
