"""Scores of confusion matrices, and how far each row moves a training's score.

A row's pull is what the score loses when that row is left out (the jackknife: Efron and Stein,
"The Jackknife Estimate of Variance", 1981), scaled so that the covariance of two scores over
other draws of the same rows is the product of their pulls, summed over rows. No resamples are
drawn, so nothing that follows is bounded by their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: A score of confusion matrices [..., classes, classes + 1], true × predicted, the last column
#: being the rows without an answer: float [...].
Score = Callable[[Array], Array]

#: Confusion matrices that a score is asked of at once, in numbers.
_AT_ONCE = 100_000


@dataclass(frozen=True)
class Margins:
    """What most scores need of a confusion matrix: rows by class, float [..., classes].

    Args:
        hits: answered with their label.
        true: that have the class as label.
        predicted: answered with it.
    """

    hits: Array
    true: Array
    predicted: Array

    @property
    def rows(self) -> Array:
        """All rows, [...]."""
        return np.asarray(self.true.sum(axis=-1))

    @property
    def occurs(self) -> NDArray[np.bool_]:
        """Whether a class is a label or an answer."""
        return np.asarray(self.true + self.predicted > 0)


class OfMargins:
    """A score of confusion matrices that is one of their margins: as such it is quick to ask of
    many matrices between which few rows differ."""

    def __init__(self, of: Callable[[Margins], Array]) -> None:
        self.of = of
        update_wrapper(self, of)

    def __call__(self, confusion: Array) -> Array:
        """Args: confusion: [..., classes, classes or more], as of `Score`."""
        return self.of(margins(confusion))


def margins(confusion: Array) -> Margins:
    """Those of matrices as `Score` has them; columns beyond the classes name none of them."""
    classes = confusion.shape[-2]
    return Margins(
        np.asarray(np.diagonal(confusion, axis1=-2, axis2=-1)),
        np.asarray(confusion.sum(axis=-1)),
        np.asarray(confusion[..., :classes].sum(axis=-2)),
    )


def ratio(above: Array, below: Array) -> Array:
    """One over the other, 0 where there is nothing below."""
    return np.asarray(np.where(below > 0, above / np.where(below > 0, below, 1), 0.0))


@OfMargins
def macro_f1(of: Margins) -> Array:
    """Macro-F1 over the classes that occur as label or prediction."""
    f1 = ratio(2 * of.hits, of.true + of.predicted)
    return np.asarray(f1.sum(axis=-1) / np.maximum(of.occurs.sum(axis=-1), 1))


@dataclass(frozen=True)
class Trained:
    """An arm's trainings, each asked the same test rows.

    Args:
        scores: float [trainings].
        pulls: float [trainings, rows].
        right: [trainings, rows], how right the answer is: whether it is the label; of a score that
            is a mean over rows, the row's value.
        biases: by how much each score is expected to be off, float [trainings].
        worth: rows that the split is worth where classes count alike: the squared number of
            classes over the sum of their reciprocal rows; all of them where classes are equal.
        per_class: rows of each class that occurs, their harmonic mean.
    """

    scores: Array
    pulls: Array
    right: NDArray[np.bool_] | Array
    biases: Array
    worth: float
    per_class: float

    @property
    def rows(self) -> int:
        """How many rows were asked."""
        return int(self.pulls.shape[1])

    @property
    def count(self) -> int:
        """How many trainings there are."""
        return len(self.scores)

    @property
    def alike(self) -> bool:
        """Whether all trainings answer alike, as far as scores can tell."""
        same = (self.right == self.right[0]).all() and (self.pulls == self.pulls[0]).all()
        return bool(same)


def each(several: Sequence[Trained]) -> Trained:
    """One of which each member is a training: with the mean of its trainings' scores.

    Args:
        several: what was trained in as many ways, over the same rows.
    """

    def means(of: Callable[[Trained], Array]) -> Array:
        return np.stack([of(one).mean(axis=0) for one in several])

    first = several[0]
    return Trained(
        means(lambda one: one.scores),
        means(lambda one: one.pulls),
        means(lambda one: np.asarray(one.right, np.float64)),
        means(lambda one: one.biases),
        first.worth,
        first.per_class,
    )


def trained(
    labels: Sequence[int] | NDArray[np.int64],
    answers: Sequence[Sequence[int]] | NDArray[np.int64],
    classes: int,
    score: Score = macro_f1,
) -> Trained:
    """Scores and pulls of an arm's trainings.

    Args:
        labels: class indices, [rows].
        answers: class indices, [trainings][rows]; below 0 for no answer, which is wrong whatever
            the label.
        classes: how many there are.
        score: of confusion matrices.
    """
    truth = np.asarray(labels, dtype=np.int64)
    scores, pulls, right, biases = [], [], [], []
    for one in answers:
        given = np.asarray(one, dtype=np.int64)
        cells = truth * (classes + 1) + np.where(given < 0, classes, given)
        value, moved, bias = _pulls(cells, classes, score)
        scores.append(value)
        pulls.append(moved)
        right.append(given == truth)
        biases.append(bias)
    of_classes = np.bincount(truth)
    of_classes = of_classes[of_classes > 0]
    per_class = float(len(of_classes) / (1 / of_classes).sum())
    return Trained(
        np.array(scores),
        np.stack(pulls),
        np.stack(right),
        np.array(biases),
        per_class * len(of_classes),
        per_class,
    )


def _pulls(cells: NDArray[np.int64], classes: int, score: Score) -> tuple[float, Array, float]:
    """The score of rows by their cells in the confusion matrix, each row's pull, and the bias."""
    rows = len(cells)
    counts = np.bincount(cells, minlength=classes * (classes + 1)).astype(np.float64)
    confusion = counts.reshape(classes, classes + 1)
    used = np.flatnonzero(counts)
    left = np.zeros(len(counts))
    macro = score is macro_f1
    left[used] = _macro_f1_without(confusion, used) if macro else _without(confusion, used, score)
    moved = left[cells]
    whole, middle = float(score(confusion)), float(moved.mean())
    return whole, np.sqrt((rows - 1) / rows) * (middle - moved), (rows - 1) * (middle - whole)


