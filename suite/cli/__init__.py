"""The command line: words in, one call, a table out. The only place that catches `SuiteError`.

One file per command group. Heavy libraries are imported inside the commands that need them:
`suite --help` must answer at once.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from suite import __version__
from suite.cli import bench, distil, doctor, finals, model, predict, report, study, task
from suite.cli.console import err
from suite.errors import SuiteError

INTERRUPTED = 130


class SuiteGroup(TyperGroup):
    """Turns what a person can mend into one message and exit code 2, Ctrl-C into 130."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except SuiteError as error:
            err.print("[bold red]Error:[/] ", end="")
            err.print(str(error), markup=False)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            err.print("Interrupted; what was finished is saved.", markup=False)
            raise typer.Exit(INTERRUPTED) from None
        except OSError as error:
            # A full disk or a folder that can't be written is the user's to mend, wherever met.
            where = f"{error.filename}: " if error.filename else ""
            err.print("[bold red]Error:[/] ", end="")
            err.print(f"{where}{error.strerror or error}", markup=False)
            raise typer.Exit(2) from None
        except Exception as error:
            reason = _database_trouble(error)
            if reason is None:
                raise
            err.print("[bold red]Error:[/] ", end="")
            err.print(f"the study's database: {reason}", markup=False)
            raise typer.Exit(2) from None


app = typer.Typer(
    name="suite",
    cls=SuiteGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which text classifier, how trained, at what cost? Searches model family, strategy and "
    "hyperparameters with Optuna, and ends in a page that ranks F1, training time and requests "
    "per second, and knows which differences are chance.\n\n"
    "Start: `suite study create agnews`, then `suite report`.",
)
app.add_typer(study.app, name="study")
app.command("finals")(finals.finals)
app.command("bench")(bench.bench)
app.command("report")(report.report)
app.add_typer(task.app, name="task")
app.add_typer(model.app, name="model")
app.command("predict")(predict.predict)
app.command("export")(predict.export)
app.command("distil")(distil.distil)
app.command("doctor")(doctor.doctor)


def _database_trouble(error: BaseException) -> str | None:
    """What a database says when it can't be written or reached any more; None for other errors.

    Looked for by name along the chain of causes: this file must not import a database.
    """
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in {"OperationalError", "StorageInternalError"}:
            cause = getattr(seen, "orig", None) or seen.__cause__ or seen
            return str(cause).strip().splitlines()[0]
        seen = seen.__cause__ or seen.__context__
    return None


def _version(value: bool) -> None:
    if value:
        typer.echo(f"suite {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _terminate(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """The console script `suite`."""
    # A study told to end by the system saves what it has, as with Ctrl-C.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except BrokenPipeError:
        # The reader (head, less) has what it wanted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
