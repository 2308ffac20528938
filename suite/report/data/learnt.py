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
    """A trial's steps and passes in words, what else was asked, and where it was continued after
    its process had died; empty where it says nothing of them."""
    steps, passes, batch, passes_asked, batch_asked = (
        _count(trial, name) for name in ("steps", "passes", "batch", "passes_asked", "batch_asked")
    )
    again = _continued(trial)
    if steps is None or passes is None:
        return words("learnt_continued", at=again, steps=_told(steps or 0)) if again else ""
    found = words("learnt_steps", steps=_told(steps), passes=_told(passes))
    if passes_asked is not None:
        found += words("learnt_more", asked=_told(passes_asked))
    if batch is not None and batch_asked is not None:
        found += words("learnt_smaller", batch=_told(batch), asked=_told(batch_asked))
    if again:
        found += "; " + words("learnt_continued", at=again, steps=_told(steps))
    return found


def _continued(trial: Trial | None) -> str:
    """The steps at which a trial went on, which anybody may have stored."""
    found = trial.circumstances.get("continued") if trial else None
    steps = found if isinstance(found, list) else []
    return ", ".join(f"{step:,}" for step in steps if type(step) is int and 0 < step < 10**12)


def _told(number: float) -> str:
    return formats.plain(round(number, 2) if number % 1 else int(number))


def _count(trial: Trial | None, name: str) -> float | None:
    """A number above 0 among a trial's circumstances, which anybody may have stored."""
    found = trial.circumstances.get(name) if trial else None
    fits = isinstance(found, int | float) and math.isfinite(found) and found > 0
    return float(found) if fits and found is not None else None
