"""`suite study …`: create, run, look at, keep and remove studies."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from suite import redaction, shell
from suite.cli import completion
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import (
    detail,
    err,
    is_verbose,
    next_step,
    out,
    print_json,
    print_table,
    say,
    visible,
    warn,
)
from suite.cli.words import Quiet as Quiet
from suite.contracts.limits import MOST_SEED, MOST_TRIALS
from suite.errors import StorageError, StudyError, counted

if TYPE_CHECKING:
    from suite.contracts.results import StudyResults
    from suite.data.room import Room
    from suite.study.definition import Definition

app = typer.Typer(
    no_args_is_help=True,
    help="""Create, run and look at studies.

    Examples:

        suite study create agnews

        suite study show agnews
    """,
)

Name = Annotated[
    str,
    typer.Argument(
        help="The study's name; `suite study list` names them.", autocompletion=completion.studies
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        help="Database URL. Default: sqlite:///studies/suite.db. For several machines: "
        "postgresql+psycopg://user@host/db."
    ),
]
Trials = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST_TRIALS, help="Finished trials the study is to have in all; stored with it."
    ),
]
Timeout = Annotated[
    str | None, typer.Option(help="Start no new trial after this time: 90s, 30m, 2h, 1d.")
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Trials at a time on this machine.")]
MaxDisk = Annotated[str | None, typer.Option(help="Stop when the study's files pass this: 20GB.")]
MaxMemory = Annotated[
    str | None,
    typer.Option(
        help="What reading rows may use at once: 8GB. Default: a quarter of what this process may "
        "use."
    ),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write TensorBoard logs there, one run per trial."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Also run arms whose single trial exceeds the budget.")
]
RetryArm = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ARM",
        help="Try an arm again that is out, whatever the reason; globs allowed. Repeatable.",
        autocompletion=completion.arms,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def room_for(max_memory: str | None) -> Room:
    """How much of what is read may be in memory, as `--max-memory` says."""
    from suite.data.room import Room
    from suite.files import parse_size

    return Room(None if max_memory is None else parse_size(max_memory))


@app.command("create")
def create(
    task: Annotated[
        str,
        typer.Argument(
            help="A shipped task's name, or a task file's path.", autocompletion=completion.tasks
        ),
    ],
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe's name or path. Default: the task's, else agnews.",
            autocompletion=completion.recipes,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Default: TASK, or TASK-RECIPE with --recipe.")
    ] = None,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            help="model/strategy, globs allowed; in place of the recipe's. Repeatable.",
            autocompletion=completion.arms,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PATH", help="A local transformers folder. Repeatable."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An OpenAI-compatible server whose model is asked, as an arm of its own. A key "
            "is read from SUITE_API_KEY.",
        ),
    ] = None,
    endpoint_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the server calls the model.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with train, validation or dev, and test."),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Study the bundled sample.")] = False,
    no_fallback: Annotated[
        bool, typer.Option("--no-fallback", help="Never let the sample take the data's place.")
    ] = False,
    trials: Trials = None,
    timeout: Timeout = None,
    workers: Workers = 1,
    storage: Storage = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MOST_SEED, help="Default: the recipe's.")
    ] = None,
    train_rows: Annotated[
        int | None,
        typer.Option(min=2, help="Take so many training rows (stratified, nested)."),
    ] = None,
    max_disk: MaxDisk = None,
    max_memory: MaxMemory = None,
    tensorboard: TensorBoard = None,
    force: Force = False,
    retry_arm: RetryArm = None,
    allow_endpoint: AllowEndpoint = None,
    no_run: Annotated[bool, typer.Option("--no-run", help="Only create the study.")] = False,
    quiet: Quiet = False,
) -> None:
    """Create a study and run it; go on with it where it exists.

    Examples:

        suite study create agnews

        suite study create agnews --sample --recipe quick

        suite study create agnews --data ./ag_news --arms 'tfidf/*' --arms 'fasttext/*' --trials 15

        suite study create my-task.yaml --model minilm=/models/all-MiniLM-L6-v2 --timeout 2h

        suite study create agnews --endpoint http://localhost:8000/v1 --endpoint-model Qwen/Qwen3-8B
    """
    from suite import api
    from suite.files import parse_size
    from suite.handover.tensorboard import require
    from suite.study.create import parse_duration

    # Wrong words are told before any work is done.
    for text, parse in (
        (timeout, parse_duration),
        (max_disk, parse_size),
        (max_memory, parse_size),
    ):
        if text:
            parse(text)
    if tensorboard is not None:
        require()
    made = api.create_study(
        task,
        recipe=recipe,
        name=name,
        arms=arms or (),
        models=model or (),
        endpoint=endpoint,
        endpoint_model=endpoint_model,
        data=data,
        sample=sample,
        no_fallback=no_fallback,
        trials=trials,
        storage=storage,
        seed=seed,
        train_rows=train_rows,
        max_memory=max_memory,
        command=redaction.command(["suite", *sys.argv[1:]]),
        warn=warn,
    )
    if made.resumed:
        say(f"The study '{made.name}' exists: going on with it.")
    for arm in made.definition.arms:
        if arm.refused and not quiet:
            say(f"refused: {arm.name}: {arm.refused}")
    if is_verbose():
        _tell_definition(made.definition)
    if no_run:
        if made.told:  # else running says it
            say(made.told)
        out.print(f"{'Found' if made.resumed else 'Created'} '{made.name}'.", markup=False)
        next_step(shell.command("study", "run", made.name, storage=storage))
        return
    _run(
        made.name, storage, quiet, timeout=timeout, workers=workers, max_disk=max_disk,
        force=force, retry_arms=retry_arm or (), tensorboard=tensorboard,
        allow_endpoint=named(allow_endpoint),
    )  # fmt: skip


@app.command("run")
def run(
    name: Name,
    trials: Trials = None,
    timeout: Timeout = None,
    workers: Workers = 1,
    storage: Storage = None,
    data: Annotated[
        Path | None, typer.Option(help="Where the rows lie on this machine, if elsewhere.")
    ] = None,
    max_disk: MaxDisk = None,
    max_memory: MaxMemory = None,
    tensorboard: TensorBoard = None,
    force: Force = False,
    retry_arm: RetryArm = None,
    allow_endpoint: AllowEndpoint = None,
    quiet: Quiet = False,
) -> None:
    """Go on with a study, or join it from another machine.

    Examples:

        suite study run agnews

        suite study run agnews --trials 80 --workers 2

        suite study run agnews --storage postgresql+psycopg://suite@db/suite
    """
    from suite.study import storage as storages

    if is_verbose():
        _tell_definition(storages.load(storages.open_storage(storage), name)[1])
    _run(
        name, storage, quiet, trials=trials, timeout=timeout, workers=workers, data=data,
        max_disk=max_disk, max_memory=max_memory, force=force, retry_arms=retry_arm or (),
        tensorboard=tensorboard,
        allow_endpoint=named(allow_endpoint),
    )  # fmt: skip


def _run(name: str, storage: str | None, quiet: bool, **options: Any) -> None:
    """Preflight, search, finals, and the table."""
    from suite import api
    from suite.cli.progress import observer
    from suite.cli.tables import show_results

    with observer(quiet) as watching:
        try:
            found = api.run_study(
                name, storage=storage, watcher=watching, importance=False, **options
            )
        except KeyboardInterrupt:
            again = shell.command("study", "run", name, storage=storage)
            err.print(f"Interrupted; everything is saved. Go on with: {again}", markup=False)
            raise typer.Exit(130) from None
    show_results(found)
    missing = found.target_trials - found.finished
    if missing > 0:
        say(f"Still missing: {counted(missing, 'trial')}.")
        next_step(shell.command("study", "run", name, storage=storage))
    else:
        next_step(shell.command("report", name, storage=storage))


def _tell_definition(definition: Definition) -> None:
    """The data found, what the Hub said, and each arm's space."""
    from suite.cli.console import is_verbose
    from suite.models import hub

    if not is_verbose():
        return
    rows = definition.data.rows
    detail(
        f"data: {definition.data.source}, fingerprint {definition.data.fingerprint}, "
        f"{rows.train:,} train, {rows.validation:,} validation, {rows.test:,} test"
    )
    if any(arm.model.hub for arm in definition.arms):
        detail(f"Hub: {hub.reason() or 'reachable'}")
    for arm in definition.runnable:
        space = ", ".join(arm.space.dimensions)
        detail(f"{arm.name}: {f'searches {space}' if space else 'nothing to search'}")


