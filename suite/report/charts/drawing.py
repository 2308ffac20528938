"""Chart values drawn as Plotly figures; nothing is computed here.

Figures carry no theme: background is transparent, and the page gives fonts, grid and ink the
colours of its light or dark scheme. Strings that come from data are escaped, since Plotly reads
a small HTML in its texts (a label may not become a link).
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from suite.report import formats
from suite.report.data.chart_data import (
    CLASSES_NAMED,
    CLASSES_WITH_NUMBERS,
    PALETTE,
    ClassView,
    Curve,
    Curves,
    History,
    Lengths,
    PerClass,
    Style,
    TradeOff,
    label_of,
)
from suite.report.words import Words

Styles = Mapping[str, Style]

NEUTRAL = "#8a8f98"
#: From the page's paper to a deep blue; the page puts its own colours in where it is dark.
HEAT = [[0.0, "#f7f9fc"], [0.25, "#bcd3ea"], [0.6, "#4f8cc4"], [1.0, "#0b3d70"]]


def safe(text: str, longest: int = 60) -> str:
    """Data as Plotly text: one line, cut where too long, its HTML shown and not read."""
    line = " ".join(text.split())
    return html.escape(line if len(line) <= longest else f"{line[: longest - 1]}…", quote=False)


def trade_off_figure(data: TradeOff, styles: Styles, words: Words) -> go.Figure:
    """Points by arm with their intervals, the Pareto front, and published values as lines."""
    figure = blank(height=430)
    at = {point.arm: point for point in data.points}
    front = [at[arm] for arm in data.front]
    figure.add_trace(
        go.Scatter(
            x=[p.x for p in front],
            y=[p.y for p in front],
            mode="lines",
            # Where more is better, the next point's quality is to be had all the way up to it.
            line={
                "shape": "vh" if data.x.higher_is_better else "hv",
                "color": NEUTRAL,
                "width": 1.5,
            },
            opacity=0.7,
            name=words("pareto"),
            hoverinfo="skip",
        )
    )
    for point in data.points:
        style = styles[point.arm]
        bounded = point.low is not None and point.high is not None
        figure.add_trace(
            go.Scatter(
                x=[point.x],
                y=[point.y],
                mode="markers+text",
                text=[safe(point.arm)],
                textposition=point.label,
                textfont={"size": 12},
                cliponaxis=False,
                marker={**marker(style, round(point.size, 1)), "opacity": 0.85},
                error_y=(
                    {
                        "type": "data",
                        "symmetric": False,
                        "array": [(point.high or 0.0) - point.y],
                        "arrayminus": [point.y - (point.low or 0.0)],
                        "color": style.colour,
                        "thickness": 1.2,
                        "width": 4,
                    }
                    if bounded
                    else None
                ),
                name=safe(point.arm),
                customdata=[
                    [_interval(point.low, point.high), point.trial, formats.size(point.memory)]
                ],
                hovertemplate=(
                    f"%{{text}}, {words('trial')} %{{customdata[1]}}<br>"
                    f"{words(f'metric_{data.y.key}')} %{{y:.4f}} %{{customdata[0]}}<br>"
                    f"{words(f'metric_{data.x.key}')} %{{x:,.4~g}} {data.x.unit}<br>"
                    f"{words('metric_peak_memory_bytes')} %{{customdata[2]}}<extra></extra>"
                ),
                showlegend=False,
            )
        )
    for reference in data.references:
        exact = reference.metric == "macro_f1"
        figure.add_hline(
            y=reference.value,
            line={"color": NEUTRAL, "width": 1, "dash": "dash" if exact else "dot"},
        )
        kind = "" if exact else f" ({words('metric_accuracy')})"
        figure.add_annotation(
            # At the end where the ideal lies: arms are rarely there.
            x=1 if data.x.higher_is_better else 0,
            xref="paper",
            xanchor="right" if data.x.higher_is_better else "left",
            y=reference.value,
            yanchor="bottom",
            showarrow=False,
            text=f"{safe(reference.model, 40)}{kind} {reference.value:.3f}",
            font={"size": 11},
            opacity=0.75,
        )
    figure.update_xaxes(**_axis(data, words), range=list(data.x_range))
    figure.update_yaxes(
        title={"text": words(f"axis_{data.y.key}"), "standoff": 8},
        range=list(data.y_range),
        tickformat=".3~f",
    )
    figure.update_layout(showlegend=False)
    return figure


def curves_figure(data: Curves, styles: Styles, words: Words) -> go.Figure:
    """Macro-F1 over the budget: all of an arm faint, its best thick, pruned ones dotted."""
    figure = blank(height=430)
    arms = dict.fromkeys(curve.arm for curve in data.curves)
    for arm in arms:
        own = [curve for curve in data.curves if curve.arm == arm]
        groups: list[tuple[list[Curve], dict[str, Any], float]] = [
            ([c for c in own if c.pruned], {"width": 1, "dash": "dot"}, 0.35),
            ([c for c in own if not c.pruned and not c.best], {"width": 1}, 0.35),
            ([c for c in own if c.best], {"width": 3}, 1.0),
        ]
        named = False
        for group, line, opacity in reversed(groups):
            if not group:
                continue
            style = styles[arm]
            figure.add_trace(
                go.Scatter(
                    x=_broken(curve.fractions for curve in group),
                    y=_broken(curve.scores for curve in group),
                    mode="lines+markers" if opacity == 1.0 else "lines",
                    line={"color": style.colour, **line},
                    marker=marker(style, 8),
                    opacity=opacity,
                    name=safe(arm),
                    legendgroup=safe(arm),
                    showlegend=not named,
                    connectgaps=False,
                    customdata=_broken(
                        [[curve.trial, rows] for rows in curve.rows] for curve in group
                    ),
                    hovertemplate=(
                        f"{safe(arm)}<br>{words('trial')} %{{customdata[0]}}<br>"
                        f"%{{x:.0%}}: %{{y:.4f}} ({words('rows')}: %{{customdata[1]:,}})"
                        f"<extra></extra>"
                    ),
                )
            )
            named = True
    figure.update_xaxes(title={"text": words("axis_fraction")}, tickformat=".0%")
    figure.update_yaxes(
        title={"text": words("axis_validation_macro_f1"), "standoff": 8}, tickformat=".3~f"
    )
    return figure


def history_figure(data: History, styles: Styles, words: Words) -> go.Figure:
    """The objective by trial number, and the best so far as steps."""
    figure = blank(height=430)
    figure.add_trace(
        go.Scatter(
            x=[number for number, _ in data.best],
            y=[score for _, score in data.best],
            mode="lines",
            line={"shape": "hv", "color": NEUTRAL, "width": 1.5},
            name=words("best_so_far"),
            hoverinfo="skip",
        )
    )
    for arm, style in styles.items():
        named = False
        for pruned in (False, True):
            points = [p for p in data.points if p.arm == arm and p.pruned == pruned]
            if not points:
                continue
            state = words("state_pruned" if pruned else "state_complete")
            figure.add_trace(
                go.Scatter(
                    x=[point.number for point in points],
                    y=[round(point.score, 5) for point in points],
                    mode="markers",
                    marker={**marker(style, 8), "opacity": 0.35 if pruned else 0.95},
                    name=safe(arm),
                    legendgroup=safe(arm),
                    showlegend=not named,
                    hovertemplate=(
                        f"{safe(arm)}<br>{words('trial')} %{{x}} ({state})<br>"
                        "%{y:.4f}<extra></extra>"
                    ),
                )
            )
            named = True
    newest = max((point.number for point in data.points), default=0)
    # With few trials plotly sets ticks between whole numbers, and the format repeats them.
    few = {"dtick": 1} if newest <= 12 else {}
    figure.update_xaxes(
        title={"text": words("axis_trial")}, tickformat="d", rangemode="tozero", **few
    )
    figure.update_yaxes(
        title={"text": words("axis_validation_macro_f1"), "standoff": 8}, tickformat=".3~f"
    )
    return figure


def confusion_figure(view: ClassView, labels: Sequence[str], words: Words) -> go.Figure:
    """The matrix as a heat map of shares; counts are written in while classes are few."""
    size = len(view.counts)
    names = unique([safe(label_of(labels, i), 24) for i in range(size)])
    few = size <= CLASSES_WITH_NUMBERS
    # Names of so many classes can't be read on an axis: the pointer tells them.
    named = size <= CLASSES_NAMED
    figure = blank(height=min(700, 220 + 46 * size) if few else 640)
    figure.add_trace(
        go.Heatmap(
            x=names,
            y=names,
            z=[[None if s is None else round(s, 4) for s in row] for row in view.shares],
            customdata=[list(row) for row in view.counts],
            text=[list(row) for row in view.counts] if few else None,
            texttemplate="%{text}" if few else None,
            colorscale=HEAT,
            zmin=0,
            zmax=1,
            xgap=1 if named else 0,
            ygap=1 if named else 0,
            colorbar={"thickness": 10, "tickformat": ".0%", "outlinewidth": 0, "len": 0.7},
            hovertemplate=(
                f"{words('true')}: %{{y}}<br>{words('predicted')}: %{{x}}<br>"
                "%{customdata:,} · %{z:.1%}<extra></extra>"
            ),
        )
    )
    ticks: dict[str, Any] = {
        # Left to itself, Plotly takes labels such as "1" and "2" for numbers.
        "type": "category",
        "dtick": 1,
        "showticklabels": named,
        "showgrid": False,
        "constrain": "domain",
    }
    figure.update_xaxes(title={"text": words("predicted_class")}, **ticks)
    figure.update_yaxes(
        title={"text": words("true_class"), "standoff": 10},
        autorange="reversed",
        scaleanchor="x",
        constraintoward="top",
        **ticks,
    )
    return figure


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


def per_class_figure(
    data: PerClass, labels: Sequence[str], styles: Styles, words: Words
) -> go.Figure:
    """A row for each of the hardest classes, a marker for each arm."""
    classes = data.classes[: data.drawn]
    figure = blank(height=110 + 24 * len(classes))
    for column, arm in enumerate(data.arms):
        figure.add_trace(
            go.Scatter(
                x=[round(scores[column], 5) for scores in data.scores[: data.drawn]],
                y=list(range(len(classes))),
                mode="markers",
                marker=marker(styles[arm], 10),
                name=safe(arm),
                customdata=[safe(label_of(labels, c)) for c in classes],
                hovertemplate=f"%{{customdata}}<br>{safe(arm)}<br>F1 %{{x:.4f}}<extra></extra>",
            )
        )
    figure.update_xaxes(title={"text": "F1"}, tickformat=".3~f")
    figure.update_yaxes(
        tickvals=list(range(len(classes))),
        ticktext=[safe(label_of(labels, c), 26) for c in classes],
        range=[len(classes) - 0.5, -0.5],
        zeroline=False,
    )
    return figure


def lengths_figure(data: Lengths, words: Words) -> go.Figure:
    """The share of a split's texts that are no longer than so many characters."""
    figure = blank(height=300)
    shares = [i / 20 for i in range(21)]
    longest = max((split.quantiles[-1] for split in data.splits), default=1)
    for split, colour in zip(data.splits, PALETTE, strict=False):
        figure.add_trace(
            go.Scatter(
                # A logarithm knows no empty text.
                x=[max(1, length) for length in split.quantiles],
                y=shares,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 5},
                name=words(f"split_{split.split}"),
                hovertemplate=(
                    f"{words(f'split_{split.split}')}: %{{y:.0%}} ≤ %{{x:,}}<extra></extra>"
                ),
            )
        )
    title = words("axis_length")
    figure.update_xaxes(
        title={"text": words("axis_log", title=title) if longest > 200 else title},
        type="log" if longest > 200 else "linear",
        dtick="D2" if longest > 200 else None,
        tickformat="~s" if longest > 200 else ",d",
    )
    figure.update_yaxes(
        title={"text": words("axis_share"), "standoff": 8}, tickformat=".0%", range=[-0.02, 1.03]
    )
    return figure


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


def _axis(data: TradeOff, words: Words) -> dict[str, Any]:
    title = words(f"axis_{data.x.key}")
    if not data.log:
        return {"title": {"text": title}, "tickformat": ",.4~r"}
    return {
        "title": {"text": words("axis_log", title=title)},
        "type": "log",
        "dtick": "D2",
        # Thousands of texts as k; but half a second is no 500m.
        "tickformat": "~s" if data.x.higher_is_better else ",.3~r",
        "exponentformat": "none",
    }


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"({low:.4f}–{high:.4f})"


def _broken(parts: Any) -> list[Any]:
    """Several lines as one trace: a None between them lifts the pen."""
    joined: list[Any] = []
    for part in parts:
        if joined:
            joined.append(None)
        joined.extend(round(v, 5) if isinstance(v, float) else v for v in part)
    return joined
