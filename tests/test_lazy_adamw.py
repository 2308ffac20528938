"""Rows that a step does not touch are brought up to date later, to what AdamW makes of them."""

import pytest
import torch

from suite.strategies.network.lazy_adamw import LazyAdamW

ROWS, DIM, STEPS, RATE = 40, 8, 300, 0.01


def both(decay, touching):
    """The table after AdamW's steps, after lazy ones, and as it began."""
    draw = torch.Generator().manual_seed(0)
    begun = torch.randn(ROWS, DIM, generator=draw)
    dense = begun.clone().requires_grad_()
    theirs = torch.optim.AdamW([dense], lr=RATE, weight_decay=decay)
    table = begun.clone()
    ours = LazyAdamW(table, learning_rate=RATE, weight_decay=decay)
    goals = torch.randn(ROWS, DIM, generator=draw)
    for step in range(STEPS):
        factor = 1 - step / STEPS
        touched = touching(draw)
        theirs.zero_grad()
        theirs.param_groups[0]["lr"] = RATE * factor
        dense.grad = torch.zeros_like(dense)
        dense.grad[touched] = dense.detach()[touched] - goals[touched]
        theirs.step()
        ours.step(touched, ours.rows(touched) - goals[touched], factor)
    return dense.detach(), ours.rows(torch.arange(ROWS)), begun


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_where_every_row_is_touched_it_is_adamw(decay):
    dense, lazy, _ = both(decay, lambda draw: torch.arange(ROWS))
    torch.testing.assert_close(lazy, dense, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_rows_met_now_and_then_end_where_adamw_leaves_them(decay):
    def few(draw):  # A tenth of all, and never the last row.
        return torch.randperm(ROWS - 1, generator=draw)[:4]

    dense, lazy, begun = both(decay, few)
    moved = (dense - begun)[:-1].abs().mean()
    assert (lazy - dense)[:-1].abs().mean() < 0.05 * moved
    # One that never had a gradient only decays.
    torch.testing.assert_close(lazy[-1], dense[-1], rtol=1e-4, atol=1e-6)
    assert torch.equal(lazy[-1], begun[-1]) == (decay == 0)
