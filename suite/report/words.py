"""What pages and the terminal say, by key: files of phrases for each language, in Fluent's format.

A language is its files in `locale/`: `NAME.ftl` is what pages say, `NAME.terminal.ftl` what the
command line says in tables and progress, `NAME.told.ftl` what other rooms said in English.
Templates, charts and answers ask here by key, so a report in one language can't hold a sentence of
the other. Counts are given as whole numbers, from which a phrase chooses its plural and writes
them with thousands parted; whatever is no count is given as the text that it is to be.

What other rooms say (a refusal, a warning about the data, why a trial failed) is an English
sentence, and studies keep it as one: JSON and the database are the same in every language. `told`
says such a sentence in another language: the English phrase under a key is the pattern that it is
known by, and what stands in the pattern's places goes into the other language's phrase.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from suite.errors import ReportError, nearest

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

LOCALE = Path(__file__).parent / "locale"
#: The first of the characters that stand for texts while a phrase is put together.
PLACES = 0xE000
LANGUAGES = tuple(sorted({path.name.partition(".")[0] for path in LOCALE.glob("*.ftl")}))
#: The language in which other rooms speak, and the one for whoever names none.
SPOKEN = "en"
#: What parts sentences and clauses of what other rooms say, and the key of what joins them.
_PARTS = (("\n", ""), ("; ", "semicolon"), (". ", "stop"), (": ", "colon"))
#: A text of more parts is no sentence, and stays as it is.
_MOST_PARTS = 12
#: Places of a told phrase whose names begin so hold what is told in turn; the others hold names.
_INNER = "said"
#: Places that hold a number, and nothing else.
_NUMBERS = {"n"}
#: A place that holds a metric by its English label.
_METRIC = "metric"
#: Places that hold languages by their English names.
_LANGUAGES = {"language", "languages"}


@dataclass(frozen=True)
class Words:
    """The words of one language, as a function of key and values.

    `objective` is the key of the metric that scores are of where a phrase names it (`$metric`, and
    `$Metric` at a sentence's beginning) or says which way is up (`$up`: 1 where more of it is
    better, 0 where less is); "" where studies go by several, which are then called scores.
    """

    language: str
    objective: str = "macro_f1"

    def about(self, objective: str) -> Words:
        """These words where scores are of another metric, by its key."""
        return replace(self, objective=objective)

    def __call__(self, key: str, **values: str | int) -> str:
        """The phrase under a key, with its values put in.

        Raises:
            KeyError: no such key, or a value is missing: a defect of ours.
        """
        bundle = _bundle(self.language)
        phrase = bundle.get_message(key).value if bundle.has_message(key) else None
        if phrase is None:
            raise KeyError(key)
        if key in _naming(self.language):
            values = self._named() | values
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

    def _named(self) -> dict[str, str | int]:
        # Imported here: the command line needs words before it knows what it is to do.
        from suite.verdict.metrics import METRICS

        metric = METRICS.get(self.objective)
        label = metric.label(self.language) if metric else self("across_mixed")
        up = metric is None or metric.higher_is_better
        return {"metric": label, "Metric": label[:1].upper() + label[1:], "up": int(up)}

    def column(self, key: str) -> str:
        """What a leaderboard calls a column; a metric brings its own label."""
        split, label = self._score(key)
        if label:
            return self(f"metric_on_{split}", metric=label)
        return self(f"metric_{key}")

    def axis(self, key: str) -> str:
        """What an axis of a chart calls such a column."""
        split, label = self._score(key)
        if label:
            return self(f"axis_on_{split}", metric=label)
        return self(f"axis_{key}")

    def _score(self, key: str) -> tuple[str, str]:
        """The split and the metric's label of a score's column; no label where it is none."""
        from suite.verdict.metrics import METRICS

        split, _, name = key.partition("_")
        scored = split in ("test", "validation") and name in METRICS
        return split, METRICS[name].label(self.language) if scored else ""

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

    def told(self, text: str) -> str:
        """An English sentence of another room's in this language, as far as it is known here.

        What is not known, such as the message of a library, stays as it is.
        """
        if self.language == SPOKEN:
            return text
        bare = text.lstrip(" ")
        return text[: len(text) - len(bare)] + _said(self, bare)


def words_of(language: str, where: str = "--lang") -> Words:
    """The words of a language, which was named in such a place.

    Raises:
        ReportError: a language that is not spoken here.
    """
    if language not in LANGUAGES:
        raise ReportError(
            f"unknown language '{language}'", where=where, fix=nearest(language, LANGUAGES)
        )
    return Words(language)


@cache
def _bundle(language: str) -> FluentBundle:
    # Imported and read only where something is said: 50 ms for both.
    from fluent.runtime import FluentBundle, FluentResource

    bundle = FluentBundle([language], use_isolating=False)
    for file in sorted(LOCALE.glob(f"{language}.*ftl")):
        bundle.add_resource(FluentResource(file.read_text(encoding="utf-8")))
    return bundle


@cache
def _naming(language: str) -> frozenset[str]:
    """The keys of phrases that name the metric that scores are of, or say which way is up."""
    phrase = re.compile(r"^([a-z0-9_]+) =((?:.*\n)(?:[ }].*\n)*)", re.M)
    return frozenset(
        key
        for file in LOCALE.glob(f"{language}*.ftl")
        for key, text in phrase.findall(file.read_text(encoding="utf-8"))
        if any(place in text for place in ("{ $metric }", "{ $Metric }", "{ $up ->", "{ way_"))
    )


@dataclass(frozen=True)
class _Pattern:
    """How an English sentence under a key is known: what stands still, and the places between."""

    key: str
    still: tuple[str, ...]
    places: tuple[str, ...]

    def values(self, text: str) -> dict[str, str] | None:
        """What stands in the places of a sentence; None where it is another one. Linear."""
        first, *middle = self.still
        if not middle:
            return {} if text == first else None
        last = middle.pop()
        if not text.startswith(first) or not text.endswith(last):
            return None
        at, end = len(first), len(text) - len(last)
        found: list[str] = []
        for part in middle:
            # A place holds at least one character.
            there = text.find(part, at + 1, end)
            if there < 0:
                return None
            found.append(text[at:there])
            at = there + len(part)
        if at >= end:
            return None
        values = dict(zip(self.places, [*found, text[at:end]], strict=True))
        return values if all(_may_be(name, value) for name, value in values.items()) else None


def _may_be(name: str, value: str) -> bool:
    """Whether a value is what its place holds: a number, a name, or what is told in turn."""
    if name in _NUMBERS:
        return value.replace(",", "").replace(".", "", 1).isdigit()
    # What parts sentences stands in no name: it is the beginning of another one.
    return name.startswith(_INNER) or "; " not in value


@cache
def _patterns() -> tuple[_Pattern, ...]:
    """Every sentence that is known, those that say most first."""
    from fluent.syntax import FluentParser, ast

    source = (LOCALE / f"{SPOKEN}.told.ftl").read_text(encoding="utf-8")
    messages = [m for m in FluentParser().parse(source).body if isinstance(m, ast.Message)]
    found = [
        _pattern(message.id.name, elements)
        for message in messages
        if message.value is not None
        for elements in _ways(message.value.elements)
    ]
    return tuple(sorted(found, key=lambda p: -sum(map(len, p.still))))


def _ways(elements: Sequence[Any]) -> Iterator[list[Any]]:
    """A phrase's elements for each variant of its plural; itself where it has none."""
    from fluent.syntax import ast

    for place, element in enumerate(elements):
        chosen = getattr(element, "expression", None)
        if isinstance(chosen, ast.SelectExpression):
            for variant in chosen.variants:
                yield from _ways(
                    [*elements[:place], *variant.value.elements, *elements[place + 1 :]]
                )
            return
    yield list(elements)


