"""Scores the options of a multiple-choice prompt with a decoder, at the cost of reading it once.

The article this suite starts from measures the perplexity of the prompt with each option put in
its place: as many forward passes as there are options, each with a product over the whole
vocabulary at every position. What tells the options apart is only what the model says at the last
token of the prompt, so here one pass reads the prompt, and where each option is one token only
the options' rows of `lm_head` are multiplied. Options of several tokens are read behind the prompt
in the same pass, as a tree of their beginnings; where an architecture has no such pass they are
walked over the cached prompt, one short step for each beginning. What all prompts
begin with (the instruction, the examples) is read once and its keys and values are reused.

Works on token ids alone; where they come from is the prompter's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import linear
from transformers import DynamicCache, PreTrainedModel

from suite.contracts.strategy import Refused
from suite.machine import memory
from suite.prompting.wordings import Wordings
from suite.strategies.asking.prompt_batch import PromptBatch, plain_attention, slides
from suite.strategies.network import shrinking, transformer
from suite.strategies.network.continuations import Tree
from suite.strategies.network.lean_decoder import LeanDecoder, States
from suite.strategies.network.transformer import Ids

Scores = NDArray[np.float32]
Tensor = torch.Tensor

#: Most tokens scored at once, padding included. Beyond its caches a CPU gets slower (by a third
#: at Qwen3-0.6B's width with 32 texts instead of 8), and where memory runs out the process is
#: killed; a GPU says so, and the batch is halved.
_TOKENS_AT_ONCE = {"cpu": 1_536, "cuda": 131_072}

_SHORT = {"bfloat16": torch.bfloat16, "float16": torch.float16}

#: A common beginning shorter than this saves less than its handling costs.
_LEAST_PREFIX = 8

#: Names of settings by which an architecture changes its logits after `lm_head`, each with the
#: value that changes nothing.
_AFTERWARDS = {
    "final_logit_softcapping": None,
    "logits_scaling": 1.0,
    "logit_scale": 1.0,
    "lm_head_multiplier": 1.0,
}


def tokens_at_once(device: str) -> int:
    """Most tokens that are scored at once on a device of this kind."""
    return _TOKENS_AT_ONCE.get(device, 16_384)


def unwrapped(model: Any) -> Any:
    """The causal language model itself, out of its distributed or peft wrapping.

    The matrices of an active LoRA stay in its layers.
    """
    while isinstance(model, torch.nn.parallel.DistributedDataParallel):
        model = model.module
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def decoder_of(model: Any) -> Any:
    """The transformer below a causal language model's outputs; itself where it has none."""
    inner = unwrapped(model)
    found = inner.get_decoder()
    # transformers goes by names, and ModernBERT's decoder calls its output layer `decoder`.
    return found if isinstance(found, PreTrainedModel) else inner.base_model


def refusal(model: Any) -> str | None:
    """Why a causal language model can't be scored from its last hidden state, or None."""
    inner = unwrapped(model)
    name = getattr(inner.config, "model_type", type(inner).__name__)
    if decoder_of(inner) is inner or inner.get_output_embeddings() is None:
        return f"a model of type {name} has no decoder with an lm_head on top of it"
    config = inner.config.get_text_config(decoder=True)
    for setting, neutral in _AFTERWARDS.items():
        value = getattr(config, setting, neutral)
        if value is not None and value != neutral:
            return (
                f"a model of type {name} changes its logits after lm_head ({setting} = {value}), "
                f"which option scoring does not follow; linear_head would work"
            )
    return None


