"""Answers as files: JSON lines, CSV or Parquet, as the file's name ends; written aside, and then
into place."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from suite.errors import StorageError
from suite.files import reason

#: What `file_of` writes, by the file's ending; a name without one is JSON lines.
ENDINGS = (".jsonl", ".csv", ".tsv", ".parquet")

#: Rows of a Parquet file's row group.
_GROUP = 4096


@dataclass(frozen=True)
class Answer:
    """A text's answer.

    Args:
        kept: of its row: column -> value.
        label: the answer, which is the most probable class but where single answers have a worth of
            their own; None where there was none.
        probabilities: class -> probability, of as many classes as were asked for, the answer's
            among them.
        decided: whether the model answers it alone; None where nobody asked when it does.
        classes: that the text may be of, the most probable first; None where nobody asked for sets.
    """

    text: str
    kept: Mapping[str, Any]
    label: str | None
    probabilities: Mapping[str, float]
    decided: bool | None = None
    classes: Sequence[str] | None = None

    def to_json(self) -> dict[str, Any]:
        """One object: what was kept, then the answer."""
        own: dict[str, Any] = {"text": self.text, "label": self.label}
        if self.decided is not None:
            own["decided"] = self.decided
        if self.classes is not None:
            own["set"] = list(self.classes)
        own["probabilities"] = dict(self.probabilities)
        return {_beside(key, own): _jsonable(value) for key, value in self.kept.items()} | own


def _beside(column: str, own: Mapping[str, Any]) -> str:
    """What a kept column is called beside an answer's own keys."""
    return f"{column} of the file" if column in own else column


class _Sink(Protocol):
    def write(self, answer: Answer) -> None: ...

    def close(self) -> None: ...


def _jsonable(value: Any) -> Any:
    """What JSON can hold; dates and the like as they are written."""
    plain = value is None or isinstance(value, str | bool | int)
    return value if plain or (isinstance(value, float) and isfinite(value)) else str(value)


def line(answer: Answer) -> str:
    """An answer as one line of JSON, without halves of characters."""
    text = json.dumps(answer.to_json(), ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8")


def check(file: Path) -> None:
    """Refuses a file that is there, and an ending that is none.

    Raises:
        StorageError: with the endings that there are.
    """
    if file.exists():
        raise StorageError(f"{file} exists", fix="Name a new file.")
    if file.suffix and file.suffix.lower() not in ENDINGS:
        raise StorageError(
            f"answers are not written as {file.suffix}",
            where=str(file),
            fix=f"End the name in {', '.join(ENDINGS)}.",
        )


def write(
    answers: Iterable[Answer],
    file: Path,
    *,
    classes: Sequence[str],
    top: int | None = None,
    moved: Callable[[int], None] = lambda count: None,
) -> int:
    """Writes answers into a new file; how many there were.

    A table has the kept columns, `text`, `label` and `probability`, where they are known `decided`
    (true or false) and `set` (a JSON list), and then the probability of every class (`probability
    of NAME`), or with `top` further classes (`label 2`, `probability 2`).

    Args:
        top: how many classes each answer has, the most probable first; all where None.
        moved: told of each that is written.

    Raises:
        StorageError: the file can't be written.
        KeyboardInterrupt: with what there is left in `FILE.part`.
    """
    part = file.with_name(f"{file.name}.part")
    count = 0
    try:
        with _opened(part, file.suffix.lower(), classes, top) as sink:
            for count, answer in enumerate(answers, start=1):  # noqa: B007
                sink.write(answer)
                moved(1)
        part.replace(file)
    except KeyboardInterrupt:
        raise
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageError(
            f"the answers cannot be written: {reason(error, file)}",
            where=str(file),
            fix="Name a file on a disk with space left, in a place you may write to, with --out.",
        ) from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return count


@contextmanager
def _opened(part: Path, ending: str, classes: Sequence[str], top: int | None) -> Iterator[_Sink]:
    with part.open("wb") as file:
        sink: _Sink
        if ending == ".parquet":
            sink = _Parquet(file, classes, top)
        elif ending in (".csv", ".tsv"):
            sink = _Csv(file, classes, top, "\t" if ending == ".tsv" else ",")
        else:
            sink = _Lines(file)
        yield sink
        sink.close()
        file.flush()
        os.fsync(file.fileno())


class _Lines:
    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, answer: Answer) -> None:
        self._file.write(line(answer).encode() + b"\n")

    def close(self) -> None:
        pass


def _flat(answer: Answer, classes: Sequence[str], top: int | None) -> dict[str, Any]:
    """An answer as one row of a table."""
    named = answer.probabilities
    first = None if answer.label is None else named[answer.label]
    own: dict[str, Any] = {"text": answer.text, "label": answer.label, "probability": first}
    if answer.decided is not None:
        own["decided"] = _plain(answer.decided)
    if answer.classes is not None:
        own["set"] = json.dumps(list(answer.classes), ensure_ascii=False)
    if top is None:
        own |= {f"probability of {name}": named[name] for name in classes}
    else:
        for place, (name, value) in enumerate(list(named.items())[1:], start=2):
            own |= {f"label {place}": name, f"probability {place}": value}
    return {_beside(key, own): _plain(value) for key, value in answer.kept.items()} | own


def _plain(value: Any) -> str | None:
    """A kept value as a cell: the same in every row's type."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool) else str(value)


class _Csv:
    def __init__(self, file: Any, classes: Sequence[str], top: int | None, delimiter: str) -> None:
        self._file, self._classes, self._top = file, classes, top
        self._rows = csv.writer(self, delimiter=delimiter, lineterminator="\n")
        self._columns: list[str] | None = None
        self._text = ""

    def write(self, answer: Any) -> None:
        """An answer; and what the csv module makes of one, which is text."""
        if isinstance(answer, str):
            self._file.write(answer.encode("utf-8", "replace"))
            return
        row = _flat(answer, self._classes, self._top)
        if self._columns is None:
            self._columns = list(row)
            self._rows.writerow(self._columns)
        self._rows.writerow([row.get(column) for column in self._columns])

    def close(self) -> None:
        pass


class _Parquet:
    def __init__(self, file: Any, classes: Sequence[str], top: int | None) -> None:
        self._file, self._classes, self._top = file, classes, top
        self._some: list[dict[str, Any]] = []
        self._writer: Any = None

    def write(self, answer: Answer) -> None:
        self._some.append(_flat(answer, self._classes, self._top))
        if len(self._some) >= _GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        import pyarrow
        import pyarrow.parquet

        if not self._some:
            return
        if self._writer is None:
            # What is kept is text; of a text without an answer the probability is None.
            kinds = {
                name: pyarrow.float64()
                if name == "probability" or isinstance(value, float)
                else pyarrow.string()
                for name, value in self._some[0].items()
            }
            self._schema = pyarrow.schema(list(kinds.items()))
            self._writer = pyarrow.parquet.ParquetWriter(self._file, self._schema)
        self._writer.write_table(pyarrow.Table.from_pylist(self._some, schema=self._schema))
        self._some = []
