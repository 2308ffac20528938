"""A text as it stands in a prompt: cut to so many tokens at tokens' ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from suite.contracts.cutting import LEFT_OUT, Plain
from suite.prompting import layout
from suite.prompting.own_examples import Excerpt


def excerpt(tokenizer: Any, text: str, label: int, marks: Sequence[str], cutting: str) -> Excerpt:
    """A training row as it is shown."""
    safe = layout.defuse(text.strip(), marks)
    shorter, tokens = shorten(tokenizer, safe, layout.EXAMPLE_TOKENS, Plain(cutting))
    return Excerpt(shorter, label, shorter == safe, tokens)


def shorten(tokenizer: Any, text: str, room: int, cutting: Plain) -> tuple[str, int]:
    """A text cut to at most `room` tokens (at tokens' ends), and how many it has then; what shows
    that its middle is left out is not counted."""
    if room <= 0:
        return "", 0
    fast = getattr(tokenizer, "is_fast", False)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=fast)
    ids = encoded["input_ids"]
    if len(ids) <= room:
        return text, len(ids)
    (spans,) = cutting.rows(len(ids), room)
    if not fast:
        parts = [str(tokenizer.decode(ids[span])) for span in spans]
        return LEFT_OUT.join(part.strip() for part in parts).strip(), room
    offsets = encoded["offset_mapping"]
    whole = [_whole_characters(offsets, span) for span in spans]
    parts = [text[offsets[s.start][0] : offsets[s.stop - 1][1]] for s in whole if s.stop > s.start]
    kept = sum(max(0, span.stop - span.start) for span in whole)
    return LEFT_OUT.join(part.strip() for part in parts).strip(), kept


def _whole_characters(offsets: Sequence[tuple[int, int]], span: slice) -> slice:
    """The tokens of a span without those that hold a part of a character: one may be spread over
    several."""
    start, stop = span.start, span.stop
    while 0 < start < stop and offsets[start][0] < offsets[start - 1][1]:
        start += 1
    while start < stop < len(offsets) and offsets[stop][0] < offsets[stop - 1][1]:
        stop -= 1
    return slice(start, stop)
