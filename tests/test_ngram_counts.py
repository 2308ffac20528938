"""N-grams are counted as scikit-learn counts them, to the last one."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as draw
from remembering_run import RememberingRun
from sklearn.base import clone

from suite.contracts.strategy import Rows
from suite.strategies.classic import tfidf
from suite.strategies.classic.knobs import parse_views
from suite.strategies.classic.ngram_counts import count

VIEWS = (
    "word-1-1", "word-1-2", "word-2-3", "word-1-9", "script-1-2", "char-1-3", "char-2-4",
    "char_wb-2-4", "char_wb-1-2", "char_wb-3-9",
)  # fmt: skip
LETTERS = "ab c\td\n\u3000\u2028E İΣς ß-_1'’ 中文字 \U0001f600\ud800"


def same(texts, view, min_df, most):
    """Both ways; None where scikit-learn finds no n-gram."""
    (cut,) = parse_views(view)
    theirs = clone(tfidf.make_vectorizer(cut, sublinear=False))
    theirs.set_params(min_df=min_df, max_features=most, use_idf=False, norm=None, dtype=float)
    found = count(texts, tfidf.make_vectorizer(cut, sublinear=False), min_df=min_df, most=most)
    try:
        wanted = theirs.fit_transform(texts)
    except ValueError:
        assert found.terms == []
        return None
    assert found.terms == theirs.get_feature_names_out().tolist()
    wanted.sort_indices()
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(found.counts, name), getattr(wanted, name), name)
    return found


@pytest.mark.parametrize("view", VIEWS)
@settings(max_examples=25, deadline=None)
@given(
    texts=draw.lists(draw.text(LETTERS, max_size=30), min_size=1, max_size=6),
    min_df=draw.integers(1, 3),
    most=draw.sampled_from([1, 3, 1000]),
)
def test_whatever_the_texts(view, texts, min_df, most):
    same(texts, view, min_df, most)


@pytest.mark.parametrize("view", VIEWS)
def test_of_many_texts(view):
    generator = random.Random(5)
    words = [f"w{i}" for i in range(40)]
    texts = [" ".join(generator.choices(words, k=generator.randint(0, 12))) for _ in range(300)]
    for min_df, most in ((1, 10**6), (3, 10**6), (2, 17)):
        found = same(texts, view, min_df, most)
        assert found is not None and (view != "word-2-3" or " " in found.terms[0])


def test_texts_are_weighed_as_scikit_learn_weighs_them(tmp_path):
    texts = ("a cat sat there", "the cat, a dog", "no dog", "") * 3
    views = parse_views("word-1-2+char_wb-2-4")
    run = RememberingRun(tmp_path, None, None, Rows(texts, (0, 1, 0, 1) * 3))
    columns = tfidf._vectorise(run, views, min_df=2, sublinear=True, most=10**6)
    start = 0
    for view, terms in zip(views, columns.vocabularies, strict=True):
        plain = clone(tfidf.make_vectorizer(view, sublinear=True)).set_params(min_df=2, dtype=float)
        wanted = plain.fit_transform(texts)
        assert terms == plain.get_feature_names_out().tolist()
        end = start + len(terms)
        np.testing.assert_array_equal(columns.idf[start:end], plain.idf_)
        part = columns.matrix[:, start:end].toarray()
        np.testing.assert_allclose(part, wanted.toarray(), rtol=1e-12)
        start = end
    assert run.notes == {}
