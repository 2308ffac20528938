"""`probe` on a static model: its vectors as they are, under a logistic regression."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from suite.contracts.strategy import Probabilities, Run
from suite.strategies.heads import regression, static_model
from suite.strategies.heads.regression import Head, Matrix
from suite.strategies.heads.static_model import StaticPredictor

#: What the trainings over folds share.
_MODEL, _EMBEDDINGS = "static:model", "static:embeddings"


def fit(run: Run, *, C: float, scaling: str, relative: bool) -> StaticPredictor:
    """Embeds the training rows and fits the regression; one checkpoint, at 1.0.

    Raises:
        Pruned: `run.checkpoint` ended the trial.
        Unreachable: no weights.
        WeightsError: they are none of a static model.
    """
    pool = run.pool
    shared: dict[str, Any] = {} if pool is None else pool.shared
    model = shared.get(_MODEL) or static_model.of_run(run)
    whole: Matrix | None = shared.get(_EMBEDDINGS)
    if whole is None:
        rows = run.train if pool is None else pool.rows
        begun = time.perf_counter()
        whole = static_model.embed(model, rows.texts)
        # Of a pool's rows the training rows' share is counted as training.
        run.saved((len(run.train) / len(rows) - 1) * (time.perf_counter() - begun))
    if pool is not None:
        shared |= {_MODEL: model, _EMBEDDINGS: whole}
    run.progress(0.95)
    matrix = whole if pool is None else whole[list(pool.positions)]
    head = regression.fit(matrix, run, C=C, scaling=scaling, relative=relative)
    recall = None if pool is None else partial(_recalled, head, scaling, whole)
    predictor = StaticPredictor(model, head, scaling, recall)
    run.checkpoint(predictor, 1.0)
    return predictor


def _recalled(head: Head, scaling: str, pool: Matrix, rows: Sequence[int]) -> Probabilities:
    """Class probabilities of some rows of a pool, float32 [rows, classes]."""
    return static_model.probabilities(head, pool[list(rows)], scaling)
