"""What arms answered on test, row by row."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TestPredictions:
    """What each arm of the finals answered on test, row by row; below 0 for no answer.

    `arms` holds arm -> seeds -> rows. Kept so that two studies of the same rows can be compared in
    pairs, and so that single errors can be looked at. `confidences` holds arm -> rows: the
    probability (0 to 1) of what the first seed answered, null where it answered nothing; empty
    where the finals did not keep it.
    """

    labels: list[int]
    arms: dict[str, list[list[int]]]
    confidences: dict[str, list[float | None]] = field(default_factory=dict)

    __test__ = False  # not a pytest class


@dataclass(frozen=True)
class Missed:
    """A test row that an arm of the finals gets wrong, with what each arm answered.

    `predicted` is arm -> class index, below 0 for no answer; `confidence` is arm -> probability of
    that answer, without the arms for which none was kept. Of an arm that was trained over seeds it
    is the first one's. `id` is what the row is called in its source, where that was kept.
    """

    row: int
    text: str
    label: int
    predicted: dict[str, int]
    confidence: dict[str, float] = field(default_factory=dict)
    id: str | None = None

    @property
    def wrong(self) -> list[str]:
        """The arms that get it wrong."""
        return [arm for arm, answer in self.predicted.items() if answer != self.label]
