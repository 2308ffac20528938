"""The vectors of a text's chunks become one, between a network and the layer that names classes.

What the classes are read from is what the last linear layer of a classifier is given, whatever the
architecture: there chunks are joined, in training with their gradient. For attention a vector is
learnt: a chunk weighs as the softmax of its product with it (as over words in Yang et al. 2016,
"Hierarchical Attention Networks for Document Classification"). It begins at zero, which is the
mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from suite.contracts.cutting import ATTENTION, MAX
from suite.contracts.strategy import Refused
from suite.strategies.network import arrays
from suite.strategies.network.arrays import Form
from suite.strategies.network.packed_models import Begun, PackedClassifier, inner
from suite.strategies.network.packing import Packed

Tensor = torch.Tensor

#: Where a predictor keeps the vector.
ATTENTION_FILE = "chunk_attention.safetensors"
_VECTOR = "vector"

#: Of the search for the vector on frozen embeddings: its rounds, and the penalty on the squares of
#: it and of the regression beside it, on the scale of a loss that is summed over texts (C = 1).
_ROUNDS, _HELD = 100, 0.5

Matrix = NDArray[np.float32]


class ChunkPooling(torch.nn.Module):
    """Vectors of chunks to vectors of texts.

    Args:
        way: one of `cutting.POOLINGS`.
        width: of the vectors.
    """

    def __init__(self, way: str, width: int) -> None:
        super().__init__()
        self.way = way
        self.vector = torch.nn.Parameter(torch.zeros(width)) if way == ATTENTION else None

    def forward(self, values: Tensor, counts: Sequence[int]) -> Tensor:
        """Vectors [texts, width] in the numbers they came in.

        Args:
            values: [chunks, width], text after text.
            counts: chunks of each text, at least 1.
        """
        if len(values) == len(counts):
            return values
        sizes = torch.tensor(counts, device=values.device)
        texts = torch.repeat_interleave(torch.arange(len(counts), device=values.device), sizes)
        whole = values.float()
        if self.way == MAX:
            found = _highest(whole, texts, len(counts))
        else:
            weights = self._weights(whole, texts, sizes)
            sums = whole.new_zeros(len(counts), whole.shape[1])
            found = sums.index_add(0, texts, whole * weights[:, None])
        return found.to(values.dtype)

    def _weights(self, values: Tensor, texts: Tensor, sizes: Tensor) -> Tensor:
        """What part of its text each chunk has, float32 [chunks]."""
        if self.vector is None:
            return 1.0 / sizes[texts]
        scores = (values * self.vector).sum(dim=1, keepdim=True)
        risen = torch.exp(scores - _highest(scores.detach(), texts, len(sizes))[texts]).squeeze(1)
        return risen / risen.new_zeros(len(sizes)).index_add(0, texts, risen)[texts]

    def of_arrays(self, values: Matrix, counts: Sequence[int]) -> Matrix:
        """The same of arrays, float32."""
        with torch.inference_mode():
            found: Matrix = self(torch.from_numpy(np.ascontiguousarray(values)), counts).numpy()
        return found

    def write(self, folder: Path) -> None:
        """What was learnt, if anything."""
        if self.vector is not None:
            arrays.write(
                folder / ATTENTION_FILE, {_VECTOR: self.vector.detach().float().cpu().numpy()}
            )

    @classmethod
    def read(cls, folder: Path, way: str, width: int) -> ChunkPooling:
        """What `write` wrote.

        Raises:
            ModelError: the file is missing or something else.
        """
        made = cls(way, width)
        if made.vector is not None:
            found = arrays.read(folder / ATTENTION_FILE, {_VECTOR: Form((width,))})
            made.vector.data = torch.from_numpy(found[_VECTOR])
        return made


def learnt(
    way: str, values: Matrix, counts: Sequence[int], labels: Sequence[int], classes: int
) -> ChunkPooling:
    """What joins chunks whose vectors are frozen: for attention the vector that serves a softmax
    regression best which is learnt with it and dropped.

    Args:
        values: float32 [chunks, width], text after text.
        counts: chunks of each text.
        labels: class index of each text.
    """
    pooling = ChunkPooling(way, values.shape[1])
    if pooling.vector is None:
        return pooling
    # In units of the embeddings' own size, so that one regularisation suits every model.
    size = float(np.sqrt(np.square(values, dtype=np.float64).mean())) or 1.0
    given = torch.from_numpy(np.ascontiguousarray(values)) / size
    wanted = torch.tensor(labels)
    weight = torch.zeros(classes, values.shape[1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    search = torch.optim.LBFGS(
        [pooling.vector, weight, bias], max_iter=_ROUNDS, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        search.zero_grad()
        found = torch.nn.functional.linear(pooling(given, counts), weight, bias)
        assert pooling.vector is not None
        held = weight.square().sum() + pooling.vector.square().sum()
        total = torch.nn.functional.cross_entropy(found, wanted) + _HELD * held / len(wanted)
        total.backward()  # type: ignore[no-untyped-call]
        return total

    with torch.enable_grad():
        search.step(loss)  # type: ignore[no-untyped-call]
    pooling.vector.data /= size
    return pooling.requires_grad_(False)


def _highest(values: Tensor, texts: Tensor, count: int) -> Tensor:
    """The highest of each column in each text, [texts, columns] of [chunks, columns]."""
    where = texts[:, None].expand_as(values)
    empty = values.new_zeros(count, values.shape[1])
    return empty.scatter_reduce(0, where, values, "amax", include_self=False)


def last_layer(model: Any) -> Any:
    """The linear layer that names the classes, of a sequence classifier, peft-wrapped or not.

    Raises:
        Refused: the architecture has none.
    """
    classes = model.config.num_labels
    found = [
        module
        for name, module in inner(model).named_modules()
        if getattr(module, "out_features", None) == classes
        and "original_module" not in name
        and ".lora_" not in name
    ]
    if not found:
        raise Refused(
            f"a {type(inner(model)).__name__} has no linear layer that names the classes, before "
            "which chunks could be joined; cutting: head_tail would work"
        )
    return found[-1]


def logits(
    model: Any,
    packed: PackedClassifier | None,
    inputs: Packed | dict[str, Tensor],
    pooling: ChunkPooling,
    counts: Sequence[int],
    begun: Begun | None = None,
) -> Tensor:
    """Logits [texts, classes] of a batch of chunks.

    Args:
        packed: the classifier's packed form, where it has one.
        counts: chunks of each text.
        begun: of packed chunks, the hidden states to go on from.

    Raises:
        Refused: an architecture whose classes are read otherwise than row by row.
    """
    if isinstance(inputs, Packed):
        assert packed is not None
        with _joined(model, pooling, counts, inputs):
            return packed.unordered(inputs, begun)
    own = inner(model)
    score = getattr(own, "score", None)
    if score is not None and hasattr(own, "base_model_prefix"):  # It scores every token.
        hidden = getattr(own, own.base_model_prefix)(**inputs).last_hidden_state
        last = inputs["attention_mask"].sum(dim=1) - 1
        states = hidden[torch.arange(len(hidden), device=hidden.device), last]
        found: Tensor = score(pooling(states, counts))
        return found
    with _joined(model, pooling, counts, None):
        whole: Tensor = model(**inputs).logits
        return whole


@contextmanager
def _joined(
    model: Any, pooling: ChunkPooling, counts: Sequence[int], packed: Packed | None
) -> Iterator[None]:
    """Within: the layer that names classes is given texts in place of chunks."""

    def join(layer: Any, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        (values,) = given
        rows = values.reshape(-1, values.shape[-1])
        if len(rows) != sum(counts):
            raise Refused(
                f"a {type(inner(model)).__name__} names classes otherwise than text by text, so "
                "that chunks can't be joined; cutting: head_tail would work"
            )
        return (pooling(rows if packed is None else packed.given_order(rows), counts),)

    handle = last_layer(model).register_forward_pre_hook(join)
    try:
        yield
    finally:
        handle.remove()
