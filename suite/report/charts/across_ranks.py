"""Ranks of the arms common to all tasks, task by task and on average."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import AcrossScene, Chart, Kind
from suite.report.charts.drawing import NEUTRAL, ROWS_DRAWN, Styles, blank, marker, name_of, unique
from suite.report.data.across import Across, AcrossArm, task_ranks
from suite.report.words import Words


@dataclass(frozen=True)
class Ranks:
    """The common arms by average rank; `ranks` has their rank on each task, in the tasks' order."""

    arms: tuple[AcrossArm, ...]
    ranks: Mapping[str, tuple[float, ...]]
    tasks: tuple[str, ...]
    band: float | None
    """How far from the first a rank could still be chance; None where no test was made."""


def values(data: Across) -> Ranks | None:
    """The ranks; None where the tasks are too few to rank arms over them."""
    if not data.ranked:
        return None
    ranks = task_ranks(data)
    return Ranks(
        tuple([arm for arm in data.arms if arm.arm in ranks][:ROWS_DRAWN]),
        ranks,
        tuple(column.name for column in data.counted),
        data.over_tasks.critical_difference if data.over_tasks else None,
    )


def figure(data: Ranks, styles: Styles, words: Words) -> go.Figure:
    """A line of small markers for each arm, and a large one at its average."""
    arms = data.arms
    names = unique([name_of(arm.arm) for arm in arms])
    drawn = blank(height=max(250, 90 + 34 * len(arms)))
    best = arms[0].average_rank or 1.0
    if data.band is not None:
        drawn.add_vrect(
            x0=best,
            x1=best + data.band,
            fillcolor=NEUTRAL,
            opacity=0.16,
            line_width=0,
            layer="below",
        )
    for name, arm in zip(names, arms, strict=True):
        style, own = styles[arm.arm], data.ranks[arm.arm]
        drawn.add_trace(
            go.Scatter(
                x=list(own),
                y=[name] * len(own),
                mode="lines+markers",
                line={"color": style.colour, "width": 1.5},
                marker={**marker(style, 7), "opacity": 0.55},
                opacity=0.6,
                customdata=[name_of(task) for task in data.tasks],
                hovertemplate=f"{name}<br>%{{customdata}}: %{{x:.4~g}}<extra></extra>",
                showlegend=False,
            )
        )
        drawn.add_trace(
            go.Scatter(
                x=[arm.average_rank],
                y=[name],
                mode="markers",
                marker=marker(style, 15),
                hovertemplate=(
                    f"{name}<br>{words('across_average_rank')} %{{x:.2f}}<extra></extra>"
                ),
                showlegend=False,
            )
        )
    drawn.update_xaxes(
        title={"text": words("axis_rank")}, range=[0.6, len(data.ranks) + 0.4],
        dtick=1 if len(data.ranks) <= 20 else None, tickformat="d",
    )  # fmt: skip
    drawn.update_yaxes(autorange="reversed", type="category")
    return drawn


def finding(data: Ranks, words: Words) -> str:
    """How often the best on average came first, and its worst rank."""
    leader = data.arms[0]
    own = data.ranks[leader.arm]
    return words(
        "across_ranks_title",
        arms=len(data.ranks),
        arm=formats.name(leader.arm),
        first=sum(rank == 1 for rank in own),
        tasks=len(data.tasks),
        worst=f"{max(own):.4g}",
    )


def draw(scene: AcrossScene) -> Iterator[Chart]:
    """Ranks of the common arms."""
    data, words = values(scene.data), scene.words
    if data is None:
        return
    about = [words("across_ranks_about")]
    if data.band is not None:
        about.append(words("across_ranks_band"))
    yield Chart(
        name="ranks",
        title=finding(data, words),
        about=words.sentences(about),
        figure=figure(data, scene.styles, words),
        columns=(
            words("metric_arm"), words("across_average_rank"), *data.tasks
        ),
        rows=[(arm.arm, arm.average_rank, *data.ranks[arm.arm]) for arm in data.arms],
    )  # fmt: skip


KIND = Kind("averages", draw, shape="half")
