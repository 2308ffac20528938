"""What a teacher answered to texts, on disk: a line that says who it was, then a line a text.

`suite distil TASK --teacher STUDY` writes the file, arms `+distilled` learn from it. It belongs to
the rows that the teacher learned from (`Teacher.fingerprint`): learned from by a study of other
rows, it could tell of that study's test.

A file is named by what is in it, so that another teacher's stands beside it: a study keeps learning
from the answers that it began with, and which these are is its own record.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from suite import files, paths, shell
from suite.contracts.records import why
from suite.contracts.space import Space
from suite.contracts.strategy import Probabilities, Rows
from suite.contracts.task import Task
from suite.contracts.teaching import may_be_taught
from suite.errors import DataError, counted

FORMAT = "soft labels 1"
#: Bytes of a file, at most.
_MOST_BYTES = 4 << 30
#: Of its first line.
_MOST_HEAD = 10_000_000
#: Digits of a probability: what is finer is no help to whoever learns from it.
_DIGITS = 4
#: Hex digits by which files are told apart.
_NAMED = 16
_DIGEST = re.compile(f"[0-9a-f]{{{_NAMED}}}")
_FIX = "Write it anew with `suite distil TASK --teacher STUDY`."
#: What of a teacher is part of what it answered, and no circumstance.
_WHO = ("fingerprint", "study", "arm", "trial", "labels", "refit")


@dataclass(frozen=True)
class Teacher:
    """Who answered.

    Args:
        fingerprint: of the rows of the study that the teacher is of.
        study, arm, trial: which model it is; `refit`: whether it, or the trainings over folds that
            answered training rows, were trained on validation, too.
        labels: the classes, in the order of the probabilities.
        train: training rows of that study.
        texts: texts without labels that are answered; `own`: training rows that are, each by a
            training that did not see it, or by a model that learns from none.
        asked: calls to a server; 0 where the teacher is none.
        seconds: that answering took.
        score: of the teacher's arm by `objective`, on test where finals had run, else validation.
        per_second: texts that it answers, as measured.
    """

    fingerprint: str
    study: str
    arm: str
    trial: int
    labels: list[str]
    train: int
    texts: int = 0
    own: int = 0
    refit: bool = False
    asked: int = 0
    seconds: float = 0.0
    objective: str = ""
    score: float | None = None
    per_second: float | None = None


@dataclass(frozen=True)
class Taught:
    """What a file holds: probabilities float32 [texts, classes] of `texts` without labels, and of
    training rows by their text."""

    teacher: Teacher
    texts: Sequence[str]
    probabilities: Probabilities
    own: dict[str, NDArray[np.float32]]


_TEACHER = TypeAdapter(Teacher)


def lacks(task: Task, space: Space) -> str | None:
    """What an arm needs whose trials may learn from a teacher, and is not in this working folder;
    and what would help. None where nothing is missing."""
    if not may_be_taught(space):
        return None
    return None if there(task.name) else nobody(task.name)


def nobody(task: str) -> str:
    """That no teacher has answered for a task, and what would help."""
    file = paths.soft_labels(task, "*")
    command = shell.command("distil", task, "--teacher", "STUDY", "--unlabelled", "FILE")
    return f"distilled needs a teacher's answers, and {file} is not there: run `{command}` first"


def there(task: str) -> list[Path]:
    """The files of teachers' answers for a task in this working folder, the last written first."""
    pattern = paths.soft_labels(task, "*")
    found: list[tuple[int, Path]] = []
    for file in pattern.parent.glob(pattern.name):
        with suppress(OSError):
            found.append((file.stat().st_mtime_ns, file))
    return [file for _, file in sorted(found, reverse=True)]


