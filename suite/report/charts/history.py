"""The objective by trial, and the best so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import NEUTRAL, Styles, blank, clip, marker, safe
from suite.report.charts.ranges import common_range, whole_ticks
from suite.report.data.rows import last_score
from suite.report.words import Words
from suite.verdict.metrics import METRICS

TRIALS_DRAWN = 1500


@dataclass(frozen=True)
class TrialPoint:
    """A finished trial's objective."""

    number: int
    arm: str
    score: float
    pruned: bool


@dataclass(frozen=True)
class History:
    """Trials by number; `best` is the running best of complete ones as (number, score) steps."""

    points: tuple[TrialPoint, ...]
    best: tuple[tuple[int, float], ...]
    total: int
    numbers: tuple[int, ...]
    """Of every finished trial, also of those that are not drawn."""
    objective: str = DEFAULT_OBJECTIVE

    def after(self, number: int) -> int:
        """How many trials finished with a higher number."""
        return sum(other > number for other in self.numbers)


def values(results: StudyResults, cap: int = TRIALS_DRAWN) -> History:
    """The objective of every finished trial; above `cap` improvements stay, others are thinned."""
    points = [
        TrialPoint(trial.number, trial.arm, value, trial.state == "PRUNED")
        for trial in sorted(results.trials, key=lambda t: t.number)
        if trial.state in ("COMPLETE", "PRUNED") and (value := last_score(trial)) is not None
    ]
    best: list[tuple[int, float]] = []
    merit = METRICS[results.objective].merit
    for point in points:
        if not point.pruned and (not best or merit(point.score) > merit(best[-1][1])):
            best.append((point.number, point.score))
    total, numbers = len(points), tuple(point.number for point in points)
    if best and points[-1].number > best[-1][0]:
        best.append((points[-1].number, best[-1][1]))
    if total > cap:
        kept = {number for number, _ in best}
        rest = [point for point in points if point.number not in kept]
        step = len(rest) / max(1, cap - len(kept))
        chosen = {rest[int(i * step)].number for i in range(int(len(rest) / step))}
        points = [point for point in points if point.number in kept | chosen]
    return History(tuple(points), tuple(best), total, numbers, results.objective)


def figure(data: History, styles: Styles, words: Words) -> go.Figure:
    """The objective by trial number, and the best so far as steps."""
    drawn = blank(height=430)
    drawn.add_trace(
        go.Scatter(
            x=[number for number, _ in data.best],
            y=[score for _, score in data.best],
            mode="lines",
            line={"shape": "hv", "color": NEUTRAL, "width": 1.5},
            name=words("best_so_far"),
            hoverinfo="skip",
        )
    )
    for arm, style in styles.items():
        named = False
        for pruned in (False, True):
            points = [p for p in data.points if p.arm == arm and p.pruned == pruned]
            if not points:
                continue
            state = words("state_pruned" if pruned else "state_complete")
            drawn.add_trace(
                go.Scatter(
                    x=[point.number for point in points],
                    y=[round(point.score, 5) for point in points],
                    mode="markers",
                    marker={**marker(style, 8), "opacity": 0.35 if pruned else 0.95},
                    name=safe(arm),
                    legendgroup=safe(arm),
                    showlegend=not named,
                    hovertemplate=(
                        f"{safe(arm)}<br>{words('trial')} %{{x}} ({state})<br>"
                        "%{y:.4f}<extra></extra>"
                    ),
                )
            )
            named = True
    newest = max((point.number for point in data.points), default=0)
    drawn.update_xaxes(
        title={"text": words("axis_trial")}, rangemode="tozero", **whole_ticks(newest)
    )
    bounds = common_range([point.score for point in data.points])
    clip(drawn, [(p.number, p.score, styles[p.arm].colour) for p in data.points], bounds)
    drawn.update_yaxes(
        title={"text": words.axis(f"validation_{data.objective}"), "standoff": 8}, tickformat=".3~f"
    )
    return drawn


def finding(data: History, words: Words) -> str:
    """Which trial brought the best score, and how many came after it."""
    if not data.best:
        return words("finding_history_none")
    top = max((score for _, score in data.best), key=METRICS[data.objective].merit)
    number = next(number for number, score in data.best if score == top)
    arm = next((p.arm for p in data.points if p.number == number), "")
    return words(
        "finding_history",
        n=str(number),
        arm=formats.name(arm),
        score=formats.score(top),
        trials=data.after(number),
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """The objective by trial; none before the first finished one."""
    data, words = values(scene.results), scene.words
    if not data.points:
        return
    notes = []
    if len(data.points) < data.total:
        notes.append(words("history_capped", shown=len(data.points), trials=data.total))
    yield Chart(
        name="history",
        title=finding(data, words),
        about=words("history_intro"),
        figure=figure(data, scene.styles, words),
        columns=(
            words("trial"),
            words("metric_arm"),
            words("state"),
            METRICS[data.objective].label(words.language),
        ),
        rows=[
            (p.number, p.arm, words("state_pruned" if p.pruned else "state_complete"), p.score)
            for p in data.points
        ],
        notes=tuple(notes),
    )


KIND = Kind("search", draw)
