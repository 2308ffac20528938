"""Many callers, one predictor: requests that come at the same time are answered together.

A request waits for company until the batch is full or the oldest in it has waited long enough;
while a batch is being answered the next one gathers by itself, so waiting costs time only where
there is little load. Pure Python: it neither knows what it calls nor who calls it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from suite.errors import counted

#: What is answered: a text, or anything else that a predictor takes.
Text = TypeVar("Text")


class Overloaded(Exception):
    """So many requests wait already that another one would only wait in vain."""


class Closed(Exception):
    """The batcher answers no more."""


class Batcher(Generic[Text]):
    """Gathers texts from any number of threads and answers them in batches, from one thread.

    Args:
        predict: texts -> one answer each, in their order: a list, an array of rows, ...; called by
            one thread, never twice at once. What it raises is delivered to everyone in the batch.
        max_batch: a batch's budget, in texts or in what `size` counts; above 0. A single text
            larger than that goes alone.
        max_wait_seconds: how long the oldest request waits for company at most; 0 and above.
        max_queue: texts that may wait; above 0.
        size: what a text takes of the budget; one where not given.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[Text]], Any],
        max_batch: int,
        max_wait_seconds: float,
        max_queue: int,
        *,
        size: Callable[[Text], int] = lambda text: 1,
    ) -> None:
        if max_batch < 1 or max_wait_seconds < 0 or max_queue < 1:
            raise ValueError(
                f"a batcher needs max_batch ({max_batch}) and max_queue ({max_queue}) above 0, "
                f"and max_wait_seconds ({max_wait_seconds}) of 0 or more"
            )
        self._predict = predict
        self._max_batch = max_batch
        self._max_wait = max_wait_seconds
        self._max_queue = max_queue
        self._size = size
        self._waiting: deque[tuple[Text, int, float, Future[Any]]] = deque()
        self._gathered = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, text: Text) -> Future[Any]:
        """Queues a text and returns at once; the future gives its answer.

        Raises:
            Overloaded: `max_queue` texts wait already.
            Closed: after `close`.
        """
        future: Future[Any] = Future()
        size = self._size(text)
        with self._changed:
            if self._closed:
                raise Closed("the batcher is closed")
            if len(self._waiting) >= self._max_queue:
                raise Overloaded(f"{counted(len(self._waiting), 'text')} waiting already")
            self._waiting.append((text, size, time.monotonic(), future))
            self._gathered += size
            # Between the first of a batch and the last that fits there is nothing to wake for.
            if len(self._waiting) == 1 or self._gathered >= self._max_batch:
                self._changed.notify()
        return future

    def withdraw(self, futures: Sequence[Future[Any]]) -> int:
        """Takes texts out of the queue that nobody wants any more; how many were still in it."""
        withdrawn = {id(future) for future in futures if future.cancel()}
        if withdrawn:
            with self._changed:
                kept = deque(one for one in self._waiting if id(one[3]) not in withdrawn)
                self._waiting = kept
                self._gathered = sum(size for _, size, _, _ in kept)
        return len(withdrawn)

    def close(self, *, answer_waiting: bool = True) -> None:
        """Takes no more texts, and returns when the last batch is answered.

        Args:
            answer_waiting: whether what waits is answered first; else it fails with `Closed`.
        """
        with self._changed:
            self._closed = True
            left = [] if answer_waiting else list(self._waiting)
            if left:
                self._waiting.clear()
                self._gathered = 0
            self._changed.notify()
        for _, _, _, future in left:
            if future.set_running_or_notify_cancel():
                future.set_exception(Closed("the batcher was closed before the text's turn"))
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(answer_waiting=error is None)

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            # A caller that has given up is not computed for; from here on none can.
            wanted = [(text, f) for text, f in batch if f.set_running_or_notify_cancel()]
            if wanted:
                self._answer([text for text, _ in wanted], [future for _, future in wanted])

    def _next(self) -> list[tuple[Text, Future[Any]]] | None:
        """The next batch, once it is full or due; None after the last."""
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            due = self._waiting[0][2] + self._max_wait
            while self._waiting and not self._closed and self._gathered < self._max_batch:
                left = due - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            batch: list[tuple[Text, Future[Any]]] = []
            taken = 0
            while self._waiting and (not batch or taken + self._waiting[0][1] <= self._max_batch):
                text, size, _, future = self._waiting.popleft()
                batch.append((text, future))
                taken += size
            self._gathered -= taken
            return batch

    def _answer(self, texts: Sequence[Text], futures: Sequence[Future[Any]]) -> None:
        try:
            answers = self._predict(texts)
            if len(answers) != len(texts):
                raise ValueError(f"{len(answers)} answers for {counted(len(texts), 'text')}")
        except BaseException as error:  # noqa: BLE001 - a waiting caller must hear of anything
            for future in futures:
                future.set_exception(error)
            return
        for future, answer in zip(futures, answers, strict=True):
            future.set_result(answer)
