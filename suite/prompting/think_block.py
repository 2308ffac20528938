"""Whether a model's chat template has a think block, told from its folder before anything loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suite import files
from suite.config import jsonfile
from suite.contracts.model import Model
from suite.errors import ModelError
from suite.models import folder
from suite.prompting.answers import THINK_CLOSES, THINK_OPENS

CANT_THINK = (
    "the model's chat template can't think: {why}; use {setting}, or a model with a think block"
)

#: A chat template beside the tokenizer, and the tokenizer's own settings, which held it before.
_BESIDE, _WITHIN = "chat_template.jinja", "tokenizer_config.json"
_MOST_BYTES = 20_000_000


def lacks(model: Model, setting: str) -> str | None:
    """Why a model whose folder is here can't be asked to think; None where it can, or where only
    loading it will tell.

    Args:
        setting: what would work instead, for the message.
    """
    where = folder.here(model)
    template = None if where is None else _template(where)
    if template is None or THINK_OPENS in template or THINK_CLOSES in template:
        return None
    why = "there is no chat template" if not template else "no think block stands in it"
    return CANT_THINK.format(why=why, setting=setting)


def _template(where: Path) -> str | None:
    """All of a folder's chat templates as one text; None where they can't be read."""
    found = ""
    try:
        if (where / _BESIDE).is_file():
            with files.opened(where / _BESIDE, ModelError) as stream:
                found += stream.read(_MOST_BYTES).decode()
        if (where / _WITHIN).is_file():
            kept: Any = jsonfile.read(where / _WITHIN, most=_MOST_BYTES).get("chat_template")
            found += "" if kept is None else str(kept)
    except (ModelError, UnicodeDecodeError):
        return None
    return found
