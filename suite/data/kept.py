"""Rows that were read, column by column: in memory while they are few, else on disk.

What is on disk lies in files without a name in TMPDIR, which go with the process, however it ends.
Of each text there eight bytes stay in memory: where it ends. A column of few different values, such
as a label, stays in memory as numbers. Either is read like a list; a part of one (`take`) copies no
text.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from suite.data.room import Room, in_words, size_of
from suite.errors import StorageError
from suite.files import free_bytes, writing

#: Rows that are worked on together, and bytes of their texts.
BATCH = 4096
_BATCH_BYTES = 2**20
#: Different values, and their bytes, up to which a column is kept as numbers.
_MOST_CODED, _MOST_CODED_BYTES = 4096, 2**20
#: Bytes of disk that are left to others.
_LEFT = 2**29
#: Bytes of memory that a row takes wherever its text is: places, digests, its order.
ROW_BYTES = 200

T = TypeVar("T")
Places = NDArray[np.int64]


def taken(values: Sequence[T], rows: Sequence[int] | Places) -> Sequence[T]:
    """The values at these positions: a tuple, or another part of what is kept."""
    if isinstance(values, Texts | Coded):
        return values.take(rows)
    at = rows.tolist() if isinstance(rows, np.ndarray) else rows
    return tuple(map(values.__getitem__, at))


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts in lists of at most `BATCH`, and of few where they are long."""
    some: list[str] = []
    size = 0
    for text in texts:
        some.append(text)
        size += len(text)
        if len(some) == BATCH or size > _BATCH_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


class _File:
    """Bytes in a file without a name, written once and then read anywhere."""

    def __init__(self) -> None:
        with _told():
            # Closed, and gone, with the last that reads it.
            self._file = tempfile.TemporaryFile(prefix="suite-rows-", buffering=0)  # noqa: SIM115
        self._lock = Lock()
        self.size = 0

    def add(self, content: bytes) -> None:
        """
        Raises:
            StorageError: the disk is full.
        """
        with _told():
            free = free_bytes(tempfile.gettempdir())
            if free is not None and free < _LEFT + len(content):
                raise StorageError(
                    f"rows go to {tempfile.gettempdir()} beyond what memory should hold, and less "
                    f"than {in_words(_LEFT)} would be left there",
                    fix="Name a folder on a larger disk: TMPDIR=DIR. Or give more memory to rows: "
                    "--max-memory 16GB.",
                )
            left = memoryview(content)
            while left:
                left = left[self._file.write(left) :]
        self.size += len(content)

    def read(self, begin: int, end: int) -> bytes:
        with self._lock:
            self._file.seek(begin)
            return self._file.read(end - begin)


@contextmanager
def _told() -> Iterator[None]:
    with writing(
        "rows can't be kept",
        Path(tempfile.gettempdir()),
        "Name a folder that can be written, on a disk with space left: TMPDIR=DIR.",
    ):
        yield


class Texts(Sequence[Any]):
    """Texts, or None, on disk.

    Args:
        bounds: where each begins and the last ends, bytes [texts + 1].
        missing: which are None, bool [texts]; None where there is no such.
        rows: which of them these are, in their order; all where None.
    """

    def __init__(
        self,
        file: _File,
        bounds: Places,
        missing: NDArray[np.bool_] | None = None,
        rows: Places | None = None,
    ) -> None:
        self._file, self._bounds, self._missing, self._rows = file, bounds, missing, rows

    def __len__(self) -> int:
        return len(self._bounds) - 1 if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Any: ...

    @overload
    def __getitem__(self, at: slice) -> Texts: ...

    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return self.take(range(*at.indices(len(self))))
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        place = at % len(self)
        return self._one(place if self._rows is None else int(self._rows[place]))

    def __iter__(self) -> Iterator[Any]:
        begin = 0
        while begin < len(self):
            if self._rows is None:
                # As many as fit, and one in any case.
                most = int(self._bounds[begin]) + _BATCH_BYTES
                end = int(np.searchsorted(self._bounds, most, side="right")) - 1
                end = min(max(end, begin + 1), begin + BATCH, len(self))
                yield from self._between(np.arange(begin, end))
            else:
                end = begin + BATCH
                yield from self._between(self._rows[begin:end])
            begin = end

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            ours == theirs for ours, theirs in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def take(self, rows: Sequence[int] | Places) -> Texts:
        """Those at these positions."""
        places = np.asarray(rows, np.int64)
        if self._rows is not None:
            places = self._rows[places]
        return Texts(self._file, self._bounds, self._missing, places)

    def _between(self, places: Places) -> Iterator[Any]:
        """The texts at places of the file: read together where they lie together."""
        begins, ends = self._bounds[places], self._bounds[places + 1]
        low, high = int(begins.min()), int(ends.max())
        if high - low > max(4 * int((ends - begins).sum()), 2**16) or high - low > 2 * _BATCH_BYTES:
            yield from map(self._one, places.tolist())
            return
        content = self._file.read(low, high)
        found = [
            content[begin:end].decode("utf-8", "surrogatepass")
            for begin, end in zip((begins - low).tolist(), (ends - low).tolist(), strict=True)
        ]
        if self._missing is None:
            yield from found
            return
        for text, missing in zip(found, self._missing[places].tolist(), strict=True):
            yield None if missing else text

    def _one(self, place: int) -> str | None:
        if self._missing is not None and self._missing[place]:
            return None
        content = self._file.read(int(self._bounds[place]), int(self._bounds[place + 1]))
        return content.decode("utf-8", "surrogatepass")


