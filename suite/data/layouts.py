"""Folders of rows -> which of their files are a split: as people, the Hub and `datasets` lay them.

    train.csv                               a file a split
    train-00000-of-00002.parquet, ...       shards, also under data/ or a name of their own
    train/data-00000-of-00001.arrow         what `save_to_disk` leaves
    train/neg/1.txt, train/pos/2.txt        a folder a class, a file a text

Names alone are looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from suite.data.rowfile import format_of
from suite.errors import DataError

#: What names one of several files that are one split; the Hub once put a hash behind it.
_SHARD = re.compile(r"(?P<stem>.+)-(?P<at>\d{5})-of-(?P<of>\d{5})(-[0-9a-f]{16})?")
#: Folders whose texts have no class, beside those of the classes.
UNLABELLED = ("unsup", "unlabeled", "unlabelled")


def listed(folder: Path) -> list[Path]:
    """What lies in a folder, in order; hidden files aside.

    Raises:
        DataError: it may not be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise DataError(f"cannot be listed: {error.strerror}", where=str(folder)) from None


def split_places(folder: Path, stems: Sequence[str]) -> list[Path]:
    """The files or folders that one of these names calls: of shards the first.

    They lie in the folder itself, else in data/, else in its one folder that has any.
    """
    found = [path for path in listed(folder) if _is_split(path, stems)]
    if found:
        return found
    inner = [path for path in listed(folder) if path.is_dir()]
    beside = [path for path in inner if path.name == "data"] or inner
    places = [[path for path in listed(one) if _is_split(path, stems)] for one in beside]
    filled = [found for found in places if found]
    return filled[0] if len(filled) == 1 else []


def _is_split(path: Path, stems: Sequence[str]) -> bool:
    stem = path.name.split(".")[0]
    if path.is_dir():
        return stem in stems and (bool(arrow_files(path)) or len(class_folders(path)) > 1)
    if format_of(path) is None:
        return False
    shard = _SHARD.fullmatch(stem)
    return stem in stems or (shard is not None and shard["stem"] in stems and int(shard["at"]) == 0)


def shards(path: Path) -> list[Path]:
    """All files of the split that this one is a shard of, in order; itself where it is whole.

    Raises:
        DataError: one is missing, or there are two of a number.
    """
    stem, _, suffix = path.name.partition(".")
    mine = _SHARD.fullmatch(stem)
    if mine is None or int(mine["of"]) < 2:
        return [path]
    found: dict[int, Path] = {}
    for other in listed(path.parent):
        one = _SHARD.fullmatch(other.name.partition(".")[0])
        if one is None or (one["stem"], one["of"]) != (mine["stem"], mine["of"]):
            continue
        if other.name.partition(".")[2] != suffix:
            continue
        if int(one["at"]) in found:
            raise DataError(
                f"{found[int(one['at'])].name} and {other.name} are the same part",
                where=str(path.parent),
                fix="Leave one.",
            )
        found[int(one["at"])] = other
    missing = [at for at in range(int(mine["of"])) if at not in found]
    if missing:
        raise DataError(
            f"part {missing[0] + 1} of {int(mine['of'])} of {mine['stem']} is missing",
            where=str(path.parent),
            fix=f"Expected {mine['stem']}-{missing[0]:05}-of-{mine['of']}.{suffix}.",
        )
    return [found[at] for at in sorted(found)]


def beside(folder: Path, read: Sequence[str]) -> list[str]:
    """The tables of a folder that are no split; a shard of one is."""
    return [
        path.name
        for path in listed(folder)
        if path.is_file()
        and format_of(path) not in (None, "txt")
        and path.name not in (*read, "labels.json")
        and _SHARD.fullmatch(path.name.partition(".")[0]) is None
    ]


def arrow_files(folder: Path) -> list[Path]:
    """The rows of what `save_to_disk` left in a folder, in order."""
    return [
        path
        for path in listed(folder)
        if path.suffix == ".arrow" and not path.name.startswith(("cache-", "indices"))
    ]


def class_folders(folder: Path) -> list[Path]:
    """The folders of a folder that hold texts: a class each."""
    return [path for path in listed(folder) if path.is_dir() and text_files(path)]


def text_files(folder: Path) -> list[Path]:
    """The texts of a class, in order of the numbers in their names."""
    found = [
        path for path in listed(folder) if path.is_file() and path.suffix.lower() in ("", ".txt")
    ]
    return sorted(found, key=_numbered)


def check_within(path: Path, folder: Path) -> None:
    """
    Raises:
        DataError: a symbolic link leads out of the folder: whatever it names would become a text.
    """
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(
            "a symbolic link out of the folder",
            where=str(path),
            fix="Copy what it leads to into the folder, or take the link out.",
        )


def _numbered(path: Path) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]{1,15})", path.name)
    return [(int(part), "") if at % 2 else (-1, part) for at, part in enumerate(parts)]
