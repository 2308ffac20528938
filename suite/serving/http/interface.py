"""What clients of `suite serve` say and are told: requests, answers, problems, and a description
of them all in `/openapi.json`.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, create_model
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from suite.contracts.strategy import TextLength
from suite.contracts.typed import Asker
from suite.data.joining import Joining
from suite.errors import DataError, counted

State = Literal["starting", "ready", "closing"]

#: Seconds a client that was turned away should wait.
RETRY_SECONDS = 1

#: Where a request's state has a future that is done once its client has gone.
GONE = "gone"

#: A larger body is looked over before it is parsed.
_LARGE_BODY = 64 * 1024
# A string with what stands before it, which in no request is much: every value that is no string
# costs a parser many times its length.
_PIECE = re.compile(rb'[^"]{0,256}+"(?:[^"\\]++|\\.)*+"', re.DOTALL)


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
        connections: open at once.
        head_seconds: in which a request's head must have come, since its first byte, or since the
            connection was made.
        max_seconds: the same for the whole request; and in which its answer must be taken.
        idle_seconds: that a connection without a request is kept.
    """

    max_batch: int = 64
    max_wait_ms: float = 0.0
    max_queue: int = 4096
    max_texts: int = 1024
    max_chars: int = 100_000
    max_body: int = 16 * 2**20
    connections: int = 2048
    head_seconds: float = 10.0
    max_seconds: float = 30.0
    idle_seconds: int = 30

    @property
    def answered(self) -> int:
        """Requests answered at once: fewer than connections, so that one more may always come."""
        return self.connections - self.connections // 16


@dataclass(frozen=True)
class Served:
    """What is served.

    Args:
        predict: texts to probabilities, float32 [texts, classes]; a row of zeros is no answer.
        labels: by class index.
        about: what every answer says of the model: study, arm, trial, engine, precision.
        example: a text for the interface's description.
        joining: the columns of which a text is made, where a row is sent in its place.
        decide: probabilities to the class of each row, below 0 for no answer, and whether the model
            answers it alone; None where nobody asked when it does.
        asker: answers other questions than that of the labels; None where the model was trained
            on these.
        length: how long a text is for the model, and may be.
        made: the day on which the model was, in ISO form.
    """

    predict: Callable[[Sequence[str]], Any]
    labels: Sequence[str]
    about: Mapping[str, str]
    example: str = "Oil prices fall as supply grows"
    joining: Joining = field(default_factory=Joining)
    decide: Callable[[Any], tuple[Any, Any]] | None = None
    asker: Asker | None = None
    length: TextLength = field(default_factory=TextLength)
    made: str = "1970-01-01"

    @property
    def names(self) -> list[str]:
        """By which the model is known, its own first."""
        own = [self.about.get("study", ""), self.about.get("arm", "")]
        return list(dict.fromkeys(name for name in own if name)) or ["suite"]


