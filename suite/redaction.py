"""What must not be read by others, taken out of whatever is shown, written or stored.

Passwords come in by the address of a database, keys by the environment; both come back in commands
that a study keeps, in what drivers and servers say, in tracebacks. Every message passes `clean` as
it is made (`SuiteError`, the console, the log of a child), every value of a study `cleaned` as it
is read, and every command `command` before it is kept. Three things are looked for: secrets that
this process knows, wherever they stand; addresses with a password or a key in them, and what calls
itself a password, a key or a token.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TextIO, TypeVar
from urllib.parse import quote, quote_plus, unquote, unquote_plus

#: What stands in a secret's place.
MASK = "***"

#: Environment variables whose values are secrets.
KEYS = (
    "SUITE_API_KEY",
    "OPENAI_API_KEY",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "SUITE_SERVE_TOKEN",
    "PGPASSWORD",
)
#: Those that hold addresses, which may hold a password.
_ADDRESSES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_ENDPOINT")

#: What is shorter is no secret ("EMPTY" is customary for a key), and may be part of any word.
SHORTEST_KEY = 8
SHORTEST_PASSWORD = 6

#: Names in the query of an address whose values are secrets, or say where one lies.
_QUERY_KEY = re.compile(
    r".*(pass|pwd|secret|token|api[_-]?key|credential|signature|auth|odbc_connect).*"
    r"|key|sig|code|ssl(key|cert)",
    re.IGNORECASE,
)
_QUERY = re.compile(r"(?<=[?&;#])([^=&;#?\s]+)=([^&;#]*)")
#: Where an address in running text ends; in quotation marks it ends with them.
_AFTER_ADDRESS = re.compile(r"[\s\"'<>`|\\]")
#: A password in the place of the port, which would be a number.
_NO_PORT = re.compile(r"\A([^:/?#\[\]]*):(?!\d*(?:[/?#,]|$))([^?#]*)")
_SCHEME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+.-")
_LONGEST_SCHEME, _LONGEST_QUOTED = 40, 4096

#: `password=…` as drivers repeat it, `"api_key": "…"` as servers do.
_NAMED = re.compile(
    r"((?:password|passwd|passphrase|pwd|secret|api[_-]?key|(?:access|auth|serve|hf|hub)[_-]?token)"
    r"\\?[\"']?\s*[=:]\s*)(?:(?P<quote>\\?[\"'])(?:(?!(?P=quote)).)+(?P=quote)|[^\s\"'&,;)\]}\\]+)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"((?:(?:proxy-)?authorization|x-api-key|api-key|x-auth-token)\\?[\"']?\s*[:=,]\s*"
    r"(?:b?\\?[\"'])?(?:(?:bearer|basic|token)\s+)?)[^\s\"',;)\]}\\]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(Bearer\s+)[\w.~+/=-]{6,}|(Basic\s+)(?=[A-Za-z+/]*[0-9=])[\w+/=]{8,}")
#: Keys of OpenAI and the Hub by their form.
_FORM = re.compile(r"\b(?:sk-[\w-]{16,}|hf_[A-Za-z0-9]{16,})")

#: What any of these has in it.
_MARKS = re.compile(r"[=:]|earer|asic |sk-|hf_", re.IGNORECASE)

T = TypeVar("T")

#: Passwords of addresses that this process was given.
_remembered: set[str] = set()


def clean(text: str) -> str:
    """A message without secrets."""
    return _clean(text, _known_here())


def cleaned(value: T) -> T:
    """A value with every string in it cleaned: lists, tables (their values) and dataclasses.

    Whatever holds no secret is returned as it is.
    """
    found: T = _cleaned(value, _known_here())
    return found


def _cleaned(value: Any, known: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return _clean(value, known)
    if isinstance(value, list | tuple) and value and not isinstance(value[0], int | float):
        items = [_cleaned(item, known) for item in value]
        return value if _same(items, value) else type(value)(items)
    if isinstance(value, dict):
        found = {key: _cleaned(item, known) for key, item in value.items()}
        return value if _same(found.values(), value.values()) else found
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        found = {name: _cleaned(item, known) for name, item in pairs.items()}
        return (
            value if _same(found.values(), pairs.values()) else dataclasses.replace(value, **found)
        )
    return value


def _same(new: Iterable[Any], old: Iterable[Any]) -> bool:
    return all(a is b for a, b in zip(new, old, strict=True))


def _clean(text: str, known: re.Pattern[str] | None) -> str:
    found = text if known is None else known.sub(MASK, text)
    if _MARKS.search(found) is not None:
        if "://" in found:
            found = _without_passwords(found)
        found = _NAMED.sub(lambda m: f"{m[1]}{m['quote'] or ''}{MASK}{m['quote'] or ''}", found)
        found = _HEADER.sub(rf"\1{MASK}", found)
        found = _BEARER.sub(lambda m: (m[1] or m[2]) + MASK, found)
        found = _FORM.sub(MASK, found)
    return text if found == text else found


def cleaned_json(text: str) -> str:
    """A stored record without secrets: the strings of a JSON text, or a plain text."""
    if clean(text) == text:
        return text
    try:
        return json.dumps(cleaned(json.loads(text)))
    except (ValueError, RecursionError):
        return clean(text)


def address(url: str) -> str:
    """An address as it may be shown, also one that can't be parsed: no password, no key.

    >>> address("postgresql+psycopg://suite:PW@db/suite?sslpassword=PW")
    'postgresql+psycopg://suite:***@db/suite?sslpassword=***'
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        # No address; what it was meant to be is not known, nor where its password stands.
        return clean(re.sub(r"[^@]*:[^@]*@", f"{MASK}@", _masked_query(url)))
    return _masked_query(f"{scheme}://{_masked_user(scheme, rest)}")


