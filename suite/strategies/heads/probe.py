"""A logistic regression on frozen embeddings: the cheapest use of a pretrained model.

The embeddings are kept in the shared cache, for every pooling at once, with the seconds they
took: a trial that finds them is charged as much as the one that made them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from suite.contracts import balancing, cutting, teaching
from suite.contracts.balancing import Shifting
from suite.contracts.cutting import Cutting
from suite.contracts.hyperparameters import Declared, Hyperparameter, declared
from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Float, Params, Space
from suite.contracts.strategy import Beside, Pool, Predictor, Probabilities, Run, TextLength
from suite.contracts.task import Task
from suite.contracts.teaching import Teaching
from suite.data import soft
from suite.machine import cache
from suite.models import needs
from suite.strategies.heads import regression, static_model
from suite.strategies.heads.embedder import Embedder
from suite.strategies.heads.regression import SCALINGS, Head, Matrix
from suite.strategies.heads.static_model import StaticPredictor
from suite.strategies.network import token_cache
from suite.strategies.network.chunks import apart
from suite.strategies.network.taught import taught

if TYPE_CHECKING:
    from suite.strategies.network.chunk_pooling import ChunkPooling

NAME = "probe"
#: In the cache: rows of each text.
_COUNTS = "counts"
#: What the trainings over folds share.
_EMBEDDER, _EMBEDDINGS = "probe:embedder", "probe:embeddings"


def poolings(model: Model) -> tuple[str, ...]:
    """How a text's token vectors may become one, the usual way first.

    Mean over the real tokens, the first token (encoders' [CLS]) or the last real one.
    """
    if model.family == "decoder":
        return ("last", "mean")
    if model.family == "static":
        return ("mean",)
    if _is_sentence_transformer(model):
        return ("mean",)  # What it was trained for.
    return ("mean", "cls")


def _is_sentence_transformer(model: Model) -> bool:
    if model.path is not None:
        return (Path(model.path) / "modules.json").is_file()
    return (model.hub or "").startswith("sentence-transformers/")


@dataclass(frozen=True)
class Knobs(Declared):
    """The hyperparameters of one trial."""

    C: float = declared(1.0, "how little the regression is regularised", above=0)
    pooling: str = declared(
        "mean", "how a text's token vectors become one", options=("mean", "cls", "last")
    )
    scaling: str = declared("none", "of the embeddings", options=SCALINGS)
    relative: bool = declared(
        False,
        "whether C is for embeddings of mean squared length 1, so that it means the same for every "
        "model and scaling",
    )


class ProbeStrategy:
    """Embeds once with the frozen model, then fits scikit-learn's logistic regression."""

    name = NAME
    families = ("static", "encoder", "decoder")
    network = True
    reads = "body"
    cheap = True
    variants = teaching.VARIANTS

    def hyperparameters(self, model: Model) -> Mapping[str, Hyperparameter]:
        """What each may be; a static model reads texts whole."""
        cuts = {} if model.family == "static" else Cutting.hyperparameters()
        learns = Shifting.hyperparameters() | Teaching.hyperparameters()
        return Knobs.hyperparameters() | cuts | learns

    def lacks(self, model: Model, task: Task, space: Space) -> str | None:
        """A teacher's answers, where it is to learn from them."""
        return soft.lacks(task, space)

    def scored_once(self, model: Model) -> bool:
        """It is."""
        return True

    def deterministic(self, model: Model, params: Params) -> bool:
        """It is: the embeddings are frozen, and the regression has one solution."""
        return True

    def shrinks(self, model: Model) -> bool:
        """It does, but for static models, which have no batch in training."""
        return model.family != "static"

    def preload(self, model: Model) -> Sequence[str] | None:
        """A static model needs no torch."""
        return ("model2vec.model", "sklearn.linear_model") if model.family == "static" else None

    def refuses(self, model: Model, task: Task) -> str | None:
        """Why the model can't embed this task's texts here, and what would help; or None."""
        reason = needs.not_neural(model) or needs.speaks(model, task)
        if reason:
            return reason
        reason = needs.too_large(model, needs.FROZEN_BYTES, "embedding with the frozen weights")
        return f"{reason}; a GPU or a smaller model would help" if reason else None

    def space(self, model: Model, task: Task) -> Space:
        """Inverse regularisation C, pooling, and scaling of the embeddings.

        With hundreds of rows of a class a C of about 1 does best, with a handful 10 and more.
        """
        ways = poolings(model)
        dimensions = Knobs.dimensions(
            C=Float(0.03, 300, log=True),
            pooling=Choice(ways) if len(ways) > 1 else Fixed(ways[0]),
            scaling=Choice(SCALINGS),
            relative=Fixed(True),
        )
        points: tuple[Params, ...] = (
            {"C": 1.0, "pooling": ways[0], "scaling": "l2"},
            {"C": 10.0, "pooling": ways[0], "scaling": "l2"},
        )
        return Space(dimensions, points)

    def for_long_texts(self, space: Space, model: Model) -> Space:
        """How texts are cut is searched too; a static model reads them whole."""
        return space if model.family == "static" else cutting.searched(space, Cutting)

    def for_rare_classes(self, space: Space, model: Model, task: Task) -> Space:
        """What makes up for them is searched too."""
        return balancing.searched(space, Shifting, task)

    def fit(self, run: Run) -> Predictor:
        """Embeds the training rows (or finds them embedded) and fits; one checkpoint, at 1.0.

        Raises:
            RecipeError: a hyperparameter is out of bounds.
            Pruned: `run.checkpoint` ended the trial.
            Refused: no weights.
        """
        run = taught(run)
        knobs = Knobs.of({"pooling": poolings(run.model)[0], **run.params})
        if run.model.family == "static":
            from suite.strategies.heads import static_probe

            return static_probe.fit(run, C=knobs.C, scaling=knobs.scaling, relative=knobs.relative)
        # Weights that are built from the training texts are others without some of them.
        pool = run.pool if run.model.builder is None else None
        shared: dict[str, Any] = {} if pool is None else pool.shared
        embedder: Embedder = shared.get(_EMBEDDER) or Embedder.of_run(run)
        read: Read | None = shared.get(_EMBEDDINGS)
        if read is None:
            read = _read(run, embedder, knobs.pooling, pool)
        if pool is not None:
            shared |= {_EMBEDDER: embedder, _EMBEDDINGS: read}
        run.progress(0.95)
        own = None if pool is None else pool.positions
        joined = _joined(embedder, read, run, own)
        whole = read.texts(joined)
        matrix = whole if own is None else whole[list(own)]
        head = regression.fit(
            matrix, run, C=knobs.C, scaling=knobs.scaling, relative=knobs.relative
        )
        predictor = ProbePredictor(
            embedder, head, knobs, pool=None if pool is None else whole, joined=joined
        )
        run.checkpoint(predictor, 1.0)
        return predictor

    def load(self, folder: Path) -> Predictor:
        """Reads a kept probe."""
        if static_model.is_kept(folder):
            return StaticPredictor.load(folder)
        return ProbePredictor.load(folder)


@dataclass(frozen=True)
class Read:
    """Embeddings float32 [rows, width], and how many rows each text has: one, or its chunks."""

    rows: Matrix
    counts: tuple[int, ...]

    def texts(self, joined: ChunkPooling | None) -> Matrix:
        """Embeddings float32 [texts, width]."""
        return self.rows if joined is None else joined.of_arrays(self.rows, self.counts)

    def take(self, positions: Sequence[int]) -> Read:
        """Those of some texts."""
        ends = np.cumsum((0, *self.counts))
        rows = [np.arange(ends[place], ends[place + 1]) for place in positions]
        return Read(
            self.rows[np.concatenate(rows)], tuple(self.counts[place] for place in positions)
        )


def _joined(
    embedder: Embedder, read: Read, run: Run, own: Sequence[int] | None
) -> ChunkPooling | None:
    """What makes the chunks of a text one; None where texts are read in one row.

    Args:
        own: which of the texts are training rows; all where None.
    """
    way = embedder.codec.cutting.pooling
    if way is None:
        return None
    from suite.strategies.network.chunk_pooling import learnt

    mine = read if own is None else read.take(own)
    return learnt(way, mine.rows, mine.counts, run.train.labels, len(run.task.labels))


def _read(run: Run, embedder: Embedder, pooling: str, pool: Pool | None) -> Read:
    """Embeddings of the training rows, or of all rows of a pool, from the cache where they are
    there. Of a pool's only the training rows' share is counted as training."""
    from safetensors import SafetensorError, safe_open

    texts = len(run.train if pool is None else pool.rows)
    share = len(run.train) / texts
    file = _place(run, embedder, run.fingerprint if pool is None else pool.fingerprint)
    started = time.perf_counter()
    try:
        with safe_open(file, framework="numpy") as stored:
            matrix: Matrix = stored.get_tensor(pooling)
            counts = tuple(stored.get_tensor(_COUNTS).tolist())
            facts = stored.metadata()
        if len(counts) == texts and min(counts) > 0 and sum(counts) == len(matrix):
            cache.used(file)
            seconds = share * float(facts["seconds"])
            run.saved(max(0.0, seconds - (time.perf_counter() - started)))
            run.note(embeddings="cached", truncated=float(facts["truncated"]))
            return Read(matrix, counts)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        pass  # None yet, or none of use: made below.
    tokens = token_cache.found(run, embedder.codec, embedder.source, pool)
    ways = tuple(dict.fromkeys((*poolings(run.model), pooling)))
    begun = time.perf_counter()
    rows, counts = apart(tokens.encoded.ids)
    embedder.begin(run, rows)
    matrices = embedder.embed(rows, ways, run)
    seconds = tokens.seconds + time.perf_counter() - begun
    if pool is not None:
        run.saved((share - 1) * seconds)
    truncated = tokens.encoded.cut / max(1, texts)
    run.note(embeddings="made", truncated=truncated)
    # Writing serves later trials, and is no part of this one's training.
    with run.loading():
        kept: dict[str, Any] = {**matrices, _COUNTS: np.asarray(counts, dtype=np.int64)}
        cache.write(file, kept, {"seconds": repr(seconds), "truncated": repr(truncated)})
    return Read(matrices[pooling], counts)


def _place(run: Run, embedder: Embedder, fingerprint: str) -> Path:
    import torch
    import transformers

    facts = [
        run.model.identity,
        token_cache.stamp(embedder.source, token_cache.SOURCE_FILES),
        fingerprint,
        embedder.codec.max_tokens,
        embedder.codec.cutting.word,
        embedder.precision,
        embedder.where.type,
        poolings(run.model),
        transformers.__version__,
        torch.__version__,
    ]
    return cache.place("embeddings", facts)


def _recalled(head: Head, scaling: str, pool: Matrix, rows: Sequence[int]) -> Probabilities:
    """Class probabilities of some rows of a pool, float32 [rows, classes]."""
    from suite.strategies.network import transformer

    return transformer.probabilities(head.logits(pool[list(rows)], scaling))


class ProbePredictor:
    """An embedder with its logistic regression.

    Args:
        pool: embeddings of the rows of the pool that it was trained from.
        joined: what makes the chunks of a text one, where texts are read in chunks.
    """

    def __init__(
        self,
        embedder: Embedder,
        head: Head,
        knobs: Knobs,
        pool: Matrix | None = None,
        joined: ChunkPooling | None = None,
    ) -> None:
        from suite.strategies.network import transformer

        if pool is not None:
            self.recall = partial(_recalled, head, knobs.scaling, pool)
        self.embedder = embedder
        self.head = head
        self.knobs = knobs
        self.joined = joined
        self.precision = embedder.precision
        self.batch = embedder.batch
        self.serving_shape = transformer.shape(
            NAME, embedder.model, embedder.codec, embedder.precision, len(head.bias)
        )

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.head.bias)

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as it is."""
        return self.embedder.codec.lengths(texts)

    @property
    def text_length(self) -> TextLength:
        """As its tokenizer counts."""
        return self.embedder.codec.text_length

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes], in the order of the texts."""
        return self.of_rows(*self._embedded(texts))

    def beside(self, texts: Sequence[str]) -> Beside:
        """Its scores, and the embeddings that they are made of."""
        embeddings, counts = self._embedded(texts)
        matrix = Read(embeddings, counts).texts(self.joined)
        return Beside(self.head.logits(matrix, self.knobs.scaling), matrix)

    def _embedded(self, texts: Sequence[str]) -> tuple[Matrix, tuple[int, ...]]:
        """Embeddings [rows, width], and how many rows each text has."""
        rows, counts = apart(self.embedder.codec.encode(texts).ids)
        found = self.embedder.embed(rows, [self.knobs.pooling])[self.knobs.pooling]
        return found, tuple(counts)

    def of_rows(self, embeddings: Matrix, counts: Sequence[int]) -> Probabilities:
        """Class probabilities, float32 [texts, classes], of embeddings [rows, width].

        Args:
            counts: rows of each text.
        """
        from suite.strategies.network import transformer

        matrix = Read(embeddings, tuple(counts)).texts(self.joined)
        return transformer.probabilities(self.head.logits(matrix, self.knobs.scaling))

    def save(self, folder: Path) -> None:
        """Writes the frozen model as a transformers folder, and the regression beside it."""
        from suite.strategies.network import settings

        folder.mkdir(parents=True, exist_ok=True)
        self.embedder.model.save_pretrained(folder)
        self.embedder.codec.tokenizer.save_pretrained(folder)
        self.head.write(folder)
        settings.write(
            folder,
            {
                "max_tokens": self.embedder.codec.max_tokens,
                "precision": self.precision,
                **self.embedder.codec.cutting.kept,
                "pooling": self.knobs.pooling,
                "scaling": self.knobs.scaling,
                "C": self.knobs.C,
            },
        )
        if self.joined is not None:
            self.joined.write(folder)

    @classmethod
    def load(cls, folder: Path) -> ProbePredictor:
        """Reads what `save` wrote.

        Raises:
            ModelError: the folder is not that.
        """
        from suite.strategies.network import settings, transformer
        from suite.strategies.network.settings import ProbeSettings
        from suite.strategies.network.sources import Source

        kept = settings.read(folder, ProbeSettings)
        source = Source(str(folder))
        embedder = Embedder.read(
            source, kept.precision, kept.max_tokens, kept=True, cutting=kept.how_cut
        )
        width = transformer.width_of(embedder.model.config)
        head = Head.read(folder, width)
        joined = None
        if (way := kept.how_cut.pooling) is not None:
            from suite.strategies.network.chunk_pooling import ChunkPooling

            joined = ChunkPooling.read(folder, way, width)
        return cls(embedder, head, Knobs(kept.C, kept.pooling, kept.scaling), joined=joined)
