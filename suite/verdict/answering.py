"""What a model answers and how sure it is of it: where rules about answers begin.

A rule is fitted on probabilities that were kept in float16, and applied to those that a predictor
gives in float32. A text at the edge must be decided alike by both, so how sure a model is is always
what float16 holds of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import NO_ANSWER
from suite.errors import DataError, counted

Array = NDArray[np.float64]
Classes = NDArray[np.int64]
Truth = NDArray[np.bool_]

#: How far a row's sum may be from 1: float16 keeps a thousand classes to less.
_OFF = 0.01


@dataclass(frozen=True)
class Answered:
    """Rows with what a model says of them.

    Args:
        sure: how sure it is of its answer, float [rows], 0 to 1; 0 where there is none.
        right: whether the answer is the label, bool [rows]; no answer is wrong.
    """

    sure: Array
    right: Truth

    def __len__(self) -> int:
        return len(self.sure)

    def take(self, rows: NDArray[np.int64] | slice) -> Answered:
        """Some of the rows."""
        return Answered(self.sure[rows], self.right[rows])

    def at(self, threshold: float) -> tuple[int, int]:
        """How many rows it answers that is sure from a threshold on, and how many of these wrong.

        >>> Answered(np.array([0.9, 0.8, 0.3]), np.array([True, False, False])).at(0.5)
        (2, 1)
        """
        own = self.sure >= threshold
        return int(own.sum()), int((own & ~self.right).sum())


def answered(
    probabilities: NDArray[np.floating], labels: Sequence[int], offsets: Sequence[float] = ()
) -> Answered:
    """Rows with what a model says of them.

    Args:
        probabilities: [rows, classes]; a row of zeros is no answer.
        labels: the class index of each row.
        offsets: of each class, as `of` takes them.

    Raises:
        DataError: these are no probabilities, or labels of other rows or classes.
    """
    checked(probabilities, labels)
    classes, sure = of(probabilities, offsets)
    return Answered(sure, classes == np.asarray(labels, np.int64))


def of(probabilities: NDArray[np.floating], offsets: Sequence[float] = ()) -> tuple[Classes, Array]:
    """The class of each row, `NO_ANSWER` for no answer, and how sure the model is of it.

    Args:
        probabilities: [rows, classes]; a row of zeros is no answer.
        offsets: added to each class' log-probability before the largest is taken; none where empty.
            How sure the model is of its answer stays the answer's probability.
    """
    shares = np.asarray(probabilities, np.float64)
    if len(offsets):
        classes = (logarithms(shares) + np.asarray(offsets)).argmax(axis=1)
    else:
        classes = shares.argmax(axis=1)
    sure = sureness(shares[np.arange(len(shares)), classes])
    return np.where(shares.any(axis=1), classes, NO_ANSWER).astype(np.int64), sure


def logarithms(shares: Array) -> Array:
    """Of probabilities; a class of none stays impossible, whatever is added to it."""
    with np.errstate(divide="ignore"):
        return np.log(shares)


def sureness(probability: NDArray[np.floating]) -> Array:
    """Probabilities as what a threshold is compared with."""
    return np.asarray(probability).astype(np.float16).astype(np.float64)


def checked(probabilities: NDArray[np.floating], labels: Sequence[int]) -> None:
    """Refuses what are no probabilities of these rows.

    Raises:
        DataError: says which row, and what is wrong with it.
    """
    if probabilities.ndim != 2 or len(probabilities) != len(labels):
        raise DataError(
            f"probabilities of shape {probabilities.shape} for {counted(len(labels), 'label')}"
        )
    if not len(labels):
        raise DataError("no row to judge answers by")
    if probabilities.shape[1] < 2:
        raise DataError("probabilities of one class: there is nothing to decide")
    if len(set(labels)) < 2:
        raise DataError(
            "all rows are of one class: whatever always answers it is never wrong on them",
            fix="Judge by rows of all classes.",
        )
    strange = [label for label in set(labels) if not 0 <= label < probabilities.shape[1]]
    if strange:
        classes = counted(probabilities.shape[1], "class", "classes")
        raise DataError(f"label {strange[0]} of probabilities of {classes}")
    values = np.asarray(probabilities, np.float64)
    sums = values.sum(axis=1)
    bad = ~np.isfinite(values).all(axis=1) | (values < 0).any(axis=1)
    bad |= (np.abs(sums - 1) > _OFF) & values.any(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"row {row + 1} of the probabilities sums to {sums[row]:.4g}, its least is "
            f"{values[row].min():.4g}: a row of probabilities is not below 0 and sums to 1"
        )
