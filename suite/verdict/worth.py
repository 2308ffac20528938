"""What answers are worth: what is gained by a right one, lost by a wrong one, and had where a text
is passed on. From it come the texts that are worth answering, and the work that is saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from suite.contracts.deciding import Value
from suite.contracts.strategy import NO_ANSWER
from suite.errors import RecipeError, nearest
from suite.verdict.answering import Array, Classes, Truth, sureness

#: A sum of shares of float16 that is as good as passing on may lie so far below it.
_OFF = 1e-9


@dataclass(frozen=True)
class Worth:
    """What every answer is worth.

    Args:
        table: float [true class, class answered].
        passed: of a text that is passed on.
    """

    table: Array
    passed: float

    @classmethod
    def of(cls, value: Value, labels: Sequence[str]) -> Worth:
        """From what a recipe says, and the classes' names.

        Raises:
            RecipeError: `pairs` names a class that is none, or a right answer among wrong ones.
        """
        index = {label: i for i, label in enumerate(labels)}
        table = np.full((len(labels), len(labels)), value.wrong, np.float64)
        np.fill_diagonal(table, value.right)
        for true, answers in value.pairs.items():
            for answer, worth in answers.items():
                strange = next((name for name in (true, answer) if name not in index), None)
                if strange is not None:
                    raise RecipeError(
                        f"value.pairs: '{strange}' is no class", fix=nearest(strange, labels)
                    )
                if true == answer:
                    raise RecipeError(
                        f"value.pairs: '{true}' answered as '{true}' is right",
                        fix="What a right answer is worth stands in `right`.",
                    )
                table[index[true], index[answer]] = worth
        return cls(table, value.passed)

    def decide(self, probabilities: NDArray[np.floating]) -> tuple[Classes, Truth]:
        """The class of each row that is worth most, `NO_ANSWER` for no answer, and whether it is
        worth no less than passing on.

        Args:
            probabilities: [rows, classes], calibrated: these are taken at their word.
        """
        shares = sureness(np.asarray(probabilities))
        expected = shares @ self.table
        classes = expected.argmax(axis=1)
        there = shares.any(axis=1)
        best = expected[np.arange(len(shares)), classes]
        decided = there & (best >= self.passed - _OFF)
        return np.where(there, classes, NO_ANSWER).astype(np.int64), decided

    def parts(self, labels: Classes, probabilities: NDArray[np.floating]) -> Array:
        """What each row's answer is worth beyond passing it on, as a share of a right one's: 1 for
        a right answer, 0 for a text that is passed on, below 0 for a wrong one.

        Args:
            labels: the true class of each row.
            probabilities: as of `decide`, by which it answers what pays.
        """
        classes, decided = self.decide(probabilities)
        own = self.table[labels, np.maximum(classes, 0)]
        return np.asarray(np.where(decided, (own - self.passed) / self._gain, 0.0))

    @property
    def least(self) -> float:
        """The least that such a part may be."""
        return float((self.table.min() - self.passed) / self._gain)

    @property
    def _gain(self) -> float:
        return float(self.table[0, 0]) - self.passed

    def saved(self, classes: Classes, decided: Truth, labels: Sequence[int]) -> float:
        """What answers are worth beyond passing every text on, per 100 texts.

        Args:
            classes: the answer of each row.
            decided: whether it is given.
            labels: the true class of each row.
        """
        own = self.table[np.asarray(labels, np.int64), np.maximum(classes, 0)]
        return float(np.where(decided, own - self.passed, 0.0).mean() * 100)
