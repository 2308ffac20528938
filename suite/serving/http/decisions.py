"""`POST /v1/systemone` and `POST /v1/decisions`, read and answered: the wire of decision models.

Of a trained arm a question can only be about its labels: a choice over some of them, or whether it
is one. An arm that asks a model answers any question. What a shape is stands in
`suite.serving.http.decision_forms`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pydantic_core
from pydantic import ValidationError

from suite.contracts import typed
from suite.contracts.typed import Shares, TypedQuestion
from suite.data.joining import Joining
from suite.errors import DataError, counted
from suite.serving.http import decision_forms as wire
from suite.serving.http.decision_forms import Written
from suite.serving.http.interface import Limits, Problem, Served

#: Where these answer, and the shape of their errors holds.
PATHS = (wire.SYSTEM_ONE, wire.DECISIONS, wire.MODELS)

#: Bytes of a body, at least: an official request has up to 64k tokens.
_LEAST_BODY = 2**20
#: JSON writes a character in so many bytes at most.
_BYTES_PER_CHARACTER = 6

#: Defects that are told of one request, and labels in a message.
_DEFECTS, _LABELS = 16, 24

#: `error_type` by the suite's own word for it, where it has another name.
_ERROR_TYPES = {
    "no_token": "authentication_error",
    "body_too_large": "request_too_large",
    "text_too_long": "request_too_large",
    "queue_full": "overloaded_error",
    "busy": "overloaded_error",
    "model_failed": "internal_error",
    "defect": "internal_error",
}
#: Status where the wire has one of its own: a server with too much to do (6).
_OVERLOADED = 529

Place = tuple[str | int, ...]


class Invalid(Problem):
    """A request that breaks a rule: 422 with a list of where and how.

    Args:
        defects: each with `loc`, `msg` and `type`; `loc` within the body.
    """

    def __init__(self, *defects: tuple[Place, str, str]) -> None:
        super().__init__(422, "bad_request", defects[0][1])
        self.detail_list = [
            {"loc": ["body", *place], "msg": said, "type": kind}
            for place, said, kind in defects[:_DEFECTS]
        ]


def error_body(problem: Exception, status: int, code: str, message: str) -> tuple[int, bytes]:
    """Status and JSON of a request to one of `PATHS` that was not answered."""
    if isinstance(problem, Invalid):
        return status, pydantic_core.to_json({"detail": problem.detail_list})
    kind = _ERROR_TYPES.get(code, code)
    if kind == "overloaded_error":
        status = _OVERLOADED
    return status, pydantic_core.to_json({"detail": {"error_type": kind, "message": message}})


def most_bytes(limits: Limits) -> int:
    """Of a body: room for a state as long as may be, and its questions."""
    return min(limits.max_body, max(_LEAST_BODY, _BYTES_PER_CHARACTER * 2 * limits.max_chars))


@dataclass(frozen=True)
class Asked:
    """One request, whatever its shape.

    Args:
        model: by which name.
        state: what its questions are about.
        where: the state within the body.
        questions: each with its place in the body.
        request: as it came.
    """

    model: str
    state: Written
    where: Literal["state", "input"]
    questions: tuple[tuple[Place, TypedQuestion], ...]
    request: wire.SystemOneRequest | wire.DecisionRequest


def read(path: str, body: bytes) -> Asked:
    """The request in a body.

    Raises:
        Invalid: it is none, with what is wrong and where.
    """
    try:
        given = pydantic_core.from_json(body, allow_inf_nan=False)
        # A number that no float holds becomes one that JSON has no word for.
        json.dumps(given, allow_nan=False)
    except ValueError as error:
        raise Invalid(((), f"Invalid JSON: {error}", "json_invalid")) from None
    try:
        if path == wire.SYSTEM_ONE:
            return _of_system_one(wire.SystemOneRequest.model_validate(given))
        return _of_decisions(wire.DecisionRequest.model_validate(given))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise Invalid(*((one["loc"], one["msg"], one["type"]) for one in found)) from None


def _of_system_one(request: wire.SystemOneRequest) -> Asked:
    questions = tuple(
        (("questions", name, question.type), question.plain())
        for name, question in request.questions.items()
    )
    return Asked(request.model, request.state, "state", questions, request)


def _of_decisions(request: wire.DecisionRequest) -> Asked:
    questions = tuple(
        (("questions", index, question.type), question.plain())
        for index, question in enumerate(request.questions)
    )
    given = request.input
    state = wire.input_text(given) if isinstance(given, list) else given
    return Asked(request.model, state, "input", questions, request)


def state_text(asked: Asked, joining: Joining, *, alone: bool, most: int) -> str:
    """The state as the one text that a model reads: a text as it is, the task's columns joined as
    in training, anything else as JSON.

    Args:
        alone: whether an object that has more than those columns is JSON: what is asked may be
            about the rest.
        most: characters.

    Raises:
        Invalid: columns without a text.
        Problem: it is too long.
    """
    state = asked.state
    if isinstance(state, dict):
        columns = {name: state[name] for name in joining.columns if name in state}
        readable = all(value is None or isinstance(value, str) for value in columns.values())
        whole = len(columns) == len(joining.columns)
        if whole and readable and not (alone and len(state) > len(columns)):
            try:
                state = joining.text(columns)
            except DataError as error:
                raise Invalid(((asked.where,), error.what, "value_error")) from None
    text = wire.as_text(state)
    if len(text) > most:
        raise Problem(
            413,
            "text_too_long",
            f"the {asked.where} has {counted(len(text), 'character')}, of at most {most:,}",
        )
    return text


# ------------------------------------------------------------------- what can be answered


def of_labels(asked: Asked, labels: Sequence[str]) -> list[list[int]]:
    """The classes that each question's options are, by index; of yes or no the one that is meant.

    Raises:
        Invalid: a question is about something else; names it, and the labels.
    """
    known = {label: index for index, label in enumerate(labels)}
    more = "" if len(labels) <= _LABELS else f" and {len(labels) - _LABELS:,} more"
    shown = ", ".join(map(repr, labels[:_LABELS])) + more
    defects: list[tuple[Place, str, str]] = []
    found: list[list[int]] = []
    for place, question in asked.questions:
        if question.kind == typed.SCORE:
            said = f"this model was trained on labels, and rates nothing; its labels are {shown}"
            defects.append((place, said, "unanswerable"))
        elif question.kind == typed.CHOICE:
            for position, option in enumerate(question.options):
                if option.name not in known and len(defects) < _DEFECTS:
                    where = _place_of_option(asked, place, position, option.name)
                    said = f"{option.name[:200]!r} is no label of this model; they are {shown}"
                    defects.append((where, said, "unknown_option"))
            found.append([known.get(option.name, 0) for option in question.options])
        else:
            meant = [question.options[0].about, question.instructions]
            label = next((text for text in meant if text in known), None)
            if label is None:
                said = (
                    "this model was trained on labels: yes or no can be asked of one, as "
                    f"`criteria.true` or `instructions`; they are {shown}"
                    if asked.where == "state"
                    else "this model was trained on labels: a predicate's instructions must be "
                    f"one; they are {shown}"
                )
                defects.append((place, said, "unknown_label"))
            else:
                found.append([known[label]])
    if defects:
        raise Invalid(*defects)
    return found


def _place_of_option(asked: Asked, place: Place, position: int, name: str) -> Place:
    if asked.where == "state":
        return (*place, "criteria", name)
    return (*place, "choices", position, "value")


def shares_of_labels(row: Any, chosen: Sequence[Sequence[int]], asked: Asked) -> list[Shares]:
    """Each question's probabilities from one row of the classes': some of them renormalised; of a
    label and of what is not it.

    Where the model gave no answer, or nothing at all to any of some classes, all are as likely.
    """
    values = np.asarray(row, dtype=np.float64)
    found = []
    for classes, (_, question) in zip(chosen, asked.questions, strict=True):
        if question.kind == typed.YES_NO:
            share = float(np.clip(values[classes[0]], 0, 1)) if values.any() else 0.5
            found.append(np.array([share, 1 - share]))
            continue
        own = values[list(classes)]
        whole = float(own.sum())
        found.append(own / whole if whole > 0 else np.full(len(own), 1 / len(own)))
    return found


def decided(row: Any, chosen: Sequence[Sequence[int]], served: Served) -> list[Mapping[str, Any]]:
    """What is said beside each answer: whether the model answers the text alone, where that was
    asked of it, and the question is the one that it was trained on: a choice over all labels.

    The choice is the likeliest option. Where classes are moved, or wrong answers are worth unlike
    much, the label that the model answers may be another one, and is named.
    """
    if served.decide is None:
        return [{}] * len(chosen)
    values = np.asarray(row)
    (best,), alone = served.decide(values[None])
    told: dict[str, Any] = {"x_decided": bool(alone[0])}
    if best >= 0 and best != values.argmax():
        told["x_label"] = served.labels[best]
    return [told if len(set(own)) == len(served.labels) else {} for own in chosen]


def check_options(asked: Asked, most: int) -> None:
    """Refuses a choice of more options than can be told apart.

    Raises:
        Invalid: with how many may be.
    """
    defects = [
        (
            (*place, "criteria" if asked.where == "state" else "choices"),
            f"{counted(len(question.options), 'option')}, of at most {most:,}",
            "too_long",
        )
        for place, question in asked.questions
        if len(question.options) > most
    ]
    if defects:
        raise Invalid(*defects)


# ------------------------------------------------------------------- the answer


def body(
    asked: Asked,
    shares: Sequence[Shares],
    *,
    tokens: int,
    model: str,
    about: Mapping[str, str],
    answered: bool,
    own: Sequence[Mapping[str, Any]],
) -> bytes:
    """The answer to a request, as JSON in its shape.

    Args:
        shares: of each question its options' probabilities.
        tokens: that were read.
        model: what answers, by name.
        about: of the model, more than the wire asks.
        answered: whether the model named anything; where it did not, no answer is one.
        own: of each answer fields of ours, which all begin with `x_`.
    """
    if not answered:
        own = [{**more, "x_answered": False} for more in own]
    usage: dict[str, Any] = {"input_tokens": tokens, "output_tokens": 0}
    answers: Any
    if isinstance(asked.request, wire.SystemOneRequest):
        answers = {
            name: {**_answer(question, found), **more}
            for (name, question), found, more in zip(
                asked.request.questions.items(), shares, own, strict=True
            )
        }
    else:
        usage |= {
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens,
        }
        answers = [
            {**_decision(question, found), **more}
            if answered
            else {"type": "refusal", "name": question.name, **more}
            for question, found, more in zip(asked.request.questions, shares, own, strict=True)
        ]
    return pydantic_core.to_json(
        {"model": model, "answers": answers, "usage": usage, "x_served": dict(about)}
    )


def _answer(
    question: wire.NoulQuestion | wire.ChoiceQuestion | wire.ScoreQuestion, shares: Shares
) -> dict[str, Any]:
    """One answer of /v1/systemone."""
    values = shares.tolist()
    if isinstance(question, wire.NoulQuestion):
        return {"type": "noul", "noul": values[0]}
    if isinstance(question, wire.ChoiceQuestion):
        names = list(question.criteria)
        return {
            "type": "choice",
            "choice": names[int(shares.argmax())],
            "probabilities": dict(zip(names, values, strict=True)),
            "confidence": typed.choice_confidence(shares),
        }
    levels = list(map(str, range(len(values))))
    return {
        "type": "score",
        "score": typed.expected_level(shares),
        "legend": dict(zip(levels, question.criteria, strict=True)),
        "probabilities": dict(zip(levels, values, strict=True)),
        "confidence": typed.score_confidence(shares),
    }


def _decision(
    question: wire.PredicateQuestion | wire.ChoicesQuestion | wire.LevelsQuestion, shares: Shares
) -> dict[str, Any]:
    """One answer of /v1/decisions."""
    values = shares.tolist()
    named = {"type": question.type, "name": question.name}
    if isinstance(question, wire.PredicateQuestion):
        return {**named, "probability": values[0]}
    if isinstance(question, wire.ChoicesQuestion):
        options = [choice.value for choice in question.choices]
        return {
            **named,
            "choice": options[int(shares.argmax())],
            "probabilities": [
                {"value": option, "probability": value}
                for option, value in zip(options, values, strict=True)
            ],
            "confidence": typed.choice_confidence(shares),
        }
    return {
        **named,
        "score": typed.expected_level(shares),
        "probabilities": [
            {"value": index, "label": level.label, "probability": value}
            for index, (level, value) in enumerate(zip(question.levels, values, strict=True))
        ],
        "confidence": typed.score_confidence(shares),
    }
