"""Attention over packed texts: each text attends to itself alone, and no key is masked out.

Three ways with one result. On a CPU a run of texts of one length is one batched product: by
PyTorch's fused kernel, or, where attention weights are dropped out (which that kernel does not do
on a CPU), by a function with a backward pass of its own. On a GPU a launch per run would cost more
than it computes: there the texts are laid side by side, padded within attention alone, and where
PyTorch's kernel for texts of different lengths works it takes the packed row as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch.nn.functional import dropout as torch_dropout
from torch.nn.functional import scaled_dot_product_attention

from suite.strategies.network.packing import Packed

Tensor = torch.Tensor


class Dropout:
    """Dropout whose random bits come from numpy's SFC64: on a CPU about three times as quick.

    torch draws each number by itself, from one stream and in one thread; here 16 bits decide, so
    a probability is met to within 2^-17.
    """

    def __init__(self, seed: int) -> None:
        self.bits = np.random.Generator(np.random.SFC64(seed))

    def drawn(self, shape: torch.Size, probability: float) -> Tensor:
        """Which elements are dropped: bool, on the CPU."""
        bits = np.frombuffer(self.bits.bytes(2 * shape.numel()), dtype=np.uint16)
        return torch.from_numpy(bits < round(probability * 65_536)).view(shape)

    def __call__(self, values: Tensor, probability: float) -> Tensor:
        """The values, a share of them 0 and the others scaled up to match."""
        if probability == 0:
            return values
        if values.device.type != "cpu":
            return torch_dropout(values, probability)
        kept: Tensor = _Drop.apply(values, self.drawn(values.shape, probability), probability)  # type: ignore[no-untyped-call]
        return kept


class _Drop(torch.autograd.Function):
    # `masked_fill` and not a product: times a bool, a tensor is first copied as numbers.
    @staticmethod
    def forward(ctx: Any, values: Tensor, drawn: Tensor, probability: float) -> Tensor:
        ctx.save_for_backward(drawn)
        ctx.scale = 1 / (1 - probability)
        return values.masked_fill(drawn, 0).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (drawn,) = ctx.saved_tensors
        return gradient.masked_fill(drawn, 0).mul_(ctx.scale), None, None


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packed: Packed,
    *,
    heads: int,
    scale: float,
    dropout: float = 0.0,
    drop: Dropout | None = None,
    causal: bool = False,
) -> Tensor:
    """Attention of each text to itself.

    Args:
        query: [tokens, heads × size], or [texts, heads × size] where one token of each text asks
            (then `causal` must be off).
        key, value: [tokens, heads × size].
        dropout: share of attention weights that are dropped; 0 where a model only predicts.
        drop: where the bits for it come from.

    Returns:
        As `query`.
    """
    if query.device.type == "cpu":
        if torch.is_autocast_enabled("cpu"):
            numbers = torch.get_autocast_dtype("cpu")
            query, key, value = query.to(numbers), key.to(numbers), value.to(numbers)
        # Autocast would take back to bfloat16 what is to be computed in float32.
        with torch.autocast("cpu", enabled=False):
            if dropout > 0 and drop is not None:
                if causal:
                    raise ValueError("attention dropout of a causal model is not packed")
                attended: Tensor = _Dropped.apply(  # type: ignore[no-untyped-call]
                    query, key, value, packed, heads, scale, dropout, drop
                )
                return attended
            return _by_runs(query, key, value, packed, heads, scale, causal)
    if _alone(query, packed) or dropout > 0 or not _ragged_kernel(query.device, query.dtype):
        return _side_by_side(query, key, value, packed, heads, scale, dropout, causal)
    return _ragged(query, key, value, packed, heads, scale, causal)


def _alone(query: Tensor, packed: Packed) -> bool:
    """Whether one token of each text asks, and not each of its tokens."""
    return len(query) != len(packed.ids)


def _asked(query: Tensor, packed: Packed) -> list[tuple[int, int]]:
    """(texts, queries of each) per run."""
    if _alone(query, packed):
        return [(count, 1) for count, _ in packed.runs]
    return packed.runs


def _by_runs(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packed: Packed,
    heads: int,
    scale: float,
    causal: bool,
) -> Tensor:
    sizes = [count * length for count, length in packed.runs]
    asked = _asked(query, packed)
    # `split` and not slices: a slice's backward pass fills a gradient as large as the whole.
    pieces = zip(
        asked,
        packed.runs,
        torch.split(query, [count * asks for count, asks in asked]),
        torch.split(key, sizes),
        torch.split(value, sizes),
        strict=True,
    )
    found = []
    learns = torch.is_grad_enabled() and any(x.requires_grad for x in (query, key, value))
    for (count, asks), (_, length), q, k, v in pieces:
        numbers = torch.float32 if learns and length < _SHORT_TO_LEARN else query.dtype
        attended = scaled_dot_product_attention(
            q.to(numbers).view(count, asks, heads, -1).transpose(1, 2),
            k.to(numbers).view(count, length, heads, -1).transpose(1, 2),
            v.to(numbers).view(count, length, heads, -1).transpose(1, 2),
            scale=scale,
            is_causal=causal,
        )
        rows = attended.transpose(1, 2).reshape(count * asks, -1)
        found.append(rows.to(query.dtype))
    return torch.cat(found) if len(found) > 1 else found[0]


#: Texts shorter than this attend in float32 whatever else computes in: products so small, of a
#: new shape in almost every batch, cost bfloat16 several times as much (BENCHMARKS.md).
_SHORT = 96
#: The same where PyTorch's fused kernel has a backward pass to make: at 150 tokens that of bfloat16
#: takes about twice as long or longer, at 300 as long or half as long again (BENCHMARKS.md).
_SHORT_TO_LEARN = 256


class _Dropped(torch.autograd.Function):
    """softmax(q kᵀ) with weights dropped out, times v; by runs, on a CPU."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        packed: Packed,
        heads: int,
        scale: float,
        probability: float,
        drop: Dropout,
    ) -> Tensor:
        out = torch.empty_like(query)
        kept: list[Tensor] = []
        at = asked_at = 0
        rescale = 1 / (1 - probability)
        asked = _asked(query, packed)
        for (count, length), (_, asks) in zip(packed.runs, asked, strict=True):
            rows = slice(at, at := at + count * length)
            asking = slice(asked_at, asked_at := asked_at + count * asks)
            numbers = torch.float32 if length < _SHORT else query.dtype
            q = _by_heads(query[asking], count, asks, heads, numbers)
            k, v = (_by_heads(x[rows], count, length, heads, numbers) for x in (key, value))
            scores = torch.baddbmm(q.new_zeros(1, 1, 1), q, k.transpose(1, 2), beta=0, alpha=scale)
            weights = torch.softmax(scores, dim=-1, dtype=torch.float32)
            drawn = drop.drawn(weights.shape, probability)
            dropped = weights.masked_fill(drawn, 0).to(numbers)
            attended = torch.bmm(dropped, v).mul_(rescale)
            _into(out[asking], attended, count, asks, heads)
            kept += [q, k, v, weights, drawn]
        ctx.save_for_backward(*kept)
        ctx.facts = (packed, asked, heads, scale, rescale)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        packed, asked, heads, scale, rescale = ctx.facts
        kept = ctx.saved_tensors
        gradient = gradient.contiguous()
        to_query = torch.empty_like(gradient)
        to_key, to_value = (gradient.new_empty(len(packed.ids), gradient.shape[1]) for _ in "kv")
        at = asked_at = 0
        for run, ((count, length), (_, asks)) in enumerate(zip(packed.runs, asked, strict=True)):
            rows = slice(at, at := at + count * length)
            asking = slice(asked_at, asked_at := asked_at + count * asks)
            q, k, v, weights, drawn = kept[5 * run : 5 * run + 5]
            g = _by_heads(gradient[asking], count, asks, heads, q.dtype) * rescale
            dropped = weights.masked_fill(drawn, 0).to(g.dtype)
            to_v = torch.bmm(dropped.transpose(1, 2), g)
            to_weights = torch.bmm(g, v.transpose(1, 2)).float().masked_fill_(drawn, 0)
            to_scores = torch._softmax_backward_data(to_weights, weights, -1, torch.float32)
            to_scores, nothing = to_scores.to(g.dtype), g.new_zeros(1, 1, 1)
            to_q = torch.baddbmm(nothing, to_scores, k, beta=0, alpha=scale)
            to_k = torch.baddbmm(nothing, to_scores.transpose(1, 2), q, beta=0, alpha=scale)
            _into(to_query[asking], to_q, count, asks, heads)
            _into(to_key[rows], to_k, count, length, heads)
            _into(to_value[rows], to_v, count, length, heads)
        return to_query, to_key, to_value, None, None, None, None, None


