"""Typed questions about a state, as decision models ("System One") answer them: a probability for
each option, and nothing generated.

What is answered, whatever the shape of a request (`suite.contracts.decisions` has the words of
both); section numbers are those of the specification of jevcompat 0.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from suite.contracts.decisions import Option
from suite.errors import counted

#: Most options of a choice (3.3) and levels of a score (3.4).
MOST_OPTIONS, MOST_LEVELS = 255, 10

YES_NO: Literal["yes_no"] = "yes_no"
CHOICE: Literal["choice"] = "choice"
SCORE: Literal["score"] = "score"

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class TypedQuestion:
    """A question about a state.

    Args:
        kind: `YES_NO` (its options are yes and no), `CHOICE`, or `SCORE` (levels, low to high).
        instructions: what is asked, or None where the options say it.
        options: at least one.
    """

    kind: Literal["yes_no", "choice", "score"]
    instructions: str | None
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Answers:
    """Answers to the questions about one state.

    Args:
        shares: of each question its options' probabilities, which sum to 1.
        tokens: that were read for all of them.
    """

    shares: list[Shares]
    tokens: int


class TooLong(Exception):
    """A state with its question is more than the model reads, or all of them more than one request
    may ask. Nothing is cut.

    Args:
        said: what is too long, and its verb.
        count: how long it is.
        most: how long it may be.
    """

    def __init__(self, said: str, count: int, most: int, unit: str = "token") -> None:
        super().__init__(f"{said} {counted(count, unit)}, of at most {most:,}")


class Asker(Protocol):
    """What answers any typed question, beside the one that its predictor was made for."""

    @property
    def options(self) -> int:
        """Most options that it tells apart."""
        ...

    def ask(self, state: str, questions: Sequence[TypedQuestion]) -> Answers:
        """Answers to all the questions; the state is read once.

        Raises:
            TooLong: with what was too long.
        """
        ...


def choice_confidence(shares: Shares) -> float:
    """How far the likeliest option is from chance, 0 to 1 (4.5).

    >>> round(choice_confidence(np.array([0.8, 0.1, 0.1])), 6)
    0.7
    """
    if len(shares) == 1:
        return 1.0
    even = 1 / len(shares)
    return float(np.clip((shares.max() - even) / (1 - even), 0, 1))


def score_confidence(shares: Shares) -> float:
    """How near the levels' probabilities lie to the likeliest level, 0 to 1: their mean distance
    beside that of even ones from the middle (4.5).

    >>> round(score_confidence(np.array([0.0, 0.95, 0.05])), 6)
    0.925
    """
    if len(shares) == 1:
        return 1.0
    levels = np.arange(len(shares))
    spread = float((shares * abs(levels - int(shares.argmax()))).sum())
    even = float(abs(levels - (len(shares) - 1) / 2).mean())
    return max(0.0, 1 - spread / even)


def expected_level(shares: Shares) -> float:
    """The mean of the levels, counted from 0, by their probabilities (4.4)."""
    return float((shares * np.arange(len(shares))).sum())