def holds_secret(url: str) -> bool:
    """Whether an address holds what must not be shown."""
    return address(url) != url


def remember(url: str) -> None:
    """Keeps in mind the secrets of an address, which others may repeat in forms of their own."""
    _remembered.update(_secrets(url))


def command(words: Sequence[str]) -> str:
    """A command line as it is kept and shown, quoted for the shell and without secrets."""
    shown: list[str] = []
    for word in words:
        option, separator, value = word.partition("=")
        if shown and shown[-1] == "--storage":
            word = address(word)
        elif separator and option.startswith("--"):
            word = f"{option}={address(value) if '://' in value else value}"
        elif "://" in word:
            word = address(word)
        shown.append(clean(word))
    return shlex.join(shown)


def stored_command(text: str) -> str:
    """A command as an older study keeps it, without secrets; as it stands where it has none."""
    if not text.startswith("suite."):
        try:
            words = shlex.split(text)
        except ValueError:
            return clean(text)
        shown = command(words)
        return text if shown == shlex.join(words) else shown
    return clean(text)


class Cleaned(io.TextIOWrapper):
    """A text stream for what libraries print: each write is cleaned."""

    def write(self, text: str, /) -> int:
        """Writes a text without secrets."""
        super().write(clean(text))
        return len(text)


def over(stream: TextIO) -> TextIO:
    """A stream in another's place that writes to the same file, without secrets."""
    stream.flush()
    return Cleaned(
        stream.buffer, stream.encoding, "backslashreplace", line_buffering=True, write_through=True
    )


def _known_here() -> re.Pattern[str] | None:
    """The secrets this process knows, in any of the forms they are repeated in."""
    environment = tuple(os.environ.get(name, "") for name in KEYS)
    addresses = tuple(
        os.environ.get(name, "") for upper in _ADDRESSES for name in (upper, upper.lower())
    )
    return _known(environment, addresses, frozenset(_remembered))


@lru_cache(maxsize=8)
def _known(
    keys: tuple[str, ...], addresses: tuple[str, ...], remembered: frozenset[str]
) -> re.Pattern[str] | None:
    passwords = remembered.union(*(_secrets(url) for url in addresses))
    #: Pattern -> characters of what it finds; of two that begin alike the longer one comes first.
    forms = {
        re.escape(form): len(form) for key in keys for form in _forms(key.strip(), SHORTEST_KEY)
    }
    # A password may be a word: within another word it is none.
    forms |= {
        rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])": len(form)
        for password in passwords
        for form in _forms(password, SHORTEST_PASSWORD)
    }
    ordered = sorted(forms, key=lambda pattern: forms[pattern], reverse=True)
    return re.compile("|".join(ordered)) if ordered else None


