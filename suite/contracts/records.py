"""Values read back from JSON that any version of the suite may have written.

A field that this version does not know is passed over, one that is missing has its default. What
still can't be read is an error that says why, in a line; the reader tells it and goes on.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, ValidationError

T = TypeVar("T")

#: Read back from a storage, a number that is none (NaN, infinite) is no score and no time.
FINITE = ConfigDict(allow_inf_nan=False)

#: What a record that can't be read raises.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError)


def revive(kind: type[T], stored: Mapping[str, Any]) -> T:
    """A dataclass from its fields; values inside are taken as they are.

    Raises:
        TypeError: a field without a default is missing.
    """
    known = _names(cast(Hashable, kind))
    return kind(**{key: value for key, value in stored.items() if key in known})


@cache
def _names(kind: Hashable) -> frozenset[str]:
    """The fields of a dataclass."""
    return frozenset(field.name for field in fields(cast(Any, kind)))


def why(error: Exception) -> str:
    """What is wrong with a record, in a line."""
    if isinstance(error, ValidationError):
        return "; ".join(_problem(problem) for problem in error.errors()[:3])
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)


def _problem(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"'{key}' is a key that this version does not know"
    if problem["type"] == "missing":
        return f"'{key}' is missing"
    return f"{key}: {problem['msg'].removeprefix('Value error, ')}"
