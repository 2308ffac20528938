"""Reads prompts with the decoders of the Llama kind, at the cost of what their last token needs.

transformers' own forward pass pads a batch to its longest row, copies keys and values for every
query head, walks the norms in many small steps, and computes the last layer at every token, though
only the last token of each prompt is asked. Here the tokens of a batch stand in one row without
padding; only attention sees them as rows; and of the last layer only keys and values are computed
everywhere.

The weights, norms and rotary embeddings are the model's own modules, so that LoRA, autocast and
whatever replaced a linear layer keep their effect. A decoder is read so only where its class and
its parts are known, and after it gave the same as its own forward pass on a few tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention, silu
from transformers.activations import SiLUActivation

from suite.strategies.network.continuations import Tree

Tensor = torch.Tensor
#: Keys and values of a beginning in one layer, each [1, heads, tokens, width].
State = tuple[Tensor, Tensor]
States = list[State]

#: Decoders whose layers are: norm, attention with rotary embeddings, norm, gated MLP, each added
#: to what came in. Sliding windows are left to their own forward pass where a prompt exceeds them.
_KNOWN = {"LlamaModel", "MistralModel", "Qwen2Model", "Qwen3Model"}

_LAYER = {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}
_ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
_MLP = {"gate_proj", "up_proj", "down_proj", "act_fn"}

#: Largest difference from the model's own forward pass, as a share of its largest value: rounding
#: alone makes 1e-5 in float32, and up to some hundredths over the layers in 16 bits.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.05}


def _parts(module: Any) -> set[str]:
    return {name for name, _ in module.named_children()}


def _known(decoder: Any) -> bool:
    """Whether a decoder is built as this module reads it."""
    kind = type(decoder)
    if kind.__name__ not in _KNOWN or not kind.__module__.startswith("transformers.models."):
        return False
    if not {"embed_tokens", "layers", "norm", "rotary_emb"} <= _parts(decoder):
        return False
    for layer in decoder.layers:
        attention = _parts(layer.self_attn) if hasattr(layer, "self_attn") else set()
        if (
            _parts(layer) != _LAYER
            or attention not in (_ATTENTION, _ATTENTION | {"q_norm", "k_norm"})
            or _parts(layer.mlp) != _MLP
            or not hasattr(layer.input_layernorm, "variance_epsilon")
        ):
            return False
    weight = decoder.layers[0].self_attn.q_proj.weight
    return len(decoder.layers) > 0 and bool(weight.is_floating_point())


def _window(decoder: Any) -> int | None:
    """Positions that the narrowest layer sees, or None for all."""
    widths = [getattr(layer.self_attn, "sliding_window", None) for layer in decoder.layers]
    config = decoder.config
    kinds = getattr(config, "layer_types", None)
    if kinds is None or "sliding_attention" in kinds:
        widths.append(getattr(config, "sliding_window", None))
    return min((width for width in widths if width), default=None)


@dataclass(frozen=True)
class _Rows:
    """Where the tokens of a batch stand: one after another, and as rows of one length.

    Args:
        ids: int64 [1, tokens].
        positions: of each token in its prompt, int64 [1, tokens].
        last: of each row's asked tokens among all tokens, int64 [rows * asked].
        spread: the token at each place of the rows, int64 [rows * longest]; behind a row's end
            its last token again. None where all rows are of one length.
        together: the place of each token among the rows, int64 [tokens]; None likewise.
        mask: bool [longest, before + longest], what a token sees; None where nothing stands
            before, and a token sees itself and all before it.
        ends: bool [rows, 1, asked, before + longest], what each row's asked tokens see.
        trees: bool [rows, 1, longest, before + longest], what each token sees where continuations
            stand behind the prompts; None where none do.
        lengths: of the rows.
        asked: tokens at the end of each row whose hidden states are wanted.
        before: tokens that stand before every row.
        longest: length of the rows as `spread` has them.
    """

    ids: Tensor
    positions: Tensor
    last: Tensor
    spread: Tensor | None
    together: Tensor | None
    mask: Tensor | None
    ends: Tensor
    trees: Tensor | None
    lengths: list[int]
    asked: int
    before: int
    longest: int

    @classmethod
    def of(
        cls,
        prompts: Sequence[Sequence[int]],
        before: int,
        longest: int,
        where: torch.device,
        tree: Tree | None,
    ) -> _Rows:
        more = tree.ids if tree else ()
        rows = [[*row, *more] for row in prompts] if more else prompts
        lengths = torch.tensor([len(row) for row in rows])
        longest = max(longest, int(lengths.max()))
        places = torch.arange(longest).expand(len(rows), longest)
        ends = torch.cumsum(lengths, 0)
        spread = together = mask = None
        real = places < lengths[:, None]
        if not bool(real.all()):
            starts = (ends - lengths)[:, None]
            spread = (starts + torch.minimum(places, lengths[:, None] - 1)).flatten().to(where)
            together = real.flatten().nonzero()[:, 0].to(where)
        whole = torch.cat([torch.ones(len(rows), before, dtype=torch.bool), real], dim=1)
        seen = whole[:, None, None]
        if before:
            mask = torch.ones(longest, before + longest, dtype=torch.bool).tril(before).to(where)
        trees, asked, positions = None, 1 + len(more), places
        if tree is not None and more:
            trees = _tree_masks(lengths.tolist(), before, longest, tree)
            seen = torch.stack(
                [own[:, n - asked : n] for own, n in zip(trees, lengths, strict=True)]
            )
            # A node stands where its depth says, whatever was written before it in the row.
            behind = places - (lengths[:, None] - len(more))
            depths = tree.depths[behind.clamp(0, len(more) - 1)]
            positions = torch.where(behind < 0, places, places - behind - 1 + depths)
        last = (ends[:, None] - torch.arange(asked - 1, -1, -1) - 1).flatten()
        ids = [token for row in rows for token in row]
        return cls(
            ids=torch.tensor([ids], device=where),
            positions=(before + positions[real]).unsqueeze(0).to(where),
            last=last.to(where),
            spread=spread,
            together=together,
            mask=mask,
            ends=seen.to(where),
            trees=None if trees is None else trees.to(where),
            lengths=lengths.tolist(),
            asked=asked,
            before=before,
            longest=longest,
        )

    def apart(self, tokens: Tensor) -> Tensor:
        """[tokens, heads, width] as [rows, heads, longest, width]."""
        if self.spread is not None:
            tokens = tokens[self.spread]
        heads, width = tokens.shape[1:]
        return tokens.reshape(len(self.lengths), self.longest, heads, width).transpose(1, 2)

    def joined(self, rows: Tensor) -> Tensor:
        """[rows, heads, longest, width] as [tokens, heads * width]."""
        tokens = rows.transpose(1, 2).flatten(2).flatten(0, 1)
        return tokens if self.together is None else tokens[self.together]


def _tree_masks(lengths: Sequence[int], before: int, longest: int, tree: Tree) -> Tensor:
    """Bool [rows, 1, longest, before + longest]: a prompt's tokens see what came before them, a
    node sees the prompt and its own beginning."""
    nodes = len(tree.ids)
    masks = torch.ones(len(lengths), 1, longest, before + longest, dtype=torch.bool).tril(before)
    for own, length in zip(masks[:, 0], lengths, strict=True):
        own[length - nodes : length, before + length - nodes : before + length] = tree.sees
    return masks


def _normed(norm: Any, hidden: Tensor) -> Tensor:
    """RMS norm of float32 [..., width] over its last dimension, in float32, in two passes."""
    mean = torch.linalg.vector_norm(hidden, dim=-1, keepdim=True).square_() / hidden.shape[-1]
    return (hidden * torch.rsqrt(mean + norm.variance_epsilon)).mul_(norm.weight)


def _turned(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary embedding of [tokens, heads, width] by [tokens, 1, width]."""
    half = heads.shape[-1] // 2
    turned = heads * cosine
    turned[..., :half].addcmul_(heads[..., half:], sine[..., :half], value=-1)
    turned[..., half:].addcmul_(heads[..., :half], sine[..., half:])
    return turned


