"""A causal language model's loss from the logits at its answers alone.

Of a prompt of a hundred tokens only the one or two of its answer have a label. transformers
computes logits at every token all the same: a product with the whole vocabulary, its softmax in
float32 and its gradient, of which all but a hundredth is thrown away. Here the last hidden states
of the answers are picked out first. And where the architecture is known, the batch that was padded
is read as one row of its texts, without the filling. The loss and its gradient are the same.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import CausalLMOutputWithPast

from suite.strategies.asking import option_scoring
from suite.strategies.network.feeding import PACKED_ON
from suite.strategies.network.packed_models import PackedEncoder, packed_encoder
from suite.strategies.network.packing import pack
from suite.strategies.teaching.answer_loss import AnswerLoss

Tensor = torch.Tensor

#: The label of a token whose prediction does not count, in transformers and torch.
UNCOUNTED = -100
#: What a padded batch is given as. With anything else, such as the positions of rows that
#: LLaMA-Factory packed, it is left as it is.
_PADDED = {"input_ids", "attention_mask"}


def answers_alone(
    model: Any, balanced: AnswerLoss | None = None
) -> Literal["packed", "padded"] | None:
    """Replaces a model's forward pass in training, with labels given, by one that computes logits
    where a label counts; says how it then reads a batch, or None where nothing was replaced.

    It is left alone where its architecture changes logits after `lm_head`, or adds to the loss.

    Args:
        model: a causal language model of transformers, maybe within peft's wrapping. The replaced
            pass is an attribute of it, below what is wrapped around it afterwards.
        balanced: what tokens cost in place of the cross-entropy alone. As for it, a batch's loss is
            their sum over the number of tokens, not over that of their weights.
    """
    inner = option_scoring.unwrapped(model)
    config = inner.config.get_text_config(decoder=True)
    decoder, before = option_scoring.decoder_of(inner), option_scoring.before_outputs(inner)
    if option_scoring.refusal(inner) or getattr(config, "output_router_logits", False):
        return None
    whole = inner.forward
    here = next(inner.parameters()).device.type in PACKED_ON
    packing = packed_encoder(decoder) if here else None

    # What reads the signature, to know which columns to pass, reads the replaced one's.
    @functools.wraps(whole)
    def forward(*args: Any, labels: torch.Tensor | None = None, **kwargs: Any) -> Any:
        if labels is None or args or not inner.training:
            return whole(*args, labels=labels, **kwargs)
        count = kwargs.pop("num_items_in_batch", None)
        states, wanted, begins = _answers(decoder, packing, kwargs, labels)
        if before is not None:
            states = before(states)
        logits = inner.get_output_embeddings()(states).float()
        if balanced is None:
            losses = cross_entropy(logits, wanted, reduction="none")
        else:
            losses = balanced(logits, wanted, begins)
        loss = losses.sum() / (len(losses) if count is None else count)
        return CausalLMOutputWithPast(loss=loss, logits=logits)

    inner.forward = forward
    return "padded" if packing is None else "packed"


def _answers(
    decoder: Any, packing: PackedEncoder | None, given: Mapping[str, Any], labels: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Last hidden states before the tokens that have a label; these labels; and which of them are
    the first of an answer.

    Args:
        packing: how the decoder reads packed texts, if it is known.
        given: the batch, as the decoder takes it.
        labels: int64 [texts, tokens].
    """
    others = (name for name, value in given.items() if value is not None and name not in _PADDED)
    mask = given.get("attention_mask")
    # What is computed again for the backward pass would not find the packed attention there.
    again = getattr(decoder, "is_gradient_checkpointing", False)
    if packing is None or again or mask is None or mask.dim() != 2 or any(others):
        hidden = decoder(**given).last_hidden_state
        after = labels[:, 1:]
        counts = after != UNCOUNTED
        return hidden[:, :-1][counts], after[counts], _begins(counts)[counts]
    ids, real = given["input_ids"], mask.bool()
    packed = pack([row[there].tolist() for row, there in zip(ids, real, strict=True)], ids.device)
    told = torch.cat([labels[i][real[i]] for i in packed.order.tolist()])
    after = told.roll(-1)
    after[packed.ends] = UNCOUNTED
    counts = after != UNCOUNTED
    return packing(packed)[counts], after[counts], _begins(counts)[counts]


def _begins(counts: Tensor) -> Tensor:
    """Where a stretch of tokens that count begins: bool, of its shape [..., tokens]."""
    before = counts.roll(1, dims=-1)
    before[..., 0] = False
    return counts & ~before
