"""What a study found, as frozen values: what `study show --json` prints and every report reads.

The field names are the command line's contract (`schema_version` 1). Reports, ranks and charts
work on these values alone; nothing here knows Optuna or torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from suite.contracts.alike import Alike
from suite.contracts.calibrated import Calibrated
from suite.contracts.combination import Combination
from suite.contracts.deciding import Decision
from suite.contracts.ended import Ended as Ended
from suite.contracts.growth import Growth
from suite.contracts.lengths import ByLength
from suite.contracts.measured import Measured
from suite.contracts.money import Money
from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.predictions import Missed, TestPredictions
from suite.contracts.records import FINITE
from suite.contracts.rowfacts import DataFacts
from suite.contracts.scope import OutOfScope
from suite.contracts.slices import Slices
from suite.contracts.space import Params
from suite.contracts.speeds import BenchRow, Rps
from suite.contracts.splits import Splits
from suite.contracts.stress import Stress

SCHEMA_VERSION = 1

#: How far below the best score a cheaper arm may lie and still be recommended.
MARGIN = 0.01


State = Literal["COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING"]
#: Whether figures keep a recipe's bounds; "unsure": an interval reaches to both sides of one, or
#: what it bounds was not measured.
Holds = Literal["within", "unsure", "outside"]


@dataclass(frozen=True)
class Objective:
    """The score that counts: a metric's key, and its value."""

    name: str
    value: float


@dataclass(frozen=True)
class Checkpoint:
    """A scored point in a trial, at a fraction (0 to 1) of its budget.

    `rows` is how many validation rows it was scored on: early ones may see a part (null: all).
    """

    fraction: float
    macro_f1: float
    train_seconds: float
    rows: int | None = None
    objective: Objective | None = None
    """By what the study goes; null where it goes by macro-F1."""
    loss: float | None = None
    """Mean of -ln of the labelled class' probability over these rows; null where the answers are a
    class each and no probabilities, and in studies from before it was told."""

    @property
    def score(self) -> float:
        """Its score by the objective."""
        return self.objective.value if self.objective else self.macro_f1


@dataclass(frozen=True)
class Scores:
    """Classification scores over one split; averages are macro. `confusion[true][predicted]`.

    `unanswered` are the rows of each labelled class that were not answered: in `confusion` they
    stand in no column. `others` are the metrics that have no field of their own, by key.
    """

    macro_f1: float
    accuracy: float
    precision: float
    recall: float
    per_class_f1: list[float]
    confusion: list[list[int]]
    others: dict[str, float] = field(default_factory=dict)
    unanswered: list[int] = field(default_factory=list)
    objective: Objective | None = None
    """By what the study goes; null where it goes by macro-F1."""

    @property
    def score(self) -> float:
        """The score that counts."""
        return self.objective.value if self.objective else self.macro_f1


@dataclass(frozen=True)
class Trial:
    """One arm with one set of hyperparameters, trained and scored."""

    __pydantic_config__ = FINITE

    number: int
    state: State
    arm: str
    params: Params
    seed: int = 0
    checkpoints: list[Checkpoint] = field(default_factory=list)
    validation: Scores | None = None
    train_seconds: float | None = None
    load_seconds: float | None = None
    evaluation_seconds: float | None = None
    peak_memory_bytes: int | None = None
    rps: Rps | None = None
    contended: bool = False
    feasible: bool = True
    worker: str = ""
    started: str = ""
    ended: str = ""
    error: str | None = None
    circumstances: dict[str, Any] = field(default_factory=dict)
    folds: int = 0
    """Over how many folds it was scored: `validation` is of the pooled answers to all rows of train
    and validation, each by a training that did not see it. 0: on validation alone."""
    first_fold: Scores | None = None
    """Of a trial with folds: the scores on validation alone, which is the first of them."""
    search_seconds: float | None = None
    """Of a trial with folds: the seconds that all its trainings and their scoring took together;
    `train_seconds` is of one training, on train."""

    @property
    def score(self) -> float | None:
        """What the study searches by: the best checkpoint's score on validation."""
        return self.validation.score if self.validation else None

    @property
    def macro_f1(self) -> float | None:
        """Macro-F1 on validation."""
        return self.validation.macro_f1 if self.validation else None


