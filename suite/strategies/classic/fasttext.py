"""Averaged vectors of words and n-grams under a softmax, trained from scratch by fastText.

Joulin et al. 2016, "Bag of Tricks for Efficient Text Classification" (arXiv:1607.01759), by the
library of its authors as it is kept today (PyPI: fasttext-community). What comes from here: texts
are cut as their language asks (Chinese by characters) and written in a seeded order, once for each
pass, with words left out at random (Iyyer et al. 2015, "Deep Unordered Composition Rivals
Syntactic Methods"): with few rows that is worth a point or two of F1. A text stands as often in a
pass as its class weighs.

The library has no callback: there is one checkpoint, at 1.0. It trains in one thread, for with
several the same seed gives another model each time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain, compress
from pathlib import Path

import fasttext
import numpy as np
from numpy.typing import NDArray

from suite.contracts.language import LanguageCode, language_of
from suite.contracts.strategy import Beside, Probabilities, Run
from suite.errors import ModelError, RecipeError, SuiteError
from suite.machine import scratch
from suite.strategies.classic import knobs as knobs_of
from suite.strategies.classic import settings as files
from suite.strategies.classic.fasttext_file import (
    LABEL,
    MOST_BYTES,
    SUBWORDS,
    Parts,
    fits,
    model_of,
    parts_of,
)
from suite.strategies.classic.knobs import FastTextKnobs
from suite.strategies.classic.settings import FastTextSettings
from suite.strategies.classic.tokens import unit_cutter
from suite.strategies.network.arrays import Form
from suite.strategies.network.balance import class_weights
from suite.strategies.network.softmax import softmax

FORMAT = "fasttext-library"

#: Lines written for training at most. Above, each serves several passes, and two that differ are
#: the least by which leaving out words does not lose any.
MOST_LINES = 500_000

#: What studies search that were made when the suite trained fastText by itself.
_GONE = frozenset({"batch", "min_count"})


class Cutter:
    """Text -> its words as the library reads them: a line, parted by spaces."""

    def __init__(self, language: LanguageCode) -> None:
        self.language = language
        self._cut = unit_cutter(language)

    def line(self, text: str) -> str:
        """Without labels, and without halves of characters, which the library can't read."""
        line = " ".join(self._cut(text)).encode("utf-8", "replace").decode("utf-8")
        if LABEL not in line:
            return line
        return " ".join(f"_{word}" if word.startswith(LABEL) else word for word in line.split(" "))


class FastTextPredictor:
    """The mean of a text's vectors under a linear layer.

    Args:
        language: decides what a word is.
        classes: of the task; those that training never met have probability 0.
    """

    precision = "float32"
    batch = 1024

    def __init__(self, language: LanguageCode, classes: int, parts: Parts) -> None:
        self._cutter = Cutter(language)
        self._classes = classes
        self._parts = parts
        self._model = model_of(parts)
        self._weights = np.ascontiguousarray(parts.output.T)
        self.serving_shape = (
            f"fasttext|{language}|1-{parts.ngrams}{'+subwords' if parts.subwords else ''}"
            f"|{parts.dim}|{classes}"
        )

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; each row sums to 1."""
        probabilities = np.zeros((len(texts), self._classes), dtype=np.float32)
        if len(texts):
            probabilities[:, self._parts.trained] = softmax(self._means(texts) @ self._weights)
        return probabilities

    def beside(self, texts: Sequence[str]) -> Beside:
        """Its scores, and the means that they are made of."""
        means = self._means(texts)
        scores = np.full((len(texts), self._classes), -np.inf, dtype=np.float32)
        scores[:, self._parts.trained] = means @ self._weights
        return Beside(scores, means)

    def _means(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The mean of each text's vectors, float32 [texts, dim]; one text at least."""
        mean, line = self._model.get_sentence_vector, self._cutter.line
        return np.stack([mean(line(text)) for text in texts])

    def save(self, folder: Path) -> None:
        """Words and settings as JSON, arrays as safetensors."""
        parts = self._parts
        files.write(
            folder,
            {
                "format": FORMAT,
                "language": self._cutter.language,
                "classes": self._classes,
                "trained": list(parts.trained),
                "ngrams": parts.ngrams,
                "subwords": parts.subwords,
                "buckets": parts.buckets,
                "words": list(parts.words),
            },
            {"filled": parts.filled, "vectors": parts.vectors, "output": parts.output},
        )

    @property
    def classes(self) -> int:
        """How many there are."""
        return self._classes

    @classmethod
    def restore(cls, folder: Path) -> FastTextPredictor:
        """From what `save` wrote.

        Raises:
            ModelError: something is missing or contradicts the rest.
            SuiteError: the library's file can't be written.
        """
        kept = files.read(folder, FastTextSettings)
        found = files.read_arrays(
            folder,
            {
                "filled": Form(("vectors",), "I32"),
                "vectors": Form(("vectors", "dim")),
                "output": Form(("trained", "dim")),
            },
            {"trained": len(kept.trained)},
        )
        parts = Parts(
            ngrams=kept.ngrams,
            subwords=kept.subwords,
            buckets=kept.buckets,
            words=kept.words,
            trained=kept.trained,
            **found,
        )
        filled = parts.filled
        if len(filled) and not (
            filled[0] >= 0 and filled[-1] < parts.rows and (np.diff(filled) > 0).all()
        ):
            raise ModelError(
                f"the array 'filled' is no ascending list of {parts.rows:,} vectors",
                where=str(folder / files.ARRAYS),
            )
        if not parts.dim or not fits(parts.rows, parts.dim):
            raise ModelError(
                f"a table of {parts.rows:,} × {parts.dim:,} numbers is none that was trained here",
                where=str(folder / files.ARRAYS),
            )
        return cls(kept.language, kept.classes, parts)


