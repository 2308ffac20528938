"""`suite data difficulty`: how hard each training row is, as a Parquet file."""

from __future__ import annotations

import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from suite import paths, shell
from suite.cli import completion, fitting
from suite.cli.console import err, next_step, out, print_json, print_table, say, tell, told, words
from suite.cli.options import (
    AsJson,
    Device,
    Folder,
    MaxMemory,
    Models,
    Sample,
    Storage,
    Threads,
    room_for,
)
from suite.cli.words import Quiet
from suite.errors import DataError, counted
from suite.report import formats

if TYPE_CHECKING:
    from suite.contracts.difficulty import By
    from suite.data.difficulty import Difficulty

_EVERY_SECONDS = 10.0


def difficulty(
    task: Annotated[
        str,
        typer.Argument(
            help="A shipped task's name, a task file, or a file of labelled rows.",
            autocompletion=completion.tasks,
        ),
    ],
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
    train_rows: Annotated[
        int | None, typer.Option(min=2, help="Only so many training rows (stratified, nested).")
    ] = None,
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
    `train_subset: {by: perplexity, part: hard, rows: 1000}`.

    Examples:

        suite data difficulty agnews --decoder smollm2-135m --train-rows 8000

        suite data difficulty agnews --dynamics minilm/linear_head --train-rows 8000

        suite data difficulty agnews --study agnews --json
    """
    from suite.data import difficulty as kept
    from suite.data.named import rows_of
    from suite.study import judging

    last = time.monotonic()

    def watch(judge: str, done: int, total: int) -> None:
        nonlocal last
        if not quiet and time.monotonic() - last >= _EVERY_SECONDS:
            last = time.monotonic()
            err.print(told(f"{judge}: {done:,} of {counted(total, 'row')} judged"))

    named, rows = rows_of(
        task, folder=data, use_sample=sample, train_rows=train_rows, room=room_for(max_memory)
    )
    wanted = judging.Wanted(decoder, dynamics, study, suspects, model or (), epochs, checkpoints)
    found = judging.judge(named, rows, wanted, url=storage, say=say, watch=watch)
    file = paths.difficulty(named.name)
    found = judging.merged(_before(file), found)
    for place in (file, to):
        if place is not None:
            kept.write(place, found)
    if as_json:
        print_json(_told(found, file))
        return
    print_table(_thirds(found))
    for line in (*_alike(found), *_suspects(found)):
        out.print(line)
    tell(f"How hard each row is stands in {file}")
    next_step(shell.command("study", "create", task, "--recipe", "difficulty"))


def _before(file: Path) -> Difficulty | None:
    """What was judged before; None where nothing can be read of it."""
    from suite.data import difficulty as kept

    try:
        return kept.read(file) if file.is_file() else None
    except DataError:
        return None


def _told(found: Difficulty, file: Path) -> dict[str, object]:
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
    }


def _thirds(found: Difficulty) -> Table:
    """Of each judgement the mean of its first column in each third of the rows."""
    import numpy as np

    from suite.data.difficulty import COLUMNS

    say = words()
    table = Table(
        fitting.word(say("difficulty_by")),
        fitting.name(say("difficulty_judge")),
        *(fitting.number(say(f"difficulty_{part}")) for part in ("easy", "medium", "hard")),
        title=say("difficulty_title", n=found.judges.rows),
    )
    for by, judges in found.judges.by.items():
        own = found.columns[COLUMNS[by][0]][np.argsort(found.hardness(by), kind="stable")]
        means = [formats.quantity(float(part.mean())) for part in np.array_split(own, 3)]
        table.add_row(say(f"difficulty_by_{by}"), say("comma").join(judges), *means)
    return table


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
    import numpy as np

    from suite.data.difficulty import SUSPECT

    own = found.columns.get(SUSPECT)
    if own is None:
        return []
    say = words()
    told = []
    for by in found.judges.by:
        ordered = own[np.argsort(found.hardness(by), kind="stable")]
        shares = [formats.percent(float(part.mean())) for part in np.array_split(ordered, 3)]
        named = dict(zip(("easy", "medium", "hard"), shares, strict=True))
        told.append(say("difficulty_suspects", by=say(f"difficulty_by_{by}"), **named))
    return told


def _correlations(found: Difficulty) -> list[tuple[By, By, float]]:
    """Spearman's rank correlation of each two judgements."""
    from suite.verdict.alike import spearman

    return [
        (a, b, spearman(found.hardness(a), found.hardness(b)).value)
        for a, b in combinations(found.judges.by, 2)
    ]