@dataclass(frozen=True)
class Arm:
    """Model × strategy in this study; `refused` and `retired` hold the reason, or null.

    `short` says why it has fewer trials than the others where time was up, or is null.
    """

    arm: str
    refused: str | None = None
    retired: str | None = None
    short: str | None = None
    trials: int = 0
    family: str = ""
    model_revision: str = ""
    estimate_seconds: float | None = None
    folds: int = 0
    """Over how many folds its trials are scored; 0: on validation alone."""


@dataclass(frozen=True)
class ClassScores:
    """A class on test, as means over the trainings; null what is nothing over nothing: the
    precision of a class that is never answered, the recall of one that is no label."""

    f1: Measured | None
    precision: Measured | None
    recall: Measured | None


@dataclass(frozen=True)
class TestScores:
    """Scores on the test split, opened once, with their 95 % intervals; a mean over trainings."""

    macro_f1: float
    accuracy: float
    macro_f1_interval: tuple[float, float]
    precision: float | None = None
    recall: float | None = None
    per_class_f1: list[float] = field(default_factory=list)
    confusion: list[list[int]] = field(default_factory=list)
    others: dict[str, float] = field(default_factory=dict)
    unanswered: list[int] = field(default_factory=list)
    """Rows of each labelled class that were not answered, beside `confusion`; as there, of several
    seeds they are the sum."""
    objective: Objective | None = None
    """By what arms are ranked; null where it is macro-F1."""
    objective_interval: tuple[float, float] | None = None
    """Of `objective`."""
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Metric's key -> its 95 % interval, of every metric of a confusion matrix; no verdict is drawn
    from any but the objective's. Empty in finals from before it was told."""
    per_class: list[ClassScores] = field(default_factory=list)
    """Each class, by index; as `intervals`."""

    @property
    def score(self) -> float:
        """The score that counts."""
        return self.objective.value if self.objective else self.macro_f1

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the score that counts."""
        return self.objective_interval or self.macro_f1_interval

    __test__ = False  # not a pytest class


@dataclass(frozen=True)
class KindSpread:
    """How far trainings of one kind lie apart: the standard deviation of the test score over the
    seeds of an arm, pooled over arms of the strategy that were trained more than once.

    `arms` are these arms, `trainings` how many of them there are in all. `studies` are earlier
    ones of the same storage that they were found in; empty where they are this study's own.
    """

    deviation: float
    trainings: int
    arms: list[str]
    studies: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FarRows:
    """An arm's scores on the test rows that train does not nearly hold, as means of its trainings:
    on `rows` of them, `left_out` left out."""

    rows: int
    left_out: int
    macro_f1: float
    objective: Objective


@dataclass(frozen=True)
class Final:
    """An arm on test: the mean of its trainings. `rank` is 1 + the arms that beat it."""

    __pydantic_config__ = FINITE

    arm: str
    trial: int
    seeds: int
    stale: bool
    rank: int
    test: TestScores
    train_seconds: float | None
    rps: Rps | None
    ties: list[str] = field(default_factory=list)
    rank_range: tuple[int, int] | None = None
    """The best and the worst rank it may have: 1 + arms that beat it, arms - those it beats."""
    may_be_best: bool | None = None
    """Whether it may be the best of the arms; null in finals from before it was told."""
    seed_scores: list[float] = field(default_factory=list)
    """The objective of each training, the shipped model's first."""
    seed_train_seconds: list[float] = field(default_factory=list)
    """What each training took; `train_seconds` is their mean. Empty in finals from before it was
    told."""
    deterministic: bool = False
    """Training again gives the same model: one training says all."""
    refit: bool = False
    """Trained on train and validation together; true also where nothing is learned from rows."""
    looks: int = 1
    """How often finals of this study have shown test scores, this time included."""
    short: str | None = None
    """Why it has one training though its training is random; then its score is this trained
    model's, and there is no verdict about the arm."""
    spread_of_kind: KindSpread | None = None
    """Of an arm with one training: how far others of its strategy lie apart, where that is
    known."""

    chosen_among: int | None = None
    """Complete trials of the arm when its best was chosen among them; null in finals from before it
    was told."""
    by_length: ByLength | None = None
    """Null where no test text is longer than the first bucket, or in finals from before it was
    told."""
    test_without_near_duplicates: FarRows | None = None
    """Null where train nearly holds no test row, or every one, or that was not looked for."""
    calibration: Calibrated | None = None
    """How well its probabilities hold, before and after they are calibrated; null in finals from
    before that was done."""
    combined: Combination | None = None
    """What it is made of, where it is a combination of other arms: it has no trial of its own, and
    `trial` is that of the member that answers last, or weighs most. Null of an arm."""

    out_of_scope: OutOfScope | None = None
    """Null where the task names no class of texts that fit no other, or test has none."""

    @property
    def about_arm(self) -> bool:
        """Whether its score says something of the arm, and not of one trained model alone."""
        return self.deterministic or self.seeds > 1


