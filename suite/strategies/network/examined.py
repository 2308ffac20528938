"""What each strategy will find in a folder of weights, before a study is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from suite.errors import WeightsError
from suite.strategies.network import transformer, weights
from suite.strategies.network.sources import Source
from suite.strategies.network.weights import Use


@dataclass(frozen=True)
class Examined:
    """What a strategy makes of the weights.

    Args:
        new: modules that would be drawn and trained.
        ignored: modules that it has no use for.
        refused: why it can't use them, or None.
    """

    strategy: str
    new: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    refused: str | None = None

    @property
    def said(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The modules under a word each."""
        return ("new:", self.new), ("ignored:", self.ignored)


def examined(folder: Path, uses: Sequence[tuple[str, Use]]) -> list[Examined]:
    """Loads tokenizer and weights as each strategy would, once for each use.

    Args:
        uses: strategies, each with what it reads the folder as.
    """
    source = Source(str(folder))
    try:
        transformer.load_codec(source, transformer.load_config(source))
    except WeightsError as error:
        return [Examined(name, refused=error.what) for name, _ in uses]
    by_use = {use: _as(use, source) for use in dict.fromkeys(use for _, use in uses)}
    found = []
    for name, use in uses:
        one = by_use[use]
        if isinstance(one, WeightsError):
            found.append(Examined(name, refused=one.what))
        else:
            found.append(Examined(name, one.new, one.ignored))
    return found


def _as(use: Use, source: Source) -> weights.Loaded | WeightsError:
    try:
        return weights.load(use, source)
    except WeightsError as error:
        return error
