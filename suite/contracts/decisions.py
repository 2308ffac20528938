"""What decision models are asked: typed questions about a state, answered by probabilities alone.

Two public shapes say the same. `POST /v1/systemone` (TypeSafe's Jev, and what follows it) names
questions by the keys of an object; `POST /v1/decisions` (OpenAI's) lists them. The words of both
stand here, for who asks and for who answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["systemone", "decisions"]

#: Also the last part of the path.
SYSTEM_ONE: Shape = "systemone"
DECISIONS: Shape = "decisions"
SHAPES: tuple[Shape, ...] = (SYSTEM_ONE, DECISIONS)

#: What servers of this protocol call the model that they answer with unless one is named.
LATEST = "jev-latest"

CHOICE = "choice"
#: A question of yes or no, as each shape calls it.
YES_NO: dict[Shape, str] = {SYSTEM_ONE: "noul", DECISIONS: "predicate"}
#: The type of an answer that declines to answer.
REFUSAL = "refusal"

#: Options of one question in the field: SGLang's letters, servers' own limits, the protocol's.
OPTION_LIMITS = (255, 208, 64, 50, 26)


@dataclass(frozen=True)
class Option:
    """One option of a choice.

    Args:
        name: byte for byte.
        about: what is said of it.
        label: the label that it stands for, byte for byte, for who knows labels alone; None where
            that is its name, or it stands for none.
    """

    name: str
    about: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class Choice:
    """Which one of these? Answered by a probability of each option."""

    name: str
    instructions: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class YesNo:
    """Does this hold? Answered by the probability that it does.

    Args:
        about: when it does.
        label: whether a text is this one is asked; byte for byte, for who knows labels alone.
    """

    name: str
    instructions: str
    about: str | None = None
    label: str | None = None


Question = Choice | YesNo
