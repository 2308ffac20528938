"""Task files: reading one, and finding the shipped and a user's own by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from suite.config import settings, yamlfile
from suite.contracts.task import Reading, Task
from suite.errors import TaskError, YamlError, nearest


def load_task(path: Path | str) -> Task:
    """The task in a file.

    Raises:
        YamlError: with file, line and key.
    """
    return yamlfile.load(Path(path), Task)


def reading(said: Mapping[str, Any]) -> Reading:
    """How files of rows are read, as `data.reading` of a task says it.

    Raises:
        TaskError: an unknown key, or a value that is none.
    """
    try:
        return Reading(**said)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        raise TaskError(
            f"how rows are read: {key}: {what}",
            fix=f"What can be said: {', '.join(Reading.model_fields)}.",
        ) from None


def find_task(name: str) -> tuple[Task, Path]:
    """A shipped or own task by name, or any task by its file's path.

    Raises:
        TaskError: no task of that name (the nearest is named).
        YamlError: the file is not a task.
    """
    if yamlfile.is_path(name):
        return load_task(name), Path(name)
    files = settings.task_files()
    if name not in files:
        raise TaskError(
            f"unknown task '{name}'",
            fix=f"{nearest(name, files)} A task file's path works too, and that of a file of rows.",
        )
    task = load_task(files[name])
    if task.name != name:
        raise YamlError(
            f"name: '{task.name}' in a file called {name}.yaml",
            where=str(files[name]),
            fix="A task's name and its file's name must agree.",
        )
    return task, files[name]
