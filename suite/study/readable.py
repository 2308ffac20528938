"""What stands in a database, read as anybody's: each study by itself, and damage told as damage.

A database travels, is edited by hand, is cut off by a full disk. Whatever reading one study comes
upon (JSON that ends early, a table where a number was, a state that Optuna does not know, a page
of the file that is garbage) is that study's message, and hides no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import optuna
import sqlalchemy
from optuna.exceptions import OptunaError
from optuna.trial import FrozenTrial
from pydantic import TypeAdapter, ValidationError

from suite import shell
from suite.contracts.records import UNREADABLE, why
from suite.errors import StudyError
from suite.study import internals

#: What reading a damaged study raises, here and in Optuna, which also asserts what it reads.
_DAMAGE = (
    *UNREADABLE,
    ArithmeticError,
    AssertionError,
    MemoryError,
    RecursionError,
    OptunaError,
    sqlalchemy.exc.SQLAlchemyError,
)


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Within: a study is read, and what is wrong with what stands in it is a message.

    Raises:
        StudyError: it can't be read; says why, and what would help.
    """
    try:
        yield
    except _DAMAGE as error:
        if _is_trouble(error):
            raise
        cause = getattr(error, "orig", None) or error
        text = why(cause) if isinstance(cause, Exception) else str(cause)
        reason = (text.strip().splitlines() or [""])[0] or type(cause).__name__
        raise StudyError(
            f"the study '{name}' cannot be read: {reason[:300]}",
            fix="Its rows are damaged, or another program wrote them. Bring it back from a copy; "
            f"`{shell.command('study', 'delete', name)}` removes it.",
        ) from error


def _is_trouble(error: BaseException) -> bool:
    """Whether a database can't be had now, which says nothing of what stands in it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, sqlalchemy.exc.OperationalError):
            return "decode" not in str(seen.orig)  # bytes that are no text are damage
        seen = seen.__cause__
    return False


def checked(adapter: TypeAdapter[Any], value: Any, what: str) -> Any:
    """A stored value as it should be.

    Raises:
        ValueError: it is something else; says what.
    """
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{what}: {why(error)}") from None


def attributes(study: optuna.Study) -> dict[str, Any]:
    """A study's attributes, each read by itself.

    Raises:
        ValueError: one is no JSON; says which.
    """
    found: dict[str, Any] = {}
    for key, text in internals.attributes(study).items():
        try:
            found[key] = internals.parsed(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"{key}: {error or type(error).__name__}") from None
    return found


def attribute(study: optuna.Study, key: str) -> Any:
    """One attribute of a study, whatever stands in the others; None where it is none."""
    try:
        with readable(study.study_name):
            return internals.parsed(internals.attributes(study, key).get(key))
    except StudyError:
        return None


def check_trials(study: optuna.Study, owner: str, retry: str) -> None:
    """Sees that a study's trials are what those who go on with it take them for.

    Args:
        owner: the attribute that names a trial's owner.
        retry: the attribute that counts how often it was queued again.

    Raises:
        ValueError: one is not; or another of what `readable` tells.
    """
    trials = study.get_trials(deepcopy=False)
    check_numbers([trial.number for trial in trials])
    for trial in trials:
        _check_trial(trial, owner, retry)


def check_numbers(numbers: list[int]) -> None:
    """Sees that trials are numbered as Optuna does, from 0 without a gap.

    Raises:
        ValueError: they are not.
    """
    for place, number in enumerate(numbers):
        if number != place:
            raise ValueError(f"its trials are not numbered: where {place} should be is {number}")


#: What a trial's owner must tell; it may tell more.
_OWNER = {"host": str, "pid": int, "started": int | float}


def _check_trial(trial: FrozenTrial, owner: str, retry: str) -> None:
    where = f"trial {trial.number}"
    given = internals.given(trial)
    if not isinstance(given.get("arm", ""), str):
        raise ValueError(f"{where}: its arm is {given['arm']!r}")
    if (known := trial.user_attrs.get(owner)) is not None:
        for key, kind in _OWNER.items():
            if not isinstance(known, dict) or not isinstance(known.get(key), kind):
                raise ValueError(f"{where}: {owner} has no '{key}'")
    if not isinstance(trial.user_attrs.get(retry, 0), int):
        raise ValueError(f"{where}: {retry} is {trial.user_attrs[retry]!r}")
