"""One trial: trained in a child, watched, measured, judged by the recipe's bounds, recorded."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import optuna

from suite import strategies
from suite.child.messages import Continued, Failed, Finished
from suite.child.runner import Interrupted, Runner
from suite.contracts import moments
from suite.contracts.results import Checkpoint, Trial
from suite.errors import counted
from suite.machine import bookmarkstore
from suite.study import search
from suite.study.deaths import IN_A_ROW, Deaths
from suite.study.definition import StoredArm
from suite.study.jobs import Jobs
from suite.study.keeping import Keeping
from suite.study.ledger import Gone, Ledger
from suite.study.pruning import CHECKPOINTS, step
from suite.study.queue import bookmark_of
from suite.study.record import BEFORE, HALVED, MEASURED, OWNER, PLACED
from suite.study.retiring import Retiring
from suite.study.speed import Neighbours, Speeds
from suite.study.watching import Observer
from suite.verdict import standing


class TrialFailed(Exception):
    """The trial is a failed one, its reason recorded; its point is owed, or it fell by itself."""


@dataclass(frozen=True)
class Objective:
    """What Optuna calls for each trial, with the study's lock held by the claim."""

    ledger: Ledger
    jobs: Jobs
    runner: Runner
    keeping: Keeping
    neighbours: Neighbours
    speeds: Speeds
    retiring: Retiring
    deaths: Deaths
    observer: Observer

    def __call__(self, trial: optuna.Trial) -> float:
        """The trial's score on validation.

        Raises:
            TrialFailed: it failed.
            TrialPruned: it was ended early.
            Interrupted: asked to stop; it is owed.
        """
        try:
            arm, params = search.suggest(trial, self.ledger.definition)
            trial.set_user_attr(OWNER, self.ledger.owner)
        finally:
            self.ledger.lock.release()
        number, owner = trial.number, self.ledger.owner
        self.neighbours.enter(number)
        self.observer.started(number, arm.name, params)
        found = Trial(
            number=number,
            state="FAIL",
            arm=arm.name,
            params=params,
            seed=self.ledger.definition.seed,
            worker=f"{owner['host']}:{owner['pid']}",
        )
        gone = False
        try:
            return self._run(trial, arm, found)
        except Gone:
            gone = True
            raise
        except Interrupted:
            # Who was asked to stop did not die of its bookmark.
            bookmarkstore.forgive(self.keeping.bookmark(bookmark_of(trial)))
            self.ledger.record(
                trial, replace(found, error="interrupted; the trial was queued again")
            )
            raise
        finally:
            self.neighbours.leave(number)
            if not gone:
                self.keeping.clear(arm.name, number)

    def _run(self, trial: optuna.Trial, arm: StoredArm, found: Trial) -> float:
        recipe = self.ledger.definition.recipe
        folder = self.keeping.trial_folder(trial.number)
        outcome = self._train(trial, arm, found, folder)
        if isinstance(outcome, Failed):
            self._fail(trial, arm, found, outcome)
        found = replace(
            found,
            state="PRUNED" if outcome.pruned else "COMPLETE",
            checkpoints=outcome.checkpoints,
            validation=outcome.pooled or outcome.scores,
            folds=arm.folds,
            first_fold=outcome.scores if arm.folds else None,
            search_seconds=outcome.search_seconds,
            train_seconds=outcome.train_seconds,
            load_seconds=outcome.load_seconds,
            evaluation_seconds=outcome.evaluation_seconds,
            peak_memory_bytes=outcome.peak_memory_bytes,
            circumstances=outcome.circumstances
            | self.jobs.paced(arm, found.params)
            | self.ledger.circumstances(),
        )
        self.ledger.note_truncation(arm.name, outcome.circumstances)
        marks: dict[str, Any] = {}
        if not outcome.pruned:
            begun = time.monotonic()
            rps = self.speeds.of_trial(trial.number, arm, outcome, folder)
            marks[MEASURED] = round(time.monotonic() - begun, 3)
            found = replace(found, rps=rps)
        over = standing.excess(recipe.bounds.model_dump(), found.train_seconds, found.rps)
        for bound, by in over.items():
            trial.set_constraint(bound, by)
        found = replace(
            found,
            feasible=all(by <= 0 for by in over.values()),
            contended=self.neighbours.contended(trial.number)
            or ("continued" in outcome.circumstances and self._contended_before(trial)),
        )
        placed = None
        if outcome.kept and not outcome.pruned:
            placed = self.keeping.place(
                arm.name, trial.number, found, outcome.serving_shape, outcome.answered
            )
        # With the record, whoever finds this worker dead can do what is left to do.
        self.ledger.record(trial, found, marks | ({PLACED: asdict(placed)} if placed else {}))
        self.keeping.drop_bookmark(bookmark_of(trial))
        if placed is not None:
            with self.ledger.lock.held():
                self.keeping.keep(arm.name, placed)
        self.observer.ended(replace(found, ended=moments.now()))
        if outcome.pruned:
            raise optuna.TrialPruned
        assert found.score is not None
        return found.score

    def _contended_before(self, trial: optuna.Trial) -> bool:
        """Whether others ran beside the trials whose training this one went on with."""
        mark, trials = bookmark_of(trial), self.ledger.study.get_trials(deepcopy=False)
        before = {t.number for t in trials if bookmark_of(t) == mark} - {trial.number}
        return self.neighbours.overlapped(before)

    def _train(
        self, trial: optuna.Trial, arm: StoredArm, found: Trial, folder: Path
    ) -> Finished | Failed:
        """The outcome of the trial's child.

        It goes on from its point's bookmark, where a process of it died before. One that the system
        killed for lack of memory can't halve its batch itself: another is started with half of it,
        the effective batch the same, as far as the strategy can. One that hung is started once
        more.
        """
        scored: list[list[Any]] = []
        reported: set[int] = set()

        def on_checkpoint(checkpoint: Checkpoint) -> bool:
            self.ledger.check_stands()
            scored.append(list(asdict(checkpoint).values()))
            trial.set_user_attr(CHECKPOINTS, scored)
            at = step(checkpoint.fraction)
            if at not in reported:
                reported.add(at)
                trial.report(checkpoint.score, at)
            self.observer.scored(trial.number, checkpoint)
            # The last checkpoint ends the trial anyway: there is nothing left to save.
            return checkpoint.fraction >= 1 or not trial.should_prune()

        def on_continued(how: Continued) -> None:
            if how.step:
                trial.set_user_attr(BEFORE, how.seconds)
            self.observer.said(f"trial {trial.number} ({arm.name}): {how.told}")

        recipe = self.ledger.definition.recipe
        attached = self.keeping.attached(trial.number)
        halved = int(trial.user_attrs.get(HALVED, 0))
        hung = False
        while True:
            outcome = self.runner.train(
                self.jobs.job(
                    arm,
                    found.params,
                    folder,
                    attached=attached,
                    halvings=halved,
                    bookmark=self.keeping.bookmark(bookmark_of(trial)),
                    bookmark_bytes=self.keeping.bookmark_room(self.jobs.workers),
                ),
                on_checkpoint=on_checkpoint,
                on_progress=lambda fraction: self.observer.progressed(trial.number, fraction),
                on_size=lambda rows: self.jobs.settle_evaluation(arm.name, rows),
                on_continued=on_continued,
                max_seconds=recipe.max_trial_seconds,
            )
            if not isinstance(outcome, Failed):
                return outcome
            able = recipe.shrink_batch and strategies.shrinks(arm.strategy, arm.model)
            if outcome.cause == "memory_kill" and able:
                halved += 1
                trial.set_user_attr(HALVED, halved)
                self.keeping.drop_bookmark(bookmark_of(trial))  # it is of a larger batch
                how = "begun again with half the batch at once, the effective batch stays"
            elif outcome.cause == "silent" and not hung:
                hung, how = True, "tried once more"
            else:
                return outcome
            self.observer.said(f"trial {trial.number} ({arm.name}): {outcome.reason}; {how}")
            shutil.rmtree(folder, ignore_errors=True)
            scored.clear()

    def _fail(self, trial: optuna.Trial, arm: StoredArm, found: Trial, outcome: Failed) -> NoReturn:
        """Records a failure, and takes the arm out where it is one too many.

        A death from outside says nothing about point and arm: the point is owed, and queued
        again. Only where that goes on and on is it taken for a failure after all.
        """
        error = self.keeping.keep_log(trial.number, outcome.reason)
        if outcome.cause == "outside":
            row = self.deaths.another(trial)
            if row < IN_A_ROW:
                found = replace(found, error=f"{error}; the trial was queued again")
                self.ledger.record(trial, found)
                self.observer.ended(found)
                self.observer.said(
                    f"trial {trial.number} ({arm.name}): {outcome.reason}; it is queued again"
                )
                raise TrialFailed(outcome.reason)
            error = f"{counted(row, 'death')} in a row that came from outside, the last: {error}"
        found = replace(found, error=error)
        self.ledger.record(trial, found, {search.FELL: True})
        self.keeping.drop_bookmark(bookmark_of(trial))
        self.observer.ended(found)
        self.retiring.failed(arm, error, refused=outcome.refused, cause=outcome.cause)
        raise TrialFailed(outcome.reason)
