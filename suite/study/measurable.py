"""Whose serving speed a study measures, and that no bound is set on what it doesn't."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from suite.config import yamlfile
from suite.config.recipe import Recipe
from suite.contracts.model import Model
from suite.errors import RecipeError
from suite.study.arms import PlannedArm

#: Seconds of a scenario, below which timers and calibration show.
SHORTEST = 0.1


def is_measured(recipe: Recipe, model: Model) -> bool:
    """Whether the speed of a model's predictors is measured: of a server only where it may be."""
    measure = recipe.measure
    return measure.seconds > 0 and (model.endpoint is None or measure.endpoints)


def window_seconds(seconds: float) -> float:
    """A scenario's length in each of several rounds: a third of what it is where it is measured
    once, so that six rounds take twice as long and not six times.

    >>> window_seconds(3.0), window_seconds(0.2)
    (1.0, 0.1)
    """
    return max(SHORTEST, seconds / 3)


def check_bounds(recipe: Recipe, file: Path, planned: Sequence[PlannedArm]) -> None:
    """Refuses a bound on serving speed where nothing could tell whether an arm keeps it.

    Args:
        file: the recipe's.
        planned: the study's arms, also those that can't run.

    Raises:
        RecipeError: the bound is set, and an arm's speed would not be measured.
    """
    bound = recipe.bounds.min_rps
    blind = [arm for arm in planned if not arm.refused and not is_measured(recipe, arm.model)]
    if bound is None or not blind:
        return
    where = yamlfile.place(file, "bounds", "min_rps")
    if recipe.measure.seconds <= 0:
        raise RecipeError(
            f"min_rps: {bound:g} bounds a serving speed that measure: {{seconds: 0}} leaves "
            "unmeasured",
            where=where,
            fix="Give measure.seconds more than 0 (3 is the default), or leave the bound out.",
        )
    names = ", ".join(arm.name for arm in blind[:3]) + (", …" if len(blind) > 3 else "")
    raise RecipeError(
        f"min_rps: {bound:g} bounds a serving speed that is not measured of arms that ask a "
        f"server: {names}",
        where=where,
        fix="measure: {endpoints: true} has it measured (every request may cost money); else leave "
        "these arms out, or the bound.",
    )
