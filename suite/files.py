"""Files that others made, opened with care; and what is said of a disk that takes no more.

Only a regular file is opened: a pipe would be waited for without end, a device read without end.
JSON is read to a bounded depth, since the depth of what is nested is the depth of a parser's
stack. A name that no file can have (a NUL, bytes that are no UTF-8) is told as that.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from suite.errors import StorageError, SuiteError, UsageError

#: Objects and lists within each other in JSON, at most. Parsers in C end the process where it
#: is some ten thousands; of a row of texts few are more than ten.
DEPTH = 200

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_NOT_REGULAR = (
    (stat.S_ISDIR, "this is a folder, not a file"),
    (stat.S_ISFIFO, "this is a pipe, not a file"),
    (stat.S_ISCHR, "this is a device, not a file"),
    (stat.S_ISBLK, "this is a device, not a file"),
    (stat.S_ISSOCK, "this is a socket, not a file"),
)
_REASONS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EACCES: "may not be read",
    errno.EPERM: "may not be read",
    errno.ELOOP: "symbolic links that lead in a circle",
    errno.ENAMETOOLONG: "the name is too long for a file's",
    errno.ESTALE: "the file is gone",
}
#: What a person may do about it, whatever was to be written.
MAKE_ROOM = (
    "Free some space there, or use another disk: SUITE_CACHE names the folder of what studies "
    "share, TMPDIR that of temporary files; --max-disk bounds a study's files."
)
#: Bytes of a draft's name that are the file's.
_LONGEST_DRAFT = 200
#: No room left: of a disk, of a quota, of what this process may write (ulimit -f).
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class NotJson(ValueError):
    """A text that is no JSON, or is nested too deeply, or has numbers of thousands of digits."""


class KeyTwice(NotJson):
    """An object that has a key twice: of two values a reader takes one, and says nothing."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for at, key in enumerate(keys) if key in keys[:at])
        raise KeyTwice(f"an object has the key {twice!r:.60} twice")
    return found


def parse_json(text: str | bytes, *, once: bool = False) -> Any:
    """The value that a JSON text stands for.

    Args:
        once: whether a key that stands twice in an object is an error.

    Raises:
        KeyTwice: as said.
        NotJson: in one line: where it is no JSON, nested deeper than `DEPTH` levels, a number
            of more digits than Python reads, or bytes that are no UTF-8.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        if nested_deeper(text):
            raise NotJson(f"nested deeper than {DEPTH} levels")
        return json.loads(text, object_pairs_hook=_once if once else None)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NotJson(str(error)) from None
    except RecursionError:
        raise NotJson(f"nested deeper than {DEPTH} levels") from None
    except NotJson:
        raise
    except ValueError:
        # All that is left: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
        raise NotJson("a number of thousands of digits") from None


def nested_deeper(text: str, most: int = DEPTH) -> bool:
    """Whether a JSON text has more than `most` objects and lists within each other."""
    if text.count("[") + text.count("{") <= most:
        return False
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        match found[0]:
            case "[" | "{":
                depth += 1
                if depth > most:
                    return True
            case "]" | "}":
                depth -= 1
    return False


def named(path: Path | str, error: type[SuiteError]) -> Path:
    """A path that can be written down: a file's name is bytes, what is stored of it is text.

    Raises:
        error: it holds a NUL, or bytes that are no UTF-8.
    """
    found = _possible(path, error)
    try:
        os.fspath(path).encode("utf-8")
    except UnicodeEncodeError:
        raise error(
            "the name is not UTF-8",
            where=os.fspath(path),
            fix="Give the file or folder another name.",
        ) from None
    return found


def _possible(path: Path | str, error: type[SuiteError]) -> Path:
    if "\0" in os.fspath(path):
        raise error("a file's name cannot hold a NUL", where=os.fspath(path))
    return Path(path)


def why(error: OSError) -> str:
    """Why a file cannot be read, as a clause."""
    return _REASONS.get(error.errno or 0) or f"cannot be read: {error.strerror or error}"


@contextmanager
def opened(path: Path | str, error: type[SuiteError]) -> Iterator[BinaryIO]:
    """A regular file, open for reading.

    Raises:
        error: it is missing, may not be read, or is no regular file.
    """
    path = _possible(path, error)
    try:
        _regular(path.stat().st_mode, path, error)  # opening alone may change a device
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | os.O_CLOEXEC)
    except OSError as trouble:
        raise _unread(trouble, path, error) from None
    with os.fdopen(handle, "rb") as file:
        _regular(os.fstat(file.fileno()).st_mode, path, error)
        yield file


def size(path: Path | str, error: type[SuiteError]) -> int:
    """The bytes of a regular file; errors as in `opened`."""
    path = _possible(path, error)
    try:
        found = path.stat()
    except OSError as trouble:
        raise _unread(trouble, path, error) from None
    _regular(found.st_mode, path, error)
    return found.st_size


def is_folder(path: Path | str, error: type[SuiteError]) -> bool:
    """Whether there is a folder of this name.

    Raises:
        error: the name can be no file's, or cannot be followed.
    """
    path = _possible(path, error)
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as trouble:
        raise _unread(trouble, path, error) from None


def read_small(path: Path | str, most: int, error: type[SuiteError]) -> bytes:
    """The bytes of a regular file that has at most so many; errors as in `opened`."""
    with opened(path, error) as file:
        try:
            content = file.read(most + 1)
        except OSError as trouble:
            raise _unread(trouble, Path(path), error) from None
    if len(content) > most:
        there = max(len(content), size(path, error))
        raise error(f"the file has {there:,} bytes; at most {most:,} are read", where=str(path))
    return content


def _regular(mode: int, path: Path, error: type[SuiteError]) -> None:
    if stat.S_ISREG(mode):
        return
    what = next((words for test, words in _NOT_REGULAR if test(mode)), "this is no regular file")
    piped = not stat.S_ISDIR(mode)
    raise error(
        what,
        where=str(path),
        fix="Name a regular file; what another program writes is read from standard input where a "
        "command takes '-'." if piped else None,
    )  # fmt: skip


def _unread(trouble: OSError, path: Path, error: type[SuiteError]) -> SuiteError:
    return error(why(trouble), where=str(path))


def reason(trouble: OSError, where: Path | str) -> str:
    """Why something cannot be written there, as a clause; of a full disk, what is still free."""
    told = trouble.strerror or str(trouble)
    free = free_bytes(where) if is_full(trouble) else None
    return told if free is None else f"{told} ({free / 1e6:,.1f} MB free there)"


@contextmanager
def writing(what: str, where: Path, fix: str) -> Iterator[None]:
    """Within: a disk that takes no more, or a place that may not be written, is one error.

    Args:
        what: what is then not done ("the rows cannot be written").

    Raises:
        StorageError: as said, with the reason.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{what}: {reason(error, where)}", where=str(where), fix=fix) from None


