"""How near training rows are to a text: what examples of its own are chosen by.

By the cosine of TF-IDF vectors, which needs no second model; by that of an encoder's embeddings:
`embedded_nearness`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfTransformer

from suite.strategies.classic import ngram_counts
from suite.strategies.classic.knobs import View
from suite.strategies.classic.tfidf import make_vectorizer

#: Words and pairs of words, the most frequent; characters where a script has no spaces.
_VIEW = View("script", 1, 2)
MOST_TERMS = 100_000


class Nearness(Protocol):
    """Rows, and how near each is to a text; no figure depends on other texts."""

    #: What decides how long that takes, as part of a serving shape; "" where nothing to speak of.
    shape: str

    def of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """How near, float32 [texts, rows]: the higher the nearer."""

    def arrays(self) -> Mapping[str, NDArray[np.float32]]:
        """What it knows of the rows, by name."""

    def settings(self) -> Mapping[str, Any]:
        """What else it is read back from, as plain JSON."""

    def save_model(self, folder: Path) -> None:
        """Writes the model that it asks, where it asks one."""


class TfidfNearness:
    """By TF-IDF vectors.

    Args:
        rows: texts.
        terms: what is counted, in the order of columns.
        weights: inverse document frequency, float32 [terms].
    """

    shape = ""

    def __init__(
        self, rows: Sequence[str], terms: Sequence[str], weights: NDArray[np.float32]
    ) -> None:
        self._terms = list(terms)
        self._weights = weights.astype(np.float32)
        self._vectorizer = None
        if self._terms:
            known = {term: place for place, term in enumerate(self._terms)}
            self._vectorizer = make_vectorizer(_VIEW, sublinear=True, vocabulary=known)
            self._vectorizer.idf_ = self._weights
        self._vectors = self._vectors_of(rows).T.tocsr()

    @classmethod
    def of(cls, rows: Sequence[str]) -> TfidfNearness:
        """Of training rows."""
        found = ngram_counts.count(
            rows, make_vectorizer(_VIEW, sublinear=True), min_df=1, most=MOST_TERMS
        )
        if not found.terms:
            return cls(rows, (), np.zeros(0, dtype=np.float32))
        weights = TfidfTransformer(sublinear_tf=True).fit(found.counts).idf_
        return cls(rows, found.terms, weights)

    def of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Nearness`."""
        found: NDArray[np.float32] = (self._vectors_of(texts) @ self._vectors).toarray()
        return found

    def arrays(self) -> Mapping[str, NDArray[np.float32]]:
        """The weights of terms."""
        return {"weights": self._weights}

    def settings(self) -> Mapping[str, Any]:
        """The terms."""
        return {"terms": self._terms}

    def save_model(self, folder: Path) -> None:
        """It asks none."""

    def _vectors_of(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        if self._vectorizer is None or not len(texts):
            return scipy.sparse.csr_matrix((len(texts), len(self._terms)), dtype=np.float32)
        return self._vectorizer.transform(texts)
