"""What each arm of the finals answered on test, in the storage: small enough for any database."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import optuna

from suite.contracts.records import UNREADABLE, why
from suite.contracts.results import TestPredictions

PREDICTIONS = "suite:predictions"


def store(
    study: optuna.Study,
    labels: Sequence[int],
    predictions: Mapping[str, Sequence[Sequence[int]]],
) -> None:
    """Stores the true classes, and arm -> seeds -> rows; below 0 for no answer."""
    study.set_user_attr(
        PREDICTIONS,
        {
            "labels": _pack(labels),
            "arms": {arm: [_pack(rows) for rows in seeds] for arm, seeds in predictions.items()},
        },
    )


def stored(study: optuna.Study, unread: list[str]) -> TestPredictions | None:
    """What each arm answered on test; None where finals have not run, or ran before it was kept.

    Args:
        unread: told where it can't be read.
    """
    stored = study.user_attrs.get(PREDICTIONS)
    if not stored:
        return None
    try:
        return TestPredictions(
            labels=_unpack(stored["labels"]),
            arms={arm: [_unpack(rows) for rows in seeds] for arm, seeds in stored["arms"].items()},
        )
    except (*UNREADABLE, zlib.error) as error:
        unread.append(f"predictions on test: {why(error)}")
        return None


def _pack(classes: Sequence[int]) -> str:
    """Class indices as text: a few kilobytes for 10,000 rows, so that a database may hold them."""
    return base64.b64encode(
        zlib.compress(np.asarray(classes, dtype="<i2").tobytes(), level=9)
    ).decode()


def _unpack(text: str) -> list[int]:
    found: list[int] = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<i2").tolist()
    return found
