"""How long the texts of each split are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from suite.contracts.results import StudyResults
from suite.report.charts.chart import Chart, Kind, StudyScene
from suite.report.charts.drawing import blank
from suite.report.data.styles import PALETTE
from suite.report.words import Words


@dataclass(frozen=True)
class SplitLengths:
    """Lengths of a split's texts in characters: shortest, each twentieth of the rows, longest."""

    split: str
    quantiles: tuple[int, ...]


@dataclass(frozen=True)
class Lengths:
    """Lengths by split, train first."""

    splits: tuple[SplitLengths, ...]


def values(results: StudyResults) -> Lengths | None:
    """Lengths of the texts where the audit has them."""
    audit = results.data.audit
    found = tuple(
        SplitLengths(name, tuple(split.length_quantiles))
        for name, split in (audit.splits.items() if audit else ())
        if len(split.length_quantiles) == 21
    )
    return Lengths(found) if found else None


def figure(data: Lengths, words: Words) -> go.Figure:
    """The share of a split's texts that are no longer than so many characters."""
    drawn = blank(height=300)
    shares = [i / 20 for i in range(21)]
    longest = max((split.quantiles[-1] for split in data.splits), default=1)
    for split, colour in zip(data.splits, PALETTE, strict=False):
        drawn.add_trace(
            go.Scatter(
                # A logarithm knows no empty text.
                x=[max(1, length) for length in split.quantiles],
                y=shares,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 5},
                name=words(f"split_{split.split}"),
                hovertemplate=(
                    f"{words(f'split_{split.split}')}: %{{y:.0%}} ≤ %{{x:,}}<extra></extra>"
                ),
            )
        )
    title = words("axis_length")
    drawn.update_xaxes(
        title={"text": words("axis_log", title=title) if longest > 200 else title},
        type="log" if longest > 200 else "linear",
        dtick="D2" if longest > 200 else None,
        tickformat="~s" if longest > 200 else ",d",
    )
    drawn.update_yaxes(
        title={"text": words("axis_share"), "standoff": 8}, tickformat=".0%", range=[-0.02, 1.03]
    )
    return drawn


def finding(data: Lengths, words: Words) -> str:
    """How long a usual text is, and a long one."""
    first = data.splits[0]
    return words(
        "finding_lengths",
        split=words(f"split_{first.split}"),
        half=first.quantiles[10],
        long=first.quantiles[19],
    )


def draw(scene: StudyScene) -> Iterator[Chart]:
    """How long the texts are; none where the audit does not say."""
    data, words = values(scene.results), scene.words
    if data is None:
        return
    yield Chart(
        name="lengths",
        title=finding(data, words),
        about=words("lengths_intro"),
        figure=figure(data, words),
        columns=(words("split"), words("axis_share"), words("axis_length")),
        rows=[
            (words(f"split_{s.split}"), round(i / 20, 2), length)
            for s in data.splits
            for i, length in enumerate(s.quantiles)
        ],
    )


KIND = Kind("data", draw)
