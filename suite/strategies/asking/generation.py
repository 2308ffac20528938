"""Writes answers with a decoder: greedy, in batches, until thinking closes and an answer stands.

Generation is what option scoring replaces wherever it can; thinking is what it can't replace.
Prompts are padded on the left, so that every answer begins right after its prompt, and a row
stops as soon as its answer is complete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers

from suite.prompting.answers import THINK_CLOSES
from suite.strategies.asking.option_scoring import computing, evaluating, in_batches, unwrapped
from suite.strategies.network.transformer import Ids

#: Tokens that an answer may take after its thinking has closed.
ANSWER_TOKENS = 32

#: Most tokens at once, with all that will be written: each keeps its keys and values. A step reads
#: all weights for one token a row, so more rows cost little.
_TOKENS_AT_ONCE = {"cpu": 16_384, "cuda": 131_072}

#: Tokens that are looked back on for a closing mark that the tokenizer splits.
_LOOK_BACK = 8


def tokens_at_once(device: str) -> int:
    """Most tokens that are held at once on a device of this kind."""
    return _TOKENS_AT_ONCE.get(device, _TOKENS_AT_ONCE["cpu"])


@dataclass(frozen=True)
class Written:
    """What was generated.

    Args:
        texts: the answers with their thinking, end marks removed.
        tokens: of each text, its end mark included.
        seconds: that all of it took.
        batch: the batch size that fitted into memory.
    """

    texts: list[str]
    tokens: list[int]
    seconds: float
    batch: int


def complete(answer: str) -> bool:
    """Whether an answer will not say more that counts: its first line has ended.

    >>> complete("\\n\\nB"), complete("\\n\\nB\\n")
    (False, True)
    """
    return "\n" in answer.lstrip()


def write(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Ids],
    *,
    max_new_tokens: int,
    where: torch.device,
    precision: str,
    batch: int,
    pad_id: int,
    done: Callable[[str], bool] = complete,
) -> Written:
    """Greedy continuations of prompts, in their order.

    Args:
        model: a causal language model, peft-wrapped or not, also in the midst of training.
        prompts: token ids of whole prompts.
        max_new_tokens: most tokens of one continuation, thinking and answer together.
        batch: most prompts at once.
        done: whether what follows `</think>` is all that is wanted.
    """
    texts = [""] * len(prompts)
    tokens = [0] * len(prompts)
    ends = _end_ids(model, tokenizer)
    begun = time.perf_counter()

    def work(positions: list[int]) -> None:
        inputs = _left_padded([prompts[i] for i in positions], pad_id, where)
        watch = _Watch(tokenizer, inputs["input_ids"].shape[1], len(positions), done)
        generated = unwrapped(model).generate(
            **inputs,
            generation_config=transformers.GenerationConfig(
                max_new_tokens=max_new_tokens,
                do_sample=False,
                use_cache=True,
                pad_token_id=pad_id,
                eos_token_id=sorted(ends),
            ),
            stopping_criteria=transformers.StoppingCriteriaList([watch]),
        )
        new = generated[:, inputs["input_ids"].shape[1] :].tolist()
        for row, position in enumerate(positions):
            ids, count = _until_end(new[row], ends, watch.stopped[row])
            texts[position] = tokenizer.decode(ids, skip_special_tokens=False)
            tokens[position] = count

    with (
        evaluating(model),
        _own_generation_settings(model),
        torch.no_grad(),
        computing(unwrapped(model), precision, where)(),
    ):
        most = tokens_at_once(where.type)
        batch = in_batches(prompts, batch, work, tokens=most, more=max_new_tokens)
    if where.type == "cuda":
        torch.cuda.synchronize()
    return Written(texts, tokens, time.perf_counter() - begun, batch)


@contextmanager
def _own_generation_settings(model: Any) -> Iterator[None]:
    """Within: a model's published settings for sampling fill no gaps in ours."""
    inner = unwrapped(model)
    published = inner.generation_config
    inner.generation_config = transformers.GenerationConfig()
    try:
        yield
    finally:
        inner.generation_config = published


def _end_ids(model: Any, tokenizer: Any) -> set[int]:
    """Ids that end a turn: those the model was published with, and its tokenizer's own."""
    settings = getattr(unwrapped(model), "generation_config", None)
    named = getattr(settings, "eos_token_id", None)
    ends = set(named if isinstance(named, list) else [named]) | {tokenizer.eos_token_id}
    return {int(end) for end in ends if end is not None}


def _until_end(ids: list[int], ends: set[int], stopped: int | None) -> tuple[list[int], int]:
    """The ids before an end mark or the place where a row was stopped, and how many were made."""
    for index, token in enumerate(ids[:stopped]):
        if token in ends:
            return ids[:index], index + 1
    kept = ids[:stopped]
    return kept, len(kept)


def _left_padded(rows: Sequence[Ids], pad_id: int, where: torch.device) -> dict[str, torch.Tensor]:
    """`input_ids` and `attention_mask`, int64 [rows, longest], padded on the left."""
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad_id, dtype=np.int64)
    mask = np.zeros((len(rows), longest), dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, longest - len(row) :] = row
        mask[index, longest - len(row) :] = 1
    return {
        "input_ids": torch.from_numpy(ids).to(where),
        "attention_mask": torch.from_numpy(mask).to(where),
    }


class _Watch(transformers.StoppingCriteria):  # type: ignore[misc]
    """Stops each row where its thinking has closed and its answer is done."""

    def __init__(self, tokenizer: Any, start: int, rows: int, done: Callable[[str], bool]) -> None:
        self.tokenizer = tokenizer
        self.start = start
        self.done = done
        mark = tokenizer.encode(THINK_CLOSES, add_special_tokens=False)
        self.mark = mark[0] if len(mark) == 1 else None
        #: Where each row's answer begins: the length after which its thinking had closed.
        self.closed: list[int | None] = [None] * rows
        #: New tokens after which each row was stopped.
        self.stopped: list[int | None] = [None] * rows

    def __call__(
        self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any
    ) -> torch.Tensor:
        """See `transformers.StoppingCriteria`: bool [rows]."""
        length = input_ids.shape[1]
        tails = input_ids[:, max(self.start, length - _LOOK_BACK) :].tolist()
        for row, tail in enumerate(tails):
            if self.stopped[row] is not None:
                continue
            closed = self.closed[row]
            if closed is None:
                if self._closes(tail):
                    self.closed[row] = length
                continue
            answer = self.tokenizer.decode(input_ids[row, closed:], skip_special_tokens=False)
            if length - closed >= ANSWER_TOKENS or self.done(answer):
                self.stopped[row] = length - self.start
        return torch.tensor([s is not None for s in self.stopped], device=input_ids.device)

    def _closes(self, tail: list[int]) -> bool:
        if self.mark is not None:
            return bool(tail[-1] == self.mark)
        return THINK_CLOSES in str(self.tokenizer.decode(tail, skip_special_tokens=False))
