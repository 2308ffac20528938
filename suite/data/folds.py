"""Train and validation -> folds, each of which is answered by a training that did not see it.

Validation is the first fold as it was carved, so that a study over folds has the rows and the
fingerprint of one without. The rest of train is dealt to the others as validation was carved: by a
hash of the texts (or groups), class by class, and what belongs together to one of them. The folds
are as large as validation, as far as there are not more than ten of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from suite.contracts.strategy import Rows
from suite.data.kept import chained
from suite.data.splits import Keyed, Unit, Units

#: More trainings a trial are not worth their time: Kohavi, "A Study of Cross-Validation and
#: Bootstrap for Accuracy Estimation and Model Selection", IJCAI 1995.
MOST = 10
LEAST = 2


@dataclass(frozen=True)
class Folds:
    """Which fold each row is in.

    Args:
        train: of each row of train, 1 and above. Validation's own is 0.
        beside: of each row of validation, the fold of train in which others of its text or group
            are, and that must not learn from it; 0 where there is none.
    """

    train: tuple[int, ...]
    beside: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return 1 + max(self.train, default=0)

    def held(self, fold: int) -> list[int]:
        """Positions of a fold's rows, in train followed by validation."""
        if fold == 0:
            return [len(self.train) + row for row in range(len(self.beside))]
        return [row for row, own in enumerate(self.train) if own == fold]

    def learnt(self, fold: int) -> list[int]:
        """Positions of what is trained on where a fold is held out, as above."""
        if fold == 0:
            return list(range(len(self.train)))
        rows = [row for row, own in enumerate(self.train) if own != fold]
        start = len(self.train)
        return rows + [start + row for row, own in enumerate(self.beside) if own != fold]


def together(first: Rows, second: Rows) -> Rows:
    """Rows of both, in their order."""
    return Rows(chained((first.texts, second.texts)), first.labels + second.labels)


def number(train: int, validation: int) -> int:
    """How many folds so many rows are cut into: equal ones, at most ten.

    >>> number(900, 100), number(800, 200), number(9000, 100), number(100, 400)
    (10, 5, 10, 2)
    """
    return min(MOST, max(LEAST, round((train + validation) / max(1, validation))))


def cut(
    train: Rows,
    validation: Rows,
    *,
    seed: int,
    groups: Sequence[str | None] | None = None,
) -> Folds | None:
    """The folds of train and validation; None where they can't be cut so that there are two classes
    to learn whichever fold is held out.

    Args:
        seed: of the task's validation.
        groups: whom each row comes from, of train followed by validation.
    """
    pool = Keyed(together(train, validation), None if groups is None else tuple(groups))
    wanted = number(len(train), len(validation)) - 1
    found = [0] * len(train)
    beside = [0] * len(validation)
    dealt = _deal(Units(pool, seed), pool.rows.labels, len(train), wanted)
    for unit, fold in dealt:
        for row in unit.rows:
            if row < len(train):
                found[row] = fold
            else:
                beside[row - len(train)] = fold
    folds = Folds(tuple(found), tuple(beside))
    labels = pool.rows.labels
    enough = all(
        len({labels[row] for row in folds.learnt(fold)}) > 1 and folds.held(fold)
        for fold in range(folds.count)
    )
    return folds if folds.count >= LEAST and enough else None


def _deal(
    found: Iterable[Unit], labels: Sequence[int], train: int, folds: int
) -> list[tuple[Unit, int]]:
    """Units that have rows of train, each with its fold, from 1.

    Each goes where fewest rows of its classes are, then where fewest rows are; the large ones
    first, as long as there is room to even out. In the order of their hashes, else.
    """
    sizes = [0] * folds
    counts: list[Counter[int]] = [Counter() for _ in range(folds)]
    whole = Counter(labels[:train])
    dealt: list[tuple[Unit, int]] = []
    own = [(unit, [row for row in unit.rows if row < train]) for unit in found]
    for unit, rows in sorted(own, key=lambda one: -len(one[1])):
        if not rows:
            continue
        classes = Counter(labels[row] for row in rows)

        def fullness(fold: int, classes: Counter[int] = classes) -> tuple[float, int, int]:
            share = sum(n * counts[fold][label] / whole[label] for label, n in classes.items())
            return share, sizes[fold], fold

        fold = min(range(folds), key=fullness)
        sizes[fold] += len(rows)
        counts[fold].update(classes)
        dealt.append((unit, fold + 1))
    return dealt
