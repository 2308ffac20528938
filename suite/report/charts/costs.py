"""Where the search's time went, arm by arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from suite.contracts.results import StudyResults, Trial
from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import blank, safe, time_unit
from suite.report.data.search import arms_of, span_of
from suite.report.words import Words

PARTS = (("training", "#0077bb"), ("scoring", "#c47f00"), ("other", "#8a8f98"))


@dataclass(frozen=True)
class ArmCost:
    """What searching an arm took, in seconds of wall clock, by what it was spent on.

    `other` is what is neither training nor scoring: loading, serving measurements, processes.
    """

    arm: str
    trials: int
    training: float
    scoring: float
    other: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.training + self.scoring + self.other


def values(results: StudyResults) -> tuple[ArmCost, ...]:
    """What each arm's trials took, the dearest first."""
    found = []
    for arm in arms_of(results):
        spans = [(t, span) for t in results.trials if t.arm == arm and (span := span_of(t))]
        if not spans:
            continue
        training = scoring = other = 0.0
        for trial, (start, end) in spans:
            wall = (end - start).total_seconds()
            # Times are kept to the second here, and a cache adds back what it saved: the parts
            # must not exceed the whole.
            trained = min(_trained(trial), wall)
            scored = min(trial.evaluation_seconds or 0.0, wall - trained)
            training, scoring = training + trained, scoring + scored
            other += wall - trained - scored
        found.append(ArmCost(arm, len(spans), training, scoring, other))
    return tuple(sorted(found, key=lambda cost: (-cost.seconds, cost.arm)))


def _trained(trial: Trial) -> float:
    if trial.train_seconds is not None:
        return trial.train_seconds
    return max((c.train_seconds for c in trial.checkpoints), default=0.0)


def figure(data: Sequence[ArmCost], words: Words) -> go.Figure:
    """Wall-clock time of each arm's trials by what it was spent on."""
    drawn = blank(height=120 + 30 * len(data))
    unit, per = time_unit(max((arm.seconds for arm in data), default=0.0))
    for part, colour in PARTS:
        drawn.add_trace(
            go.Bar(
                orientation="h",
                x=[round(getattr(arm, part) / per, 4) for arm in data],
                y=[safe(arm.arm, 34) for arm in data],
                marker={"color": colour},
                name=words(f"cost_{part}"),
                customdata=[f"{getattr(arm, part):,.0f}" for arm in data],
                hovertemplate=(
                    f"%{{y}}<br>{words(f'cost_{part}')}: %{{customdata}} s<extra></extra>"
                ),
            )
        )
    drawn.update_layout(barmode="stack", bargap=0.35)
    drawn.update_xaxes(title={"text": words(f"axis_wall_{unit}")}, rangemode="tozero")
    drawn.update_yaxes(autorange="reversed", type="category")
    return drawn


def finding(data: Sequence[ArmCost], words: Words) -> str:
    """The dearest arm."""
    total = sum(arm.seconds for arm in data)
    return words(
        "finding_costs",
        arm=formats.name(data[0].arm),
        share=formats.whole_percent(data[0].seconds / total if total else 0.0),
        time=formats.duration(total, words),
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """Where the search's time went; none where no trial has ended."""
    data, words = values(scene.results), scene.words
    if not sum(arm.seconds for arm in data):
        return
    yield Chart(
        name="costs",
        title=finding(data, words),
        about=words("costs_intro"),
        figure=figure(data, words),
        columns=(
            words("metric_arm"), words("trials"),
            *(f"{words(f'cost_{part}')}, s" for part, _ in PARTS),
        ),
        rows=[(a.arm, a.trials, a.training, a.scoring, a.other) for a in data],
    )  # fmt: skip


KIND = Kind("search", draw, shape="half")
