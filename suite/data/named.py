"""The rows of a task that a command names, for whatever is no study: asked for once, in one way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from suite.config.task import find_task
from suite.contracts.task import Task
from suite.data import load as data
from suite.data import own, sample
from suite.data.draft import Said
from suite.data.room import Room
from suite.data.snapshot import TaskData
from suite.errors import DataError
from suite.models import hub


def options(
    *, folder: Path | str | None = None, use_sample: bool = False, train_rows: int | None = None
) -> list[str]:
    """The options that name the same rows in another command; as of `rows_of`.

    >>> options(folder="my mail", train_rows=90)
    ['--data', 'my mail', '--train-rows', '90']
    """
    words = ["--sample"] if use_sample else []
    if folder is not None and not use_sample:
        words += ["--data", str(folder)]
    return words if train_rows is None else [*words, "--train-rows", str(train_rows)]


def rows_of(
    name: str,
    *,
    folder: Path | None = None,
    use_sample: bool = False,
    train_rows: int | None = None,
    room: Room | None = None,
    others: Sequence[str] = (),
) -> tuple[Task, TaskData]:
    """A task and its rows, parted as a study parts them.

    Args:
        name: a shipped task's, a task file's path, or a file of rows, whose task is found or
            drafted, and not written.
        folder: stands in for the task's source.
        use_sample: the bundled sample, as the task `NAME-sample`.
        train_rows, room, others: as of `load`.

    Raises:
        SuiteError: no such task, or no rows.
    """
    if use_sample and folder is not None:
        raise DataError("--sample and --data contradict each other", fix="Give one of them.")
    if own.is_rows(name):
        if use_sample or folder is not None:
            option = "--sample" if use_sample else "--data"
            raise DataError(f"{option} names other rows than {name}", fix="Give one of them.")
        found = own.own_task(own.source_of(name, None, room), Said(), room=room)
        task, file = found.task, found.file.absolute()
    else:
        task, file = find_task(name)
    if use_sample:
        stand_in = sample.sample_task(task)
        return stand_in, sample.sample_data(stand_in.language, train_rows=train_rows)
    try:
        return task, data.load(
            task,
            file,
            data=folder,
            hub_reachable=hub.reachable,
            train_rows=train_rows,
            room=room,
            others=others,
        )
    except data.HubUnavailable as error:
        raise DataError(
            error.what,
            where=error.where,
            fix="Give --data DIR with train and test files, or --sample for the bundled sample.",
        ) from None
