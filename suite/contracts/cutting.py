"""What is read of a text that is longer than a model may take: decided once, for training and
serving alike.

A text's tokens (or the units of a model without a tokenizer) are cut to rows of so many: one from
its head, its tail, or both, or several rows, its chunks, whose vectors become one. Head and tail
after Sun et al. 2019, "How to Fine-Tune BERT for Text Classification" (arXiv:1905.05583), who find
a quarter of the head with the rest of the tail best.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Self

from suite.contracts.hyperparameters import Declared, declared
from suite.contracts.model import Model
from suite.contracts.space import Choice, Dimension, Fixed, Params, Space, Value
from suite.contracts.task import Task

HEAD, TAIL, HEAD_TAIL = "head", "tail", "head_tail"
#: Ways of one row.
PLAIN = (HEAD, TAIL, HEAD_TAIL)

MEAN, MAX, ATTENTION = "mean", "max", "attention"
#: How the vectors of a text's chunks become one.
POOLINGS = (MEAN, MAX, ATTENTION)
_CHUNKS = "chunks_"
CHUNKED = tuple(_CHUNKS + pooling for pooling in POOLINGS)

#: What the hyperparameter is called.
NAME = "cutting"

#: Stands in a text where its middle is left out.
LEFT_OUT = " … "

#: Most chunks of a text: by default, and in any case.
USUAL_CHUNKS, MOST_CHUNKS = 4, 16

#: Of a row from both ends, the part that is the head's.
_HEAD_SHARE = 0.25

#: Texts are long for an arm where at least this share of the training texts is longer than it may
#: read: below, no cutting could move its score by more than chance does.
LONG_SHARE = 0.05


def _way(options: tuple[str, ...], *others: str) -> Any:
    """The field that says what is read.

    Args:
        others: what can be read beside head, tail and both, in words.
    """
    *ways, last = "its head", "its tail", "a quarter of the head with three of the tail", *others
    told = f"what is read of a text beyond max_tokens: {', '.join(ways)}, or {last}"
    return declared(HEAD, told, options=options)


class Asks(Declared):
    """Of what asks a model, whose `cutting` is a dimension only where texts are long."""

    @classmethod
    def dimensions(cls, **searched: Dimension) -> dict[str, Dimension]:
        """As ever, but for cutting: of texts that are short nothing is cut."""
        found = super().dimensions(**searched)
        if NAME not in searched:
            del found[NAME]
        return found


@dataclass(frozen=True)
class Plain(Declared):
    """Of what reads one row of a text."""

    cutting: str = _way(PLAIN)

    @property
    def kept(self) -> dict[str, Value]:
        """What a predictor's settings say of it: nothing where it is the head, as ever."""
        return {} if self.cutting == HEAD else {NAME: self.cutting}

    @property
    def word(self) -> str:
        """What decides the rows, in a few letters; empty of the head."""
        return "" if self.cutting == HEAD else self.cutting

    def rows(self, length: int, room: int) -> list[list[slice]]:
        """What is read of a text that is too long: parts of it, row by row.

        Args:
            length: of the text.
            room: most of a row; less than `length`.

        >>> Plain(TAIL).rows(10, 4), Plain(HEAD_TAIL).rows(10, 4)
        ([[slice(6, 10, None)]], [[slice(0, 1, None), slice(7, 10, None)]])
        """
        if self.cutting == TAIL:
            return [[slice(length - room, length)]]
        if self.cutting == HEAD_TAIL:
            first = int(room * _HEAD_SHARE)
            return [[slice(0, first), slice(length - room + first, length)]]
        return [[slice(0, room)]]


