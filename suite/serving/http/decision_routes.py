"""The routes of decision models: a trained arm or an asking one, to clients of either shape.

    POST /v1/systemone   state and named questions -> named answers
    POST /v1/decisions   input and a list of questions -> a list of answers
    GET  /v1/models      by which names the model answers

Errors have the shape of these routes, and nothing that a client sends is answered with 5xx.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from suite.contracts.decisions import LATEST
from suite.contracts.typed import MOST_OPTIONS, Answers, TooLong
from suite.serving.http import decision_forms as wire
from suite.serving.http import decisions
from suite.serving.http.decisions import Asked
from suite.serving.http.interface import GONE, Problem, inlined, is_json, place_of, too_large
from suite.serving.http.service import Service, Typed, Whole

log = logging.getLogger(__name__)

#: How the official clients may send a body.
_ENCODINGS = ("zstd", "gzip")


def add(app: FastAPI, service: Service) -> None:
    """Adds the routes to an application."""
    forms: dict[str, type[BaseModel]] = {
        wire.SYSTEM_ONE: wire.SystemOneRequest,
        wire.DECISIONS: wire.DecisionRequest,
    }
    for path, form in forms.items():
        app.add_api_route(
            path,
            _Decide(service, path).respond,
            methods=["POST"],
            summary="Answer typed questions",
            description=_description(service),
            operation_id=path.strip("/").replace("/", "_"),
            responses=_responses(),
            openapi_extra={"requestBody": _request_body(form.model_json_schema(), path, service)},
        )

    @app.get(wire.MODELS, summary="The names by which the model answers")
    async def models() -> JSONResponse:
        return JSONResponse(models_body(service))


def models_body(service: Service) -> dict[str, Any]:
    """What GET /v1/models says, to clients of either shape."""
    served = service.served
    made = datetime.fromisoformat(served.made).replace(tzinfo=UTC)
    description = f"{served.about.get('arm', '')}, trained by suite".lstrip(", ")
    names = [*served.names, LATEST]
    return {
        "models": [
            {"name": name, "description": description, "release_date": served.made}
            for name in names
        ],
        "object": "list",
        "data": [
            {
                "id": name,
                "object": "model",
                "created": int(made.timestamp()),
                "owned_by": "suite",
            }
            for name in names
        ],
    }


class _Decide:
    """Answers requests to one path."""

    def __init__(self, service: Service, path: str) -> None:
        self.service = service
        self.path = path

    async def respond(self, request: Request) -> Response:
        """One request."""
        service = self.service
        if service.state == "starting":
            raise Problem(503, "starting", "the server is starting", retry=True)
        if not is_json(request.headers, _ENCODINGS):
            raise Problem(415, "not_json", "the body must be application/json, in UTF-8")
        asked = decisions.read(self.path, await self._body(request))
        if asked.model not in (*service.served.names, LATEST):
            names = ", ".join([LATEST, *service.served.names])
            raise Problem(404, "not_found", f"no model {asked.model[:200]!r}; there is {names}")
        gone = request.scope.get("state", {}).get(GONE)
        answer = self._trained if service.served.asker is None else self._asking
        try:
            body = await answer(asked, gone)
        except HTTPException:
            raise
        except TooLong as error:
            raise Problem(413, "text_too_long", str(error)) from None
        except Exception as error:  # noqa: BLE001 - the others' requests go on
            # Its words may be those of a text, of another client even.
            log.error("the model failed on a decision: %s", place_of(error))
            kind = type(error).__name__
            raise Problem(500, "model_failed", f"the model failed: {kind}") from None
        service.totals.texts += 1
        service.metrics.texts.inc()
        return Response(body, media_type="application/json")

    async def _body(self, request: Request) -> bytes:
        body = await self.service.decision_bodies.read(request)
        encoding = request.headers.get("content-encoding", "identity")
        most = decisions.most_bytes(self.service.limits)
        return body if encoding == "identity" else _unpacked(body, encoding, most)

    async def _trained(self, asked: Asked, gone: Any) -> bytes:
        """By the labels that the model was trained on."""
        served = self.service.served
        chosen = decisions.of_labels(asked, served.labels)
        limits = self.service.limits
        text = decisions.state_text(asked, served.joining, alone=False, most=limits.max_chars)
        ((row, tokens),) = await self.service.answer([Whole(text)], gone)
        shares = decisions.shares_of_labels(row, chosen, asked)
        return decisions.body(
            asked, shares, tokens=tokens, model=served.names[0], about=served.about,
            answered=bool(row.any()), own=decisions.decided(row, chosen, served),
        )  # fmt: skip

    async def _asking(self, asked: Asked, gone: Any) -> bytes:
        """By asking the model."""
        served, limits = self.service.served, self.service.limits
        assert served.asker is not None
        decisions.check_options(asked, served.asker.options)
        text = decisions.state_text(asked, served.joining, alone=True, most=limits.max_chars)
        item = Typed(text, tuple(question for _, question in asked.questions))
        found: list[Answers] = await self.service.answer([item], gone)
        return decisions.body(
            asked, found[0].shares, tokens=found[0].tokens, model=served.names[0],
            about=served.about, answered=True, own=[{}] * len(asked.questions),
        )  # fmt: skip


def _unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """A compressed body, as far as it may be.

    Raises:
        Problem: it is larger, or is not compressed so.
    """
    import pyarrow

    try:
        with pyarrow.input_stream(pyarrow.py_buffer(body), compression=encoding) as stream:
            found: bytes = stream.read(most + 1)
    except (OSError, ValueError) as error:
        raise Problem(
            400, "bad_encoding", f"the body is no {encoding}: {type(error).__name__}"
        ) from None
    if len(found) > most:
        raise too_large(most)
    return found


# ------------------------------------------------------------------- the description


def _description(service: Service) -> str:
    if service.served.asker is not None:
        return (
            f"Any question of up to {service.served.asker.options} options; the state is read once."
        )
    return (
        "A choice over the model's labels or some of them, or whether the text is one of them "
        "(`criteria.true`, or the instructions)."
    )


def _request_body(schema: dict[str, Any], path: str, service: Service) -> dict[str, Any]:
    served = service.served
    labels = list(served.labels[:MOST_OPTIONS])
    asked: dict[str, Any] = {"model": LATEST}
    if path == wire.SYSTEM_ONE:
        # FastAPI leaves null out of what it describes.
        choice = {"type": "choice", "criteria": {label: label for label in labels}}
        asked |= {"state": served.example, "questions": {"label": choice}}
    else:
        choices = [{"value": label} for label in labels]
        named = {"type": "choice", "name": "label", "instructions": "Which?", "choices": choices}
        asked |= {"input": served.example, "questions": [named]}
    content = {"schema": inlined(schema), "examples": {"labels": {"value": asked}}}
    return {"required": True, "content": {"application/json": content}}


def _responses() -> dict[int | str, dict[str, Any]]:
    """What else there may be than an answer, for the description of the interface."""
    told = {
        401: ("authentication_error", "The server asks for a token"),
        404: ("not_found", "No model of that name"),
        413: ("request_too_large", "Longer than the model reads, or than the limits allow"),
        415: ("not_json", "Another content type"),
        529: ("overloaded_error", "The queue is full"),
    }
    found: dict[int | str, dict[str, Any]] = {
        status: {
            "description": said,
            "content": {
                "application/json": {"example": {"detail": {"error_type": kind, "message": "…"}}}
            },
        }
        for status, (kind, said) in told.items()
    }
    defect = {"loc": ["body", "questions", "q", "choice"], "msg": "…", "type": "unknown_option"}
    found[422] = {
        "description": "What breaks a rule, and where",
        "content": {"application/json": {"example": {"detail": [defect]}}},
    }
    return found
