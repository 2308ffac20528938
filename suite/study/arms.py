"""Which arms a study has: globs over models × strategies, each arm runnable or refused with why.

An arm is `model/strategy`. `model/strategy+variant` is the same with some hyperparameters pinned
by a name that the strategy gives them, so that two ways of one strategy (asking with and without
thinking, tuning fully and by LoRA) are two arms with trials and ranks of their own.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from suite import shell, strategies
from suite.config.recipe import Recipe, matches
from suite.contracts import balancing, cutting
from suite.contracts.combination import ARMS
from suite.contracts.hyperparameters import Hyperparameter
from suite.contracts.language import LANGUAGES, name_of
from suite.contracts.model import Companion, Model
from suite.contracts.space import Choice, Dimension, Fixed, Space, contains, parse_dimension
from suite.contracts.task import Task
from suite.errors import RecipeError, nearest
from suite.models import folder
from suite.models.catalogue import find_model
from suite.study import companions


@dataclass(frozen=True)
class PlannedArm:
    """An arm with its search space, or with the reason why it is refused.

    Args:
        away: whether its server is all that is missing: it may be back when the study is run.
        folds: over how many its trials are scored; 0: on validation alone.
        companions: models that its hyperparameters name, by name.
    """

    name: str
    model: Model
    strategy: str
    space: Space
    refused: str | None = None
    away: bool = False
    folds: int = 0
    companions: Mapping[str, Companion] = field(default_factory=dict)


def asked_in_english(arms: Sequence[PlannedArm], task: Task) -> str | None:
    """Which arms ask their question in English although the texts are in another language, as a
    sentence; None where none does."""
    if task.language in LANGUAGES or task.language in task.prompt:
        return None
    asking = [
        arm.name
        for arm in arms
        # What answers in words is asked in words.
        if arm.refused is None
        and getattr(strategies.get(arm.strategy), "reads", None) == "language model"
    ]
    if not asking:
        return None
    return (
        f"{', '.join(asking)}: asked in English, for the task has no `prompt` in "
        f"{name_of(task.language)}; `prompt: {{{task.language}: …}}` in its file words one."
    )


def plan(
    recipe: Recipe,
    task: Task,
    catalogue: Mapping[str, Model],
    *,
    globs: Sequence[str] = (),
    added: Sequence[str] = (),
    unavailable: Callable[[Model], str | None],
    recipe_file: Path | None = None,
    lengths: Sequence[int] = (),
    rows: int | None = None,
    counts: Sequence[int] = (),
) -> list[PlannedArm]:
    """The arms of a study, in the recipe's order.

    Args:
        globs: take the place of the recipe's arms where given.
        added: names of models added on the command line; without globs of one's own those that
            the recipe has no arm of bring every strategy that fits them.
        unavailable: why a model's weights can't be had, or None.
        recipe_file: where the recipe stands, for errors.
        lengths: tokens of training texts, by estimate: where they are long, how they are cut is
            searched.
        rows: that are trained on, where that is known: known-good points follow them.
        counts: rows of each class among them: where some are rare, what makes up for that is
            searched.

    Raises:
        RecipeError: a glob matches nothing, a strategy is unknown, or a space has a hyperparameter
            that no arm under its glob has, or that can't be so.
        ModelError: a model is unknown.
    """
    patterns = list(globs) or [*recipe.arms, *brought(recipe, added)]
    names: list[str] = []
    for pattern in patterns:
        names += [name for name in expand(pattern, catalogue) if name not in names]
    _refuse_unknown(recipe, task, catalogue, recipe_file)
    return [
        _plan_one(name, recipe, task, catalogue, unavailable, recipe_file, lengths, rows, counts)
        for name in names
    ]


def brought(recipe: Recipe, added: Iterable[str]) -> list[str]:
    """Globs of the arms that added models bring: of those that no arm of the recipe is of."""
    named = {arm.partition("/")[0] for arm in recipe.arms}
    return [f"{name}/*" for name in added if name not in named]


def _refuse_unknown(
    recipe: Recipe, task: Task, catalogue: Mapping[str, Model], file: Path | None
) -> None:
    """Refuses a hyperparameter that none of the arms under its glob has, in this study or not."""
    for glob, dimensions in recipe.spaces.items():
        known: set[str] = set()
        for model in catalogue.values():
            for strategy in strategies.names():
                ways = [f"{model.name}/{strategy}"]
                if "+" in glob:
                    ways += [f"{ways[0]}+{name}" for name in strategies.variants(strategy)]
                if any(matches(way, glob) for way in ways) and strategies.fits(model, strategy):
                    known.update(_names(model, strategy, task))
        for name in dimensions:
            if known and name not in known:
                raise recipe.unknown(glob, name, known, file)


def _names(model: Model, name: str, task: Task) -> Iterable[str]:
    """The hyperparameters of an arm: as declared, else as in its space, where it has one here."""
    declared = strategies.hyperparameters(name, model)
    strategy = strategies.get(name)
    if declared or strategy.refuses(model, task) is not None:
        return declared
    return strategy.space(model, task).dimensions


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
    if pattern in ARMS.values() or pattern.partition("/")[2] in strategies.COMBINATIONS:
        raise RecipeError(
            f"'{pattern}' can't be trained: the finals combine what other arms have trained",
            fix="Name the arms that it is made of, and finals: {combine: true} in the recipe, or "
            f"`{shell.command('finals', 'NAME', '--combine')}` once the study is there.",
        )
    if not any(wildcard in pattern for wildcard in "*?["):
        model, strategy, variant = parts(pattern)
        find_model(model, dict(catalogue))
        if strategy not in strategies.names():
            raise RecipeError(
                f"unknown strategy '{strategy}' in arm '{pattern}'",
                fix=nearest(strategy, strategies.names()),
            )
        if variant is not None and variant not in strategies.variants(strategy):
            raise RecipeError(
                f"{strategy} has no variant '{variant}' (arm '{pattern}')",
                fix=nearest(variant, strategies.variants(strategy)),
            )
        return [pattern]
    universe = [
        f"{model.name}/{strategy}{variant}"
        for model in catalogue.values()
        for strategy in strategies.names()
        if strategies.fits(model, strategy)
        # Variants are asked for: a plain glob would name every arm twice.
        for variant in (
            [f"+{name}" for name in strategies.variants(strategy)] if "+" in pattern else [""]
        )
    ]
    found = [arm for arm in universe if fnmatch.fnmatchcase(arm, pattern)]
    if not found:
        raise RecipeError(f"no arm matches '{pattern}'", fix=nearest(pattern, universe))
    return found


def parts(arm: str) -> tuple[str, str, str | None]:
    """Model, strategy and variant of an arm's name.

    >>> parts("qwen3-0.6b/zero_shot+think")
    ('qwen3-0.6b', 'zero_shot', 'think')
    """
    model, _, rest = arm.partition("/")
    strategy, plus, variant = rest.partition("+")
    return model, strategy, variant if plus else None


def pinned(space: Space, variant: Mapping[str, Any], *, where: str) -> Space:
    """A space with a variant's dimensions; known-good points of other variants are dropped."""
    dimensions = {
        name: parse_dimension(raw, where=f"{where}.{name}") for name, raw in variant.items()
    }
    points = [
        point
        for point in space.known_good
        if all(contains(dimensions[k], v) for k, v in point.items() if k in dimensions)
    ]
    return Space(space.dimensions, tuple(points)).override(dimensions)


