"""Bytes of a file -> its lines as text: what it is packed with, and what it is encoded in.

A packed file is expanded as it is read, within a room's bound. The encoding is found over the
whole file, never over its beginning alone: UTF-8 wherever every byte fits it, else what
charset-normalizer makes of the lines that don't. A file whose lines disagree is refused with one.
"""

from __future__ import annotations

import codecs
import gzip
import io
import itertools
import re
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from suite.data.room import Room
from suite.errors import DataError, counted
from suite.files import why

#: How the name of a packed file ends -> what unpacks it.
PACKED = {".gz": "gzip", ".zst": "zstd"}

_SAVE_OR_NAME = (
    "Save the file as UTF-8, or name its encoding with --encoding, or in the task under "
    "data.reading.encoding, for example gb18030."
)
_BLOCK = 1 << 20
#: Bytes of lines that are no UTF-8 which the detector sees, at most; and bytes beyond ASCII in
#: them, at least, unless they read as Western: with fewer any answer is a guess.
_WITNESS = 256 * 1024
_LEAST_WITNESS = 8
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: What texts are written in where it is not UTF-8; the detector chooses among these.
_OTHERS = (
    "gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252", "cp1250", "cp1251", "koi8_r",
    "cp1253", "cp1254", "cp1255", "cp1256", "cp874",
)  # fmt: skip
#: Letters and marks of Western Europe as cp1252 has them; of Central Europe's they lack most.
_WESTERN = frozenset("äöüÄÖÜßéèêëÉÈÀàâçÇñÑáíóúÁÍÓÚîôûïœæåÅÆãõ¿¡«»–—‘’“”„…€£°§·•ªº´")
_NAMES = {
    "utf-8": "UTF-8", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", "gb18030": "GB18030",
    "cp1252": "Windows-1252 (Latin-1)", "big5": "Big5", "cp932": "Shift-JIS", "cp949": "EUC-KR",
}  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """What a text file is encoded in.

    `name` is Python's; `bom` whether the file begins with a byte order mark; `guessed` whether
    other encodings could read the file too.
    """

    name: str = "utf-8"
    bom: bool = False
    guessed: bool = False

    def __str__(self) -> str:
        shown = _NAMES.get(self.name, self.name)
        return f"{shown}{' with BOM' if self.bom else ''}{' (guessed)' if self.guessed else ''}"


# --- packed files ---------------------------------------------------------------------------


class _Bounded(io.RawIOBase):
    """What a packed file expands to, as long as that stays within a room's bound."""

    def __init__(self, inner: Any, packed: int, room: Room, where: str) -> None:
        self._inner = inner
        self._packed, self._room, self._where = packed, room, where
        self._left = room.expanded(packed)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes."""
        some = self._inner.read(len(buffer))
        self._left -= len(some)
        if self._left < 0:
            raise self._room.bomb(self._packed, self._where)
        buffer[: len(some)] = some
        return len(some)


class _Zstandard:
    """A zstd file as a stream, whose errors are told as its own."""

    def __init__(self, raw: BinaryIO, where: str) -> None:
        import pyarrow

        self._where = where
        try:
            self._stream = pyarrow.CompressedInputStream(pyarrow.PythonFile(raw, "r"), "zstd")
        except OSError:
            raise self._damaged() from None

    def read(self, count: int) -> bytes:
        try:
            return cast(bytes, self._stream.read(count))
        except OSError:
            raise self._damaged() from None

    def _damaged(self) -> DataError:
        return DataError(
            "the zstd file is truncated or damaged, or is none",
            where=self._where,
            fix="Copy or compress the file again.",
        )


def packing(path: Path) -> str | None:
    """`gzip` or `zstd` by the file's name, or None."""
    return PACKED.get(path.suffix.lower())


