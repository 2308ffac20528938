"""One arm's confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import blank, safe, unique
from suite.report.data.classes import ClassView, label_of
from suite.report.words import Words

#: Above so many classes a matrix carries no numbers; no names.
CLASSES_WITH_NUMBERS = 16
CLASSES_NAMED = 45
#: From the page's paper to a deep blue; the page puts its own colours in where it is dark.
HEAT = [[0.0, "#f7f9fc"], [0.25, "#bcd3ea"], [0.6, "#4f8cc4"], [1.0, "#0b3d70"]]


def figure(view: ClassView, labels: Sequence[str], words: Words) -> go.Figure:
    """The matrix as a heat map of shares; counts are written in while classes are few."""
    size = len(view.counts)
    names = unique([safe(label_of(labels, i), 24) for i in range(size)])
    few = size <= CLASSES_WITH_NUMBERS
    # Names of so many classes can't be read on an axis: the pointer tells them.
    named = size <= CLASSES_NAMED
    drawn = blank(height=min(700, 220 + 46 * size) if few else 640)
    drawn.add_trace(
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
    drawn.update_xaxes(title={"text": words("predicted_class")}, **ticks)
    drawn.update_yaxes(
        title={"text": words("true_class"), "standoff": 10},
        autorange="reversed",
        scaleanchor="x",
        constraintoward="top",
        **ticks,
    )
    return drawn


def finding(view: ClassView, labels: Sequence[str], words: Words) -> str:
    """The most frequent confusion."""
    if not view.confusions:
        return words("no_confusions")
    most = view.confusions[0]
    return words(
        "finding_confusion" if view.seeds == 1 else "finding_confusion_seeds",
        true=formats.name(label_of(labels, most.true)),
        predicted=formats.name(label_of(labels, most.predicted)),
        rows=most.count,
        share=formats.percent(most.share),
        seeds=view.seeds,
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """Each arm's matrix."""
    words, labels = scene.words, scene.results.labels
    for position, view in enumerate(scene.views):
        if not view.counts:
            continue
        size = range(len(view.counts))
        split = words(f"split_{view.split}")
        yield Chart(
            name=f"confusion-{position}",
            title=finding(view, labels, words),
            about=words("confusion_intro", split=split),
            figure=figure(view, labels, words),
            columns=(
                words("true_class"), words("predicted_class"), words("count"),
                words("share_of_class"),
            ),
            rows=[
                (label_of(labels, i), label_of(labels, j), view.counts[i][j], view.shares[i][j])
                for i in size
                for j in size
                if view.counts[i][j]
            ],
            notes=(words("confusion_summed", seeds=view.seeds),) if view.seeds > 1 else (),
            arm=view.arm,
            told=f"{split} · {words('trial')} {view.trial}",
        )  # fmt: skip


KIND = Kind("classes", draw, shape="arms")
