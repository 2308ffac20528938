"""What each strategy will find in a folder of weights, before a study is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from suite.errors import WeightsError
from suite.models.folder import Use
from suite.strategies.network import transformer, weights
from suite.strategies.network.sources import Source


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


def examined(folder: Path, uses: Sequence[tuple[str, Use]]) -> list[Examined]:
    """Loads the tokenizer, and builds each strategy's model without its numbers: names, shapes and
    types of the weights are held to it, once for each use.

    Args:
        uses: strategies, each with what it reads the folder as.
    """
    source = Source(str(folder))
    try:
        transformer.load_codec(source, transformer.load_config(source))
    except WeightsError as error:
        return [Examined(name, refused=error.what) for name, _ in uses]
    by_use = {use: _fitted(use, source) for use in dict.fromkeys(use for _, use in uses)}
    found = []
    for name, use in uses:
        one = by_use[use]
        if isinstance(one, WeightsError):
            found.append(Examined(name, refused=one.what))
        else:
            found.append(Examined(name, one.new, one.ignored))
    return found


def _fitted(use: Use, source: Source) -> weights.Loaded | WeightsError:
    try:
        return weights.fit(use, source)
    except WeightsError as error:
        return error
