"""The class probabilities that a model answered to rows, as a file of its own.

float16 in their order, compressed; what it holds and its hash are told apart from it (`Answered`),
so that a file which was changed, or belongs to other rows, is never taken for the one. To half a
thousandth they are what was answered; a row of zeros is still no answer, and no other row is.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from suite import files
from suite.contracts.strategy import Probabilities, Rows
from suite.data.snapshot import digest
from suite.errors import DataError

#: What was answered: a split as it stands in a study's rows, or train followed by validation.
Which = Literal["train+validation", "validation", "test", "calibration"]

_Hex16 = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
_Hex64 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

#: Bytes of a probability, and those that the least compressible content gains, and a little more.
_BYTES, _MORE = 2, 4096


@dataclass(frozen=True)
class Answered:
    """What a file of probabilities holds.

    Args:
        which: the rows that it is of, in their order.
        digest: of these rows, as `snapshot.digest` has it.
        rows, classes: how many there are.
        sha256: of the file.
    """

    which: Which
    digest: _Hex16
    rows: Annotated[int, Field(ge=1, le=10**9)]
    classes: Annotated[int, Field(ge=2, le=100_000)]
    sha256: _Hex64


def write(file: Path, probabilities: Probabilities, which: Which, rows: Rows) -> Answered:
    """Writes probabilities, float [rows, classes], into a file, and tells what it holds.

    Raises:
        OSError: it can't be written.
    """
    content = zlib.compress(np.ascontiguousarray(probabilities, dtype="<f2").tobytes())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    count, classes = probabilities.shape
    return Answered(which, digest(rows), count, classes, hashlib.sha256(content).hexdigest())


def stands(file: Path, known: Answered) -> bool:
    """Whether a file holds what is known of it."""
    try:
        read(file, known)
    except DataError:
        return False
    return True


def read(file: Path, known: Answered) -> Probabilities:
    """The probabilities of a file, float32 [rows, classes].

    Raises:
        DataError: it is not there, or holds something else than is known of it.
    """
    size = known.rows * known.classes * _BYTES
    content = files.read_small(file, size + size // 1000 + _MORE, DataError)
    if hashlib.sha256(content).hexdigest() != known.sha256:
        raise DataError("the probabilities were changed since they were kept", where=str(file))
    try:
        found = zlib.decompressobj().decompress(content, size + 1)
    except zlib.error as error:
        raise DataError(f"the probabilities are damaged: {error}", where=str(file)) from None
    if len(found) != size:
        raise DataError("the probabilities are of other rows or classes", where=str(file))
    return np.frombuffer(found, "<f2").reshape(known.rows, known.classes).astype(np.float32)
