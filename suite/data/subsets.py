"""Parts of a study's training rows: nested, stratified, by hash, also with less of one class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from suite.contracts.strategy import Rows
from suite.data.kept import Places
from suite.data.splits import nested_order

#: What parts the seeds of one draw of rows from those of the next.
_APART = 1_000_003


def drawn(
    train: Rows,
    rows: int,
    *,
    draw: int = 1,
    seed: int = 0,
    label: int | None = None,
    kept: int | None = None,
) -> Places:
    """Positions of a stratified part of training rows that holds every smaller part of its draw.

    Args:
        train: in a nested order, which is that of the first draw.
        rows: how many to take, of those that there are.
        draw: which of several such orders, from 1.
        seed: the task's.
        label, kept: a class of which only so many of these rows stay.
    """
    order: Places = np.arange(len(train))
    if draw > 1:
        order = nested_order(train, seed=seed + _APART * (draw - 1))
    chosen = order[:rows]
    if label is None or kept is None:
        return chosen
    own = np.asarray(train.labels, np.int64)[chosen] == label
    stays: Places = chosen[~own | (np.cumsum(own) <= kept)]
    return stays


def by_the_floor(labels: Sequence[int], rows: int) -> list[int]:
    """Classes that have a row among so many only because each class gets one: by their share of
    the rows they would have none.

    >>> by_the_floor([0] * 990 + [1] * 10, 20)
    [1]
    """
    counts = Counter(labels)
    return sorted(label for label, n in counts.items() if n * rows < 0.5 * len(labels))
