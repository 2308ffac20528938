"""Rows that were read -> train, validation and test, carved where the source gives none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from suite.contracts import rowfacts
from suite.contracts.strategy import Rows
from suite.contracts.task import Calibration, Task
from suite.data.audit import audit
from suite.data.kept import taken
from suite.data.snapshot import Split, TaskData, digest, fingerprint
from suite.data.splits import (
    Keyed,
    calibration_rows,
    carve,
    carve_test,
    carve_validation,
    drawn_anew,
    nested_order,
)
from suite.errors import DataError, counted

#: Rows of one class from which each part gets some.
LEAST_ROWS = 4


def assemble(
    task: Task,
    keyed: Mapping[Split, Keyed],
    source: str,
    notes: Sequence[str],
    train_rows: int | None,
    most_rows: int | None = None,
    calibration: Calibration | None = None,
) -> TaskData:
    """The data of a task from the splits that its source has.

    Args:
        notes: what is to be said of them before what their audit says.
        train_rows: how many of train to take; all where None.
        most_rows: how many at most, where nothing else is said.
        calibration: how rows of train are set aside, before some of them are taken; where any are.

    Raises:
        DataError: too few rows, or classes, to train, choose and test on, or to set some aside.
    """
    rows, carving = dict(keyed), task.data.carving
    carved = "test" not in rows
    if task.data.redraw is not None and not carved:
        rows["train"], rows["test"] = drawn_anew(rows["train"], rows["test"], task.data.redraw)
    if carved:
        assert carving is not None  # else the source has a test, or was refused
        _check_classes(rows["train"].rows, task, source)
        rows["train"], rows["test"] = carve_test(rows["train"], carving)
        if not len(rows["test"]):
            raise _too_few(rows["train"].rows, "test", source)
    train, test = rows["train"].rows, rows["test"].rows
    names = task.label_names
    _check_classes(train, task, source)
    if len(train) < len(names):
        raise DataError(
            f"train has {counted(len(train), 'row')} for {counted(len(names), 'class', 'classes')}",
            where=source,
            fix="Give at least one row of each class, or list fewer classes in the task.",
        )
    given = rows.get("validation")
    validation = None if given is None else given.rows
    left, others = rows["train"], given.groups if given else None
    timed = False
    is_given = bool(validation)
    if not validation:
        share, seed = task.validation.share, task.validation.seed
        if carved:
            left, chosen = carve(left, share=share, seed=seed)
            validation, others = chosen.rows, chosen.groups
            timed = left.times is not None
        else:
            rest, validation = carve_validation(train, share=share, seed=seed)
            left = Keyed(rest)
        if not validation:
            raise _too_few(rows["train"].rows, "validation", source)
        _check_classes(left.rows, task, source)
    aside = None
    if calibration is not None:
        left, aside = set_aside(left, calibration, seed=task.validation.seed, source=source)
        _check_classes(left.rows, task, source)
    train = left.rows
    order = nested_order(train, seed=task.validation.seed)
    train = train.take(order)
    whole = len(train)
    if train_rows is None and most_rows is not None and len(train) > most_rows:
        train_rows = most_rows
    if train_rows is not None:
        train = _first(train, train_rows, source)
    found = describe(
        train,
        validation,
        test,
        names,
        source=source,
        train_rows_of=whole if train_rows is not None else None,
        validation_given=is_given,
        notes=notes,
        calibration=aside,
    )
    own = left.groups
    if own is None:
        return replace(found, timed=timed)
    others = [None] * len(validation) if others is None else others
    return replace(found, groups=(*taken(own, order[: len(train)]), *others), timed=timed)


def set_aside(train: Keyed, how: Calibration, *, seed: int, source: str) -> tuple[Keyed, Rows]:
    """(The rest of train, what is set aside for calibration).

    Raises:
        DataError: that were more than half of it.
    """
    wanted = calibration_rows(how, len(train))
    if 2 * wanted > len(train):
        raise DataError(
            f"calibration sets {counted(wanted, 'row')} aside, more than half of the "
            f"{len(train):,} to train on",
            where=source,
            fix=f"{counted(2 * how.least, 'row')} to train on would do, at a share of at most .5. "
            "Or set fewer aside, which certify less: calibration: "
            f"{{least: {max(1, len(train) // 5)}}}. Without any, errors are estimated and not "
            "certified.",
        )
    left, chosen = carve(train, share=wanted / len(train), seed=seed)
    if not len(chosen):
        raise _too_few(train.rows, "calibration", source)
    return left, chosen.rows


def _check_classes(train: Rows, task: Task, source: str) -> None:
    present = set(train.labels)
    if len(present) == 1:
        only = task.label_names[train.labels[0]]
        raise DataError(
            f"the one label of train's {counted(len(train), 'row')} is '{only}'",
            where=source,
            fix="A classifier needs rows of at least two classes.",
        )


def _too_few(rows: Rows, part: Split, source: str) -> DataError:
    """The error of rows of which none can be set aside, with how many would do."""
    most = max(Counter(rows.labels).values(), default=0)
    return DataError(
        f"{counted(len(rows), 'row')}, of one class at most {most:,}: too few to set some aside "
        f"for {part}",
        where=source,
        fix=f"Give a {part} file, or more rows: a class with {LEAST_ROWS} different texts has one "
        "for test, one for validation and two to train on, and a score begins to say something "
        "with some thirty for test.",
    )


def _first(train: Rows, count: int, source: str) -> Rows:
    classes = len(set(train.labels))
    if count < classes:
        raise DataError(
            f"--train-rows {count:,} is fewer than the {counted(classes, 'class', 'classes')} of "
            "train",
            where=source,
            fix=f"Take at least {classes:,}.",
        )
    if count > len(train):
        raise DataError(
            f"--train-rows {count:,} is more than train has without validation: {len(train):,}",
            where=source,
            fix=f"Take at most {len(train):,}, or leave --train-rows away.",
        )
    return train.take(range(count))


def describe(
    train: Rows,
    validation: Rows,
    test: Rows,
    labels: Sequence[str],
    *,
    source: str,
    train_rows_of: int | None = None,
    validation_given: bool | None = None,
    sample: bool = False,
    notes: Sequence[str] = (),
    calibration: Rows | None = None,
) -> TaskData:
    """Rows with their facts: counts, fingerprint, audit."""
    found = audit(train, validation, test, labels)
    facts = rowfacts.DataFacts(
        source=source,
        fingerprint=fingerprint(train, validation, test, calibration),
        rows=rowfacts.Rows(
            len(train), len(validation), len(test), 0 if calibration is None else len(calibration)
        ),
        audit=replace(found, warnings=[*notes, *found.warnings]),
        train_rows_of=train_rows_of,
        sample=sample,
        test_digest=digest(test),
        validation_given=validation_given,
    )
    return TaskData(train, validation, test, facts, calibration=calibration)