def _attend(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, scale: float
) -> Tensor:
    """Attention of [rows, heads, queries, width] to fewer heads of keys and values.

    Args:
        mask: bool, broadcast to [rows, 1, queries, keys]; None for causal attention to as many
            keys as there are queries.
    """
    return scaled_dot_product_attention(
        query, keys, values, mask, is_causal=mask is None, scale=scale, enable_gqa=True
    )


def _one_by_one(
    query: Tensor, key: Tensor, value: Tensor, begun: State | None, batch: _Rows, scale: float
) -> Tensor:
    """Attention row by row, without padding: [tokens, heads * width].

    A row's scores stay in a core's cache, where those of a whole batch come and go from memory:
    at a batch of 1,536 tokens a third of the time.

    Args:
        query: of all tokens, [tokens, heads, width], or of those asked of each row.
        key, value: of all tokens, [tokens, fewer heads, width].
    """
    only_last = len(query) < len(key)
    before = batch.before
    found = torch.empty_like(query)
    if begun is not None:  # One place for the keys of every row, begun alike.
        room = before + batch.longest
        whole = [old.new_empty(1, old.shape[1], room, old.shape[3]) for old in begun]
        for place, old in zip(whole, begun, strict=True):
            place[:, :, :before] = old
    start = 0
    for row, length in enumerate(batch.lengths):
        end = start + length
        own = [each[start:end].transpose(0, 1).unsqueeze(0) for each in (key, value)]
        if begun is not None:
            for place, new in zip(whole, own, strict=True):
                place[:, :, before : before + length] = new
            own = [place[:, :, : before + length] for place in whole]
        keys, values = own
        asked = (
            slice(row * batch.asked, (row + 1) * batch.asked) if only_last else slice(start, end)
        )
        mask = batch.mask
        if only_last:
            mask = batch.ends[row, 0, :, : before + length]
        elif batch.trees is not None:
            mask = batch.trees[row, 0, :length, : before + length]
        elif mask is not None:
            mask = mask[:length, : before + length]
        seen = _attend(query[asked].transpose(0, 1).unsqueeze(0), keys, values, mask, scale)
        found[asked] = seen[0].transpose(0, 1)
        start = end
    return found.flatten(1)


