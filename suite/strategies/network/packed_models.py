"""Sequence classifiers run on packed texts: the same weights and modules, another forward pass.

What differs from transformers' own forward pass is what is not computed: no padding, no mask, and
in the last layer of an encoder that is pooled at its first token no other token's query and no
other token's feed-forward network. The modules themselves are called, so LoRA inside them,
quantised ones and weights in other precisions work as they do there.

An architecture is entered here when its forward pass is known to the letter; any other keeps
transformers' own. tests/test_packing.py holds each against it, logits and gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch

from suite.strategies.network.packed_attention import Dropout, attend
from suite.strategies.network.packing import Packed

Tensor = torch.Tensor
Pooled = Literal["first", "all"]

#: The name under which transformers' decoders find our attention.
ATTENTION = "suite_packed"


class PackedClassifier:
    """A sequence classifier of transformers, fed with packed texts.

    Args:
        model: the classifier, peft-wrapped or not; looked at anew at each call, so it may train.
        seed: of the dropout in training.
    """

    def __init__(
        self, model: Any, run: Callable[[Any, Packed, Dropout], Tensor], seed: int
    ) -> None:
        self.model = model
        self._run = run
        self._drop = Dropout(seed)

    def __call__(self, packed: Packed) -> Tensor:
        """Logits [texts, classes] in the order in which the texts were given."""
        return packed.given_order(self.unordered(packed))

    def unordered(self, packed: Packed) -> Tensor:
        """The same in the order in which the texts are packed, unless the head joins them."""
        return self._run(inner(self.model), packed, self._drop)


def packed_classifier(model: Any, seed: int = 0) -> PackedClassifier | None:
    """A packed form of a sequence classifier, or None where its architecture is not known."""
    kind = type(inner(model)).__name__
    run = _CLASSIFIERS.get(kind)
    if run is None or not _known(inner(model)):
        return None
    return PackedClassifier(model, run, seed)


class PackedEncoder:
    """A transformer without a head (`BertModel`, `Qwen3Model`, ...), for its token vectors.

    Args:
        model: only used to predict.
    """

    def __init__(self, model: Any, states: Callable[[Any, Packed, Pooled], Tensor]) -> None:
        self.model = model
        self._states = states

    def __call__(self, packed: Packed, pooled: Pooled = "all") -> Tensor:
        """Last hidden states: [tokens, width], or [texts, width] of each text's first token."""
        return self._states(self.model, packed, pooled)


def packed_encoder(model: Any) -> PackedEncoder | None:
    """A packed form of a transformer without a head, or None where it is not known."""
    kind = type(model).__name__
    if kind in _ENCODERS and _known_encoder(model):
        return PackedEncoder(model, lambda m, packed, p: _encode(m, packed, Dropout(0), p))
    if kind in _DECODERS and _known_decoder(model):
        return PackedEncoder(model, _decoder_states)
    return None


def inner(model: Any) -> Any:
    """The model inside what peft wraps around it; LoRA's matrices stay in its layers."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


# ---------------------------------------------------------------- encoders of BERT's make

_ENCODERS = ("BertModel", "RobertaModel", "XLMRobertaModel", "CamembertModel")


def _known_encoder(encoder: Any) -> bool:
    config = encoder.config
    return (
        not getattr(config, "is_decoder", False)
        and not getattr(config, "add_cross_attention", False)
        and getattr(config, "position_embedding_type", None) in (None, "absolute")
    )


def _encode(encoder: Any, packed: Packed, drop: Dropout, pooled: Pooled) -> Tensor:
    """Hidden states of the last layer, of all tokens or of each text's first one alone."""
    embeddings = encoder.embeddings
    training = encoder.training
    # RoBERTa counts positions from behind the pad id.
    offset = int(embeddings.padding_idx) + 1 if hasattr(embeddings, "padding_idx") else 0
    hidden = embeddings.word_embeddings(packed.ids)
    hidden = hidden + embeddings.token_type_embeddings.weight[0]
    hidden = hidden + embeddings.position_embeddings(packed.positions + offset)
    hidden = embeddings.LayerNorm(hidden)
    hidden = drop(hidden, embeddings.dropout.p if training else 0.0)
    layers = encoder.encoder.layer
    for index, layer in enumerate(layers):
        alone = pooled == "first" and index == len(layers) - 1
        hidden = _encoder_layer(layer, hidden, packed, drop, training, alone)
    return hidden


def _encoder_layer(
    layer: Any, hidden: Tensor, packed: Packed, drop: Dropout, training: bool, alone: bool
) -> Tensor:
    """One layer of BERT. `alone`: of each text's first token, [texts, width]."""
    own, out = layer.attention.self, layer.attention.output
    asking = hidden[packed.starts] if alone else hidden
    together = getattr(own, _TOGETHER, None)
    if together is not None:
        query, key, value = together(hidden).chunk(3, dim=1)
    else:
        query, key, value = own.query(asking), own.key(hidden), own.value(hidden)
    attended = attend(
        query,
        key,
        value,
        packed,
        heads=own.num_attention_heads,
        scale=own.scaling,
        dropout=own.dropout.p if training else 0.0,
        drop=drop,
    )
    mixed = drop(out.dense(attended), out.dropout.p if training else 0.0)
    asking = out.LayerNorm(mixed + asking)
    wide = layer.intermediate(asking)
    last = layer.output
    narrow = drop(last.dense(wide), last.dropout.p if training else 0.0)
    normed: Tensor = last.LayerNorm(narrow + asking)
    return normed


