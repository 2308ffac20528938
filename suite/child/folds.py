"""A trial over folds: what is trained again without each other fold, and all its answers.

The first fold is validation, and its training is the trial: timed, scored, pruned and kept as one
without folds is. Each of the others answers its own rows where the first one's best checkpoint was,
by the whole budget's schedule, and ends there. It is neither timed nor kept. Everything that is
learnt from rows is learnt anew; a strategy shares only what it puts into the run's pool.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from suite.contracts.strategy import Pool, Predictor, Probabilities, Pruned, Rows, Run, Strategy
from suite.data.folds import Folds
from suite.errors import SuiteError

#: Fractions of a budget are rounded where they are kept.
SAME_FRACTION = 1e-3


class FoldRun:
    """`protocols.Run` of a training that one fold is held out of.

    Args:
        first: the run of the first fold.
        learnt, held: positions in its pool of what is trained on, and of what is answered.
        end: fraction of the budget at which it is.
        folder: where it works.
        name: tells its rows from those of other trainings.
        told: told how far it is.
    """

    def __init__(
        self,
        first: Run,
        learnt: Sequence[int],
        held: Sequence[int],
        *,
        end: float,
        folder: Path,
        name: str,
        told: Callable[[float], None] = lambda fraction: None,
    ) -> None:
        assert first.pool is not None
        self.task = first.task
        self.model = first.model
        self.params = dict(first.params)
        self.pool: Pool | None = replace(first.pool, positions=tuple(learnt))
        self.train: Rows = first.pool.rows.take(learnt)
        self.seed = first.seed
        self.folder = folder / "scratch"
        self.attached = folder / "attached"
        self.epochs = first.epochs
        self.checkpoints = first.checkpoints
        self.shrink_batch = first.shrink_batch
        self.halvings = first.halvings
        self.fingerprint = f"{first.fingerprint}-{name}"
        self.teacher = first.teacher
        self.companions = first.companions
        #: Its answers to what is held out, float32 [rows, classes]; None before it gave any.
        self.answers: Probabilities | None = None
        self._rows = first.pool.rows
        self._held = list(held)
        self._end = end
        self._told = told

    def checkpoint(self, predictor: Predictor, fraction: float) -> None:
        """Answers, where the training is at its end."""
        if fraction < self._end - SAME_FRACTION:
            return
        recall: Callable[[Sequence[int]], Probabilities] | None
        recall = getattr(predictor, "recall", None)
        if recall is not None:
            self.answers = recall(self._held)
        else:
            self.answers = predictor.predict_proba(self._rows.take(self._held).texts)
        if fraction < 1:
            raise Pruned

    def loading(self) -> AbstractContextManager[None]:
        """Nothing is timed."""
        return nullcontext()

    def saved(self, seconds: float) -> None:
        """Nothing is timed."""

    def progress(self, fraction: float) -> None:
        """See `protocols.Run.progress`."""
        self._told(fraction)

    def note(self, **facts: Any) -> None:
        """The circumstances are the first fold's."""

    def fit(self, strategy: Strategy) -> Probabilities:
        """Trains, and returns the answers to what is held out; leaves nothing on disk.

        Raises:
            SuiteError: the strategy ended without answering.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            strategy.fit(self)
        except Pruned:
            pass
        finally:
            shutil.rmtree(self.folder.parent, ignore_errors=True)
        if self.answers is None:
            raise SuiteError(f"the strategy '{strategy.name}' ended without a checkpoint at 1.0")
        return self.answers


def answers(
    strategy: Strategy,
    first: Run,
    folds: Folds,
    *,
    validated: Probabilities,
    end: float,
    folder: Path,
    told: Callable[[float], None],
) -> Probabilities:
    """Every row's answer by a training that did not see it, float32 [train + validation, classes].

    Args:
        first: the run of the first fold, with the rows of train and validation as its pool.
        validated: what the first fold's predictor answered to validation.
        end: fraction of the budget at which that was.
        folder: where the trainings may work.
        told: told how far they are, all together.
    """
    assert first.pool is not None
    found = np.zeros((len(first.pool.rows), validated.shape[1]), dtype=np.float32)
    found[folds.held(0)] = validated
    for fold in range(1, folds.count):

        def on_progress(fraction: float, before: int = fold) -> None:
            told((before + min(1.0, fraction)) / folds.count)

        held = folds.held(fold)
        run = FoldRun(
            first,
            folds.learnt(fold),
            held,
            end=end,
            folder=folder / f"fold-{fold}",
            name=f"without{fold}of{folds.count}",
            told=on_progress,
        )
        found[held] = run.fit(strategy)
    return found


def again(strategy: Strategy, first: Run, folder: Path) -> float:
    """Seconds of one more training on the rows of the first, and of answering the pool's others."""
    assert first.pool is not None
    rows = len(first.pool.rows)
    learnt = first.pool.positions
    held = range(len(learnt), rows)
    begun = time.perf_counter()
    FoldRun(first, learnt, held, end=1.0, folder=folder / "again", name="again").fit(strategy)
    return time.perf_counter() - begun
