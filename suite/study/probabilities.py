"""What a study's models answered to rows that they had not seen, read back: of each arm its best
trial's probabilities on validation (over folds, on every row of train and validation), and those of
its finals on test and on the rows that were set aside for calibration.

Temperatures, weights and thresholds are fitted on the first, what is certified is certified on the
last, and neither on test. The model that is shipped may have seen validation; the one that answered
here has not: it has the same hyperparameters, and was trained without the rows that it answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import optuna

from suite import shell
from suite.contracts.combination import ARMS, Combination
from suite.contracts.scope import ScopeScore
from suite.contracts.strategy import Probabilities, Rows
from suite.contracts.temperature import tempered
from suite.data import answered, snapshot
from suite.data.answered import Answered, Which
from suite.data.folds import together
from suite.errors import DataError, StudyError, nearest
from suite.study import artifacts, kept_record, storage, trainings_record
from suite.study.artifacts import Artifacts
from suite.study.definition import Definition
from suite.study.trainings_record import Training
from suite.verdict.combining import averaged, cascaded


@dataclass(frozen=True)
class Answers:
    """What a model answered to rows.

    Args:
        probabilities: the model's own, float32 [rows, classes], from float16; a row of zeros is no
            answer.
        rows: what it was asked, with the labels.
        digest: of these rows, as `snapshot.digest` has it: two arms that have the same one were
            asked the same, in the same order.
        which: what these are of the study's rows.
        trial: the number of the trial whose hyperparameters the model has.
        seed: that it was trained with.
        refit: whether it was trained on validation, too.
        temperature: that its arm answers at; None where it keeps its own probabilities, or from
            before there were any.
        belongs: how much each text seems to belong to any class, by what the model has beside its
            probabilities; of the finals' models, where the task has a class of others.
    """

    probabilities: Probabilities
    rows: Rows
    digest: str
    which: Which
    trial: int = 0
    seed: int = 0
    refit: bool = False
    temperature: float | None = None
    belongs: Mapping[ScopeScore, Sequence[float]] = field(default_factory=dict)

    @property
    def calibrated(self) -> Probabilities:
        """What a user is answered, float32 [rows, classes]: `probabilities` are the model's own."""
        return tempered(self.probabilities, self.temperature)

    def last(self, count: int, which: Which) -> Answers:
        """The answers to the last rows, under the name that these have."""
        rows = self.rows.take(range(len(self.rows) - count, len(self.rows)))
        own = self.probabilities[-count:]
        return replace(
            self,
            probabilities=own,
            rows=rows,
            digest=snapshot.digest(rows),
            which=which,
            belongs={score: some[-count:] for score, some in self.belongs.items()},
        )


@dataclass(frozen=True)
class ArmAnswers:
    """What is left of what the models of an arm answered.

    Args:
        unseen: of its best trial, none of whose models saw the rows that it answers; None where
            that was not kept: the study is from before, or the files are elsewhere.
        test: of the models of its finals, in the order of their trainings, the shipped one first;
            those that were kept. None where the shipped one's were not: what another model answered
            would be taken for it.
        calibration: likewise, of the rows set aside for calibration.
        trainings: how many the finals rest on; 0 before them.
    """

    unseen: Answers | None
    test: tuple[Answers, ...] = ()
    calibration: tuple[Answers, ...] = ()
    trainings: int = 0


@dataclass(frozen=True)
class KeptProbabilities:
    """All that the models of an arm answered to rows that they had not seen, whole.

    Args:
        arm: model/strategy.
        labels: the classes' names: the columns of all probabilities.
        unseen: of its best trial: train followed by validation where the arm's trials are scored
            over folds, else validation alone. What is fitted is fitted on these.
        validation: the same for validation alone, which every arm of the study answered: for what
            needs several arms on the same rows.
        test: a training of the finals each, the model that is shipped first.
        calibration: of the same trainings in the same order, the rows set aside for calibration;
            empty where the study has none. What is certified is certified on the first of these.
    """

    arm: str
    labels: tuple[str, ...]
    unseen: Answers
    validation: Answers
    test: tuple[Answers, ...]
    calibration: tuple[Answers, ...]


