"""The charts of the page across studies: what each shows, then its picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import plotly.graph_objects as go

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.charts import drawing, study_charts
from suite.report.charts.chart import Chart
from suite.report.data import chart_data
from suite.report.data.across import FAR, Across, ArmChange, SideBySide, shown, task_ranks
from suite.report.data.chart_data import PALETTE, Style
from suite.report.data.rows import METRICS, leaderboard
from suite.report.words import Words

Styles = Mapping[str, Style]
Cost = Literal["speed", "training"]

#: Arms drawn in a chart of rows.
ROWS_DRAWN = 40
#: Won, level, lost; and better, could be chance, worse.
GOOD, NEUTRAL, BAD = PALETTE[2], drawing.NEUTRAL, PALETTE[4]
PALE = "#c4c8ce"


@dataclass(frozen=True)
class CostPoint:
    """An arm on one task: its cost as a multiple of the reference's, its distance to the best."""

    task: str
    x: float
    y: float


@dataclass(frozen=True)
class CostArm:
    """An arm's points; `mean` is None where some task has no figure or machines differ."""

    arm: str
    points: tuple[CostPoint, ...]
    mean: tuple[float, float] | None


@dataclass(frozen=True)
class AcrossCharts:
    """Every chart of the page across studies, each None or missing where its data is."""

    ranks: Chart | None
    wins: Chart | None
    costs: list[Chart]
    small: list[tuple[Cost, list[Chart]]]
    changes: list[Chart | None]

    @staticmethod
    def of(data: Across, studies: Sequence[StudyResults], words: Words) -> AcrossCharts:
        """The charts of these studies, of which `data` tells."""
        styles = styles_of(studies)
        several = len(data.counted) > 1
        kinds: tuple[Cost, ...] = ("speed", "training") if several else ()
        costs = [cost_chart(data, cost, styles, words) for cost in kinds]
        return AcrossCharts(
            ranks=ranks_chart(data, styles, words),
            wins=wins_chart(data, words) if several else None,
            costs=[chart for chart in costs if chart is not None],
            small=[
                (cost, drawn)
                for cost, drawn in small_multiples(data, studies, styles, words)
                if drawn
            ],
            changes=[change_chart(pair, f"pair-{i}", words) for i, pair in enumerate(data.pairs)],
        )

    def all(self) -> list[Chart]:
        """The charts there are, in the page's order."""
        found = [
            self.ranks,
            self.wins,
            *self.costs,
            *(chart for _, drawn in self.small for chart in drawn),
            *self.changes,
        ]
        return [chart for chart in found if chart is not None]


def styles_of(studies: Sequence[StudyResults]) -> dict[str, Style]:
    """One look for every arm of all studies."""
    first = studies[0]
    return chart_data.styles(
        replace(
            first,
            arms=list({arm.arm: arm for results in studies for arm in results.arms}.values()),
            trials=[trial for results in studies for trial in results.trials],
            finals=[final for results in studies for final in results.finals],
        )
    )


def cost_arms(data: Across, cost: Cost) -> list[CostArm]:
    """Every arm that was measured on a counted task, in the table's order."""
    found = []
    for arm in data.arms:
        points = [
            CostPoint(column.name, value, cell.gap)
            for column in data.counted
            if (cell := data.cell(arm, column)).gap is not None
            and (value := getattr(cell, cost)) is not None
        ]
        if not points:
            continue
        mean_x = getattr(arm, cost)
        mean = None
        if mean_x is not None and arm.mean_gap is not None and len(data.counted) > 1:
            mean = (mean_x, arm.mean_gap)
        found.append(CostArm(arm.arm, tuple(points), mean))
    return found


