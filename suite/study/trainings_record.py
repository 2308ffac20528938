"""How the trainings of finals stand in a study's storage: each as it ends, with its answers.

So finals that were cut short go on where they were, and finals over more seeds train only what is
missing. A training counts for one trial's hyperparameters, and for one way of making it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import optuna
from pydantic import Field, TypeAdapter

from suite.contracts.limits import MOST_SEED
from suite.contracts.records import UNREADABLE
from suite.contracts.results import Scores
from suite.contracts.scope import ScopeScore
from suite.contracts.temperature import COLDEST, HOTTEST
from suite.data.answered import Answered
from suite.study import predictions_record, sparse

TRAINING = "suite:training:"
#: The index of the search's own checkpoint, scored as it is.
KEPT = -1


@dataclass(frozen=True)
class Training:
    """A trained model of the finals, and what it answered on test.

    Args:
        trial: whose hyperparameters it has.
        index: of the arm's trainings, from 0 on; `KEPT` for the search's checkpoint.
        seed: that it was trained with.
        refit: whether validation was trained on, too.
        train_seconds: of the training; None where that is not known.
        seconds: that it took, its scoring included.
        scores: on test.
        predictions: class index of each test row; below 0 for no answer.
        confidences: the probability of each answer; 0 for no answer.
        answered: all probabilities, among the study's files; None where they were not kept.
        calibrated: likewise of the rows set aside for calibration; None where there are none.
        temperature: at which it answers; None for its own. Predictions, confidences, scores and
            losses are at it, the kept probabilities before it.
        losses: the objective's values by row, where it is the mean of some.
        lengths: the bucket of each text by its model's tokens; None where it has none.
        belongs: how much each test text seems to belong to any class, by what the model has beside
            its probabilities; `aside` likewise of the rows set aside for calibration. Empty where
            the task has no class of others, or the model nothing beside.
    """

    trial: int
    index: int
    seed: int
    refit: bool
    train_seconds: float | None
    seconds: float
    scores: Scores
    predictions: list[int]
    confidences: list[float]
    answered: Answered | None = None
    calibrated: Answered | None = None
    temperature: float | None = None
    losses: list[float] | None = None
    lengths: list[int] | None = None
    belongs: Mapping[ScopeScore, list[float]] = field(default_factory=dict)
    aside: Mapping[ScopeScore, list[float]] = field(default_factory=dict)


_COUNT = Annotated[int, Field(ge=0, le=10**9)]
_SECONDS = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_SCORES = TypeAdapter(Scores)
_ANSWERED: TypeAdapter[Answered | None] = TypeAdapter(Answered | None)
_TEMPERATURE: TypeAdapter[float | None] = TypeAdapter(
    Annotated[float, Field(ge=COLDEST, le=HOTTEST)] | None
)
_BELONGS: TypeAdapter[dict[ScopeScore, str]] = TypeAdapter(dict[ScopeScore, str])
_PLAIN: dict[str, TypeAdapter[Any]] = {
    "trial": TypeAdapter(_COUNT),
    "seed": TypeAdapter(Annotated[int, Field(ge=0, le=MOST_SEED)]),
    "refit": TypeAdapter(bool),
    "train_seconds": TypeAdapter(_SECONDS | None),
    "seconds": TypeAdapter(_SECONDS),
}


def store(study: optuna.Study, arm: str, training: Training) -> None:
    """Stores a training in the place of its like."""
    study.set_user_attr(
        _key(arm, training.index),
        {
            **{name: getattr(training, name) for name in _PLAIN},
            "scores": sparse.packed(_SCORES.dump_python(training.scores, mode="json")),
            "predictions": predictions_record.pack(training.predictions),
            "confidences": predictions_record.pack_shares(training.confidences),
            "answered": _ANSWERED.dump_python(training.answered, mode="json"),
            "calibrated": _ANSWERED.dump_python(training.calibrated, mode="json"),
            "temperature": training.temperature,
            "losses": training.losses and predictions_record.pack_losses(training.losses),
            "lengths": training.lengths and predictions_record.pack(training.lengths),
            "belongs": _packed(training.belongs),
            "aside": _packed(training.aside),
        },
    )


def stored(study: optuna.Study, arm: str, *, trial: int, refit: bool) -> list[Training]:
    """An arm's trainings of a trial's hyperparameters, made that way, by index; the search's own
    checkpoint is not among them."""
    start = _key(arm, "")
    found = [
        _read(value, int(key.removeprefix(start)))
        for key, value in study.user_attrs.items()
        if key.startswith(start) and key.removeprefix(start).isdecimal() and value
    ]
    fitting = [one for one in found if one and (one.trial, one.refit) == (trial, refit)]
    return sorted(fitting, key=lambda one: one.index)


def stored_kept(study: optuna.Study, arm: str, *, trial: int) -> Training | None:
    """What the search's own checkpoint of a trial answered, where it was asked."""
    found = _read(study.user_attrs.get(_key(arm, KEPT)), KEPT)
    return found if found is not None and found.trial == trial else None


def temperature(attributes: Mapping[str, Any], arm: str, index: int, *, trial: int) -> float | None:
    """That of an arm's training, without the rest of it; None where it has none, or there is no
    such training of the trial's hyperparameters."""
    value = attributes.get(_key(arm, index))
    if not isinstance(value, dict) or value.get("trial") != trial:
        return None
    try:
        return _TEMPERATURE.validate_python(value.get("temperature"))
    except UNREADABLE:
        return None


def _key(arm: str, index: int | str) -> str:
    return f"{TRAINING}{arm}:{index}"


def _read(value: Any, index: int) -> Training | None:
    """A stored training; None where it can't be read: it is made anew."""
    try:
        plain = {name: adapter.validate_python(value[name]) for name, adapter in _PLAIN.items()}
        shares: Sequence[float | None] = predictions_record.unpack_shares(value["confidences"])
        return Training(
            index=index,
            scores=_SCORES.validate_python(sparse.unpacked(value["scores"])),
            predictions=predictions_record.unpack(value["predictions"]),
            confidences=[share or 0.0 for share in shares],
            answered=_ANSWERED.validate_python(value.get("answered")),
            calibrated=_ANSWERED.validate_python(value.get("calibrated")),
            temperature=_TEMPERATURE.validate_python(value.get("temperature")),
            losses=predictions_record.unpack_losses(value["losses"])
            if value.get("losses")
            else None,
            lengths=predictions_record.unpack(value["lengths"]) if value.get("lengths") else None,
            belongs=_unpacked(value.get("belongs")),
            aside=_unpacked(value.get("aside")),
            **plain,
        )
    except UNREADABLE:
        return None


def _packed(belongs: Mapping[ScopeScore, list[float]]) -> dict[str, str]:
    return {score: predictions_record.pack_numbers(own) for score, own in belongs.items()}


def _unpacked(value: Any) -> dict[ScopeScore, list[float]]:
    known = _BELONGS.validate_python(value or {})
    return {score: predictions_record.unpack_numbers(own) for score, own in known.items()}
