"""Texts laid end to end: a batch without padding, so that no product is spent on filling.

The texts of a batch stand longest first in one row of tokens. Texts of one length form a run, in
which attention is a plain batched product without a mask; everything else in a transformer treats
tokens alike and does not care where a text ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray

Ids = Sequence[int]


@dataclass(frozen=True)
class Packed:
    """One batch, packed.

    Args:
        ids: int64 [tokens].
        positions: int64 [tokens], counted from 0 in each text.
        lengths: of the texts, longest first.
        order: which of the given rows each of them is, int64 [texts].
    """

    ids: torch.Tensor
    positions: torch.Tensor
    lengths: tuple[int, ...]
    order: torch.Tensor

    @cached_property
    def runs(self) -> list[tuple[int, int]]:
        """(texts, length) of each run of texts of one length."""
        return [(len(list(group)), length) for length, group in groupby(self.lengths)]

    @cached_property
    def starts(self) -> torch.Tensor:
        """Where each text begins, int64 [texts]."""
        ends = np.cumsum(self.lengths)
        return torch.from_numpy(ends - np.asarray(self.lengths)).to(self.ids.device)

    @cached_property
    def ends(self) -> torch.Tensor:
        """Where each text's last token is, int64 [texts]."""
        return torch.from_numpy(np.cumsum(self.lengths) - 1).to(self.ids.device)

    @cached_property
    def texts(self) -> torch.Tensor:
        """Which text each token is of, int64 [tokens]."""
        lengths = torch.tensor(self.lengths, device=self.ids.device)
        return torch.repeat_interleave(
            torch.arange(len(self.lengths), device=self.ids.device), lengths
        )

    def given_order(self, values: torch.Tensor) -> torch.Tensor:
        """One row per text [texts, ...] in the order in which the texts were given."""
        out = torch.empty_like(values)
        out[self.order] = values
        return out


def pack(rows: Sequence[Ids], where: torch.device) -> Packed:
    """Packs rows of token ids, at least one row and one token each."""
    order = sorted(range(len(rows)), key=lambda index: -len(rows[index]))
    lengths = tuple(len(rows[index]) for index in order)
    ids = np.concatenate([np.asarray(rows[index], dtype=np.int64) for index in order])
    positions = np.concatenate([np.arange(length, dtype=np.int64) for length in lengths])
    return Packed(
        torch.from_numpy(ids).to(where, non_blocking=True),
        torch.from_numpy(positions).to(where, non_blocking=True),
        lengths,
        torch.tensor(order, device=where),
    )


def parts(
    lengths: Sequence[int], tokens: int, most: int | None = None, *, padded: bool = False
) -> list[NDArray[np.intp]]:
    """Positions of rows in batches of at most `tokens` tokens, longest first.

    Long first, so that memory runs out early if it does. A row longer than the budget stands
    alone.

    Args:
        most: rows in a batch at most.
        padded: whether every row counts as much as the longest of its batch.

    >>> [part.tolist() for part in parts([3, 9, 4, 2], 8)]
    [[1], [2, 0], [3]]
    """
    found: list[NDArray[np.intp]] = []
    order = np.argsort(-np.asarray(lengths), kind="stable")
    if len(order) == 0:
        return []
    begin, spent = 0, 0
    for place, position in enumerate(order):
        length = lengths[order[begin]] if padded else lengths[position]
        full = spent + length > tokens or (most is not None and place - begin >= most)
        if place > begin and full:
            found.append(order[begin:place])
            begin, spent = place, 0
            length = lengths[position]
        spent += length
    found.append(order[begin:])
    return found
