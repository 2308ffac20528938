"""What each arm gained between two studies of one task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import AcrossScene, Chart, Kind
from suite.report.charts.drawing import (
    BAD,
    GOOD,
    NEUTRAL,
    ROWS_DRAWN,
    blank,
    clip_rows,
    name_of,
    unique,
)
from suite.report.charts.ranges import common_range
from suite.report.data.side_by_side import ArmChange, SideBySide
from suite.report.words import Words


def figure(pair: SideBySide, words: Words) -> go.Figure:
    """Each arm's change with its interval, the largest gain first."""
    arms = sorted(pair.arms, key=lambda change: -change.difference)[:ROWS_DRAWN]
    names = unique([name_of(change.arm) for change in arms])
    drawn = blank(height=100 + 34 * len(arms))
    drawn.add_vline(x=0, line={"color": NEUTRAL, "width": 1})
    colours = {"better": GOOD, "worse": BAD, "chance": NEUTRAL, "unknown": NEUTRAL}
    for label, change in zip(names, arms, strict=True):
        colour = colours[change.verdict]
        drawn.add_trace(
            go.Scatter(
                x=[round(change.difference, 6)],
                y=[label],
                mode="markers",
                marker={
                    "color": colour,
                    "size": 13,
                    "symbol": _symbol(change),
                },
                error_x=_reach(change, colour),
                hovertemplate=(
                    f"{label}<br>%{{x:+.4f}} · {words(f'across_verdict_{change.verdict}')}"
                    "<extra></extra>"
                ),
                showlegend=False,
            )
        )
    low, high = common_range(
        [change.difference for change in arms],
        [
            (change.difference, change.difference)
            if change.low is None or change.high is None
            else (change.low, change.high)
            for change in arms
        ],
    )
    clip_rows(
        drawn,
        [(c.difference, row, colours[c.verdict]) for row, c in enumerate(arms)],
        # What did not change is the line that all are read against.
        (min(low, 0.0), max(high, 0.0)),
        "+.3f",
    )
    drawn.update_xaxes(title={"text": words("axis_change")}, tickformat="+.3~f")
    drawn.update_yaxes(autorange="reversed", type="category", range=[len(arms) - 0.5, -0.5])
    return drawn


def _symbol(change: ArmChange) -> str:
    """Which way it went, where it is more than chance."""
    if change.verdict not in ("better", "worse"):
        return "circle"
    return "triangle-right" if change.difference > 0 else "triangle-left"


def finding(pair: SideBySide, words: Words) -> str:
    """How many arms got better or worse by more than chance."""
    claimed = any(change.verdict != "unknown" for change in pair.arms)
    return words(
        "across_forest_title" if claimed else "across_forest_title_none",
        better=pair.count("better"),
        worse=pair.count("worse"),
        chance=pair.count("chance"),
        arms=len(pair.arms),
    )


def _reach(change: ArmChange, colour: str) -> dict[str, Any] | None:
    if change.low is None or change.high is None:
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [change.high - change.difference],
        "arrayminus": [change.difference - change.low],
        "color": colour,
        "thickness": 1.6,
        "width": 4,
    }


def draw(scene: AcrossScene) -> Iterator[Chart]:
    """Each pair of studies that have an arm in common."""
    for i, pair in enumerate(scene.data.pairs):
        words = scene.words.about(pair.objective)
        if not pair.arms:
            continue
        yield Chart(
            name=f"pair-{i}",
            title=finding(pair, words),
            about=words(
                "across_forest_about",
                before=formats.name(pair.before),
                after=formats.name(pair.after),
            ),
            figure=figure(pair, words),
            columns=(
                words("metric_arm"), words("across_before"), words("across_after"),
                words("axis_change"), words("interval_low"), words("interval_high"), "p",
                words("verdict"),
            ),
            rows=[
                (c.arm, c.before, c.after, c.difference, c.low, c.high, c.p,
                 words(f"across_verdict_{c.verdict}"))
                for c in pair.arms
            ],
        )  # fmt: skip


KIND = Kind("pairs", draw)
