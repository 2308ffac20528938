"""What a teacher has answered so far, on disk: a run of `suite distil` that is cut short costs
nothing twice. The file goes when all is answered, and is of one teacher alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from suite import files
from suite.contracts.strategy import Probabilities
from suite.data import appended, soft
from suite.errors import DataError

_ANSWERS = "answers"


class Begun:
    """Answers that there are, and those that come.

    Args:
        file: where they lie.
        classes: how many probabilities an answer has.
        stream: what is appended to.

    Raises:
        DataError: the file holds something else.
    """

    def __init__(self, file: Path, classes: int, stream: IO[str]) -> None:
        self._file, self._classes, self._stream = file, classes, stream
        self._known: dict[str, NDArray[np.float32]] = {}
        #: Seconds that it took, and calls to a server.
        self.seconds, self.asked = 0.0, 0
        for number, line in enumerate(appended.lines(file), start=1):
            try:
                self._take(files.parse_json(line))
            except (files.NotJson, KeyError, TypeError, ValueError):
                raise DataError(
                    "this is no answer of a teacher",
                    where=f"{file}, line {number}",
                    fix="Remove the file; its texts are asked about again.",
                ) from None

    def _take(self, line: dict[str, object]) -> None:
        """Takes what a line holds; raises `KeyError`, `TypeError` or `ValueError` of another."""
        if "p" not in line:
            self.seconds += float(str(line["seconds"]))
            self.asked += int(str(line["asked"]))
            return
        given = line["p"]
        row = [float(value) for value in given] if isinstance(given, list) else []
        if not soft.are_probabilities(row, self._classes):
            raise ValueError
        self._known[str(line["text"])] = np.asarray(row, dtype=np.float32)

    def lacking(self, texts: Sequence[str]) -> list[str]:
        """The texts that have no answer yet."""
        return [text for text in texts if text not in self._known]

    def of(self, texts: Sequence[str]) -> Probabilities:
        """Probabilities float32 [texts, classes]; a row of zeros where there is no answer."""
        none = np.zeros(self._classes, dtype=np.float32)
        found = [self._known.get(text, none) for text in texts]
        return np.asarray(found, dtype=np.float32).reshape(len(texts), self._classes)

    def add(
        self, texts: Sequence[str], found: Probabilities, *, seconds: float, asked: int
    ) -> None:
        """Answers to some texts, which are safe from now on. One that was not answered is asked
        about again by whoever goes on."""
        for text, row in zip(texts, found, strict=True):
            if row.any():
                told = soft.told(row)
                self._known[text] = np.asarray(told, dtype=np.float32)
                self._stream.write(json.dumps({"text": text, "p": told}) + "\n")
        self._stream.write(json.dumps({"seconds": seconds, "asked": asked}) + "\n")
        self._stream.flush()
        self.seconds += seconds
        self.asked += asked

    def done(self) -> None:
        """Removes the file: what it holds stands elsewhere."""
        with suppress(OSError):
            self._file.unlink()


@contextmanager
def going_on(file: Path, classes: int) -> Iterator[Begun]:
    """Within: what was answered before, and nobody else adds to it.

    Raises:
        StorageError: another run does, or nothing can be written there.
        DataError: the file holds something else.
    """
    with appended.alone(file, _ANSWERS):
        try:
            with appended.appending(file, _ANSWERS) as stream:
                yield Begun(file, classes, stream)
        finally:
            with suppress(OSError):
                if not file.stat().st_size:
                    file.unlink()
