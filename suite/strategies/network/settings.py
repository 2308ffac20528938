"""`settings.json` of a kept network: what a predictor needs besides its weights, as closed schemas.

What is read may have been written by anybody: counts are bounded, and each strategy then holds
them to its arrays. Nothing heavy is imported.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.contracts.cutting import MOST_CHUNKS, Cutting

SETTINGS = "settings.json"
#: The `format` of a kept static model: a predictor of numpy's, whichever strategy made it.
STATIC = "static"
#: A prompt with many examples is long.
MOST_BYTES = 20_000_000

#: Far above any model's, far below what a table of that length would need.
MOST_TOKENS = 100_000_000

Tokens = Annotated[int, Field(ge=1, le=MOST_TOKENS)]
_Positive = Annotated[float, Field(gt=0)]

FIX = "Train or export it again: the folder is incomplete or damaged."


class NetworkSettings(Strict):
    """Of a sequence classifier of transformers, and what all others have as well."""

    max_tokens: Tokens
    precision: Literal["float32", "bfloat16"]


class CutSettings(NetworkSettings):
    """Of what cuts longer texts by itself; nothing is said of the head."""

    cutting: (
        Literal["tail", "head_tail", "chunks_mean", "chunks_max", "chunks_attention"] | None
    ) = None
    chunks: Annotated[int, Field(ge=2, le=MOST_CHUNKS)] | None = None

    @property
    def how_cut(self) -> Cutting:
        """What is read of a longer text."""
        return Cutting.of_kept(self.cutting, self.chunks)


class ProbeSettings(CutSettings):
    """Of a frozen body with a regression over it."""

    pooling: Literal["mean", "cls", "last"]
    scaling: Literal["none", "l2", "standard"]
    C: _Positive


class StaticSettings(Strict):
    """Of a table of vectors under a linear layer."""

    format: Literal["static"]
    scaling: Literal["none", "l2", "standard"]
    precision: Literal["float32"]


SettingsT = TypeVar("SettingsT", bound=NetworkSettings)


def write(folder: Path, settings: dict[str, Any]) -> None:
    """Writes what a predictor needs besides its weights."""
    (folder / SETTINGS).write_text(
        json.dumps(settings, ensure_ascii=False, indent=1), encoding="utf-8"
    )


def read(folder: Path, schema: type[SettingsT]) -> SettingsT:
    """Reads what `write` wrote.

    Raises:
        ModelError: it is missing or something else; names the key.
    """
    return jsonfile.load(folder / SETTINGS, schema, most=MOST_BYTES, fix=FIX)
