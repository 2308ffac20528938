"""What a chart is, what it is drawn from, and how a page's charts are gathered.

A kind of chart is one file beside this one: its values as frozen dataclasses, its picture, its
finding and its data; the files are registered in `suite.report.charts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from suite.contracts.results import StudyResults
from suite.report.data.across import Across, across
from suite.report.data.classes import ClassView, class_views
from suite.report.data.rows import Leaderboard, leaderboard
from suite.report.data.styles import Style, styles
from suite.report.words import Words

if TYPE_CHECKING:
    import plotly.graph_objects as go


Cell = str | int | float | None
Shape = Literal["whole", "half", "arms"]


@dataclass(frozen=True)
class Chart:
    """A drawn chart with what a reader needs around it.

    `title` states what the chart shows to be so; `about` says what is drawn and in which units;
    `columns` and `rows` are the values behind it, which the page offers as a table and as CSV.
    A chart of one arm names it, and in `told` what its view says behind the arm's name.
    """

    name: str
    title: str
    about: str
    figure: go.Figure
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    notes: tuple[str, ...] = ()
    arm: str = ""
    told: str = ""

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.figure.layout.height)

    @property
    def alt(self) -> str:
        """What stands for the picture where it cannot be seen."""
        return f"{self.title} {self.about}"


@dataclass(frozen=True)
class StudyScene:
    """A study as its charts see it."""

    results: StudyResults
    board: Leaderboard
    styles: Mapping[str, Style]
    views: tuple[ClassView, ...]
    words: Words

    @staticmethod
    def of(results: StudyResults, words: Words) -> StudyScene:
        """What is to be seen of a study."""
        board = leaderboard(results)
        about = words.about(results.objective)
        return StudyScene(results, board, styles([results]), class_views(results, board), about)


@dataclass(frozen=True)
class AcrossScene:
    """Several studies as their charts see them."""

    data: Across
    studies: Sequence[StudyResults]
    styles: Mapping[str, Style]
    words: Words

    @staticmethod
    def of(studies: Sequence[StudyResults], words: Words) -> AcrossScene:
        """What is to be seen of several studies."""
        data = across(studies)
        return AcrossScene(data, studies, styles(studies), words.about(data.objective))


Scene = TypeVar("Scene", StudyScene, AcrossScene)


@dataclass(frozen=True)
class Kind(Generic[Scene]):
    """A kind of chart as it is registered: where it stands, and how it is drawn.

    `draw` gives as many charts as there is data for. `shape` says whether one takes the page's
    whole width or half of it, or is drawn for each arm and stands in that arm's view. `missing`
    is the key of what is said where none is drawn, `heading` that of a title above it.
    """

    section: str
    draw: Callable[[Scene], Iterable[Chart]]
    shape: Shape = "whole"
    missing: str = ""
    heading: str = ""


@dataclass(frozen=True)
class Placed:
    """What stands in a chart's place: the chart, or the keys of what is said without it."""

    chart: Chart | None
    missing: str = ""
    heading: str = ""


@dataclass(frozen=True)
class Row:
    """Neighbours of one shape; of charts for each arm, arm -> its charts."""

    shape: Shape
    places: tuple[Placed, ...]
    views: Mapping[str, Sequence[Chart]] = field(default_factory=dict)


@dataclass(frozen=True)
class Drawn(Generic[Scene]):
    """The charts of a page, kind by kind in the page's order."""

    kinds: tuple[tuple[Kind[Scene], tuple[Chart, ...]], ...]

    @staticmethod
    def of(kinds: Iterable[Kind[Scene]], scene: Scene) -> Drawn[Scene]:
        """Draws every kind."""
        return Drawn(tuple((kind, tuple(kind.draw(scene))) for kind in kinds))

    def all(self) -> list[Chart]:
        """The charts there are."""
        return [chart for _, charts in self.kinds for chart in charts]

    def get(self, name: str) -> Chart | None:
        """A chart by its name."""
        return next((chart for chart in self.all() if chart.name == name), None)

    def of_section(self, section: str) -> list[Chart]:
        """A section's charts."""
        return [c for kind, charts in self.kinds if kind.section == section for c in charts]

    def rows(self, section: str) -> Iterator[Row]:
        """A section's charts as they stand on the page."""
        own = [pair for pair in self.kinds if pair[0].section == section]
        for shape, run in groupby(own, key=lambda pair: pair[0].shape):
            places: list[Placed] = []
            views: dict[str, list[Chart]] = {}
            for kind, charts in run:
                if not charts:
                    places.append(Placed(None, kind.missing, kind.heading))
                for chart in charts:
                    if shape == "arms":
                        views.setdefault(chart.arm, []).append(chart)
                    else:
                        places.append(Placed(chart))
            yield Row(shape, tuple(places), views)
