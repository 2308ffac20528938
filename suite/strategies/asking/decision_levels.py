"""A choice of more options than a server takes, in two levels.

First the options are asked in groups, in one request; then, in a second, the likeliest of all
groups. Groups are neighbours in a list and have no names of their own: a model that were asked
which list an answer stands in would have to read them all anyway.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def groups(count: int, most: int) -> list[range]:
    """Neighbours in a list of `count`, in as few groups of at most `most` as there can be, alike in
    size; none where they are too many for two levels.

    >>> groups(7, 3)
    [range(0, 2), range(2, 4), range(4, 7)]
    >>> groups(7, 2)
    []
    """
    number = math.ceil(count / most)
    if number > most:
        return []
    ends = [place * count // number for place in range(number + 1)]
    return [range(*ends[place : place + 2]) for place in range(number)]


def finalists(first: Sequence[Numbers], cut: Sequence[range], most: int) -> list[int]:
    """Who comes into the second level: as many of each group as have room, in the list's order.

    Args:
        first: probabilities within each group.
    """
    each = most // len(cut)
    found: list[int] = []
    for probabilities, group in zip(first, cut, strict=True):
        best = np.argsort(-probabilities, kind="stable")[:each]
        found += sorted(group[int(place)] for place in best)
    return found


def joined(
    first: Sequence[Numbers], cut: Sequence[range], chosen: Sequence[int], last: Numbers
) -> Numbers:
    """Probabilities of all options: those of the second level, and of who did not come so far less
    than its group's last who did, by what the first level says of the two.

    Args:
        chosen: as `finalists` has them.
        last: their probabilities.
    """
    found = np.zeros(sum(len(group) for group in cut))
    found[list(chosen)] = last
    came = set(chosen)
    for probabilities, group in zip(first, cut, strict=True):
        inside = [place for place in range(len(group)) if group[place] in came]
        least = min(inside, key=lambda place: probabilities[place])
        if probabilities[least] <= 0:
            continue
        for place, option in enumerate(group):
            if option not in came:
                found[option] = found[group[least]] * probabilities[place] / probabilities[least]
    total = found.sum()
    return found / total if total > 0 else found
