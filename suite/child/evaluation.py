"""How many validation rows an early checkpoint is scored on, and which.

Scoring a large validation split five times can cost more than the training it watches. Early
checkpoints only decide whether a trial goes on, so a part of the rows will do: one and the same
part for every trial of an arm, since trials are compared at equal fractions. What the objective
takes is always scored on all rows (`worker.ChildRun`).
"""

from __future__ import annotations

from collections.abc import Sequence

from suite.contracts.strategy import Rows

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