def _by_heads(rows: Tensor, count: int, length: int, heads: int, numbers: torch.dtype) -> Tensor:
    """[count × length, heads × size] -> [count × heads, length, size], in these numbers."""
    apart = rows.view(count, length, heads, -1).transpose(1, 2)
    copied = apart.to(numbers, copy=True, memory_format=torch.contiguous_format)
    return copied.view(count * heads, length, -1)


def _into(rows: Tensor, values: Tensor, count: int, length: int, heads: int) -> None:
    """Writes [count × heads, length, size] into [count × length, heads × size]."""
    rows.view(count, length, heads, -1).copy_(values.view(count, heads, length, -1).transpose(1, 2))


def _side_by_side(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packed: Packed,
    heads: int,
    scale: float,
    dropout: float,
    causal: bool,
) -> Tensor:
    """Padded within attention alone: one launch for all texts, on any device."""
    texts, longest = len(packed.lengths), packed.lengths[0]
    place = packed.texts * longest + packed.positions
    lengths = torch.tensor(packed.lengths, device=query.device)
    real = torch.arange(longest, device=query.device) < lengths[:, None]

    def apart(rows: Tensor) -> Tensor:
        wide = rows.new_zeros(texts * longest, rows.shape[1]).index_copy(0, place, rows)
        return wide.view(texts, longest, heads, -1).transpose(1, 2)

    alone = _alone(query, packed)
    q = query.view(texts, 1, heads, -1).transpose(1, 2) if alone else apart(query)
    mask = real[:, None, None, :]
    if causal:
        mask = mask & torch.ones(longest, longest, dtype=torch.bool, device=query.device).tril()
    attended = scaled_dot_product_attention(
        q, apart(key), apart(value), attn_mask=mask, dropout_p=dropout, scale=scale
    )
    rows = attended.transpose(1, 2).reshape(-1, query.shape[1])
    return rows if alone else rows[place]


