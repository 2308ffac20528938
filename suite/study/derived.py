"""Studies that are made of another one: further splits of its rows, sizes of a learning curve."""

from __future__ import annotations

from suite.data.snapshot import TaskData, write_snapshot
from suite.study import artifacts, storage
from suite.study.database import Database
from suite.study.definition import Definition
from suite.study.lock import StudyLock


def stand(opened: Database, definition: Definition, loaded: TaskData, target: int) -> None:
    """Stores a study with its rows, whole or not at all, where it does not stand there yet.

    Args:
        target: how many finished trials it is to have.
    """
    name = definition.name
    with StudyLock(opened, name).held():
        if not storage.exists(opened, name):
            with artifacts.begun(opened, name) as (id, folder):
                write_snapshot(folder / artifacts.DATA, loaded)
                storage.create(opened, definition, id, target)