@app.command("list")
def list_studies(storage: Storage = None, as_json: AsJson = False) -> None:
    """List the studies of a storage.

    Examples:

        suite study list

        suite study list --storage sqlite:///other.db --json
    """
    from rich.table import Table

    from suite.contracts import moments
    from suite.study import listing
    from suite.study import storage as storages

    rows = listing.studies(storages.open_storage(storage))
    tidy(storage)
    if as_json:
        print_json({"studies": [asdict(row) for row in rows]})
        return
    table = Table("study", "task", "recipe", "trials", "best F1 (validation)", "test", "created")
    for row in rows:
        best = row.best_validation_macro_f1
        table.add_row(
            row.study,
            (row.task or "–") + (" (SAMPLE)" if row.sample else ""),
            row.recipe or "–",
            f"{row.finished}/{row.target}",
            "–" if best is None else f"{best:.4f}",
            "scored" if row.finals else "–",
            moments.shown(row.created or "cannot be read"),
        )
    if rows:
        print_table(table)
        for row in rows:
            if row.unreadable:
                warn(row.unreadable)
    else:
        out.print("No studies yet.")
        next_step("suite study create agnews")


@app.command("show")
def show(name: Name, storage: Storage = None, as_json: AsJson = False) -> None:
    """Show a study: its leaderboard and its trials.

    Examples:

        suite study show agnews

        suite study show agnews --json | jq .finals
    """
    found = _results(name, storage)
    if as_json:
        print_json(found.to_json())
        return
    from suite.cli.tables import show_results, trials_table

    show_results(found)
    # A pipe wants every row; a terminal the newest.
    print_table(trials_table(found, 200 if out.is_terminal else len(found.trials)))