@dataclass(frozen=True)
class Comparison:
    """A paired test between two arms on the same test rows; p is adjusted for all pairs.

    Two that were compared by rows and trainings have the variance of either, and the degrees of
    freedom that these leave; both null in finals from before that.
    """

    __pydantic_config__ = FINITE

    a: str
    b: str
    difference: float
    interval: tuple[float, float]
    p: float
    df: float | None = None
    row_variance: float | None = None
    seed_variance: float | None = None
    looks: int = 1
    """How often test scores of this study were looked at, this time included; p is not corrected
    for it."""
    of: Literal["arms", "trained models"] | None = None
    """Whether it is a verdict about arms, or about the trained models that there are: one of them
    was trained once though its training is random. Null in finals from before it was told."""


@dataclass(frozen=True)
class Published:
    """A published number beside ours; `differs` says why it may not be drawn, or is null."""

    model: str
    metric: str
    value: float
    source: str
    differs: str | None


Reason = Literal["cheapest", "no_finals", "one_training", "no_speed"]


@dataclass(frozen=True)
class Verdict:
    """Which arm is best, and which one to take.

    `best` has the best score (on test where finals exist, else on validation) of the arms within
    the bounds; of all arms where none is within them, and `within_bounds` is false. `recommended`
    is the cheapest to serve of the arms that `best` does not significantly beat and that lie at
    most `margin` below it. It is `best` where `reason` is that there are no finals, one training
    of each arm, or no speed: then the verdict is one of trained models.
    """

    best: str
    recommended: str
    reason: Reason
    of: Literal["arms", "trained models"]
    margin: float
    could_be_below_by: float | None
    """The upper end of the interval of `best` less `recommended`; null where not compared."""
    within_bounds: bool