def narrowed(
    space: Space,
    recipe: Recipe,
    arm: str,
    pins: Container[str],
    declared: Mapping[str, Hyperparameter] | None = None,
    file: Path | None = None,
) -> Space:
    """A variant's space as the recipe has it; what the variant pins may only be narrowed.

    A recipe's space of `model/strategy` also reaches its variants, so what it says of a pinned
    dimension may be meant for another one: then the pin stands.
    """
    found = recipe.space_for(arm, space, declared, file)
    kept = {
        name: space.dimensions[name]
        for name, dimension in found.dimensions.items()
        if name in pins and not _within(dimension, space.dimensions[name])
    }
    return Space({**found.dimensions, **kept}, found.known_good)


def _within(inner: Dimension, outer: Dimension) -> bool:
    match inner:
        case Fixed(value=value):
            return contains(outer, value)
        case Choice(options=options):
            return all(contains(outer, option) for option in options)
        case _:
            return inner == outer


def _unfit(model: Model, strategy: str) -> str | None:
    """Why the weights that lie here are of no use to a strategy, or None."""
    use, lies = strategies.reads(strategy), folder.here(model)
    return None if use is None or lies is None else folder.refuses(lies, use)


def _plan_one(
    name: str,
    recipe: Recipe,
    task: Task,
    catalogue: Mapping[str, Model],
    unavailable: Callable[[Model], str | None],
    recipe_file: Path | None,
    lengths: Sequence[int],
    rows: int | None,
    counts: Sequence[int],
) -> PlannedArm:
    model_name, strategy_name, variant = parts(name)
    model = find_model(model_name, dict(catalogue))
    strategy = strategies.get(strategy_name)
    refused = strategy.refuses(model, task)
    space, away = Space({}), False
    if refused is None:
        space = strategies.space(strategy_name, model, task, rows)
        if cutting.are_long(lengths, cutting.limit(task, model)):
            space = strategies.for_long_texts(strategy_name, model, space)
        if balancing.are_rare(counts):
            space = strategies.for_rare_classes(strategy_name, model, space, task)
        declared = strategies.hyperparameters(strategy_name, model)
        if variant is None:
            space = recipe.space_for(name, space, declared, recipe_file)
        else:
            pins = strategies.variants(strategy_name)[variant]
            space = pinned(space, pins, where=name)
            space = narrowed(space, recipe, name, pins, declared, recipe_file)
        refused = recipe.sampler.refuses(space)
        if refused is None:
            refused = unavailable(model)
            away = refused is not None and model.endpoint is not None
    if refused is None:
        refused = _unfit(model, strategy_name)
    if refused is None:
        refused = strategies.lacks(strategy_name, model, task, space)
    beside: Mapping[str, Companion] = {}
    if refused is None:
        declared = strategies.hyperparameters(strategy_name, model)
        beside, refused = companions.of_space(name, space, declared, task, catalogue, unavailable)
    return PlannedArm(name, model, strategy_name, space, refused, away, companions=beside)
