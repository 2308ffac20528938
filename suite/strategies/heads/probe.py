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

from suite.contracts.hyperparameters import Declared, Hyperparameter, declared
from suite.contracts.model import Model
from suite.contracts.space import Choice, Fixed, Float, Params, Space
from suite.contracts.strategy import Pool, Predictor, Probabilities, Run
from suite.contracts.task import Task
from suite.machine import cache
from suite.models import needs
from suite.strategies.heads import regression, static_model
from suite.strategies.heads.regression import SCALINGS, Head, Matrix
from suite.strategies.heads.static_model import StaticPredictor
from suite.strategies.network import shrinking, token_cache
from suite.strategies.network.shrinking import Attempts, half_the_tokens

if TYPE_CHECKING:
    from suite.strategies.network.sources import Source
    from suite.strategies.network.transformer import Codec, Ids

NAME = "probe"
#: What the trainings over folds share.
_EMBEDDER, _EMBEDDINGS = "probe:embedder", "probe:embeddings"

#: What of a folder decides its embeddings: weights, tokenizer, settings.
_SOURCE_FILES = ("*.safetensors", "*.bin", *token_cache.TOKENIZER_FILES)

_ADVICE = "a smaller max_tokens or a smaller model would help"


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

    def hyperparameters(self, model: Model) -> Mapping[str, Hyperparameter]:
        """What each may be, whatever the model."""
        return Knobs.hyperparameters()

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

    def fit(self, run: Run) -> Predictor:
        """Embeds the training rows (or finds them embedded) and fits; one checkpoint, at 1.0.

        Raises:
            RecipeError: a hyperparameter is out of bounds.
            Pruned: `run.checkpoint` ended the trial.
            Refused: no weights.
        """
        knobs = Knobs.of({"pooling": poolings(run.model)[0], **run.params})
        if run.model.family == "static":
            from suite.strategies.heads import static_probe

            return static_probe.fit(run, C=knobs.C, scaling=knobs.scaling, relative=knobs.relative)
        # Weights that are built from the training texts are others without some of them.
        pool = run.pool if run.model.builder is None else None
        shared: dict[str, Any] = {} if pool is None else pool.shared
        embedder: Embedder = shared.get(_EMBEDDER) or Embedder.of_run(run)
        whole: Matrix | None = shared.get(_EMBEDDINGS)
        if whole is None:
            whole = _matrix(run, embedder, knobs.pooling, pool)
        if pool is not None:
            shared |= {_EMBEDDER: embedder, _EMBEDDINGS: whole}
        run.progress(0.95)
        matrix = whole if pool is None else whole[list(pool.positions)]
        head = regression.fit(
            matrix, run, C=knobs.C, scaling=knobs.scaling, relative=knobs.relative
        )
        predictor = ProbePredictor(embedder, head, knobs, pool=None if pool is None else whole)
        run.checkpoint(predictor, 1.0)
        return predictor

    def load(self, folder: Path) -> Predictor:
        """Reads a kept probe."""
        if static_model.is_kept(folder):
            return StaticPredictor.load(folder)
        return ProbePredictor.load(folder)


def _matrix(run: Run, embedder: Embedder, pooling: str, pool: Pool | None) -> Matrix:
    """Embeddings of the training rows, or of all rows of a pool, from the cache where they are
    there. Of a pool's only the training rows' share is counted as training."""
    from safetensors import SafetensorError, safe_open

    rows = len(run.train if pool is None else pool.rows)
    share = len(run.train) / rows
    file = _place(run, embedder, run.fingerprint if pool is None else pool.fingerprint)
    started = time.perf_counter()
    try:
        with safe_open(file, framework="numpy") as stored:
            matrix: Matrix = stored.get_tensor(pooling)
            facts = stored.metadata()
        if len(matrix) == rows:
            cache.used(file)
            seconds = share * float(facts["seconds"])
            run.saved(max(0.0, seconds - (time.perf_counter() - started)))
            run.note(embeddings="cached", truncated=float(facts["truncated"]))
            return matrix
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        pass  # None yet, or none of use: made below.
    tokens = token_cache.found(run, embedder.codec, embedder.source, pool)
    ways = tuple(dict.fromkeys((*poolings(run.model), pooling)))
    begun = time.perf_counter()
    embedder.begin(run, tokens.encoded.ids)
    matrices = embedder.embed(tokens.encoded.ids, ways, run)
    seconds = tokens.seconds + time.perf_counter() - begun
    if pool is not None:
        run.saved((share - 1) * seconds)
    truncated = tokens.encoded.cut / max(1, len(tokens.encoded.ids))
    run.note(embeddings="made", truncated=truncated)
    # Writing serves later trials, and is no part of this one's training.
    with run.loading():
        cache.write(file, matrices, {"seconds": repr(seconds), "truncated": repr(truncated)})
    return matrices[pooling]


def _place(run: Run, embedder: Embedder, fingerprint: str) -> Path:
    import torch
    import transformers

    facts = [
        run.model.identity,
        token_cache.stamp(embedder.source, _SOURCE_FILES),
        fingerprint,
        embedder.codec.max_tokens,
        embedder.precision,
        embedder.where.type,
        poolings(run.model),
        transformers.__version__,
        torch.__version__,
    ]
    return cache.place("embeddings", facts)


