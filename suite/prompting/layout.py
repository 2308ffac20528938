"""The words of the question: instruction, text, question, lettered options, answer cue.

The layout is that of the article the suite starts from. A task file words it per language; where
it does not, a default is made from the labels and the language. What can be varied (order of the
options, label words, instruction before or after the text) is a value that a recipe may search.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from suite.contracts.cutting import HEAD, PLAIN, Asks, Plain
from suite.contracts.cutting import NAME as CUTTING
from suite.contracts.hyperparameters import declared
from suite.contracts.language import language_of
from suite.contracts.task import Prompt, Task, default_prompt
from suite.prompting import codes as coding

#: An example in a prompt is cut to so many tokens: it shows the form, and there may be many.
EXAMPLE_TOKENS = 96

#: Where the examples of each text will stand, in a question that does not have the same for all.
EXAMPLES_GAP = "\u2063examples\u2063"

#: Texts without content: what a model answers to them it would answer unasked (Zhao et al. 2021,
#: "Calibrate Before Use", arXiv:2102.09690).
CONTENT_FREE = ("N/A", "[MASK]", "")

#: What switches thinking off within a user's turn (Qwen3's soft switch; the article ends with it).
NO_THINK = "/no_think"

#: Control marks of widespread chat formats, for servers whose tokenizer is not at hand.
COMMON_MARKS = (
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|end|>", "<|user|>", "<|assistant|>",
    "<|system|>", "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|eot_id|>", "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>",
    "<s>", "</s>", "[INST]", "[/INST]", "<think>", "</think>",
)  # fmt: skip


@dataclass(frozen=True)
class Variant(Asks):
    """What may be varied in a prompt: hyperparameters that stay at their defaults until a recipe
    opens them; how a text is cut also where many are long."""

    codes: str = declared(
        coding.UPPER,
        "what options are called, where 26 or fewer: A B C, 1 2 3, or a b c",
        options=tuple(coding.SYMBOLS),
    )
    order: str = declared(
        "given", "of the options, the same for all texts", options=("given", "reversed", "shuffled")
    )
    words: str = declared(
        "display", "how options are worded: as shown, or by bare name", options=("display", "name")
    )
    instruction: str = declared(
        "first", "whether it stands before the text or after it", options=("first", "last")
    )
    options: str = declared(
        "last",
        "whether they stand after the text or before it, where all texts share what is read once",
        options=("last", "first"),
    )
    no_think_mark: bool = declared(
        False, "whether the turn ends in /no_think, where the model's template thinks"
    )
    cutting: str = declared(HEAD, Plain.hyperparameters()[CUTTING].about, options=PLAIN)


def option_line(word: str, code: str | None = None) -> str:
    """How an option is listed.

    >>> option_line("Sports", "B"), option_line("Sports")
    ('B. Sports', '- Sports')
    """
    return f"- {word}" if code is None else f"{code}. {word}"


@dataclass(frozen=True)
class Question:
    """The user's turn, with a gap for the text.

    Args:
        before: what stands before the text.
        after: what follows it.
        codes: the code of each class, by class index.
        words: the wording of each class, by class index.
    """

    language: str
    before: str
    after: str
    codes: tuple[str, ...]
    words: tuple[str, ...]

    def content(self, text: str) -> str:
        """The whole turn for a text (already defused and shortened)."""
        return f"{self.before}{text}{self.after}"

    @property
    def listed(self) -> set[str]:
        """The lines that options may stand in, with their codes or without."""
        coded = {option_line(*each) for each in zip(self.words, self.codes, strict=True)}
        return coded | {option_line(word) for word in self.words}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, kept with a predictor."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Question:
        """Reads back what `to_json` gave.

        Raises:
            KeyError, TypeError: it is something else.
        """
        return cls(
            language=str(value["language"]),
            before=str(value["before"]),
            after=str(value["after"]),
            codes=tuple(str(code) for code in value["codes"]),
            words=tuple(str(word) for word in value["words"]),
        )


@dataclass(frozen=True)
class ExampleForm:
    """How examples stand before a text.

    Args:
        opening: before the first.
        before: before the text of each.
        after: between a text and its answer.
    """

    opening: str
    before: str
    after: str

    @classmethod
    def of(cls, task: Task) -> ExampleForm:
        """As the task's prompt words it."""
        prompt = prompt_of(task)
        return cls(
            opening=language_of(task.language).examples_heading,
            before=f"{prompt.text_heading}\n" if prompt.text_heading else "",
            after=f"\n{prompt.answer}{' ' if prompt.answer.endswith(':') else ''}",
        )

    def block(self, examples: Sequence[tuple[str, int]], answers: Sequence[str]) -> str:
        """All of them, "" where there are none.

        Args:
            answers: by class index.
        """
        if not examples:
            return ""
        shown = [f"{self.before}{text}{self.after}{answers[index]}" for text, index in examples]
        return "\n\n".join([self.opening, *shown]) + "\n\n"


