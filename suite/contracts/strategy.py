"""What the rooms promise each other: a strategy turns a model and training rows into a predictor.

A strategy sees its `Run` and nothing else: no Optuna, no clock, no test split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from suite.contracts.model import Companion, Model
from suite.contracts.space import Params, Space
from suite.contracts.task import Task

Probabilities = NDArray[np.float32]

T = TypeVar("T")

#: The class index of a row that was not answered; it counts as wrong whatever the label.
NO_ANSWER = -1


class Pruned(Exception):
    """Raised by `Run.checkpoint` when the trial should end. Strategies let it through."""


class Refused(Exception):
    """Raised by a strategy that finds out only in `fit` that it can't run; the message says why."""


class Unreachable(Refused):
    """Refused because weights can't be had now; another time they may be."""


@dataclass(frozen=True)
class Rows:
    """Texts and their class indices, in one order; the texts of very many rows may be on disk.

    `ids` has what each row is called in its source, where the task names such a column; None
    where it names none, or where it wasn't read.
    """

    texts: Sequence[str]
    labels: tuple[int, ...]
    ids: Sequence[str | None] | None = None
    soft: NDArray[np.float32] | None = None
    """Of rows that a teacher answered: what to learn, as probabilities [rows, classes], of which
    `labels` are the likeliest classes."""
    others: Mapping[str, Sequence[str | None]] = field(default_factory=dict, compare=False)
    """Other columns of the source that were asked for, by name."""

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> Rows:
        """The rows at these positions."""
        at = indices.tolist() if isinstance(indices, np.ndarray) else indices
        return Rows(
            _taken(self.texts, at),
            tuple(map(self.labels.__getitem__, at)),
            None if self.ids is None else _taken(self.ids, at),
            None if self.soft is None else self.soft[list(at)],
            {name: _taken(values, at) for name, values in self.others.items()},
        )


def _taken(values: Sequence[T], at: Sequence[int]) -> Sequence[T]:
    """The values at these positions; what is on disk stays there."""
    take = getattr(values, "take", None)
    return tuple(map(values.__getitem__, at)) if take is None else cast(Sequence[T], take(at))


@dataclass(frozen=True)
class Pool:
    """The rows that the trainings of one trial draw theirs from.

    What learns nothing from them, such as a frozen model's embeddings, may be computed once for all
    of them, and be kept in `shared` for the other trainings. What learns from rows, if only which
    words there are, must look at `Run.train` alone.

    Args:
        positions: of the rows that this training learns from.
        fingerprint: identifies the rows: key of caches shared by trials.
    """

    rows: Rows
    positions: tuple[int, ...]
    fingerprint: str
    shared: dict[str, Any]


def words(texts: Sequence[str]) -> list[int]:
    """How many words each text has, between blanks."""
    return [len(text.split()) for text in texts]


@dataclass(frozen=True)
class TextLength:
    """How long a text is for a predictor, told without its weights.

    Args:
        of: of each text as it is.
        most: length of the longest that is read whole; None where any is.
        unit: of these: "token", "word", "character".
    """

    of: Callable[[Sequence[str]], list[int]] = words
    most: int | None = None
    unit: str = "word"


@dataclass(frozen=True)
class Beside:
    """What a predictor has beside the probabilities of texts.

    Args:
        scores: float32 [texts, classes], before they are made to sum to one; minus infinity of a
            class that it never answers.
        embeddings: float32 [texts, width], what these are a linear function of; None where it has
            none.
    """

    scores: NDArray[np.float32]
    embeddings: NDArray[np.float32] | None = None


