"""`suite data …`: what a task's rows are worth, before and beside studies of them."""

from __future__ import annotations

import typer

from suite.cli.data_difficulty import difficulty
from suite.cli.data_next import next_rows

app = typer.Typer(
    no_args_is_help=True,
    help="""Ask what a task's rows are worth: how hard each of them is, and which to label next.

    Examples:

        suite data difficulty agnews --decoder smollm2-135m-instruct --train-rows 8000

        suite data next agnews --unlabelled headlines.txt --rows 100
    """,
)
app.command("difficulty")(difficulty)
app.command("next")(next_rows)
