"""A server's life: it binds its port, proves itself through it, serves, and closes cleanly.

Closing: nothing new is accepted, `/health` answers 503, what was asked is answered with
`Connection: close`, and clients that hold a connection open have a moment to send what is under
way. A second signal ends it at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import FrameType
from typing import Any

import httpx
import numpy as np
import uvicorn
from numpy.typing import NDArray

from suite.errors import SuiteError, counted
from suite.serving.http.connection import ACCEPTED_AT_ONCE, Connection, room
from suite.serving.http.guard import Guard
from suite.serving.http.interface import Limits, Served
from suite.serving.http.server import CHECK, create_app
from suite.serving.http.service import ANYBODY, Service, Totals

log = logging.getLogger(__name__)

#: Seconds in which open connections may bring what is on its way when the server closes.
LINGER_SECONDS = 0.5
#: Seconds in which what was accepted must be answered when the server closes.
GRACE_SECONDS = 60
#: Seconds for a request that is still coming, or an answer that is still going, when the server
#: closes.
LAST_SECONDS = 5.0
#: Connections that the system accepts before the server does.
_BACKLOG = 1024

#: Most that a probability through HTTP may differ from the predictor's own: float32, and others
#: (in which a text's neighbours in a batch change the last digits).
TOLERANCE, TOLERANCE_NARROW = 1e-3, 5e-2


@dataclass(frozen=True)
class Check:
    """How answers through HTTP compare with the predictor's own.

    Args:
        rows: that were asked.
        difference: the largest between two probabilities.
        same: rows with the same label.
    """

    rows: int
    difference: float
    same: int


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to an address, not yet listening; port 0 takes a free one.

    Raises:
        SuiteError: the port is taken or not allowed, or there is no such address.
    """
    where = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise SuiteError(
            f"no such address: {error.strerror or error}", where=f"--host {host}"
        ) from None
    # Without its protocol asyncio does not know it for TCP, and leaves Nagle's algorithm on: 40 ms
    # for each answer over a kept connection.
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise _taken(where, error) from None
    return sock


