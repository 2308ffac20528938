"""Averaged n-gram vectors under a linear softmax, trained from scratch: fastText's classifier.

After Joulin et al. 2016, "Bag of Tricks for Efficient Text Classification" (arXiv:1607.01759):
a text is the mean of the vectors of its word n-grams (for Chinese: character n-grams), hashed
into buckets, the learning rate falls linearly. What differs: batches instead of single rows;
Adagrad with one accumulator per vector, so that rare n-grams learn as far as frequent ones; only
buckets that training filled are kept, so an n-gram never seen adds nothing, instead of noise;
and n-grams are dropped at random in training (Iyyer et al. 2015, "Deep Unordered Composition
Rivals Syntactic Methods").

The gradients of a model this simple are two sparse products, which scipy does several times
faster on a CPU than an autograd's embedding bag; so nothing here needs torch or a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from itertools import chain
from pathlib import Path

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.feature_extraction import FeatureHasher
from threadpoolctl import ThreadpoolController

from suite.contracts.language import LanguageCode, language_of
from suite.contracts.strategy import Probabilities, Run
from suite.errors import ModelError
from suite.strategies.classic import settings as files
from suite.strategies.classic.knobs import FastTextKnobs
from suite.strategies.classic.settings import FastTextSettings
from suite.strategies.classic.tokens import subwords, unit_cutter, unit_ngrams
from suite.strategies.network import loop
from suite.strategies.network.arrays import Form
from suite.strategies.network.softmax import softmax

FORMAT = "fasttext"

#: Passes over the rows for one epoch of the recipe's budget: a pass costs a second or two.
PASSES_PER_EPOCH = 5

#: The shortest and longest character n-grams inside English words.
SUBWORDS = (3, 5)

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Cutter:
    """Text -> hashed n-grams.

    Args:
        language: decides what a unit is.
        ngrams: the longest run of units.
        subwords: whether words' character n-grams come as well.
        buckets: how many hashes there are.
    """

    language: LanguageCode
    ngrams: int
    subwords: bool
    buckets: int

    def counts(self, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
        """How often each bucket occurs, float32 [texts, buckets]."""
        if not len(texts):
            return scipy.sparse.csr_matrix((0, self.buckets), dtype=np.float32)
        hasher = FeatureHasher(
            self.buckets, input_type="string", alternate_sign=False, dtype=np.float32
        )
        return hasher.transform(self._grams(text) for text in texts)

    def _grams(self, text: str) -> list[str]:
        units = unit_cutter(self.language)(text)
        found = unit_ngrams(units, self.ngrams)
        if self.subwords:
            found.extend(chain.from_iterable(map(_subwords, units)))
        return found


@lru_cache(maxsize=100_000)
def _subwords(word: str) -> list[str]:
    return subwords(word, *SUBWORDS)


class FastTextPredictor:
    """The mean of a text's n-gram vectors under a linear layer.

    Args:
        cutter: text -> buckets.
        filled: the buckets that have a vector, ascending, int32 [vectors].
        vectors: float32 [vectors, dim].
        weights: float32 [dim, classes].
        bias: float32 [classes].
    """

    precision = "float32"
    batch = 1024

    def __init__(
        self, cutter: Cutter, filled: NDArray[np.int32], vectors: Array, weights: Array, bias: Array
    ) -> None:
        self._cutter = cutter
        self._filled = filled
        self._vectors = vectors
        self._weights = weights
        self._bias = bias
        self._row_of = np.full(cutter.buckets, -1, dtype=np.int32)
        self._row_of[filled] = np.arange(len(filled), dtype=np.int32)
        self.serving_shape = (
            f"fasttext|{cutter.language}|1-{cutter.ngrams}"
            f"{'+subwords' if cutter.subwords else ''}|{weights.shape[0]}|{weights.shape[1]}"
        )

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; each row sums to 1."""
        if not len(texts):
            return np.zeros((0, len(self._bias)), dtype=np.float32)
        means = _means(self._cutter.counts(texts), self._row_of, len(self._filled))
        return softmax(means @ self._vectors @ self._weights + self._bias)

    def save(self, folder: Path) -> None:
        """Settings as JSON, arrays as safetensors."""
        files.write(
            folder,
            {
                "format": FORMAT,
                "language": self._cutter.language,
                "ngrams": self._cutter.ngrams,
                "subwords": self._cutter.subwords,
                "buckets": self._cutter.buckets,
            },
            {
                "filled": self._filled,
                "vectors": self._vectors,
                "weights": self._weights,
                "bias": self._bias,
            },
        )

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self._bias)

    @classmethod
    def restore(cls, folder: Path) -> FastTextPredictor:
        """From what `save` wrote.

        Raises:
            ModelError: something is missing or contradicts the rest.
        """
        kept = files.read(folder, FastTextSettings)
        found = files.read_arrays(
            folder,
            {
                "filled": Form(("vectors",), "I32"),
                "vectors": Form(("vectors", "dim")),
                "weights": Form(("dim", "classes")),
                "bias": Form(("classes",)),
            },
            {},
        )
        filled = found["filled"]
        if len(filled) and not (
            filled[0] >= 0 and filled[-1] < kept.buckets and (np.diff(filled) > 0).all()
        ):
            raise ModelError(
                f"the array 'filled' is no ascending list of {kept.buckets:,} buckets",
                where=str(folder / files.ARRAYS),
            )
        cutter = Cutter(kept.language, kept.ngrams, kept.subwords, kept.buckets)
        return cls(cutter, **found)


