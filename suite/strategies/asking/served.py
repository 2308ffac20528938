"""What predictors that ask a server have in common: how they begin, what is kept of them, and texts
as they are sent.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import Field, asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, Unpack

from suite import paths
from suite.contracts.cutting import HEAD, LEFT_OUT, Plain
from suite.contracts.language import language_of
from suite.contracts.task import Task
from suite.endpoint.asking import Asking, Bounds
from suite.prompting.layout import COMMON_MARKS, defuse
from suite.strategies.network.settings import SETTINGS


class ServerSettings(Protocol):
    """What the settings of each say of its server: address, model, and what asking may take."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def url(self) -> str: ...  # noqa: D102 - as the class says
    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def concurrency(self) -> int: ...  # noqa: D102
    @property
    def timeout(self) -> float: ...  # noqa: D102


S = TypeVar("S", bound=ServerSettings)
E = TypeVar("E", bound=Asking[Any])


class ServedPredictor(ABC, Generic[S, E]):
    """Asks a server for each text. Answers are kept, and none is paid for twice.

    Args:
        keep: whether answers are kept and taken from those that were.

    Raises:
        EndpointError: an address that can't be one, a server that may not be asked, or a key that
            no header can carry.
    """

    precision = "server"
    engine = "endpoint"
    form = "endpoint"
    steady = False

    #: What its file of settings calls itself.
    format: ClassVar[str]

    def __init__(self, settings: S, *, keep: bool = True) -> None:
        self.settings = settings
        self.batch = settings.concurrency
        self.device = f"server at {settings.url}"
        self.endpoint = self._server(
            concurrency=settings.concurrency,
            timeout=settings.timeout,
            cache=paths.cache() / "answers" if keep else None,
            merge=keep,
        )
        #: Of the last `predict_proba`: rates over its texts; and what the server was asked since
        #: the beginning.
        self.facts: dict[str, Any] = {}
        self.serving_shape = self._shape()

    @abstractmethod
    def _server(self, **bounds: Unpack[Bounds]) -> E:
        """What asks the server of the settings."""

    @abstractmethod
    def _shape(self) -> str:
        """What decides how long an answer takes."""

    @classmethod
    def _of(cls, settings: S, *, keep: bool) -> Self:
        predictor = cls.__new__(cls)
        ServedPredictor.__init__(predictor, settings, keep=keep)
        return predictor

    def to_measure(self) -> Self:
        """The same, asking the server about every text every time, also about repeats."""
        return self._of(self.settings, keep=False)

    def save(self, folder: Path) -> None:
        """Writes settings.json: address, model, what is asked; never the key."""
        folder.mkdir(parents=True, exist_ok=True)
        kept = {"format": self.format, **asdict(self.settings)}
        (folder / SETTINGS).write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")


def text_limit(task: Task) -> int:
    """Characters that are sent of a text: the server's tokenizer is not at hand."""
    return task.max_tokens * language_of(task.language).characters_per_token


def clean(text: str) -> str:
    """A text that any server can decode: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True)
class Prepared:
    """A text as it is sent, whether it was cut, and whether a control mark was broken."""

    text: str
    cut: bool
    defused: bool


def prepare(text: str, limit: int, cutting: str = HEAD) -> Prepared:
    """A text of at most `limit` characters that holds no control mark."""
    whole = clean(text).strip()
    cut = len(whole) > limit
    if cut:
        (spans,) = Plain(cutting).rows(len(whole), limit)
        whole = LEFT_OUT.join(whole[span].strip() for span in spans)
    safe = defuse(whole, COMMON_MARKS)
    return Prepared(safe, cut, safe != whole)
