"""`suite study create` and `run`: a study is made, gone on with, and its table printed."""

from __future__ import annotations

import sys
import time as clock
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from suite import redaction, shell
from suite.cli import completion
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import is_verbose, next_step, say, tell, warn
from suite.cli.options import (
    Arms,
    Case,
    Delimiter,
    Device,
    Encoding,
    Folder,
    Force,
    Group,
    Id,
    Label,
    MaxDisk,
    MaxMemory,
    Models,
    Name,
    NoFallback,
    Patience,
    RetryArm,
    Sample,
    Seed,
    SkipBadRows,
    Splits,
    Storage,
    Strict,
    TargetF1,
    TensorBoard,
    TestShare,
    Text,
    Threads,
    Time,
    Timeout,
    Trials,
    Workers,
    reading_of,
)
from suite.cli.running import check_words, run_and_show, tell_arms, tell_definition
from suite.cli.words import Quiet as Quiet
from suite.contracts.limits import Preset, SamplerName


def create(
    task: Annotated[
        str,
        typer.Argument(
            help="A file or folder of your own rows (- for standard input), a shipped task's name, "
            "or a task file's path.",
            autocompletion=completion.tasks,
        ),
    ],
    text: Text = None,
    label: Label = None,
    id: Id = None,
    group: Group = None,
    time: Time = None,
    test_share: TestShare = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="A recipe's name or path. Default: the task's, else auto.",
            autocompletion=completion.recipes,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Default: TASK (of own rows their file's name), or TASK-RECIPE with --recipe."
        ),
    ] = None,
    arms: Arms = None,
    model: Models = None,
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
    decision: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A decision server, which answers typed questions by probabilities, as an arm of "
            "its own. A key is read from SUITE_API_KEY.",
        ),
    ] = None,
    decision_model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What it calls the model. Default: jev-latest."),
    ] = None,
    data: Folder = None,
    sample: Sample = False,
    no_fallback: NoFallback = False,
    trials: Trials = None,
    target_f1: TargetF1 = None,
    patience: Patience = None,
    sampler: Annotated[
        SamplerName | None,
        typer.Option(
            help="Who proposes hyperparameters, in place of the recipe's: tpe, gp, cmaes, qmc or "
            "random."
        ),
    ] = None,
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="How thoroughly recipe auto chooses and compares: fast, balanced (the default) or "
            "best."
        ),
    ] = None,
    download: Annotated[
        str | None,
        typer.Option(help="What recipe auto may download for one model: 2GB. Default: 500MB."),
    ] = None,
    timeout: Timeout = None,
    workers: Workers = 1,
    storage: Storage = None,
    device: Device = None,
    threads: Threads = None,
    seed: Seed = None,
    train_rows: Annotated[
        int | None,
        typer.Option(min=2, help="Take so many training rows (stratified, nested)."),
    ] = None,
    train_subset: Annotated[
        str | None,
        typer.Option(
            metavar="[BY:]PART[:ROWS[:DRAW]]",
            help="Of a recipe with a train_subset: the part to train on (easy, medium, hard, "
            "ambiguous or random), how many rows of it, in which draw; and by which judgement "
            "(perplexity, zero_shot, dynamics or agreement).",
        ),
    ] = None,
    splits: Splits = None,
    strict: Strict = False,
    skip_bad_rows: SkipBadRows = False,
    merge_case: Case = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
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

        suite study create tickets.csv

        suite study create tickets.csv --text subject --text body --label team --group customer

        suite study create agnews

        suite study create agnews --sample --recipe quick

        suite study create agnews --data ./ag_news --arms 'tfidf/*' --arms 'fasttext/*' --trials 15

        suite study create my-task.yaml --model minilm=/models/all-MiniLM-L6-v2 --timeout 2h

        suite study create agnews --endpoint http://localhost:8000/v1 --endpoint-model Qwen/Qwen3-8B

        suite study create agnews --decision http://localhost:8000/v1
    """
    from suite import api
    from suite.cli.asking import asked
    from suite.handover.tensorboard import require

    began = clock.monotonic()
    check_words(durations=(timeout,), sizes=(max_disk, max_memory, download))
    if tensorboard is not None:
        require()
    make = partial(
        api.create_study,
        task,
        recipe=recipe,
        name=name,
        arms=arms or (),
        models=model or (),
        endpoint=endpoint,
        endpoint_model=endpoint_model,
        decision=decision,
        decision_model=decision_model,
        data=data,
        sample=sample,
        no_fallback=no_fallback,
        trials=trials,
        target_f1=target_f1,
        patience=patience,
        sampler=sampler,
        preset=preset,
        timeout=timeout,
        download=download,
        storage=storage,
        seed=seed,
        train_rows=train_rows,
        train_subset=train_subset,
        splits=splits,
        force=force,
        max_memory=max_memory,
        text=text or (),
        id=id,
        group=group,
        time=time,
        test_share=test_share,
        strict=strict,
        command=redaction.command(["suite", *sys.argv[1:]]),
        warn=warn,
        say=(lambda line: None) if quiet else say,
    )
    made = asked(
        lambda label, merge_case: make(
            label=label, reading=reading_of(delimiter, encoding, skip_bad_rows, merge_case)
        ),
        label,
        merge_case,
    )
    if made.resumed:
        say(f"The study '{made.name}' exists: going on with it.")
    if not quiet:
        tell_arms(made.definition)
    if is_verbose():
        tell_definition(made.definition)
    if no_run:
        if made.told:  # else running says it
            say(made.told)
        tell(f"{'Found' if made.resumed else 'Created'} '{made.name}'.")
        next_step(shell.command("study", "run", made.name, storage=storage))
        return
    run_and_show(
        made.name, storage, quiet, known=not quiet, timeout=timeout, began=began, workers=workers,
        max_disk=max_disk, force=force, retry_arms=retry_arm or (), tensorboard=tensorboard,
        allow_endpoint=named(allow_endpoint),
    )  # fmt: skip


def run(
    name: Name,
    trials: Trials = None,
    target_f1: TargetF1 = None,
    patience: Patience = None,
    timeout: Timeout = None,
    workers: Workers = 1,
    storage: Storage = None,
    device: Device = None,
    threads: Threads = None,
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
        tell_definition(storages.load(storages.open_storage(storage), name)[1])
    run_and_show(
        name, storage, quiet, trials=trials, target_f1=target_f1, patience=patience,
        timeout=timeout, workers=workers, data=data, max_disk=max_disk, max_memory=max_memory,
        force=force, retry_arms=retry_arm or (),
        tensorboard=tensorboard,
        allow_endpoint=named(allow_endpoint),
    )  # fmt: skip
