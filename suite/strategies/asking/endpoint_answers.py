"""What a server's answer says of the options: by the log-probabilities of its first token, or by
what it wrote.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from suite.endpoint import Answer
from suite.prompting.answers import THINK_CLOSES, THINK_OPENS, after_thinking

#: An option that is not among the alternatives is less likely than the least of them; by how
#: much is not known. One unit keeps it below, and finite.
BELOW_THE_LEAST = 1.0


def scores(answer: Answer, codes: Sequence[str]) -> NDArray[np.float64] | None:
    """Log-probability of each option at the answer's first token, in the order of `codes`; None
    where none is there."""
    if answer.tokens is None or answer.top_logprobs is None:
        return None
    place = _answer_place(answer.tokens)
    if place is None or place >= len(answer.top_logprobs):
        return None
    listed = answer.top_logprobs[place]
    found = np.full(len(codes), -math.inf)
    index = {code: position for position, code in enumerate(codes)}
    for token, logprob in listed.items():
        position = index.get(token.strip())
        if position is not None:  # "A" and " A" are the same option
            found[position] = np.logaddexp(found[position], logprob)
    if not np.isfinite(found).any():
        return None
    floor = min(listed.values()) - BELOW_THE_LEAST
    return np.where(np.isfinite(found), found, floor)


def final_text(answer: Answer, *, think: bool) -> str | None:
    """The text after the thought; None where the thought never closed."""
    if answer.reasoning is not None:
        if answer.text.strip():
            return answer.text
        # Some servers' parsers take a whole answer without any thought for one.
        return answer.reasoning if not think and answer.finish_reason == "stop" else None
    # A template may open the thought itself: what was cut off before it closed is thought.
    opened = think and answer.finish_reason == "length"
    return after_thinking(answer.text, opened=opened)


def _answer_place(tokens: Sequence[str]) -> int | None:
    """The position of the answer's first token: after blanks and a think block; None if none."""
    text = ""
    closed = THINK_CLOSES in "".join(tokens)
    for place, token in enumerate(tokens):
        if closed and THINK_CLOSES not in text:
            text += token
            continue
        if token.strip():
            return None if token.strip() == THINK_OPENS else place
    return None
