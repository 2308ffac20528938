"""The command line: words in, one call, a table out. The only place that catches `SuiteError`.

One file per command group. Heavy libraries are imported inside the commands that need them:
`suite --help` must answer at once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from suite import files, redaction
from suite.cli import (
    bench,
    console,
    curve,
    dashboard,
    data,
    decide,
    distil,
    doctor,
    errors,
    finals,
    language,
    model,
    predict,
    report,
    serve,
    stress,
    study,
    task,
)
from suite.cli.words import Group, Quiet, Verbose, heard, mended, with_volume
from suite.errors import SuiteError
from suite.machine.surroundings import runs_one_command, silence
from suite.version import __version__

INTERRUPTED = 130

#: The panels of `suite --help`, in the order they are shown.
STUDIES = "Studies"
RESULTS = "Results"
WINNER = "Use the winner"
CATALOGUE = "Tasks and models"
MACHINE = "Machine"
PANELS = (STUDIES, RESULTS, WINNER, CATALOGUE, MACHINE)


class SuiteGroup(Group):
    """Turns what a person can mend into one message and exit code 2, Ctrl-C into 130."""

    def main(
        self,
        args: Any = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Runs the command line; typer's own complaints take the form of the suite's."""
        console.set_volume(quiet=False, verbose=False)
        console.speak(language.fallback())
        console.hear()
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except typer.Abort:
            console.err.print(console.told("Stopped; nothing was changed."), markup=False)
            code = INTERRUPTED
        except SuiteError as error:
            console.error(str(error))
            code = 2
        except SystemExit as end:
            # How typer ends where the reader of its help has left.
            if not isinstance(end.__context__, BrokenPipeError):
                raise
            _hang_up()
            code = 0
        except Exception as error:
            if type(error).__name__ == "NoArgsIsHelpError":
                # The help was printed as the error was made.
                asked: Any = error
                code = 0 if asked.ctx.parent is None else 2
            elif hasattr(error, "format_message"):
                console.error(str(mended(error)))
                code = 2
            else:
                raise
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)

    def list_commands(self, ctx: Any) -> list[str]:
        """Commands by panel, as registered within each."""

        def place(name: str) -> int:
            panel = getattr(self.commands[name], "rich_help_panel", None)
            return PANELS.index(panel) if panel in PANELS else len(PANELS)

        return sorted(self.commands, key=place)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except SuiteError as error:
            console.error(str(error))
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            console.err.print(console.told("Interrupted; what was finished is saved."))
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _hang_up()
            raise typer.Exit(0) from None
        except OSError as error:
            # A full disk or a folder that can't be written is the user's to mend, wherever met.
            console.error(str(_unwritten(error)))
            _details(error)
            raise typer.Exit(2) from None
        except Exception as error:
            reason = _database_trouble(error)
            if reason is None:
                raise
            from suite.study.database import remedy

            told = SuiteError(f"the study's database: {reason}", fix=remedy(reason))
            console.error(str(told))
            _details(error)
            raise typer.Exit(2) from None


def _unwritten(error: OSError) -> SuiteError:
    """What the system refused, with the place where that is known, and how to go on."""
    place = error.filename or Path.cwd()
    return SuiteError(
        files.reason(error, place),
        where=str(error.filename) if error.filename else None,
        fix=files.MAKE_ROOM if files.is_full(error) else None,
    )


def _details(error: BaseException) -> None:
    if console.is_verbose():
        console.detail("".join(traceback.format_exception(error)).rstrip())


app = typer.Typer(
    name="suite",
    cls=SuiteGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Which text classifier, how trained, at what cost?

    Searches model family, strategy and hyperparameters with Optuna, and ends in a page that ranks
    F1, training time and texts per second, and knows which differences are chance.

    Start here, with a file of texts and labels of your own:

    1. `suite study create tickets.csv` searches, and scores the winners once

    2. `suite report` writes the page

    3. `suite predict tickets "a text"` uses the winner

    `suite study create agnews --sample` tries it without one, and `suite doctor` tells what will
    run on this machine.
    """,
)
app.add_typer(study.app, name="study", cls=Group, rich_help_panel=STUDIES)
app.command("curve", rich_help_panel=STUDIES)(curve.curve)
app.command("finals", rich_help_panel=RESULTS)(finals.finals)
app.command("report", rich_help_panel=RESULTS)(report.report)
app.command("errors", rich_help_panel=RESULTS)(errors.errors)
app.command("decide", rich_help_panel=RESULTS)(decide.decide)
app.command("stress", rich_help_panel=RESULTS)(stress.stress)
app.command("bench", rich_help_panel=RESULTS)(bench.bench)
app.command("dashboard", rich_help_panel=RESULTS)(dashboard.dashboard)
app.command("predict", rich_help_panel=WINNER)(predict.predict)
app.command("export", rich_help_panel=WINNER)(predict.export)
app.command("serve", rich_help_panel=WINNER)(serve.serve)
app.add_typer(data.app, name="data", cls=Group, rich_help_panel=CATALOGUE)
app.add_typer(task.app, name="task", cls=Group, rich_help_panel=CATALOGUE)
app.add_typer(model.app, name="model", cls=Group, rich_help_panel=CATALOGUE)
app.command("distil", rich_help_panel=CATALOGUE)(distil.distil)
app.command("doctor", rich_help_panel=MACHINE)(doctor.doctor)
# After the last command: each gets --quiet, --verbose and --lang.
with_volume(app)


def _database_trouble(error: BaseException) -> str | None:
    """What a database says when it can't be written or reached any more; None for other errors.

    Looked for by name along the chain of causes: this file must not import a database.
    """
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in {"DatabaseError", "OperationalError", "StorageInternalError"}:
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
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    lang: language.Lang = None,
) -> None:
    if ctx.resilient_parsing:
        return
    from suite.config import settings
    from suite.machine import computing, scratch

    settings.forget()
    console.speak(language.chosen(lang, language.set_in_a_file()).language)
    heard(quiet=quiet, verbose=verbose, lang=None)
    computing.settle()

    scratch.sweep_shared(console.say)


def _terminate(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _hang_up() -> None:
    """The reader (head, less) has what it wanted: what is still said goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())


def main() -> None:
    """The console script `suite`."""
    silence()
    runs_one_command()
    # A study told to end by the system saves what it has, as with Ctrl-C.
    signal.signal(signal.SIGTERM, _terminate)
    # Threads and libraries write there too, past the console.
    sys.stderr = redaction.over(sys.stderr)
    # What libraries log and warn of is told with --verbose alone.
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(True)
    code: Any = 1
    try:
        app()
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        _hang_up()
        code = 0
    except Exception as error:  # noqa: BLE001 - whatever is left is a defect, and told as one
        console.error(f"a defect of the suite: {type(error).__name__}: {error}")
        if console.is_verbose():
            console.detail(traceback.format_exc().rstrip())
        else:
            console.say("The same command with --verbose shows where; please report it.")
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _hang_up()
    except OSError as error:
        console.error(f"standard output: {files.reason(error, Path.cwd())}")
        _hang_up()
        code = 2
    sys.exit(code)
