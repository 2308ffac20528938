"""How often each arm errs on test when it answers only where it is sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import NAMED, NEUTRAL, Styles, blank, safe
from suite.report.words import Words
from suite.verdict.answering import Answered
from suite.verdict.selective import Point, curve

#: Points of a curve, evenly apart in coverage.
POINTS = 60


@dataclass(frozen=True)
class ArmCurve:
    """An arm's first training: coverage against error, from the surest texts to all of them."""

    arm: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Coverage:
    """The curves of the arms that lead, in the board's order; `limit` is the error asked for."""

    arms: tuple[ArmCurve, ...]
    limit: float | None


def values(scene: StudyScene) -> Coverage | None:
    """The curves; None where finals kept no probabilities, or the study's answers were not read."""
    kept = scene.results.predictions
    if kept is None:
        return None
    labels = np.asarray(kept.labels)
    arms = []
    for row in scene.board.rows:
        shares, answers = kept.confidences.get(row.arm), kept.arms.get(row.arm)
        if not shares or not answers:
            continue
        sure = np.array([share or 0.0 for share in shares])
        found = curve(Answered(sure, np.asarray(answers[0]) == labels), POINTS)
        arms.append(ArmCurve(row.arm, tuple(found)))
    limits = {d.max_error for d in scene.results.decisions if d.max_error is not None}
    limit = limits.pop() if len(limits) == 1 else None
    return Coverage(tuple(arms[:NAMED]), limit) if arms else None


def figure(data: Coverage, styles: Styles, words: Words) -> go.Figure:
    """Error among answered texts, by the share of texts that is answered."""
    drawn = blank(height=360)
    for one in data.arms:
        drawn.add_trace(
            go.Scatter(
                x=[point.coverage for point in one.points],
                y=[point.error for point in one.points],
                customdata=[f"{point.threshold:.2f}" for point in one.points],
                mode="lines",
                line={"color": styles[one.arm].colour, "width": 2},
                name=safe(one.arm),
                hovertemplate=(
                    f"{safe(one.arm)}: %{{x:.1%}} · %{{y:.1%}} · ≥ %{{customdata}}<extra></extra>"
                ),
            )
        )
    if data.limit is not None:
        drawn.add_hline(y=data.limit, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    drawn.update_xaxes(
        title={"text": words("axis_coverage")}, tickformat=".0%", range=[-0.02, 1.03]
    )
    drawn.update_yaxes(
        title={"text": words("axis_selective_error"), "standoff": 8},
        tickformat=".0%",
        rangemode="tozero",
    )
    return drawn


def finding(data: Coverage, words: Words) -> str:
    """How far the surest half of the best arm's texts is from all of them."""
    first = data.arms[0]
    half = min(first.points, key=lambda point: abs(point.coverage - 0.5))
    return words(
        "finding_coverage",
        arm=first.arm,
        share=formats.whole_percent(half.coverage),
        error=formats.percent(half.error),
        all=formats.percent(first.points[-1].error),
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """The curves; none where probabilities were not kept."""
    data, words = values(scene), scene.words
    if data is None:
        return
    yield Chart(
        name="coverage",
        title=finding(data, words),
        about=words("coverage_intro"),
        figure=figure(data, scene.styles, words),
        columns=(
            words("metric_arm"),
            words("axis_coverage"),
            words("axis_selective_error"),
            words("decided_threshold"),
        ),
        rows=_rows(data.arms),
    )


def _rows(arms: Sequence[ArmCurve]) -> list[tuple[str, float, float, float]]:
    return [
        (one.arm, round(p.coverage, 4), round(p.error, 4), round(p.threshold, 4))
        for one in arms
        for p in one.points
    ]


KIND = Kind("deciding", draw, missing="coverage_none")
