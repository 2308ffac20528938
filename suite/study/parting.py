"""One task's rows parted several times: which studies that makes, and which tasks allow it.

`NAME` is the first split. `NAME.split-2` and on have its recipe and arms, another test, and a
search of their own.

Of a learning curve `NAME` is the largest size. `NAME.rows-200` has its validation and its test, and
a part of its training rows.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from suite.config.recipe import Bounds, Recipe, Stop
from suite.contracts.limits import MOST_DRAWS, MOST_SEED, MOST_SPLITS
from suite.contracts.rowfacts import DataFacts
from suite.contracts.splits import Way
from suite.contracts.task import Closed, Task, TestCarving

#: Below so many rows in all a test of a fifth says little, and folds test on every row.
FEW_ROWS = 500


#: Said where splits of a given test are asked for.
POOLED = (
    "Its test is given: the first split has it as it is, each further one takes train and test "
    "together and draws a test of as many rows anew."
)


class SplitOf(Closed):
    """Which split of another study's rows a study is; that study is the first.

    `fingerprint` is that of the first split's data: of other rows, no split of it is made.
    """

    study: str
    index: int = Field(ge=2, le=MOST_SPLITS)
    way: Literal["holdout", "folds"]
    fingerprint: str


class SubsetOf(Closed):
    """Which part of another study's training rows a study has; that one is the largest of a
    learning curve.

    `rows` are taken of the order that is the `draw`-th, and of the class `label` only `kept` of
    them. `carried` is from how many rows the hyperparameters are; None where they are searched.
    `fingerprint` is that of the largest's data.
    """

    study: str
    fingerprint: str
    rows: int = Field(ge=2)
    draw: int = Field(1, ge=1, le=MOST_DRAWS)
    label: int | None = Field(None, ge=0)
    kept: int | None = Field(None, ge=1)
    carried: int | None = None

    @property
    def name(self) -> str:
        """What the part's own study is called.

        >>> SubsetOf(study="tickets", fingerprint="", rows=200, draw=2).name
        'tickets.rows-200-2'
        """
        part = f"rows-{self.rows}" if self.label is None else f"less-{self.label}-{self.kept}"
        return f"{self.study}.{part}" + (f"-{self.draw}" if self.draw > 1 else "")


def curve_recipe(recipe: Recipe, subset: SubsetOf | None) -> Recipe:
    """The recipe of a learning curve: its models learn from the training rows alone, else a size
    would be no size. A part's speed is measured once for each size, its arms are timed in the
    largest; and of further draws, which vary the training too, each is trained once."""
    changes: dict[str, object] = {
        "finals": recipe.finals.model_copy(update={"refit": False, "combine": False}),
        "validation": "holdout",
    }
    if subset is not None:
        changes["preflight"] = False
        if subset.carried is not None:  # its points are given, and each is tried
            changes["stop"] = Stop()
        if subset.draw > 1 or subset.label is not None:
            changes["measure"] = recipe.measure.model_copy(update={"seconds": 0.0})
            changes["finals"] = recipe.finals.model_copy(
                update={"refit": False, "combine": False, "seeds": 1}
            )
            changes["bounds"] = Bounds()
    return recipe.model_copy(update=changes)


def part_recipe(recipe: Recipe) -> Recipe:
    """The recipe of a study that trains on a part of its rows: its models learn from the part
    alone. Validation, of which nobody says how hard its rows are, may be larger than it."""
    if recipe.train_subset is None:
        return recipe
    finals = recipe.finals.model_copy(update={"refit": False})
    return recipe.model_copy(update={"finals": finals, "validation": "holdout"})


def split_name(study: str, index: int) -> str:
    """What a split's own study is called.

    >>> split_name("tickets", 1), split_name("tickets", 3)
    ('tickets', 'tickets.split-3')
    """
    return study if index == 1 else f"{study}.split-{index}"


def way_of(task: Task, rows: DataFacts, count: int) -> Way:
    """Few rows are parted into folds, where so many make their test's share; others drawn anew."""
    sizes = rows.rows
    few = sizes.train + sizes.validation + sizes.test < FEW_ROWS
    carving = task.data.carving
    share = None if carving is None else carving.share
    return "folds" if few and share is not None and abs(share * count - 1) < 1e-9 else "holdout"


def split_task(task: Task, split: SplitOf | None) -> Task:
    """The task of a split: the same rows, another test."""
    carving = task.data.carving
    if split is None:
        return task
    if carving is None:
        redrawn = task.data.model_copy(update={"redraw": split.index - 1})
        return task.model_copy(update={"data": redrawn})
    changed: dict[str, int] = {"fold": split.index}
    if split.way == "holdout":
        changed = {"seed": (carving.seed + split.index - 1) % (MOST_SEED + 1)}
    test = TestCarving.model_validate(carving.model_dump() | changed)
    return task.model_copy(update={"data": task.data.model_copy(update={"test": test})})


def why_not(task: Task, *, sample: bool) -> str | None:
    """Why a task's rows can't be parted several times, or None."""
    carving = task.data.carving
    if sample:
        return "the bundled sample stands in for the rows, and its scores say nothing of them"
    if carving is None:
        parted = task.data.parted
        if parted in ("group", "time"):
            by = "the newest rows" if parted == "time" else "groups that train has no row of"
            return f"its test is given, and is {by}: drawn anew it would be another question"
        if task.data.redraw is not None:
            return "its test is drawn anew already (data: {redraw: …})"
        return None
    if carving.time is not None:
        return f"its test is the newest rows by '{carving.time}', and of these there is one"
    if carving.fold is not None:
        return f"its test is fold {carving.fold} of {round(1 / (carving.share or 1))} already"
    return None
