"""Files and Hub data sets -> plain columns.

This module knows formats and their defects and nothing of classes: it opens a file of rows
(optionally .gz) by the readers of this room, or a Hub data set at one revision through `datasets`,
and says in one sentence, with the line, what is wrong with it. Nothing is left on disk, and an
unwritable home does not matter. What is kept of rows in memory stays within one `Room`; beyond a
part of it they go to disk.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from suite import files
from suite.contracts.task import HubSource, Reading
from suite.data import layouts
from suite.data.delimited import no_rows
from suite.data.kept import Keeping, chained
from suite.data.readers import Pick, Row
from suite.data.room import Room
from suite.data.rowfile import FORMATS, Found, RowFile, format_of
from suite.errors import DataError, nearest
from suite.machine.scratch import temporary

__all__ = [
    "FORMATS", "HubUnavailable", "Table", "collect", "format_of", "joined", "missing_column",
    "pick_columns", "quiet_datasets", "read_file", "read_hub",
]  # fmt: skip

SplitT = TypeVar("SplitT", bound=str)

#: The column of where each row stands ("rows.csv, line 3"), where that is asked for.
PLACE = "\0place"


class HubUnavailable(DataError):
    """Neither the local Hub cache nor the Hub itself could give the rows."""


@dataclass(frozen=True)
class Table:
    """Some columns of one split, as the source spells them.

    `class_names` holds, for a column that the source declares to be classes, their names in
    the order of its numbers; `found` how its file is written.
    """

    where: str
    columns: Mapping[str, Sequence[Any]]
    class_names: dict[str, list[str]]
    found: Found | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def pick_columns(*names: str, where: str) -> Pick:
    """A `Pick` of exactly these columns."""

    def pick(present: list[str]) -> Sequence[str]:
        missing = [name for name in names if name not in present]
        if missing:
            raise missing_column(missing[0], present, where)
        return names

    return pick


def missing_column(name: str, present: Iterable[str], where: str) -> DataError:
    """The error for a column that is not there: names those that are, and the nearest."""
    return DataError(
        f"no column '{name}'",
        where=where,
        fix=f"{nearest(name, present)} A task names its columns under data.text and data.label.",
    )


def read_file(
    path: Path,
    pick: Pick,
    room: Room | None = None,
    reading: Reading | None = None,
    *,
    placed: bool = False,
) -> Table:
    """The wanted columns of a file. Fields of a CSV are texts; others keep the file's types.

    A shard stands for all files of its split, a folder for the files that `save_to_disk` left in
    it, or for a folder of texts for each class (columns `text`, `label` and `file`).

    Args:
        room: how much may be in memory, with what was read into it before.
        reading: what is known of how the file is written.
        placed: whether there is to be a column `PLACE` too.

    Raises:
        DataError: the file is missing, no regular file, damaged, of another format, larger than
            the room, or has no such columns.
    """
    room = room or Room()
    parts: Sequence[Path]
    if not files.is_folder(path, DataError):
        parts = layouts.shards(path)
    elif not (parts := layouts.arrow_files(path)):
        return _read_classes(path, pick, room, reading, placed)
    return joined([_read_one(part, pick, room, reading, placed) for part in parts], str(path))


def _read_classes(
    path: Path, pick: Pick, room: Room, reading: Reading | None, placed: bool
) -> Table:
    folders = layouts.class_folders(path)
    for folder in folders:
        layouts.check_within(folder, path)
    if len(folders) < 2:
        raise DataError(
            "a folder of neither rows nor texts by class",
            where=str(path),
            fix="Expected a folder for each class with a .txt for each text, or Arrow files.",
        )
    wanted = pick(["text", "label", "file"])
    unread = [folder.name for folder in folders if folder.name in layouts.UNLABELLED]

    def rows() -> Iterator[Row]:
        for folder in folders:
            for file in layouts.text_files(folder) if folder.name not in unread else ():
                layouts.check_within(file, path)
                size = files.size(file, DataError)
                if size > room.row:
                    raise room.full("this text", room.row, str(file))
                text = RowFile(file, room, reading, kind="txt").whole() if size else ""
                row = {"text": text, "label": folder.name, "file": f"{folder.name}/{file.name}"}
                yield str(file), {name: row[name] for name in wanted}

    found = Found("a folder of texts for each class", unread=unread)
    return Table(str(path), _kept(rows(), str(path), room, placed), {}, found)


def _read_one(path: Path, pick: Pick, room: Room, reading: Reading | None, placed: bool) -> Table:
    file = RowFile(path, room, reading)
    columns = _kept(file.rows(pick, kept=True), str(path), room, placed)
    names = {name: known for name, known in file.class_names.items() if name in columns}
    return Table(str(path), columns, names, file.found)


def _kept(rows: Iterable[Row], where: str, room: Room, placed: bool) -> dict[str, Sequence[Any]]:
    """Rows as columns, in memory or on disk."""
    keeping = Keeping(room)
    place = where
    for place, row in rows:
        keeping.add({**row, PLACE: place} if placed else row, place)
    columns = keeping.done(place)
    if not columns:
        raise no_rows(where)
    return columns


def joined(tables: Sequence[Table], where: str) -> Table:
    """Shards of one split as one table.

    Raises:
        DataError: they declare other classes, or have other columns.
    """
    if len(tables) == 1:
        return tables[0]
    first = tables[0]
    for other in tables[1:]:
        if other.class_names != first.class_names:
            raise DataError("declares other classes than the shards before", where=other.where)
        if other.columns.keys() != first.columns.keys():
            named = ", ".join(other.columns), ", ".join(first.columns)
            raise DataError(
                f"its columns are {named[0]}, where the shards before have {named[1]}",
                where=other.where,
                fix="Write all shards of a split with the same columns.",
            )
        if first.found is not None and other.found is not None:
            first.found.skipped.join(other.found.skipped)
    columns = {name: chained(table.columns[name] for table in tables) for name in first.columns}
    return Table(where, columns, first.class_names, first.found)


def collect(
    rows: Any, pick: Pick, where: str, room: Room | None = None, *, placed: bool = False
) -> Table:
    """The wanted columns of a `datasets` Dataset or IterableDataset, and `PLACE` where `placed`.

    Raises:
        DataError: it has no rows, or not these columns.
    """

    def picked() -> Iterator[Row]:
        wanted: list[str] = []
        for number, row in enumerate(rows, start=1):
            wanted = wanted or list(pick(list(row)))
            yield f"{where}, row {number}", {name: row.get(name) for name in wanted}

    features = rows.features or {}
    names = {
        name: list(feature.names)
        for name, feature in features.items()
        if getattr(feature, "names", None)
    }
    columns = _kept(picked(), where, room or Room(), placed)
    return Table(where, columns, {n: known for n, known in names.items() if n in columns})


#: Rows of a Hub data set's Parquet that are unpacked at once.
_HUB_BATCH = 64


def read_hub(
    source: HubSource,
    wanted: Mapping[SplitT, str],
    pick: Callable[[str], Pick],
    hub_reachable: Callable[[], bool],
    room: Room | None = None,
    *,
    placed: bool = False,
) -> dict[SplitT, Table]:
    """Splits of a Hub data set at its revision: from the local cache, else from the Hub.

    Args:
        wanted: our name of a split -> the source's.
        pick: the wanted columns, given a table's place in words.
        hub_reachable: asked only when the cache does not have the rows.
        room: how much may be in memory, of all splits together.
        placed: as of `read_file`.

    Raises:
        HubUnavailable: not cached, and the Hub is out of reach.
        DataError: the Hub has no such data set, revision, configuration, split or column.
    """
    room = room or Room()
    with quiet_datasets(), temporary() as scratch:
        found = _from_snapshot(source, wanted, str(scratch)) or _from_prepared(source, wanted)
        if found is None:
            if not hub_reachable():
                raise HubUnavailable(
                    f"{source.id} is not in the local Hub cache, and the Hub is out of reach",
                    where=f"Hub {source.id}@{source.revision[:7]}",
                    fix="Give the rows with --data DIR, or use --sample.",
                )
            found = _from_hub(source)
        tables = {}
        for split, name in wanted.items():
            if name not in found:
                raise DataError(
                    f"no split '{name}'",
                    where=f"Hub {source.id}@{source.revision[:7]}",
                    fix=f"{nearest(name, found)} A task names them under data.splits.",
                )
            where = f"Hub {source.id}@{source.revision[:7]}, {name}"
            try:
                tables[split] = collect(found[name], pick(where), where, room, placed=placed)
            except (OSError, EOFError, ValueError, KeyError, RuntimeError, zlib.error) as error:
                raise DataError(f"cannot be read: {_first_line(error)}", where=where) from None
        return tables


def _from_snapshot(source: HubSource, wanted: Mapping[SplitT, str], scratch: str) -> Any | None:
    """The files that the Hub's client keeps, if those of the wanted splits are all there."""
    import datasets
    from huggingface_hub import constants

    home = Path(constants.HF_HUB_CACHE) / f"datasets--{source.id.replace('/', '--')}"
    revision = source.revision
    try:
        if not source.pinned:
            revision = (home / "refs" / "main").read_text(encoding="utf-8").strip()
        folder = home / "snapshots" / revision
        if not folder.is_dir():
            return None
        found = datasets.load_dataset(
            str(folder),
            name=source.config,
            data_files=dict(source.files) if source.files else None,
            streaming=True,
            cache_dir=scratch,
        )
    except (OSError, ValueError, RuntimeError):
        return None  # a folder with a part of the files: as good as not cached
    return found if set(wanted.values()) <= set(found) else None


