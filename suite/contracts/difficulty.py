"""How hard training rows are: by what that is judged, and which part of them is to be learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from suite.contracts.limits import MOST_DRAWS
from suite.contracts.task import Closed

#: By what a row is hard: by how little a decoder that was not taught expects its label, by how
#: clearly it answers it wrongly, by how little a training that did not see it came to expect the
#: label on its way, by how few arms do.
By = Literal["perplexity", "zero_shot", "dynamics", "agreement"]
#: Thirds within each class, from easy to hard; the third that is nearest to turning; or any rows.
Part = Literal["easy", "medium", "hard", "ambiguous", "random"]


class TrainSubset(Closed):
    """Train on a part of the rows that `suite data difficulty` has judged."""

    by: By = Field("perplexity", description="What says how hard a row is.")
    part: Part = Field(
        "random",
        description="Thirds within each class, the third nearest to turning, or any rows: the "
        "control, of equal size and class mix.",
    )
    rows: int = Field(ge=2, description="Rows of it, in the classes' own shares.")
    draw: int = Field(
        1,
        ge=1,
        le=MOST_DRAWS,
        description="Which of several draws of so many rows: how much depends on the rows that "
        "were drawn is told by several.",
    )


@dataclass(frozen=True)
class Subset:
    """Which of its rows a study trains on.

    `of` is how many rows were judged, by `judges`: the model or arms that say how hard they are.
    `suspects` is the share of the rows taken whose label was suspected; null where nobody looked.
    `draw` is which of several draws of so many rows.
    """

    by: By
    part: Part
    rows: int
    of: int
    judges: list[str] = field(default_factory=list)
    suspects: float | None = None
    draw: int = 1
