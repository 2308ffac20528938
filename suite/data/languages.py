"""In which language texts are, told by a kept detector (py3langid; its model lies in the package).

One short text tells little: "refund please" could be ten languages. Many together do: how large
each language's part is follows from all texts at once, by expectation and maximisation over the
detector's probabilities, and each text then counts with what is known of the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from suite.contracts.language import LANGUAGES, SEVERAL, UNKNOWN, as_code, name_of
from suite.errors import counted

#: Texts that are looked at, evenly spaced, and characters of each.
MOST_TEXTS, MOST_CHARACTERS = 1000, 400
#: Texts whose length is taken.
MOST_MEASURED = 2000
#: Part of the texts that one language must have, or there are several.
MOSTLY = 0.5
#: Parts below it are not told of.
_TOLD = 0.02
_ROUNDS = 30

#: What counts before any text is read, as so many texts: much of what is written is English, and
#: most of the rest in few languages. It decides where texts are few and short.
_BEFORE = 2.0
_COMMON = ("zh", "es", "de", "fr", "ja", "pt", "ru", "it", "ar", "hi", "ko", "nl", "pl", "tr")

_NO_LANGUAGE = re.compile(r"https?://\S+|\S+@\S+|[@#]\w+|\d+")

#: Chinese characters, without punctuation.
_CJK = re.compile(LANGUAGES["zh"].script or "")

#: Forms of a language that models don't tell apart.
_FORMS = {
    "yue": "zh", "wuu": "zh", "ary": "ar", "arz": "ar", "nn": "no", "uzs": "uz", "sdh": "ku",
    "fuv": "ff", "gug": "gn", "hbo": "he", "kik": "ki",
}  # fmt: skip


@dataclass(frozen=True)
class LanguageGuess:
    """What texts were taken for.

    Args:
        code: the language; `mul` where none has most of the texts, `und` where none has letters.
        share: its part of the texts that have letters, 0 to 1; of several, all of them.
        reason: a clause for people: of how many texts, and which others there are.
    """

    code: str
    share: float
    reason: str


def of_each(texts: Sequence[str]) -> list[str]:
    """The language of each text, told with what is known of the others; `und` where a text has no
    letter."""
    read = [_read(text) for text in texts]
    lettered = [place for place, text in enumerate(read) if text is not None]
    codes, likely = _likely([text for text in read if text is not None])
    found = [UNKNOWN] * len(texts)
    if lettered:
        best = (likely * _parts(likely, codes)).argmax(axis=1).tolist()
        for place, at in zip(lettered, best, strict=True):
            found[place] = as_code(_FORMS.get(codes[at], codes[at]))
    return found


def _read(text: str) -> str | None:
    """What of a text its language is told by; None where it has no letter."""
    found = _NO_LANGUAGE.sub(" ", text[:MOST_CHARACTERS])
    return found if any(map(str.isalpha, found)) else None


def _likely(texts: Sequence[str]) -> tuple[list[str], NDArray[np.float64]]:
    """The detector's languages, and its probability of each for each text [texts, languages]."""
    identifier = _identifier()
    codes = [code for code in identifier.labels if code != "zxx"]
    columns = {code: column for column, code in enumerate(codes)}
    likely = np.zeros((len(texts), len(codes)))
    for row, text in enumerate(texts):
        for code, probability in identifier.rank(text):
            if code in columns:
                likely[row, columns[code]] = probability
    return codes, likely


def detect(texts: Sequence[str]) -> LanguageGuess:
    """The language of most texts."""
    some = texts[:: max(1, -(-len(texts) // MOST_TEXTS))]
    read = [text for text in map(_read, some) if text is not None]
    if not read:
        return LanguageGuess(UNKNOWN, 0.0, "no text has a letter")
    codes, likely = _likely(read)
    parts: dict[str, float] = {}
    for code, part in zip(codes, _parts(likely, codes), strict=True):
        known = as_code(_FORMS.get(code, code))
        parts[known] = parts.get(known, 0.0) + float(part)
    listed = sorted(parts.items(), key=lambda item: -item[1])
    of = counted(len(read), "text")
    others = ", ".join(f"{name_of(code)} {part:.0%}" for code, part in listed[1:4] if part > _TOLD)
    (code, share), *_ = listed
    if share < MOSTLY:
        return LanguageGuess(
            SEVERAL, 1.0, f"of {of} no language has most: {name_of(code)} {share:.0%}, {others}"
        )
    reason = f"{share:.0%} of {of} {'reads' if len(read) == 1 else 'read'} as {name_of(code)}"
    return LanguageGuess(code, share, f"{reason}; {others}" if others else reason)


def _parts(likely: NDArray[np.float64], codes: Sequence[str]) -> NDArray[np.float64]:
    """Each language's part of the texts [languages], from each text's probabilities
    [texts, languages]: what makes all of them together likeliest."""
    before = np.array([6.0 if c == "en" else 0.5 if c in _COMMON else 0.02 for c in codes])
    before /= before.sum()
    parts = before
    for _ in range(_ROUNDS):
        weighted = likely * parts + 1e-300
        shares = (weighted / weighted.sum(axis=1, keepdims=True)).sum(axis=0)
        parts = (shares + _BEFORE * before) / (len(likely) + _BEFORE)
    return np.asarray(shares / len(likely))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def token_lengths(texts: Sequence[str]) -> list[int]:
    """About how many tokens texts have, of at most `MOST_MEASURED`, evenly spread."""
    step = max(1, -(-len(texts) // MOST_MEASURED))
    return [estimate_tokens(texts[place]) for place in range(0, len(texts), step)]


def estimate_tokens(text: str) -> int:
    """About how many tokens a sub-word vocabulary cuts a text into: one for a Chinese
    character, one for four others."""
    if text.isascii():
        return -(-len(text) // 4)
    chinese = len(_CJK.findall(text))
    return chinese + -(-(len(text) - chinese) // 4)
