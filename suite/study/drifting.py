"""How far the splits of a study differ: how well a classifier that counts n-grams tells from a text
which split it is of. Where train and test are drawn from one source it can't; where test is newer,
or comes from elsewhere, it can, and scores on validation promise more than test keeps.

Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", 2017 (arXiv:1610.06545).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from suite.contracts.language import language_of
from suite.contracts.slices import FEWEST_ROWS, Drift
from suite.verdict.interval import around
from suite.verdict.slicing import auroc

#: Rows of a split that are looked at, evenly spread: with them an area is told to .02.
MOST_ROWS = 2000
#: Parts of cross-fitting.
PARTS = 5
#: Standard errors that 95 % lie within.
_REACH = 1.96


def between(splits: Mapping[str, Sequence[str]], language: str) -> list[Drift]:
    """Every two splits with how well they are told apart; those with too few rows are left out.

    Args:
        splits: name -> texts.
        language: of the texts.
    """
    some = {
        name: [texts[row] for row in range(0, len(texts), -(-len(texts) // MOST_ROWS))]
        for name, texts in splits.items()
        if len(texts) >= FEWEST_ROWS
    }
    return [_told_apart(one, other, some, language) for one, other in combinations(some, 2)]


def _told_apart(one: str, other: str, splits: Mapping[str, Sequence[str]], language: str) -> Drift:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    texts = [*splits[one], *splits[other]]
    of_other = np.arange(len(texts)) >= len(splits[one])
    spaced = language_of(language).spaced
    counting = TfidfVectorizer(
        analyzer="word" if spaced else "char",
        token_pattern=r"(?u)\b\w+\b",
        ngram_range=(1, 2),
        sublinear_tf=True,
    )
    telling = make_pipeline(counting, LogisticRegression(C=1.0, class_weight="balanced"))
    parts = StratifiedKFold(PARTS, shuffle=True, random_state=0)
    try:
        scores = cross_val_predict(telling, texts, of_other, cv=parts, method="decision_function")
    except ValueError:  # No text has a word.
        scores = np.zeros(len(texts))
    area, variance = auroc(np.asarray(scores, dtype=np.float64), of_other)
    rows = (len(splits[one]), len(splits[other]))
    interval = around(area, variance, _REACH, worth=float(min(rows)))
    return Drift(one, other, rows, area, (interval.low, interval.high))
