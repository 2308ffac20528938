"""What the charts of the search share: the order of states, and when a trial ran."""

from __future__ import annotations

from datetime import datetime

from suite.contracts import moments
from suite.contracts.results import State, StudyResults, Trial

#: The order in which states are stacked and told.
STATES: tuple[State, ...] = ("COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING")


def arms_of(results: StudyResults) -> list[str]:
    """Arms in the study's order, then those that only trials know."""
    return list(dict.fromkeys([a.arm for a in results.arms] + [t.arm for t in results.trials]))


def span_of(trial: Trial) -> tuple[datetime, datetime] | None:
    """When a trial began and ended, None before it began; one that still runs lasts no time."""
    return moments.span(trial.started, trial.ended)
