"""Learning from a teacher: whether an arm also learns what another model answered to texts without
labels (`suite distil TASK --teacher STUDY`). An arm `model/strategy+distilled` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from suite.contracts.hyperparameters import Declared, declared
from suite.contracts.space import Space, contains

NAME = "distilled"
#: The variant of strategies that can.
VARIANTS: Mapping[str, Mapping[str, Any]] = {NAME: {NAME: True}}


@dataclass(frozen=True)
class Teaching(Declared):
    """Of what can learn from probabilities."""

    distilled: bool = declared(
        False,
        "whether it also learns what a teacher answered to texts without labels "
        "(`suite distil TASK --teacher STUDY`)",
    )


def may_be_taught(space: Space) -> bool:
    """Whether a trial of a space may learn from a teacher."""
    return NAME in space.dimensions and contains(space.dimensions[NAME], True)
