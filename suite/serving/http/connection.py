"""The server's side of a connection: how long it waits, for how many, and what it drops first.

uvicorn bounds neither the time in which a request must come nor that in which its answer must be
taken, and its `limit_concurrency` counts connections that never ask for anything, so that some
thousands of these keep everybody out. (hypercorn bounds each single read, granian the head alone; a
body of one byte a second passes both.) So uvicorn's protocol has a `Doors` here, which knows what
every connection is waited for:

    coming     a request that is not wholly here: closed when it is late, and the oldest one
               when there is no more room
    idle       nothing: uvicorn closes it after a while, or it goes when there is no more room
    unsent     an answer is not taken: closed when that is late, or when there is no more room
    otherwise  it is being answered, and stays
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from suite.errors import SuiteError
from suite.serving.http.interface import GONE, Limits, error_body

#: Connections accepted at a time; some such steps may pass before what is dropped is closed.
ACCEPTED_AT_ONCE = 32
#: Files left to the model, logs, sockets that are being accepted or closed.
_SPARE_FILES = 4 * ACCEPTED_AT_ONCE + 32
#: Least room for connections.
LEAST = 16
#: Seconds between two looks at what is late.
_LOOK_SECONDS = 0.25
#: Bytes read of one connection before another has its turn. In chunks of one byte each, so many
#: take 50 ms.
_READ_BYTES = 16 * 1024

_WORDS = {
    431: ("header_too_large", "the head of the request is too large"),
    501: ("bad_http", "Transfer-Encoding can be chunked and nothing else"),
}


class Doors:
    """Every open connection, by what it is waited for.

    Args:
        limits: `connections`, `head_seconds`, `max_seconds` and `max_body` of it.
    """

    def __init__(self, limits: Limits) -> None:
        self.most = limits.connections
        self.head_seconds = min(limits.head_seconds, limits.max_seconds)
        self.seconds = limits.max_seconds
        self.max_body = limits.max_body
        self.open: set[Connection] = set()
        #: Since when, the oldest first.
        self.coming: dict[Connection, float] = {}
        self.idle: dict[Connection, None] = {}
        self.unsent: dict[Connection, float] = {}
        #: What was closed, by why.
        self.closed: Counter[str] = Counter()

    async def watch(self) -> None:
        """Closes what is late, for ever."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look(asyncio.get_running_loop().time())

    def look(self, now: float) -> None:
        """Closes what is late."""
        for connection, since in list(self.coming.items()):
            most = self.head_seconds if connection.head_is_coming else self.seconds
            if now - since > most:
                self.closed["late"] += 1
                connection.late(most)
        for connection, since in list(self.unsent.items()):
            if not connection.transport.get_write_buffer_size():
                del self.unsent[connection]
            elif now - since > self.seconds:
                self.closed["unread"] += 1
                self.drop(connection)

    def hurry(self, seconds: float) -> None:
        """From now on nobody is waited for longer than that."""
        self.head_seconds = min(self.head_seconds, seconds)
        self.seconds = min(self.seconds, seconds)

    def enter(self, connection: Connection, now: float) -> None:
        """A connection was accepted; another one goes where there is no room for both."""
        self.open.add(connection)
        if len(self.open) > self.most:
            # At least a few are not being answered: `Limits.answered` is below `connections`.
            oldest = next((c for kept in (self.coming, self.idle, self.unsent) for c in kept), None)
            self.closed["room"] += 1
            self.drop(oldest or connection)
        if connection in self.open:
            self.coming[connection] = now

    def leave(self, connection: Connection) -> None:
        """A connection is closed."""
        self.open.discard(connection)
        for kept in (self.coming, self.idle, self.unsent):
            kept.pop(connection, None)

    def drop(self, connection: Connection) -> None:
        """Closes a connection at once, whatever is unsent."""
        self.leave(connection)
        connection.transport.abort()

    def sort(self, connection: Connection, now: float) -> None:
        """A connection has received something, or an answer to it is complete."""
        if connection not in self.open:
            return
        if connection.transport.get_write_buffer_size():
            self.unsent.setdefault(connection, now)
        if connection.transport.is_closing() or connection.request_is_here:
            self.coming.pop(connection, None)
            self.idle.pop(connection, None)
        elif connection.is_idle:
            self.coming.pop(connection, None)
            self.idle[connection] = None
        else:
            self.idle.pop(connection, None)
            self.coming.setdefault(connection, now)


