"""The mark beside a kept predictor: whose it is, and the hashes of the files that no array of it
can be held against."""

from __future__ import annotations

import hashlib
from pathlib import Path

from suite.config import jsonfile
from suite.config.jsonfile import Strict

MARK = "predictor.json"
SETTINGS = "settings.json"
#: The temperature that a predictor answers at; there is none where it keeps its own probabilities.
CALIBRATION = "calibration.json"


class Mark(Strict):
    """What is in that file."""

    strategy: str
    #: Of settings.json; older folders have none.
    settings_sha256: str | None = None
    #: Of calibration.json; none where there is no such file, and in older folders.
    calibration_sha256: str | None = None


def read(folder: Path, *, fix: str | None = None) -> Mark | None:
    """The mark of a folder; None where it has none.

    Raises:
        ModelError: it can't be read.
    """
    file = folder / MARK
    return jsonfile.load(file, Mark, fix=fix) if file.exists() else None


def write(folder: Path, mark: Mark) -> None:
    """Writes a mark aside and then into place: a combination's folder may hold links to the one
    before, which stays as it was.

    Raises:
        OSError: it can't be written.
    """
    aside = folder / f"{MARK}.new"
    aside.write_text(mark.model_dump_json(exclude_none=True), encoding="utf-8")
    aside.replace(folder / MARK)


def digest(file: Path) -> str | None:
    """SHA-256 of a file; None where it is not there."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
