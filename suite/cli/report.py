"""`suite report`: studies as pages and files."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from suite.cli.console import say
from suite.cli.study import Storage
from suite.errors import ReportError, nearest

FORMATS = ("html", "json", "csv", "md")
LANGUAGES = ("en", "zh")


def report(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Studies; all where none is named."),
    ] = None,
    format: Annotated[
        str, typer.Option("--format", help="Any of html, json, csv, md, with commas.")
    ] = ",".join(FORMATS),
    lang: Annotated[str, typer.Option(help="Language of the page: en or zh.")] = "en",
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("reports"),
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    storage: Storage = None,
) -> None:
    """Write a self-contained page per study, and the same numbers as JSON, CSV and Markdown.

    The last line of output is the path of the page (of the index where there are several).

    Examples:

        suite report

        suite report agnews --lang zh --format html

        suite report agnews tnews --out ./pages --open
    """
    from suite.report import write_reports
    from suite.study import record
    from suite.study import storage as storages

    formats = [part.strip() for part in format.split(",") if part.strip()]
    for wanted in formats:
        if wanted not in FORMATS:
            raise ReportError(f"unknown format '{wanted}'", fix=nearest(wanted, FORMATS))
    if not formats:
        raise ReportError("no format is named", fix=f"Available: {', '.join(FORMATS)}.")
    if lang not in LANGUAGES:
        raise ReportError(f"unknown language '{lang}'", fix=nearest(lang, LANGUAGES))
    opened = storages.open_storage(storage)
    known = storages.names(opened)
    if not names and not known:
        raise ReportError("there is no study yet", fix="Start with `suite study create agnews`.")
    studies = [
        record.results(*storages.load(opened, name), importance=True) for name in names or known
    ]
    written = write_reports(studies, out, formats, lang)
    say(f"{len(written)} files")
    typer.echo(str(written[-1]))
    if open_page:
        webbrowser.open(written[-1].resolve().as_uri())
