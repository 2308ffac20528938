"""Paired contests of each arm with every other, by how they ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import AcrossScene, Chart, Kind
from suite.report.charts.drawing import BAD, GOOD, ROWS_DRAWN, blank, name_of, unique
from suite.report.data.across import Across, AcrossArm
from suite.report.words import Words

PALE = "#c4c8ce"


def values(data: Across) -> list[AcrossArm]:
    """The arms that met others, most won first."""
    arms = [arm for arm in data.arms if arm.contests]
    return sorted(arms, key=lambda arm: (-(arm.share("won") or 0), arm.share("lost") or 0, arm.arm))


def figure(arms: Sequence[AcrossArm], words: Words) -> go.Figure:
    """A bar for each arm, parted by how its contests ended."""
    names = unique([name_of(arm.arm) for arm in arms])
    drawn = blank(height=110 + 34 * len(arms))
    kinds: tuple[tuple[Literal["won", "level", "lost"], str, str], ...] = (
        ("won", GOOD, "across_won_long"),
        ("level", PALE, "across_level"),
        ("lost", BAD, "across_lost_long"),
    )
    for outcome, colour, key in kinds:
        counts = [getattr(arm, outcome) for arm in arms]
        drawn.add_trace(
            go.Bar(
                x=[arm.share(outcome) for arm in arms],
                y=names,
                orientation="h",
                name=words(key),
                marker={"color": colour},
                textfont={"color": "#1c2128" if outcome == "level" else "#ffffff"},
                text=[str(count) if count else "" for count in counts],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                customdata=[[count, arm.contests] for count, arm in zip(counts, arms, strict=True)],
                hovertemplate=(
                    f"%{{y}}<br>{words(key)}: %{{customdata[0]}} / %{{customdata[1]}}"
                    "<extra></extra>"
                ),
            )
        )
    drawn.update_layout(barmode="stack", bargap=0.35, legend={"traceorder": "normal"})
    drawn.update_xaxes(title={"text": words("axis_share_contests")}, tickformat=".0%", range=[0, 1])
    drawn.update_yaxes(
        autorange="reversed", type="category", showgrid=False, ticks="outside", ticklen=6,
        tickcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return drawn


def draw(scene: AcrossScene) -> Iterator[Chart]:
    """Contests won, level and lost; none before two tasks count, or without a contest."""
    arms, words = values(scene.data), scene.words
    if not arms or len(scene.data.counted) < 2:
        return
    top = arms[0]
    yield Chart(
        name="wins",
        title=words(
            "across_wins_title",
            arm=formats.name(top.arm),
            won=top.won,
            contests=top.contests,
            lost=top.lost,
        ),
        about=words("across_wins_about"),
        figure=figure(arms[:ROWS_DRAWN], words),
        columns=(
            words("metric_arm"), words("across_won"), words("across_level"), words("across_lost")
        ),
        rows=[(arm.arm, arm.won, arm.level, arm.lost) for arm in arms],
    )  # fmt: skip


KIND = Kind("averages", draw, shape="half")
