"""How often each n-gram stands in each text: what scikit-learn's vectorizers count, in fewer steps.

scikit-learn counts n-gram by n-gram in Python. Here a run of words is a number made of its
beginning's number and its last word's, so that counting is sorting; and n-grams inside words are
cut once for each different word, by scikit-learn, and then counted as often as the word stands in a
text. The counts, their order and what is left out are scikit-learn's to the last one
(tests/test_ngram_counts.py), so a vectorizer with these n-grams reads texts as they were counted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

Numbers = NDArray[np.int64]

#: Runs of white space that are one space to scikit-learn's n-grams of characters.
_SPACES = re.compile(r"\s\s+")


@dataclass(frozen=True)
class Counted:
    """Texts as counts.

    Args:
        terms: the n-grams, ascending, in column order.
        counts: float64 [texts, n-grams], indices ascending.
    """

    terms: list[str]
    counts: scipy.sparse.csr_matrix


def count(texts: Sequence[str], vectorizer: CountVectorizer, *, min_df: int, most: int) -> Counted:
    """What `vectorizer.fit_transform(texts)` counts.

    Args:
        vectorizer: decides how texts are cut.
        min_df: texts that an n-gram must occur in.
        most: n-grams at most: those that occur most often.
    """
    shortest, longest = vectorizer.ngram_range
    if vectorizer.analyzer == "char_wb":
        pieces = [_inside_words(texts, vectorizer)]
    elif vectorizer.analyzer == "char":
        made = vectorizer.build_preprocessor()
        numbers, lengths = _characters(_SPACES.sub(" ", made(text)) for text in texts)
        pieces = _runs(numbers, lengths, shortest, longest, lambda row: "".join(map(chr, row)))
    else:
        made, cut = vectorizer.build_preprocessor(), vectorizer.build_tokenizer()
        numbers, lengths, words = _words(cut(made(text)) for text in texts)
        pieces = _runs(
            numbers, lengths, shortest, longest, lambda row: " ".join([words[i] for i in row])
        )
    return _chosen(pieces, len(texts), min_df, most)


@dataclass(frozen=True)
class _Piece:
    """Counts of some n-grams, unordered, and what each of these is."""

    counts: scipy.sparse.csr_matrix
    term: Callable[[int], str]


def _chosen(pieces: Sequence[_Piece], texts: int, min_df: int, most: int) -> Counted:
    """The n-grams of all pieces that occur often enough, in their order."""
    terms: list[str] = []
    kept = []
    for piece in pieces:
        columns = np.flatnonzero(_texts_of(piece.counts) >= min_df)
        terms += [piece.term(column) for column in columns.tolist()]
        kept.append(_columns(piece.counts, columns))
    order = np.asarray(sorted(range(len(terms)), key=terms.__getitem__), dtype=np.int64)
    whole = scipy.sparse.hstack([*kept, scipy.sparse.csr_matrix((texts, 0))], format="csr")
    if len(order) > most:
        # As scikit-learn does it, so that of equally frequent ones the same stay.
        often = np.asarray(whole.sum(axis=0)).ravel()[order]
        order = order[np.sort((-often).argsort()[:most])]
    counts = _columns(whole, order)
    counts.sort_indices()
    return Counted([terms[place] for place in order.tolist()], counts)


def _texts_of(counts: scipy.sparse.csr_matrix) -> Numbers:
    """How many texts each n-gram occurs in."""
    return np.bincount(counts.indices, minlength=counts.shape[1])


def _columns(counts: scipy.sparse.csr_matrix, columns: Numbers) -> scipy.sparse.csr_matrix:
    """These columns in this order."""
    place = np.full(counts.shape[1], -1, dtype=np.int64)
    place[columns] = np.arange(len(columns))
    found = place[counts.indices]
    stays = found >= 0
    before = np.concatenate([[0], np.cumsum(stays)])
    return scipy.sparse.csr_matrix(
        (counts.data[stays], found[stays], before[counts.indptr]),
        shape=(counts.shape[0], len(columns)),
    )


def _words(cut: Iterable[Sequence[str]]) -> tuple[Numbers, Numbers, list[str]]:
    """The words of all texts as numbers, how many each text has, and what each number is."""
    known: defaultdict[str, int] = defaultdict()
    known.default_factory = known.__len__
    rows = [np.fromiter(map(known.__getitem__, words), np.int64, len(words)) for words in cut]
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    numbers = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    return numbers, lengths, list(known)


def _characters(texts: Iterable[str]) -> tuple[Numbers, Numbers]:
    """The characters of all texts as numbers, and how many each text has."""
    rows = [np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4") for text in texts]
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    numbers = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    return numbers.astype(np.int64), lengths


def _runs(
    numbers: Numbers,
    lengths: Numbers,
    shortest: int,
    longest: int,
    told: Callable[[Sequence[int]], str],
) -> list[_Piece]:
    """Runs of neighbouring units within a text, by their length.

    Args:
        numbers: the units of all texts, text behind text.
        told: units -> what their run is called.
    """
    ends = np.repeat(np.cumsum(lengths), lengths)
    base = int(numbers.max(initial=0)) + 1
    found = []
    #: Where the runs of this length begin, and a number for each, below `kinds`.
    starts = np.arange(len(numbers))
    runs, kinds = numbers, base
    for size in range(1, longest + 1):
        if size > 1:
            whole = starts + size <= ends[starts]
            starts = starts[whole]
            runs = runs[whole] * base + numbers[starts + size - 1]
            unique, runs = np.unique(runs, return_inverse=True)
            kinds = len(unique)
        if size >= shortest:
            fewer = np.maximum(lengths - (size - 1), 0)
            found.append(_piece(numbers, starts, runs, kinds, fewer, size, told))
    return found


def _piece(
    numbers: Numbers,
    starts: Numbers,
    runs: Numbers,
    kinds: int,
    of_each: Numbers,
    size: int,
    told: Callable[[Sequence[int]], str],
) -> _Piece:
    begins = np.zeros(kinds, dtype=np.int64)
    begins[runs] = starts  # of each kind one place where it stands
    bounds = np.concatenate([[0], np.cumsum(of_each)])
    counts = scipy.sparse.csr_matrix(
        (np.ones(len(runs)), runs, bounds), shape=(len(of_each), kinds)
    )
    counts.sum_duplicates()

    def term(column: int) -> str:
        begin = begins[column]
        return told(numbers[begin : begin + size].tolist())

    return _Piece(counts, term)


def _inside_words(texts: Sequence[str], vectorizer: CountVectorizer) -> _Piece:
    """N-grams of characters inside words, where a word is what white space parts."""
    made = vectorizer.build_preprocessor()
    numbers, lengths, words = _words(made(text).split() for text in texts)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    of_texts = scipy.sparse.csr_matrix(
        (np.ones(len(numbers)), numbers, bounds), shape=(len(texts), len(words))
    )
    of_texts.sum_duplicates()
    if not words:
        return _Piece(scipy.sparse.csr_matrix((len(texts), 0)), str)
    cut: Any = CountVectorizer(
        analyzer="char_wb", ngram_range=vectorizer.ngram_range, dtype=np.float64
    )
    of_words = cut.fit_transform(words)
    terms = cut.get_feature_names_out().tolist()
    return _Piece((of_texts @ of_words).tocsr(), terms.__getitem__)
