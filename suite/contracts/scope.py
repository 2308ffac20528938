"""How well an arm tells texts that fit no class from those that do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from suite.contracts.records import FINITE

#: How much a text seems to belong: by the largest probability of a class inside, by what the class
#: of texts outside leaves, by the energy of a model's scores, by the distance to the nearest class
#: among embeddings, by how near some training texts lie there.
ScopeScore = Literal["probability", "class", "energy", "distance", "neighbours"]


@dataclass(frozen=True)
class ScopeFigures:
    """How well one score tells them on test, means over the trainings: see `OutOfScope`."""

    __pydantic_config__ = FINITE

    auroc: float
    fpr: float


@dataclass(frozen=True)
class OutOfScope:
    """An arm on test texts of which some fit no class; means over its trainings.

    `score` is how a text is judged, the best of those that were tried on validation (`tried`: their
    AUROC there; empty where validation has no text outside, and the largest probability is taken).
    `right` is the share of texts inside that are let in and given their class, where what is let in
    is 95 % of the texts inside the rows that were set aside for calibration, of validation where
    there are none; `let_in` the share of those outside that come in too.
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
    on_test: dict[str, ScopeFigures] = field(default_factory=dict)
    """What each score that the arm has comes to on test, whichever was chosen."""
    cut_on: Literal["validation", "calibration"] = "validation"
