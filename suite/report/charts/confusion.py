"""One arm's confusion matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import plotly.graph_objects as go

from suite.report import formats
from suite.report.charts.chart import Cell, Chart, Kind, StudyScene
from suite.report.charts.drawing import blank, safe, unique
from suite.report.data.classes import ClassView, label_of
from suite.report.words import Words

#: Above so many classes a matrix carries no numbers; no names.
CLASSES_WITH_NUMBERS = 16
CLASSES_NAMED = 30
#: Of more classes than carry numbers, a matrix of so many stands first.
CLASSES_EXCERPTED = 12
#: From the page's paper to a deep blue; the page puts its own colours in where it is dark.
HEAT = [[0.0, "#f7f9fc"], [0.25, "#bcd3ea"], [0.6, "#4f8cc4"], [1.0, "#0b3d70"]]


def figure(
    view: ClassView, labels: Sequence[str], words: Words, classes: Sequence[int] | None = None
) -> go.Figure:
    """The matrix as a heat map of shares; counts are written in while classes are few.

    `classes` are those to draw, in their order; all where None.
    """
    drawn_classes = range(len(view.counts)) if classes is None else classes
    size = len(drawn_classes)
    counts = [[view.counts[i][j] for j in drawn_classes] for i in drawn_classes]
    shares = [[view.shares[i][j] for j in drawn_classes] for i in drawn_classes]
    names = unique([safe(label_of(labels, i), 24) for i in drawn_classes])
    columns = names
    if view.unanswered:
        columns = unique([*names, words("no_answer")])
        for row, i in enumerate(drawn_classes):
            counts[row].append(view.unanswered[i])
            shares[row].append(view.silence(i))
    few = size <= CLASSES_WITH_NUMBERS
    # Names of so many classes can't be read on an axis: the pointer tells them.
    named = size <= CLASSES_NAMED
    drawn = blank(height=min(700, 220 + 46 * size) if few else 640)
    drawn.add_trace(
        go.Heatmap(
            x=columns,
            y=names,
            z=[[None if s is None else round(s, 4) for s in row] for row in shares],
            customdata=counts,
            text=counts if few else None,
            texttemplate="%{text}" if few else None,
            colorscale=HEAT,
            zmin=0,
            zmax=1,
            xgap=1 if named else 0,
            ygap=1 if named else 0,
            colorbar={
                "orientation": "h",
                "x": 0.5,
                "y": 1.0,
                "yanchor": "bottom",
                "ypad": 6,
                "thickness": 8,
                "len": 0.6,
                "tickformat": ".0%",
                "outlinewidth": 0,
                "nticks": 5,
            },
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
    # As high as it is wide, whatever width it is drawn at.
    drawn.update_layout(meta={"square": True})
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
    most = next((c for c in view.confusions if c.predicted >= 0), None)
    if most is None:
        silent = view.confusions[0]
        return words(
            "finding_unanswered",
            true=formats.name(label_of(labels, silent.true)),
            rows=silent.count,
            share=formats.percent(silent.share),
        )
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
        size = len(view.counts)
        split = words(f"split_{view.split}")
        told = f"{split} · {words('trial')} {view.trial}"
        title, about = finding(view, labels, words), words("confusion_intro", split=split)
        if size > CLASSES_WITH_NUMBERS:
            classes = most_confused(view)
            yield Chart(
                name=f"confused-{position}",
                title=title,
                about=words("confused_intro", shown=len(classes), classes=size, split=split),
                figure=figure(view, labels, words, classes),
                columns=_columns(words),
                rows=_rows(view, labels, classes),
                arm=view.arm,
                told=told,
            )
            title = words("finding_whole", classes=size, share=formats.percent(_right(view)))
            if size > CLASSES_NAMED:
                about = words("confusion_zoom", split=split)
        yield Chart(
            name=f"confusion-{position}",
            title=title,
            about=about,
            figure=figure(view, labels, words),
            columns=_columns(words),
            rows=[*_rows(view, labels, range(size)), *_silent(view, labels, words)],
            notes=(words("confusion_summed", seeds=view.seeds),) if view.seeds > 1 else (),
            arm=view.arm,
            told=told,
        )


def most_confused(view: ClassView) -> list[int]:
    """The classes between which most rows are confused, in the order of the classes."""
    size = range(len(view.counts))
    pairs = sorted(
        ((view.counts[i][j], i, j) for i in size for j in size if i != j and view.counts[i][j]),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    found: dict[int, None] = {}
    for _, true, predicted in pairs:
        if len(found.keys() | {true, predicted}) <= CLASSES_EXCERPTED:
            found |= {true: None, predicted: None}
    return sorted(found or dict.fromkeys(list(size)[:CLASSES_EXCERPTED]))


def _right(view: ClassView) -> float:
    rows = sum(map(sum, view.counts)) + sum(view.unanswered)
    return sum(view.counts[i][i] for i in range(len(view.counts))) / rows if rows else 0.0


def _columns(words: Words) -> tuple[str, ...]:
    return (
        words("true_class"), words("predicted_class"), words("count"), words("share_of_class")
    )  # fmt: skip


def _rows(view: ClassView, labels: Sequence[str], classes: Sequence[int]) -> list[tuple[Cell, ...]]:
    return [
        (label_of(labels, i), label_of(labels, j), view.counts[i][j], view.shares[i][j])
        for i in classes
        for j in classes
        if view.counts[i][j]
    ]


def _silent(view: ClassView, labels: Sequence[str], words: Words) -> list[tuple[Cell, ...]]:
    """The rows that were not answered, as the table of the matrix has them."""
    return [
        (label_of(labels, i), words("no_answer"), n, view.silence(i))
        for i, n in enumerate(view.unanswered)
        if n
    ]


KIND = Kind("classes", draw, shape="arms")
