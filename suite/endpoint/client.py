"""A model that is asked by chat completions: questions in, answers out in their order.

A larger model joins the table this way, and each of its answers may cost money: what was
answered once is kept, and a later run asks only what is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Unpack

from suite.endpoint.address import base_address
from suite.endpoint.answer import Answer
from suite.endpoint.asking import Asking, Bounds
from suite.endpoint.exchange import OPENAI, Response
from suite.endpoint.manners import Body, Manners, Wish

Message = Mapping[str, str]
Messages = Sequence[Message]

#: How often one request is sent anew because meanwhile more was learnt of what the server takes.
LESSONS = 4


class Endpoint(Asking[Wish]):
    """A model behind a server that speaks OpenAI's chat completions.

    Args:
        base_url: with or without `/v1`.
        model: the name the server knows it by.
        bounds: what asking may take.

    Raises:
        EndpointError: an address that can't be one, a server that may not be asked (`consent`),
            or a key that no header can carry.
    """

    def __init__(self, base_url: str, model: str, **bounds: Unpack[Bounds]) -> None:
        super().__init__(base_address(base_url), model, OPENAI, **bounds)
        self._url = f"{self.base_url}/chat/completions"
        self._patience.url = self._url
        self._manners = Manners(model)
        self._learning: asyncio.Lock | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """Counts so far, and which parts of a request the server refused."""
        return {**super().facts, "refused_by_server": sorted(self._manners.refused)}

    def ask(
        self,
        messages_list: Sequence[Messages],
        *,
        max_tokens: int,
        logprobs: int | None = None,
        temperature: float = 0.0,
        think: bool | None = None,
    ) -> list[Answer]:
        """Answers in the order of the questions.

        Args:
            messages_list: conversations, each a list of {"role": …, "content": …}.
            logprobs: how many of the likeliest tokens are wanted at each position. A server
                may give fewer, or none: then `Answer.top_logprobs` is None.
            think: whether the model's template should think; None leaves it alone.

        Raises:
            EndpointError: the server can't be reached, refuses, or answers nothing that is
                an answer. What was answered before is kept all the same.
            StorageError: answers can't be kept.
        """
        answers: dict[int, Answer] = dict(
            self.each(
                messages_list,
                max_tokens=max_tokens,
                logprobs=logprobs,
                temperature=temperature,
                think=think,
            )
        )
        return [answers[position] for position in range(len(messages_list))]

    def each(
        self,
        messages_list: Sequence[Messages],
        *,
        max_tokens: int,
        logprobs: int | None = None,
        temperature: float = 0.0,
        think: bool | None = None,
    ) -> Generator[tuple[int, Answer], None, None]:
        """As `ask`, but each answer as it comes, with its question's position.

        What is under way when the iterator is closed is given up.
        """
        wishes = []
        for messages in messages_list:
            plain = tuple(tuple(sorted(message.items())) for message in messages)
            wishes.append(Wish(plain, max_tokens, logprobs, float(temperature), think))
        yield from self._each(wishes)

    async def _close(self) -> None:
        self._learning = None
        await super()._close()

    def _kept(self, wishes: Sequence[Wish]) -> list[Answer | None]:
        return self._memory.of_wishes([(wish, self._manners.body(wish)) for wish in wishes])

    def _doubt(self) -> None:
        self._manners.forget()

    async def _try(self, wish: Wish, ends: float) -> Answer:
        """The answer to a wish, as much of it as the server takes; `ends` on the steady clock."""

        async def ask(body: Body) -> Answer | Response:
            return await self._exchange(wish, body, ends)

        if self._learning is None:
            self._learning = asyncio.Lock()
        for _ in range(LESSONS):
            known = self._manners.without
            reply = await ask(self._manners.body(wish))
            if isinstance(reply, Answer):
                return reply
            refusal = reply
            async with self._learning:
                if self._manners.without != known:
                    continue  # another request has learnt meanwhile
                answer = await self._manners.learn(wish, refusal, ask)
            if answer is not None:
                return answer
            break
        raise self._wire.refusal(refusal, self.model)

    async def _exchange(self, wish: Wish, body: Body, ends: float) -> Answer | Response:
        """The answer to one body, from those that were kept or from the server, and then kept;
        or the response that refuses the body.

        Raises:
            TryAgain: a failure that may pass.
            EndpointError: one that is final and says nothing about what was asked.
        """
        (answer,) = self._memory.of_wishes([(wish, body)])
        if answer is not None:
            return answer
        response, seconds = await self._post(self._url, body, ends)
        if response.status == 200:
            answer = self._wire.answer(response, seconds)
            self._manners.takes(body)
        elif response.status == 400 and "content_filter" in response.body:
            # A host that won't answer one text has answered: with nothing.
            answer = Answer("", None, None, None, "content_filter", None, None, round(seconds, 4))
        elif response.status in (400, 404, 422) or self._manners.refuses(response, body):
            return response
        else:
            raise self._wire.refusal(response, self.model)
        self._paid(answer)
        self._memory.keep(body, answer)
        return answer
