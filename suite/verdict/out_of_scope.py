"""How well a model tells texts that fit no class from those that do.

How much a text seems to belong, by one score or another, is held against whether it does: the area
under the ROC curve, and how many texts from outside come in where 95 % of those inside do.

Sources: Hendrycks and Gimpel, "A baseline for detecting misclassified and out-of-distribution
examples", 2017 (the largest probability); Liu, Wang, Owens and Li, "Energy-based
out-of-distribution detection", 2020; Lee et al., "A simple unified framework for detecting
out-of-distribution samples and adversarial attacks", 2018 (distance to the nearest class); Sun,
Ming, Zhu and Li, "Out-of-distribution detection with deep nearest neighbors", 2022; Larson et al.,
"An evaluation dataset for intent classification and out-of-scope prediction", 2019 (clinc150).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from suite.contracts.scope import OutOfScope, ScopeFigures, ScopeScore
from suite.errors import DataError
from suite.verdict.answering import Array, Truth, of

#: Share of the texts inside that a cut lets in.
RECALL = 0.95
#: The training text by which it is told how near they lie: not the first, which may be alone.
NEIGHBOUR = 10
#: Texts whose neighbours are looked for at once.
_AT_ONCE = 1024


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


def judged(
    unseen: Scored, tests: Sequence[Scored], outside: int, aside: Sequence[Scored] = ()
) -> OutOfScope | None:
    """How well an arm tells inside from outside on test; None where test has no row of one of them.

    Args:
        unseen: rows of validation, by which the score is chosen.
        tests: what each training says of the same test rows.
        outside: the class of texts that fit no other.
        aside: what each training says of the rows that were set aside for calibration, by which
            its cut is chosen; where there are none, validation chooses it for all.
    """
    inside = tests[0].inside(outside)
    if inside.all() or not inside.any():
        return None
    known = unseen.inside(outside)
    of_unseen = unseen.by(outside)
    of_tests, of_aside = ([one.by(outside) for one in some] for some in (tests, aside))
    names = [name for name in of_unseen if all(name in by for by in (*of_tests, *of_aside))]
    tried: dict[str, float] = {}
    if known.any() and not known.all():
        tried = {name: detection(of_unseen[name], known).auroc for name in names}
    score = max(names, key=lambda name: tried.get(name, 0.0))
    set_aside = len(aside) == len(tests) and aside[0].inside(outside).any()
    cutting = [(by, one.inside(outside)) for by, one in zip(of_aside, aside, strict=True)]
    if not set_aside:
        cutting = [(of_unseen, known)] * len(tests)
    cuts = [cut_at(by[score][within]) if within.any() else -np.inf for by, within in cutting]
    let_in = [by[score] >= cut for by, cut in zip(of_tests, cuts, strict=True)]
    right = [
        (own & (of(one.probabilities)[0] == np.asarray(one.labels)))[inside].mean()
        for one, own in zip(tests, let_in, strict=True)
    ]
    on_test = {name: _figures([by[name] for by in of_tests], inside) for name in names}
    return OutOfScope(
        score=score,
        auroc=on_test[score].auroc,
        fpr=on_test[score].fpr,
        right=float(np.mean(right)),
        let_in=float(np.mean([own[~inside].mean() for own in let_in])),
        inside=int(inside.sum()),
        outside=int((~inside).sum()),
        tried=tried,
        on_test={str(name): figures for name, figures in on_test.items()},
        cut_on="calibration" if set_aside else "validation",
    )


def _figures(belongs: Sequence[Array], inside: Truth) -> ScopeFigures:
    """Means over trainings of what a score comes to on the same rows."""
    found = [detection(one, inside) for one in belongs]
    return ScopeFigures(
        float(np.mean([one.auroc for one in found])), float(np.mean([one.fpr for one in found]))
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
    """What the class of the texts outside leaves: 1 less its probability; nothing of a text that
    has no answer. For a model that was taught that class; one that was not gives it nothing, and
    this tells nothing."""
    shares = np.asarray(probabilities, np.float64)
    return np.where(shares.any(axis=1), 1 - shares[:, outside], 0.0)


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
        least = size.max() * 1e-9 or 1.0
        whitening = axes / np.sqrt(np.maximum(size, least)) / deviation[:, None]
        return cls(means @ whitening, whitening)

    def belongs(self, embeddings: NDArray[np.floating]) -> Array:
        """Minus the squared Mahalanobis distance to the nearest class, float [rows]."""
        values = np.asarray(embeddings, np.float64) @ self.whitening
        apart = (values**2).sum(axis=1)[:, None] - 2 * values @ self.means.T
        return np.asarray(-(apart + (self.means**2).sum(axis=1)[None, :]).min(axis=1))


def nearness(
    embeddings: NDArray[np.floating], known: NDArray[np.floating], neighbour: int = NEIGHBOUR
) -> Array:
    """How near the tenth nearest training text lies, -1 to 1: the cosine between the two; of the
    fewer that there are the last.

    Args:
        embeddings: [rows, width].
        known: of training rows inside, [rows, width]; one at least.
    """
    directions = _directions(known)
    last = len(directions) - min(neighbour, len(directions))
    parts = []
    for start in range(0, len(embeddings), _AT_ONCE):
        cosines = _directions(embeddings[start : start + _AT_ONCE]) @ directions.T
        parts.append(np.partition(cosines, last)[:, last])
    return np.concatenate(parts).astype(np.float64)


def _directions(embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
    values = np.asarray(embeddings, np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(lengths > 0, lengths, 1))


def _apart(probabilities: NDArray[np.floating], outside: int) -> Array:
    return np.delete(np.asarray(probabilities, np.float64), outside, axis=1)