def _from_prepared(source: HubSource, wanted: Mapping[SplitT, str]) -> Any | None:
    """The Arrow files that `datasets` made of this revision, where it left any."""
    import datasets
    from datasets.packaged_modules.cache.cache import Cache

    if source.files:
        return None  # such a cache is named by a hash of the files' addresses
    owner, name = source.id.split("/")
    home = Path(datasets.config.HF_DATASETS_CACHE)
    folder = f"{owner}___{datasets.naming.camelcase_to_snakecase(name)}"
    revision = source.revision if source.pinned else "*"
    places = sorted(
        home.glob(f"{folder}/{source.config or '*'}/*/{revision}/dataset_info.json"),
        key=lambda p: p.stat().st_mtime,
    )
    for place in reversed(places):
        config, version, commit = place.parent.parts[-3:]
        try:
            builder = Cache(
                repo_id=source.id,
                dataset_name=name,
                config_name=config,
                version=version,
                hash=commit,
            )
            found = builder.as_dataset()
        except (OSError, ValueError, RuntimeError):
            continue
        if set(wanted.values()) <= set(found):
            return found
    return None


def _from_hub(source: HubSource) -> Any:
    import datasets
    from huggingface_hub.errors import HfHubHTTPError

    where = f"Hub {source.id}@{source.revision[:7]}"
    try:
        return datasets.load_dataset(
            source.id,
            name=source.config,
            revision=source.revision,
            data_files=dict(source.files) if source.files else None,
        )
    except datasets.exceptions.DatasetNotFoundError as error:
        raise DataError(
            _first_line(error), where=where, fix="Mend data.hub in the task, or give --data DIR."
        ) from None
    except (ConnectionError, TimeoutError, HfHubHTTPError) as error:
        raise HubUnavailable(
            f"the Hub stopped answering: {_first_line(error)}",
            where=where,
            fix="Try again, or give the rows with --data DIR.",
        ) from None
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        cause = error.__cause__ or error
        raise DataError(f"cannot be read: {_first_line(cause)}", where=where) from None


