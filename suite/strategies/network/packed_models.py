"""Sequence classifiers run on packed texts: the same weights and modules, another forward pass.

What differs from transformers' own forward pass is what is not computed: no padding, no mask, and
in the last layer, where a text is pooled at its first or last token, no other token's query and
no other token's feed-forward network. The modules themselves are called, so LoRA inside them,
quantised ones and weights in other precisions work as they do there. A pass may also end below a
layer, or begin there with what another one found: so layers that are not trained are computed once.

An architecture is entered here when its forward pass is known to the letter; any other keeps
transformers' own. tests/test_packing.py holds each against it, logits and gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from suite.strategies.network.packed_attention import Dropout, attend
from suite.strategies.network.packing import Packed

Tensor = torch.Tensor
Pooled = Literal["first", "last", "all"]

#: The name under which transformers' decoders find our attention.
ATTENTION = "suite_packed"


@dataclass(frozen=True)
class Begun:
    """Hidden states [tokens, width] that a forward pass goes on from.

    Args:
        layer: the lowest one that is still to come, counted from 0.
    """

    hidden: Tensor
    layer: int


class PackedClassifier:
    """A sequence classifier of transformers, fed with packed texts.

    Args:
        model: the classifier, peft-wrapped or not; looked at anew at each call, so it may train.
        seed: of the dropout in training.
    """

    def __init__(self, model: Any, run: _Classify, seed: int) -> None:
        self.model = model
        self._run = run
        self._drop = Dropout(seed)

    @property
    def chance(self) -> np.random.Generator:
        """What its dropout draws from on a CPU."""
        return self._drop.bits

    def __call__(self, packed: Packed, begun: Begun | None = None) -> Tensor:
        """Logits [texts, classes] in the order in which the texts were given."""
        return packed.given_order(self.unordered(packed, begun))

    def unordered(self, packed: Packed, begun: Begun | None = None) -> Tensor:
        """The same in the order in which the texts are packed, unless the head joins them."""
        return self._run(inner(self.model), packed, self._drop, begun)

    def below(self, packed: Packed, layer: int) -> Tensor:
        """Hidden states [tokens, width] that reach a layer, as `Begun` takes them."""
        model = inner(self.model)
        base = getattr(model, model.base_model_prefix)
        if type(base).__name__ in _DECODERS:
            return _decoded(base, packed, None, layer, "all")
        return _encoded(base, packed, self._drop, None, layer, "all")


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
        return PackedEncoder(model, lambda m, packed, p: _encode(m, packed, Dropout(0), None, p))
    if kind in _DECODERS and _known_decoder(model):
        return PackedEncoder(model, lambda m, packed, p: _decode(m, packed, None, p))
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


def _encode(
    encoder: Any, packed: Packed, drop: Dropout, begun: Begun | None, pooled: Pooled
) -> Tensor:
    """Hidden states of the last layer, of all tokens or of each text's first one alone."""
    return _encoded(encoder, packed, drop, begun, len(encoder.encoder.layer), pooled)


def _encoded(
    encoder: Any,
    packed: Packed,
    drop: Dropout,
    begun: Begun | None,
    end: int,
    pooled: Pooled,
) -> Tensor:
    """The same of the layers below `end`."""
    start = 0 if begun is None else begun.layer
    hidden = _embedded(encoder.embeddings, packed, drop) if begun is None else begun.hidden
    layers = encoder.encoder.layer
    for index in range(start, end):
        alone = pooled == "first" and index == len(layers) - 1
        hidden = _encoder_layer(layers[index], hidden, packed, drop, alone)
    # Where no layer was left to do it.
    return hidden[packed.starts] if pooled == "first" and start == end else hidden


def _embedded(embeddings: Any, packed: Packed, drop: Dropout) -> Tensor:
    """What reaches the lowest layer, [tokens, width]."""
    # RoBERTa counts positions from behind the pad id.
    offset = int(embeddings.padding_idx) + 1 if hasattr(embeddings, "padding_idx") else 0
    hidden = embeddings.word_embeddings(packed.ids)
    hidden = hidden + embeddings.token_type_embeddings.weight[0]
    hidden = hidden + embeddings.position_embeddings(packed.positions + offset)
    hidden = embeddings.LayerNorm(hidden)
    return drop(hidden, embeddings.dropout.p if embeddings.training else 0.0)


