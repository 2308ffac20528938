"""The child's side of a trial: the clock, scoring on validation, the kept checkpoint."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.child import evaluation, folds, same_again
from suite.child.bookmarks import RunBookmarks, SoFar
from suite.child.clock import Clock, synchronise
from suite.child.messages import ANSWERED, KEPT, Checkpointed, Job, Progressed, Sized
from suite.child.process import describe, peak_memory
from suite.contracts.results import Checkpoint, Scores
from suite.contracts.strategy import Pool, Predictor, Probabilities, Pruned, Refused, Rows
from suite.data import answered
from suite.data.answered import Answered
from suite.data.folds import Folds
from suite.errors import SuiteError
from suite.verdict.worth import Worth

#: The best early checkpoint, while it is not known whether it is the one to keep.
CANDIDATE = "candidate"

#: Validation texts that a preflight scores, to tell what scoring will take; and others that it
#: scores next, where the first took no longer than this: a first call pays for more than its texts.
PREFLIGHT_TEXTS, WARM_TEXTS = 8, 64
WARM_SECONDS = 0.5

#: Validation texts that a kept predictor is asked again, loaded as others will load it.
ASKED_AGAIN = 8
#: Fractions of a budget are rounded where they are kept.
_SAME_FRACTION = 1e-3


class ChildRun:
    """`protocols.Run` in the child: what a strategy's `fit` is given.

    The objective is the best checkpoint's score on all validation rows. Where early
    checkpoints are scored on a part of them, the best early one is set aside; the last is scored
    on all rows, and if the other was better on the part, it is loaded again and scored on all
    rows too. The better of the two on all rows is kept, and its score is the trial's: no score
    on a part is ever compared with one on all. The time of it is evaluation time. A pruned trial
    keeps its best checkpoint's scores on the part, and says on how many rows.
    """

    def __init__(
        self,
        job: Job,
        train: Rows,
        validation: Rows,
        fingerprint: str,
        channel: Connection,
        pool: Pool | None = None,
    ) -> None:
        self.task = job.task
        self.model = job.model
        self.params = dict(job.params)
        self.train = train
        self.seed = job.seed
        self.folder = job.folder / "scratch"
        self.attached = job.attached or job.folder / "attached"
        self.epochs = job.epochs
        self.checkpoints = job.checkpoints
        self.shrink_batch = job.shrink_batch
        self.halvings = job.halvings
        self.fingerprint = fingerprint
        self.pool = pool
        self.teacher = job.teacher
        self.companions = job.companions
        self.clock = Clock()
        self.load_seconds = 0.0
        self.evaluation_seconds = 0.0
        self.evaluated = 0
        self.evaluated_seconds = 0.0
        self.facts: dict[str, Any] = {}
        self.scored: list[Checkpoint] = []
        self.best: Scores | None = None
        #: What the best checkpoint answered to all validation rows.
        self.validated: Probabilities | None = None
        #: Over folds: what each row was answered by the training that did not see it.
        self.out_of_fold: Probabilities | None = None
        self.kept = False
        self.serving_shape = ""
        self._saved = 0.0
        self._job = job
        self._validation = validation
        self._channel = channel
        self._last_progress = 0.0
        self._early = evaluation.EarlyRows(validation, job.evaluation, self._agreed)
        self._candidate: Checkpoint | None = None
        #: Texts and answers of the predictor that is kept, where it has to give them again.
        self._answered: tuple[list[str], Probabilities] | None = None
        #: Predictors that it may have on disk, in its job's folder.
        self.places: tuple[str, ...] = (KEPT, CANDIDATE)
        #: What its bookmarks took, in seconds; on no clock.
        self.bookmark_seconds = 0.0
        #: The steps at which it went on from one.
        self.continued: list[int] = []
        self._begun = time.perf_counter()
        self._peak_before = 0
        if job.bookmark is not None and job.preflight_rows is None:
            self.bookmarks = RunBookmarks(self, job, channel, job.bookmark)

    @property
    def elapsed(self) -> float:
        """Seconds since it began, those of the processes that it goes on from included."""
        return time.perf_counter() - self._begun

    @property
    def peak_memory(self) -> int:
        """Bytes at the peak, as `process.peak_memory`, in any of its processes."""
        return max(peak_memory(), self._peak_before)

    @property
    def train_seconds(self) -> float:
        """Training time so far, what caches saved added back."""
        return self.clock.seconds + self._saved

    def checkpoint(self, predictor: Predictor, fraction: float) -> None:
        """See `protocols.Run.checkpoint`."""
        with self.clock.paused() as spent:
            if self._job.preflight_rows is not None:
                self._rehearse(predictor)
                go_on = True
            elif self._job.refit is not None:
                go_on = self._refitted(predictor, fraction, self._job.refit)
            else:
                go_on = self._score(predictor, fraction)
        self.evaluation_seconds += spent[0]
        if not go_on:
            raise Pruned

    def _rehearse(self, predictor: Predictor) -> None:
        """Times the scoring of a few texts; of a server's, which may cost money, of no more."""
        texts = self._validation.texts
        parts = [texts[:PREFLIGHT_TEXTS]]
        if self.model.endpoint is None:
            parts.append(texts[PREFLIGHT_TEXTS : PREFLIGHT_TEXTS + WARM_TEXTS])
        for part in parts:
            if part and self.evaluated_seconds <= WARM_SECONDS:
                begun = time.perf_counter()
                predictor.predict_proba(part)
                synchronise()
                self.evaluated, self.evaluated_seconds = len(part), time.perf_counter() - begun

    def _refitted(self, predictor: Predictor, fraction: float, end: float) -> bool:
        """Keeps the predictor once the training is at its end, whether it goes on: no row is left
        to choose by."""
        if fraction < end - _SAME_FRACTION:
            return True
        texts = list(self.train.texts[:ASKED_AGAIN])
        steady = getattr(predictor, "steady", True)
        self._save(predictor, KEPT, (texts, predictor.predict_proba(texts)) if steady else None)
        return fraction >= 1

    def _score(self, predictor: Predictor, fraction: float) -> bool:
        last = fraction >= 1
        if last:
            some, probabilities = None, predictor.predict_proba(self._validation.texts)
        else:
            interval = self.train_seconds / (fraction * self.checkpoints)
            some, probabilities = self._early.answers(predictor, interval)
        scores = self._scores(probabilities, some)
        checkpoint = Checkpoint(
            fraction=round(fraction, 4),
            macro_f1=scores.macro_f1,
            train_seconds=round(self.train_seconds, 4),
            rows=len(probabilities),
            objective=scores.objective,
            loss=_loss(scores, probabilities),
        )
        if last and self._candidate is not None:
            self._decide(predictor, scores, probabilities)
        elif self.best is None or self._merit(scores) > self._merit(self.best):
            name = CANDIDATE if some is not None else KEPT
            self._keep(predictor, scores, name, probabilities, some)
            self._candidate = checkpoint if some is not None else None
        self.scored.append(checkpoint)
        self._channel.send(Checkpointed(checkpoint))
        return bool(self._channel.recv())

    def _scores(self, probabilities: Probabilities, some: Sequence[int] | None) -> Scores:
        from suite.verdict.metrics import objective_of
        from suite.verdict.scoring import score

        rows = self._validation if some is None else self._validation.take(some)
        metric = objective_of(self._job.objective, self._worth)
        if metric.of_rows is not None and not _graded(probabilities):
            raise Refused(
                f"its answers are a class each, and no probabilities: {metric.label('en')} says "
                "nothing of them; objective: macro_f1 compares it"
            )
        return score(
            probabilities, rows.labels, len(self.task.labels), self._job.objective, self._worth
        )

    @property
    def _worth(self) -> Worth | None:
        """What answers are worth, where the recipe says it."""
        value = self._job.value
        return None if value is None else Worth.of(value, self.task.label_names)

    def _merit(self, found: Scores | Checkpoint) -> float:
        """A score as a number of which the higher is the better one."""
        from suite.verdict.metrics import METRICS

        return METRICS[self._job.objective].merit(found.score)

    def _agreed(self, rows: int) -> int:
        """So many rows, or as many as another trial of the arm has told the parent before."""
        self._channel.send(Sized(rows))
        return int(self._channel.recv())

    def _decide(
        self,
        predictor: Predictor,
        scores: Scores,
        probabilities: Probabilities,
    ) -> None:
        """Keeps the last checkpoint or the candidate, whichever is better on all rows."""
        from suite.strategies import load_predictor

        assert self._candidate is not None
        early, self._candidate = self._candidate, None
        folder = self._job.folder / CANDIDATE
        some = self._early.rows
        there = self._scores(probabilities[np.asarray(some)], some)
        if self._merit(early) > self._merit(there):
            try:
                candidate = load_predictor(folder)
                answers = candidate.predict_proba(self._validation.texts)
                again = self._scores(answers, None)
            except (RuntimeError, MemoryError, SuiteError) as error:
                # Two models may not fit where one did; the last one is sound.
                self.note(candidate_not_scored=describe(error))
            else:
                # The early checkpoint has its score on all rows from now on.
                self.scored[self.scored.index(early)] = replace(
                    early,
                    macro_f1=again.macro_f1,
                    rows=len(self._validation),
                    objective=again.objective,
                    loss=_loss(again, answers),
                )
                if self._merit(again) > self._merit(scores):
                    self.best, self.validated = again, answers
                    shutil.rmtree(self._job.folder / KEPT, ignore_errors=True)
                    folder.rename(self._job.folder / KEPT)
                    self._answered = None  # They were given by one that was loaded.
                    return
        shutil.rmtree(folder, ignore_errors=True)
        self._keep(predictor, scores, KEPT, probabilities, None)

    def _keep(
        self,
        predictor: Predictor,
        scores: Scores,
        name: str,
        probabilities: Probabilities,
        some: Sequence[int] | None,
    ) -> None:
        """Saves a predictor.

        Args:
            probabilities: its answers to the validation rows `some`, or to all.
        """
        rows = range(len(probabilities)) if some is None else some
        texts = [self._validation.texts[row] for row in rows[:ASKED_AGAIN]]
        steady = getattr(predictor, "steady", True)
        self.best = scores
        self.validated = probabilities if some is None else None
        answered = (texts, probabilities[: len(texts)].copy()) if steady else None
        self._save(predictor, name, answered)

    def _save(
        self, predictor: Predictor, name: str, answered: tuple[list[str], Probabilities] | None
    ) -> None:
        """Writes a predictor.

        Args:
            answered: texts and its answers, where it has to give them again.
        """
        from suite.strategies import save_predictor

        # A bookmark may have the files of the one before under other names.
        shutil.rmtree(self._job.folder / name, ignore_errors=True)
        self._answered = answered
        self.serving_shape = predictor.serving_shape
        self.facts.setdefault("precision", predictor.precision)
        self.facts |= getattr(predictor, "facts", {})
        # Written also when the arm has a better one: serving speed is measured from it.
        save_predictor(predictor, self._job.strategy, self._job.folder / name)
        self.kept = True

    def so_far(self) -> tuple[SoFar, dict[str, NDArray[np.float32]]]:
        """What it has so far, and arrays by name: what a bookmark keeps."""
        asked, answers = self._answered or (None, None)
        arrays = {"validated": self.validated, "answers": answers}
        candidate = self._candidate
        told = SoFar(
            scored=list(self.scored),
            best=self.best,
            candidate=None if candidate is None else self.scored.index(candidate),
            kept=self.kept,
            serving_shape=self.serving_shape,
            seconds=self.clock.seconds,
            saved=self._saved,
            load_seconds=self.load_seconds,
            evaluation_seconds=self.evaluation_seconds,
            elapsed=self.elapsed,
            early=self._early.settled,
            asked=asked,
            peak=self.peak_memory,
            facts=self.facts,
            continued=self.continued,
        )
        return told, {n: np.ascontiguousarray(a) for n, a in arrays.items() if a is not None}

    def go_on(self, before: SoFar, arrays: Mapping[str, NDArray[np.float32]], step: int) -> None:
        """Takes what a bookmark has of it, and tells the parent of its checkpoints once more.

        Whether to go on after them was answered when they were scored.
        """
        self.scored, self.best = list(before.scored), before.best
        self._candidate = None if before.candidate is None else self.scored[before.candidate]
        self.kept, self.serving_shape = before.kept, before.serving_shape
        self.clock.seconds, self._saved = before.seconds, before.saved
        self.load_seconds = before.load_seconds
        self.evaluation_seconds = before.evaluation_seconds
        self._begun = time.perf_counter() - before.elapsed
        self._peak_before = before.peak
        self._early.settle(before.early)
        self.validated = arrays.get("validated")
        if before.asked is not None:
            self._answered = before.asked, arrays["answers"]
        self.continued = [*before.continued, step]
        # As it was prepared then: what a cache has by now was made at that time.
        self.facts = self.facts | before.facts | {"continued": self.continued}
        for checkpoint in self.scored:
            self._channel.send(Checkpointed(checkpoint))
            self._channel.recv()

    def close(self, pruned: bool) -> None:
        """After `fit`: whether what was scored can stand for the trial.

        Raises:
            RuntimeError: the strategy ended without its last checkpoint.
        """
        if self._job.preflight_rows is not None or (self._job.refit is not None and self.kept):
            return
        if self.best is None or (self._candidate is not None and not pruned):
            raise RuntimeError(
                f"the strategy '{self._job.strategy}' ended without a checkpoint at 1.0"
            )
        if self._candidate is not None:
            self.note(validation_rows_scored=len(self._early.rows))

    def check_kept(self) -> None:
        """Sees that what is kept, loaded again, answers as it did when it was scored.

        Raises:
            ModelError: it does not: its `save` loses something.
        """
        if self._answered is None or not self.kept or self._candidate is not None:
            return
        why = same_again.check(self._job.folder / KEPT, self._job.strategy, *self._answered)
        if why is not None:
            self.note(kept_not_compared=why)

    @contextmanager
    def loading(self) -> Iterator[None]:
        """See `protocols.Run.loading`."""
        with self.clock.paused() as spent:
            yield
        self.load_seconds += spent[0]

    def saved(self, seconds: float) -> None:
        """See `protocols.Run.saved`."""
        self._saved += seconds

    def progress(self, fraction: float) -> None:
        """See `protocols.Run.progress`. At most five messages a second leave."""
        now = time.monotonic()
        if now - self._last_progress >= 0.2:
            self._last_progress = now
            self._channel.send(Progressed(min(1.0, fraction) / max(1, self._job.folds)))

    def pooled(self, cut: Folds) -> Scores:
        """The scores over all folds, of which this run was the first."""
        from suite import strategies
        from suite.verdict.scoring import score

        assert self.pool is not None and self.validated is not None and self.best is not None
        best, rows = self.best.score, len(self._validation)
        found = folds.answers(
            strategies.get(self._job.strategy),
            self,
            cut,
            validated=self.validated,
            end=next(c.fraction for c in self.scored if c.rows == rows and c.score == best),
            folder=self._job.folder,
            told=lambda fraction: self._channel.send(Progressed(fraction)),
        )
        self.out_of_fold = found
        classes = len(self.task.labels)
        return score(found, self.pool.rows.labels, classes, self._job.objective, self._worth)

    def answered(self) -> Answered | None:
        """Writes what was answered to rows that the answering model did not see, as the file
        `ANSWERED` among what is attached; None where that is nothing, or not of all rows.

        Raises:
            OSError: it can't be written.
        """
        file = self.attached / ANSWERED
        if self.out_of_fold is not None and self.pool is not None:
            return answered.write(file, self.out_of_fold, "train+validation", self.pool.rows)
        if self.validated is not None:
            return answered.write(file, self.validated, "validation", self._validation)
        return None

    def note(self, **facts: Any) -> None:
        """See `protocols.Run.note`."""
        self.facts.update(facts)


def _graded(probabilities: Probabilities) -> bool:
    """Whether they are probabilities, and not a class each."""
    return bool(((probabilities > 0) & (probabilities < 1)).any())


def _loss(scores: Scores, probabilities: Probabilities) -> float | None:
    """Mean of -ln of the labelled class' probability; None of answers that are a class each."""
    return scores.others.get("log_loss") if _graded(probabilities) else None
