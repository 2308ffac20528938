"""Messages of an Arrow stream -> the bytes that their buffers become once they are unpacked.

pyarrow unpacks a message whole, whatever it becomes, and tells its size only afterwards. Each
packed buffer begins with its length (https://arrow.apache.org/docs/format/Columnar.html,
"Compression"); where buffers lie stands in the message's metadata, a Flatbuffers table that
pyarrow has verified.
"""

from __future__ import annotations

import struct
from typing import Any

_DICTIONARY, _BATCH = 2, 3
#: Fields of the tables that are followed, by their places in `Message.fbs`.
_TYPE, _HEADER, _DATA, _BUFFERS, _PACKED = 1, 2, 1, 2, 3


def expanded(message: Any) -> int:
    """The bytes of a message of `pyarrow.ipc` after unpacking; as many as it has where it is
    not packed.

    Raises:
        ValueError: its metadata is damaged.
    """
    told, body = memoryview(message.metadata), memoryview(message.body or b"")
    try:
        root = _followed(told, 0)
        kind, header = _field(told, root, _TYPE), _field(told, root, _HEADER)
        if kind is None or header is None or told[kind] not in (_DICTIONARY, _BATCH):
            return len(body)
        table = _followed(told, header)
        if told[kind] == _DICTIONARY:
            data = _field(told, table, _DATA)
            if data is None:
                return len(body)
            table = _followed(told, data)
        buffers = _field(told, table, _BUFFERS)
        if buffers is None or _field(told, table, _PACKED) is None:
            return len(body)
        vector = _followed(told, buffers)
        (count,) = struct.unpack_from("<I", told, vector)
        total = 0
        for place in range(vector + 4, vector + 4 + 16 * count, 16):
            begin, length = struct.unpack_from("<qq", told, place)
            if length >= 8:
                (unpacked,) = struct.unpack_from("<q", body, begin)
                total += max(unpacked, length)  # -1 where this buffer is not packed
        return total
    except (struct.error, IndexError):
        raise ValueError("a damaged message") from None


def _followed(told: memoryview, place: int) -> int:
    """Where the offset at a place leads."""
    (offset,) = struct.unpack_from("<I", told, place)
    return int(place + offset)


def _field(told: memoryview, table: int, number: int) -> int | None:
    """Where a table's field of this number is, if it has one."""
    (back,) = struct.unpack_from("<i", told, table)
    (size,) = struct.unpack_from("<H", told, table - back)
    entry = 4 + 2 * number
    if entry >= size:
        return None
    (offset,) = struct.unpack_from("<H", told, table - back + entry)
    return int(table + offset) if offset else None
