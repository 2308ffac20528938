"""`onnxruntime`: exported to ONNX, its transformer patterns fused, in 8 bits where asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.package import Package
from suite.serving.engines.network import NetworkEngine
from suite.serving.engines.served import EnginePredictor, GraphAnswers, converting, failed, quiet

if TYPE_CHECKING:
    from suite.serving.engines.graph import Graph

_INPUTS, _OUTPUT = ("input_ids", "attention_mask"), "logits"
#: Above this a model's weights stand beside the ONNX file, whose format ends at 2 GB.
_INSIDE_BYTES = 1_500_000_000

_TOKENS = 1_536


class OnnxRuntimeEngine(NetworkEngine):
    """ONNX Runtime, on the CPU."""

    name = "onnxruntime"
    numbers = ("float32", "int8")
    packages = (
        Package("ONNX Runtime", "onnxruntime", "suite[engines]", "serving by that engine"),
        Package("ONNX", "onnx", "suite[engines]", "writing ONNX files"),
        Package("onnxscript", "onnxscript", "suite[engines]", "writing ONNX files"),
    )
    versions = ("onnxruntime", "onnx", "torch")
    uses_gpu = False

    def open(
        self, folder: Path, precision: str, *, texts: Sequence[str], scratch: Path
    ) -> EnginePredictor:
        """A kept predictor, exported.

        Raises:
            Refused: the architecture can't be exported.
            ModelError: the folder holds no predictor.
        """
        from suite.serving.engines import exported

        source = exported.source_of(folder, scratch, attention="eager")
        begun = time.perf_counter()
        with converting("ONNX", "export"), quiet():
            file = _exported(source.graph, texts, scratch / "model.onnx")
        if precision == "int8":
            with converting("ONNX Runtime", "quantise"), quiet():
                file = _quantised(file, scratch / "int8.onnx")
        with converting("ONNX Runtime", "open"):
            session = _session(file, exported.threads())
            answers = GraphAnswers(source.graph, _Run(session), tokens=_TOKENS)
            answers.predict_proba(texts)
        return source.served(answers, self.name, precision, "cpu", begun)


def _bytes(graph: Graph) -> int:
    return sum(weights.numel() * 4 for weights in graph.module.parameters())


def _exported(graph: Graph, texts: Sequence[str], file: Path) -> Path:
    import torch

    from suite.serving.engines import exported

    with torch.no_grad():
        torch.onnx.export(
            graph.module,
            exported.sample(graph, texts),
            file,
            input_names=list(_INPUTS),
            output_names=[_OUTPUT],
            dynamo=True,
            dynamic_shapes=exported.dynamic_shapes(),
            external_data=_bytes(graph) > _INSIDE_BYTES,
            verbose=False,
        )
    return file


def _quantised(file: Path, target: Path) -> Path:
    """Weights in 8 bits per output; what they are multiplied with, to its range at each call."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        file,
        target,
        op_types_to_quantize=["MatMul"],
        weight_type=QuantType.QInt8,
        per_channel=True,
        use_external_data_format=file.with_suffix(".onnx.data").exists(),
    )
    return target


def _session(file: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin while they wait take the other's core where there are few.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


class _Run:
    def __init__(self, session: Any) -> None:
        self.session = session

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            found = self.session.run([_OUTPUT], dict(zip(_INPUTS, (ids, mask), strict=True)))
        except RuntimeError as error:
            raise failed("ONNX Runtime", error) from error
        logits: NDArray[np.float32] = found[0]
        return logits
