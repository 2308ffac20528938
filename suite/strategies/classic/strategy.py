"""`classic`: models without a pretrained network, made from the task's training texts alone.

Dispatches on the model's builder. The spaces are here and not beside the models because the
study asks for them in a process that must import neither scikit-learn nor torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from suite.contracts import balancing, cutting, teaching
from suite.contracts.balancing import Balancing, Weighing
from suite.contracts.cutting import Plain
from suite.contracts.hyperparameters import Declared, Hyperparameter
from suite.contracts.language import language_of
from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Float, Int, Params, Space
from suite.contracts.strategy import Predictor, Run
from suite.contracts.task import Task
from suite.contracts.teaching import Teaching
from suite.data import soft
from suite.errors import ModelError
from suite.models import needs
from suite.strategies.classic import settings as files
from suite.strategies.classic.knobs import (
    FastTextKnobs,
    TextCnnKnobs,
    TfidfKnobs,
    fasttext_passes,
    parse_views,
    parse_widths,
)
from suite.strategies.classic.tokens import JIEBA, jieba_installed
from suite.strategies.network.taught import taught


class ClassicStrategy:
    """TF-IDF with a linear classifier, averaged n-gram vectors, a convolutional network."""

    name = "classic"
    families = ("classic",)
    cheap = True
    packages = (JIEBA,)
    variants = teaching.VARIANTS

    def hyperparameters(self, model: Model) -> Mapping[str, Hyperparameter]:
        """What each may be, by builder."""
        known = _builder(model)
        cuts = Plain.hyperparameters() if known.cuts else {}
        learns = known.balances.hyperparameters() | Teaching.hyperparameters()
        return known.knobs.hyperparameters() | cuts | learns

    def lacks(self, model: Model, task: Task, space: Space) -> str | None:
        """A teacher's answers, where it is to learn from them."""
        return soft.lacks(task, space)

    def preload(self, model: Model) -> Sequence[str]:
        """Of tfidf scikit-learn; of textcnn torch, with what it imports where an optimiser is
        made."""
        if model.builder == "tfidf":
            return ("sklearn.feature_extraction.text", "sklearn.linear_model", "sklearn.svm")
        return ("torch", "torch._dynamo") if model.builder == "textcnn" else ()

    def scored_once(self, model: Model) -> bool:
        """All but textcnn, which is scored on the way: no other can be looked into while it
        learns."""
        return model.builder != "textcnn"

    def deterministic(self, model: Model, params: Params) -> bool:
        """tfidf under a logistic regression is; the linear SVM draws the order of its rows."""
        return model.builder == "tfidf" and params.get("classifier") == "logistic"

    def shrinks(self, model: Model) -> bool:
        """textcnn does; the others have no batch."""
        return model.builder == "textcnn"

    def refuses(self, model: Model, task: Task) -> str | None:
        """A reason where the model is none of the three, or does not read the language."""
        if model.endpoint is not None:
            return needs.served(model)
        if model.builder not in _BUILDERS:
            return (
                f"classic builds {', '.join(_BUILDERS)}; {model.name} is a pretrained or "
                "transformer model: use linear_head or probe"
            )
        return needs.speaks(model, task)

    def space(self, model: Model, task: Task) -> Space:
        """Dimensions and known-good points, by builder and language."""
        return _builder(model).space(task)

    def for_long_texts(self, space: Space, model: Model) -> Space:
        """Of textcnn what is read is searched too; the others read texts whole."""
        return cutting.searched(space, Plain) if _builder(model).cuts else space

    def for_rare_classes(self, space: Space, model: Model, task: Task) -> Space:
        """What makes up for them is searched too, by what the builder can."""
        return balancing.searched(space, _builder(model).balances, task)

    def known_good(self, model: Model, task: Task, rows: int) -> Sequence[Params]:
        """Points for so many rows: fasttext's leave more words out where rows are few."""
        if model.builder == "fasttext":
            return _fasttext_points(task, rows)
        return self.space(model, task).known_good

    def passes(self, model: Model, rows: int, epochs: float) -> float:
        """fasttext's are more where rows are few."""
        return fasttext_passes(rows, epochs) if model.builder == "fasttext" else epochs

    def effort(self, model: Model, params: Params) -> float:
        """What a point asks for, by builder, in numbers that were fitted to measured seconds."""
        return _builder(model).effort(params)

    def fit(self, run: Run) -> Predictor:
        """Trains; `run.checkpoints` checkpoints for textcnn, one for the other two.

        Raises:
            RecipeError: a hyperparameter is out of bounds.
            Pruned: from a checkpoint.
        """
        fitted: Predictor = _builder(run.model).module().fit(taught(run))
        return fitted

    def load(self, folder: Path) -> Predictor:
        """Reads what a classic predictor saved.

        Raises:
            ModelError: the folder is missing something, damaged, or of an unknown format.
        """
        named = files.format_of(folder)
        builder = next((one for one in _BUILDERS.values() if one.format == named), None)
        if named == _OWN_FASTTEXT:
            raise ModelError(
                "it is a fastText of the suite's own, which the fastText library has replaced",
                where=str(folder),
                fix="Train it again, in a new study.",
            )
        if builder is None:
            raise ModelError(
                f"unknown format '{named[:100]}' of a classic predictor", where=str(folder)
            )
        restored: Predictor = getattr(builder.module(), builder.predictor).restore(folder)
        return restored


