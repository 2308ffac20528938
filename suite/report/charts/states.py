"""What became of each arm's trials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from suite.contracts.results import State, StudyResults
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import LOOKS, blank, safe
from suite.report.charts.ranges import whole_ticks
from suite.report.data.search import STATES, arms_of
from suite.report.words import Words

#: Colour is the state's own here.
STATE_COLOURS: dict[State, str] = {
    "COMPLETE": "#2f9184",
    "PRUNED": "#c47f00",
    "FAIL": "#c0392b",
    "RUNNING": "#3b93cc",
    "WAITING": "#8a8f98",
}


@dataclass(frozen=True)
class ArmStates:
    """What became of an arm's trials: state -> how many."""

    arm: str
    counts: dict[State, int]

    @property
    def total(self) -> int:
        """All its trials."""
        return sum(self.counts.values())


def values(results: StudyResults) -> tuple[ArmStates, ...]:
    """Arms in the study's order, those without any trial left out."""
    found = []
    for arm in arms_of(results):
        own = [trial.state for trial in results.trials if trial.arm == arm]
        if own:
            found.append(ArmStates(arm, {state: own.count(state) for state in STATES}))
    return tuple(found)


def figure(data: Sequence[ArmStates], words: Words) -> go.Figure:
    """Trials of each arm, stacked by what became of them."""
    drawn = blank(height=120 + 30 * len(data))
    for state in STATES:
        if not any(arm.counts[state] for arm in data):
            continue
        drawn.add_trace(
            go.Bar(
                orientation="h",
                x=[arm.counts[state] for arm in data],
                y=[safe(arm.arm, 34) for arm in data],
                marker={"color": STATE_COLOURS[state], "pattern": {"shape": LOOKS[state][1]}},
                name=words(f"state_{state.lower()}"),
                hovertemplate=f"%{{y}}<br>{words(f'state_{state.lower()}')}: %{{x}}<extra></extra>",
            )
        )
    drawn.update_layout(barmode="stack", bargap=0.35)
    most = max(arm.total for arm in data)
    drawn.update_xaxes(title={"text": words("trials")}, **whole_ticks(most, 6))
    drawn.update_yaxes(autorange="reversed", type="category")
    return drawn


def finding(data: Sequence[ArmStates], words: Words) -> str:
    """What became of the trials."""
    counts = {state: sum(arm.counts[state] for arm in data) for state in data[0].counts}
    return words(
        "finding_states",
        trials=sum(counts.values()),
        complete=counts["COMPLETE"],
        pruned=counts["PRUNED"],
        failed=counts["FAIL"],
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """What became of each arm's trials; none before the first."""
    data, words = values(scene.results), scene.words
    if not data:
        return
    yield Chart(
        name="states",
        title=finding(data, words),
        about=words("states_intro"),
        figure=figure(data, words),
        columns=(words("metric_arm"), *(words(f"state_{state.lower()}") for state in STATES)),
        rows=[(arm.arm, *(arm.counts[state] for state in STATES)) for arm in data],
    )


KIND = Kind("search", draw, shape="half")
