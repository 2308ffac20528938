"""`--allow-endpoint`, and the question that is asked in its place on a terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from suite.cli.console import err, warn
from suite.redaction import clean

AllowEndpoint = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST",
        help="A server that may be asked although you named it nowhere: that of a study or a "
        "folder from elsewhere, which is sent texts and your key. HOST or HOST:PORT. Repeatable.",
    ),
]


def named(hosts: list[str] | None) -> tuple[str, ...]:
    """What the option names; from here on, the person at the terminal is asked about others."""
    from suite.endpoint import consent

    consent.talk_with(consent.Person(_asked, warn))
    return tuple(hosts or ())


def _asked(question: str) -> bool:
    """The answer of a person, where there is one."""
    if not (sys.stdin.isatty() and err.is_terminal):
        return False
    return typer.confirm(clean(question), default=False, err=True)
