"""Addresses and keys: where a server is, and what it is shown. Neither may tell the other."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from suite import redaction
from suite.contracts.decisions import SHAPES, Shape
from suite.errors import EndpointError

KEY_VARIABLES = ("SUITE_API_KEY", "OPENAI_API_KEY")

_VERSIONED = re.compile(r"v\d+\w*")
_LABELS = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_PORTS = {"http": 80, "https": 443}


def decision_address(url: str) -> tuple[str, Shape | None]:
    """The address that `/systemone` or `/decisions` is added to, and which of them it ended in.

    >>> decision_address("http://127.0.0.1:8000")
    ('http://127.0.0.1:8000/v1', None)
    >>> decision_address("https://host/alpha/decisions")
    ('https://host/alpha', 'decisions')

    Raises:
        EndpointError: as `base_address`.
    """
    base = base_address(url, option="--decision")
    path = urlsplit(url.strip()).path.rstrip("/")
    for shape in SHAPES:
        if path.endswith(f"/{shape}"):
            parts = urlsplit(base)
            return urlunsplit(parts._replace(path=path.removesuffix(f"/{shape}"))), shape
    return base, None


def base_address(url: str, *, option: str = "--endpoint") -> str:
    """The address that `/chat/completions` is added to.

    >>> base_address("http://127.0.0.1:8000")
    'http://127.0.0.1:8000/v1'
    >>> base_address("https://host/api/v1/chat/completions")
    'https://host/api/v1'

    Args:
        option: that names it, for messages.

    Raises:
        EndpointError: no http(s) address, or one that carries a name, a key or a query.
    """
    fix = "Give the server's address, for example http://127.0.0.1:8000/v1."
    parts = _split(url.strip())
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise EndpointError(f"{option} {redaction.address(url)} is no http address", fix=fix)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        # An address is stored with the study and shown; a secret has no place in it.
        raise EndpointError(
            f"{option} {parts.scheme}://{_host(parts)}{parts.path}: the address may not hold a "
            "user, a password, a query or a fragment",
            fix="A key belongs into the environment variable SUITE_API_KEY.",
        )
    server(url)
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    if not any(_VERSIONED.fullmatch(piece) for piece in path.split("/")):
        path += "/v1"
    return urlunsplit((parts.scheme, _host(parts), path, "", ""))


def server(url: str) -> str:
    """Whose address it is: the host in its one spelling, and the port.

    >>> server("HTTPS://Api.Host./v1"), server("http://[0:0::1]:8000")
    ('api.host:443', '[::1]:8000')

    Raises:
        EndpointError: it has no host, or one that could be read in two ways.
    """
    parts = _split(url.strip())
    # A backslash parts host and path for some readers.
    plain = parts is not None and "\\" not in parts.netloc and url.strip().isprintable()
    host = _one_spelling(parts.hostname) if plain and parts and parts.hostname else None
    if parts is None or host is None or parts.scheme not in _PORTS:
        raise EndpointError(
            f"{redaction.address(url)} is no address of a server",
            fix="A host is written in ASCII (xn--… for others), for example http://127.0.0.1:8000.",
        )
    return f"{host}:{parts.port or _PORTS[parts.scheme]}"


def named_host(text: str) -> str:
    """What a user names as a server: an address, `HOST:PORT`, or `HOST` for any port of it.

    >>> named_host("Localhost"), named_host("::1"), named_host("https://host/v1")
    ('localhost', '[::1]', 'host:443')

    Raises:
        EndpointError: it is none.
    """
    text = text.strip()
    if "://" in text:
        return server(text)
    bare = _one_spelling(text.removeprefix("[").removesuffix("]"))
    if bare is not None:
        return bare
    if re.search(r":\d+$", text):
        return server(f"http://{text}")
    raise EndpointError(
        f"{text!r} is no server", fix="For example api.host, 127.0.0.1:8000 or [::1]:8000."
    )


def _one_spelling(host: str) -> str | None:
    """A host as everybody spells it; None where it is none."""
    host = host.lower()
    try:
        found = ipaddress.ip_address("" if "%" in host else host)
    except ValueError:
        host = host.removesuffix(".")
        return host if _LABELS.fullmatch(host) else None
    return f"[{found.compressed}]" if found.version == 6 else found.compressed


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
    parts = _split(url)
    return parts is not None and is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a name or an IP address, without brackets and port, is this machine's alone."""
    host = host.lower().removesuffix(".")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def redirected(url: str, location: str) -> str | None:
    """Where a redirect leads; None where that is another server: the key is not shown there."""
    target = urljoin(url, location)
    old, new = urlsplit(url), _split(target)
    same = (
        new is not None
        and new.username is None
        and (
            (new.scheme, _host(new)) == (old.scheme, _host(old))
            or (
                (old.scheme, new.scheme) == ("http", "https")
                and new.hostname == old.hostname
                and old.port in (None, 80)
                and new.port in (None, 443)
            )
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
