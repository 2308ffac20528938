"""One exchange with a server over HTTP, and what its response amounts to.

An exchange ends in a response, in `TryAgain` (it failed in a way that may pass) or in an error
that is final. No key leaves this room but in the request's header.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from suite import redaction
from suite.endpoint import address
from suite.endpoint.answer import Answer, read_answer, retry_after, said, said_in
from suite.errors import EndpointError, nearest
from suite.files import NotJson, parse_json

if TYPE_CHECKING:
    import httpx

#: An answer longer than this is no answer.
MOST_BYTES = 64 * 1024 * 1024
REDIRECTS = 3

_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
_NO_QUOTA = ("insufficient_quota", "billing_not_active")
_TRANSIENT = frozenset({408, 409, 425, 429})
#: Too many requests, and what servers of decisions say where they have too many.
_BUSY = frozenset({429, 529})
_HOPELESS = frozenset({501, 505})


@dataclass(frozen=True)
class Kind:
    """A kind of server, as messages speak of it.

    Args:
        named: what it is one of.
        option, model_option: of the command line, which name it and its model.
    """

    named: str
    option: str
    model_option: str


OPENAI = Kind("an OpenAI-compatible server", "--endpoint", "--endpoint-model")
DECISION = Kind("a decision server", "--decision", "--decision-model")


@dataclass(frozen=True)
class Response:
    """A whole response, its body as text, and the address it came from in the end."""

    status: int
    headers: Mapping[str, str]
    body: str
    url: str


class TryAgain(Exception):
    """A failure that may pass. `wait` is what the server asked for, in seconds."""

    def __init__(
        self, reason: str, *, wait: float | None = None, unclear: bool = False, busy: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait = wait
        self.unclear = unclear
        self.busy = busy


def _expanded(content: bytes | bytearray, coding: str) -> bytes | bytearray:
    """A body as it was before it was packed. (httpx expands a packet at once, to any size.)

    Raises:
        TryAgain: it is packed otherwise than was asked for, damaged, or too large.
    """
    if coding in ("", "identity"):
        return content
    if coding not in ("gzip", "x-gzip"):
        raise TryAgain("sent a body packed as it was not asked for", unclear=True)
    try:
        expanded = zlib.decompressobj(31).decompress(content, MOST_BYTES + 1)
    except zlib.error:
        raise TryAgain("sent a damaged gzip body", unclear=True) from None
    if len(expanded) > MOST_BYTES:
        raise TryAgain(f"sent more than {MOST_BYTES:,} bytes", unclear=True)
    return expanded


class Wire:
    """Requests to one server. Belongs to the event loop it is first used in.

    Raises:
        EndpointError: a key that no header can carry.
    """

    def __init__(
        self, base_url: str, *, connections: int, timeout: float, kind: Kind = OPENAI
    ) -> None:
        self.base_url = base_url
        self._kind = kind
        self._connections = connections
        self._timeout = timeout
        self._key, self._key_variable = address.key()
        self._secret = self._key if len(self._key) >= redaction.SHORTEST_KEY else ""
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Closes the connections; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def send(
        self, method: str, url: str, timeout: float, body: dict[str, Any] | None = None
    ) -> Response:
        """One exchange, redirects within the server followed.

        Raises:
            TryAgain: it failed in a way that may pass.
            EndpointError: it leads elsewhere, or the certificate is not trusted.
        """
        import httpx

        try:
            async with asyncio.timeout(timeout):
                for _ in range(REDIRECTS + 1):
                    response = await self._exchange(method, url, body)
                    if response.status not in _REDIRECTIONS:
                        return response
                    url = self._next(response)
                raise EndpointError("the server redirects in a circle", where=url)
        except TimeoutError:
            raise TryAgain(f"did not answer within {timeout:,.1f} s") from None
        except httpx.TimeoutException:
            raise TryAgain("did not answer in time") from None
        except (httpx.ConnectError, httpx.ProxyError) as error:
            reason = self.clean(str(error)) or type(error).__name__
            if "certificate" in reason.casefold():
                raise EndpointError(
                    f"the server's certificate is not trusted: {reason}",
                    where=url,
                    fix="Name your authority's certificate in SSL_CERT_FILE.",
                ) from None
            raise TryAgain(f"can't be reached ({reason})") from None
        except httpx.InvalidURL as error:
            raise EndpointError(f"this is no address: {error}", where=url) from None
        except (httpx.RequestError, OSError) as error:
            reason = self.clean(str(error)) or type(error).__name__
            raise TryAgain(f"broke the connection ({reason})") from None

    def _next(self, response: Response) -> str:
        location = response.headers.get("location", "")
        target = address.redirected(response.url, location)
        if target is None or target == response.url:
            shown = self.clean(redaction.address(location)) or "nowhere"
            raise EndpointError(
                f"the server redirects to {shown}, which is not followed",
                where=response.url,
                fix="The key would go there too. If that is right, give that address.",
            )
        return target

    async def _exchange(self, method: str, url: str, body: dict[str, Any] | None) -> Response:
        content = None if body is None else json.dumps(body).encode("ascii")
        headers = {} if body is None else {"Content-Type": "application/json"}
        async with self._http().stream(method, url, content=content, headers=headers) as response:
            received = bytearray()
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > MOST_BYTES:
                    raise TryAgain(f"sent more than {MOST_BYTES:,} bytes", unclear=True)
            coding = response.headers.get("content-encoding", "")
            text = _expanded(received, coding.strip().casefold()).decode("utf-8", "replace")
            if self._secret:
                # A server that repeats the key must not bring it into a file or a message.
                text = text.replace(self._secret, redaction.MASK)
            return Response(response.status_code, dict(response.headers), text, url)

    def found(self, response: Response) -> Any:
        """The JSON in a response of status 200.

        Raises:
            TryAgain: it holds none, or an error.
        """
        try:
            found = parse_json(response.body)
        except NotJson:
            raise TryAgain(self.odd(response), unclear=True) from None
        trouble = found.get("error") if isinstance(found, dict) else None
        if trouble:
            raise TryAgain(f"answered with an error ({self.clean(said(trouble))})")
        return found

    def answer(self, response: Response, seconds: float) -> Answer:
        """The answer in a response of status 200.

        Raises:
            TryAgain: it holds none.
        """
        found = self.found(response)
        try:
            return read_answer(found, seconds)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise TryAgain(
                f"answered with a JSON of another shape ({self.clean(response.body)})",
                unclear=True,
            ) from None

    async def check(self, model: str | None, timeout: float) -> str | None:
        """Why a model can't be asked, by the server's own list of models; or None.

        Args:
            model: None: whatever the list says.
        """
        url = f"{self.base_url}/models"
        try:
            response = await self.send("GET", url, timeout)
        except TryAgain as trouble:
            return f"{self.base_url}: the server {trouble}"
        except EndpointError as error:
            return str(error)
        # `transformers serve` without a cache of the Hub fails at its list, and answers questions.
        if response.status in (404, 405, 500, 501):
            return None
        if response.status != 200:
            return f"{self.base_url}: {self.refusal(response, str(model))}".replace("\n", " ")
        try:
            found = parse_json(response.body)
        except NotJson:
            return (
                f"{self.base_url}: the server {self.odd(response)}; give the address of "
                f"{self._kind.named}"
            )
        try:
            names = [str(one["id"]) for one in found["data"]]
        except (KeyError, TypeError):
            return None
        if model is None or not names or any(n == model or n.endswith(f"/{model}") for n in names):
            return None
        return f"{self.base_url} has no model '{model}'. {nearest(model, names)}"

    def odd(self, response: Response) -> str:
        """What came in place of JSON, as a clause."""
        kind = response.headers.get("content-type", "").partition(";")[0].strip()
        start = response.body.lstrip()[:200].casefold()
        if not start:
            return "answered with nothing"
        if start.startswith(("<!doctype", "<html")) or kind == "text/html":
            return f"answered with HTML instead of JSON ({self.clean(response.body)})"
        return f"answered with something that is no whole JSON ({self.clean(response.body)})"

    def refusal(self, response: Response, model: str) -> EndpointError | TryAgain:
        """What a response of another status amounts to."""
        status, said = response.status, self.clean(said_in(response.body))
        detail = f": {said}" if said else ""
        if status == 429 and any(code in response.body for code in _NO_QUOTA):
            return EndpointError(f"the account has no quota left{detail}", where=response.url)
        if status in _TRANSIENT or (status >= 500 and status not in _HOPELESS):
            busy = status in _BUSY
            what = "has no room for more requests" if busy else "failed"
            return TryAgain(
                f"{what} (HTTP {status}{detail})",
                wait=retry_after(response.headers) if busy or status == 503 else None,
                busy=busy,
            )
        if status in (401, 403):
            if self._key:
                fix = f"Mend the key in the environment variable {self._key_variable}."
            else:
                fix = "Put a key into the environment variable SUITE_API_KEY."
            return EndpointError(
                f"the server refuses {'the key' if self._key else 'requests without a key'} "
                f"(HTTP {status}{detail})",
                where=response.url,
                fix=fix,
            )
        if status in (404, 405):
            return EndpointError(
                f"the server knows no such address or no model '{model}' (HTTP {status}{detail})",
                where=response.url,
                fix=f"Mend {self._kind.option} or {self._kind.model_option}; GET …/v1/models lists "
                "a server's models.",
            )
        return EndpointError(
            f"the server refuses the request (HTTP {status}{detail})", where=response.url
        )

    def clean(self, text: str) -> str:
        """A short single line for a message, without control characters and the key."""
        text = redaction.clean(text[:2000])
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= 160 else line[:157] + "..."

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            import httpx

            headers = {
                "User-Agent": "suite", "Accept": "application/json", "Accept-Encoding": "gzip"
            }  # fmt: skip
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            self._client = httpx.AsyncClient(
                headers=headers,
                timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, 15.0), pool=None),
                limits=httpx.Limits(max_connections=self._connections),
                follow_redirects=False,
                # A server on this machine is never to be reached through a proxy.
                trust_env=not address.is_this_machine(self.base_url),
            )
        return self._client
