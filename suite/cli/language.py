"""Which language pages and the terminal speak: what was asked for, then the settings, then the
machine's.

`--lang` comes before `SUITE_LANG`, that before a settings file, that before the locale
(`LC_ALL`, `LC_MESSAGES`, `LANG`: the first that is set). JSON is the same in every language.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from suite.errors import ReportError
from suite.report.words import LANGUAGES, SPOKEN, words_of

#: Asks for a language; every command takes it.
VARIABLE = "SUITE_LANG"
#: What tells the machine's language, the first that is set.
LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")

Lang = Annotated[
    str | None,
    typer.Option(
        "--lang", help=f"Language of pages and of the terminal: {' or '.join(LANGUAGES)}."
    ),
]


@dataclass(frozen=True)
class Chosen:
    """A language, and what it was taken from: `--lang`, a variable, a file, or the default."""

    language: str
    origin: str


def chosen(
    option: str | None = None,
    setting: Chosen | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Chosen:
    """The language to speak, and what said so.

    Args:
        option: what `--lang` said.
        setting: what a settings file says, and which.
        environment: the variables.

    Raises:
        ReportError: a language was asked for that is not spoken here; a locale only falls back.
    """
    named = (
        Chosen(option, "--lang") if option else None,
        Chosen(environment[VARIABLE], VARIABLE) if environment.get(VARIABLE) else None,
        setting,
    )
    for one in named:
        if one is not None:
            words_of(one.language, where=one.origin)
            return one
    for variable in LOCALES:
        if locale := environment.get(variable):
            language = locale.replace("-", "_").partition(".")[0].partition("_")[0].lower()
            return Chosen(language if language in LANGUAGES else SPOKEN, variable)
    return Chosen(SPOKEN, "default")


def set_in_a_file() -> Chosen | None:
    """What `suite.toml` or `pyproject.toml` says, and where; None where neither does."""
    from suite.config.settings import settings

    found = settings()["lang"]
    # What the environment says is asked for apart: it comes first.
    if found.value is None or found.origin == VARIABLE:
        return None
    return Chosen(str(found.value), found.origin)


def fallback() -> str:
    """The same for what is said before the words of the command line are read: never an error."""
    try:
        return chosen().language
    except ReportError:
        return SPOKEN
