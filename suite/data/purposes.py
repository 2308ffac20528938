"""Whether each split serves one purpose: a score on rows that were trained on is of memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from suite.contracts.strategy import Rows
from suite.errors import DataError, counted

#: From this part of a split's rows on, another split holds the split itself, and not some repeats.
WHOLE = 0.95

#: How a warning ends that is told before all else.
_TWO = "one split serves two purposes"

_PAIRS = (("validation", "test"), ("train", "validation"), ("train", "test"))


def check_purposes(splits: Mapping[str, Rows], where: str) -> list[str]:
    """What is to be said, before all else, of splits that hold rows of each other.

    Args:
        splits: those that the source itself has.

    Raises:
        DataError: test is validation: every choice would be made on what it is judged by.
    """
    said = []
    for one, other in _PAIRS:
        if one not in splits or other not in splits:
            continue
        few, many = sorted((one, other), key=lambda name: (len(splits[name]), name != other))
        rows, shared = len(splits[few]), _shared(splits[few], splits[many])
        if rows > 1 and shared >= WHOLE * rows:
            some = f"all {rows:,} rows" if shared == rows else f"{shared:,} of {rows:,} rows"
            what = f"{some} of {few} are rows of {many}: {_TWO}"
            if "train" not in (one, other):
                raise DataError(
                    what,
                    where=where,
                    fix="Name others in the task. Where there is none, validation is carved from "
                    "train, and so is test with data: {test: {share: 0.2}}.",
                )
            said.append(what)
        elif shared and "train" not in (one, other):
            verb = "is a row" if shared == 1 else "are rows"
            said.append(f"{counted(shared, 'validation row')} {verb} of test")
    return said


def first_of_all(warnings: Sequence[str]) -> list[str]:
    """Of the warnings of an audit, those without which no number may be read."""
    return [warning for warning in warnings if warning.endswith(_TWO)]


def _shared(few: Rows, many: Rows) -> int:
    """How many rows of the one are rows of the other, each counted once."""
    there = Counter(zip(many.texts, many.labels, strict=True))
    wanted = Counter(zip(few.texts, few.labels, strict=True))
    return (there & wanted).total()
