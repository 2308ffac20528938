"""What a teacher answered to texts, on disk: a line that says who it was, then a line a text.

`suite distil TASK --teacher STUDY` writes the file, arms `+distilled` learn from it. It belongs to
the rows that the teacher learned from (`Teacher.fingerprint`): learned from by a study of other
rows, it could tell of that study's test.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
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
#: Digits of a probability: what is finer is no help to whoever learns from it.
_DIGITS = 4


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
    file = paths.soft_labels(task.name)
    if file.is_file():
        return None
    command = shell.command("distil", task.name, "--teacher", "STUDY", "--unlabelled", "FILE")
    return f"distilled needs a teacher's answers, and {file} is not there: run `{command}` first"


def write(
    file: Path, teacher: Teacher, texts: Sequence[str], found: Probabilities, own: Rows | None,
    of_own: Probabilities | None,
) -> None:  # fmt: skip
    """Writes a teacher's answers, all or nothing.

    Args:
        found: float32 [texts, classes].
        own: training rows that are answered, `of_own` their probabilities.

    Raises:
        StorageError: it can't be written.
    """
    with files.whole(file) as draft, draft.open("w", encoding="utf-8", newline="\n") as opened:
        _line(opened, {"format": FORMAT, **asdict(teacher)})
        for text, row in zip(texts, found, strict=True):
            _line(opened, {"text": text, "p": _told(row)})
        if own is not None and of_own is not None:
            for text, row in zip(own.texts, of_own, strict=True):
                _line(opened, {"own": text, "p": _told(row)})


def read(file: Path) -> Taught:
    """What `write` wrote.

    Raises:
        DataError: it is missing, or something else.
    """
    lines = files.read_small(file, _MOST_BYTES, DataError).splitlines()
    fix = "Write it anew with `suite distil TASK --teacher STUDY`."
    try:
        head = files.parse_json(lines[0]) if lines else {}
        if not isinstance(head, dict) or head.pop("format", None) != FORMAT:
            raise DataError("it holds no answers of a teacher", where=str(file), fix=fix)
        teacher = _TEACHER.validate_python(head)
        texts: list[str] = []
        own: list[str] = []
        found: list[list[float]] = []
        for number, line in enumerate(lines[1:], start=2):
            one = files.parse_json(line)
            (own if "own" in one else texts).append(str(one["own" if "own" in one else "text"]))
            row = [float(value) for value in one["p"]]
            if len(row) != len(teacher.labels) or not abs(sum(row) - 1) < 0.01 or min(row) < 0:
                raise DataError(
                    f"no probabilities of {counted(len(teacher.labels), 'class', 'classes')}",
                    where=f"{file}, line {number}",
                    fix=fix,
                )
            found.append(row)
    except ValidationError as error:
        raise DataError(why(error), where=f"{file}, line 1", fix=fix) from None
    except (files.NotJson, KeyError, TypeError, ValueError) as error:
        raise DataError(f"damaged: {error}", where=str(file), fix=fix) from None
    if (len(texts), len(own)) != (teacher.texts, teacher.own):
        raise DataError("it was cut short", where=str(file), fix=fix)
    matrix = np.asarray(found, dtype=np.float32).reshape(len(found), len(teacher.labels))
    matrix /= matrix.sum(axis=1, keepdims=True)
    return Taught(
        teacher,
        texts,
        matrix[: len(texts)],
        dict(zip(own, matrix[len(texts) :], strict=True)),
    )


def _line(opened: Any, value: dict[str, Any]) -> None:
    # Halves of characters are escaped: UTF-8 has none.
    opened.write(f"{json.dumps(value)}\n")


def _told(row: NDArray[np.float32]) -> list[float]:
    return [round(float(value), _DIGITS) for value in row]
