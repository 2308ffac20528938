"""What was computed once and may be found again: arrays on disk, shared by every study of a user.

Token ids, embeddings and hidden states of training rows stand here, one safetensors file each,
named by a digest of everything they depend on. A file appears whole or not at all. One that is
damaged, or a folder that can't be written, costs time and never a trial. Beyond
`SUITE_CACHE_BYTES` the files that were not used for longest go.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from suite import paths
from suite.errors import SuiteError
from suite.machine import scratch

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["embeddings", "states", "tokens"]
KINDS: tuple[Kind, ...] = ("embeddings", "states", "tokens")

BOUND = "SUITE_CACHE_BYTES"
DEFAULT_BOUND = 10 * 10**9
#: A draft that old was left by a process that was killed.
_DRAFT_SECONDS = 3600.0


@dataclass(frozen=True)
class Entry:
    """A file of the cache: its bytes, and when it was last used (seconds since the epoch)."""

    file: Path
    size: int
    used: float


def bound() -> int:
    """Bytes that the cache may hold: `SUITE_CACHE_BYTES`, or 10 GB. 0 keeps nothing.

    Raises:
        SuiteError: the variable is no number of bytes.
    """
    said = os.environ.get(BOUND, "").strip()
    if not said:
        return DEFAULT_BOUND
    if not said.isdecimal():
        raise SuiteError(
            f"{BOUND}={said}: not a number of bytes", fix=f"For example {BOUND}=20000000000."
        )
    return int(said)


def place(kind: Kind, facts: Sequence[Any]) -> Path:
    """The file of what these facts (JSON values) decide wholly."""
    digest = hashlib.sha256(json.dumps(list(facts)).encode()).hexdigest()[:24]
    return paths.cache() / kind / f"{digest}.safetensors"


def used(file: Path) -> None:
    """Notes that an entry was of use: those that were not go first."""
    with contextlib.suppress(OSError):
        os.utime(file)


def write(file: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, str]) -> bool:
    """Writes an entry, all or nothing, then sees to the bound; whether it could be written."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with scratch.folder(paths.cache()) as aside:
            save_file(dict(arrays), aside / file.name, metadata=dict(facts))
            os.replace(aside / file.name, file)
    except (OSError, SafetensorError):
        return False
    evict()
    return True


def entries() -> list[Entry]:
    """Every entry, the one unused for longest first. Drafts are none."""
    found = [entry for entry in _files() if not entry.file.name.startswith(".")]
    return sorted(found, key=lambda entry: (entry.used, entry.file.name))


def evict() -> list[Path]:
    """Removes the entries unused for longest until the rest keeps the bound; which they were.

    A process that has a removed file mapped keeps what it sees.
    """
    for entry in _files():
        if entry.file.name.startswith(".") and time.time() - entry.used > _DRAFT_SECONDS:
            _remove(entry.file)
    kept = entries()
    over = sum(entry.size for entry in kept) - bound()
    gone: list[Path] = []
    for entry in kept:
        if over <= 0:
            break
        if _remove(entry.file):
            gone.append(entry.file)
        over -= entry.size
    return gone


def _files() -> Iterator[Entry]:
    for kind in KINDS:
        with contextlib.suppress(OSError):
            for file in (paths.cache() / kind).glob("*.safetensors"):
                with contextlib.suppress(OSError):  # Another process may remove it meanwhile.
                    facts = file.stat()
                    yield Entry(file, facts.st_size, facts.st_mtime)


def _remove(file: Path) -> bool:
    with contextlib.suppress(OSError):
        file.unlink()
        return True
    return False
