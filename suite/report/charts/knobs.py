"""One arm's hyperparameters: its trials on parallel axes, and its scores over each of them.

Parallel axes are drawn from plain lines: Plotly's own `parcoords` needs WebGL and compiles code as
it runs, which the page's policy forbids, and it can't be printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import Cell, Chart, Kind, StudyScene
from suite.report.charts.drawing import NEUTRAL, blank, safe
from suite.report.charts.ranges import whole_ticks
from suite.report.data.knobs import Axis, Knobs, knobs
from suite.report.words import Words
from suite.verdict.metrics import METRICS

SLICES_IN_A_ROW = 3
#: Pixels that an axis, and a slice, need at least: on a narrower screen the chart is scrolled.
AXIS_WIDTH, SLICE_WIDTH = 70, 200


def parallel_figure(data: Knobs, words: Words) -> go.Figure:
    """A line for each trial through its hyperparameters to its score; the best one thick."""
    drawn = blank(height=380)
    low, high = min(data.scores), max(data.scores)
    room = (high - low) or 1.0
    up = METRICS[data.objective].higher_is_better
    heights = [((score - low) if up else (high - score)) / room for score in data.scores]
    ends = (low, high) if up else (high, low)
    columns = [*data.axes, None]
    # From the worst to the best, so that good trials lie on top.
    order = sorted(range(len(data.trials)), key=lambda i: (i == data.best, heights[i]))
    for i in order:
        places = [axis.places[i] if axis else heights[i] for axis in columns]
        best = i == data.best
        drawn.add_trace(
            go.Scatter(
                x=list(range(len(columns))),
                y=places,
                mode="lines+markers",
                line={
                    "color": _shade(heights[i]),
                    "width": 3.5 if best else 1.4,
                    "dash": "dot" if data.pruned[i] else "solid",
                },
                marker={"size": 7 if best else 5, "color": _shade(heights[i])},
                opacity=1.0 if best else 0.45 + 0.4 * heights[i],
                customdata=[_told(axis, i, data) for axis in columns],
                hovertemplate=(
                    f"{words('trial')} {data.trials[i]}: {data.scores[i]:.4f}<br>"
                    "%{customdata}<extra></extra>"
                ),
                showlegend=False,
            )
        )
    for position, axis in enumerate(columns):
        drawn.add_shape(
            type="line", x0=position, x1=position, y0=0, y1=1,
            line={"color": NEUTRAL, "width": 1}, layer="below",
        )  # fmt: skip
        ticks = axis.ticks if axis else ((0.0, f"{ends[0]:.3f}"), (1.0, f"{ends[1]:.3f}"))
        last = position == len(columns) - 1
        for place, text in ticks:
            drawn.add_annotation(
                x=position, y=place, text=safe(text, 14), showarrow=False,
                xanchor="right" if last else "left", xshift=-7 if last else 7,
                font={"size": 11},
            )  # fmt: skip
    # In two rows, so that long names do not meet; as labels of an axis the outer would be hidden.
    names = [
        *(safe(axis.parameter, 20) for axis in data.axes),
        METRICS[data.objective].label(words.language),
    ]
    for position, name in enumerate(names):
        drawn.add_annotation(
            x=position, y=1, yref="paper", yshift=34 if position % 2 else 18, text=name,
            showarrow=False, font={"size": 12},
        )  # fmt: skip
    drawn.update_layout(
        margin={"t": 56}, meta={"least": AXIS_WIDTH * len(columns)},
    )  # fmt: skip
    drawn.update_xaxes(
        range=[-0.5, len(columns) - 0.5], showticklabels=False, showgrid=False, fixedrange=True
    )
    drawn.update_yaxes(visible=False, range=[-0.06, 1.06], fixedrange=True)
    return drawn


def slices_figure(data: Knobs, colour: str, words: Words) -> go.Figure:
    """Macro-F1 over each hyperparameter, one small plot each, on one common scale."""
    from plotly.subplots import make_subplots

    across = min(SLICES_IN_A_ROW, len(data.axes))
    down = -(-len(data.axes) // across)
    drawn = make_subplots(
        rows=down,
        cols=across,
        shared_yaxes="all",
        horizontal_spacing=0.05,
        vertical_spacing=min(0.3, 90 / (60 + 190 * down)),
    )
    drawn.update_layout(blank(height=60 + 190 * down).layout, meta={"least": SLICE_WIDTH * across})
    for position, axis in enumerate(data.axes):
        row, column = position // across + 1, position % across + 1
        having = [i for i, place in enumerate(axis.places) if place is not None]
        drawn.add_trace(
            go.Scatter(
                x=[_value(axis, i) for i in having],
                y=[round(data.scores[i], 5) for i in having],
                mode="markers",
                marker={
                    "color": colour,
                    "size": [11 if i == data.best else 8 for i in having],
                    "opacity": [0.35 if data.pruned[i] else 0.9 for i in having],
                    "symbol": ["star" if i == data.best else "circle" for i in having],
                },
                customdata=[[data.trials[i], _told(axis, i, data)] for i in having],
                hovertemplate=(
                    f"{words('trial')} %{{customdata[0]}}<br>%{{customdata[1]}}<br>"
                    f"{METRICS[data.objective].label(words.language)} %{{y:.4f}}<extra></extra>"
                ),
                showlegend=False,
            ),
            row=row,
            col=column,
        )
        title = axis.parameter
        kind: dict[str, Any] = {"type": "category"}
        if axis.kind != "choice":
            kind = {"type": axis.kind, "tickformat": ".3~g", "nticks": 5}
        if axis.kind == "log":
            title = words("axis_log", title=axis.parameter)
            kind |= {"dtick": 1, "tickformat": "~g"}
        elif all(isinstance(axis.values[i], int) for i in having):
            numbers = [int(axis.values[i] or 0) for i in having]
            kind |= {"nticks": None, **whole_ticks(max(numbers) - min(numbers), 5)}
        drawn.update_xaxes(
            title={"text": safe(title, 40), "standoff": 4}, automargin=True, zeroline=False,
            row=row, col=column, **kind,
        )  # fmt: skip
        if column == 1:
            drawn.update_yaxes(
                title={"text": METRICS[data.objective].label(words.language), "standoff": 6},
                row=row,
                col=column,
            )
    drawn.update_yaxes(automargin=True, zeroline=False, tickformat=".3~f")
    return drawn


def parallel_finding(data: Knobs, words: Words) -> str:
    """Where the best trial stands on the axis that matters most."""
    axis = next((a for a in data.axes if a.values[data.best] is not None), data.axes[0])
    value = axis.values[data.best]
    return words(
        "finding_parallel",
        n=str(data.trials[data.best]),
        score=formats.score(data.scores[data.best]),
        parameter=formats.name(axis.parameter),
        value=formats.name(formats.plain(value)),
    )


def slices_finding(data: Knobs, words: Words) -> str:
    """How far apart an arm's trials are."""
    low, high = min(data.scores), max(data.scores)
    return words(
        "finding_slices",
        trials=len(data.scores),
        low=formats.score(low),
        high=formats.score(high),
    )


