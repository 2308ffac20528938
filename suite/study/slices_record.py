"""How the scores of parts of test stand in a study's storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from pydantic import TypeAdapter

from suite.contracts.slices import Slices

SLICES = "suite:slices"
ADAPTER = TypeAdapter(list[Slices])


def store(study: optuna.Study, found: Slices) -> None:
    """Keeps them in the place of those before."""
    study.set_user_attr(SLICES, ADAPTER.dump_python([found], mode="json"))


def standing(attributes: Mapping[str, Any]) -> list[Any]:
    """As they stand stored; none where there are none."""
    stored = attributes.get(SLICES)
    return stored if isinstance(stored, list) else []
