"""How finals stand in a study's storage: the outcome, how often test was opened, and when."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import optuna

from suite.results import Comparison, Final, TestPredictions
from suite.study import reading
from suite.study.record import (
    COMPARISONS,
    COMPARISONS_ADAPTER,
    FINALS,
    FINALS_ADAPTER,
    OPENED_AT,
    OPENINGS,
    PREDICTIONS,
)


def store(
    study: optuna.Study,
    finals: Sequence[Final],
    comparisons: Sequence[Comparison],
    labels: Sequence[int],
    predictions: Mapping[str, Sequence[Sequence[int]]],
) -> None:
    """Stores finals; counts the opening and the trials that were finished at it.

    Args:
        labels: the true class of each test row.
        predictions: arm -> seeds -> rows; below 0 for no answer.
    """
    attributes = study.user_attrs
    study.set_user_attr(FINALS, json.loads(FINALS_ADAPTER.dump_json(list(finals))))
    study.set_user_attr(COMPARISONS, json.loads(COMPARISONS_ADAPTER.dump_json(list(comparisons))))
    study.set_user_attr(
        PREDICTIONS,
        {
            "labels": _pack(labels),
            "arms": {arm: [_pack(rows) for rows in seeds] for arm, seeds in predictions.items()},
        },
    )
    study.set_user_attr(OPENINGS, int(attributes.get(OPENINGS, 0)) + 1)
    study.set_user_attr(OPENED_AT, finished(study))


def predictions(study: optuna.Study) -> TestPredictions | None:
    """What each arm answered on test; None where finals have not run, or ran before it was kept."""
    stored = study.user_attrs.get(PREDICTIONS)
    if not stored:
        return None
    return TestPredictions(
        labels=_unpack(stored["labels"]),
        arms={arm: [_unpack(rows) for rows in seeds] for arm, seeds in stored["arms"].items()},
    )


def _pack(classes: Sequence[int]) -> str:
    """Class indices as text: a few kilobytes for 10,000 rows, so that a database may hold them."""
    return base64.b64encode(
        zlib.compress(np.asarray(classes, dtype="<i2").tobytes(), level=9)
    ).decode()


def _unpack(text: str) -> list[int]:
    found: list[int] = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<i2").tolist()
    return found


def finished(study: optuna.Study) -> int:
    """Finished trials: complete or pruned."""
    return reading.summary(study).finished


def missing_or_stale(study: optuna.Study) -> bool:
    """Whether the stored finals are missing, or older than the newest finished trial."""
    opened_at = study.user_attrs.get(OPENED_AT)
    return opened_at is None or finished(study) > int(opened_at)
