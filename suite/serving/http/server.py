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
from typing import Any, Literal

import numpy as np
import pydantic_core
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suite.errors import counted
from suite.serving.batcher import Batcher, Closed, Overloaded
from suite.serving.http.metrics import CONTENT_TYPE, Metrics
from suite.version import __version__

log = logging.getLogger(__name__)

State = Literal["starting", "ready", "closing"]

#: Seconds in which a request's body must have come.
BODY_SECONDS = 30.0
#: Bodies of this many of the largest requests may be in memory at once.
_LARGEST_AT_ONCE = 16
#: Seconds after which it is looked whether a waiting client is still there.
_LOOK_SECONDS = 1.0
#: Seconds a client that was turned away should wait.
RETRY_SECONDS = 1

#: The header in which the server's own check names itself.
CHECK = "x-suite-check"

_PATHS = ("/predict", "/health", "/metrics", "/openapi.json")


@dataclass(frozen=True)
class Limits:
    """What one client, and all of them, may ask for.

    Args:
        max_batch: texts the model is given at once.
        max_wait_ms: milliseconds a text waits for company at most.
        max_queue: texts that may wait.
        max_texts: of one request.
        max_chars: of one text.
        max_body: bytes of one request.
    """

    max_batch: int = 64
    max_wait_ms: float = 0.0
    max_queue: int = 4096
    max_texts: int = 1024
    max_chars: int = 100_000
    max_body: int = 16 * 2**20


@dataclass(frozen=True)
class Served:
    """What is served.

    Args:
        predict: texts to probabilities, float32 [texts, classes]; a row of zeros is no answer.
        labels: by class index.
        about: what every answer says of the model: study, arm, trial, engine, precision.
        example: a text for the interface's description.
    """

    predict: Callable[[Sequence[str]], Any]
    labels: Sequence[str]
    about: Mapping[str, str]
    example: str = "Oil prices fall as supply grows"


class PredictRequest(BaseModel):
    """Texts to classify: one of `texts` and `text`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: list[str] | None = Field(None, description="Texts, answered in this order.")
    text: str | None = Field(None, description="One text.")


class Prediction(BaseModel):
    """One text's answer."""

    label: str | None = Field(description="The most probable class; null where none was named.")
    probabilities: dict[str, float] = Field(description="Class -> probability; they sum to 1.")


class PredictResponse(BaseModel):
    """Answers in the order of the texts."""

    model: dict[str, str] = Field(description="What answered: study, arm, trial, engine, precision")
    predictions: list[Prediction]


class ErrorDetail(BaseModel):
    """Why there is no answer."""

    status: int
    code: str = Field(description="A word for programs.")
    message: str = Field(description="A sentence for people.")


class ErrorResponse(BaseModel):
    """A request that was not answered."""

    error: ErrorDetail


class HealthResponse(BaseModel):
    """Whether the server takes requests."""

    status: State
    model: dict[str, str]


class Problem(HTTPException):
    """A request that is not answered: HTTP status, a word for programs, a sentence."""

    def __init__(self, status: int, code: str, message: str, *, retry: bool = False) -> None:
        headers = {"Retry-After": str(RETRY_SECONDS)} if retry else None
        super().__init__(status, message, headers)
        self.code = code


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
                    _queue_full(self._waiting, self.limits),
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
        responses=_predict_responses(service),
        openapi_extra={"requestBody": _request_body(service)},
    )
    async def predict(request: Request) -> Response:
        if service.state == "starting" and request.headers.get(CHECK) != service.token:
            raise Problem(503, "starting", "the server is starting", retry=True)
        texts = _texts(await _read(request, service), limits)

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
        raise _too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                parts.append(part)
                size += len(part)
                service.buffered += len(part)
                if size > most:
                    raise _too_large(most)
                if service.buffered > most * _LARGEST_AT_ONCE:
                    raise Problem(503, "busy", "too many large requests are being read", retry=True)
    except TimeoutError:
        raise Problem(408, "too_slow", f"the body did not come within {BODY_SECONDS:g} s") from None
    finally:
        service.buffered -= size
    return b"".join(parts)