@app.command("best")
def best(name: Name, storage: Storage = None, as_json: AsJson = False) -> None:
    """Show the arm to take: its hyperparameters, its scores, what can't be told apart from it.

    Examples:

        suite study best agnews

        suite study best agnews --json
    """
    from suite.cli.tables import banner, recommended
    from suite.contracts.results import trial_adapter
    from suite.verdict.metrics import OBJECTIVE
    from suite.verdict.standing import standing

    found = _results(name, storage)
    stood = standing(found)
    if stood.verdict is None:
        again = shell.command("study", "run", name, storage=storage)
        raise StudyError(f"'{name}' has no finished trial yet", fix=f"Go on with `{again}`.")
    place = stood.place(stood.verdict.recommended)
    trial, final = place.trial, place.final
    tied = [a for a in stood.leaders if a != place.arm and not stood.beats(a, place.arm)]
    if as_json:
        print_json(
            {
                "study": name,
                "arm": place.arm,
                "tied_with": tied,
                "trial": trial_adapter().dump_python(trial, mode="json") if trial else None,
                "test_macro_f1": final.test.macro_f1 if final else None,
                "stale": final.stale if final else None,
                "verdict": asdict(stood.verdict),
            }
        )
        return
    banner(found)
    out.print(f"{place.arm} (trial {place.number})", style="bold", markup=False)
    recommended(found)
    if tied:
        out.print(f"  can't be told apart from: {', '.join(tied)}", markup=False)
    if final:
        low, high = final.test.interval
        out.print(
            f"  test {OBJECTIVE.label('en')} {final.test.objective:.4f} [{low:.4f}, {high:.4f}]"
            + (" (stale: searched on since)" if final.stale else ""),
            markup=False,
        )
    if trial and trial.objective is not None:
        out.print(f"  validation {OBJECTIVE.label('en')} {trial.objective:.4f}", markup=False)
    for key, value in trial.params.items() if trial else ():
        out.print(f"  {key} = {value}", markup=False)


