"""What a server sent, as values: an answer, the sentence in an error, how long it asks to wait."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from suite.files import NotJson, parse_json

#: Of a list of what is wrong with a request so many are told.
_DEFECTS = 4

#: Below this stands what servers write for minus infinity: vLLM -9999, others -1e30.
_NONE = -9000.0


@dataclass(frozen=True)
class Answer:
    """What a server answered to one question.

    Args:
        text: the answer itself; empty where a thought filled all the tokens.
        reasoning: the thought, where the server gives it apart from the text.
        tokens: the tokens of the answer as text, where logarithms of probabilities were given.
        top_logprobs: for each of them the likeliest tokens with their log-probability.
        finish_reason: "stop", "length", or what the server calls it.
        seconds: from sending to the last byte, of the try that succeeded.
    """

    text: str
    reasoning: str | None = None
    tokens: tuple[str, ...] | None = None
    top_logprobs: tuple[dict[str, float], ...] | None = None
    finish_reason: str = "unknown"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float = 0.0
    from_cache: bool = False


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds a server asks to wait: a number or a date (RFC 9110, 10.2.3); None if neither."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def said_in(body: str) -> str:
    """The sentence in the body of a refusal; the body itself where it is no JSON."""
    try:
        found = parse_json(body)
    except NotJson:
        return body
    return said(found)


def said(found: Any) -> str:
    """The sentence in a server's error, wherever servers put it; of several, the first ones."""
    if isinstance(found, dict):
        inner = next(
            (found[k] for k in ("error", "message", "detail", "msg") if found.get(k)), None
        )
        if inner is None:
            return json.dumps(found, ensure_ascii=False)
        place = _place(found.get("loc"))
        return f"{place}: {said(inner)}" if place else said(inner)
    if isinstance(found, list) and found and all(isinstance(one, str | dict) for one in found):
        more = len(found) - _DEFECTS
        told = "; ".join(said(one) for one in found[:_DEFECTS])
        return f"{told}; and {more:,} more" if more > 0 else told
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _place(loc: Any) -> str:
    """Where something is wrong, as FastAPI and who follows it say: a list of keys and positions."""
    keys = loc if isinstance(loc, list) else []
    return ".".join(str(key) for key in keys if isinstance(key, str | int) and key != "body")


def read_answer(found: Any, seconds: float) -> Answer:
    """A chat completion.

    Raises:
        KeyError, IndexError, TypeError, ValueError, AttributeError: it is something else.
    """
    choice = found["choices"][0]
    message = choice["message"]
    # vLLM's newer versions and OpenRouter say `reasoning`.
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    text = _text(message.get("content"))
    if not isinstance(reasoning, str | None):
        raise TypeError("a thought is a text")
    if text is None and reasoning is None and "content" not in message:
        raise KeyError("content")
    tokens, top = _logprobs(choice.get("logprobs"))
    usage = found.get("usage") or {}
    return Answer(
        text=text or "",
        reasoning=reasoning,
        tokens=tokens,
        top_logprobs=top,
        finish_reason=str(choice.get("finish_reason") or "unknown"),
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        seconds=round(seconds, 4),
    )


def _text(content: Any) -> str | None:
    if content is None or isinstance(content, str):
        return content
    # Some servers send a list of parts.
    return "".join(str(part["text"]) for part in content if part.get("type") == "text")


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _logprobs(given: Any) -> tuple[tuple[str, ...] | None, tuple[dict[str, float], ...] | None]:
    """Tokens and their likeliest alternatives; (None, None) where they are absent or nonsense.

    Nonsense (a probability above one, words for numbers) is treated as absent: the answer's
    text still counts.
    """
    try:
        content = given["content"]
        tokens = tuple(str(entry["token"]) for entry in content)
        top = tuple(_alternatives(entry) for entry in content)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, None
    return (tokens, top) if top and any(top) else (None, None)


def _alternatives(entry: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in entry["top_logprobs"]:
        value = one["logprob"]
        if isinstance(value, bool) or not isinstance(value, int | float) or value > 0.01:
            raise ValueError("no logarithm of a probability")
        if value > _NONE:
            # Two tokens may look alike as text (bytes of one character): the likelier stands.
            token = str(one["token"])
            found[token] = max(float(value), found.get(token, -math.inf))
    return found
