"""A user's own rows, named where a task is wanted: the task file that reads them.

`tasks/NAME.yaml` is drafted once. Afterwards it says what is read and how, changed by hand or not;
what a command says otherwise is a contradiction, never a second draft.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from suite import paths
from suite.config import settings, yamlfile
from suite.config.task import load_task
from suite.contracts.task import Task
from suite.data import lines
from suite.data.delimited import no_rows
from suite.data.draft import Said, draft
from suite.data.draft_text import as_drafted
from suite.data.room import Room
from suite.data.rowfile import FASTTEXT, format_of
from suite.errors import DataError, SuiteError, TaskError
from suite.files import whole, writing
from suite.machine import scratch

#: What stands for standard input in place of a file.
INPUT = "-"
#: First bytes -> how such a file's name ends.
_PACKED = ((b"\x1f\x8b", ".gz"), (b"\x28\xb5\x2f\xfd", ".zst"))
_KINDS = ((b"PAR1", ".parquet"), (b"PK\x03\x04", ".xlsx"))


@dataclass(frozen=True)
class Own:
    """The task of some rows.

    Args:
        text: what is to be written to `file` once the rows are known to be a task; None where it
            is there already.
        told: what was found, or what is followed, a line each.
    """

    task: Task
    file: Path
    text: str | None
    told: tuple[str, ...]

    def write(self) -> None:
        """Writes the task file, where it is new.

        Raises:
            StorageError: it can't be written.
        """
        if self.text is not None:
            write_new(self.file, self.text)


def is_rows(given: str) -> bool:
    """Whether what was named in place of a task is a file or a folder of rows.

    A task of that name goes before a folder that it does not read; a path that ends in .yaml is a
    task file.
    """
    if given == INPUT:
        return True
    if given.endswith((".yaml", ".yml")):
        return False
    path = Path(given)
    task_file = None if yamlfile.is_path(given) else settings.task_files().get(given)
    if task_file is not None:
        return path.is_dir() and _reads(task_file, path)
    try:
        return path.is_dir() or bool(path.suffix and path.exists()) or bool(format_of(path))
    except (OSError, ValueError):
        return False


def source_of(given: str, name: str | None, room: Room | None = None) -> Path:
    """The path of the rows; standard input is kept beside the task file first.

    Args:
        room: how much may be read into memory; more of standard input is not kept either.

    Raises:
        DataError: standard input is empty, a terminal, larger than the room, or not what was kept
            of it before.
        StorageError: it can't be kept.
    """
    if given != INPUT:
        return Path(given)
    if sys.stdin is None or sys.stdin.isatty():
        raise DataError(
            "standard input is a terminal", fix="For example: suite study create - < tickets.csv"
        )
    folder, name = settings.tasks_folder(), name or "stdin"
    fix = "Work in a folder that can be written, on a disk with space left."
    with writing("standard input can't be kept", folder, fix):
        folder.mkdir(parents=True, exist_ok=True)
        with scratch.folder(folder) as aside:
            with (aside / "rows").open("wb") as kept:
                _keep(sys.stdin.buffer, kept, room or Room())
            target = folder / f"{name}{_suffix(aside / 'rows')}"
            if (folder / f"{name}.yaml").exists() and target.exists():
                before, now = _digest(target), _digest(aside / "rows")
                if before != now:
                    raise DataError(
                        f"standard input has other rows than before: fingerprint {now}, kept "
                        f"{before}",
                        where=str(target),
                        fix="Give these another --name.",
                    )
            (aside / "rows").replace(target)
    return target


def _keep(source: BinaryIO, kept: BinaryIO, room: Room) -> None:
    """Copies standard input, as long as it could be read afterwards."""
    size = 0
    while block := source.read(1 << 20):
        size += len(block)
        if size > room.bytes:
            raise room.full(
                "standard input", room.bytes, "-", "Give a part of the rows, or pack them (gzip)."
            )
        kept.write(block)


def _suffix(file: Path) -> str:
    """What a file of rows would be called, after its first bytes."""
    with file.open("rb") as opened:
        first = opened.read(4096)
        packed = next((suffix for mark, suffix in _PACKED if first.startswith(mark)), "")
        opened.seek(0)
        if packed:
            with lines.told("standard input"):
                first = lines.unpacked(
                    opened, file.stat().st_size, Room(), "standard input", lines.PACKED[packed]
                ).read(4096)
    if not first.strip():
        raise no_rows(None, "standard input is empty")
    for mark, suffix in _KINDS:
        if first.startswith(mark):
            return f"{suffix}{packed}"
    text = first.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(FASTTEXT.encode()):
        return f".txt{packed}"
    return f"{'.jsonl' if text[:1] in (b'{', b'[') else '.csv'}{packed}"


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:16]


def own_task(source: Path, said: Said, *, name: str | None = None, room: Room | None = None) -> Own:
    """The task file of some rows, found or drafted; nothing is written.

    Args:
        said: what is to stand in the task, in place of guesses.
        name: the task's name; made of the source's where None.

    Raises:
        TaskError: a task file of that name reads something else, or says otherwise.
        YamlError: it is no task file.
        DataError: as `draft`.
    """
    made, title = name_of(source)
    name = name or made
    file = settings.tasks_folder() / f"{name}.yaml"
    if file.exists():
        task = load_task(file)
        _check_same(task, file, source, said)
        by_hand = "" if as_drafted(yamlfile.read_text(file)) else ", which was changed by hand"
        return Own(task, file, None, (f"The rows are read as {file} says{by_hand}.",))
    drafted = draft(name, source, said=said, title=title, task_file=file, room=room)
    return Own(yamlfile.validate(drafted.text, Task, str(file)), file, drafted.text, drafted.told)


def name_of(source: Path) -> tuple[str, str]:
    """A name for the task of some rows, and a title: both after the file or folder.

    A name that can't be spelled in small Latin letters is a hash of it; one of a shipped task or
    recipe gets a number.
    """
    title = unicodedata.normalize("NFC", _stem(source))
    apart = unicodedata.normalize("NFKD", title.casefold())
    letters = "".join(c for c in apart if not unicodedata.combining(c))
    name = re.sub(r"[^a-z0-9._-]+", "-", letters).strip("-._")[:60].rstrip("-._")
    if not name or any(c.isalpha() and not c.isascii() for c in letters):
        name = f"data-{hashlib.sha256(title.encode('utf-8', 'surrogatepass')).hexdigest()[:4]}"
    free, number = name, 1
    while _shipped(free):
        number += 1
        free = f"{name}-{number}"
    return free, title if title.strip() and title.isprintable() else name


def _stem(source: Path) -> str:
    """A file's name without what says its format."""
    if source.is_dir():
        return source.resolve().name
    path = Path(source.name)
    while path.suffix and format_of(path) and path.stem:
        path = Path(path.stem)
    return path.name if path.name != source.name else path.stem