@dataclass(frozen=True)
class StudyResults:
    """Everything a study found."""

    study: str
    task: str
    data: DataFacts
    environment: dict[str, Any]
    arms: list[Arm]
    trials: list[Trial]
    test_openings: int
    finals: list[Final]
    schema_version: int = SCHEMA_VERSION
    title: str = ""
    language: str = "en"
    labels: list[str] = field(default_factory=list)
    recipe: str = ""
    command: str = ""
    created: str = ""
    target_trials: int = 0
    allocation: str = "equal"
    sampler: str = ""
    pruner: str = ""
    budget: dict[str, Any] = field(default_factory=dict)
    bounds: dict[str, float | None] = field(default_factory=dict)
    margin: float = MARGIN
    objective: str = DEFAULT_OBJECTIVE
    """Key of the metric that the search and the ranks go by."""
    latency_bound_ms: float | None = None
    references: list[Published] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    importance: dict[str, dict[str, float]] = field(default_factory=dict)
    """Arm -> hyperparameter -> PED-ANOVA importance."""
    bench: list[BenchRow] = field(default_factory=list)
    """What `suite bench` measured, in the order of arms, the fastest engine first."""
    predictions: TestPredictions | None = None
    """Read from the storage only where it is asked for: it is as long as test."""
    missed: list[Missed] = field(default_factory=list)
    """Rows that every arm misses, with their texts, read only for `suite report --examples`."""
    missed_total: int | None = None
    """How many rows every arm misses; null where predictions were not read."""
    errors: list[Missed] = field(default_factory=list)
    """Rows that some arm misses, those that most arms miss first; read as `missed` is."""
    errors_total: int | None = None
    """How many rows some arm misses; null where predictions were not read."""
    unread: list[str] = field(default_factory=list)
    """What stands in the storage and this version can't read, a line each."""
    test_openings_of_split: int = 0
    """How often studies of the storage have opened this very test split, this one among them."""
    test_opened_in: list[str] = field(default_factory=list)
    """The other studies that have."""
    verdict: Verdict | None = None
    """Null where no arm has a result."""
    splits: Splits | None = None
    """What several splits of the rows say together; null where nobody asked for them."""
    growth: Growth | None = None
    """The learning curve that this is the largest size of; null where nobody asked for one."""
    decisions: list[Decision] = field(default_factory=list)
    """When arms' models answer alone, where that was asked; of models that they still ship."""
    stress: list[Stress] = field(default_factory=list)
    """What became of arms' answers to changed texts, by arm; of models that they still ship."""
    alike: list[Alike] = field(default_factory=list)
    """Whether arms find the same test rows hard; of finals that kept what arms answered."""
    beyond_bounds: dict[str, Holds] = field(default_factory=dict)
    """Arm -> `outside` the bounds, or `unsure`: its figures may not hold. Neither is recommended
    while an arm is within them. Arms within them are not named."""
    money: Money | None = None
    """What the arms cost at the prices of the settings; null where none is set."""
    slices: Slices | None = None
    """What arms score on parts of test; null without finals, or of finals from before it was
    told."""
    stop: dict[str, Any] = field(default_factory=dict)
    """What ends the search before it has its trials: `target_f1`, `patience`, if asked for."""
    ended: Ended | None = None
    """Why the search ended; null where it was interrupted, or goes on, or nobody told it then."""

    @property
    def sample(self) -> bool:
        """Whether the bundled sample stands in for the real data."""
        return self.data.sample

    @property
    def finished(self) -> int:
        """Trials that count: complete or pruned."""
        return sum(trial.state in ("COMPLETE", "PRUNED") for trial in self.trials)

    @property
    def missing_trials(self) -> int:
        """Trials that its search still lacks; none where it ended without them."""
        early = self.ended is not None and self.ended.early
        return 0 if early else max(0, self.target_trials - self.finished)

    def to_json(self) -> dict[str, Any]:
        """The contract's object: plain JSON types, NaN-free."""
        dumped: dict[str, Any] = results_adapter().dump_python(self, mode="json")
        for trial in dumped["trials"]:
            _name_objective(*trial["checkpoints"], trial["validation"])
        for final in dumped["finals"]:
            _name_objective(final["test"])
        return {"schema_version": dumped.pop("schema_version"), **dumped}

    @staticmethod
    def from_json(value: str | dict[str, Any]) -> StudyResults:
        """Reads back what `to_json` wrote.

        Raises:
            pydantic.ValidationError: it is something else.
        """
        return results_adapter().validate_python(
            json.loads(value) if isinstance(value, str) else value
        )


def trial_json(trial: Trial) -> dict[str, Any]:
    """A trial as `StudyResults.to_json` has it."""
    dumped: dict[str, Any] = trial_adapter().dump_python(trial, mode="json")
    _name_objective(*dumped["checkpoints"], dumped["validation"])
    return dumped


def _name_objective(*scores: dict[str, Any] | None) -> None:
    """Names the objective in dumped scores that were stored before it could be another."""
    for found in scores:
        if found is not None and found["objective"] is None:
            found["objective"] = {"name": DEFAULT_OBJECTIVE, "value": found["macro_f1"]}


@cache
def results_adapter() -> TypeAdapter[StudyResults]:
    """The pydantic view of `StudyResults`: validation, dumping, JSON schema."""
    return TypeAdapter(StudyResults)


@cache
def trial_adapter() -> TypeAdapter[Trial]:
    """The pydantic view of `Trial`."""
    return TypeAdapter(Trial)
