"""The folder of a combination, and what its predictors have in common.

settings.json       which combination, its numbers, and its members' names
members/0, 1, …     a kept predictor each, as whoever trained it wrote it
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from suite.config import jsonfile
from suite.config.jsonfile import Strict
from suite.contracts.strategy import Predictor, Probabilities, TextLength
from suite.errors import ModelError
from suite.strategies import COMBINATIONS, load_predictor, strategy_of
from suite.strategies.network.settings import FIX, SETTINGS

MEMBERS = "members"
#: Members of a combination at most.
MOST_MEMBERS = 100

#: A share of 1, or a least probability.
Share = Annotated[float, Field(ge=0, le=1)]


class CombinedSettings(Strict):
    """What every combination has: how many classes, and its members' arms, in order."""

    format: str
    classes: Annotated[int, Field(ge=2, le=100_000)]
    members: Annotated[list[str], Field(min_length=2, max_length=MOST_MEMBERS)]


SettingsT = TypeVar("SettingsT", bound=CombinedSettings)


class CombinedPredictor:
    """Members loaded from a combination's folder. Whoever subclasses it says what they answer.

    Args:
        members: in their order.
        folder: where they lie.
        shape: what of the combination's numbers decides its speed.
    """

    #: In how many batches texts are answered the members decide, each for itself.
    batch: int

    def __init__(
        self, members: Sequence[Predictor], folder: Path, shape: str, classes: int
    ) -> None:
        self.members = list(members)
        self.folder = folder
        self.classes = classes
        self.batch = max(member.batch for member in members)
        self.precision = ", ".join(dict.fromkeys(member.precision for member in members))
        self.serving_shape = f"{shape}({'; '.join(member.serving_shape for member in members)})"
        self.steady = all(getattr(member, "steady", True) for member in members)
        engines = dict.fromkeys(getattr(member, "engine", None) for member in members)
        #: Of whichever member says that it has one: a server that is asked.
        self.engine: str | None = next(filter(None, engines), None)

    @property
    def text_length(self) -> TextLength:
        """As those members count that cut long texts: read whole is what all of them read so. In
        units of the first of them."""
        known: list[TextLength | None] = [getattr(one, "text_length", None) for one in self.members]
        limits = [(own, own.most) for own in known if own is not None and own.most is not None]
        if not limits:
            return TextLength()
        first, most = limits[0]

        def of(texts: Sequence[str]) -> list[int]:
            found = first.of(texts)
            for own, its in limits[1:]:
                pairs = zip(found, own.of(texts), strict=True)
                found = [max(length, math.ceil(other * most / its)) for length, other in pairs]
            return found

        return TextLength(of, most, first.unit)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Class probabilities, float32 [texts, classes]; a row of zeros where no member answers."""
        raise NotImplementedError

    def to_measure(self) -> CombinedPredictor:
        """Itself, its members without what a measurement of speed must not see."""
        for place, member in enumerate(self.members):
            bare: Any = getattr(member, "to_measure", None)
            if bare is not None:
                self.members[place] = bare()
        return self

    def save(self, folder: Path) -> None:
        """Copies its folder: nothing in it changes after it was made."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)


def write(folder: Path, settings: CombinedSettings, members: Sequence[Path]) -> None:
    """Writes a combination of kept predictors, without loading any. Members' files are linked where
    the disk can do that: a copy of a large model would take its size once more.

    Args:
        settings: the combination's.
        members: the folders of the predictors, in their order.

    Raises:
        OSError: it can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place, member in enumerate(members):
        shutil.copytree(member, folder / MEMBERS / str(place), copy_function=_linked)
    text = json.dumps(settings.model_dump(), ensure_ascii=False, indent=1)
    (folder / SETTINGS).write_text(text, encoding="utf-8")


def _linked(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:  # another disk, or a file system that has no links
        shutil.copy2(source, target)
    return target


def folders(folder: Path) -> list[Path]:
    """Where the members of a combination lie, in their order, whatever combination it is.

    Raises:
        ModelError: one is missing, or is itself a combination.
    """
    named = jsonfile.read(folder / SETTINGS, fix=FIX).get("members")
    count = min(len(named), MOST_MEMBERS) if isinstance(named, list) else 0
    found = [folder / MEMBERS / str(place) for place in range(count)]
    for member in found:
        if strategy_of(member) in COMBINATIONS:
            raise ModelError("a combination of combinations", where=str(member), fix=FIX)
    return found


def read(folder: Path, schema: type[SettingsT]) -> tuple[SettingsT, list[Predictor]]:
    """The settings of a combination, and its members, loaded.

    Raises:
        ModelError: something is missing or damaged, or a member tells other classes apart.
    """
    settings = jsonfile.load(folder / SETTINGS, schema, fix=FIX)
    loaded = [load_predictor(one, classes=settings.classes) for one in folders(folder)]
    return settings, loaded
