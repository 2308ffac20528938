"""The hyperparameters of a static model that is tuned, as a trial has them."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.hyperparameters import Declared, declared


@dataclass(frozen=True)
class StaticKnobs(Declared):
    """The hyperparameters of one trial."""

    learning_rate: float = declared(3e-3, "the highest step size", above=0)
    batch: int = declared(32, "texts behind one optimiser step", low=1)
    dropout: float = declared(
        0.2, "part of a text's word pieces left out in training", low=0, below=1
    )
    C: float = declared(
        0.3, "how little the regression is regularised that the head begins as", above=0
    )
