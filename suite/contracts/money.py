"""What a study's arms cost, as frozen values: part of `StudyResults`, made by `verdict/money.py`.

Amounts are of `Money.currency`. Only what was measured is priced: where a speed or a count of
tokens is missing, the amount is null and `missing` says what it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from suite.contracts.records import FINITE

#: By what a million texts are paid: the hours of a machine, or what a server takes for its answers.
Paid = Literal["hours", "answers"]
#: Why a million texts have no price: none is set, no (valid) speed or no tokens were measured.
Missing = Literal["price", "speed", "tokens"]
#: Whether a machine of one's own pays at some number of texts; "unsure": the interval of its speed
#: reaches to both sides.
Pays = Literal["pays", "unsure", "never"]


@dataclass(frozen=True)
class Amount:
    """An amount of money, and between which it lies where what it is of has an interval."""

    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class ArmMoney:
    """What an arm costs.

    `training` is one training of it, null where nothing is trained (a server is asked) or nobody
    knows; `search` all its trials, of hours that trials shared its part. `per_million` are a
    million texts at the measured speed, of a server that is paid by what it answers at the tokens
    of its best trial.
    """

    __pydantic_config__ = FINITE

    arm: str
    paid: Paid
    training: Amount | None = None
    search: float | None = None
    search_whole: bool = True
    """False where calls of failed trials were not counted: then it is the least."""
    per_million: Amount | None = None
    missing: Missing | None = None


@dataclass(frozen=True)
class BreakEven:
    """From how many texts a day a machine of one's own, that runs all day with `own` on it, costs
    less than asking `asked`.

    `texts_a_day` is what its day costs over what a text costs there; `most_a_day` what it answers
    in a day at its measured speed. `repaid_after` are the texts after which training and search of
    `own` have been saved, its own texts paid by the time that they take; null where each costs as
    much or more than there.
    """

    __pydantic_config__ = FINITE

    own: str
    asked: str
    pays: Pays
    texts_a_day: float
    most_a_day: float
    repaid_after: float | None = None


@dataclass(frozen=True)
class Money:
    """What the study's arms cost at the prices of the settings."""

    __pydantic_config__ = FINITE

    currency: str
    per_hour: float | None
    search: float | None
    """Of all arms' trials; null where one of them is not known."""
    search_whole: bool
    arms: list[ArmMoney] = field(default_factory=list)
    break_even: list[BreakEven] = field(default_factory=list)
