"""Files and Hub data sets -> plain columns, read through `datasets`.

This module knows formats and their defects and nothing of classes: it opens a file of rows
(optionally .gz) or a Hub data set at one revision, and says in one sentence, with the line, what
is wrong with it. Files are streamed, so nothing is left on disk and an unwritable
home does not matter.
"""

from __future__ import annotations

import csv
import errno
import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from suite.contracts.task import HubSource
from suite.errors import DataError, SuiteError, nearest
from suite.machine.scratch import temporary

#: How a file of rows may be called -> what `datasets` calls its format.
SUFFIXES = {".jsonl": "json", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
#: The same in words.
FORMATS = f"{', '.join(SUFFIXES)} (each also with .gz after it)"

SplitT = TypeVar("SplitT", bound=str)

#: The columns a file has -> the columns wanted of it; raises DataError where they are missing.
Pick = Callable[[list[str]], Sequence[str]]


class HubUnavailable(DataError):
    """Neither the local Hub cache nor the Hub itself could give the rows."""


@dataclass(frozen=True)
class Table:
    """Some columns of one split, as the source spells them.

    `class_names` holds, for a column that the source declares to be classes, their names in
    the order of its numbers.
    """

    where: str
    columns: dict[str, list[Any]]
    class_names: dict[str, list[str]]

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


def format_of(path: Path) -> str | None:
    """`json`, `csv` or `parquet` by the file's name (.gz aside), or None."""
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return SUFFIXES.get(suffixes[-1]) if suffixes else None


def read_file(path: Path, pick: Pick) -> Table:
    """The wanted columns of a file. CSV columns are texts; others keep the file's types.

    Raises:
        DataError: the file is missing, damaged, of another format, or has no such columns.
    """
    kind = format_of(path)
    if not path.is_file():
        raise DataError("this is a folder" if path.is_dir() else "no such file", where=str(path))
    if kind is None:
        raise DataError(
            "unknown kind of file",
            where=str(path),
            fix=f"Rows are read from {FORMATS}.",
        )
    if path.stat().st_size == 0:
        raise DataError("the file is empty", where=str(path))
    try:
        return _read(path, kind, pick)
    except SuiteError:
        raise
    # What a damaged file makes pyarrow (ValueError, OSError, KeyError), pandas (ValueError),
    # gzip (OSError, EOFError, zlib.error) and datasets (RuntimeError) raise.
    except (OSError, EOFError, ValueError, KeyError, RuntimeError, zlib.error, csv.Error) as error:
        raise _diagnosis(path, kind, error) from None


def _read(path: Path, kind: str, pick: Pick) -> Table:
    with quiet_datasets(), temporary() as scratch:
        import datasets

        options: dict[str, Any] = {}
        if kind == "csv":
            # Left to itself, pandas reads the text "NA" as missing and the label "01" as 1.
            wanted = _csv_columns(path, pick)
            texts = datasets.Features({name: datasets.Value("string") for name in wanted})
            options = {"features": texts, "keep_default_na": False, "na_filter": False}
        # The library reads a path as a pattern; a link of our own has no * or [ in its name.
        link = scratch / (f"rows.{kind}" + (".gz" if _packed(path) else ""))
        link.symlink_to(path.resolve())
        stream = datasets.load_dataset(
            kind,
            data_files={"train": [str(link)]},
            split="train",
            streaming=True,
            cache_dir=str(scratch / "cache"),
            **options,
        )
        return collect(stream, pick, str(path))


def collect(rows: Any, pick: Pick, where: str) -> Table:
    """The wanted columns of a `datasets` Dataset or IterableDataset.

    Raises:
        DataError: it has no rows, or not these columns.
    """
    columns: dict[str, list[Any]] = {}
    for row in rows:
        if not columns:
            columns = {name: [] for name in pick(list(row))}
        for name, values in columns.items():
            values.append(row.get(name))
    if not columns:
        raise DataError("no rows", where=where)
    features = rows.features or {}
    names = {
        name: list(features[name].names)
        for name in columns
        if name in features and getattr(features[name], "names", None)
    }
    return Table(where, columns, names)


def read_hub(
    source: HubSource,
    wanted: Mapping[SplitT, str],
    pick: Callable[[str], Pick],
    hub_reachable: Callable[[], bool],
) -> dict[SplitT, Table]:
    """Splits of a Hub data set at its revision: from the local cache, else from the Hub.

    Args:
        wanted: our name of a split -> the source's.
        pick: the wanted columns, given a table's place in words.
        hub_reachable: asked only when the cache does not have the rows.

    Raises:
        HubUnavailable: not cached, and the Hub is out of reach.
        DataError: the Hub has no such data set, revision, configuration, split or column.
    """
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
                tables[split] = collect(found[name], pick(where), where)
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
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"cannot be read: {_first_line(error)}", where=where) from None


