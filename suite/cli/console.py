"""Where the command line speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console

#: A pipe or a file has no width of its own; tables are not squeezed into 80 columns there.
_WIDE = None if sys.stdout.isatty() else 160

out = Console(highlight=False, soft_wrap=True, width=_WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON object and nothing else on standard output."""
    # json's own writer is slow where it indents: seconds for the 25 MB of 10,000 trials.
    import pydantic_core

    text = pydantic_core.to_json(value, indent=2, inf_nan_mode="null").decode()
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """What must not be missed."""
    err.print("[bold black on yellow] WARNING [/] ", end="")
    err.print(text, style="bold yellow", markup=False)


def say(text: str) -> None:
    """What a person may want to know."""
    err.print(text, markup=False, style="dim")