def _pattern(key: str, elements: Sequence[Any]) -> _Pattern:
    from fluent.syntax import ast

    still, places = [""], []
    for element in elements:
        if isinstance(element, ast.TextElement):
            still[-1] += element.value
        elif isinstance(element.expression, ast.StringLiteral):
            still[-1] += element.expression.value
        else:
            places.append(element.expression.id.name)
            still.append("")
    return _Pattern(key, tuple(still), tuple(places))


def _said(words: Words, text: str, level: int = 0) -> str:
    """Sentences of another room's in another language; what is not known stays as it is."""
    known = _known(words, text)
    if known is not None or level == len(_PARTS):
        return text if known is None else known
    mark, joint = _PARTS[level]
    parts = text.split(mark)
    if not 1 < len(parts) <= _MOST_PARTS:
        return _said(words, text, level + 1)
    said: list[str] = []
    changed: list[bool] = []
    start = 0
    while start < len(parts):
        # A phrase may hold the mark itself: the longest that is known comes first.
        for end in range(len(parts), start, -1):
            found = _known(words, mark.join(parts[start:end]))
            if found is not None:
                break
        else:
            end = start + 1
            found = _said(words, parts[start], level + 1)
        said.append(found)
        changed.append(found != mark.join(parts[start:end]))
        start = end
    joints = [
        words(joint) if joint and (before or after) else mark
        for before, after in itertools.pairwise(changed)
    ]
    return "".join(map("".join, itertools.zip_longest(said, joints, fillvalue="")))


def _known(words: Words, text: str) -> str | None:
    """A sentence that is known, with or without its full stop."""
    if "\n" in text:
        return None
    if text.endswith(".") and (short := _known(words, text[:-1])) is not None:
        return short + words("end")
    for pattern in _patterns():
        values = pattern.values(text)
        if values is not None:
            return words(pattern.key, **{n: _put(words, n, v) for n, v in values.items()})
    return None


def _put(words: Words, name: str, value: str) -> str:
    """What stands in a place of an English sentence, as it is put into another language's."""
    if name.startswith(_INNER):
        return words.told(value)
    if name == _METRIC:
        return _metric(words, value)
    return _languages(words, value) if name in _LANGUAGES else value


def _metric(words: Words, label: str) -> str:
    """A metric by its English label, as the words' language calls it."""
    from suite.verdict.metrics import METRICS

    own = (one.label(words.language) for one in METRICS.values() if one.label(SPOKEN) == label)
    return next(own, label)


def _languages(words: Words, named: str) -> str:
    """Languages by their names in the words' own: "English and German" as 英语和德语."""
    # Imported here: babel's tables take a tenth of a second.
    from babel import Locale

    from suite.contracts.language import code_of

    own = Locale(words.language).languages
    *some, last = [
        str(own.get(code_of(name) or "", "")) or words.told(name)
        for name in re.split(", | and ", named)
    ]
    return f"{words('comma').join(some)}{words('languages_and')}{last}" if some else last
