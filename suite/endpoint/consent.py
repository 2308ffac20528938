"""Whether a server may be asked: only one that the user named, or said yes to.

Studies and models travel, and what somebody else made may name a server: asked, it would be told
the user's texts and shown the user's key. So every endpoint asks here first. A server is allowed
where the command at hand names it, where `--allow-endpoint` does, or where one of them did before
for the same storage: that is kept in the user's own configuration, never beside what it judges.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from suite import paths
from suite.contracts.task import Closed
from suite.endpoint import address
from suite.errors import EndpointError

FILE = "endpoints.json"

_SECONDS = 10.0
#: More than a person ever says yes to; what is larger is something else.
_MOST_BYTES = 1 << 20


class _Kept(Closed):
    """The file: servers by place."""

    version: Literal[1] = 1
    allowed: dict[str, list[str]]


#: Said in this process, by place: where nothing can be kept, it holds as long as the process.
_said: dict[str, set[str]] = {}


class Consent:
    """What one command may ask.

    Args:
        place: the storage that the consent is kept for; None for a folder from elsewhere, for
            which nothing is kept.
        named: servers that the user names: addresses, `HOST:PORT`, or `HOST` for any port.

    Raises:
        EndpointError: a name that is no server's.
    """

    def __init__(self, place: str | None = None, named: Iterable[str] = ()) -> None:
        self._place = place
        self._named = {address.named_host(one) for one in named}

    def require(self, url: str) -> str:
        """The server of an address, if it may be asked; what is said now is kept.

        Raises:
            EndpointError: nobody said so, or there is no such address.
        """
        server = address.server(url)
        if server in self._before():
            return server
        if server not in self._named and server.rpartition(":")[0] not in self._named:
            self._ask(server)
        self._keep(server)
        return server

    def settle(self, urls: Iterable[str]) -> frozenset[str]:
        """All of these servers, if they may be asked: what a child is told, who can't ask.

        Raises:
            EndpointError: as `require`.
        """
        return frozenset([self.require(url) for url in urls])

    def _before(self) -> set[str]:
        if self._place is None:
            return set()
        here = _said.get(self._place, set())
        try:
            return here | set(_read().get(self._place, ()))
        except OSError as error:
            _person.told(f"what you allowed before can't be read: {error}")
            return here

    def _ask(self, server: str) -> None:
        key, variable = address.key()
        shown = f" and the key in {variable}" if key else ""
        whose = "This storage" if self._place else "This folder"
        what = f"{whose} names the server {server}: texts{shown} would be sent there"
        if _person.asked(f"{what}. Allow it?"):
            return
        raise EndpointError(
            f"{what}, and nobody has allowed it",
            fix=f"If you trust that server, add --allow-endpoint {server} (in a script: "
            f"allow_endpoint=['{server}']).",
        )

    def _keep(self, server: str) -> None:
        if self._place is None:
            self._named.add(server)
            return
        _said.setdefault(self._place, set()).add(server)
        try:
            _write(self._place, server)
        except OSError as error:
            _person.told(f"that {server} may be asked can't be kept, and holds for now: {error}")


@dataclass(frozen=True)
class Person:
    """Who sits before this process: answers a question (False: no, or nobody is there), is told."""

    asked: Callable[[str], bool] = lambda question: False
    told: Callable[[str], object] = warnings.warn


_person = Person()
_inherited = Consent()
_current: ContextVar[Consent | None] = ContextVar("consent", default=None)


def talk_with(person: Person) -> None:
    """Says who sits before this process."""
    global _person
    _person = person


def current() -> Consent:
    """What may be asked here and now."""
    return _current.get() or _inherited


@contextlib.contextmanager
def held(consent: Consent) -> Iterator[None]:
    """Within: this consent is the one that endpoints ask."""
    token = _current.set(consent)
    try:
        yield
    finally:
        _current.reset(token)


def inherit(servers: Iterable[str]) -> None:
    """In a child: what its parent may ask, it may."""
    global _inherited
    _inherited = Consent(named=servers)


def _read() -> dict[str, list[str]]:
    """What was allowed before, by place.

    Raises:
        OSError: it can't be read, or others could have written it.
    """
    where = paths.settings() / FILE
    try:
        with where.open("rb") as file:
            about = os.fstat(file.fileno())
            if about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise ValueError("others may write it")
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ValueError("it is too long")
        return _Kept.model_validate_json(text).allowed
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise OSError(f"{where}: {str(error).splitlines()[0]}") from None


def _write(place: str, server: str) -> None:
    """Adds a server to what was allowed.

    Raises:
        OSError: it can't be kept.
    """
    folder = paths.settings()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with FileLock(folder / f"{FILE}.lock", timeout=_SECONDS, mode=0o600):
            allowed = _read()
            allowed[place] = sorted({*allowed.get(place, ()), server})
            handle, aside = tempfile.mkstemp(prefix=f".{FILE}-", dir=folder)  # of mode 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(_Kept(allowed=allowed).model_dump_json(indent=1) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(aside, folder / FILE)
            except BaseException:
                Path(aside).unlink(missing_ok=True)
                raise
    except Timeout:
        raise OSError(f"another process holds {folder / FILE}.lock") from None
