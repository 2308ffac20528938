"""Who may ask a server: Host names, a token, and what no client of good faith sends.

A page in somebody's browser can ask a server on that person's machine or network, though it comes
from elsewhere, once its own name is made to mean the server's address (DNS rebinding). The `Host`
header then still carries the page's name. Where no token keeps such a page out, names are checked.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from starlette.types import Scope

from suite.errors import UsageError
from suite.serving.http.interface import Problem

#: The variable that holds the token.
TOKEN = "SUITE_SERVE_TOKEN"

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+?)\.?(:[0-9]*)?")
# What a header may carry after `Bearer `, blanks inside included.
_TOKEN = re.compile(r"[!-~]([ -~]*[!-~])?")


@dataclass(frozen=True)
class Guard:
    """Who is answered.

    Args:
        token: asked for by everything but /health; None: by nothing.
        checked: whether `Host` is looked at: loopback names are always right, and `names`.
        names: further right ones, in lower case.
        any_address: whether any IP address is right: a page's name is none.
    """

    token: bytes | None = field(default=None, repr=False)
    checked: bool = False
    names: frozenset[str] = frozenset()
    any_address: bool = False

    @classmethod
    def of(
        cls, sock: socket.socket, *, token: str | None = None, names: Sequence[str] = ()
    ) -> Self:
        """The guard of a bound socket: names are checked unless there is a token, the socket can
        be reached from elsewhere, and no names are given.

        Raises:
            UsageError: the token or a name could never be sent.
        """
        if token is not None and not _TOKEN.fullmatch(token):
            raise UsageError(
                f"{TOKEN} {'is empty' if not token else 'holds what a header cannot carry'}",
                fix="Give it printable ASCII characters, or unset it.",
            )
        for name in names:
            if not _NAME.fullmatch(name.lower()) and not _address(name):
                raise UsageError(
                    f"'{name}' is no name of a machine",
                    where="--host-name",
                    fix="Name it as clients do, without http:// and port: --host-name suite.lan",
                )
        local = is_local(sock)
        return cls(
            token.encode() if token is not None else None,
            local or token is None or bool(names),
            frozenset(name.lower() for name in names),
            not local,
        )

    def refusal(self, scope: Scope) -> Problem | None:
        """Why a request is not answered, from its head alone; None where it is."""
        host = authorization = b""
        length = chunked = False
        for name, value in scope["headers"]:
            if name == b"host":
                host = value
            elif name == b"authorization":
                authorization = value
            elif name == b"content-length":
                length = True
            elif name == b"transfer-encoding":
                chunked = True
        if chunked and (length or scope.get("http_version") == "1.0"):
            # Where a proxy reads the one and this server the other, a request hides in a body.
            return Problem(
                400, "bad_http", "Transfer-Encoding with Content-Length, or in HTTP/1.0", close=True
            )
        if self.checked and not self._right(host):
            return Problem(
                421,
                "wrong_host",
                "the server is not asked by that name; `suite serve --host-name NAME` adds it",
            )
        if self.token is not None and scope["path"] != "/health":
            scheme, _, given = authorization.partition(b" ")
            right = hmac.compare_digest(given.strip(), self.token)
            if scheme.lower() != b"bearer" or not right:
                return Problem(
                    401, "no_token", "the header `Authorization: Bearer TOKEN` is missing or wrong",
                    headers={"WWW-Authenticate": 'Bearer realm="suite"'},
                )  # fmt: skip
        return None

    def _right(self, host: bytes) -> bool:
        name = _without_port(host)
        if name in self.names or name == "localhost":
            return True
        address = _address(name)
        return address is not None and (self.any_address or address.is_loopback)


def is_local(sock: socket.socket) -> bool:
    """Whether a bound socket is reached from this machine alone."""
    return ipaddress.ip_address(sock.getsockname()[0].split("%")[0]).is_loopback


@lru_cache(maxsize=64)
def _without_port(host: bytes) -> str:
    """The name of a `Host` header, in lower case; empty where it is none."""
    found = _HOST.fullmatch(host.decode("latin-1").lower())
    return found[1].strip("[]") if found else ""


@lru_cache(maxsize=64)
def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
