"""When a model answers alone, and when it passes a text on: what a recipe or a command asks for,
and what was found for an arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from suite.contracts.records import FINITE
from suite.contracts.task import Closed
from suite.errors import UsageError

#: How often an answer may be wrong, and how surely that is said, where nobody says.
MAX_ERROR, CONFIDENCE = 0.05, 0.9


@dataclass(frozen=True)
class Limit:
    """How often an answer may be wrong.

    Args:
        max_error: share of answered texts that may be wrong at most.
        confidence: with which that is claimed: over other rows to judge by, the claim is wrong at
            most so often as is left of 1.

    Raises:
        UsageError: it is none that rows could ever show.
    """

    max_error: float = MAX_ERROR
    confidence: float = CONFIDENCE

    def __post_init__(self) -> None:
        if not 0 < self.max_error < 1:
            raise UsageError(
                "max_error 0: no number of rows shows that nothing is ever wrong"
                if self.max_error == 0
                else f"max_error {self.max_error:g} lies not between 0 and 1",
                fix="Say how much may be wrong, for example .05 for five answers of a hundred.",
            )
        if not 0.5 <= self.confidence < 1:
            raise UsageError(
                f"confidence {self.confidence:g} lies not between .5 and 1",
                fix="Usual are .9 and .95.",
            )

    @property
    def level(self) -> float:
        """How often the claim may be wrong."""
        return 1 - self.confidence


class Decide(Closed):
    """The model answers alone where it is sure enough that answers are wrong at most so often, and
    passes the other texts on."""

    max_error: float = Field(
        MAX_ERROR, description="Share of answered texts that may be wrong at most."
    )
    confidence: float = Field(CONFIDENCE, description="With which that is claimed.")
    max_wrong: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="In place of both: share of all texts that may be answered wrongly at most, in "
        "the mean.",
    )
    coverage: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Also name the classes that a text may be of: a set that holds the true one "
        "for this share of texts.",
    )
    offsets: bool = Field(
        False,
        description="Also move classes that are answered too seldom or too often for the best "
        "macro-F1, where that does it on rows that it was not fitted on.",
    )

    @model_validator(mode="after")
    def _can_be_shown(self) -> Decide:
        try:
            _ = self.limit
        except UsageError as error:
            raise ValueError(f"{error.what}. {error.fix}") from None
        if self.max_wrong is not None and self.model_fields_set & {"max_error", "confidence"}:
            raise ValueError(
                "max_wrong is of all texts, max_error of the answered ones: give one of them"
            )
        return self

    @property
    def limit(self) -> Limit:
        """The same, for arithmetic."""
        return Limit(self.max_error, self.confidence)


class Value(Closed):
    """What an answer is worth, in any unit; that of the work which a right one saves is usual."""

    right: float = Field(1.0, description="Of a right answer.")
    wrong: float = Field(-1.0, description="Of a wrong one.")
    passed: float = Field(0.0, description="Of a text that is passed on.")
    pairs: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="Of single wrong answers that are worth something else: true class -> class "
        "answered -> worth.",
    )

    @model_validator(mode="after")
    def _leaves_something_to_decide(self) -> Value:
        if not self.wrong < self.passed < self.right:
            raise ValueError(
                f"right {self.right:g}, passed {self.passed:g}, wrong {self.wrong:g} leave nothing "
                "to decide: a right answer is worth more than a text passed on, and that more than "
                "a wrong answer, for example right: 1, passed: 0, wrong: -5"
            )
        return self

    @property
    def break_even(self) -> float:
        """The probability of being right from which on an answer is worth no less than passing on.

        >>> round(Value(right=1, wrong=-5, passed=0).break_even, 4)
        0.8333
        """
        return (self.passed - self.wrong) / (self.right - self.wrong)


@dataclass(frozen=True)
class Asked:
    """What is asked of an arm: a limit to its errors (among its answers, or among all texts), what
    its answers are worth, or both.

    With both the limit says where it answers, and the worth what that saves.
    """

    limit: Limit | None = None
    value: Value | None = None
    coverage: float | None = None
    """Share of texts for which a set of classes is to hold the true one; None for no sets."""
    offsets: bool = False
    """Whether classes may be moved for a better macro-F1."""
    max_wrong: float | None = None
    """Share of all texts that may be answered wrongly, in the mean; in place of `limit`."""

    @property
    def limited(self) -> bool:
        """Whether it is a limit that says where an arm answers."""
        return self.limit is not None or self.max_wrong is not None


#: Why a model answers from a threshold on: it was shown on rows that were set aside for it, or read
#: off those that its arm's trials were scored on, or an answer is worth it from there on.
Ground = Literal["certified", "estimated", "worth"]


@dataclass(frozen=True)
class Tried:
    """What came of a rule on rows.

    Args:
        rows: how many there are.
        answered: how many of them the model answers alone.
        wrong: how many of these wrongly.
    """

    rows: int
    answered: int
    wrong: int

    @property
    def coverage(self) -> float:
        """Share of the rows that it answers."""
        return self.answered / self.rows if self.rows else 0.0

    @property
    def error(self) -> float | None:
        """Share of its answers that are wrong; None where it gives none."""
        return self.wrong / self.answered if self.answered else None


@dataclass(frozen=True)
class Moved:
    """What is added to each class' log-probability before the largest is answered.

    `macro_f1` and `crossed` are without it and with such as were fitted on other rows, of the rows
    that an arm's trials were scored on. It is `kept` where that is a gain in most parts of them;
    only then are `offsets` applied. `test_before` and `test_after` are macro-F1 on test; null
    before the finals.
    """

    offsets: list[float]
    macro_f1: float
    crossed: float
    kept: bool
    test_before: float | None = None
    test_after: float | None = None


@dataclass(frozen=True)
class Sets:
    """Sets of classes, one for each text: the classes whose probability is `threshold` or more.

    They hold the true class for a share `coverage` of texts, in the mean over rows to find the
    threshold on. `holds` is the share of test for which they do, `size` how many classes they have
    there on average; both null before the finals.
    """

    coverage: float
    threshold: float
    holds: float | None = None
    size: float | None = None


@dataclass(frozen=True)
class Decision:
    """When an arm's model answers alone, and what is known of that.

    `trial`, `refit`, `mark` and `temperature` say which model it is of: it holds for no other. It
    answers where its probability, as float16 holds
    it, is `threshold` or more. Null: no threshold can be shown to do, and it passes every text on;
    or single wrong answers have a worth of their own (`value.pairs`), and it is weighed text by
    text.
    """

    __pydantic_config__ = FINITE

    arm: str
    trial: int
    refit: bool
    ground: Ground
    threshold: float | None
    found: Tried
    """On the rows that speak for it."""
    max_error: float | None = None
    confidence: float | None = None
    """Both null where `max_wrong` or nothing but what answers are worth was asked."""
    bound: float | None = None
    """The error that is possible at most, by these rows, with this confidence, were the threshold
    not chosen on them; the claim is `max_error`. Null where nothing is answered."""
    enough_rows: int | None = None
    """Rows on which a threshold would have been found, as the arm errs; null where there is one,
    and where no number of rows would do."""
    test: Tried | None = None
    """On test, by which nothing was chosen; null before the finals."""
    value: Value | None = None
    saved: float | None = None
    """What its answers on test are worth beyond passing every text on, per 100 texts."""
    sets: Sets | None = None
    """Null where none were asked for."""
    moved: Moved | None = None
    """Null where that was not asked."""
    mark: str | None = None
    """Which training the model is, beside `trial` and `refit`; null where it bears no mark."""
    temperature: float | None = None
    """That it answered at; the threshold is of such probabilities."""
    max_wrong: float | None = None
    """Share of all texts that may be answered wrongly at most, in the mean over rows to find the
    threshold on; null where that was not asked."""

    @property
    def offsets(self) -> list[float]:
        """What is added to each class' log-probability; empty where nothing is."""
        return self.moved.offsets if self.moved is not None and self.moved.kept else []