#: Where a layer's three projections stand side by side.
_TOGETHER = "suite_together"


def join_projections(encoder: Any) -> None:
    """Puts the query, key and value projections of an encoder of BERT's make into one product.

    One larger product is quicker than three, above all in 8 bits, where each would look at its
    input's range by itself. Only for an encoder that is packed and predicts from now on: the
    three layers are gone. The last layer keeps its own, since one token of a text asks there.
    """
    if type(encoder).__name__ not in _ENCODERS:
        return
    for layer in encoder.encoder.layer[:-1]:
        own = layer.attention.self
        three = (own.query, own.key, own.value)
        if any(type(part) is not torch.nn.Linear or part.bias is None for part in three):
            continue
        joined = torch.nn.Linear(three[0].in_features, sum(p.out_features for p in three))
        joined.weight.data = torch.cat([part.weight.data for part in three])
        joined.bias.data = torch.cat([part.bias.data for part in three])
        setattr(own, _TOGETHER, joined.eval().requires_grad_(False))
        for name in ("query", "key", "value"):
            setattr(own, name, None)


def _bert(model: Any, packed: Packed, drop: Dropout) -> Tensor:
    first = _encode(model.bert, packed, drop, "first")
    pooled = model.bert.pooler(first[:, None])
    logits: Tensor = model.classifier(model.dropout(pooled))
    return logits


def _roberta(model: Any, packed: Packed, drop: Dropout) -> Tensor:
    first = _encode(model.roberta, packed, drop, "first")
    logits: Tensor = model.classifier(first[:, None])
    return logits


# ---------------------------------------------------------------- decoders


def _decoder_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    packed: Packed | None = None,
    **unused: Any,
) -> tuple[Tensor, None]:
    """transformers' attention interface ([1, heads, tokens, size]) over packed texts."""
    if packed is None:
        raise ValueError("packed attention needs the packed texts")
    heads, size = query.shape[1], query.shape[3]
    groups = heads // key.shape[1]

    def rows(states: Tensor, repeat: int) -> Tensor:
        states = states[0].transpose(0, 1)  # [tokens, heads, size]
        if repeat > 1:
            states = states.repeat_interleave(repeat, dim=1)
        return states.reshape(len(packed.ids), heads * size)

    attended = attend(
        rows(query, 1), rows(key, groups), rows(value, groups), packed,
        heads=heads, scale=scaling or size**-0.5, causal=True,
    )  # fmt: skip
    return attended.view(1, len(packed.ids), heads, size), None


def _register() -> None:
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(ATTENTION, _decoder_attention)
    AttentionMaskInterface.register(ATTENTION, lambda *_, **__: None)


_DECODERS = ("Qwen3Model", "Qwen2Model", "LlamaModel")


def _known_decoder(decoder: Any) -> bool:
    config = decoder.config
    kinds = getattr(config, "layer_types", None) or ["full_attention"]
    if set(kinds) != {"full_attention"} or getattr(config, "attention_dropout", 0) > 0:
        return False
    _register()
    return True


def _decoder_states(base: Any, packed: Packed, pooled: Pooled) -> Tensor:
    before = base.config._attn_implementation
    base.config._attn_implementation = ATTENTION
    try:
        hidden: Tensor = base(
            input_ids=packed.ids[None],
            position_ids=packed.positions[None],
            use_cache=False,
            packed=packed,
        ).last_hidden_state[0]
    finally:
        base.config._attn_implementation = before
    return hidden[packed.starts] if pooled == "first" else hidden


def _decoder(model: Any, packed: Packed, drop: Dropout) -> Tensor:
    hidden = _decoder_states(model.model, packed, "all")
    logits: Tensor = model.score(hidden[packed.ends])
    return logits


_CLASSIFIERS: dict[str, Callable[[Any, Packed, Dropout], Tensor]] = {
    "BertForSequenceClassification": _bert,
    "RobertaForSequenceClassification": _roberta,
    "XLMRobertaForSequenceClassification": _roberta,
    "CamembertForSequenceClassification": _roberta,
    "Qwen3ForSequenceClassification": _decoder,
    "Qwen2ForSequenceClassification": _decoder,
    "LlamaForSequenceClassification": _decoder,
}


def _known(model: Any) -> bool:
    """Whether nothing in a classifier's configuration departs from what is followed here."""
    base = getattr(model, model.base_model_prefix)
    decodes = _CLASSIFIERS[type(model).__name__] is _decoder
    return _known_decoder(base) if decodes else _known_encoder(base)
