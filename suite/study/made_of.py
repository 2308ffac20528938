"""Which models answer for an arm: its own, or of a combination those of its members."""

from __future__ import annotations

from collections.abc import Sequence

from suite.contracts.model import Model
from suite.contracts.results import Final
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


def asks(models: Sequence[Model]) -> list[str]:
    """The servers that are asked where these models answer."""
    return list(dict.fromkeys(one.endpoint for one in models if one.endpoint is not None))
