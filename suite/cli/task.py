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
from suite.cli.options import (
    AsJson,
    Case,
    Delimiter,
    Encoding,
    Group,
    Id,
    Label,
    MaxMemory,
    SkipBadRows,
    Strict,
    TestShare,
    Text,
    Time,
    reading_of,
    room_for,
)
from suite.errors import SuiteError, TaskError

if TYPE_CHECKING:
    from suite.data.check import Finding

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
            hub.id if hub else (task.data.folder or task.data.file or "files"),
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
    from suite.data.check import check as check_task
    from suite.data.load import beside

    task, path = find_task(file)
    named = task.data.file or task.data.folder
    source = beside(path, named) if data is None and named is not None else data
    large = source is not None and _tell_ahead(source, max_memory)
    findings = check_task(path, data, room_for(max_memory))
    for finding in findings:
        _tell_finding(out, finding)
    if large:
        _tell_peak()
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(2)
    tell(f"{path} is a task.")
    next_step(shell.command("study", "create", file, *(("--data", data) if data else ())))


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="The new task's name.")],
    data: Annotated[Path, typer.Option(help="A file of rows, or a folder with one per split.")],
    file: Annotated[
        Path | None, typer.Option("--out", help="Where to write it. Default: tasks/NAME.yaml.")
    ] = None,
    text: Text = None,
    label: Label = None,
    id: Id = None,
    group: Group = None,
    time: Time = None,
    test_share: TestShare = None,
    strict: Strict = False,
    skip_bad_rows: SkipBadRows = False,
    merge_case: Case = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    max_memory: MaxMemory = None,
) -> None:
    """Look at labelled rows and draft a commented task file that passes `check`.

    Examples:

        suite task new reviews --data ./reviews

        suite task new tickets --data tickets.csv --text subject --text body --label team
    """
    from suite.cli.asking import asked
    from suite.config import settings
    from suite.data.check import check_text
    from suite.data.columns import Asked
    from suite.data.draft import Draft, Said, draft
    from suite.data.own import write_new

    target = file or settings.tasks_folder() / f"{name}.yaml"
    if target.exists():
        raise TaskError(f"{target} exists", fix="Remove it, or name another file with --out.")

    def made(label: str | None, merge_case: bool | None) -> Draft:
        said = Said(
            Asked(tuple(text or ()), label, id, group, time),
            test_share,
            reading_of(delimiter, encoding, skip_bad_rows, merge_case),
        )
        return draft(name, data, said=said, task_file=target, room=room_for(max_memory))

    large = _tell_ahead(data, max_memory)
    drafted = asked(made, label, merge_case)
    for line in drafted.told:
        err.print(told(line), markup=False)
    findings = check_text(drafted.text, target, room=room_for(max_memory), strict=strict)
    for finding in findings:
        _tell_finding(err, finding)
    if large:
        _tell_peak()
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(2)
    write_new(target, drafted.text)
    tell(f"Wrote {target}.")
    then = shell.command("study", "create", target)
    next_step(f"read it, mend what it guessed, then: {then}")


def _tell_ahead(source: Path, max_memory: str | None) -> bool:
    """Says what reading rows takes, where they are many; whether they are."""
    from suite.data.ahead import ahead

    said = ahead(source, room_for(max_memory))
    if said is not None:
        err.print(told(said), markup=False)
    return said is not None


def _tell_peak() -> None:
    from suite.child.process import peak_memory
    from suite.data.room import in_words

    err.print(told(f"memory at its peak: {in_words(peak_memory())}"), markup=False)


def _tell_finding(console: Console, finding: Finding) -> None:
    """A finding of `check`: how grave it is, and what."""
    level = told(finding.level)
    console.print(f"{level}{' ' * (7 - cell_len(level))} {told(finding.message)}")
