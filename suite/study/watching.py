"""Who watches a study run, and what is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from suite.contracts.results import Checkpoint, Trial


class Observer(Protocol):
    """The live table, plain lines, logs, a caller of the library, or nobody."""

    def started(self, number: int, arm: str, params: Mapping[str, Any]) -> None:
        """A trial started."""

    def progressed(self, number: int, fraction: float) -> None:
        """How far a trial's budget is spent."""

    def scored(self, number: int, checkpoint: Checkpoint) -> None:
        """A checkpoint was scored."""

    def ended(self, trial: Trial) -> None:
        """A trial ended."""

    def said(self, text: str) -> None:
        """Something a person should know."""