@dataclass(frozen=True)
class Cutting(Plain):
    """Of what can also read a text in several rows."""

    cutting: str = _way(
        (*PLAIN, *CHUNKED), "chunks, whose vectors become one by mean, max or a learnt attention"
    )
    chunks: int = declared(
        USUAL_CHUNKS,
        "most chunks of a text; a longer one is read in places, evenly spread",
        low=2,
        high=MOST_CHUNKS,
    )

    @property
    def pooling(self) -> str | None:
        """How chunks' vectors become one; None where a text is one row."""
        return self.cutting.removeprefix(_CHUNKS) if self.cutting in CHUNKED else None

    def rows(self, length: int, room: int) -> list[list[slice]]:
        """As `Plain.rows`. Chunks are of one length but for a token, so that none says little.

        >>> Cutting("chunks_mean").rows(10, 4)
        [[slice(0, 3, None)], [slice(3, 7, None)], [slice(7, 10, None)]]
        >>> Cutting("chunks_mean", chunks=2).rows(10, 4)
        [[slice(0, 4, None)], [slice(6, 10, None)]]
        """
        if self.pooling is None:
            return super().rows(length, room)
        count = -(-length // room)
        if count <= self.chunks:
            ends = [round(place * length / count) for place in range(count + 1)]
            return [[slice(*ends[place : place + 2])] for place in range(count)]
        starts = [round(i * (length - room) / (self.chunks - 1)) for i in range(self.chunks)]
        return [[slice(start, start + room)] for start in starts]

    @property
    def kept(self) -> dict[str, Value]:
        """As `Plain.kept`."""
        chunks = {} if self.pooling is None else {"chunks": self.chunks}
        return super().kept | chunks

    @property
    def word(self) -> str:
        """As `Plain.word`; `chunks×4`, whatever joins them."""
        return super().word if self.pooling is None else f"chunks×{self.chunks}"

    @classmethod
    def of_kept(cls, cutting: str | None, chunks: int | None) -> Self:
        """From what settings say: where nothing, the head."""
        return cls(cutting or HEAD, chunks or USUAL_CHUNKS)


#: As ever where nothing is said.
AS_EVER = Cutting()


def limit(task: Task, model: Model) -> int:
    """Tokens of a text that a model reads at once."""
    return min(task.max_tokens, model.max_tokens or task.max_tokens)


def are_long(lengths: Sequence[int], most: int) -> bool:
    """Whether texts are long for an arm, so that how they are cut is searched.

    Args:
        lengths: of training texts, in tokens, also by estimate.
        most: tokens of a text that the arm reads at once.
    """
    beyond = sum(length > most for length in lengths)
    return bool(lengths) and beyond >= LONG_SHARE * len(lengths)


def searched(space: Space, declared_in: type[Plain]) -> Space:
    """A space in which cutting is a dimension too. The first known-good point is tried with the
    head, then with both ends and, where that can be, with chunks under their mean; then come the
    others."""
    ways = declared_in.hyperparameters()[NAME].options
    dimensions = declared_in.dimensions(cutting=Choice(ways))
    first, *others = [dict(point) for point in space.known_good] or [{}]
    tried = [way for way in (HEAD, HEAD_TAIL, CHUNKED[0]) if way in ways]
    points: list[Params] = [{**first, NAME: way} for way in tried]
    points += [{**point, NAME: HEAD} for point in others]
    return Space({**space.dimensions, **dimensions}, tuple(points))


def times_read(dimensions: Mapping[str, Dimension], lengths: Iterable[float], most: int) -> float:
    """How many times as much as from the head alone is read, on average over the ways that a space
    offers, since chunks multiply tokens; 1 where it offers none.

    Args:
        lengths: of texts, in tokens, also by estimate.
        most: tokens of a row.
    """
    offered, chunks = dimensions.get(NAME), dimensions.get("chunks")
    if not isinstance(offered, Choice | Fixed):
        return 1.0
    ways = offered.options if isinstance(offered, Choice) else (offered.value,)
    count = chunks.value if isinstance(chunks, Fixed) else MOST_CHUNKS
    rows = [count if way in CHUNKED and isinstance(count, int) else 1 for way in ways]
    known = list(lengths)
    once = sum(min(length, most) for length in known)
    if not once:
        return 1.0
    return fmean(sum(min(length, most * count) for length in known) for count in rows) / once
