"""Scores by the length of texts: up to what an encoder of 512 positions reads whole, up to what one
of 1,024 does, and beyond. Two positions are the model's own marks."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

#: The longest texts of each bucket but the last, which has no end.
ENDS = (510, 1022)

#: What a length is counted in: the model's own tokens, or words where it has none.
Unit = Literal["tokens", "words"]


@dataclass(frozen=True)
class LengthScores:
    """Macro-F1 on the test texts longer than `above` and at most `most` long (null: without end), a
    mean over trainings, and its 95 % interval; null where such rows are too few."""

    above: int
    most: int | None
    rows: int
    macro_f1: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class ByLength:
    """An arm's scores bucket by bucket, and what lengths are counted in."""

    unit: Unit
    scores: list[LengthScores]


def bucket(length: int) -> int:
    """Which of the buckets a text of this length is in.

    >>> bucket(510), bucket(511), bucket(1023)
    (0, 1, 2)
    """
    return bisect_left(ENDS, length)
