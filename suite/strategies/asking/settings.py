"""`settings.json` of a predictor that asks, as closed schemas: a model here, or one behind a
server."""

from __future__ import annotations

from collections.abc import Sized
from typing import Annotated, Literal

from pydantic import Field, model_validator

from suite.config.jsonfile import Strict
from suite.errors import counted
from suite.strategies.network.settings import MOST_TOKENS, NetworkSettings, Tokens

#: Where a second model that says what is near lies in a kept predictor's folder.
NEAR = "near"

_Count = Annotated[int, Field(ge=0, le=MOST_TOKENS)]
_TokenIds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class KeptQuestion(Strict):
    """The user's turn, with a gap for the text; codes and words by class index."""

    language: str
    before: str
    after: str
    codes: Annotated[list[str], Field(min_length=1)]
    words: list[str]

    @model_validator(mode="after")
    def _counted(self) -> KeptQuestion:
        if len(self.codes) != len(self.words) or len(set(self.codes)) != len(self.codes):
            told, named = counted(len(set(self.codes)), "code"), len(self.words)
            raise ValueError(f"{told} for {counted(named, 'class', 'classes')}: each needs its own")
        return self


class _Frame(Strict):
    head: str
    tail: str
    prefix: str
    thinks: bool
    opened: bool


class _Variant(Strict):
    codes: Literal["letters", "numbers", "lowercase"] = "letters"
    order: Literal["given", "reversed", "shuffled"]
    words: Literal["display", "name"]
    instruction: Literal["first", "last"]
    options: Literal["last", "first"] = "last"
    no_think_mark: bool
    cutting: Literal["head", "tail", "head_tail"] = "head"


class _Wordings(Strict):
    tokens: Annotated[list[_TokenIds], Field(min_length=2)]
    classes: list[_Count]
    mean: bool

    @model_validator(mode="after")
    def _counted(self) -> _Wordings:
        if len(self.tokens) != len(self.classes):
            named = counted(len(self.classes), "class", "classes")
            raise ValueError(f"wordings are {len(self.tokens)}, and of {named}")
        if set(self.classes) != set(range(1 + max(self.classes))):
            raise ValueError("wordings leave out a class")
        return self


class _ExampleForm(Strict):
    opening: str
    before: str
    after: str


class _OwnExamples(Strict):
    """Of a prompter whose texts have examples of their own, which lie beside it."""

    form: _ExampleForm
    answers: list[str]
    turns: bool


class KeptPrompter(Strict):
    """What whole prompts are made from, beside the tokenizer."""

    question: KeptQuestion
    code_tokens: list[_TokenIds]
    wordings: _Wordings | None = None
    frame: _Frame
    think: bool
    marks: list[Annotated[str, Field(min_length=1)]]
    fixed: _Count
    allowance: _Count
    variant: _Variant
    shots: _Count
    own: _OwnExamples | None = None

    @model_validator(mode="after")
    def _counted(self) -> KeptPrompter:
        if len(self.code_tokens) != len(self.question.codes):
            raise ValueError(
                f"code_tokens are of {counted(len(self.code_tokens), 'code')}, and there are "
                f"{len(self.question.codes)}"
            )
        if self.own and len(self.own.answers) != len(self.question.codes):
            raise ValueError(_unequal("own.answers", self.own.answers, len(self.question.codes)))
        if self.wordings and 1 + max(self.wordings.classes) != len(self.question.codes):
            named = counted(1 + max(self.wordings.classes), "class", "classes")
            codes = counted(len(self.question.codes), "code")
            raise ValueError(f"wordings are of {named}, and there are {codes}")
        return self

    @property
    def highest(self) -> int:
        """The highest id of a token that is scored."""
        scored = [*self.code_tokens, *(self.wordings.tokens if self.wordings else ())]
        return max(int(token) for ids in scored for token in ids)

    @property
    def single(self) -> bool:
        """Whether each class is one token."""
        scored = self.wordings.tokens if self.wordings else self.code_tokens
        return len(scored) == len(self.code_tokens) and all(len(ids) == 1 for ids in scored)


class PromptedSettings(NetworkSettings):
    """Of a language model that is asked for an option, in any of its forms."""

    form: Literal["head", "options", "generation"]
    label_names: list[str]
    prompter: KeptPrompter
    bias: list[float] | None = None
    max_new_tokens: Tokens | None = None

    @model_validator(mode="after")
    def _counted(self) -> PromptedSettings:
        classes = len(self.prompter.question.codes)
        for key, of in (("label_names", self.label_names), ("bias", self.bias)):
            if of is not None and len(of) != classes:
                raise ValueError(_unequal(key, of, classes))
        if self.form == "head" and not self.prompter.single:
            raise ValueError("a head has one row for each code, and an answer of several tokens")
        if (self.form == "generation") != (self.max_new_tokens is not None):
            raise ValueError("max_new_tokens belongs to the form 'generation', which needs it")
        return self


class EndpointSettings(Strict):
    """Of a model behind a server."""

    format: Literal["endpoint"]
    url: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    question: KeptQuestion
    think: bool
    max_new_tokens: Tokens
    text_limit: Tokens
    cutting: Literal["head", "tail", "head_tail"] = "head"
    temperature: Annotated[float, Field(ge=0, le=100)]
    concurrency: Annotated[int, Field(ge=1, le=10_000)]
    timeout: Annotated[float, Field(gt=0, le=1_000_000)]
    bias: list[float] | None

    @model_validator(mode="after")
    def _counted(self) -> EndpointSettings:
        classes = len(self.question.codes)
        if self.bias is not None and len(self.bias) != classes:
            raise ValueError(_unequal("bias", self.bias, classes))
        return self


class _KeptOption(Strict):
    name: Annotated[str, Field(min_length=1)]
    about: str | None
    label: Annotated[str, Field(min_length=1)] | None = None


class _KeptAsked(Strict):
    """The questions of a decision server, whatever the text."""

    form: Literal["choice", "yes_no"]
    instructions: Annotated[list[str], Field(min_length=1)]
    labels: Annotated[list[_KeptOption], Field(min_length=2)]
    order: list[_Count]
    none: str | None

    @model_validator(mode="after")
    def _counted(self) -> _KeptAsked:
        classes = len(self.labels)
        if sorted(self.order) != list(range(classes)):
            raise ValueError("order does not list every class once")
        names = [one.name for one in self.labels]
        if len({*names, self.none}) != classes + 1:
            raise ValueError("two options have one name")
        known = [one.label or one.name for one in self.labels]
        if len({*known, self.none}) != classes + 1:
            raise ValueError("two options are one label")
        if len(self.instructions) != (1 if self.form == "choice" else classes):
            raise ValueError(f"instructions are {len(self.instructions)}, of form {self.form}")
        return self


class DecisionSettings(Strict):
    """Of a decision model behind a server."""

    format: Literal["decision_endpoint"]
    url: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    asked: _KeptAsked
    text_limit: Tokens
    cutting: Literal["head", "tail", "head_tail"]
    concurrency: Annotated[int, Field(ge=1, le=10_000)]
    timeout: Annotated[float, Field(gt=0, le=1_000_000)]


def _unequal(key: str, of: Sized, classes: int) -> str:
    named = counted(len(of), "class", "classes")
    return f"{key} is of {named}, and there are {counted(classes, 'code')}"
