"""`suite task …`: list, show, check and draft task files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from suite import shell
from suite.cli import completion, fitting
from suite.cli.console import (
    err,
    next_step,
    out,
    print_json,
    print_table,
    tell,
    told,
    visible,
    words,
)
from suite.cli.options import AsJson, MaxMemory, room_for
from suite.errors import StorageError, SuiteError, TaskError
from suite.files import reason

if TYPE_CHECKING:
    from suite.data.draft import Finding

app = typer.Typer(
    no_args_is_help=True,
    help="""Look at tasks, check task files, draft new ones.

    Examples:

        suite task list

        suite task new reviews --data ./reviews
    """,
)


@app.command("list")
def list_tasks(as_json: AsJson = False) -> None:
    """List the shipped tasks and those of the working folder.

    Examples:

        suite task list

        suite task list --json
    """
    from suite.config import settings
    from suite.config.task import load_task

    rows: list[dict[str, object]] = []
    say = words()
    table = Table(
        fitting.name(say("head_task")),
        fitting.text(say("head_title"), leaves=1),
        fitting.word(say("head_language"), leaves=3),
        fitting.number(say("head_classes"), leaves=2),
        fitting.name(say("head_source"), leaves=4),
        fitting.word(say("head_revision"), leaves=5),
    )
    for name, file in settings.task_files().items():
        try:
            task = load_task(file)
        except SuiteError as error:
            # A broken file must not vanish from the list, nor hide the others.
            table.add_row(name, say("broken_file", what=told(error.what)), "", "", str(file), "")
            rows.append({"name": name, "file": str(file), "error": str(error)})
            continue
        hub = task.data.hub
        table.add_row(
            name,
            task.title,
            task.language,
            str(len(task.labels)),
            hub.id if hub else (task.data.folder or "files"),
            "" if hub is None else (hub.revision[:12] if hub.pinned else say("unpinned")),
        )
        rows.append(
            {
                "name": name,
                "title": task.title,
                "language": task.language,
                "classes": len(task.labels),
                "file": str(file),
            }
        )
    if as_json:
        print_json({"tasks": rows})
    else:
        print_table(table)


@app.command("show")
def show(
    name: Annotated[
        str, typer.Argument(help="A task's name or file.", autocompletion=completion.tasks)
    ],
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Print the question a decoder is asked instead.")
    ] = False,
) -> None:
    """Print a task file, or the multiple-choice prompt made from it.

    Examples:

        suite task show agnews

        suite task show tnews --prompt
    """
    from suite.config import yamlfile
    from suite.config.task import find_task

    task, file = find_task(name)
    if prompt:
        from suite.contracts.strategy import Refused
        from suite.prompting import codes, layout

        try:
            named = layout.prompt_of(task).codes or codes.plain(len(task.labels))
        except Refused as reason:
            raise TaskError(str(reason), where=str(file)) from None
        out.print(layout.question(task, named, layout.Variant()).content("{text}"))
        return
    text = yamlfile.read_text(file)
    # Exact where it goes into a file; a person reads it on a terminal.
    typer.echo(visible(text) if sys.stdout.isatty() else text, nl=False)


@app.command("check")
def check(
    file: Annotated[
        str,
        typer.Argument(
            help="A task file, or a shipped task's name.", autocompletion=completion.tasks
        ),
    ],
    data: Annotated[Path | None, typer.Option(help="Also read the rows in this folder.")] = None,
    max_memory: MaxMemory = None,
) -> None:
    """Check a task file, and its data if they are local.

    Examples:

        suite task check my-task.yaml

        suite task check agnews --data ./ag_news
    """
    from suite.config.task import find_task
    from suite.data.draft import check as check_task

    _, path = find_task(file)
    findings = check_task(path, data, room_for(max_memory))
    for finding in findings:
        _tell_finding(out, finding)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(2)
    tell(f"{path} is a task.")
    next_step(shell.command("study", "create", file, *(("--data", data) if data else ())))


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="The new task's name.")],
    data: Annotated[Path, typer.Option(help="Folder with its train and test files.")],
    file: Annotated[
        Path | None, typer.Option("--out", help="Where to write it. Default: tasks/NAME.yaml.")
    ] = None,
    max_memory: MaxMemory = None,
) -> None:
    """Look at a folder of labelled rows and draft a commented task file that passes `check`.

    Examples:

        suite task new reviews --data ./reviews

        suite task new reviews --data ./reviews --out reviews.yaml
    """
    from suite.config import settings
    from suite.data.draft import check as check_task
    from suite.data.draft import draft

    target = file or settings.tasks_folder() / f"{name}.yaml"
    if target.exists():
        raise TaskError(f"{target} exists", fix="Remove it, or name another file with --out.")
    text = draft(name, data, task_file=target, room=room_for(max_memory))
    _write(target, text)
    for finding in check_task(target, None, room_for(max_memory)):
        _tell_finding(err, finding)
    tell(f"Wrote {target}.")
    then = shell.command("study", "create", target)
    next_step(f"read it, mend what it guessed, then: {then}")


def _tell_finding(console: Console, finding: Finding) -> None:
    """A finding of `check`: how grave it is, and what."""
    level = told(finding.level)
    console.print(f"{level}{' ' * (7 - cell_len(level))} {told(finding.message)}")


def _write(target: Path, text: str) -> None:
    """Writes a new file whole, or not at all."""
    aside = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_text(text, encoding="utf-8")
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"the task file cannot be written: {reason(error, target)}",
            where=str(target),
            fix="Name a file in a folder that can be written with --out.",
        ) from None
