"""What a shell offers after Tab: names of studies, tasks, recipes, models and arms.

Asked at every Tab, so nothing heavy is imported: a default database is read by sqlite3 itself,
YAML files are listed by name, the catalogue is scanned for its names. Whatever goes wrong, there is
nothing to offer, and nothing is said.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from suite import paths

#: The user attribute by which a study of Optuna's is one of the suite's (`suite.study.storage`).
DEFINITION = "suite:definition"

Completer = Callable[[Any, list[str], str], list[str]]


def _silent(names: Callable[[Any], Iterable[str]]) -> Completer:
    """A completer for typer: the names that begin as typed; none where they can't be had."""

    def complete(ctx: Any, args: list[str], incomplete: str) -> list[str]:
        try:
            return sorted(name for name in names(ctx) if name.startswith(incomplete))
        except Exception:  # noqa: BLE001 - a traceback in the middle of a prompt helps nobody
            return []

    return complete


def _studies(ctx: Any) -> list[str]:
    from suite.config import settings

    url = str(ctx.params.get("storage") or settings.storage())
    if not url.startswith("sqlite:///"):
        return []  # A server may be slow, or want a password.
    file = Path(url.removeprefix("sqlite:///").partition("?")[0])
    if not file.is_file():
        return []
    # Read-only, and never waiting for a writer.
    uri = f"file:{quote(str(file.resolve()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=0.2)
    try:
        rows = connection.execute(
            "SELECT study_name FROM studies JOIN study_user_attributes USING (study_id) "
            "WHERE key = ?",
            (DEFINITION,),
        ).fetchall()
    finally:
        connection.close()
    return [str(name) for (name,) in rows]


def _models(ctx: Any) -> list[str]:
    text = (paths.PACKAGE / "models" / "models.yaml").read_text(encoding="utf-8")
    return re.findall(r"^\s*- name:\s*(\S+)", text, flags=re.MULTILINE)


def _arms(ctx: Any) -> list[str]:
    from suite import strategies
    from suite.models.catalogue import load_catalogue

    models = load_catalogue().values()
    return [f"{m.name}/{s}" for m in models for s in strategies.names() if strategies.fits(m, s)]


studies = _silent(_studies)


def _tasks(ctx: Any) -> dict[str, Path]:
    from suite.config import settings

    return settings.task_files()


tasks = _silent(_tasks)
recipes = _silent(lambda ctx: paths.yaml_files("studies"))
models = _silent(_models)
arms = _silent(_arms)
