"""What several splits of a study's rows say together, as a table in a terminal."""

from __future__ import annotations

from rich.table import Table

from suite.cli import fitting
from suite.cli.console import words
from suite.contracts.splits import Splits
from suite.report import formats
from suite.report.data.over_splits import split_rows


def splits_table(study: str, splits: Splits) -> Table:
    """Arms by their mean over splits."""
    say = words()
    rows = split_rows(splits)
    pooled = any(row.arm.pooled is not None for row in rows)
    table = Table(
        fitting.name(say("head_arm")),
        fitting.number(say("head_mean")),
        fitting.number(say("head_interval")),
        *([fitting.number(say("head_pooled"))] if pooled else []),
        fitting.number(say("head_deviation"), leaves=1),
        fitting.number(say("head_splits"), leaves=2),
        title=say("splits_terminal", study=study, n=len(splits.studies)),
    )
    for row in rows:
        table.add_row(
            row.arm.arm,
            formats.score(row.arm.mean),
            formats.interval(row.arm.interval),
            *([formats.score(row.arm.pooled)] if pooled else []),
            formats.score(row.arm.deviation),
            formats.count(row.done),
        )
    return table
