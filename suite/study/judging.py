"""How hard a task's training rows are, judged by models that have not learned from them: a decoder
that was not taught, trainings that were on other rows, arms of a study over folds.

Every score is out of fold: what has seen a row says nothing of how hard it is. So data maps, which
their authors drew of a training's own rows (Swayamdipta et al., "Dataset Cartography", EMNLP 2020),
are drawn here of the rows that a training leaves out, at each of its checkpoints.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from suite import shell, strategies
from suite.config.recipe import Budget, Recipe
from suite.contracts.difficulty import By
from suite.contracts.records import why
from suite.contracts.strategy import Predictor, Probabilities, Refused, Rows
from suite.contracts.task import Task
from suite.data import difficulty, folds
from suite.data.difficulty import Difficulty, Judges, Scores
from suite.data.difficulty_begun import Kept
from suite.data.snapshot import TaskData
from suite.endpoint import reach
from suite.errors import DataError, StudyError, UsageError, counted
from suite.machine import facts, scratch
from suite.models import companions, hub
from suite.models.catalogue import load_catalogue, local_model
from suite.study import arms
from suite.study.apart import ApartRun
from suite.study.definition import StoredArm
from suite.study.probabilities import Answers, Reader
from suite.version import __version__

#: Texts that are asked at once, of which a cut costs a minute at most; trainings over which
#: dynamics are drawn at most, the least probability that is told from none; and checkpoints below
#: which nothing varies.
AT_ONCE, PARTS, LEAST, FEWEST = 64, 5, 1e-9, 2


@dataclass(frozen=True)
class Wanted:
    """Who is to judge; one of them at least.

    Args:
        decoder: a decoder's name: judges by perplexity, and by zero-shot margin.
        dynamics: model/strategy, of a strategy with checkpoints.
        study: a study of the same rows, whose trials are over folds: by agreement of its arms.
        suspects: a file of rows whose label is suspected, which are marked.
        models: `NAME=PATH`, as of `--model`.
        epochs, checkpoints: of the trainings for dynamics.

    Raises:
        StudyError: nobody is named.
    """

    decoder: str | None = None
    dynamics: str | None = None
    study: str | None = None
    suspects: Path | None = None
    models: Sequence[str] = ()
    epochs: float = 2.0
    checkpoints: int = 5

    def __post_init__(self) -> None:
        if not (self.decoder or self.dynamics or self.study or self.suspects):
            raise StudyError(
                "nobody is named to judge how hard the rows are",
                fix="--decoder MODEL, --dynamics MODEL/STRATEGY, or --study NAME; several at once "
                "too.",
            )


def judge(
    task: Task,
    data: TaskData,
    wanted: Wanted,
    *,
    named: Sequence[str] = (),
    url: str | None = None,
    kept: Kept | None = None,
    say: Callable[[str], None] = lambda text: None,
    watch: Callable[[str, int, int], None] = lambda judge, done, total: None,
) -> Difficulty:
    """How hard each training row is.

    Args:
        data: the task's rows, as a study would have them.
        named: the words by which a command names these rows; the task's name where none are given.
        url: of the study's database.
        kept: what was judged before by who was cut short, and is kept from now on; the caller ends
            it. Where None nothing is.
        say: told who judges.
        watch: told how many rows of how many are judged.

    Raises:
        StudyError: one can't judge; says why.
        DataError: too few rows to leave some out.
    """
    begun = time.perf_counter()
    kept = kept or Kept()
    by: dict[By, list[str]] = {}
    columns: dict[str, Scores] = {}
    # Whatever can be refused is, before any judge takes its time.
    if wanted.suspects is not None:
        own, *others = (
            difficulty.hashes_of(rows, task) for rows in (data.train, data.validation, data.test)
        )
        rest = [one for split in others for one in split]
        columns[difficulty.SUSPECT] = difficulty.suspected(wanted.suspects, own, rest)
    asked, trained = _judges(task, wanted)
    if wanted.study is not None:
        agreed, by["agreement"] = _agreement(
            wanted.study, task, data.train, url, named or [task.name]
        )
        columns |= agreed
    if asked is not None:
        say(f"Judging {counted(len(data.train), 'row')} by {asked.name}")
        columns |= _asked(task, asked, data, kept, say, watch)
        by["perplexity"] = by["zero_shot"] = [asked.name]
        _check_numbers(columns, by, kept)
    if trained is not None:
        columns |= _drawn_maps(task, trained, data, wanted, kept, say, watch)
        by["dynamics"] = [trained.name]
    _check_numbers(columns, by, kept)
    seconds = round(time.perf_counter() - begun + kept.seconds, 3)
    judges_of = Judges(task.name, data.facts.source, len(data.train), by, seconds)
    hashes = difficulty.hashes_of(data.train, task)
    return Difficulty(judges_of, hashes, list(data.train.labels), columns)


def _judges(task: Task, wanted: Wanted) -> tuple[StoredArm | None, StoredArm | None]:
    """The arm that is asked, and the one that is trained, where they are named.

    Raises:
        StudyError: one can't judge; says why.
    """
    asked = trained = None
    if wanted.decoder is not None:
        asked = _arm(f"{wanted.decoder}/zero_shot", task, wanted, _ASKED)
    if wanted.dynamics is not None:
        trained = _arm(wanted.dynamics, task, wanted, {})
        if strategies.scored_once(trained.strategy, trained.model):
            raise StudyError(
                f"{trained.name} is scored once, at the end of its training: it has no checkpoints "
                "to look at",
                where="--dynamics",
                fix="Name an arm of linear_head or sft, or textcnn/classic.",
            )
    return asked, trained


def _check_numbers(
    columns: Mapping[str, Scores], by: Mapping[By, Sequence[str]], kept: Kept
) -> None:
    """Refuses judgements that are no numbers: they order nothing, and none of them is kept.

    Raises:
        StudyError: some are none; says whose, and of how many rows.
    """
    for judgement, judges in by.items():
        told = np.stack([columns[name] for name in difficulty.COLUMNS[judgement]])
        rows = int(np.count_nonzero(~np.isfinite(told).all(axis=0)))
        if rows:
            kept.over()
            raise StudyError(
                f"what {', '.join(judges)} says of {counted(rows, 'row')} is no number: nothing "
                "is written",
                fix="Its weights, or their precision here, do not answer these texts; name another "
                "judge.",
            )


def same_rows(before: Difficulty | None, rows: Rows, task: Task, file: Path) -> None:
    """Refuses to judge rows where those of a file would be lost, before any time is spent.

    Args:
        before: what stands in the file; None where there is none.
        rows: that are to be judged.

    Raises:
        DataError: they are others.
    """
    if before is None:
        return
    hashes = difficulty.hashes_of(rows, task)
    if before.hashes != hashes:
        shared = (Counter(before.hashes) & Counter(hashes)).total()
        raise DataError(
            f"{counted(before.judges.rows, 'row')} are judged there by "
            f"{', '.join(before.judges.by) or 'nobody'}, of which {shared:,} are among these "
            f"{len(hashes):,}, and one file has one pool of rows",
            where=str(file),
            fix="Name the same --data and --train-rows; or move the file away to begin with these.",
        )


def merged(before: Difficulty | None, found: Difficulty) -> Difficulty:
    """Judgements with those that were made before of the very same rows (`same_rows`)."""
    if before is None:
        return found
    judges = found.judges
    by = {**before.judges.by, **judges.by}
    seconds = before.judges.seconds + judges.seconds
    return replace(
        found,
        judges=replace(judges, by=by, seconds=round(seconds, 3)),
        columns=before.columns | found.columns,
    )


def expected(found: Probabilities, labels: Sequence[int]) -> dict[str, Scores]:
    """What a model that was not taught says of rows.

    `perplexity` is of the label among the options, 1 for one that is certain of it; `margin` is the
    label's probability less the largest other one's; `zero_shot_right` whether it is above 0. A row
    without an answer is as unexpected as can be.

    Args:
        found: float [rows, classes].
        labels: class indices.
    """
    rows = np.arange(len(labels))
    shares = np.asarray(found, np.float64)
    own = shares[rows, list(labels)]
    others = shares.copy()
    others[rows, list(labels)] = -np.inf
    margin = np.where(shares.any(axis=1), own - others.max(axis=1), -1.0)
    return {
        "perplexity": 1 / np.maximum(own, LEAST),
        "margin": margin,
        "zero_shot_right": (margin > 0).astype(np.float64),
    }


def cartography(course: Sequence[Probabilities], labels: Sequence[int]) -> dict[str, Scores]:
    """A data map: the mean and the standard deviation of the label's probability over checkpoints.

    Args:
        course: of each checkpoint, float [rows, classes].
        labels: class indices.
    """
    rows = np.arange(len(labels))
    own = np.stack([np.asarray(one, np.float64)[rows, list(labels)] for one in course])
    return {"confidence": own.mean(axis=0), "variability": own.std(axis=0)}


def agreement(shares: NDArray[np.float64]) -> dict[str, Scores]:
    """The mean over arms of the label's probability, and how far they differ.

    Args:
        shares: the label's, float [arms, rows].
    """
    return {"agreement": shares.mean(axis=0), "disagreement": shares.std(axis=0)}


#: What a decoder is asked: the plain question, its options' words scored, and its liking for some
#: of them, whatever is asked, taken out: a small one names the same code for every text.
_ASKED = {"shots": 0, "score": "words", "calibration": "batch"}


def _arm(name: str, task: Task, wanted: Wanted, space: Mapping[str, Any]) -> StoredArm:
    """An arm that can run here.

    Raises:
        StudyError: it can't; says why.
    """
    catalogue = load_catalogue()
    catalogue |= {model.name: model for model in map(local_model, wanted.models)}
    planned = arms.plan(
        _recipe(name, wanted, space), task, catalogue, globs=[name], unavailable=reach.unavailable
    )
    if len(planned) != 1:
        raise StudyError(f"'{name}' names {counted(len(planned), 'arm')}", fix="Name one.")
    if planned[0].refused is not None:
        raise StudyError(f"{planned[0].name} can't judge: {planned[0].refused}")
    return StoredArm.of(planned[0])


def _recipe(name: str, wanted: Wanted, space: Mapping[str, Any]) -> Recipe:
    """What a training of a judge goes by.

    Raises:
        UsageError: there is no such arm, or no such training.
    """
    try:
        return Recipe(
            name="difficulty",
            arms=[name],
            spaces={name: dict(space)} if space else {},
            budget=Budget(epochs=wanted.epochs, checkpoints=wanted.checkpoints),
        )
    except ValidationError as error:
        raise UsageError(
            why(error),
            where=f"judging by {name}",
            fix="--decoder MODEL, --dynamics MODEL/STRATEGY.",
        ) from None


def _asked(
    task: Task,
    arm: StoredArm,
    data: TaskData,
    kept: Kept,
    say: Callable[[str], None],
    watch: Callable[[str, int, int], None],
) -> dict[str, Scores]:
    """What a model that learns nothing says of the training rows."""
    train, hashes = data.train, difficulty.hashes_of(data.train, task)
    recipe = _recipe(arm.name, Wanted(arm.model.name), _ASKED)
    columns = (*difficulty.COLUMNS["perplexity"], difficulty.COLUMNS["zero_shot"][1])
    # Its liking for some options is measured on these rows, so judgements are of them alone.
    which = _which(task, arm, recipe, data)
    with kept.judging(which, columns) as begun, scratch.temporary() as folder:
        left = begun.lacking(hashes)
        if len(left) < len(train):
            _say_going_on(say, len(train) - len(left), len(train))
        if left:
            run = ApartRun(
                task, arm, recipe, train, (), fingerprint=data.facts.fingerprint, folder=folder
            )
            predictor = _trained(arm, run)
        for start in range(0, len(left), AT_ONCE):
            watch(arm.name, len(train) - len(left) + start, len(train))
            some = train.take(left[start : start + AT_ONCE])
            found = expected(predictor.predict_proba(some.texts), some.labels)
            begun.add(difficulty.hashes_of(some, task), found)
        return begun.of(hashes)


def _say_going_on(say: Callable[[str], None], done: int, total: int) -> None:
    say(f"Going on: {done:,} of {counted(total, 'row')} were judged before")


def _which(task: Task, arm: StoredArm, recipe: Recipe, data: TaskData) -> list[object]:
    """All that what a judge says depends on: its weights and how it is asked or trained, the
    question, the rows that it learns from, and what computes."""
    model = arm.model
    if model.builder is None and model.endpoint is None:
        try:
            hub.found_for(model)  # Weights that are fetched now are those that answer later.
        except Refused as refused:
            raise _cannot(arm, refused) from None
    return [
        model.identity,
        companions.pinned(model).fingerprint,
        arm.model_dump(mode="json", include={"strategy", "dimensions", "known_good"}),
        recipe.model_dump(mode="json", include={"budget", "seed"}),
        task.model_dump(mode="json"),
        data.facts.fingerprint,
        facts.has_gpu(),
        [__version__, *map(version, ("torch", "transformers"))],
    ]


def _drawn_maps(
    task: Task,
    arm: StoredArm,
    data: TaskData,
    wanted: Wanted,
    kept: Kept,
    say: Callable[[str], None],
    watch: Callable[[str, int, int], None],
) -> dict[str, Scores]:
    """Data maps of the rows that trainings leave out, each over its training's own checkpoints.
    Of a training that ended, whoever goes on makes none.

    Raises:
        StudyError: a training had one checkpoint, or none: nothing varies.
    """
    train, hashes = data.train, difficulty.hashes_of(data.train, task)
    parts = left_out(task, data)
    say(
        f"Judging {counted(len(train), 'row')} by {counted(len(parts), 'training')} of {arm.name}, "
        "each without a part of them"
    )
    recipe = _recipe(arm.name, wanted, {})
    which = _which(task, arm, recipe, data)
    with kept.judging(which, difficulty.COLUMNS["dynamics"]) as begun:
        left = begun.lacking(hashes)
        if len(left) < len(train):
            _say_going_on(say, len(train) - len(left), len(train))
        for number, held in enumerate(parts):
            if not np.isin(held, left).any():
                continue
            watch(arm.name, len(train) - len(begun.lacking(hashes)), len(train))
            learnt = np.setdiff1d(np.arange(len(train)), held, assume_unique=True)
            asked = train.take(held)
            own = f"{data.facts.fingerprint}-without{number}of{len(parts)}"
            with scratch.temporary() as folder:
                run = ApartRun(
                    task,
                    arm,
                    recipe,
                    train.take(learnt),
                    asked.texts,
                    fingerprint=own,
                    folder=folder,
                )
                _trained(arm, run)
            if len(run.answers) < FEWEST:
                raise StudyError(
                    f"{arm.name} was asked at {counted(len(run.answers), 'checkpoint')} of its "
                    f"training: dynamics take {FEWEST} at least",
                    where="--dynamics",
                    fix="Ask for more --checkpoints, or name another arm.",
                )
            begun.add(difficulty.hashes_of(asked, task), cartography(run.answers, asked.labels))
        return begun.of(hashes)


def _trained(arm: StoredArm, run: ApartRun) -> Predictor:
    try:
        return strategies.get(arm.strategy).fit(run)
    except Refused as refused:
        raise _cannot(arm, refused) from None


def _cannot(arm: StoredArm, refused: Refused) -> StudyError:
    return StudyError(f"{arm.name} can't judge: {refused}")


def left_out(task: Task, data: TaskData) -> list[NDArray[np.int64]]:
    """Which rows of train each training leaves out: five parts at most, each row in one; what
    belongs together (a group, a repeated text) is in one part.

    Raises:
        DataError: there are not two parts.
    """
    cut = folds.cut(data.train, data.validation, seed=task.validation.seed, groups=data.groups)
    own = np.array(cut.train if cut is not None else (), np.int64) - 1
    parts = [np.flatnonzero(own % PARTS == part) for part in range(PARTS)]
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        raise DataError(
            f"{counted(len(data.train), 'row')} to train on can't be cut into parts of which each "
            "is judged by a training on the others",
            where=data.facts.source,
            fix="Give more rows, or a smaller validation split.",
        )
    return parts


def _agreement(
    name: str, task: Task, train: Rows, url: str | None, named: Sequence[str]
) -> tuple[dict[str, Scores], list[str]]:
    """What the arms of a study over folds agree on, and which they are.

    Args:
        named: as of `judge`.

    Raises:
        StudyError: it is of other rows, or fewer than two of its arms answered them unseen.
    """
    reader = Reader.of(name, url)
    answers: dict[str, Answers] = {}
    for arm in reader.arms:
        unseen = reader.left(arm).unseen
        if unseen is not None and unseen.which == "train+validation":
            answers[arm] = unseen
    if len(answers) < 2:
        raise StudyError(
            f"{counted(len(answers), 'arm')} of '{name}' answered training rows that it had not "
            "seen: agreement takes two",
            where="--study",
            fix="A study whose recipe says `validation: folds` keeps such answers: "
            f"`{shell.command('study', 'create', *named, '--recipe', 'RECIPE')}`.",
        )
    first = next(iter(answers.values()))
    there = {own: row for row, own in enumerate(difficulty.hashes_of(first.rows, task))}
    wanted = difficulty.hashes_of(train, task)
    strange = sum(own not in there for own in wanted)
    if strange:
        raise StudyError(
            f"{strange:,} of {counted(len(wanted), 'row')} are not among those of '{name}'",
            where="--study",
            fix="Name a study of the same task, data and --train-rows.",
        )
    places = [there[own] for own in wanted]
    labels = list(train.labels)
    shares = [np.asarray(one.calibrated, np.float64)[places, labels] for one in answers.values()]
    return agreement(np.stack(shares)), list(answers)
