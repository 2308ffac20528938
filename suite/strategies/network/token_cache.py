"""Training rows as token ids, made once and shared by every trial, child and worker.

Tokenising 120,000 news texts takes a core some 20 s, and every trial of every arm with the same
tokenizer needs the same ids. They stand in the shared cache and are mapped into memory, so that
several workers hold one copy. What finding them saved is charged to the trial all the same: a
trial costs what its training costs, whoever went before it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.strategy import Pool, Run
from suite.errors import WeightsError, counted
from suite.machine import cache
from suite.strategies.network.chunks import Chunks

if TYPE_CHECKING:
    from suite.strategies.network.sources import Source
    from suite.strategies.network.transformer import Codec, Encoded

#: Raise it when `Codec.encode` makes other ids of the same texts, or they are kept otherwise.
FORMAT = 2

#: What a tokenizer is read from, in a folder.
TOKENIZER_FILES = ("*.json", "*.txt", "*.model", "*.jinja")
#: What of a folder decides what a model computes of a text: weights, tokenizer, settings.
SOURCE_FILES = ("*.safetensors", "*.bin", *TOKENIZER_FILES)


@dataclass(frozen=True)
class Found:
    """Token ids, and the seconds that making them takes, now or when they were made."""

    encoded: Encoded
    seconds: float


def encoded(run: Run, codec: Codec, source: Source) -> Encoded:
    """`codec.encode(run.train.texts)`, from the shared cache where it is there.

    Rows may be int32 arrays in place of lists. The seconds saved are told to the run.
    """
    return found(run, codec, source).encoded


def found(run: Run, codec: Codec, source: Source, pool: Pool | None = None) -> Found:
    """As `encoded`, with what they cost, for who keeps the sum of what something takes.

    Args:
        pool: whose rows are meant in place of the training rows; the tokenizer learnt none of them.

    Raises:
        WeightsError: the tokenizer knows no word of the texts.
    """
    rows = run.train if pool is None else pool.rows
    file = _place(run, codec, source, run.fingerprint if pool is None else pool.fingerprint)
    started = time.perf_counter()
    ready = _read(file, len(rows), codec.max_tokens)
    if ready is not None:
        known, seconds = ready
        cache.used(file)
        run.saved(max(0.0, seconds - (time.perf_counter() - started)))
        run.note(tokens="cached")
        return Found(known, seconds)
    started = time.perf_counter()
    made = codec.encode(rows.texts)
    seconds = time.perf_counter() - started
    _refuse_unknown(made, codec, source)
    run.note(tokens="made")
    # Writing serves later trials, and is no part of this one's training.
    with run.loading():
        _write(file, made, seconds)
    return Found(made, seconds)


def _refuse_unknown(made: Encoded, codec: Codec, source: Source) -> None:
    """Refuses a tokenizer that knows no word of the texts: they would all be one to the model."""
    unknown = codec.tokenizer.unk_token_id
    # Where the end also stands for what is unknown, bytes are read, and nothing is.
    if unknown is None or unknown == codec.tokenizer.eos_token_id:
        return
    read = set(chain.from_iterable(made.ids))
    if unknown in read and read <= set(codec.tokenizer.all_special_ids):
        raise WeightsError(
            f"its tokenizer knows no word of the {counted(len(made.ids), 'training text')}",
            where=source.where,
            fix="Save the tokenizer that the model was trained with beside the weights, or choose "
            "a model that reads the task's language.",
        )


def stamp(source: Source, patterns: tuple[str, ...]) -> list[Any]:
    """What tells that files of a folder were replaced.

    Args:
        patterns: globs of the files that matter.
    """
    folder = Path(source.where)
    files = sorted({file for pattern in patterns for file in folder.glob(pattern)})
    return [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in files]


def _place(run: Run, codec: Codec, source: Source, fingerprint: str) -> Path:
    import tokenizers
    import transformers

    facts = [
        FORMAT,
        fingerprint,
        run.model.identity,
        stamp(source, TOKENIZER_FILES),
        codec.max_tokens,
        codec.cutting.word,
        transformers.__version__,
        tokenizers.__version__,
    ]
    return cache.place("tokens", facts)


def _read(file: Path, rows: int, max_tokens: int) -> tuple[Encoded, float] | None:
    """The ids and the seconds they took, or None where there are none of use."""
    from safetensors import SafetensorError, safe_open

    from suite.strategies.network.transformer import Encoded

    try:
        # Torch's reader maps the file; the one for numpy copies it.
        with safe_open(file, framework="pt") as stored:
            flat = stored.get_tensor("ids").numpy()
            offsets = stored.get_tensor("offsets").numpy()
            texts = stored.get_tensor("texts").numpy()
            facts = stored.metadata()
        seconds, cut = float(facts["seconds"]), int(facts["cut"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError):
        return None
    if offsets[0] != 0 or offsets[-1] != len(flat):
        return None
    if len(texts) != rows + 1 or texts[0] != 0 or texts[-1] != len(offsets) - 1:
        return None
    lengths = np.diff(offsets)
    if lengths.min(initial=1) < 1 or lengths.max(initial=1) > max_tokens or flat.min(initial=0) < 0:
        return None
    if np.diff(texts).min(initial=1) < 1:
        return None
    bounds = offsets.tolist()
    ids: list[Any] = []
    for first, last in pairwise(texts.tolist()):
        row = flat[bounds[first] : bounds[last]]
        ids.append(row if last == first + 1 else Chunks(row, lengths[first:last].tolist()))
    return Encoded(ids, cut), seconds


def _write(file: Path, made: Encoded, seconds: float) -> None:
    apart = [row.lengths if isinstance(row, Chunks) else (len(row),) for row in made.ids]
    offsets = _ends(list(chain.from_iterable(apart)))
    flat = np.fromiter(chain.from_iterable(made.ids), dtype=np.int32, count=int(offsets[-1]))
    facts = {"seconds": repr(seconds), "cut": str(made.cut)}
    texts = _ends([len(rows) for rows in apart])
    cache.write(file, {"ids": flat, "offsets": offsets, "texts": texts}, facts)


def _ends(sizes: Sequence[int]) -> NDArray[np.int64]:
    """Where each of some things begins that stand one after another, and where the last ends."""
    found = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=found[1:])
    return found
