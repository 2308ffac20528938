"""How well each way of picking the next rows does: replayed on a study's own labelled rows.

Some training rows are taken for all that is labelled, the others for the pool, their labels hidden.
Each way picks rows of the pool, round by round, its labels are shown, and the arm is trained anew
and scored on validation; test is not opened. Every way starts from the same rows, several times
over from others.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suite import shell
from suite.child.messages import ANSWERED, KEPT, Failed
from suite.contracts.language import language_of
from suite.contracts.picking import WAYS, Way
from suite.contracts.rowfacts import DataFacts
from suite.contracts.rowfacts import Rows as Counts
from suite.contracts.space import Params
from suite.contracts.strategy import Probabilities, Rows
from suite.data import answered, snapshot
from suite.data.snapshot import TaskData
from suite.data.subsets import drawn
from suite.data.vectors import vectors
from suite.errors import StudyError, counted, nearest
from suite.study.definition import StoredArm
from suite.study.growing import best_point
from suite.study.work import Work
from suite.verdict.metrics import METRICS
from suite.verdict.picking import gain_over, picked

#: Rows of the pool that are answered at most: picking among more takes longer and tells the same.
MOST_POOL = 20_000


@dataclass(frozen=True)
class Asked:
    """What is to be replayed.

    Args:
        rows: picked in each round, and labelled to begin with.
        rounds: how often.
        draws: from how many beginnings.
        seed: of these, and of what is drawn of the pool.
    """

    rows: int = 100
    rounds: int = 3
    draws: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Replayed:
    """A way of picking, replayed.

    Args:
        scores: [draws][rounds], the study's objective on validation.
        gain: over picking at random at the last round, better above 0, the mean over draws;
            `reach` half of its 95 % interval, None of one draw. Both 0 of random itself.
    """

    way: Way
    scores: list[list[float]] = field(default_factory=list)
    gain: float = 0.0
    reach: float | None = None


@dataclass(frozen=True)
class Replay:
    """All ways, on one arm's rows: `labelled` at each round, the first being the beginning."""

    arm: str
    objective: str
    labelled: list[int]
    start: list[float]
    ways: list[Replayed]