class LeanDecoder:
    """A decoder of the Llama kind, for the hidden states at the last tokens of prompts."""

    def __init__(self, decoder: Any) -> None:
        self.decoder = decoder
        self.window = _window(decoder)

    @property
    def dtype(self) -> torch.dtype:
        """The numbers its weights are in now: an engine may take them to others."""
        found: torch.dtype = self.decoder.layers[0].self_attn.q_proj.weight.dtype
        return found

    @classmethod
    def of(cls, decoder: Any) -> LeanDecoder | None:
        """One that gave the same as the decoder itself, or None.

        Call it in the surroundings (autocast, no gradients) that it will be used in.
        """
        if not _known(decoder):
            return None
        lean = cls(decoder)
        return lean if lean._agrees() else None

    def _agrees(self) -> bool:
        """Whether a few prompts, with and without a beginning, come out as from the decoder."""
        where = next(self.decoder.parameters()).device
        size = self.decoder.embed_tokens.num_embeddings
        shown = [[(7919 * (i + 1)) % size for i in range(length)] for length in (12, 7)]
        own = []
        for ids in shown:
            outputs = self.decoder(input_ids=torch.tensor([ids], device=where), use_cache=False)
            own.append(outputs.last_hidden_state[0, -1])
        expected = torch.stack(own).float()
        before = self.states(shown[0][:4])
        found = [self.last_hidden(shown, None), self.last_hidden([r[4:] for r in shown], before)]
        # The same again as continuations of a prompt they share: one of all, one of none.
        tree = Tree.of([shown[0][4:], shown[1][4:]])
        whole = self.last_hidden([shown[0][:4]], None, tree=tree)
        found.append(whole[[1 + tree.place(ids[4:]) for ids in shown]])
        cast = torch.is_autocast_enabled(where.type)
        numbers = torch.get_autocast_dtype(where.type) if cast else self.dtype
        bound = _TOLERANCE.get(numbers, 1e-3) * expected.abs().max()
        return all(bool((each - expected).abs().max() <= bound) for each in found)

    def reads(self, rows: Sequence[Sequence[int]], before: int, more: int = 0) -> bool:
        """Whether no prompt is longer than a window of attention, with `more` tokens behind it."""
        return self.window is None or before + max(map(len, rows)) + more <= self.window

    def states(self, ids: Sequence[int]) -> States:
        """Keys and values of one beginning, per layer [1, heads, tokens, width]."""
        kept: States = []
        self.last_hidden([ids], None, kept)
        return kept

    def last_hidden(
        self,
        rows: Sequence[Sequence[int]],
        states: States | None,
        kept: States | None = None,
        longest: int = 0,
        tree: Tree | None = None,
    ) -> Tensor:
        """Hidden states float32 [rows, width] at the last token of each row.

        Args:
            states: keys and values of what stands before all rows.
            kept: gets the keys and values of each layer, beginning and rows, those behind a
                row's end without meaning.
            longest: length to which those of the rows are filled, if it is more than theirs.
            tree: what may follow each row; then [rows * (1 + nodes), width], of each row its last
                token and every node behind it.
        """
        decoder = self.decoder
        where = decoder.embed_tokens.weight.device
        before = states[0][0].shape[2] if states else 0
        batch = _Rows.of(rows, before, longest, where, tree)
        hidden = decoder.embed_tokens(batch.ids)[0].float()
        cosine, sine = decoder.rotary_emb(hidden, batch.positions)
        turn = (cosine[0].unsqueeze(1), sine[0].unsqueeze(1))
        final = len(decoder.layers) - 1
        for index, layer in enumerate(decoder.layers):
            begun = states[index] if states else None
            hidden = self._layer(layer, hidden, batch, turn, begun, index == final, kept)
        return _normed(decoder.norm, hidden)

    def _layer(
        self,
        layer: Any,
        hidden: Tensor,
        batch: _Rows,
        turn: tuple[Tensor, Tensor],
        begun: State | None,
        final: bool,
        kept: States | None,
    ) -> Tensor:
        """Hidden states [tokens, width] after a layer; of the asked tokens after the last."""
        attention = layer.self_attn
        inward = _normed(layer.input_layernorm, hidden).to(self.dtype)
        key = self._heads(attention, "k", inward, turn)
        value = attention.v_proj(inward).unflatten(-1, (-1, attention.head_dim))
        asked = inward
        if final:
            asked, hidden = inward[batch.last], hidden[batch.last]
            turn = (turn[0][batch.last], turn[1][batch.last])
        query = self._heads(attention, "q", asked, turn)
        if kept is None and query.device.type == "cpu":
            found = _one_by_one(query, key, value, begun, batch, attention.scaling)
        else:
            found = self._side_by_side(query, key, value, begun, batch, attention.scaling, kept)
        hidden = hidden + attention.o_proj(found)
        inward = _normed(layer.post_attention_layernorm, hidden).to(self.dtype)
        gate = layer.mlp.gate_proj(inward)
        if isinstance(layer.mlp.act_fn, torch.nn.SiLU | SiLUActivation):
            gate = silu(gate, inplace=True)
        else:
            gate = layer.mlp.act_fn(gate)
        return hidden.add_(layer.mlp.down_proj(gate.mul_(layer.mlp.up_proj(inward))))

    def _heads(
        self, attention: Any, which: str, inward: Tensor, turn: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Queries or keys, normed where the architecture does, turned: [tokens, heads, width]."""
        made = getattr(attention, f"{which}_proj")(inward)
        heads = made.unflatten(-1, (-1, attention.head_dim)).float()
        norm = getattr(attention, f"{which}_norm", None)
        if norm is not None:
            heads = _normed(norm, heads)
        return _turned(heads, *turn).to(made.dtype)

    def _side_by_side(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        begun: State | None,
        batch: _Rows,
        scale: float,
        kept: States | None,
    ) -> Tensor:
        """Attention of all rows at once: as `_one_by_one`."""
        keys, values = batch.apart(key), batch.apart(value)
        if begun is not None:
            keys, values = (
                torch.cat([old.expand(len(batch.lengths), -1, -1, -1), new], dim=2)
                for old, new in zip(begun, (keys, values), strict=True)
            )
        if kept is not None:
            kept.append((keys, values))
        if len(query) < len(key):
            asked = query.reshape(-1, batch.asked, *query.shape[1:]).transpose(1, 2)
            seen = _attend(asked, keys, values, batch.ends, scale)
            return seen.transpose(1, 2).flatten(2).flatten(0, 1)
        mask = batch.mask if batch.trees is None else batch.trees
        return batch.joined(_attend(batch.apart(query), keys, values, mask, scale))
