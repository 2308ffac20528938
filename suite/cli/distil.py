"""`suite distil`: thoughts of a model that thinks, for a smaller one to be trained on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from suite.cli import completion
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import draws, err, next_step, tell, told
from suite.cli.options import Device, Folder, MaxMemory, Sample, Storage, Threads, room_for
from suite.cli.words import Quiet
from suite.errors import SuiteError, counted

if TYPE_CHECKING:
    from suite.strategies.teaching.distil import Progress, ServedThinker

_EVERY_SECONDS = 10.0


def distil(
    task: Annotated[
        str,
        typer.Argument(
            help="A shipped task's name, or a task file's path.", autocompletion=completion.tasks
        ),
    ],
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An OpenAI-compatible server. A key is read from SUITE_API_KEY.",
        ),
    ] = None,
    endpoint_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the server calls the model.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[=PATH]",
            help="A model of the catalogue, or a local transformers folder, in place of both.",
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="STUDY",
            help="In place of all of them: write down what a study's model answers, for arms "
            "`+distilled` to learn.",
        ),
    ] = None,
    arm: Annotated[
        str | None,
        typer.Option(help="Of the study, with --teacher. Default: the recommended one."),
    ] = None,
    unlabelled: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Texts for --teacher to answer: .txt (one a line), .jsonl, .csv, .parquet. "
            "Without it, it answers training rows that it did not see.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What that file calls the task's column of texts; once for each. Default: as "
            "the task calls them.",
        ),
    ] = None,
    storage: Storage = None,
    allow_endpoint: AllowEndpoint = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Ask about so many training rows (stratified).")
    ] = None,
    data: Folder = None,
    sample: Sample = False,
    max_memory: MaxMemory = None,
    device: Device = None,
    threads: Threads = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=256, help="Requests at a time, at most.")
    ] = 8,
    max_tokens: Annotated[
        int, typer.Option(min=16, help="Most tokens of a thought with its answer.")
    ] = 2048,
    timeout: Annotated[
        float,
        typer.Option(min=1, max=86_400, help="Seconds for one request, before it is tried again."),
    ] = 600,
    temperature: Annotated[
        float,
        typer.Option(min=0, max=2, help="Of the server's sampling; a local model takes none."),
    ] = 0.6,
    quiet: Quiet = False,
) -> None:
    """Collect what a larger model says, for a smaller one to learn.

    Thinking traces for a task's training rows are kept where they end in the right answer. A recipe
    trains on them with `think: distilled` in the space of sft. Run again to go on: rows that were
    asked about are not asked again.

    With --teacher it is probabilities: what a study's model gives to texts without labels. Arms
    such as `fasttext/classic+distilled` learn from them in a study of the same rows.

    Examples:

        suite distil agnews --endpoint http://localhost:8000/v1 --endpoint-model qwen3-32b

        suite distil agnews --data ./ag_news --model qwen3-4b --rows 200

        suite distil agnews --teacher agnews --unlabelled headlines.txt
    """
    thinking = (endpoint, endpoint_model, model, rows, data)
    if teacher is not None:
        if any(given is not None for given in thinking) or sample:
            raise SuiteError(
                "--teacher contradicts --endpoint, --endpoint-model, --model, --rows, --data and "
                "--sample: the study says them",
                fix="Leave them away.",
            )
        _teach(task, teacher, arm, unlabelled, column, storage, allow_endpoint, max_memory, quiet)
        return
    if arm is not None or unlabelled is not None or column:
        raise SuiteError("--arm, --unlabelled and --column go with --teacher STUDY")
    from suite.endpoint import consent
    from suite.models import catalogue
    from suite.strategies.teaching import distil as room

    if (model is None) == (endpoint is None and endpoint_model is None):
        raise SuiteError(
            "name who is to think: a server, or a local model (one of them)",
            fix="--endpoint URL --endpoint-model NAME, or --model NAME[=PATH].",
        )
    if model is None:
        thinks = catalogue.endpoint_model(endpoint, endpoint_model)
    elif "=" in model:
        thinks = catalogue.local_model(model)
    else:
        thinks = catalogue.find_model(model, catalogue.load_catalogue())
    found, training = room.training_rows(
        task, data_folder=data, use_sample=sample, room=room_for(max_memory)
    )
    thinker: room.Thinker
    if thinks.endpoint is not None:
        with consent.held(consent.Consent(named=[thinks.endpoint])):
            served: ServedThinker = room.ServedThinker(
                thinks,
                found,
                concurrency=concurrency,
                max_tokens=max_tokens,
                timeout=timeout,
                temperature=temperature,
            )
        served.check()
        thinker = served
    else:
        thinker = room.LocalThinker(thinks, found, max_tokens=max_tokens)
    with _watching(quiet) as watch:
        done = room.distil(found, training, thinker, limit=rows, watch=watch)
    _conclude(done)


def _teach(
    task: str,
    study: str,
    arm: str | None,
    unlabelled: str | None,
    columns: list[str] | None,
    storage: str | None,
    allow_endpoint: list[str] | None,
    max_memory: str | None,
    quiet: bool,
) -> None:
    from suite import shell
    from suite.config import yamlfile
    from suite.config.task import find_task
    from suite.endpoint.consent import Consent
    from suite.study import distilling
    from suite.study.storage import place

    last = time.monotonic()

    def watch(answered: int) -> None:
        nonlocal last
        if not quiet and time.monotonic() - last >= _EVERY_SECONDS:
            last = time.monotonic()
            err.print(told(f"Answered {counted(answered, 'text')}"))

    done = distilling.distil(
        study,
        find_task(task)[0].name if yamlfile.is_path(task) else task,
        unlabelled,
        arm=arm,
        columns=columns or (),
        room=room_for(max_memory),
        url=storage,
        allowed=Consent(place(storage), named(allow_endpoint)),
        watch=watch,
    )
    teacher, left = done.teacher, done.left
    # The counts are outcome, not progress: --quiet leaves them.
    lines = [f"{teacher.arm} answered {counted(teacher.texts, 'text')}"]
    if teacher.own:
        rows = counted(teacher.own, "training row")
        lines.append(f"{teacher.arm} answered {rows} that it had not seen")
    lines += left.told
    for line in lines:
        err.print(told(line), markup=False)
    if done.learnt:
        err.print(
            told(
                f"{teacher.arm} is not asked about training rows: it has learnt them, and would "
                "only repeat their labels."
            ),
            markup=False,
        )
    if teacher.refit:
        err.print(
            told(
                "The teacher was trained on validation too: what its pupils score there is "
                "flattered, on test it is not."
            ),
            markup=False,
        )
    tell(f"What it answered is in {done.file}")
    pair = ("--arms", "fasttext/classic", "--arms", "fasttext/classic+distilled")
    create = ("study", "create", task, *done.same, *pair, "--name", f"{study}-taught")
    next_step(shell.command(*create, storage=storage))


@contextmanager
def _watching(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Who is told: a bar on a terminal, else a line now and then, else nobody."""
    if quiet:
        yield lambda progress: None
    elif draws(err):
        from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(*columns, console=err, transient=True) as bar:
            shown = bar.add_task("asking")

            def draw(progress: Progress) -> None:
                bar.update(
                    shown,
                    total=progress.rows - progress.before,
                    completed=progress.asked,
                    description=f"{progress.kept:,} kept",
                )

            yield draw
    else:
        from suite.contracts.moments import duration

        last = time.monotonic()

        def tell(progress: Progress) -> None:
            nonlocal last
            if progress.asked and time.monotonic() - last >= _EVERY_SECONDS:
                last = time.monotonic()
                left = f", about {duration(progress.left)} left" if progress.left else ""
                err.print(
                    told(
                        f"Asked {progress.before + progress.asked:,} of "
                        f"{counted(progress.rows, 'row')}, {progress.kept:,} kept{left}"
                    )
                )

        yield tell


def _conclude(done: Progress) -> None:
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(done.outcomes.items()))
    parts = [f"Asked about {counted(done.asked, 'row')}" + (f" ({counts})" if counts else "")]
    if done.before:
        parts.append(f"{done.before:,} were done before")
    if done.skipped:
        parts.append(f"{counted(done.skipped, 'repeated, empty or contradictory text')} left out")
    if done.tokens:
        parts.append(f"{counted(done.tokens, 'token')} generated")
    # The counts are outcome, not progress: --quiet leaves them.
    err.print("; ".join(parts) + ".", markup=False)
    if not done.kept:
        raise SuiteError(
            "no answer was right and came with a thought: there is nothing to train on",
            fix="Name a larger model, allow more --max-tokens, or ask about more --rows.",
        )
    tell(f"{done.kept:,} thoughts in {done.file}")
    next_step("a recipe with `think: distilled` in the space of sft trains on them")