class TextWriter:
    """Texts that go to disk, in their order."""

    def __init__(self) -> None:
        self._file = _File()
        self._ends: list[Places] = [np.zeros(1, np.int64)]
        self._missing: list[NDArray[np.bool_]] = []

    def add(self, values: Sequence[str | None]) -> None:
        """Some more.

        Raises:
            StorageError: the disk is full.
        """
        parts = [b"" if v is None else v.encode("utf-8", "surrogatepass") for v in values]
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        self._ends.append(self._file.size + np.cumsum(lengths))
        self._missing.append(np.fromiter((v is None for v in values), bool, len(parts)))
        self._file.add(b"".join(parts))

    def done(self) -> Texts:
        """All of them."""
        missing = np.concatenate([*self._missing, np.zeros(0, bool)])
        bounds = np.concatenate(self._ends)
        return Texts(self._file, bounds, missing if missing.any() else None)


class Texting:
    """Texts in the making, one after another.

    Args:
        aside: whether they go to disk.
    """

    def __init__(self, *, aside: bool) -> None:
        self._writer = TextWriter() if aside else None
        self._some: list[str | None] = []
        self._size = 0

    def add(self, text: str | None) -> None:
        """One more."""
        self._some.append(text)
        if self._writer is None:
            return
        self._size += len(text or "")
        if len(self._some) == BATCH or self._size > _BATCH_BYTES:
            self._writer.add(self._some)
            self._some, self._size = [], 0

    def done(self) -> Sequence[Any]:
        """All of them: in memory a tuple."""
        if self._writer is None:
            return tuple(self._some)
        self._writer.add(self._some)
        return self._writer.done()


class Coded(Sequence[Any]):
    """Texts, or None, of which few differ: each a number in memory.

    Args:
        codes: of each row the place of its value.
    """

    def __init__(self, values: Sequence[str | None], codes: NDArray[np.uint16]) -> None:
        self._values, self._codes = list(values), codes

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, at: int) -> Any: ...

    @overload
    def __getitem__(self, at: slice) -> Coded: ...

    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return Coded(self._values, self._codes[at])
        return self._values[self._codes[at]]

    def __iter__(self) -> Iterator[Any]:
        for begin in range(0, len(self), BATCH):
            yield from map(self._values.__getitem__, self._codes[begin : begin + BATCH].tolist())

    def take(self, rows: Sequence[int] | Places) -> Coded:
        """Those at these positions."""
        return Coded(self._values, self._codes[np.asarray(rows, np.int64)])

    def counts(self) -> list[tuple[str | None, int]]:
        """Each value that occurs with its rows, in the order in which they first come."""
        counts = np.bincount(self._codes, minlength=len(self._values)).tolist()
        return [(v, count) for v, count in zip(self._values, counts, strict=True) if count]


