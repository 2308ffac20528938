"""The reliability diagram: of rows that a model is so sure of, how many it gets right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import plotly.graph_objects as go

from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import NEUTRAL, Styles, blank, marker, safe
from suite.report.data.calibration import CalibrationRow, calibration_rows, curve
from suite.report.words import Words

#: Arms drawn; the table has all.
DRAWN = 8


def figure(rows: Sequence[CalibrationRow], styles: Styles, words: Words) -> go.Figure:
    """An arm's curve as it answers, and dotted what its own probabilities were."""
    drawn = blank(height=460)
    least = 1.0
    for row in rows[:DRAWN]:
        style = styles[row.arm]
        for scores, after in ((row.found.before, False), (row.found.after, True)):
            sure, right, count = curve(scores)
            if not sure or (row.kept and not after):
                continue
            least = min(least, *sure, *right)
            drawn.add_trace(
                go.Scatter(
                    x=sure,
                    y=right,
                    customdata=count,
                    mode="lines+markers",
                    line={"color": style.colour, "width": 2, "dash": "solid" if after else "dot"},
                    marker=marker(style, 7 if after else 4),
                    opacity=1 if after else 0.55,
                    name=safe(row.arm),
                    legendgroup=row.arm,
                    showlegend=after,
                    hovertemplate=(
                        f"{safe(row.arm)} ({words('calibrated' if after else 'uncalibrated')})<br>"
                        f"{words('axis_confidence')} %{{x:.3f}}<br>"
                        f"{words('axis_right')} %{{y:.3f}}<br>"
                        f"{words('by_length_count')} %{{customdata:,}}<extra></extra>"
                    ),
                )
            )
    low = max(0.0, least - 0.03)
    drawn.add_shape(
        type="line", x0=low, y0=low, x1=1, y1=1, line={"color": NEUTRAL, "width": 1, "dash": "dash"}
    )
    drawn.update_xaxes(title={"text": words("axis_confidence")}, range=[low, 1.01])
    drawn.update_yaxes(title={"text": words("axis_right"), "standoff": 8}, range=[low - 0.01, 1.02])
    return drawn


def finding(rows: Sequence[CalibrationRow], words: Words) -> str:
    """Whose confidence lay farthest from what it got right, and what was left of that."""
    told = [row for row in rows if row.found.before.ece is not None]
    if not told:
        return words("finding_calibration_none")
    worst = max(told, key=lambda row: row.found.before.ece or 0.0)
    before, after = worst.found.before.ece or 0.0, worst.found.after.ece or 0.0
    if worst.kept:
        return words("finding_calibration_kept", arm=worst.arm, before=f"{before:.3f}")
    return words("finding_calibration", arm=worst.arm, before=f"{before:.3f}", after=f"{after:.3f}")


def draw(scene: StudyScene) -> Iterator[Chart]:
    """How sure the arms are against how often they are right; none where finals do not say."""
    rows, words = calibration_rows(scene.board), scene.words
    if not rows:
        return
    drawn = rows[:DRAWN]
    yield Chart(
        name="reliability",
        title=finding(rows, words),
        about=words("reliability_intro"),
        figure=figure(rows, scene.styles, words),
        columns=(
            words("metric_arm"),
            words("calibration_state"),
            words("axis_confidence"),
            words("axis_right"),
            words("by_length_count"),
        ),
        rows=[
            (row.arm, words("calibrated" if after else "uncalibrated"), sure, right, count)
            for row in rows
            for scores, after in ((row.found.before, False), (row.found.after, True))
            for sure, right, count in zip(*curve(scores), strict=True)
        ],
        notes=(words("reliability_capped", shown=len(drawn), total=len(rows)),)
        if len(drawn) < len(rows)
        else (),
    )


KIND = Kind("calibration", draw)
