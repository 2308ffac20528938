"""Test rows that arms of the finals get wrong: counted, and with their texts where wished.

Those that every arm misses are the first place to look for wrong labels, and what no arm here can
learn. Looking at single errors does not open the test split again: its labels met these answers
when the finals were scored, and what they answered was kept then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from suite import shell
from suite.contracts.predictions import Missed, TestPredictions
from suite.contracts.results import StudyResults
from suite.contracts.strategy import Rows
from suite.data import snapshot
from suite.errors import ReportError

#: Rows whose texts a report shows at most.
SHOWN = 200


@dataclass(frozen=True)
class ConfusedPair:
    """How often an arm took one class for another; `predicted` below 0: it did not answer."""

    true: int
    predicted: int
    arm: str
    rows: int


def with_missed(results: StudyResults, data: Path | None = None) -> StudyResults:
    """The results with the rows that arms miss counted, and shown where the data is given.

    A row is missed by all where each arm gets it wrong with each of its seeds.

    Args:
        results: with `predictions`; without them they come back as they are.
        data: the study's snapshot, to read the texts from; None only counts.

    Raises:
        ReportError: texts are asked for, and the finals did not keep what arms answered.
        DataError: the snapshot is not there, or was changed.
    """
    kept = results.predictions
    if data is None and (kept is None or not kept.arms):
        return results
    kept = _kept(results)
    all_miss = [
        row
        for row, label in enumerate(kept.labels)
        if all(seed[row] != label for seeds in kept.arms.values() for seed in seeds)
    ]
    some_miss = _wrong(kept)
    found = replace(results, missed_total=len(all_miss), errors_total=len(some_miss))
    if data is None:
        return found
    test = _rows(results, kept, data)
    return replace(
        found,
        missed=[_missed(row, test, kept) for row in all_miss[:SHOWN]],
        errors=[_missed(row, test, kept) for row in some_miss[:SHOWN]],
    )


def errors(
    results: StudyResults,
    data: Path,
    arm: str | None = None,
    confused: tuple[int, int] | None = None,
) -> list[Missed]:
    """The test rows that an arm gets wrong, with their texts, those that most arms miss first.

    Args:
        results: with `predictions`.
        data: the study's snapshot.
        arm: only rows that this one gets wrong; None: that any does.
        confused: only rows of the first class that were taken for the second (by `arm`, or by any).

    Raises:
        ReportError: the finals did not keep what arms answered, or have no such arm.
        DataError: the snapshot is not there, or was changed.
    """
    kept = _kept(results)
    if arm is not None and arm not in kept.arms:
        raise ReportError(
            f"'{arm}' has no answers on test",
            where="--arm",
            fix=f"Arms that were tested: {', '.join(kept.arms)}.",
        )
    test = _rows(results, kept, data)
    found = []
    for row in _wrong(kept):
        one = _missed(row, test, kept)
        answers = one.predicted.values() if arm is None else [one.predicted[arm]]
        wrong = [answer for answer in answers if answer != one.label]
        if wrong and (confused is None or (one.label == confused[0] and confused[1] in wrong)):
            found.append(one)
    return found


def confused_pairs(rows: Sequence[Missed], arm: str | None = None) -> list[ConfusedPair]:
    """Which classes were taken for which, by whom and how often, the most frequent first."""
    counted = Counter(
        (row.label, row.predicted[name], name)
        for row in rows
        for name in row.wrong
        if arm is None or name == arm
    )
    pairs = [ConfusedPair(*key, n) for key, n in counted.items()]
    return sorted(pairs, key=lambda p: (-p.rows, p.true, p.predicted, p.arm))


def _kept(results: StudyResults) -> TestPredictions:
    kept = results.predictions
    if kept is None or not kept.arms:
        raise ReportError(
            f"'{results.study}' has no examples to show: its finals kept no answers",
            fix=f"Score test again with `{shell.command('finals', results.study)}`.",
        )
    return kept


def _wrong(kept: TestPredictions) -> list[int]:
    """Rows that some arm's first training gets wrong, those that most arms miss first."""
    missing = [
        sum(seeds[0][row] != label for seeds in kept.arms.values())
        for row, label in enumerate(kept.labels)
    ]
    rows = [row for row, arms in enumerate(missing) if arms]
    return sorted(rows, key=lambda row: (-missing[row], row))


def _rows(results: StudyResults, kept: TestPredictions, data: Path) -> Rows:
    test = snapshot.read_split(data, "test")
    if list(test.labels) != kept.labels:
        raise ReportError(
            f"the test rows of '{results.study}' are not those that were scored",
            where=str(data),
            fix=f"Score test again with `{shell.command('finals', results.study)}`.",
        )
    return test


def _missed(row: int, test: Rows, kept: TestPredictions) -> Missed:
    shares = {arm: rows[row] for arm, rows in kept.confidences.items()}
    return Missed(
        row=row,
        text=test.texts[row],
        label=kept.labels[row],
        predicted={arm: seeds[0][row] for arm, seeds in kept.arms.items()},
        confidence={arm: share for arm, share in shares.items() if share is not None},
        id=None if test.ids is None else test.ids[row],
    )
