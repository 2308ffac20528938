"""How hard training rows are, as a Parquet file, and which of them make a part.

A row is known by a hash of its text and its class' name, so that a file of other rows is refused
whatever its length. Parts are thirds within each class: what is compared has the same size and the
same mix of classes, and no part loses a class that has three rows. Rows of a part are taken in an
order that hashes give, so that a larger part holds the smaller one of its draw.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from suite import files, paths, shell
from suite.contracts.difficulty import By, Part, Subset, TrainSubset
from suite.contracts.records import why
from suite.contracts.strategy import Rows
from suite.contracts.task import Task
from suite.data import readers, tables
from suite.data.parts import describe
from suite.data.snapshot import TaskData
from suite.data.splits import nested_order
from suite.data.subsets import drawn
from suite.errors import DataError, counted
from suite.models import folder, needs
from suite.models.catalogue import load_catalogue

FORMAT = "difficulty 1"
#: Where Parquet's own metadata has who judged.
_HEAD = b"suite.difficulty"
#: Bytes of a file, at most.
_MOST_BYTES = 4 << 30

Scores = NDArray[np.float64]
Places = NDArray[np.int64]

#: What is told of a row by each judgement, in the file's columns.
COLUMNS: Mapping[By, tuple[str, ...]] = {
    "perplexity": ("perplexity", "margin"),
    "zero_shot": ("margin", "zero_shot_right"),
    "dynamics": ("confidence", "variability"),
    "agreement": ("agreement", "disagreement"),
}


#: Parameters of a decoder below which it says little of a row that it is asked about.
_LEAST_ASKED = 1e8

#: 1 of a row whose label was suspected, 0 of another one: a column where somebody looked.
SUSPECT = "suspect"


@dataclass(frozen=True)
class Judges:
    """Who judged rows, and of which task.

    Args:
        task, source: whose rows they are, and where they came from.
        rows: how many were judged.
        by: judgement -> who made it.
        seconds: that it took.
    """

    task: str
    source: str
    rows: int
    by: dict[By, list[str]]
    seconds: float = 0.0


@dataclass(frozen=True)
class Difficulty:
    """How hard rows are.

    Args:
        hashes: of the rows, as `row_hash` has them.
        labels: their class indices.
        columns: what is told of them, float [rows] each; see `COLUMNS`.
    """

    judges: Judges
    hashes: list[str]
    labels: list[int]
    columns: dict[str, Scores] = field(default_factory=dict)

    def hardness(self, by: By) -> Scores:
        """How hard each row is; more is harder. Float [rows]."""
        first = self.columns[COLUMNS[by][0]]
        return first if by == "perplexity" else -first

    def ambiguity(self, by: By) -> Scores:
        """How near each row is to turning; more is nearer. Float [rows].

        Of trainings and of arms it is how far they differ about a row (Swayamdipta et al.,
        "Dataset Cartography", 2020), of a single model how small its margin is.
        """
        second = self.columns[COLUMNS[by][1] if by != "zero_shot" else "margin"]
        return second if by in ("dynamics", "agreement") else -np.abs(second)


_JUDGES = TypeAdapter(Judges)


def row_hash(text: str, label: str) -> str:
    """What a row is known by: 32 hex digits over its class' name and its text."""
    content = f"{label}\0{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:32]


def hashes_of(rows: Rows, task: Task) -> list[str]:
    """Those of rows, in their order."""
    names = task.label_names
    return [
        row_hash(text, names[label]) for text, label in zip(rows.texts, rows.labels, strict=True)
    ]


def suspected(file: Path, hashes: Sequence[str], others: Sequence[str] = ()) -> Scores:
    """Which rows a file names whose label may be wrong, by their `text` and the class that they are
    `given`: 1 of those, float [rows].

    Args:
        file: may name other rows too.
        hashes: of the rows.
        others: hashes of the other splits' rows.

    Raises:
        DataError: the file is missing, damaged, no such one, or of other rows.
    """
    where = str(file)
    table = tables.read_file(file, tables.pick_columns("text", "given", where=where))
    columns = table.columns["text"], table.columns["given"]
    # In a CSV of ours a text that begins like a formula has a mark before it.
    named = {
        row_hash(spelled, str(given))
        for text, given in zip(*columns, strict=True)
        for spelled in (str(text), str(text).removeprefix("'"))
    }
    found = np.array([own in named for own in hashes], np.float64)
    if named and not found.any() and named.isdisjoint(others):
        raise DataError(
            f"none of its {counted(len(columns[0]), 'row')} is among these "
            f"{len(hashes) + len(others):,}, with the class that it is given: these are suspects "
            "of other rows",
            where=where,
            fix="Name the file that `suite data suspects` wrote of the same task and data.",
        )
    return found


