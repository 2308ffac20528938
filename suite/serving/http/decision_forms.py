"""What a body of `POST /v1/systemone` (TypeSafe's) or `POST /v1/decisions` (OpenAI's) may be.

The two shapes say the same; each question tells what it asks, whatever its shape.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from suite.contracts import decisions
from suite.contracts.decisions import Option
from suite.contracts.typed import CHOICE, MOST_LEVELS, SCORE, YES_NO, TypedQuestion

SYSTEM_ONE, DECISIONS, MODELS = (f"/v1/{last}" for last in (*decisions.SHAPES, "models"))
#: Questions of a request; OpenAI's bound.
MOST_QUESTIONS = 400

#: Options of a choice, whatever can be told apart: a trained model may have thousands of labels.
MOST_NAMED = 10_000

#: What may stand where a text does.
Written = str | dict[str, Any] | list[Any]


def as_text(value: Written) -> str:
    """A text as it is, and anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _at_most(most: int) -> BeforeValidator:
    """Refuses an object of more keys before they are looked at: each would be an error."""

    def check(value: Any) -> Any:
        if isinstance(value, dict) and len(value) > most:
            raise PydanticCustomError(
                "too_long", f"Dictionary should have at most {most:,} items, not {len(value):,}"
            )
        return value

    return BeforeValidator(check)


def _up_to_the_first(value: Any) -> Any:
    """Refuses what is said of options at the first that is neither text nor JSON."""
    for name, about in value.items() if isinstance(value, dict) else ():
        if about is not None and not isinstance(about, str | dict | list):
            kind = PydanticCustomError(
                "written_type", "Input should be a text, an object or a list"
            )
            found = InitErrorDetails(type=kind, loc=(name,), input=None)
            raise ValidationError.from_exception_data("criteria", [found])
    return value


# ------------------------------------------------------------------- requests: /v1/systemone


class _Wire(BaseModel):
    """What is not known is not looked at (3.1)."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class NoulCriteria(BaseModel):
    """What yes and no mean."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    true: Written | None = None
    false: Written | None = None


class NoulQuestion(_Wire):
    """Yes or no."""

    type: Literal["noul"]
    instructions: Written | None = None
    criteria: NoulCriteria | None = None

    @model_validator(mode="after")
    def _asks(self) -> NoulQuestion:
        told = self.criteria or NoulCriteria()
        if self.instructions is None and told.true is None and told.false is None:
            raise ValueError("neither instructions nor criteria: nothing is asked")
        return self

    def plain(self) -> TypedQuestion:
        """The same, whatever the shape."""
        told = self.criteria or NoulCriteria()
        options = (Option("yes", _text(told.true)), Option("no", _text(told.false)))
        return TypedQuestion(YES_NO, _text(self.instructions), options)


class ChoiceQuestion(_Wire):
    """One of several options: name -> what it means."""

    type: Literal["choice"]
    instructions: Written | None = None
    criteria: Annotated[
        dict[str, Written | None], _at_most(MOST_NAMED), BeforeValidator(_up_to_the_first)
    ] = Field(min_length=1)

    def plain(self) -> TypedQuestion:
        """The same, whatever the shape."""
        options = tuple(Option(name, _text(about)) for name, about in self.criteria.items())
        return TypedQuestion(CHOICE, _text(self.instructions), options)


class ScoreQuestion(_Wire):
    """A level, low to high."""

    type: Literal["score"]
    instructions: Written | None = None
    criteria: list[Written] = Field(min_length=1, max_length=MOST_LEVELS)

    def plain(self) -> TypedQuestion:
        """The same, whatever the shape."""
        options = tuple(Option(as_text(level)) for level in self.criteria)
        return TypedQuestion(SCORE, _text(self.instructions), options)


def _text(value: Written | None) -> str | None:
    return None if value is None else as_text(value)


class SystemOneRequest(_Wire):
    """A body of POST /v1/systemone."""

    model: str
    state: Written = Field(description="What all questions are about.")
    questions: Annotated[
        dict[
            Annotated[str, Field(min_length=1)],
            Annotated[NoulQuestion | ChoiceQuestion | ScoreQuestion, Field(discriminator="type")],
        ],
        _at_most(MOST_QUESTIONS),
    ] = Field(min_length=1, max_length=MOST_QUESTIONS, description="By names of your own.")
    assets: None = Field(None, description="Images are not read.")


