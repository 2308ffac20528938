"""The published JSON schemas: what editors check task and recipe files against, and what
`suite study show --json` and `suite report` print.

The files in `suite/config/schemas/` are generated (`python -m suite.cli.schemas`) and travel with
the package; a test holds them to the models.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from suite import paths
from suite.config.recipe import Recipe
from suite.contracts.results import results_adapter
from suite.contracts.task import Task
from suite.errors import StorageError
from suite.report.data.across import across_adapter
from suite.report.pages.document import document_adapter

FOLDER = paths.PACKAGE / "config" / "schemas"


def task_schema() -> dict[str, Any]:
    """The schema of a file in `tasks/`."""
    return _named(Task.model_json_schema(), "A task of suite")


def recipe_schema() -> dict[str, Any]:
    """The schema of a file in `studies/`."""
    return _named(Recipe.model_json_schema(), "A recipe of suite")


def results_schema() -> dict[str, Any]:
    """The schema of what `suite study show --json` prints."""
    return _named(results_adapter().json_schema(mode="serialization"), "The results of a study")


def report_schema() -> dict[str, Any]:
    """The schema of the JSON file that `suite report` writes."""
    return _named(document_adapter().json_schema(mode="serialization"), "The report of a study")


def across_schema() -> dict[str, Any]:
    """The schema of `across.json`, which `suite report` writes of several studies."""
    return _named(across_adapter().json_schema(mode="serialization"), "Several studies together")


def _named(schema: dict[str, Any], title: str) -> dict[str, Any]:
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **schema, "title": title}


def texts() -> dict[str, str]:
    """File name -> its content, for every schema."""
    schemas = {
        "task": task_schema(),
        "recipe": recipe_schema(),
        "results": results_schema(),
        "report": report_schema(),
        "across": across_schema(),
    }
    return {
        f"{name}.schema.json": json.dumps(schema, ensure_ascii=False, indent=2) + "\n"
        for name, schema in schemas.items()
    }


def write(folder: Path = FOLDER) -> list[Path]:
    """Writes the schemas into a folder.

    Raises:
        StorageError: the folder cannot be written.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in texts().items():
            (folder / name).write_text(content, encoding="utf-8")
            written.append(folder / name)
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror}", where=str(folder)) from None
    return written


if __name__ == "__main__":
    for path in write():
        sys.stdout.write(f"{path}\n")
