"""How many validation rows an early checkpoint is scored on, and which.

Scoring a large validation split five times can cost more than the training it watches. Early
checkpoints only decide whether a trial goes on, so a part of the rows will do: one and the same
part for every trial of an arm, since trials are compared at equal fractions. What the objective
takes is always scored on all rows (`worker.ChildRun`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from suite.child.clock import synchronise
from suite.contracts.strategy import Predictor, Probabilities, Rows

#: What scoring an early checkpoint may cost, as a share of the training up to it since the last.
SHARE = 0.1
#: Fewer rows than this say too little: of 500, a macro-F1 of .9 is known to about .013.
FEWEST = 500


def size(interval_seconds: float, seconds_per_row: float, rows: int) -> int:
    """Validation rows that cost about a tenth of an interval's training; at least 500, or all.

    >>> size(100.0, 0.002, 20_000)
    5000
    >>> size(100.0, 0.1, 20_000)
    500
    >>> size(100.0, 0.002, 4000)
    4000
    """
    if seconds_per_row <= 0:
        return rows
    return min(rows, max(FEWEST, int(SHARE * interval_seconds / seconds_per_row)))


def order(validation: Rows) -> Sequence[int]:
    """Row positions of which every prefix is a stratified sample; the same for every trial."""
    from suite.data.splits import nested_order

    return [int(row) for row in nested_order(validation, seed=0)]


class EarlyRows:
    """The rows that a trial's early checkpoints are scored on.

    Args:
        validation: all there are.
        asked: how many of them, "full", or "auto": nobody knows yet.
        agreed: is told how many they should be once that is known, and says how many they are.
    """

    def __init__(self, validation: Rows, asked: int | str, agreed: Callable[[int], int]) -> None:
        self._validation = validation
        self._agreed = agreed
        self._order: Sequence[int] | None = None
        self._size: int | None = None
        if isinstance(asked, int):
            self._size = asked
        elif asked == "full" or len(validation) <= FEWEST:
            self._size = len(validation)

    @property
    def settled(self) -> int | None:
        """How many they are; None while nobody knows."""
        return self._size

    def settle(self, rows: int | None) -> None:
        """Takes over how many they are, from whoever knew."""
        if rows is not None:
            self._size = rows

    @property
    def rows(self) -> Sequence[int]:
        """Their positions, once there has been a checkpoint."""
        if self._order is None:
            self._order = order(self._validation)
        return self._order[: self._size]

    def answers(
        self, predictor: Predictor, interval: float
    ) -> tuple[Sequence[int] | None, Probabilities]:
        """Which rows a checkpoint is scored on (None: all), and their classes.

        Where nobody knows yet how many it should be, 500 rows are timed, and the others added.

        Args:
            interval: seconds of training up to it since the last.
        """
        texts = self._validation.texts
        if self._size is not None and self._size >= len(texts):
            return None, predictor.predict_proba(texts)
        if self._size is not None:
            return self.rows, predictor.predict_proba([texts[row] for row in self.rows])
        first = self.rows[:FEWEST]
        begun = time.perf_counter()
        probabilities = predictor.predict_proba([texts[row] for row in first])
        synchronise()
        each = (time.perf_counter() - begun) / len(first)
        self._size = self._agreed(size(interval, each, len(texts)))
        rest = self.rows[len(first) :]
        if rest:
            more = predictor.predict_proba([texts[row] for row in rest])
            probabilities = np.concatenate([probabilities, more])
        if self._size >= len(texts):
            # All rows, in their own order.
            whole = np.empty_like(probabilities)
            whole[np.asarray(self.rows)] = probabilities
            return None, whole
        return self.rows, probabilities
