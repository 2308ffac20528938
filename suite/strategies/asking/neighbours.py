"""The training rows that are most like a text: examples of its own for every prompt.

Liu et al. 2022, "What Makes Good In-Context Examples for GPT-3?" (arXiv:2101.06804): the rows
nearest to a text teach more than drawn ones, and most where the nearest stands last. Near is the
cosine of TF-IDF vectors, which needs no second model. Vectors are of the rows as they are shown.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from pydantic import Field, model_validator
from sklearn.feature_extraction.text import TfidfTransformer

from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.contracts.strategy import Rows
from suite.errors import ModelError, counted
from suite.prompting.own_examples import Example, Excerpt
from suite.strategies.classic import ngram_counts
from suite.strategies.classic.knobs import View
from suite.strategies.classic.tfidf import make_vectorizer
from suite.strategies.network import arrays
from suite.strategies.network.arrays import Form
from suite.strategies.network.settings import FIX

#: Rows among which is chosen: more cost each text time, and everybody who gets the folder gets
#: them.
MOST_ROWS = 10_000
#: Words and pairs of words, the most frequent; characters where a script has no spaces.
_VIEW = View("script", 1, 2)
_MOST_TERMS = 100_000

ROWS, WEIGHTS = "examples.json", "examples.safetensors"
_MOST_BYTES = 100_000_000

#: Texts whose nearness to all rows is held at once.
_TEXTS_AT_ONCE = 256


def candidates(rows: Rows) -> list[Example]:
    """The training rows to choose among: all, or as many as may be, of the same rows the same."""
    pairs = list(zip(rows.texts, rows.labels, strict=True))
    return pairs if len(pairs) <= MOST_ROWS else random.Random(0).sample(pairs, MOST_ROWS)


class Neighbours:
    """Rows and their TF-IDF vectors.

    Args:
        rows: in an order that decides between equally near ones.
        count: how many a text is shown.
        terms: what is counted, in the order of columns.
        weights: inverse document frequency, float32 [terms].
    """

    def __init__(
        self,
        rows: Sequence[Excerpt],
        count: int,
        terms: Sequence[str],
        weights: NDArray[np.float32],
    ) -> None:
        self._rows = list(rows)
        self._count = min(count, len(self._rows))
        self._terms = list(terms)
        self._weights = weights.astype(np.float32)
        self._vectorizer = None
        if self._terms:
            known = {term: place for place, term in enumerate(self._terms)}
            self._vectorizer = make_vectorizer(_VIEW, sublinear=True, vocabulary=known)
            self._vectorizer.idf_ = self._weights
        self._vectors = self._vectors_of([row.text for row in self._rows]).T.tocsr()

    @classmethod
    def of(cls, rows: Sequence[Excerpt], count: int) -> Neighbours:
        """Of training rows."""
        found = ngram_counts.count(
            [row.text for row in rows],
            make_vectorizer(_VIEW, sublinear=True),
            min_df=1,
            most=_MOST_TERMS,
        )
        if not found.terms:
            return cls(rows, count, (), np.zeros(0, dtype=np.float32))
        weights = TfidfTransformer(sublinear_tf=True).fit(found.counts).idf_
        return cls(rows, count, found.terms, weights)

    @property
    def longest(self) -> list[Example]:
        """As many as a text is shown, none of which is shorter than those left out."""
        ordered = sorted(self._rows, key=lambda row: (-row.tokens, -len(row.text)))
        return [(row.text, row.label) for row in ordered[: self._count]]

    def choose(self, texts: Sequence[str]) -> list[list[Example]]:
        """The rows nearest to each text, the nearest last; a row of the very same text is passed
        over, so that training texts are asked as new ones are."""
        found = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            block = texts[start : start + _TEXTS_AT_ONCE]
            near = (self._vectors_of(block) @ self._vectors).toarray()
            found += [self._nearest(*each) for each in zip(block, near, strict=True)]
        return found

    def _nearest(self, text: str, near: NDArray[np.float32]) -> list[Example]:
        chosen: list[Example] = []
        for place in np.argsort(-near, kind="stable"):
            if len(chosen) == self._count:
                break
            row = self._rows[place]
            if not row.is_of(text):
                chosen.insert(0, (row.text, row.label))
        return chosen

    def _vectors_of(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        if self._vectorizer is None or not len(texts):
            return scipy.sparse.csr_matrix((len(texts), len(self._terms)), dtype=np.float32)
        return self._vectorizer.transform(texts)

    def save(self, folder: Path) -> None:
        """Writes the rows and terms as JSON, the weights as an array."""
        kept: dict[str, Any] = {
            "count": self._count,
            "texts": [row.text for row in self._rows],
            "labels": [row.label for row in self._rows],
            "whole": [row.whole for row in self._rows],
            "terms": self._terms,
        }
        (folder / ROWS).write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        arrays.write(folder / WEIGHTS, {"weights": self._weights})

    @classmethod
    def load(cls, folder: Path, classes: int) -> Neighbours:
        """What `save` wrote.

        Raises:
            ModelError: it is missing, damaged, or of more classes.
        """
        kept = jsonfile.load(folder / ROWS, KeptRows, most=_MOST_BYTES, fix=FIX)
        if kept.labels and max(kept.labels) >= classes:
            raise ModelError(
                f"labels: {max(kept.labels)} is none of {counted(classes, 'class', 'classes')}",
                where=str(folder / ROWS),
                fix=FIX,
            )
        form = {"weights": Form((len(kept.terms),))}
        weights = arrays.read(folder / WEIGHTS, form)["weights"]
        rows = [Excerpt(*each) for each in zip(kept.texts, kept.labels, kept.whole, strict=True)]
        return cls(rows, kept.count, kept.terms, weights)


class KeptRows(Strict):
    """`examples.json`: the rows to choose among, and the terms they are compared by."""

    count: Annotated[int, Field(ge=1, le=MOST_ROWS)]
    texts: Annotated[list[str], Field(max_length=MOST_ROWS)]
    labels: list[Annotated[int, Field(ge=0)]]
    whole: list[bool]
    terms: Annotated[list[str], Field(max_length=_MOST_TERMS)]

    @model_validator(mode="after")
    def _counted(self) -> KeptRows:
        if not len(self.texts) == len(self.labels) == len(self.whole) >= self.count:
            raise ValueError("texts, labels and whole are not of as many rows, or too few")
        if len(set(self.terms)) != len(self.terms):
            raise ValueError("a term stands twice")
        return self
