"""The models: `models.yaml`, and any local transformers folder given as `--model NAME=PATH`."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from suite import paths
from suite.config import yamlfile
from suite.contracts.decisions import LATEST
from suite.contracts.language import MULTILINGUAL, Readable
from suite.contracts.model import Family, Model
from suite.contracts.task import NAME, Closed
from suite.errors import ModelError, nearest
from suite.models import checkpoint

_LANGUAGES = TypeAdapter(list[Readable])


class _Catalogue(Closed):
    models: list[Model]


def load_catalogue(path: Path | None = None) -> dict[str, Model]:
    """Every model of `models.yaml`, by name.

    Raises:
        YamlError: the file is not a catalogue.
        ModelError: a name stands twice.
    """
    file = path or paths.PACKAGE / "models" / "models.yaml"
    try:
        facts = file.stat()
    except OSError:
        return _read(file)  # which says what is wrong with it
    return dict(_as_of(file, facts.st_mtime_ns, facts.st_size))


@functools.lru_cache(maxsize=2)
def _as_of(file: Path, changed: int, size: int) -> Mapping[str, Model]:
    """Read once: a command asks for it a few times, and most of creating a study was this."""
    return _read(file)


def _read(file: Path) -> dict[str, Model]:
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


Named = tuple[str | None, str | None]


def served(endpoint: Named, decision: Named) -> list[Model]:
    """The models behind servers that a command names.

    Args:
        endpoint: address and model of `--endpoint`.
        decision: of `--decision`.

    Raises:
        ModelError: as `endpoint_model` and `decision_model`.
    """
    found = [endpoint_model(*endpoint)] if any(endpoint) else []
    return [*found, decision_model(*decision)] if any(decision) else found


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
    return _served(url, served, "decoder", "--endpoint", "served")


def decision_model(url: str | None, served: str | None) -> Model:
    """A model from `--decision URL [--decision-model NAME]`; `jev-latest` where none is named.

    Raises:
        ModelError: there is no URL, or it can't be one.
    """
    if not url:
        raise ModelError(
            "--decision-model says what a server calls its model, and --decision which server",
            fix="For example --decision http://localhost:8000/v1 --decision-model jev-latest.",
        )
    return _served(url, served or LATEST, "decision", "--decision", "decision")


def _served(url: str, served: str, family: Family, option: str, ending: str) -> Model:
    """A model behind a server.

    Args:
        option: that named it.
        ending: of the model's name.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    # Nothing of an address that may hold a secret is repeated.
    if "@" in url or "?" in url:
        raise ModelError(
            f"{option} must not hold a user name, a password or a query",
            fix="A key is read from the environment variable SUITE_API_KEY.",
        )
    if not usable:
        raise ModelError(
            f"{option} {url!r} is no address of a server",
            fix="For example http://localhost:8000/v1.",
        )
    # Room for the ending, of what a name may have.
    stem = _slug(served.rpartition("/")[2])[:54] or "model"
    return Model(name=f"{stem}-{ending}", family=family, endpoint=url, endpoint_model=served)


def _slug(text: str) -> str:
    """What a model can be called after a name of another kind."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """What is said of a folder, as said of the option that names it."""
    try:
        yield
    except ModelError as error:
        what = f"{error.where}: {error.what}" if error.where else error.what
        raise ModelError(what, where=f"--model {name}", fix=error.fix) from None


def local_model(option: str) -> Model:
    """A model from `--model NAME=PATH`: a folder with config.json, weights and a tokenizer.

    It reads the languages of the catalogue's entry of that name, whose place it takes; else all.

    Raises:
        ModelError: the option or the folder is not that; says what is missing.
    """
    found = described(option)
    folder = Path(option.partition("=")[2]).expanduser()
    with _told_of(found.name):
        checkpoint.check(folder)
        checkpoint.check_tokenizer(folder)
    return found


def option_of(folder: Path) -> str:
    """`NAME=PATH` for a folder that was given without a name: it is called after itself."""
    return f"{_slug(folder.resolve().name)[:64] or 'model'}={folder}"


def described(option: str) -> Model:
    """As `local_model`, of a folder whose config.json alone is read.

    Raises:
        ModelError: as said, but for weights and tokenizer.
    """
    name, separator, raw = option.partition("=")
    if not separator or not NAME.fullmatch(name) or not raw:
        raise ModelError(
            f"--model {option}: expected NAME=PATH",
            fix="For example --model minilm=/models/all-MiniLM-L6-v2 (small letters in NAME).",
        )
    folder = Path(raw).expanduser()
    if not folder.is_dir():
        raise ModelError(f"no folder {folder}", where=f"--model {name}")
    with _told_of(name):
        facts = checkpoint.config(folder)
    limit = checkpoint.of_text(facts).get("max_position_embeddings")
    known = load_catalogue().get(name)
    return Model(
        name=name,
        family=checkpoint.family(facts),
        path=str(folder.resolve()),
        max_tokens=limit if isinstance(limit, int) and limit >= 8 else None,
        languages=known.languages if known else _languages(facts),
    )


def _languages(facts: Mapping[str, Any]) -> list[str]:
    """What a folder's config.json says that its model reads, as `suite model distil-static` notes
    it of what it made; all where it says nothing."""
    said = facts.get("languages")
    try:
        return _LANGUAGES.validate_python(said) if said else [MULTILINGUAL]
    except ValidationError:
        return [MULTILINGUAL]