def _means(
    counts: scipy.sparse.csr_matrix, row_of: NDArray[np.int32], vectors: int
) -> scipy.sparse.csr_matrix:
    """Counts by bucket -> weights by vector, float32 [texts, vectors], each row summing to 1;
    a text without a known n-gram has an empty row."""
    rows = row_of[counts.indices]
    known = rows >= 0
    before = np.concatenate([[0], np.cumsum(known)])
    ends = before[counts.indptr]
    weights = counts.data[known]
    lengths = np.diff(ends)
    totals = np.add.reduceat(np.append(weights, 0), ends[:-1]) if len(lengths) else weights
    weights = weights / np.repeat(totals, lengths)
    return scipy.sparse.csr_matrix(
        (weights.astype(np.float32, copy=False), rows[known], ends), shape=(len(lengths), vectors)
    )


class _Learner:
    """The model while it learns.

    Args:
        at_once: rows whose hidden layer is held at once.
        predictor: vectors, weights and bias -> what predicts with them.
    """

    def __init__(
        self,
        means: scipy.sparse.csr_matrix,
        labels: NDArray[np.int64],
        class_weights: Array,
        *,
        at_once: int,
        predictor: Callable[[Array, Array, Array], FastTextPredictor],
        dim: int,
        learning_rate: float,
        dropout: float,
        seed: int,
    ) -> None:
        self._means = means
        self._labels = labels
        self._at_once = at_once
        self._predictor = predictor
        self._class_weights = class_weights
        self._learning_rate = learning_rate
        self._dropout = dropout
        self._rng = np.random.default_rng([seed, 1])
        # As in fastText: small vectors, an output layer that starts undecided.
        shape = (means.shape[1], dim)
        self.vectors = self._rng.random(shape, dtype=np.float32)
        self.vectors -= 0.5
        self.vectors *= 2 / dim
        self.weights = np.zeros((dim, len(class_weights)), dtype=np.float32)
        self.bias = np.zeros(len(class_weights), dtype=np.float32)
        self._vector_sums = np.zeros(shape[0], dtype=np.float32)
        self._weight_sums = np.zeros_like(self.weights)
        self._bias_sums = np.zeros_like(self.bias)
        self._threads = ThreadpoolController()

    def snapshot(self) -> FastTextPredictor:
        """A predictor with the weights as they are now."""
        return self._predictor(self.vectors.copy(), self.weights.copy(), self.bias.copy())

    def step(self, indices: loop.Indices, factor: float) -> float:
        """One Adagrad update on these rows; their loss."""
        # Products this small gain nothing from threads, and on a busy machine the waiting of
        # threads for each other costs ten times the work.
        with self._threads.limit(limits=1, user_api="blas"):
            return self._step(indices, factor)

    def _step(self, indices: loop.Indices, factor: float) -> float:
        rate = np.float32(self._learning_rate * factor)
        labels = self._labels[indices]
        chosen = self._means[indices]
        touched, columns = np.unique(chosen.indices, return_inverse=True)
        data = chosen.data
        if self._dropout:
            kept = self._rng.random(len(data), dtype=np.float32) >= self._dropout
            data = data * kept / np.float32(1 - self._dropout)
        means = scipy.sparse.csr_matrix(
            (data, columns, chosen.indptr), shape=(len(indices), len(touched))
        )
        vectors = self.vectors[touched]
        importance = self._class_weights[labels]
        importance = importance / np.float32(len(labels))
        if len(labels) <= self._at_once:
            slopes = self._slopes(means, vectors, labels, importance)
        else:
            slopes = _Slopes.added(
                self._slopes(means[part], vectors, labels[part], importance[part])
                for part in loop.parts(len(labels), self._at_once)
            )
        _adagrad(self.weights, self._weight_sums, slopes.weights, rate)
        _adagrad(self.bias, self._bias_sums, slopes.bias, rate)
        vector_slope = slopes.vectors

        sums = self._vector_sums[touched]
        sums += np.einsum("ij,ij->i", vector_slope, vector_slope) / vectors.shape[1]
        self._vector_sums[touched] = sums
        vector_slope *= (rate / (np.sqrt(sums) + _TINY))[:, None]
        vectors -= vector_slope
        self.vectors[touched] = vectors
        return slopes.loss

    def _slopes(
        self,
        means: scipy.sparse.csr_matrix,
        vectors: Array,
        labels: NDArray[np.int64],
        importance: Array,
    ) -> _Slopes:
        """Of some rows' loss, each row weighed by its importance."""
        hidden = means @ vectors
        probabilities = softmax(hidden @ self.weights + self.bias)
        positions = np.arange(len(labels))
        likelihood = probabilities[positions, labels]
        loss = float(-(importance * np.log(np.maximum(likelihood, 1e-12))).sum())
        slope = probabilities
        slope[positions, labels] -= 1
        slope *= importance[:, None]
        return _Slopes(
            loss, means.T @ (slope @ self.weights.T), hidden.T @ slope, slope.sum(axis=0)
        )


