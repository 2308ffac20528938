"""The data of a task as a value, its fingerprint, and its copy on disk for child processes.

Each split is a file of its own with its own digest, so that a training child reads train and
validation, is sure of what it reads, and never opens test.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from suite import files
from suite.contracts import rowfacts
from suite.contracts.strategy import Rows
from suite.data import readers
from suite.data.folds import Folds
from suite.data.kept import batches
from suite.data.room import Room
from suite.errors import DataError, StorageError
from suite.machine import scratch
from suite.machine.facts import usable_memory

#: Where facts.json has the digest of folds.json.
_FOLDS_DIGEST = "folds"

Split = Literal["train", "validation", "test", "calibration"]
#: What a source may have, and every study has.
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
#: What a study may have.
_ALL: tuple[Split, ...] = (*SPLITS, "calibration")
FACTS = "facts.json"
FOLDS = "folds.json"
#: Bytes of facts.json and of folds.json, at most.
MOST_FACTS = 10_000_000
MOST_FOLDS = 50_000_000


@dataclass(frozen=True)
class TaskData:
    """The rows of a task, and where they came from. Train stands in an order of which every
    prefix is a stratified sample; the other splits stand as in their source.

    `groups` are whom the rows of train and then of validation come from, where their source says;
    `timed` is whether validation is the newest of them. Neither is kept in a snapshot, but `folds`
    are, where there are any. `calibration` is what was set aside from train, where something is to
    be certified.
    """

    train: Rows
    validation: Rows
    test: Rows
    facts: rowfacts.DataFacts
    groups: Sequence[str | None] | None = field(default=None, compare=False)
    timed: bool = field(default=False, compare=False)
    folds: Folds | None = None
    calibration: Rows | None = None


def fingerprint(train: Rows, validation: Rows, test: Rows, calibration: Rows | None = None) -> str:
    """16 hex digits over every text and label, their order and their split."""
    return _combine(_digests((train, validation, test, calibration)))


def _digests(rows: Sequence[Rows | None]) -> dict[Split, str]:
    """The digest of each split that there is, of rows in the order of `_ALL`."""
    splits = zip(_ALL, rows, strict=True)
    return {split: _digest(own) for split, own in splits if own is not None}


def digest(rows: Rows) -> str:
    """16 hex digits over the texts and labels of one split, and their order."""
    return _digest(rows)[:16]


def _combine(digests: dict[Split, str]) -> str:
    content = "\n".join(f"{split} {digests[split]}" for split in _ALL if split in digests)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _digest(rows: Rows) -> str:
    digest = hashlib.sha256()
    for text, label in zip(rows.texts, rows.labels, strict=True):
        content = text.encode("utf-8", "surrogatepass")
        digest.update(f"{label} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()


_FACTS = TypeAdapter(rowfacts.DataFacts)
_FOLDS = TypeAdapter(Folds)


def write_snapshot(folder: Path, data: TaskData) -> None:
    """Writes what a study's child processes read, all or nothing; an older one is replaced.

    Raises:
        StorageError: the folder cannot be written.
    """
    try:
        with scratch.folder(folder.parent) as aside:
            _write(aside / "new", data)
            if folder.exists():
                os.replace(folder, aside / "old")
            os.replace(aside / "new", folder)
    except OSError as error:
        raise StorageError(
            f"the data cannot be kept: {files.reason(error, folder)}",
            where=str(folder),
            fix="Work in a folder that can be written, on a disk with space left.",
        ) from None


def _write(folder: Path, data: TaskData) -> None:
    folder.mkdir()
    digests = _digests([getattr(data, split) for split in _ALL])
    for split in digests:
        _write_rows(folder / f"{split}.parquet", getattr(data, split))
    facts: dict[str, object] = {
        "facts": _FACTS.dump_python(data.facts, mode="json"),
        "digests": digests,
    }
    if data.folds is not None:
        content = _FOLDS.dump_json(data.folds)
        (folder / FOLDS).write_bytes(content)
        facts[_FOLDS_DIGEST] = hashlib.sha256(content).hexdigest()
    (folder / FACTS).write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")


def _write_rows(path: Path, rows: Rows) -> None:
    """Some thousand rows at a time: more need not be in memory."""
    import pyarrow
    import pyarrow.parquet

    fields = [("text", pyarrow.large_string()), ("label", pyarrow.int32())]
    if rows.ids is not None:
        fields.append(("id", pyarrow.large_string()))
    schema = pyarrow.schema(fields)
    ids = iter(rows.ids or ())
    begin = 0
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for texts in batches(rows.texts):
            end = begin + len(texts)
            columns = {"text": texts, "label": rows.labels[begin:end]}
            if rows.ids is not None:
                columns["id"] = list(itertools.islice(ids, len(texts)))
            writer.write_table(pyarrow.table(columns, schema))
            begin = end


def stands(folder: Path, fingerprint: str, *, folds: bool = False) -> bool:
    """Whether a snapshot of these very rows is there already, cut into folds where these are asked
    for; its rows are checked when read."""
    try:
        stored = files.parse_json(files.read_small(folder / FACTS, MOST_FACTS, DataError))
        cut = not folds or (_FOLDS_DIGEST in stored and (folder / FOLDS).is_file())
        return cut and bool(stored["facts"]["fingerprint"] == fingerprint)
    except (DataError, ValueError, KeyError, TypeError):
        return False


def read_snapshot(folder: Path) -> TaskData:
    """What `write_snapshot` wrote.

    Raises:
        DataError: it is not there, or was changed since.
    """
    facts, digests = _read_facts(folder)
    rows = {split: _read_rows(folder, split, digests) for split in digests}
    folds = read_folds(folder) if (folder / FOLDS).exists() else None
    return TaskData(
        rows["train"],
        rows["validation"],
        rows["test"],
        facts,
        folds=folds,
        calibration=rows.get("calibration"),
    )


def read_train_validation(folder: Path) -> tuple[Rows, Rows]:
    """Train and validation of a snapshot; the file of test is not opened. Errors as above."""
    _, digests = _read_facts(folder)
    return _read_rows(folder, "train", digests), _read_rows(folder, "validation", digests)


def read_split(folder: Path, name: Split) -> Rows:
    """One split of a snapshot, with the rows' ids where they were kept; errors as in
    `read_snapshot`."""
    _, digests = _read_facts(folder)
    if name not in digests:
        raise DataError(f"the study has no {name} split", where=str(folder))
    return _read_rows(folder, name, digests, ids=True)


def read_folds(folder: Path) -> Folds:
    """The folds of a snapshot's train and validation; errors as in `read_snapshot`."""
    path = folder / FOLDS
    facts, _ = _read_facts(folder)
    try:
        content = files.read_small(path, MOST_FOLDS, DataError)
        stored = files.parse_json(files.read_small(folder / FACTS, MOST_FACTS, DataError))
        folds = _FOLDS.validate_json(content)
        digest = stored[_FOLDS_DIGEST]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"the study's folds are damaged: {error}", where=str(path)) from None
    rows = (len(folds.train), len(folds.beside))
    if hashlib.sha256(content).hexdigest() != digest or rows != (
        facts.rows.train,
        facts.rows.validation,
    ):
        raise _changed(path)
    return folds


