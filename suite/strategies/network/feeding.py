"""How rows of token ids reach a transformer: packed where its architecture is known, padded where
it is not. Training and scoring go the same way. A text in several rows, its chunks, goes through
in one batch like so many texts, and is one again before anything is said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from suite.strategies.network import chunk_pooling
from suite.strategies.network.chunk_pooling import ChunkPooling
from suite.strategies.network.chunks import Chunks, apart
from suite.strategies.network.packed_models import (
    Begun,
    PackedClassifier,
    PackedEncoder,
    packed_classifier,
    packed_encoder,
)
from suite.strategies.network.packing import Packed, pack, parts

Ids = Sequence[int]
Inputs = Packed | dict[str, torch.Tensor]


@dataclass(frozen=True)
class Batch:
    """Rows as tensors; `counts` are rows of each text, where a text may have several."""

    inputs: Inputs
    counts: tuple[int, ...] | None = None


#: Where packing pays; elsewhere (Apple's GPU) nobody has measured it.
PACKED_ON = ("cpu", "cuda")


class _Fed:
    """What is fed with rows of token ids.

    Args:
        packed: the model's packed form, or None.
        pad_id: fills short rows where rows are padded.
        limit: rows are never padded beyond it.
    """

    def __init__(self, packed: object | None, pad_id: int, where: torch.device, limit: int) -> None:
        self.pad_id = pad_id
        self.where = where
        self.limit = limit
        self.feeding = "padded" if packed is None else "packed"

    def parts(
        self, rows: Sequence[Ids], tokens: int, most: int | None = None
    ) -> list[NDArray[np.intp]]:
        """Positions of rows in batches of at most so many tokens, filling included."""
        lengths = [len(row) for row in rows]
        return parts(lengths, tokens, most, padded=self.feeding == "padded")

    def batch(self, rows: Sequence[Ids]) -> Batch:
        """Texts as tensors where the model is, each a row, or `Chunks` of several."""
        counts = None
        if any(isinstance(row, Chunks) for row in rows):
            rows, counts = apart(rows)
        if self.feeding == "packed":
            return Batch(pack(rows, self.where), counts)
        return Batch(pad(rows, self.pad_id, self.where, self.limit), counts)


class Classifier(_Fed):
    """A sequence classifier of transformers, and how it is fed.

    Args:
        model: peft-wrapped or not; a live view, so it may be in training.
        seed: of the dropout in training.
        pooling: of the chunks of a text, where texts are read in chunks.
    """

    def __init__(
        self,
        model: Any,
        pad_id: int,
        where: torch.device,
        *,
        limit: int,
        seed: int = 0,
        pooling: ChunkPooling | None = None,
    ) -> None:
        self.model = model
        self.pooling = pooling
        self._packed: PackedClassifier | None = (
            packed_classifier(model, seed) if where.type in PACKED_ON else None
        )
        super().__init__(self._packed, pad_id, where, limit)

    def __call__(self, batch: Batch, begun: Begun | None = None) -> torch.Tensor:
        """Logits [texts, classes] in the order of the texts.

        Args:
            begun: of a packed batch, the hidden states to go on from.
        """
        inputs = batch.inputs
        if self.pooling is not None and batch.counts is not None:
            return chunk_pooling.logits(
                self.model, self._packed, inputs, self.pooling, batch.counts, begun
            )
        if isinstance(inputs, Packed):
            assert self._packed is not None
            return self._packed(inputs, begun)
        logits: torch.Tensor = self.model(**inputs).logits
        return logits

    @property
    def chance(self) -> np.random.Generator | None:
        """What dropout draws from beside torch's own generator, where it does."""
        return None if self._packed is None else self._packed.chance

    def below(self, packed: Packed, layer: int) -> torch.Tensor:
        """Hidden states [tokens, width] that reach a layer, of a classifier that is packed."""
        assert self._packed is not None
        return self._packed.below(packed, layer)


class Encoder(_Fed):
    """A frozen transformer without a head, and how it is fed."""

    def __init__(self, model: Any, pad_id: int, where: torch.device, *, limit: int) -> None:
        self.model = model
        self._packed: PackedEncoder | None = (
            packed_encoder(model) if where.type in PACKED_ON else None
        )
        super().__init__(self._packed, pad_id, where, limit)

    def __call__(self, batch: Batch, ways: Sequence[str]) -> dict[str, torch.Tensor]:
        """One vector per row, float32 [rows, width] in their order, for each way of pooling:
        "mean" over the tokens, "cls" (the first) or "last". Chunks are rows: what becomes one of
        them is not decided here."""
        inputs = batch.inputs
        if not isinstance(inputs, Packed):
            hidden = self.model(**inputs).last_hidden_state.float()
            mask = inputs["attention_mask"]
            return {way: _pool_padded(hidden, mask, way) for way in ways}
        assert self._packed is not None
        if list(ways) == ["cls"]:  # Then the last layer has one token of each text to compute.
            return {"cls": inputs.given_order(self._packed(inputs, "first").float())}
        hidden = self._packed(inputs).float()
        return {way: inputs.given_order(_pool_packed(hidden, inputs, way)) for way in ways}


def _pool_packed(hidden: torch.Tensor, packed: Packed, way: str) -> torch.Tensor:
    if way == "cls":
        return hidden[packed.starts]
    if way == "last":
        return hidden[packed.ends]
    sums = hidden.new_zeros(len(packed.lengths), hidden.shape[1])
    sums.index_add_(0, packed.texts, hidden)
    return sums / torch.tensor(packed.lengths, device=hidden.device)[:, None]


def _pool_padded(hidden: torch.Tensor, mask: torch.Tensor, way: str) -> torch.Tensor:
    if way == "cls":
        return hidden[:, 0]
    if way == "last":
        return hidden[torch.arange(len(hidden), device=hidden.device), mask.sum(dim=1) - 1]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


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
