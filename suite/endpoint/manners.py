"""What a server refuses of a question, learnt by changing one thing at a time.

Servers differ in the parameters they take, and say so in sentences of their own: one that
refuses a single parameter may well list all the others as allowed. So its words only say what to
try first. What counts is what makes the difference: parts are left out until a request is
accepted, then each is put back alone, and only what is refused again is left out from then on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from suite.endpoint.answer import Answer, said_in
from suite.endpoint.exchange import Response

#: Servers that allow fewer alternatives than were asked for commonly allow this many.
FEWER_LOGPROBS = 5

#: Parts that can be left out, and how sentences name them. Fewer alternatives come before none.
_REMOVABLE = {
    "chat_template_kwargs": r"chat_template_kwargs|enable_thinking",
    "top_logprobs": r"logprob",
    "logprobs": r"logprob",
    "temperature": r"temperature",
}
#: A bound on the answer's length is never left out: it is sent under its other name.
_RENAMED = "max_tokens"
_NAMES = _REMOVABLE | {_RENAMED: r"max_tokens|max_completion_tokens"}

Body = dict[str, Any]
#: Sends a body: an answer, or the response that refuses it.
Ask = Callable[[Body], Awaitable[Answer | Response]]


@dataclass(frozen=True)
class Wish:
    """A question as it was meant, before a server refused a part of it."""

    messages: tuple[tuple[tuple[str, str], ...], ...]
    max_tokens: int
    logprobs: int | None
    temperature: float
    think: bool | None

    def body(self, model: str, without: frozenset[str] = frozenset()) -> Body:
        """The request's JSON, some parts left out."""
        body: Body = {
            "model": model,
            "messages": [dict(message) for message in self.messages],
            "stream": False,
        }
        tokens = "max_completion_tokens" if _RENAMED in without else "max_tokens"
        body[tokens] = self.max_tokens
        if "temperature" not in without:
            body["temperature"] = self.temperature
        if self.logprobs is not None and "logprobs" not in without:
            fewer = min(self.logprobs, FEWER_LOGPROBS)
            most = fewer if "top_logprobs" in without else self.logprobs
            body |= {"logprobs": True, "top_logprobs": most}
        if self.think is not None and "chat_template_kwargs" not in without:
            body["chat_template_kwargs"] = {"enable_thinking": self.think}
        return body


class Manners:
    """What one server was found to refuse for one model. Belongs to one event loop.

    Args:
        model: the name the server knows the model by.
    """

    def __init__(self, model: str) -> None:
        self.model = model
        #: Parts that requests go without at present.
        self.without: frozenset[str] = frozenset()
        #: Parts that were refused at any time.
        self.refused: set[str] = set()
        self._taken: set[str] = set()

    def body(self, wish: Wish) -> Body:
        """The request for a wish, as far as is known that the server takes it."""
        return wish.body(self.model, self.without)

    def forget(self) -> None:
        """Nothing is known any more: behind a failure may come another server."""
        self.without = frozenset()
        self._taken.clear()

    def takes(self, body: Body) -> None:
        """The server has answered such a request: what it refuses next is not its parameters."""
        self._taken.add(_parameters(body))

    def refuses(self, response: Response, body: Body) -> bool:
        """Whether a failure is a refusal of such a request: llama-cpp-python's server says 500
        where it can't give logprobs. A part is named then, and no such request was answered."""
        named = response.status == 500 and _named(said_in(response.body), self.without) is not None
        return named and _parameters(body) not in self._taken

    async def learn(self, wish: Wish, refusal: Response, ask: Ask) -> Answer | None:
        """The answer to as much of a refused wish as the server takes; what it does not is kept
        in mind. None where it is not about parts of the request, and nothing is learnt then.

        It sends at most a dozen requests, and whatever `ask` raises ends it.
        """
        before = self.without
        if _parameters(wish.body(self.model, before)) in self._taken:
            return None
        found = await self._accepted(wish, refusal, ask)
        if found is None:
            return None
        answer, without = found
        # The last part made the difference, the others may not have; and where the server was
        # only unwell for a moment, none did.
        for part in sorted(without - before, key=list(_NAMES).index, reverse=True):
            tried = without - {part}
            if wish.body(self.model, tried) == wish.body(self.model, without):
                without = tried
                continue
            reply = await ask(wish.body(self.model, tried))
            if isinstance(reply, Answer):
                answer, without = reply, tried
        self.without = without
        self.refused |= without
        return answer

    async def _accepted(
        self, wish: Wish, refusal: Response, ask: Ask
    ) -> tuple[Answer, frozenset[str]] | None:
        """An answer, and the parts that the request for it went without."""
        without, reply = self.without, refusal
        bodies = [wish.body(self.model, without)]

        async def accepted(parts: frozenset[str]) -> Answer | None:
            nonlocal without, reply
            without, body = parts, wish.body(self.model, parts)
            if body in bodies:
                return None
            bodies.append(body)
            found = await ask(body)
            if isinstance(found, Answer):
                return found
            reply = found
            return None

        while (part := _named(reply.body, without)) is not None:
            if (answer := await accepted(without | {part})) is not None:
                return answer, without
        everything = without | frozenset(_REMOVABLE)
        for parts in (everything, everything ^ {_RENAMED}):
            if (answer := await accepted(parts)) is not None:
                return answer, without
        return None


def _named(said: str, without: frozenset[str]) -> str | None:
    """The part that a sentence names first, of those that are not left out yet."""
    places = {
        part: found.start()
        for part, pattern in _NAMES.items()
        if part not in without and (found := re.search(pattern, said, re.IGNORECASE))
    }
    return min(places, key=lambda part: places[part]) if places else None


def _parameters(body: Body) -> str:
    return json.dumps({name: body[name] for name in sorted(body) if name != "messages"})
