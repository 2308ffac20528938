"""`openvino`: converted through torch.export, narrowed by OpenVINO, quantised by NNCF."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.package import Package
from suite.contracts.strategy import Refused
from suite.serving.engines.network import NetworkEngine
from suite.serving.engines.served import (
    EnginePredictor,
    GraphAnswers,
    converting,
    failed,
    quiet,
    unreported,
)

if TYPE_CHECKING:
    from suite.serving.engines.graph import Graph

#: OpenVINO's names of the numbers it computes in.
_NAMES = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}

_TOKENS = 1_536
_CALIBRATED_ON = 300


_OPENVINO = Package("OpenVINO", "openvino", "suite[engines]", "serving by that engine")
_NNCF = Package("NNCF", "nncf", "suite[engines]", "OpenVINO in int8")


class OpenVinoEngine(NetworkEngine):
    """OpenVINO, on the CPU."""

    name = "openvino"
    numbers = tuple(_NAMES)
    packages = (_OPENVINO, _NNCF)
    versions = ("openvino", "nncf", "torch")
    uses_gpu = False

    def needs(self, precision: str) -> tuple[Package, ...]:
        """NNCF quantises, and does nothing else."""
        return self.packages if precision == "int8" else (_OPENVINO,)

    def open(
        self, folder: Path, precision: str, *, texts: Sequence[str], scratch: Path
    ) -> EnginePredictor:
        """A kept predictor, converted.

        Raises:
            Refused: the CPU lacks the precision, or the architecture can't be converted.
            ModelError: the folder holds no predictor.
        """
        from suite.serving.engines import exported

        with unreported():
            import openvino

        core = openvino.Core()
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bfloat16" and "BF16" not in able:
            raise Refused(f"OpenVINO has no bfloat16 on this CPU ({', '.join(able)})")
        source = exported.source_of(folder, scratch, attention="sdpa")
        begun = time.perf_counter()
        with converting("OpenVINO", "convert"), quiet(), unreported():
            model = _converted(source.graph, texts)
        if precision == "int8":
            with converting("NNCF", "quantise"), quiet(), unreported():
                model = _quantised(model, source.graph, texts)
        settings = {
            "INFERENCE_PRECISION_HINT": _NAMES[precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": exported.threads(),
        }
        with converting("OpenVINO", "compile"):
            compiled = core.compile_model(model, "CPU", settings)
            answers = GraphAnswers(source.graph, _Run(compiled), tokens=_TOKENS)
            for text in exported.singles(source.graph, texts):
                answers.predict_proba([text])
            answers.predict_proba(texts)
        return source.served(answers, self.name, precision, "cpu", begun)


def _converted(graph: Graph, texts: Sequence[str]) -> Any:
    import openvino
    import torch

    from suite.serving.engines import exported

    inputs = exported.sample(graph, texts)
    with torch.no_grad():
        program = torch.export.export(
            graph.module, inputs, dynamic_shapes=exported.dynamic_shapes()
        )
    return openvino.convert_model(program)


def _quantised(model: Any, graph: Graph, texts: Sequence[str]) -> Any:
    """Weights and what goes into products in 8 bits, by the ranges that the texts show."""
    import nncf

    from suite.serving.engines import exported

    batches = exported.batches_of(graph, list(texts[:_CALIBRATED_ON]), 1)
    return nncf.quantize(
        model,
        nncf.Dataset(batches, list),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(batches),
    )


class _Run:
    def __init__(self, compiled: Any) -> None:
        self.request = compiled.create_infer_request()

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            found = self.request.infer([ids, mask], share_inputs=True)
        except RuntimeError as error:
            raise failed("OpenVINO", error) from error
        logits: NDArray[np.float32] = found[0]
        return logits
