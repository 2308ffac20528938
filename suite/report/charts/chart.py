"""A drawn chart with what a reader needs around it: what every page, image and file takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go


Cell = str | int | float | None


@dataclass(frozen=True)
class Chart:
    """A drawn chart with what a reader needs around it.

    `title` states what the chart shows to be so; `about` says what is drawn and in which units;
    `columns` and `rows` are the values behind it, which the page offers as a table and as CSV.
    """

    name: str
    title: str
    about: str
    figure: go.Figure
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.figure.layout.height)

    @property
    def alt(self) -> str:
        """What stands for the picture where it cannot be seen."""
        return f"{self.title} {self.about}"
