"""The endpoint: questions in, answers out in their order, whatever the server does meanwhile.

A larger model joins the table this way, and each of its answers may cost money: what was
answered once is kept, and a later run asks only what is missing. Servers and what stands before
them fail in many ways (they hang, ask for patience, send a page of HTML or half a JSON), so
every request is tried again within bounds, and ends in an answer or in one clear message.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import queue
import random
import threading
import time
import weakref
from collections.abc import Coroutine, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from suite.endpoint.address import base_address
from suite.endpoint.answer import Answer
from suite.endpoint.exchange import TryAgain, Wire
from suite.endpoint.kept import Kept
from suite.errors import EndpointError, nearest

T = TypeVar("T")

Message = Mapping[str, str]
Messages = Sequence[Message]

#: Seconds for the list of models, a question that costs a server nothing.
CHECK_SECONDS = 5.0
#: Proxies send an odd page now and then; a server that always does is no such server.
UNCLEAR_RETRIES = 2
LONGEST_WAIT = 30.0
LEAST_DEADLINE = 120.0
#: Once a request has failed for good, others under way have so long to bring their answers home.
GRACE_SECONDS = 3.0
#: Servers that allow fewer alternatives than were asked for commonly allow this many.
FEWER_LOGPROBS = 5


@dataclass
class Counts:
    """What an endpoint was asked so far: requests answered (and paid), found in the cache,
    tried again; tokens as the server counts them."""

    asked: int = 0
    from_cache: int = 0
    retried: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class _Wish:
    """A question as it was meant, before a server refused a part of it."""

    messages: tuple[tuple[tuple[str, str], ...], ...]
    max_tokens: int
    logprobs: int | None
    temperature: float
    think: bool | None


@dataclass
class _Manners:
    """What the server was found to refuse; it is not asked for that again."""

    without: set[str] = field(default_factory=set)
    fewer_logprobs: bool = False


_Found = queue.SimpleQueue[tuple[int, Answer] | None]


class Endpoint:
    """A model behind a server. Safe to use from several threads; they share `concurrency`.

    Requests run on an event loop in a thread of its own: a hanging server is left at its
    deadline, and Ctrl-C at once, whatever the sockets do.

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
        EndpointError: an address that can't be one, or a key that no header can carry.
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
        self.model = model
        self.concurrency = concurrency
        self.timeout = timeout
        self.retries = retries
        self.deadline = max(2 * timeout, LEAST_DEADLINE) if deadline is None else deadline
        self.backoff = backoff
        self.cache = cache
        self.merge = merge
        self.counts = Counts()
        self._url = f"{self.base_url}/chat/completions"
        self._wire = Wire(self.base_url, connections=concurrency + 1, timeout=timeout)
        self._manners = _Manners()
        self._patience_until = 0.0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._slots: asyncio.Semaphore | None = None
        self._kept: Kept | None = None

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def facts(self) -> dict[str, Any]:
        """Counts so far, and which parts of a request the server refused."""
        return {**asdict(self.counts), "refused_by_server": sorted(self._manners.without)}

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
        wishes: list[_Wish] = []
        positions: list[list[int]] = []  # in `messages_list`, of each wish
        known: dict[_Wish, int] = {}
        for position, messages in enumerate(messages_list):
            plain = tuple(tuple(sorted(message.items())) for message in messages)
            wish = _Wish(plain, max_tokens, logprobs, float(temperature), think)
            number = known.setdefault(wish, len(wishes)) if self.merge else len(wishes)
            if number == len(wishes):
                wishes.append(wish)
                positions.append([])
            positions[number].append(position)
        if not wishes:
            return
        found: _Found = queue.SimpleQueue()
        future = asyncio.run_coroutine_threadsafe(
            self._ask_all(wishes, found), self._running_loop()
        )
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
        return self._call(self._check(timeout))

    def close(self) -> None:
        """Closes connections and the cache. The endpoint may be asked again."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        future = asyncio.run_coroutine_threadsafe(self._close(), loop)
        with contextlib.suppress(TimeoutError):
            future.result(timeout=5)
        _stop(loop)

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        try:
            return future.result()
        finally:
            future.cancel()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                thread = threading.Thread(
                    target=_turn, args=(self._loop,), name="endpoint", daemon=True
                )
                thread.start()
                weakref.finalize(self, _stop, self._loop)
            return self._loop

    async def _close(self) -> None:
        self._slots = None
        kept, self._kept = self._kept, None
        await self._wire.close()
        if kept is not None:
            kept.close()

    async def _ask_all(self, wishes: list[_Wish], found: _Found) -> None:
        """Puts the number of each wish and its answer into `found`, as they come."""
        kept = self._kept_answers()
        keys = [self._identity(wish) for wish in wishes] if kept is not None else []
        there = kept.read(keys) if kept is not None else {}
        missing = list(range(len(wishes)))
        if there:
            for number, key in enumerate(keys):
                if key in there:
                    self.counts.from_cache += 1
                    found.put((number, there[key]))
            missing = [number for number, key in enumerate(keys) if key not in there]
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
                self._count(answer)
                if kept is not None:
                    kept.write(keys[number], answer)
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

    def _count(self, answer: Answer) -> None:
        self.counts.asked += 1
        self.counts.prompt_tokens += answer.prompt_tokens or 0
        self.counts.completion_tokens += answer.completion_tokens or 0

    def _kept_answers(self) -> Kept | None:
        if self._kept is None and self.cache is not None:
            self._kept = Kept(self.cache)
        return self._kept

    def _identity(self, wish: _Wish) -> str:
        """The key of an answer: of what was wished for, not of what the server let us ask, so
        that a resumed run asks nothing twice where parts of the request were refused."""
        content = json.dumps([self.base_url, self.model, asdict(wish)], sort_keys=True)
        return hashlib.sha256(content.encode("ascii")).hexdigest()

    # -------------------------------------------------------------- one request and its tries

    async def _one(self, wish: _Wish) -> Answer:
        await self._be_patient()
        begun = time.monotonic()
        tries = failures = unclear = 0
        while True:
            left = begun + self.deadline - time.monotonic()
            tries += 1
            try:
                return await self._try(wish, min(self.timeout, max(left, 0.01)))
            except TryAgain as trouble:
                # Where a server says when to come back, coming back is no failure; the
                # deadline still holds.
                failures += trouble.wait is None
                unclear += trouble.unclear
                wait = self._wait(failures, trouble)
                left = begun + self.deadline - time.monotonic()
                if failures > self.retries or unclear > UNCLEAR_RETRIES or wait >= left:
                    raise self._given_up(trouble, tries, begun, wait >= left) from None
                if trouble.busy:
                    self._patience_until = max(self._patience_until, time.monotonic() + wait)
            self.counts.retried += 1
            await asyncio.sleep(wait)

    def _wait(self, failures: int, trouble: TryAgain) -> float:
        wait = min(LONGEST_WAIT, self.backoff * 2.0 ** max(0, failures - 1))
        wait *= random.uniform(0.5, 1.5)
        if trouble.wait is not None:
            # Not all at the same moment.
            wait = trouble.wait + min(wait, 0.1 * trouble.wait + 0.05)
        return wait

    async def _be_patient(self) -> None:
        """Waits while the server has asked everyone to wait."""
        while (left := self._patience_until - time.monotonic()) > 0:
            await asyncio.sleep(left * random.uniform(1.0, 1.2))

    def _given_up(
        self, trouble: TryAgain, tries: int, begun: float, out_of_time: bool
    ) -> EndpointError:
        spent = time.monotonic() - begun
        times = "once" if tries == 1 else f"{tries} times"
        fix = (
            "Check that the address is that of an OpenAI-compatible server "
            "(GET …/v1/models lists its models)."
            if trouble.unclear
            else "Start the server or mend the address, then run the same command again: answers "
            "that came before are kept."
        )
        if trouble.busy:
            fix = "Run the same command again later: answers that came before are kept."
        asked = f" (and asks to wait {trouble.wait:,.0f} s)" if trouble.wait else ""
        bound = f" of at most {self.deadline:,.0f} s" if out_of_time else ""
        return EndpointError(
            f"the server {trouble}{asked}; asked {times} in {spent:,.1f} s{bound}",
            where=self._url,
            fix=fix,
        )

    async def _try(self, wish: _Wish, timeout: float) -> Answer:
        while True:
            asked_without = frozenset(self._manners.without)
            fewer = self._manners.fewer_logprobs
            begun = time.perf_counter()
            response = await self._wire.send("POST", self._url, timeout, self._body(wish))
            seconds = time.perf_counter() - begun
            if response.status == 200:
                return self._wire.answer(response, seconds)
            if response.status == 400 and "content_filter" in response.body:
                # A host that won't answer one text has answered: with nothing.
                return Answer("", None, None, None, "content_filter", None, None, round(seconds, 4))
            if response.status in (400, 404, 422) and self._learn(
                wish, response.body, asked_without, fewer
            ):
                continue
            raise self._wire.refusal(response, self.model)

    def _body(self, wish: _Wish) -> dict[str, Any]:
        without = self._manners.without
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [dict(message) for message in wish.messages],
            "stream": False,
        }
        tokens = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        body[tokens] = wish.max_tokens
        if "temperature" not in without:
            body["temperature"] = wish.temperature
        if wish.logprobs is not None and "logprobs" not in without:
            most = FEWER_LOGPROBS if self._manners.fewer_logprobs else wish.logprobs
            body |= {"logprobs": True, "top_logprobs": min(most, wish.logprobs)}
        if wish.think is not None and "chat_template_kwargs" not in without:
            body["chat_template_kwargs"] = {"enable_thinking": wish.think}
        return body

    def _learn(
        self, wish: _Wish, body: str, asked_without: frozenset[str], asked_fewer: bool
    ) -> bool:
        """Whether a refusal names a part that the request can do without; it is remembered."""
        said = body.casefold()
        manners = self._manners
        if wish.logprobs is not None and "logprobs" not in asked_without and "logprob" in said:
            if "top_logprobs" in said and wish.logprobs > FEWER_LOGPROBS and not asked_fewer:
                manners.fewer_logprobs = True
            else:
                manners.without.add("logprobs")
            return True
        dispensable = [("temperature", "temperature"), ("max_tokens", "max_completion_tokens")]
        if wish.think is not None:
            dispensable.append(("chat_template_kwargs", "chat_template_kwargs"))
            dispensable.append(("chat_template_kwargs", "enable_thinking"))
        for part, name in dispensable:
            if name in said and part not in asked_without:
                manners.without.add(part)
                return True
        return False

    async def _check(self, timeout: float) -> str | None:
        url = f"{self.base_url}/models"
        try:
            response = await self._wire.send("GET", url, timeout)
        except TryAgain as trouble:
            return f"{self.base_url}: the server {trouble}"
        except EndpointError as error:
            return str(error)
        if response.status in (404, 405, 501):
            return None
        if response.status != 200:
            return f"{self.base_url}: {self._wire.refusal(response, self.model)}".replace("\n", " ")
        try:
            found = json.loads(response.body)
        except (ValueError, RecursionError):
            return (
                f"{self.base_url}: the server {self._wire.odd(response)}; give the address of an "
                "OpenAI-compatible server"
            )
        try:
            names = [str(model["id"]) for model in found["data"]]
        except (KeyError, TypeError):
            return None
        if not names or any(n == self.model or n.endswith(f"/{self.model}") for n in names):
            return None
        return f"{self.base_url} has no model '{self.model}'. {nearest(self.model, names)}"


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    with contextlib.suppress(RuntimeError):  # closed already
        loop.call_soon_threadsafe(loop.stop)
