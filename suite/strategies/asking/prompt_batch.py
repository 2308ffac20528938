"""Prompts read together by a decoder, for the hidden state at the last token of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache

from suite.strategies.network.continuations import Tree
from suite.strategies.network.lean_decoder import LeanDecoder, States

Tensor = torch.Tensor


@dataclass(frozen=True)
class PromptBatch:
    """Prompts as tensors, padded on the right; what they share may stand in `states` before."""

    rows: list[list[int]]
    ids: Tensor
    mask: Tensor
    lengths: Tensor
    states: States | None

    @classmethod
    def of(
        cls,
        rows: list[list[int]],
        pad_id: int,
        where: torch.device,
        states: States | None,
    ) -> PromptBatch:
        """A batch of rows of token ids, each the rest of a prompt that begins with `states`."""
        longest = max(len(row) for row in rows)
        if where.type == "cuda":  # Tensor cores want multiples of 8.
            longest = -(-longest // 8) * 8
        ids = np.full((len(rows), longest), pad_id, dtype=np.int64)
        mask = np.zeros((len(rows), longest), dtype=np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        before = states[0][0].shape[-2] if states else 0
        whole = torch.from_numpy(np.pad(mask, ((0, 0), (before, 0)), constant_values=1))
        return cls(
            rows,
            torch.from_numpy(ids).to(where),
            whole.to(where),
            torch.tensor([len(row) for row in rows], device=where),
            states,
        )

    def last_hidden(
        self, decoder: Any, lean: LeanDecoder | None = None, cache: DynamicCache | None = None
    ) -> Tensor:
        """Hidden states [rows, width] at the last real token of each prompt.

        Args:
            lean: another way to read with this decoder, or None.
            cache: an empty one that is to hold what the prompts leave behind.
        """
        before = self.states[0][0].shape[2] if self.states else 0
        if lean is not None and lean.reads(self.rows, before):
            kept: States | None = None if cache is None else []
            found = lean.last_hidden(self.rows, self.states, kept, self.ids.shape[1])
            if cache is not None:
                _fill(cache, kept or [])
            return found
        if self.states is not None:
            cache = DynamicCache() if cache is None else cache
            count = len(self.rows)
            _fill(
                cache,
                [
                    (k.expand(count, -1, -1, -1), v.expand(count, -1, -1, -1))
                    for k, v in self.states
                ],
            )
        outputs = decoder(
            input_ids=self.ids,
            attention_mask=self.mask,
            past_key_values=cache,
            use_cache=cache is not None,
        )
        rows = torch.arange(len(self.rows), device=self.ids.device)
        hidden: Tensor = outputs.last_hidden_state[rows, self.lengths - 1]
        return hidden

    def tree_hidden(self, lean: LeanDecoder, tree: Tree) -> Tensor | None:
        """Hidden states [rows, 1 + nodes, width] at the last token of each prompt and at every
        node behind it; None where a prompt with them is too long to be read so."""
        before = self.states[0][0].shape[2] if self.states else 0
        if not lean.reads(self.rows, before, len(tree.ids)):
            return None
        found = lean.last_hidden(self.rows, self.states, tree=tree)
        return found.reshape(len(self.rows), -1, found.shape[-1])

    def step(self, decoder: Any, cache: DynamicCache, token: int, depth: int) -> Tensor:
        """Hidden states [rows, width] at one more token, `depth` tokens after the prompts."""
        count = len(self.rows)
        ids = torch.full((count, 1), token, device=self.ids.device)
        more = torch.ones((count, depth + 1), dtype=self.mask.dtype, device=self.ids.device)
        before = self.mask.shape[1] - self.ids.shape[1]
        outputs = decoder(
            input_ids=ids,
            attention_mask=torch.cat([self.mask, more], dim=1),
            position_ids=(before + self.lengths + depth).unsqueeze(1),
            past_key_values=cache,
            use_cache=True,
        )
        hidden: Tensor = outputs.last_hidden_state[:, -1]
        return hidden

    def followed_by(self, path: Sequence[int], pad_id: int) -> PromptBatch:
        """The prompts with these tokens after each, for decoders whose cache can't be cropped."""
        longer = [[*row, *path] for row in self.rows]
        return PromptBatch.of(longer, pad_id, self.ids.device, self.states)


def _fill(cache: DynamicCache, states: States) -> None:
    """Puts keys and values into an empty cache."""
    for index, (keys, values) in enumerate(states):
        cache.update(keys, values, index)


def plain_attention(decoder: Any) -> bool:
    """Whether a decoder's memory is keys and values that can be cropped and shared."""
    if getattr(decoder, "_is_stateful", False):
        return False
    kinds = getattr(decoder.config, "layer_types", None) or []
    return all(kind in ("full_attention", "sliding_attention") for kind in kinds)


def slides(decoder: Any) -> bool:
    """Whether attention sees a window only: the padding between a prompt and its code fills it."""
    kinds = getattr(decoder.config, "layer_types", None)
    if kinds:
        return "sliding_attention" in kinds
    return getattr(decoder.config, "sliding_window", None) is not None
