"""Which labels may be wrong: confident learning on what models answered to rows they had not seen.

Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", 2021
(arXiv:1911.00068), by its authors' own library, cleanlab. How many rows of one class are labelled
as another is estimated: those whose answers put it above its own threshold, the mean probability
of the class over the rows that are labelled as it. So many are suspects of each pair of classes,
the ones whose answers lie furthest from their label.

Several unlike models are asked, and their probabilities, each at the temperature that brings it
nearest the labels, are averaged: where a model of words and one of meanings agree against a label,
the row is odd in more than one way. A single one's blind spots would be called wrong labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.contracts.suspects import FEWEST_ROWS
from suite.contracts.temperature import tempered
from suite.verdict import calibration

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Doubt:
    """A row whose label is doubtful: its position, the likelier class and its probability, that of
    the given one, and how many models answer the likelier."""

    row: int
    likely: int
    probability: float
    own: float
    agreed: int


def averaged(
    probabilities: Sequence[NDArray[np.floating]], labels: Sequence[int], fitted: int
) -> Array:
    """The mean of models' probabilities, each at its temperature, float64 [rows, classes].

    Args:
        probabilities: of each model, [rows, classes]; a row of zeros is no answer.
        labels: of the rows.
        fitted: rows from the first on that temperatures are fitted on.
    """
    total = np.zeros(np.shape(probabilities[0]), dtype=np.float64)
    for own in probabilities:
        temperature = calibration.fit(own[:fitted], labels[:fitted])
        total += tempered(np.asarray(own, dtype=np.float64), temperature)
    sums = total.sum(axis=1, keepdims=True)
    even = np.full_like(total, 1 / max(1, len(total[0])))
    return np.asarray(np.where(sums > 0, total / np.where(sums > 0, sums, 1), even))


def doubts(
    probabilities: Sequence[NDArray[np.floating]], labels: Sequence[int], learnt: int
) -> list[Doubt]:
    """The doubtful rows, the most doubtful first. Rows of classes with fewer than `FEWEST_ROWS` to
    learn from are not judged.

    Args:
        probabilities: of each model, [rows, classes], of rows that it had not seen.
        labels: of the rows.
        learnt: rows from the first on that the models learned from, each without itself; what
            follows are test rows.
    """
    from cleanlab.filter import find_label_issues

    given = np.asarray(labels, dtype=np.int64)
    rows_of = Counter(given[:learnt].tolist())
    known = [label for label, rows in sorted(rows_of.items()) if rows >= FEWEST_ROWS]
    judged = np.flatnonzero(np.isin(given, known))
    if len(known) < 2:
        return []
    mean = averaged(probabilities, labels, learnt)[np.ix_(judged, known)]
    mean = mean / np.maximum(mean.sum(axis=1, keepdims=True), 1e-12)
    place = {label: column for column, label in enumerate(known)}
    own = np.array([place[label] for label in given[judged].tolist()])
    ranked = find_label_issues(
        own,
        mean,
        filter_by="prune_by_noise_rate",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    answers = [np.asarray(one)[np.ix_(judged, known)].argmax(axis=1) for one in probabilities]
    found = []
    for at in np.asarray(ranked).tolist():
        best = int(mean[at].argmax())
        if mean[at, best] <= mean[at, own[at]]:
            continue
        found.append(
            Doubt(
                row=int(judged[at]),
                likely=known[best],
                probability=float(mean[at, best]),
                own=float(mean[at, own[at]]),
                agreed=sum(int(one[at] == best) for one in answers),
            )
        )
    return found
