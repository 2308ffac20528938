"""What a trial's `balance` makes of its training: weights of classes, rows that stand several
times, how far sure rows count, and what the classes' shares add to the scores.

It knows no torch: what computes with tensors makes them of these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.contracts import balancing
from suite.contracts.strategy import Run
from suite.strategies.network.other_rows import OtherRows

Array = NDArray[np.float32]

#: How fast a row counts less as it gets sure, in the focal loss; Lin et al. find 2 best.
GAMMA = 2.0


@dataclass(frozen=True)
class Balance:
    """What a loss is made of beside logits and labels.

    Args:
        weights: of the classes, float32 [classes].
        priors: the logarithm of each class' share, which logits are raised by in the loss and not
            where the model answers, float32 [classes]; zeros where nothing is adjusted.
        gamma: the power of what is missing to certainty that a row counts with; 0: as any other.
    """

    weights: Array
    priors: Array
    gamma: float = 0.0

    @classmethod
    def of(cls, run: Run) -> Balance:
        """As a trial has it."""
        way = balancing.way_of(run.params, run.task)
        none = np.zeros(len(run.task.labels), dtype=np.float32)
        return cls(
            class_weights(run),
            log_priors(run) if way == balancing.ADJUSTED else none,
            GAMMA if way == balancing.FOCAL else 0.0,
        )

    @property
    def plain(self) -> bool:
        """Whether it changes nothing but for weights."""
        return not self.gamma and not self.priors.any()


def rows_of(run: Run) -> NDArray[np.int64]:
    """How many rows each class has, int64 [classes]."""
    labels = np.asarray(run.train.labels, dtype=np.int64)
    return np.bincount(labels, minlength=len(run.task.labels)).astype(np.int64)


def weighted(run: Run) -> bool:
    """Whether classes weigh as `balanced` has it."""
    return balancing.way_of(run.params, run.task) == balancing.WEIGHTS


def class_weights(run: Run) -> Array:
    """The weight of each class in the loss, float32 [classes]: 1, or balanced.

    A step's loss is the weighted sum over its rows, divided by their number: the weights of all
    rows average 1, and dividing by a batch's own weights would undo them in batches without a
    rare class. Balanced: rows / (classes present × rows of the class); a class without rows has 1.
    """
    weights = np.ones(len(run.task.labels), dtype=np.float32)
    if weighted(run):
        counts = rows_of(run)
        present = counts > 0
        weights[present] = len(run.train) / (present.sum() * counts[present])
    return weights


def log_priors(run: Run) -> Array:
    """The logarithm of each class' share, float32 [classes]; of a class without rows, that of half
    a row."""
    counts = np.maximum(rows_of(run), 0.5)
    return np.asarray(np.log(counts / counts.sum()), dtype=np.float32)


def oversampled(run: Run) -> Run:
    """The run with rows of rare classes several times, where its trial is to have them; else the
    run as it is. Passes are so many fewer that the steps are as many.

    A row of a class with a share f of the rows stands (t / f)½ times where that is more than once,
    t being the share of a class if all were alike; the fraction is drawn.
    """
    if balancing.way_of(run.params, run.task) != balancing.OVERSAMPLED:
        return run
    counts, rows = rows_of(run), len(run.train)
    even = rows / max(1, int((counts > 0).sum()))
    often = np.sqrt(np.maximum(1.0, even / np.maximum(counts, 1)))
    wanted = often[np.asarray(run.train.labels, dtype=np.int64)]
    drawn = np.random.default_rng(run.seed).random(rows)
    times = np.floor(wanted + drawn).astype(np.int64)
    places = np.repeat(np.arange(rows), times)
    run.note(oversampled_rows=len(places))
    return OtherRows(
        run,
        run.train.take(places),
        "oversampled",
        epochs=run.epochs * rows / len(places),
        # Not left out: what the task says would weigh them once more.
        settled={balancing.NAME: balancing.NONE},
    )