def _read_facts(folder: Path) -> tuple[rowfacts.DataFacts, dict[Split, str]]:
    path = folder / FACTS
    try:
        if not os.path.lexists(path):
            raise FileNotFoundError
        kept = files.parse_json(files.read_small(path, MOST_FACTS, DataError))
        facts = _FACTS.validate_python(kept["facts"])
        stored = kept["digests"]
        digests: dict[Split, str] = {
            split: str(stored[split]) for split in _ALL if split in SPLITS or split in stored
        }
    except FileNotFoundError:
        raise DataError("the study's data is not there", where=str(path)) from None
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise DataError(f"the study's data is damaged: {error}", where=str(path)) from None
    if _combine(digests) != facts.fingerprint:
        raise _changed(path)
    return facts, digests


def _read_rows(folder: Path, split: Split, digests: dict[Split, str], *, ids: bool = False) -> Rows:
    """The rows of a split. Their ids are in no digest: they are shown, and decide nothing."""
    path = folder / f"{split}.parquet"
    where = str(path)
    try:
        with files.opened(path, DataError) as raw:
            # It was read within a bound when the study was created, whatever that was.
            room, size = Room(usable_memory()), files.size(path, DataError)
            kept = ("text", "label", "id") if ids else ("text", "label")
            found = [
                row
                for _, row in readers.parquet_rows(
                    raw,
                    size,
                    where,
                    room,
                    lambda names: [n for n in kept if n in names or n != "id"],
                    kept=True,
                )
            ]
        rows = Rows(
            tuple(row["text"] for row in found),
            tuple(row["label"] for row in found),
            tuple(row["id"] for row in found) if found and "id" in found[0] else None,
        )
        changed = _digest(rows) != digests[split]
    except DataError as error:
        raise DataError(f"the study's data is damaged: {error.what}", where=where) from None
    except (AttributeError, TypeError):  # texts that are none
        changed = True
    if changed:
        raise _changed(path)
    return rows


def _changed(path: Path) -> DataError:
    return DataError(
        "the study's data was changed since it was created",
        where=str(path),
        fix="Delete the study and create it again.",
    )
