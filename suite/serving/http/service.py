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

from suite.contracts.strategy import NO_ANSWER
from suite.contracts.typed import Answers, TooLong, TypedQuestion
from suite.errors import counted
from suite.serving.batcher import Batcher, Closed, Overloaded
from suite.serving.http import decisions
from suite.serving.http.bodies import Bodies
from suite.serving.http.connection import Doors
from suite.serving.http.guard import Guard
from suite.serving.http.interface import Limits, Problem, Served, State, queue_full
from suite.serving.http.metrics import Metrics

#: Bodies of this many of the largest requests may be in memory at once.
_LARGEST_AT_ONCE = 16


ANYBODY = Guard()


@dataclass(frozen=True)
class Whole:
    """A text that is not cut: its answer says how long it is, or that it is too long."""

    text: str


@dataclass(frozen=True)
class Typed:
    """A state, and what is asked about it."""

    state: str
    questions: tuple[TypedQuestion, ...]


#: What waits for the model: a text of /predict, or a state of a decision.
Item = str | Whole | Typed


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
        most = decisions.most_bytes(limits)
        self.decision_bodies = Bodies(most, most * _LARGEST_AT_ONCE)
        #: Who sends it in a header is answered before the server is ready, and whatever the guard.
        self.check = secrets.token_hex(16)
        self._waiting = 0
        self._answering = 0
        self._lock = threading.Lock()
        self.metrics = Metrics(served.about, lambda: self._waiting, self.doors)
        self._keys = list(served.labels)
        self._batcher: Batcher[Item] = Batcher(
            self._predict,
            limits.max_batch,
            limits.max_wait_ms / 1000,
            limits.max_queue,
        )

    async def answer(
        self, texts: Sequence[Item], gone: asyncio.Future[None] | None = None
    ) -> list[Any]:
        """One row of probabilities per text; of a `Whole` with its length, of a `Typed` the answers
        to its questions.

        Args:
            gone: done once the client has gone; its texts then leave the queue.

        Raises:
            Problem: the queue is full, the client has gone, or the server is closing.
            TooLong: a text that is not cut.
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
        found = [future.result() for future in futures]
        for one in found:
            if isinstance(one, Exception):
                raise one
        return found

    def _withdraw(self, futures: Sequence[Future[Any]]) -> None:
        withdrawn = self._batcher.withdraw(futures)
        if withdrawn:
            with self._lock:
                self._waiting -= withdrawn

    def _predict(self, items: Sequence[Item]) -> Any:
        with self._lock:
            self._waiting -= len(items)
        self.metrics.batches.observe(len(items))
        begun = time.perf_counter()
        texts = [item for item in items if isinstance(item, str)]
        found = self.served.predict(texts) if len(texts) == len(items) else self._each(items)
        self.metrics.model_seconds.observe(time.perf_counter() - begun)
        return found

    def _each(self, items: Sequence[Item]) -> list[Any]:
        """As `_predict`, of any items: what concerns one alone is its answer, an error too."""
        found: list[Any] = [None] * len(items)
        texts: dict[int, str] = {}
        for place, item in enumerate(items):
            if isinstance(item, Typed):
                found[place] = self._asked(item)
            elif isinstance(item, Whole):
                # Tokenizers are not for two threads at once: lengths are told in this one.
                found[place] = self._length(item.text)
                if isinstance(found[place], int):
                    texts[place] = item.text
            else:
                texts[place] = item
        rows = self.served.predict(list(texts.values())) if texts else ()
        for place, row in zip(texts, rows, strict=True):
            found[place] = row if isinstance(items[place], str) else (row, found[place])
        return found

    def _asked(self, item: Typed) -> Answers | Exception:
        asker = self.served.asker
        assert asker is not None
        try:
            return asker.ask(item.state, item.questions)
        except Exception as error:  # noqa: BLE001 - the others of the batch are answered
            return error

    def _length(self, text: str) -> int | TooLong:
        length = self.served.length
        count = length.of([text])[0]
        if length.most is not None and count > length.most:
            return TooLong("the text has", count, length.most, length.unit)
        return count

    def body(self, rows: Sequence[Any]) -> bytes:
        """The answer to a request, as JSON."""
        values = np.asarray(rows).reshape(len(rows), len(self._keys))
        predictions: list[dict[str, Any]] = []
        classes, decided = self._answers(values)
        for best, row in zip(classes, values.tolist(), strict=True):
            predictions.append(
                {
                    "label": self._keys[best] if best >= 0 else None,
                    "probabilities": dict(zip(self._keys, row, strict=True)),
                }
            )
        for one, own in zip(predictions, decided, strict=False):
            one["decided"] = bool(own)
        return pydantic_core.to_json({"model": dict(self.served.about), "predictions": predictions})

    def _answers(self, rows: Any) -> tuple[Any, Any]:
        """The class of each row, below 0 for no answer; and whether it is answered alone, nothing
        where nobody asked."""
        if self.served.decide is None:
            # A row of zeros is no answer: nothing that names a class.
            return np.where(rows.any(axis=1), rows.argmax(axis=1), NO_ANSWER), ()
        return self.served.decide(rows)

    def close(self) -> None:
        """Answers what waits, and takes no more."""
        self._batcher.close()
