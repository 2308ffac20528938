"""The file that the fastText library reads, written anew from parts that were checked.

The library loads nothing but its own binary file, and believes every size in it. So a trained model
is kept as its parts (`Parts`: words, labels, the vectors that training filled, in JSON and
safetensors, held to what they are by `settings` and `arrays`), and this file exists only while the
library reads it: in a folder of this process alone, for this user alone. A file from elsewhere is
never opened.

The layout is version 12 of https://github.com/facebookresearch/fastText (`FastText::saveModel`,
`Args::save`, `Dictionary::save`, `DenseMatrix::save`); whatever a trained model answers to a text
comes from it and from the words of the text alone.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import fasttext
import numpy as np
from numpy.typing import NDArray

from suite.errors import SuiteError
from suite.machine import scratch

#: What begins a label in the library's files; not a word of a text.
LABEL = "__label__"

#: The shortest and longest character n-grams of a word, where parts of words count.
SUBWORDS = (3, 5)

#: The table of vectors at most, bytes: it is held whole, whatever of it is filled.
MOST_BYTES = 4_000_000_000

_MAGIC, _VERSION = 793712314, 12
_SOFTMAX, _SUPERVISED = 3, 3
_WORD, _LABEL = 0, 1
_NOT_PRUNED = -1

Array = NDArray[np.float32]


def fits(rows: int, dim: int) -> bool:
    """Whether a table of so many vectors may be held."""
    return rows * dim * np.dtype(np.float32).itemsize <= MOST_BYTES


@dataclass(frozen=True)
class Parts:
    """What a trained model is made of.

    Args:
        ngrams: words in the longest run of words that counts.
        subwords: whether parts of words count too.
        buckets: what both are hashed to.
        words: the dictionary; a word's vector stands at its place, the buckets' behind all words'.
        trained: the class of each row of `output`, ascending.
        filled: the vectors that training changed, ascending, int32 [vectors]; all others are 0.
        vectors: float32 [vectors, dim].
        output: float32 [trained, dim].
    """

    ngrams: int
    subwords: bool
    buckets: int
    words: Sequence[str]
    trained: Sequence[int]
    filled: NDArray[np.int32]
    vectors: Array
    output: Array

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        return int(self.output.shape[1])

    @property
    def rows(self) -> int:
        """Vectors in the table, filled or not."""
        return len(self.words) + self.buckets


def model_of(parts: Parts) -> Any:
    """The library's model of these parts.

    Raises:
        SuiteError: its file can't be written.
    """
    try:
        with scratch.temporary() as folder:
            file = folder / "model.bin"
            # O_EXCL: nobody's link is followed.
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as opened:
                write(opened, parts)
            return fasttext.load_model(str(file))
    except OSError as error:
        raise SuiteError(
            f"the file that the fastText library reads could not be written: {error.strerror}",
            fix="Make room among the temporary files, or set TMPDIR to another folder.",
        ) from None


def write(file: BinaryIO, parts: Parts) -> None:
    """The library's file of these parts."""
    shortest, longest = SUBWORDS if parts.subwords else (0, 0)
    file.write(struct.pack("<2i", _MAGIC, _VERSION))
    # The windows, epochs, counts, negatives, rates and samples of training say nothing any more.
    settings = (parts.dim, 0, 0, 0, 0, parts.ngrams, _SOFTMAX, _SUPERVISED)
    file.write(struct.pack("<12i", *settings, parts.buckets, shortest, longest, 0))
    file.write(struct.pack("<d", 0.0))

    labels = [f"{LABEL}{place}" for place in parts.trained]
    entries = len(parts.words) + len(labels)
    file.write(struct.pack("<3i", entries, len(parts.words), len(labels)))
    file.write(struct.pack("<2q", entries, _NOT_PRUNED))
    for kind, names in ((_WORD, parts.words), (_LABEL, labels)):
        ending = b"\0" + struct.pack("<qb", 1, kind)
        file.writelines(name.encode("utf-8") + ending for name in names)

    table = np.zeros((parts.rows, parts.dim), dtype="<f4")
    table[parts.filled] = parts.vectors
    for matrix in (table, np.ascontiguousarray(parts.output, dtype="<f4")):
        file.write(struct.pack("<?2q", False, *matrix.shape))  # not quantised
        file.write(matrix.data)


def parts_of(model: Any, *, subwords: bool, seed: int, folder: Path) -> Parts:
    """The parts of a model that the library trained.

    Which vectors training changed is found beside a model of the same words and seed that learned
    nothing. The others keep the random numbers that they began with, and an n-gram that was never
    met would add them to a text: they count as 0.

    Args:
        seed: by which it was trained.
        folder: for a file of its words.
    """
    words = model.get_words()
    file = folder / "words.txt"
    with file.open("w", encoding="utf-8", newline="\n") as opened:
        opened.write(f"{LABEL}0\n")
        # Each of them stands for the end of its line, which is a word of its own.
        opened.writelines(f"{word}\n" for word in words if word != fasttext.EOS)
    untaught = fasttext.train_supervised(
        str(file),
        dim=model.dim,
        wordNgrams=model.wordNgrams,
        bucket=model.bucket,
        minn=model.minn,
        maxn=model.maxn,
        minCount=1,
        epoch=0,
        thread=1,
        seed=seed,
        verbose=0,
    )
    table = model.get_input_matrix()
    filled = np.flatnonzero((table != untaught.get_input_matrix()).any(axis=1))
    classes = np.array([int(name.removeprefix(LABEL)) for name in model.get_labels()])
    order = np.argsort(classes)
    return Parts(
        ngrams=model.wordNgrams,
        subwords=subwords,
        buckets=model.bucket,
        words=words,
        trained=classes[order].tolist(),
        filled=filled.astype(np.int32),
        vectors=table[filled],
        output=model.get_output_matrix()[order],
    )
