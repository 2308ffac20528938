"""The values of one column -> what they look like: kinds, lengths, repeats."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from suite.data.column_names import plain
from suite.data.kept import by_value
from suite.data.spellings import no_label, spell

#: More values than this and a column is not taken to hold classes.
MOST_CLASSES = 1000

#: Characters of a value that is no name of a class.
_LONG = 200

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|\.\d+)([eE][+-]?\d+)?%?")
_WHOLE = re.compile(r"[+-]?\d+(\.0+)?")
_CLOCK = r"([ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?"
_DATE = re.compile(
    rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_CLOCK}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}{_CLOCK}"
    r"|\d{4}年\d{1,2}月\d{1,2}日.*"
)
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|[^@\s]+@[^@\s]+\.\w+")


@dataclass(frozen=True)
class Column:
    """What one column looks like."""

    name: str
    rows: int
    filled: int
    texts: int
    numbers: int
    wholes: int
    dates: int
    addresses: int
    nested: int
    spaced: int
    length: float
    distinct: int
    #: Each with its rows; of more than `MOST_CLASSES` the first that came.
    values: Mapping[str, int]

    @property
    def plain(self) -> str:
        """Its name without case and marks."""
        return plain(self.name)

    def mostly(self, count: int) -> bool:
        """Whether nine of ten values are so."""
        return self.filled > 0 and count >= 0.9 * self.filled

    @property
    def prose(self) -> bool:
        """Values that are texts, hardly repeat, and are no numbers, dates, addresses or codes."""
        return (
            self.filled * 2 > self.rows
            and self.texts * 2 > self.filled
            and not any(map(self.mostly, (self.numbers, self.dates, self.addresses)))
            and self.distinct > 1
        )

    @property
    def varied(self) -> bool:
        """Classes may have long names, but few of them."""
        return self.distinct * 3 > self.filled

    @property
    def unique(self) -> bool:
        """Whether each row has a value of its own."""
        return self.filled == self.rows == self.distinct


def look(name: str, values: Sequence[Any]) -> Column:
    """What a column's values look like; each is looked at once."""
    seen: Counter[str] = Counter()
    # Of more values than there may be classes only a hash of each is kept.
    hashes = array("q")
    numbers = wholes = dates = addresses = nested = spaced = texts = characters = filled = 0
    for value, rows in by_value(values):
        if no_label(value):
            continue
        if isinstance(value, list | dict):
            nested += rows
            continue
        # How a long text is spaced tells nothing, and takes long to mend.
        spelled = value if isinstance(value, str) and len(value) > _LONG else spell(value)
        filled += rows
        if len(seen) <= MOST_CLASSES or spelled in seen:
            seen[spelled] += rows
        else:
            hashes.append(hash(spelled))
        texts += rows * isinstance(value, str)
        # By its beginning: a text of pages is no number.
        head = spelled[:60].lstrip()
        if head[:1].isdecimal() or head.startswith(("+", "-", ".")):
            numbers += rows * bool(_NUMBER.fullmatch(head))
            wholes += rows * bool(_WHOLE.fullmatch(head))
            dates += rows * bool(_DATE.fullmatch(head) or hasattr(value, "isoformat"))
        elif hasattr(value, "isoformat"):
            dates += rows
        if "@" in head or head.startswith(("http", "www.")):
            addresses += rows * bool(_ADDRESS.fullmatch(head))
        spaced += rows * (" " in head)
        characters += rows * len(spelled)
    return Column(
        name, len(values), filled, texts, numbers, wholes, dates, addresses, nested, spaced,
        characters / filled if filled else 0.0,
        len(seen) + len(np.unique(np.frombuffer(hashes, np.int64))) if hashes else len(seen), seen,
    )  # fmt: skip
