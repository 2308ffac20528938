"""The rows of an optimiser step, and the order in which steps see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from suite.strategies.network.loop import GROUPED_BATCHES
from suite.strategies.network.soft_loss import Wanted


@dataclass(frozen=True)
class Batch:
    """Rows of one optimiser step; they become tensors when they are computed with.

    `places` are theirs among the training rows.
    """

    places: list[int]
    ids: list[Sequence[int]]
    labels: list[Wanted]

    @classmethod
    def of(cls, rows: list[tuple[int, Sequence[int], Wanted]]) -> dict[str, Batch]:
        """As a data collator is to give it: Trainer looks for `labels` and finds none."""
        places, ids, labels = zip(*rows, strict=True)
        return {"batch": cls(list(places), list(ids), list(labels))}


class TokenRows(torch.utils.data.Dataset[tuple[int, Sequence[int], Wanted]]):
    """Place, token ids and label of each row, or what a teacher gave it."""

    def __init__(self, ids: Sequence[Sequence[int]], labels: Sequence[Wanted]) -> None:
        self.ids = ids
        self.labels = labels

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[int, Sequence[int], Wanted]:
        return index, self.ids[index], self.labels[index]


class Order(torch.utils.data.Sampler[int]):
    """A seeded order of the rows, another in each pass; every row once a pass.

    Where rows are padded, those of like length stand together, so that little is filled in; the
    batches themselves come in random order. (transformers' own groups come longest first: a small
    decoder then learns lengths, not texts.)
    """

    def __init__(self, lengths: Sequence[int] | None, rows: int, batch: int, seed: int) -> None:
        self.lengths = None if lengths is None else np.asarray(lengths)
        self.rows = rows
        self.batch = batch
        self.random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return self.rows

    def skip(self, steps: int) -> None:
        """Goes on in the pass of a step; what of that pass is over, the trainer skips itself."""
        for _ in range(steps // -(-self.rows // self.batch)):
            iter(self)

    def __iter__(self) -> Iterator[int]:
        order = self.random.permutation(self.rows)
        if self.lengths is None:
            return iter(order.tolist())
        batches: list[Any] = []
        size = self.batch * GROUPED_BATCHES
        for start in range(0, self.rows, size):
            group = order[start : start + size]
            group = group[np.argsort(self.lengths[group], kind="stable")]
            batches += [group[i : i + self.batch] for i in range(0, len(group), self.batch)]
        # Trainer cuts batches of one size: a smaller one must stay the last.
        whole, rest = batches[: self.rows // self.batch], batches[self.rows // self.batch :]
        shuffled = [whole[i] for i in self.random.permutation(len(whole))]
        return iter(np.concatenate([*shuffled, *rest]).tolist())
