"""`suite doctor`: what this machine has, and what is missing."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from suite.cli.console import out, print_json
from suite.cli.study import AsJson


def doctor(
    as_json: AsJson = False,
    hub: Annotated[
        bool, typer.Option("--hub/--no-hub", help="Ask whether the Hub answers.")
    ] = True,
) -> None:
    """Check the machine, the packages, the Hub and the working folder.

    Example:

        suite doctor --no-hub
    """
    from suite import doctor as room
    from suite import hub as hub_room

    checks = room.checks(hub=hub_room.reason if hub else None)
    if as_json:
        print_json(
            {
                "environment": room.environment(),
                "checks": [
                    {"name": c.name, "ok": c.ok, "finding": c.finding, "fix": c.fix} for c in checks
                ],
            }
        )
    else:
        table = Table("", "check", "finding", "what would help")
        marks = {True: "[green]ok[/]", False: "[red]no[/]", None: "[dim]–[/]"}
        for c in checks:
            table.add_row(marks[c.ok], c.name, c.finding, "" if c.ok else (c.fix or ""))
        out.print(table)
    if any(c.ok is False for c in checks):
        raise typer.Exit(2)