class Connection(H11Protocol):
    """uvicorn's side of a connection, with deadlines; what it refuses itself it says as JSON."""

    def __init__(self, *words: Any, doors: Doors, **named: Any) -> None:
        super().__init__(*words, **named)
        self.doors = doors
        #: Done once the client has gone; every request's `scope["state"]` has it.
        self.gone: asyncio.Future[None] = self.loop.create_future()
        self.app_state = {**self.app_state, GONE: self.gone}
        self._thrown_away = 0

    @property
    def head_is_coming(self) -> bool:
        """Whether the head of a request is not wholly here."""
        return self.conn.their_state is h11.IDLE

    @property
    def request_is_here(self) -> bool:
        """Whether a request has come to its end, and is not answered to the end."""
        return self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a request has come since the last one."""
        return self.head_is_coming and not self.conn.trailing_data[0]

    # ------------------------------------------------------------ called by asyncio and uvicorn

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        transport.max_size = _READ_BYTES  # type: ignore[attr-defined]
        self.doors.enter(self, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by whomever."""
        super().connection_lost(exc)
        self.doors.leave(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Something came: of a request, of several, or of a body that was refused already."""
        if self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY:
            self._thrown_away += len(data)
            if self._thrown_away > self.doors.max_body:
                self.transport.abort()
                return
        super().data_received(data)
        self.doors.sort(self, self.loop.time())

    def on_response_complete(self) -> None:
        """An answer is written, though perhaps not taken."""
        super().on_response_complete()
        self.doors.sort(self, self.loop.time())

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        super().pause_writing()
        self.doors.sort(self, self.loop.time())

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP; called where h11 has said so."""
        status = getattr(sys.exception(), "error_status_hint", 400)
        code, words = _WORDS.get(status, ("bad_http", "the request is no valid HTTP/1.1"))
        self.refuse(status, code, words)

    # ------------------------------------------------------------ refusing

    def late(self, seconds: float) -> None:
        """A request did not come in time; where nothing came there is nobody to tell."""
        if self.is_idle:
            self.transport.close()
            self.doors.sort(self, self.loop.time())
        else:
            self.refuse(408, "too_slow", f"the request did not come within {seconds:g} s")

    def refuse(self, status: int, code: str, message: str) -> None:
        """Answers in the application's place, where it can still be answered, and closes."""
        if self.cycle is not None and not self.cycle.response_complete:
            # For the application the client has gone.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = error_body(status, code, message)
            head = h11.Response(
                status_code=status,
                headers=[
                    *self.server_state.default_headers,
                    (b"content-type", b"application/json"),
                    (b"content-length", b"%d" % len(body)),
                    (b"connection", b"close"),
                ],
                reason=STATUS_PHRASES[status],
            )
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self.doors.sort(self, self.loop.time())


def room(wanted: int) -> int:
    """How many connections the process may have, `wanted` at most; the system's limit of open
    files is raised for them as far as that is allowed.

    Raises:
        SuiteError: there is no room for a few.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    taken = len(os.listdir("/dev/fd")) + _SPARE_FILES
    if soft < wanted + taken:
        most = wanted + taken if hard == resource.RLIM_INFINITY else min(hard, wanted + taken)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    found = min(wanted, soft - taken)
    if found < LEAST:
        raise SuiteError(
            f"the limit of {soft:,} open files leaves no room for connections",
            fix=f"Raise it: ulimit -n {wanted + taken}",
        )
    return found
