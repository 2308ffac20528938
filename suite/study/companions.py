"""Which models an arm's hyperparameters name beside its own, found when a study is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from suite.contracts.hyperparameters import Hyperparameter
from suite.contracts.model import Companion, Model
from suite.contracts.space import Choice, Fixed, Space
from suite.contracts.task import Task
from suite.errors import ModelError, RecipeError
from suite.models import companions, folder, needs
from suite.models.catalogue import find_model


def of_space(
    arm: str,
    space: Space,
    declared: Mapping[str, Hyperparameter],
    task: Task,
    catalogue: Mapping[str, Model],
    unavailable: Callable[[Model], str | None],
) -> tuple[dict[str, Companion], str | None]:
    """The models that values of a space name, as they are now; and why the arm can't have one of
    them here, with what would help, or None.

    Args:
        unavailable: why a model's weights can't be had, or None.

    Raises:
        RecipeError: a value names no model, or one of another kind.
    """
    found: dict[str, Companion] = {}
    for name, value, limits in _named(space, declared):
        model = _model(f"{name} of {arm}", value, limits, catalogue)
        lies = folder.here(model)
        reason = (
            needs.speaks(model, task)
            or unavailable(model)
            or (None if lies is None else folder.refuses(lies, "body"))
            or needs.too_large(model, needs.FROZEN_BYTES, "embedding with the frozen weights")
        )
        if reason is not None:
            return {}, f"{name}: {value}: {reason}; {name}: {limits.default} needs no other model"
        found[value] = companions.pinned(model)
    return found, None


def _named(
    space: Space, declared: Mapping[str, Hyperparameter]
) -> Iterator[tuple[str, str, Hyperparameter]]:
    """Hyperparameter, value, and what is declared, of each value that names a model."""
    for name, limits in declared.items():
        match space.dimensions.get(name) if limits.names else None:
            case Fixed(value=value):
                options: tuple[object, ...] = (value,)
            case Choice(options=several):
                options = tuple(several)
            case _:
                options = ()
        for option in options:
            if option != limits.default:
                yield name, str(option), limits


def _model(what: str, value: str, limits: Hyperparameter, catalogue: Mapping[str, Model]) -> Model:
    """The model of that name.

    Args:
        what: names it, for errors.

    Raises:
        RecipeError: there is none, or it is of another kind.
    """
    try:
        model = find_model(value, dict(catalogue))
    except ModelError as error:
        raise RecipeError(f"{what}: {error.what}", fix=error.fix) from None
    if model.family in limits.names and (model.path or model.hub):
        return model
    kind = model.family if model.endpoint is None else "model behind a server"
    told = f"is a {kind}" if model.builder is None else "is made from the training texts"
    raise RecipeError(
        f"{what} must be {limits.described}, with weights of its own: {value} {told}",
        fix="A local folder is added with --model NAME=PATH.",
    )
