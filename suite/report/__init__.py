"""Results in, pages and files out: rows first, then charts, then words around them.

This room knows `suite.contracts.results` and nothing of Optuna or torch. Plotly and Jinja are
imported only when a page is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from suite.report.formats import FORMATS

if TYPE_CHECKING:
    from suite.contracts.results import StudyResults

__all__ = ["FORMATS", "write_reports"]


def write_reports(
    studies: Sequence[StudyResults],
    out: Path,
    formats: Sequence[str],
    lang: str,
    *,
    images: bool = False,
    refresh: int | None = None,
    storage: str | None = None,
) -> list[Path]:
    """Writes each study in each format, and an index of pages where there are several studies.

    Files are `{study}.html`, `.json`, `-leaderboard.csv`, `-trials.csv`, `.md`, and
    `-engines.csv` where engines were benched; with images,
    `{study}-images/{chart}.png` and `.svg`. Several studies also get `across.html`, `.json`, `.csv`
    and `.md`, which compare their arms. Each is written aside and moved into place, so a reader
    never sees half a page.

    Args:
        studies: what to report; at least one.
        out: the folder; made where it does not exist.
        formats: of html, json, csv, md.
        lang: en or zh.
        images: also draw each chart as PNG and SVG, which takes Kaleido and a browser.
        refresh: seconds after which an open page loads itself again; None for a page that stays.
        storage: the database that the pages' commands name; None for the usual one.

    Returns:
        What was written; the last is the page, or the index where there are several studies.

    Raises:
        ReportError: nothing to report, an unknown format or language, or a folder that cannot
            be written.
    """
    from suite.report.pages.export import write

    return write(studies, out, formats, lang, images=images, refresh=refresh, storage=storage)
