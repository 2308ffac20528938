"""`suite curve`: a study at nested sizes of its training rows."""

from __future__ import annotations

import sys
import time as clock
from typing import Annotated

import typer

from suite import redaction
from suite.cli import completion
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import is_verbose, say, warn
from suite.cli.options import (
    Arms,
    AsJson,
    Device,
    Folder,
    Label,
    MaxDisk,
    MaxMemory,
    Models,
    NoFallback,
    Sample,
    Seed,
    Storage,
    Text,
    Threads,
    Timeout,
    Trials,
    Workers,
)
from suite.cli.running import check_words, run_and_show, tell_arms, tell_definition
from suite.cli.words import Quiet
from suite.contracts.limits import MOST_DRAWS
from suite.errors import UsageError


def curve(
    task: Annotated[
        str,
        typer.Argument(
            help="A file or folder of your own rows, a shipped task's name, or a task file's path.",
            autocompletion=completion.tasks,
        ),
    ],
    sizes: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,…",
            help="Training rows of each size: 100,1000,10000. Default: at most 16,000, halved "
            "down to some hundred.",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_DRAWS,
            help="How often the rows of each size are drawn anew: what is chance is told by them. "
            "Default 1.",
        ),
    ] = None,
    advice: Annotated[
        str | None,
        typer.Option(
            metavar="ARM",
            help="Also tell which class's rows help this arm: half of each class's is left out.",
            autocompletion=completion.arms,
        ),
    ] = None,
    more: Annotated[
        int | None,
        typer.Option(min=1, help="Rows of a class that the advice speaks of. Default 300."),
    ] = None,
    text: Text = None,
    label: Label = None,
    recipe: Annotated[
        str,
        typer.Option(
            help="A recipe that has its arms, by name or path.",
            autocompletion=completion.recipes,
        ),
    ] = "curve",
    name: Annotated[
        str | None, typer.Option(help="The largest size's study. Default: TASK-RECIPE.")
    ] = None,
    arms: Arms = None,
    model: Models = None,
    data: Folder = None,
    sample: Sample = False,
    no_fallback: NoFallback = False,
    trials: Trials = None,
    timeout: Timeout = None,
    workers: Workers = 1,
    storage: Storage = None,
    device: Device = None,
    threads: Threads = None,
    seed: Seed = None,
    max_disk: MaxDisk = None,
    max_memory: MaxMemory = None,
    allow_endpoint: AllowEndpoint = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Tell how arms grow with the training rows, and where one overtakes another.

    Each size is an ordinary study of a nested part of the rows. Run again to go on, or to add
    sizes and draws; `suite study run` on another machine joins. Finals of every size open test.

    Examples:

        suite curve agnews

        suite curve agnews --data ./ag_news --sizes 100,400,1600,6400 --draws 3

        suite curve tickets.csv --arms 'tfidf/*' --advice tfidf/classic --more 200
    """
    from suite import api
    from suite.contracts.growth import Curve

    began = clock.monotonic()
    check_words(durations=(timeout,), sizes=(max_disk, max_memory))
    made = api.create_study(
        task,
        recipe=recipe,
        name=name,
        arms=arms or (),
        models=model or (),
        data=data,
        sample=sample,
        no_fallback=no_fallback,
        trials=trials,
        storage=storage,
        seed=seed,
        curve=Curve(_sizes(sizes), draws, advice, more),
        max_memory=max_memory,
        text=text or (),
        label=label,
        command=redaction.command(["suite", *sys.argv[1:]]),
        warn=warn,
        say=(lambda line: None) if quiet else say,
    )
    if made.resumed:
        say(f"The study '{made.name}' exists: going on with it.")
    if not quiet:
        tell_arms(made.definition)
    if is_verbose():
        tell_definition(made.definition)
    run_and_show(
        made.name, storage, quiet, known=not quiet, as_json=as_json, timeout=timeout, began=began,
        workers=workers, max_disk=max_disk, max_memory=max_memory,
        allow_endpoint=named(allow_endpoint),
    )  # fmt: skip


def _sizes(said: str | None) -> tuple[int, ...]:
    """The sizes that an option names.

    Raises:
        UsageError: something in it is no number of rows.
    """
    if said is None:
        return ()
    parts = [part.strip().replace("_", "") for part in said.split(",") if part.strip()]
    for part in parts or [said]:
        if not part.isascii() or not part.isdecimal() or not 2 <= int(part) < 2**31:
            raise UsageError(
                f"--sizes: '{part}' is no number of training rows",
                fix="Numbers from 2 on, with commas between them: --sizes 100,1000,10000.",
            )
    return tuple(int(part) for part in parts)
