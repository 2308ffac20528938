"""A kept neural predictor as one function of padded token ids, for engines to convert.

What a predictor does around its network (packing, caches, halved batches) is Python and can't be
exported. Here it is reduced to what every engine can run: a torch module with two inputs, and what
comes before it (text to token ids) and after it (to probabilities). What comes after is also where
the chunks of a text become one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from suite.contracts.strategy import Predictor, Probabilities
from suite.strategies.asking.option_scoring import Readout, decoder_of
from suite.strategies.asking.prompted import HeadPredictor, OptionPredictor
from suite.strategies.asking.thinking import ThinkingPredictor
from suite.strategies.heads.probe import ProbePredictor
from suite.strategies.network import transformer
from suite.strategies.network.chunk_pooling import ChunkPooling, last_layer
from suite.strategies.network.chunks import Row, apart
from suite.strategies.network.packed_models import packed_classifier
from suite.strategies.network.transformer import TransformerPredictor

Tensor = torch.Tensor
Values = NDArray[np.float32]
#: Of what a module gives for all rows, and how many rows each text has, class probabilities.
Answering = Callable[[Values, Sequence[int]], Probabilities]

WRITES = (
    "the model thinks in words before it answers, one token after another: only the way it was "
    "kept in can serve it"
)
WALKS = (
    "its options are several tokens long, so that scoring walks through them in several passes: "
    "only the way it was kept in can serve it"
)


@dataclass(frozen=True)
class Graph:
    """A network from token ids to logits (of chunks to what logits are read from), and what is
    around it.

    Args:
        module: (input_ids, attention_mask), both int64 [rows, tokens] padded on the right, to
            float32 [rows, width]. In evaluation mode, without gradients.
        encode: texts to token ids: each a row, or `Chunks` of several; at least one and at most
            `max_tokens` in a row.
        pad_id: fills short rows.
        width: of what the module gives.
        max_tokens: of a row.
        probabilities: of what the module gives for all rows, and how many rows each text has;
            float32 [texts, classes], the predictor's own without its temperature.
    """

    module: torch.nn.Module
    encode: Callable[[Sequence[str]], Sequence[Row]]
    pad_id: int
    width: int
    max_tokens: int
    probabilities: Answering

    def rows(self, texts: Sequence[str]) -> tuple[list[Row], tuple[int, ...]]:
        """Token ids row by row, text after text, and how many rows each text has."""
        return apart(self.encode(texts))

    def at(self, temperature: float) -> Graph:
        """The same with logits at a temperature, for whoever takes them out of the converted file:
        their softmax is what the calibrated model answers. `probabilities` takes it out again."""
        own = self.probabilities
        return replace(
            self,
            module=_settled(_Tempered(self.module, temperature)),
            probabilities=lambda values, counts: own(values * np.float32(temperature), counts),
        )

    def attend_by(self, implementation: str) -> None:
        """Chooses transformers' attention: "eager" is plain products, which every exporter knows;
        "sdpa" PyTorch's fused kernel."""
        part: Any
        for part in self.module.modules():
            if isinstance(part, _FirstToken):
                part.fused = implementation == "sdpa"
            elif hasattr(part, "set_attn_implementation"):
                part.set_attn_implementation(implementation)


def network_of(predictor: Predictor) -> Any:
    """The torch module in which a kept neural predictor does its work; None of any other."""
    if isinstance(predictor, ProbePredictor):
        return predictor.embedder.model
    if isinstance(predictor, TransformerPredictor):
        return predictor.model
    if isinstance(predictor, HeadPredictor):
        return getattr(predictor.model, predictor.model.base_model_prefix)
    if isinstance(predictor, OptionPredictor):
        return decoder_of(predictor.model)
    return None


