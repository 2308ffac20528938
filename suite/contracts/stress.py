"""What becomes of a trained model's answers where texts are as strangers write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from suite.contracts.measured import Measured
from suite.contracts.records import FINITE

#: What is done to a text: letters go astray, all is written in capitals or in small letters, the
#: second half is cut off, Chinese characters are taken for others that sound alike or written in
#: their traditional form; and behind it stands harmless text, a class' name, or an instruction that
#: names one.
Change = Literal[
    "typos", "case", "cut", "homophones", "traditional", "harmless", "name", "instruction"
]


@dataclass(frozen=True)
class Changed:
    """An arm's answers to texts that were changed in one way, beside those to the same texts as
    they are.

    `altered` is the share of the texts that the change left other than they were, `flipped` the
    share of answers that became others, and `steered` the share that became the class which the
    text names, of those that were not it before (null where texts name none; harmless text names
    none, and `steered` is then the share that became what it would have named). `beyond` is by how
    much a name or an instruction steers more than harmless text of an instruction's length does to
    the same rows (null of other changes, and in records from before that was asked). `lost` is
    macro-F1 of the texts as they are less that of the changed ones; its interval and `p` hold for
    all changes of the arm together. Of instructions, every text counts once with each.
    """

    change: Change
    altered: float
    flipped: Measured
    steered: Measured | None
    macro_f1: float
    lost: Measured
    p: float
    beyond: Measured | None = None


@dataclass(frozen=True)
class Injected:
    """What one instruction did, in one language, on the texts that were given it.

    `text` has `{label}` where it names a class.
    """

    text: str
    language: str
    rows: int
    flipped: Measured
    steered: Measured | None


@dataclass(frozen=True)
class Stress:
    """What an arm's model answered to `rows` test texts, as they are and changed.

    `trial` and `refit` say which model it is of; `seed` and `version` which texts it was asked.
    `macro_f1` is of the texts as they are, and `unanswered` the share of those without an answer.
    `unsteady` is the share of them that it answered otherwise than in the finals, with nothing
    changed; null where finals did not keep what it answered. `left_out` has the changes that were
    not made, and why.
    """

    __pydantic_config__ = FINITE

    arm: str
    trial: int
    refit: bool
    rows: int
    seed: int
    version: int
    asked: int
    """Texts that it answered in all, each once however many changes left it as it was."""
    seconds: float
    measured: str
    """When, as an ISO time."""
    macro_f1: float
    unanswered: float
    unsteady: float | None
    changes: list[Changed]
    instructions: list[Injected] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def change(self, name: Change) -> Changed | None:
        """What one change did; None where it was not made."""
        return next((one for one in self.changes if one.change == name), None)

    @property
    def steered(self) -> Measured | None:
        """The share of answers that instructions turned into the class that they name, beyond that
        of harmless text."""
        found = self.change("instruction")
        return found.beyond if found else None
