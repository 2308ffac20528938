"""A kept predictor behind HTTP: the FastAPI application of `suite serve`.

    POST /predict      {"texts": [...]}, {"text": "..."} or a row of the model's columns
                       -> label and probabilities of each
    POST /v1/systemone, POST /v1/decisions, GET /v1/models
                       typed questions, as decision models answer them: `decision_routes`
    GET  /health       200 while it takes requests, 503 before and after
    GET  /metrics      for Prometheus
    GET  /openapi.json the interface, described

What is too large is refused before it is parsed or queued, with a body that says what and how much
is allowed. There is no page of documentation: the usual one loads scripts from elsewhere. Pages of
other origins are answered as if there were no CORS: no header allows them anything.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from suite.errors import counted
from suite.serving.http import decision_routes, decisions
from suite.serving.http.decision_forms import DECISIONS, SYSTEM_ONE
from suite.serving.http.interface import (
    GONE,
    HealthResponse,
    PredictResponse,
    Problem,
    error_body,
    is_json,
    place_of,
    predict_responses,
    request_body,
    texts_of,
)
from suite.serving.http.metrics import CONTENT_TYPE
from suite.serving.http.service import Service
from suite.version import __version__

log = logging.getLogger(__name__)

#: The header in which the server's own check names itself.
CHECK = b"x-suite-check"

_PATHS = ("/predict", "/health", "/metrics", "/openapi.json", *decisions.PATHS)


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
        redirect_slashes=False,
    )
    app.add_middleware(_Around, service=service)
    app.exception_handler(HTTPException)(_problem)

    @app.post(
        "/predict",
        summary="Classify texts",
        description="Classifies up to "
        f"{counted(limits.max_texts, 'text')} of up to {counted(limits.max_chars, 'character')}. A "
        "text longer than the model reads is cut by the model.",
        response_model=PredictResponse,
        responses=predict_responses(service.served, limits),
        openapi_extra={"requestBody": request_body(service.served.example, service.served.joining)},
    )
    async def predict(request: Request) -> Response:
        if service.state == "starting" and not _is_own(request.scope, service):
            raise Problem(503, "starting", "the server is starting", retry=True)
        if not is_json(request.headers):
            raise Problem(415, "not_json", "the body must be application/json, in UTF-8")
        texts = texts_of(await service.bodies.read(request), limits, service.served.joining)
        try:
            rows = await service.answer(texts, request.scope.get("state", {}).get(GONE))
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - the others' requests go on
            # Its words may be those of a text, of another client even.
            kind = type(error).__name__
            log.error("the model failed on %s: %s", counted(len(texts), "text"), place_of(error))
            raise Problem(500, "model_failed", f"the model failed: {kind}") from None
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
        return JSONResponse({"status": service.state}, 200 if ready else 503)

    @app.get(
        "/metrics",
        summary="Counters for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics() -> Response:
        return Response(service.metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    decision_routes.add(app, service)
    return app


def _is_own(scope: Scope, service: Service) -> bool:
    """Whether a request is the server's own check."""
    own = service.check.encode()
    return any(
        name == CHECK and hmac.compare_digest(value, own) for name, value in scope["headers"]
    )


def _refusal(problem: HTTPException, path: str) -> Response:
    status = problem.status_code
    code = getattr(problem, "code", None) or {404: "not_found", 405: "method_not_allowed"}.get(
        status, "error"
    )
    if path in decisions.PATHS:
        status, body = decisions.error_body(problem, status, code, str(problem.detail))
    else:
        body = error_body(status, code, str(problem.detail))
    return Response(
        body,
        status,
        headers=dict(problem.headers or {}),
        media_type="application/json",
    )


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _refusal(error, request.scope["path"])


class _Around:
    """Around everything: keeps out who may not ask, counts answers, tells of defects without what
    was sent, and asks clients to go while the server closes."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        service, path = self.service, scope["path"]
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Who asks whether to send a body, and is refused, sends the next request or the
                # body: which, nobody knows.
                asked = status >= 400 and any(name == b"expect" for name, _ in scope["headers"])
                if service.state == "closing" or asked:
                    message.setdefault("headers", []).append((b"connection", b"close"))
            await send(message)

        begun = time.perf_counter()
        service.metrics.open.inc()
        try:
            problem = service.guard.refusal(scope)
            if problem is not None and not _is_own(scope, service):
                await _refusal(problem, path)(scope, receive, sending)
            else:
                await self.app(scope, receive, sending)
        except asyncio.CancelledError:
            closing = Problem(503, "closing", "the server is closing", retry=True)
            if not status:
                await _refusal(closing, path)(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - whatever is left is a defect, and told as one
            log.error("a defect of the server: %s", place_of(error))
            defect = Problem(500, "defect", "a defect of the server; its log says where")
            if not status:
                await _refusal(defect, path)(scope, receive, sending)
        finally:
            service.metrics.open.dec()
            if service.state != "starting":
                self._count(scope, status or 500, time.perf_counter() - begun)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        service = self.service
        path = scope["path"] if scope["path"] in _PATHS else "other"
        service.metrics.requests.labels(path, str(status)).inc()
        if path == "/predict":
            service.metrics.seconds.observe(seconds)
        if path in ("/predict", SYSTEM_ONE, DECISIONS):
            service.totals.requests += 1
            service.totals.refused += status != 200
