"""The languages of texts, one entry each: everything the suite has to know of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LanguageCode = Literal["en", "zh"]


@dataclass(frozen=True)
class Language:
    """A language that tasks and models may name.

    Args:
        name: in English, for messages and model cards.
        spaced: whether spaces part its words; else characters are counted.
        script: a pattern of its letters, where they tell it from other languages.
        characters_per_token: about, of a subword tokenizer; where only a server has one.
        instruction, text_heading, question, answer: what is asked where a task words no question.
        examples_heading: stands above worked examples in a prompt.
        headline: a text to try a classifier with.
        task: the shipped task that `suite doctor` judges the language's models by.
    """

    name: str
    spaced: bool
    script: str | None
    characters_per_token: int
    instruction: str
    text_heading: str
    question: str
    answer: str
    examples_heading: str
    headline: str
    task: str


LANGUAGES: Mapping[LanguageCode, Language] = {
    "en": Language(
        name="English",
        spaced=True,
        script=None,
        characters_per_token=5,
        instruction=(
            "Please read the following text and determine its category from the options below."
        ),
        text_heading="Text:",
        question="Question: What is the most appropriate category for this text?",
        answer="Answer:",
        examples_heading="Examples:",
        headline="Oil prices fall as supply grows",
        task="agnews",
    ),
    "zh": Language(
        name="Chinese",
        spaced=False,
        script=r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]",
        characters_per_token=2,
        instruction="请阅读下面的文本，并从给出的选项中选出它所属的类别。",
        text_heading="文本：",
        question="问题：这段文本最合适的类别是什么？",
        answer="答案：",
        examples_heading="示例：",
        headline="供应增加，油价下跌",
        task="tnews",
    ),
}