def check_place(file: Path, fix: str) -> None:
    """Refuses a place where no file can be written, before anything takes time. Folders on the way
    may be missing, as `whole` makes them.

    Args:
        fix: what would work instead.

    Raises:
        StorageError: as said, with the reason.
    """
    with writing("nothing can be written there", file, fix):
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file")
        folder = next(one for one in file.absolute().parents if os.path.lexists(one))
        with tempfile.TemporaryFile(dir=folder):
            pass


@contextmanager
def whole(
    file: Path,
    error: type[SuiteError] = StorageError,
    *,
    what: str = "cannot be written",
    fix: str | None = None,
    new: bool = False,
) -> Iterator[Path]:
    """Within: a draft beside the file, which takes its place at the end; after an error it is gone
    and the file as it was. Folders on the way are made.

    Args:
        what: is told where it can't be written; the reason follows.
        fix: what would work instead.
        new: whether a file that another makes there meanwhile stays, and this one is not written.

    Raises:
        error: it can't be written.
    """
    # A name has 255 bytes; of a long one the beginning is enough.
    begins = os.fsencode(file.name)[:_LONGEST_DRAFT].decode(errors="ignore")
    draft = file.with_name(f".{begins}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield draft
            if new:
                _named_first(draft, file)
            else:
                draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as trouble:
        raise error(f"{what}: {reason(trouble, file)}", where=str(file), fix=fix) from None


def _named_first(draft: Path, file: Path) -> None:
    """Gives a draft its name.

    Raises:
        FileExistsError: another has made a file of that name meanwhile.
    """
    try:
        os.link(draft, file)
    except FileExistsError:
        raise
    except OSError:  # a file system that has no links
        os.rename(draft, file)


def is_full(trouble: BaseException) -> bool:
    """Whether an error says that a disk, a quota or a process's bound has no room left."""
    return isinstance(trouble, OSError) and trouble.errno in _FULL


def free_bytes(where: Path | str) -> int | None:
    """Bytes that this user may still write there, or None where nobody knows."""
    place = Path(where).absolute()
    for folder in (place, *place.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:
            continue
    return None


def parse_size(text: str) -> int:
    """Bytes from `500MB`, `20GB` or a plain number.

    Raises:
        UsageError: it is none of these.
    """
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmgt]?)b?", text.strip().lower())
    if not match or float(match[1]) <= 0:
        raise UsageError(f"'{text:.60}' is no size", fix="For example 500MB or 20GB.")
    scale = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
    return int(float(match[1]) * scale[match[2]])
