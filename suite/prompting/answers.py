"""Reading an option out of what a model wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence

THINK_OPENS, THINK_CLOSES = "<think>", "</think>"

# "the answer is B", "Answer: (B)", "答案是 B", "\boxed{B}": a code after one of these is meant.
_CUES = (
    r"(?:answer|option|category|choice|答案|选项|选择|类别)\W{0,4}(?:is|are|be|为|是)?\W{0,6}"
    r"|\\boxed\{\W*"
)
# An "A" that opens a phrase ("A sports story") is an article, not an option, and an "I" that does
# ("I think", "I'd say") is the model itself. "A is right" speaks of an option.
_NO_CODE = re.compile(
    r"[Aa]\s+(?!(?:is|was|would|fits|seems|because|since|and|or)\b)[a-z]"
    r"|[Ii](?:\s+(?!(?:is|was|fits|seems|because|since)\b)[a-z]|['’])"
)


def after_thinking(text: str, *, opened: bool = False) -> str | None:
    """What follows the thinking; None where it never closes.

    Args:
        opened: the prompt itself opened the think block.
    """
    if THINK_CLOSES in text:
        return text.rpartition(THINK_CLOSES)[2]
    return None if opened or THINK_OPENS in text else text


def parse(text: str, codes: Sequence[str], words: Sequence[str]) -> int | None:
    """The position of the option that an answer names, or None.

    A code at the very start counts first, then one after a cue ("the answer is"), then one
    that is punctuated like an option ("B."), then any that stands alone, then the first label
    word.

    >>> parse("**B**. Sports", ["A", "B"], ["World", "Sports"])
    1
    >>> parse("A sports story, so the answer is B", ["A", "B"], ["World", "Sports"])
    1
    >>> parse("A Sports story.", ["A", "B"], ["World", "Sports"])
    1
    >>> parse("It is about sports.", ["A", "B"], ["World", "Sports"])
    1
    >>> parse("I can't tell.", ["A", "B"], ["World", "Sports"]) is None
    True
    """
    text = text.strip()
    known = {code: position for position, code in reversed(list(enumerate(codes)))}
    any_code = "|".join(re.escape(code) for code in sorted(known, key=len, reverse=True))
    alone = rf"(?<![A-Za-z0-9])({any_code})(?![A-Za-z0-9])"
    patterns = (
        rf"^[\W_]*{alone}",
        rf"(?i:{_CUES}){alone}",
        rf"{alone}(?=\s*[.):：、）}}\]*])",
        alone,
    )
    for pattern in patterns:
        for found in re.finditer(pattern, text):
            place, option = found.start(1), known[found[1]]
            if not _NO_CODE.match(text, place) and not _is_article(text, place, words, option):
                return option
    lowered = text.casefold()
    places = [
        (place, -len(word), position)
        for position, word in enumerate(words)
        if word and (place := lowered.find(word.casefold())) >= 0
    ]
    return min(places)[2] if places else None


def _is_article(text: str, place: int, words: Sequence[str], option: int) -> bool:
    """Whether the letter at a place is the article of another option's words ("A Sports story",
    where B is Sports), and no code before its own ("A World")."""
    found = re.match(r"[Aa]\s+(?=\S)", text[place:])
    if found is None:
        return False
    rest = text[place + found.end() :].casefold()
    begun = {at for at, word in enumerate(words) if word and rest.startswith(word.casefold())}
    return bool(begun) and option not in begun
