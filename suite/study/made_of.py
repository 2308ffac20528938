"""Which models answer for an arm: its own, or of a combination those of its members; and what is
said where a combination is asked for that there is none of."""

from __future__ import annotations

from collections.abc import Sequence

from suite import shell
from suite.contracts.model import Model
from suite.contracts.results import Final
from suite.contracts.space import Params
from suite.errors import StudyError
from suite.study.definition import Definition


def models_of(definition: Definition, finals: Sequence[Final], arm: str) -> list[Model]:
    """An arm's models; of a combination in its members' order.

    Raises:
        StopIteration: the study has no such arm.
    """
    final = next((one for one in finals if one.arm == arm), None)
    if final is None or final.combined is None:
        return [definition.arm(arm).model]
    return [definition.arm(member.arm).model for member in final.combined.members]


def beside_of(definition: Definition, arm: str, params: Params) -> list[Model]:
    """The models beside its own that an arm is made with at these hyperparameters."""
    named = [value for value in params.values() if isinstance(value, str)]
    companions = definition.arm(arm).companions
    return [one.model for name, one in companions.items() if name in named]


def asks(models: Sequence[Model]) -> list[str]:
    """The servers that are asked where these models answer."""
    return list(dict.fromkeys(one.endpoint for one in models if one.endpoint is not None))


def not_combined(
    name: str, arm: str, why: str | None = None, storage: str | None = None
) -> StudyError:
    """What is said of a combination that a study does not have.

    Args:
        name: the study's.
        why: there is none, where its finals looked for one.
        storage: as it was named, for the command that is told.
    """
    again = shell.command("finals", name, "--combine", storage=storage)
    if why is None:
        return StudyError(
            f"'{name}' has no '{arm}': its finals were not asked to combine arms, or are from "
            "before they could",
            fix=f"`{again}` looks for a cascade and an ensemble that are worth having.",
        )
    return StudyError(
        f"'{name}' has no '{arm}': {why}",
        fix=f"With other arms or more rows there may be one: `{again}` looks again.",
    )
