"""What judges of difficulty have said of rows so far, on disk: a command that is cut short goes on.

A decoder takes a second for a row on a few cores, and judges thousands. What it says is written
down as it comes, a row known by its hash, into a file of this judge alone: of these weights, asked
so, about these rows. The files are small beside the rows, and go once what they hold stands in the
file of difficulty.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from suite import files, paths
from suite.data import appended
from suite.errors import DataError

_JUDGEMENTS = "judgements"
#: Rows of a line, at most: a run that is killed while it writes loses no more.
_LINE = 256

Scores = NDArray[np.float64]


class Begun:
    """What one judge has said so far.

    Args:
        columns: what it says of a row.
        file: where that lies, and `stream` what is appended to; None where nothing is kept.

    Raises:
        DataError: the file holds something else.
    """

    def __init__(
        self, columns: Sequence[str], file: Path | None = None, stream: IO[str] | None = None
    ) -> None:
        self._columns, self._stream = tuple(columns), stream
        self._since = time.perf_counter()
        #: Seconds that what is known took before this command.
        self.seconds = 0.0
        self._known: dict[str, tuple[float, ...]] = {}
        for number, line in enumerate(() if file is None else appended.lines(file), start=1):
            try:
                self._take(files.parse_json(line))
            except (files.NotJson, KeyError, TypeError, ValueError, OverflowError):
                raise DataError(
                    "this is no judgement of rows",
                    where=f"{file}, line {number}",
                    fix="Remove the file; its rows are judged again.",
                ) from None

    def _take(self, line: Mapping[str, Any]) -> None:
        """Takes what a line holds; raises one of the errors that are caught above of another."""
        seconds = float(line["seconds"])
        columns = [[float(value) for value in line[name]] for name in self._columns]
        if not (np.isfinite(columns).all() and 0 <= seconds < np.inf):
            raise ValueError
        self.seconds += seconds
        for row, *values in zip(line["rows"], *columns, strict=True):
            self._known[str(row)] = tuple(values)

    def lacking(self, hashes: Sequence[str]) -> list[int]:
        """Places of the rows of which it has said nothing yet."""
        return [place for place, row in enumerate(hashes) if row not in self._known]

    def add(self, hashes: Sequence[str], found: Mapping[str, Scores]) -> None:
        """What it says of some rows, float [rows] each, which is safe from now on. What is no
        number is not written down."""
        values = np.stack([found[name] for name in self._columns], axis=1)
        self._known |= dict(zip(hashes, map(tuple, values.tolist()), strict=True))
        if self._stream is None:
            return
        now = time.perf_counter()
        seconds, self._since = now - self._since, now
        told = np.flatnonzero(np.isfinite(values).all(axis=1))
        for begin in range(0, len(told), _LINE):
            some = told[begin : begin + _LINE]
            columns = zip(self._columns, values[some].T.tolist(), strict=True)
            line = {
                "rows": [hashes[place] for place in some.tolist()],
                **dict(columns),
                "seconds": round(seconds * len(some) / len(told), 3),
            }
            self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()

    def of(self, hashes: Sequence[str]) -> dict[str, Scores]:
        """What it says of rows, of all of which it has said something; float [rows] each."""
        rows = [self._known[row] for row in hashes]
        values = np.array(rows, np.float64).reshape(len(rows), len(self._columns))
        return {name: values[:, at] for at, name in enumerate(self._columns)}


class Kept:
    """What the judges of one command say, kept till it stands in the file of difficulty.

    Args:
        task: whose rows they judge; nothing is kept where None.
    """

    def __init__(self, task: str | None = None) -> None:
        self._task = task
        self._files: list[Path] = []
        #: Seconds that what was judged before took.
        self.seconds = 0.0

    @contextmanager
    def judging(self, which: Sequence[Any], columns: Sequence[str]) -> Iterator[Begun]:
        """Within: what a judge has said before, and nobody else adds to it.

        Args:
            which: all that its judgements depend on, as plain values.
            columns: what it says of a row.

        Raises:
            StorageError: another command does, or nothing can be written there.
            DataError: the file holds something else.
        """
        if self._task is None:
            yield Begun(columns)
            return
        told = json.dumps([*which, *columns])
        digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        file = paths.difficulty_begun(self._task, digest)
        with appended.alone(file, _JUDGEMENTS, "data difficulty"):
            try:
                with appended.appending(file, _JUDGEMENTS) as stream:
                    self._files.append(file)
                    begun = Begun(columns, file, stream)
                    self.seconds += begun.seconds
                    yield begun
            finally:
                with suppress(OSError):
                    if not file.stat().st_size:
                        file.unlink()

    def over(self) -> None:
        """Removes the files: what they hold stands elsewhere, or is of no use."""
        for file in self._files:
            with suppress(OSError):
                file.unlink()
