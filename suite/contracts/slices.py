"""What arms score on parts of the test rows, and how far the splits differ, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field

from suite.contracts.records import FINITE

#: Of fewer rows nothing is said.
FEWEST_ROWS = 10

#: What rows are parted by beside columns: words, the language they are in, rows to learn a class
#: from.
LENGTH, LANGUAGE, CLASS_SIZE = "length", "language", "class_size"
#: The value of a row that has none.
MISSING = ""


@dataclass(frozen=True)
class SliceScore:
    """An arm on a part of the test rows, as means over its trainings.

    `macro_f1` is of these rows alone; by the size of classes it is the mean F1 of these classes on
    all rows, and `elsewhere` that of the other classes. `right` is the share of the rows that is
    answered right, and `expected` the one that other rows of the same classes have (by the size of
    classes: other rows). `p` is two-sided, of the difference of these two within classes (by the
    size of classes: of `macro_f1` from `elsewhere`), by Holm's correction over all parts of the
    arm; null where there is nothing to compare with. `narrow`: there are so few rows a class that
    the interval covers less than 95 %.
    """

    __pydantic_config__ = FINITE

    arm: str
    macro_f1: float
    interval: tuple[float, float]
    right: float
    expected: float | None
    p: float | None
    elsewhere: float | None = None
    narrow: bool = False


@dataclass(frozen=True)
class Slice:
    """A part of the test rows: those whose `by` is `value`. No scores where rows are too few.

    Args:
        column: whether `by` is a column of the source; one may be called `length`, too.
    """

    by: str
    value: str
    rows: int
    scores: list[SliceScore]
    column: bool = False


@dataclass(frozen=True)
class Drift:
    """How well a classifier tells two splits apart: .5 is not at all, 1 is always."""

    __pydantic_config__ = FINITE

    one: str
    other: str
    rows: tuple[int, int]
    auroc: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Slices:
    """The parts of a study's test rows; `left_out` are values of columns that are not told of: too
    many, or of too few rows. `few` are classes with fewer than `FEWEST_ROWS` rows in train or in
    test, each with both numbers."""

    slices: list[Slice]
    drift: list[Drift] = field(default_factory=list)
    few: dict[str, tuple[int, int]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
