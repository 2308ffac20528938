"""The words of a typed question (`suite.contracts.typed`) about a state.

The state stands before everything that differs between questions, so that all of one request share
what is read of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suite.contracts.decisions import Option
from suite.contracts.language import Language, language_of
from suite.contracts.typed import YES_NO, TypedQuestion
from suite.prompting.layout import defuse


@dataclass(frozen=True)
class TypedLayout:
    """How a user's turn asks.

    Args:
        language: of what the suite itself says in it.
        marks: what nothing that is asked may hold.
    """

    language: str
    marks: tuple[str, ...] = ()

    @property
    def _words(self) -> Language:
        return language_of(self.language)

    @property
    def cue(self) -> str:
        """The end of every turn, right before the answer."""
        return f"\n\n{self._words.answer}"

    def content(self, state: str, question: TypedQuestion, codes: Sequence[str]) -> str:
        """A whole turn.

        Args:
            codes: of the options, in their order; at least as many.
        """
        heading = self._words.text_heading
        asked = question.instructions or self._words.question
        options = "\n".join(
            f"{code}. {self._option(option, index, question.kind == YES_NO)}"
            for index, (code, option) in enumerate(zip(codes, question.options, strict=False))
        )
        said = f"{heading}\n{state}\n\n{asked}\n{options}"
        return defuse(said, self.marks) + self.cue

    def _option(self, option: Option, index: int, yes_or_no: bool) -> str:
        words = self._words
        name = (words.yes, words.no)[index] if yes_or_no else option.name
        # As the language writes a colon.
        between = "：" if words.text_heading.endswith("：") else ": "
        return name if option.about is None else f"{name}{between}{option.about}"