def draw_parallel(scene: StudyScene) -> Iterator[Chart]:
    """Each arm's trials on parallel axes."""
    words = scene.words
    for position, data in enumerate(knobs(scene.results, scene.board)):
        notes = []
        if len(data.trials) < data.total:
            notes.append(words("knobs_capped", shown=len(data.trials), trials=data.total))
        if len(data.axes) < data.axes_total:
            notes.append(words("axes_capped", shown=len(data.axes), total=data.axes_total))
        yield Chart(
            name=f"parallel-{position}",
            title=parallel_finding(data, words),
            about=words("parallel_intro"),
            figure=parallel_figure(data, words),
            columns=_columns(data, words),
            rows=_rows(data, words),
            notes=tuple(notes),
            arm=data.arm,
        )


def draw_slices(scene: StudyScene) -> Iterator[Chart]:
    """Each arm's trials over each hyperparameter."""
    words = scene.words
    for position, data in enumerate(knobs(scene.results, scene.board)):
        yield Chart(
            name=f"slices-{position}",
            title=slices_finding(data, words),
            about=words("slices_intro"),
            figure=slices_figure(data, scene.styles[data.arm].colour, words),
            columns=_columns(data, words),
            rows=_rows(data, words),
            arm=data.arm,
        )


def _columns(data: Knobs, words: Words) -> tuple[str, ...]:
    names = (axis.parameter for axis in data.axes)
    return (words("trial"), words("state"), METRICS[data.objective].label(words.language), *names)


def _rows(data: Knobs, words: Words) -> list[tuple[Cell, ...]]:
    return [
        (
            number,
            words("state_pruned" if data.pruned[i] else "state_complete"),
            data.scores[i],
            *(axis.values[i] for axis in data.axes),
        )
        for i, number in enumerate(data.trials)
    ]


def _value(axis: Axis, position: int) -> Any:
    value = axis.values[position]
    return safe(str(value), 24) if axis.kind == "choice" else value


def _told(axis: Axis | None, position: int, data: Knobs) -> str:
    if axis is None:
        return f"F1 {data.scores[position]:.4f}"
    value = axis.values[position]
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return safe(f"{axis.parameter} = {shown}")


def _shade(height: float) -> str:
    """A colour between grey and deep blue by how good a trial was."""
    low, high = (168, 173, 181), (0, 119, 187)
    part = max(0.0, min(1.0, height)) ** 2
    mixed = (round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


PARALLEL = Kind("mattered", draw_parallel, shape="arms", missing="knobs_none")
SLICES = Kind("mattered", draw_slices, shape="arms")
