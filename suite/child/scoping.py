"""How much texts seem to belong to any class, by what a predictor has beside its probabilities:
the energy of its scores, the distance to the nearest class among its embeddings, and how near
training texts lie there."""

from __future__ import annotations

import numpy as np

from suite.contracts.scope import ScopeScore
from suite.contracts.strategy import Beside, Rows
from suite.verdict import out_of_scope

#: Training rows by which it is told where classes lie; a snapshot has them in an order of which
#: every beginning has its share of every class.
MOST_ROWS = 5_000


def belonging(
    predictor: object, rows: Rows, train: Rows, outside: int
) -> dict[ScopeScore, list[float]]:
    """Scores of each row, the higher, the more it belongs; none where the predictor has nothing
    beside its probabilities, and none that is no number for some row.

    Args:
        train: rows that it was trained on.
        outside: the class of texts that fit no other.
    """
    beside = getattr(predictor, "beside", None)
    if beside is None:
        return {}
    own: Beside = beside(rows.texts)
    found: dict[ScopeScore, list[float]] = {
        "energy": out_of_scope.energy(own.scores, outside).tolist()
    }
    some = train.take(range(min(len(train), MOST_ROWS)))
    if own.embeddings is not None and set(some.labels) - {outside}:
        known: Beside = beside(some.texts)
        assert known.embeddings is not None
        centres = out_of_scope.Centres.of(known.embeddings, some.labels, outside)
        found["distance"] = centres.belongs(own.embeddings).tolist()
        inside = known.embeddings[np.asarray(some.labels) != outside]
        found["neighbours"] = out_of_scope.nearness(own.embeddings, inside).tolist()
    return {score: values for score, values in found.items() if np.isfinite(values).all()}
