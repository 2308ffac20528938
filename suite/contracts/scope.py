"""How well an arm tells texts that fit no class from those that do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from suite.contracts.records import FINITE

#: How much a text seems to belong: by the largest probability of a class inside, by what the class
#: of texts outside leaves, by the energy of a network's scores, by the distance to the nearest
#: class among embeddings.
ScopeScore = Literal["probability", "class", "energy", "distance"]


@dataclass(frozen=True)
class OutOfScope:
    """An arm on test texts of which some fit no class; means over its trainings.

    `score` is how a text is judged, the best of those that were tried on validation (`tried`: their
    AUROC there; empty where validation has no text outside, and the largest probability is taken).
    `right` is the share of texts inside that are let in and given their class, where what is let in
    is 95 % of the texts inside validation; `let_in` the share of those outside that come in too.
    """

    __pydantic_config__ = FINITE

    score: ScopeScore
    auroc: float
    """The chance that a text inside seems to belong more than one outside."""
    fpr: float
    """Share of texts outside that come in where 95 % of those inside do, both on test."""
    right: float
    let_in: float
    inside: int
    outside: int
    tried: dict[str, float] = field(default_factory=dict)