def is_digest(value: object) -> bool:
    """Whether a value that was stored may be part of a file's name."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def newest(task: Task, fingerprint: str) -> str | None:
    """The digest of the answers for a task's rows that were written last; None where there are
    none."""
    for file in there(task.name):
        with suppress(DataError):
            teacher = _head(file)
            digest = file.stem.rpartition("-")[2]
            same = teacher.fingerprint == fingerprint and teacher.labels == task.label_names
            if same and is_digest(digest):
                return digest
    return None


def write(
    task: str, teacher: Teacher, texts: Sequence[str], found: Probabilities, own: Rows | None,
    of_own: Probabilities | None,
) -> Path:  # fmt: skip
    """Writes a teacher's answers, all or nothing, into the file that is named by them.

    Args:
        task: its name.
        found: float32 [texts, classes].
        own: training rows that are answered, `of_own` their probabilities.

    Raises:
        StorageError: it can't be written.
    """

    def lines() -> Iterator[bytes]:
        for text, row in zip(texts, found, strict=True):
            yield _line({"text": text, "p": told(row)})
        if own is not None and of_own is not None:
            for text, row in zip(own.texts, of_own, strict=True):
                yield _line({"own": text, "p": told(row)})

    digest = _of_teacher(teacher)
    for line in lines():
        digest.update(line)
    file = paths.soft_labels(task, digest.hexdigest()[:_NAMED])
    with files.whole(file) as draft, draft.open("wb") as opened:
        opened.write(_line({"format": FORMAT, **asdict(teacher)}) + b"\n")
        opened.writelines(line + b"\n" for line in lines())
    return file


def _of_teacher(teacher: Teacher) -> Any:
    """The digest of a file's lines, begun with who answered."""
    known = asdict(teacher)
    return hashlib.sha256(_line({key: known[key] for key in _WHO}))


def _head(file: Path) -> Teacher:
    """Who answered what a file holds; errors as of `read`."""
    with files.opened(file, DataError) as opened:
        return _teacher(opened.readline(_MOST_HEAD + 1), file)


def _teacher(line: bytes, file: Path) -> Teacher:
    try:
        head = files.parse_json(line) if line else {}
        if not isinstance(head, dict) or head.pop("format", None) != FORMAT:
            raise DataError("it holds no answers of a teacher", where=str(file), fix=_FIX)
        return _TEACHER.validate_python(head)
    except ValidationError as error:
        raise DataError(why(error), where=f"{file}, line 1", fix=_FIX) from None
    except files.NotJson as error:
        raise DataError(f"damaged: {error}", where=str(file), fix=_FIX) from None


def read(file: Path) -> Taught:
    """What `write` wrote.

    Raises:
        DataError: it is missing, or something else.
    """
    lines = files.read_small(file, _MOST_BYTES, DataError).splitlines()
    teacher = _teacher(lines[0] if lines else b"", file)
    digest = _of_teacher(teacher)
    texts: list[str] = []
    own: list[str] = []
    found: list[list[float]] = []
    try:
        for number, line in enumerate(lines[1:], start=2):
            digest.update(line)
            one = files.parse_json(line)
            (own if "own" in one else texts).append(str(one["own" if "own" in one else "text"]))
            row = [float(value) for value in one["p"]]
            if not are_probabilities(row, len(teacher.labels)):
                raise DataError(
                    f"no probabilities of {counted(len(teacher.labels), 'class', 'classes')}",
                    where=f"{file}, line {number}",
                    fix=_FIX,
                )
            found.append(row)
    except (files.NotJson, KeyError, TypeError, ValueError) as error:
        raise DataError(f"damaged: {error}", where=str(file), fix=_FIX) from None
    if (len(texts), len(own)) != (teacher.texts, teacher.own):
        raise DataError("it was cut short", where=str(file), fix=_FIX)
    if not file.stem.endswith(f"-{digest.hexdigest()[:_NAMED]}"):
        raise DataError("it was changed since it was written", where=str(file), fix=_FIX)
    matrix = np.asarray(found, dtype=np.float32).reshape(len(found), len(teacher.labels))
    matrix /= matrix.sum(axis=1, keepdims=True)
    return Taught(
        teacher,
        texts,
        matrix[: len(texts)],
        dict(zip(own, matrix[len(texts) :], strict=True)),
    )


def _line(value: dict[str, Any]) -> bytes:
    # Halves of characters are escaped: UTF-8 has none.
    return json.dumps(value).encode()


def told(row: NDArray[np.float32]) -> list[float]:
    """A text's probabilities as they are written."""
    return [round(float(value), _DIGITS) for value in row]


def are_probabilities(row: Sequence[float], classes: int) -> bool:
    """Whether numbers of a file are those of so many classes."""
    lost = classes * 0.5 * 10.0**-_DIGITS  # by rounding, of each class
    return len(row) == classes and abs(sum(row) - 1) < 0.01 + lost and min(row) >= 0
