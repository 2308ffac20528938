"""What a kept predictor's folder holds, told from its small files alone: no weights, no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from suite.contracts.engine import Kept
from suite.errors import ModelError
from suite.strategies import MARK, keeps_network

#: As `suite.strategies.asking.prompted` writes it.
_GENERATION, _OPTIONS = "generation", "options"


def look(folder: Path) -> Kept:
    """Reads predictor.json and settings.json.

    Raises:
        ModelError: the folder holds no trained predictor, or a damaged one.
    """
    strategy = _json(folder / MARK).get("strategy")
    if not isinstance(strategy, str):
        raise ModelError(f"{folder} holds no trained predictor", where=str(folder / MARK))
    network = keeps_network(strategy)
    if not network and not (folder / "settings.json").is_file():
        return Kept("python", "float32")
    settings = _json(folder / "settings.json")
    if "endpoint" in str(settings.get("format", "")):
        return Kept("endpoint", "server")
    if not network:
        return Kept("python", str(settings.get("precision", "float32")))
    if not (folder / "config.json").is_file():
        raise ModelError(
            "a kept network without a config.json",
            where=str(folder),
            fix="Train it again: the folder is incomplete or damaged.",
        )
    return Kept("network", str(settings.get("precision", "float32")), _fixed(settings))


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


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no JSON"
        raise ModelError(
            f"no trained predictor can be read there: {reason}",
            where=str(file),
            fix="Train it again: the folder is incomplete or damaged.",
        ) from None
    if not isinstance(found, dict):
        raise ModelError("it is not what a predictor writes", where=str(file))
    return found
