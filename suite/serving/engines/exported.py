"""What exporting engines share: the graph of a kept predictor, and how many threads to use.

Exported is what is on disk, in float32, on the CPU; narrower numbers are the engine's own doing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from suite.contracts.strategy import Refused
from suite.serving.engines.graph import Graph, graph_of
from suite.serving.engines.native import load_float32
from suite.serving.engines.served import Answers, EnginePredictor
from suite.strategies.calibrated import temperature_of

#: Most distinct lengths of single texts that an engine makes itself ready for.
_WARM_LENGTHS = 48


@dataclass(frozen=True)
class Source:
    """A kept predictor, ready to be exported."""

    folder: Path
    graph: Graph
    serving_shape: str
    load_seconds: float

    def served(
        self, answers: Answers, engine: str, precision: str, device: str, begun: float
    ) -> EnginePredictor:
        """What answers in its place.

        Args:
            begun: when the work began that made it ready, by `time.perf_counter`.
        """
        return EnginePredictor(
            answers,
            folder=self.folder,
            engine=engine,
            precision=precision,
            device=device,
            serving_shape=self.serving_shape,
            load_seconds=self.load_seconds,
            prepare_seconds=time.perf_counter() - begun,
        )


def source_of(folder: Path, scratch: Path, *, attention: str, device: str | None = "cpu") -> Source:
    """Loads a kept predictor and makes it a graph.

    Args:
        attention: see `Graph.attend_by`.
        device: where its weights go; None where the predictor computes.

    Raises:
        Refused: the predictor is none that can be exported.
        ModelError: the folder holds no predictor.
    """
    begun = time.perf_counter()
    predictor = load_float32(folder, scratch)
    graph = graph_of(predictor)
    if isinstance(graph, str):
        raise Refused(graph)
    graph.attend_by(attention)
    temperature = temperature_of(folder)
    if temperature is not None:
        graph = graph.at(temperature)
    if device is not None:
        graph.module.to(device)
    return Source(folder, graph, predictor.serving_shape, time.perf_counter() - begun)


def sample(graph: Graph, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs to export with: three rows of different lengths, neither dimension 1."""
    lengths = (min(11, graph.max_tokens), 7, 2)
    rows, _ = graph.rows(list(texts[:3]))
    ids = torch.full((len(lengths), lengths[0]), graph.pad_id, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for place, length in enumerate(lengths):
        row = rows[place % len(rows)]
        for column in range(min(length, lengths[0])):
            ids[place, column] = row[column % len(row)]
            mask[place, column] = 1
    return ids, mask


def dynamic_shapes() -> Any:
    """Both dimensions of both inputs may have any size."""
    free = torch.export.Dim.AUTO
    return ({0: free, 1: free}, {0: free, 1: free})


def batches_of(
    graph: Graph, texts: Sequence[str], size: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The texts' rows as padded inputs in batches, longest first."""
    rows = sorted(graph.rows(texts)[0], key=len, reverse=True)
    found = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        ids = np.full((len(part), len(part[0])), graph.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(part):
            ids[place, : len(row)] = row
            mask[place, : len(row)] = 1
        found.append((ids, mask))
    return found


def singles(graph: Graph, texts: Sequence[str]) -> list[str]:
    """One text of each length that occurs, to make an engine ready for each by itself."""
    by_length = {len(row): text for row, text in zip(graph.encode(texts), texts, strict=True)}
    kept = sorted(by_length)
    step = max(1, len(kept) // _WARM_LENGTHS)
    return [by_length[length] for length in kept[::step]]


def threads() -> int:
    """As many as PyTorch is set to."""
    return torch.get_num_threads()