def unpacked(raw: BinaryIO, packed: int, room: Room, where: str, packing: str = "gzip") -> BinaryIO:
    """A packed file of `packed` bytes, expanded as it is read."""
    file: Any = gzip.GzipFile(fileobj=raw) if packing == "gzip" else _Zstandard(raw, where)
    return cast(BinaryIO, io.BufferedReader(_Bounded(file, packed, room, where), 1 << 16))


@contextmanager
def told(where: str) -> Iterator[None]:
    """Within: what fails in reading a file is one DataError.

    Raises:
        DataError: as said.
    """
    try:
        yield
    except gzip.BadGzipFile:
        raise DataError(
            "not gzip, though its name ends in .gz",
            where=where,
            fix="Copy or compress the file again.",
        ) from None
    except (EOFError, zlib.error):
        raise DataError(
            "the gzip file is truncated or damaged",
            where=where,
            fix="Copy or compress the file again.",
        ) from None
    except OSError as error:
        raise DataError(why(error), where=where) from None


# --- encodings ------------------------------------------------------------------------------


def find_encoding(file: IO[bytes], where: str, room: Room) -> Encoding:
    """What a file is encoded in. Reads it to its end; the caller opens it again.

    Raises:
        DataError: some of its lines are UTF-8 and others are not, or it is no text at all.
    """
    start = file.read(_BLOCK)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return Encoding(name, bom=True)
    wide = _without_bom(start)
    if wide is not None:
        return Encoding(wide)
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = _Lines(where)
    block = start
    whole = True
    while block:
        if whole:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                whole = False
        lines.take(block, room)
        block = file.read(_BLOCK)
    if whole:
        try:
            decoder.decode(b"", final=True)
            return Encoding()
        except UnicodeDecodeError:
            pass
    lines.end()
    wide = _wide(start) if b"\0" in start else None
    return lines.encoding() if wide is None else Encoding(wide, guessed=True)


