"""How finals stand in a study's storage: the outcome, and how many trials it had seen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import optuna

from suite.contracts.results import Comparison, Final
from suite.study import predictions_record, reading
from suite.study.record import (
    COMPARISONS,
    COMPARISONS_ADAPTER,
    FINALS,
    FINALS_ADAPTER,
    OPENED_AT,
)


def store(
    study: optuna.Study,
    finals: Sequence[Final],
    comparisons: Sequence[Comparison],
    labels: Sequence[int],
    predictions: Mapping[str, Sequence[Sequence[int]]],
    confidences: Mapping[str, Sequence[float]],
    finished: int,
) -> None:
    """Stores finals, and last the number of trials that they saw: until then they are missing.

    Args:
        labels: the true class of each test row.
        predictions: arm -> seeds -> rows; below 0 for no answer.
        confidences: arm -> rows: the probability of the first seed's answer, 0 for no answer.
        finished: trials that were, when the best were chosen.
    """
    study.set_user_attr(FINALS, json.loads(FINALS_ADAPTER.dump_json(list(finals))))
    study.set_user_attr(COMPARISONS, json.loads(COMPARISONS_ADAPTER.dump_json(list(comparisons))))
    predictions_record.store(study, labels, predictions, confidences)
    study.set_user_attr(OPENED_AT, finished)


def looks(finals: Sequence[Final]) -> int:
    """How often test scores were looked at, as stored finals tell."""
    return max((final.looks for final in finals), default=0)


def missing_or_stale(study: optuna.Study) -> bool:
    """Whether the stored finals are missing, or older than the newest finished trial."""
    opened_at = study.user_attrs.get(OPENED_AT)
    return opened_at is None or reading.summary(study).finished > int(opened_at)
