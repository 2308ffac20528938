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
#: In how many steps a probability is kept.
STEPS = 200


def store(
    study: optuna.Study,
    labels: Sequence[int],
    predictions: Mapping[str, Sequence[Sequence[int]]],
    confidences: Mapping[str, Sequence[float]],
) -> None:
    """Stores the true classes, and what each arm answered.

    Args:
        labels: the true class of each row.
        predictions: arm -> seeds -> rows; below 0 for no answer.
        confidences: arm -> rows: the probability of the first seed's answer, 0 for no answer.
    """
    study.set_user_attr(
        PREDICTIONS,
        {
            "labels": _pack(labels),
            "arms": {arm: [_pack(rows) for rows in seeds] for arm, seeds in predictions.items()},
            "confidences": {arm: _pack_shares(rows) for arm, rows in confidences.items()},
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
            confidences={
                arm: _unpack_shares(rows) for arm, rows in stored.get("confidences", {}).items()
            },
        )
    except (*UNREADABLE, zlib.error) as error:
        unread.append(f"predictions on test: {why(error)}")
        return None


def _pack(classes: Sequence[int]) -> str:
    """Class indices as text: a few kilobytes for 10,000 rows, so that a database may hold them."""
    return _packed(np.asarray(classes, dtype="<i2").tobytes())


def _unpack(text: str) -> list[int]:
    found: list[int] = np.frombuffer(_unpacked(text), dtype="<i2").tolist()
    return found


def _pack_shares(shares: Sequence[float]) -> str:
    """Shares of 1 to the half of a hundredth, a byte each; 0 stays only what is 0."""
    parts = np.clip(np.rint(np.asarray(shares, dtype=float) * STEPS), 0, STEPS)
    parts[(np.asarray(shares) > 0) & (parts == 0)] = 1
    return _packed(parts.astype("u1").tobytes())


def _unpack_shares(text: str) -> list[float | None]:
    return [step / STEPS if step else None for step in _unpacked(text)]


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, level=9)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