@dataclass(frozen=True)
class _Slopes:
    """A loss, and what it changes by with each number of the model."""

    loss: float
    vectors: Array
    weights: Array
    bias: Array

    @classmethod
    def added(cls, parts: Iterable[_Slopes]) -> _Slopes:
        """Of a loss that is the sum of its parts."""
        return reduce(
            lambda one, two: cls(
                one.loss + two.loss,
                one.vectors + two.vectors,
                one.weights + two.weights,
                one.bias + two.bias,
            ),
            parts,
        )


_TINY = np.float32(1e-10)


def _adagrad(values: Array, sums: Array, slope: Array, rate: np.float32) -> None:
    sums += slope * slope
    values -= rate * slope / (np.sqrt(sums) + _TINY)


def fit(run: Run) -> FastTextPredictor:
    """Hashes the training texts, trains, and reports checkpoints on the way.

    Raises:
        RecipeError: a hyperparameter is out of bounds.
        Pruned: from a checkpoint.
    """
    knobs = FastTextKnobs.of(run.params)
    cutter = Cutter(
        run.task.language,
        knobs.ngrams,
        knobs.subwords and language_of(run.task.language).spaced,
        knobs.buckets,
    )
    run.note(precision="float32", device="cpu", truncated=0.0, deterministic=True)

    counts = cutter.counts(run.train.texts)
    occurrences = np.bincount(counts.indices, weights=counts.data, minlength=1)
    min_count = knobs.min_count
    if min_count > 1 and not (occurrences >= min_count).any():
        min_count = 1
        run.note(min_count_used=1)
    filled = np.flatnonzero(occurrences >= min_count).astype(np.int32)
    row_of = np.full(cutter.buckets, -1, dtype=np.int32)
    row_of[filled] = np.arange(len(filled), dtype=np.int32)
    means = _means(counts, row_of, len(filled))
    run.note(features=len(filled))
    run.progress(0.1)

    labels = np.asarray(run.train.labels, dtype=np.int64)
    weights = loop.class_weights(run)

    def begin(at_once: int) -> _Learner:
        return _Learner(
            means,
            labels,
            weights,
            at_once=at_once,
            predictor=partial(FastTextPredictor, cutter, filled),
            dim=knobs.dim,
            learning_rate=knobs.learning_rate,
            dropout=knobs.dropout,
            seed=run.seed,
        )

    return loop.train(
        run,
        passes=run.epochs * PASSES_PER_EPOCH,
        batch=knobs.batch,
        begin=begin,
        advice="a smaller dim, a higher min_count or fewer buckets would help",
        begins=0.1,
    )
