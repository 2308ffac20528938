"""A causal language model as a sequence classifier: the options' rows of `lm_head` are its head."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
import transformers

from suite.contracts.strategy import Refused
from suite.prompting.chat import Prompter
from suite.strategies.asking.option_scoring import decoder_of, unwrapped
from suite.strategies.network import transformer


def merged(model: Any) -> Any:
    """The causal language model with its LoRA matrices added in; the given one is left alone."""
    while isinstance(model, torch.nn.parallel.DistributedDataParallel):
        model = model.module
    return transformer.merged(model)


def tied(model: Any) -> bool:
    """Whether `lm_head` and the embedding are one matrix."""
    return model.get_output_embeddings().weight is model.get_input_embeddings().weight


def why_no_head(model: Any, prompter: Prompter) -> str | None:
    """Why a causal language model can't be kept as a sequence classifier, or None."""
    inner = unwrapped(model)
    if not prompter.single:
        return "an option of several tokens has no row of its own in lm_head"
    if getattr(inner.get_output_embeddings(), "bias", None) is not None:
        return "its lm_head has a bias, and a classification head has none"
    if prompter.encode([""]).ids[0][-1] == prompter.pad_id:
        return "its prompt ends in the pad token, which a classification head passes over"
    if type(inner.config) not in transformers.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        return f"transformers has no sequence classifier of type {inner.config.model_type}"
    empty = _empty_head(inner.config, prompter, ["-"] * len(prompter.class_tokens))
    body = getattr(empty, empty.base_model_prefix, None)
    if type(body) is not type(decoder_of(inner)) or not isinstance(
        getattr(empty, "score", None), torch.nn.Linear
    ):
        return f"{type(empty).__name__} is built unlike its language model"
    return None


def _empty_head(config: Any, prompter: Prompter, label_names: Sequence[str]) -> Any:
    """A sequence classifier without weights."""
    config = copy.deepcopy(config)
    config.num_labels = len(label_names)
    config.id2label = dict(enumerate(label_names))
    config.label2id = {name: index for index, name in enumerate(label_names)}
    config.problem_type = "single_label_classification"
    config.pad_token_id = prompter.pad_id
    config.use_cache = False
    with torch.device("meta"):
        return transformers.AutoModelForSequenceClassification.from_config(config)


def convert(model: Any, prompter: Prompter, label_names: Sequence[str]) -> Any:
    """A causal language model as a sequence classifier: the options' rows are its head.

    The decoder is shared with the model, not copied.

    Args:
        model: without LoRA, or with it merged.
        label_names: by class index.

    Raises:
        Refused: `why_no_head` has an objection.
    """
    reason = why_no_head(model, prompter)
    if reason:
        raise Refused(f"this model can't be made a classification head: {reason}")
    head = _empty_head(model.config, prompter, label_names)
    setattr(head, head.base_model_prefix, decoder_of(model))
    weight = model.get_output_embeddings().weight
    tokens = torch.tensor([ids[0] for ids in prompter.class_tokens], device=weight.device)
    score = torch.nn.Linear(
        weight.shape[1], len(tokens), bias=False, device=weight.device, dtype=weight.dtype
    )
    with torch.no_grad():
        score.weight.copy_(weight[tokens])
    head.score = score
    return head.eval()
