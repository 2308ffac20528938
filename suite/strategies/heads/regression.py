"""A multinomial logistic regression on embeddings, and what is kept of it.

scikit-learn fits it; four arrays are what it predicts by, so that no pickled estimator is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import Run
from suite.errors import ModelError
from suite.strategies.network import arrays
from suite.strategies.network.arrays import Form
from suite.strategies.network.balance import Balance, weighted

FILE = "lr.safetensors"

Matrix = NDArray[np.float32]

SCALINGS = ("none", "l2", "standard")

#: No row of a class in train: its logit, low enough for a probability of 0.
_NEVER = -1e4

_MAX_ITERATIONS = 2000

#: What a teacher finds less probable is left out.
_LEAST_PROBABLE = 0.01


@dataclass(frozen=True)
class Head:
    """A linear layer on scaled embeddings: `((x - mean) / scale) @ weight.T + bias`."""

    weight: Matrix
    bias: Matrix
    mean: Matrix
    scale: Matrix

    def logits(self, matrix: Matrix, scaling: str) -> Matrix:
        """Logits float32 [texts, classes] of embeddings [texts, width]."""
        scaled = (_normalised(matrix, scaling) - self.mean) / self.scale
        return np.asarray(scaled @ self.weight.T + self.bias, dtype=np.float32)

    def write(self, folder: Path) -> None:
        """Writes its arrays beside the model whose embeddings it reads."""
        arrays.write(folder / FILE, vars(self))

    @classmethod
    def read(cls, folder: Path, width: int) -> Head:
        """What `write` wrote.

        Args:
            width: of the embeddings.

        Raises:
            ModelError: an array is missing, or not what it has to be.
        """
        found = arrays.read(folder / FILE, _HEAD, {"width": width})
        if not found["scale"].all():
            raise ModelError("the array 'scale' divides by zero", where=str(folder / FILE))
        return cls(**found)


#: What a kept head is made of.
_HEAD = {
    "weight": Form(("classes", "width")),
    "bias": Form(("classes",)),
    "mean": Form(("width",)),
    "scale": Form(("width",)),
}


def _normalised(matrix: Matrix, scaling: str) -> Matrix:
    if scaling != "l2":
        return matrix
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(length, 1e-12), dtype=np.float32)


def fit(matrix: Matrix, run: Run, *, C: float, scaling: str, relative: bool) -> Head:
    """A head for the run's training rows, fitted to their embeddings; notes whether it converged.

    Args:
        matrix: float32 [rows, width].
        C: how little it is regularised.
        relative: whether C is for embeddings of mean squared length 1.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    width, classes = matrix.shape[1], len(run.task.labels)
    mean = np.zeros(width, dtype=np.float32)
    scale = np.ones(width, dtype=np.float32)
    scaled = _normalised(matrix, scaling)
    if scaling == "standard":
        mean = scaled.mean(axis=0)
        deviation = scaled.std(axis=0)
        scale = np.where(deviation > 1e-6, deviation, 1.0).astype(np.float32)
        scaled = (scaled - mean) / scale
    length = float(np.square(scaled, dtype=np.float64).sum(axis=1).mean()) if relative else 1.0
    regression = LogisticRegression(
        C=C / max(length, 1e-12),
        max_iter=_MAX_ITERATIONS,
        class_weight="balanced" if weighted(run) else None,
        random_state=run.seed,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        if run.train.soft is None:
            regression.fit(scaled, np.asarray(run.train.labels))
        else:
            # scikit-learn takes no probabilities: a row stands once for each class that it may be.
            places, named = np.nonzero(run.train.soft > _LEAST_PROBABLE)
            regression.fit(scaled[places], named, run.train.soft[places, named])
    run.note(converged=not any(w.category is ConvergenceWarning for w in caught))
    weight = np.zeros((classes, width), dtype=np.float32)
    bias = np.full(classes, _NEVER, dtype=np.float32)
    if len(regression.classes_) == 2:  # One row of coefficients: the second class's logit.
        first, second = regression.classes_
        weight[second], bias[second] = regression.coef_[0], regression.intercept_[0]
        bias[first] = 0.0
    else:
        weight[regression.classes_] = regression.coef_
        bias[regression.classes_] = regression.intercept_
    # What a loss with the classes' shares added to the scores would come to: intercepts are free.
    known = regression.classes_
    bias[known] -= Balance.of(run).priors[known]
    return Head(weight, bias, mean, scale)
