"""Whether an arm's score changed between two studies by more than chance.

Where both answered the same test rows they are compared as two arms of one study are
(`verdict/comparison`), and otherwise by their intervals. What is adjusted over the arms of two
studies is adjusted by Holm, "A simple sequentially rejective multiple test procedure", 1979: arms
do not share what varies, as the pairs of one study do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from suite.verdict import confusions
from suite.verdict.comparison import Of, verdicts
from suite.verdict.confusions import Score, macro_f1
from suite.verdict.interval import Interval


@dataclass(frozen=True)
class Change:
    """How much a score changed between two studies: after − before, its 95 % interval, its p.

    `of` says whether it is the arm's, or that of the trained models that there are: trained once
    in either study, though its training is random.
    """

    value: float
    low: float
    high: float
    p: float
    of: Of = "arms"


def paired_change(
    labels: Sequence[int],
    before: Sequence[Sequence[int]],
    after: Sequence[Sequence[int]],
    classes: int,
    *,
    deterministic: bool = False,
    score: Score = macro_f1,
    seed: int = 0,
) -> Change:
    """The change of an arm's score on the same test rows; p is not adjusted.

    Args:
        labels: class indices, [rows].
        before: what the first study's arm answered, [trainings][rows]; below 0 for no answer.
        after: the same of the second study, on the same rows.
        classes: how many there are.
        deterministic: whether the arm's training repeats itself.
        score: of confusion matrices.
        seed: of what is drawn.
    """
    arms = {
        "after": confusions.trained(labels, after, classes, score),
        "before": confusions.trained(labels, before, classes, score),
    }
    once = not deterministic and min(len(before), len(after)) == 1
    fixed = tuple(arms) if deterministic or once else ()
    of: Of = "trained models" if once else "arms"
    [found] = verdicts(arms, [("after", "before")], fixed, of, seed)
    return Change(found.value, found.low, found.high, found.p, of)


def unpaired_change(before: Interval, after: Interval) -> Change | None:
    """The change between two scores of which only intervals are known; p is not adjusted.

    Each interval is read as 1.96 standard errors either way, and the two as independent. On the
    same test rows that asks more of a difference than a paired test would. None where an
    interval has no width, which says nothing about chance.
    """
    from statistics import NormalDist

    normal = NormalDist()
    reach = normal.inv_cdf(0.975)
    errors = [(side.high - side.low) / (2 * reach) for side in (before, after)]
    if min(errors) <= 0:
        return None
    value, error = after.value - before.value, math.hypot(*errors)
    p = 2 * (1 - normal.cdf(abs(value) / error))
    return Change(value, value - reach * error, value + reach * error, p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm-adjusted p-values, in the given order.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for position, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - position) * p_values[index]))
        adjusted[index] = highest
    return adjusted
