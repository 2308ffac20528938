"""What can serve a kept predictor, and opening it: one door for every engine.

    torch         the kept predictor as it is, or its network in other numbers
    compile       torch.compile
    onnxruntime   exported to ONNX
    openvino      converted through torch.export
    python        classic predictors, and those of somebody's own, as they are
    endpoint      a served model, asked over the network as it was in the study

An engine is opened in a child process of its own, and its answers are compared with the kept
predictor's (`agreement`) before anybody counts how many it gives. Importing this module imports
nothing heavy.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from suite.errors import ModelError, nearest
from suite.machine import facts
from suite.serving.engines import kept
from suite.serving.engines.kept import Kept

if TYPE_CHECKING:
    from suite.serving.engines.served import EnginePredictor

#: Packages without which an engine can't be opened.
_NEEDS: dict[str, tuple[str, ...]] = {
    "onnxruntime": ("onnxruntime", "onnx", "onnxscript"),
    "openvino": ("openvino",),
}
#: Further ones of one precision.
_NEEDS_TOO: dict[tuple[str, str], tuple[str, ...]] = {("openvino", "int8"): ("nncf",)}

_PRECISIONS: dict[str, tuple[str, ...]] = {
    "torch": ("float32", "bfloat16", "float16", "int8"),
    "onnxruntime": ("float32", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
}


@dataclass(frozen=True)
class Candidate:
    """One engine at one precision for one kept predictor.

    Args:
        engine: `torch`, `compile`, `onnxruntime`, `openvino`, `python` or `endpoint`.
        precision: "float32", "bfloat16", "float16", "int8", or what the predictor says.
        refused: why it can't run here and what would help, or None.
    """

    engine: str
    precision: str
    refused: str | None = None


def candidates(folder: Path) -> list[Candidate]:
    """Every engine at every precision for the predictor kept in a folder, refused ones too.

    Reads small files and looks for packages; nothing is loaded. That an architecture can't be
    converted shows only in `open_engine`.

    Raises:
        ModelError: the folder holds no trained predictor.
    """
    found = kept.look(folder)
    if found.kind == "endpoint":
        return [Candidate("endpoint", found.precision)]
    if found.kind == "python":
        return [Candidate("python", found.precision)]
    pairs = [("torch", precision) for precision in _PRECISIONS["torch"]]
    if ("torch", found.precision) not in pairs:
        pairs.insert(0, ("torch", found.precision))
    pairs.append(("compile", _narrowest()))
    pairs += [(e, p) for e in ("onnxruntime", "openvino") for p in _PRECISIONS[e]]
    return [Candidate(engine, p, _refusal(found, engine, p)) for engine, p in pairs]


def open_engine(
    folder: Path, engine: str, precision: str, *, texts: Sequence[str], scratch: Path
) -> EnginePredictor:
    """Loads a kept predictor behind an engine: exports, converts, compiles and quantises it.

    Args:
        folder: as `save_predictor` wrote it.
        texts: representative ones, at least one; for the ranges of 8-bit numbers, and to make
            ready for shapes.
        scratch: a folder for what is converted; it must outlive the engine.

    Raises:
        Refused: the engine or the precision can't be had here, or not for this model.
        ModelError: the folder holds no predictor, or the engine failed on it.
    """
    from suite.contracts.strategy import Refused
    from suite.serving.engines import native

    if not texts:
        raise ModelError("an engine needs texts to make itself ready with")
    found = kept.look(folder)
    if found.kind != "network":
        if engine not in ("python", "endpoint"):
            raise Refused(f"{engine} serves networks; this predictor serves as it is")
        return native.as_kept(folder, engine)
    reason = _refusal(found, engine, precision)
    if reason is not None:
        raise Refused(reason)
    match engine:
        case "torch":
            return native.open_torch(folder, precision, texts=texts, scratch=scratch)
        case "compile":
            from suite.serving.engines import compiled

            return compiled.open_compiled(folder, precision, texts=texts, scratch=scratch)
        case "onnxruntime":
            from suite.serving.engines import onnx_engine

            return onnx_engine.open_onnxruntime(folder, precision, texts=texts, scratch=scratch)
        case "openvino":
            from suite.serving.engines import openvino_engine

            return openvino_engine.open_openvino(folder, precision, texts=texts, scratch=scratch)
        case _:
            raise ModelError(f"unknown engine '{engine}'", fix=nearest(engine, _ENGINES))


_ENGINES = ("torch", "compile", "onnxruntime", "openvino", "python", "endpoint")


def _refusal(found: Kept, engine: str, precision: str) -> str | None:
    if engine == "torch" and precision == found.precision:
        return None
    if found.fixed is not None:
        return found.fixed
    needed = _NEEDS.get(engine, ()) + _NEEDS_TOO.get((engine, precision), ())
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed: pip install 'suite[engines]'"
    if engine in _PRECISIONS and precision not in _PRECISIONS[engine]:
        return f"{engine} serves {', '.join(_PRECISIONS[engine])} here, not {precision}"
    gpu = bool(facts.gpus())
    if engine == "torch" and precision == "int8" and gpu:
        return "int8 by torch is for CPUs: use bfloat16 or float16 on a GPU"
    if precision == "bfloat16" and not (gpu and engine != "openvino") and _lacks_bfloat16():
        return (
            "this CPU has no bfloat16 arithmetic (avx512_bf16, amx_bf16 or Arm's bf16), and would "
            "only imitate it"
        )
    return None


def _lacks_bfloat16() -> bool:
    return facts.CPUINFO.is_file() and not facts.cpu_bf16_flags()


def _narrowest() -> str:
    """What compiled code computes in: bfloat16 on GPUs and where the CPU has units for it."""
    return "bfloat16" if facts.gpus() or "amx_bf16" in facts.cpu_bf16_flags() else "float32"
