"""A kept predictor behind HTTP: the FastAPI application of `suite serve`.

    POST /predict      {"texts": [...]} or {"text": "..."} -> label and probabilities of each
    GET  /health       200 while it takes requests, 503 before and after
    GET  /metrics      for Prometheus
    GET  /openapi.json the interface, described

Texts of all requests meet in one `Batcher`. What is too large is refused before it is parsed or
queued, with a body that says what and how much is allowed. There is no page of documentation:
the usual one loads scripts from elsewhere.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pydantic_core
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suite.errors import counted
from suite.serving.batcher import Batcher, Closed, Overloaded
from suite.serving.http.interface import (
    ErrorDetail,
    ErrorResponse,
    HealthResponse,
    Limits,
    PredictResponse,
    Problem,
    Served,
    State,
    predict_responses,
    queue_full,
    request_body,
    texts_of,
    too_large,
)
from suite.serving.http.metrics import CONTENT_TYPE, Metrics
from suite.version import __version__

log = logging.getLogger(__name__)

#: Seconds in which a request's body must have come.
BODY_SECONDS = 30.0
#: Bodies of this many of the largest requests may be in memory at once.
_LARGEST_AT_ONCE = 16
#: Seconds after which it is looked whether a waiting client is still there.
_LOOK_SECONDS = 1.0

#: The header in which the server's own check names itself.
CHECK = "x-suite-check"

_PATHS = ("/predict", "/health", "/metrics", "/openapi.json")


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


def create_app(service: Service) -> FastAPI:
    """The application around a service."""
    limits = service.limits
    app = FastAPI(
        title="suite serve",
        version=__version__,
        summary="A trained text classifier.",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.add_middleware(_Counting, service=service)
    app.exception_handler(HTTPException)(_problem)
    app.exception_handler(Exception)(_defect)

    @app.post(
        "/predict",
        summary="Classify texts",
        description="Classifies up to "
        f"{counted(limits.max_texts, 'text')} of up to {counted(limits.max_chars, 'character')}. A "
        "text longer than the model reads is cut by the model.",
        response_model=PredictResponse,
        responses=predict_responses(service.served, limits),
        openapi_extra={"requestBody": request_body(service.served.example)},
    )
    async def predict(request: Request) -> Response:
        if service.state == "starting" and request.headers.get(CHECK) != service.token:
            raise Problem(503, "starting", "the server is starting", retry=True)
        texts = texts_of(await _read(request, service), limits)

        async def gone() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        try:
            rows = await service.answer(texts, gone)
        except HTTPException:
            raise
        except Exception as error:
            # Whatever a model raises: the others' requests go on.
            log.error("the model failed on %d texts: %s", len(texts), error)
            raise Problem(500, "model_failed", f"the model failed: {_first_line(error)}") from error
        if service.state != "starting":
            service.totals.texts += len(texts)
            service.metrics.texts.inc(len(texts))
        return Response(service.body(rows), media_type="application/json")

    @app.get(
        "/health",
        summary="Whether requests are taken",
        response_model=HealthResponse,
        responses={503: {"model": HealthResponse, "description": "Starting or closing"}},
    )
    async def health() -> Response:
        ready = service.state == "ready"
        content = {"status": service.state, "model": dict(service.served.about)}
        return JSONResponse(content, 200 if ready else 503)

    @app.get(
        "/metrics",
        summary="Counters for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        return Response(service.metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    return app


async def _read(request: Request, service: Service) -> bytes:
    """A request's body, no longer than allowed."""
    most = service.limits.max_body
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                service.buffered += len(part)
                if size > most:
                    raise too_large(most)
                if service.buffered > most * _LARGEST_AT_ONCE:
                    raise Problem(503, "busy", "too many large requests are being read", retry=True)
    except TimeoutError:
        raise Problem(408, "too_slow", f"the body did not come within {BODY_SECONDS:g} s") from None
    finally:
        service.buffered -= size
    return b"".join(parts)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


async def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = getattr(error, "code", None) or {404: "not_found", 405: "method_not_allowed"}.get(
        error.status_code, "error"
    )
    return _refusal(error.status_code, code, str(error.detail), error.headers)


async def _defect(request: Request, error: Exception) -> JSONResponse:
    return _refusal(500, "defect", "a defect of the server; its log says more", None)


def _refusal(
    status: int, code: str, message: str, headers: Mapping[str, str] | None
) -> JSONResponse:
    content = ErrorResponse(error=ErrorDetail(status=status, code=code, message=message))
    return JSONResponse(content.model_dump(), status, headers=dict(headers or {}))


class _Counting:
    """Around everything: counts answers, and asks clients to go while the server closes."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        service = self.service
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Of a body that was not read to its end the rest still comes.
                if service.state == "closing" or status in (408, 413):
                    message.setdefault("headers", []).append((b"connection", b"close"))
            await send(message)

        begun = time.perf_counter()
        service.metrics.open.inc()
        try:
            await self.app(scope, receive, sending)
        finally:
            service.metrics.open.dec()
            if service.state != "starting":
                self._count(scope, status, time.perf_counter() - begun)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        service = self.service
        path = scope["path"] if scope["path"] in _PATHS else "other"
        service.metrics.requests.labels(path, str(status)).inc()
        if path == "/predict":
            service.metrics.seconds.observe(seconds)
            service.totals.requests += 1
            service.totals.refused += status != 200
