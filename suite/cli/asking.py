"""What a command asks of the person at its terminal, where rows could be meant in several ways."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from suite.cli.console import err, told, visible
from suite.data.columns import LabelUnclear
from suite.data.spellings import CaseDiffers

Made = TypeVar("Made")


def asked(
    make: Callable[[str | None, bool | None], Made], label: str | None, merge_case: bool | None
) -> Made:
    """What `make(label, merge_case)` returns; what it can't decide is asked, and it is called anew.

    Raises:
        LabelUnclear: nobody can be asked which column is the label.
        CaseDiffers: nor whether labels that differ by case are one class.
    """
    while True:
        try:
            return make(label, merge_case)
        except LabelUnclear as unclear:
            if not _somebody():
                raise
            label = _column(unclear)
        except CaseDiffers as differs:
            if merge_case is not None or not _somebody():
                raise
            err.print(told(f"{differs.where}: {differs.what}"), markup=False)
            merge_case = typer.confirm(told("Is each of them one class?"), default=True, err=True)


def _somebody() -> bool:
    """Whether there is a person to ask: at the terminal's keyboard, reading its screen."""
    return sys.stdin is not None and sys.stdin.isatty() and err.is_terminal


def _column(unclear: LabelUnclear) -> str:
    err.print(told(f"{unclear.where}: which column is the label?"), markup=False)
    candidates = unclear.candidates
    for number, candidate in enumerate(candidates, start=1):
        err.print(f"  {number}  {candidate}", markup=False)
    names = [candidate.name for candidate in candidates]
    while True:
        answer = str(typer.prompt(told("Number or name"), err=True)).strip()
        if answer in names:
            return answer
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        err.print(told(f"{visible(answer)}: none of these"), markup=False)
