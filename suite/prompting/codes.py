"""The codes that stand for options (A, B, C …) and the tokens a model writes them in.

Up to 26 classes have letters. Beyond that come two-letter codes, then numbers, as long as the
tokenizer writes each in one token of its own; where it does not have enough of them, two letters
are scored as a short sequence.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from suite.contracts.strategy import Refused

LETTERS = tuple(string.ascii_uppercase)
UPPER, NUMBERED, LOWER = "letters", "numbers", "lowercase"
#: What up to 26 options may be called, by the value of the hyperparameter `codes`.
SYMBOLS = {
    UPPER: LETTERS,
    NUMBERED: tuple(str(number) for number in range(1, 27)),
    LOWER: tuple(string.ascii_lowercase),
}
PAIRS = tuple(first + second for first, second in product(LETTERS, LETTERS))
NUMBERS = tuple(str(number) for number in range(1, 1000))

#: No scheme names more classes than this.
MOST = len(PAIRS)


@dataclass(frozen=True)
class Codes:
    """Codes by position in the list of options, each with the ids of its tokens."""

    names: tuple[str, ...]
    tokens: tuple[tuple[int, ...], ...]

    @property
    def single(self) -> bool:
        """Whether each code is one token."""
        return all(len(ids) == 1 for ids in self.tokens)


def plain(count: int, symbols: str = UPPER) -> tuple[str, ...]:
    """Codes for a server whose tokenizer is not at hand: beyond 26 pairs of letters.

    Raises:
        Refused: too many classes.
    """
    _not_too_many(count)
    return SYMBOLS[symbols][:count] if count <= len(LETTERS) else PAIRS[:count]


def choose(
    tokenizer: Any,
    count: int,
    before: str,
    *,
    prefix: str = "",
    given: Sequence[str] = (),
    symbols: str = UPPER,
) -> Codes:
    """The codes of `count` options for a tokenizer.

    Args:
        tokenizer: a transformers tokenizer.
        before: the end of the prompt; the code's tokens are those that it adds to this.
        prefix: what stands between prompt and code (a space, for prompts without a chat format).
        given: codes that the task file fixes, by position.
        symbols: what up to 26 options are called, one of `SYMBOLS`.

    Raises:
        Refused: too many classes, or a code that is not one token; says which and why.
    """
    _not_too_many(count)
    if given or count <= len(LETTERS):
        names = tuple(given) or SYMBOLS[symbols][:count]
        found = tokens_after(tokenizer, names, before, prefix=prefix)
        for name in names:
            ids = found.get(name, ())
            if len(ids) != 1:
                whole = f"splits into {len(ids)} tokens" if ids else "melts into what precedes it"
                raise Refused(
                    f"the option '{name}' {whole} for this model's tokenizer, and can't be scored "
                    "as one; name other `codes` in the task's prompt, or leave them out for "
                    "letters"
                )
        _differ(names, found)
        return Codes(names, tuple(found[name] for name in names))
    for scheme in (PAIRS, NUMBERS):
        found = tokens_after(tokenizer, scheme, before, prefix=prefix)
        # Codes that share a token (an unknown one, say) can't be told apart.
        shared = Counter(found.values())
        singles = [name for name, ids in found.items() if len(ids) == 1 and shared[ids] == 1]
        names = tuple(singles[:count])
        if len(names) == count:
            return Codes(names, tuple(found[name] for name in names))
    found = tokens_after(tokenizer, PAIRS, before, prefix=prefix)
    shared = Counter(found.values())
    names = tuple(name for name in PAIRS if shared[found.get(name, ())] == 1)[:count]
    if len(names) < count:
        raise Refused(
            f"only {len(names)} two-letter codes can be told apart by this model's tokenizer, and "
            f"the task has {count} classes; use linear_head or probe"
        )
    _differ(names, found)
    return Codes(names, tuple(found[name] for name in names))


def choose_behind(
    tokenizer: Any,
    count: int,
    before: str,
    *,
    prefix: str,
    given: Sequence[str] = (),
    symbols: str = UPPER,
) -> tuple[Codes, str]:
    """As `choose`, without the prefix where codes can't be scored with it: not every vocabulary has
    letters with their space before them. Returns what stands before the codes, too."""
    how: dict[str, Any] = {"given": given, "symbols": symbols}
    try:
        return choose(tokenizer, count, before, prefix=prefix, **how), prefix
    except Refused:
        if not prefix:
            raise
    return choose(tokenizer, count, before, **how), ""


def _not_too_many(count: int) -> None:
    if count > MOST:
        raise Refused(
            f"{count} classes are more than the {MOST} that two-letter codes can name; use "
            "linear_head or probe"
        )


def _differ(names: Sequence[str], found: dict[str, tuple[int, ...]]) -> None:
    """Refuses codes of which one is, or begins, another: their scores could not be told apart."""
    ordered = sorted((found[name], name) for name in names)
    for (ids, name), (others, other) in pairwise(ordered):
        if others[: len(ids)] == ids:
            raise Refused(
                f"the options '{name}' and '{other}' begin with the same tokens for this model's "
                "tokenizer; name other `codes` in the task's prompt"
            )


def tokens_after(
    tokenizer: Any, names: Sequence[str], before: str, *, prefix: str = ""
) -> dict[str, tuple[int, ...]]:
    """The tokens each text adds to a prompt; texts that change the prompt's own are left out.

    Args:
        before: the end of the prompt.
        prefix: what stands between the prompt and a text, and belongs to the text's tokens.
    """
    lead = _encode(tokenizer, [before])[0]
    encoded = _encode(tokenizer, [before + prefix + name for name in names])
    return {
        name: tuple(ids[len(lead) :])
        for name, ids in zip(names, encoded, strict=True)
        if ids[: len(lead)] == lead and len(ids) > len(lead)
    }


def _encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    found: list[list[int]] = tokenizer(
        list(texts), add_special_tokens=False, return_attention_mask=False
    )["input_ids"]
    return found