def ranks_chart(data: Across, styles: Styles, words: Words) -> Chart | None:
    """Ranks of the common arms; None where fewer than two arms or tasks are common."""
    if len(data.common) < 2 or len(data.counted) < 2:
        return None
    ranks = task_ranks(data)
    arms = [arm for arm in data.arms if arm.arm in ranks][:ROWS_DRAWN]
    names = drawing.unique([_name(arm.arm) for arm in arms])
    columns = data.counted
    figure = drawing.blank(height=max(250, 90 + 34 * len(arms)))
    best = arms[0].average_rank or 1.0
    if data.over_tasks is not None:
        figure.add_vrect(
            x0=best,
            x1=best + data.over_tasks.critical_difference,
            fillcolor=NEUTRAL,
            opacity=0.16,
            line_width=0,
            layer="below",
        )
    for name, arm in zip(names, arms, strict=True):
        style, own = styles[arm.arm], ranks[arm.arm]
        figure.add_trace(
            go.Scatter(
                x=list(own),
                y=[name] * len(own),
                mode="lines+markers",
                line={"color": style.colour, "width": 1.5},
                marker={**drawing.marker(style, 7), "opacity": 0.55},
                opacity=0.6,
                customdata=[_name(column.name) for column in columns],
                hovertemplate=f"{name}<br>%{{customdata}}: %{{x:.4~g}}<extra></extra>",
                showlegend=False,
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[arm.average_rank],
                y=[name],
                mode="markers",
                marker=drawing.marker(style, 15),
                hovertemplate=(
                    f"{name}<br>{words('across_average_rank')} %{{x:.2f}}<extra></extra>"
                ),
                showlegend=False,
            )
        )
    figure.update_xaxes(
        title={"text": words("axis_rank")}, range=[0.6, len(data.common) + 0.4],
        dtick=1 if len(data.common) <= 20 else None, tickformat="d",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category")
    leader = arms[0]
    about = [words("across_ranks_about")]
    if data.over_tasks is not None:
        about.append(words("across_ranks_band"))
    return Chart(
        name="ranks",
        title=words(
            "across_ranks_title",
            k=len(data.common),
            arm=shown(leader.arm),
            first=sum(rank == 1 for rank in ranks[leader.arm]),
            n=len(columns),
            worst=f"{max(ranks[leader.arm]):.4g}",
        ),
        about=words.sentences(about),
        figure=figure,
        columns=(
            words("metric_arm"), words("across_average_rank"), *(c.name for c in columns)
        ),
        rows=[(arm.arm, arm.average_rank, *ranks[arm.arm]) for arm in arms],
    )  # fmt: skip


def wins_chart(data: Across, words: Words) -> Chart | None:
    """Contests won, level and lost; None where there was none."""
    arms = [arm for arm in data.arms if arm.contests]
    if not arms:
        return None
    arms.sort(key=lambda arm: (-(arm.share("won") or 0), arm.share("lost") or 0, arm.arm))
    drawn = arms[:ROWS_DRAWN]
    names = drawing.unique([_name(arm.arm) for arm in drawn])
    figure = drawing.blank(height=110 + 34 * len(drawn))
    kinds: tuple[tuple[Literal["won", "level", "lost"], str, str], ...] = (
        ("won", GOOD, "across_won_long"),
        ("level", PALE, "across_level"),
        ("lost", BAD, "across_lost_long"),
    )
    for outcome, colour, key in kinds:
        counts = [getattr(arm, outcome) for arm in drawn]
        figure.add_trace(
            go.Bar(
                x=[arm.share(outcome) for arm in drawn],
                y=names,
                orientation="h",
                name=words(key),
                marker={"color": colour},
                textfont={"color": "#1c2128" if outcome == "level" else "#ffffff"},
                text=[str(count) if count else "" for count in counts],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                customdata=[
                    [count, arm.contests] for count, arm in zip(counts, drawn, strict=True)
                ],
                hovertemplate=(
                    f"%{{y}}<br>{words(key)}: %{{customdata[0]}} / %{{customdata[1]}}"
                    "<extra></extra>"
                ),
            )
        )
    figure.update_layout(barmode="stack", bargap=0.35, legend={"traceorder": "normal"})
    figure.update_xaxes(
        title={"text": words("axis_share_contests")}, tickformat=".0%", range=[0, 1]
    )
    figure.update_yaxes(
        autorange="reversed", type="category", showgrid=False, ticks="outside", ticklen=6,
        tickcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    top = arms[0]
    return Chart(
        name="wins",
        title=words(
            "across_wins_title",
            arm=shown(top.arm),
            won=top.won,
            contests=top.contests,
            lost=top.lost,
        ),
        about=words("across_wins_about"),
        figure=figure,
        columns=(
            words("metric_arm"), words("across_won"), words("across_level"), words("across_lost")
        ),
        rows=[(arm.arm, arm.won, arm.level, arm.lost) for arm in arms],
    )  # fmt: skip


def cost_chart(data: Across, cost: Cost, styles: Styles, words: Words) -> Chart | None:
    """Distance to the best against a relative cost, over all tasks."""
    every = cost_arms(data, cost)
    if not every:
        return None
    arms, far = _near(every)
    base = shown(data.reference) if data.reference else words("across_median")
    axis = words(f"across_cost_{cost}", base=base)
    figure = drawing.blank(height=430)
    widths = [math.log10(point.x) for arm in arms for point in arm.points]
    heights = [point.y for arm in arms for point in arm.points]
    x_range = _padded(min(widths), max(widths), 0.14, 0.2)
    y_range = _padded(min(heights), max(heights), 0.10, 0.01)
    figure.add_vline(x=1, line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    named = [(arm, arm.mean) for arm in arms if arm.mean is not None]
    places = [
        (
            arm.arm,
            (math.log10(x) - x_range[0]) / (x_range[1] - x_range[0]),
            (y - y_range[0]) / (y_range[1] - y_range[0]),
        )
        for arm, (x, y) in named
    ]
    labels = dict(zip((p[0] for p in places), chart_data.place_labels(places), strict=True))
    for arm in arms:
        style, name = styles[arm.arm], _name(arm.arm)
        figure.add_trace(
            go.Scatter(
                x=[point.x for point in arm.points],
                y=[round(point.y, 6) for point in arm.points],
                mode="markers",
                marker={**drawing.marker(style, 8), "opacity": 0.5 if named else 0.9},
                name=name,
                # An arm without a mean has no name in the picture.
                showlegend=arm.mean is None,
                customdata=[_name(point.task) for point in arm.points],
                hovertemplate=(
                    f"{name}<br>%{{customdata}}: %{{y:+.4f}}, %{{x:.3~g}}×<extra></extra>"
                ),
            )
        )
    for arm, (x, y) in named:
        style, name = styles[arm.arm], _name(arm.arm)
        figure.add_trace(
            go.Scatter(
                x=[x],
                y=[round(y, 6)],
                mode="markers+text",
                text=[name],
                textposition=labels[arm.arm],
                textfont={"size": 12},
                cliponaxis=False,
                marker=drawing.marker(style, 15),
                name=name,
                showlegend=False,
                hovertemplate=(
                    f"{name}<br>{words('across_mean')}: %{{y:+.4f}}, %{{x:.3~g}}×<extra></extra>"
                ),
            )
        )
    figure.update_xaxes(
        title={"text": words("axis_log", title=axis)},
        type="log",
        range=list(x_range),
        dtick=1 if x_range[1] - x_range[0] > 1.5 else "D2",
        tickformat=",~g",
        ticksuffix="×",
        exponentformat="none",
    )
    figure.update_yaxes(
        title={"text": words("axis_gap"), "standoff": 8},
        range=list(y_range),
        tickformat=".3~f",
        nticks=7,
    )
    rows: list[tuple[str | float, ...]] = [
        (arm.arm, point.task, point.x, point.y) for arm in every for point in arm.points
    ]
    notes = []
    if far:
        points = [
            words("across_far_point", arm=shown(arm), task=shown(task), gap=f"{y:+.3f}")
            for arm, task, y in far[:6]
        ]
        more = [words("answer_more", n=len(far) - 6)] if len(far) > 6 else []
        notes.append(words("across_far", far=FAR, points=words.join(points + more)))
    rows += [(arm.arm, words("across_mean"), x, y) for arm, (x, y) in named]
    return Chart(
        name=f"across-{cost}",
        title=_cost_title(data, cost, arms, base, words),
        about=words("across_trade_about", cost=axis),
        figure=figure,
        columns=(words("metric_arm"), words("task"), axis, words("axis_gap")),
        rows=rows,
        notes=tuple(notes),
    )


def _near(arms: Sequence[CostArm]) -> tuple[list[CostArm], list[tuple[str, str, float]]]:
    """The arms with their points near the best, and the points that lie far below it.

    A mean that lies far below goes with them; where nothing is near, everything is drawn.
    """
    far = [(arm.arm, p.task, p.y) for arm in arms for p in arm.points if p.y < -FAR]
    near = [
        replace(
            arm,
            points=tuple(p for p in arm.points if p.y >= -FAR),
            mean=arm.mean if arm.mean and arm.mean[1] >= -FAR else None,
        )
        for arm in arms
    ]
    near = [arm for arm in near if arm.points]
    return (near, far) if near else (list(arms), [])


def _cost_title(data: Across, cost: Cost, arms: Sequence[CostArm], base: str, words: Words) -> str:
    means = [(arm.mean, arm.arm) for arm in arms if arm.mean is not None]
    if not means:
        apart = not data.same_machine and len(data.counted) > 1
        return words(f"across_trade_title_{'apart' if apart else 'some'}_{cost}")
    (x, y), name = (max if cost == "speed" else min)(means)
    return words(
        f"across_trade_title_{cost}",
        arm=shown(name),
        times=formats.times(x),
        base=base,
        gap=formats.gap(y),
    )


def small_multiples(
    data: Across, studies: Sequence[StudyResults], styles: Styles, words: Words
) -> Iterator[tuple[Cost, list[Chart]]]:
    """The trade-offs of each standing study, task after task, by each cost."""
    kept = [
        (column, leaderboard(results))
        for column, results in zip(data.columns, studies, strict=True)
        if column.stands
    ]
    costs: tuple[tuple[Cost, str], ...] = (("speed", "offline_rps"), ("training", "train_seconds"))
    for cost, key in costs:
        found = []
        for i, (column, board) in enumerate(kept):
            tradeoff = chart_data.trade_off(board, METRICS[key])
            chart = study_charts.trade_off_chart(f"task-{i}-{cost}", tradeoff, styles, words)
            if chart is None:
                continue
            chart.figure.update_layout(height=320)
            title = words("across_task_title", task=shown(column.name), finding=chart.title)
            found.append(replace(chart, title=title))
        yield cost, found


def change_chart(pair: SideBySide, name: str, words: Words) -> Chart | None:
    """What each arm gained between two studies; None where none is in both."""
    if not pair.arms:
        return None
    arms = sorted(pair.arms, key=lambda change: -change.difference)[:ROWS_DRAWN]
    names = drawing.unique([_name(change.arm) for change in arms])
    figure = drawing.blank(height=100 + 34 * len(arms))
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1})
    colours = {"better": GOOD, "worse": BAD, "chance": NEUTRAL, "unknown": NEUTRAL}
    symbols = {"better": "triangle-right", "worse": "triangle-left"}
    for label, change in zip(names, arms, strict=True):
        colour = colours[change.verdict]
        figure.add_trace(
            go.Scatter(
                x=[round(change.difference, 6)],
                y=[label],
                mode="markers",
                marker={
                    "color": colour,
                    "size": 13,
                    "symbol": symbols.get(change.verdict, "circle"),
                },
                error_x=_reach(change, colour),
                hovertemplate=(
                    f"{label}<br>%{{x:+.4f}} · {words(f'across_verdict_{change.verdict}')}"
                    "<extra></extra>"
                ),
                showlegend=False,
            )
        )
    figure.update_xaxes(title={"text": words("axis_change")}, tickformat="+.3~f")
    figure.update_yaxes(autorange="reversed", type="category", range=[len(arms) - 0.5, -0.5])
    claimed = any(change.verdict != "unknown" for change in pair.arms)
    return Chart(
        name=name,
        title=words(
            "across_forest_title" if claimed else "across_forest_title_none",
            better=pair.count("better"),
            worse=pair.count("worse"),
            chance=pair.count("chance"),
            n=len(pair.arms),
        ),
        about=words("across_forest_about", before=shown(pair.before), after=shown(pair.after)),
        figure=figure,
        columns=(
            words("metric_arm"), words("across_before"), words("across_after"),
            words("axis_change"), words("interval_low"), words("interval_high"), "p",
            words("verdict"),
        ),
        rows=[
            (c.arm, c.before, c.after, c.difference, c.low, c.high, c.p,
             words(f"across_verdict_{c.verdict}"))
            for c in pair.arms
        ],
    )  # fmt: skip


def _reach(change: ArmChange, colour: str) -> dict[str, Any] | None:
    if change.low is None or change.high is None:
        return None
    return {
        "type": "data",
        "symmetric": False,
        "array": [change.high - change.difference],
        "arrayminus": [change.difference - change.low],
        "color": colour,
        "thickness": 1.6,
        "width": 4,
    }


def _name(text: str) -> str:
    """A name as Plotly text."""
    return drawing.safe(shown(text, 34))


def _padded(low: float, high: float, share: float, least: float) -> tuple[float, float]:
    pad = max((high - low) * share, least)
    return low - pad, high + pad
