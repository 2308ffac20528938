"""How hard a task's training rows are, judged by models that have not learned from them: a decoder
that was not taught, trainings that were on other rows, arms of a study over folds.

Every score is out of fold: what has seen a row says nothing of how hard it is. So data maps, which
their authors drew of a training's own rows (Swayamdipta et al., "Dataset Cartography", EMNLP 2020),
are drawn here of the rows that a training leaves out, at each of its checkpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite import shell, strategies
from suite.config.recipe import Budget, Recipe
from suite.contracts.difficulty import By
from suite.contracts.strategy import Predictor, Probabilities, Refused, Rows
from suite.contracts.task import Task
from suite.data import difficulty, folds
from suite.data.difficulty import Difficulty, Judges, Scores
from suite.data.snapshot import TaskData
from suite.endpoint import reach
from suite.errors import DataError, StudyError, counted
from suite.machine import scratch
from suite.models.catalogue import load_catalogue, local_model
from suite.study import arms
from suite.study.apart import ApartRun
from suite.study.definition import StoredArm
from suite.study.probabilities import Answers, Reader

#: Texts that are asked at once, trainings over which dynamics are drawn at most, and the least
#: probability that is told from none.
AT_ONCE, PARTS, LEAST = 256, 5, 1e-9


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
    """

    decoder: str | None = None
    dynamics: str | None = None
    study: str | None = None
    suspects: Path | None = None
    models: Sequence[str] = ()
    epochs: float = 2.0
    checkpoints: int = 5


def judge(
    task: Task,
    data: TaskData,
    wanted: Wanted,
    *,
    url: str | None = None,
    say: Callable[[str], None] = lambda text: None,
    watch: Callable[[str, int, int], None] = lambda judge, done, total: None,
) -> Difficulty:
    """How hard each training row is.

    Args:
        data: the task's rows, as a study would have them.
        url: of the study's database.
        say: told who judges.
        watch: told how many rows of how many are judged.

    Raises:
        StudyError: nobody is named, or one who can't judge; says why.
        DataError: too few rows to leave some out.
    """
    if not (wanted.decoder or wanted.dynamics or wanted.study or wanted.suspects):
        raise StudyError(
            "nobody is named to judge how hard the rows are",
            fix="--decoder MODEL, --dynamics MODEL/STRATEGY, or --study NAME; several at once too.",
        )
    begun = time.perf_counter()
    by: dict[By, list[str]] = {}
    columns: dict[str, Scores] = {}
    if wanted.decoder is not None:
        arm = _arm(f"{wanted.decoder}/zero_shot", task, wanted, _ASKED)
        say(f"Judging {counted(len(data.train), 'row')} by {arm.name}")
        columns |= expected(_asked(task, arm, data, watch), data.train.labels)
        by["perplexity"] = by["zero_shot"] = [arm.name]
    if wanted.dynamics is not None:
        arm = _arm(wanted.dynamics, task, wanted, {})
        if strategies.scored_once(arm.strategy, arm.model):
            raise StudyError(
                f"{arm.name} is scored once, at the end of its training: it has no checkpoints to "
                "look at",
                where="--dynamics",
                fix="Name an arm of linear_head or sft, or textcnn/classic.",
            )
        columns |= cartography(_course(task, arm, data, wanted, say, watch), data.train.labels)
        by["dynamics"] = [arm.name]
    if wanted.study is not None:
        agreed, judges = _agreement(wanted.study, task, data.train, url)
        columns |= agreed
        by["agreement"] = judges
    seconds = round(time.perf_counter() - begun, 3)
    judges_of = Judges(task.name, data.facts.source, len(data.train), by, seconds)
    hashes = difficulty.hashes_of(data.train, task)
    if wanted.suspects is not None:
        columns[difficulty.SUSPECT] = difficulty.suspected(wanted.suspects, hashes)
    return Difficulty(judges_of, hashes, list(data.train.labels), columns)


def merged(before: Difficulty | None, found: Difficulty) -> Difficulty:
    """Judgements with those that were made before of the very same rows."""
    if before is None or before.hashes != found.hashes:
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
    return Recipe(
        name="difficulty",
        arms=[name],
        spaces={name: dict(space)} if space else {},
        budget=Budget(epochs=wanted.epochs, checkpoints=wanted.checkpoints),
    )


def _asked(
    task: Task, arm: StoredArm, data: TaskData, watch: Callable[[str, int, int], None]
) -> Probabilities:
    """What a model that learns nothing answers to the training rows, float32 [rows, classes]."""
    train = data.train
    recipe = _recipe(arm.name, Wanted(), _ASKED)
    with scratch.temporary() as folder:
        run = ApartRun(
            task, arm, recipe, train, (), fingerprint=data.facts.fingerprint, folder=folder
        )
        predictor = _trained(arm, run)
        found = []
        for start in range(0, len(train), AT_ONCE):
            watch(arm.name, start, len(train))
            texts = [train.texts[row] for row in range(start, min(start + AT_ONCE, len(train)))]
            found.append(predictor.predict_proba(texts))
    return np.concatenate(found)


def _course(
    task: Task,
    arm: StoredArm,
    data: TaskData,
    wanted: Wanted,
    say: Callable[[str], None],
    watch: Callable[[str, int, int], None],
) -> list[Probabilities]:
    """What trainings answer at each checkpoint to the rows that they leave out: of each checkpoint
    float32 [rows, classes]."""
    train = data.train
    parts = left_out(task, data)
    say(
        f"Judging {counted(len(train), 'row')} by {counted(len(parts), 'training')} of {arm.name}, "
        "each without a part of them"
    )
    recipe = _recipe(arm.name, wanted, {})
    course: list[Probabilities] = []
    done = 0
    for number, held in enumerate(parts):
        watch(arm.name, done, len(train))
        learnt = np.setdiff1d(np.arange(len(train)), held, assume_unique=True)
        own = f"{data.facts.fingerprint}-without{number}of{len(parts)}"
        with scratch.temporary() as folder:
            run = ApartRun(
                task,
                arm,
                recipe,
                train.take(learnt),
                train.take(held).texts,
                fingerprint=own,
                folder=folder,
            )
            _trained(arm, run)
        if not course:
            empty = np.zeros((len(train), len(task.labels)), np.float32)
            course = [empty.copy() for _ in run.answers]
        for whole, answers in zip(course, run.answers, strict=True):
            whole[held] = answers
        done += len(held)
    return course


def _trained(arm: StoredArm, run: ApartRun) -> Predictor:
    try:
        return strategies.get(arm.strategy).fit(run)
    except Refused as refused:
        raise StudyError(f"{arm.name} can't judge: {refused}") from None


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
    name: str, task: Task, train: Rows, url: str | None
) -> tuple[dict[str, Scores], list[str]]:
    """What the arms of a study over folds agree on, and which they are.

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
            f"`{shell.command('study', 'create', task.name, '--recipe', 'RECIPE')}`.",
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
