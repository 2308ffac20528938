"""`compile`: the graph through torch.compile, for any number of texts of any length."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.engine import Kept
from suite.machine import facts
from suite.serving.engines.network import NetworkEngine
from suite.serving.engines.served import EnginePredictor, GraphAnswers, converting, quiet

if TYPE_CHECKING:
    import torch

#: Texts and tokens to compile and warm up with: no dimension 1, which would be compiled in.
_SHAPES = ((8, 24), (3, 57), (12, 16))


class CompileEngine(NetworkEngine):
    """torch.compile, on the GPU where there is one."""

    name = "compile"
    numbers = ("float32", "bfloat16", "float16")

    def precisions(self, kept: Kept) -> tuple[str, ...]:
        """The narrowest there are units for: bfloat16 on GPUs and on CPUs that have them."""
        if kept.kind != "network":
            return ()
        narrow = facts.has_gpu() or "amx_bf16" in facts.cpu_bf16_flags()
        return ("bfloat16" if narrow else "float32",)

    def open(
        self, folder: Path, precision: str, *, texts: Sequence[str], scratch: Path
    ) -> EnginePredictor:
        """A kept predictor, compiled.

        Raises:
            Refused: the architecture can't be compiled, or there is no compiler.
            ModelError: the folder holds no predictor.
        """
        import torch

        from suite.serving.engines import exported
        from suite.strategies.network import transformer

        where = transformer.device()
        source = exported.source_of(folder, scratch, attention="sdpa", device=str(where))
        graph = source.graph
        begun = time.perf_counter()
        numbers: torch.dtype = getattr(torch, precision)
        for parameter in graph.module.parameters():  # Not buffers: positions need float32.
            parameter.data = parameter.data.to(numbers)
        with converting("torch.compile", "compile"), quiet():
            run = _Run(torch.compile(graph.module, dynamic=True), where)
            answers = GraphAnswers(
                graph,
                run,
                tokens=transformer.scoring_tokens(where),
                batch=transformer.scoring_batch(where),
            )
            for rows, length in _SHAPES:
                length = min(length, graph.max_tokens)
                ids = np.full((rows, length), graph.pad_id, dtype=np.int64)
                mask = np.ones_like(ids)
                mask[0, length // 2 :] = 0
                run(ids, mask)
            answers.predict_proba(texts[:1])
            answers.predict_proba(texts)
        return source.served(answers, self.name, precision, str(where), begun)


class _Run:
    def __init__(self, module: Any, where: torch.device) -> None:
        self.module = module
        self.where = where

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        import torch

        # A row alone is compiled for rows in general only beside another one.
        alone = len(ids) == 1
        inputs = [torch.from_numpy(array).to(self.where) for array in (ids, mask)]
        if alone:
            inputs = [tensor.expand(2, -1).contiguous() for tensor in inputs]
        for tensor in inputs:
            torch._dynamo.maybe_mark_dynamic(tensor, (0, 1))
        with torch.inference_mode():
            logits: NDArray[np.float32] = self.module(*inputs).float().cpu().numpy()
        return logits[:1] if alone else logits
