"""`suite data …`: what a task's rows are worth, before and beside studies of them."""

from __future__ import annotations

import typer

from suite.cli.data_difficulty import difficulty
from suite.cli.data_next import next_rows
from suite.cli.data_slices import slices
from suite.cli.data_suspects import suspects

app = typer.Typer(
    no_args_is_help=True,
    help="""Ask what a task's rows are worth: how hard each of them is, which labels may be wrong,
    where arms are weak, and which to label next.

    Examples:

        suite data difficulty agnews --decoder smollm2-135m-instruct --train-rows 8000

        suite data suspects tickets.csv --out suspects.csv

        suite data slices tickets --slice customer_tier

        suite data next agnews --unlabelled headlines.txt --rows 100
    """,
)
app.command("difficulty")(difficulty)
app.command("suspects")(suspects)
app.command("slices")(slices)
app.command("next")(next_rows)
