"""How near rows are to a text by a second model's embeddings: a companion of the arm.

Liu et al. 2022 (arXiv:2101.06804) choose so, by a sentence encoder. In float32 whatever pays: what
is nearest is a choice between rows, and in 16 bits it could hang on who is asked beside a text.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from suite.contracts.strategy import Refused, Run
from suite.machine import cache
from suite.models import companions
from suite.strategies.asking.settings import NEAR
from suite.strategies.heads.embedder import Embedder
from suite.strategies.heads.probe import poolings
from suite.strategies.network import arrays, settings, token_cache, transformer
from suite.strategies.network.arrays import Form
from suite.strategies.network.chunks import Row
from suite.strategies.network.settings import NetworkSettings
from suite.strategies.network.sources import Source

_PRECISION = "float32"
_VECTORS = "vectors"


class NearSettings(NetworkSettings):
    """`settings.json` of the model that embeds."""

    pooling: Literal["mean", "cls", "last"]


class EmbeddedNearness:
    """By the cosine of embeddings.

    Args:
        embedder: what embeds.
        pooling: how a text's token vectors become one.
        rows: embeddings of length 1, float32 [rows, width].
    """

    def __init__(self, embedder: Embedder, pooling: str, rows: NDArray[np.float32]) -> None:
        self._embedder = embedder
        self._pooling = pooling
        self._rows = rows
        self.shape = transformer.shape("near", embedder.model, embedder.codec, _PRECISION, 0)

    @classmethod
    def of(
        cls, rows: Sequence[str], *, run: Run, embedder: Embedder, pooling: str
    ) -> EmbeddedNearness:
        """Of training rows, embedded now or by another trial.

        Raises:
            Refused: their embeddings are no numbers.
        """
        found = _of_rows(rows, run, embedder, pooling)
        if not np.isfinite(found).all():
            raise Refused(
                "near: the embeddings of the training rows hold numbers that are none (NaN or "
                "infinity); its weights are damaged, or are not meant for float32"
            )
        return cls(embedder, pooling, found)

    def of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Nearness`."""
        near: NDArray[np.float32] = _vectors(self._embedder, self._pooling, texts) @ self._rows.T
        return near

    def arrays(self) -> Mapping[str, NDArray[np.float32]]:
        """The embeddings."""
        return {_VECTORS: self._rows}

    def settings(self) -> Mapping[str, Any]:
        """That a model lies beside them."""
        return {"terms": [], "embedded": True}

    def save_model(self, folder: Path) -> None:
        """Writes it as a transformers folder inside."""
        own = folder / NEAR
        own.mkdir(parents=True, exist_ok=True)
        self._embedder.model.save_pretrained(own)
        self._embedder.codec.tokenizer.save_pretrained(own)
        kept = {"max_tokens": self._embedder.codec.max_tokens, "pooling": self._pooling}
        settings.write(own, {**kept, "precision": _PRECISION})

    @classmethod
    def load(cls, folder: Path, weights: Path, rows: int) -> EmbeddedNearness:
        """What was saved.

        Args:
            weights: the file of `arrays`.
            rows: how many there are.

        Raises:
            ModelError: it is missing or damaged.
        """
        own = folder / NEAR
        kept = settings.read(own, NearSettings)
        embedder = Embedder.read(Source(str(own)), _PRECISION, kept.max_tokens, kept=True)
        width = transformer.width_of(embedder.model.config)
        vectors = arrays.read(weights, {_VECTORS: Form((rows, width))})[_VECTORS]
        return cls(embedder, kept.pooling, vectors)


def embedder_of(run: Run, name: str) -> tuple[Embedder, str]:
    """An arm's companion, loaded off the clock, and how it pools.

    Raises:
        Refused: there is none of that name, or it is not what was pinned.
    """
    companion = run.companions.get(name)
    if companion is None:
        raise Refused(
            f"near: {name} is no model that this study has beside the arm; it is named under "
            "'spaces' in the recipe, when a study is made"
        )
    model = companion.model
    with run.loading():
        source = Source(str(companions.found_for(companion)))
        embedder = Embedder.read(source, _PRECISION, run.task.max_tokens, model.max_tokens)
    run.note(near={"model": model.told, "fingerprint": companion.fingerprint})
    return embedder, poolings(model)[0]


def _of_rows(
    rows: Sequence[str], run: Run, embedder: Embedder, pooling: str
) -> NDArray[np.float32]:
    """Embeddings of training rows, from the cache where they are there; what that saved is told to
    the run, and what making them takes (`near_seconds`)."""
    file = _place(rows, embedder, pooling)
    started = time.perf_counter()
    try:
        with safe_open(file, framework="numpy") as stored:
            kept: NDArray[np.float32] = stored.get_tensor(_VECTORS)
            seconds = float(stored.metadata()["seconds"])
        if kept.shape == (len(rows), transformer.width_of(embedder.model.config)):
            cache.used(file)
            run.saved(max(0.0, seconds - (time.perf_counter() - started)))
            run.note(near_rows="cached", near_seconds=seconds)
            return kept
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        pass  # None yet, or none of use: made below.
    started = time.perf_counter()
    found = _vectors(embedder, pooling, rows)
    seconds = time.perf_counter() - started
    run.note(near_rows="made", near_seconds=seconds)
    with run.loading():  # Writing serves later trials, and is no part of this one's training.
        cache.write(file, {_VECTORS: found}, {"seconds": repr(seconds)})
    return found


def _place(rows: Sequence[str], embedder: Embedder, pooling: str) -> Path:
    texts = hashlib.sha256()
    for row in rows:
        texts.update(hashlib.sha256(row.encode("utf-8", "surrogatepass")).digest())
    facts = [
        embedder.source.where,
        token_cache.stamp(embedder.source, token_cache.SOURCE_FILES),
        texts.hexdigest(),
        embedder.codec.max_tokens,
        embedder.where.type,
        pooling,
        transformers.__version__,
        torch.__version__,
    ]
    return cache.place("embeddings", ["near", *facts])


def _vectors(embedder: Embedder, pooling: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embeddings of length 1, float32 [texts, width]."""
    rows: Sequence[Row] = embedder.codec.encode(texts).ids
    found = embedder.embed(rows, [pooling])[pooling]
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (found / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
