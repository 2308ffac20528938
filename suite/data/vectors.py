"""Texts as short vectors that need no model: what tells how unlike they are, in any language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Dimensions at most, and buckets of the character n-grams that they are made of.
_DIMENSIONS, _BUCKETS = 64, 2**16
#: Characters of a text that are looked at.
_CHARACTERS = 2_000


def vectors(texts: Sequence[str], *, spaced: bool, seed: int = 0) -> NDArray[np.float32]:
    """Latent semantic vectors of texts of unit length, [texts, at most 64] (TF-IDF of character
    n-grams, then the largest singular vectors).

    Args:
        spaced: whether spaces part the words of their language.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.preprocessing import normalize

    short = [text[:_CHARACTERS] for text in texts]
    counted: Any = HashingVectorizer(
        analyzer="char_wb" if spaced else "char",
        ngram_range=(2, 4) if spaced else (1, 3),
        n_features=_BUCKETS,
        alternate_sign=False,
        norm=None,
    ).transform(short)
    weighed: Any = TfidfTransformer(sublinear_tf=True).fit_transform(counted)
    dimensions = min(_DIMENSIONS, len(short) - 1)
    if dimensions < 2:
        return np.ones((len(short), 1), dtype=np.float32)
    found = TruncatedSVD(dimensions, random_state=seed).fit_transform(weighed)
    made: NDArray[np.float32] = normalize(found).astype(np.float32)
    return made
