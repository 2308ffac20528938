"""`suite finals`: train the best of each arm again over seeds, and score them on test."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from suite import shell
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import err, next_step
from suite.cli.options import Device, Name, Storage, Threads
from suite.cli.words import Quiet
from suite.contracts.limits import MOST_TRAININGS


def finals(
    name: Name,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_TRAININGS, help="Trainings per arm. Default: the recipe's, else 3."
        ),
    ] = None,
    refit: Annotated[
        bool | None,
        typer.Option(
            "--refit/--no-refit",
            help="Train on train and validation together. Default: as the recipe says, else yes.",
        ),
    ] = None,
    combine: Annotated[
        bool | None,
        typer.Option(
            "--combine/--no-combine",
            help="Also rank the best cascade and the best ensemble of the trained models. Default: "
            "as the recipe says, or as it was.",
        ),
    ] = None,
    storage: Storage = None,
    device: Device = None,
    threads: Threads = None,
    allow_endpoint: AllowEndpoint = None,
    quiet: Quiet = False,
) -> None:
    """Train each arm's best trial again over seeds and score it on the test split.

    Trainings that are there are kept, and only missing ones made; what ends early goes on from
    there. Every call that scores opens the test split once more, and every output counts the
    openings and the looks. Where another command is scoring, its outcome is waited for and shown.

    Examples:

        suite finals agnews

        suite finals agnews --seeds 10

        suite finals agnews --no-refit --verbose

        suite finals agnews --combine
    """
    from suite.child.runner import Interrupted
    from suite.cli.progress import observer
    from suite.cli.tables import show_results
    from suite.study import finals as room
    from suite.study import openings
    from suite.study.create import ensure_snapshot
    from suite.study.work import Limits, Work

    with observer(quiet) as watching:
        work = Work(storage, name, watching, Limits(), allow_endpoint=named(allow_endpoint))
        ensure_snapshot(work.ledger.study, work.ledger.definition)
        before = openings.of_study(work.ledger.study)
        try:
            with work.ledger.guarded():
                room.score(
                    work,
                    room.asked(work.ledger.definition, seeds, refit, combine),
                    say=watching.said,
                    watch=partial(watching.step, "finals"),
                )
        except (Interrupted, KeyboardInterrupt):
            work.stop.set()
            opened = openings.of_study(work.ledger.study) > before
            err.print(
                "Interrupted; the test split was opened, which is counted. Trainings that ended "
                "are kept."
                if opened
                else "Interrupted; nothing was scored and the test split stays closed."
            )
            raise typer.Exit(130) from None
        finally:
            work.close()
    show_results(work.ledger.results())
    next_step(shell.command("report", name, storage=storage))