def address_of(sock: socket.socket) -> str:
    """`http://host:port` by which a bound socket is reached from this machine."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    served: Served,
    limits: Limits,
    sock: socket.socket,
    *,
    texts: Sequence[str],
    expected: NDArray[np.float32],
    tolerance: float,
    ready: Callable[[Check], None],
    guard: Guard = ANYBODY,
    closing: Callable[[], None] = lambda: None,
) -> tuple[Totals, int | None]:
    """Serves until a signal; answers what was asked before it returns.

    Args:
        sock: as `bind` gave it; closed here.
        texts: asked through HTTP before the server is ready.
        expected: the predictor's own probabilities of them.
        tolerance: most that the two may differ.
        ready: called once they agree.
        guard: who may ask; anybody where not given.
        closing: called when a signal came.

    Returns:
        What was done, and the signal that ended it.

    Raises:
        SuiteError: the port was taken meanwhile, served answers are not the predictor's, or the
            system allows too few open files.
    """
    limits = replace(limits, connections=room(limits.connections))
    service = Service(served, limits, guard)
    try:
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise _taken(address_of(sock), error) from None
    config = uvicorn.Config(
        create_app(service),
        http=partial(Connection, doors=service.doors),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=ACCEPTED_AT_ONCE,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server = _Server(config, service, closing)

    async def first() -> None:
        found = await _checked(service, address_of(sock), texts, expected)
        if found.difference > tolerance:
            raise SuiteError(
                f"the served answers are not the model's: of {counted(found.rows, 'row')} "
                f"{found.same} got the same label, and probabilities differ by up to "
                f"{found.difference:.2g}, where {tolerance:g} is allowed",
                fix="Serve it with --engine torch, as it was kept.",
            )
        service.state = "ready"
        service.totals = Totals()
        ready(found)

    server.first = first
    server.run(sockets=[sock])
    if not server.force_exit:
        service.close()
    if server.failure is not None:
        raise server.failure
    return service.totals, server.ended_by


async def _checked(
    service: Service, address: str, texts: Sequence[str], expected: NDArray[np.float32]
) -> Check:
    """Asks the server itself, several requests at a time."""
    keys = list(service.served.labels)
    parts = _parts(texts, service.limits)
    largest = max((len(part) for part in parts), default=1)
    # All of them may wait at once.
    turns = asyncio.Semaphore(max(1, service.limits.max_queue // largest))
    differences: list[float] = []
    same = 0
    async with httpx.AsyncClient(
        base_url=address, trust_env=False, timeout=600, headers={CHECK.decode(): service.check}
    ) as client:

        async def ask(part: Sequence[int]) -> None:
            nonlocal same
            async with turns:
                answer = await client.post("/predict", json={"texts": [texts[i] for i in part]})
            if answer.status_code != 200:
                raise SuiteError(
                    f"the server can't answer its own check: {answer.status_code} "
                    f"{answer.text[:300]}"
                )
            for row, found in zip(part, answer.json()["predictions"], strict=True):
                got = np.array([found["probabilities"][key] for key in keys], dtype=np.float32)
                differences.append(float(np.abs(got - expected[row]).max()))
                same += int(got.argmax() == expected[row].argmax())

        await asyncio.gather(*(ask(part) for part in parts))
    return Check(len(differences), max(differences, default=0.0), same)


def _parts(texts: Sequence[str], limits: Limits) -> list[list[int]]:
    """Positions of texts in requests that the limits allow; longer texts are left out."""
    most = min(limits.max_texts, max(1, len(texts) // 4))
    parts: list[list[int]] = []
    size = 0
    for position, text in enumerate(texts):
        own = len(json.dumps(text)) + 32
        if len(text) > limits.max_chars or own > limits.max_body // 2:
            continue
        if not parts or len(parts[-1]) >= most or size + own > limits.max_body // 2:
            parts.append([])
            size = 0
        parts[-1].append(position)
        size += own
    return parts


class _Server(uvicorn.Server):
    """uvicorn's server, with its own way to begin and to close."""

    def __init__(
        self, config: uvicorn.Config, service: Service, closing: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.service = service
        self.first: Callable[[], Any] | None = None
        self.ended_by: int | None = None
        self.failure: SuiteError | None = None
        self._closing = closing
        self._checking: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGINT and SIGTERM. They are not raised anew afterwards: `serve` tells of them."""
        if self.ended_by is not None:
            self.force_exit = True
        else:
            self.ended_by = sig
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to accept, and to watch what is accepted."""
        asyncio.get_running_loop().set_exception_handler(_told)
        self._watching = asyncio.ensure_future(self.service.doors.watch())
        await super().startup(sockets)
        for sock in sockets or []:
            # The server takes few at a time; many may wait for that.
            sock.listen(_BACKLOG)

    async def main_loop(self) -> None:
        """Checks itself, then serves until it is told to end."""
        self._checking = asyncio.ensure_future(self._check())
        await super().main_loop()
        self._checking.cancel()

    async def _check(self) -> None:
        try:
            assert self.first is not None
            await self.first()
        except SuiteError as error:
            self.failure = error
            self.should_exit = True
        except httpx.HTTPError as error:
            self.failure = SuiteError(f"the server can't answer its own check: {error}")
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accepts nothing more, answers what was asked, closes."""
        if self.ended_by is not None:
            self._closing()
        self.service.state = "closing"
        for server in self.servers:
            server.close()
        if self.failure is None:
            until = time.monotonic() + LINGER_SECONDS
            while (
                self.server_state.connections and time.monotonic() < until and not self.force_exit
            ):
                await asyncio.sleep(0.02)
        self.service.doors.hurry(LAST_SECONDS)
        await super().shutdown(sockets)
        if self._watching is not None:
            self._watching.cancel()


def _told(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio could not bring to anybody, without what was sent or received."""
    error = context.get("exception")
    kind = f": {type(error).__name__}" if error is not None else ""
    log.error("%s%s", str(context.get("message", "")).split("\n")[0][:200], kind)


def _taken(where: str, error: OSError) -> SuiteError:
    return SuiteError(
        f"can't listen there: {error.strerror or error}",
        where=where,
        fix="Name another --port, or --port 0 for a free one.",
    )


def named(signum: int) -> str:
    """A signal's name: SIGTERM."""
    return signal.Signals(signum).name
