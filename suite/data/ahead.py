"""What reading a large file takes of memory and disk, said before it begins."""

from __future__ import annotations

import tempfile
from pathlib import Path

from suite import files
from suite.data import layouts
from suite.data.kept import ROW_BYTES
from suite.data.lines import PACKED
from suite.data.room import Room, in_words
from suite.errors import DataError

#: Bytes that Python and the libraries take, about; and what a packed file becomes.
_LIBRARIES, _UNPACKED = 350_000_000, 5
#: From how many bytes of a file its rows are counted; a row of one that is no text has so many.
_LOOKED, _ROW = 2**20, 200


def ahead(source: Path, room: Room) -> str | None:
    """What is to be said before rows are read; None where they are few, or not there.

    About, for how long rows are is seen from the beginning of the file alone.
    """
    try:
        parts = layouts.shards(source) if source.is_file() else layouts.listed(source)
        sizes = {part: files.size(part, DataError) for part in parts if part.is_file()}
    except DataError:
        return None  # whoever reads it says why
    size = sum(n * (_UNPACKED if p.suffix.lower() in PACKED else 1) for p, n in sizes.items())
    if size <= room.in_memory:
        return None
    rows = size // _row(max(sizes, key=sizes.__getitem__))
    memory = _LIBRARIES + room.in_memory + ROW_BYTES * rows
    return (
        f"{source.name} is {in_words(sum(sizes.values()))}: while it is read its rows lie in "
        f"{tempfile.gettempdir()}, up to {in_words(2 * size)}, and memory takes about "
        f"{in_words(memory)}"
    )


def _row(path: Path) -> int:
    """Bytes of a row, about."""
    with files.opened(path, DataError) as raw:
        start = raw.read(_LOOKED)
    return max(1, len(start) // max(1, start.count(b"\n"))) if b"\0" not in start else _ROW
