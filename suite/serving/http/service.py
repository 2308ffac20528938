"""The model behind `suite serve`, its queue and its limits: everything but HTTP.

Texts of all requests meet in one `Batcher`.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pydantic_core

from suite.errors import counted
from suite.serving.batcher import Batcher, Closed, Overloaded
from suite.serving.http.interface import Limits, Problem, Served, State, queue_full
from suite.serving.http.metrics import Metrics

#: Seconds after which it is looked whether a waiting client is still there.
_LOOK_SECONDS = 1.0


@dataclass
class Totals:
    """What a server has done, for its last line."""

    requests: int = 0
    texts: int = 0
    refused: int = 0
    begun: float = field(default_factory=time.monotonic)


class Service:
    """The model, its queue and its limits; everything but HTTP.

    Raises:
        ValueError: limits that contradict each other.
    """

    def __init__(self, served: Served, limits: Limits) -> None:
        if limits.max_texts > limits.max_queue:
            raise ValueError(
                f"a request may have {counted(limits.max_texts, 'text')}, and only "
                f"{limits.max_queue:,} may wait"
            )
        self.served = served
        self.limits = limits
        self.state: State = "starting"
        self.totals = Totals()
        self.buffered = 0
        #: Who sends it in `CHECK` is answered before the server is ready.
        self.token = secrets.token_hex(16)
        self._waiting = 0
        self._lock = threading.Lock()
        self.metrics = Metrics(served.about, lambda: self._waiting)
        self._keys = list(served.labels)
        self._batcher = Batcher(
            self._predict,
            limits.max_batch,
            limits.max_wait_ms / 1000,
            # Texts whose client has gone stay in the queue until their turn.
            limits.max_queue * 2,
        )

    async def answer(self, texts: Sequence[str], gone: Callable[[], Any]) -> list[Any]:
        """One row of probabilities per text.

        Args:
            gone: awaited returns once the client has gone; its texts are then not computed.

        Raises:
            Problem: the queue is full, the client has gone, or the server is closing.
        """
        count = len(texts)
        with self._lock:
            if self._waiting + count > self.limits.max_queue:
                raise Problem(
                    503,
                    "queue_full",
                    queue_full(self._waiting, self.limits),
                    retry=True,
                )
            self._waiting += count
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        # `next` is one step of the interpreter: callbacks come in the batcher's thread, and in this
        # one where a text is answered already. The loop is woken once.
        left = itertools.count(count - 1, -1)
        futures: list[Future[Any]] = []

        def one_done(future: Future[Any]) -> None:
            if next(left) == 0:
                loop.call_soon_threadsafe(finish)

        def finish() -> None:
            if not done.done():
                done.set_result(None)

        try:
            for text in texts:
                futures.append(self._batcher.submit(text))
        except (Overloaded, Closed) as error:
            with self._lock:
                self._waiting -= count - len(futures)
            self._cancel(futures)
            full = isinstance(error, Overloaded)
            raise Problem(
                503, "queue_full" if full else "closing", str(error), retry=True
            ) from None
        for future in futures:
            future.add_done_callback(one_done)
        if not futures:
            return []
        await self._wait(done, futures, gone)
        return [future.result() for future in futures]

    async def _wait(
        self, done: asyncio.Future[None], futures: Sequence[Future[Any]], gone: Callable[[], Any]
    ) -> None:
        try:
            await asyncio.wait((done,), timeout=_LOOK_SECONDS)
            if done.done():
                return
            watch = asyncio.ensure_future(gone())
            try:
                await asyncio.wait((done, watch), return_when=asyncio.FIRST_COMPLETED)
            finally:
                watch.cancel()
            if not done.done():
                raise Problem(499, "client_gone", "the client closed the connection")
        finally:
            if not done.done():
                self._cancel(futures)

    def _cancel(self, futures: Sequence[Future[Any]]) -> None:
        gone = sum(future.cancel() for future in futures)
        with self._lock:
            self._waiting -= gone

    def _predict(self, texts: Sequence[str]) -> Any:
        with self._lock:
            self._waiting -= len(texts)
        self.metrics.batches.observe(len(texts))
        begun = time.perf_counter()
        found = self.served.predict(texts)
        self.metrics.model_seconds.observe(time.perf_counter() - begun)
        return found

    def body(self, rows: Sequence[Any]) -> bytes:
        """The answer to a request, as JSON."""
        predictions = []
        for row in rows:
            values = np.asarray(row)
            best = int(values.argmax())
            predictions.append(
                {
                    # A row of zeros is no answer: nothing that names a class.
                    "label": self._keys[best] if values[best] > 0 else None,
                    "probabilities": dict(zip(self._keys, values.tolist(), strict=True)),
                }
            )
        return pydantic_core.to_json({"model": dict(self.served.about), "predictions": predictions})

    def close(self) -> None:
        """Answers what waits, and takes no more."""
        self._batcher.close()
