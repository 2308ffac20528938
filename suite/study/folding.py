"""Which arms' trials are scored over folds, decided once, when a study is made.

Folds are worth their time where one validation split says too little and another training costs
next to nothing. Both are looked at before anything was run, so that every trial of an arm, on
whatever machine, is scored alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from suite import strategies
from suite.config.recipe import Recipe
from suite.contracts.task import Task
from suite.contracts.teaching import may_be_taught
from suite.data import folds
from suite.data.folds import Folds
from suite.data.snapshot import TaskData
from suite.errors import RecipeError, counted
from suite.study import thumb
from suite.study.arms import PlannedArm
from suite.study.definition import Definition
from suite.study.turns import reckoned

#: With fewer validation rows the standard error of a score of .9 is above the .01 by which an arm
#: may lie below the best and still be recommended: (.9 × .1 / 900)½ = .01.
FEW_ROWS = 900
#: Seconds that folds may add to a trial by rule of thumb where nobody asked for them.
MOST_SECONDS = 30.0


def decide(
    recipe: Recipe, planned: Sequence[PlannedArm], task: Task, loaded: TaskData
) -> tuple[list[PlannedArm], TaskData]:
    """The arms with how many folds their trials are scored over, and the rows, cut into them where
    any is.

    Under `auto` these are arms whose strategy is cheap, and to whose trials folds add little by
    rule of thumb, where validation has few rows, carved or given. Where it is the newest rows,
    trials are scored on it alone: a fold of older ones would be answered by what was learnt from
    newer.

    Raises:
        RecipeError: it asks for folds, and there can be none.
    """
    rows = loaded.facts.rows
    if recipe.validation == "holdout":
        return list(planned), loaded
    asked = recipe.validation == "folds"
    if loaded.timed and asked:
        raise RecipeError(
            f"validation: folds, and {task.name} is split by time: a fold would be answered by "
            "what was learnt from newer rows",
            where=f"recipe {recipe.name}",
            fix="validation: holdout scores trials on the newest rows of train.",
        )
    if not asked and (loaded.timed or rows.validation >= FEW_ROWS):
        return list(planned), loaded
    found = _cut(task, loaded)
    if found is None:
        if not asked:
            return list(planned), loaded
        raise RecipeError(
            f"validation: folds, and {task.name}'s {counted(rows.train + rows.validation, 'row')} "
            "can't be cut so that two classes are left to learn whichever fold is held out",
            where=f"recipe {recipe.name}",
            fix="validation: holdout needs fewer rows.",
        )
    arms = [
        replace(arm, folds=found.count)
        if arm.refused is None
        # A teacher has seen the labels of what a fold would hold out.
        and not may_be_taught(arm.space)
        and (asked or _cheap(arm, recipe, task, loaded, found.count))
        else arm
        for arm in planned
    ]
    return arms, replace(loaded, folds=found) if any(arm.folds for arm in arms) else loaded


def cut(definition: Definition, loaded: TaskData) -> TaskData:
    """A study's rows, cut into folds where its trials are scored over them."""
    if not any(arm.folds for arm in definition.arms):
        return replace(loaded, folds=None)
    return replace(loaded, folds=_cut(definition.task, loaded))


def _cut(task: Task, loaded: TaskData) -> Folds | None:
    return folds.cut(
        loaded.train, loaded.validation, seed=task.validation.seed, groups=loaded.groups
    )


def _cheap(arm: PlannedArm, recipe: Recipe, task: Task, loaded: TaskData, count: int) -> bool:
    """Whether folds add little to an arm's trials."""
    if not strategies.cheap(arm.strategy):
        return False
    texts = thumb.Texts.of(loaded.facts, task.language, len(task.labels))
    here = thumb.Machine.here()
    once, over = (reckoned(arm, recipe, task, texts, here, times) for times in (0, count))
    return once is not None and over is not None and over.trial - once.trial <= MOST_SECONDS
