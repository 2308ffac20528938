"""A study of a part of its training rows, by how hard they are: what its recipe and its command
name, and the rows that are left."""

from __future__ import annotations

from typing import get_args

from pydantic import ValidationError

from suite.config.recipe import Recipe
from suite.contracts.difficulty import Part, TrainSubset
from suite.contracts.records import why
from suite.contracts.task import Task
from suite.data import difficulty
from suite.data.snapshot import TaskData
from suite.errors import StudyError, UsageError, nearest


def asked(recipe: Recipe, said: str | None) -> Recipe:
    """A recipe that trains on the part which the command names, in place of its own.

    Args:
        said: PART, or PART:ROWS; None where the command says nothing.

    Raises:
        StudyError: the recipe trains on no part.
        UsageError: it names no part, or no number of rows.
    """
    if said is None:
        return recipe
    if recipe.train_subset is None:
        raise StudyError(
            f"--train-subset belongs to a recipe with a train_subset, and '{recipe.name}' has none",
            fix="Give --recipe difficulty, or leave it out.",
        )
    part, _, rows = said.partition(":")
    parts = get_args(Part)
    if part not in parts:
        raise UsageError(f"'{part}' is no part", where="--train-subset", fix=nearest(part, parts))
    own = recipe.train_subset.model_dump() | {"part": part} | ({"rows": rows} if rows else {})
    try:
        wanted = TrainSubset.model_validate(own)
    except ValidationError as error:
        raise UsageError(why(error), where="--train-subset", fix="For example hard:1000.") from None
    return recipe.model_copy(update={"train_subset": wanted})


def ending(recipe: Recipe, said: str | None) -> str:
    """What a study's default name has more where the command names the part."""
    if said is None or recipe.train_subset is None:
        return ""
    return f"-{recipe.train_subset.part}-{recipe.train_subset.rows}"


def narrowed(loaded: TaskData, recipe: Recipe, task: Task, splits: int | None = None) -> TaskData:
    """The rows of a study, those to train on as its recipe has them.

    Args:
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
    return difficulty.narrowed(loaded, recipe.train_subset, task)