def graph_of(predictor: Predictor) -> Graph | str:
    """A predictor as a graph that shares its weights, or the reason why it can't be one."""
    if isinstance(predictor, ThinkingPredictor):
        return WRITES
    if isinstance(predictor, TransformerPredictor):
        codec, width = predictor.codec, predictor.classes
        module = _classifier(predictor.model)
        probabilities: Answering = _of_logits
        if predictor.pooling is not None:
            module, width, probabilities = _joining(module, predictor.model, predictor.pooling)
        return Graph(
            _settled(module),
            lambda texts: codec.encode(texts).ids,
            codec.pad_id,
            width,
            codec.max_tokens,
            probabilities,
        )
    if isinstance(predictor, ProbePredictor):
        codec, chunked = predictor.embedder.codec, predictor.joined is not None
        return Graph(
            _settled(_Embedding(predictor) if chunked else _Probe(predictor)),
            lambda texts: codec.encode(texts).ids,
            codec.pad_id,
            predictor.head.weight.shape[int(chunked)],
            codec.max_tokens,
            predictor.of_rows if chunked else _of_logits,
        )
    if isinstance(predictor, HeadPredictor | OptionPredictor):
        return _prompted(predictor)
    return f"a {type(predictor).__name__} is no network that could be converted"


def _prompted(predictor: HeadPredictor | OptionPredictor) -> Graph | str:
    if not predictor.scorer.single:
        return WALKS
    prompter, bias = predictor.prompter, predictor.bias
    if isinstance(predictor, HeadPredictor):
        readout = Readout(network_of(predictor), predictor.model.score.weight.detach().float())
    else:
        readout = Readout.of(predictor.model, prompter.wordings)

    def probabilities(logits: Values, counts: Sequence[int]) -> Probabilities:
        if bias is not None:
            logits = logits - np.asarray(bias, dtype=np.float32)
        return transformer.probabilities(logits)

    return Graph(
        _settled(_LastToken(readout)),
        lambda texts: prompter.encode(texts).ids,
        prompter.pad_id,
        len(prompter.class_tokens),
        prompter.cutoff,
        probabilities,
    )


def _of_logits(logits: Values, counts: Sequence[int]) -> Probabilities:
    return transformer.probabilities(logits)


def _joining(
    module: torch.nn.Module, model: Any, pooling: ChunkPooling
) -> tuple[torch.nn.Module, int, Answering]:
    """A classifier without the layer that names the classes, the width of what that is given, and
    what joins chunks before it."""
    layer = module.score if isinstance(module, _LastToken) else last_layer(model)
    weight, bias = (
        None if array is None else array.detach().float().cpu().numpy()
        for array in (layer.weight, layer.bias)
    )
    assert weight is not None
    joined = copy.deepcopy(pooling).cpu()

    def probabilities(values: Values, counts: Sequence[int]) -> Probabilities:
        logits = joined.of_arrays(values, counts) @ weight.T
        return transformer.probabilities(logits if bias is None else logits + bias)

    return _without(module, layer), weight.shape[1], probabilities


def _without(module: torch.nn.Module, layer: torch.nn.Module) -> torch.nn.Module:
    """A module that lets through what a layer of it is given; it shares all others."""
    if module is layer:
        return torch.nn.Identity()
    inside = {name: _without(child, layer) for name, child in module.named_children()}
    if all(inside[name] is child for name, child in module.named_children()):
        return module
    made = copy.copy(module)
    made._modules = {**module._modules, **inside}
    return made


def _settled(module: torch.nn.Module) -> torch.nn.Module:
    return module.eval().requires_grad_(False)


def _classifier(model: Any) -> torch.nn.Module:
    """A sequence classifier of transformers; one that reads its last token, by the mask.

    transformers looks for that token by comparing ids with the pad id, which a text may hold.
    What can be packed and is no decoder is an encoder of BERT's make.
    """
    score = getattr(model, "score", None)
    body = getattr(model, getattr(model, "base_model_prefix", "") or "-", None)
    if type(score) is torch.nn.Linear and body is not None and _generic(model):
        return _LastToken(Readout(body, score.weight.detach(), score.bias))
    return _FirstToken(model, body) if packed_classifier(model) is not None else _Whole(model)


def _generic(model: Any) -> bool:
    """Whether a classifier is of the kind that scores its last token and does nothing else."""
    from transformers.modeling_layers import GenericForSequenceClassification

    return isinstance(model, GenericForSequenceClassification)


class _Tempered(torch.nn.Module):
    """A graph whose logits are divided by a temperature."""

    def __init__(self, module: torch.nn.Module, temperature: float) -> None:
        super().__init__()
        self.module, self.temperature = module, temperature

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.module(input_ids, attention_mask)
        return logits / self.temperature


