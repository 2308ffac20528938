"""What a kept predictor's folder holds, told from its small files alone: no weights, no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suite.config import jsonfile
from suite.contracts import cutting
from suite.contracts.engine import Kept, Kind
from suite.errors import ModelError
from suite.strategies import COMBINATIONS, keeps_network, strategy_of
from suite.strategies.combined.members import folders
from suite.strategies.network.settings import FIX, SETTINGS, STATIC

#: As `suite.strategies.asking.prompted` writes it.
_GENERATION, _OPTIONS = "generation", "options"

#: Vocabularies of classic predictors stand in settings.json.
_MOST_BYTES = 1_000_000_000


def look(folder: Path) -> Kept:
    """Reads predictor.json and settings.json.

    Raises:
        ModelError: the folder holds no trained predictor, or a damaged one.
    """
    strategy = strategy_of(folder)
    if strategy in COMBINATIONS:
        return _together([look(member) for member in folders(folder)])
    network = keeps_network(strategy)
    if not network and not (folder / SETTINGS).exists():
        return Kept("python", "float32")
    settings = jsonfile.read(folder / SETTINGS, most=_MOST_BYTES, fix=FIX)
    if "endpoint" in str(settings.get("format", "")):
        return Kept("endpoint", "server")
    if not network or settings.get("format") == STATIC:
        return Kept("python", str(settings.get("precision", "float32")))
    if not (folder / "config.json").is_file():
        raise ModelError(
            "a kept network without a config.json",
            where=str(folder),
            fix=FIX,
        )
    return Kept(
        "network",
        str(settings.get("precision", "float32")),
        _fixed(settings),
        chunked=settings.get(cutting.NAME) in cutting.CHUNKED,
    )


def _together(members: list[Kept]) -> Kept:
    """A combination serves as it is kept; where a server is asked for one of its members, it asks
    one."""
    kind: Kind = "endpoint" if any(one.kind == "endpoint" for one in members) else "python"
    return Kept(kind, ", ".join(dict.fromkeys(one.precision for one in members)))


def _fixed(settings: dict[str, Any]) -> str | None:
    if settings.get("form") == _GENERATION:
        return (
            "the model thinks in words before it answers, one token after another, which can't be "
            "converted: serve it by torch as it was kept"
        )
    prompter = settings.get("prompter")
    tokens = prompter.get("code_tokens") if isinstance(prompter, dict) else None
    several = isinstance(tokens, list) and any(
        isinstance(ids, list) and len(ids) > 1 for ids in tokens
    )
    if settings.get("form") == _OPTIONS and several:
        return (
            "its options are several tokens long and are scored in several passes, which can't be "
            "converted: serve it by torch as it was kept"
        )
    return None
