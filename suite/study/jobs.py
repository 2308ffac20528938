"""What a study's children are told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from suite.child.messages import Job
from suite.config import settings
from suite.contracts import teaching
from suite.contracts.package import missing
from suite.data import soft
from suite.errors import SettingsError
from suite.machine import facts
from suite.machine.energy import CODECARBON
from suite.study.definition import StoredArm
from suite.study.ledger import Ledger
from suite.study.pace import BATCH, Pace, pace_of, told

#: Validation rows of an arm's early checkpoints.
EVALUATION = "suite:evaluation:"
#: Which teacher's answers its arms learn from.
TEACHER = "suite:teacher"
#: Seconds between two bookmarks of a training, at least; what they take makes it more.
BOOKMARK_SECONDS = 60.0


class Jobs:
    """Jobs of one study.

    Args:
        ledger: the study.
        workers: how many children share this machine's cores.

    Raises:
        SettingsError: their energy is to be read, and what reads it is not installed.
    """

    def __init__(self, ledger: Ledger, workers: int) -> None:
        self._ledger = ledger
        #: Whether their energy is read, and that of what is measured of the study.
        self.energy = _energy()
        self.workers = workers
        #: Threads of one child.
        self.threads = max(1, facts.threads() // workers)

    def job(self, arm: StoredArm, params: Mapping[str, Any], folder: Path, **changes: Any) -> Job:
        """A training with these hyperparameters, in this folder, as the study has it but for
        changes."""
        definition = self._ledger.definition
        recipe = definition.recipe
        pace = self.pace(arm, params)
        values: dict[str, Any] = {
            "arm": arm.name,
            "strategy": arm.strategy,
            "model": arm.model,
            "task": definition.task,
            "params": dict(params) | ({BATCH: pace.batch} if pace else {}),
            "seed": definition.seed,
            "snapshot": self._ledger.artifacts.data,
            "fingerprint": definition.data.fingerprint,
            "folder": folder,
            "epochs": pace.passes if pace else recipe.epochs_for(arm.name),
            "checkpoints": recipe.budget.checkpoints,
            "shrink_batch": recipe.shrink_batch,
            "threads": self.threads,
            "evaluation": self._evaluation(arm.name),
            "folds": arm.folds,
            "objective": recipe.objective,
            "value": recipe.value,
            "energy": self.energy,
            "teacher": self._teacher() if params.get(teaching.NAME) else None,
            "companions": arm.companions,
            "bookmark_seconds": BOOKMARK_SECONDS,
        }
        return Job(**(values | changes))

    def pace(self, arm: StoredArm, params: Mapping[str, Any]) -> Pace | None:
        """The batch and the passes that such a training has, where its steps have a floor."""
        definition = self._ledger.definition
        rows = definition.data.rows.train
        return pace_of(definition.recipe, arm.name, arm.strategy, params, rows)

    def paced(self, arm: StoredArm, params: Mapping[str, Any]) -> dict[str, Any]:
        """The same as circumstances of a trial."""
        pace = self.pace(arm, params)
        return told(pace, self._ledger.definition.recipe, arm.name, params)

    def settle_evaluation(self, arm: str, rows: int) -> int:
        """Validation rows of the arm's early checkpoints, the same for every trial of it in every
        worker: the first number found stays."""
        with self._ledger.lock.held():
            known = self._evaluation(arm)
            if isinstance(known, int):
                return known
            self._ledger.study.set_user_attr(f"{EVALUATION}{arm}", rows)
            return rows

    def _teacher(self) -> str | None:
        """Which teacher's answers the study learns from: the last that were written before its
        first training that learns from any. They stay the same, whatever is distilled later."""
        with self._ledger.lock.held():
            known = self._ledger.study.user_attrs.get(TEACHER)
            if soft.is_digest(known):
                return str(known)
            definition = self._ledger.definition
            found = soft.newest(definition.task, definition.data.fingerprint)
            if found is not None:
                self._ledger.study.set_user_attr(TEACHER, found)
            return found

    def _evaluation(self, arm: str) -> int | str:
        """The same, where they are decided; else how they are to be."""
        if self._ledger.definition.recipe.budget.evaluation == "full":
            return "full"
        known = self._ledger.study.user_attrs.get(f"{EVALUATION}{arm}")
        return known if isinstance(known, int) else "auto"


def _energy() -> bool:
    """Whether the settings ask for energy, and it can be read."""
    setting = settings.settings()["energy"]
    if setting.value is True and (why := missing([CODECARBON])):
        raise SettingsError(f"energy: {why}", where=setting.origin)
    return setting.value is True
