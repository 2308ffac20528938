"""`classic`: models without a pretrained network, made from the task's training texts alone.

Dispatches on the model's builder. The spaces are here and not beside the models because the
study asks for them in a process that must import neither scikit-learn nor torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from suite.contracts.model import Model
from suite.contracts.space import Choice, Dimension, Fixed, Float, Int, Params, Space
from suite.contracts.strategy import Predictor, Run
from suite.contracts.task import Task
from suite.errors import ModelError
from suite.strategies.classic.settings import DEFAULTS
from suite.strategies.classic.tokens import jieba_installed

BUILDERS = ("tfidf", "fasttext", "textcnn")


class ClassicStrategy:
    """TF-IDF with a linear classifier, averaged n-gram vectors, a convolutional network."""

    name = "classic"

    def refuses(self, model: Model, task: Task) -> str | None:
        """A reason where the model is none of the three, or does not read the language."""
        if model.builder not in BUILDERS:
            return (
                f"classic builds {', '.join(BUILDERS)}; {model.name} is a pretrained or "
                "transformer model: use linear_head or probe"
            )
        if task.language not in model.languages:
            return f"{model.name} reads {', '.join(model.languages)}, not {task.language}"
        return None

    def space(self, model: Model, task: Task) -> Space:
        """Dimensions and known-good points, by builder and language."""
        match model.builder:
            case "tfidf":
                return _tfidf_space(task)
            case "fasttext":
                return _fasttext_space(task)
            case "textcnn":
                return _textcnn_space()
        raise ModelError(self.refuses(model, task) or f"classic has no space for {model.name}")

    def fit(self, run: Run) -> Predictor:
        """Trains; one checkpoint for tfidf, `run.checkpoints` for the other two.

        Raises:
            RecipeError: a hyperparameter is out of bounds.
            Pruned: from a checkpoint.
        """
        fitted: Predictor = _module(str(run.model.builder)).fit(run)
        return fitted

    def load(self, folder: Path) -> Predictor:
        """Reads what a classic predictor saved.

        Raises:
            ModelError: the folder is missing something, damaged, or of an unknown format.
        """
        from suite.strategies.classic import settings as files

        settings, arrays = files.read(folder)
        try:
            restored: Predictor
            match settings["format"]:
                case "tfidf":
                    restored = _module("tfidf").TfidfPredictor.restore(settings, arrays)
                case "fasttext":
                    restored = _module("fasttext").FastTextPredictor.restore(settings, arrays)
                case "textcnn":
                    restored = _module("textcnn").TextCnnPredictor.restore(settings, arrays)
                case unknown:
                    raise ModelError(f"unknown format '{unknown}' of a classic predictor")
        except ModelError as error:
            raise ModelError(error.what, where=error.where or str(folder), fix=error.fix) from None
        return restored


def _module(builder: str) -> Any:
    match builder:
        case "tfidf":
            from suite.strategies.classic import tfidf

            return tfidf
        case "fasttext":
            from suite.strategies.classic import fasttext

            return fasttext
        case "textcnn":
            from suite.strategies.classic import textcnn

            return textcnn
    raise ModelError(f"classic builds {', '.join(BUILDERS)}, not '{builder}'")


def _tfidf_space(task: Task) -> Space:
    if task.language == "zh":
        plain, richer = "char-1-3", "char-1-4"
        ngrams = ["char-1-2", plain, richer]
        if jieba_installed():
            ngrams += ["jieba-1-2", "char-1-3+jieba-1-2"]
            richer = "char-1-3+jieba-1-2"
    else:
        plain, richer = "word-1-2", "word-1-2+char_wb-2-4"
        ngrams = ["word-1-1", plain, "word-1-3", "char_wb-2-5", richer]
    dimensions: dict[str, Dimension] = {
        "classifier": Choice(("svm", "logistic")),
        "C": Float(0.05, 20, log=True),
        "ngrams": Choice(tuple(ngrams)),
        "min_df": Int(1, 5),
        "sublinear": Choice((True, False)),
    }
    first = DEFAULTS["tfidf"] | {"ngrams": plain}
    return Space(
        dimensions,
        (
            first,
            first | {"ngrams": richer},
            first | {"classifier": "logistic", "C": 15.0, "min_df": 1},
        ),
    )


def _fasttext_space(task: Task) -> Space:
    english = task.language == "en"
    dimensions: dict[str, Dimension] = {
        "learning_rate": Float(0.03, 1.0, log=True),
        "dim": Choice((32, 64, 128)),
        "ngrams": Choice((1, 2, 3)),
        "subwords": Choice((False, True)) if english else Fixed(False),
        "min_count": Int(1, 3),
        "buckets": Fixed(1_048_576),
        "dropout": Float(0.0, 0.9),
        "batch": Fixed(64),
    }
    first = DEFAULTS["fasttext"]
    if not english:
        first = first | {"learning_rate": 0.1, "dim": 64, "ngrams": 3, "dropout": 0.3}
    second: Params = (
        {"learning_rate": 0.3, "dim": 64, "dropout": 0.3}
        if english
        else {"learning_rate": 0.2, "dropout": 0.5}
    )
    return Space(dimensions, (first, first | second))


def _textcnn_space() -> Space:
    dimensions: dict[str, Dimension] = {
        "learning_rate": Float(5e-4, 1e-2, log=True),
        "dim": Choice((64, 128, 256)),
        "filters": Choice((32, 64, 128)),
        "widths": Choice(("2-3", "2-3-4", "3-4-5", "2-3-4-5")),
        "dropout": Float(0.1, 0.7),
        "weight_decay": Float(1e-3, 0.3, log=True),
        "min_count": Int(1, 3),
        "batch": Choice((16, 32, 64)),
    }
    return Space(dimensions, (DEFAULTS["textcnn"],))
