"""What asking any server has in common: answers in order, few requests at a time, none paid twice.

Servers and what stands before them fail in many ways (they hang, ask for patience, send a page of
HTML or half a JSON), so every request is tried again within bounds, and ends in an answer or in
one clear message. What one kind of server is asked, and how it says no, is its own.
"""

from __future__ import annotations

import asyncio
import queue
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Hashable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Self, TypedDict, TypeVar, Unpack

from suite.endpoint import consent
from suite.endpoint.answer import Answer
from suite.endpoint.background import Background
from suite.endpoint.exchange import Kind, Response, TryAgain, Wire
from suite.endpoint.manners import Body
from suite.endpoint.memory import Memory
from suite.endpoint.patience import Patience
from suite.errors import EndpointError

#: Seconds for the list of models, a question that costs a server nothing.
CHECK_SECONDS = 5.0
LEAST_DEADLINE = 120.0
#: Once a request has failed for good, others under way have so long to bring their answers home.
GRACE_SECONDS = 3.0

W = TypeVar("W", bound=Hashable)
_Found = queue.SimpleQueue[tuple[int, Answer] | None]


@dataclass
class Counts:
    """What an endpoint was asked so far: requests answered (and paid), found in the cache,
    tried again; tokens as the server counts them."""

    asked: int = 0
    from_cache: int = 0
    retried: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Bounds(TypedDict, total=False):
    """What asking may take.

    Args:
        concurrency: requests under way at a time, at most; 8.
        timeout: seconds for one try, from connecting to the last byte; 60.
        retries: of one request after failures that may pass; 5.
        deadline: seconds for one request with all its tries and waits; twice the timeout, but
            not below 120, so that a limit per minute can be waited out.
        backoff: seconds before the first retry, 0.5; doubled at each, up to 30, with jitter.
        cache: the folder where answers are kept; None keeps none.
        merge: whether equal wishes of one call are asked once.
    """

    concurrency: int
    timeout: float
    retries: int
    deadline: float
    backoff: float
    cache: Path | None
    merge: bool


class Asking(ABC, Generic[W]):
    """A model behind a server. Safe to use from several threads; they share `concurrency`.

    Requests run in the background: a hanging server is left at its deadline, and Ctrl-C is heard
    at once, whatever the sockets do. A wish is a question as it is meant; what is sent of it, the
    kind of server decides.

    Args:
        base_url: as it is asked.
        model: the name the server knows it by.
        kind: of server, for messages.
        bounds: what it may cost.

    Raises:
        EndpointError: a server that may not be asked (`consent`), or a key that no header can
            carry.
    """

    def __init__(self, base_url: str, model: str, kind: Kind, **bounds: Unpack[Bounds]) -> None:
        concurrency = bounds.get("concurrency", 8)
        timeout = bounds.get("timeout", 60.0)
        retries, backoff = bounds.get("retries", 5), bounds.get("backoff", 0.5)
        if concurrency < 1 or timeout <= 0 or retries < 0 or backoff <= 0:
            raise ValueError("concurrency, timeout and backoff are above 0, retries not below")
        self.base_url = base_url
        consent.current().require(base_url)
        self.model = model
        self.concurrency = concurrency
        self.timeout = timeout
        self.merge = bounds.get("merge", True)
        self.counts = Counts()
        self._wire = Wire(base_url, connections=concurrency + 1, timeout=timeout, kind=kind)
        deadline = bounds.get("deadline", max(2 * timeout, LEAST_DEADLINE))
        self._patience = Patience(base_url, retries, deadline, backoff, kind)
        self._background = Background()
        self._slots: asyncio.Semaphore | None = None
        self._memory = Memory(base_url, model, bounds.get("cache"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def facts(self) -> dict[str, Any]:
        """Counts so far."""
        return asdict(self.counts)

    def check(self, timeout: float = CHECK_SECONDS) -> str | None:
        """Why the model can't be asked, by the server's own list of models; or None.

        A server that is there and has no such list is given the benefit of the doubt.
        """
        return self._background.call(self._wire.check(self.model, timeout))

    def close(self) -> None:
        """Closes connections and the cache. The endpoint may be asked again."""
        self._background.close(self._close())

    async def _close(self) -> None:
        self._slots = None
        await self._wire.close()
        self._memory.close()

    @abstractmethod
    def _kept(self, wishes: Sequence[W]) -> list[Answer | None]:
        """The kept answer to each wish as it would be asked now; None where there is none."""

    @abstractmethod
    async def _try(self, wish: W, ends: float) -> Answer:
        """The answer to a wish, as much of it as the server takes; `ends` on the steady clock.

        Raises:
            TryAgain: a failure that may pass.
            EndpointError: one that is final.
        """

    def _doubt(self) -> None:
        """Called where something failed, but for a lack of room: another server may answer next."""

    def _each(self, asked: Sequence[W]) -> Generator[tuple[int, Answer], None, None]:
        """Each answer as it comes, with its wish's position.

        What is under way when the iterator is closed is given up.

        Raises:
            EndpointError: the server can't be reached, refuses, or answers nothing that is
                an answer. What was answered before is kept all the same.
            StorageError: answers can't be kept.
        """
        wishes: list[W] = []
        positions: list[list[int]] = []  # in `asked`, of each wish
        known: dict[W, int] = {}
        for position, wish in enumerate(asked):
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

    async def _ask_all(self, wishes: list[W], found: _Found) -> None:
        """Puts the number of each wish and its answer into `found`, as they come."""
        missing = []
        for number, answer in enumerate(self._kept(wishes)):
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

    async def _one(self, wish: W) -> Answer:
        """The answer to a wish, tried within the server's patience and ours."""
        try:
            return await self._patience.answer(partial(self._try, wish), again=self._again)
        except EndpointError:
            self._doubt()
            raise

    def _again(self, trouble: TryAgain) -> None:
        """Told of each failure after which a request is tried again."""
        self.counts.retried += 1
        if not trouble.busy:
            self._doubt()

    async def _post(self, url: str, body: Body, ends: float) -> tuple[Response, float]:
        """The response to a body, and the seconds it took.

        Raises:
            TryAgain, EndpointError: as `Wire.send`.
        """
        begun = time.perf_counter()
        left = max(ends - time.monotonic(), 0.01)
        response = await self._wire.send("POST", url, min(self.timeout, left), body)
        return response, time.perf_counter() - begun

    def _paid(self, answer: Answer) -> None:
        """Counts an answer that came from the server."""
        self.counts.asked += 1
        self.counts.prompt_tokens += answer.prompt_tokens or 0
        self.counts.completion_tokens += answer.completion_tokens or 0
