"""What more rows of one class would bring: from what the score lost when half of them were left
out, carried on by the arm's law.

An arm whose score grows as level - scale × (rows + shift)^-exponent in the rows of a class loses
scale × ((n - left out + shift)^-exponent - (n + shift)^-exponent) without some of them, and gains
scale × ((n + shift)^-exponent - (n + more + shift)^-exponent) with more: their ratio depends on
exponent and shift alone. A class has the shift of all rows by its share of them.
Chance is told by draws, which differ in the rows that are left out (the deviation over draws is
pooled over the classes, whose noise is of one kind), and by the test rows: others would have told
another loss. The intervals of all classes hold together (Šidák).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.verdict.interval import LEVEL


@dataclass(frozen=True)
class Held:
    """Merits of an arm that was trained without some rows of a class, one for each draw.

    Args:
        label: the class; None of rows of any.
        rows: that there are of it.
        left_out: of these.
        error: of the mean loss, the standard error by other test rows.
    """

    label: int | None
    rows: int
    left_out: int
    scores: Sequence[float]
    error: float = 0.0


def gains(
    whole: float,
    held: Sequence[Held],
    more: int,
    exponents: NDArray[np.float64],
    shifts: NDArray[np.float64] | float = 0.0,
) -> list[tuple[float, float, float | None]]:
    """For each: how much was lost, what so many more rows would bring, and the half-width of that.

    Args:
        whole: the merit with all rows; as uncertain as one draw.
        exponents: of the arm's drawn laws.
        shifts: of the same laws, in rows over all training rows.

    The half-width is None where each has but one draw: then nothing tells what is chance.
    """
    from scipy import stats

    spread = [len(one.scores) - 1 for one in held]
    freedom = sum(spread)
    pooled = math.fsum(
        math.fsum((score - _mean(one.scores)) ** 2 for score in one.scores) for one in held
    )
    each = -math.expm1(math.log1p(-LEVEL) / max(1, len(held)))
    found: list[tuple[float, float, float | None]] = []
    for one in held:
        lost = whole - _mean(one.scores)
        ratios = ratio(one.rows, one.left_out, more, exponents, shifts)
        factor = float(np.mean(ratios))
        if not freedom:
            found.append((lost, factor * lost, None))
            continue
        by_draws = pooled / freedom * (1 / len(one.scores) + 1)
        variance = by_draws + one.error**2
        # Degrees of freedom by Satterthwaite: test rows are many, only the draws are few.
        own = freedom * (variance / by_draws) ** 2 if by_draws > 0 else math.inf
        # The law's exponent is uncertain as well, and apart from what was lost.
        through = math.hypot(factor * math.sqrt(variance), float(np.std(ratios)) * lost)
        found.append((lost, factor * lost, float(stats.t.ppf(1 - each / 2, own)) * through))
    return found


def ratio(
    rows: int,
    left_out: int,
    more: int,
    exponents: NDArray[np.float64],
    shifts: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """What more rows bring over what was lost without some, for each law.

    >>> ratio(100, 50, 100, np.array([1e-9, 1.0])).round(3).tolist()
    [1.0, 0.5]
    """
    # Over (1 + shift)^-exponent, so that nothing under- or overflows.
    lost = np.power(1 - left_out / rows / (1 + shifts), -exponents) - 1
    gained = 1 - np.power(1 + more / rows / (1 + shifts), -exponents)
    found: NDArray[np.float64] = gained / lost
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
