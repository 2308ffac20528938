"""Which temperature each arm's models get, and what that does to their probabilities on test.

It is fitted on what the arm's best trial answered to rows that it had not seen, before test is
asked, and holds for every model of the arm's finals: they have the same hyperparameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import optuna

from suite.contracts.calibrated import Calibrated, CalibrationScores
from suite.contracts.results import Final
from suite.contracts.rowfacts import Rows
from suite.contracts.temperature import tempered
from suite.data import answered
from suite.data.answered import Which
from suite.errors import DataError
from suite.study import probabilities
from suite.study.artifacts import Artifacts
from suite.study.definition import Definition
from suite.study.trainings_record import Training
from suite.verdict import calibration

#: How many more rows, as a part of train, a model may have been trained on than the ones whose
#: answers its temperature is fitted on. With many more it is another model: of AG News fastText,
#: fitted on answers of models of 2,000 rows and refitted on 4,691, went from .017 to .055.
MOST_MORE = 0.5


@dataclass(frozen=True)
class Fitted:
    """The temperature of an arm.

    Args:
        temperature: None where its own probabilities do better, or where the models of the finals
            are trained on many more rows.
        gain: how much lower the log-loss of a row is at temperatures fitted without it.
        rows: that it was fitted on.
        which: what these are of the study's rows.
    """

    temperature: float | None
    gain: float
    rows: int
    which: Which


def fitted(
    study: optuna.Study, definition: Definition, lies: Artifacts, arm: str, *, refit: bool
) -> Fitted | None:
    """The temperature of an arm; None where what it answered unseen is not kept here.

    Args:
        refit: whether the models of its finals are trained on validation, too.

    Raises:
        DataError: the study's own rows are damaged.
    """
    unseen = probabilities.Reader(study, definition, lies).left(arm).unseen
    if unseen is None:
        return None
    labels = unseen.rows.labels
    temperature, gain = calibration.cross_fitted(unseen.probabilities, labels)
    if refit and not alike(definition.data.rows, unseen.which):
        temperature = None
    return Fitted(temperature, gain, len(labels), unseen.which)


def alike(rows: Rows, which: Which) -> bool:
    """Whether a model of train and validation answers as the ones do that answered these rows.

    >>> alike(Rows(2000, 12_000, 0), "validation"), alike(Rows(9000, 1000, 0), "validation")
    (False, True)
    >>> alike(Rows(100, 100, 0), "train+validation")  # each by a model of all other folds
    True
    """
    return which != "validation" or rows.validation <= MOST_MORE * rows.train


def with_calibration(
    finals: Sequence[Final],
    labels: Sequence[int],
    trainings: Mapping[str, Sequence[Training]],
    fits: Mapping[str, Fitted | None],
    lies: Artifacts,
) -> list[Final]:
    """Finals that say how well their arms' probabilities hold on test, before and after; as they
    are where these are not kept.

    Args:
        labels: the class of each test row.
        trainings: arm -> its own.
        fits: arm -> its temperature.
    """
    return [
        replace(final, calibration=_held(final.arm, labels, trainings[final.arm], fit, lies))
        if (fit := fits.get(final.arm)) is not None
        else final
        for final in finals
    ]


def _held(
    arm: str, labels: Sequence[int], trainings: Sequence[Training], fit: Fitted, lies: Artifacts
) -> Calibrated | None:
    own = []
    # Those from before there were temperatures answer without one beside such as have one: what is
    # told is told of the shipped model and its like.
    alike = [one for one in trainings if one.temperature == trainings[0].temperature]
    for training in alike:
        if training.answered is None:
            return None
        try:
            own.append(answered.read(lies.tested(arm, training.index), training.answered))
        except DataError:
            return None
    before = [calibration.scores(one, labels) for one in own]
    after = [
        calibration.scores(tempered(one, training.temperature), labels)
        for one, training in zip(own, alike, strict=True)
    ]
    return Calibrated(
        temperature=trainings[0].temperature,
        fitted_on="validation" if fit.which == "validation" else "train+validation",
        rows=fit.rows,
        gain=fit.gain,
        before=_mean(before),
        after=_mean(after),
    )


def _mean(scores: Sequence[CalibrationScores]) -> CalibrationScores:
    """Means of trainings; the bins are those of the first, whose model is shipped."""
    errors = [one.ece for one in scores if one.ece is not None]
    return CalibrationScores(
        ece=fmean(errors) if errors else None,
        brier=fmean(one.brier for one in scores),
        log_loss=fmean(one.log_loss for one in scores),
        bins=scores[0].bins,
    )
