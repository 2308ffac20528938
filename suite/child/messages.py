"""What a child is told and what it says: a job, then progress, checkpoints, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from suite.contracts.deciding import Value
from suite.contracts.model import Companion, Model
from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Checkpoint, Scores
from suite.contracts.space import Params
from suite.contracts.task import Task
from suite.data.answered import Answered


@dataclass(frozen=True)
class Job:
    """One training, whole: everything the child needs, as plain values."""

    arm: str
    strategy: str
    model: Model
    task: Task
    params: Params
    seed: int
    snapshot: Path
    fingerprint: str
    folder: Path
    epochs: float
    checkpoints: int
    shrink_batch: bool
    threads: int
    #: Where files go that are kept with the checkpoint; None: into `folder`, and away with it.
    attached: Path | None = None
    #: Only this many training rows, unscored: a preflight.
    preflight_rows: int | None = None
    #: How often the batch at once is halved from the start, because memory ran out before.
    halvings: int = 0
    #: Validation rows of early checkpoints: a number, "full", or "auto" where the arm's first
    #: trial is still to find out.
    evaluation: int | str = "full"
    #: Over how many folds it is scored; 0: on validation alone.
    folds: int = 0
    #: Key of the metric by which its checkpoints are chosen.
    objective: str = DEFAULT_OBJECTIVE
    #: What answers are worth, where the recipe says it.
    value: Value | None = None
    #: Train on train and validation together, unscored, and end at this fraction of the budget.
    refit: float | None = None
    #: Whether what it takes in energy is read.
    energy: bool = False
    #: Which teacher's answers the study learns from, where it learns from one.
    teacher: str | None = None
    #: Models that the arm's hyperparameters name, by name.
    companions: Mapping[str, Companion] = field(default_factory=dict)
    #: Where its bookmark lies, by which it is gone on with where its process dies; None: nowhere.
    bookmark: Path | None = None
    #: Bytes that it may have; None: as many as its disk has.
    bookmark_bytes: int | None = None
    #: Seconds between two bookmarks, at least; 0: one at every step, whatever that costs.
    bookmark_seconds: float = 60.0


@dataclass(frozen=True)
class Progressed:
    """How far the budget is spent, for the bar."""

    fraction: float


@dataclass(frozen=True)
class Checkpointed:
    """A scored point. The child waits for `True` (go on) or `False` (stop)."""

    checkpoint: Checkpoint


@dataclass(frozen=True)
class Sized:
    """Validation rows that early checkpoints should be scored on, as this child measured it.

    The child waits for the number that holds for the arm: the first one found by any trial.
    """

    rows: int


@dataclass(frozen=True)
class Continued:
    """The training goes on from its bookmark; or can't, and begins: `why` says it, as a clause.

    `seconds` are those of the processes before, all in all.
    """

    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    why: str | None = None

    @property
    def told(self) -> str:
        """The same in words."""
        if self.why is not None:
            return f"begun anew, its bookmark can't be used: {self.why}"
        return f"continued at step {self.step:,} of {self.steps:,}"


@dataclass(frozen=True)
class Finished:
    """A trial that ended by itself or by pruning, with everything it measured."""

    pruned: bool
    checkpoints: list[Checkpoint]
    scores: Scores | None
    train_seconds: float
    load_seconds: float
    evaluation_seconds: float
    peak_memory_bytes: int
    kept: bool
    serving_shape: str
    #: Of a preflight: validation texts that were scored by a predictor that is warm, where that is
    #: quick, and the seconds it took.
    evaluated: int = 0
    evaluated_seconds: float = 0.0
    #: Over folds: the pooled scores, and the seconds of all trainings and their scoring; of a
    #: preflight, the seconds of one more training and of scoring its fold.
    pooled: Scores | None = None
    search_seconds: float | None = None
    again_seconds: float = 0.0
    #: The file `ANSWERED` among what is attached: what the best checkpoint answered to validation,
    #: or over folds each row's training to it; None of what was pruned, timed or refitted.
    answered: Answered | None = None
    circumstances: dict[str, Any] = field(default_factory=dict)


#: What a failure comes from: the job itself; a death from `outside`; the system that killed for
#: lack of memory (`memory_kill`), or `memory` that the child itself found wanting; a `disk` that is
#: full; an `endpoint` or `weights` that can't be reached.
Cause = Literal["own", "outside", "silent", "memory_kill", "memory", "disk", "endpoint", "weights"]


@dataclass(frozen=True)
class Failed:
    """A trial that could not be finished: the reason in a sentence, the traceback in the log."""

    reason: str
    refused: bool = False
    cause: Cause = "own"


Message = Progressed | Checkpointed | Sized | Continued | Finished | Failed


KEPT = "kept"

#: The file of probabilities that a training or an asked model leaves.
ANSWERED = "answered"


LOG = "log.txt"
