"""`suite data next`: which texts to label next, and how well each way of picking them does."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from suite import shell
from suite.cli import completion, fitting
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import err, exact, next_step, print_json, print_table, told, words
from suite.cli.options import (
    OUT_FIX,
    AsJson,
    Device,
    MaxMemory,
    Name,
    Storage,
    Threads,
    check_new,
    refuse_idle,
    room_for,
)
from suite.cli.words import Quiet
from suite.contracts.limits import MOST_DRAWS, MOST_SEED
from suite.contracts.picking import Way
from suite.errors import UsageError, counted
from suite.files import whole
from suite.report import formats

#: What each way is called.
_WAYS: dict[Way, str] = {
    "diverse": "way_diverse",
    "uncertain": "way_uncertain",
    "random": "way_random",
}

if TYPE_CHECKING:
    from suite.study.next_rows import Chosen
    from suite.study.replaying import Replay


def next_rows(
    ctx: typer.Context,
    name: Name,
    unlabelled: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Texts to pick from: .txt (one a line), .jsonl, .csv, .parquet.",
        ),
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many to label.")] = 100,
    by: Annotated[
        Way,
        typer.Option(
            help="diverse: unsure and unlike each other; uncertain: the least sure; random: any."
        ),
    ] = "diverse",
    arm: Annotated[
        str | None,
        typer.Option(
            help="Whose answers tell. Default: the recommended one.",
            autocompletion=completion.arms,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="What the file calls the task's column of texts; once for each. Default: as the "
            "task calls them.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write them into a new file, as .jsonl. Default: print them."
        ),
    ] = None,
    replay: Annotated[
        bool,
        typer.Option(
            "--replay",
            help="In place of picking: judge each way on the study's own labelled rows.",
        ),
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, max=50, help="With --replay: how often.")] = 3,
    draws: Annotated[
        int,
        typer.Option(min=1, max=MOST_DRAWS, help="With --replay: from how many beginnings."),
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Of what is drawn.")] = 0,
    storage: Storage = None,
    allow_endpoint: AllowEndpoint = None,
    device: Device = None,
    threads: Threads = None,
    max_memory: MaxMemory = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Pick the texts to label next, by what a study's model answers to them.

    Texts with labels in the study are dropped and counted; a file with texts of its test is
    refused. --replay tells how much better each way is than random, on labels that are there.

    Examples:

        suite data next agnews --unlabelled headlines.txt --rows 100

        suite data next agnews --unlabelled headlines.csv --by uncertain --out to-label.jsonl

        suite data next agnews --replay --rows 50 --rounds 4
    """
    if replay == (unlabelled is not None):
        raise UsageError(
            "suite data next picks texts of a file, or replays on labelled rows",
            fix="Give --unlabelled FILE, or --replay.",
        )
    if replay:
        if out is not None or column:
            raise UsageError(
                "--replay picks among the study's own rows, and writes none",
                fix=f"Leave {'--out' if out is not None else '--column'} away.",
            )
        refuse_idle(ctx, "--unlabelled", "--by", "--max-memory")
        how = (rows, rounds, draws, seed)
        _replay(name, arm, how, storage, as_json, quiet, allow_endpoint)
        return
    refuse_idle(ctx, "--replay", "--rounds", "--draws")
    check_new(out)
    from suite.endpoint.consent import Consent
    from suite.study import next_rows as room
    from suite.study.storage import place

    chosen = room.choose(
        name,
        unlabelled or "",
        rows,
        by,
        arm=arm,
        columns=column or (),
        seed=seed,
        room=room_for(max_memory),
        url=storage,
        allowed=Consent(place(storage), named(allow_endpoint)),
    )
    _picked(chosen, out, as_json)


def _picked(chosen: Chosen, out: Path | None, as_json: bool) -> None:
    """The texts, a JSON object a line; what was left out beside them."""
    of = counted(chosen.of, "text")
    lines = [f"{len(chosen.texts):,} of {of} to label, by what {chosen.arm} answers"]
    for line in [*lines, *chosen.left.told]:
        err.print(told(line), markup=False)
    if as_json:
        print_json(asdict(chosen))
        return
    written = [json.dumps(asdict(one), ensure_ascii=False) for one in chosen.texts]
    if out is None:
        sys.stdout.write("".join(f"{exact(line)}\n" for line in written))
        return
    with whole(out, what="the texts cannot be written", fix=OUT_FIX, new=True) as draft:
        draft.write_text("".join(f"{line}\n" for line in written), encoding="utf-8")
    err.print(told(f"Wrote {out}."), markup=False)


def _replay(
    name: str,
    arm: str | None,
    how: tuple[int, int, int, int],
    storage: str | None,
    as_json: bool,
    quiet: bool,
    allow_endpoint: list[str] | None,
) -> None:
    from suite.child.runner import Interrupted
    from suite.cli.progress import observer
    from suite.study import replaying
    from suite.study.create import ensure_snapshot
    from suite.study.work import Limits, Work

    with observer(quiet) as watching:
        work = Work(storage, name, watching, Limits(), allow_endpoint=named(allow_endpoint))
        try:
            ensure_snapshot(work.ledger.study, work.ledger.definition)
            with work.ledger.guarded():
                found = replaying.replay(
                    work,
                    arm,
                    replaying.Asked(*how),
                    watch=lambda done, total, what: watching.step("replay", done, total, what),
                )
        except (Interrupted, KeyboardInterrupt):
            work.stop.set()
            err.print(told("Interrupted; what was replayed so far is not kept."))
            raise typer.Exit(130) from None
        finally:
            work.close()
    if as_json:
        print_json(asdict(found))
        return
    _show(found, name)
    best = max(found.ways, key=lambda way: way.gain).way
    next_step(
        shell.command("data", "next", name, "--unlabelled", "FILE", "--by", best, storage=storage)
    )


def _show(found: Replay, name: str) -> None:
    """Each way's mean score by round, and what it gained over random."""
    from suite.cli.tables import prose
    from suite.study.replaying import mean_of
    from suite.verdict.metrics import METRICS

    say = words()
    rounds = len(found.labelled) - 1
    table = Table(
        fitting.name(say("head_way")),
        *(
            fitting.number(formats.count(count), leaves=rounds - at)
            for at, count in enumerate(found.labelled[1:])
        ),
        fitting.number(say("head_over_random")),
        title=say(
            "replay_terminal",
            study=name,
            arm=found.arm,
            metric=METRICS[found.objective].label(say.language),
        ),
    )
    for one in found.ways:
        reach = "" if one.reach is None else f" ± {one.reach:.4f}"
        table.add_row(
            say(_WAYS[one.way]),
            *(formats.score(mean_of(one.scores, at)) for at in range(rounds)),
            formats.MISSING if one.way == "random" else f"{one.gain:+.4f}{reach}",
        )
    print_table(table)
    start = formats.score(sum(found.start) / len(found.start))
    first = formats.count(found.labelled[0])
    prose(say("replay_told", first=first, start=start, n=len(found.start)))