@dataclass(frozen=True)
class Readout:
    """A decoder and what turns its last hidden state into scores.

    Args:
        decoder: the transformer below `lm_head`.
        weight: float32 [outputs, width]: one row per option, or per token of the vocabulary.
        bias: float32 [outputs], or None.
        before: what hidden states go through before these, or None: ModernBERT's decoder has a
            layer and a norm there.
    """

    decoder: Any
    weight: Tensor
    bias: Tensor | None = None
    before: Any = None

    @classmethod
    def of(cls, model: Any, wordings: Wordings) -> Readout:
        """A causal language model's, with the options' rows alone where each is one token.

        The decoder is shared with the model; the rows are copies of its weights as they stand.
        """
        inner = unwrapped(model)
        weight, bias = _output_weights(inner.get_output_embeddings())
        if wordings.single:
            rows = torch.tensor([ids[0] for ids in wordings.tokens], device=weight.device)
            weight, bias = weight[rows], None if bias is None else bias[rows]
        return cls(
            decoder_of(inner),
            weight.detach().float(),
            None if bias is None else bias.detach().float(),
            before_outputs(inner),
        )

    def __call__(self, hidden: Tensor) -> Tensor:
        """Float32 [rows, outputs] of hidden states [rows, width].

        Always in float32: bfloat16 has 8 bits, which would tie options that differ.
        """
        with torch.autocast(hidden.device.type, enabled=False):
            states = hidden.float()
            if self.before is not None:
                states = self.before(states)
            return linear(states, self.weight, self.bias)


def before_outputs(inner: Any) -> Any:
    """What stands between a language model's transformer and its output layer, or None."""
    between = getattr(inner, "lm_head", None)
    return None if between is None or between is inner.get_output_embeddings() else between


def _output_weights(head: Any) -> tuple[Tensor, Tensor | None]:
    """Weight and bias of an `lm_head`, what peft put around it or into it included."""
    if hasattr(head, "modules_to_save"):
        head = head.modules_to_save[head.active_adapters[0]]
    if not hasattr(head, "get_delta_weight"):
        return head.weight, getattr(head, "bias", None)
    base = head.get_base_layer()
    weight = base.weight
    if not head.merged and not head.disable_adapters:
        for adapter in head.active_adapters:
            if adapter in head.lora_A:
                weight = weight + head.get_delta_weight(adapter)
    return weight, base.bias


@dataclass
class _Node:
    """A beginning that options share: what may follow it, and the option that ends here."""

    option: int | None = None
    children: dict[int, _Node] = field(default_factory=dict)

    @classmethod
    def trie(cls, tokens: Sequence[Sequence[int]]) -> _Node:
        root = cls()
        for option, ids in enumerate(tokens):
            node = root
            for token in ids:
                node = node.children.setdefault(int(token), cls())
            node.option = option
        return root


def settle(model: Any, precision: str) -> None:
    """Makes a model ready to serve: no gradients, every parameter in the precision used.

    In 16 bits it then computes as transformers loads a published model by default, a fifth
    quicker on a CPU than autocast around the same weights. `Readout` takes what it reads to
    float32; give this the decoder alone where that should not be rounded before.
    """
    model.eval().requires_grad_(False)
    numbers = _SHORT.get(precision)
    if numbers is not None:
        for parameter in model.parameters():  # Not buffers: positions need float32.
            parameter.data = parameter.data.to(numbers)


