"""Addresses and keys: where a server is, and what it is shown. Neither may tell the other."""

from __future__ import annotations

import os
import re
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from suite import redaction
from suite.errors import EndpointError

KEY_VARIABLES = ("SUITE_API_KEY", "OPENAI_API_KEY")

_VERSIONED = re.compile(r"v\d+\w*")


def base_address(url: str) -> str:
    """The address that `/chat/completions` is added to.

    >>> base_address("http://127.0.0.1:8000")
    'http://127.0.0.1:8000/v1'
    >>> base_address("https://host/api/v1/chat/completions")
    'https://host/api/v1'

    Raises:
        EndpointError: no http(s) address, or one that carries a name, a key or a query.
    """
    fix = "Give the server's address, for example http://127.0.0.1:8000/v1."
    parts = _split(url.strip())
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise EndpointError(f"--endpoint {redaction.address(url)} is no http address", fix=fix)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        # An address is stored with the study and shown; a secret has no place in it.
        raise EndpointError(
            f"--endpoint {parts.scheme}://{_host(parts)}{parts.path}: the address may not hold a "
            "user, a password, a query or a fragment",
            fix="A key belongs into the environment variable SUITE_API_KEY.",
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    if not any(_VERSIONED.fullmatch(piece) for piece in path.split("/")):
        path += "/v1"
    return urlunsplit((parts.scheme, _host(parts), path, "", ""))


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    return parts


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2].lower()


def is_this_machine(url: str) -> bool:
    """Whether an address is a loopback one."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def redirected(url: str, location: str) -> str | None:
    """Where a redirect leads; None where that is another server: the key is not shown there."""
    target = urljoin(url, location)
    old, new = urlsplit(url), _split(target)
    same = new is not None and (
        (new.scheme, _host(new)) == (old.scheme, _host(old))
        or (
            (old.scheme, new.scheme) == ("http", "https")
            and new.hostname == old.hostname
            and old.port in (None, 80)
            and new.port in (None, 443)
        )
    )
    return target if same else None


def key() -> tuple[str, str]:
    """The key and the variable it came from; empty where there is none."""
    for variable in KEY_VARIABLES:
        key = os.environ.get(variable, "").strip()
        if key:
            if not key.isascii() or not key.isprintable() or " " in key:
                # The HTTP library would name the value in its own error.
                raise EndpointError(
                    "the key has characters that no header may carry",
                    where=f"environment variable {variable}",
                )
            return key, variable
    return "", KEY_VARIABLES[0]