def _without_bom(start: bytes) -> str | None:
    """UTF-16 that bears no mark, by where its zeros stand: ends of lines, spaces, commas."""
    even, odd = start[0:4096:2].count(0), start[1:4096:2].count(0)
    least = max(2, min(len(start), 4096) // 50)
    if odd >= least and even * 8 <= odd and b"\n\0" in start:
        name = "utf-16-le"
    elif even >= least and odd * 8 <= even and b"\0\n" in start:
        name = "utf-16-be"
    else:
        return None
    try:
        codecs.getincrementaldecoder(name)().decode(start)
    except UnicodeDecodeError:
        return None
    return name


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark of texts that have few zeros, such as Chinese: read so, they have
    lines, and no character that texts have not; read the other way round, or as what else they may
    be, they have."""
    whole = start[: len(start) // 2 * 2]
    for name in ("utf-16-le", "utf-16-be"):
        try:
            text = codecs.getincrementaldecoder(name)().decode(whole)
        except UnicodeDecodeError:
            continue
        odd = sum(unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") for c in text)
        ends = text.count("\n")
        if ends and odd == ends + text.count("\r") + text.count("\t"):
            return name
    return None


class _Lines:
    """Counts of the lines that are UTF-8 beyond ASCII, and of those that are not."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._rest = b""
        self._number = 0
        self._good, self._bad = 0, 0
        self._first_good, self._first_bad = 0, 0
        self._witness: list[bytes] = []
        self._taken = 0

    def take(self, block: bytes, room: Room) -> None:
        """
        Raises:
            DataError: a line is longer than the room allows.
        """
        *lines, self._rest = (self._rest + block).split(b"\n")
        for line in lines:
            self._one(line)
        if len(self._rest) > room.row:
            raise room.full("this line", room.row, f"{self._where}, line {self._number + 1}")

    def end(self) -> None:
        """The last line."""
        self._one(self._rest)

    def _one(self, line: bytes) -> None:
        self._number += 1
        if line.isascii():
            return
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            self._bad += 1
            self._first_bad = self._first_bad or self._number
            if self._taken < _WITNESS:
                self._witness.append(line[:_WITNESS])
                self._taken += len(line)
        else:
            self._good += 1
            self._first_good = self._first_good or self._number

    def encoding(self) -> Encoding:
        """The encoding of the lines that are no UTF-8, where that may be the file's.

        A few short lines of another encoding are UTF-8 by chance (one of 20 at most).
        """
        witness = b"\n".join(self._witness)
        name = _detected(witness)
        if self._good * 20 > self._bad + self._good:
            number = self._first_bad if self._bad <= self._good else self._first_good
            kinds = ["UTF-8", _NAMES.get(name or "", name or "something else")]
            if self._bad > self._good:
                kinds.reverse()
            raise DataError(
                f"mixed encodings: this line is {kinds[1]}, where "
                f"{counted(max(self._good, self._bad), 'other line')} "
                f"{'are' if max(self._good, self._bad) > 1 else 'is'} {kinds[0]}",
                where=f"{self._where}, line {number}",
                fix="Save the whole file in one encoding, UTF-8 best of all.",
            )
        little = sum(byte > 127 for byte in witness) < _LEAST_WITNESS
        if name is None or (little and name != "cp1252"):
            raise DataError(
                "not UTF-8",
                where=f"{self._where}, line {self._first_bad}",
                fix=_SAVE_OR_NAME,
            )
        return Encoding(name, guessed=True)


def _detected(witness: bytes) -> str | None:
    """The likeliest encoding of bytes that are no UTF-8, or None."""
    import charset_normalizer

    best = charset_normalizer.from_bytes(witness, cp_isolation=list(_OTHERS)).best()
    name = None if best is None else best.encoding
    if name in (None, "cp1250", "cp1252", "cp1254") and _reads_western(witness):
        return "cp1252"
    return name


def _reads_western(witness: bytes) -> bool:
    """Whether bytes are letters of Western Europe; those of Central Europe look otherwise."""
    try:
        text = witness.decode("cp1252")
    except UnicodeDecodeError:
        return False
    strange = {c for c in text if not c.isascii() and c not in _WESTERN}
    if "å" in text or "æ" in text:
        strange -= {"ø", "Ø"}
    return not strange and not re.search(r"\w¿", text)


class _Transcoded(io.RawIOBase):
    """A file of wide characters as UTF-8."""

    def __init__(self, inner: IO[bytes], encoding: str, where: str) -> None:
        self._inner, self._where = inner, where
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._left = b""
        self._line = 1

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes."""
        while not self._left:
            block = self._inner.read(1 << 16)
            try:
                text = self._decoder.decode(block, final=not block)
            except UnicodeError:
                raise _undecodable(
                    self._encoding, f"{self._where}, after line {self._line}"
                ) from None
            self._line += text.count("\n")
            self._left = text.encode("utf-8", "surrogatepass")
            if not block:
                break
        some, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(some)] = some
        return len(some)


def _undecodable(encoding: str, where: str) -> DataError:
    return DataError(
        f"not {_NAMES.get(encoding, encoding)}",
        where=where,
        fix=_SAVE_OR_NAME,
    )


def lines(
    file: IO[bytes], where: str, room: Room, encoding: str = "utf-8"
) -> Iterator[tuple[int, str]]:
    """Lines with their ends, and their numbers from 1.

    Raises:
        DataError: a line is longer than the room allows, or is not of this encoding.
    """
    if encoding.startswith(("utf-16", "utf-32")):
        wide = _Transcoded(file, encoding, where)
        file, encoding = cast(IO[bytes], io.BufferedReader(wide, 1 << 16)), "utf-8"
    for number in itertools.count(1):
        line = file.readline(room.row + 1)
        if not line:
            return
        if len(line) > room.row:
            raise room.full("this line", room.row, f"{where}, line {number}")
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError as error:
            place = f"{where}, line {number}"
            if encoding != "utf-8":
                raise _undecodable(encoding, place) from None
            raise DataError(
                f"not UTF-8 (byte {error.start + 1} of the line)",
                where=place,
                fix=_SAVE_OR_NAME,
            ) from None
        yield number, text
