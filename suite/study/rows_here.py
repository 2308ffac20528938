"""A study's rows on this machine: there, or made once more from where they came."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import optuna

from suite import shell
from suite.data import load as data
from suite.data import sample
from suite.data.named import options
from suite.data.room import Room
from suite.data.snapshot import TaskData, stands, write_snapshot
from suite.errors import DataError, StudyError
from suite.models import hub
from suite.study import artifacts, folding, growing, subsetting
from suite.study.artifacts import Artifacts
from suite.study.definition import Definition


def ensure_snapshot(
    study: optuna.Study,
    definition: Definition,
    data_dir: Path | None = None,
    *,
    room: Room | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Makes the study's data stand on this machine, as they were when it was created.

    Args:
        data_dir: where they lie; where None, where the study has them from.
        room: how much of them may be in memory at once.
        say: told where a folder of the study's is begun or taken over.

    Raises:
        StudyError: the rows to be had here are others, or another storage owns the study's folder.
        DataError: none are to be had here, or only the database says where.
    """
    held = artifacts.claim(study, definition.data.fingerprint, say=say)
    if _stands(held, definition):
        return
    if definition.sample:
        loaded = sample.sample_data(
            definition.task.language,
            train_rows=definition.train_rows,
            calibration=definition.calibration,
        )
    else:
        if data_dir is None:
            data_dir = followed(definition, held)
        loaded = data.load(
            definition.task,
            Path(definition.task_file),
            data=data_dir,
            hub_reachable=hub.reachable,
            train_rows=definition.train_rows,
            calibration=definition.calibration,
            room=room,
        )
    loaded = subsetting.narrowed(
        loaded, definition.recipe, definition.task, _named(definition, data_dir)
    )
    if definition.subset is not None:
        loaded = growing.part_of(loaded, definition, definition.subset)
    if loaded.facts.fingerprint != definition.data.fingerprint:
        raise StudyError(
            f"the rows found here ({loaded.facts.source}) are not those of the study: "
            f"fingerprint {loaded.facts.fingerprint}, stored {definition.data.fingerprint}",
            fix="Restore the data, or create a study under another --name.",
        )
    keep_snapshot(held, definition, loaded)


def _named(definition: Definition, data_dir: Path | None) -> list[str]:
    """The words by which a command names a study's rows."""
    file = Path(definition.task_file)
    return [
        str(file) if file.is_file() else definition.task.name,
        *options(folder=data_dir, use_sample=definition.sample, train_rows=definition.train_rows),
    ]


def followed(definition: Definition, held: Artifacts) -> Path | None:
    """The folder of rows that a study was created with; None where its task names them.

    Raises:
        DataError: they are files that the database names, and need not be the user's.
    """
    source, beside = definition.task.data, Path(definition.task_file).parent
    if definition.data_dir is not None:
        named = [Path(definition.data_dir)]
    elif source.files is not None:
        parts = (source.files.train, source.files.validation, source.files.test)
        named = [beside / part for part in parts if part is not None]
    else:
        named = [beside / part for part in (source.folder, source.file) if part is not None]
    for path in named:
        if not held.follows(path):
            again = shell.command("study", "run", definition.name, "--data", "DIR")
            raise DataError(
                f"the database says that the rows of '{definition.name}' lie there; what a "
                "database says is not followed out of the working folder",
                where=str(path),
                fix=f"If they are yours: `{again}`.",
            )
    return None if definition.data_dir is None else Path(definition.data_dir)


def _stands(held: Artifacts, definition: Definition) -> bool:
    """Whether a study's rows are there, cut as its trials need them."""
    folds = any(arm.folds for arm in definition.arms)
    return stands(held.data, definition.data.fingerprint, folds=folds)


def keep_snapshot(held: Artifacts, definition: Definition, loaded: TaskData) -> None:
    """Writes a study's rows where they do not stand there, cut as its trials need them."""
    if not _stands(held, definition):
        write_snapshot(held.checked(held.data), folding.cut(definition, loaded))
