"""An ensemble: the weighted mean of several models' probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from suite.contracts.strategy import Predictor, Probabilities
from suite.strategies.combined import members
from suite.strategies.combined.members import MOST_MEMBERS, CombinedPredictor, CombinedSettings
from suite.verdict.combining import averaged

_Weight = Annotated[float, Field(gt=0, le=1)]


class EnsembleSettings(CombinedSettings):
    """A weight for each member."""

    format: Literal["ensemble"]
    weights: Annotated[list[_Weight], Field(min_length=2, max_length=MOST_MEMBERS)]

    @model_validator(mode="after")
    def _one_each(self) -> EnsembleSettings:
        if len(self.weights) != len(self.members):
            raise ValueError(f"{len(self.weights)} weights for {len(self.members)} members")
        return self


class EnsemblePredictor(CombinedPredictor):
    """Several models, all of which are asked about every text."""

    def __init__(
        self, loaded: Sequence[Predictor], folder: Path, weights: Sequence[float], classes: int
    ) -> None:
        super().__init__(loaded, folder, "ensemble", classes)
        self.weights = list(weights)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """The weighted mean of the members' probabilities, of a text over those that answer it.
        float32 [texts, classes]."""
        answers = [member.predict_proba(texts) for member in self.members]
        return averaged(answers, self.weights)


def load(folder: Path) -> EnsemblePredictor:
    """Reads what `members.write` wrote.

    Raises:
        ModelError: something is missing or damaged.
    """
    settings, loaded = members.read(folder, EnsembleSettings)
    return EnsemblePredictor(loaded, folder, settings.weights, settings.classes)
