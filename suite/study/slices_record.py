"""How the scores of parts of test stand in a study's storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from pydantic import TypeAdapter, ValidationError

from suite.contracts.slices import Drift, Slices

SLICES = "suite:slices"
ADAPTER = TypeAdapter(list[Slices])


def store(study: optuna.Study, found: Slices) -> None:
    """Keeps them in the place of those before."""
    study.set_user_attr(SLICES, ADAPTER.dump_python([found], mode="json"))


def standing(attributes: Mapping[str, Any]) -> list[Any]:
    """As they stand stored; none where there are none."""
    stored = attributes.get(SLICES)
    return stored if isinstance(stored, list) else []


def drift(study: optuna.Study) -> list[Drift]:
    """How far the splits differ, as far as that stands stored and can be read."""
    try:
        return [
            one
            for found in ADAPTER.validate_python(standing(study.user_attrs))
            for one in found.drift
        ]
    except ValidationError:
        return []