def fit(run: Run) -> FastTextPredictor:
    """Writes the training texts, trains, then reports the one checkpoint.

    Raises:
        RecipeError: a hyperparameter is out of bounds, or the vectors take too much memory.
        SuiteError: the loss is no longer a number.
    """
    knobs = FastTextKnobs.of(run.params)
    subwords = knobs.subwords and language_of(run.task.language).spaced
    run.note(precision="float32", device="cpu", truncated=0.0, deterministic=True)
    if gone := sorted(_GONE & run.params.keys()):
        run.note(passed_over=gone)

    cutter = Cutter(run.task.language)
    rows = [cutter.line(text).split() for text in run.train.texts]
    passes = knobs_of.fasttext_passes(len(rows), run.epochs)
    copies = min(passes, max(1, MOST_LINES // len(rows)))
    run.note(passes=passes)
    dropout = knobs.dropout if copies > 1 else 0.0
    if dropout != knobs.dropout:
        run.note(dropout_used=dropout)
    # Where nothing is hashed the library has no bucket, whatever it is told.
    buckets = min(knobs.buckets, max(1, 2 * _hashed(rows, knobs.ngrams, subwords)))
    if not fits(buckets, knobs.dim):
        raise RecipeError(
            f"{buckets:,} buckets of {knobs.dim:,} numbers take more than {MOST_BYTES // 10**9} GB",
            fix="Lower buckets or dim under 'spaces' in the recipe.",
        )

    with scratch.folder(run.folder) as folder:
        file = folder / "train.txt"
        with file.open("w", encoding="utf-8", newline="\n") as opened:
            opened.writelines(_lines(run, rows, copies, dropout))
        run.progress(0.2)
        try:
            model = fasttext.train_supervised(
                str(file),
                lr=knobs.learning_rate,
                dim=knobs.dim,
                wordNgrams=knobs.ngrams,
                minn=SUBWORDS[0] if subwords else 0,
                maxn=SUBWORDS[1] if subwords else 0,
                bucket=buckets,
                epoch=math.ceil(passes / copies),
                thread=1,
                seed=run.seed % 2**31,
                verbose=0,
            )
        except RuntimeError as error:
            if "NaN" not in str(error):
                raise
            raise SuiteError(
                "the loss is no longer a number: training diverged",
                where=f"{run.model.name}/classic",
                fix="Lower the upper end of learning_rate in the recipe's spaces.",
            ) from None
        parts = parts_of(model, subwords=subwords, seed=run.seed % 2**31, folder=folder)
    del model  # Its table is as large as the predictor's own.
    run.note(features=len(parts.filled))
    predictor = FastTextPredictor(run.task.language, len(run.task.labels), parts)
    run.progress(1.0)
    run.checkpoint(predictor, 1.0)
    return predictor


def _hashed(rows: Sequence[Sequence[str]], ngrams: int, subwords: bool) -> int:
    """How many n-grams and parts of words are hashed, about, those that occur again counted."""
    found = (ngrams - 1) * sum(map(len, rows))
    if subwords:
        shortest, longest = SUBWORDS
        found += (longest - shortest + 1) * sum(map(len, set(chain.from_iterable(rows))))
    return found


def _lines(run: Run, rows: Sequence[Sequence[str]], copies: int, dropout: float) -> Iterator[str]:
    """So many passes over the rows, each in an order of its own and with other words left out.

    A row stands in a pass as often as its class weighs, in the mean: the fraction of a weight is
    drawn (systematic resampling), and weights of 1 are each row once.
    """
    rng = np.random.default_rng(run.seed)
    labels, soft = np.asarray(run.train.labels), run.train.soft
    reached = np.concatenate([[0.0], np.cumsum(class_weights(run)[labels], dtype=np.float64)])
    for _ in range(copies):
        if soft is not None:
            # What a teacher is not sure of is another class in one pass and in the next.
            drawn = rng.random((len(rows), 1)) * soft.sum(axis=1, keepdims=True)
            labels = (np.cumsum(soft[:, :-1], axis=1) <= drawn).sum(axis=1)
        often = np.diff(np.floor(reached + rng.random())).astype(np.int64)
        for place in rng.permutation(np.repeat(np.arange(len(rows)), often)):
            words: Sequence[str] | Iterator[str] = rows[place]
            if dropout:
                words = compress(words, rng.random(len(rows[place])) >= dropout)
            yield f"{LABEL}{labels[place]} {' '.join(words)}\n"
