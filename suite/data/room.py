"""How much of what is read may be in memory at once: the one bound of every reader of rows.

A file may be as long as it likes where it is read a part at a time. Bounded is what has to be in
memory at once: the rows that are kept (of many only where each lies; their texts go to disk), one
row with its line, a JSON document that is not written line by line, and what a packed file expands
to. Each follows from one number of bytes, a quarter of
what this process may use, or what `--max-memory` says.
"""

from __future__ import annotations

import sys
from typing import Any

from suite.errors import DataError, SuiteError, counted
from suite.machine import facts

#: The part of this process's memory that rows may take where nothing is said.
_DEFAULT_PART = 4
#: A row is decoded, parsed, kept and cut into tokens: it is in memory many times.
_ROW_PART = 64
#: The part that rows take in memory before they go to disk.
_KEPT_PART = 32
#: A parsed JSON document takes several times the bytes of its text.
_DOCUMENT_PART = 8
#: What is packed may become so many times its size; text becomes some five times.
RATIO = 200
#: The part that it may become in any case, unless `--max-memory` was given: then all of it.
_EXPANDED_PART = 16
LEAST = 2**20
#: Columns that are read together, at most: what a spreadsheet can have.
MOST_COLUMNS = 16_384


class Room:
    """Bytes of memory for what is read together, such as the three splits of a task.

    Args:
        said: what `--max-memory` asked for, in bytes; None takes a part of what there is.

    Raises:
        SuiteError: less than `LEAST` was asked for.
    """

    def __init__(self, said: int | None = None) -> None:
        if said is not None and said < LEAST:
            raise SuiteError(
                f"--max-memory of {counted(said, 'byte')} is too little to read anything",
                fix="Give at least 1MB, or leave it away.",
            )
        self.bytes = facts.usable_memory() // _DEFAULT_PART if said is None else said
        self._said = said is not None
        self._held = 0

    @property
    def row(self) -> int:
        """The most bytes of one row, and of one line."""
        return self.bytes // _ROW_PART

    @property
    def document(self) -> int:
        """The most bytes of a JSON document that is read whole."""
        return self.bytes // _DOCUMENT_PART

    def expanded(self, packed: int) -> int:
        """The most bytes that a file of `packed` bytes may expand to."""
        return max(RATIO * packed, self.bytes if self._said else self.bytes // _EXPANDED_PART)

    @property
    def in_memory(self) -> int:
        """The bytes that rows take in memory before they go to disk."""
        return self.bytes // _KEPT_PART

    @property
    def overflows(self) -> bool:
        """Whether rows go to disk from now on."""
        return self._held > self.in_memory

    def hold(self, size: int, where: str) -> None:
        """Counts bytes that stay in memory; below 0, those that went out of it.

        Raises:
            DataError: with them there is more than this room holds.
        """
        self._held += size
        if self._held > self.bytes:
            raise self.full("what is read", self.bytes, where)

    def full(self, what: str, bound: int, where: str, hint: str = "") -> DataError:
        """The error of what is larger than a bound of this room.

        Args:
            what: what is too large ("this line").
            bound: of how many bytes.
            hint: what else might be wrong.
        """
        needed = self.bytes * 4
        return DataError(
            f"{what} takes more than {in_words(bound)}, of the {in_words(self.bytes)} of memory "
            "that reading may use",
            where=where,
            fix=f"{hint} A larger bound is given with --max-memory, for example "
            f"--max-memory {-(-needed // 10**9):,}GB.".strip(),
        )

    def bomb(self, packed: int, where: str) -> DataError:
        """The error of a file that expands beyond all measure."""
        return DataError(
            f"its {in_words(packed)} expand to more than {in_words(self.expanded(packed))}, which "
            f"is beyond {RATIO}-fold",
            where=where,
            fix="Such a file is made to fill a memory. If it is right, unpack it first, or read it "
            f"with --max-memory {-(-max(self.bytes, self.expanded(packed)) // 10**9) * 2:,}GB.",
        )


def size_of(value: Any) -> int:
    """Bytes of a value with all that it holds, and of its place in a list."""
    total, left = 8, [value]
    while left:
        one = left.pop()
        total += sys.getsizeof(one)
        if isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            left += one
    return total


def in_words(count: int) -> str:
    """A number of bytes as people read it.

    >>> in_words(760), in_words(25_000_000), in_words(8_000_000_000)
    ('760 bytes', '25.0 MB', '8.0 GB')
    """
    for unit, scale in (("GB", 10**9), ("MB", 10**6)):
        if count >= scale:
            return f"{count / scale:,.1f} {unit}"
    return counted(count, "byte")
