"""The lowest layers of a model that are not trained, and what they compute of the training rows.

They compute without dropout, in training as in scoring: what they learn nothing from would only be
noise, and so a row's hidden states at the lowest trained layer are the same in every step. They are
computed once, kept in the shared cache for other trials of that depth, and read from there row by
row: never are those of all rows in memory at once, unless the disk has no room for them. A trial
is charged for them in full, whoever computed them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from suite.contracts.strategy import Run
from suite.machine import cache, facts, rowstore
from suite.machine.rowstore import Put, RowFile
from suite.strategies.network import transformer
from suite.strategies.network.chunks import apart
from suite.strategies.network.feeding import Classifier
from suite.strategies.network.packed_models import Begun
from suite.strategies.network.packing import Packed

#: Raise it when the packed forward pass computes something else.
FORMAT = 1

#: Of the free memory, what hidden states may take where the disk has no room for them.
_MEMORY_SHARE = 1 / 8

_NUMBERS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

Ids = Sequence[int]


def depth(layers: int, share: float) -> int:
    """How many of a model's layers a share is.

    >>> depth(30, 0.75), depth(12, 0.5), depth(12, 0.0)
    (22, 6, 0)
    """
    return round(layers * share)


@dataclass(frozen=True)
class FrozenLayers:
    """What of a model is not trained.

    Args:
        modules: what stands below the layers, and the lowest layers.
        layer: the lowest layer that is trained, counted from 0.
    """

    modules: tuple[Any, ...]
    layer: int

    @classmethod
    def of(cls, model: Any, share: float) -> FrozenLayers | None:
        """The lowest layers of a classifier, frozen; None where its layers can't be told apart.

        Args:
            share: of its layers, above 0.
        """
        base = getattr(model, model.base_model_prefix)
        count = transformer.layers_of(model.config)
        layers = next(
            (
                part
                for part in base.modules()
                if isinstance(part, torch.nn.ModuleList) and len(part) == count
            ),
            None,
        )
        if layers is None:
            return None
        below = []
        for child in base.children():
            if any(part is layers for part in child.modules()):
                break
            below.append(child)
        layer = depth(count, share)
        found = cls((*below, *layers[:layer]), layer)
        for part in found.modules:
            part.requires_grad_(False)
        found.quiet()
        return found

    def quiet(self) -> None:
        """Without dropout, whatever the rest of the model does."""
        for part in self.modules:
            part.eval()


class Rows:
    """The rows of token ids of all texts.

    Args:
        texts: their token ids, a row each or `Chunks` of several.
    """

    def __init__(self, texts: Sequence[Ids]) -> None:
        self.ids, counts = apart(texts)
        self._firsts = list(accumulate(counts, initial=0))
        #: Where the tokens of each row begin among all.
        self.starts = list(accumulate(map(len, self.ids), initial=0))

    def of_text(self, place: int) -> range:
        """Which of the rows are a text's."""
        return range(self._firsts[place], self._firsts[place + 1])


class States:
    """Hidden states of every training row at the lowest trained layer.

    Args:
        values: float32 [tokens, width], row behind row.
        rows: of token ids: of each text one, or its chunks.
        numbers: what the layers compute in: they get what they would have got.
    """

    def __init__(
        self,
        values: RowFile | NDArray[np.float32],
        rows: Rows,
        layer: int,
        numbers: torch.dtype,
    ) -> None:
        self._values = values
        self._rows = rows
        self._layer = layer
        self._numbers = numbers

    def of(self, places: Sequence[int], packed: Packed) -> Begun:
        """Of the rows of a packed batch.

        Args:
            places: of their texts among the training texts, in the order in which they were packed.
        """
        rows = [row for place in places for row in self._rows.of_text(place)]
        read = [self._read(rows[index]) for index in packed.order.tolist()]
        hidden = torch.from_numpy(np.concatenate(read)).to(packed.ids.device, self._numbers)
        return Begun(hidden, self._layer)

    def _read(self, row: int) -> NDArray[np.float32]:
        first, count = self._rows.starts[row], len(self._rows.ids[row])
        if isinstance(self._values, RowFile):
            return self._values.read(first, count)
        return self._values[first : first + count]


def states(
    run: Run,
    frozen: FrozenLayers,
    classifier: Classifier,
    ids: Sequence[Ids],
    *,
    tokens: int,
    known_by: Sequence[Any],
) -> States | None:
    """The hidden states of all rows, found or made; None where there is no room for them anywhere,
    or rows are padded.

    Call it in the surroundings (autocast) that the model is trained in.

    Args:
        classifier: the model, as it is fed.
        tokens: that may go through it at once.
        known_by: what decides them, beside depth and versions, as JSON values.
    """
    if classifier.feeding == "padded":
        run.note(frozen_layers=frozen.layer, frozen_states="in each step")
        return None
    rows = Rows(ids)
    total, width = rows.starts[-1], transformer.width_of(classifier.model.config)
    facts_of = [FORMAT, *known_by, frozen.layer, transformers.__version__, torch.__version__]
    file = cache.place("states", facts_of)
    begun = time.perf_counter()
    stored = rowstore.find(file, total, width)
    numbers = None if stored is None else _NUMBERS.get(stored.facts.get("numbers", ""))
    if stored is not None and numbers is not None:
        run.saved(max(0.0, _seconds(stored) - (time.perf_counter() - begun)))
        run.note(frozen_layers=frozen.layer, frozen_states="cached")
        return States(stored, rows, frozen.layer, numbers)

    def fill(put: Put) -> Mapping[str, str]:
        return _compute(run, frozen, classifier, rows, tokens, put)

    stored = rowstore.make(file, total, width, fill)
    if stored is not None:
        run.note(frozen_layers=frozen.layer, frozen_states="made")
        return States(stored, rows, frozen.layer, _NUMBERS[stored.facts["numbers"]])
    if total * width * 4 > _MEMORY_SHARE * facts.free_memory():
        run.note(frozen_layers=frozen.layer, frozen_states="in each step")
        return None
    held = np.empty((total, width), dtype=np.float32)

    def hold(first: int, values: NDArray[np.float32]) -> None:
        held[first : first + len(values)] = values

    told = fill(hold)
    run.note(frozen_layers=frozen.layer, frozen_states="in memory")
    return States(held, rows, frozen.layer, _NUMBERS[told["numbers"]])


def _seconds(stored: RowFile) -> float:
    """What computing them took; 0 where nothing of use says so."""
    try:
        return max(0.0, float(stored.facts["seconds"]))
    except (KeyError, ValueError):
        return 0.0


def _compute(
    run: Run,
    frozen: FrozenLayers,
    classifier: Classifier,
    rows: Rows,
    tokens: int,
    put: Put,
) -> Mapping[str, str]:
    """Puts every row's hidden states where they belong; their numbers, and the seconds it took."""
    begun = time.perf_counter()
    numbers = torch.float32
    with torch.no_grad():
        for places in classifier.parts(
            rows.ids, min(tokens, transformer.scoring_tokens(classifier.where))
        ):
            packed = classifier.batch([rows.ids[place] for place in places]).inputs
            assert isinstance(packed, Packed)
            hidden = classifier.below(packed, frozen.layer)
            numbers = hidden.dtype
            found = torch.split(hidden.float().cpu(), list(packed.lengths))
            for index, values in zip(packed.order.tolist(), found, strict=True):
                put(rows.starts[places[index]], values.numpy())
            run.progress(0.0)  # It is alive.
    return {
        "numbers": str(numbers).removeprefix("torch."),
        "seconds": repr(time.perf_counter() - begun),
    }
