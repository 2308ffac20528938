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
import logging
import time
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suite.errors import counted
from suite.serving.http.interface import (
    ErrorDetail,
    ErrorResponse,
    HealthResponse,
    PredictResponse,
    Problem,
    predict_responses,
    request_body,
    texts_of,
    too_large,
)
from suite.serving.http.metrics import CONTENT_TYPE
from suite.serving.http.service import Service
from suite.version import __version__

log = logging.getLogger(__name__)

#: Seconds in which a request's body must have come.
BODY_SECONDS = 30.0
#: Bodies of this many of the largest requests may be in memory at once.
_LARGEST_AT_ONCE = 16

#: The header in which the server's own check names itself.
CHECK = "x-suite-check"

_PATHS = ("/predict", "/health", "/metrics", "/openapi.json")


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