class Embedder:
    """A frozen transformer and its tokenizer: token ids -> one vector per text."""

    def __init__(
        self,
        model: Any,
        codec: Codec,
        source: Source,
        *,
        where: Any,
        precision: str,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        from suite.strategies.network import transformer
        from suite.strategies.network.feeding import Encoder

        self.model = model
        self.encoder = Encoder(model, codec.pad_id, where, limit=codec.max_tokens)
        self.codec = codec
        self.source = source
        self.where = where
        self.precision = precision
        self.batch = transformer.scoring_batch(where)
        #: Most tokens at once; fewer after memory ran out.
        self.tokens = transformer.scoring_tokens(where)
        #: What of the weights is new or ignored, as circumstances of a trial.
        self.notes = dict(notes or {})

    @classmethod
    def of_run(cls, run: Run) -> Embedder:
        """The run's model, loaded off the clock.

        Raises:
            Refused: there are no weights.
        """
        from suite.strategies.network.sources import source_of

        source = source_of(run)
        with run.loading():
            embedder = cls.read(source, None, run.task.max_tokens, run.model.max_tokens)
        run.note(
            device=embedder.where.type,
            precision=embedder.precision,
            max_tokens=embedder.codec.max_tokens,
            batch=embedder.batch,
            **embedder.notes,
        )
        return embedder

    @classmethod
    def read(
        cls,
        source: Source,
        precision: str | None,
        *limits: int | None,
        kept: bool = False,
    ) -> Embedder:
        """A model from a folder, in a given precision or the one that pays here.

        Args:
            kept: whether a predictor saved it, as `weights.load` has it.

        Raises:
            ModelError: it can't be loaded.
        """
        from suite.strategies.network import transformer, weights

        config = transformer.load_config(source)
        where, width = transformer.device(), transformer.width_of(config)
        chosen = (
            transformer.supported(precision, where, width)
            if precision
            else transformer.precision_for(where, width)
        )
        codec = transformer.load_codec(source, config, *limits)
        loaded = weights.load("body", source, kept=kept)
        model = loaded.model
        model.config.use_cache = False
        model.config.pad_token_id = codec.pad_id
        transformer.freeze(model.to(where), chosen)
        return cls(model, codec, source, where=where, precision=chosen, notes=loaded.notes)

    def begin(self, run: Run, rows: Sequence[Ids]) -> None:
        """Begins with less at once where the system killed this trial's processes.

        Raises:
            OutOfMemory: they had one text at once already.
        """
        attempts = Attempts(run, self.batch, _ADVICE)
        lengths = [len(row) for row in rows]
        self.tokens = attempts.begun(
            self.tokens, lambda tokens: half_the_tokens(lengths, tokens, self.batch)
        )
        run.note(tokens_at_once=self.tokens)

    def embed(
        self, rows: Sequence[Ids], ways: Sequence[str], run: Run | None = None
    ) -> dict[str, Matrix]:
        """Pooling -> embeddings float32 [texts, width], in the order of the rows.

        Args:
            run: told of the progress, where given.
        """
        lengths = [len(row) for row in rows]
        self.tokens, found = shrinking.scored(
            self.tokens,
            lambda tokens: self._embedded(rows, ways, run, tokens),
            lambda tokens: half_the_tokens(lengths, tokens, self.batch),
        )
        return found

    def _embedded(
        self, rows: Sequence[Ids], ways: Sequence[str], run: Run | None, tokens: int
    ) -> dict[str, Matrix]:
        import torch

        from suite.strategies.network import transformer

        width = transformer.width_of(self.model.config)
        out = {way: np.zeros((len(rows), width), dtype=np.float32) for way in ways}
        done = 0
        with torch.inference_mode(), transformer.computing_in(self.precision, self.where):
            for positions in self.encoder.parts(rows, tokens, self.batch):
                vectors = self.encoder(self.encoder.batch([rows[i] for i in positions]), ways)
                for way in ways:
                    out[way][positions] = vectors[way].cpu().numpy()
                done += len(positions)
                if run is not None:
                    run.progress(0.95 * done / len(rows))
        return out


def _recalled(head: Head, scaling: str, pool: Matrix, rows: Sequence[int]) -> Probabilities:
    """Class probabilities of some rows of a pool, float32 [rows, classes]."""
    from suite.strategies.network import transformer

    return transformer.probabilities(head.logits(pool[list(rows)], scaling))


class ProbePredictor:
    """An embedder with its logistic regression.

    Args:
        pool: embeddings of the rows of the pool that it was trained from.
    """

    def __init__(
        self, embedder: Embedder, head: Head, knobs: Knobs, pool: Matrix | None = None
    ) -> None:
        from suite.strategies.network import transformer

        if pool is not None:
            self.recall = partial(_recalled, head, knobs.scaling, pool)
        self.embedder = embedder
        self.head = head
        self.knobs = knobs
        self.precision = embedder.precision
        self.batch = embedder.batch
        self.serving_shape = transformer.shape(
            NAME, embedder.model, embedder.codec.max_tokens, embedder.precision, len(head.bias)
        )

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.head.bias)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes], in the order of the texts."""
        from suite.strategies.network import transformer

        rows = self.embedder.codec.encode(texts).ids
        matrix = self.embedder.embed(rows, [self.knobs.pooling])[self.knobs.pooling]
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
                "pooling": self.knobs.pooling,
                "scaling": self.knobs.scaling,
                "C": self.knobs.C,
            },
        )

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
        embedder = Embedder.read(source, kept.precision, kept.max_tokens, kept=True)
        width = transformer.width_of(embedder.model.config)
        head = Head.read(folder, width)
        return cls(embedder, head, Knobs(kept.C, kept.pooling, kept.scaling))
