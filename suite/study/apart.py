"""A training that is no trial: in this process, untimed, and asked at each of its checkpoints about
rows that it does not learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from suite.config.recipe import Recipe
from suite.contracts.model import Companion
from suite.contracts.strategy import Pool, Predictor, Probabilities, Rows
from suite.contracts.task import Task
from suite.study.definition import StoredArm
from suite.study.efforts import typical
from suite.study.pace import BATCH, pace_of


class ApartRun:
    """`protocols.Run` of an arm at its first known-good point.

    Args:
        recipe: its budget and its spaces are the training's.
        train: what is learned from.
        asked: texts that are answered at each checkpoint.
        fingerprint: of the rows that are learned from.
        folder: where it works.
        told: told how far it is.
    """

    def __init__(
        self,
        task: Task,
        arm: StoredArm,
        recipe: Recipe,
        train: Rows,
        asked: Sequence[str],
        *,
        fingerprint: str,
        folder: Path,
        told: Callable[[float], None] = lambda fraction: None,
    ) -> None:
        params = typical(arm)
        pace = pace_of(recipe, arm.name, arm.strategy, params, len(train))
        self.task = task
        self.model = arm.model
        self.params = params | ({BATCH: pace.batch} if pace else {})
        self.train = train
        self.seed = recipe.seed
        self.folder = folder / "scratch"
        self.attached = folder / "attached"
        self.epochs = pace.passes if pace else recipe.epochs_for(arm.name)
        self.checkpoints = recipe.budget.checkpoints
        self.shrink_batch = True
        self.halvings = 0
        self.fingerprint = fingerprint
        self.pool: Pool | None = None
        self.teacher: str | None = None
        self.companions: Mapping[str, Companion] = arm.companions
        #: What was answered at each checkpoint, float32 [texts, classes].
        self.answers: list[Probabilities] = []
        self._asked = list(asked)
        self._told = told
        self.folder.mkdir(parents=True, exist_ok=True)

    def checkpoint(self, predictor: Predictor, fraction: float) -> None:
        """Answers what it is asked; goes on in any case."""
        if self._asked:
            self.answers.append(predictor.predict_proba(self._asked))

    def loading(self) -> AbstractContextManager[None]:
        """Nothing is timed."""
        return nullcontext()

    def saved(self, seconds: float) -> None:
        """Nothing is timed."""

    def progress(self, fraction: float) -> None:
        """See `protocols.Run.progress`."""
        self._told(fraction)

    def note(self, **facts: Any) -> None:
        """Nobody keeps the circumstances."""