def kept_probabilities(name: str, arm: str, url: str | Path | None = None) -> KeptProbabilities:
    """All that the models of an arm answered to rows that they had not seen.

    Each file's hash is compared with the storage's, and its rows with the study's. For several arms
    of one study, `of_arms` reads the rows once.

    Args:
        name: the study's.
        arm: of its finals.
        url: the database's; None for the default.

    Raises:
        StudyError: no such study, or the arm has no finals whose probabilities are kept here; says
            which command makes them.
        DataError: the study's own rows are damaged.
    """
    return of_arms(name, [arm], url)[0]


def of_arms(
    name: str, arms: Sequence[str], url: str | Path | None = None
) -> list[KeptProbabilities]:
    """`kept_probabilities` of several arms of one study, in their order; errors as there."""
    reader = Reader.of(name, url)
    return [reader.whole(arm) for arm in arms]


def of_arm(name: str, arm: str, url: str | Path | None = None) -> ArmAnswers:
    """What is left of what an arm's best trial and the models of its finals answered.

    Args:
        name: the study's.
        url: the database's; None for the default.

    Raises:
        StudyError: no such study.
        DataError: the study's own rows are damaged.
    """
    return Reader.of(name, url).left(arm)


class Reader:
    """Answers of one study, whose rows are read once.

    Args:
        lies: where its files are.
        url: of its database, as it was named, for commands that are told.
    """

    def __init__(
        self,
        study: optuna.Study,
        definition: Definition,
        lies: Artifacts,
        url: str | Path | None = None,
    ) -> None:
        self._study, self._definition, self._lies, self._url = study, definition, lies, url
        self._rows: dict[Which, tuple[Rows, str]] = {}

    @classmethod
    def of(cls, name: str, url: str | Path | None) -> Reader:
        """Of a study by name; errors as `storage.load`."""
        study, definition = storage.load(storage.open_storage(url), name)
        return cls(study, definition, artifacts.find(study, definition.data.fingerprint), url)

    @property
    def arms(self) -> list[str]:
        """The study's arms that can run."""
        return [arm.name for arm in self._definition.runnable]

    def whole(self, arm: str) -> KeptProbabilities:
        """Errors as in `kept_probabilities`."""
        if arm not in self.arms:
            raise StudyError(
                f"'{self._definition.name}' has no arm '{arm}'", fix=nearest(arm, self.arms)
            )
        found, trainings = self.left(arm), self._trainings(arm)
        aside = self._definition.data.rows.calibration > 0
        if (
            found.unseen is None
            or not trainings
            or len(found.test) < len(trainings)
            or len(found.calibration) < aside * len(trainings)
        ):
            raise self.missing(arm)
        validation = self._definition.data.rows.validation
        return KeptProbabilities(
            arm=arm,
            labels=tuple(self._definition.task.label_names),
            unseen=found.unseen,
            validation=found.unseen.last(validation, "validation"),
            test=found.test,
            calibration=found.calibration,
        )

    def missing(self, arm: str) -> StudyError:
        """Why what an arm's models answered can't be read, and what makes it anew."""
        name = self._definition.name
        if not self._lies.readable:
            return StudyError(
                f"what {arm} answered is not on this machine",
                where=str(self._lies.folder),
                fix="Work where the study's files lie.",
            )
        storage_of = None if self._url is None else str(self._url)
        again = shell.command("finals", name, storage=storage_of)
        return StudyError(
            f"no probabilities of {arm} are kept: '{name}' has no finals of it, or they are from "
            "before these were kept",
            fix=f"`{again}` makes them; test is asked again for it.",
        )

    def left(self, arm: str) -> ArmAnswers:
        """What can be read."""
        kept = kept_record.of_arm(self._study.user_attrs, arm)
        if kept is None or not self._lies.readable:
            return ArmAnswers(None)
        lies, trainings = self._lies, self._trainings(arm)
        unseen = self._read(lies.validated(kept.trial), kept.answered)
        if unseen is not None:
            temperature = trainings[0].temperature if trainings else None
            seed = self._definition.seed
            unseen = replace(unseen, trial=kept.trial, seed=seed, temperature=temperature)
        test = [self._of(t, lies.tested(arm, t.index), t.answered, t.belongs) for t in trainings]
        calibration = [
            self._of(t, lies.calibrated(arm, t.index), t.calibrated, t.aside) for t in trainings
        ]
        return ArmAnswers(unseen, _from_first(test), _from_first(calibration), len(trainings))

    def combined(self, made: Combination) -> ArmAnswers:
        """What a combination answers, by what the models of its members did that are shipped: to
        the rows that the best trials of all of them answered unseen, to test, and to those set
        aside for calibration, where these did not choose it.

        Raises:
            StudyError: what a member answered is not kept, or its model is another one by now.
        """
        found = [self.left(member.arm) for member in made.members]
        for member, left in zip(made.members, found, strict=True):
            kept = kept_record.of_arm(self._study.user_attrs, member.arm)
            if kept is None or kept.trial != member.trial:
                raise self.missing(ARMS[made.kind])
            if left.unseen is None or not left.test:
                raise self.missing(member.arm)
        seen = [left.unseen for left in found if left.unseen is not None]
        if len({one.which for one in seen}) > 1:  # Over folds, the last rows are validation's.
            count = self._definition.data.rows.validation
            seen = [one.last(count, "validation") for one in seen]
        aside = [left.calibration[0] for left in found if left.calibration]
        whole = len(aside) == len(found) and made.chosen_on != "calibration"
        return ArmAnswers(
            _together(seen, made),
            (_together([left.test[0] for left in found], made),),
            (_together(aside, made),) if whole else (),
            trainings=1,
        )

    def _trainings(self, arm: str) -> list[Training]:
        """Those that the arm's finals rest on."""
        attributes: dict[str, Any] = self._study.user_attrs
        kept, shipped = kept_record.of_arm(attributes, arm), kept_record.shipped(attributes, arm)
        if kept is None:
            return []
        if shipped is not None:
            refit = shipped.refit
            found = trainings_record.stored(self._study, arm, trial=kept.trial, refit=refit)
            # One whose record can't be read leaves the others: none of them is the shipped model.
            return found if found and found[0].index == 0 else []
        alone = trainings_record.stored_kept(self._study, arm, trial=kept.trial)
        return [] if alone is None else [alone]

    def _of(
        self,
        training: Training,
        file: Path,
        known: Answered | None,
        belongs: Mapping[ScopeScore, Sequence[float]],
    ) -> Answers | None:
        found = self._read(file, known)
        return found and replace(
            found,
            trial=training.trial,
            seed=training.seed,
            refit=training.refit,
            temperature=training.temperature,
            belongs=belongs,
        )

    def _read(self, file: Path, known: Answered | None) -> Answers | None:
        """Answers with their rows; None where they are not there, or others than were stored."""
        if known is None:
            return None
        rows, digest = self._asked(known.which)
        if digest != known.digest:
            return None
        try:
            found = answered.read(file, known)
        except DataError:
            return None
        return Answers(found, rows, digest, known.which)

    def _asked(self, which: Which) -> tuple[Rows, str]:
        """The study's rows of that name, and their digest."""
        if which not in self._rows:
            if which == "train+validation":
                rows = together(*snapshot.read_train_validation(self._lies.data))
            else:
                rows = snapshot.read_split(self._lies.data, which)
            self._rows[which] = rows, snapshot.digest(rows)
        return self._rows[which]


def _from_first(found: Sequence[Answers | None]) -> tuple[Answers, ...]:
    """Those that were kept; none where the first, the shipped model's, were not."""
    return tuple(filter(None, found)) if found and found[0] is not None else ()


def _together(answers: Sequence[Answers], made: Combination) -> Answers:
    """What a combination answers where its members answered this."""
    own = [one.calibrated for one in answers]
    if made.threshold is not None:
        found = cascaded(own[0], own[1], made.threshold)
    else:
        found = averaged(own, [member.weight or 0.0 for member in made.members])
    return replace(answers[-1], probabilities=found, temperature=None, belongs={})
