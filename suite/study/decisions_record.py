"""How decisions stand in a study's storage: when each arm's model answers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from pydantic import TypeAdapter

from suite.contracts.deciding import Decision
from suite.study import kept_record, trainings_record
from suite.study.kept_record import Shipped

DECISIONS = "suite:decisions"
ADAPTER = TypeAdapter(list[Decision])


def store(study: optuna.Study, decisions: Sequence[Decision]) -> None:
    """Keeps decisions in the place of those of the same arms."""
    own = {one.arm for one in decisions}
    others = [one for one in standing(study.user_attrs) if one.get("arm") not in own]
    study.set_user_attr(DECISIONS, [*others, *dumped(decisions)])


def dumped(decisions: Sequence[Decision]) -> list[Any]:
    """Decisions as plain JSON types."""
    found: list[Any] = ADAPTER.dump_python(list(decisions), mode="json")
    return found


def standing(attributes: Mapping[str, Any]) -> list[Any]:
    """The decisions of models that their arms still ship, each as it stands stored."""
    stored = attributes.get(DECISIONS)
    return [
        one
        for one in (stored if isinstance(stored, list) else [])
        if isinstance(one, dict)
        and model_of(attributes, str(one.get("arm"))) == tuple(map(one.get, _MODEL))
    ]


#: By which keys of a decision a model is told from others.
_MODEL = ("trial", "refit", "mark", "temperature")


def model_of(
    attributes: Mapping[str, Any], arm: str
) -> tuple[int, bool, str | None, float | None] | None:
    """The model that an arm ships: its trial, whether it is refitted, its mark, and the temperature
    that it answers at; None where it ships none."""
    taken = kept_record.taken(attributes, arm)
    if taken is None:
        return None
    refit = isinstance(taken, Shipped) and taken.refit
    index = 0 if isinstance(taken, Shipped) else trainings_record.KEPT
    temperature = trainings_record.temperature(attributes, arm, index, trial=taken.trial)
    return taken.trial, refit, taken.mark, temperature
