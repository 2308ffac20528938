"""A causal language model's loss from the logits at its answers alone.

Of a prompt of a hundred tokens only the one or two of its answer have a label. transformers
computes logits at every token all the same: a product with the whole vocabulary, its softmax in
float32 and its gradient, of which all but a hundredth is thrown away. Here the last hidden states
of the answers are picked out first. The loss and its gradient are the same.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import CausalLMOutputWithPast

from suite.strategies.asking import option_scoring

#: The label of a token whose prediction does not count, in transformers and torch.
UNCOUNTED = -100


def answers_alone(model: Any) -> bool:
    """Replaces a model's forward pass in training, with labels given, by one that computes logits
    where a label counts; whether that was done.

    It is left alone where its architecture changes logits after `lm_head`, or adds to the loss.

    Args:
        model: a causal language model of transformers, maybe within peft's wrapping. The replaced
            pass is an attribute of it, below what is wrapped around it afterwards.
    """
    inner = option_scoring.unwrapped(model)
    config = inner.config.get_text_config(decoder=True)
    decoder, before = option_scoring.decoder_of(inner), option_scoring.before_outputs(inner)
    if option_scoring.refusal(inner) or getattr(config, "output_router_logits", False):
        return False
    whole = inner.forward

    # What reads the signature, to know which columns to pass, reads the replaced one's.
    @functools.wraps(whole)
    def forward(*args: Any, labels: torch.Tensor | None = None, **kwargs: Any) -> Any:
        if labels is None or args or not inner.training:
            return whole(*args, labels=labels, **kwargs)
        count = kwargs.pop("num_items_in_batch", None)
        hidden = decoder(**kwargs).last_hidden_state
        after = labels[:, 1:]
        counts = after != UNCOUNTED
        states = hidden[:, :-1][counts]
        if before is not None:
            states = before(states)
        logits = inner.get_output_embeddings()(states).float()
        loss = cross_entropy(logits, after[counts], reduction="mean" if count is None else "sum")
        if count is not None:
            loss = loss / count
        return CausalLMOutputWithPast(loss=loss, logits=logits)

    inner.forward = forward
    return True
