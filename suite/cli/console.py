"""Where the command line speaks: results on standard output, everything else on standard error.

On a terminal, tables are as wide as it is. In a pipe or a file (and on a terminal that can't draw,
`TERM=dumb`) they are plain: one header line, one line a row, tabs between the cells, nothing cut
off. `NO_COLOR` takes every escape sequence away; `FORCE_COLOR` treats a pipe as a terminal.

What is said may hold a text, a name or a server's answer of any kind: nothing in it is taken for
markup or an emoji's name, and what would steer a terminal or hide in it is shown as its code
(`visible`). JSON stays what it is, with such characters as escapes of JSON's own.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from suite.cli.characters import exact as exact
from suite.cli.characters import one_line as one_line
from suite.cli.characters import visible as visible
from suite.cli.fitting import Fitted
from suite.redaction import clean
from suite.report.words import SPOKEN, Words, words_of

# With NO_COLOR rich would still send bold and dim.
_COLOURS: Any = None if os.environ.get("NO_COLOR") else "auto"


def styled(text: str, style: str = "") -> Text:
    """Words of data in a style, as rich wants them where no plain string will do."""
    return Text(visible(text), style)


class _Plain(Console):
    """A console that takes nothing of what it is given for more than characters."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Words: shown before they are laid out, so that columns fit."""
        return super().render_str(visible(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Whatever else is drawn, such as the cells of a table; rich's own controls pass."""
        for segment in super().render(renderable, options):
            if segment.control or visible(segment.text) == segment.text:
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)


def _console(*, stderr: bool) -> Console:
    return _Plain(
        stderr=stderr,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
        color_system=_COLOURS,
    )


out = _console(stderr=False)
err = _console(stderr=True)

_quiet = False
_verbose = False
_language = SPOKEN


def speak(language: str) -> None:
    """From now on the terminal speaks this language (`suite.cli.language` chooses it)."""
    global _language
    _language = language


def words() -> Words:
    """The words that the terminal speaks."""
    return words_of(_language)


def told(text: str) -> str:
    """What is said in English everywhere, in the terminal's language as far as it is known."""
    return words().told(text)


def set_volume(*, quiet: bool | None = None, verbose: bool | None = None) -> None:
    """How much is told beside results: `--quiet` and `--verbose`, wherever they stood."""
    global _quiet, _verbose
    _quiet = _quiet if quiet is None else quiet
    _verbose = _verbose if verbose is None else verbose
    if _verbose and verbose:
        _show_logs()


def is_quiet() -> bool:
    """Whether only the outcome is wanted."""
    return _quiet


def is_verbose() -> bool:
    """Whether what is done on the way is wanted too."""
    return _verbose


def draws(console: Console = err) -> bool:
    """Whether something can be redrawn in place there: a real terminal that is not dumb."""
    stream = console.file
    return bool(getattr(stream, "isatty", lambda: False)()) and not console.is_dumb_terminal


def print_json(value: Any) -> None:
    """One JSON object and nothing else on standard output."""
    # json's own writer is slow where it indents: seconds for the 25 MB of 10,000 trials.
    import pydantic_core

    text = pydantic_core.to_json(value, indent=2, inf_nan_mode="null").decode()
    sys.stdout.write(exact(text) + "\n")


def print_table(table: Table) -> None:
    """A table: drawn on a terminal, tab-separated elsewhere (its title as a line after `# `)."""
    if out.is_terminal and not out.is_dumb_terminal:
        if table.title:
            out.print(styled(_plain(table.title), "italic"))
        out.print(Fitted(table, _left_out))
        return
    lines = []
    if table.title:
        lines.append(f"# {_plain(table.title)}")
    lines.append("\t".join(_plain(column.header) for column in table.columns))
    cells = [list(column.cells) for column in table.columns]
    lines += ["\t".join(_plain(cell) for cell in row) for row in zip(*cells, strict=True)]
    sys.stdout.write("\n".join(lines) + "\n")


def _left_out(headings: list[str], width: int) -> str:
    """Which columns a terminal was too narrow for."""
    say = words()
    return say("left_out", columns=say("comma").join(headings), width=width)


def _plain(cell: Any) -> str:
    """A cell's words on one line."""
    return visible(" ".join((cell.plain if isinstance(cell, Text) else str(cell)).split()))


def tell(text: str) -> None:
    """What a command came to, on standard output."""
    out.print(told(text))


def warn(text: str) -> None:
    """What must not be missed, not even with --quiet."""
    err.print(Text(f" {words()('warning')} ", "bold black on yellow"), end=" ")
    err.print(told(clean(text)), style="bold yellow")


def error(text: str) -> None:
    """Why a command could not be done."""
    err.print(Text(words()("error"), "bold red"), end=words()("space"))
    err.print(told(clean(text)))


def say(text: str) -> None:
    """What a person may want to know; nothing with --quiet."""
    if not _quiet:
        err.print(told(clean(text)), style="dim")


def detail(text: str) -> None:
    """What is done on the way; only with --verbose."""
    if _verbose:
        err.print(told(clean(text)), style="dim")


def next_step(text: str) -> None:
    """The last line of a command that changed something: what to do next."""
    say(words()("next", what=told(text)))


class _Handler(logging.Handler):
    """Sends what libraries log to standard error, above whatever is drawn there."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        if record.name.startswith(_OURS):
            return  # told by `_Words`
        try:
            detail(f"{record.name}: {record.levelname.lower()}: {record.getMessage()}")
        except Exception:  # noqa: BLE001 - as logging itself does
            self.handleError(record)


class _Words(logging.Handler):
    """Sends what the suite itself has to say on the way, such as whom it waits for."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        warn(record.getMessage())


#: How the names of the suite's own loggers begin.
_OURS = "suite."

_handler = _Handler(logging.INFO)
_words = _Words(logging.WARNING)


def hear() -> None:
    """From now on the suite's own warnings are words of the command line."""
    ours = logging.getLogger(_OURS.rstrip("."))
    if _words not in ours.handlers:
        ours.addHandler(_words)


def _show_logs() -> None:
    root = logging.getLogger()
    if _handler not in root.handlers:
        root.addHandler(_handler)
    root.setLevel(min(root.level or logging.WARNING, logging.INFO))
