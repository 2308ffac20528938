"""Which unlabelled texts to label next: the least sure, unlike ones among these, or any.

The least sure are those whose two likeliest classes lie nearest (Scheffer, Decomain, Wrobel 2001).
Unlike ones are drawn as BADGE does (Ash et al. 2020, "Deep Batch Active Learning by Diverse,
Uncertain Gradient Lower Bounds"): k-means++ over the gradients that each text would send into a
last layer if its likeliest class were right, (probabilities - that class) ⊗ vector. They are long
where the model is unsure and point apart where texts differ, and their distances have a closed form
in the two factors, so none is ever written out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suite.contracts.picking import Way

Array = NDArray[np.float64]
Places = NDArray[np.int64]


def margins(probabilities: NDArray[np.floating]) -> Array:
    """How far the likeliest class lies above the next, [texts]; 0 of a text without an answer."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities))
    top = np.partition(probabilities.astype(np.float64), -2, axis=1)[:, -2:]
    margin: Array = top[:, 1] - top[:, 0]
    return margin


def least_sure(probabilities: NDArray[np.floating], count: int) -> Places:
    """The texts of the smallest margins, the least sure first; of equals the earlier one."""
    return np.argsort(margins(probabilities), kind="stable")[:count]


def unlike(
    probabilities: NDArray[np.floating],
    vectors: NDArray[np.floating],
    count: int,
    *,
    seed: int = 0,
) -> Places:
    """Texts whose gradients lie apart, in the order in which they were drawn.

    Args:
        probabilities: [texts, classes].
        vectors: of the texts, [texts, dimensions], of whatever length.
    """
    generator = np.random.default_rng(seed)
    errors = probabilities.astype(np.float64).copy()
    errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1
    given = vectors.astype(np.float64)
    squares = np.sum(errors**2, axis=1) * np.sum(given**2, axis=1)
    count = min(count, len(errors))
    chosen: list[int] = []
    nearest = np.full(len(errors), np.inf)
    for _ in range(count):
        if not chosen:
            at = int(np.argmax(squares))
        else:
            weights = np.where(nearest > 1e-12, nearest, 0.0)
            weights[chosen] = 0.0
            total = float(weights.sum())
            if total <= 0:  # What is left repeats what was chosen.
                left = np.setdiff1d(np.arange(len(errors)), chosen)
                chosen += left[least_sure(probabilities[left], count - len(chosen))].tolist()
                break
            at = int(generator.choice(len(errors), p=weights / total))
        chosen.append(at)
        dot = (errors @ errors[at]) * (given @ given[at])
        nearest = np.minimum(nearest, np.maximum(squares + squares[at] - 2 * dot, 0.0))
    return np.array(chosen, dtype=np.int64)


def picked(
    way: Way,
    probabilities: NDArray[np.floating],
    vectors: NDArray[np.floating] | None,
    count: int,
    *,
    seed: int = 0,
) -> Places:
    """The places of the texts to label, as many as are asked for or there are.

    Args:
        vectors: of the texts, where they are to be unlike.
    """
    if way == "uncertain":
        return least_sure(probabilities, count)
    if way == "diverse":
        if vectors is None:
            raise ValueError("unlike texts are told by their vectors")
        return unlike(probabilities, vectors, count, seed=seed)
    order: Places = np.random.default_rng(seed).permutation(len(probabilities)).astype(np.int64)
    return order[:count]


def gain_over(scores: Sequence[float], others: Sequence[float]) -> tuple[float, float | None]:
    """How much better one way scored than another over the same draws: the mean difference, and the
    half-width of its 95 % interval by the paired t test; None of fewer than two draws."""
    from scipy import stats

    differences = np.asarray(scores, dtype=np.float64) - np.asarray(others, dtype=np.float64)
    mean = float(differences.mean())
    if len(differences) < 2:
        return mean, None
    error = float(differences.std(ddof=1)) / np.sqrt(len(differences))
    return mean, float(stats.t.ppf(0.975, len(differences) - 1)) * error
