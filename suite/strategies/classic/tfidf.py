"""TF-IDF n-grams under a linear SVM or logistic regression: the arm every other must beat.

One-shot: there is one checkpoint, at 1.0. Both classifiers are liblinear's (one class against
the rest), whose memory and time stay bounded where a multinomial fit's do not (119 classes on
300,000 n-grams): measured on five tasks it is also the better of the two.

A trained predictor is nothing but vocabularies, two vectors and a matrix; a fresh one and a
reloaded one are built from the same arrays, and so predict the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from suite.contracts.strategy import Beside, Probabilities, Run
from suite.strategies.classic import settings as files
from suite.strategies.classic.knobs import TfidfKnobs, View, parse_views
from suite.strategies.classic.ngram_counts import Counted, count
from suite.strategies.classic.settings import TfidfSettings
from suite.strategies.classic.tokens import by_script, jieba_cutter
from suite.strategies.network.arrays import Form
from suite.strategies.network.balance import weighted
from suite.strategies.network.softmax import softmax

FORMAT = "tfidf"

#: n-grams of one view × classes at most: the weights stay under a gigabyte while they are fitted.
MOST_WEIGHTS = 100_000_000
SVM_ITERATIONS = 1000
LOGISTIC_ITERATIONS = 100

Link = Literal["softmax", "sigmoid"]
Array = NDArray[Any]


class TfidfPredictor:
    """A linear classifier over TF-IDF n-grams.

    Args:
        views: how texts are cut; each view is normalised on its own, then they stand side by side.
        vocabularies: per view, its n-grams in column order.
        idf: per column of all views, inverse document frequency, float32 [columns].
        coefficients: float32 [columns, trained classes].
        intercepts: float32 [trained classes].
        trained: the class index of each trained class; the others have probability 0.
        classes: of the task.
        link: margins -> probabilities. `sigmoid` is logistic regression's own (each class
            against the rest, then normalised). `softmax` over an SVM's margins orders classes
            as the margins do but is not calibrated: its confidences mean nothing by themselves.
        sublinear: whether a term's count is damped to 1 + log(count).
        classifier: `svm` or `logistic`, for the record.
    """

    precision = "float32"
    batch = 1024

    def __init__(
        self,
        *,
        views: Sequence[View],
        vocabularies: Sequence[Sequence[str]],
        idf: Array,
        coefficients: Array,
        intercepts: Array,
        trained: Sequence[int],
        classes: int,
        link: Link,
        sublinear: bool,
        classifier: str,
    ) -> None:
        self._views = tuple(views)
        self._vocabularies = [list(v) for v in vocabularies]
        self._idf = idf.astype(np.float32)
        self._coefficients = np.ascontiguousarray(coefficients, dtype=np.float32)
        self._intercepts = intercepts.astype(np.float32)
        self._trained = [int(c) for c in trained]
        self._classes = classes
        self._link: Link = link
        self._sublinear = sublinear
        self._classifier = classifier
        self._vectorizers: list[TfidfVectorizer] = []
        start = 0
        for view, terms in zip(self._views, self._vocabularies, strict=True):
            vectorizer = make_vectorizer(
                view, sublinear=sublinear, vocabulary={t: i for i, t in enumerate(terms)}
            )
            vectorizer.idf_ = self._idf[start : start + len(terms)]
            self._vectorizers.append(vectorizer)
            start += len(terms)
        names = "+".join(view.name for view in self._views) or "prior"
        self.serving_shape = f"tfidf|{names}|{classifier}|{classes}"

    def margins(self, texts: Sequence[str]) -> Array:
        """Signed distances, float32 [texts, trained classes]."""
        total = np.tile(self._intercepts, (len(texts), 1))
        start = 0
        for vectorizer, terms in zip(self._vectorizers, self._vocabularies, strict=True):
            features = vectorizer.transform(texts)
            total += features @ self._coefficients[start : start + len(terms)]
            start += len(terms)
        return total

    def beside(self, texts: Sequence[str]) -> Beside:
        """Its margins; terms are too many to be an embedding."""
        scores = np.full((len(texts), self._classes), -np.inf, dtype=np.float32)
        scores[:, self._trained] = self.margins(texts)
        return Beside(scores)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; each row sums to 1."""
        probabilities = np.zeros((len(texts), self._classes), dtype=np.float32)
        if len(texts):
            margins = self.margins(texts)
            if self._link == "sigmoid":
                # At least the smallest normal number, so that a row never sums to 0.
                scores = np.maximum(0.5 * (1 + np.tanh(margins / 2)), np.finfo(np.float32).tiny)
                shares = scores / scores.sum(axis=1, keepdims=True)
            else:
                shares = softmax(margins)
            probabilities[:, self._trained] = shares
        return probabilities

    def save(self, folder: Path) -> None:
        """Vocabularies and settings as JSON, arrays as safetensors."""
        files.write(
            folder,
            {
                "format": FORMAT,
                "views": [view.name for view in self._views],
                "trained": self._trained,
                "classes": self._classes,
                "link": self._link,
                "sublinear": self._sublinear,
                "classifier": self._classifier,
                "vocabularies": self._vocabularies,
            },
            {
                "idf": self._idf,
                "coefficients": self._coefficients,
                "intercepts": self._intercepts,
            },
        )

    @property
    def classes(self) -> int:
        """How many there are."""
        return self._classes

    @classmethod
    def restore(cls, folder: Path) -> TfidfPredictor:
        """From what `save` wrote.

        Raises:
            ModelError: something is missing or contradicts the rest; or jieba is needed.
        """
        kept = files.read(folder, TfidfSettings)
        found = files.read_arrays(
            folder,
            {
                "idf": Form(("n-grams",)),
                "coefficients": Form(("n-grams", "trained")),
                "intercepts": Form(("trained",)),
            },
            {"n-grams": sum(map(len, kept.vocabularies)), "trained": len(kept.trained)},
        )
        return cls(
            views=[view for name in kept.views for view in parse_views(name)],
            vocabularies=kept.vocabularies,
            trained=kept.trained,
            classes=kept.classes,
            link=kept.link,
            sublinear=kept.sublinear,
            classifier=kept.classifier,
            **found,
        )


