"""One training of an arm's finals: the model made, the first one kept to be shipped, test asked.

What a training answers is stored as it ends, so nothing that was trained is trained twice.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from suite.child.messages import ANSWERED, KEPT, Failed
from suite.child.runner import Interrupted, Predicted
from suite.contracts.results import Scores, Trial
from suite.contracts.scope import ScopeScore
from suite.data import answered
from suite.data.snapshot import Split
from suite.errors import StudyError
from suite.machine import bookmarkstore
from suite.strategies.calibrated import keep_temperature
from suite.study import calibrating, deciding, finals_plan, trainings_record
from suite.study.artifacts import part, written
from suite.study.calibrating import Fitted
from suite.study.definition import StoredArm
from suite.study.estimates import Finals
from suite.study.finals_plan import Entrant, Way
from suite.study.kept_record import Shipped
from suite.study.opening import Opening
from suite.study.record import HALVED
from suite.study.trainings_record import Training
from suite.study.work import Work
from suite.verdict.metrics import MACRO_F1, Metric


class Unable(StudyError):
    """An arm could not be trained, or its model not answer. The others can go on; where the study
    itself is gone, none can."""


@dataclass
class Contestant:
    """An arm in the finals.

    Args:
        arm, trial: the arm, and its best trial.
        kept: the folder of that trial's checkpoint.
        validation: its scores on validation, on what all arms were scored on.
        way: how it comes through.
        cost: what that will take.
        trainings: that there are, by index; the checkpoint's alone where it is scored as it is.
        short: why it has one training though its training is random.
        ended: whether no more can be made of it.
    """

    arm: StoredArm
    trial: Trial
    kept: Path
    validation: Scores | None
    way: Way
    cost: Finals
    trainings: list[Training] = field(default_factory=list)
    short: str | None = None
    ended: bool = False

    @property
    def name(self) -> str:
        """The arm's."""
        return self.arm.name

    @property
    def number(self) -> int:
        """That trial's."""
        return self.trial.number

    @property
    def combination(self) -> None:
        """It is none of other arms."""
        return None

    @property
    def trained(self) -> bool:
        """Whether its models are trained for the finals, and none is the search's."""
        return any(one.index != trainings_record.KEPT for one in self.trainings)

    @property
    def refit(self) -> bool:
        """Whether its models were trained on validation, too."""
        return bool(self.trainings) and self.trainings[0].refit

    @property
    def about_arm(self) -> bool:
        """Whether its score says something of the arm, and not of one trained model alone."""
        return self.way.deterministic or len(self.trainings) > 1

    def entrant(self, test_rows: int, objective: Metric = MACRO_F1) -> Entrant:
        """It, as its turn depends on it; what one more takes, as the last one took."""
        scores = self.validation
        seconds = self.cost.training + self.cost.scoring(test_rows)
        if self.trained:
            seconds = self.trainings[-1].seconds
        return Entrant(
            arm=self.name,
            score=objective.share(scores.score) if scores else 0.0,
            rows=sum(map(sum, scores.confusion)) if scores else 0,
            trainings=len(self.trainings) if self.ended else self.way.trainings,
            done=len(self.trainings),
            seconds=seconds,
            way=objective.way,
        )


