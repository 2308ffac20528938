"""A learning curve as a table in a terminal, and what it says."""

from __future__ import annotations

from rich.table import Table

from suite.cli import fitting
from suite.cli.console import words
from suite.contracts.growth import Growth
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.growth import (
    advice_told,
    choice_told,
    growth_intro,
    growth_rows,
    growth_sentences,
)
from suite.verdict.metrics import METRICS

#: Sizes that a terminal has columns for; the first of those beyond leave, and the page has all.
_COLUMNS = 6


def growth_table(study: str, growth: Growth) -> Table:
    """Arms by training rows, with what their laws say at twice the largest size."""
    say = words()
    shown = growth.sizes[-_COLUMNS:]
    table = Table(
        fitting.name(say("head_arm")),
        *(
            fitting.number(formats.count(size), leaves=len(shown) - at)
            for at, size in enumerate(shown)
        ),
        fitting.number(say("head_twice", size=formats.count(2 * growth.sizes[-1]))),
        fitting.number(say("head_interval"), leaves=len(shown) + 1),
        fitting.number(say("head_off"), leaves=len(shown) + 2),
        fitting.number(say("head_exponent"), leaves=len(shown) + 3),
        title=say(
            "growth_terminal",
            study=study,
            metric=METRICS[growth.objective].label(say.language),
        ),
    )
    for row in growth_rows(growth):
        table.add_row(
            row.arm,
            *(formats.score(growth.score(row.arm, size)) for size in shown),
            formats.score(row.twice),
            formats.interval(row.twice_interval),
            formats.gap(row.error),
            formats.MISSING if row.exponent is None else f"{row.exponent[0]:.2f}",
        )
    return table


def growth_told(found: StudyResults) -> list[str]:
    """The paragraphs below it."""
    growth = found.growth
    if growth is None:
        return []
    say = words().about(growth.objective)
    told = [
        growth_intro(growth, say),
        *growth_sentences(growth, say),
        *(choice_told(choice, say) for choice in growth.choices),
    ]
    if growth.advice is not None:
        told += advice_told(growth.advice, found.labels, say)
    return told
