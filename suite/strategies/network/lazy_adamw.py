"""AdamW for a table of which a step touches few rows: those are brought up to date when met again.

A dense optimiser writes every row of a vocabulary in each step, though only a batch's rows have a
gradient: most of a small network's step. What AdamW does to a row without one has a closed form:
its moments shrink by their factors, it decays, and it coasts on its momentum, a geometric sum
(Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2). So a row's steps
without a gradient are caught up at once, before it is read.

It is AdamW but for a simplification: while a row coasts, the step size is the one it began with.
Momentum is gone after some twenty steps, in which the step size hardly moves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

BETAS = (0.9, 0.999)
TINY = 1e-8


class LazyAdamW:
    """Of one table, float32 [rows, dim], which it writes.

    Args:
        learning_rate: the highest step size; `step` is told its factor.
        weight_decay: as AdamW's.
    """

    def __init__(self, table: Tensor, *, learning_rate: float, weight_decay: float) -> None:
        self._table = table
        self._learning_rate = learning_rate
        self._weight_decay = weight_decay
        self._mean = torch.zeros_like(table)
        self._square = torch.zeros_like(table)
        #: The step up to which each row is what AdamW would have made of it.
        self._reached = torch.zeros(len(table), dtype=torch.int64, device=table.device)
        # By step: its size with the corrections of both moments, and the logarithm of what weight
        # decay has left since the first.
        self._sizes = [0.0]
        self._decayed = [0.0]

    @property
    def _steps(self) -> int:
        return len(self._sizes) - 1

    def remembered(self) -> dict[str, Tensor]:
        """What steps have changed beside the table itself, by name."""
        return {
            "mean": self._mean,
            "square": self._square,
            "reached": self._reached,
            "sizes": torch.tensor(self._sizes, dtype=torch.float64),
            "decayed": torch.tensor(self._decayed, dtype=torch.float64),
        }

    def remember(self, kept: Mapping[str, Tensor]) -> None:
        """Takes what `remembered` gave; the table is whoever's who gave it."""
        self._mean.copy_(kept["mean"])
        self._square.copy_(kept["square"])
        self._reached.copy_(kept["reached"])
        self._sizes, self._decayed = kept["sizes"].tolist(), kept["decayed"].tolist()

    def rows(self, touched: Tensor) -> Tensor:
        """The vectors of some rows as they are now, float32 [touched, dim].

        Args:
            touched: int64 [touched], each row once.
        """
        late = touched[self._reached[touched] < self._steps]
        if len(late):
            self._catch_up(late)
        return self._table[touched]

    def step(self, touched: Tensor, slope: Tensor, factor: float) -> None:
        """One update of the rows that `rows` gave last.

        Args:
            slope: of the loss, float32 [touched, dim].
            factor: of the learning rate, in (0, 1].
        """
        rate, number = self._learning_rate * factor, self._steps + 1
        first, second = BETAS
        corrected = math.sqrt(1 - second**number) / (1 - first**number)
        kept = 1 - rate * self._weight_decay
        self._sizes.append(rate * corrected)
        self._decayed.append(self._decayed[-1] + math.log(max(kept, TINY)))
        mean = self._mean[touched].lerp_(slope, 1 - first)
        square = self._square[touched].mul_(second).addcmul_(slope, slope, value=1 - second)
        vectors = self._table[touched].mul_(kept)
        # The small number is added to the corrected root, as AdamW does.
        root = square.sqrt().add_(TINY * math.sqrt(1 - second**number))
        self._table[touched] = vectors.addcdiv_(mean, root, value=-rate * corrected)
        self._mean[touched], self._square[touched] = mean, square
        self._reached[touched] = number

    def _catch_up(self, late: Tensor) -> None:
        first, second = BETAS
        reached = self._reached[late]
        steps = (self._steps - reached).to(torch.float32)[:, None]
        place = self._table.device
        sizes = torch.tensor(self._sizes, device=place)[reached + 1][:, None]
        decayed = torch.tensor(self._decayed, dtype=torch.float64, device=place)
        kept = (decayed[-1] - decayed[reached]).exp().to(torch.float32)[:, None]
        mean, square = self._mean[late], self._square[late]
        shrinks = first / math.sqrt(second)
        coasted = sizes * shrinks * (1 - shrinks**steps) / (1 - shrinks)
        self._table[late] = self._table[late] * kept - coasted * mean / (square.sqrt() + TINY)
        self._mean[late] = mean * first**steps
        self._square[late] = square * second**steps
        self._reached[late] = self._steps
