"""Macro-F1 against a cost of each arm: speed of serving, then time of training."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import plotly.graph_objects as go

from suite.contracts.results import Published
from suite.report import formats
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import NAMED, NEUTRAL, Styles, blank, marker, safe
from suite.report.charts.labels import Box, Position, padded, place_labels, within
from suite.report.charts.ranges import common_range
from suite.report.data.rows import (
    METRICS,
    Leaderboard,
    LeaderboardRow,
    Metric,
    pareto_front,
    references,
)
from suite.report.words import Words
from suite.verdict.metrics import METRICS as METRICS_OF

#: Where values span less than this, a logarithmic axis only hides how near they are.
LOG_SPAN = 5


#: Diameters in pixels between which bubbles grow with peak memory, by area.
BUBBLES = (10.0, 34.0)


@dataclass(frozen=True)
class Point:
    """An arm in a trade-off. `low` and `high` bound y (the 95 % interval) where known.

    `label` is where its name stands, None where it has none. `size` is the bubble's diameter in
    pixels; its area grows with `memory` (bytes at the peak).
    """

    arm: str
    trial: int
    x: float
    y: float
    low: float | None
    high: float | None
    label: Position | None
    memory: int | None
    size: float


@dataclass(frozen=True)
class TradeOff:
    """Quality against a cost; `front` are the arms that no other beats on both, by rising x.

    The ranges hold every point, interval and drawable reference but outliers in y, which are
    drawn at its end; x in log10 where `log`.
    """

    x: Metric
    y: Metric
    log: bool
    points: tuple[Point, ...]
    front: tuple[str, ...]
    left_out: tuple[str, ...]
    references: tuple[Published, ...]
    times: float | None
    """How many times as cheap the cheapest is as the best; None where that can be chance."""
    x_range: tuple[float, float]
    y_range: tuple[float, float]


def values(board: Leaderboard, x: Metric, drawable: Sequence[Published] = ()) -> TradeOff:
    """Macro-F1 (on test where finals exist, else validation) against a cost."""
    y = board.score
    having: list[tuple[LeaderboardRow, float, float]] = []
    for row in board.rows:
        across, above = x.of(row), y.of(row)
        if across is not None and above is not None and (across > 0 or not x.log):
            having.append((row, across, above))
    tested = y.key.startswith("test_")
    spans = [
        row.test_interval if tested and row.test_interval else (above, above)
        for row, _, above in having
    ]
    heights = list(common_range([above for _, _, above in having], spans)) if having else []
    heights += [reference.value for reference in drawable] if having else []
    costs = [across for _, across, _ in having]
    log = x.log and bool(costs) and max(costs) / min(costs) >= LOG_SPAN
    widths = [math.log10(across) if log else across for across in costs]
    least = 0.15 if log else 0.05 * max(costs, default=1.0)
    x_range, y_range = padded(widths, 0.12, least), padded(heights, 0.10, 0.01)
    sizes = _bubbles([row.peak_memory_bytes for row, _, _ in having])
    front = pareto_front([row for row, _, _ in having], x, y)
    low, high = y_range
    places = {
        row.arm: (within(width, x_range), within(min(max(above, low), high), y_range))
        for (row, _, above), width in zip(having, widths, strict=True)
    }
    obstacles: list[Box] = [
        (places[row.arm][0], within(least, y_range), places[row.arm][0], within(most, y_range))
        for (row, _, _), (least, most) in zip(having, spans, strict=True)
    ]
    for reference in drawable:
        level = within(reference.value, y_range)
        # Its name stands on the line's end that lies towards the ideal.
        end = 0.68 if x.higher_is_better else 0.0
        obstacles += [(0, level, 1, level), (end, level, end + 0.32, level + 0.04)]
    for (x1, y1), (x2, y2) in itertools.pairwise(places[arm] for arm in front):
        corner = y2 if x.higher_is_better else y1
        turn = x1 if x.higher_is_better else x2
        obstacles += [
            (x1, corner, x2, corner),
            (turn, min(y1, y2), turn, max(y1, y2)),
        ]
    # Where there are many arms, those on the front have names, and the list above names the rest.
    named = [row.arm for row, _, above in having
             if len(having) <= NAMED or row.arm in front or not low <= above <= high]  # fmt: skip
    texts = {
        row.arm: safe(row.arm, 30) + ("" if low <= above <= high else f" ↓ {above:.3f}")
        for row, _, above in having
    }
    at = dict(zip((row.arm for row, _, _ in having), sizes, strict=True))
    others = [_box(places[row.arm], size) for (row, _, _), size in zip(having, sizes, strict=True)
              if row.arm not in named]  # fmt: skip
    labels = dict(
        zip(
            named,
            place_labels(
                [(texts[arm], *places[arm]) for arm in named],
                obstacles=obstacles + others,
                sizes=[at[arm] for arm in named],
            ),
            strict=True,
        )
    )
    points = tuple(
        Point(
            arm=row.arm,
            trial=row.trial,
            x=across,
            y=above,
            low=row.test_interval[0] if tested and row.test_interval else None,
            high=row.test_interval[1] if tested and row.test_interval else None,
            label=labels.get(row.arm),
            memory=row.peak_memory_bytes,
            size=size,
        )
        for (row, across, above), size in zip(having, sizes, strict=True)
    )
    drawn = {point.arm for point in points}
    return TradeOff(
        x=x,
        y=y,
        log=log,
        points=points,
        front=front,
        left_out=tuple(row.arm for row in board.rows if row.arm not in drawn),
        references=tuple(drawable),
        times=_times(board, x, points, front),
        x_range=x_range,
        y_range=y_range,
    )


def _times(
    board: Leaderboard, x: Metric, points: Sequence[Point], front: Sequence[str]
) -> float | None:
    """The cheapest point's cost against the best one's: of speeds, where they can be told apart."""
    if len(points) < 2:
        return None
    best, least = _ends(_kept(points, front), x, board.score)
    if x.higher_is_better:
        return board.standing.times_as_fast(least.arm, best.arm)
    return best.x / least.x if least.x else None


def _kept(points: Sequence[Point], front: Sequence[str]) -> list[Point]:
    """The points on the front: its ends are the best and the cheapest of those within the bounds.
    All points where there is none."""
    return [point for point in points if point.arm in front] or list(points)


def _ends(points: Sequence[Point], x: Metric, y: Metric) -> tuple[Point, Point]:
    """The best point, and the one at the other end of the cost."""
    up = x.higher_is_better
    best = max(points, key=lambda p: y.merit(p.y))
    return best, (max if up else min)(
        points, key=lambda p: (p.x, y.merit(p.y) if up else -y.merit(p.y))
    )


def _box(place: tuple[float, float], size: float) -> Box:
    """What a marker covers of the unit square, for about the size that charts are drawn at."""
    across, above = size / 2 / 470, size / 2 / 340
    return place[0] - across, place[1] - above, place[0] + across, place[1] + above


def _bubbles(memory: Sequence[int | None]) -> list[float]:
    """Diameters whose areas grow with memory; the smallest where it is not known."""
    smallest, largest = BUBBLES
    most = max((m for m in memory if m), default=0)
    return [
        max(smallest, largest * math.sqrt(m / most)) if m and most else smallest for m in memory
    ]


def figure(data: TradeOff, styles: Styles, words: Words) -> go.Figure:
    """Points by arm with their intervals, the Pareto front, and published values as lines."""
    drawn = blank(height=430)
    at = {point.arm: point for point in data.points}
    front = [at[arm] for arm in data.front]
    low, high = data.y_range
    crowded = any(point.label is None for point in data.points)
    drawn.add_trace(
        go.Scatter(
            x=[p.x for p in front],
            y=[p.y for p in front],
            mode="lines",
            # Where more is better, the next point's quality is to be had all the way up to it.
            line={
                "shape": "vh" if data.x.higher_is_better else "hv",
                "color": NEUTRAL,
                "width": 1.5,
            },
            opacity=0.7,
            name=words("pareto"),
            showlegend=False,
            hoverinfo="skip",
        )
    )
    amount = "unit_rps" if data.x.unit == "texts/s" else "unit_seconds"
    for point in data.points:
        style = styles[point.arm]
        inside = low <= point.y <= high
        bounded = inside and point.low is not None and point.high is not None
        shape = {} if inside else {"symbol": f"triangle-{'down' if point.y < low else 'up'}"}
        drawn.add_trace(
            go.Scatter(
                x=[point.x],
                y=[min(max(point.y, low), high)],
                mode="markers+text" if point.label else "markers",
                text=[
                    safe(point.arm, 30)
                    if inside
                    else f"{safe(point.arm, 30)} {_beyond(point, low)}"
                ],
                textposition=point.label,
                textfont={"size": 12},
                cliponaxis=False,
                marker={**marker(style, round(point.size, 1)), "opacity": 0.85, **shape},
                error_y=(
                    {
                        "type": "data",
                        "symmetric": False,
                        "array": [(point.high or 0.0) - point.y],
                        "arrayminus": [point.y - (point.low or 0.0)],
                        "color": style.colour,
                        "thickness": 1.2,
                        "width": 4,
                    }
                    if bounded
                    else None
                ),
                name=safe(point.arm),
                customdata=[
                    [
                        _interval(point.low, point.high),
                        point.trial,
                        formats.size(point.memory),
                        formats.score(point.y),
                    ]
                ],
                hovertemplate=(
                    f"{safe(point.arm)}, {words('trial')} %{{customdata[1]}}<br>"
                    f"{words.column(data.y.key)} %{{customdata[3]}} %{{customdata[0]}}<br>"
                    f"{words.column(data.x.key)} {words(amount, n='%{x:,.4~g}')}<br>"
                    f"{words('metric_peak_memory_bytes')} %{{customdata[2]}}<extra></extra>"
                ),
                showlegend=crowded,
            )
        )
    for reference in data.references:
        exact = data.y.key.endswith(f"_{reference.metric}")
        drawn.add_hline(
            y=reference.value,
            line={"color": NEUTRAL, "width": 1, "dash": "dash" if exact else "dot"},
        )
        known = METRICS_OF.get(reference.metric)
        named = known.label(words.language) if known else safe(reference.metric, 24)
        kind = "" if exact else f" ({named})"
        drawn.add_annotation(
            # At the end where the ideal lies: arms are rarely there.
            x=1 if data.x.higher_is_better else 0,
            xref="paper",
            xanchor="right" if data.x.higher_is_better else "left",
            y=reference.value,
            yanchor="bottom",
            showarrow=False,
            text=f"{safe(reference.model, 40)}{kind} {reference.value:.3f}",
            font={"size": 11},
            opacity=0.75,
        )
    drawn.update_xaxes(**_axis(data, words), range=list(data.x_range))
    drawn.update_yaxes(
        title={"text": words.axis(data.y.key), "standoff": 8},
        range=list(data.y_range),
        tickformat=".3~f",
    )
    drawn.update_layout(showlegend=crowded)
    return drawn


def _axis(data: TradeOff, words: Words) -> dict[str, Any]:
    title = words.axis(data.x.key)
    if not data.log:
        return {"title": {"text": title}, "tickformat": ",.4~r"}
    return {
        "title": {"text": words("axis_log", title=title)},
        "type": "log",
        "dtick": "D2",
        # Thousands of texts as k; but half a second is no 500m.
        "tickformat": "~s" if data.x.higher_is_better else ",.3~r",
        "exponentformat": "none",
    }


def _beyond(point: Point, low: float) -> str:
    """What stands beside a point that lies outside the axis: which way, and its value."""
    return f"{'↓' if point.y < low else '↑'} {point.y:.3f}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"({low:.4f}–{high:.4f})"


def finding(data: TradeOff, words: Words) -> str:
    """What the other end of the front costs."""
    if len(data.points) == 1:
        return words("finding_only", arm=formats.name(data.points[0].arm))
    best, least = _ends(_kept(data.points, data.front), data.x, data.y)
    kind = "speed" if data.x.higher_is_better else "time"
    lost = data.y.merit(best.y) - data.y.merit(least.y)
    if least.arm == best.arm or lost <= 0:
        # Of an arm that lacks a figure nothing is known: it may be better, or cheaper.
        among = "_drawn" if data.left_out else ""
        return words(f"finding_{kind}_same{among}", arm=formats.name(least.arm))
    names = {"arm": formats.name(least.arm), "best": formats.name(best.arm)}
    gap = formats.gap(lost)
    if data.times is None:
        return words("finding_speed_level", **names, gap=gap)
    return words(f"finding_{kind}", **names, times=formats.times(data.times), gap=gap)


def chart(name: str, data: TradeOff, styles: Styles, words: Words) -> Chart | None:
    """The values as a chart; None where no arm has both figures."""
    if not data.points:
        return None
    x, y = words.axis(data.x.key), words.axis(data.y.key)
    on_front = [formats.name(arm) for arm in data.front]
    notes = [words("front_is", arms=words.join(on_front)) if on_front else words("front_none")]
    if any(point.memory for point in data.points):
        notes.append(words("bubbles"))
    if data.left_out:
        notes.append(words("chart_left_out", arms=words.join(data.left_out)))
    if not all(data.y.key.endswith(f"_{r.metric}") for r in data.references):
        notes.append(words("references_accuracy"))
    return Chart(
        name=name,
        title=finding(data, words),
        about=words("about_trade_off", y=y, x=x),
        figure=figure(data, styles, words),
        columns=(
            words("metric_arm"), words("trial"), x, y, words("interval_low"),
            words("interval_high"), words("metric_peak_memory_bytes") + ", MiB", words("pareto"),
        ),
        rows=[
            (p.arm, p.trial, p.x, p.y, p.low, p.high,
             None if p.memory is None else round(p.memory / 2**20, 1),
             words("yes" if p.arm in data.front else "no"))
            for p in data.points
        ],
        notes=(words.sentences(notes),),
    )  # fmt: skip


def _draw(name: str, cost: str, scene: StudyScene) -> Iterator[Chart]:
    # Published numbers are on test: beside scores on validation they would mislead.
    tested = scene.board.basis == "test"
    drawable = references(scene.results).drawable if tested else ()
    if not scene.board.score.higher_is_better:
        # What is a share stands nowhere among losses.
        own = scene.board.objective.key
        drawable = tuple(published for published in drawable if published.metric == own)
    data = values(scene.board, METRICS[cost], drawable)
    found = chart(name, data, scene.styles, scene.words)
    if found is not None:
        yield found


SPEED = Kind(
    "charts",
    partial(_draw, "trade-off-rps", "offline_rps"),
    shape="half",
    missing="chart_none",
    heading="chart_rps",
)
TRAINING = Kind(
    "charts",
    partial(_draw, "trade-off-time", "train_seconds"),
    shape="half",
    missing="chart_none",
    heading="chart_time",
)
