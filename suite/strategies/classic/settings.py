"""A classic predictor's two files: `settings.json` (everything that is not an array) beside
`arrays.safetensors`. One closed schema for each format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.contracts.language import LanguageCode
from suite.errors import ModelError
from suite.strategies.classic.knobs import parse_views
from suite.strategies.network import arrays
from suite.strategies.network.arrays import Arrays, Form
from suite.strategies.network.settings import FIX, SETTINGS, Tokens

ARRAYS = "arrays.safetensors"

#: Vocabularies stand in it.
_MOST_BYTES = 1_000_000_000

_Size = Annotated[int, Field(ge=1, le=1_000_000_000)]

#: The classes that training met, ascending.
_Trained = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class ClassicSettings(Strict):
    """What every format has."""

    format: str


class _Read(ClassicSettings):
    """Of a format that knows the language of its texts."""

    language: LanguageCode


class FastTextSettings(_Read):
    """Of `fasttext`."""

    format: Literal["fasttext-library"]
    classes: _Size
    trained: _Trained
    ngrams: Annotated[int, Field(ge=1, le=9)]
    subwords: bool
    buckets: Annotated[int, Field(ge=0, le=2**27)]
    words: Annotated[list[str], Field(min_length=1)]

    @model_validator(mode="after")
    def _counted(self) -> FastTextSettings:
        _refuse_repeats(self.words)
        for word in self.words:
            # In the library's file a word ends at its first NUL.
            if not word or "\0" in word:
                raise ValueError(f"{word!r} is no word")
        _refuse_foreign(self.trained, self.classes)
        return self


class TextCnnShape(Strict):
    """The network of a `textcnn`."""

    units: _Size
    dim: _Size
    filters: _Size
    widths: Annotated[list[Annotated[int, Field(ge=1, le=20)]], Field(min_length=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    classes: _Size


class TextCnnSettings(_Read):
    """Of `textcnn`."""

    format: Literal["textcnn"]
    max_tokens: Tokens
    cutting: Literal["tail", "head_tail"] | None = None
    shape: TextCnnShape
    vocabulary: list[str]

    @model_validator(mode="after")
    def _counted(self) -> TextCnnSettings:
        _refuse_repeats(self.vocabulary)
        # Padding and the unknown unit have no spelling.
        if self.shape.units != len(self.vocabulary) + 2:
            raise ValueError(
                f"shape.units is {self.shape.units:,} and the vocabulary has "
                f"{len(self.vocabulary):,} units (2 more are expected)"
            )
        return self


class TfidfSettings(ClassicSettings):
    """Of `tfidf`."""

    format: Literal["tfidf"]
    views: list[str]
    trained: _Trained
    classes: _Size
    link: Literal["softmax", "sigmoid"]
    sublinear: bool
    classifier: Literal["svm", "logistic"]
    vocabularies: list[list[str]]

    @field_validator("views")
    @classmethod
    def _cut(cls, value: list[str]) -> list[str]:
        for name in value:
            try:
                parse_views(name)
            except ValueError:
                raise ValueError(f"'{name}' is no way to cut texts") from None
        return value

    @model_validator(mode="after")
    def _counted(self) -> TfidfSettings:
        views = [*chain.from_iterable(map(parse_views, self.views))]
        if len(views) != len(self.vocabularies):
            raise ValueError(
                f"there are {len(views)} views and {len(self.vocabularies)} vocabularies"
            )
        for terms in self.vocabularies:
            _refuse_repeats(terms)
        _refuse_foreign(self.trained, self.classes)
        return self


def _refuse_repeats(units: list[str]) -> None:
    if len(set(units)) != len(units):
        raise ValueError("a unit stands twice in the vocabulary")


def _refuse_foreign(trained: list[int], classes: int) -> None:
    if trained != sorted(set(trained)) or trained[-1] >= classes:
        raise ValueError(f"trained names {trained}, and classes is {classes}")


def write(folder: Path, settings: Mapping[str, Any], stored: Arrays) -> None:
    """Writes both files; `settings` has the key `format`, by which they are read again."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays.write(folder / ARRAYS, stored)
    (folder / SETTINGS).write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")


def format_of(folder: Path) -> str:
    """The format of a classic predictor's settings.

    Raises:
        ModelError: there are none, or they name none.
    """
    named = jsonfile.read(folder / SETTINGS, most=_MOST_BYTES, fix=FIX).get("format")
    if not isinstance(named, str):
        raise ModelError("it names no format", where=str(folder / SETTINGS), fix=FIX)
    return named


SettingsT = TypeVar("SettingsT", bound=ClassicSettings)


def read(folder: Path, schema: type[SettingsT]) -> SettingsT:
    """What `write` wrote, but for the arrays.

    Raises:
        ModelError: it is missing or something else; names the key.
    """
    return jsonfile.load(folder / SETTINGS, schema, most=_MOST_BYTES, fix=FIX)


def read_arrays(
    folder: Path, expected: Mapping[str, Form], sizes: Mapping[str, int]
) -> dict[str, Any]:
    """The arrays that `write` wrote.

    Raises:
        ModelError: one is not what the settings say of it.
    """
    return arrays.read(folder / ARRAYS, expected, sizes)
