"""What answers score that do not depend on the text: the least that learning has to beat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from suite.contracts.rowfacts import DataFacts

#: Standard errors by which a score must lie beyond chance not to be taken for it.
_ERRORS = 3.0


@dataclass(frozen=True)
class Guessing:
    """The best that can be had of rows without reading them.

    Args:
        classes: that occur in the rows.
        loss: the least mean -ln of the labelled class' probability: the entropy of the classes'
            shares, which the shares themselves, given as probabilities, cost.
    """

    classes: int
    loss: float

    @classmethod
    def of(cls, counts: Sequence[int]) -> Guessing:
        """From the rows of each class.

        >>> Guessing.of([30, 30, 0])
        Guessing(classes=2, loss=0.6931471805599453)
        """
        there = [count for count in counts if count > 0]
        whole = sum(there)
        return cls(len(there), -sum(n / whole * math.log(n / whole) for n in there))

    @classmethod
    def of_validation(cls, data: DataFacts, classes: int) -> Guessing:
        """Of a study's validation; as if its classes were even where nobody counted them."""
        split = data.audit.splits.get("validation") if data.audit is not None else None
        counts = split.class_counts if split is not None else []
        return cls.of(counts if any(counts) else [1] * classes)

    def macro_f1(self, rows: int) -> float:
        """A macro-F1 that guessing reaches on so many rows once in a thousand times at most.

        The F1 of a class of share p that is named at random for a share q is 2pq / (p + q), at
        most (p + q) / 2; so the mean over k classes is at most 1/k, whatever the shares. The
        variance of one is at most 1 over the rows, since 4pq ≤ (p + q)², and of their mean at most
        that over k.

        >>> round(Guessing.of([250, 250, 250, 250]).macro_f1(1000), 4)
        0.2974
        """
        k = max(1, self.classes)
        return 1 / k + _ERRORS / math.sqrt(k * max(1, rows))
