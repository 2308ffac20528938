"""Labels of a task that may be wrong: unlike arms answer rows that they had not seen, and what most
of them speak against is listed. Nothing is changed in anybody's rows, and nothing removed.

Train and validation are cut into folds as a study's trials are, each answered by a training without
it; test is answered by a training on all of them. So an arm's training is that of a study, and what
is found here is found in the rows that a study would train on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from suite import strategies
from suite.child.messages import ANSWERED, KEPT, Failed, Job
from suite.child.runner import Predicted, Runner
from suite.config.recipe import Recipe
from suite.contracts.model import Model
from suite.contracts.records import why
from suite.contracts.strategy import Probabilities, Rows
from suite.contracts.suspects import (
    FEWEST_ROWS,
    Bounded,
    Part,
    Suspect,
    Suspects,
    Without,
)
from suite.contracts.task import Task
from suite.data import answered, folds, snapshot
from suite.data.folds import together
from suite.data.snapshot import TaskData
from suite.data.tables import PLACE
from suite.endpoint import reach
from suite.errors import DataError, StudyError, UsageError, counted
from suite.machine import facts, scratch
from suite.models import folder as model_folder
from suite.models import needs
from suite.models.catalogue import load_catalogue, local_model
from suite.study import arms
from suite.study.definition import StoredArm
from suite.study.efforts import typical
from suite.study.pace import BATCH, pace_of
from suite.verdict import suspects as verdict
from suite.verdict.comparison import compare
from suite.verdict.metrics import MACRO_F1
from suite.verdict.suspects import Doubt
from suite.verdict.unjudged import of_metrics

#: Rows of train and validation below which nothing is said. A class' threshold is a mean over its
#: rows, and what a tenth of a hundred rows answers is ten rows.
LEAST_ROWS = 100

#: The arm that counts words, and the one that does where no pretrained model is here.
WORDS, OTHER = "tfidf/classic", "fasttext/classic"


def suspects(
    task: Task,
    data: TaskData,
    *,
    globs: Sequence[str] = (),
    models: Sequence[str] = (),
    scores: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> Suspects:
    """The suspects of a task's rows.

    Args:
        data: its rows, whose `others` say where each stands where their source does.
        globs: arms to ask, of two models at least; chosen where none is given.
        models: `NAME=PATH`, as of `--model`.
        scores: whether to train without the suspects, too, and say what that does.
        say: told what is done.

    Raises:
        DataError: too few rows to say anything.
        StudyError: fewer than two unlike arms, or one that can't be trained.
    """
    began = time.monotonic()
    pool = together(data.train, data.validation)
    _enough(pool, data.facts.source)
    cut = folds.cut(data.train, data.validation, seed=task.validation.seed, groups=data.groups)
    if cut is None:
        raise DataError(
            f"{counted(len(pool), 'row')} can't be cut so that two classes are left to learn "
            "whichever part is held out",
            where=data.facts.source,
            fix="Give more rows of each class.",
        )
    asked = _arms(task, len(data.train), globs, models)
    data = replace(data, folds=cut)
    say(
        f"Asking {', '.join(arm.name for arm in asked)}: "
        f"{counted(cut.count + 1, 'training')} each, on {counted(len(pool), 'row')}"
    )
    with _asking(task, data, asked) as asking:
        unseen = [asking.unseen(arm) for arm in asked]
        every = [asking.tested(arm) for arm in asked]
        labels = (*pool.labels, *data.test.labels)
        found = verdict.doubts(
            [_joined(own, test) for own, test in zip(unseen, every, strict=True)],
            labels,
            len(pool),
        )
        doubtful = {one.row for one in found}
        made: list[Without] = []
        tested, classes = labels[len(pool) :], len(task.labels)
        if scores and doubtful:
            beyond = {row - len(pool) for row in doubtful}
            made = [
                _whole(arm, tested, own, beyond, classes)
                for arm, own in zip(asked, every, strict=True)
            ]
        if made and any(row < len(pool) for row in doubtful):
            less = _less(data, doubtful)
            say(f"Training without {counted(len(pool) - _learnt(less), 'suspect')}")
            with _asking(task, less, asked) as again:
                made = [
                    _with_less(one, tested, own, again.tested(arm), classes)
                    for one, arm, own in zip(made, asked, every, strict=True)
                ]
    listed = [_suspect(one, task, data, pool) for one in found]
    return Suspects(
        task=task.name,
        source=data.facts.source,
        fingerprint=data.facts.fingerprint,
        arms=[arm.name for arm in asked],
        folds=cut.count,
        rows={"train": len(data.train), "validation": len(data.validation),
              "test": len(data.test)},
        few=few_rows(pool.labels, task.label_names),
        found=[one for one in listed if one.part != "test"],
        test=[one for one in listed if one.part == "test"],
        scores=made,
        seconds=round(time.monotonic() - began, 3),
    )  # fmt: skip


def few_rows(labels: Sequence[int], names: Sequence[str]) -> dict[str, int]:
    """Classes that have fewer rows than anything can be said of, each with its rows."""
    rows = Counter(labels)
    return {
        name: rows.get(index, 0)
        for index, name in enumerate(names)
        if rows.get(index, 0) < FEWEST_ROWS
    }


def _enough(pool: Rows, source: str) -> None:
    """Refuses rows of which nothing can be said."""
    source = source.removeprefix("file ").removeprefix("folder ")
    if len(pool) < LEAST_ROWS:
        raise DataError(
            "too few rows to tell wrong labels from hard texts: "
            f"{len(pool):,} of train and validation",
            where=source,
            fix=f"Give {LEAST_ROWS} at least; of so few, read each: a person is surer and quicker.",
        )
    rows = Counter(pool.labels)
    if sum(count >= FEWEST_ROWS for count in rows.values()) < 2:
        raise DataError(
            f"only {counted(sum(c >= FEWEST_ROWS for c in rows.values()), 'class', 'classes')} "
            f"with at least {FEWEST_ROWS} labelled rows: labels can't be held against others",
            where=source,
            fix=f"Give {FEWEST_ROWS} labelled rows of two classes at least.",
        )


def _arms(task: Task, rows: int, globs: Sequence[str], models: Sequence[str]) -> list[StoredArm]:
    """The arms that are asked, of two models at least.

    Raises:
        StudyError: there are not two, or one can't be trained here.
    """
    catalogue = load_catalogue()
    added = [local_model(option) for option in models]
    catalogue |= {model.name: model for model in added}
    chosen = list(globs) or _chosen(task, catalogue, added)
    try:
        recipe = Recipe(name="suspects", arms=chosen)
    except ValidationError as error:
        raise UsageError(
            why(error), where="--arms", fix=f"Name MODEL/STRATEGY, for example {WORDS}."
        ) from None
    planned = arms.plan(
        recipe,
        task,
        catalogue,
        globs=chosen,
        unavailable=reach.unavailable,
        rows=rows,
    )
    refused = [f"{arm.name}: {arm.refused}" for arm in planned if arm.refused is not None]
    if refused:
        raise StudyError("\n  ".join(("an arm can't be asked:", *refused)))
    if len({arm.model.name for arm in planned}) < 2:
        raise StudyError(
            f"{planned[0].model.name} alone can't tell its own blind spots from wrong labels",
            where="--arms",
            fix=f"Name arms of two models at least, for example --arms {WORDS} --arms {OTHER}.",
        )
    return [StoredArm.of(arm) for arm in planned]


def _chosen(task: Task, catalogue: Mapping[str, Model], added: Sequence[Model]) -> list[str]:
    """The arm that counts words, and embeddings beside it: of the models that were named, else of
    the smallest pretrained one here that reads the language."""
    if added:
        return [WORDS, *(f"{model.name}/probe" for model in added)]
    strategy = strategies.get("probe")
    here = [
        model
        for model in catalogue.values()
        if strategies.fits(model, "probe")
        and model.builder is None
        and model_folder.here(model) is not None
        and strategy.refuses(model, task) is None
    ]
    if not here:
        return [WORDS, OTHER]
    return [WORDS, f"{min(here, key=lambda model: needs.parameters(model) or 0.0).name}/probe"]


@contextmanager
def _asking(task: Task, data: TaskData, asked: Sequence[StoredArm]) -> Iterator[_Asking]:
    """Within: arms are trained on these rows, and asked."""
    preload = dict.fromkeys(
        module for arm in asked for module in strategies.preload(arm.strategy, arm.model)
    )
    with scratch.temporary() as place:
        snapshot.write_snapshot(place / "rows", data)
        yield _Asking(task, data, place, Runner(preload=list(preload)))


@dataclass(frozen=True)
class _Asking:
    """Trainings of arms on some rows, at their first known-good point."""

    task: Task
    data: TaskData
    place: Path
    runner: Runner

    def unseen(self, arm: StoredArm) -> Probabilities:
        """What an arm answers to each row of train and validation, by trainings without it, float32
        [rows, classes].

        Raises:
            StudyError: it can't be trained.
        """
        assert self.data.folds is not None
        job = self._job(arm, "folds", folds=self.data.folds.count)
        outcome = self.runner.train(job)
        if isinstance(outcome, Failed) or outcome.answered is None:
            raise _failed(arm, outcome.reason if isinstance(outcome, Failed) else "no answers")
        return answered.read(job.folder / "attached" / ANSWERED, outcome.answered)

    def tested(self, arm: StoredArm) -> tuple[list[int], Probabilities]:
        """The classes and the probabilities that it answers to test, trained on all the others.

        Raises:
            StudyError: it can't be trained.
        """
        job = self._job(arm, "whole", refit=1.0)
        outcome = self.runner.train(job)
        if isinstance(outcome, Failed):
            raise _failed(arm, outcome.reason)
        logs = job.folder / "predict"
        found: Predicted | Failed = self.runner.predict(
            job.folder / KEPT,
            self.place / "rows",
            "test",
            len(self.task.labels),
            job.threads,
            logs,
        )
        if isinstance(found, Failed) or found.answered is None:
            raise _failed(arm, found.reason if isinstance(found, Failed) else "no answers")
        return found.predictions, answered.read(logs / ANSWERED, found.answered)

    def _job(self, arm: StoredArm, name: str, *, folds: int = 0, refit: float | None = None) -> Job:
        params, recipe = typical(arm), Recipe(name="suspects", arms=[arm.name])
        pace = pace_of(recipe, arm.name, arm.strategy, params, len(self.data.train))
        return Job(
            arm=arm.name,
            strategy=arm.strategy,
            model=arm.model,
            task=self.task,
            params=dict(params) | ({BATCH: pace.batch} if pace else {}),
            seed=self.task.validation.seed,
            snapshot=self.place / "rows",
            fingerprint=self.data.facts.fingerprint,
            folder=self.place / f"{arm.name.replace('/', '-')}-{name}",
            epochs=pace.passes if pace else recipe.epochs_for(arm.name),
            checkpoints=1,
            shrink_batch=True,
            threads=facts.threads(),
            folds=folds,
            refit=refit,
            companions=arm.companions,
        )


def _failed(arm: StoredArm, why: str) -> StudyError:
    return StudyError(f"{arm.name} could not be asked: {why}")


def _joined(own: Probabilities, test: tuple[list[int], Probabilities]) -> Probabilities:
    return np.concatenate([own, test[1]])


def _less(data: TaskData, doubtful: set[int]) -> TaskData:
    """The rows without suspects to learn from; of a class, and of validation, one stays at least.
    Test is whole."""
    learn = len(data.train)
    train = [row for row in range(learn) if row not in doubtful]
    held = [row for row in range(len(data.validation)) if learn + row not in doubtful] or [0]
    left = {data.train.labels[row] for row in train}
    for row, label in enumerate(data.train.labels):
        if label not in left:
            train.append(row)
            left.add(label)
    made = replace(
        data,
        train=data.train.take(sorted(train)),
        validation=data.validation.take(held),
        folds=None,
        groups=None,
    )
    rows = replace(data.facts.rows, train=len(made.train), validation=len(made.validation))
    print_ = snapshot.fingerprint(made.train, made.validation, made.test)
    return replace(made, facts=replace(data.facts, rows=rows, fingerprint=print_))


def _learnt(data: TaskData) -> int:
    return len(data.train) + len(data.validation)


def _whole(
    arm: StoredArm,
    labels: Sequence[int],
    answered: tuple[list[int], Probabilities],
    doubtful: set[int],
    classes: int,
) -> Without:
    """What an arm that was trained on all rows scores on test, and without its suspects.

    Args:
        labels: of the test rows.
        answered: what it answered to them.
        doubtful: test rows that are suspects.
    """
    answers = answered[0]
    sure = [row for row in range(len(labels)) if row not in doubtful]
    return Without(
        arm=arm.name,
        test=_bounded(labels, answers, classes),
        sure=_bounded([labels[row] for row in sure], [answers[row] for row in sure], classes)
        if sure
        else None,
    )


def _with_less(
    known: Without,
    labels: Sequence[int],
    whole: tuple[list[int], Probabilities],
    less: tuple[list[int], Probabilities],
    classes: int,
) -> Without:
    """The same with what leaving suspects out of training does.

    Args:
        labels: of the test rows.
        whole, less: what the arm answered to them, trained on all rows, and without suspects.
    """
    answers, others = whole[0], less[0]
    pair = compare(labels, {"less": [others], "whole": [answers]}, classes).differences[0]
    sign = 1 if pair.a == "less" else -1
    ends = sorted((sign * pair.low, sign * pair.high))
    return replace(
        known,
        trained=_bounded(labels, others, classes),
        difference=sign * pair.value,
        difference_interval=(ends[0], ends[1]),
        p=pair.p,
    )


def _bounded(labels: Sequence[int], answers: Sequence[int], classes: int) -> Bounded:
    found = of_metrics(labels, {"arm": [answers]}, classes, [MACRO_F1])[MACRO_F1.key]["arm"]
    return Bounded(found.value, (found.low, found.high))


def _suspect(one: Doubt, task: Task, data: TaskData, pool: Rows) -> Suspect:
    """A doubt as people read it."""
    learn, names = len(data.train), task.label_names
    part: Part
    if one.row < learn:
        part, rows, row = "train", data.train, one.row
    elif one.row < len(pool):
        part, rows, row = "validation", data.validation, one.row - learn
    else:
        part, rows, row = "test", data.test, one.row - len(pool)
    places = rows.others.get(PLACE)
    place = places[row] if places is not None else None
    return Suspect(
        part=part,
        place=place or f"{part}, row {row + 1}",
        text=rows.texts[row],
        given=names[rows.labels[row]],
        likely=names[one.likely],
        probability=round(one.probability, 4),
        own=round(one.own, 4),
        agreed=one.agreed,
    )