class PredictRequest(BaseModel):
    """Texts to classify: one of `texts` and `text`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    # At the first that is no text it ends: every further one would be a message of its own.
    texts: list[str] | None = Field(
        None, description="Texts, answered in this order.", fail_fast=True
    )
    text: str | None = Field(None, description="One text.")


#: A column's text; null where the row has none.
_Cell = Annotated[str | None, Field(description="The row's text in this column.")]


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else "row"


@cache
def request_model(joining: Joining) -> type[PredictRequest]:
    """What a body of POST /predict must be for a model that reads these columns.

    A row stands wherever a text does: as an object of its columns in `texts`, or as the body.
    """
    named = [c for c in joining.columns if joining.several or c not in ("text", "texts")]
    if not named:
        return PredictRequest
    cells = {f"cell_{i}": (_Cell, Field(alias=c)) for i, c in enumerate(named)}
    closed = ConfigDict(extra="forbid", strict=True)
    row: Any = create_model("Row", __config__=closed, **cells)  # type: ignore[call-overload]
    item: Any = Annotated[
        Annotated[str, Tag("text")] | Annotated[row, Tag("row")], Discriminator(_kind)
    ]
    own = {
        f"cell_{i}": (_Cell, Field(None, alias=c))
        for i, c in enumerate(named)
        if c not in ("text", "texts")
    }
    fields: dict[str, Any] = own | {
        "texts": (
            list[item] | None,
            Field(None, description="Texts or rows, answered in this order.", fail_fast=True),
        )
    }
    return create_model(
        "PredictRequest",
        __base__=PredictRequest,
        __doc__=f"Texts to classify: one of `texts`, `text`, and a row of {joining.named}.",
        **fields,
    )


def _asked(asked: PredictRequest, joining: Joining) -> list[str]:
    """The texts of a request, rows joined.

    Raises:
        Problem: there is not exactly one of `texts`, `text` and a row.
    """
    row = {
        (field.alias or name): getattr(asked, name)
        for name, field in type(asked).model_fields.items()
        if name.startswith("cell_") and name in asked.model_fields_set
    }
    if row and "text" in joining.columns and asked.text is not None:
        row["text"] = asked.text
    forms = [asked.texts is not None, asked.text is not None and "text" not in row, bool(row)]
    if sum(forms) != 1:
        one = f", or a row ({', '.join(joining.columns)})" if joining.several else ""
        raise Problem(
            422, "bad_request", f'give one of "texts" (a list) and "text"{one}, for example '
            '{"texts": ["a text", "another"]}',
        )  # fmt: skip
    given: list[Any] = asked.texts if asked.texts is not None else [row or asked.text]
    try:
        return [
            joining.text(one.model_dump(by_alias=True) if isinstance(one, BaseModel) else one)
            for one in given
        ]
    except DataError as error:
        raise Problem(422, "bad_request", error.what) from None


class Prediction(BaseModel):
    """One text's answer."""

    label: str | None = Field(description="The most probable class; null where none was named.")
    probabilities: dict[str, float] = Field(description="Class -> probability; they sum to 1.")
    decided: bool | None = Field(
        None,
        description="Whether the model answers alone, and not passes the text on; there only where "
        "`suite decide` or the recipe asked for it.",
    )


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


class Problem(HTTPException):
    """A request that is not answered: HTTP status, a word for programs, a sentence.

    Args:
        retry: whether to ask again soon may help.
        close: whether the connection is of no more use.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry: bool = False,
        close: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        own = dict(headers or {})
        if retry:
            own["Retry-After"] = str(RETRY_SECONDS)
        if close:
            own["Connection"] = "close"
        super().__init__(status, message, own)
        self.code = code


def error_body(status: int, code: str, message: str) -> bytes:
    """The JSON of a request that was not answered."""
    error = ErrorDetail(status=status, code=code, message=message)
    return ErrorResponse(error=error).model_dump_json().encode()


def is_json(headers: Headers, encodings: Collection[str] = ()) -> bool:
    """Whether a body is JSON as it stands, or in one of some encodings. What a page of another
    origin may send without asking is not."""
    kind, _, more = headers.get("content-type", "").lower().partition(";")
    charset = more.replace('"', "").strip().removeprefix("charset=")
    return (
        kind.strip() == "application/json"
        and charset in ("", "utf-8")
        and headers.get("content-encoding", "identity") in ("identity", *encodings)
    )


def place_of(error: BaseException) -> str:
    """What was raised and where, without its words: they may be those of a request."""
    lines = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(lines[-1].filename).name}, line {lines[-1].lineno})" if lines else ""
    return f"{type(error).__name__}{where}"


def too_large(most: int) -> Problem:
    """A body of more than `most` bytes."""
    return Problem(
        413, "body_too_large", f"the request is larger than {most:,} bytes; send fewer texts"
    )


def _too_many(texts: int, limits: Limits) -> str:
    return f"{counted(texts, 'text')} in one request, of at most {limits.max_texts:,}"


def queue_full(waiting: int, limits: Limits) -> str:
    """Why a text can't wait, as a clause."""
    return f"{counted(waiting, 'text')} waiting already, of at most {limits.max_queue:,}"


_ONE_TEXT = Joining()


def texts_of(body: bytes, limits: Limits, joining: Joining = _ONE_TEXT) -> list[str]:
    """The texts of a body of POST /predict; of a row its columns, joined.

    Raises:
        Problem: it is no such body, or more than the limits allow.
    """
    if len(body) > _LARGE_BODY:
        _look_over(body, limits, joining)
    try:
        asked = request_model(joining).model_validate_json(body)
    except ValidationError as error:
        raise Problem(422, "bad_request", _said(error, joining)) from None
    texts = _asked(asked, joining)
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


