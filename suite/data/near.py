"""Rows that nearly repeat others: found by MinHash, in time that grows with the rows alone.

Two texts are near where the sets of their shingles share `NEAR` of what either has. A shingle is
four bytes of the text without case, spaces, punctuation and width: four letters, or one Chinese
character and a part of the next, so that both kinds of writing are cut without knowing words.
MinHash estimates that share (Broder, "On the resemblance and containment of documents", 1997) from
`PERMUTATIONS` numbers a text, to about .035; texts that agree in a band of these numbers are
compared. Of a bucket only its first row is: a template that thousands of rows share costs as much
as thousands of rows that share nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

#: Share of shingles in common from which on two texts are near.
NEAR = 0.8
PERMUTATIONS, BANDS = 128, 16
#: Characters of a text that are looked at, and rows of a split.
MOST_CHARACTERS, MOST_ROWS = 2000, 300_000

#: Bytes of a shingle.
_SHINGLE = 4
_BATCH = 4096
_SEED = 42

#: Numbers of MinHash, uint32 [rows, PERMUTATIONS].
Signatures = NDArray[np.uint32]
Flags = NDArray[np.bool_]


def signatures(forms: Sequence[str]) -> Signatures:
    """What texts are compared by.

    Args:
        forms: the texts, normalised.
    """
    found = [_signed(batch) for batch in _batches(forms)]
    return np.concatenate(found) if found else np.empty((0, PERMUTATIONS), np.uint32)


def _batches(forms: Sequence[str]) -> Iterator[Sequence[str]]:
    return (forms[start : start + _BATCH] for start in range(0, len(forms), _BATCH))


def _signed(forms: Sequence[str]) -> Signatures:
    from rensa import RMinHash

    texts = [
        form[:MOST_CHARACTERS].encode("utf-8", "surrogatepass").ljust(_SHINGLE, b"\0")
        for form in forms
    ]
    content = np.frombuffer(b"".join(texts), np.uint8)
    shingles = np.zeros(len(content), np.uint64)
    for place in range(_SHINGLE):
        shingles[: len(content) - place] |= content[place:].astype(np.uint64) << np.uint64(
            8 * place
        )
    ends = np.cumsum([len(text) for text in texts])
    within = np.ones(len(content), bool)
    for place in range(1, _SHINGLE):
        within[ends - place] = False  # a shingle from here would end in the next text
    offsets = np.concatenate([[0], ends - (_SHINGLE - 1) * np.arange(1, len(texts) + 1)])
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        _spread(shingles[within]), offsets.astype(np.uint64), PERMUTATIONS, _SEED
    )
    numbers = itertools.chain.from_iterable(matrix.to_rows())
    return np.fromiter(numbers, np.uint32, len(texts) * PERMUTATIONS).reshape(-1, PERMUTATIONS)


def _spread(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers as hashes of 64 bits: Steele, Lea, Flood, "Fast splittable pseudorandom number
    generators", 2014."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def held(rows: Signatures, by: Signatures) -> Flags:
    """Which rows are near a row of others, bool [rows]."""
    return _near(rows, by, lambda own, other: np.ones(len(own), bool))


def repeated(rows: Signatures) -> Flags:
    """Which rows are near a row that stands before them, bool [rows]."""
    return _near(rows, rows, lambda own, other: other < own)


def _near(
    rows: Signatures,
    by: Signatures,
    counts: Callable[[NDArray[np.int64], NDArray[np.int64]], Flags],
) -> Flags:
    found = np.zeros(len(rows), bool)
    if not len(rows) or not len(by):
        return found
    for ours, theirs in zip(_bands(rows), _bands(by), strict=True):
        keys, first = np.unique(theirs, return_index=True)
        at = np.minimum(np.searchsorted(keys, ours), len(keys) - 1)
        own = np.flatnonzero((keys[at] == ours) & ~found)
        other = first[at[own]]
        kept = counts(own, other)
        own, other = own[kept], other[kept]
        for part in range(0, len(own), _BATCH):
            some, others = own[part : part + _BATCH], other[part : part + _BATCH]
            found[some] = (rows[some] == by[others]).mean(axis=1) >= NEAR
    return found


def _bands(rows: Signatures) -> Iterator[NDArray[np.uint64]]:
    """Each band as one number a row."""
    width = PERMUTATIONS // BANDS
    for band in range(BANDS):
        mixed = np.zeros(len(rows), np.uint64)
        for column in range(band * width, (band + 1) * width):
            mixed = _spread(mixed ^ rows[:, column])
        yield mixed
