"""The search drawn: timeline by worker, states, cost by arm. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from suite.contracts.results import State
from suite.report.charts.drawing import Styles, blank, safe
from suite.report.data.search_data import STATES, ArmCost, ArmStates, Timeline
from suite.report.words import Words

#: How a state looks where colour is the arm's: opacity and pattern.
LOOKS: dict[State, tuple[float, str]] = {
    "COMPLETE": (0.95, ""),
    "PRUNED": (0.45, ""),
    "FAIL": (0.9, "x"),
    "RUNNING": (0.6, "/"),
    "WAITING": (0.3, "."),
}
#: States where colour is the state's own.
STATE_COLOURS: dict[State, str] = {
    "COMPLETE": "#2f9184",
    "PRUNED": "#c47f00",
    "FAIL": "#c0392b",
    "RUNNING": "#3b93cc",
    "WAITING": "#8a8f98",
}
PARTS = (("training", "#0077bb"), ("scoring", "#c47f00"), ("other", "#8a8f98"))


def timeline_figure(data: Timeline, styles: Styles, words: Words) -> go.Figure:
    """A bar for each trial on its worker's line."""
    figure = blank(height=150 + 34 * len(data.workers))
    unit, per = _unit(data.seconds)
    least = data.seconds / 600
    line = {worker: i for i, worker in enumerate(data.workers)}
    for arm in dict.fromkeys(bar.arm for bar in data.bars):
        named = False
        for state in STATES:
            bars = [bar for bar in data.bars if bar.arm == arm and bar.state == state]
            if not bars:
                continue
            opacity, pattern = LOOKS[state]
            figure.add_trace(
                go.Bar(
                    orientation="h",
                    base=[round(bar.start / per, 4) for bar in bars],
                    # Shorter than a pixel it could not be pointed at.
                    x=[round(max(bar.end - bar.start, least) / per, 4) for bar in bars],
                    y=[line[bar.worker] for bar in bars],
                    width=0.72,
                    marker={
                        "color": styles[arm].colour,
                        "opacity": opacity,
                        "pattern": {"shape": pattern},
                        "line": {"width": 0},
                    },
                    name=safe(arm),
                    legendgroup=safe(arm),
                    showlegend=not named,
                    customdata=[[bar.trial, f"{bar.end - bar.start:,.0f}"] for bar in bars],
                    hovertemplate=(
                        f"{safe(arm)}<br>{words('trial')} %{{customdata[0]}}, "
                        f"{words(f'state_{state.lower()}')}, %{{customdata[1]}} s<extra></extra>"
                    ),
                )
            )
            named = True
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title={"text": words(f"axis_elapsed_{unit}")}, rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(range(len(data.workers))),
        ticktext=[safe(worker, 26) for worker in data.workers],
        range=[len(data.workers) - 0.5, -0.5],
        showgrid=False,
    )
    return figure


def states_figure(data: Sequence[ArmStates], words: Words) -> go.Figure:
    """Trials of each arm, stacked by what became of them."""
    figure = blank(height=120 + 30 * len(data))
    for state in STATES:
        if not any(arm.counts[state] for arm in data):
            continue
        figure.add_trace(
            go.Bar(
                orientation="h",
                x=[arm.counts[state] for arm in data],
                y=[safe(arm.arm, 34) for arm in data],
                marker={"color": STATE_COLOURS[state], "pattern": {"shape": LOOKS[state][1]}},
                name=words(f"state_{state.lower()}"),
                hovertemplate=f"%{{y}}<br>{words(f'state_{state.lower()}')}: %{{x}}<extra></extra>",
            )
        )
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(title={"text": words("trials")}, tickformat=",d")
    figure.update_yaxes(autorange="reversed", type="category")
    return figure


def costs_figure(data: Sequence[ArmCost], words: Words) -> go.Figure:
    """Wall-clock time of each arm's trials by what it was spent on."""
    figure = blank(height=120 + 30 * len(data))
    unit, per = _unit(max((arm.seconds for arm in data), default=0.0))
    for part, colour in PARTS:
        figure.add_trace(
            go.Bar(
                orientation="h",
                x=[round(getattr(arm, part) / per, 4) for arm in data],
                y=[safe(arm.arm, 34) for arm in data],
                marker={"color": colour},
                name=words(f"cost_{part}"),
                customdata=[f"{getattr(arm, part):,.0f}" for arm in data],
                hovertemplate=(
                    f"%{{y}}<br>{words(f'cost_{part}')}: %{{customdata}} s<extra></extra>"
                ),
            )
        )
    figure.update_layout(barmode="stack", bargap=0.35)
    figure.update_xaxes(title={"text": words(f"axis_wall_{unit}")}, rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category")
    return figure


def _unit(seconds: float) -> tuple[str, float]:
    """The unit that such a time reads best in, and its seconds."""
    if seconds >= 3 * 3600:
        return "hours", 3600.0
    return ("minutes", 60.0) if seconds >= 300 else ("seconds", 1.0)
