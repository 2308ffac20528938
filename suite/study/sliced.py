"""Parts of test by language and by any column of the source, and how far the splits differ: looked
at where somebody asks, on what the finals kept. Test is not opened again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from suite import shell
from suite.contracts.slices import Slices
from suite.data import load, snapshot
from suite.data.room import Room
from suite.errors import DataError, StudyError
from suite.models import hub
from suite.study import (
    artifacts,
    by_length,
    drifting,
    record,
    rows_here,
    slices_record,
    slicing,
    storage,
)
from suite.study.definition import Definition
from suite.verdict.slicing import judged


def sliced(
    name: str,
    columns: Sequence[str],
    *,
    url: str | None = None,
    data: Path | None = None,
    room: Room | None = None,
) -> Slices:
    """A study's parts of test, those by language and by these columns among them, and how far
    its splits differ; stored in place of what stood there.

    Args:
        name: the study's.
        columns: of its source, read again from where its rows came.
        data: where they lie, if that is elsewhere now.

    Raises:
        StudyError: it has no finals, or its rows are others by now.
        DataError: there is no such column.
    """
    study, definition = storage.load(storage.open_storage(url), name)
    results = record.results(study, definition, predictions=True)
    if results.predictions is None or not results.predictions.arms:
        raise StudyError(
            f"'{name}' has no finals yet: nothing was answered on test",
            fix=f"Score its winners: `{shell.command('finals', name, storage=url)}`.",
        )
    held = artifacts.find(study, definition.data.fingerprint)
    test = snapshot.read_split(held.data, "test")
    train, validation = snapshot.read_train_validation(held.data)
    groups = [
        *by_length.thirds(test.texts, definition.task.language),
        *slicing.by_size(definition, test.labels),
        *slicing.by_language(test.texts),
    ]
    left_out: dict[str, int] = {}
    if columns:
        columns = list(dict.fromkeys(columns))
        values = _columns(definition, held, columns, data, room)
        for column in columns:
            own, left = slicing.by_value(column, values[column])
            groups += own
            left_out |= {column: left} if left else {}
    found = Slices(
        judged(
            test.labels,
            results.predictions.arms,
            groups,
            len(definition.task.labels),
            slicing.fixed_of(results.finals),
        ),
        drift=drifting.between(
            {"train": train.texts, "validation": validation.texts, "test": test.texts},
            definition.task.language,
        ),
        few=slicing.few(definition, test.labels),
        left_out=left_out,
    )
    slices_record.store(study, found)
    return found


def _columns(
    definition: Definition,
    held: artifacts.Artifacts,
    columns: Sequence[str],
    data: Path | None,
    room: Room | None,
) -> Mapping[str, Sequence[str | None]]:
    """Columns of the test rows, read where the study has its rows from."""
    if definition.sample:
        raise StudyError(
            "the bundled sample has no column beside text and label",
            fix="Leave --slice away.",
        )
    loaded = load.load(
        definition.task,
        Path(definition.task_file),
        data=rows_here.followed(definition, held) if data is None else data,
        hub_reachable=hub.reachable,
        train_rows=definition.train_rows,
        calibration=definition.calibration,
        room=room,
        others=columns,
    )
    kept = definition.data.test_digest
    same = loaded.facts.fingerprint == definition.data.fingerprint
    if not (same if kept is None else loaded.facts.test_digest == kept):
        raise DataError(
            f"the test rows found here are not those of the study: digest "
            f"{loaded.facts.test_digest}, stored {kept}",
            where=loaded.facts.source.removeprefix("file ").removeprefix("folder "),
            fix="Restore the data, or name them with --data.",
        )
    return loaded.test.others