@contextmanager
def quiet_datasets() -> Iterator[None]:
    """Within: `datasets` draws no bars, logs no errors (ours say the same, once), and does not
    import torch, which it otherwise does to stream a file: seconds, for nothing."""
    import datasets

    level = datasets.logging.get_verbosity()
    bars = datasets.are_progress_bars_disabled()
    torch = datasets.config.TORCH_AVAILABLE
    datasets.config.TORCH_AVAILABLE = False
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.config.TORCH_AVAILABLE = torch
        datasets.logging.set_verbosity(level)
        if not bars:
            datasets.enable_progress_bars()


def _packed(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _open(path: Path) -> BinaryIO:
    if _packed(path):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def _csv_columns(path: Path, pick: Pick) -> Sequence[str]:
    with _open(path) as file:
        header = file.readline(1 << 20).decode("utf-8-sig")
    columns = next(csv.reader([header]), [])
    if not columns:
        raise DataError("the first line names no columns", where=str(path))
    try:
        return pick(columns)
    except DataError as error:
        other = next((mark for mark in ("\t", ";", "|") if mark in header), None)
        if len(columns) == 1 and other:
            hint = f"Separate the columns by commas; here {other!r} stands between them."
        else:
            hint = "A CSV's first line must name its columns, for example: text,label"
        raise DataError(
            error.what, where=error.where, fix=f"{error.fix or ''} {hint}".strip()
        ) from None


def _diagnosis(path: Path, kind: str, error: BaseException) -> DataError:
    """What is wrong with a file that could not be read, found by looking again."""
    where = str(path)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DataError("no space left for a temporary folder", fix="Set TMPDIR to another disk.")
    if isinstance(error, PermissionError):
        return DataError("may not be read", where=where, fix="Check the file's permissions.")
    damage = _gzip_damage(path)
    if damage:
        return DataError(damage, where=where, fix="Copy or compress the file again.")
    if kind == "parquet":
        return DataError(
            f"not a Parquet file ({_first_line(error)})",
            where=where,
            fix="Write it again as Parquet, or use .jsonl or .csv.",
        )
    for number, line in _lines(path):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as wrong:
            return DataError(
                f"not UTF-8 (byte {wrong.start + 1} of the line)",
                where=f"{where}, line {number}",
                fix=f"Save the file as UTF-8.{_encoding_guess(line)}",
            )
    if kind == "csv":
        return _csv_defect(where, str(error))
    return _json_defect(path) or DataError(f"cannot be read: {_first_line(error)}", where=where)


def _gzip_damage(path: Path) -> str | None:
    if not _packed(path):
        return None
    try:
        with _open(path) as file:
            while file.read(1 << 20):
                pass
    except gzip.BadGzipFile:
        return "not gzip, though its name ends in .gz"
    except (EOFError, zlib.error, OSError):
        return "the gzip file is truncated or damaged"
    return None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with _open(path) as file:
        yield from enumerate(file, start=1)


def _encoding_guess(line: bytes) -> str:
    for encoding in ("gb18030", "utf-16", "latin-1"):
        try:
            line.decode(encoding)
        except UnicodeDecodeError:
            continue
        return f" This line reads as {encoding}." if encoding != "latin-1" else ""
    return ""


def _csv_defect(where: str, message: str) -> DataError:
    fields = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if fields:
        expected, line, seen = fields.groups()
        return DataError(
            f"{seen} fields where the first line has {expected}",
            where=f"{where}, line {line}",
            fix='A text with commas in it needs "quotes".',
        )
    quote = re.search(r"EOF inside string starting at row (\d+)", message)
    if quote:
        return DataError(
            "a quotation mark is opened and never closed",
            where=f"{where}, row {int(quote[1]) + 1}",
            fix='Write a quotation mark inside a quoted text twice: "".',
        )
    return DataError(f"cannot be read: {message.strip().splitlines()[0]}", where=where)


def _json_defect(path: Path) -> DataError | None:
    kinds: dict[str, tuple[str, Any]] = {}
    for number, line in _lines(path):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line.decode("utf-8-sig"))
        except RecursionError:
            return DataError("nested too deeply", where=where)
        except ValueError as error:
            return DataError(
                f"not JSON: {error}", where=where, fix='Each line is one object: {"text": …}.'
            )
        if not isinstance(row, dict):
            return DataError(
                f"a {_kind_of(row)} where an object was expected",
                where=where,
                fix='Each line is one object: {"text": …, "label": …}.',
            )
        for name, value in row.items():
            if value is None:
                continue
            first = kinds.setdefault(name, (_kind_of(value), value))
            if first[0] != _kind_of(value):
                return DataError(
                    f"'{name}' is a {_kind_of(value)} ({value!r:.60}) where the rows before "
                    f"have a {first[0]} ({first[1]!r:.60})",
                    where=where,
                    fix="Write the column in one way: all names, or all numbers.",
                )
    return None


def _kind_of(value: Any) -> str:
    match value:
        case bool():
            return "truth value"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case dict():
            return "object"
    return "null"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
