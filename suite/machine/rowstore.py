"""A matrix that may be more than memory holds: one file of the cache, written and read in pieces.

It is a safetensors file like the cache's others. It is read by position and not mapped: what a
process has mapped counts as its memory, and a trial's peak would say how long it had read.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suite import paths
from suite.machine import cache, scratch

Matrix = NDArray[np.float32]
#: Puts rows of numbers where the first of them belongs.
Put = Callable[[int, Matrix], None]

_NAME = "rows"
#: Bytes before the first row: what is told there is known when the rows are written.
_HEADER = 4096
_BYTES = np.dtype(np.float32).itemsize
#: Of the disk's room, the share that may be taken.
_SHARE = 0.5


class RowFile:
    """A matrix float32 [rows, width] in a file that is held open: it may be removed meanwhile.

    Args:
        facts: what was written beside it.
    """

    def __init__(self, handle: int, begin: int, width: int, facts: Mapping[str, str]) -> None:
        self._handle = handle
        self._begin = begin
        self._width = width
        self.facts = dict(facts)

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self._handle)

    def put(self, first: int, values: Matrix) -> None:
        """Writes rows from `first` on.

        Raises:
            OSError: the disk is full.
        """
        content = np.ascontiguousarray(values, dtype="<f4").data.cast("B")
        _write(self._handle, content, self._begin + first * self._width * _BYTES)

    def read(self, first: int, count: int) -> Matrix:
        """So many rows from `first` on.

        Raises:
            OSError: the file ends before, or can't be read.
        """
        row = self._width * _BYTES
        found = os.pread(self._handle, count * row, self._begin + first * row)
        if len(found) != count * row:
            raise OSError("a file of the cache ends early")
        return np.frombuffer(found, dtype="<f4").reshape(count, self._width)


def find(file: Path, rows: int, width: int) -> RowFile | None:
    """The matrix of this shape that stands there; None where none does."""
    from safetensors import SafetensorError, safe_open

    try:
        handle = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        with safe_open(file, framework="numpy") as stored:
            kept = stored.get_slice(_NAME)
            if kept.get_dtype() != "F32" or kept.get_shape() != [rows, width]:
                raise ValueError("another matrix")
            facts = stored.metadata() or {}
        (size,) = struct.unpack("<Q", os.pread(handle, 8, 0))
    except (OSError, SafetensorError, TypeError, ValueError, struct.error):
        os.close(handle)
        return None
    cache.used(file)
    return RowFile(handle, 8 + size, width, facts)


def make(
    file: Path, rows: int, width: int, fill: Callable[[Put], Mapping[str, str]]
) -> RowFile | None:
    """Writes a matrix, all or nothing; None where the cache has no room for it.

    Args:
        fill: puts every row, and returns what is written beside them.
    """
    size = _HEADER + rows * width * _BYTES
    try:
        if size > cache.bound():
            return None
        file.parent.mkdir(parents=True, exist_ok=True)
        if size > _SHARE * shutil.disk_usage(file.parent).free:
            return None
        with scratch.folder(paths.cache()) as aside:
            draft = aside / file.name
            handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            stored = RowFile(handle, _HEADER, width, {})
            stored.facts = dict(fill(stored.put))
            _write(handle, _header(rows, width, stored.facts), 0)
            os.replace(draft, file)
    except OSError:
        return None
    cache.evict()
    return stored


def _header(rows: int, width: int, facts: Mapping[str, str]) -> bytes:
    """What a safetensors file of one matrix begins with; its format allows the spaces."""
    ends = [0, rows * width * _BYTES]
    told = {
        "__metadata__": dict(facts),
        _NAME: {"dtype": "F32", "shape": [rows, width], "data_offsets": ends},
    }
    return struct.pack("<Q", _HEADER - 8) + json.dumps(told).encode().ljust(_HEADER - 8)


def _write(handle: int, content: bytes | memoryview, at: int) -> None:
    """All of it: the system may take less at once."""
    left = memoryview(content)
    while left:
        done = os.pwrite(handle, left, at)
        left, at = left[done:], at + done
