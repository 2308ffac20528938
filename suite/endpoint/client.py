"""The endpoint: questions in, answers out in their order, whatever the server does meanwhile.

A larger model joins the table this way, and each of its answers may cost money: what was
answered once is kept, and a later run asks only what is missing. Servers and what stands before
them fail in many ways (they hang, ask for patience, send a page of HTML or half a JSON), so
every request is tried again within bounds, and ends in an answer or in one clear message.
"""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from suite.endpoint import consent
from suite.endpoint.address import base_address
from suite.endpoint.answer import Answer
from suite.endpoint.background import Background
from suite.endpoint.exchange import Response, TryAgain, Wire
from suite.endpoint.manners import Body, Manners, Wish
from suite.endpoint.memory import Memory
from suite.endpoint.patience import Patience
from suite.errors import EndpointError

Message = Mapping[str, str]
Messages = Sequence[Message]

#: Seconds for the list of models, a question that costs a server nothing.
CHECK_SECONDS = 5.0
LEAST_DEADLINE = 120.0
#: Once a request has failed for good, others under way have so long to bring their answers home.
GRACE_SECONDS = 3.0
#: How often one request is sent anew because meanwhile more was learnt of what the server takes.
LESSONS = 4


@dataclass
class Counts:
    """What an endpoint was asked so far: requests answered (and paid), found in the cache,
    tried again; tokens as the server counts them."""

    asked: int = 0
    from_cache: int = 0
    retried: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


_Found = queue.SimpleQueue[tuple[int, Answer] | None]


class Endpoint:
    """A model behind a server. Safe to use from several threads; they share `concurrency`.

    Requests run in the background: a hanging server is left at its deadline, and Ctrl-C is heard
    at once, whatever the sockets do.

    Args:
        base_url: with or without `/v1`.
        model: the name the server knows it by.
        concurrency: requests under way at a time, at most.
        timeout: seconds for one try, from connecting to the last byte.
        retries: of one request after failures that may pass.
        deadline: seconds for one request with all its tries and waits; twice the timeout, but
            not below 120, so that a limit per minute can be waited out.
        backoff: seconds before the first retry; doubled at each, up to 30, with jitter.
        cache: the folder where answers are kept; None keeps none.
        merge: whether equal questions of one call are asked once.

    Raises:
        EndpointError: an address that can't be one, a server that may not be asked (`consent`),
            or a key that no header can carry.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        concurrency: int = 8,
        timeout: float = 60.0,
        retries: int = 5,
        deadline: float | None = None,
        backoff: float = 0.5,
        cache: Path | None = None,
        merge: bool = True,
    ) -> None:
        if concurrency < 1 or timeout <= 0 or retries < 0 or backoff <= 0:
            raise ValueError("concurrency, timeout and backoff are above 0, retries not below")
        self.base_url = base_address(base_url)
        consent.current().require(self.base_url)
        self.model = model
        self.concurrency = concurrency
        self.timeout = timeout
        self.merge = merge
        self.counts = Counts()
        self._url = f"{self.base_url}/chat/completions"
        self._wire = Wire(self.base_url, connections=concurrency + 1, timeout=timeout)
        self._manners = Manners(model)
        deadline = max(2 * timeout, LEAST_DEADLINE) if deadline is None else deadline
        self._patience = Patience(self._url, retries, deadline, backoff)
        self._background = Background()
        self._learning: asyncio.Lock | None = None
        self._slots: asyncio.Semaphore | None = None
        self._memory = Memory(self.base_url, model, cache)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def facts(self) -> dict[str, Any]:
        """Counts so far, and which parts of a request the server refused."""
        return {**asdict(self.counts), "refused_by_server": sorted(self._manners.refused)}

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
        wishes: list[Wish] = []
        positions: list[list[int]] = []  # in `messages_list`, of each wish
        known: dict[Wish, int] = {}
        for position, messages in enumerate(messages_list):
            plain = tuple(tuple(sorted(message.items())) for message in messages)
            wish = Wish(plain, max_tokens, logprobs, float(temperature), think)
            number = known.setdefault(wish, len(wishes)) if self.merge else len(wishes)
            if number == len(wishes):
                wishes.append(wish)
                positions.append([])
            positions[number].append(position)
        if not wishes:
            return
        found: _Found = queue.SimpleQueue()
        future = self._background.start(self._ask_all(wishes, found))
        future.add_done_callback(lambda _: found.put(None))
        try:
            while (item := found.get()) is not None:
                number, answer = item
                for position in positions[number]:
                    yield position, answer
            future.result()
        finally:
            future.cancel()

    def check(self, timeout: float = CHECK_SECONDS) -> str | None:
        """Why the model can't be asked, by the server's own list of models; or None.

        A server that is there and has no such list is given the benefit of the doubt.
        """
        return self._background.call(self._wire.check(self.model, timeout))

    def close(self) -> None:
        """Closes connections and the cache. The endpoint may be asked again."""
        self._background.close(self._close())

    async def _close(self) -> None:
        self._slots = self._learning = None
        await self._wire.close()
        self._memory.close()

    async def _ask_all(self, wishes: list[Wish], found: _Found) -> None:
        """Puts the number of each wish and its answer into `found`, as they come."""
        there = self._memory.find([(wish, self._manners.body(wish)) for wish in wishes])
        missing = []
        for number, answer in enumerate(there):
            if answer is None:
                missing.append(number)
            else:
                self.counts.from_cache += 1
                found.put((number, answer))
        if self._slots is None:
            self._slots = asyncio.Semaphore(self.concurrency)
        slots = self._slots
        ahead = iter(missing)
        failed = False

        async def work() -> None:
            nonlocal failed
            for number in ahead:
                async with slots:
                    if failed:
                        return
                    try:
                        answer = await self._one(wishes[number])
                    except BaseException:
                        failed = True
                        raise
                self.counts.from_cache += answer.from_cache
                found.put((number, answer))

        workers = [asyncio.create_task(work()) for _ in range(min(len(missing), self.concurrency))]
        try:
            if workers:
                ended, under_way = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
                if under_way:
                    # They may be paid for already.
                    await asyncio.wait(under_way, timeout=GRACE_SECONDS)
                for worker in ended:
                    worker.result()
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _one(self, wish: Wish) -> Answer:
        """The answer to a wish, tried within the server's patience and ours."""

        def again(trouble: TryAgain) -> None:
            self.counts.retried += 1
            if not trouble.busy:
                self._manners.forget()

        try:
            return await self._patience.answer(partial(self._try, wish), again=again)
        except EndpointError:
            self._manners.forget()
            raise

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
        (answer,) = self._memory.find([(wish, body)])
        if answer is not None:
            return answer
        begun = time.perf_counter()
        left = max(ends - time.monotonic(), 0.01)
        response = await self._wire.send("POST", self._url, min(self.timeout, left), body)
        seconds = time.perf_counter() - begun
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
        self.counts.asked += 1
        self.counts.prompt_tokens += answer.prompt_tokens or 0
        self.counts.completion_tokens += answer.completion_tokens or 0
        self._memory.keep(body, answer)
        return answer
