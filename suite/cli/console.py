"""Where the command line speaks: results on standard output, everything else on standard error.

On a terminal, tables are drawn by rich. In a pipe or a file (and on a terminal that can't draw,
`TERM=dumb`) they are plain: one header line, one line a row, tabs between the cells, nothing cut
off. `NO_COLOR` takes every escape sequence away; `FORCE_COLOR` treats a pipe as a terminal.

What is said may hold a text, a name or a server's answer of any kind: nothing in it is taken for
markup or an emoji's name, and what would steer a terminal or hide in it is shown as its code
(`visible`). JSON stays what it is, with such characters as escapes of JSON's own.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from suite.redaction import clean

#: Characters that steer a terminal (C0 but tab and newline, DEL, C1), turn the direction of what
#: follows, are not seen, or cannot be written (halves of characters). The two joiners that
#: Persian, Indian scripts and emoji need are left.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = str.maketrans({"\n": "\\n", "\t": "\\t"})

# With NO_COLOR rich would still send bold and dim.
_COLOURS: Any = None if os.environ.get("NO_COLOR") else "auto"


def visible(text: str) -> str:
    """A text in which nothing steers a terminal or hides: such characters stand as their codes.

    >>> visible("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return _HIDDEN.sub(_code, text)


def styled(text: str, style: str = "") -> Text:
    """Words of data in a style, as rich wants them where no plain string will do."""
    return Text(visible(text), style)


def one_line(text: str) -> str:
    """The same on one line and in one cell: newlines and tabs stand as `\\n` and `\\t`."""
    return visible(text).translate(_BREAKS)


def exact(json_text: str) -> str:
    """JSON with what `visible` shows as escapes of JSON's: it is read as the same value."""
    return _HIDDEN.sub(_json_code, json_text)


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _json_code(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


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
            if segment.control or not _HIDDEN.search(segment.text):
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
    """A cell's words on one line."""
    return visible(" ".join((cell.plain if isinstance(cell, Text) else str(cell)).split()))


def warn(text: str) -> None:
    """What must not be missed, not even with --quiet."""
    err.print(Text(" WARNING ", "bold black on yellow"), end=" ")
    err.print(clean(text), style="bold yellow")


def error(text: str) -> None:
    """Why a command could not be done."""
    err.print(Text("Error:", "bold red"), end=" ")
    err.print(clean(text))


def say(text: str) -> None:
    """What a person may want to know; nothing with --quiet."""
    if not _quiet:
        err.print(clean(text), style="dim")


def detail(text: str) -> None:
    """What is done on the way; only with --verbose."""
    if _verbose:
        err.print(clean(text), style="dim")


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
