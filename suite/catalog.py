"""The models: `models.yaml`, and any local transformers folder given as `--model NAME=PATH`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from suite import paths, yamlfile
from suite.errors import ModelError, nearest
from suite.task import NAME, REVISION, Closed

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
Family = Literal["classic", "encoder", "decoder"]
Builder = Literal["tfidf", "fasttext", "textcnn", "tiny-bert", "tiny-qwen3"]


class Model(Closed):
    """A catalogue entry. One of `hub` (weights on the Hub), `path` (a local transformers
    folder), `builder` (made from the task's own training texts; needs no download) and
    `endpoint` (a server that speaks OpenAI's protocol; it can only be asked)."""

    name: str
    family: Family
    hub: str | None = None
    revision: str = "main"
    revision_from: str | None = None
    path: str | None = None
    builder: Builder | None = None
    endpoint: str | None = Field(None, description="Base URL of an OpenAI-compatible server.")
    endpoint_model: str | None = Field(None, description="The name the server knows it by.")
    parameters: float | None = Field(None, gt=0, description="Millions of parameters.")
    max_tokens: int | None = Field(None, ge=8, description="Position limit of the architecture.")
    languages: list[Language] = Field(default_factory=lambda: list(LANGUAGES))
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
        if (self.endpoint is None) != (self.endpoint_model is None):
            raise ValueError(f"model '{self.name}' needs endpoint and endpoint_model together")
        return self

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


class _Catalogue(Closed):
    models: list[Model]


def load_catalogue(path: Path | None = None) -> dict[str, Model]:
    """Every model of `models.yaml`, by name.

    Raises:
        YamlError: the file is not a catalogue.
        ModelError: a name stands twice.
    """
    file = path or paths.PACKAGE / "models.yaml"
    models: dict[str, Model] = {}
    for model in yamlfile.load(file, _Catalogue).models:
        if model.name in models:
            raise ModelError(f"the model '{model.name}' stands twice", where=str(file))
        models[model.name] = model
    return models


def find_model(name: str, catalogue: dict[str, Model]) -> Model:
    """A model by name.

    Raises:
        ModelError: no such model (the nearest is named).
    """
    if name not in catalogue:
        raise ModelError(
            f"unknown model '{name}'",
            fix=f"{nearest(name, catalogue)} A local folder is added with --model NAME=PATH.",
        )
    return catalogue[name]


def endpoint_model(url: str | None, served: str | None) -> Model:
    """A model from `--endpoint URL --endpoint-model NAME`, called after what the server calls it.

    Raises:
        ModelError: one of the two is missing, or the URL can't be one.
    """
    if not url or not served:
        raise ModelError(
            "--endpoint and --endpoint-model belong together",
            fix="For example --endpoint http://localhost:8000/v1 --endpoint-model Qwen/Qwen3-8B.",
        )
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # Nothing of an address that may hold a secret is repeated.
    if "@" in url or "?" in url:
        raise ModelError(
            "--endpoint must not hold a user name, a password or a query",
            fix="A key is read from the environment variable SUITE_API_KEY.",
        )
    if not usable:
        raise ModelError(
            f"--endpoint {url!r} is no address of a server",
            fix="For example http://localhost:8000/v1.",
        )
    stem = re.sub(r"[^a-z0-9._-]+", "-", served.rpartition("/")[2].lower()).strip("-._")
    return Model(
        name=f"{stem[:56] or 'model'}-served",
        family="decoder",
        endpoint=url,
        endpoint_model=served,
    )


def local_model(option: str) -> Model:
    """A model from `--model NAME=PATH`: a folder with config.json, weights and a tokenizer.

    Raises:
        ModelError: the option or the folder is not that; says what is missing.
    """
    name, separator, raw = option.partition("=")
    if not separator or not NAME.fullmatch(name) or not raw:
        raise ModelError(
            f"--model {option}: expected NAME=PATH",
            fix="For example --model minilm=/models/all-MiniLM-L6-v2 (small letters in NAME).",
        )
    folder = Path(raw).expanduser()
    config = folder / "config.json"
    if not folder.is_dir():
        raise ModelError(f"no folder {folder}", where=f"--model {name}")
    if not config.is_file():
        raise ModelError(
            f"{folder} has no config.json",
            where=f"--model {name}",
            fix="Give the folder that transformers' save_pretrained wrote.",
        )
    weights = [*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")]
    if not weights:
        raise ModelError(
            f"{folder} has no weights",
            where=f"--model {name}",
            fix="Expected model.safetensors (or its shards) beside config.json.",
        )
    if not any(w.suffix == ".safetensors" for w in weights):
        raise ModelError(
            f"{folder} has only pickled weights ({weights[0].name})",
            where=f"--model {name}",
            fix="Unpickling runs code from the file; convert it to model.safetensors first.",
        )
    try:
        facts = json.loads(config.read_text(encoding="utf-8"))
        architectures = [str(a) for a in facts.get("architectures") or []]
        model_type = str(facts.get("model_type", ""))
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{config} is not readable JSON: {error}", where=f"--model {name}"
        ) from None
    if facts.get("auto_map"):
        raise ModelError(
            f"{folder} wants code of its own run (auto_map)",
            where=f"--model {name}",
            fix="Only architectures that transformers itself knows are loaded.",
        )
    decoder = any("CausalLM" in a or "LMHead" in a for a in architectures) or model_type in {
        "qwen2",
        "qwen3",
        "llama",
        "mistral",
        "gemma",
        "gemma2",
        "gemma3_text",
        "gpt2",
        "phi3",
    }
    limit = facts.get("max_position_embeddings")
    return Model(
        name=name,
        family="decoder" if decoder else "encoder",
        path=str(folder.resolve()),
        max_tokens=limit if isinstance(limit, int) and limit >= 8 else None,
    )
