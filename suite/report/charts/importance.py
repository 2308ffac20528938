"""What each hyperparameter explains of the differences between an arm's trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import NEUTRAL, ROWS_DRAWN, Styles, blank, safe
from suite.report.data.knobs import Importance, importances
from suite.report.words import Words


def figure(data: Sequence[Importance], styles: Styles, words: Words) -> go.Figure:
    """A bar for each hyperparameter, in its arm's colour."""
    drawn = blank(height=120 + 22 * len(data))
    for arm in dict.fromkeys(item.arm for item in data):
        rows = [(i, item) for i, item in enumerate(data) if item.arm == arm]
        drawn.add_trace(
            go.Bar(
                orientation="h",
                x=[item.value for _, item in rows],
                y=[i for i, _ in rows],
                marker={"color": styles[arm].colour if arm in styles else NEUTRAL},
                name=safe(arm),
                customdata=[safe(item.parameter) for _, item in rows],
                hovertemplate=f"{safe(arm)}<br>%{{customdata}}: %{{x:.1%}}<extra></extra>",
            )
        )
    drawn.update_xaxes(
        title={"text": words("axis_importance")}, rangemode="tozero", tickformat=".0%"
    )
    drawn.update_yaxes(
        tickvals=list(range(len(data))),
        ticktext=[safe(item.parameter, 30) for item in data],
        range=[len(data) - 0.5, -0.5],
    )
    drawn.update_layout(bargap=0.35)
    return drawn


def _foremost(data: Sequence[Importance]) -> list[Importance]:
    """As many of each arm's most important hyperparameters as make `ROWS_DRAWN` rows in all."""
    arms = {item.arm for item in data}
    each = max(1, ROWS_DRAWN // len(arms))
    taken: dict[str, int] = {}
    kept = []
    for item in data:
        taken[item.arm] = taken.get(item.arm, 0) + 1
        if taken[item.arm] <= each:
            kept.append(item)
    return kept


def finding(data: Sequence[Importance], words: Words) -> str:
    """The hyperparameter that explains most of all."""
    most = max(data, key=lambda item: item.value)
    return words(
        "finding_importance",
        arm=formats.name(most.arm),
        parameter=formats.name(most.parameter),
        share=formats.whole_percent(most.value),
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """What each hyperparameter explains; none where no arm has enough trials."""
    every, words = importances(scene.results), scene.words
    if not every:
        return
    data = _foremost(every)
    yield Chart(
        name="importance",
        title=finding(data, words),
        about=words("importance_intro"),
        figure=figure(data, scene.styles, words),
        columns=(words("metric_arm"), words("hyperparameter"), words("axis_importance")),
        rows=[(item.arm, item.parameter, item.value) for item in every],
        notes=(words("importance_capped", shown=len(data), total=len(every)),)
        if len(data) < len(every)
        else (),
    )


KIND = Kind("mattered", draw, missing="importance_none")
