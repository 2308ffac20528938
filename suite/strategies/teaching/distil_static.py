"""A static model out of an encoder: every word piece is read once, alone, and becomes a vector.

After model2vec's distiller (Tulkens and van Dongen 2024, https://github.com/MinishLab/model2vec),
which wants another transformers: the encoder's answer to each piece between its marks, principal
components of those answers, and a weight for each piece that falls with how frequent it is (smooth
inverse frequency: Arora et al. 2017, "A Simple but Tough-to-Beat Baseline for Sentence
Embeddings"); for that its place in the vocabulary stands, by Zipf's law. What is written model2vec
reads.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from suite.contracts.model import Model
from suite.errors import ModelError, StorageError
from suite.machine.scratch import Scratch
from suite.models import checkpoint, hub
from suite.strategies.heads.embedder import Embedder
from suite.strategies.heads.probe import poolings
from suite.strategies.heads.regression import Matrix
from suite.strategies.network.sources import Source
from suite.strategies.network.transformer import Codec, Ids

#: Width of the vectors, where the encoder's own is larger.
DIMENSIONS = 256
#: The weight of a piece that makes up the part p of all texts is SIF / (SIF + p).
SIF = 1e-4

#: Pieces that no text has.
_UNUSED = re.compile(r"\[unused\d+\]|<unused\d+>|<reserved_special_token_\d+>")
#: A text of which every tokenizer makes pieces, to see what marks it sets around them.
_SAMPLE = "a"


@dataclass(frozen=True)
class Made:
    """What was made.

    Args:
        pieces: of the vocabulary.
        dimensions: of a vector.
        explained: part of the variance that the principal components keep.
    """

    folder: Path
    pieces: int
    dimensions: int
    explained: float
    seconds: float


def distil(
    model: Model,
    target: Path,
    *,
    dimensions: int = DIMENSIONS,
    say: Callable[[str], None] = lambda text: None,
) -> Made:
    """Writes a static model of an encoder into a new folder.

    Args:
        dimensions: of the vectors, at most the encoder's own.
        say: told what takes long.

    Raises:
        ModelError: it is no encoder with weights here, or its tokenizer is of a kind that
            model2vec can't read.
        StorageError: the folder exists, or can't be written.
    """
    if target.exists() or target.is_symlink():
        raise StorageError(f"{target} exists", fix="Name a new folder.")
    begun = time.perf_counter()
    folder = _weights(model)
    embedder = Embedder.read(Source(str(folder)), None, model.max_tokens)
    vocabulary = _Vocabulary.of(embedder.codec)
    say(f"{model.name} reads {len(vocabulary.rows):,} word pieces, each once")
    matrix = _vectors(embedder, vocabulary, poolings(model)[0])
    reduced, explained = _components(matrix, dimensions)
    table = np.zeros((vocabulary.size, reduced.shape[1]), dtype=np.float16)
    table[vocabulary.used] = reduced * _weights_of(len(reduced))[:, None]
    facts = {
        "model_type": checkpoint.STATIC,
        "architectures": ["StaticModel"],
        "languages": model.languages,
        "normalize": True,
        "made_from": model.told,
        "pooling": poolings(model)[0],
        "apply_pca": reduced.shape[1],
        "sif_coefficient": SIF,
        "hidden_dim": reduced.shape[1],
    }
    _write(table, vocabulary, facts, target)
    seconds = time.perf_counter() - begun
    return Made(target, len(reduced), reduced.shape[1], explained, seconds)


def _weights(model: Model) -> Path:
    """The folder of a model's weights."""
    if model.family not in ("encoder", "decoder"):
        raise ModelError(
            f"{model.name} is a {model.family} model: there is no network whose answers to word "
            "pieces could be kept",
            fix="Name an encoder.",
        )
    found = hub.folder_for(model) if model.builder is None else None
    if found is None:
        raise ModelError(
            hub.unavailable(model) or f"{model.name} has no weights before it is trained",
            fix="Name a folder of an encoder.",
        )
    return found


@dataclass(frozen=True)
class _Vocabulary:
    """A tokenizer's pieces, and how each is read alone.

    Args:
        size: how many there are.
        used: ids of those that a text may have.
        rows: of each of those, its id between the marks that the encoder knows texts by.
        stored: the tokenizer's JSON, without what sets marks, finds them in texts, pads and cuts.
    """

    size: int
    used: list[int]
    rows: list[Ids]
    stored: dict[str, Any]

    @classmethod
    def of(cls, codec: Codec) -> _Vocabulary:
        tokenizer = codec.tokenizer
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelError("its tokenizer is of a kind that model2vec can't read")
        stored = json.loads(backend.to_str())
        kept = backend.get_vocab(with_added_tokens=False)
        if sorted(kept.values()) != list(range(len(kept))):
            raise ModelError("its tokenizer's numbers have gaps, which model2vec can't read")
        # Without added tokens a text that spells a mark is read as text.
        stored |= {"added_tokens": [], "post_processor": None, "padding": None, "truncation": None}
        before, after = _marks(codec)
        marks = set(tokenizer.all_special_ids)
        used = [
            number
            for piece, number in sorted(kept.items(), key=lambda item: item[1])
            if number not in marks and not _UNUSED.fullmatch(piece)
        ]
        rows = [[*before, number, *after] for number in used]
        return cls(len(kept), used, rows, stored)


def _marks(codec: Codec) -> tuple[Ids, Ids]:
    """The ids that the tokenizer sets before and after a text."""
    plain = codec.tokenizer(_SAMPLE, add_special_tokens=False)["input_ids"]
    marked = codec.tokenizer(_SAMPLE)["input_ids"]
    for start in range(len(marked) - len(plain) + 1):
        if marked[start : start + len(plain)] == plain:
            return marked[:start], marked[start + len(plain) :]
    return [], []


def _vectors(embedder: Embedder, vocabulary: _Vocabulary, pooling: str) -> Matrix:
    """The encoder's answer to each piece, float32 [used, width]."""
    found = embedder.embed(vocabulary.rows, [pooling])[pooling]
    return np.nan_to_num(found)


def _components(matrix: Matrix, dimensions: int) -> tuple[Matrix, float]:
    """Principal components [used, dimensions], and the part of the variance that they keep."""
    from sklearn.decomposition import PCA

    kept = min(dimensions, *matrix.shape)
    analysis = PCA(kept, svd_solver="covariance_eigh").fit(matrix)
    explained = float(analysis.explained_variance_ratio_.sum())
    return np.asarray(analysis.transform(matrix), dtype=np.float32), explained


def _weights_of(pieces: int) -> Matrix:
    """A weight for each piece, the most frequent first, float32 [pieces].

    >>> _weights_of(3).round(5).tolist()
    [0.00022, 0.00032, 0.00043]
    """
    shares = 1 / np.arange(2, pieces + 2)
    return np.asarray(SIF / (SIF + shares / shares.sum()), dtype=np.float32)


def _write(
    table: np.ndarray[Any, Any], vocabulary: _Vocabulary, facts: dict[str, Any], target: Path
) -> None:
    """Whole, or not at all."""
    from model2vec.persistence import save_pretrained
    from tokenizers import Tokenizer

    target = target.absolute()
    try:
        scratch = Scratch(target.parent)
    except OSError as error:
        raise StorageError(f"nothing can be written in {target.parent}: {error.strerror}") from None
    try:
        aside = scratch.folder / "model"
        tokenizer = Tokenizer.from_str(json.dumps(vocabulary.stored))
        save_pretrained(aside, table, tokenizer, facts, create_model_card=False)
        os.rename(aside, target)
    finally:
        scratch.close()