def write(file: Path, found: Difficulty) -> None:
    """Writes how hard rows are, all or nothing.

    Raises:
        StorageError: it can't be written.
    """
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table(
        {
            "row": pyarrow.array(found.hashes, pyarrow.string()),
            "label": pyarrow.array(found.labels, pyarrow.int32()),
            **{name: pyarrow.array(own, pyarrow.float32()) for name, own in found.columns.items()},
        }
    )
    head = {"format": FORMAT, **asdict(found.judges)}
    table = table.replace_schema_metadata({_HEAD: json.dumps(head, ensure_ascii=False)})
    with files.whole(file) as draft:
        # A number that a disk changed is told from the one that was written.
        pyarrow.parquet.write_table(table, draft, compression="zstd", write_page_checksum=True)


def read(file: Path) -> Difficulty:
    """What `write` wrote.

    Raises:
        DataError: it is missing, damaged, or something else.
    """
    import io

    content = files.read_small(file, _MOST_BYTES, DataError)
    fix = "Remove it, and write it anew with `suite data difficulty TASK`."
    try:
        with readers.parquet_told(str(file)):
            return _read(io.BytesIO(content), str(file), fix)
    except DataError as error:
        raise DataError(error.what, where=str(file), fix=fix) from None


def _read(content: BinaryIO, where: str, fix: str) -> Difficulty:
    import pyarrow
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(content, page_checksum_verification=True) as parquet:
        written = parquet.schema_arrow
        head = files.parse_json((written.metadata or {}).get(_HEAD, b"{}"))
        if not isinstance(head, dict) or head.pop("format", None) != FORMAT:
            raise DataError("it does not say how hard rows are", where=where, fix=fix)
        try:
            judges = _JUDGES.validate_python(head)
        except ValidationError as error:
            raise DataError(why(error), where=where, fix=fix) from None
        wanted = {name for by in judges.by for name in COLUMNS[by]}
        wanted |= {SUSPECT} & set(written.names)
        kinds = {"row": pyarrow.string(), "label": pyarrow.int32()}
        kinds |= dict.fromkeys(sorted(wanted), pyarrow.float32())
        # What is there is read only where it is what was written: as many rows, of these kinds.
        if parquet.metadata.num_rows != judges.rows or any(
            written.names.count(name) != 1 or written.field(name).type != kind
            for name, kind in kinds.items()
        ):
            raise DataError("damaged: rows or columns are missing", where=where, fix=fix)
        table = parquet.read(columns=list(kinds))
    columns = {name: np.asarray(table[name].to_numpy(), np.float64) for name in sorted(wanted)}
    hashes, labels = table["row"].to_pylist(), table["label"].to_pylist()
    if None in hashes or None in labels or not all(np.isfinite(c).all() for c in columns.values()):
        raise DataError("damaged: numbers are missing", where=where, fix=fix)
    return Difficulty(judges, hashes, labels, columns)


