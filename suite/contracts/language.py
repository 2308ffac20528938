"""The languages of texts: everything the suite has to know of one.

Two are worded here: their questions and headlines. Of all others CLDR (by way of babel) knows name
and script, and they are asked in English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

#: Of texts in several languages, and in none that could be told (ISO 639-2's own codes).
SEVERAL, UNKNOWN = "mul", "und"

#: What a model names in place of languages where it reads them all.
MULTILINGUAL = "multilingual"

_CODE = re.compile(r"[a-z]{2,3}")
#: Scripts, as ISO 15924 names them, that part no words.
_UNSPACED = {"Hans", "Hant", "Jpan", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"}


@dataclass(frozen=True)
class Language:
    """What is to be known of a language.

    Args:
        name: in English, for messages and model cards.
        spaced: whether spaces part its words; else characters are counted.
        script: a pattern of its letters, where they tell it from other languages.
        characters_per_token: about, of a subword tokenizer; where only a server has one.
        instruction, text_heading, question, answer: what is asked where a task words no question.
        statement: what is asked about one label alone, behind the question; it names `{label}`.
        none: the option that is no label.
        examples_heading: stands above worked examples in a prompt.
        yes, no: the options of a question that is answered so.
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
    statement: str
    none: str
    examples_heading: str
    yes: str
    no: str
    headline: str
    task: str


LANGUAGES: Mapping[str, Language] = {
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
        statement="The right answer is: {label}",
        none="None of these",
        examples_heading="Examples:",
        yes="Yes",
        no="No",
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
        statement="正确答案是：{label}",
        none="以上都不是",
        examples_heading="示例：",
        yes="是",
        no="否",
        headline="供应增加，油价下跌",
        task="tnews",
    ),
}


def as_code(value: str) -> str:
    """A language's ISO 639 code in its shortest form: `deu` and `ger` are `de`.

    Raises:
        ValueError: it is none; the code is named where a language's name was given.
    """
    if value in LANGUAGES:
        return value
    names = _names()
    if not _CODE.fullmatch(value):
        wanted = value.strip().lower()
        by_name = {name.lower(): code for code, name in names.items()}
        code = by_name.get(wanted) or re.split("[-_]", wanted)[0]
        known = code in names or code in LANGUAGES
        raise ValueError(
            f"{value!r} is no language code of two or three small letters (ISO 639)"
            + (f"; write {code}" if known else "; for example de, or deu")
        )
    shorter = _aliases().get(value, value)
    code = shorter if _CODE.fullmatch(shorter) else value
    if len(code) == 2 and code not in names:
        raise ValueError(f"no language has the ISO 639-1 code '{value}'")
    return code


def _written(value: Any) -> Any:
    """YAML reads `no`, which is Norwegian's code, as false."""
    return "no" if value is False else value


#: ISO 639-1 where a language has such a code, else 639-3; or `mul` and `und`.
LanguageCode = Annotated[
    str,
    BeforeValidator(_written),
    AfterValidator(as_code),
    WithJsonSchema({"type": "string", "pattern": "^[a-z]{2,3}$"}),
]


def _readable(value: str) -> str:
    return value if value == MULTILINGUAL else as_code(value)


#: What a model may say that it reads: a language's code, or `multilingual`.
Readable = Annotated[
    str,
    BeforeValidator(_written),
    AfterValidator(_readable),
    WithJsonSchema({"type": "string", "pattern": f"^([a-z]{{2,3}}|{MULTILINGUAL})$"}),
]


@cache
def language_of(code: str) -> Language:
    """What is to be known of a language; its words are English ones where it has none here."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    script = _script(code)
    return replace(
        LANGUAGES["en"],
        name=name_of(code),
        spaced=script not in _UNSPACED,
        # Vocabularies were mostly made from Latin letters: of others a token holds fewer.
        characters_per_token=4 if script == "Latn" else 2,
    )


def name_of(code: str) -> str:
    """A language's name in English; its code where it has no name."""
    if code in LANGUAGES:
        return LANGUAGES[code].name
    told = {SEVERAL: "several languages", UNKNOWN: "no language that could be told"}
    return told.get(code) or _names().get(code, code)


def code_of(name: str) -> str | None:
    """The code of a language by its English name; None where no language is called so."""
    return next((code for code, known in _names().items() if known == name), None)


def named(codes: list[str]) -> str:
    """Languages by their names: "English and German"."""
    *some, last = [name_of(code) for code in codes]
    return f"{', '.join(some)} and {last}" if some else last


# Reading babel's tables takes a tenth of a second, which no command about English pays.


@cache
def _names() -> dict[str, str]:
    from babel import Locale

    return {str(code): str(name) for code, name in Locale("en").languages.items()}


@cache
def _aliases() -> dict[str, str]:
    from babel.core import get_global

    return dict(get_global("language_aliases"))


def _script(code: str) -> str:
    """The script that a language is mostly written in; Latin where none is known."""
    from babel.core import get_global

    tag = get_global("likely_subtags").get(code, "")
    return next((part for part in tag.split("_") if len(part) == 4), "Latn")