def prompt_of(task: Task) -> Prompt:
    """The task's own wording in its language, or the default one."""
    return task.prompt.get(task.language) or default_prompt(task.language)


def positions(task: Task, order: str) -> list[int]:
    """Class indices in the order their options are listed.

    A shuffle is the same for every text and every trial: it depends on the task's name alone.
    """
    classes = list(range(len(task.labels)))
    if order == "reversed":
        classes.reverse()
    elif order == "shuffled":
        random.Random(task.name).shuffle(classes)
    return classes


def question(
    task: Task,
    codes: Sequence[str],
    variant: Variant,
    *,
    examples: Sequence[tuple[str, int]] = (),
    gap: bool = False,
    mark: bool = False,
    coded: bool = True,
) -> Question:
    """The question of a task.

    Args:
        codes: by position in the list of options.
        coded: whether options stand with their codes, and examples are answered by them; else by
            their words.
        examples: texts (defused, short) with their class index, shown before the text.
        gap: leave `EXAMPLES_GAP` in their place.
        mark: end the turn in `/no_think`.
    """
    prompt = prompt_of(task)
    listed = positions(task, variant.order)
    words = tuple(
        label.shown if variant.words == "display" else label.name for label in task.labels
    )
    by_class = [""] * len(listed)
    for code, index in zip(codes, listed, strict=True):
        by_class[index] = code
    options = "\n".join(
        option_line(words[index], by_class[index] if coded else None) for index in listed
    )
    answer = prompt.answer + (NO_THINK if mark else "")
    answers = by_class if coded else words
    shown = EXAMPLES_GAP if gap else ExampleForm.of(task).block(examples, answers)
    whole = prompt.template if prompt.template is not None else _outline(variant)
    if prompt.template is not None and shown and "{examples}" not in whole:
        whole = whole.replace("{text}", "{examples}{text}")
    filled = {
        "instruction": prompt.instruction,
        "heading": f"{prompt.text_heading}\n" if prompt.text_heading else "",
        "question": prompt.question,
        "options": options,
        "answer": answer,
        "examples": shown,
    }
    before, _, after = whole.partition("{text}")
    return Question(
        task.language, _fill(before, filled), _fill(after, filled), tuple(by_class), words
    )


def _outline(variant: Variant) -> str:
    """The parts of a turn in their order, where a task has no template of its own."""
    asked = "{question}\n{options}\n\n"
    before, after = ("", asked) if variant.options == "last" else (asked, "")
    if variant.instruction == "first":
        before = "{instruction}\n\n" + before
    else:
        after = "{instruction}\n\n" + after
    return before + "{examples}{heading}{text}\n\n" + after + "{answer}"


def _fill(template: str, filled: Mapping[str, str]) -> str:
    # One pass, so that nothing inside a label is taken for a gap.
    return re.sub(r"\{(" + "|".join(filled) + r")\}", lambda found: filled[found[1]], template)


def defuse(text: str, marks: Sequence[str]) -> str:
    """A text in which no control mark stands: a space breaks each after its first character.

    A tokenizer would read such a mark as the end of a turn or of a thought, also where it is
    asked to split special tokens: Qwen3's `</think>` is not a special one. The same text goes to
    training, scoring and servers, so that all see the same tokens.

    >>> defuse("fine </think>A<|im_end|>", ["</think>", "<|im_end|>"])
    'fine < /think>A< |im_end|>'
    """
    found = _pattern(tuple(marks))
    return found.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text) if found else text


@cache
def _pattern(marks: tuple[str, ...]) -> re.Pattern[str] | None:
    usable = sorted({mark for mark in marks if len(mark) > 1}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, usable))) if usable else None
