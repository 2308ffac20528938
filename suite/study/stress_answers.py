"""What an arm has answered to changed texts so far: kept among the study's files while it is asked,
so that a command that is cut short goes on where it was. A small decoder takes a second for a text
on a few cores, and is asked thousands.

The file is named by the model and by the texts, and gone once what became of the answers is
recorded. A study that may not write its folder keeps nothing, and asks anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from suite import files
from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.contracts.strategy import NO_ANSWER
from suite.errors import ModelError
from suite.study.artifacts import Artifacts, Standing

#: The folder in a study's own.
FOLDER = "stress"

_MOST_BYTES = 50_000_000


class _Kept(Strict):
    """Classes of the first texts, and the seconds that they took."""

    answers: list[Annotated[int, Field(ge=NO_ANSWER)]]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Answered:
    """One arm's answers so far.

    Args:
        lies: the study's files.
        model: the folder of the arm's model among them.
        texts: what it is asked, in this order.
        classes: how many there are.
    """

    def __init__(self, lies: Artifacts, model: Path, texts: Sequence[str], classes: int) -> None:
        asked = hashlib.sha256(json.dumps([model.name, *texts]).encode()).hexdigest()[:16]
        self.classes = classes
        self._lies = lies
        self._file = lies.folder / FOLDER / f"{asked}.json"
        self._keeps = lies.standing is Standing.OWNER
        #: Class indices of the first texts.
        self.answers: list[int] = []
        self.seconds = 0.0
        found = self._read()
        if found and len(found.answers) <= len(texts) and max(found.answers, default=0) < classes:
            self.answers, self.seconds = found.answers, found.seconds

    def _read(self) -> _Kept | None:
        """What stands there; None where nothing does that can be read."""
        if not self._keeps or not self._file.exists():
            return None
        try:
            return jsonfile.load(self._file, _Kept, most=_MOST_BYTES)
        except ModelError:
            return None

    def add(self, answers: Sequence[int], seconds: float) -> None:
        """The answers to the next texts, and the seconds that they took.

        Raises:
            StorageError: they can't be written.
        """
        self.answers += answers
        self.seconds += seconds
        if not self._keeps:
            return
        kept = {"answers": self.answers, "seconds": round(self.seconds, 3)}
        with files.whole(self._lies.checked(self._file)) as draft:
            draft.write_text(json.dumps(kept), encoding="utf-8")

    def over(self) -> None:
        """Removes them: what became of them is recorded."""
        if self._keeps:
            self._lies.checked(self._file).unlink(missing_ok=True)