def replay(
    work: Work,
    arm: str | None,
    asked: Asked,
    *,
    watch: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Replay:
    """Replays every way of picking on a study's training rows.

    Args:
        work: of the study.
        arm: whose best hyperparameters are trained; the recommended one where None.
        watch: told how many trainings are done, of how many, and which is next.

    Raises:
        StudyError: no such arm, or too few rows to pick from.
        Interrupted: asked to stop.
    """
    found = work.ledger.results()
    runnable = [one.name for one in work.ledger.definition.runnable]
    name = arm or (found.verdict.recommended if found.verdict else None)
    if name is None:
        raise StudyError(
            f"'{found.study}' has no finished trial yet",
            fix=f"Go on with `{shell.command('study', 'run', found.study)}`.",
        )
    if name not in runnable:
        raise StudyError(
            f"'{found.study}' has no arm '{name}' to be trained again",
            fix=nearest(name, runnable),
        )
    params = best_point(found.trials, name)
    if params is None:
        raise StudyError(f"{name} of '{found.study}' has no finished trial yet")
    data = snapshot.read_snapshot(work.ledger.artifacts.data)
    most = asked.rows * (asked.rounds + 1)
    if 2 * most > len(data.train):
        fewer = max(2, len(data.train) // 2 // (asked.rounds + 1))
        raise StudyError(
            f"{counted(most, 'row')} in {counted(asked.rounds, 'round')} of "
            f"{counted(len(data.train), 'training row')} leave nothing to pick among",
            fix=f"At most half of them: --rows {fewer}.",
        )
    classes = len(set(data.train.labels))
    if asked.rows < classes:
        raise StudyError(
            f"{counted(asked.rows, 'row')} to begin with, of "
            f"{counted(classes, 'class', 'classes')}: some would have none",
            fix=f"At least one of each: --rows {classes}.",
        )
    trainer = _Trainer(work, work.ledger.definition.arm(name), params, data)
    total = asked.draws * (1 + len(WAYS) * asked.rounds)
    metric = METRICS[found.objective]
    scores: dict[Way, list[list[float]]] = {way: [] for way in WAYS}
    start: list[float] = []
    done = 0
    for draw in range(1, asked.draws + 1):
        begun = _Begun.of(data, asked, draw, trainer)
        watch(done, total, f"draw {draw}")
        first = trainer.train(begun.labelled, begun.pool)
        start.append(first.score)
        done += 1
        for way in WAYS:
            watch(done, total, f"draw {draw}, {way}")
            scores[way].append(_rounds(begun, first, way, asked, draw, trainer))
            done += asked.rounds
    last = {way: [metric.merit(rounds[-1]) for rounds in own] for way, own in scores.items()}
    ways = [Replayed("random", scores["random"])]
    for way in WAYS:
        if way != "random":
            ways.append(Replayed(way, scores[way], *gain_over(last[way], last["random"])))
    labelled = [asked.rows * (1 + at) for at in range(asked.rounds + 1)]
    return Replay(name, metric.key, labelled, start, ways)


@dataclass(frozen=True)
class _Begun:
    """Where every way begins: positions in train of what is labelled and of the pool, and the
    pool's vectors."""

    labelled: NDArray[np.int64]
    pool: NDArray[np.int64]
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, data: TaskData, asked: Asked, draw: int, trainer: _Trainer) -> _Begun:
        task = trainer.task
        seed = task.validation.seed + asked.seed
        order = drawn(data.train, len(data.train), draw=draw + 1, seed=seed)
        pool = order[asked.rows : asked.rows + MOST_POOL]
        texts = data.train.take(pool).texts
        spaced = language_of(task.language).spaced
        return cls(order[: asked.rows], pool, vectors(texts, spaced=spaced))


@dataclass(frozen=True)
class _Trained:
    """A training's score on validation, and its answers to the pool."""

    score: float
    answers: Probabilities


def _rounds(
    begun: _Begun, first: _Trained, way: Way, asked: Asked, draw: int, trainer: _Trainer
) -> list[float]:
    """A way's scores, round by round."""
    labelled, left = begun.labelled, np.arange(len(begun.pool))
    answers, scores = first.answers, []
    for round_ in range(asked.rounds):
        seed = asked.seed + 1000 * draw + round_
        at = picked(way, answers, begun.vectors[left], asked.rows, seed=seed)
        labelled = np.concatenate([labelled, begun.pool[left[at]]])
        left = np.delete(left, at)
        made = trainer.train(labelled, begun.pool[left])
        scores.append(made.score)
        answers = made.answers
    return scores


class _Trainer:
    """Trains an arm on some of a study's training rows, in a child, and asks it about others."""

    def __init__(self, work: Work, arm: StoredArm, params: Params, data: TaskData) -> None:
        self.task = work.ledger.definition.task
        self._work, self._arm, self._params, self._data = work, arm, params, data
        self._folder = work.keeping.scratch / "replay"

    def train(self, labelled: NDArray[np.int64], pool: NDArray[np.int64]) -> _Trained:
        """
        Args:
            labelled, pool: positions in the study's training rows.

        Raises:
            StudyError: it could not be trained, or could not answer.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        rows, fingerprint = self._written(labelled, pool)
        job = self._work.jobs.job(
            self._arm,
            self._params,
            self._folder / "job",
            snapshot=rows,
            fingerprint=fingerprint,
            folds=0,
            evaluation="full",
        )
        trained = self._work.runner.train(job)
        if isinstance(trained, Failed) or trained.scores is None:
            why = trained.reason if isinstance(trained, Failed) else "it was not scored"
            raise StudyError(
                f"{self._arm.name} could not be trained on {counted(len(labelled), 'row')}: {why}"
            )
        logs = self._folder / "asked"
        told = self._work.runner.predict(
            self._folder / "job" / KEPT,
            rows,
            "test",
            len(self.task.labels),
            self._work.jobs.threads,
            logs,
            objective=job.objective,
        )
        if isinstance(told, Failed) or told.answered is None:
            why = told.reason if isinstance(told, Failed) else "it kept no probabilities"
            raise StudyError(f"{self._arm.name} could not answer the pool: {why}")
        return _Trained(trained.scores.score, answered.read(logs / ANSWERED, told.answered))

    def _written(self, labelled: NDArray[np.int64], pool: NDArray[np.int64]) -> tuple[Path, str]:
        """The rows of one training, the pool in the place of test: that one is not needed."""
        train, asked = self._data.train.take(labelled), self._data.train.take(pool)
        validation: Rows = self._data.validation
        mark = snapshot.fingerprint(train, validation, asked)
        facts = DataFacts(
            source=self._data.facts.source,
            fingerprint=mark,
            rows=Counts(len(train), len(validation), len(asked)),
        )
        found = replace(
            self._data, train=train, test=asked, facts=facts, folds=None, calibration=None
        )
        snapshot.write_snapshot(self._folder / "rows", found)
        return self._folder / "rows", mark


def mean_of(scores: Sequence[Sequence[float]], round_: int) -> float:
    """The mean score over draws at a round."""
    return float(np.mean([rounds[round_] for rounds in scores]))
