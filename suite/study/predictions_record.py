"""What each arm of the finals answered on test, in the storage: small enough for any database."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import optuna

from suite.contracts.predictions import TestPredictions
from suite.contracts.records import UNREADABLE, why

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
            "labels": pack(labels),
            "arms": {arm: [pack(rows) for rows in seeds] for arm, seeds in predictions.items()},
            "confidences": {arm: pack_shares(rows) for arm, rows in confidences.items()},
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
            labels=unpack(stored["labels"]),
            arms={arm: [unpack(rows) for rows in seeds] for arm, seeds in stored["arms"].items()},
            confidences={
                arm: unpack_shares(rows) for arm, rows in stored.get("confidences", {}).items()
            },
        )
    except UNREADABLE as error:
        unread.append(f"predictions on test: {why(error)}")
        return None


def pack(classes: Sequence[int]) -> str:
    """Class indices as text: a few kilobytes for 10,000 rows, so that a database may hold them."""
    return _packed(np.asarray(classes, dtype="<i2").tobytes())


def unpack(text: str) -> list[int]:
    """Class indices.

    Raises:
        UNREADABLE: it is none that `pack` made.
    """
    found: list[int] = np.frombuffer(_unpacked(text), dtype="<i2").tolist()
    return found


def pack_shares(shares: Sequence[float]) -> str:
    """Shares of 1 to the half of a hundredth, a byte each; 0 stays only what is 0."""
    parts = np.clip(np.rint(np.asarray(shares, dtype=float) * STEPS), 0, STEPS)
    parts[(np.asarray(shares) > 0) & (parts == 0)] = 1
    return _packed(parts.astype("u1").tobytes())


def unpack_shares(text: str) -> list[float | None]:
    """Shares; None where there was none. Errors as `unpack`."""
    return [step / STEPS if step else None for step in _unpacked(text)]


def pack_losses(losses: Sequence[float]) -> str:
    """Losses to a part in two thousand, two bytes each: they tell variances; the score stands
    beside them in full."""
    return _packed(np.asarray(losses, dtype="<f2").tobytes())


def unpack_losses(text: str) -> list[float]:
    """Losses. Errors as `unpack`."""
    found: list[float] = np.frombuffer(_unpacked(text), dtype="<f2").astype(float).tolist()
    return found


def pack_numbers(numbers: Sequence[float]) -> str:
    """Numbers of any size as float32, in order: ranks are told by them."""
    return _packed(np.asarray(numbers, dtype="<f4").tobytes())


def unpack_numbers(text: str) -> list[float]:
    """Numbers. Errors as `unpack`."""
    found: list[float] = np.frombuffer(_unpacked(text), dtype="<f4").astype(float).tolist()
    return found


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, level=9)).decode()


def _unpacked(text: str) -> bytes:
    try:
        return zlib.decompress(base64.b64decode(text))
    except zlib.error as error:
        raise ValueError(str(error)) from None
