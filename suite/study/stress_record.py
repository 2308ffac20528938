"""How what became of answers under stress stands in a study's storage: an attribute for each arm,
so that machines that ask the arms of one study don't overwrite each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from pydantic import TypeAdapter

from suite.contracts.stress import Stress
from suite.study import kept_record

STRESS = "suite:stress:"
ADAPTER = TypeAdapter(list[Stress])


def store(study: optuna.Study, found: Stress) -> None:
    """Keeps what became of an arm's answers, in the place of what was found before."""
    study.set_user_attr(f"{STRESS}{found.arm}", dumped([found])[0])


def dumped(found: Sequence[Stress]) -> list[Any]:
    """The same as plain JSON types."""
    values: list[Any] = ADAPTER.dump_python(list(found), mode="json")
    return values


def standing(attributes: Mapping[str, Any]) -> list[Any]:
    """What is stored of models that their arms still ship, each as it stands, by arm."""
    return [
        value
        for key, value in sorted(attributes.items())
        if key.startswith(STRESS)
        and isinstance(value, dict)
        and key == f"{STRESS}{value.get('arm')}"
        and kept_record.version(attributes, str(value.get("arm")))
        == (value.get("trial"), value.get("refit"))
    ]