def narrowed(
    data: TaskData, wanted: TrainSubset, task: Task, named: Sequence[str] = ()
) -> TaskData:
    """The data of a task where it is trained on a part of the rows that were judged. Of these, what
    is set aside for calibration is in no part.

    Args:
        data: with all rows of train.
        wanted: the part.
        named: the words by which a command names these rows; the task's name where none are given.

    Raises:
        DataError: nobody judged, or other rows, or not so; or the part has fewer rows.
    """
    file = paths.difficulty(task.name)

    def judging() -> str:
        who = _judge(wanted.by, task)
        return f"`{shell.command('data', 'difficulty', *(named or [task.name]), *who)}`"

    if not file.is_file():
        raise DataError(
            f"train_subset takes rows by {wanted.by}, and nobody has judged them",
            where=str(file),
            fix=f"{judging()} does.",
        )
    judged = read(file)
    if wanted.by not in judged.judges.by:
        raise DataError(
            f"train_subset takes rows by {wanted.by}; they were judged by "
            f"{', '.join(judged.judges.by)}",
            where=str(file),
            fix=f"{judging()} judges by {wanted.by} too.",
        )
    pool, rows = _pool(data, judged, task, file, judging)
    seed = task.validation.seed
    chosen, told = parted(
        [data.train.labels[place] for place in pool],
        judged.hardness(wanted.by)[rows],
        judged.ambiguity(wanted.by)[rows],
        wanted,
        task.label_names,
        drawn(data.train.take(pool), len(pool), draw=wanted.draw, seed=seed),
    )
    if len(rows) < judged.judges.rows:
        told.append(
            f"train_subset: {len(judged.hashes) - len(rows):,} of "
            f"{counted(len(judged.hashes), 'row')} that were judged are set aside for calibration, "
            "and are in no part"
        )
    places = pool[chosen]
    train = data.train.take(places)
    order = nested_order(train, seed=seed)
    facts = data.facts
    found = describe(
        train.take(order),
        data.validation,
        data.test,
        task.label_names,
        source=facts.source,
        train_rows_of=facts.train_rows_of or facts.rows.train,
        validation_given=facts.validation_given,
        sample=facts.sample,
        notes=told,
        calibration=data.calibration,
    )
    suspected = judged.columns.get(SUSPECT)
    subset = Subset(
        wanted.by,
        wanted.part,
        len(train),
        len(pool),
        list(judged.judges.by[wanted.by]),
        None if suspected is None else float(suspected[rows[chosen]].mean()),
        wanted.draw,
    )
    groups = data.groups
    if groups is not None:
        own = [groups[place] for place in places[order]]
        groups = (*own, *groups[len(data.train) :])
    return replace(
        found, facts=replace(found.facts, subset=subset), groups=groups, timed=data.timed
    )


def _judge(by: By, task: Task) -> tuple[str, str]:
    """How `suite data difficulty` is told who is to judge: the smallest model that can tell, of
    those that are here, else of those that may be fetched."""
    if by == "agreement":
        return "--study", "STUDY"
    family = "encoder" if by == "dynamics" else "decoder"
    able = [
        model
        for model in load_catalogue().values()
        if model.family == family
        and (model.path or model.hub)
        and needs.speaks(model, task) is None
        and (by == "dynamics" or (needs.parameters(model) or 0) >= _LEAST_ASKED)
    ]
    able = [model for model in able if folder.here(model) is not None] or able
    size = {model.name: needs.parameters(model) or np.inf for model in able}
    name = min(size, key=lambda name: size[name], default="MODEL")
    return ("--dynamics", f"{name}/linear_head") if by == "dynamics" else ("--decoder", name)


def _pool(
    data: TaskData, judged: Difficulty, task: Task, file: Path, judging: Callable[[], str]
) -> tuple[Places, Places]:
    """Where the rows that were judged stand in train, in the file's order, and which of the file's
    they are: not those that are set aside for calibration.

    Args:
        judging: tells the command that judges the rows of `data`.

    Raises:
        DataError: some are neither here nor there.
    """
    there: dict[str, list[int]] = defaultdict(list)
    for place, own in enumerate(hashes_of(data.train, task)):
        there[own].append(place)
    aside = Counter(() if data.calibration is None else hashes_of(data.calibration, task))
    met: Counter[str] = Counter()
    places, rows, strange = [], [], 0
    for row, own in enumerate(judged.hashes):
        if met[own] < len(there[own]):
            places.append(there[own][met[own]])
            rows.append(row)
        elif met[own] >= len(there[own]) + aside[own]:
            strange += 1
        met[own] += 1
    if strange:
        held = f", nor among the {aside.total():,} set aside for calibration" if aside else ""
        raise DataError(
            f"{strange:,} of {counted(len(judged.hashes), 'row')} that were judged are not among "
            f"the {len(data.train):,} to train on{held}: they were judged for other rows",
            where=str(file),
            fix="Name the --data and --train-rows of when they were judged; or move the file away, "
            f"and {judging()} judges these.",
        )
    return np.array(places, np.int64), np.array(rows, np.int64)


