"""Bookmarks on disk: the latest of a training, written whole or not at all, and held to what was
written when it is read.

    <place>/<step>-<hash of the manifest>/
        bookmark.json           the training's fingerprint, the step, a hash of each other file
        tensors.safetensors     weights, moments, states of random generators
        values.json             the rest
        kept/  candidate/       predictors that were kept until then
    <place>/tries.json          how often a process has gone on from it

A new one lies beside the last before that is removed, so whenever a process is killed, one of them
is there. Nothing is pickled. What is damaged, or was made of another training, is no bookmark.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from suite import files
from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.errors import ModelError, StorageError

#: Raise it when what stands in one is read otherwise.
FORMAT = 1

#: How often a training goes on from one bookmark; a process that dies over it time and again may
#: die of it. A later one is a new beginning.
MOST_TRIES = 2

MANIFEST, TENSORS, VALUES, _TRIES = (
    "bookmark.json",
    "tensors.safetensors",
    "values.json",
    "tries.json",
)

#: Texts, scores and circumstances.
_MOST_BYTES = 200_000_000

_NAME = re.compile(r"(\d{1,12})-([0-9a-f]{32})")

_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Steps = Annotated[int, Field(ge=0, le=10**12)]


class Manifest(Strict):
    """`bookmark.json`."""

    format: Literal[1]
    fingerprint: _Hash
    step: _Steps
    files: Annotated[dict[str, _Hash], Field(max_length=10_000)]


class _Tries(Strict):
    name: str
    tries: Annotated[int, Field(ge=0)]


class Unfit(Exception):
    """What lies there can't be gone on from; the message says why, as a clause."""


@dataclass(frozen=True)
class Stored:
    """A bookmark as it was read.

    Args:
        folder: where it lies.
        tensors: torch's, by name.
        values: the object in `values.json`.
    """

    folder: Path
    step: int
    tensors: dict[str, Any]
    values: dict[str, Any]


def write(
    place: Path,
    fingerprint: str,
    step: int,
    tensors: Mapping[str, Any],
    values: Mapping[str, Any],
    folders: Mapping[str, Path],
) -> None:
    """Writes one, and removes those before it.

    Args:
        fingerprint: of the training: sha256, in hexadecimal digits.
        tensors: torch's, by name; none shares its memory with another.
        values: as JSON has them.
        folders: that belong to it, by name. Their files are linked where the disk can do that, so
            nobody may write into them afterwards.

    Raises:
        StorageError: it can't be written; the one before it is still there.
        TypeError, ValueError: a value is none of JSON's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    draft = place / f".{os.getpid()}.part"
    try:
        text = json.dumps(values)
        shutil.rmtree(draft, ignore_errors=True)  # of a process of that number, which was killed
        draft.mkdir(parents=True)
        whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
        save_file(whole, draft / TENSORS)
        (draft / VALUES).write_text(text, encoding="utf-8")
        for name, folder in folders.items():
            shutil.copytree(folder, draft / name, copy_function=_linked)
        found = {str(file.relative_to(draft)): _digest(file) for file in _files(draft)}
        told = Manifest(format=1, fingerprint=fingerprint, step=step, files=found).model_dump_json()
        (draft / MANIFEST).write_text(told, encoding="utf-8")
        named = place / f"{step}-{_digest(draft / MANIFEST)[:32]}"
        if not named.exists():
            draft.rename(named)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"cannot be written: {_why(error, place)}", where=str(place)) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    for other in place.iterdir():
        if other.name != named.name:
            _remove(other)


def read(place: Path, fingerprint: str) -> Stored | None:
    """The latest bookmark of a training, held to its hashes, and counted as gone on from; None
    where there is none.

    Raises:
        Unfit: there is one that can't be gone on from.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder = _latest(place)
    if folder is None:
        return None
    try:
        named = _NAME.fullmatch(folder.name)
        assert named is not None
        manifest = jsonfile.load(folder / MANIFEST, Manifest)
        if _digest(folder / MANIFEST)[:32] != named[2]:
            raise Unfit("it is damaged")
        if manifest.fingerprint != fingerprint:
            raise Unfit("it is of a training with other hyperparameters, rows, weights or versions")
        there = {str(file.relative_to(folder)): file for file in _files(folder)}
        del there[MANIFEST]
        if there.keys() != manifest.files.keys():
            raise Unfit("it is not whole")
        if any(_digest(file) != manifest.files[name] for name, file in there.items()):
            raise Unfit("it is damaged")
        values = jsonfile.read(folder / VALUES, most=_MOST_BYTES)
        tensors = load_file(folder / TENSORS)
    except (ModelError, SafetensorError, KeyError):
        raise Unfit("it is damaged") from None
    except OSError as error:
        raise Unfit(f"it can't be read: {error.strerror or error}") from None
    _count(place, folder.name)
    return Stored(folder, manifest.step, tensors, values)


def put(stored: Stored, name: str, folder: Path) -> None:
    """Puts a folder of a bookmark's where it lay, if it has one of that name.

    Raises:
        OSError: it can't be written.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if (stored.folder / name).is_dir():
        shutil.copytree(stored.folder / name, folder, copy_function=_linked)


def forgive(place: Path) -> None:
    """Takes back that the bookmark was gone on from: whoever did was asked to stop."""
    with suppress(OSError):
        (place / _TRIES).unlink(missing_ok=True)


def _count(place: Path, name: str) -> None:
    """Counts that a bookmark is gone on from.

    Raises:
        Unfit: it was too often.
    """
    try:
        before = jsonfile.load(place / _TRIES, _Tries)
        tries = before.tries if before.name == name else 0
    except ModelError:
        tries = 0
    if tries >= MOST_TRIES:
        raise Unfit(f"{tries} processes died that had gone on from it")
    try:
        with files.whole(place / _TRIES) as draft:
            draft.write_text(_Tries(name=name, tries=tries + 1).model_dump_json())
    except StorageError as error:
        raise Unfit(str(error)) from None


def _latest(place: Path) -> Path | None:
    try:
        named = [(_NAME.fullmatch(entry.name), entry) for entry in os.scandir(place)]
    except OSError:
        return None
    found = [(int(m[1]), e.path) for m, e in named if m and e.is_dir(follow_symlinks=False)]
    return Path(max(found)[1]) if found else None


def _files(folder: Path) -> list[Path]:
    """All files of a folder, in order.

    Raises:
        OSError: something else lies there: a link, a pipe.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        for name in folders:
            if os.path.islink(os.path.join(parent, name)):
                raise OSError(f"{name} is a link")
        for name in names:
            file = Path(parent, name)
            if file.is_symlink() or not file.is_file():
                raise OSError(f"{name} is no file")
            found.append(file)
    return sorted(found)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _linked(source: str, place: str) -> None:
    """The same file by another name; a copy where the disk has one name for each."""
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)


def _why(error: Exception, place: Path) -> str:
    """The reason in words; safetensors tells a full disk in its own."""
    return files.reason(error, place) if isinstance(error, OSError) else str(error)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