def _encoder_layer(
    layer: Any, hidden: Tensor, packed: Packed, drop: Dropout, alone: bool
) -> Tensor:
    """One layer of BERT. `alone`: of each text's first token, [texts, width]."""
    training = layer.training
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


def _bert(model: Any, packed: Packed, drop: Dropout, begun: Begun | None) -> Tensor:
    first = _encode(model.bert, packed, drop, begun, "first")
    pooled = model.bert.pooler(first[:, None])
    logits: Tensor = model.classifier(model.dropout(pooled))
    return logits


def _roberta(model: Any, packed: Packed, drop: Dropout, begun: Begun | None) -> Tensor:
    first = _encode(model.roberta, packed, drop, begun, "first")
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


def _decode(base: Any, packed: Packed, begun: Begun | None, pooled: Pooled) -> Tensor:
    """Hidden states behind the last norm, of all tokens or of one of each text alone."""
    hidden = _decoded(base, packed, begun, len(base.layers), pooled)
    normed: Tensor = base.norm(hidden)
    return normed


def _decoded(base: Any, packed: Packed, begun: Begun | None, end: int, pooled: Pooled) -> Tensor:
    """What leaves the layers below `end`, before any norm."""
    start = 0 if begun is None else begun.layer
    hidden = base.embed_tokens(packed.ids) if begun is None else begun.hidden
    positions = packed.positions[None]
    turn = base.rotary_emb(hidden, positions)
    before = base.config._attn_implementation
    base.config._attn_implementation = ATTENTION
    try:
        for index in range(start, end):
            layer = base.layers[index]
            if pooled == "last" and index == len(base.layers) - 1:
                return _last_decoder_layer(layer, hidden, packed, turn)
            hidden = layer(
                hidden[None],
                position_ids=positions,
                position_embeddings=turn,
                use_cache=False,
                packed=packed,
            )[0]
    finally:
        base.config._attn_implementation = before
    if pooled != "all":
        hidden = hidden[packed.starts if pooled == "first" else packed.ends]
    reached: Tensor = hidden
    return reached


def _last_decoder_layer(
    layer: Any, hidden: Tensor, packed: Packed, turn: tuple[Tensor, Tensor]
) -> Tensor:
    """A layer of which each text's last token alone is wanted: [texts, width]."""
    attention, ends = layer.self_attn, packed.ends
    inward = layer.input_layernorm(hidden)
    hidden = hidden[ends]

    def heads(which: str, rows: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        made = getattr(attention, f"{which}_proj")(rows).unflatten(-1, (-1, attention.head_dim))
        norm = getattr(attention, f"{which}_norm", None)
        made = made if norm is None else norm(made)
        left, right = made.chunk(2, dim=-1)
        turned = torch.cat((-right, left), dim=-1)
        met: Tensor = made * cosine.unsqueeze(1) + turned * sine.unsqueeze(1)
        return met

    cosine, sine = turn[0][0], turn[1][0]
    query = heads("q", inward[ends], cosine[ends], sine[ends])
    key = heads("k", inward, cosine, sine)
    value = attention.v_proj(inward).view_as(key)
    groups = query.shape[1] // key.shape[1]
    key, value = (each.repeat_interleave(groups, dim=1).flatten(1) for each in (key, value))
    # The last token sees its whole text: no causal mask.
    attended = attend(
        query.flatten(1), key, value, packed, heads=query.shape[1], scale=attention.scaling
    )
    hidden = hidden + attention.o_proj(attended)
    made: Tensor = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
    return made


def _decoder(model: Any, packed: Packed, drop: Dropout, begun: Begun | None) -> Tensor:
    logits: Tensor = model.score(_decode(model.model, packed, begun, "last"))
    return logits


_Classify = Callable[[Any, Packed, Dropout, Begun | None], Tensor]

_CLASSIFIERS: dict[str, _Classify] = {
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
