"""The models: `models.yaml`, and any local transformers folder given as `--model NAME=PATH`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from suite.contracts.language import MULTILINGUAL, Readable
from suite.contracts.task import NAME, REVISION, Closed

#: `decision` answers typed questions behind a server, and can only be asked.
Family = Literal["classic", "static", "encoder", "decoder", "decision"]
Builder = Literal["tfidf", "fasttext", "textcnn", "tiny-bert", "tiny-qwen3"]


class Model(Closed):
    """A catalogue entry. One of `hub` (weights on the Hub), `path` (a local transformers
    folder), `builder` (made from the task's own training texts; needs no download) and
    `endpoint` (a server that speaks OpenAI's protocol, or that of decisions; it can only be
    asked)."""

    name: str
    family: Family
    hub: str | None = None
    revision: str = "main"
    revision_from: str | None = None
    path: str | None = None
    builder: Builder | None = None
    endpoint: str | None = Field(None, description="Base URL of a server.")
    endpoint_model: str | None = Field(None, description="The name the server knows it by.")
    parameters: float | None = Field(None, gt=0, description="Millions of parameters.")
    max_tokens: int | None = Field(None, ge=8, description="Position limit of the architecture.")
    languages: list[Readable] = Field(
        default_factory=lambda: [MULTILINGUAL],
        min_length=1,
        description="What it reads, as ISO 639 codes; 'multilingual' where it reads them all.",
    )
    licence: str | None = None
    note: str | None = None

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError(f"{value!r} is no name: small letters, digits, '-', '_' and '.'")
        return value

    @field_validator("revision")
    @classmethod
    def _commit(cls, value: str) -> str:
        if value != "main" and not REVISION.fullmatch(value):
            raise ValueError(f"a revision is a commit of 40 hex digits, or 'main', not {value!r}")
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> Model:
        origins = (self.hub, self.path, self.builder, self.endpoint)
        if sum(origin is not None for origin in origins) != 1:
            raise ValueError(f"model '{self.name}' needs one of hub, path, builder and endpoint")
        if self.family == "decision" and self.endpoint is None:
            raise ValueError(f"model '{self.name}' is of family decision and needs an endpoint")
        if (self.endpoint is None) != (self.endpoint_model is None):
            raise ValueError(f"model '{self.name}' needs endpoint and endpoint_model together")
        return self

    def reads(self, language: str) -> bool:
        """Whether it reads texts in a language."""
        return language in self.languages or MULTILINGUAL in self.languages

    @property
    def identity(self) -> str:
        """What exactly is trained or asked: builder, `hub@revision`, folder, or server."""
        if self.builder:
            return f"built:{self.builder}"
        if self.endpoint:
            return f"endpoint:{self.endpoint_model} at {self.endpoint}"
        return f"{self.hub}@{self.revision}" if self.hub else f"folder:{self.path}"

    @property
    def told(self) -> str:
        """The same for pages that are sent around: of a folder only its name."""
        if self.builder or self.endpoint or self.hub or not self.path:
            return self.identity
        return f"folder:{Path(self.path).name}"


class Companion(Closed):
    """A model that a hyperparameter of an arm names, beside the arm's own.

    `fingerprint` is of its folder's files when the study was made; None where they were not here
    then, and a revision says what they are.
    """

    model: Model
    fingerprint: str | None = None
