"""A cascade: one model answers where it is sure, another one the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from suite.contracts.strategy import Predictor, Probabilities
from suite.strategies.combined import members
from suite.strategies.combined.members import CombinedPredictor, CombinedSettings, Share
from suite.verdict.combining import cascaded, unsure


class CascadeSettings(CombinedSettings):
    """Below `threshold` the first member's largest probability passes a text on to the second."""

    format: Literal["cascade"]
    members: Annotated[list[str], Field(min_length=2, max_length=2)]
    threshold: Share


class CascadePredictor(CombinedPredictor):
    """Two models, of which the second is asked about what the first is not sure of."""

    def __init__(
        self, loaded: Sequence[Predictor], folder: Path, threshold: float, classes: int
    ) -> None:
        super().__init__(loaded, folder, f"cascade at {threshold:.6g}", classes)
        self.threshold = threshold

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """The first model's probabilities where their largest is at least the threshold; else the
        second's, if it has an answer. float32 [texts, classes]."""
        first, second = self.members
        found = np.array(first.predict_proba(texts), dtype=np.float32)
        passed: list[int] = np.flatnonzero(unsure(found, self.threshold)).tolist()
        if passed:
            answers = second.predict_proba([texts[place] for place in passed])
            found[passed] = cascaded(found[passed], answers, self.threshold)
        return found


def load(folder: Path) -> CascadePredictor:
    """Reads what `members.write` wrote.

    Raises:
        ModelError: something is missing or damaged.
    """
    settings, loaded = members.read(folder, CascadeSettings)
    return CascadePredictor(loaded, folder, settings.threshold, settings.classes)
