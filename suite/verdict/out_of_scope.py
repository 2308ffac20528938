"""How well a model tells texts that fit no class from those that do.

How much a text seems to belong, by one score or another, is held against whether it does: the area
under the ROC curve, and how many texts from outside come in where 95 % of those inside do.

Sources: Hendrycks and Gimpel, "A baseline for detecting misclassified and out-of-distribution
examples", 2017 (the largest probability); Liu, Wang, Owens and Li, "Energy-based
out-of-distribution detection", 2020; Lee et al., "A simple unified framework for detecting
out-of-distribution samples and adversarial attacks", 2018 (distance to the nearest class); Larson
et al., "An evaluation dataset for intent classification and out-of-scope prediction", 2019
(clinc150).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from suite.contracts.scope import OutOfScope, ScopeScore
from suite.errors import DataError
from suite.verdict.answering import Array, Truth, of

#: Share of the texts inside that a cut lets in.
RECALL = 0.95


#: Scores that any model's probabilities give.
OF_PROBABILITIES: Mapping[ScopeScore, Callable[[NDArray[np.floating], int], Array]] = {
    "probability": lambda shares, outside: largest(shares, outside),
    "class": lambda shares, outside: of_class(shares, outside),
}


@dataclass(frozen=True)
class Scored:
    """Rows with how much each seems to belong, by one score or several.

    Args:
        probabilities: [rows, classes]; a row of zeros is no answer.
        labels: the class index of each row.
        further: what an arm gives beside its probabilities, float [rows] each; the higher, the more
            a text belongs.
    """

    probabilities: NDArray[np.floating]
    labels: Sequence[int]
    further: Mapping[ScopeScore, Array] = field(default_factory=dict)

    def by(self, outside: int) -> dict[ScopeScore, Array]:
        """Every score there is."""
        own = {name: of(self.probabilities, outside) for name, of in OF_PROBABILITIES.items()}
        return {**own, **self.further}

    def inside(self, outside: int) -> Truth:
        """Whether each row fits a class."""
        return np.asarray(np.asarray(self.labels, np.int64) != outside)


def judged(unseen: Scored, tests: Sequence[Scored], outside: int) -> OutOfScope | None:
    """How well an arm tells inside from outside on test; None where test has no row of one of them.

    Args:
        unseen: rows of validation, by which the score and the cut are chosen.
        tests: what each training says of the same test rows.
        outside: the class of texts that fit no other.
    """
    inside = tests[0].inside(outside)
    if inside.all() or not inside.any():
        return None
    names = [name for name in unseen.by(outside) if all(name in one.by(outside) for one in tests)]
    known = unseen.inside(outside)
    tried: dict[str, float] = {}
    if known.any() and not known.all():
        tried = {name: detection(unseen.by(outside)[name], known).auroc for name in names}
    score = max(names, key=lambda name: tried.get(name, 0.0))
    cut = cut_at(unseen.by(outside)[score][known]) if known.any() else -np.inf
    found = [detection(one.by(outside)[score], inside) for one in tests]
    let_in = [one.by(outside)[score] >= cut for one in tests]
    right = [
        (own & (of(one.probabilities)[0] == np.asarray(one.labels)))[inside].mean()
        for one, own in zip(tests, let_in, strict=True)
    ]
    return OutOfScope(
        score=score,
        auroc=float(np.mean([one.auroc for one in found])),
        fpr=float(np.mean([one.fpr for one in found])),
        right=float(np.mean(right)),
        let_in=float(np.mean([own[~inside].mean() for own in let_in])),
        inside=int(inside.sum()),
        outside=int((~inside).sum()),
        tried=tried,
    )


@dataclass(frozen=True)
class Detection:
    """How well a score tells inside from outside.

    Args:
        auroc: the chance that a text inside scores above one outside, a tie being half.
        fpr: share of the texts outside that a cut lets in which lets in `RECALL` of those inside.
        cut: that cut.
    """

    auroc: float
    fpr: float
    cut: float


def detection(belongs: Array, inside: Truth) -> Detection:
    """How well a score tells inside from outside.

    Args:
        belongs: how much each text seems to belong; the higher, the more.
        inside: whether it does.

    Raises:
        DataError: there is no text on one of the sides.

    >>> detection(np.array([3.0, 2.0, 1.0]), np.array([True, True, False]))
    Detection(auroc=1.0, fpr=0.0, cut=2.0)
    """
    ins, outs = belongs[inside], belongs[~inside]
    if not len(ins) or not len(outs):
        side = "inside" if not len(ins) else "outside"
        raise DataError(f"no row is {side} the scope: there is nothing to tell apart")
    from scipy import stats

    ranks = stats.rankdata(belongs)
    above = ranks[inside].sum() - len(ins) * (len(ins) + 1) / 2
    cut = cut_at(ins)
    return Detection(float(above / (len(ins) * len(outs))), float((outs >= cut).mean()), float(cut))


def cut_at(inside: Array, recall: float = RECALL) -> float:
    """The highest cut that lets in this share of the texts inside."""
    ordered = np.sort(inside)[::-1]
    return float(ordered[int(np.ceil(recall * len(ordered) - 1e-9)) - 1])


def largest(probabilities: NDArray[np.floating], outside: int) -> Array:
    """The largest probability of any class but that of the texts outside."""
    return np.asarray(_apart(probabilities, outside).max(axis=1))


def of_class(probabilities: NDArray[np.floating], outside: int) -> Array:
    """What the class of the texts outside leaves: 1 less its probability. For a model that was
    taught that class; one that was not gives it nothing, and this tells nothing."""
    return np.asarray(1 - np.asarray(probabilities, np.float64)[:, outside])


def energy(logits: NDArray[np.floating], outside: int) -> Array:
    """The log of the sum of e to the logits of the classes inside: the free energy's negative.

    Args:
        logits: [rows, classes], of a network, before they are made to sum to one: of probabilities
            alone it is always nothing.
    """
    apart = np.delete(np.asarray(logits, np.float64), outside, axis=1)
    top = apart.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(apart - top).sum(axis=1)) + top[:, 0])


@dataclass(frozen=True)
class Centres:
    """Where the classes lie in a space of embeddings, and how far rows spread about them.

    Args:
        means: float [classes inside, dimensions].
        whitening: what makes the rows' common spread about them the same in every direction,
            float [dimensions, dimensions].
    """

    means: Array
    whitening: Array

    @classmethod
    def of(cls, embeddings: NDArray[np.floating], labels: Sequence[int], outside: int) -> Centres:
        """From training rows; those outside are left out.

        Each dimension is taken by its own spread about the means, and what is left of covariance is
        shrunk towards none (Ledoit and Wolf, 2004): rows are often fewer than dimensions.
        """
        from sklearn.covariance import LedoitWolf

        true = np.asarray(labels)
        values = np.asarray(embeddings, np.float64)[true != outside]
        true = true[true != outside]
        names, index = np.unique(true, return_inverse=True)
        means = np.stack([values[index == i].mean(axis=0) for i in range(len(names))])
        apart = values - means[index]
        deviation = np.sqrt((apart**2).mean(axis=0))
        deviation = np.where(deviation > 0, deviation, 1.0)
        spread = LedoitWolf(assume_centered=True).fit(apart / deviation).covariance_
        size, axes = np.linalg.eigh(spread)
        whitening = axes / np.sqrt(np.maximum(size, size.max() * 1e-9)) / deviation[:, None]
        return cls(means @ whitening, whitening)

    def belongs(self, embeddings: NDArray[np.floating]) -> Array:
        """Minus the squared Mahalanobis distance to the nearest class, float [rows]."""
        values = np.asarray(embeddings, np.float64) @ self.whitening
        apart = (values**2).sum(axis=1)[:, None] - 2 * values @ self.means.T
        return np.asarray(-(apart + (self.means**2).sum(axis=1)[None, :]).min(axis=1))


def _apart(probabilities: NDArray[np.floating], outside: int) -> Array:
    return np.delete(np.asarray(probabilities, np.float64), outside, axis=1)
