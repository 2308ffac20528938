"""What a report says, by key: one file of phrases for each language, in Fluent's format.

A language is its file in `locale/`: a page language more is one file more. Templates, charts and
answers ask here by key, so a report in one language can't hold a sentence of the other. Counts are
given as whole numbers, from which a phrase chooses its plural and writes them with thousands
parted; whatever is no count is given as the text that it is to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from suite.errors import ReportError, nearest
from suite.verdict.metrics import METRICS

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

LOCALE = Path(__file__).parent / "locale"
#: The first of the characters that stand for texts while a phrase is put together.
PLACES = 0xE000
LANGUAGES = tuple(sorted(path.stem for path in LOCALE.glob("*.ftl")))


@dataclass(frozen=True)
class Words:
    """The words of one language, as a function of key and values."""

    language: str

    def __call__(self, key: str, **values: str | int) -> str:
        """The phrase under a key, with its values put in.

        Raises:
            KeyError: no such key, or a value is missing: a defect of ours.
        """
        bundle = _bundle(self.language)
        phrase = bundle.get_message(key).value if bundle.has_message(key) else None
        if phrase is None:
            raise KeyError(key)
        # Fluent refuses a value of more than 2,500 characters, and names from data may be longer:
        # it gets a mark in place of each text, and the texts go in afterwards, all at once.
        texts: dict[int, str] = {}
        marked: dict[str, str | int] = {}
        for place, (name, value) in enumerate(values.items(), PLACES):
            marked[name] = value
            if isinstance(value, str):
                marked[name], texts[place] = chr(place), value
        said, errors = bundle.format_pattern(phrase, marked)
        if errors:
            raise KeyError(f"{key}: {errors[0]}")
        return str(said).translate(texts)

    def column(self, key: str) -> str:
        """What a leaderboard calls a column; a metric brings its own label."""
        split, _, name = key.partition("_")
        if split in ("test", "validation") and name in METRICS:
            return self(f"metric_on_{split}", metric=METRICS[name].label(self.language))
        return self(f"metric_{key}")

    def axis(self, key: str) -> str:
        """What an axis of a chart calls such a column."""
        split, _, name = key.partition("_")
        if split in ("test", "validation") and name in METRICS:
            return self(f"axis_on_{split}", metric=METRICS[name].label(self.language))
        return self(f"axis_{key}")

    def family(self, name: str) -> str:
        """A family of models, by the name that results have for it; unknown ones as they are."""
        key = f"family_{name}"
        return self(key) if _bundle(self.language).has_message(key) else name

    def join(self, parts: Sequence[str], last: Literal["and", "or"] = "and") -> str:
        """A list as prose: `a, b and c`, `a、b 和 c`."""
        if len(parts) < 2:
            return "".join(parts)
        return f"{self('comma').join(parts[:-1])}{self(last)}{parts[-1]}"

    def sentences(self, parts: Sequence[str]) -> str:
        """Sentences in a row, spaced as the language does."""
        return self("space").join(part for part in parts if part)


def words_of(language: str) -> Words:
    """The words of a language.

    Raises:
        ReportError: a language that is not spoken here.
    """
    if language not in LANGUAGES:
        raise ReportError(
            f"unknown language '{language}'", where="--lang", fix=nearest(language, LANGUAGES)
        )
    return Words(language)


@cache
def _bundle(language: str) -> FluentBundle:
    # Imported and read only where something is said: 50 ms for both.
    from fluent.runtime import FluentBundle, FluentResource

    bundle = FluentBundle([language], use_isolating=False)
    bundle.add_resource(FluentResource((LOCALE / f"{language}.ftl").read_text(encoding="utf-8")))
    return bundle
