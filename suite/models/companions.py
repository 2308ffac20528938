"""Models that stand beside an arm's own: what a study pins of them, and whether it still holds.

A revision says what lies on the Hub. A local folder may hold other weights tomorrow, and an arm
whose examples are chosen by others would be another arm: so what its files hold is pinned, too.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from suite.contracts.model import Companion, Model
from suite.contracts.strategy import Refused, Unreachable
from suite.errors import ModelError
from suite.files import opened
from suite.models import checkpoint, hub
from suite.models.folder import here

_AT_ONCE = 1 << 20


def fingerprint(folder: Path) -> str:
    """Of the files that a model and its tokenizer are read from, by name and content; 64 hex
    digits.

    Raises:
        ModelError: a file can't be read.
    """
    found = hashlib.sha256()
    for file in sorted({file for wanted in checkpoint.WANTED for file in folder.glob(wanted)}):
        own = hashlib.sha256()
        with opened(file, ModelError) as stream:
            while part := stream.read(_AT_ONCE):
                own.update(part)
        found.update(f"{file.name}\n{own.hexdigest()}\n".encode())
    return found.hexdigest()


def pinned(model: Model) -> Companion:
    """The model as it is now.

    Raises:
        ModelError: its files can't be read.
    """
    lies = here(model)
    return Companion(model=model, fingerprint=None if lies is None else fingerprint(lies))


def found_for(companion: Companion) -> Path:
    """The folder of its weights, which are those that were pinned.

    Raises:
        Unreachable: they can't be had, with what would help.
        Refused: they are others.
        ModelError: they can't be read.
    """
    model = companion.model
    if model.path is not None and (gone := hub.unavailable(model)) is not None:
        raise Unreachable(gone)
    lies = hub.found_for(model)
    if companion.fingerprint is not None and fingerprint(lies) != companion.fingerprint:
        raise Refused(
            f"{model.name} in {lies} is not what it was when the study was made: its files hold "
            "something else; put them back, or make a study of another --name with these"
        )
    return lies