def _tfidf_space(task: Task) -> Space:
    if not language_of(task.language).spaced:
        plain, richer = "char-1-3", "char-1-4"
        ngrams = ["char-1-2", plain, richer]
        if task.language == "zh" and jieba_installed():
            ngrams += ["jieba-1-2", "char-1-3+jieba-1-2"]
            richer = "char-1-3+jieba-1-2"
    else:
        # scikit-learn's words end at every vowel sign of Hindi.
        by = "word" if task.language == "en" else "script"
        plain, richer = f"{by}-1-2", f"{by}-1-2+char_wb-2-4"
        ngrams = [f"{by}-1-1", plain, f"{by}-1-3", "char_wb-2-5", richer]
    first = asdict(TfidfKnobs(ngrams=plain))
    return Space(
        TfidfKnobs.dimensions(
            classifier=Choice(("svm", "logistic")),
            C=Float(0.05, 20, log=True),
            ngrams=Choice(tuple(ngrams)),
            min_df=Int(1, 5),
            sublinear=Choice((True, False)),
        ),
        (
            first,
            first | {"ngrams": richer},
            first | {"classifier": "logistic", "C": 15.0, "min_df": 1},
        ),
    )


def _tfidf_effort(params: Params) -> float:
    """N-grams are counted, of characters about seven for one of words, and the fit looks the longer
    at them the less it is regularised."""
    knobs = TfidfKnobs.of(params)
    counted = 1.0
    for view in parse_views(knobs.ngrams):
        each = 7 if view.analyzer.startswith("char") else 1
        counted += each * (view.longest - view.shortest + 1)
    return float(counted * (1 + knobs.C) ** 0.25 * (1.5 if knobs.min_df == 1 else 1.0))


#: Rows below which fastText does better the more words are left out (BENCHMARKS.md).
_FEW_ROWS = 10_000


def _fasttext_points(task: Task, rows: int) -> tuple[Params, ...]:
    first = FastTextKnobs()
    if not language_of(task.language).spaced:
        first = replace(first, dim=32, dropout=0.1)
        second = replace(first, ngrams=3)
    elif rows < _FEW_ROWS:
        first = replace(first, dropout=0.5)
        second = replace(first, dropout=0.7)
    else:
        second = replace(first, learning_rate=1.0, dropout=0.5)
    return asdict(first), asdict(second)


def _fasttext_space(task: Task) -> Space:
    spaced = language_of(task.language).spaced
    return Space(
        FastTextKnobs.dimensions(
            learning_rate=Float(0.1, 2.0, log=True),
            dim=Choice((16, 32, 64)),
            ngrams=Choice((1, 2, 3)),
            subwords=Choice((False, True)) if spaced else Fixed(False),
            dropout=Float(0.0, 0.8),
        ),
        _fasttext_points(task, _FEW_ROWS),
    )


def _fasttext_effort(params: Params) -> float:
    """Lines are written and words looked up; and each unit of a text adds a vector."""
    knobs = FastTextKnobs.of(params)
    return 85 + knobs.dim * (knobs.ngrams + 5 * knobs.subwords)


def _textcnn_effort(params: Params) -> float:
    """Texts are cut, steps taken, and each filter is multiplied with what it sees."""
    knobs = TextCnnKnobs.of(params)
    products = knobs.dim * knobs.filters * sum(parse_widths(knobs.widths))
    return 75_000 + 800_000 / knobs.batch + products


def _textcnn_space(task: Task) -> Space:
    return Space(
        TextCnnKnobs.dimensions(
            learning_rate=Float(5e-4, 1e-2, log=True),
            dim=Choice((64, 128, 256)),
            filters=Choice((32, 64, 128)),
            widths=Choice(("2-3", "2-3-4", "3-4-5", "2-3-4-5")),
            dropout=Float(0.1, 0.7),
            weight_decay=Float(1e-3, 0.3, log=True),
            min_count=Int(1, 3),
            batch=Choice((16, 32, 64)),
        ),
        (asdict(TextCnnKnobs()),),
    )


@dataclass(frozen=True)
class _Builder:
    """A classic model: its hyperparameters, its space, how much a point asks for, what trains and
    restores it, the format by which it is kept, whether it cuts long texts, and what it can do for
    rare classes."""

    knobs: type[Declared]
    space: Callable[[Task], Space]
    effort: Callable[[Params], float]
    file: str
    predictor: str
    format: str
    cuts: bool = False
    balances: type[Declared] = Weighing

    def module(self) -> Any:
        return import_module(f"suite.strategies.classic.{self.file}")


_BUILDERS: Mapping[str, _Builder] = {
    "tfidf": _Builder(TfidfKnobs, _tfidf_space, _tfidf_effort, "tfidf", "TfidfPredictor", "tfidf"),
    "fasttext": _Builder(
        FastTextKnobs,
        _fasttext_space,
        _fasttext_effort,
        "fasttext",
        "FastTextPredictor",
        "fasttext-library",
    ),
    "textcnn": _Builder(
        TextCnnKnobs,
        _textcnn_space,
        _textcnn_effort,
        "textcnn",
        "TextCnnPredictor",
        "textcnn",
        cuts=True,
        balances=Balancing,
    ),
}

#: How a fastText was kept that the suite trained by itself.
_OWN_FASTTEXT = "fasttext"


def _builder(model: Model) -> _Builder:
    if model.builder is None or model.builder not in _BUILDERS:
        raise ModelError(f"classic builds {', '.join(_BUILDERS)}, not {model.name}")
    return _BUILDERS[model.builder]
