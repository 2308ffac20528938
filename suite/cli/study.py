"""`suite study …`: the group; each command stands in the file of what it does."""

from __future__ import annotations

import typer

from suite.cli.study_files import adopt, delete, export_db, import_db
from suite.cli.study_run import create, run
from suite.cli.study_show import best, list_studies, show

app = typer.Typer(
    no_args_is_help=True,
    help="""Create, run and look at studies.

    Examples:

        suite study create agnews

        suite study show agnews
    """,
)
app.command("create")(create)
app.command("run")(run)
app.command("list")(list_studies)
app.command("show")(show)
app.command("best")(best)
app.command("delete")(delete)
app.command("export-db")(export_db)
app.command("import-db")(import_db)
app.command("adopt")(adopt)
