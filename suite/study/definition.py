"""What a study is, stored with it: task, recipe, arms and data as they were when it was created."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from suite.config.recipe import Recipe
from suite.contracts.model import Model
from suite.contracts.results import DataFacts
from suite.contracts.space import Params, Space, dump_dimension, parse_dimension
from suite.contracts.task import Closed, Task
from suite.errors import StudyError
from suite.study.arms import PlannedArm


class StoredArm(Closed):
    """An arm as the study holds it; a categorical's choices can't change once recorded."""

    name: str
    model: Model
    strategy: str
    refused: str | None = None
    dimensions: dict[str, Any] = Field(default_factory=dict)
    known_good: list[Params] = Field(default_factory=list)

    @classmethod
    def of(cls, arm: PlannedArm) -> StoredArm:
        """A planned arm, as stored."""
        return cls(
            name=arm.name,
            model=arm.model,
            strategy=arm.strategy,
            refused=arm.refused,
            dimensions={k: dump_dimension(d) for k, d in arm.space.dimensions.items()},
            known_good=[dict(point) for point in arm.space.known_good],
        )

    @property
    def space(self) -> Space:
        """The search space, read back."""
        return Space(
            {k: parse_dimension(v, where=f"{self.name}.{k}") for k, v in self.dimensions.items()},
            tuple(self.known_good),
        )


class Definition(Closed):
    """A study, whole."""

    version: int = 1
    name: str
    task: Task
    task_file: str
    task_fingerprint: str
    recipe: Recipe
    recipe_named: str | None
    arms: list[StoredArm]
    arm_globs: list[str] = Field(default_factory=list)
    data: DataFacts
    data_dir: str | None = None
    train_rows: int | None = None
    sample: bool = False
    seed: int
    command: str
    created: str
    environment: dict[str, Any]

    @property
    def runnable(self) -> list[StoredArm]:
        """Arms that were not refused."""
        return [arm for arm in self.arms if arm.refused is None]

    def arm(self, name: str) -> StoredArm:
        """An arm by name."""
        return next(arm for arm in self.arms if arm.name == name)


def differences(stored: Definition, asked: Definition) -> list[str]:
    """Everything in which a study asked for again contradicts the stored one, a line each."""
    found: list[str] = []

    def compare(what: str, before: object, now: object) -> None:
        if before != now:
            found.append(f"{what}: stored {before}, now {now}")

    compare("task", stored.task.name, asked.task.name)
    if stored.task.name == asked.task.name and stored.task_fingerprint != asked.task_fingerprint:
        fields = [
            key
            for key in type(stored.task).model_fields
            if getattr(stored.task, key) != getattr(asked.task, key)
        ]
        found.append(f"the task file {asked.task_file} changed: {', '.join(fields)}")
    compare("recipe", stored.recipe.name, asked.recipe.name)
    if stored.recipe.name == asked.recipe.name:
        for key in type(stored.recipe).model_fields:
            if key not in {"title", "description", "trials"}:
                before, now = getattr(stored.recipe, key), getattr(asked.recipe, key)
                compare(f"recipe {stored.recipe.name}, {key}", before, now)
    compare("--seed", stored.seed, asked.seed)
    compare("--train-rows", stored.train_rows, asked.train_rows)
    compare("data fingerprint", stored.data.fingerprint, asked.data.fingerprint)
    before, now = {a.name: a for a in stored.arms}, {a.name: a for a in asked.arms}
    if set(before) != set(now):
        compare("arms", ", ".join(before), ", ".join(now))
    else:
        for name, arm in before.items():
            if arm.model != now[name].model:
                found.append(f"the catalogue's entry of {name} changed")
            # A refusal may come and go with the machine or the Hub; a space may not.
            elif (
                arm.refused is None
                and now[name].refused is None
                and arm.dimensions != now[name].dimensions
            ):
                found.append(f"the search space of {name} changed")
    return found


def refuse_differences(stored: Definition, asked: Definition) -> None:
    """Refuses to resume a study as something else.

    Raises:
        StudyError: naming each difference.
    """
    found = differences(stored, asked)
    if found:
        raise StudyError(
            f"the study '{stored.name}' exists and differs from what is asked:\n  "
            + "\n  ".join(found),
            fix="Give another --name, restore what changed, or `suite study delete "
            f"{stored.name}` first.",
        )
