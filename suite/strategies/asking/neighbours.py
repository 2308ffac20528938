"""The training rows that are most like a text: examples of its own for every prompt.

Liu et al. 2022, "What Makes Good In-Context Examples for GPT-3?" (arXiv:2101.06804): the rows
nearest to a text teach more than drawn ones, and most where the nearest stands last. What is near
is another room's: `nearness`. It is of the rows as they are shown.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.contracts.strategy import Rows
from suite.errors import ModelError, counted
from suite.prompting.own_examples import Example, Excerpt
from suite.strategies.asking.nearness import MOST_TERMS, Nearness, TfidfNearness
from suite.strategies.network import arrays
from suite.strategies.network.arrays import Form
from suite.strategies.network.settings import FIX

#: Rows among which is chosen: more cost each text time, and everybody who gets the folder gets
#: them.
MOST_ROWS = 10_000

ROWS, WEIGHTS = "examples.json", "examples.safetensors"
_MOST_BYTES = 100_000_000

#: Texts whose nearness to all rows is held at once.
_TEXTS_AT_ONCE = 256


def candidates(rows: Rows) -> list[Example]:
    """The training rows to choose among: all, or as many as may be, of the same rows the same."""
    pairs = list(zip(rows.texts, rows.labels, strict=True))
    return pairs if len(pairs) <= MOST_ROWS else random.Random(0).sample(pairs, MOST_ROWS)


class Neighbours:
    """Rows, and which of them are near.

    Args:
        rows: in an order that decides between equally near ones.
        count: how many a text is shown.
        near: how near these rows are to a text.
    """

    def __init__(self, rows: Sequence[Excerpt], count: int, near: Nearness) -> None:
        self._rows = list(rows)
        self._count = min(count, len(self._rows))
        self._near = near

    @classmethod
    def of(
        cls,
        rows: Sequence[Excerpt],
        count: int,
        near: Callable[[Sequence[str]], Nearness] = TfidfNearness.of,
    ) -> Neighbours:
        """Of training rows.

        Args:
            near: makes of their texts what tells how near each is.
        """
        return cls(rows, count, near([row.text for row in rows]))

    @property
    def shape(self) -> str:
        """See `Nearness.shape`."""
        return self._near.shape

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
            near = self._near.of_texts(block)
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

    def save(self, folder: Path) -> None:
        """Writes the rows as JSON, and what tells how near they are."""
        kept: dict[str, Any] = {
            "count": self._count,
            "texts": [row.text for row in self._rows],
            "labels": [row.label for row in self._rows],
            "whole": [row.whole for row in self._rows],
            **self._near.settings(),
        }
        (folder / ROWS).write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        arrays.write(folder / WEIGHTS, self._near.arrays())
        self._near.save_model(folder)

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
        rows = [Excerpt(*each) for each in zip(kept.texts, kept.labels, kept.whole, strict=True)]
        return cls(rows, kept.count, _nearness(folder, kept))


def _nearness(folder: Path, kept: KeptRows) -> Nearness:
    """What told how near the rows are, read back."""
    if kept.embedded:  # torch takes seconds to import
        from suite.strategies.asking.embedded_nearness import EmbeddedNearness

        return EmbeddedNearness.load(folder, folder / WEIGHTS, len(kept.texts))
    weights = arrays.read(folder / WEIGHTS, {"weights": Form((len(kept.terms),))})["weights"]
    return TfidfNearness(kept.texts, kept.terms, weights)


class KeptRows(Strict):
    """`examples.json`: the rows to choose among, and the terms they are compared by, or that it is
    the embeddings of a model that lies beside them."""

    count: Annotated[int, Field(ge=1, le=MOST_ROWS)]
    texts: Annotated[list[str], Field(max_length=MOST_ROWS)]
    labels: list[Annotated[int, Field(ge=0)]]
    whole: list[bool]
    terms: Annotated[list[str], Field(max_length=MOST_TERMS)]
    embedded: bool = False

    @model_validator(mode="after")
    def _counted(self) -> KeptRows:
        if not len(self.texts) == len(self.labels) == len(self.whole) >= self.count:
            raise ValueError("texts, labels and whole are not of as many rows, or too few")
        if len(set(self.terms)) != len(self.terms):
            raise ValueError("a term stands twice")
        return self