def _shipped(name: str) -> bool:
    files = [(paths.bundled(kind) / f"{name}.yaml", kind) for kind in ("tasks", "studies")]
    return any(file.is_file() and paths.is_shipped(file, kind) for file, kind in files)


def _reads(file: Path, source: Path) -> bool:
    """Whether a task file is whole, and reads these rows."""
    try:
        return _is_read(load_task(file), file, source)
    except SuiteError:
        return False


def _is_read(task: Task, file: Path, source: Path) -> bool:
    read = task.data.file or task.data.folder
    return read is not None and (file.parent.resolve() / read).resolve() == source.resolve()


def _check_same(task: Task, file: Path, source: Path, said: Said) -> None:
    data = task.data
    read = data.file or data.folder
    if not _is_read(task, file, source):
        other = read or (data.hub.id if data.hub else "files of its own")
        raise TaskError(
            f"it reads {other}, not {source}",
            where=str(file),
            fix="Give these rows another --name, or remove the task file.",
        )
    differences = [
        f"{option} {asked}: there {there}" for option, asked, there in _contradictions(task, said)
    ]
    if differences:
        raise TaskError(
            "it says otherwise than the command:\n  " + "\n  ".join(differences),
            where=str(file),
            fix="Change the task file, remove it to have it drafted anew, or give another --name.",
        )


def _contradictions(task: Task, said: Said) -> Iterator[tuple[str, str, str]]:
    data, how = task.data, task.data.carving
    pairs: list[tuple[str, object, object]] = [
        ("--text", ", ".join(said.columns.text) or None, ", ".join(data.text)),
        ("--label", said.columns.label, data.label),
        ("--id", said.columns.id, data.id),
        ("--group", said.columns.group, how and how.group),
        ("--time", said.columns.time, how and how.time),
        ("--test-share", said.share, how and how.share),
    ]
    for key in said.reading.model_fields_set:
        pairs.append((_OPTIONS[key], getattr(said.reading, key), getattr(data.reading, key)))
    for option, asked, there in pairs:
        if asked is not None and asked != there:
            yield option, str(asked), "nothing" if there is None else str(there)


#: What says how files are read -> the options that do.
_OPTIONS = {
    "delimiter": "--delimiter",
    "encoding": "--encoding",
    "skip_bad_rows": "--skip-bad-rows",
    "case": "--merge-case or --keep-case",
}


def write_new(target: Path, text: str) -> None:
    """Writes a new task file whole, or not at all.

    Raises:
        StorageError: it can't be written.
    """
    fix = "Work in a folder that can be written, or name a file there with --out."
    with whole(target, what="the task file cannot be written", fix=fix) as draft:
        draft.write_text(text, encoding="utf-8")