@runtime_checkable
class Predictor(Protocol):
    """A trained classifier, from raw text to probabilities.

    It may also have `facts`, circumstances of its last `predict_proba` that belong to the trial
    (a dict); `form`, the name of how it serves; `forms()`, other predictors that serve the same
    model in another form, by name; `to_measure()`, itself without what a measurement of speed
    must not see, such as a cache of answers; `lengths(texts)`, the model's own tokens of each text
    as it is; `text_length`, how long a text may be to be read whole (any number of words, where it
    does not say); `asker`, what answers any other question with the same model
    (`suite.contracts.typed`); `steady`, False where it may answer a text otherwise the next
    time, or at a cost (a model that writes, a server); `beside(texts)`, what it has beside their
    probabilities (a `Beside`), by which texts that fit no class are told; and `recall(positions)`,
    what it answers to rows of its run's pool, from what was computed for all of them.
    """

    #: What decides serving speed: two predictors of one shape serve equally fast.
    serving_shape: str
    #: Numbers it computes in: "float32", "bfloat16", ...
    precision: str
    #: Texts in one batch when many are asked for at once.
    batch: int

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; each row sums to 1, or is all 0 where
        the model gave no answer that names a class."""
        ...

    def save(self, folder: Path) -> None:
        """Writes itself: arrays as safetensors, vocabulary and settings as JSON.

        NumPy arrays must be C-contiguous (`np.ascontiguousarray`): safetensors writes others, such
        as scikit-learn's coefficients, in the order of memory, and they come back scrambled.
        """
        ...


class Run(Protocol):
    """One training, as a strategy sees it.

    It may also have `bookmarks` (`suite.contracts.bookmark`), by which a training that was broken
    off is gone on with.
    """

    task: Task
    model: Model
    params: Params
    train: Rows
    seed: int
    #: Scratch space of this trial; removed when it ends.
    folder: Path
    #: Kept beside the checkpoint where the trial is its arm's best: files that repeat the
    #: training elsewhere. Made by whoever writes into it; its path stays as it is.
    attached: Path
    #: Passes over the training rows, and how many of them are scored on the way.
    epochs: float
    checkpoints: int
    #: Whether a batch may be halved (and accumulation doubled) when memory runs out.
    shrink_batch: bool
    #: How often it is halved before the first try: the system killed as many processes of this
    #: trial because memory ran out, and they could not halve it themselves.
    halvings: int
    #: Identifies the training rows: key of caches shared by trials.
    fingerprint: str
    #: Where there are several trainings: the rows that each draws its own from.
    pool: Pool | None
    #: Which teacher's answers the study learns from; None where it has chosen none.
    teacher: str | None
    #: Models that the arm's hyperparameters name, by name.
    companions: Mapping[str, Companion]

    def checkpoint(self, predictor: Predictor, fraction: float) -> None:
        """Stops the clock, scores on validation, reports, starts the clock again.

        Args:
            fraction: of the budget, in (0, 1]; the last call has 1.0.

        Raises:
            Pruned: the trial should end.
        """
        ...

    def loading(self) -> AbstractContextManager[None]:
        """Within: loading weights or compiling; reported apart, not on the training clock."""
        ...

    def saved(self, seconds: float) -> None:
        """A cache saved this much work that belongs to training; it is added back. Below 0: so much
        was done for rows of the pool that are not train's."""
        ...

    def progress(self, fraction: float) -> None:
        """How far the budget is spent; cheap, may be called at every step."""
        ...

    def note(self, **facts: Any) -> None:
        """Circumstances kept with the trial: precision, device, batch, rows cut, ..."""
        ...


class Strategy(Protocol):
    """How a model is made to classify.

    It may also have
    - `hyperparameters(model)`, name -> `Hyperparameter`: what each may be, checked where a recipe
      sets it; asked of models that fit;
    - `for_long_texts(space, model)`, that space where many training texts are longer than the
      arm may read: with what is read of them as a dimension (as it is);
    - `for_rare_classes(space, model, task)`, that space where the largest class has five times the
      rows of the smallest, or more: with what makes up for that as a dimension (as it is);
    - `variants`, name -> hyperparameter -> dimension as a recipe writes it: the arm
      `model/strategy+name` has these dimensions so;
    - `known_good(model, task, rows)`, known-good points for so many training rows, in place of
      those of `space`;
    - `shrinks(model)`, whether it halves its batch at once by `run.halvings`, the effective one the
      same, and refuses where one text is at once already (no);
    - `preload(model)`, modules that a study's forkserver imports once for its children (where it
      is not there or says None: torch, transformers and peft);
    - `families`, of models that a glob pairs it with (all, where it does not say), and `served`,
      whether a served model is among them (no);
    - `scored_once(model)`, whether a training is scored at its end alone (no);
    - `cheap`, whether its trials may be scored over folds unasked, where these take little (no);
    - `lacks(model, task, space)`, what it needs for the space that a recipe made and does not have
      here, and what would help (None): such an arm is refused when a study is made;
    - `learns_late`, whether learning sets in only after some dozens of optimiser steps, each of as
      many texts as its hyperparameter `batch` says (no): then a budget has least steps;
    - `deterministic(model, params)`, whether training twice with other seeds gives the same
      predictor (no);
    - `passes(model, rows, epochs)`, passes over so many rows that a training makes in a budget
      (`epochs`), in any unit: a preflight times few rows, and reckons what many take;
    - `effort(model, params)`, how much a trial at these hyperparameters has to do beside one at
      others, above 0 and in any unit (as much at all): what was timed at one point tells of others;
    - `learns(model, params)`, whether anything of the predictor comes from training rows (yes);
    - `network`, whether what it keeps is a network that engines can convert (no);
    - `packages`, a `Package` each, that only some of its work needs.
    """

    name: str

    def refuses(self, model: Model, task: Task) -> str | None:
        """Why this model can't be used so for this task, and what would help; or None."""
        ...

    def space(self, model: Model, task: Task) -> Space:
        """Default dimensions and known-good points; a recipe may override them."""
        ...

    def fit(self, run: Run) -> Predictor:
        """Trains; calls `run.checkpoint(predictor, fraction)` on the way, at 1.0 last."""
        ...

    def load(self, folder: Path) -> Predictor:
        """Reads what a predictor of this strategy saved."""
        ...
