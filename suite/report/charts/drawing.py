"""What every chart is drawn with: a figure without a theme, markers, names that are safe to show.

Figures carry no theme: background is transparent, and the page gives fonts, grid and ink the
colours of its light or dark scheme. Strings that come from data are escaped, since Plotly reads
a small HTML in its texts (a label may not become a link).
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from suite.contracts.results import State
from suite.report import formats
from suite.report.charts.labels import padded
from suite.report.data.styles import PALETTE, Style

Styles = Mapping[str, Style]

NEUTRAL = "#8a8f98"
#: How a state looks where colour is the arm's: opacity and pattern.
LOOKS: dict[State, tuple[float, str]] = {
    "COMPLETE": (0.95, ""),
    "PRUNED": (0.45, ""),
    "FAIL": (0.9, "x"),
    "RUNNING": (0.6, "/"),
    "WAITING": (0.3, "."),
}
#: Better, worse.
GOOD, BAD = PALETTE[2], PALETTE[4]
#: So many points have a name each beside them.
NAMED = 10
#: Arms drawn in a chart of rows.
ROWS_DRAWN = 40


def safe(text: str, longest: int = 60) -> str:
    """Data as Plotly text: one line, its HTML shown and not read.

    What is too long is cut in its middle: the beginning says whose, the end says what.
    """
    line = " ".join(text.split())
    if len(line) > longest:
        tail = longest // 2
        line = f"{line[: longest - 1 - tail]}…{line[-tail:]}"
    return html.escape(line, quote=False)


def name_of(text: str) -> str:
    """A name as Plotly text, short enough for an axis."""
    return safe(formats.name(text, longest=1000), 34)


def unique(names: Sequence[str]) -> list[str]:
    """The names, with a number behind those that were there before: an axis merges equals."""
    told: dict[str, None] = {}
    for name in names:
        candidate, again = name, 1
        while candidate in told:
            again += 1
            candidate = f"{name} ({again})"
        told[candidate] = None
    return list(told)


def blank(height: int) -> go.Figure:
    """A figure without a theme: the page's own colours, fonts and grid come in when it is drawn."""
    figure = go.Figure()
    figure.update_layout(
        template=None,
        height=height,
        margin={"l": 10, "r": 16, "t": 16, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest",
        dragmode="zoom",
        legend={
            "orientation": "h",
            "y": 1.0,
            "yanchor": "bottom",
            "x": 0,
            "itemsizing": "constant",
            "traceorder": "normal",
        },
    )
    figure.update_xaxes(automargin=True, ticks="", showline=False, zeroline=False)
    figure.update_yaxes(automargin=True, ticks="", showline=False, zeroline=False)
    return figure


def marker(style: Style, size: float) -> dict[str, Any]:
    """An arm's marker, `size` pixels across."""
    return {
        "color": style.colour,
        "size": size,
        "symbol": f"{style.symbol}-open" if style.open else style.symbol,
        "line": {"width": 2, "color": style.colour} if style.open else {"width": 0},
    }


#: Arrows drawn at an end of an axis.
ARROWS = 12


def clip(
    drawn: go.Figure,
    points: Sequence[tuple[float, float, str]],
    bounds: tuple[float, float],
) -> None:
    """Gives the y axis a range, and what lies outside it an arrow with its value at that end.

    Args:
        drawn: the figure.
        points: (x, y, colour) of what is drawn.
        bounds: the least and the greatest y in sight; some room is added.
    """
    low, high = padded(list(bounds), 0.08, 0.005)
    drawn.update_yaxes(range=[low, high])
    outside = [point for point in points if not low <= point[1] <= high]
    for x, y, ink in sorted(outside, key=lambda p: -abs(p[1] - sum(bounds) / 2))[:ARROWS]:
        under = y < low
        drawn.add_annotation(
            x=x,
            y=0 if under else 1,
            yref="y domain",
            text=f"{'↓' if under else '↑'} {y:.3f}",
            yanchor="bottom" if under else "top",
            showarrow=False,
            font={"size": 11, "color": ink},
        )


def clip_rows(
    drawn: go.Figure,
    points: Sequence[tuple[float, int, str]],
    bounds: tuple[float, float],
    form: str = ".3f",
) -> None:
    """The same for a chart of rows, whose values lie along x: of the points of one row outside
    one end, one arrow tells all.

    Args:
        drawn: the figure.
        points: (x, row, colour) of what is drawn.
        bounds: the least and the greatest x in sight; some room is added.
        form: how a value is written.
    """
    low, high = padded(list(bounds), 0.08, 0.005)
    drawn.update_xaxes(range=[low, high])
    outside: dict[tuple[int, bool], list[tuple[float, str]]] = {}
    for x, row, ink in points:
        if not low <= x <= high:
            outside.setdefault((row, x < low), []).append((x, ink))
    for (row, under), found in outside.items():
        least, most = min(x for x, _ in found), max(x for x, _ in found)
        told = format(least, form)
        if format(most, form) != told:
            told += f" … {format(most, form)}"
        drawn.add_annotation(
            x=0 if under else 1,
            xref="x domain",
            y=row,
            text=f"← {told}" if under else f"{told} →",
            xanchor="left" if under else "right",
            showarrow=False,
            font={"size": 11, "color": found[0][1] if len(found) == 1 else NEUTRAL},
        )


def time_unit(seconds: float) -> tuple[str, float]:
    """The unit that such a time reads best in, and its seconds."""
    if seconds >= 3 * 3600:
        return "hours", 3600.0
    return ("minutes", 60.0) if seconds >= 300 else ("seconds", 1.0)
