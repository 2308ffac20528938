"""A learning curve drawn: training rows against score, training time and serving speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import plotly.graph_objects as go

from suite.contracts.growth import Growth, GrowthArm, GrowthPoint
from suite.report import formats
from suite.report.charts.chart import Cell, Chart, Kind, StudyScene
from suite.report.charts.drawing import NAMED, Styles, blank, marker, safe
from suite.report.data.growth import crossing_told, growth_rows
from suite.report.words import Words

Value = Callable[[GrowthPoint], float | None]


@dataclass(frozen=True)
class Line:
    """An arm by training rows: the mean of each size's draws, and each draw."""

    arm: str
    rows: tuple[int, ...]
    means: tuple[float, ...]
    points: tuple[tuple[int, float], ...]


def lines(growth: Growth, value: Value) -> tuple[Line, ...]:
    """The arms of which something was measured, the best at the largest size first."""
    found = []
    for row in growth_rows(growth)[:NAMED]:
        points = [
            (point.rows, told)
            for point in growth.points
            if point.arm == row.arm and (told := value(point)) is not None
        ]
        sizes = sorted({rows for rows, _ in points})
        means = [fmean(told for rows, told in points if rows == size) for size in sizes]
        if points:
            found.append(Line(row.arm, tuple(sizes), tuple(means), tuple(points)))
    return tuple(found)


def _band(drawn: go.Figure, arm: GrowthArm, colour: str) -> None:
    """The law's 95 % band, up to twice the largest size."""
    rows = [place.rows for place in arm.band]
    drawn.add_trace(
        go.Scatter(
            x=[*rows, *rows[::-1]],
            y=[place.high for place in arm.band] + [place.low for place in arm.band[::-1]],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=_faint(colour),
            hoverinfo="skip",
            showlegend=False,
        )
    )
    drawn.add_trace(
        go.Scatter(
            x=rows,
            y=[place.value for place in arm.band],
            mode="lines",
            line={"color": colour, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.14)"


def _figure(
    data: Sequence[Line], styles: Styles, words: Words, axis: str, *, joined: bool, height: int
) -> go.Figure:
    """Each arm's draws by training rows, on a logarithmic axis.

    Args:
        axis: what the other axis shows.
        joined: whether a line goes through the means.
    """
    drawn = blank(height=height)
    for one in data:
        style = styles[one.arm]
        name = safe(one.arm)
        drawn.add_trace(
            go.Scatter(
                x=[rows for rows, _ in one.points],
                y=[value for _, value in one.points],
                mode="markers",
                marker=marker(style, 8),
                name=name,
                hovertemplate=f"{name}: %{{x:,}} · %{{y:.4~g}}<extra></extra>",
            )
        )
        if joined:
            drawn.add_trace(
                go.Scatter(
                    x=list(one.rows),
                    y=list(one.means),
                    mode="lines",
                    line={"color": style.colour, "width": 2},
                    hoverinfo="skip",
                    showlegend=False,
                )
            )
    drawn.update_xaxes(
        title={"text": words("axis_log", title=words("growth_axis_rows"))},
        type="log",
        dtick="D2",
        tickformat="~s",
    )
    drawn.update_yaxes(title={"text": axis, "standoff": 8})
    return drawn


def _chart(
    scene: StudyScene,
    name: str,
    value: Value,
    axis: str,
    title: str,
    about: str,
    *,
    log: bool,
) -> Iterator[Chart]:
    growth, words = scene.results.growth, scene.words
    data = lines(growth, value) if growth is not None else ()
    if growth is None or not data:
        return
    scored = not log
    drawn = _figure(data, scene.styles, words, axis, joined=log, height=420 if scored else 340)
    if scored:
        shown = {line.arm for line in data}
        for arm in growth.arms:
            if arm.band and arm.arm in shown:
                _band(drawn, arm, scene.styles[arm.arm].colour)
        drawn.update_yaxes(tickformat=".3~f")
    else:
        drawn.update_yaxes(type="log", dtick="D2", tickformat=".3~r")
    rows: list[tuple[Cell, ...]] = [
        (p.arm, p.rows, p.draw, told, p.carried)
        for p in growth.points
        if (told := value(p)) is not None
    ]
    yield Chart(
        name=name,
        title=title,
        about=about,
        figure=drawn,
        columns=(
            words("metric_arm"),
            words("growth_axis_rows"),
            words("growth_draw"),
            axis,
            words("growth_carried"),
        ),
        rows=rows,
    )


def _scores(scene: StudyScene) -> Iterator[Chart]:
    growth, words = scene.results.growth, scene.words
    if growth is None or not growth.points:
        return
    yield from _chart(
        scene,
        "growth",
        lambda point: point.score,
        words.axis(f"test_{growth.objective}"),
        _finding(growth, words),
        words("growth_about"),
        log=False,
    )


def _finding(growth: Growth, words: Words) -> str:
    """The earliest crossing; else the best arm at the largest size, and that none is likely to
    overtake it where all have laws that tell."""
    if growth.crossings:
        return crossing_told(growth.crossings[0], words)
    best = growth_rows(growth)[0]
    known = len(growth.arms) > 1 and all(arm.band for arm in growth.arms)
    return words(
        "growth_finding_best" if known else "growth_finding_highest",
        arm=best.arm,
        size=formats.count(growth.sizes[-1]),
        score=formats.score(best.largest),
    )


def _training(scene: StudyScene) -> Iterator[Chart]:
    words = scene.words
    yield from _chart(
        scene,
        "growth-training",
        lambda point: point.train_seconds or None,
        words("axis_train_seconds"),
        words("growth_training_title"),
        words("growth_training_about"),
        log=True,
    )


def _speeds(scene: StudyScene) -> Iterator[Chart]:
    words = scene.words
    yield from _chart(
        scene,
        "growth-speed",
        lambda point: point.per_second,
        words("axis_offline_rps"),
        words("growth_speed_title"),
        words("growth_speed_about"),
        log=True,
    )


SCORES = Kind("growth", _scores)
TRAINING = Kind("growth", _training, shape="half")
SPEED = Kind("growth", _speeds, shape="half")
