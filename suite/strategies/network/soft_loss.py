"""Cross-entropy with labels, or with the probabilities of a teacher."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from suite.contracts.strategy import Rows, Run

#: What a row is to be answered: a class, or the probability of each.
Wanted = int | list[float]


def by_row(rows: Rows) -> Sequence[Wanted]:
    """What each row is to be answered."""
    if rows.soft is None:
        return rows.labels
    wanted: list[Wanted] = rows.soft.tolist()
    return wanted


def targets(run: Run, where: torch.device) -> Tensor:
    """What the rows of a run are to be answered: int64 [rows], or float32 [rows, classes]."""
    if run.train.soft is not None:
        return torch.from_numpy(run.train.soft).to(where)
    return torch.tensor(run.train.labels, dtype=torch.int64, device=where)


def summed(logits: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """The sum of the rows' losses.

    Args:
        logits: [rows, classes].
        wanted: some of `targets`.
        weights: of the classes, float32 [classes].
    """
    if wanted.dim() == 2:
        return -(wanted * weights * functional.log_softmax(logits, dim=1)).sum()
    losses = functional.cross_entropy(logits, wanted, reduction="none")
    return (losses * weights[wanted]).sum()
