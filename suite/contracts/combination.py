"""A combination of a study's arms, as a frozen value: made by the finals of models that they have
trained, ranked and served like an arm, though no recipe can name it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["cascade", "ensemble"]

#: What the combinations of a study are called among its arms.
ARMS: Mapping[Kind, str] = MappingProxyType(
    {"cascade": "combined/cascade", "ensemble": "combined/ensemble"}
)
#: The family that they stand under where arms have their model's.
FAMILY = "combined"


@dataclass(frozen=True)
class Member:
    """An arm in a combination, by the trial whose hyperparameters its models have. `weight` is its
    share of an ensemble's mean; null in a cascade."""

    arm: str
    trial: int
    weight: float | None = None


@dataclass(frozen=True)
class Combination:
    """What an arm of the finals is made of that was not trained.

    Of a cascade the first member answers where its largest probability is at least `threshold`,
    which it was for the share `answered_first` of the test texts; the second one the rest. Both are
    null of an ensemble, whose probabilities are the weighted mean of its members'.

    Members, weights and threshold were chosen on `rows` rows of `chosen_on` that no model saw that
    answered them. `held_out` is the objective of such choices on rows that did not make them,
    `best_alone` that of the best single arm there.
    """

    kind: Kind
    members: list[Member]
    chosen_on: Literal["train+validation", "validation", "calibration"]
    rows: int
    held_out: float
    best_alone: float
    threshold: float | None = None
    answered_first: float | None = None

    @property
    def digest(self) -> str:
        """8 hex digits over what decides its answers and its speed: members, weights, threshold."""
        parts = [self.kind, repr(self.threshold)]
        parts += [f"{one.arm} {one.trial} {one.weight!r}" for one in self.members]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
