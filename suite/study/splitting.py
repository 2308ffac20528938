"""A study's further splits: made from it, and what all of them together say of its arms."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from suite import shell
from suite.contracts import moments
from suite.contracts.limits import MOST_SEED, MOST_SPLITS
from suite.contracts.moments import duration
from suite.contracts.results import Final, StudyResults
from suite.contracts.splits import Splits, Way
from suite.contracts.task import Task
from suite.data import load as data
from suite.data.room import Room
from suite.data.snapshot import TaskData
from suite.errors import StudyError, SuiteError, counted
from suite.models import hub
from suite.study import derived, record, storage
from suite.study.database import Database
from suite.study.definition import Definition
from suite.study.parting import (
    FEW_ROWS,
    POOLED,
    SplitOf,
    split_name,
    split_task,
    way_of,
    why_not,
)
from suite.verdict.metrics import MACRO_F1, METRICS, Metric
from suite.verdict.splits import over_splits

#: How many splits a study is to have, itself the first, and how they are made; 1: no more.
SPLITS = "suite:splits"
#: Folds are chosen where so many times what they should take is left.
_AMPLE = 1.2


@dataclass(frozen=True)
class Wanted:
    """How many splits a study is to have, itself the first, and how its rows are parted."""

    count: int
    way: Way

    def __str__(self) -> str:
        if self.way == "folds":
            return f"{counted(self.count, 'fold')}, which together test every row"
        return f"{counted(self.count, 'split')} of the rows, test drawn anew for each"


def wanted(study: optuna.Study) -> Wanted | None:
    """What splits a study is to have; None where nobody asked for any."""
    stored: Any = study.user_attrs.get(SPLITS)
    try:
        count, way = int(stored["count"]), stored["way"]
    except (TypeError, KeyError, ValueError):
        return None
    if way not in ("holdout", "folds") or not 2 <= count <= MOST_SPLITS:
        return None
    return Wanted(count, way)


def want(
    study: optuna.Study, definition: Definition, count: int, *, force: bool = False
) -> Wanted | None:
    """Writes down how many splits a study is to have; never fewer than it has.

    Args:
        count: 1 where folds shall not be chosen for it.
        force: also where each split asks an endpoint anew, which may cost money.

    Raises:
        StudyError: its rows can't be parted several times; its splits are folds of another number.
    """
    there = wanted(study)
    if count == 1:
        if there is None:
            study.set_user_attr(SPLITS, {"count": 1, "way": "holdout"})
        return there
    check(definition, force=force)
    if there is not None and there.way == "folds" and count != there.count:
        raise StudyError(
            f"'{definition.name}' has {there}, and not {count}",
            fix="Give another --name, or leave --splits out to go on.",
        )
    found = Wanted(
        max(count, there.count if there else 0),
        there.way if there else way_of(definition.task, definition.data, count),
    )
    if found != there:
        study.set_user_attr(SPLITS, {"count": found.count, "way": found.way})
    return found


def check(definition: Definition, *, force: bool = False) -> None:
    """
    Raises:
        StudyError: a study's rows can't be parted several times; says why.
    """
    if definition.split is not None:
        raise StudyError(
            f"'{definition.name}' is a split of '{definition.split.study}' itself",
            fix=f"Ask that one for more: --splits, of '{definition.split.study}'.",
        )
    why = why_not(definition.task, sample=definition.sample)
    if why is not None:
        raise StudyError(f"--splits can't be had of '{definition.task.name}': {why}")
    served = [arm.name for arm in definition.runnable if arm.model.endpoint is not None]
    if served and not force:
        raise StudyError(
            f"each split asks an endpoint anew, which may cost money: {', '.join(served)}",
            fix="--force asks it, or leave these arms out with --arms.",
        )


def told(definition: Definition, asked: Wanted) -> list[str]:
    """What splits a study has, what they are called, and where their tests come from."""
    study = definition.name
    last = f" … {split_name(study, asked.count)}" if asked.count > 2 else ""
    names = f"{study}, {split_name(study, 2)}{last}"
    lines = [f"{asked}, each searched on its own: {names}"]
    return [*lines, POOLED] if definition.task.data.carving is None else lines


def run(
    opened: Database,
    name: str,
    one: Callable[[str, float | None, float], None],
    *,
    seconds: float | None,
    began: float,
    room: Room,
    say: Callable[[str], None],
    ended: Callable[[], bool],
) -> None:
    """Runs a study, and its further splits after it, each in an equal share of what time is left.

    Args:
        one: runs the study of a name within so many seconds (None: without end) from a moment.
        seconds: of all of them; where None, what the recipe says of each, if it does.
        began: when that time began, by `time.monotonic`.
        ended: whether somebody asked to stop.
    """
    study, definition = storage.load(opened, name)
    choose = definition.recipe.choose
    asked = wanted(study)
    count = 1 if asked is None else asked.count
    if seconds is None and choose is not None:
        seconds = choose.seconds * count
    one(name, None if seconds is None else seconds / count, began)
    if asked is None and not ended():
        spent = time.monotonic() - began
        asked = _few(opened, name, spent, None if seconds is None else seconds - spent, say)
    for index in range(2, (asked.count if asked else 1) + 1):
        assert asked is not None
        if ended() or not storage.find(opened, name).user_attrs.get(record.FINALS):
            return
        now = time.monotonic()
        left = asked.count + 1 - index
        share = None if seconds is None else (seconds - (now - began)) / left
        if share is not None and share <= 0:
            say(f"No time was left for {counted(left, 'split')}: the same command goes on.")
            return
        split = _split(definition, index, asked.way)
        say(f"Split {index} of {asked.count}: {split_name(name, index)}")
        one(ensure(opened, definition, split, room=room), share, now)


def _split(definition: Definition, index: int, way: Way) -> SplitOf:
    """A further split of a study."""
    first = definition.data.fingerprint
    return SplitOf(study=definition.name, index=index, way=way, fingerprint=first)


def _few(
    opened: Database, name: str, spent: float, left: float | None, say: Callable[[str], None]
) -> Wanted | None:
    """Folds for a study of few rows whose arms were chosen for it, where there is time for all.

    Args:
        spent: seconds that the study itself took.
        left: seconds that are left for the others.
    """
    study, definition = storage.load(opened, name)
    carving = definition.task.data.carving
    if definition.recipe.choose is None or left is None or study.user_attrs.get(SPLITS):
        return None
    if carving is None or carving.share is None or definition.split is not None:
        return None
    count = round(1 / carving.share)
    folds = 2 <= count <= MOST_SPLITS and way_of(definition.task, definition.data, count) == "folds"
    if not folds or not study.user_attrs.get(record.FINALS):
        return None
    takes = _AMPLE * (count - 1) * spent
    if left < takes:
        say(
            f"With fewer than {counted(FEW_ROWS, 'row')} one test says little: --splits {count} "
            f"would test every row, in about {duration(takes)} more."
        )
        return None
    try:
        asked = want(study, definition, count)
    except StudyError:
        return None
    say(
        f"With fewer than {counted(FEW_ROWS, 'row')} one test says little: {asked}, each "
        "searched on its own. --splits 1 leaves that out."
    )
    return asked


def ensure(
    opened: Database, definition: Definition, split: SplitOf, *, room: Room | None = None
) -> str:
    """A split's own study, made where it is not there; its name.

    Raises:
        StudyError: the rows are others than the first split's; another study has the name.
        DataError: they can't be read.
    """
    name = split_name(definition.name, split.index)
    if storage.exists(opened, name):
        there = storage.load(opened, name)[1]
        # One that was left behind may be of other rows, or of other arms.
        if (there.split, there.recipe, there.arms) != (split, definition.recipe, definition.arms):
            raise StudyError(
                f"'{name}' is there, and is no such split of '{definition.name}'",
                fix=f"`{shell.command('study', 'delete', name)}` removes it.",
            )
        return name
    whole = _loaded(definition, definition.task, room)
    if whole.facts.fingerprint != definition.data.fingerprint:
        raise StudyError(
            f"the rows found here ({whole.facts.source}) are not those of '{definition.name}': "
            f"fingerprint {whole.facts.fingerprint}, stored {definition.data.fingerprint}",
            fix="Restore the data, or create a study under another --name.",
        )
    task = split_task(definition.task, split)
    loaded = _loaded(definition, task, room)
    made = definition.model_copy(
        update={
            "name": name,
            "task": task,
            "data": loaded.facts,
            "seed": (definition.seed + split.index - 1) % (MOST_SEED + 1),
            "split": split,
            "created": moments.now(),
        }
    )
    first = storage.find(opened, definition.name)
    target = int(first.user_attrs.get(record.TARGET) or definition.recipe.trials)
    derived.stand(opened, made, loaded, target)
    return name


def _loaded(definition: Definition, task: Task, room: Room | None) -> TaskData:
    return data.load(
        task,
        Path(definition.task_file),
        data=None if definition.data_dir is None else Path(definition.data_dir),
        hub_reachable=hub.reachable,
        train_rows=definition.train_rows,
        calibration=definition.calibration,
        room=room,
    )


def with_splits(found: StudyResults, opened: Database, study: optuna.Study) -> StudyResults:
    """A study's results with what its splits say together, where it has any that are done."""
    asked = wanted(study)
    if asked is None:
        return found
    others: list[StudyResults | None] = [
        _results(opened, split_name(found.study, index)) for index in range(2, asked.count + 1)
    ]
    return replace(found, splits=together([found, *others], asked))


