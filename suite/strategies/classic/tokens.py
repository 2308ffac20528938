"""Text -> units: the words or characters that the classic models count, hash or embed.

English is cut into lower-case words and punctuation marks. Chinese has no spaces, so there a
unit is a character; a run of Latin letters or digits inside Chinese text stays one unit. Texts of
all other languages are cut by the script they stand in: Japanese and Thai as Chinese, German and
Hindi as English, and a text in both as each of its parts.
All are normalised (NFKC), so that full-width and half-width forms are the same unit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import regex

from suite.contracts.package import Package

JIEBA = Package("jieba", "jieba", "suite[chinese]", "word features of Chinese texts")

_WORDS = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_CHARACTERS = re.compile(r"[a-z0-9]+|[^\s]")
#: Scripts without spaces between words. A vowel sign belongs to the letter it stands at: `re` takes
#: it for a mark between words, which cuts every word of Hindi.
_UNSPACED = "".join(
    rf"\p{{Script_Extensions={script}}}"
    for script in ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
)
_SCRIPTS = regex.compile(
    rf"(?V1)[{_UNSPACED}&&\p{{L}}]\p{{M}}*"
    rf"|[[\w\p{{M}}]--[{_UNSPACED}&&\p{{L}}]]+(?:['’][[\w\p{{M}}]--[{_UNSPACED}&&\p{{L}}]]+)*"
    r"|[^\w\s]"
)


def normalise(text: str) -> str:
    """NFKC, lower case.

    >>> normalise("ＡＩ Works")
    'ai works'
    """
    return unicodedata.normalize("NFKC", text).lower()


def words(text: str) -> list[str]:
    """Lower-case words and punctuation marks.

    >>> words("It's 5 o'clock, Bob!")
    ["it's", '5', "o'clock", ',', 'bob', '!']
    """
    return _WORDS.findall(normalise(text))


def characters(text: str) -> list[str]:
    """Characters; a run of Latin letters or digits is one unit.

    >>> characters("苹果发布iPhone 16了")
    ['苹', '果', '发', '布', 'iphone', '16', '了']
    """
    return _CHARACTERS.findall(normalise(text))


def by_script(text: str) -> list[str]:
    """Words where the script parts them by spaces, else characters; and punctuation marks.

    >>> by_script("मुझे iPhone 16 चाहिए!"), by_script("東京タワーへ行く"), by_script("ลืมรหัส")
    (['मुझे', 'iphone', '16', 'चाहिए', '!'], ['東', '京', 'タ', 'ワ', 'ー', 'へ', '行', 'く'], \
['ลื', 'ม', 'ร', 'หั', 'ส'])
    """
    units: list[str] = _SCRIPTS.findall(normalise(text))
    return units


def unit_cutter(language: str) -> Callable[[str], list[str]]:
    """The function that cuts texts of a language into units."""
    return {"en": words, "zh": characters}.get(language, by_script)


def unit_ngrams(units: Sequence[str], longest: int) -> list[str]:
    """Every run of 1 to `longest` neighbouring units, joined by a space.

    >>> unit_ngrams(["a", "b", "c"], 2)
    ['a', 'b', 'c', 'a b', 'b c']
    """
    found = list(units)
    for size in range(2, longest + 1):
        found.extend(map(" ".join, zip(*(units[start:] for start in range(size)), strict=False)))
    return found


def subwords(word: str, shortest: int, longest: int) -> list[str]:
    """Character n-grams of a word between the marks `<` and `>`, the whole word left out.

    The marks tell a prefix from a suffix; as in fastText (Bojanowski et al. 2017,
    arXiv:1607.04606).

    >>> subwords("cat", 3, 4)
    ['<ca', 'cat', 'at>', '<cat', 'cat>']
    """
    marked = f"<{word}>"
    return [
        marked[start : start + size]
        for size in range(shortest, min(longest, len(marked) - 1) + 1)
        for start in range(len(marked) - size + 1)
    ]


def jieba_installed() -> bool:
    """Whether Chinese can be cut into words; looks without importing."""
    return JIEBA.present


@cache
def jieba_cutter() -> Callable[[str], list[str]]:
    """Chinese text -> words, by jieba's own dictionary (loaded at the first call, about a second).

    Raises:
        ModelError: jieba is not installed.
    """
    import logging
    import warnings

    from suite.errors import ModelError

    if not jieba_installed():
        raise ModelError(
            "cutting Chinese into words needs jieba, which is not installed here",
            fix=f"{JIEBA.command}, or choose character n-grams.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of pkg_resources and of old escapes
        import jieba
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    # Read here and not by initialize(), which prefers a marshal file that lies in a temporary
    # folder where any user of the machine can put one.
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True

    def cut(text: str) -> list[str]:
        return [word for word in tokenizer.lcut(normalise(text)) if not word.isspace()]

    return cut
