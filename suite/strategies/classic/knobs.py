"""The hyperparameters of the classic models, and how their texts are written."""

from __future__ import annotations

import math
from dataclasses import dataclass

from suite.contracts.hyperparameters import Declared, declared

#: fastText's passes over the rows for one epoch of the recipe's budget: one costs a second or two.
PASSES_PER_EPOCH = 5

#: Lines that its training sees at least, and passes over so few rows at most. A line is a step of
#: the library's: 500 rows in 10 passes teach it next to nothing (BENCHMARKS.md), and what few rows
#: need costs a second.
LEAST_LINES = 100_000
MOST_PASSES = 200


@dataclass(frozen=True)
class View:
    """One way to cut texts into n-grams: `word`, `char`, `char_wb` (inside words), `script` (words
    or characters, as the script parts them) or `jieba`."""

    analyzer: str
    shortest: int
    longest: int

    @property
    def name(self) -> str:
        """As it is written: `word-1-2`."""
        return f"{self.analyzer}-{self.shortest}-{self.longest}"


def parse_views(ngrams: str) -> tuple[View, ...]:
    """`word-1-2`, or several joined by `+`: `word-1-2+char_wb-3-5`.

    Raises:
        ValueError: it is written otherwise.
    """
    views = []
    for part in ngrams.split("+"):
        analyzer, shortest, longest = part.split("-")
        view = View(analyzer, int(shortest), int(longest))
        known = analyzer in ("word", "char", "char_wb", "script", "jieba")
        if not known or not 1 <= view.shortest <= view.longest <= 9 or view.name != part:
            raise ValueError(part)
        views.append(view)
    return tuple(views)


def parse_widths(widths: str) -> tuple[int, ...]:
    """`2-3-4` -> (2, 3, 4).

    Raises:
        ValueError: it is written otherwise.
    """
    found = tuple(int(part) for part in widths.split("-"))
    if not all(1 <= width <= 20 for width in found) or "-".join(map(str, found)) != widths:
        raise ValueError(widths)
    return found


@dataclass(frozen=True)
class TfidfKnobs(Declared):
    """Of `tfidf`."""

    classifier: str = declared("svm", "the linear classifier", options=("svm", "logistic"))
    C: float = declared(0.5, "how little it is regularised", low=1e-6, high=1_000_000)
    ngrams: str = declared(
        "word-1-2",
        "how texts are cut",
        form=parse_views,
        wanted="analyzer-shortest-longest with the analyzer word, char, char_wb, script or jieba "
        "and lengths from 1 to 9 (word-1-2), or several joined by '+'",
    )
    min_df: int = declared(2, "texts that an n-gram must occur in", low=1, high=1_000_000)
    sublinear: bool = declared(True, "whether a count is damped to 1 + log(count)")


@dataclass(frozen=True)
class FastTextKnobs(Declared):
    """Of `fasttext`."""

    learning_rate: float = declared(0.5, "the highest step size", low=1e-6, high=100)
    dim: int = declared(16, "numbers in a vector", low=1, high=4096)
    ngrams: int = declared(2, "units in the longest n-gram", low=1, high=9)
    subwords: bool = declared(False, "whether parts of words count too")
    buckets: int = declared(1_048_576, "what n-grams are hashed to, at most", low=2, high=2**27)
    dropout: float = declared(0.3, "part of a text left out in a pass", low=0, high=0.95)


def fasttext_passes(rows: int, epochs: float) -> int:
    """Passes of fastText over so many rows in a budget.

    >>> fasttext_passes(100_000, 2), fasttext_passes(2_000, 2), fasttext_passes(100, 2)
    (10, 50, 200)
    """
    least = min(MOST_PASSES, math.ceil(LEAST_LINES / rows))
    return max(1, least, round(epochs * PASSES_PER_EPOCH))


@dataclass(frozen=True)
class TextCnnKnobs(Declared):
    """Of `textcnn`."""

    learning_rate: float = declared(4e-3, "the highest step size", low=1e-7, high=1)
    dim: int = declared(128, "numbers in a unit's vector", low=1, high=4096)
    filters: int = declared(64, "filters of each width", low=1, high=4096)
    widths: str = declared(
        "2-3-4",
        "units that a filter sees",
        form=parse_widths,
        wanted="widths from 1 to 20 joined by '-' (2-3-4)",
    )
    dropout: float = declared(0.4, "part of the features left out in a step", low=0, high=0.95)
    weight_decay: float = declared(0.01, "of AdamW", low=0, high=10)
    min_count: int = declared(2, "times a unit must occur", low=1, high=1_000_000)
    batch: int = declared(32, "texts in a step", low=1, high=65_536)