def computing(
    model: Any, precision: str, where: torch.device
) -> Callable[[], AbstractContextManager[None]]:
    """Autocast where a precision asks for it and the model is not settled in it as a whole."""
    if all(p.dtype == _SHORT.get(precision) for p in model.parameters()):
        return nullcontext
    return partial(transformer.computing_in, precision, where)


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Within: dropout and its like are off. Afterwards each module is in the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def in_batches(
    prompts: Sequence[Ids],
    batch: int,
    work: Callable[[list[int]], None],
    *,
    tokens: int,
    more: int = 0,
) -> int:
    """Calls `work(positions)` on all prompts, longest first; halves on lack of memory.

    Args:
        batch: most prompts at once.
        tokens: most tokens at once, by the longest of a batch.
        more: tokens that each prompt will grow by.

    Returns:
        The batch size that fitted.

    Raises:
        RuntimeError: memory ran out at a single prompt.
    """
    order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
    start = 0
    while start < len(order):
        size = max(1, min(batch, tokens // max(1, len(prompts[order[start]]) + more)))
        positions = order[start : start + size]
        try:
            work(positions)
            start += len(positions)
            continue
        except Exception as error:
            if len(positions) == 1 or not memory.ran_out(error):
                raise
        # Out here the failed attempt's frames, and with them its tensors, are gone.
        batch = len(positions) // 2
        shrinking.release()
    return batch


class OptionScorer:
    """Scores of options after prompts: float32 [prompts, options], one batch size for all calls.

    Where every option is one token a score is its logit: less by the same amount than its
    log-probability in every option of a prompt. Options of several tokens get their
    log-probability over the whole vocabulary, summed over their tokens.

    Args:
        wordings: what may be written for each option.
        prefix: what prompts are known to begin with; its keys and values are reused.
        frozen: whether weights never change, so that they are also reused between calls.
    """

    def __init__(
        self,
        wordings: Wordings,
        *,
        pad_id: int,
        where: torch.device,
        precision: str,
        batch: int | None = None,
        prefix: Sequence[int] = (),
        frozen: bool = False,
    ) -> None:
        self.wordings = wordings
        self.single = wordings.single
        self.pad_id = pad_id
        self.where = where
        self.precision = precision
        self.batch = batch or transformer.scoring_batch(where)
        self.prefix = list(prefix)
        self.frozen = frozen
        #: Tokens of the last call's prompts that were read, without what was read once for all.
        self.read = 0
        self._tree = Tree.of([ids[:-1] for ids in wordings.tokens])
        self._trie = _Node.trie(wordings.tokens)
        self._kept: States | None = None
        self._lean: LeanDecoder | None = None
        self._looked = False
        self._computing: Callable[[], AbstractContextManager[None]] | None = None

    def begin(self, prefix: Sequence[int]) -> None:
        """From now on prompts are known to begin with other tokens, or none."""
        self.prefix = list(prefix)
        self._kept = None

    def scores(self, readout: Readout, prompts: Sequence[Ids]) -> Scores:
        """Scores of every option after every prompt, in the order of the prompts.

        Args:
            prompts: token ids of whole prompts, each ending where the option comes.
        """
        out = np.zeros((len(prompts), len(self.wordings.tokens)), dtype=np.float32)
        cached = plain_attention(readout.decoder)
        stepping = cached and not slides(readout.decoder)
        prefix = len(self.prefix) if cached and len(self.prefix) >= _LEAST_PREFIX else 0
        begins = [
            prefix > 0 and len(ids) > prefix and list(ids[:prefix]) == self.prefix
            for ids in prompts
        ]
        # One prompt alone gains from a common beginning only if that is kept for the next.
        if not self.frozen and sum(begins) < 2:
            begins = [False] * len(prompts)
        # Buffers that a forward pass renews must stay usable for training.
        mode = torch.inference_mode if self.frozen else torch.no_grad
        if self._computing is None or not self.frozen:
            self._computing = computing(readout.decoder, self.precision, self.where)
        self.read = sum(map(len, prompts)) - prefix * sum(begins)
        with mode(), self._computing():
            if not self._looked:
                self._lean, self._looked = LeanDecoder.of(readout.decoder), True
            states = self._prefix_states(readout.decoder) if any(begins) else None
            for shares in (True, False):
                chosen = [i for i, begin in enumerate(begins) if begin == shares]
                rows = [list(prompts[i][prefix if shares else 0 :]) for i in chosen]

                def work(positions: list[int]) -> None:
                    batch = PromptBatch.of(
                        [rows[i] for i in positions],  # noqa: B023  # used up in this turn
                        self.pad_id,
                        self.where,
                        states if shares else None,  # noqa: B023
                    )
                    found = self._scores_of(readout, batch, stepping)
                    out[[chosen[i] for i in positions]] = found.cpu().numpy()  # noqa: B023

                tokens = tokens_at_once(self.where.type)
                more = 0 if self.single else len(self._tree.ids)
                self.batch = in_batches(rows, self.batch, work, tokens=tokens, more=more)
        return out if self.single else self.wordings.combined(out)

    def _prefix_states(self, decoder: Any) -> States:
        """Keys and values of the prefix, per layer."""
        if self._kept is not None:
            return self._kept
        if self._lean is not None and self._lean.reads([self.prefix], 0):
            states = self._lean.states(self.prefix)
        else:
            cache = DynamicCache()
            ids = torch.tensor([self.prefix], device=self.where)
            decoder(input_ids=ids, past_key_values=cache, use_cache=True)
            states = [(layer.keys, layer.values) for layer in cache.layers]
        if self.frozen:
            self._kept = states
        return states

    def _scores_of(self, readout: Readout, batch: PromptBatch, stepping: bool) -> Tensor:
        if self.single:
            return readout(batch.last_hidden(readout.decoder, self._lean))
        if self._lean is not None:
            read = batch.tree_hidden(self._lean, self._tree)
            if read is not None:
                return self._followed(readout, read)
        found = torch.zeros(len(batch.lengths), len(self.wordings.tokens), device=self.where)
        cache = DynamicCache() if stepping else None
        hidden = batch.last_hidden(readout.decoder, self._lean, cache)
        start = torch.zeros(len(batch.lengths), device=self.where)
        self._walk(readout, batch, cache, self._trie, [], hidden, start, found)
        return found

    def _followed(self, readout: Readout, hidden: Tensor) -> Tensor:
        """Log-probabilities [rows, wordings] from the states [rows, 1 + nodes, width] at the
        prompts' ends and at every node: of a wording's tokens, each behind its beginning."""
        steps = [
            (index, 1 + self._tree.place(ids[:at]), ids[at])
            for index, ids in enumerate(self.wordings.tokens)
            for at in range(len(ids))
        ]
        found = hidden.new_zeros(len(hidden), len(self.wordings.tokens), dtype=torch.float32)
        # One state of all rows at a time: a row of logits is as long as the vocabulary.
        for state in range(hidden.shape[1]):
            own = [(index, token) for index, at, token in steps if at == state]
            if not own:
                continue
            logits = readout(hidden[:, state])
            places = torch.tensor([token for _, token in own], device=logits.device)
            logs = logits[:, places] - torch.logsumexp(logits, dim=1, keepdim=True)
            wordings = torch.tensor([index for index, _ in own], device=logits.device)
            found.index_add_(1, wordings, logs)
        return found

    def _walk(
        self,
        readout: Readout,
        batch: PromptBatch,
        cache: DynamicCache | None,
        node: _Node,
        path: list[int],
        hidden: Tensor,
        so_far: Tensor,
        found: Tensor,
    ) -> None:
        """Fills `found` for the options below a node, given the hidden state at its last token.

        Args:
            path: tokens from the prompt's end to this node.
            so_far: log-probability [rows] of the path.
        """
        logits = readout(hidden)
        whole = torch.logsumexp(logits, dim=1)
        for token, child in node.children.items():
            total = so_far + logits[:, token] - whole
            if child.option is not None:
                found[:, child.option] = total
            if not child.children:
                continue
            longer = [*path, token]
            if cache is None:
                state = batch.followed_by(longer, self.pad_id).last_hidden(
                    readout.decoder, self._lean
                )
                self._walk(readout, batch, None, child, longer, state, total, found)
                continue
            length = cache.get_seq_length()
            state = batch.step(readout.decoder, cache, token, len(path))
            self._walk(readout, batch, cache, child, longer, state, total, found)
            cache.crop(length)


def common_beginning(rows: Sequence[Ids]) -> Ids:
    """The ids that all rows begin with.

    >>> common_beginning([[1, 2, 3], [1, 2, 4, 5]])
    [1, 2]
    """
    if not rows:
        return []
    first, last = min(rows), max(rows)
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
        min(len(first), len(last)),
    )
    return list(first[:same])


def check(model: Any) -> None:
    """Refuses a model that can't be scored so.

    Raises:
        Refused: with the reason.
    """
    reason = refusal(model)
    if reason:
        raise Refused(reason)
