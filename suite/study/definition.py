"""What a study is, stored with it: task, recipe, arms and data as they were when it was created."""

from __future__ import annotations

from typing import Any

import pydantic_core
from pydantic import Field, field_validator

from suite import redaction, shell
from suite.config.recipe import Recipe
from suite.contracts.limits import SamplerName
from suite.contracts.model import Companion, Model
from suite.contracts.records import UNREADABLE, why
from suite.contracts.rowfacts import DataFacts
from suite.contracts.space import Params, Space, dump_dimension, parse_dimension
from suite.contracts.task import Calibration, Closed, Task
from suite.errors import StudyError
from suite.study.arms import PlannedArm
from suite.study.migrations import VERSION, migrated
from suite.study.parting import SplitOf, SubsetOf
from suite.version import __version__


class StoredArm(Closed):
    """An arm as the study holds it; a categorical's choices can't change once recorded.

    `folds` is over how many folds its trials are scored, 0 where on validation alone: decided once,
    when the study is made, so that all trials are scored alike. `companions` are the models that
    its hyperparameters name, by name.
    """

    name: str
    model: Model
    strategy: str
    refused: str | None = None
    dimensions: dict[str, Any] = Field(default_factory=dict)
    known_good: list[Params] = Field(default_factory=list)
    folds: int = Field(0, ge=0)
    companions: dict[str, Companion] = Field(default_factory=dict)

    @classmethod
    def of(cls, arm: PlannedArm) -> StoredArm:
        """A planned arm, as stored. One whose server is away may run later; till then it is out."""
        return cls(
            name=arm.name,
            model=arm.model,
            strategy=arm.strategy,
            refused=None if arm.away else arm.refused,
            dimensions={k: dump_dimension(d) for k, d in arm.space.dimensions.items()},
            known_good=[dict(point) for point in arm.space.known_good],
            folds=arm.folds,
            companions=dict(arm.companions),
        )

    @property
    def space(self) -> Space:
        """The search space, read back."""
        return Space(
            {k: parse_dimension(v, where=f"{self.name}.{k}") for k, v in self.dimensions.items()},
            tuple(self.known_good),
        )


class Definition(Closed):
    """A study, whole: what it is made of stays as it was, whatever becomes of files and defaults.

    `task_said` and `recipe_said` are the keys that the files themselves gave a value; the others
    were this version's defaults. `sampler_named` is the sampler that the command named in place of
    the recipe's. `curve` says that it is the largest size of a learning curve, `subset` which part
    of that one's rows it has. Another key in here is another `VERSION`: see `migrations`.
    """

    version: int = VERSION
    name: str
    task: Task
    task_said: dict[str, Any]
    task_file: str
    recipe: Recipe
    recipe_said: dict[str, Any]
    recipe_named: str | None
    arms: list[StoredArm]
    arm_globs: list[str] = Field(default_factory=list)
    data: DataFacts
    data_dir: str | None = None
    train_rows: int | None = None
    sample: bool = False
    seed: int
    sampler_named: SamplerName | None = None
    split: SplitOf | None = None
    curve: bool = False
    subset: SubsetOf | None = None
    command: str
    created: str
    environment: dict[str, Any]

    @field_validator("command")
    @classmethod
    def _without_secrets(cls, value: str) -> str:
        return redaction.stored_command(value)

    @classmethod
    def read(cls, raw: Any, name: str) -> Definition:
        """A stored definition, written by this version of the suite or another.

        Args:
            raw: what stands in the storage: JSON as text.
            name: the study's name.

        Raises:
            StudyError: a later version wrote it, or it is damaged; says which, and what would help.
        """
        stored: Any = None
        try:
            stored = pydantic_core.from_json(raw)
            version = stored.get("version", 1)
            if not isinstance(version, int) or version < 1:
                raise ValueError(f"version is {version!r}")
            if version > VERSION:
                raise StudyError(
                    f"the study '{name}' was stored by a later version of the suite "
                    f"({_written_by(stored)}): its definition has version {version}, and suite "
                    f"{__version__} reads up to version {VERSION}",
                    fix="Upgrade the suite here, or work where the study was made.",
                )
            return cls.model_validate(migrated(stored))
        except UNREADABLE as error:
            raise StudyError(
                f"the study '{name}' cannot be read: {why(error)}",
                fix=f"It was stored by suite {_written_by(stored)}, this is suite {__version__}: "
                f"read it with that one. `{shell.command('study', 'delete', name)}` removes it.",
            ) from None

    @property
    def runnable(self) -> list[StoredArm]:
        """Arms that were not refused."""
        return [arm for arm in self.arms if arm.refused is None]

    @property
    def calibration(self) -> Calibration | None:
        """How rows of train are set aside for what is certified; None where none are."""
        return self.recipe.calibration_of(self.task)

    def arm(self, name: str) -> StoredArm:
        """An arm by name."""
        return next(arm for arm in self.arms if arm.name == name)


def _written_by(stored: Any) -> str:
    """The suite's version that a definition bears, as far as it can be found in it."""
    try:
        return str(stored["environment"]["versions"]["suite"])
    except (KeyError, TypeError):
        return "of an unknown version"
