"""Cross-entropy with labels, or with the probabilities of a teacher; balanced as a trial has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from suite.contracts.strategy import Rows, Run
from suite.strategies.network.balance import Balance

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


@dataclass(frozen=True)
class LossBalance:
    """A trial's `Balance`, where its loss is computed.

    Args:
        weights, priors: float32 [classes].
        gamma: as of `Balance`.
    """

    weights: Tensor
    priors: Tensor
    gamma: float = 0.0

    @classmethod
    def of(cls, run: Run, where: torch.device) -> LossBalance:
        """As a trial has it."""
        found = Balance.of(run)
        weights, priors = (torch.from_numpy(a).to(where) for a in (found.weights, found.priors))
        return cls(weights, priors, found.gamma)


def focused(losses: Tensor, logits: Tensor, wanted: Tensor, gamma: float) -> Tensor:
    """Losses of rows, [rows], of those that are sure the less, the higher gamma: what is missing of
    the probability of what is wanted, to that power. As they are where it is 0.

    Args:
        logits, wanted: as of `summed`.
    """
    if not gamma:
        return losses
    shares = functional.softmax(logits, dim=1)
    if wanted.dim() == 2:
        sure = (wanted * shares).sum(dim=1)
    else:
        sure = shares.gather(1, wanted[:, None]).squeeze(1)
    # Where a row is sure, rounding may put it beyond: no power of what is below 0 is a number.
    return losses * (1 - sure).clamp(min=0) ** gamma


def summed(logits: Tensor, wanted: Tensor, balance: LossBalance) -> Tensor:
    """The sum of the rows' losses.

    Args:
        logits: [rows, classes].
        wanted: some of `targets`.
        balance: what rare classes get.
    """
    logits = logits + balance.priors
    if wanted.dim() == 2:
        losses = -(wanted * balance.weights * functional.log_softmax(logits, dim=1)).sum(dim=1)
    else:
        losses = functional.cross_entropy(logits, wanted, reduction="none")
        losses = losses * balance.weights[wanted]
    return focused(losses, logits, wanted, balance.gamma).sum()