class Trainer:
    """Makes trainings of a study's finals, alone on the machine as far as locks reach.

    Args:
        opening: counted before a model is asked about test.
        say: told what is trained.
    """

    def __init__(self, work: Work, opening: Opening, say: Callable[[str], None]) -> None:
        self._work = work
        self._opening = opening
        self._say = say
        self._folder = work.keeping.scratch / "finals"
        self._asked = self._folder / "predict"
        self._fits: dict[tuple[str, bool], Fitted | None] = {}

    def fitted(self, one: Contestant, *, refit: bool) -> Fitted | None:
        """The temperature of an arm's models; None where what it answered unseen is not kept.

        Args:
            refit: whether they were trained on validation, too.
        """
        key = one.name, refit
        if key not in self._fits:
            ledger = self._work.ledger
            self._fits[key] = calibrating.fitted(
                ledger.study, ledger.definition, ledger.artifacts, one.name, refit=refit
            )
        return self._fits[key]

    def train(self, one: Contestant) -> None:
        """Adds the next training to an arm's.

        Raises:
            Unable: it could not be trained, or could not predict.
        """
        begun = time.monotonic()
        definition = self._work.ledger.definition
        there = {training.index for training in one.trainings}
        index = next(index for index in count() if index not in there)
        seed = finals_plan.seed_of(definition.name, definition.seed, one.name, index)
        folder, seconds = (
            self._first(one, seed) if index == 0 else self._trained(one, index, seed)[:2]
        )
        self._add(one, index, seed, seconds, folder, begun)
        shutil.rmtree(self._folder, ignore_errors=True)

    def keep(self, one: Contestant) -> None:
        """Scores the checkpoint of the search as it is; what was timed while others ran is timed
        again, alone.

        Raises:
            Unable: it could not predict.
        """
        begun = time.monotonic()
        seconds = one.trial.train_seconds
        if one.trial.contended and not one.ended:
            self._say(f"{one.name}: timed while other workers ran; trained again alone")
            _, seconds, _ = self._trained(one, 0, one.trial.seed)
        self._work.keeping.unship(one.name)
        self._add(one, trainings_record.KEPT, one.trial.seed, seconds, one.kept, begun)

    def _first(self, one: Contestant, seed: int) -> tuple[Path, float]:
        """The model that is shipped: named, and kept, before test is opened."""
        keeping = self._work.keeping
        there = keeping.shipped(one.name)
        if there is not None and (there.seed, there.refit) == (seed, one.way.refit):
            place = keeping.here(one.name, there)
            if place is not None:
                return place, there.train_seconds
        folder, seconds, shape = self._trained(one, 0, seed)
        made = Shipped(
            trial=one.trial.number,
            host=self._work.ledger.host,
            mark=secrets.token_hex(4),
            seed=seed,
            refit=one.way.refit,
            train_seconds=seconds,
            serving_shape=shape,
        )
        return keeping.ship(one.name, folder, made), seconds

    def _trained(self, one: Contestant, index: int, seed: int) -> tuple[Path, float, str]:
        """A model's folder, the seconds of its training, and its serving shape."""
        from suite.serving.load.measure import machine_lock

        work, trial = self._work, one.trial
        self._say(
            f"{one.name}: training trial {trial.number} again"
            f"{' on train and validation' if one.way.refit else ''}, seed {seed}"
        )
        rows = work.ledger.definition.data.rows.validation
        folder = self._folder / f"{part(one.name)}-{index}"
        shutil.rmtree(folder, ignore_errors=True)
        job = work.jobs.job(
            one.arm,
            trial.params,
            folder,
            seed=seed,
            folds=0,
            halvings=work.ledger.attribute(trial.number, HALVED, 0),
            refit=finals_plan.chosen_fraction(trial, rows) if one.way.refit else None,
            bookmark=work.keeping.bookmark("finals"),
            bookmark_bytes=work.keeping.bookmark_room(),
        )
        try:
            with machine_lock(timeout=3600, say=work.observer.said):
                outcome = work.runner.train(
                    job, on_continued=lambda how: self._say(f"{one.name}: {how.told}")
                )
        except Interrupted:
            bookmarkstore.forgive(work.keeping.bookmark("finals"))
            raise
        if not isinstance(outcome, Failed) or outcome.cause != "outside":
            work.keeping.drop_bookmark("finals")
        if isinstance(outcome, Failed):
            raise Unable(
                f"{one.name} could not be trained again with seed {seed}: {outcome.reason}"
            )
        return folder / KEPT, outcome.train_seconds, outcome.serving_shape

    def _add(
        self,
        one: Contestant,
        index: int,
        seed: int,
        train_seconds: float | None,
        folder: Path,
        begun: float,
    ) -> None:
        refit = index != trainings_record.KEPT and one.way.refit
        fit = self.fitted(one, refit=refit)
        temperature = None if fit is None else fit.temperature
        with written(folder):
            keep_temperature(self._work.ledger.artifacts.checked(folder), temperature)
        aside = self._calibrated(one, folder, index)
        self._opening.count()
        found = self._predicted(one, folder, "test")
        made = Training(
            trial=one.trial.number,
            index=index,
            seed=seed,
            refit=refit,
            train_seconds=train_seconds,
            seconds=round(time.monotonic() - begun, 3),
            scores=found.scores,
            predictions=found.predictions,
            confidences=found.confidences,
            answered=found.answered,
            calibrated=None if aside is None else aside.answered,
            temperature=temperature,
            losses=found.losses,
            lengths=found.lengths,
            belongs=found.belongs,
            aside=aside.belongs if aside else {},
        )
        if found.answered is not None:
            place = self._work.ledger.artifacts.tested(one.name, index)
            self._work.keeping.keep_answers(place, self._asked / ANSWERED)
        trainings_record.store(self._work.ledger.study, one.name, made)
        one.trainings = sorted([*one.trainings, made], key=lambda training: training.index)

    def ask_unseen(self, one: Contestant) -> None:
        """Has an arm's checkpoint answer validation, where the search is from before that was kept:
        temperatures, ensembles and cascades are fitted on it.

        Raises:
            Unable: it could not predict.
        """
        keeping = self._work.keeping
        kept = keeping.kept(one.name)
        if kept is None or kept.trial != one.trial.number:
            return
        file = self._work.ledger.artifacts.validated(kept.trial)
        if kept.answered is not None and answered.stands(file, kept.answered):
            return
        found = self._predicted(one, one.kept, "validation")
        if found.answered is not None:
            keeping.answered(one.name, kept, found.answered, self._asked / ANSWERED)

    def belonging(self, one: Contestant) -> Mapping[ScopeScore, list[float]]:
        """How much each validation text seems to belong to any class, by what the checkpoint of the
        search, which has not seen it, has beside its probabilities; nothing where the finals'
        models have nothing beside theirs.

        Raises:
            StudyError: it could not predict.
        """
        if not all(training.belongs for training in one.trainings):
            return {}
        return self._predicted(one, one.kept, "validation").belongs

    def _calibrated(self, one: Contestant, folder: Path, index: int) -> Predicted | None:
        """What a model answers to the rows that were set aside, kept; None where there are none."""
        ledger = self._work.ledger
        if not ledger.definition.data.rows.calibration:
            return None
        found = self._predicted(one, folder, "calibration")
        if found.answered is not None:
            place = ledger.artifacts.calibrated(one.name, index)
            self._work.keeping.keep_answers(place, self._asked / ANSWERED)
        return found

    def _predicted(self, one: Contestant, folder: Path, split: Split) -> Predicted:
        work = self._work
        outcome = work.runner.predict(
            folder,
            work.ledger.artifacts.data,
            split,
            len(work.ledger.definition.task.labels),
            work.jobs.threads,
            self._asked,
            objective=work.ledger.definition.recipe.objective,
            outside=work.ledger.definition.task.outside,
            worth=deciding.worth_of(work.ledger.definition),
        )
        if isinstance(outcome, Failed):
            raise Unable(f"{one.name} could not predict the {split} split: {outcome.reason}")
        return outcome
