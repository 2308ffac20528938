"""The model behind `suite serve`, its queue and its limits: everything but HTTP.

Texts of all requests meet in one `Batcher`.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pydantic_core

from suite.errors import counted
from suite.serving.batcher import Batcher, Closed, Overloaded
from suite.serving.http.bodies import Bodies
from suite.serving.http.connection import Doors
from suite.serving.http.guard import Guard
from suite.serving.http.interface import Limits, Problem, Served, State, queue_full
from suite.serving.http.metrics import Metrics

#: Bodies of this many of the largest requests may be in memory at once.
_LARGEST_AT_ONCE = 16


ANYBODY = Guard()


@dataclass
class Totals:
    """What a server has done, for its last line."""

    requests: int = 0
    texts: int = 0
    refused: int = 0
    begun: float = field(default_factory=time.monotonic)


class Service:
    """The model, its queue and its limits.

    Args:
        guard: who may ask; anybody where not given.

    Raises:
        ValueError: limits that contradict each other.
    """

    def __init__(self, served: Served, limits: Limits, guard: Guard = ANYBODY) -> None:
        if limits.max_texts > limits.max_queue:
            raise ValueError(
                f"a request may have {counted(limits.max_texts, 'text')}, and only "
                f"{limits.max_queue:,} may wait"
            )
        self.served = served
        self.limits = limits
        self.state: State = "starting"
        self.totals = Totals()
        self.guard = guard
        self.doors = Doors(limits)
        self.bodies = Bodies(limits.max_body, limits.max_body * _LARGEST_AT_ONCE)
        #: Who sends it in a header is answered before the server is ready, and whatever the guard.
        self.check = secrets.token_hex(16)
        self._waiting = 0
        self._answering = 0
        self._lock = threading.Lock()
        self.metrics = Metrics(served.about, lambda: self._waiting, self.doors)
        self._keys = list(served.labels)
        self._batcher = Batcher(
            self._predict,
            limits.max_batch,
            limits.max_wait_ms / 1000,
            limits.max_queue,
        )

    async def answer(
        self, texts: Sequence[str], gone: asyncio.Future[None] | None = None
    ) -> list[Any]:
        """One row of probabilities per text.

        Args:
            gone: done once the client has gone; its texts then leave the queue.

        Raises:
            Problem: the queue is full, the client has gone, or the server is closing.
        """
        count = len(texts)
        if not count:
            return []
        if self._answering >= self.limits.answered:
            raise Problem(
                503, "busy", f"{counted(self._answering, 'request')} being answered", retry=True
            )
        with self._lock:
            if self._waiting + count > self.limits.max_queue:
                raise Problem(503, "queue_full", queue_full(self._waiting, self.limits), retry=True)
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

        def finish(gone: object = None) -> None:
            if not done.done():
                done.set_result(None)

        try:
            for text in texts:
                futures.append(self._batcher.submit(text))
        except (Overloaded, Closed) as error:
            with self._lock:
                self._waiting -= count - len(futures)
            self._withdraw(futures)
            full = isinstance(error, Overloaded)
            raise Problem(
                503, "queue_full" if full else "closing", str(error), retry=True
            ) from None
        for future in futures:
            future.add_done_callback(one_done)
        if gone is not None:
            gone.add_done_callback(finish)
        self._answering += 1
        try:
            await done
        finally:
            self._answering -= 1
            if gone is not None:
                gone.remove_done_callback(finish)
            self._withdraw(futures)
        if gone is not None and gone.done():
            raise Problem(499, "client_gone", "the client closed the connection")
        return [future.result() for future in futures]

    def _withdraw(self, futures: Sequence[Future[Any]]) -> None:
        withdrawn = self._batcher.withdraw(futures)
        if withdrawn:
            with self._lock:
                self._waiting -= withdrawn

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
