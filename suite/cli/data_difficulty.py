"""`suite data difficulty`: how hard each training row is, as a Parquet file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from suite import paths, shell
from suite.cli import fitting
from suite.cli.console import err, next_step, out, print_json, print_table, say, tell, told, words
from suite.cli.options import (
    OUT_FIX,
    AsJson,
    Device,
    Folder,
    MaxMemory,
    Models,
    Sample,
    Storage,
    Task,
    Threads,
    TrainRows,
    refuse_idle,
    room_for,
)
from suite.cli.words import Quiet
from suite.errors import DataError, StorageError, UsageError, counted
from suite.files import check_place
from suite.report import formats

if TYPE_CHECKING:
    from suite.contracts.difficulty import By, Part
    from suite.data.difficulty import Difficulty, Places

_EVERY_SECONDS = 10.0
_THIRDS: tuple[Part, ...] = ("easy", "medium", "hard")


def difficulty(
    ctx: typer.Context,
    task: Task,
    decoder: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Judge by a decoder that was not taught: the perplexity of the label's option, "
            "and by how much it answers right or wrong.",
        ),
    ] = None,
    dynamics: Annotated[
        str | None,
        typer.Option(
            metavar="ARM",
            help="Judge by trainings of this model/strategy, each of which leaves rows out: how "
            "much it comes to expect their labels on its way, and how that varies.",
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            metavar="STUDY",
            help="Judge by what the arms of a study over folds of the same rows agree on.",
        ),
    ] = None,
    suspects: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Mark rows whose label may be wrong: .csv or .jsonl with columns text and given.",
        ),
    ] = None,
    model: Models = None,
    data: Folder = None,
    sample: Sample = False,
    train_rows: TrainRows = None,
    epochs: Annotated[
        float, typer.Option(min=0.1, max=100, help="Passes of a training for --dynamics.")
    ] = 2.0,
    checkpoints: Annotated[
        int, typer.Option(min=2, max=50, help="Of such a training, at which rows are asked about.")
    ] = 5,
    to: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Also write them there, as .parquet. A recipe's train_subset reads "
            "studies/difficulty/TASK.parquet.",
        ),
    ] = None,
    storage: Storage = None,
    max_memory: MaxMemory = None,
    device: Device = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Judge how hard each training row is, by models that have not learned from it.

    Judges may be named one after another: what is known of the same rows stays in the file. A
    recipe trains on a part of them, such as the hard third of each class, with
    `train_subset: {by: perplexity, part: hard, rows: 1000}`. Judgements of other rows are not
    written over.

    Examples:

        suite data difficulty agnews --decoder smollm2-135m --train-rows 8000

        suite data difficulty agnews --dynamics minilm/linear_head --train-rows 8000

        suite data difficulty agnews --study agnews --json
    """
    from suite.data import difficulty as kept
    from suite.data.difficulty_begun import Kept
    from suite.data.named import options, rows_of
    from suite.study import judging

    if dynamics is None:
        refuse_idle(ctx, "--dynamics", "--epochs", "--checkpoints")
    if decoder is None and dynamics is None:
        refuse_idle(ctx, "--decoder or --dynamics", "--model")
    if study is None:
        refuse_idle(ctx, "--study", "--storage")
    _check(to)
    last = time.monotonic()

    def watch(judge: str, done: int, total: int) -> None:
        nonlocal last
        if not quiet and time.monotonic() - last >= _EVERY_SECONDS:
            last = time.monotonic()
            err.print(told(f"{judge}: {done:,} of {counted(total, 'row')} judged"))

    wanted = judging.Wanted(decoder, dynamics, study, suspects, model or (), epochs, checkpoints)
    named, rows = rows_of(
        task, folder=data, use_sample=sample, train_rows=train_rows, room=room_for(max_memory)
    )
    file = paths.difficulty(named.name)
    judging.same_rows(_before(file), rows.train, named, file)
    going = Kept(named.name)
    same = options(folder=data, use_sample=sample, train_rows=train_rows)
    found = judging.judge(
        named, rows, wanted, named=[task, *same], url=storage, kept=going, say=say, watch=watch
    )
    # Once more: another judge may have come to an end meanwhile.
    found = judging.merged(_before(file), found)
    for place in (file, to):
        if place is not None:
            kept.write(place, found)
    going.over()
    if as_json:
        print_json(_told(found, file))
        return
    print_table(_thirds(found))
    for line in (*_alike(found), *_suspects(found)):
        out.print(line)
    tell(f"How hard each row is stands in {file}")
    if found.judges.by:
        models = [part for name in model or () for part in ("--model", name)]
        next_step(_next(found, task, [*models, *same]))


