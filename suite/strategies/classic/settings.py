"""A classic predictor's two files: `settings.json` (everything that is not an array) beside
`arrays.safetensors`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.errors import ModelError

SETTINGS = "settings.json"
ARRAYS = "arrays.safetensors"

Arrays = Mapping[str, NDArray[Any]]


def write(folder: Path, settings: Mapping[str, Any], arrays: Arrays) -> None:
    """Writes both files; `settings` has the key `format`, by which they are read again."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / ARRAYS
    )
    (folder / SETTINGS).write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")


def read(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `write` wrote.

    Raises:
        ModelError: a file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        arrays = load_file(folder / ARRAYS)
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(
            f"no readable classic predictor: {error}",
            where=str(folder),
            fix="Train it again: the folder is incomplete or damaged.",
        ) from None
    if not isinstance(settings, dict) or not isinstance(settings.get("format"), str):
        raise ModelError(f"{SETTINGS} names no format", where=str(folder))
    return settings, arrays
