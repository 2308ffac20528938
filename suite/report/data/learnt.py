"""What a training was made of: its optimiser steps, its passes, and the batch behind a step.

A recipe's floor of steps may have made a batch smaller and passes more than asked; where numbers
are shown, it has to be seen.
"""

from __future__ import annotations

import math

from suite.contracts.results import Trial
from suite.report import formats
from suite.report.words import Words


def learnt_in(trial: Trial | None, words: Words) -> str:
    """A trial's steps and passes in words, and what else was asked; empty where it says nothing of
    them."""
    steps, passes, batch, passes_asked, batch_asked = (
        _count(trial, name) for name in ("steps", "passes", "batch", "passes_asked", "batch_asked")
    )
    if steps is None or passes is None:
        return ""
    found = words("learnt_steps", steps=_told(steps), passes=_told(passes))
    if passes_asked is not None:
        found += words("learnt_more", asked=_told(passes_asked))
    if batch is not None and batch_asked is not None:
        found += words("learnt_smaller", batch=_told(batch), asked=_told(batch_asked))
    return found


def _told(number: float) -> str:
    return formats.plain(round(number, 2) if number % 1 else int(number))


def _count(trial: Trial | None, name: str) -> float | None:
    """A number above 0 among a trial's circumstances, which anybody may have stored."""
    found = trial.circumstances.get(name) if trial else None
    fits = isinstance(found, int | float) and math.isfinite(found) and found > 0
    return float(found) if fits and found is not None else None