def make_vectorizer(
    view: View, *, sublinear: bool, vocabulary: dict[str, int] | None = None
) -> TfidfVectorizer:
    """scikit-learn's vectorizer for a view: float32, for it reads texts once there are weights."""
    cut: dict[str, Any] = {"analyzer": view.analyzer}
    if view.analyzer in ("jieba", "script"):
        cut = {
            "analyzer": "word",
            "tokenizer": jieba_cutter() if view.analyzer == "jieba" else by_script,
            "token_pattern": None,
            "lowercase": False,
        }
    return TfidfVectorizer(
        **cut,
        ngram_range=(view.shortest, view.longest),
        sublinear_tf=sublinear,
        vocabulary=vocabulary,
        dtype=np.float32,
    )


@dataclass(frozen=True)
class _Columns:
    """The training texts as one sparse matrix, and what made it."""

    views: tuple[View, ...]
    vocabularies: list[list[str]]
    idf: Array
    matrix: scipy.sparse.csr_matrix


def _vectorise(
    run: Run, views: tuple[View, ...], *, min_df: int, sublinear: bool, most: int
) -> _Columns:
    """Every view that finds an n-gram; single characters where none does; nothing at all for
    texts that are all empty."""
    kept: list[tuple[View, Counted]] = []
    lowered = min_df
    for position, view in enumerate((*views, View("char", 1, 2))):
        if kept and position == len(views):
            break
        for threshold in dict.fromkeys((min_df, 1)):
            counted = count(
                run.train.texts,
                make_vectorizer(view, sublinear=sublinear),
                min_df=threshold,
                most=most,
            )
            if counted.terms:
                kept.append((view, counted))
                lowered = min(lowered, threshold)
                break
    if lowered != min_df:
        run.note(min_df_used=lowered)
    used = tuple(view for view, _ in kept)
    if used != views:
        run.note(ngrams_used="+".join(view.name for view in used) or "none: all texts are empty")
    if any(len(counted.terms) == most for _, counted in kept):
        run.note(ngrams_capped_at=most)
    if not kept:
        return _Columns((), [], np.zeros(0), scipy.sparse.csr_matrix((len(run.train), 0)))
    weighted = [
        (scale, scale.fit_transform(counted.counts))
        for _, counted in kept
        for scale in [TfidfTransformer(sublinear_tf=sublinear)]
    ]
    return _Columns(
        used,
        [counted.terms for _, counted in kept],
        np.concatenate([scale.idf_ for scale, _ in weighted]),
        scipy.sparse.hstack([matrix for _, matrix in weighted], format="csr"),
    )


