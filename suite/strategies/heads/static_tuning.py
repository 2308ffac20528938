"""`linear_head` on a static model: vectors and head are trained together.

The head begins as the regression that `probe` fits, so that training starts from what frozen
vectors can do (Kumar et al. 2022, "Fine-Tuning can Distort Pretrained Features"). A step touches
only the vectors of its texts' pieces. model2vec has a trainer of its own; it parts a validation
split from the rows it is given, stops when that gets no better, and can't be scored on the way, so
it would be no equal under the suite's budgets.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from suite.contracts.strategy import Run
from suite.strategies.heads import regression, static_model
from suite.strategies.heads.regression import Head
from suite.strategies.heads.static_knobs import StaticKnobs
from suite.strategies.heads.static_model import StaticPredictor
from suite.strategies.network import continuing, loop, soft_loss
from suite.strategies.network.lazy_adamw import LazyAdamW
from suite.strategies.network.soft_loss import LossBalance

if TYPE_CHECKING:
    from model2vec import StaticModel

#: Passes over the rows for one epoch of the recipe's budget.
PASSES_PER_EPOCH = 5

WARM_UP = 0.1
LARGEST_GRADIENT = 1.0

#: Ids of a text's pieces, int64 [pieces].
_Pieces = NDArray[np.int64]


def fit(run: Run, knobs: StaticKnobs, name: str) -> StaticPredictor:
    """Fits the regression, trains from there, and reports checkpoints on the way.

    Raises:
        Pruned: from a checkpoint.
        Unreachable: no weights.
        WeightsError: they are none of a static model.
    """
    model = static_model.of_run(run)
    matrix = static_model.embed(model, run.train.texts)
    head = regression.fit(matrix, run, C=knobs.C, scaling="none", relative=True)
    rows = [np.asarray(ids, dtype=np.int64) for ids in model.tokenize(list(run.train.texts))]
    labels = soft_loss.targets(run, torch.device("cpu"))
    balance = LossBalance.of(run, torch.device("cpu"))

    def begin(at_once: int) -> _Learner:
        return _Learner(model, head, rows, labels, balance, knobs, seed=run.seed, at_once=at_once)

    return loop.train(
        run,
        name,
        passes=run.epochs * PASSES_PER_EPOCH,
        batch=knobs.batch,
        begin=begin,
        advice="a smaller static model would help",
        warm_up=WARM_UP,
        begins=0.05,
    )


class _Learner:
    """The model while it learns.

    Args:
        head: that it begins as.
        rows: ids of the training texts' pieces.
        labels: of the texts, as `soft_loss.targets` has them.
        balance: what rare classes get in the loss.
        at_once: rows that go through the model at once.
    """

    def __init__(
        self,
        model: StaticModel,
        head: Head,
        rows: Sequence[_Pieces],
        labels: Tensor,
        balance: LossBalance,
        knobs: StaticKnobs,
        *,
        seed: int,
        at_once: int,
    ) -> None:
        self._model = model
        self._rows = rows
        self._labels = labels
        self._balance = balance
        self._at_once = at_once
        self._dropout = knobs.dropout
        self._random = np.random.default_rng(seed)
        self._learning_rate = knobs.learning_rate
        self._table = torch.from_numpy(model.embedding.copy())
        # Vectors of pieces that no text has stay what they were: nothing decays.
        self._vectors = LazyAdamW(self._table, learning_rate=knobs.learning_rate, weight_decay=0.0)
        self._met = torch.zeros(len(self._table), dtype=torch.bool)
        self._layer = torch.nn.Linear(*reversed(head.weight.shape))
        with torch.no_grad():
            self._layer.weight.copy_(torch.from_numpy(head.weight))
            self._layer.bias.copy_(torch.from_numpy(head.bias))
        self._optimiser = torch.optim.AdamW(
            self._layer.parameters(), lr=knobs.learning_rate, weight_decay=0.0
        )

    def snapshot(self) -> StaticPredictor:
        """A predictor with the numbers as they are now."""
        self._vectors.rows(self._met.nonzero().flatten())
        model = copy.copy(self._model)
        model.embedding = self._table.numpy().copy()
        weight, bias = (part.detach().numpy().copy() for part in self._layer.parameters())
        plain = Head(weight, bias, np.zeros(model.dim, np.float32), np.ones(model.dim, np.float32))
        return StaticPredictor(model, plain, "none")

    def remembered(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """See `loop.Learner`."""
        tensors = (
            {"table": self._table, "met": self._met}
            | continuing.under("layer", continuing.learnt(self._layer))
            | continuing.under("vectors", self._vectors.remembered())
            | continuing.under("moments", continuing.moments(self._optimiser))
        )
        chance = continuing.generator(self._random)
        return tensors, {"chance": chance, "rates": continuing.rates(self._optimiser)}

    def remember(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """See `loop.Learner`."""
        self._table.copy_(tensors["table"])
        self._met.copy_(tensors["met"])
        continuing.take(continuing.below("layer", tensors), into=continuing.learnt(self._layer))
        self._vectors.remember(continuing.below("vectors", tensors))
        moments = continuing.below("moments", tensors)
        continuing.restore_optimiser(self._optimiser, moments, values["rates"])
        continuing.restore_generator(self._random, values["chance"])

    def step(self, indices: loop.Indices, factor: float) -> float:
        """One update on these rows; their loss."""
        self._optimiser.zero_grad(set_to_none=True)
        texts = [self._kept(self._rows[int(i)]) for i in indices]
        flat = torch.from_numpy(np.fromiter(chain.from_iterable(texts), dtype=np.int64))
        touched, places = torch.unique(flat, return_inverse=True)
        self._met[touched] = True
        vectors = self._vectors.rows(touched).requires_grad_()
        ends = np.cumsum([0, *map(len, texts)])
        total = 0.0
        for part in loop.parts(len(indices), self._at_once):
            first, last = int(ends[part.start]), int(ends[part.stop])
            starts = torch.from_numpy(ends[part] - first)
            loss = self._loss(vectors, places[first:last], starts, indices[part]) / len(indices)
            torch.autograd.backward(loss)
            total += loss.item()
        slope = vectors.grad if vectors.grad is not None else torch.zeros_like(vectors)
        torch.nn.utils.clip_grad_norm_([*self._layer.parameters(), vectors], LARGEST_GRADIENT)
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate * factor
        self._optimiser.step()
        self._vectors.step(touched, slope, factor)
        return total

    def _kept(self, pieces: _Pieces) -> _Pieces:
        """A text's pieces, less those that are left out; one stays at least."""
        if not self._dropout or not len(pieces):
            return pieces
        stays = self._random.random(len(pieces)) >= self._dropout
        return pieces[stays] if stays.any() else pieces[:1]

    def _loss(self, vectors: Tensor, places: Tensor, starts: Tensor, indices: Any) -> Tensor:
        """The sum over some rows.

        Args:
            places: of each piece, its row in `vectors`.
            starts: of each text, its first piece in `places`.
        """
        found = functional.embedding_bag(places, vectors, starts, mode="mean")
        if self._model.normalize:
            found = functional.normalize(found)
        chosen = self._labels[torch.from_numpy(indices)]
        return soft_loss.summed(self._layer(found), chosen, self._balance)
