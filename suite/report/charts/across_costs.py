"""Distance to the best against a relative cost, over all tasks: speed, then training time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import AcrossScene, Chart, Kind
from suite.report.charts.drawing import NAMED, NEUTRAL, Styles, blank, marker, name_of
from suite.report.charts.labels import padded, place_labels, within
from suite.report.data.across import FAR, Across
from suite.report.words import Words

Cost = Literal["speed", "training"]


@dataclass(frozen=True)
class CostPoint:
    """An arm on one task: its cost as a multiple of the reference's, its distance to the best."""

    task: str
    x: float
    y: float


@dataclass(frozen=True)
class CostArm:
    """An arm's points; `mean` is None where some task has no figure or machines differ."""

    arm: str
    points: tuple[CostPoint, ...]
    mean: tuple[float, float] | None


def values(data: Across, cost: Cost) -> list[CostArm]:
    """Every arm that was measured on a counted task, in the table's order."""
    found = []
    for arm in data.arms:
        points = [
            CostPoint(column.name, value, cell.gap)
            for column in data.counted
            if (cell := data.cell(arm, column)).gap is not None
            and (value := getattr(cell, cost)) is not None
        ]
        if not points:
            continue
        mean_x = getattr(arm, cost)
        mean = None
        if mean_x is not None and arm.mean_gap is not None and len(data.counted) > 1:
            mean = (mean_x, arm.mean_gap)
        found.append(CostArm(arm.arm, tuple(points), mean))
    return found


def figure(arms: Sequence[CostArm], axis: str, styles: Styles, words: Words) -> go.Figure:
    """Every arm's points, and named its mean."""
    drawn = blank(height=430)
    widths = [math.log10(point.x) for arm in arms for point in arm.points]
    heights = [point.y for arm in arms for point in arm.points]
    x_range, y_range = padded(widths, 0.14, 0.2), padded(heights, 0.10, 0.01)
    drawn.add_vline(x=1, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    named = [(arm, arm.mean) for arm in arms if arm.mean is not None]
    places = [
        (arm.arm, within(math.log10(x), x_range), within(y, y_range)) for arm, (x, y) in named
    ]
    # Of many arms the list above has the names.
    crowded = len(named) > NAMED
    labels = place_labels(places) if not crowded else []
    for arm in arms:
        style, name = styles[arm.arm], name_of(arm.arm)
        drawn.add_trace(
            go.Scatter(
                x=[point.x for point in arm.points],
                y=[round(point.y, 6) for point in arm.points],
                mode="markers",
                marker={**marker(style, 8), "opacity": 0.5 if named else 0.9},
                name=name,
                # An arm without a mean has no name in the picture.
                showlegend=arm.mean is None,
                customdata=[name_of(point.task) for point in arm.points],
                hovertemplate=(
                    f"{name}<br>%{{customdata}}: %{{y:+.4f}}, %{{x:.3~g}}×<extra></extra>"
                ),
            )
        )
    for (arm, (x, y)), label in itertools.zip_longest(named, labels):
        style, name = styles[arm.arm], name_of(arm.arm)
        drawn.add_trace(
            go.Scatter(
                x=[x],
                y=[round(y, 6)],
                mode="markers+text" if label else "markers",
                text=[name],
                textposition=label,
                textfont={"size": 12},
                cliponaxis=False,
                marker=marker(style, 15),
                name=name,
                showlegend=crowded,
                hovertemplate=(
                    f"{name}<br>{words('across_mean')}: %{{y:+.4f}}, %{{x:.3~g}}×<extra></extra>"
                ),
            )
        )
    drawn.update_xaxes(
        title={"text": words("axis_log", title=axis)},
        type="log",
        range=list(x_range),
        dtick=1 if x_range[1] - x_range[0] > 1.5 else "D2",
        tickformat=",~g",
        ticksuffix="×",
        exponentformat="none",
    )
    drawn.update_yaxes(
        title={"text": words("axis_gap"), "standoff": 8},
        range=list(y_range),
        tickformat=".3~f",
        nticks=7,
    )
    return drawn


def _near(arms: Sequence[CostArm]) -> tuple[list[CostArm], list[tuple[str, str, float]]]:
    """The arms with their points near the best, and the points that lie far below it.

    A mean that lies far below goes with them; where nothing is near, everything is drawn.
    """
    far = [(arm.arm, p.task, p.y) for arm in arms for p in arm.points if p.y < -FAR]
    near = [
        replace(
            arm,
            points=tuple(p for p in arm.points if p.y >= -FAR),
            mean=arm.mean if arm.mean and arm.mean[1] >= -FAR else None,
        )
        for arm in arms
    ]
    near = [arm for arm in near if arm.points]
    return (near, far) if near else (list(arms), [])


def finding(data: Across, cost: Cost, arms: Sequence[CostArm], base: str, words: Words) -> str:
    """Who is fastest or cheapest on average, and how far below the best that is."""
    means = [(arm.mean, arm.arm) for arm in arms if arm.mean is not None]
    if not means:
        apart = not data.same_machine and len(data.counted) > 1
        return words(f"across_trade_title_{'apart' if apart else 'some'}_{cost}")
    (x, y), name = (max if cost == "speed" else min)(means)
    own = data.arm(name)
    # A multiple of a speed is told only where the two can be told apart, as on a study's page.
    level = cost == "speed" and (own is None or own.times_as_fast is None)
    return words(
        f"across_trade_title_{cost}{'_level' if level else ''}",
        arm=formats.name(name),
        times=formats.times(x),
        base=base,
        gap=formats.gap(y),
    )


def _draw(cost: Cost, scene: AcrossScene) -> Iterator[Chart]:
    data, words = scene.data, scene.words
    every = values(data, cost)
    # Distances by unlike scores stand on no common axis.
    if not every or len(data.counted) < 2 or not data.objective:
        return
    arms, far = _near(every)
    base = formats.name(data.reference) if data.reference else words("across_median")
    axis = words(f"across_cost_{cost}", base=base)
    rows: list[tuple[str | float, ...]] = [
        (arm.arm, point.task, point.x, point.y) for arm in every for point in arm.points
    ]
    rows += [(arm.arm, words("across_mean"), *arm.mean) for arm in arms if arm.mean is not None]
    notes = []
    if far:
        points = [
            words(
                "across_far_point",
                arm=formats.name(arm),
                task=formats.name(task),
                gap=formats.signed(y),
            )
            for arm, task, y in far[:6]
        ]
        more = [words("answer_more", n=len(far) - 6)] if len(far) > 6 else []
        notes.append(words("across_far", far=f"{FAR}", points=words.join(points + more)))
    yield Chart(
        name=f"across-{cost}",
        title=finding(data, cost, arms, base, words),
        about=words("across_trade_about", cost=axis),
        figure=figure(arms, axis, scene.styles, words),
        columns=(words("metric_arm"), words("task"), axis, words("axis_gap")),
        rows=rows,
        notes=tuple(notes),
    )


SPEED = Kind("trade-offs", partial(_draw, "speed"), shape="half")
TRAINING = Kind("trade-offs", partial(_draw, "training"), shape="half")
