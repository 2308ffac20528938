"""A study of a part of its training rows, by how hard they are: what its recipe and its command
name, and the rows that are left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from pydantic import ValidationError

from suite.config.recipe import Recipe
from suite.contracts.difficulty import By, Part, TrainSubset
from suite.contracts.limits import MOST_SEED
from suite.contracts.records import why
from suite.contracts.task import Task
from suite.data import difficulty
from suite.data.snapshot import TaskData
from suite.errors import StudyError, UsageError, nearest
from suite.study import parting


def asked(recipe: Recipe, said: str | None) -> Recipe:
    """A recipe that trains on the part which the command names, in place of its own.

    Args:
        said: PART, PART:ROWS or PART:ROWS:DRAW, each with BY: before it or not; None where the
            command says nothing.

    Raises:
        StudyError: the recipe trains on no part.
        UsageError: it names no part, or no number of rows.
    """
    if said is None:
        return parting.part_recipe(recipe)
    if recipe.train_subset is None:
        raise StudyError(
            f"--train-subset belongs to a recipe with a train_subset, and '{recipe.name}' has none",
            fix="Give --recipe difficulty, or leave it out.",
        )
    named = said.split(":")
    own = recipe.train_subset.model_dump()
    if _says_by(said):
        own["by"] = named.pop(0)
    part, *numbers = named or [""]
    parts = get_args(Part)
    if part not in parts:
        raise UsageError(
            f"'{part}' is no part",
            where="--train-subset",
            fix=nearest(part, (*parts, *get_args(By))),
        )
    if len(numbers) > 2:
        raise UsageError(
            f"'{said}' says more than BY:PART:ROWS:DRAW",
            where="--train-subset",
            fix="For example hard:1000.",
        )
    own |= {"part": part} | dict(zip(("rows", "draw"), numbers, strict=False))
    try:
        wanted = TrainSubset.model_validate(own)
    except ValidationError as error:
        raise UsageError(why(error), where="--train-subset", fix="For example hard:1000.") from None
    return parting.part_recipe(recipe.model_copy(update={"train_subset": wanted}))


def seed_of(recipe: Recipe) -> int:
    """The seed of a study where the command names none: further draws of rows vary the training
    too, so that their scores lie as far apart as those of any two such trainings."""
    draw = 1 if recipe.train_subset is None else recipe.train_subset.draw
    return (recipe.seed + draw - 1) % (MOST_SEED + 1)


def ending(recipe: Recipe, said: str | None) -> str:
    """What a study's default name has more where the command names the part."""
    wanted = recipe.train_subset
    if said is None or wanted is None:
        return ""
    by = f"-{wanted.by}" if _says_by(said) else ""
    draw = f"-{wanted.draw}" if wanted.draw > 1 else ""
    return f"{by}-{wanted.part}-{wanted.rows}{draw}"


def _says_by(said: str) -> bool:
    return said.partition(":")[0] in get_args(By)


def narrowed(
    loaded: TaskData,
    recipe: Recipe,
    task: Task,
    named: Sequence[str],
    splits: int | None = None,
) -> TaskData:
    """The rows of a study, those to train on as its recipe has them.

    Args:
        named: as of `difficulty.narrowed`.
        splits: how many splits the study is to have.

    Raises:
        StudyError: it is to have several, and a part is of one.
        DataError: as `difficulty.narrowed`.
    """
    if recipe.train_subset is None:
        return loaded
    if splits is not None and splits > 1:
        raise StudyError(
            "train_subset takes rows that were judged for this split; other splits train on others",
            fix="Leave --splits out.",
        )
    return difficulty.narrowed(loaded, recipe.train_subset, task, named)
