"""`suite report`: studies as pages and files."""

from __future__ import annotations

import time
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suite import shell
from suite.cli import completion
from suite.cli.console import next_step, say, warn, words
from suite.cli.options import Storage
from suite.cli.study_files import tidy
from suite.errors import ReportError, StudyError, counted, nearest

if TYPE_CHECKING:
    from suite.contracts.results import StudyResults


def report(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Studies; all where none is named.",
            autocompletion=completion.studies,
        ),
    ] = None,
    format: Annotated[
        str, typer.Option("--format", help="Any of html, json, csv, md, with commas.")
    ] = "html,json,csv,md",
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("reports"),
    images: Annotated[
        bool,
        typer.Option("--images", help="Also draw each chart as PNG and SVG (needs a browser)."),
    ] = False,
    examples: Annotated[
        bool,
        typer.Option(
            "--examples",
            help="Show test rows that arms get wrong, with their texts and what each arm answered.",
        ),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Write again as trials end; the page reloads itself.")
    ] = False,
    every: Annotated[
        int, typer.Option(min=1, max=3600, help="With --watch: seconds between looks.")
    ] = 10,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    storage: Storage = None,
) -> None:
    """Write a self-contained page per study, and the same numbers as JSON, CSV and Markdown.

    Several studies also get an index, and a page that compares their arms across tasks. The last
    line of output is the path of the page (of the index where there are several).

    Examples:

        suite report

        suite report agnews --lang zh --format html

        suite report agnews tnews iflytek --out ./pages --open

        suite report agnews --watch
    """
    from suite.machine import scratch
    from suite.report import write_reports

    lang = words().language
    formats = _formats(format)
    if watch and "html" not in formats:
        raise ReportError("--watch keeps a page fresh", fix="Name html among the formats.")
    found = _gather(names, storage, examples)
    scratch.tell(scratch.sweep(out), str(out), say)
    if not watch:
        written = write_reports(found, out, formats, lang, images=images, storage=storage)
        say(counted(len(written), "file"))
        typer.echo(str(written[-1]))
        if open_page:
            webbrowser.open(written[-1].resolve().as_uri())
        if found[0].finals:
            next_step(shell.command("predict", found[0].study, "a text", storage=storage))
        return
    before = ""
    opened = False
    while True:
        now = _state(found)
        over = all(_over(results) for results in found)
        if now != before or over:
            refresh = None if over else every
            written = write_reports(
                found, out, formats, lang, images=images and over, refresh=refresh, storage=storage
            )
            say(f"{time.strftime('%H:%M:%S')}  {_progress(found)}")
            if open_page and not opened:
                opened = webbrowser.open(written[-1].resolve().as_uri())
            before = now
        if over:
            say("Every study has its trials and its finals: the page is final.")
            typer.echo(str(written[-1]))
            return
        time.sleep(every)
        found = _gather(names, storage, examples)


def _formats(format: str) -> list[str]:
    from suite.report import FORMATS

    formats = [part.strip() for part in format.split(",") if part.strip()]
    for wanted in formats:
        if wanted not in FORMATS:
            raise ReportError(f"unknown format '{wanted}'", fix=nearest(wanted, FORMATS))
    if not formats:
        raise ReportError("no format is named", fix=f"Available: {', '.join(FORMATS)}.")
    return formats


def _gather(names: list[str] | None, storage: str | None, examples: bool) -> list[StudyResults]:
    from suite.handover.missed import with_missed
    from suite.study import artifacts, grown, record, splitting
    from suite.study import storage as storages

    opened = storages.open_storage(storage)
    tidy(storage)
    known = storages.names(opened)
    if not names and not known:
        raise ReportError("there is no study yet", fix="Start with `suite study create agnews`.")
    found = []
    unread: list[StudyError] = []
    for name in dict.fromkeys(names or known):
        try:
            study, definition = storages.load(opened, name)
        except StudyError as error:
            if names:
                raise
            unread.append(error)  # of another version: the others have their pages
            continue
        whole = definition.split or definition.subset
        if not names and whole is not None and whole.study in known:
            continue  # that one's page has what all of them say
        try:
            results = record.results(study, definition, importance=True, predictions=True)
        except LookupError:
            if storages.exists(opened, name):
                raise
            raise StudyError(f"the study '{name}' was deleted by somebody meanwhile") from None
        results = splitting.with_splits(results, opened, study)
        results = grown.with_growth(results, opened, study)
        lies = artifacts.find(study, definition.data.fingerprint)
        found.append(with_missed(results, lies.rows() if examples else None))
    if not found:
        raise unread[0]
    for other in unread:
        warn(f"no page: {other.what}")
    return found


def _over(results: StudyResults) -> bool:
    """Whether nothing more is to come of a study by itself, of its splits and its curve neither."""
    tested = bool(results.finals) and not any(final.stale for final in results.finals)
    made = [one for one in (results.splits, results.growth) if one is not None]
    whole = tested and not any(one.missing for one in made)
    return not results.missing_trials and whole


def _state(found: Sequence[StudyResults]) -> str:
    """What a page shows, as far as it can change."""
    return repr(
        [
            (r.study, r.test_openings, len(r.bench), r.splits, r.growth,
             [(t.state, len(t.checkpoints)) for t in r.trials])
            for r in found
        ]
    )  # fmt: skip


def _progress(found: Sequence[StudyResults]) -> str:
    return "; ".join(
        f"{r.study}: "
        f"{r.finished}/{counted(r.target_trials, 'trial')}, "
        f"{sum(t.state == 'RUNNING' for t in r.trials)} running"
        for r in found
    )
