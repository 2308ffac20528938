"""Trials by worker: who ran what when, and how much of the time nobody used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from suite.contracts import moments
from suite.contracts.results import State, StudyResults
from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import LOOKS, Styles, blank, safe, time_unit
from suite.report.data.search import STATES, span_of
from suite.report.words import Words

#: Bars that are drawn at most.
BARS_DRAWN = 1500


@dataclass(frozen=True)
class Bar:
    """One trial on its worker's line; moments in seconds since the first trial began."""

    trial: int
    arm: str
    state: State
    worker: str
    start: float
    end: float


@dataclass(frozen=True)
class Timeline:
    """Trials by worker. `idle_share` is the part of the workers' time with no trial on it."""

    bars: tuple[Bar, ...]
    workers: tuple[str, ...]
    began: str
    seconds: float
    idle_share: float
    total: int


def values(results: StudyResults, cap: int = BARS_DRAWN) -> Timeline | None:
    """Every trial with a beginning; None where there is none. The longest bars are kept."""
    spans = [(trial, *span) for trial in results.trials if (span := span_of(trial))]
    if not spans:
        return None
    first = min(start for _, start, _ in spans)
    # A study that was left and taken up again would be mostly gap: the gap is no one's time.
    bars = [
        Bar(
            trial=trial.number,
            arm=trial.arm,
            state=trial.state,
            worker=trial.worker or "?",
            start=(start - first).total_seconds(),
            end=(end - first).total_seconds(),
        )
        for trial, start, end in spans
    ]
    workers = tuple(dict.fromkeys(bar.worker for bar in sorted(bars, key=lambda b: b.start)))
    busy = available = 0.0
    for worker in workers:
        own = [bar for bar in bars if bar.worker == worker]
        busy += sum(bar.end - bar.start for bar in own)
        available += max(bar.end for bar in own) - min(bar.start for bar in own)
    drawn = sorted(bars, key=lambda bar: bar.start - bar.end)[:cap]
    return Timeline(
        bars=tuple(sorted(drawn, key=lambda bar: bar.start)),
        workers=workers,
        began=moments.shown(first.isoformat()),
        seconds=max(bar.end for bar in bars),
        idle_share=max(0.0, 1 - busy / available) if available else 0.0,
        total=len(bars),
    )


def figure(data: Timeline, styles: Styles, words: Words) -> go.Figure:
    """A bar for each trial on its worker's line."""
    drawn = blank(height=150 + 34 * len(data.workers))
    unit, per = time_unit(data.seconds)
    least = data.seconds / 600
    line = {worker: i for i, worker in enumerate(data.workers)}
    for arm in dict.fromkeys(bar.arm for bar in data.bars):
        named = False
        for state in STATES:
            bars = [bar for bar in data.bars if bar.arm == arm and bar.state == state]
            if not bars:
                continue
            opacity, pattern = LOOKS[state]
            drawn.add_trace(
                go.Bar(
                    orientation="h",
                    base=[round(bar.start / per, 4) for bar in bars],
                    # Shorter than a pixel it could not be pointed at.
                    x=[round(max(bar.end - bar.start, least) / per, 4) for bar in bars],
                    y=[line[bar.worker] for bar in bars],
                    width=0.72,
                    marker={
                        "color": styles[arm].colour,
                        "opacity": opacity,
                        "pattern": {"shape": pattern},
                        "line": {"width": 0},
                    },
                    name=safe(arm),
                    legendgroup=safe(arm),
                    showlegend=not named,
                    customdata=[[bar.trial, f"{bar.end - bar.start:,.0f}"] for bar in bars],
                    hovertemplate=(
                        f"{safe(arm)}<br>{words('trial')} %{{customdata[0]}}, "
                        f"{words(f'state_{state.lower()}')}, %{{customdata[1]}} s<extra></extra>"
                    ),
                )
            )
            named = True
    drawn.update_layout(barmode="overlay")
    drawn.update_xaxes(title={"text": words(f"axis_elapsed_{unit}")}, rangemode="tozero")
    drawn.update_yaxes(
        tickvals=list(range(len(data.workers))),
        ticktext=[safe(worker, 26) for worker in data.workers],
        range=[len(data.workers) - 0.5, -0.5],
        showgrid=False,
    )
    return drawn


def finding(data: Timeline, words: Words) -> str:
    """How long the search took, and how much of that nobody used."""
    return words(
        "finding_timeline",
        trials=data.total,
        time=formats.duration(data.seconds, words),
        workers=len(data.workers),
        idle=formats.whole_percent(data.idle_share),
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """Trials by worker; none before the first."""
    data, words = values(scene.results), scene.words
    if data is None:
        return
    notes = []
    if len(data.bars) < data.total:
        notes.append(words("timeline_capped", shown=len(data.bars), trials=data.total))
    yield Chart(
        name="timeline",
        title=finding(data, words),
        about=words("timeline_intro", began=data.began),
        figure=figure(data, scene.styles, words),
        columns=(
            words("trial"), words("metric_arm"), words("state"), words("worker"),
            words("start_seconds"), words("end_seconds"),
        ),
        rows=[
            (b.trial, b.arm, words(f"state_{b.state.lower()}"), b.worker, b.start, b.end)
            for b in data.bars
        ],
        notes=tuple(notes),
    )  # fmt: skip


KIND = Kind("search", draw)
