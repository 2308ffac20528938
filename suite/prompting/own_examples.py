"""Examples that each text has of its own, and how they come into its prompt.

The same examples for all texts are part of the question. Where a text has its own, the question
leaves a gap for them, or they are put before it as turns; nothing behind them is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from suite.contracts.cutting import LEFT_OUT
from suite.prompting.frame import Frame
from suite.prompting.layout import EXAMPLES_GAP, ExampleForm, Question

#: A text and its class index.
Example = tuple[str, int]


@dataclass(frozen=True)
class Excerpt:
    """A training row as it may stand in a prompt.

    Args:
        text: defused and short.
        label: its class index.
        whole: whether it is the whole text.
        tokens: how many it has, where a prompt is built; 0 where that no longer matters.
    """

    text: str
    label: int
    whole: bool
    tokens: int = 0

    def is_of(self, text: str) -> bool:
        """Whether it is what would be shown of a text (defused), by its head, its tail or both.

        >>> Excerpt("It begins … ends", 0, whole=False).is_of("It begins, goes on and ends")
        True
        """
        if self.whole:
            return text == self.text
        parts = self.text.split(LEFT_OUT)
        return any(
            text.startswith(LEFT_OUT.join(parts[:place]))
            and text.endswith(LEFT_OUT.join(parts[place:]))
            for place in range(len(parts) + 1)
        )


class Chooser(Protocol):
    """Which training rows stand in the prompt of a text; no choice depends on other texts."""

    @property
    def shape(self) -> str:
        """What decides how long a choice takes, as part of a serving shape; "" where nothing to
        speak of."""

    @property
    def longest(self) -> list[Example]:
        """As many as a prompt has, none of which is shorter than those it leaves out."""

    def choose(self, texts: Sequence[str]) -> list[list[Example]]:
        """Of each text (defused), in the order in which they stand before it."""

    def save(self, folder: Path) -> None:
        """Writes what it chooses among, and by what, beside a prompter's settings."""


@dataclass(frozen=True)
class OwnExamples:
    """How the examples of a text stand in its prompt.

    Args:
        answers: what each is answered with, by class index.
        turns: whether they are turns of the conversation; else they stand before the text.
        think: whether the prompt ends where thinking starts.
    """

    chooser: Chooser
    form: ExampleForm
    answers: tuple[str, ...]
    turns: bool
    think: bool

    def placed(
        self, tokenizer: Any, question: Question, frame: Frame, examples: Sequence[Example]
    ) -> tuple[Question, Frame]:
        """The question and the frame of a text with these examples."""
        if self.turns:
            said = [(question.content(text), self.answers[label]) for text, label in examples]
            return question, frame.after(tokenizer, said, think=self.think)
        block = self.form.block(examples, self.answers)
        return replace(question, before=question.before.replace(EXAMPLES_GAP, block)), frame

    @property
    def shape(self) -> str:
        """What they add to a serving shape."""
        return f" own examples {self.chooser.shape}".rstrip()

    def settings(self) -> dict[str, Any]:
        """Plain JSON of all but the chooser."""
        return {"form": asdict(self.form), "answers": list(self.answers), "turns": self.turns}
