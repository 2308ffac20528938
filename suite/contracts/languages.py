"""The languages that tasks are in: what the suite knows of each, in one place.

Another one is its code in `contracts/task.py`, an entry here, and the sample's words in it
(`data/sample_words.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from suite.contracts.task import Language, Prompt


@dataclass(frozen=True)
class LanguageFacts:
    """What reading, asking and refusing need to know of a language.

    Args:
        name: in English.
        spaced: spaces part its words; where they don't, a character is a unit.
        letters: those that tell it from others; None where it has none of its own.
        characters_per_token: how many a token stands for, generously.
        prompt: what is asked where a task words no question of its own.
        examples: what stands over the examples of a prompt.
    """

    name: str
    spaced: bool
    letters: re.Pattern[str] | None
    characters_per_token: int
    prompt: Prompt
    examples: str


CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")

LANGUAGES: Mapping[Language, LanguageFacts] = {
    "en": LanguageFacts(
        name="English",
        spaced=True,
        letters=None,
        characters_per_token=5,
        prompt=Prompt(
            instruction=(
                "Please read the following text and determine its category from the options below."
            ),
            text_heading="Text:",
            question="Question: What is the most appropriate category for this text?",
            answer="Answer:",
        ),
        examples="Examples:",
    ),
    "zh": LanguageFacts(
        name="Chinese",
        spaced=False,
        letters=CJK,
        characters_per_token=2,
        prompt=Prompt(
            instruction="请阅读下面的文本，并从给出的选项中选出它所属的类别。",
            text_heading="文本：",
            question="问题：这段文本最合适的类别是什么？",
            answer="答案：",
        ),
        examples="示例：",
    ),
}
