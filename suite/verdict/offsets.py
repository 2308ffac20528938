"""An offset for each class, added to its log-probability: on imbalanced rows a model names rare
classes too seldom for a good macro-F1. Fitted on rows that no training saw, and kept only where
offsets that were fitted on other rows raise the score, too.

Sources: Menon et al., "Long-tail learning via logit adjustment", 2021 (all classes at once, by
their shares); Fan and Lin, "A study on threshold selection for multi-label classification", 2007
(one class after another).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suite.contracts.deciding import Moved
from suite.verdict.answering import Array, Classes, checked, logarithms, of
from suite.verdict.confusions import Margins, macro_f1

#: Parts of the rows that cross-fitting makes, and how many of them have to gain.
FOLDS, GAINING = 5, 4
#: How strongly a class' share is taken off, where all are moved at once.
_STRENGTHS = np.linspace(0, 1.5, 16)
#: By how much a single class is moved, up and down, in nats.
_STEPS = np.linspace(-2, 2, 21)
#: Times that all classes are gone through.
_ROUNDS = 2


def fit(probabilities: NDArray[np.floating], labels: Sequence[int], seed: int = 0) -> Moved:
    """Offsets that raise macro-F1, and whether they do on rows that they were not fitted on.

    Args:
        probabilities: [rows, classes] of rows that no training saw; a row of zeros is no answer.
        labels: the class index of each row.
        seed: of the parts that rows are dealt to.

    Raises:
        DataError: these are no probabilities of these rows.
    """
    checked(probabilities, labels)
    there = np.asarray(np.asarray(probabilities).any(axis=1))
    logs = logarithms(np.asarray(probabilities, np.float64))
    logs[~there] = 0
    true = np.asarray(labels, np.int64)
    classes = logs.shape[1]
    part = _parts(true, np.random.default_rng(seed))
    plain = _named(logs, there)
    crossed = plain.copy()
    gaining = 0
    for fold in range(FOLDS):
        own = part == fold
        values = _fitted(logs[~own], true[~own], there[~own])
        crossed[own] = _named(logs[own] + values, there[own])
        gaining += _score(crossed[own], true[own], classes) > _score(plain[own], true[own], classes)
    before, after = _score(plain, true, classes), _score(crossed, true, classes)
    found = _fitted(logs, true, there)
    kept = after > before and gaining >= GAINING
    return Moved([float(value) for value in found], before, after, kept)


def scored(
    probabilities: NDArray[np.floating], labels: Sequence[int], offsets: Sequence[float] = ()
) -> float:
    """Macro-F1 of what is answered, with offsets or without."""
    named, _ = of(probabilities, offsets)
    return _score(named, np.asarray(labels, np.int64), probabilities.shape[1])


def _parts(labels: Classes, drawn: np.random.Generator) -> Classes:
    """The part of each row, each class dealt evenly over all parts."""
    part = np.empty(len(labels), np.int64)
    order = drawn.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    part[order] = np.arange(len(labels)) % FOLDS
    return part


def _fitted(logs: Array, labels: Classes, there: NDArray[np.bool_]) -> Array:
    """All classes by their shares, as strongly as is best, and then one after another."""
    classes = logs.shape[1]
    shares = np.bincount(labels, minlength=classes) + 1
    rare = -np.log(shares / shares.sum())
    values = max(
        (strength * rare for strength in _STRENGTHS),
        key=lambda own: _score(_named(logs + own, there), labels, classes),
    )
    moved = logs + values
    best = _score(_named(moved, there), labels, classes)
    for _ in range(_ROUNDS):
        before = best
        for label in range(classes):
            step, best = _step(moved, labels, there, label, best)
            values[label] += step
            moved[:, label] += step
        if best == before:
            break
    return np.asarray(values - values.mean())


def _step(
    moved: Array, labels: Classes, there: NDArray[np.bool_], label: int, best: float
) -> tuple[float, float]:
    """How far one class is best moved, and the score then; not at all where none is better."""
    own = moved[:, label].copy()
    moved[:, label] = -np.inf
    second = moved.argmax(axis=1)
    short = moved[np.arange(len(labels)), second] - own
    moved[:, label] = own
    step = 0.0
    for tried in _STEPS:
        named = np.where(there, np.where(short < tried, label, second), -1)
        score = _score(named, labels, moved.shape[1])
        if score > best:
            step, best = float(tried), score
    return step, best


def _named(logs: Array, there: NDArray[np.bool_]) -> Classes:
    return np.asarray(np.where(there, logs.argmax(axis=1), -1), np.int64)


def _score(named: Classes, labels: Classes, classes: int) -> float:
    """Macro-F1; a matrix would cost more than its margins where classes are many."""

    def rows(own: Classes) -> Array:
        return np.bincount(own, minlength=classes).astype(np.float64)

    hits = rows(labels[named == labels])
    return float(macro_f1.of(Margins(hits, rows(labels), rows(named[named >= 0]))))