@app.command("delete")
def delete(
    name: Name,
    storage: Storage = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
) -> None:
    """Delete a study, its trials and its files.

    Examples:

        suite study delete agnews

        suite study delete agnews --yes
    """
    from suite.study import artifacts
    from suite.study import storage as storages

    opened = storages.open_storage(storage)
    tidy(storage)
    files = storages.files(opened, name)
    what = f"'{name}' with its {counted(storages.trials(opened, name), 'trial')}"
    if not yes:
        if not sys.stdin.isatty():
            raise StudyError(f"deleting {what} needs --yes here")
        typer.confirm(visible(f"Delete {what} and kept checkpoints?"), abort=True)
    if files is None:
        storages.delete(opened, name)
        out.print(f"Deleted '{name}'.", markup=False)
        say("Its files, if it has any, stay: they could not be told.")
        return
    with artifacts.removed(opened, files) as gone:
        storages.delete(opened, name)
    out.print(f"Deleted '{name}'.", markup=False)
    if not gone and files.readable:
        say(f"Its files stay, for they are {files.whose}: {files.folder}")
    next_step("suite study list")


@app.command("export-db")
def export_db(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The SQLite file to write.")],
    storage: Storage = None,
) -> None:
    """Copy a study with all its trials into a SQLite file of its own.

    Examples:

        suite study export-db agnews agnews.db

        suite study export-db agnews /backup/agnews.db --storage sqlite:///studies/suite.db
    """
    from suite.study import copying
    from suite.study import storage as storages

    copying.export(storages.open_storage(storage), name, file)
    out.print(f"Wrote '{name}' to {file}", markup=False)
    next_step(f"{shell.command('study', 'import-db', file)}, where it is wanted")


@app.command("import-db")
def import_db(
    file: Annotated[Path, typer.Argument(help="A SQLite file that `export-db` wrote.")],
    name: Annotated[
        str | None,
        typer.Option(help="What to call the study here, with files of its own; for one study."),
    ] = None,
    storage: Storage = None,
) -> None:
    """Copy the studies of a SQLite file into the storage.

    Examples:

        suite study import-db agnews.db

        suite study import-db agnews.db --name agnews-theirs

        suite study import-db agnews.db --storage sqlite:///other.db
    """
    from suite.study import copying
    from suite.study import storage as storages

    if not file.exists():
        raise StorageError(f"no file {file}")
    source = storages.open_storage(file)
    names = storages.names(source)
    if not names:
        raise StorageError(f"{file} holds no study of the suite")
    if name is not None and len(names) > 1:
        raise StudyError(
            f"--name is for one study, and {file} holds {len(names)}",
            fix="Import them without it, or each from a file of its own (`export-db`).",
        )
    wanted = {old: name or old for old in names}
    for old, new in wanted.items():
        stated = new if name else storages.stated_name(storages.find(source, old))
        storages.check_name(new, stated)
    copying.copy(source, storages.open_storage(storage, create=True), wanted)
    for new in wanted.values():
        out.print(f"Imported '{new}'", markup=False)
    next_step(shell.command("study", "show", wanted[names[0]], storage=storage))


@app.command("adopt")
def adopt(name: Name, storage: Storage = None) -> None:
    """Make this storage the owner of a study's files.

    A study's files (rows, kept checkpoints, logs) lie in a folder beside its storage. One storage
    owns them; a copy of it, or the same after it was renamed, only reads them until it adopts
    them. The owner before then only reads.

    Examples:

        suite study adopt agnews

        suite study adopt agnews --storage sqlite:///studies/backup.db
    """
    from suite.study import artifacts
    from suite.study import storage as storages

    study, definition = storages.load(storages.open_storage(storage), name)
    before = artifacts.find(study, definition.data.fingerprint)
    if before.standing is artifacts.Standing.OWNER:
        say(f"'{name}' owned its files already: {before.folder}")
    else:
        now = artifacts.adopt(study, definition.data.fingerprint, say=say)
        out.print(f"'{name}' owns its files now: {now.folder}", markup=False)
    next_step(shell.command("study", "run", name, storage=storage))


def _results(name: str, storage: str | None) -> StudyResults:
    from suite import api

    found = api.load_results(name, storage=storage, importance=False, predictions=False)
    tidy(storage)
    return found


def tidy(storage: str | None) -> None:
    """Removes what commands that died left beside a storage, and says how much."""
    from suite.study import artifacts

    artifacts.tidy(storage, say)
