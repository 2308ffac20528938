"""What a study's models answered to rows that they had not seen, read back: of each arm its best
trial's probabilities on validation (over folds, on every row of train and validation), and those of
its finals on test.

Thresholds, calibration and cascades are fitted on the first and are never fitted on the second. The
model that is shipped may have seen validation; the one that answered here has not.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from suite.contracts.strategy import Probabilities, Rows
from suite.data import answered, snapshot
from suite.data.answered import Answered
from suite.data.folds import together
from suite.errors import DataError
from suite.study import artifacts, kept_record, storage, trainings_record
from suite.study.artifacts import Artifacts


@dataclass(frozen=True)
class Answers:
    """What a model answered to rows.

    Args:
        probabilities: float32 [rows, classes]; a row of zeros is no answer.
        rows: what it was asked, with the labels.
        which: what these are of the study's rows.
        trial: the number of the trial whose hyperparameters the model has.
        seed: that it was trained with.
        refit: whether it was trained on validation, too.
    """

    probabilities: Probabilities
    rows: Rows
    which: answered.Which
    trial: int
    seed: int
    refit: bool


@dataclass(frozen=True)
class ArmAnswers:
    """What the models of an arm answered.

    Args:
        validation: of its best trial, none of whose models saw the rows that it answers; None where
            that was not kept: the study is from before, or the files are elsewhere.
        test: of the models of its finals, in the order of their trainings, the shipped one first;
            those that were kept.
    """

    validation: Answers | None
    test: list[Answers]


def of_arm(name: str, arm: str, url: str | Path | None = None) -> ArmAnswers:
    """What an arm's best trial and the models of its finals answered.

    Args:
        name: the study's.
        url: the database's; None for the default.

    Raises:
        StudyError: no such study.
        DataError: the study's own rows are damaged.
    """
    study, definition = storage.load(storage.open_storage(url), name)
    lies = artifacts.find(study, definition.data.fingerprint)
    kept = kept_record.of_arm(study.user_attrs, arm)
    if kept is None or not lies.readable:
        return ArmAnswers(None, [])
    validation = _read(
        lies, lies.validated(kept.trial), kept.answered, kept.trial, definition.seed, False
    )
    shipped = kept_record.shipped(study.user_attrs, arm)
    if shipped is not None:
        trainings = trainings_record.stored(study, arm, trial=kept.trial, refit=shipped.refit)
    else:
        alone = trainings_record.stored_kept(study, arm, trial=kept.trial)
        trainings = [alone] if alone is not None else []
    test = [
        _read(lies, lies.tested(arm, t.index), t.answered, t.trial, t.seed, t.refit)
        for t in trainings
    ]
    return ArmAnswers(validation, [one for one in test if one is not None])


def _read(
    lies: Artifacts, file: Path, known: Answered | None, trial: int, seed: int, refit: bool
) -> Answers | None:
    """Answers with their rows; None where they are not there, or are others than were stored."""
    if known is None:
        return None
    if known.which == "train+validation":
        rows = together(*snapshot.read_train_validation(lies.data))
    else:
        rows = snapshot.read_split(lies.data, known.which)
    if snapshot.digest(rows) != known.digest:
        return None
    try:
        found = answered.read(file, known)
    except DataError:
        return None
    return Answers(found, rows, known.which, trial, seed, refit)
