"""What a failure in a child comes from: a job that is wrong, or a trouble that may pass."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from suite.child.messages import Cause
from suite.contracts.strategy import Unreachable
from suite.errors import EndpointError
from suite.machine import memory

_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
#: Libraries in other languages tell the system's errors as text.
_DISK_WORDS = ("no space left", "quota exceeded", "disk is full", "os error 28", "os error 122")


def cause_of(error: BaseException) -> Cause:
    """What an exception comes from, by itself or by one that it was raised from."""
    for one in _chain(error):
        text = str(one).lower()
        if isinstance(one, Unreachable):
            return "weights"
        if isinstance(one, EndpointError):
            return "endpoint"
        if memory.ran_out(one):
            return "memory"
        if isinstance(one, OSError) and one.errno in _DISK:
            return "disk"
        if any(words in text for words in _DISK_WORDS):
            return "disk"
    return "own"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__
