"""How rows of token ids reach a sequence classifier: packed where its architecture is known,
padded where it is not. Training and scoring go the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from suite.strategies.packed_models import PackedClassifier, packed_classifier
from suite.strategies.packing import Packed, pack, parts

Ids = Sequence[int]
Batch = Packed | dict[str, torch.Tensor]

#: Where packing pays; elsewhere (Apple's GPU) nobody has measured it.
_PACKED_ON = ("cpu", "cuda")


class Classifier:
    """A sequence classifier of transformers, and how it is fed.

    Args:
        model: peft-wrapped or not; a live view, so it may be in training.
        pad_id: fills short rows where rows are padded.
        limit: rows are never padded beyond it.
        seed: of the dropout in training.
    """

    def __init__(
        self, model: Any, pad_id: int, where: torch.device, *, limit: int, seed: int = 0
    ) -> None:
        self.model = model
        self.pad_id = pad_id
        self.where = where
        self.limit = limit
        self._packed: PackedClassifier | None = (
            packed_classifier(model, seed) if where.type in _PACKED_ON else None
        )

    @property
    def feeding(self) -> str:
        """ "packed" or "padded", a circumstance of a trial."""
        return "padded" if self._packed is None else "packed"

    def parts(
        self, rows: Sequence[Ids], tokens: int, most: int | None = None
    ) -> list[NDArray[np.intp]]:
        """Positions of rows in batches of at most so many tokens, filling included."""
        lengths = [len(row) for row in rows]
        return parts(lengths, tokens, most, padded=self._packed is None)

    def batch(self, rows: Sequence[Ids]) -> Batch:
        """Rows as tensors where the model is."""
        if self._packed is not None:
            return pack(rows, self.where)
        return pad(rows, self.pad_id, self.where, self.limit)

    def __call__(self, batch: Batch) -> torch.Tensor:
        """Logits [rows, classes] in the order of the rows."""
        if isinstance(batch, Packed):
            assert self._packed is not None
            return self._packed(batch)
        logits: torch.Tensor = self.model(**batch).logits
        return logits


def pad(
    rows: Sequence[Ids], pad_id: int, where: torch.device, limit: int
) -> dict[str, torch.Tensor]:
    """`input_ids` and `attention_mask`, int64 [rows, longest], padded on the right."""
    longest = max(len(row) for row in rows)
    if where.type == "cuda":  # Tensor cores want multiples of 8.
        longest = min(-(-longest // 8) * 8, max(limit, longest))
    ids = np.full((len(rows), longest), pad_id, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {
        "input_ids": torch.from_numpy(ids).to(where),
        "attention_mask": torch.from_numpy(mask).to(where),
    }
