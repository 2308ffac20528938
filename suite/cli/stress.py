"""`suite stress`: what becomes of the finals' answers where texts are as strangers write them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from suite import shell
from suite.cli import completion, fitting
from suite.cli.allowing import AllowEndpoint, named
from suite.cli.console import err, next_step, out, print_json, print_table, say, told, words
from suite.cli.options import AsJson, Device, Name, Storage, Threads
from suite.cli.study_files import tidy
from suite.cli.words import Quiet
from suite.contracts.limits import MOST_SEED, STRESS_ROWS
from suite.errors import counted
from suite.report import formats

if TYPE_CHECKING:
    from suite.contracts.results import StudyResults
    from suite.report.data.stress import StressTable

_EVERY_SECONDS = 10.0


def stress(
    name: Name,
    rows: Annotated[
        int, typer.Option(min=1, help="Test rows that are asked about, drawn by the seed.")
    ] = STRESS_ROWS,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST_SEED, help="Of the rows, and of what is done to them.")
    ] = 0,
    arm: Annotated[
        list[str] | None,
        typer.Option(
            help="model/strategy, globs allowed. Default: every arm of the finals. Repeatable.",
            autocompletion=completion.arms,
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also ask what is recorded with these rows.")
    ] = False,
    storage: Storage = None,
    device: Device = None,
    threads: Threads = None,
    allow_endpoint: AllowEndpoint = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Ask the finals' models about test texts as strangers write them, and keep what becomes of
    their answers.

    Texts get slips, are written in capitals or small letters, lose their second half, and of
    Chinese ones characters are taken for others that sound alike, or written in traditional forms;
    a class is named behind them, or one of eight instructions that name one, in English and
    Chinese; or something harmless, which is what steering is held against. Each arm is asked the
    same texts, 14 for each row (16 for Chinese); what a server is asked may cost money. Cut short,
    the same command goes on where it was.

    Examples:

        suite stress agnews

        suite stress agnews --rows 200 --arm 'smollm2*/zero_shot'

        suite stress agnews --json | jq '.stress[].macro_f1'
    """
    from suite import api
    from suite.endpoint.consent import Consent
    from suite.study import stress_record, stressing
    from suite.study.storage import place

    last = time.monotonic()

    def watch(asked: str, done: int, total: int) -> None:
        nonlocal last
        if not quiet and time.monotonic() - last >= _EVERY_SECONDS:
            last = time.monotonic()
            err.print(told(f"{asked}: {done:,} of {counted(total, 'text')} answered"))

    wanted = stressing.Wanted(arm or (), rows, seed, again)
    allowed = Consent(place(storage), named(allow_endpoint))
    found = stressing.stress(name, wanted, url=storage, allowed=allowed, say=say, watch=watch)
    tidy(storage)
    if as_json:
        print_json({"study": name, "stress": stress_record.dumped(found)})
        return
    _show(api.load_results(name, storage=storage, importance=False))
    next_step(shell.command("report", name, storage=storage))


def _show(results: StudyResults) -> None:
    """What is kept of every arm, in the leaderboard's order."""
    from suite.report.data.rows import leaderboard
    from suite.report.data.stress import stress_sentences, stress_table

    found = stress_table(results, leaderboard(results))
    if found is not None:
        print_table(_table(found))
        for line in stress_sentences(found.arms, words()):
            out.print(line)


def _table(found: StressTable) -> Table:
    from suite.report.data.stress import share_interval, signed_interval

    say = words()
    interval = say("metric_test_interval")
    table = Table(
        fitting.name(say("head_arm")),
        fitting.word(say("stress_row_change")),
        fitting.number(say("stress_row_flipped")),
        fitting.number(interval, leaves=2),
        fitting.number(say("stress_row_lost")),
        fitting.number(interval, leaves=3),
        fitting.number(say("stress_row_steered")),
        fitting.number(interval, leaves=1),
        title=say("stress"),
    )
    for one in found.arms:
        for change in one.changes:
            table.add_row(
                one.arm,
                say(f"stress_{change.change}"),
                formats.percent(change.flipped.value),
                share_interval(change.flipped),
                formats.signed(change.lost.value),
                signed_interval(change.lost),
                formats.percent(change.beyond.value if change.beyond else None),
                share_interval(change.beyond),
            )
    return table
