"""A text read in several rows of token ids: its chunks, together one text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import overload

from suite.contracts.cutting import Cutting

Row = Sequence[int]


class Chunks(Sequence[int]):
    """The token ids of a text's rows, one after another: it is as long as all of them, since it
    costs as much.

    Args:
        ids: of all rows.
        lengths: of each row.
    """

    def __init__(self, ids: Sequence[int], lengths: Sequence[int]) -> None:
        self.ids = ids
        self.lengths = tuple(lengths)

    @property
    def parts(self) -> tuple[Row, ...]:
        """Row by row."""
        ends = accumulate(self.lengths, initial=0)
        return tuple(self.ids[start:end] for start, end in pairwise(ends))

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        return self.ids[index]


def apart(rows: Sequence[Row]) -> tuple[list[Row], tuple[int, ...]]:
    """The rows of texts one by one, and how many each text has."""
    found = [row.parts if isinstance(row, Chunks) else (row,) for row in rows]
    return [part for parts in found for part in parts], tuple(map(len, found))


def cut(row: list[int], cutting: Cutting, most: int, before: int, after: int) -> tuple[Row, bool]:
    """A text's token ids cut to rows of at most `most`, each with the tokenizer's own marks, and
    whether any is left out.

    Args:
        row: the ids of the whole text.
        before, after: how many marks the tokenizer puts around a text.
    """
    if len(row) <= most:
        return row, False
    opening, closing = row[:before], row[len(row) - after :]
    text = row[before : len(row) - after]
    room = max(1, most - before - after)
    spans = cutting.rows(len(text), room)
    rows = [
        [*opening, *(token for span in parts for token in text[span]), *closing] for parts in spans
    ]
    left_out = cutting.pooling is None or len(text) > room * len(rows)
    if cutting.pooling is None:
        return rows[0], left_out
    return Chunks([token for ids in rows for token in ids], [len(ids) for ids in rows]), left_out
