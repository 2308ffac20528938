"""A figure that was found on rows, with what other rows of the same kind would have given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A score and the ends of its 95 % interval."""

    value: float
    low: float
    high: float