@contextmanager
def quiet_datasets() -> Iterator[None]:
    """Within: `datasets` draws no bars, logs no errors (ours say the same, once), parses no JSON
    that would end the process, unpacks Parquet a few rows at a time, and does not import torch,
    which it otherwise does to stream a file: seconds, for nothing."""
    import datasets
    import pyarrow.json
    from datasets.packaged_modules.json import json as reader
    from datasets.packaged_modules.parquet.parquet import ParquetConfig

    level = datasets.logging.get_verbosity()
    bars = datasets.are_progress_bars_disabled()
    torch = datasets.config.TORCH_AVAILABLE
    datasets.config.TORCH_AVAILABLE = False
    reader.paj = _Guarded()
    plain = ParquetConfig.__post_init__

    def a_few_at_once(config: Any) -> None:
        plain(config)
        # Otherwise a whole row group, which may be all rows: of 760 bytes, 6 GB.
        config.batch_size = config.batch_size or _HUB_BATCH

    ParquetConfig.__post_init__ = a_few_at_once
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        reader.paj = pyarrow.json
        ParquetConfig.__post_init__ = plain
        datasets.config.TORCH_AVAILABLE = torch
        datasets.logging.set_verbosity(level)
        if not bars:
            datasets.enable_progress_bars()


class _Guarded:
    """`pyarrow.json` for bytes that others wrote: its parser's stack ends with the process."""

    def __getattr__(self, name: str) -> Any:
        import pyarrow.json

        return getattr(pyarrow.json, name)

    def read_json(self, source: Any, **options: Any) -> Any:
        """The table of some lines of JSON.

        Raises:
            NotJson: one of them is nested too deeply.
        """
        import pyarrow.json

        for line in source.getvalue().split(b"\n"):
            if line.count(b"[") + line.count(b"{") > files.DEPTH and files.nested_deeper(
                line.decode("utf-8", "replace")
            ):
                raise files.NotJson(f"nested deeper than {files.DEPTH} levels")
        return pyarrow.json.read_json(source, **options)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
