"""What a person can mend, as one exception tree.

    SuiteError                 one clear message; the command line exits with 2
    ├── UsageError             words that no command knows
    ├── YamlError              a file that is not the YAML it should be
    ├── TaskError              a task that does not exist or contradicts itself
    ├── RecipeError            likewise a recipe
    ├── DataError              rows that cannot be a labelled classification problem
    ├── ModelError             a model that is unknown or whose weights cannot be used
    │   ├── WeightsError       weights or a tokenizer that are not what they have to be
    │   └── EndpointError      a server that cannot be asked, or whose answers are none
    ├── StudyError             a study that is missing, changed, or cannot go on
    ├── StorageError           a database or a folder that cannot be read or written
    ├── SettingsError          a setting that is none, or whose value is none
    └── ReportError            a page that cannot be written

Anything else that escapes is a defect of the suite, and exits with 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from suite.redaction import clean


class SuiteError(Exception):
    """Something the user can mend: what is wrong, where, and what would work; no secrets in it.

    Args:
        what: the defect, naming the offending value.
        where: the file, key or line it was found in.
        fix: what would work instead.
    """

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        self.what = clean(what)
        self.where = where and clean(where)
        self.fix = fix and clean(fix)
        super().__init__(self.what)

    def __str__(self) -> str:
        message = f"{self.where}: {self.what}" if self.where else self.what
        return f"{message}\n{self.fix}" if self.fix else message


class UsageError(SuiteError):
    """A command, option or value that the command line does not know."""


class YamlError(SuiteError):
    """A file that is not the bounded, closed YAML it should be."""


class TaskError(SuiteError):
    """A task that does not exist, or contradicts itself."""


class RecipeError(SuiteError):
    """A recipe that does not exist, or contradicts itself."""


class DataError(SuiteError):
    """Rows that cannot be read, or are no labelled classification problem."""


class ModelError(SuiteError):
    """A model that is unknown, or whose weights cannot be used."""


class WeightsError(ModelError):
    """Weights, or a tokenizer, that are not what they have to be: so in every trial."""


class EndpointError(ModelError):
    """A server that cannot be asked, or whose answers are none."""


class StudyError(SuiteError):
    """A study that is missing, was changed under our feet, or cannot go on."""


class StorageError(SuiteError):
    """A database or folder that cannot be read or written."""


class SettingsError(SuiteError):
    """A setting of a file, a variable or an option that is none, or whose value is none."""


class ReportError(SuiteError):
    """A page that cannot be written."""


def meant(error: BaseException) -> BaseException:
    """The `SuiteError` behind an error, where a library stumbled over one; else the error itself.

    >>> try:
    ...     try: raise StorageError("held")
    ...     finally: raise NameError("updated_state")
    ... except NameError as error: repr(meant(error))
    "StorageError('held')"
    """
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, SuiteError):
        seen = seen.__cause__ or seen.__context__
    return seen or error


def counted(number: float, noun: str, plural: str = "") -> str:
    """A number with what it counts, in the singular where that is right.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "study", "studies")
    ('1 row', '1,200 rows', '2 studies')
    """
    shown = f"{number:,g}" if number % 1 else f"{int(number):,}"
    return f"{shown} {noun if number == 1 else plural or f'{noun}s'}"


#: Longer names, and names among more, are compared with no other: it would take minutes.
_LONGEST = 100
_MOST_COMPARED = 5_000


def nearest(name: str, known: Iterable[str]) -> str:
    """One sentence with the nearest known name, and the whole list where it is short.

    >>> nearest("agnew", ["agnews", "tnews"])
    "Did you mean 'agnews'? Available: agnews, tnews."
    """
    choices = sorted(set(known))
    if not choices:
        return "None is available."
    close = closest(name, choices)
    shown = [
        choice if len(choice) <= _LONGEST else f"{choice[: _LONGEST - 1]}…"
        for choice in choices[:30]
    ]
    listed = ", ".join(shown) if len(choices) <= 30 else f"{len(choices)} names"
    guess = f"Did you mean '{close}'? " if close else ""
    return f"{guess}Available: {listed}."


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a mistyped one most likely meant, or None where none is near.

    Case does not count; a name that begins as it was typed comes before a merely similar one.

    >>> closest("--trails", ["--trials", "--timeout"])
    '--trials'
    """
    choices = sorted({choice for choice in known if len(choice) <= _LONGEST})
    lowered = {choice.lower(): choice for choice in reversed(choices)}
    typed = name.lower()
    if typed in lowered:
        return lowered[typed]
    if len(choices) > _MOST_COMPARED or len(typed) > _LONGEST:
        return None
    close = difflib.get_close_matches(typed, lowered, n=1, cutoff=0.5)
    best = lowered[close[0]] if close else None
    if best is None or difflib.SequenceMatcher(None, typed, best.lower()).ratio() < 0.75:
        begun = [choice for choice in choices if choice.lower().startswith(typed) and typed]
        if len(begun) == 1:
            return begun[0]
    return best
