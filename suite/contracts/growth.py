"""A learning curve of a study's arms, as frozen values: scores by training rows, the laws through
them, where arms cross, and what more rows of a class are worth.

Scores are of the study's objective, as it has them; intervals hold 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from suite.contracts.records import FINITE


@dataclass(frozen=True)
class Curve:
    """A learning curve as it is asked for.

    Args:
        sizes: of training rows, the largest the study itself; halves of it where none are named.
        draws: of rows at each size.
        advice: the arm by which it is told which class's rows help; None where that is not asked.
        more: rows of a class that are spoken of; 300 where None.
    """

    sizes: Sequence[int] = ()
    draws: int | None = None
    advice: str | None = None
    more: int | None = None


@dataclass(frozen=True)
class GrowthPoint:
    """An arm at a number of training rows.

    `draw` is which of several nested orders of the rows they are of, from 1. `carried` says from
    how many rows the hyperparameters are, where they were not searched at this size; null where
    they were.
    """

    __pydantic_config__ = FINITE

    arm: str
    rows: int
    draw: int
    score: float
    interval: tuple[float, float]
    train_seconds: float | None
    per_second: float | None
    carried: int | None
    study: str


@dataclass(frozen=True)
class GrowthBand:
    """What the laws say at a number of rows."""

    rows: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class GrowthCheck:
    """The score at `rows`, predicted from sizes of at most `known` rows, beside what it is."""

    rows: int
    known: int
    predicted: float
    low: float
    high: float
    truth: float

    @property
    def error(self) -> float:
        """How far the prediction is off."""
        return abs(self.predicted - self.truth)


@dataclass(frozen=True)
class GrowthArm:
    """An arm's law: its band, from the smallest size to twice the largest, which is last.

    `exponent` is the law's, with its interval; it and `band` are empty where there are fewer than
    four sizes, or the scores don't grow. `check` is null where too few sizes are left without the
    largest.
    """

    __pydantic_config__ = FINITE

    arm: str
    exponent: tuple[float, float, float] | None
    band: list[GrowthBand]
    check: GrowthCheck | None


@dataclass(frozen=True)
class GrowthCrossing:
    """From `rows` on `above` scores higher than `below`, which does with fewer.

    An end of the interval is null where it lies beyond the smallest size, or four times the
    largest. `share` is the part of the laws that cross in between.
    """

    above: str
    below: str
    rows: int
    low: int | None
    high: int | None
    share: float


@dataclass(frozen=True)
class GrowthChoice:
    """With so many rows: the best arm, and the cheapest to serve of those that are unlikely to lie
    more than the margin below it.

    `cheapest` is the best, and `per_second` null, where the speed of one of these was not measured.
    """

    rows: int
    best: str
    cheapest: str
    score: float
    per_second: float | None


@dataclass(frozen=True)
class ClassGain:
    """How much better the arm's score would be with so many more rows of a class, and the
    half-width of its interval; all classes' intervals hold together.

    `rows` are the class's training rows; `lost` is how much worse the score was with `left_out` of
    them left out, the mean of `draws` draws. `label` is null of rows of any class: the control, of
    which as many were left out at random. What is better is above 0, whichever way the metric goes.
    """

    __pydantic_config__ = FINITE

    label: int | None
    rows: int
    left_out: int
    lost: float
    draws: int
    gain: float
    reach: float | None
    """Null where one draw tells nothing of chance."""

    @property
    def measurable(self) -> bool:
        """Whether the gain is more than chance."""
        return self.reach is not None and abs(self.gain) > self.reach


@dataclass(frozen=True)
class Advice:
    """Rows of which class help one arm most. Studies in `missing` have no finals yet."""

    __pydantic_config__ = FINITE

    arm: str
    more: int
    gains: list[ClassGain]
    any_class: ClassGain | None
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Growth:
    """A study's learning curve: itself is the largest size.

    `searched` are the sizes at which hyperparameters were searched. Studies in `missing` lack
    trials, or finals that saw all of them.
    """

    __pydantic_config__ = FINITE

    objective: str
    sizes: list[int]
    draws: int
    searched: list[int]
    missing: list[str]
    validation_rows: int
    points: list[GrowthPoint] = field(default_factory=list)
    arms: list[GrowthArm] = field(default_factory=list)
    crossings: list[GrowthCrossing] = field(default_factory=list)
    choices: list[GrowthChoice] = field(default_factory=list)
    advice: Advice | None = None

    def score(self, arm: str, rows: int) -> float | None:
        """An arm's mean score over the draws of a size."""
        found = [p.score for p in self.points if (p.arm, p.rows) == (arm, rows)]
        return sum(found) / len(found) if found else None
