"""How many optimiser steps a training gets: a budget's passes, but never too few to learn in.

A large batch on few rows makes a handful of steps, in which a decoder's loss has not begun to
fall: what it then scores says nothing of the arm. Smaller batches come first, for they read no
more texts than asked; only where the smallest is not enough, there are more passes. So all trials
of an arm read equally many texts, whatever their batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from suite import strategies
from suite.config.recipe import Recipe

#: The batches that are tried in place of a larger one. Below 8 a step's own cost (AdamW over all
#: weights) is most of it, and its gradient mostly noise.
SMALLER = (16, 8)

#: The hyperparameter by which a strategy that learns late names the texts behind one step.
BATCH = "batch"


@dataclass(frozen=True)
class Pace:
    """Texts behind one optimiser step, and passes over the training rows."""

    batch: int
    passes: float


def paced(rows: int, passes: float, batch: int, least: int) -> Pace:
    """A batch and passes that make at least so many steps.

    Args:
        rows: of train.
        passes, batch: as asked.
        least: steps.

    >>> paced(5000, 2, 96, least=48)
    Pace(batch=96, passes=2)
    >>> paced(500, 2, 96, least=48)
    Pace(batch=16, passes=2)
    >>> paced(100, 2, 96, least=48)
    Pace(batch=8, passes=3.84)
    """
    sizes = [batch, *(size for size in SMALLER if size < batch)]
    for size in sizes:
        if math.ceil(passes * rows / min(size, rows)) >= least:
            return Pace(size, passes)
    return Pace(sizes[-1], max(passes, least * min(sizes[-1], rows) / rows))


def pace_of(
    recipe: Recipe, arm: str, strategy: str, params: Mapping[str, Any], rows: int
) -> Pace | None:
    """The pace of a training of an arm; None of a strategy whose steps are not the study's matter.

    Args:
        rows: of train in the search: finals, which may train on more, keep a trial's batch.
    """
    batch = params.get(BATCH)
    if not isinstance(batch, int) or not strategies.learns_late(strategy):
        return None
    return paced(rows, recipe.epochs_for(arm), batch, recipe.budget.least_steps)


def passes_of(recipe: Recipe, arm: str, strategy: str, rows: int) -> float:
    """Passes of an arm's trainings, whatever their batch."""
    found = pace_of(recipe, arm, strategy, {BATCH: SMALLER[-1]}, rows)
    return recipe.epochs_for(arm) if found is None else found.passes


def told(pace: Pace | None, recipe: Recipe, arm: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """A pace as circumstances of a trial: its passes, and what was asked where that is another."""
    if pace is None:
        return {}
    facts: dict[str, Any] = {"passes": round(pace.passes, 3)}
    if pace.passes != recipe.epochs_for(arm):
        facts["passes_asked"] = recipe.epochs_for(arm)
    if pace.batch != params[BATCH]:
        facts["batch_asked"] = params[BATCH]
    return facts
