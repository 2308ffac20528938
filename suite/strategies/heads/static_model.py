"""Static models: a vector for each word piece, and a text is the mean of its pieces' vectors.

model2vec (Tulkens and van Dongen 2024, https://github.com/MinishLab/model2vec) reads the texts;
what lies in the folder is held to what it has to be before that. A text is read whole: there are no
positions that could run out, and a longer text costs no more than its pieces.

Neither torch nor transformers is needed to predict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from suite.config import jsonfile
from suite.contracts.strategy import Beside, Probabilities, Run
from suite.errors import WeightsError
from suite.models import checkpoint, hub
from suite.strategies.heads.regression import Head, Matrix
from suite.strategies.network import settings, shrinking
from suite.strategies.network.settings import FIX, MOST_BYTES, SETTINGS, STATIC, StaticSettings
from suite.strategies.network.softmax import softmax

if TYPE_CHECKING:
    from model2vec import StaticModel

#: Texts whose vectors are added up at once.
TEXTS_AT_ONCE = 1024


def of_run(run: Run) -> StaticModel:
    """The run's model, loaded off the clock.

    Raises:
        Unreachable: its weights can't be had, with what would help.
    """
    with run.loading():
        model = read(hub.found_for(run.model))
    run.note(device="cpu", precision="float32", parameters=model.embedding.size)
    return model


def read(folder: Path) -> StaticModel:
    """A folder's model, its table float32 [pieces, dim] whatever it was kept in.

    Raises:
        WeightsError: the folder is not one of model2vec's, or its numbers are none.
    """
    from model2vec import StaticModel
    from safetensors import safe_open
    from tokenizers import Tokenizer

    there = checkpoint.check(folder)
    facts = checkpoint.config(folder)

    def refused(what: str) -> WeightsError:
        return WeightsError(what, where=str(folder), fix=FIX)

    if checkpoint.family(facts) != "static":
        raise refused("it holds no static model")
    try:
        tokenizer = Tokenizer.from_file(str(folder / checkpoint.TOKENIZER))
    except Exception as error:  # noqa: BLE001  # tokenizers raises nothing narrower
        raise refused(f"its tokenizer can't be read: {str(error)[:300]}") from None
    ids, rows = sorted(tokenizer.get_vocab().values()), checkpoint.pieces(there)
    if ids != list(range(rows)):
        told = checkpoint.too_many_tokens if len(ids) > rows else checkpoint.too_few_tokens
        raise told(len(ids), rows, folder)
    with safe_open(folder / checkpoint.WEIGHTS, framework="numpy") as stored:
        arrays = {name: stored.get_tensor(name) for name in there}
    table = arrays["embeddings"].astype(np.float32)
    if "mapping" in arrays:
        mapping = arrays["mapping"]
        if mapping.min() < 0 or mapping.max() >= len(table):
            raise refused("its 'mapping' names vectors that are not there")
        table = table[mapping]
    if "weights" in arrays:
        table *= arrays["weights"].astype(np.float32)[:, None]
    if not np.isfinite(table).all():
        raise refused("its 'embeddings' hold numbers that are none (NaN or infinity)")
    return StaticModel(table, tokenizer, normalize=facts.get("normalize") is True, max_length=None)


def embed(model: StaticModel, texts: Sequence[str], at_once: int = TEXTS_AT_ONCE) -> Matrix:
    """Embeddings float32 [texts, dim]; zeros of a text without a piece that is known."""
    if not texts:
        return np.zeros((0, model.dim), dtype=np.float32)
    # Its threads are for more than 10,000 texts, and switch those of every tokenizer off.
    found = model.encode(list(texts), batch_size=at_once, use_multiprocessing=False)
    return np.asarray(found, dtype=np.float32)


def probabilities(head: Head, matrix: Matrix, scaling: str) -> Probabilities:
    """Class probabilities of embeddings, float32 [texts, classes]; each row sums to 1."""
    return softmax(head.logits(matrix, scaling).astype(np.float64)).astype(np.float32)


def is_kept(folder: Path) -> bool:
    """Whether a predictor's folder holds a static one.

    Raises:
        ModelError: it has no settings that can be read.
    """
    return jsonfile.read(folder / SETTINGS, most=MOST_BYTES, fix=FIX).get("format") == STATIC


class StaticPredictor:
    """A static model under a linear layer.

    Args:
        scaling: of the embeddings, before the layer reads them.
        recall: answers to rows of the pool that it was trained from, where there is one.
    """

    precision = "float32"
    batch = TEXTS_AT_ONCE

    def __init__(
        self,
        model: StaticModel,
        head: Head,
        scaling: str,
        recall: Callable[[Sequence[int]], Probabilities] | None = None,
    ) -> None:
        if recall is not None:
            self.recall = recall
        self.model = model
        self.head = head
        self.scaling = scaling
        pieces, dim = model.embedding.shape
        self.serving_shape = f"{STATIC}|{pieces}|{dim}|{self.classes}"

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.head.bias)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes], in the order of the texts."""
        return probabilities(self.head, self._embedded(texts), self.scaling)

    def beside(self, texts: Sequence[str]) -> Beside:
        """Its scores, and the embeddings that they are made of."""
        matrix = self._embedded(texts)
        return Beside(self.head.logits(matrix, self.scaling), matrix)

    def _embedded(self, texts: Sequence[str]) -> Matrix:
        """Embeddings [texts, dim]."""
        self.batch, matrix = shrinking.scored(
            self.batch, lambda batch: embed(self.model, texts, batch)
        )
        return matrix

    def save(self, folder: Path) -> None:
        """Writes a folder as model2vec reads it, and the linear layer beside it."""
        from model2vec.persistence import save_pretrained

        # A card of the library's would claim a licence.
        save_pretrained(
            folder,
            self.model.embedding,
            self.model.tokenizer,
            {**self.model.config, "model_type": checkpoint.STATIC},
            create_model_card=False,
        )
        self.head.write(folder)
        settings.write(
            folder, {"format": STATIC, "scaling": self.scaling, "precision": self.precision}
        )

    @classmethod
    def load(cls, folder: Path) -> StaticPredictor:
        """Reads what `save` wrote.

        Raises:
            ModelError: the folder is not that.
        """
        kept = jsonfile.load(folder / SETTINGS, StaticSettings, most=MOST_BYTES, fix=FIX)
        model = read(folder)
        return cls(model, Head.read(folder, model.dim), kept.scaling)
