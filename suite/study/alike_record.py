"""How it stands in a study's storage whether arms find the same rows hard."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from pydantic import TypeAdapter

from suite.contracts.alike import Alike

ALIKE = "suite:alike"
ADAPTER = TypeAdapter(list[Alike])


def store(study: optuna.Study, found: Sequence[Alike]) -> None:
    """Keeps it in the place of what was found before."""
    study.set_user_attr(ALIKE, ADAPTER.dump_python(list(found), mode="json"))