def _too_large(most: int) -> Problem:
    return Problem(
        413, "body_too_large", f"the request is larger than {most:,} bytes; send fewer texts"
    )


def _too_many(texts: int, limits: Limits) -> str:
    return f"{counted(texts, 'text')} in one request, of at most {limits.max_texts:,}"


def _queue_full(waiting: int, limits: Limits) -> str:
    return f"{counted(waiting, 'text')} waiting already, of at most {limits.max_queue:,}"


def _texts(body: bytes, limits: Limits) -> list[str]:
    """The texts of a body, within the limits."""
    try:
        asked = PredictRequest.model_validate_json(body)
    except ValidationError as error:
        raise Problem(422, "bad_request", _said(error)) from None
    if (asked.texts is None) == (asked.text is None):
        raise Problem(
            422, "bad_request", 'give one of "texts" (a list) and "text", for example '
            '{"texts": ["a text", "another"]}',
        )  # fmt: skip
    texts = asked.texts if asked.texts is not None else [str(asked.text)]
    if len(texts) > limits.max_texts:
        raise Problem(
            413,
            "too_many_texts",
            _too_many(len(texts), limits),
        )
    for place, text in enumerate(texts):
        if len(text) > limits.max_chars:
            raise Problem(
                413,
                "text_too_long",
                f"texts[{place}] has {counted(len(text), 'character')}, of at most "
                f"{limits.max_chars:,}",
            )
    return texts


def _said(error: ValidationError) -> str:
    """The first defect in one sentence, without what was sent."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")
    if first["type"] == "json_invalid":
        more = " (half of a surrogate pair is no character)" if "hex escape" in first["msg"] else ""
        return first["msg"] + more
    if first["type"] == "model_type":
        return 'the body must be an object, for example {"texts": ["a text"]}'
    if first["type"] == "extra_forbidden":
        return f'unknown key {place[:80]!r}: only "texts" and "text" are known'
    return f"{place[:80]}: {first['msg']}"


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


# ---------------------------------------------------------------- the interface's description


def _request_body(service: Service) -> dict[str, Any]:
    schema = PredictRequest.model_json_schema()
    example = service.served.example
    return {
        "required": True,
        "content": {
            "application/json": {
                "schema": schema,
                "examples": {
                    "several": {
                        "summary": "Several texts",
                        "value": {"texts": [example, "another text"]},
                    },
                    "one": {"summary": "One text", "value": {"text": example}},
                },
            }
        },
    }


def _predict_responses(service: Service) -> dict[int | str, dict[str, Any]]:
    labels = list(service.served.labels)
    share = [0.9, *[round(0.1 / (len(labels) - 1), 4)] * (len(labels) - 1)]
    answer = {
        "model": dict(service.served.about),
        "predictions": [
            {"label": labels[0], "probabilities": dict(zip(labels, share, strict=True))}
        ],
    }

    def problem(status: int, code: str, message: str, description: str) -> dict[str, Any]:
        example = {"error": {"status": status, "code": code, "message": message}}
        return {
            "model": ErrorResponse,
            "description": description,
            "content": {"application/json": {"example": example}},
        }

    limits = service.limits
    full = problem(
        503, "queue_full", _queue_full(limits.max_queue, limits),
        "The queue is full, or the server is closing",
    )  # fmt: skip
    full["headers"] = {
        "Retry-After": {
            "description": "Seconds after which to ask again.",
            "schema": {"type": "integer"},
        }
    }
    return {
        200: {
            "description": "Answers in the order of the texts",
            "content": {"application/json": {"example": answer}},
        },
        408: problem(408, "too_slow", "the body did not come within 30 s", "The body came slowly"),
        413: problem(
            413, "too_many_texts", _too_many(limits.max_texts + 1, limits),
            "More than the limits allow",
        ),
        422: problem(
            422, "bad_request", "Invalid JSON: EOF while parsing a value at line 1 column 0",
            "Not what is expected",
        ),
        500: problem(500, "model_failed", "the model failed: …", "The model failed"),
        503: full,
    }  # fmt: skip