def _results(opened: Database, name: str) -> StudyResults | None:
    """What a split found; None where it is not there, or can't be read."""
    if not storage.exists(opened, name):
        return None
    try:
        return record.results(*storage.load(opened, name))
    except SuiteError:
        return None


def together(found: Sequence[StudyResults | None], asked: Wanted) -> Splits:
    """What splits say together, the study's own first; None for one that is not there."""
    first = found[0]
    name = "" if first is None else first.study
    metric = MACRO_F1 if first is None else METRICS[first.objective]
    tested = [one if one is not None and one.finals else None for one in found]
    finals = [
        {} if one is None else {final.arm: final for final in one.finals if not final.stale}
        for one in tested
    ]
    arms = list(dict.fromkeys(arm for some in finals for arm in some))
    ratios = [_ratio(one) for one in tested if one is not None]
    ratio = sum(ratios) / len(ratios) if ratios else 0.0
    pooled: dict[str, float] = {}
    if asked.way == "folds" and all(tested):
        for arm in arms:
            score = _pooled([some.get(arm) for some in finals], metric)
            if score is not None:
                pooled[arm] = score
    scores = {
        arm: [some[arm].test.score if arm in some else None for some in finals] for arm in arms
    }
    over, pairs = over_splits(
        scores,
        ratio,
        pooled,
        higher_is_better=metric.higher_is_better,
        within=metric.bounds,
    )
    names = [split_name(name, index) for index in range(1, asked.count + 1)]
    return Splits(
        way=asked.way,
        studies=names,
        missing=[name for name, one in zip(names, tested, strict=True) if one is None],
        objective=metric.key,
        ratio=ratio,
        arms=over,
        pairs=pairs,
    )


def _ratio(found: StudyResults) -> float:
    """Test rows over the rows that finals were trained on."""
    rows = found.data.rows
    refit = any(final.refit for final in found.finals)
    return rows.test / max(1, rows.train + (rows.validation if refit else 0))


def _pooled(finals: Sequence[Final | None], metric: Metric) -> float | None:
    """The score of the answers to every row, each by the split that had it in its test."""
    tests = [final.test for final in finals if final is not None and final.test.confusion]
    if len(tests) < len(finals) or metric.of_confusion is None:
        return None
    # Rows without an answer are a column that is no class.
    matrices = [
        np.column_stack([test.confusion, test.unanswered or [0] * len(test.confusion)])
        for test in tests
    ]
    return float(metric.of_confusion(np.sum(matrices, axis=0, dtype=np.float64)))
