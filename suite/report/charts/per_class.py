"""F1 of each class under each arm, the hardest class first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from suite.contracts.measured import Measured
from suite.contracts.results import ClassScores
from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import Styles, blank, clip_rows, marker, safe
from suite.report.charts.ranges import common_range
from suite.report.data.classes import ClassView, Split, label_of
from suite.report.words import Words

CLASSES_DRAWN = 30


@dataclass(frozen=True)
class PerClass:
    """F1 of classes (rows, hardest first by the mean over arms) under each arm (columns); `told`
    are their scores with intervals, None where the finals told none."""

    split: Split
    arms: tuple[str, ...]
    classes: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    drawn: int
    told: tuple[tuple[ClassScores | None, ...], ...]


def values(views: Sequence[ClassView]) -> PerClass | None:
    """F1 of each class under each arm, hardest class first; arms of one split only."""
    having = [view for view in views if view.per_class_f1]
    if not having:
        return None
    split = having[0].split
    having = [
        view
        for view in having
        if view.split == split and len(view.per_class_f1) == len(having[0].per_class_f1)
    ]
    classes = range(len(having[0].per_class_f1))
    means = [sum(view.per_class_f1[c] for view in having) / len(having) for c in classes]
    order = sorted(classes, key=lambda c: (means[c], c))
    return PerClass(
        split=split,
        arms=tuple(view.arm for view in having),
        classes=tuple(order),
        scores=tuple(tuple(view.per_class_f1[c] for view in having) for c in order),
        drawn=min(len(order), CLASSES_DRAWN),
        told=tuple(
            tuple(view.per_class[c] if view.per_class else None for view in having) for c in order
        ),
    )


@dataclass(frozen=True)
class ClassCell:
    """A class under an arm as the table has it: F1, its interval, and in words the rest."""

    f1: float
    interval: str
    more: str


def table(data: PerClass, words: Words) -> list[tuple[int, tuple[ClassCell, ...]]]:
    """Each class, hardest first, under each arm."""
    return [
        (
            index,
            tuple(
                ClassCell(f1, _interval(told.f1) if told else "", _more(told, words))
                for f1, told in zip(scores, of, strict=True)
            ),
        )
        for index, scores, of in zip(data.classes, data.scores, data.told, strict=True)
    ]


def _interval(of: Measured | None) -> str:
    return formats.interval((of.low, of.high)) if of else ""


def _more(told: ClassScores | None, words: Words) -> str:
    """Precision and recall with their intervals; "" where they are not known."""
    if told is None:
        return ""
    return words("semicolon").join(
        f"{words(name)} {formats.score(of.value)} ({_interval(of)})"
        if of
        else f"{words(name)} {formats.MISSING}"
        for name, of in (("precision_of", told.precision), ("recall_of", told.recall))
    )


def figure(data: PerClass, labels: Sequence[str], styles: Styles, words: Words) -> go.Figure:
    """A row for each of the hardest classes, a marker for each arm."""
    classes = data.classes[: data.drawn]
    cells = table(data, words)[: data.drawn]
    drawn = blank(height=110 + 24 * len(classes))
    for column, arm in enumerate(data.arms):
        drawn.add_trace(
            go.Scatter(
                x=[round(scores[column], 5) for scores in data.scores[: data.drawn]],
                y=list(range(len(classes))),
                mode="markers",
                marker=marker(styles[arm], 10),
                name=safe(arm),
                customdata=[
                    [
                        safe(label_of(labels, index)),
                        f" ({own[column].interval})" if own[column].interval else "",
                        f"<br>{own[column].more}" if own[column].more else "",
                    ]
                    for index, own in cells
                ],
                hovertemplate=(
                    f"%{{customdata[0]}}<br>{safe(arm)}<br>F1 %{{x:.4f}}%{{customdata[1]}}"
                    "%{customdata[2]}<extra></extra>"
                ),
            )
        )
    shown = data.scores[: data.drawn]
    clip_rows(
        drawn,
        [
            (score, row, styles[arm].colour)
            for row, scores in enumerate(shown)
            for arm, score in zip(data.arms, scores, strict=True)
        ],
        common_range([score for scores in shown for score in scores]),
    )
    drawn.update_xaxes(title={"text": "F1"}, tickformat=".3~f")
    drawn.update_yaxes(
        tickvals=list(range(len(classes))),
        ticktext=[safe(label_of(labels, c), 26) for c in classes],
        range=[len(classes) - 0.5, -0.5],
        zeroline=False,
    )
    return drawn


def finding(data: PerClass, labels: Sequence[str], words: Words) -> str:
    """The hardest class and the easiest."""
    means = [sum(scores) / len(scores) for scores in data.scores]
    return words(
        "finding_per_class",
        hard=formats.name(label_of(labels, data.classes[0])),
        low=formats.score(means[0]),
        easy=formats.name(label_of(labels, data.classes[-1])),
        high=formats.score(means[-1]),
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """F1 of each class under each arm; none where no class was scored."""
    data, words, labels = values(scene.views), scene.words, scene.results.labels
    if data is None:
        return
    notes = []
    if data.drawn < len(data.classes):
        notes.append(words("per_class_capped", shown=data.drawn, classes=len(data.classes)))
    yield Chart(
        name="per-class",
        title=finding(data, labels, words),
        about=words.sentences(
            [
                words("per_class_intro", split=words(f"split_{data.split}")),
                words("per_class_intervals") if any(map(any, data.told)) else "",
            ]
        ),
        figure=figure(data, labels, scene.styles, words),
        columns=(words("class"), *data.arms),
        rows=[
            (label_of(labels, c), *scores)
            for c, scores in zip(data.classes, data.scores, strict=True)
        ],
        notes=tuple(notes),
    )


KIND = Kind("classes", draw)
