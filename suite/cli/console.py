"""Where the command line speaks: results on standard output, everything else on standard error.

On a terminal, tables are drawn by rich. In a pipe or a file (and on a terminal that can't draw,
`TERM=dumb`) they are plain: one header line, one line a row, tabs between the cells, nothing cut
off. `NO_COLOR` takes every escape sequence away; `FORCE_COLOR` treats a pipe as a terminal.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.errors import MarkupError
from rich.table import Table
from rich.text import Text

from suite.redaction import clean

# With NO_COLOR rich would still send bold and dim.
_COLOURS: Any = None if os.environ.get("NO_COLOR") else "auto"

out = Console(highlight=False, soft_wrap=True, color_system=_COLOURS)
err = Console(stderr=True, highlight=False, soft_wrap=True, color_system=_COLOURS)

_quiet = False
_verbose = False


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
    sys.stdout.write(text + "\n")


def print_table(table: Table) -> None:
    """A table: drawn on a terminal, tab-separated elsewhere (its title as a line after `# `)."""
    if out.is_terminal and not out.is_dumb_terminal:
        table.box = box.SIMPLE_HEAD
        for column in table.columns:
            column.overflow = "fold"  # Names are needed whole.
        out.print(table)
        return
    lines = []
    if table.title:
        lines.append(f"# {_plain(table.title)}")
    lines.append("\t".join(_plain(column.header) for column in table.columns))
    cells = [list(column.cells) for column in table.columns]
    lines += ["\t".join(_plain(cell) for cell in row) for row in zip(*cells, strict=True)]
    sys.stdout.write("\n".join(lines) + "\n")


def _plain(cell: Any) -> str:
    """A cell's words on one line, without marks."""
    if isinstance(cell, Text):
        text = cell.plain
    else:
        try:
            text = Text.from_markup(str(cell)).plain
        except MarkupError:
            text = str(cell)
    return " ".join(text.split())


def warn(text: str) -> None:
    """What must not be missed, not even with --quiet."""
    err.print("[bold black on yellow] WARNING [/] ", end="")
    err.print(clean(text), style="bold yellow", markup=False)


def error(text: str) -> None:
    """Why a command could not be done."""
    err.print("[bold red]Error:[/] ", end="")
    err.print(clean(text), markup=False)


def say(text: str) -> None:
    """What a person may want to know; nothing with --quiet."""
    if not _quiet:
        err.print(clean(text), markup=False, style="dim")


def detail(text: str) -> None:
    """What is done on the way; only with --verbose."""
    if _verbose:
        err.print(clean(text), markup=False, style="dim")


def next_step(text: str) -> None:
    """The last line of a command that changed something: what to do next."""
    say(f"Next: {text}")


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
