"""Which arms a study has: globs over models × strategies, each arm runnable or refused with why."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from suite import strategies
from suite.catalog import Model, find_model
from suite.errors import RecipeError, nearest
from suite.protocols import STRATEGY_NAMES
from suite.recipe import Recipe
from suite.space import Space
from suite.task import Task

#: The families a glob pairs with each strategy; an arm written out in full may name any pair,
#: and the strategy itself then says why it refuses.
FAMILIES = {
    "classic": {"classic"},
    "linear_head": {"encoder", "decoder"},
    "probe": {"encoder", "decoder"},
    "sft": {"decoder"},
    "zero_shot": {"decoder"},
}


@dataclass(frozen=True)
class PlannedArm:
    """An arm with its search space, or with the reason why it is refused."""

    name: str
    model: Model
    strategy: str
    space: Space
    refused: str | None = None


def plan(
    recipe: Recipe,
    task: Task,
    catalogue: Mapping[str, Model],
    *,
    globs: Sequence[str] = (),
    added: Sequence[str] = (),
    unavailable: Callable[[Model], str | None],
) -> list[PlannedArm]:
    """The arms of a study, in the recipe's order.

    Args:
        globs: take the place of the recipe's arms where given.
        added: names of models added on the command line; without globs of one's own they bring
            every strategy that fits them.
        unavailable: why a model's weights can't be had, or None.

    Raises:
        RecipeError: a glob matches nothing, a strategy is unknown, or a space does not fit.
        ModelError: a model is unknown.
    """
    patterns = list(globs) or [*recipe.arms, *(f"{name}/*" for name in added)]
    names: list[str] = []
    for pattern in patterns:
        names += [name for name in expand(pattern, catalogue) if name not in names]
    return [_plan_one(name, recipe, task, catalogue, unavailable) for name in names]


def expand(pattern: str, catalogue: Mapping[str, Model]) -> list[str]:
    """The arms a glob names.

    Raises:
        RecipeError: it is no `model/strategy`, or matches nothing.
    """
    if pattern.count("/") != 1:
        raise RecipeError(
            f"an arm is model/strategy, not '{pattern}'",
            fix="For example 'tfidf/*' or bert-base-cased/linear_head.",
        )
    universe = [
        f"{model.name}/{strategy}"
        for model in catalogue.values()
        for strategy in strategies.names()
        if model.family in FAMILIES.get(strategy, {model.family})
    ]
    if not any(wildcard in pattern for wildcard in "*?["):
        model, _, strategy = pattern.partition("/")
        find_model(model, dict(catalogue))
        if strategy not in {*strategies.names(), *STRATEGY_NAMES}:
            raise RecipeError(
                f"unknown strategy '{strategy}' in arm '{pattern}'",
                fix=nearest(strategy, strategies.names()),
            )
        return [pattern]
    found = [arm for arm in universe if fnmatch.fnmatchcase(arm, pattern)]
    if not found:
        raise RecipeError(f"no arm matches '{pattern}'", fix=nearest(pattern, universe))
    return found


def _plan_one(
    name: str,
    recipe: Recipe,
    task: Task,
    catalogue: Mapping[str, Model],
    unavailable: Callable[[Model], str | None],
) -> PlannedArm:
    model_name, _, strategy_name = name.partition("/")
    model = find_model(model_name, dict(catalogue))
    if strategy_name not in strategies.names():
        return PlannedArm(
            name,
            model,
            strategy_name,
            Space({}),
            refused=f"the strategy '{strategy_name}' is not installed; "
            "it comes with a later version, or through the entry point 'suite.strategies'",
        )
    strategy = strategies.get(strategy_name)
    refused = strategy.refuses(model, task)
    space = Space({})
    if refused is None:
        space = recipe.space_for(name, strategy.space(model, task))
        refused = unavailable(model)
    return PlannedArm(name, model, strategy_name, space, refused)
