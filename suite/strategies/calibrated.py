"""A kept predictor with the temperature that was fitted for it: what a user is answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.contracts.strategy import Predictor, Probabilities
from suite.contracts.temperature import COLDEST, HOTTEST, tempered
from suite.errors import ModelError
from suite.strategies import mark
from suite.strategies.mark import CALIBRATION

_FIX = "Export the model again with `suite export NAME DIR`."


class _Kept(Strict):
    """What is in that file."""

    temperature: Annotated[float, Field(ge=COLDEST, le=HOTTEST)]


def temperature_of(folder: Path) -> float | None:
    """The temperature of the predictor that a folder holds; None where it has none.

    Raises:
        ModelError: it is no temperature, or not the one that was kept with the predictor.
    """
    file = folder / CALIBRATION
    found = jsonfile.load(file, _Kept, fix=_FIX).temperature if file.exists() else None
    own = mark.read(folder, fix=_FIX)
    # Afterwards: what is wrong with a value says more than that it is another.
    if own is not None and own.calibration_sha256 not in (None, mark.digest(file)):
        raise ModelError(
            "it is not the one that was kept with the model", where=str(file), fix=_FIX
        )
    return found


def keep_temperature(folder: Path, temperature: float | None) -> None:
    """Writes a temperature beside a predictor, or takes away the one that is there.

    Raises:
        OSError: it can't be written.
    """
    file = folder / CALIBRATION
    own = mark.read(folder)
    # Whenever this is cut short, the folder can be read: its mark has no hash of another file.
    if own is not None and own.calibration_sha256 is not None:
        own = own.model_copy(update={"calibration_sha256": None})
        mark.write(folder, own)
    if temperature is None:
        file.unlink(missing_ok=True)
        return
    aside = folder / f"{CALIBRATION}.new"
    aside.write_text(json.dumps({"temperature": temperature}), encoding="utf-8")
    aside.replace(file)
    if own is not None:
        mark.write(folder, own.model_copy(update={"calibration_sha256": mark.digest(file)}))


def with_temperature(predictor: Predictor, folder: Path) -> Predictor:
    """A predictor that was loaded from a folder, as it is answered by: at the folder's temperature.

    Raises:
        ModelError: the temperature that is there is none.
    """
    found = temperature_of(folder)
    return predictor if found is None else Calibrated(predictor, found)


class Calibrated:
    """A predictor at a temperature; all else of it is the predictor's own.

    Args:
        own: the predictor.
        temperature: its probabilities' own.
    """

    serving_shape: str
    precision: str
    batch: int

    def __init__(self, own: Predictor, temperature: float) -> None:
        self.own = own
        self.temperature = temperature

    def __getattr__(self, name: str) -> Any:
        # Not asked for what it has itself. `own` is missing only while a copy is being made.
        if name == "own":
            raise AttributeError(name)
        return getattr(self.own, name)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """See `Predictor.predict_proba`."""
        return tempered(self.own.predict_proba(texts), self.temperature)

    def save(self, folder: Path) -> None:
        """The predictor, and its temperature."""
        self.own.save(folder)
        keep_temperature(folder, self.temperature)


def own_of(predictor: Any) -> Any:
    """The predictor itself, without its temperature."""
    return predictor.own if isinstance(predictor, Calibrated) else predictor