class _Column:
    """One column in the making: numbers while few values differ, else texts on disk; whatever else
    than texts is in it stays in memory."""

    def __init__(self) -> None:
        self._known: dict[str | None, int] = {}
        self._known_bytes = 0
        self._codes: list[NDArray[np.uint16]] = []
        self._texts: TextWriter | None = None
        self._others: list[Any] | None = None

    def add(self, values: Sequence[Any]) -> int:
        """Some more; how many bytes of memory they take from now on."""
        if self._others is not None:
            self._others += values
            return sum(map(sys.getsizeof, values))
        if not all(value is None or isinstance(value, str) for value in values):
            self._others = [value for some in self._coded() for value in some]
            if self._texts is not None:
                self._others = list(self._texts.done())
            self._texts = None
            return sum(map(sys.getsizeof, self._others)) + self.add(values)
        if self._texts is None and not self._code(values):
            self._texts = TextWriter()
            for some in self._coded():
                self._texts.add(some)
            self._codes = []
        if self._texts is not None:
            self._texts.add(values)
        return 0

    def _code(self, values: Sequence[str | None]) -> bool:
        """Whether there are few different values still; then these are taken."""
        for value in set(values).difference(self._known):
            self._known[value] = len(self._known)
            self._known_bytes += sys.getsizeof(value)
        if len(self._known) > _MOST_CODED or self._known_bytes > _MOST_CODED_BYTES:
            return False
        codes = map(self._known.__getitem__, values)
        self._codes.append(np.fromiter(codes, np.uint16, len(values)))
        return True

    def _coded(self) -> Iterator[list[str | None]]:
        values = list(self._known)
        for codes in self._codes:
            yield [values[code] for code in codes.tolist()]

    def done(self) -> Sequence[Any]:
        """The whole column."""
        if self._others is not None:
            return self._others
        if self._texts is not None:
            return self._texts.done()
        return Coded(list(self._known), np.concatenate([*self._codes, np.zeros(0, np.uint16)]))


class Keeping:
    """Rows in the making.

    Args:
        room: how much of them may be in memory; beyond a part of it they go to disk.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._waiting: dict[str, list[Any]] = {}
        self._columns: dict[str, _Column] | None = None
        #: Rows that wait, their bytes, how many of these were counted; and rows in all.
        self._some = self._bytes = self._held = self._count = 0

    def add(self, row: Mapping[str, Any], place: str) -> None:
        """One more row, which may lack columns that others have.

        Raises:
            DataError: with it there is more than the room holds.
            StorageError: the disk is full.
        """
        if not row.keys() <= self._waiting.keys():
            self._begin(row)
        size = 0
        for name, values in self._waiting.items():
            value = row.get(name)
            values.append(value)
            size += 8 + sys.getsizeof(value) if type(value) is str else size_of(value)
        self._some += 1
        self._count += 1
        self._bytes += size
        if self._bytes - self._held > self._room.row // 16:
            self._room.hold(self._bytes - self._held, place)
            self._held = self._bytes
        if self._columns is None:
            if self._room.overflows:
                self._columns = {name: _Column() for name in self._waiting}
                self._flush(place)
        elif self._some == BATCH or self._bytes > self._room.row:
            self._flush(place)

    def _begin(self, names: Iterable[str]) -> None:
        """Columns that rows before had not."""
        for name in names:
            if name in self._waiting:
                continue
            self._waiting[name] = [None] * self._some
            if self._columns is not None:
                self._columns[name] = column = _Column()
                for begin in range(0, self._count - self._some, BATCH):
                    column.add([None] * min(BATCH, self._count - self._some - begin))

    def _flush(self, place: str) -> None:
        """What waits goes to disk."""
        assert self._columns is not None
        held = ROW_BYTES * self._some
        for name, values in self._waiting.items():
            for begin in range(0, len(values), BATCH):
                held += self._columns[name].add(values[begin : begin + BATCH])
            self._waiting[name] = []
        self._room.hold(held - self._held, place)
        self._some = self._bytes = self._held = 0

    def done(self, place: str) -> dict[str, Sequence[Any]]:
        """Column -> values; none where there was no row."""
        if self._columns is None:
            self._room.hold(self._bytes - self._held, place)
            return dict(self._waiting)
        self._flush(place)
        return {name: column.done() for name, column in self._columns.items()}


def chained(parts: Iterable[Sequence[Any]]) -> Sequence[Any]:
    """Columns one after another as one: a tuple where they are in memory."""
    parts = list(parts)
    if not any(isinstance(part, Texts | Coded) for part in parts):
        return tuple(itertools.chain(*parts))
    whole = _Column()
    for part in parts:
        for begin in range(0, len(part), BATCH):
            whole.add(list(part[begin : begin + BATCH]))
    return whole.done()


def by_value(values: Sequence[Any]) -> Iterable[tuple[Any, int]]:
    """Values with how many of them there are; one may come several times."""
    return values.counts() if isinstance(values, Coded) else ((value, 1) for value in values)


def mapped(values: Sequence[Any], function: Callable[[Any], str | None]) -> Sequence[str | None]:
    """A function of each value, in memory or on disk as they are."""
    if isinstance(values, Coded):
        found = {value: function(value) for value, _ in values.counts()}
        return tuple(map(found.__getitem__, values))
    made = Texting(aside=isinstance(values, Texts))
    for value in values:
        made.add(function(value))
    return made.done()
