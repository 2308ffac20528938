"""`suite bench`: a study's kept checkpoints behind every engine, under load."""

from __future__ import annotations

from typing import Annotated

import typer

from suite import shell
from suite.cli import completion
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import err, next_step, print_json, print_table, told
from suite.cli.options import AsJson, Device, Name, Storage, Threads
from suite.cli.words import Quiet
from suite.serving import engines


def bench(
    name: Name,
    arm: Annotated[
        list[str] | None,
        typer.Option(
            help="model/strategy, globs allowed. Default: every arm. Repeatable.",
            autocompletion=completion.arms,
        ),
    ] = None,
    engine: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this one of {', '.join(engines.OWN)}. Repeatable."),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=3600,
            help="Length of a scenario, in rounds of a third of it in each; Server, a search, "
            "takes up to six times as long.",
        ),
    ] = 10.0,
    again: Annotated[
        bool, typer.Option("--again", help="Also measure what is recorded with these settings.")
    ] = False,
    endpoints: Annotated[
        bool,
        typer.Option(
            "--endpoints", help="Also load servers that arms ask: every request may cost money."
        ),
    ] = False,
    rounds: Annotated[
        bool,
        typer.Option(
            "--rounds/--once",
            help="Measure several engines in six rounds, each opened anew; or each once.",
        ),
    ] = True,
    storage: Storage = None,
    device: Device = None,
    threads: Threads = None,
    allow_endpoint: AllowEndpoint = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure a study's kept checkpoints behind every engine, by MLPerf LoadGen.

    Each engine at each precision first answers validation as the trained model does, or is not
    timed; then come SingleStream (one text at a time), Offline (all at once) and Server (random
    arrivals, 99 of 100 answered within the task's latency bound). Several engines are measured in
    six rounds, each opened anew in each: figures are medians with their intervals, and two engines
    are told apart round by round. The test split stays closed.

    Examples:

        suite bench agnews

        suite bench agnews --arm 'bert*/*' --engine openvino --engine torch --seconds 30
    """
    from suite.child.runner import Interrupted, measures_alone
    from suite.cli.progress import Lines, Watching
    from suite.cli.tables import banner, bench_notes, bench_table, fastest_lines, prose, unread
    from suite.study import bench as room
    from suite.study import bench_record
    from suite.study.create import ensure_snapshot
    from suite.study.work import Limits, Work

    measures_alone()
    wanted = room.Wanted(arm or (), engine or (), seconds, again, endpoints, rounds)
    # Lines, also on a terminal: a table redrawn while engines are timed would take their time.
    watching = Watching() if quiet else Lines()
    work = Work(storage, name, watching, Limits(), allow_endpoint=named(allow_endpoint))
    ensure_snapshot(work.ledger.study, work.ledger.definition)
    try:
        with work.ledger.guarded():
            rows = room.bench(
                work,
                wanted,
                say=watching.said,
                watch=lambda done, all_, what: watching.step("engines", done, all_, what),
            )
    except (Interrupted, KeyboardInterrupt):
        work.stop.set()
        err.print(
            told("Interrupted; the engines measured so far are saved. Go on with the same command.")
        )
        raise typer.Exit(130) from None
    finally:
        work.close()
    found = work.ledger.results()
    if as_json:
        print_json(
            {
                "schema_version": 1,
                "study": name,
                "bench": [bench_record.dump(row) for row in rows],
                "unread": found.unread,
            }
        )
        return
    banner(found)
    print_table(bench_table(found))
    bench_notes(found)
    for line in fastest_lines(rows):
        prose(line)
    unread(found)
    next_step(shell.command("report", name, storage=storage))