# ------------------------------------------------------------------- requests: /v1/decisions


def _without_images(value: Written) -> Written:
    """Refuses what would have to be looked at."""
    parts = value if isinstance(value, list) else []
    for part in parts:
        if isinstance(part, dict):
            if part.get("type") == "input_image":
                raise ValueError("images are not read")
            for inner in ("content", "output"):
                _without_images(part.get(inner) or [])
    return value


#: What a part of a message says, under one of these.
_PARTS = ("text", "refusal", "data")

_Instructions = Annotated[str | list[Any], AfterValidator(_without_images)]


class PredicateQuestion(_Wire):
    """Whether a statement is true."""

    type: Literal["predicate"]
    name: str | None = None
    instructions: _Instructions

    def plain(self) -> TypedQuestion:
        """The same, whatever the shape."""
        return TypedQuestion(YES_NO, said(self.instructions), (Option("yes"), Option("no")))


class OptionParam(_Wire):
    """One of a choice. A text and a truth value that reads alike are two."""

    value: str | bool
    description: str | None = None

    @property
    def named(self) -> str:
        """The value as a text."""
        return self.value if isinstance(self.value, str) else str(self.value).lower()


class ChoicesQuestion(_Wire):
    """One of several options."""

    type: Literal["choice"]
    name: str | None = None
    instructions: _Instructions
    choices: list[OptionParam] = Field(min_length=2, max_length=MOST_NAMED, fail_fast=True)

    @model_validator(mode="after")
    def _unlike(self) -> ChoicesQuestion:
        values = [(type(one.value), one.value) for one in self.choices]
        if len(set(values)) != len(values):
            raise ValueError("two choices have one value")
        return self

    def plain(self) -> TypedQuestion:
        """The same, whatever the shape."""
        options = tuple(Option(one.named, one.description) for one in self.choices)
        return TypedQuestion(CHOICE, said(self.instructions), options)


class LevelParam(_Wire):
    """One level of a score."""

    label: str
    description: str | None = None


class LevelsQuestion(_Wire):
    """A level, low to high."""

    type: Literal["score"]
    name: str | None = None
    instructions: _Instructions
    levels: list[LevelParam] = Field(min_length=2, max_length=MOST_LEVELS)

    def plain(self) -> TypedQuestion:
        """The same, whatever the shape."""
        options = tuple(Option(level.label, level.description) for level in self.levels)
        return TypedQuestion(SCORE, said(self.instructions), options)


class DecisionRequest(_Wire):
    """A body of POST /v1/decisions."""

    model: str
    input: Annotated[Written, AfterValidator(_without_images)] = Field(
        description="A text, or messages: what all questions are about."
    )
    questions: list[
        Annotated[PredicateQuestion | ChoicesQuestion | LevelsQuestion, Field(discriminator="type")]
    ] = Field(min_length=1, max_length=MOST_QUESTIONS, description="Answered in this order.")


def said(content: str | list[Any]) -> str:
    """The text of a message's content: its parts one below another, JSON parts as JSON."""
    if isinstance(content, str):
        return content
    texts = []
    for part in content:
        known = part if isinstance(part, dict) else {}
        texts.append(as_text(next((known[key] for key in _PARTS if key in known), part)))
    return "\n".join(texts)


def input_text(given: list[Any]) -> str:
    """The text of an `input` of several items: one message says what it says; of several each
    begins with who speaks. Calls and what came of them are JSON."""
    messages = [_is_message(one) for one in given]
    if messages == [True]:
        return said(given[0]["content"])
    if not any(messages):
        return as_text(given)
    return "\n\n".join(
        f"{one['role']}: {said(one['content'])}"
        if speaks and isinstance(one.get("role"), str)
        else as_text(one)
        for one, speaks in zip(given, messages, strict=True)
    )


def _is_message(one: Any) -> bool:
    """Whether it says something: a call has no content, or null."""
    return isinstance(one, dict) and isinstance(one.get("content"), str | list)
