"""Whether two arms find the same rows hard, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.measured import Measured


@dataclass(frozen=True)
class Alike:
    """Spearman's rank correlation of two arms' losses on test, row by row.

    Where `a` and `b` are one arm, it is of two of its trainings, with other seeds, which bounds
    what it can have in common with another.
    """

    a: str
    b: str
    spearman: Measured
