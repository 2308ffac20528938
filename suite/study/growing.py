"""A study's learning curve: the same arms on nested parts of its training rows, each an ordinary
study with the same validation and test; and the same with half of one class's rows.

Hyperparameters are searched at the smallest, a middle and the largest size, which is the study
itself; another size has the best ones of the nearest of these. What is asked for stands in the
largest size's attributes: whoever runs that study, here or on another machine, goes on with all.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import optuna
from pydantic import ValidationError

from suite.contracts import moments
from suite.contracts.growth import Curve
from suite.contracts.limits import MOST_DRAWS, MOST_SEED
from suite.contracts.results import StudyResults, Trial
from suite.contracts.space import Fixed, Params, dump_dimension
from suite.contracts.task import Closed
from suite.data import snapshot, subsets
from suite.data.parts import describe
from suite.data.snapshot import TaskData
from suite.errors import StudyError, counted, nearest
from suite.study import artifacts, derived, ending, finals_record, reading, record, storage
from suite.study.database import Database
from suite.study.definition import Definition, StoredArm
from suite.study.parting import SubsetOf, curve_recipe
from suite.study.sizes import LEAST_OF_CLASS, apart, checked, searched, usual
from suite.verdict.metrics import merit_of

#: What curve a study is the largest size of.
CURVE = "suite:curve"
#: Classes whose rows are held back, at most: those with the lowest F1.
MOST_CLASSES = 12
#: Draws of the rows that are held back, where the curve has fewer: chance is told by them.
HELD_DRAWS = 3
#: Characters of the largest size's name: with a part's ending they stay a name.
_LONGEST_NAME = 40
#: Rows of a class that are spoken of where nothing is said.
MORE = 300


class Asked(Closed):
    """A curve that was asked for.

    Args:
        sizes: of training rows, growing; the last is the study itself.
        searched: those at which hyperparameters are searched; they stay when sizes join.
        draws: nested orders of the rows that each size is drawn from.
        advice: the arm by which it is told which class's rows help; None where that is not asked.
        more: rows of a class that are spoken of.
    """

    sizes: list[int]
    searched: list[int]
    draws: int = 1
    advice: str | None = None
    more: int = MORE

    def source(self, rows: int) -> int:
        """The searched size whose hyperparameters so many rows have: the nearest in doublings, of
        two as near the larger."""
        return min(self.searched, key=lambda one: (apart(one, rows), -one))


def asked(study: optuna.Study) -> Asked | None:
    """What curve a study is the largest size of; None where nobody asked for one."""
    stored: Any = study.user_attrs.get(CURVE)
    try:
        return None if stored is None else Asked.model_validate(stored)
    except ValidationError:
        return None


def joined(there: Asked | None, definition: Definition, more: Curve) -> Asked:
    """What curve a study is to have: what it has stays, and more joins it.

    Raises:
        StudyError: sizes that can't be, or an arm that it does not have.
    """
    rows = definition.data.rows.train
    known = there.sizes if there else []
    named = list(more.sizes) or known or usual(rows, len(definition.task.labels))
    sizes = checked([*known, *named, rows], rows, len(definition.task.labels))
    found = Asked(
        sizes=sizes,
        searched=there.searched if there else searched(sizes),
        draws=max(more.draws or 1, there.draws if there else 1),
        advice=(there.advice if there else None) if more.advice is None else more.advice,
        more=more.more or (there.more if there else MORE),
    )
    if found.more < 1:
        raise StudyError(f"{found.more} more rows of a class", fix="At least 1.")
    if found.draws > MOST_DRAWS:
        raise StudyError(f"{found.draws} draws of the rows", fix=f"At most {MOST_DRAWS}.")
    if len(definition.name) > _LONGEST_NAME:
        raise StudyError(
            f"'{definition.name}' is too long a name for a curve, whose parts are named by it",
            fix=f"Give another --name, of at most {counted(_LONGEST_NAME, 'character')}.",
        )
    arms = [arm.name for arm in definition.runnable]
    if found.advice is not None and found.advice not in arms:
        raise StudyError(
            f"'{definition.name}' has no arm '{found.advice}'", fix=nearest(found.advice, arms)
        )
    if there is not None and there.advice not in (None, found.advice):
        # Its parts have that arm alone.
        raise StudyError(
            f"'{definition.name}' has advice by {there.advice}, and not by {found.advice}",
            fix="Give another --name, or leave --advice out to go on.",
        )
    return found


def want(study: optuna.Study, definition: Definition, more: Curve) -> Asked:
    """Writes down what curve a study is to have.

    Raises:
        StudyError: as `joined`.
    """
    there = asked(study)
    found = joined(there, definition, more)
    if found != there:
        study.set_user_attr(CURVE, found.model_dump(mode="json"))
    return found


def told(definition: Definition, curve: Asked, labels: Sequence[int]) -> list[str]:
    """What a curve is made of, and which of its sizes have classes by the floor alone.

    Args:
        labels: of the study's training rows.
    """
    name = definition.name
    sizes, where = (
        ", ".join(f"{rows:,}" for rows in some) for some in (curve.sizes, curve.searched)
    )
    lines = [
        f"Sizes of training rows, each a study: {sizes} ({name}.rows-{curve.sizes[0]} … {name})",
        f"Hyperparameters are searched at these sizes: {where}; the others have those of the "
        "nearest",
    ]
    if curve.draws > 1:
        lines.append(f"Each size but the largest is drawn {counted(curve.draws, 'time')}")
    for rows in curve.sizes:
        thin = subsets.by_the_floor(labels, rows)
        if thin:
            lines.append(
                f"{counted(rows, 'row')}: {counted(len(thin), 'class', 'classes')} would have none "
                "by their share, and get one each"
            )
    return lines


def plan(curve: Asked, definition: Definition, counts: Counter[int]) -> Iterator[SubsetOf]:
    """The parts of a curve but the largest, in the order in which they are run: those that are
    searched, then the others by size, then further draws, then what advice asks for.

    Args:
        counts: training rows of each class that advice is about.
    """
    rows = curve.sizes[-1]
    of = {"study": definition.name, "fingerprint": definition.data.fingerprint}
    smaller = curve.sizes[:-1]
    for size in sorted(smaller, key=lambda size: (size not in curve.searched, -size)):
        source = None if size in curve.searched else curve.source(size)
        yield SubsetOf(**of, rows=size, carried=source)
    for draw in range(2, curve.draws + 1):
        for size in smaller:
            yield SubsetOf(**of, rows=size, draw=draw, carried=curve.source(size))
    if curve.advice is None or not counts:
        return
    fewer = control(curve, counts)
    for draw in range(1, max(curve.draws, HELD_DRAWS) + 1):
        for label, count in counts.items():
            yield SubsetOf(
                **of, rows=rows, draw=draw, label=label, kept=count - count // 2, carried=rows
            )
        yield SubsetOf(**of, rows=fewer, draw=draw, carried=rows)


def control(curve: Asked, counts: Counter[int]) -> int:
    """Rows that are left where as many are left out at random as of a class on average; a row
    fewer where that is a size of the curve, whose hyperparameters may be others."""
    left_out = round(sum(count // 2 for count in counts.values()) / len(counts))
    fewer = curve.sizes[-1] - max(1, left_out)
    while fewer in curve.sizes:
        fewer -= 1
    return fewer


def share(opened: Database, name: str) -> float:
    """The part of a command's time that a study itself has: all, or what it costs beside what is
    missing of its curve."""
    study, definition = storage.load(opened, name)
    curve = asked(study)
    if curve is None:
        return 1.0
    classes = Counter(range(min(MOST_CLASSES, len(definition.task.labels))))
    parts = plan(curve, definition, classes if curve.advice else Counter())
    trials = _target(study, definition)
    rest = sum(cost(definition, trials, one) for one in parts if not _done(opened, one.name))
    whole = cost(definition, trials, None)
    return whole / (whole + rest)


def _target(study: optuna.Study, definition: Definition) -> int:
    return int(study.user_attrs.get(record.TARGET) or definition.recipe.trials)


def cost(definition: Definition, trials: int, subset: SubsetOf | None) -> float:
    """What a part of a curve costs beside others: trainings times their rows.

    Args:
        definition: the largest size's.
        trials: of a size at which hyperparameters are searched.
        subset: None for the largest itself.
    """
    arms = len(definition.runnable)
    if subset is not None and subset.label is not None:
        arms = 1  # the one that advice is asked of
    if subset is not None and subset.carried is not None:
        trials = arms
    rows = definition.data.rows.train if subset is None else subset.rows
    return rows * float(trials + arms * curve_recipe(definition.recipe, subset).finals.seeds)


def advised(found: StudyResults, arm: str, labels: Sequence[int]) -> Counter[int]:
    """Classes that advice is about, with their training rows: those that the arm tells worst.

    Args:
        labels: of the training rows.
    """
    final = next((final for final in found.finals if final.arm == arm), None)
    counts = {c: n for c, n in Counter(labels).items() if n >= LEAST_OF_CLASS}
    scores = final.test.per_class_f1 if final is not None else []
    order = sorted(counts, key=lambda c: (scores[c] if c < len(scores) else 0.0, c))
    return Counter({label: counts[label] for label in sorted(order[:MOST_CLASSES])})


def part_of(loaded: TaskData, definition: Definition, subset: SubsetOf) -> TaskData:
    """The rows of a part of a curve.

    Args:
        loaded: those of the largest size.
    """
    task = definition.task
    taken = subsets.drawn(
        loaded.train,
        subset.rows,
        draw=subset.draw,
        seed=task.validation.seed,
        label=subset.label,
        kept=subset.kept,
    )
    facts = loaded.facts
    found = describe(
        loaded.train.take(taken),
        loaded.validation,
        loaded.test,
        task.label_names,
        source=facts.source,
        train_rows_of=facts.train_rows_of or len(loaded.train),
        validation_given=facts.validation_given,
        sample=facts.sample,
        calibration=loaded.calibration,
    )
    return replace(found, timed=loaded.timed)


def run(
    opened: Database,
    name: str,
    one: Callable[[str, float | None, float], None],
    *,
    seconds: float | None,
    began: float,
    say: Callable[[str], None],
    ended: Callable[[], bool],
) -> None:
    """Runs what is missing of a study's curve, after the study itself; nothing where none was
    asked for.

    Args:
        one: runs the study of a name within so many seconds (None: without end) from a moment.
        seconds: of all of them; None: as long as it takes.
        began: when that time began, by `time.monotonic`.
        ended: whether somebody asked to stop.
    """
    study, definition = storage.load(opened, name)
    curve = asked(study)
    if curve is None or not study.user_attrs.get(record.FINALS):
        return
    largest = _Largest.of(study, definition)
    parts = list(plan(curve, definition, largest.classes(curve.advice)))
    trials = _target(study, definition)
    costs = [0.0 if _done(opened, one.name) else cost(definition, trials, one) for one in parts]
    for index, subset in enumerate(parts):
        if ended():
            return
        if _done(opened, subset.name):
            continue
        now = time.monotonic()
        left = None if seconds is None else seconds - (now - began)
        if left is not None:
            if left <= 0:
                say("No time was left for the other parts of the curve: the same command goes on.")
                return
            # Each has its part of what is left, else the first ones would leave nothing.
            left *= costs[index] / sum(costs[index:])
        say(f"Part {index + 1} of {len(parts)} of the curve: {subset.name}")
        try:
            one(ensure(opened, largest, subset, curve), left, now)
        except StudyError as error:
            # A size at which no arm can be trained is a finding, and the others have theirs.
            say(f"{subset.name}: {error.what}")


@dataclass(frozen=True)
class _Largest:
    """The largest size: its rows, read once, and what it found."""

    definition: Definition
    rows: TaskData
    found: StudyResults

    @classmethod
    def of(cls, study: optuna.Study, definition: Definition) -> _Largest:
        held = artifacts.find(study, definition.data.fingerprint)
        rows = snapshot.read_snapshot(held.data)
        return cls(definition, rows, record.results(study, definition))

    def classes(self, arm: str | None) -> Counter[int]:
        """The classes that advice by an arm is about."""
        return Counter() if arm is None else advised(self.found, arm, self.rows.train.labels)


def _done(opened: Database, name: str) -> bool:
    """Whether a part's search is over, and finals saw all of its trials: of one whose time was up
    they saw fewer."""
    if not storage.exists(opened, name):
        return False
    study = storage.find(opened, name)
    if finals_record.missing_or_stale(study):
        return False
    if reading.summary(study).finished >= int(study.user_attrs.get(record.TARGET) or 1):
        return True
    definition = storage.load(opened, name)[1]
    return ending.met(definition, study.user_attrs, study.get_trials(deepcopy=False)) is not None


def ensure(opened: Database, largest: _Largest, subset: SubsetOf, curve: Asked) -> str:
    """A part's own study, made where it is not there; its name.

    Raises:
        StudyError: another study has the name, or no hyperparameters are there to be carried.
    """
    definition, name = largest.definition, subset.name
    if storage.exists(opened, name):
        there = storage.load(opened, name)[1]
        if there.subset != subset:
            raise StudyError(
                f"'{name}' is there, and is no such part of '{definition.name}'",
                fix=f"`suite study delete {name}` removes it.",
            )
        return name
    loaded = part_of(largest.rows, definition, subset)
    arms = definition.arms
    target = _target(storage.find(opened, definition.name), definition)
    if subset.carried is not None:
        arms = _carried(opened, largest, subset, curve)
        target = sum(arm.refused is None for arm in arms)
    made = definition.model_copy(
        update={
            "name": name,
            "recipe": curve_recipe(definition.recipe, subset),
            "arms": arms,
            "data": loaded.facts,
            "seed": (definition.seed + subset.draw - 1) % (MOST_SEED + 1),
            "curve": False,
            "subset": subset,
            "created": moments.now(),
        }
    )
    derived.stand(opened, made, loaded, target)
    return name


def _carried(
    opened: Database, largest: _Largest, subset: SubsetOf, curve: Asked
) -> list[StoredArm]:
    """A part's arms, each with the best hyperparameters of the size that they are carried from."""
    definition, found = largest.definition, largest.found
    if subset.carried != curve.sizes[-1]:
        source = SubsetOf(
            study=definition.name,
            fingerprint=definition.data.fingerprint,
            rows=subset.carried or 0,
        )
        if not storage.exists(opened, source.name):
            raise StudyError(f"'{source.name}', whose hyperparameters it would have, is not there")
        found = record.results(*storage.load(opened, source.name))
    arms = []
    for arm in definition.arms:
        if subset.label is not None and arm.name != curve.advice:
            continue
        point = best_point(found.trials, arm.name)
        if arm.refused is None and point is None:
            arms.append(arm.model_copy(update={"refused": "it has no trial to carry from"}))
            continue
        fixed = {key: dump_dimension(Fixed(value)) for key, value in (point or {}).items()}
        arms.append(arm.model_copy(update={"dimensions": fixed, "known_good": []}))
    if not any(arm.refused is None for arm in arms):
        raise StudyError(f"no arm has a trial with {counted(subset.carried or 0, 'row')}")
    return arms


def best_point(trials: Sequence[Trial], arm: str) -> Params | None:
    """The hyperparameters of an arm's best complete trial; None where it has none."""
    own = [
        (merit_of(trial.validation), -trial.number, trial.params)
        for trial in trials
        if trial.arm == arm and trial.state == "COMPLETE" and trial.validation is not None
    ]
    return max(own, key=lambda one: one[:2])[2] if own else None