def _ragged(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    packed: Packed,
    heads: int,
    scale: float,
    causal: bool,
) -> Tensor:
    """PyTorch's own kernel for texts of different lengths, on the packed row as it is."""
    borders = torch.cat([packed.starts, packed.ends[-1:] + 1]).to(torch.int32)
    shape = (len(query), heads, -1)
    attended: Tensor = _varlen()(
        query.view(shape),
        key.view(shape),
        value.view(shape),
        borders,
        borders,
        packed.lengths[0],
        packed.lengths[0],
        scale=scale,
        window_size=(-1, 0) if causal else (-1, -1),
    )
    return attended.reshape(len(query), -1)


def _varlen() -> Callable[..., Any]:
    from torch.nn.attention.varlen import varlen_attn

    return varlen_attn


@cache
def _ragged_kernel(where: torch.device, numbers: torch.dtype) -> bool:
    """Whether that kernel works here: tried once on three short texts, forth and back, against
    the padded way. It is young, and asks for a recent GPU and 16-bit numbers."""
    if where.type != "cuda" or numbers not in (torch.bfloat16, torch.float16):
        return False
    lengths = (5, 3, 2)
    positions = torch.cat([torch.arange(n) for n in lengths]).to(where)
    packed = Packed(torch.zeros(10, dtype=torch.int64, device=where), positions, lengths, positions)
    drawn = torch.Generator().manual_seed(0)
    results = []
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.autocast(where.type, enabled=False),
    ):
        rows = [torch.randn(10, 128, generator=drawn).to(where, numbers) for _ in "qkv"]
        for causal in (False, True):
            for way in ("ragged", "padded"):
                q, k, v = (row.clone().requires_grad_() for row in rows)
                try:
                    if way == "ragged":
                        attended = _ragged(q, k, v, packed, 2, 0.125, causal)
                    else:
                        attended = _side_by_side(q, k, v, packed, 2, 0.125, 0.0, causal)
                    torch.autograd.backward(attended.float().square().sum())
                except (RuntimeError, ImportError, TypeError):
                    return False
                results.append([attended, q.grad, k.grad, v.grad])
    pairs = [*zip(results[0], results[1], strict=True), *zip(results[2], results[3], strict=True)]
    return all(
        a is not None and b is not None and torch.allclose(a.float(), b.float(), atol=2e-2)
        for a, b in pairs
    )