def _without(confusion: Array, cells: NDArray[np.int64], score: Score) -> Array:
    """The score with one row fewer in each of these cells, [cells]."""
    classes = len(confusion)
    quick = isinstance(score, OfMargins)
    found = []
    step = max(1, _AT_ONCE // (classes if quick else confusion.size))
    for first in range(0, len(cells), step):
        some = cells[first : first + step]
        if isinstance(score, OfMargins):
            found.append(score.of(_margins_without(margins(confusion), some)))
            continue
        fewer = np.repeat(confusion[None], len(some), axis=0)
        fewer.reshape(len(some), -1)[np.arange(len(some)), some] -= 1
        found.append(np.asarray(score(fewer)))
    return np.concatenate(found)


def _margins_without(whole: Margins, cells: NDArray[np.int64]) -> Margins:
    """The margins with one row fewer in each of these cells, [cells, classes]."""
    classes = whole.true.shape[-1]
    true, given = cells // (classes + 1), cells % (classes + 1)
    hits, of_label, of_answer = (
        np.repeat(one[None], len(cells), axis=0)
        for one in (whole.hits, whole.true, whole.predicted)
    )
    which = np.arange(len(cells))
    of_label[which, true] -= 1
    answered, right = given < classes, given == true
    of_answer[which[answered], given[answered]] -= 1
    hits[which[right], true[right]] -= 1
    return Margins(hits, of_label, of_answer)


def _macro_f1_without(confusion: Array, cells: NDArray[np.int64]) -> Array:
    """The same for macro-F1, of which a row moves the F1 of two classes at most."""
    classes = len(confusion)
    hits = np.append(np.diagonal(confusion), 0.0)
    total = np.append(confusion.sum(axis=1), 0.0) + confusion.sum(axis=0)
    total[-1] = 0.0  # No answer is not a class.

    def f1(hits: Array, total: Array) -> Array:
        return np.where(total > 0, 2 * hits / np.where(total > 0, total, 1), 0.0)

    true, given = cells // (classes + 1), cells % (classes + 1)
    same = true == given
    whole, occurring = f1(hits, total).sum(), (total > 0).sum()
    after_true = total[true] - 1 - same
    after_given = np.where(same | (given == classes), 0, total[given] - 1)
    before_given = np.where(same, 0, total[given])
    sums = whole - f1(hits[true], total[true]) + f1(hits[true] - same, after_true)
    sums += f1(hits[given], after_given) - f1(hits[given], before_given)
    occur = occurring - (after_true <= 0) - ((before_given > 0) & (after_given <= 0))
    return np.asarray(sums / np.maximum(occur, 1))