class _Whole(torch.nn.Module):
    """A sequence classifier as transformers runs it."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits.float()


class _FirstToken(torch.nn.Module):
    """A classifier of BERT's make, which reads its first token: the last layer asks there alone.

    The modules are transformers' own; masks and attention are spelled out, which exports to a
    smaller graph. `suite.strategies.network.packed_models` knows the same layers.
    """

    def __init__(self, model: Any, body: Any) -> None:
        super().__init__()
        self.embeddings = body.embeddings
        self.layers = body.encoder.layer
        self.pooler = getattr(body, "pooler", None)
        self.classifier = model.classifier
        self.fused = True

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        allowed = attention_mask[:, None, None, :].bool()
        hidden: Tensor = self.embeddings(input_ids=input_ids)
        for layer in self.layers[:-1]:
            hidden = self._layer(layer, hidden, hidden, allowed)
        first = self._layer(self.layers[-1], hidden[:, :1], hidden, allowed)
        if self.pooler is not None:
            first = self.pooler(first)
        logits: Tensor = self.classifier(first)
        return logits.float()

    def _layer(self, layer: Any, asking: Tensor, hidden: Tensor, allowed: Tensor) -> Tensor:
        own, out = layer.attention.self, layer.attention.output
        query, key, value = (
            states.unflatten(-1, (own.num_attention_heads, -1)).transpose(1, 2)
            for states in (own.query(asking), own.key(hidden), own.value(hidden))
        )
        if self.fused:
            attended = torch.nn.functional.scaled_dot_product_attention(
                query, key, value, attn_mask=allowed, scale=own.scaling
            )
        else:
            scores = (query * own.scaling) @ key.transpose(2, 3)
            scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
            attended = torch.softmax(scores, dim=-1) @ value
        attended = attended.transpose(1, 2).flatten(2)
        asking = out.LayerNorm(out.dense(attended) + asking)
        narrow = layer.output.dense(layer.intermediate(asking))
        normed: Tensor = layer.output.LayerNorm(narrow + asking)
        return normed


class _LastToken(torch.nn.Module):
    """A decoder with a linear layer on the hidden state of each row's last real token."""

    def __init__(self, readout: Readout) -> None:
        super().__init__()
        weight, bias = readout.weight, readout.bias
        self.decoder = readout.decoder
        self.before = torch.nn.Identity() if readout.before is None else readout.before
        self.score = torch.nn.Linear(
            weight.shape[1], weight.shape[0], bias is not None, device=weight.device
        )
        with torch.no_grad():
            self.score.weight.copy_(weight)
            if bias is not None:
                self.score.bias.copy_(bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.decoder(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False
        ).last_hidden_state
        state = _last(hidden, attention_mask)
        if isinstance(self.score, torch.nn.Linear):  # Taken out where chunks become one before it.
            state = state.to(self.score.weight.dtype)
        logits: Tensor = self.score(self.before(state))
        return logits.float()


class _Embedding(torch.nn.Module):
    """A frozen model and its pooling: one vector a row."""

    def __init__(self, probe: ProbePredictor) -> None:
        super().__init__()
        self.model = probe.embedder.model
        self.pooling = probe.knobs.pooling

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden: Tensor = self.model(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state.float()
        if self.pooling == "cls":
            return hidden[:, 0]
        if self.pooling == "last":
            return _last(hidden, attention_mask)
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


class _Probe(_Embedding):
    """The same, and the logistic regression on the scaled embedding."""

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, probe: ProbePredictor) -> None:
        super().__init__(probe)
        self.scaling = probe.knobs.scaling
        # Buffers and no layer: the regression is small, and is not to be quantised.
        for name in ("mean", "scale", "weight", "bias"):
            array = torch.from_numpy(np.ascontiguousarray(getattr(probe.head, name)))
            self.register_buffer(name, array.to(probe.embedder.where), persistent=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        pooled = super().forward(input_ids, attention_mask)
        if self.scaling == "l2":
            pooled = pooled / pooled.norm(dim=1, keepdim=True).clamp(min=1e-12)
        scaled = (pooled - self.mean) / self.scale
        return torch.nn.functional.linear(scaled, self.weight, self.bias)


def _last(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Hidden states [texts, width] at each row's last real token."""
    last = attention_mask.sum(dim=1) - 1
    return hidden.gather(1, last[:, None, None].expand(-1, 1, hidden.shape[-1])).squeeze(1)