def _forms(secret: str, shortest: int) -> Iterator[str]:
    """A secret as it is written: itself, in an address, in JSON, in Python."""
    if len(secret) >= shortest:
        yield from {
            secret,
            quote(secret),
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            repr(secret)[1:-1],
        }


def _secrets(url: str) -> set[str]:
    """The secrets of an address: as written and decoded, whole and in the parts a driver that
    takes it apart elsewhere would repeat."""
    scheme, separator, rest = url.partition("://")
    rest = rest if separator else scheme
    user, password, after = _taken_apart(scheme, rest)
    if not password and (port := _NO_PORT.match(rest)):
        password, after = port[2], after[len(port[0]) :]
    found = {password} | {value for key, value in _QUERY.findall(after) if _is_secret(key)}
    found |= {m[0].removeprefix(m[1]).strip("'\"") for m in _NAMED.finditer(url)}
    if scheme.lower() in ("http", "https"):
        found, user = found | {user}, ""  # A token, as often.
    found |= {decode(secret) for secret in found for decode in (unquote, unquote_plus)}
    found |= {part for secret in found for part in re.split(r"[@/:;=\s]", secret)}
    # What is shown anyway is no secret, and else would blot out every place it stands in.
    shown = {user, *re.split(r"[/:?&=@]", after.partition("?")[0])}
    return {secret for secret in found if len(secret) >= SHORTEST_PASSWORD} - shown


def _taken_apart(scheme: str, rest: str) -> tuple[str, str, str]:
    """User, password and what follows the @ of an address after its `://`."""
    before, found, after = rest.rpartition("@")
    if scheme.lower() in ("http", "https"):
        authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
        port = authority.partition(":")[2]
        if "@" in authority:
            before, found, _ = authority.rpartition("@")
            after = rest[len(before) + 1 :]
        elif not port or port.isdigit():
            found = ""
    elif "@" in (head := rest.partition("?")[0]):
        before, found, _ = head.rpartition("@")
        after = rest[len(before) + 1 :]
    elif not re.match(r"[^:/?]*:[^?]*@", rest) and "@" in rest:
        found = ""  # It stands in a value of the query.
    if not found:
        return "", "", rest
    user, _, password = before.partition(":")
    return user, password, after


def _masked_user(scheme: str, rest: str) -> str:
    user, password, after = _taken_apart(scheme, rest)
    if after == rest:
        return _NO_PORT.sub(rf"\1:{MASK}", rest)
    if scheme.lower() in ("http", "https"):
        return f"{MASK}@{after}"
    return f"{user}:{MASK}@{after}" if password else f"{user}@{after}"


def _masked_query(url: str) -> str:
    def masked(found: re.Match[str]) -> str:
        return f"{found[1]}={MASK}" if _is_secret(found[1]) and found[2] else found[0]

    return _QUERY.sub(masked, url)


def _is_secret(key: str) -> bool:
    return _QUERY_KEY.fullmatch(unquote_plus(key)) is not None


def _without_passwords(text: str) -> str:
    """A text whose addresses hold no passwords and no keys."""
    parts: list[str] = []
    done = 0
    for start, end in _addresses(text):
        parts += (text[done:start], address(text[start:end]))
        done = end
    return "".join((*parts, text[done:]))


def _addresses(text: str) -> Iterable[tuple[int, int]]:
    """Where addresses begin and end. By `find`: a page may hold megabytes without one."""
    end = 0
    while (mark := text.find("://", end)) >= 0:
        start = mark
        least = max(end, mark - _LONGEST_SCHEME)
        while start > least and text[start - 1].lower() in _SCHEME_CHARACTERS:
            start -= 1
        end = _end(text, start, mark + 3)
        if start < mark:
            yield start, end


def _end(text: str, start: int, after: int) -> int:
    opener = text[start - 1] if start else ""
    if opener and opener in "'\"":
        closing = text.find(opener, after, after + _LONGEST_QUOTED)
        if closing >= 0 and "\n" not in text[start:closing]:
            return closing
    found = _AFTER_ADDRESS.search(text, after)
    return found.start() if found else len(text)
