"""Test rows that every arm of the finals gets wrong, counted, and with their texts where wished.

They are the first place to look for wrong labels, and what no arm here can learn.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from suite import shell
from suite.contracts.results import Missed, StudyResults
from suite.data import snapshot
from suite.errors import ReportError

#: Rows whose texts a report shows at most.
SHOWN = 200


def with_missed(results: StudyResults, data: Path | None = None) -> StudyResults:
    """The results with the rows that all arms miss counted, and shown where the data is given.

    An arm that was trained over seeds misses a row when it does so with each of them.

    Args:
        results: with `predictions`; without them they come back as they are.
        data: the study's snapshot, to read the texts from; None only counts.

    Raises:
        ReportError: texts are asked for, and the finals did not keep what arms answered.
        DataError: the snapshot is not there, or was changed.
    """
    kept = results.predictions
    if kept is None or not kept.arms:
        if data is None:
            return results
        raise ReportError(
            f"'{results.study}' has no examples to show: its finals kept no answers",
            fix=f"Score test again with `{shell.command('finals', results.study)}`.",
        )
    rows = [
        row
        for row, label in enumerate(kept.labels)
        if all(seed[row] != label for seeds in kept.arms.values() for seed in seeds)
    ]
    shown: list[Missed] = []
    if data is not None:
        test = snapshot.read_split(data, "test")
        if list(test.labels) != kept.labels:
            raise ReportError(
                f"the test rows of '{results.study}' are not those that were scored",
                where=str(data),
                fix=f"Score test again with `{shell.command('finals', results.study)}`.",
            )
        shown = [
            Missed(
                row=row,
                text=test.texts[row],
                label=kept.labels[row],
                predicted={arm: seeds[0][row] for arm, seeds in kept.arms.items()},
            )
            for row in rows[:SHOWN]
        ]
    return replace(results, missed=shown, missed_total=len(rows))
