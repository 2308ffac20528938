"""What several splits of one task's rows say of its arms: each split is searched on its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from suite.contracts.records import FINITE

#: How rows are parted: test drawn anew for each split, or as one of equal folds that hold all rows.
Way = Literal["holdout", "folds"]


@dataclass(frozen=True)
class SplitArm:
    """An arm over splits: its test scores, their mean and standard deviation.

    `scores` holds one for each split in `Splits.studies`, null where the arm has no result there;
    `interval` is the mean's 95 % interval by the corrected variance, null below two scores.
    `pooled` is the score of all test answers together, where the folds hold every row.
    """

    __pydantic_config__ = FINITE

    arm: str
    scores: list[float | None]
    mean: float
    deviation: float | None
    interval: tuple[float, float] | None
    pooled: float | None = None


@dataclass(frozen=True)
class SplitPair:
    """Two arms over the splits that have both: the mean difference a - b, by the corrected
    resampled t test. Interval and p hold for all pairs together (Šidák)."""

    __pydantic_config__ = FINITE

    a: str
    b: str
    difference: float
    interval: tuple[float, float]
    p: float
    df: float
    splits: int

    @property
    def differs(self) -> bool:
        """Whether the difference is more than chance: the interval leaves 0 out."""
        return self.interval[0] > 0 or self.interval[1] < 0


@dataclass(frozen=True)
class Splits:
    """A study's arms over several splits of its rows, the best mean first.

    `studies` are the splits' own, this one first; those in `missing` have no finals yet.
    `objective` names the score. `ratio` is test rows over training rows, the mean of the splits.
    """

    __pydantic_config__ = FINITE

    way: Way
    studies: list[str]
    missing: list[str]
    objective: str
    ratio: float
    arms: list[SplitArm] = field(default_factory=list)
    pairs: list[SplitPair] = field(default_factory=list)
