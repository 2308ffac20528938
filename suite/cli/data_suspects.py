"""`suite data suspects`: rows whose label may be wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from suite import shell
from suite.cli import completion, fitting
from suite.cli.console import (
    err,
    exact,
    next_step,
    one_line,
    out,
    print_json,
    print_table,
    say,
    told,
    words,
)
from suite.cli.options import (
    OUT_FIX,
    AsJson,
    Device,
    Folder,
    MaxMemory,
    Models,
    Sample,
    Task,
    Threads,
    TrainRows,
    check_new,
    room_for,
)
from suite.errors import UsageError, counted
from suite.files import whole
from suite.report import formats

if TYPE_CHECKING:
    from suite.contracts.suspects import Bounded, Suspect, Suspects, Without
    from suite.report.words import Words

Arms = Annotated[
    list[str] | None,
    typer.Option(
        metavar="GLOB",
        help="Arms to ask, of two models at least; globs allowed. Repeatable. Default: "
        "tfidf/classic, and as probe each --model, else the smallest pretrained model that is "
        "here, else fasttext/classic.",
        autocompletion=completion.arms,
    ),
]
To = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the rows into a new .csv or .jsonl."),
]

#: Suspects shown in a terminal where no number is asked for.
ROWS = 20


def suspects(
    task: Task,
    arms: Arms = None,
    model: Models = None,
    data: Folder = None,
    sample: Sample = False,
    train_rows: TrainRows = None,
    scores: Annotated[
        bool,
        typer.Option(
            "--scores/--no-scores",
            help="Also train without the suspects, and say what that does to macro-F1 on test.",
        ),
    ] = True,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Show so many suspects at most, of test as many. Default: 20 in a terminal and "
            "with --out, else all of them.",
        ),
    ] = None,
    to: To = None,
    max_memory: MaxMemory = None,
    device: Device = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """List rows whose label may be wrong: where each stands, the label it has, the class it more
    probably is.

    Unlike arms answer each row by trainings that did not see it, and confident learning (cleanlab)
    finds the labels that their answers speak against. A suspect is worth a look, and no proof: some
    are hard texts, rightly labelled. Suspects of test are listed apart. Nothing is removed. Test's
    labels meet answers here: mend them before a study begins, and not for what it says.

    Examples:

        suite data suspects agnews --sample

        suite data suspects tickets.csv --out suspects.csv

        suite data suspects agnews --data ./ag_news --model minilm=./minilm --train-rows 4000

        suite data suspects agnews --no-scores --json
    """
    from suite.contracts.suspects import FEWEST_ROWS
    from suite.data.named import options, rows_of
    from suite.data.tables import PLACE
    from suite.study import suspecting

    if as_json and to is not None:
        raise UsageError("--json contradicts --out", fix="Give one of them.")
    check_new(to, ".csv", ".jsonl")
    named, rows = rows_of(
        task,
        folder=data,
        use_sample=sample,
        train_rows=train_rows,
        room=room_for(max_memory),
        others=(PLACE,),
    )
    found = suspecting.suspects(
        named, rows, globs=arms or (), models=model or (), scores=scores, say=say
    )
    if as_json:
        print_json(asdict(replace(found, found=found.found[:limit], test=found.test[:limit])))
        return
    if to is not None:
        _write(to, [*found.found, *found.test])
    speak = words()
    shown = limit or (ROWS if to is not None or out.is_terminal else None)
    learnt = found.rows["train"] + found.rows["validation"]
    _print(speak("suspects_learnt", n=len(found.found), rows=learnt), found.found, shown, speak)
    _print(
        speak("suspects_test", n=len(found.test), rows=found.rows["test"]), found.test, shown, speak
    )
    if found.scores:
        out.print()
        print_table(_scores(found.scores, speak))
        out.print(speak("suspects_flattered"), markup=False)
    out.print(speak("suspects_opened"), markup=False)
    if found.few:
        listed = speak("comma").join(f"{name} ({rows})" for name, rows in found.few.items())
        out.print(speak("suspects_few", n=FEWEST_ROWS, classes=listed), markup=False)
    _conclude(
        found, (task, *options(folder=data, use_sample=sample, train_rows=train_rows)), to, shown
    )


def _conclude(found: Suspects, rows: Sequence[object], to: Path | None, shown: int | None) -> None:
    every = len(found.found) + len(found.test)
    if to is not None:
        err.print(told(f"Listed in {to}: {counted(every, 'suspect')}"), markup=False)
    elif shown is not None and max(len(found.found), len(found.test)) > shown:
        say("More: --limit N; all of them: --out suspects.csv.")
    next_step(shell.command("study", "create", *rows))


def _print(title: str, rows: Sequence[Suspect], shown: int | None, say: Words) -> None:
    out.print(title, markup=False)
    if not rows:
        return
    table = Table(
        fitting.name(say("suspects_place")),
        fitting.name(say("suspects_given")),
        fitting.name(say("suspects_likely")),
        fitting.number(say("suspects_probability")),
        fitting.number(say("suspects_agreed"), leaves=2),
        fitting.text(say("suspects_text"), leaves=1),
    )
    for one in rows[:shown]:
        table.add_row(
            one.place, one.given, one.likely, f"{one.probability:.2f}", str(one.agreed),
            one_line(one.text),
        )  # fmt: skip
    print_table(table)


def _scores(rows: Sequence[Without], say: Words) -> Table:
    def bounded(one: Bounded | None) -> str:
        if one is None:
            return formats.MISSING
        return f"{one.macro_f1:.3f} ({one.interval[0]:.3f}–{one.interval[1]:.3f})"

    def apart(row: Without) -> str:
        if row.difference is None or row.difference_interval is None:
            return formats.MISSING
        low, high = row.difference_interval
        return f"{row.difference:+.3f} ({low:+.3f} … {high:+.3f})"

    table = Table(
        fitting.name(say("head_arm")),
        fitting.number(say("suspects_all")),
        fitting.number(say("suspects_sure"), leaves=1),
        fitting.number(say("suspects_without")),
        fitting.number(say("suspects_difference")),
        fitting.number("p", leaves=2),
        title=say("suspects_scores"),
    )
    for row in rows:
        table.add_row(
            row.arm, bounded(row.test), bounded(row.sure), bounded(row.trained), apart(row),
            formats.MISSING if row.p is None else formats.p_value(row.p),
        )  # fmt: skip
    return table


def _write(to: Path, rows: Sequence[Suspect]) -> None:
    """Suspects as CSV, a column for each of their fields, or as JSON lines."""
    from suite.contracts.suspects import Suspect
    from suite.report.pages.text_tables import csv_text

    cells = [asdict(row) for row in rows]
    if to.suffix == ".csv":
        text = csv_text([field.name for field in fields(Suspect)], cells)
    else:
        text = "".join(f"{exact(json.dumps(row, ensure_ascii=False))}\n" for row in cells)
    with whole(to, what="the rows cannot be written", fix=OUT_FIX, new=True) as draft:
        draft.write_text(text, encoding="utf-8", newline="")