def _next(found: Difficulty, task: str, options: Sequence[object]) -> str:
    """The command that trains on the hard rows of the same pool, as it is pasted."""
    by = next(iter(found.judges.by))
    rows = len(_part(found, by, "hard"))
    words = "study", "create", task, "--recipe", "difficulty", "--train-subset"
    return shell.command(*words, f"{by}:hard:{rows}", *options)


def _check(to: Path | None) -> None:
    """Refuses another output, before anything takes time: one that can't be written, or would
    write over what is no file of difficulty.

    Raises:
        UsageError: it has another suffix.
        StorageError: as said.
    """
    if to is None:
        return
    if to.suffix != ".parquet":
        raise UsageError(f"{to} is not .parquet", where="--out", fix="For example hard.parquet.")
    check_place(to, OUT_FIX)
    try:
        _before(to)
    except DataError as error:
        raise StorageError(
            f"{to} exists, and does not say how hard rows are: {error.what}",
            fix="Name another file.",
        ) from None


def _before(file: Path) -> Difficulty | None:
    """What was judged before; None where there is nothing.

    Raises:
        DataError: it can't be read. It is not written over: that is for its owner to say.
    """
    from suite.data import difficulty as kept

    return kept.read(file) if file.exists() else None


def _told(found: Difficulty, file: Path) -> dict[str, object]:
    from suite.data import difficulty as kept

    judges = found.judges
    return {
        "schema_version": 1,
        "task": judges.task,
        "file": str(file),
        "rows": judges.rows,
        "seconds": judges.seconds,
        "by": judges.by,
        "means": {name: float(own.mean()) for name, own in found.columns.items()},
        "spearman": {f"{a}-{b}": rho for a, b, rho in _correlations(found)},
        "suspects": {
            by: dict(zip(_THIRDS, _means(found, by, kept.SUSPECT), strict=True))
            for by in found.judges.by
            if kept.SUSPECT in found.columns
        },
    }


def _thirds(found: Difficulty) -> Table:
    """Of each judgement the mean of its first column in each third within classes."""
    from suite.data.difficulty import COLUMNS

    say = words()
    table = Table(
        fitting.word(say("difficulty_by")),
        fitting.name(say("difficulty_judge")),
        *(fitting.number(say(f"difficulty_{part}")) for part in _THIRDS),
        title=say("difficulty_title", n=found.judges.rows),
    )
    for by, judges in found.judges.by.items():
        means = [formats.quantity(mean) for mean in _means(found, by, COLUMNS[by][0])]
        table.add_row(say(f"difficulty_by_{by}"), say("comma").join(judges), *means)
    return table


def _means(found: Difficulty, by: By, column: str) -> list[float]:
    """The mean of a column in each of the parts that `train_subset` takes."""
    own = found.columns[column]
    return [float(own[_part(found, by, part)].mean()) for part in _THIRDS]


def _part(found: Difficulty, by: By, part: Part) -> Places:
    from suite.data.difficulty import part_of

    return part_of(found.labels, found.hardness(by), found.ambiguity(by), part)


def _alike(found: Difficulty) -> list[str]:
    """How alike two judgements order the rows."""
    say = words()
    return [
        say(
            "difficulty_alike",
            a=say(f"difficulty_by_{a}"),
            b=say(f"difficulty_by_{b}"),
            rho=f"{rho:.2f}",
        )
        for a, b, rho in _correlations(found)
    ]


def _suspects(found: Difficulty) -> list[str]:
    """How many rows of each third are suspected to be labelled wrongly."""
    from suite.data.difficulty import SUSPECT

    own = found.columns.get(SUSPECT)
    if own is None:
        return []
    say = words()
    told = [say("difficulty_suspected", n=int(own.sum()), of=found.judges.rows)]
    for by in found.judges.by:
        shares = map(formats.percent, _means(found, by, SUSPECT))
        named = dict(zip(_THIRDS, shares, strict=True))
        told.append(say("difficulty_suspects", by=say(f"difficulty_by_{by}"), **named))
    return told


def _correlations(found: Difficulty) -> list[tuple[By, By, float]]:
    """Spearman's rank correlation of each two judgements."""
    from suite.verdict.alike import spearman

    return [
        (a, b, spearman(found.hardness(a), found.hardness(b)).value)
        for a, b in combinations(found.judges.by, 2)
    ]
