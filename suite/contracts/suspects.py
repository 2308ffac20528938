"""What may be labelled wrongly in a task's rows, as frozen values: `suite data suspects --json`
prints them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: A class with fewer rows is not judged: what a model answers to it follows its rows one by one.
FEWEST_ROWS = 10

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Suspect:
    """A row whose label is doubtful.

    Args:
        part: of the task's rows that it is in.
        place: where it stands: file and line.
        text: as it is.
        given: the class that it is labelled as.
        likely: the one that it more probably is.
        probability: of that class, as the arms' mean.
        own: of the class that is given.
        agreed: how many of the arms answer the likely class.
    """

    part: Part
    place: str
    text: str
    given: str
    likely: str
    probability: float
    own: float
    agreed: int


@dataclass(frozen=True)
class Bounded:
    """A macro-F1 and the ends of its 95 % interval."""

    macro_f1: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Without:
    """What leaving suspects out does to an arm's macro-F1 on test.

    `test` is of all test rows, and `sure` of those that are no suspects (null where all are), by a
    model that was trained on all rows. `trained` is of all test rows again, by one that was trained
    without the suspects: the `difference` is that less `test`, of two trained models on the same
    rows. Null where there is no suspect to train without.
    """

    arm: str
    test: Bounded
    sure: Bounded | None
    trained: Bounded | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    p: float | None = None


@dataclass(frozen=True)
class Suspects:
    """The suspects of a task's rows, the most doubtful first.

    Args:
        folds: into which train and validation were cut: each was answered by trainings that did not
            see it. Test rows were answered by a training on all of them.
        rows: of each part.
        few: classes with fewer than `FEWEST_ROWS` rows to learn from, with their rows: nothing is
            said of labels that name them.
        found: in train and validation.
        test: in test, which nothing is removed from.
        scores: what leaving them out does, arm by arm; empty where that was not asked, or there
            are none.
    """

    task: str
    source: str
    fingerprint: str
    arms: list[str]
    folds: int
    rows: dict[Part, int]
    few: dict[str, int]
    found: list[Suspect]
    test: list[Suspect]
    scores: list[Without] = field(default_factory=list)
    seconds: float = 0.0
