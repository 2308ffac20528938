"""`suite task check`: what a task file and its rows lack, a line each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from suite.config import yamlfile
from suite.contracts.language import LANGUAGES
from suite.contracts.task import Task
from suite.data import load as data
from suite.data import tables
from suite.data.draft_text import UNKNOWN_LICENCE
from suite.data.languages import estimate_tokens
from suite.data.purposes import first_of_all
from suite.data.room import Room
from suite.errors import DataError, SuiteError, counted
from suite.files import is_folder


@dataclass(frozen=True)
class Finding:
    """One line of a check: `ok` and `note` are to read, `warning` to mend; `error` stops."""

    level: Literal["ok", "note", "warning", "error"]
    message: str


def check(task_file: Path, data_dir: Path | None = None, room: Room | None = None) -> list[Finding]:
    """Everything that can be said of a task file, and of its rows where they are on this machine.

    Never raises for a defect of the file or the data: it is a finding of level `error`.

    Args:
        data_dir: a folder that stands in for the task's source, as `--data` does.
        room: how much of the rows may be in memory at once.
    """
    try:
        text = yamlfile.read_text(task_file)
    except SuiteError as error:
        return [Finding("error", str(error))]
    return check_text(text, task_file, data_dir, room)


def check_text(
    text: str,
    task_file: Path,
    data_dir: Path | None = None,
    room: Room | None = None,
    *,
    strict: bool = False,
) -> list[Finding]:
    """The same of the text of a task file, which need not be written yet.

    Args:
        strict: refuse rows without text or label that would be left out.
    """
    try:
        task = yamlfile.validate(text, Task, str(task_file))
    except SuiteError as error:
        return [Finding("error", str(error))]
    findings = [
        Finding("ok", f"the file fits the schema: {counted(len(task.labels), 'class', 'classes')}")
    ]
    if task_file.stem != task.name:
        findings.append(
            Finding("note", f"the file is called {task_file.name}, the task '{task.name}': "
                    f"only as {task.name}.yaml is it found by name")
        )  # fmt: skip
    hub = task.data.hub
    if hub is not None and not hub.pinned:
        findings.append(
            Finding("warning", f"data.hub: {hub.id} is not pinned (revision main): its rows may "
                    "change under a study; name a commit of 40 hex digits")
        )  # fmt: skip
    elif hub is not None and not hub.revision_from:
        findings.append(Finding("note", "data.hub: revision_from does not say where it was found"))
    if task.language not in task.prompt:
        findings.append(
            Finding("note", f"no prompt in the task's language ({task.language}): zero_shot and "
                    "sft ask the usual question"
                    + ("" if task.language in LANGUAGES else ", in English"))
        )  # fmt: skip
    if task.data.licence == UNKNOWN_LICENCE:
        findings.append(Finding("note", "data.licence is not filled in"))
    found = _check_data(task, task_file, data_dir, room, strict)
    first = first_of_all([finding.message for finding in found])
    return sorted([*findings, *found], key=lambda finding: finding.message not in first)


def _check_data(
    task: Task, task_file: Path, data_dir: Path | None, room: Room | None, strict: bool
) -> list[Finding]:
    named = task.data.folder or task.data.file
    try:
        if data_dir is None and named is not None:
            place = data.beside(task_file, named)
            what = "folder" if task.data.folder else "file"
            here = is_folder(place, DataError) if task.data.folder else place.exists()
            if not here:
                where = os.path.abspath(place)
                return [Finding("warning", f"its {what} {where} is not here: give --data")]
        found = data.load(
            task, task_file, data=data_dir, hub_reachable=lambda: False, room=room, strict=strict
        )
    except tables.HubUnavailable:
        return [Finding("note", "the rows are not on this machine: not checked")]
    except SuiteError as error:
        return [Finding("error", str(error))]
    rows, audit = found.facts.rows, found.facts.audit
    findings = [
        Finding(
            "ok",
            f"{found.facts.source}: {rows.train:,} train, {rows.validation:,} validation, "
            f"{counted(rows.test, 'test row')}; fingerprint {found.facts.fingerprint}",
        )
    ]
    warned = [] if audit is None else audit.warnings
    findings += [Finding("warning", warning) for warning in warned]
    long = sum(1 for t in found.train.texts if estimate_tokens(t) > task.max_tokens)
    if long:
        share = 100 * long / len(found.train)
        findings.append(
            Finding("note", f"by their characters, about {share:.1f} % of the train texts "
                    f"({long:,}) are longer than max_tokens ({task.max_tokens}) and will be cut")
        )  # fmt: skip
    return findings