def _look_over(body: bytes, limits: Limits, joining: Joining) -> None:
    """Refuses a large body of many small things before it is parsed: 16 MiB of numbers, lists or
    keys take seconds and hundreds of megabytes, and everybody waits."""
    position = 0
    # A row has a string for each column's name, and one for its text.
    strings = 1 if request_model(joining) is PredictRequest else 2 * len(joining.columns)
    for _ in range(limits.max_texts * strings + 1):  # and the key
        found = _PIECE.match(body, position)
        if found is None:
            break
        position = found.end()
    if len(body) - position <= 256:
        return
    if _PIECE.match(body, position):
        raise Problem(
            413, "too_many_texts",
            f"more than {counted(limits.max_texts, 'text')} in one request",
        )  # fmt: skip
    raise Problem(422, "bad_request", "the body is large, and little of it is text")


def _said(error: ValidationError, joining: Joining) -> str:
    """The first defect in one sentence, without what was sent."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    # A key that is not known is usually the cause of one that is missing.
    first = min(found, key=lambda one: one["type"] != "extra_forbidden")
    path = [p for i, p in enumerate(first["loc"]) if not (i == 2 and p in ("text", "row"))]
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")
    if first["type"] == "json_invalid":
        more = " (half of a surrogate pair is no character)" if "hex escape" in first["msg"] else ""
        return first["msg"] + more
    if first["type"] == "model_type" and path:
        return f"{place[:80]}: a text, or an object of {joining.named} is expected"
    if first["type"] == "model_type":
        return 'the body must be an object, for example {"texts": ["a text"]}'
    if first["type"] == "extra_forbidden":
        known = [f'"{c}"' for c in dict.fromkeys(("texts", "text", *joining.columns))]
        return f"unknown key {place[:80]!r}: only {', '.join(known[:-1])} and {known[-1]} are known"
    return f"{place[:80]}: {first['msg']}"


def request_body(example: str, joining: Joining = _ONE_TEXT) -> dict[str, Any]:
    """The body of POST /predict, for the description of the interface."""
    made = request_model(joining)
    schema = inlined(made.model_json_schema())
    row = {column: example for column in joining.columns}
    rows = {"row": {"summary": "The columns of one", "value": row}}
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
                    **({} if made is PredictRequest else rows),
                },
            }
        },
    }


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema whose parts stand in their places: the interface's description is one document,
    in which `#/$defs` would be looked for at its top."""
    parts = schema.pop("$defs", {})

    def put(value: Any) -> Any:
        if isinstance(value, list):
            return [put(one) for one in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return put(parts[str(value["$ref"]).rpartition("/")[2]])
        # Which part is meant is told by each part's own `type`.
        return {key: put(one) for key, one in value.items() if key != "discriminator"}

    found: dict[str, Any] = put(schema)
    return found


def predict_responses(served: Served, limits: Limits) -> dict[int | str, dict[str, Any]]:
    """Every answer to POST /predict, for the description of the interface."""
    labels = list(served.labels)
    share = [0.9, *[round(0.1 / (len(labels) - 1), 4)] * (len(labels) - 1)]
    answer = {
        "model": dict(served.about),
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

    full = problem(
        503, "queue_full", queue_full(limits.max_queue, limits),
        "The queue is full, or the server is starting or closing",
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
        401: problem(
            401, "no_token", "the header `Authorization: Bearer TOKEN` is missing or wrong",
            "The server asks for a token",
        ),
        408: problem(
            408, "too_slow", f"the request did not come within {limits.max_seconds:g} s",
            "The request came slowly",
        ),
        413: problem(
            413, "too_many_texts", _too_many(limits.max_texts + 1, limits),
            "More than the limits allow",
        ),
        415: problem(
            415, "not_json", "the body must be application/json", "Another content type",
        ),
        421: problem(
            421, "wrong_host", "the server is not asked by that name", "Another Host",
        ),
        422: problem(
            422, "bad_request", "Invalid JSON: EOF while parsing a value at line 1 column 0",
            "Not what is expected",
        ),
        500: problem(500, "model_failed", "the model failed: RuntimeError", "The model failed"),
        503: full,
    }  # fmt: skip
