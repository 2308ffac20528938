"""Each chart of a study as PNG and SVG, drawn by Kaleido in the Chrome or Chromium it finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from suite.contracts.results import StudyResults
from suite.errors import ReportError
from suite.files import reason
from suite.report.charts import ACROSS_CHARTS, STUDY_CHARTS
from suite.report.charts.chart import AcrossScene, Chart, Drawn, StudyScene
from suite.report.charts.drawing import safe
from suite.report.words import Words

SUFFIXES = (".png", ".svg")
WIDTH = 900
#: Pixels of a PNG for each of the page's: sharp on dense screens and in print.
SCALE = 2
#: The page's light colours and fonts: an image stands on white paper.
INK, MUTED, LINE = "#1c2128", "#5d6571", "#e3e5e9"
FONTS = "Inter, Segoe UI, Helvetica Neue, Noto Sans, Noto Sans CJK SC, Arial, sans-serif"


def study_charts(results: StudyResults, words: Words) -> list[Chart]:
    """Every chart of a study."""
    return Drawn.of(STUDY_CHARTS, StudyScene.of(results, words)).all()


def across_charts(studies: Sequence[StudyResults], words: Words) -> list[Chart]:
    """Every chart across studies."""
    return Drawn.of(ACROSS_CHARTS, AcrossScene.of(studies, words)).all()


def write_images(charts: Sequence[Chart], folder: Path) -> list[Path]:
    """Writes each chart as `{name}.png` and `{name}.svg`; the finding is the image's title.

    Raises:
        ReportError: Kaleido or a browser is missing, or the folder cannot be written.
    """
    try:
        import kaleido
        from choreographer.errors import BrowserFailedError, ChromeNotFoundError
    except ImportError:
        raise ReportError(
            "images need the package kaleido", fix="pip install 'suite[images]'"
        ) from None
    import plotly

    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    paths = [folder / f"{chart.name}{suffix}" for chart in charts for suffix in SUFFIXES]
    wanted = [
        {
            "fig": dressed(chart),
            "path": folder / f"{chart.name}{suffix}",
            "opts": {
                "format": suffix[1:],
                "width": WIDTH,
                "height": chart.height + HEAD,
                "scale": SCALE if suffix == ".png" else 1,
            },
        }
        for chart in charts
        for suffix in SUFFIXES
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Plotly from the package and no formulas: nothing is fetched.
        kaleido.start_sync_server(silence_warnings=True, plotlyjs=str(script), mathjax=False)
        try:
            kaleido.write_fig_from_object_sync(wanted)
        finally:
            kaleido.stop_sync_server(silence_warnings=True)
    except (ChromeNotFoundError, BrowserFailedError) as error:
        what = str(error).strip().splitlines()[0] if str(error).strip() else "it did not start"
        raise ReportError(
            f"images are drawn by Chrome or Chromium, which can't be used here: {what}",
            fix="Install it, name it in BROWSER_PATH, or let `plotly_get_chrome` fetch one.",
        ) from None
    except OSError as error:
        raise ReportError(
            f"cannot be written: {reason(error, folder)}",
            where=str(folder),
            fix="Name a folder that can be written with --out DIR.",
        ) from None
    return paths


#: Pixels above a chart for its title.
HEAD = 76


def dressed(chart: Chart) -> dict[str, Any]:
    """A chart as a Plotly figure with title, paper and ink of its own."""
    figure: dict[str, Any] = chart.figure.to_plotly_json()
    layout = dict(figure["layout"])
    layout.update(
        title={
            "text": charts_title(chart),
            "x": 0.01,
            "xanchor": "left",
            "y": 1 - 30 / (chart.height + HEAD),
            "yref": "container",
            "yanchor": "top",
            "font": {"size": 17},
        },
        font={"family": FONTS, "color": INK, "size": 13},
        paper_bgcolor="#ffffff",
        plot_bgcolor="#ffffff",
        height=chart.height + HEAD,
        margin={**layout.get("margin", {}), "t": HEAD + 20, "b": 40, "l": 20, "r": 24},
    )
    for name, axis in layout.items():
        if name.startswith(("xaxis", "yaxis")):
            layout[name] = {
                **axis,
                "gridcolor": LINE,
                "tickfont": {"color": MUTED, "size": 12},
            }
    return {"data": figure["data"], "layout": layout}


def charts_title(chart: Chart) -> str:
    """The finding, and what is drawn in small letters beneath it."""
    about = safe(chart.about, 140)
    return f"<b>{safe(chart.title, 110)}</b><br><sub style='color:{MUTED}'>{about}</sub>"
