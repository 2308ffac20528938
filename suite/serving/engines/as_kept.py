"""`python` and `endpoint`: predictors that serve as they are kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from suite.contracts.engine import Kept, Kind
from suite.serving.engines.served import EnginePredictor, device_of
from suite.strategies import load_uncalibrated


class _AsKept:
    name: Kind
    versions: tuple[str, ...]

    def precisions(self, kept: Kept) -> tuple[str, ...]:
        """That of the predictor."""
        return (kept.precision,) if kept.kind == self.name else ()

    def refuses(self, kept: Kept, precision: str) -> str | None:
        """Predictors of another kind."""
        return None if kept.kind == self.name else f"{self.name} does not serve what is kept there"

    def open(
        self, folder: Path, precision: str, *, texts: Sequence[str], scratch: Path
    ) -> EnginePredictor:
        """The predictor, loaded."""
        begun = time.perf_counter()
        predictor: Any = load_uncalibrated(folder)
        # What answers from memory would only measure the memory.
        predictor = predictor.to_measure() if hasattr(predictor, "to_measure") else predictor
        return EnginePredictor(
            predictor,
            folder=folder,
            engine=self.name,
            precision=predictor.precision,
            device=device_of(predictor),
            serving_shape=predictor.serving_shape,
            load_seconds=time.perf_counter() - begun,
            prepare_seconds=0.0,
        )


class PythonEngine(_AsKept):
    """Classic and static predictors, and those of somebody's own."""

    name = "python"
    versions = ("numpy", "scipy", "model2vec", "tokenizers")


class EndpointEngine(_AsKept):
    """A served model, asked over the network as it was in the study."""

    name = "endpoint"
    versions = ()  # The server's are not known.
