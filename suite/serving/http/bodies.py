"""Bodies of requests while they come, and how much of them is in memory at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request
from starlette.requests import ClientDisconnect

from suite.serving.http.interface import Problem, too_large


@dataclass(eq=False)
class _Body:
    """A body so far; `given_up` to have room for others."""

    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    given_up: bool = False


class Bodies:
    """Reads bodies, each and all together up to a size.

    Where all together are too much the largest is given up, so that large ones that come slowly
    keep no small one out. How long one may take is the connection's business.

    Args:
        most: bytes of one.
        together: bytes of all.
    """

    def __init__(self, most: int, together: int) -> None:
        self._most = most
        self._together = together
        self._size = 0
        self._coming: set[_Body] = set()

    async def read(self, request: Request) -> bytes:
        """A request's body.

        Raises:
            Problem: it is larger than allowed, was given up, or its client has gone.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._most:
            raise too_large(self._most)
        body = _Body()
        self._coming.add(body)
        try:
            async for part in request.stream():
                self._add(body, part)
                if body.given_up:
                    raise Problem(503, "busy", "too many large requests are being read", retry=True)
                if body.size > self._most:
                    raise too_large(self._most)
        except ClientDisconnect:
            raise Problem(499, "client_gone", "the client closed the connection") from None
        finally:
            self._coming.discard(body)
            self._size -= body.size
        return b"".join(body.parts)

    def _add(self, body: _Body, part: bytes) -> None:
        if not body.given_up:
            body.parts.append(part)
            body.size += len(part)
            self._size += len(part)
        while self._size > self._together:
            largest = max(self._coming, key=lambda one: one.size)
            largest.given_up = True
            largest.parts.clear()
            self._size -= largest.size
            largest.size = 0