def parted(
    labels: Sequence[int],
    hardness: Scores,
    ambiguity: Scores,
    wanted: TrainSubset,
    names: Sequence[str],
    order: Places | None = None,
) -> tuple[Places, list[str]]:
    """The rows of a part, and what is to be said of it.

    Args:
        labels: the class index of each row, in an order that has nothing to do with how hard it is.
        hardness, ambiguity: of each, float [rows].
        wanted: the part.
        names: of the classes.
        order: the rows in that of a draw, in which they are taken of the part, [rows]; as they are
            where None. The part itself is the same in every draw, also where rows are equally hard.

    Raises:
        DataError: the part has fewer rows, or fewer than there are classes.
    """
    of_class: dict[int, Places] = {
        label: np.flatnonzero(np.asarray(labels) == label) for label in sorted(set(labels))
    }
    thirds = {label: _third(rows) for label, rows in of_class.items()}
    most = sum(thirds.values())
    if not len(of_class) <= wanted.rows <= most:
        short = wanted.rows < len(of_class)
        raise DataError(
            f"train_subset takes {counted(wanted.rows, 'row')}, "
            + (
                f"fewer than the {counted(len(of_class), 'class', 'classes')}"
                if short
                else f"and a third of the {len(labels):,} that were judged is {most:,}"
            ),
            fix=f"Between {len(of_class):,} and {most:,}"
            + ("." if short else ", or judge more rows."),
        )
    counts = _dealt(wanted.rows, {label: len(rows) for label, rows in of_class.items()}, thirds)
    turn = np.arange(len(labels))
    if order is not None:
        turn[order] = np.arange(len(labels))
    chosen = []
    for label, rows in of_class.items():
        own = _of_class(rows, hardness[rows], ambiguity[rows], wanted.part)
        chosen.append(own[np.argsort(turn[own])][: counts[label]])
    few = [names[label] for label, rows in of_class.items() if len(rows) < 3]
    told = (
        [
            f"train_subset: of {', '.join(few)} fewer than 3 rows were judged, and every part has "
            "one of them"
        ]
        if few
        else []
    )
    return np.sort(np.concatenate(chosen)), told


def part_of(labels: Sequence[int], hardness: Scores, ambiguity: Scores, part: Part) -> Places:
    """All rows of a part, in their own order.

    Args:
        labels, hardness, ambiguity: as of `parted`.
    """
    own = np.asarray(labels)
    found = [
        _of_class(rows, hardness[rows], ambiguity[rows], part)
        for rows in (np.flatnonzero(own == label) for label in np.unique(own))
    ]
    return np.sort(np.concatenate(found))


def _third(rows: Places) -> int:
    """How many rows of a class each part has."""
    return max(1, len(rows) // 3)


def _of_class(rows: Places, hardness: Scores, ambiguity: Scores, part: Part) -> Places:
    """The rows of one class that are in the part, in their own order."""
    if part == "random":
        return rows
    third = _third(rows)
    if part == "ambiguous":
        # The sort is stable: of equals those that come first.
        return np.sort(rows[np.argsort(-ambiguity, kind="stable")[:third]])
    ordered = rows[np.argsort(hardness, kind="stable")]
    begin = {"easy": 0, "medium": (len(rows) - third) // 2, "hard": len(rows) - third}[part]
    return np.sort(ordered[begin : begin + third])


def _dealt(rows: int, sizes: Mapping[int, int], most: Mapping[int, int]) -> dict[int, int]:
    """How many rows of each class there are among so many: one of each first, then the r-th of n
    at (r + ½) / n of the way, and no more than a class has in a part.

    Those are a class's own shares, and of more rows no class has fewer: of shares rounded by what
    is left of them it may (the Alabama paradox), and the larger part would not hold the smaller.
    """
    way = [
        (-1.0 if row == 0 else (row + 0.5) / size, label)
        for label, size in sizes.items()
        for row in range(most[label])
    ]
    taken = Counter(label for _, label in sorted(way)[:rows])
    return {label: taken[label] for label in sizes}