def fit(run: Run) -> TfidfPredictor:
    """Vectorises and fits, then reports the one checkpoint.

    Raises:
        RecipeError: a hyperparameter is out of bounds.
        ModelError: the n-grams need jieba, which is not installed.
    """
    knobs = TfidfKnobs.of(run.params)
    views = parse_views(knobs.ngrams)
    classes = len(run.task.labels)
    run.note(precision="float32", device="cpu", truncated=0.0, deterministic=True)

    if any(view.analyzer == "jieba" for view in views):
        with run.loading():
            jieba_cutter()
    columns = _vectorise(
        run,
        views,
        min_df=knobs.min_df,
        sublinear=knobs.sublinear,
        most=max(1, MOST_WEIGHTS // classes),
    )
    run.progress(0.4)
    run.note(features=int(columns.matrix.shape[1]))

    labels = np.asarray(run.train.labels, dtype=np.int64)
    trained = np.unique(labels)
    weights = compute_sample_weight("balanced", labels) if weighted(run) else np.ones(len(labels))
    if not columns.views or len(trained) == 1:
        # Nothing to tell classes apart by, or only one of them: their weighted shares.
        shares = np.asarray([weights[labels == c].sum() for c in trained])
        coefficients = np.zeros((columns.matrix.shape[1], len(trained)))
        intercepts = np.log(shares / shares.sum())
        link: Link = "softmax"
        run.note(fallback="no features or one class only: predicts class shares")
    else:
        fitter = _fit_svm if knobs.classifier == "svm" else _fit_logistic
        coefficients, intercepts, converged = fitter(
            columns.matrix, labels, weights, knobs.C, run.seed, run.progress
        )
        link = "softmax" if knobs.classifier == "svm" or len(trained) == 2 else "sigmoid"
        run.note(converged=converged)
    predictor = TfidfPredictor(
        views=columns.views,
        vocabularies=columns.vocabularies,
        idf=columns.idf,
        coefficients=coefficients,
        intercepts=intercepts,
        trained=trained.tolist(),
        classes=classes,
        link=link,
        sublinear=knobs.sublinear,
        classifier=knobs.classifier,
    )
    run.progress(1.0)
    run.checkpoint(predictor, 1.0)
    return predictor


_Fitted = tuple[Array, Array, bool]


def _fit_svm(
    matrix: scipy.sparse.csr_matrix,
    labels: Array,
    weights: Array,
    strength: float,
    seed: int,
    progress: Callable[[float], None],
) -> _Fitted:
    """Coefficients [columns, classes], intercepts [classes], and whether it converged."""
    model = LinearSVC(C=strength, random_state=seed, max_iter=SVM_ITERATIONS)
    converged = _quietly(lambda: model.fit(matrix, labels, sample_weight=weights))
    return (*_per_class(model.coef_, model.intercept_), converged)


def _fit_logistic(
    matrix: scipy.sparse.csr_matrix,
    labels: Array,
    weights: Array,
    strength: float,
    seed: int,
    progress: Callable[[float], None],
) -> _Fitted:
    """As `_fit_svm`; one class against the rest, each weighted by the whole problem's classes."""
    trained = np.unique(labels)
    positives = trained[1:] if len(trained) == 2 else trained
    coefficients = np.empty((len(positives), matrix.shape[1]))
    intercepts = np.empty(len(positives))
    converged = True
    for row, positive in enumerate(positives):
        model = LogisticRegression(
            C=strength, solver="liblinear", random_state=seed, max_iter=LOGISTIC_ITERATIONS
        )

        def train(model: LogisticRegression = model, positive: int = positive) -> None:
            model.fit(matrix, labels == positive, sample_weight=weights)

        converged &= _quietly(train)
        coefficients[row], intercepts[row] = model.coef_[0], model.intercept_[0]
        progress(0.4 + 0.6 * (row + 1) / len(positives))
    return (*_per_class(coefficients, intercepts), converged)


def _per_class(coefficients: Array, intercepts: Array) -> tuple[Array, Array]:
    """[classes, columns] -> [columns, classes]; a binary problem's one margin becomes two, whose
    softmax is the sigmoid of the one."""
    if len(coefficients) == 1:
        coefficients = np.concatenate([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    return coefficients.T, intercepts


def _quietly(train: Callable[[], Any]) -> bool:
    """Runs a fit; whether it converged within its bound (scikit-learn only warns)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train()
    return not any(issubclass(w.category, ConvergenceWarning) for w in caught)
