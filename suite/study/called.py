"""How the call that made a study reads on its page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from suite import redaction
from suite.contracts.limits import told
from suite.contracts.task import Task


def called(task: str | Path | Task, given: Mapping[str, Any]) -> str:
    """A call of `create_study`, without secrets.

    Args:
        given: its other arguments; those that are empty are left out.
    """
    words = [repr(task.name if isinstance(task, Task) else str(task))]
    if isinstance(storage := given.get("storage"), str):
        given = {**given, "storage": redaction.address(storage)}
    words += [
        f"{key}={told(value) if isinstance(value, int) else repr(value)}"
        for key, value in given.items()
        if value
    ]
    return f"suite.create_study({', '.join(words)})"
