"""`suite data slices`: where a study's arms are weak, and whether its splits differ."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from suite import shell
from suite.cli.console import next_step, out, print_json, print_table, words
from suite.cli.options import AsJson, MaxMemory, Name, Storage, refuse_idle, room_for
from suite.cli.study_files import tidy


def slices(
    ctx: typer.Context,
    name: Name,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--slice", metavar="COLUMN", help="Also by this column of the source. Repeatable."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Where the rows lie, if that is elsewhere now. With --slice."),
    ] = None,
    max_memory: MaxMemory = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Tell where a study's arms are weak: macro-F1 by length, language, size of classes and any
    column, and whether train, validation and test differ.

    It reads what the finals kept: test is not opened again. Each part is held against other rows of
    the same classes, and p is corrected for the number of parts. What was found is kept with the
    study, and stands on its page.

    Examples:

        suite data slices agnews

        suite data slices tickets --slice customer_tier --slice source

        suite data slices tickets --json | jq .slices
    """
    from suite import api
    from suite.cli.tables import slices_table
    from suite.report.data.slices import slice_sentences
    from suite.study.sliced import sliced

    if not columns:
        refuse_idle(ctx, "--slice COLUMN", "--data")
    found = sliced(name, columns or (), url=storage, data=data, room=room_for(max_memory))
    tidy(storage)
    if as_json:
        print_json({"study": name, **asdict(found)})
        return
    results = api.load_results(name, storage=storage, importance=False)
    print_table(slices_table(results))
    for line in slice_sentences(results, words()):
        out.print(line, markup=False)
    next_step(shell.command("report", name, storage=storage))
