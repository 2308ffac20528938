"""How far the splits of a study differ: how well a classifier that counts n-grams tells from a text
which split it is of. Where train and test are drawn from one source it can't; where test is newer,
or comes from elsewhere, it can, and scores on validation promise more than test keeps.

Texts of one form are looked at once a split: carving leaves repeats on one side, and a classifier
that has seen one of them would know the others.

Lopez-Paz and Oquab, "Revisiting classifier two-sample tests", 2017 (arXiv:1610.06545). The area of
cross-fitted scores varies more than DeLong's variance says, for its trainings share rows: each part
counts 1/parts + 1/(parts - 1) in place of 1/parts (Nadeau and Bengio, "Inference for the
generalization error", 2003). By DeLong's alone 88 % of the intervals of 60 simulated studies held
what they should; `python -m tests.verdicts.parts` asks it of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from suite.contracts.language import language_of
from suite.contracts.slices import FEWEST_ROWS, Drift
from suite.data.audit import normalise
from suite.verdict.interval import around
from suite.verdict.slicing import auroc

#: Texts of a split that are looked at, evenly spread: with them an area is told to .02; and
#: characters of each.
MOST_ROWS, MOST_CHARACTERS = 2000, 4000
#: Parts of cross-fitting.
PARTS = 5
#: By how much more the area varies than that of scores by one training on other rows.
_SHARED = 1 + PARTS / (PARTS - 1)
#: Standard errors that 95 % lie within.
_REACH = 1.96


def between(splits: Mapping[str, Sequence[str]], language: str) -> list[Drift]:
    """Every two splits with how well they are told apart; those with too few rows are left out.

    Args:
        splits: name -> texts.
        language: of the texts.
    """
    some = {name: _distinct(texts) for name, texts in splits.items()}
    enough = [name for name, texts in some.items() if len(texts) >= FEWEST_ROWS]
    return [_told_apart(one, other, some, language) for one, other in combinations(enough, 2)]


def _distinct(texts: Sequence[str]) -> list[str]:
    """The beginnings of texts of different forms, evenly spread."""
    seen: set[int] = set()
    rows = []
    for row, text in enumerate(texts):
        form = hash(normalise(text))
        if form not in seen:
            seen.add(form)
            rows.append(row)
    step = max(1, -(-len(rows) // MOST_ROWS))
    return [texts[row][:MOST_CHARACTERS] for row in rows[::step]]


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
    interval = around(area, _SHARED * variance, _REACH, worth=min(rows) / _SHARED)
    return Drift(one, other, rows, area, (interval.low, interval.high))
