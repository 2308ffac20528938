"""Hyperparameters as typed numbers within bounds, and a classic predictor's two files.

Recipes may override any dimension, so a value can arrive here that makes no sense; it is then
the user's mistake, named with its key. A classic predictor is `settings.json` (everything that
is not an array) beside `arrays.safetensors`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.space import Params
from suite.errors import ModelError, RecipeError

SETTINGS = "settings.json"
ARRAYS = "arrays.safetensors"

Arrays = Mapping[str, NDArray[Any]]

#: The first known-good point of each classic model for English, and what a trial leaves out.
DEFAULTS: Mapping[str, Params] = {
    "tfidf": {
        "classifier": "svm",
        "C": 0.5,
        "ngrams": "word-1-2",
        "min_df": 2,
        "sublinear": True,
    },
    "fasttext": {
        "learning_rate": 0.2,
        "dim": 32,
        "ngrams": 2,
        "subwords": False,
        "min_count": 1,
        "buckets": 1_048_576,
        "dropout": 0.7,
        "batch": 64,
    },
    "textcnn": {
        "learning_rate": 4e-3,
        "dim": 128,
        "filters": 64,
        "widths": "2-3-4",
        "dropout": 0.4,
        "weight_decay": 0.01,
        "min_count": 2,
        "batch": 32,
    },
}


@dataclass(frozen=True)
class Hyperparameters:
    """A trial's parameters over a builder's defaults, read by type.

    Args:
        model: the builder, named in errors.
        defaults: what a trial's parameters leave out.
        given: a trial's parameters.
    """

    model: str
    defaults: Params
    given: Params

    def _value(self, name: str) -> Any:
        return self.given.get(name, self.defaults[name])

    def _wrong(self, name: str, wanted: str) -> RecipeError:
        return RecipeError(
            f"{name} must be {wanted}, not {self._value(name)!r}",
            where=f"hyperparameters of {self.model}",
            fix="Change it under 'spaces' in the recipe.",
        )

    def real(self, name: str, low: float, high: float) -> float:
        """A number in [low, high].

        Raises:
            RecipeError: it is not.
        """
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(name, "a number")
        if not low <= value <= high:
            raise self._wrong(name, f"within {low:g} and {high:g}")
        return float(value)

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number in [low, high].

        Raises:
            RecipeError: it is not.
        """
        value = self._value(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(name, "a whole number")
        if not low <= value <= high:
            raise self._wrong(name, f"within {low} and {high}")
        return value

    def flag(self, name: str) -> bool:
        """True or false.

        Raises:
            RecipeError: it is neither.
        """
        value = self._value(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def word(self, name: str, *allowed: str) -> str:
        """A text; one of `allowed`, where any are given.

        Raises:
            RecipeError: it is not.
        """
        value = self._value(name)
        if not isinstance(value, str) or (allowed and value not in allowed):
            raise self._wrong(name, f"one of {', '.join(allowed)}" if allowed else "a text")
        return value


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
