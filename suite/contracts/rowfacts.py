"""What a study's rows are and what is odd about them, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field

from suite.contracts.difficulty import Subset


@dataclass(frozen=True)
class Rows:
    """Rows in each split."""

    train: int
    validation: int
    test: int
    calibration: int = 0
    """Set aside from train, and seen by no search, fold or training."""

    @property
    def answered(self) -> int:
        """Rows that a model of the finals answers."""
        return self.test + self.calibration


@dataclass(frozen=True)
class SplitAudit:
    """What is odd about one split. Lengths are characters: mean, p50, p95, max."""

    rows: int
    empty: int
    exact_duplicates: int
    normalised_duplicates: int
    conflicting_labels: int
    class_counts: list[int]
    length_mean: float
    length_p50: int
    length_p95: int
    length_max: int
    near_duplicates: int | None = None
    """Rows that nearly repeat an earlier one, those that repeat one outright among them; null
    where that was not looked for."""
    length_quantiles: list[int] = field(default_factory=list)
    """Shortest, then each 20th part of the rows, up to the longest: 21 lengths where known."""


@dataclass(frozen=True)
class Audit:
    """What is odd about the data, looked at when it was loaded."""

    splits: dict[str, SplitAudit]
    test_in_train: int
    test_in_train_normalised: int
    validation_in_train: int
    warnings: list[str] = field(default_factory=list)
    test_near_train: int | None = None
    """Test rows that train nearly holds, those that it holds outright among them."""
    validation_near_train: int | None = None
    near_rows: int | None = None
    """Rows of a split that were compared at most, where one has more: its first ones."""
    truncated: dict[str, float] = field(default_factory=dict)
    """Arm -> share of rows that are cut at the token limit: training rows, or those asked about."""


@dataclass(frozen=True)
class DataFacts:
    """Where the rows came from, their fingerprint, and their audit."""

    source: str
    fingerprint: str
    rows: Rows
    audit: Audit | None = None
    train_rows_of: int | None = None
    """Rows of train before `--train-rows` took some, where it did."""
    sample: bool = False
    """The bundled sample stands in for the real data."""
    test_digest: str | None = None
    """Of the texts and labels of test alone; null in studies from before it was kept."""
    validation_given: bool | None = None
    """Whether the source gives validation, else it is carved; null in studies from before that was
    told."""
    subset: Subset | None = None
    """Which part of the rows is trained on, by how hard they are; null where all of them are."""
