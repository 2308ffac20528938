"""What can serve a kept predictor, and opening it: one file for each engine, found by name.

An engine of somebody's own comes in through the entry point group `suite.engines`. One is opened
in a child process of its own, and its answers are compared with the kept predictor's
(`agreement`) before anybody counts how many it gives. Importing this module, and any engine's,
imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from suite.contracts.registry import Registry
from suite.errors import ModelError
from suite.version import __version__

# The command line reads the names for its help, which must be there at once.
if TYPE_CHECKING:
    from suite.contracts.engine import Engine, Opened
    from suite.contracts.package import Package

#: The suite's own, the one that serves networks as they were kept first.
OWN = {
    "torch": "suite.serving.engines.native:TorchEngine",
    "compile": "suite.serving.engines.compiled:CompileEngine",
    "onnxruntime": "suite.serving.engines.onnx_engine:OnnxRuntimeEngine",
    "openvino": "suite.serving.engines.openvino_engine:OpenVinoEngine",
    "python": "suite.serving.engines.as_kept:PythonEngine",
    "endpoint": "suite.serving.engines.as_kept:EndpointEngine",
}
_KNOWN: Registry[Engine] = Registry("engine", "suite.engines", OWN)


@dataclass(frozen=True)
class Candidate:
    """One engine at one precision for one kept predictor.

    Args:
        engine: its name.
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
    from suite.serving.engines import kept

    found = kept.look(folder)
    return [
        Candidate(name, precision, engine.refuses(found, precision))
        for name in _KNOWN.names()
        for engine in [_KNOWN.get(name)]
        for precision in engine.precisions(found)
    ]


def open_engine(
    folder: Path, engine: str, precision: str, *, texts: Sequence[str], scratch: Path
) -> Opened:
    """Loads a kept predictor behind an engine; the arguments are those of `Engine.open`.

    Raises:
        Refused: the engine or the precision can't be had here, or not for this model.
        ModelError: the folder holds no predictor, or the engine failed on it.
        SuiteError: there is no such engine.
    """
    from suite.contracts.strategy import Refused
    from suite.serving.engines import kept

    if not texts:
        raise ModelError("an engine needs texts to make itself ready with")
    chosen = _KNOWN.get(engine)
    reason = chosen.refuses(kept.look(folder), precision)
    if reason is not None:
        raise Refused(reason)
    return chosen.open(folder, precision, texts=texts, scratch=scratch)


def versions(name: str) -> dict[str, str]:
    """The installed versions of what an engine's figures depend on; none where it is not known.

    Of an engine that does not say: the suite's and its own, so that an upgrade is noticed.
    """
    from suite.machine import facts

    if name not in _KNOWN.names():
        return {}
    declared = getattr(_KNOWN.get(name), "versions", None)
    brought = _KNOWN.distribution(name)
    named = declared if declared is not None else ("suite", *([brought] if brought else []))
    found = {one: __version__ if one == "suite" else facts.version_of(one) for one in named}
    return {one: version for one, version in found.items() if version is not None}


def packages() -> list[Package]:
    """What engines need beside the suite's own requirements."""
    return [p for name in _KNOWN.names() for p in getattr(_KNOWN.get(name), "packages", ())]
