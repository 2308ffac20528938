"""Which sizes a learning curve has, and at which of them hyperparameters are searched."""

from __future__ import annotations

import math
from collections.abc import Sequence

from suite.contracts.limits import MOST_SIZES
from suite.errors import StudyError, counted

#: Training rows of the largest size where nothing is said.
MOST_ROWS = 16_000
#: Where nothing is said sizes halve from the largest, down to so many rows, and no more sizes.
LEAST_ROWS, USUAL_SIZES = 100, 8
#: Sizes that there are at least, as far as the rows allow: for a law, and one more to check it.
FEW_SIZES = 5
#: Sizes at which hyperparameters are searched.
SEARCHED = 3
#: The fewest rows of a class of which half may be left out.
LEAST_OF_CLASS = 4


def apart(one: float, other: float) -> float:
    """How far two sizes lie apart, in doublings."""
    return round(abs(math.log2(one / other)), 6)


def searched(sizes: Sequence[int]) -> list[int]:
    """The sizes at which hyperparameters are searched: both ends, and the one in the middle.

    >>> searched([125, 250, 500, 1000, 2000, 4000, 8000, 16000])
    [125, 1000, 16000]
    """
    if len(sizes) <= SEARCHED:
        return list(sizes)
    middle = math.sqrt(sizes[0] * sizes[-1])
    inner = min(sizes[1:-1], key=lambda rows: (apart(rows, middle), rows))
    return [sizes[0], inner, sizes[-1]]


def usual(rows: int, classes: int = 2) -> list[int]:
    """The sizes of a curve up to so many training rows, where none are named: halves, down to some
    hundred; of few rows some more, so that there is a law.

    >>> usual(16_000)
    [125, 250, 500, 1000, 2000, 4000, 8000, 16000]
    >>> usual(480, 4)
    [30, 60, 120, 240, 480]
    >>> usual(15_000, 150)
    [234, 468, 937, 1875, 3750, 7500, 15000]
    """
    sizes = [rows]
    while len(sizes) < USUAL_SIZES:
        half = sizes[-1] // 2
        least = max(LEAST_ROWS, classes) if len(sizes) >= FEW_SIZES else LEAST_OF_CLASS * classes
        if half < least:
            break
        sizes.append(half)
    return sizes[::-1]


def checked(sizes: Sequence[int], rows: int, classes: int) -> list[int]:
    """Sizes that were named, growing, the largest of them the study itself.

    Raises:
        StudyError: there are fewer rows, or fewer than classes, or but one size.
    """
    found = sorted(set(sizes))
    if len(found) > MOST_SIZES:
        raise StudyError(f"a curve of {len(found)} sizes", fix=f"Name at most {MOST_SIZES}.")
    if found[0] < max(2, classes):
        raise StudyError(
            f"a size of {counted(found[0], 'row')} for {counted(classes, 'class', 'classes')}",
            fix=f"The smallest size of a curve has a row of each class: at least "
            f"{max(2, classes):,}.",
        )
    if found[-1] > rows:
        raise StudyError(
            f"a size of {found[-1]:,} of {counted(rows, 'training row')}",
            fix=f"Name sizes of at most {rows:,}. A curve that is there keeps its largest size: "
            "another --name begins one with more.",
        )
    if len(found) < 2:
        raise StudyError(
            f"a curve of one size: {found[0]:,} of {counted(rows, 'training row')}",
            fix=f"Name several sizes: --sizes {max(2, classes)},{rows}; a law needs four.",
        )
    return found
