"""Whether an arm names one class far more often than it occurs.

A model that is asked and not taught often likes one option whatever it is asked; one that was
trained too little names the class it saw most. Its score says that it is bad, not why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: By how much of all rows a class is named more often than it occurs, at least.
LEAST = 0.3


@dataclass(frozen=True)
class Leaning:
    """A class that is named too often.

    Args:
        label: its index.
        named: share of all rows that are given it.
        occurs: share of all rows that have it as label.
    """

    label: int
    named: float
    occurs: float


def leaning(confusion: Sequence[Sequence[int]], unanswered: Sequence[int] = ()) -> Leaning | None:
    """The class that is named too often, the most so; None where none is.

    Args:
        confusion: rows, true × predicted.
        unanswered: rows of each true class that stand in no column.

    >>> leaning([[30, 0], [20, 10]])
    Leaning(label=0, named=0.8333333333333334, occurs=0.5)
    >>> leaning([[30, 0], [8, 22]]) is None
    True
    """
    true = [sum(row) for row in confusion]
    for label, silent in enumerate(unanswered):
        true[label] += silent
    rows = sum(true)
    if not rows:
        return None
    named = [sum(row[label] for row in confusion) for label in range(len(confusion))]
    most = max(range(len(named)), key=lambda label: named[label] - true[label])
    found = Leaning(most, named[most] / rows, true[most] / rows)
    return found if found.named - found.occurs >= LEAST else None
