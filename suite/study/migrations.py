"""What stored definitions are made of, version by version, and how an older one becomes today's.

A definition bears the version of its form. Whoever adds, renames or removes a key of anything that
is stored in it (study, task, recipe, model, facts about data) raises `VERSION` and adds the step
that brings the version before to it, on plain JSON: values are validated once, when all steps are
done. A new key with a default needs a step that does nothing: suites that don't know the key still
have to tell its version from their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Stored = dict[str, Any]

VERSION = 8

#: What a recipe and a task of version 1 were where their file said nothing.
_RECIPE_1: Stored = {
    "title": None,
    "description": None,
    "trials": 40,
    "allocation": "equal",
    "budget": {"epochs": 2.0, "checkpoints": 5, "evaluation": "auto", "overrides": {}},
    "spaces": {},
    "sampler": {"name": "tpe", "startup_trials": 10},
    "pruner": {"name": "median", "scope": "arm", "startup_trials": 2, "percentile": 50.0},
    "bounds": {"min_rps": None, "max_train_seconds": None},
    "finals": {"seeds": 1},
    "measure": {"seconds": 3.0, "texts": 1024, "endpoints": False},
    "preflight": True,
    "max_trial_seconds": None,
    "shrink_batch": True,
    "seed": 0,
}
_TASK_1: Stored = {
    "description": None,
    "data": {
        "hub": None,
        "files": None,
        "folder": None,
        "text": ["text"],
        "join": " ",
        "label": "label",
        "splits": {"train": "train", "validation": None, "test": "test"},
        "note": None,
    },
    "validation": {"share": 0.1, "seed": 0},
    "max_tokens": 256,
    "latency_bound_ms": 100.0,
    "class_weights": "none",
    "imbalance": None,
    "out_of_scope": None,
    "prompt": {},
    "references": [],
}


def migrated(stored: Stored) -> Stored:
    """A definition of this version or an older one, in this version's form.

    Raises:
        KeyError: it is no definition of the version it bears.
    """
    for step in _STEPS[int(stored.get("version", 1)) - 1 :]:
        stored = step(stored)
    return stored | {"version": VERSION}


def _said_apart(stored: Stored) -> Stored:
    """1 to 2: what the files said stands beside what they and the defaults made; the task's
    fingerprint, which any new key of a task would have changed, is gone."""
    kept = {key: value for key, value in stored.items() if key != "task_fingerprint"}
    return kept | {
        "task_said": _beyond(stored["task"], _TASK_1),
        "recipe_said": _beyond(stored["recipe"], _RECIPE_1),
    }


def _as_it_was(stored: Stored) -> Stored:
    """2 to 3: recipes gained `max_silent_seconds`, which has a default."""
    return stored


def _one_file(stored: Stored) -> Stored:
    """3 to 4: data gained `file`, `id`, `test` and `reading`, and recipes `choose`; a
    model that named no languages was taken to read the two there were, and now reads all."""

    def told(model: Any) -> Any:
        two = isinstance(model, dict) and model.get("languages") == ["en", "zh"]
        return model | {"languages": ["multilingual"]} if two else model

    arms = [
        arm | {"model": told(arm.get("model"))} if isinstance(arm, dict) else arm
        for arm in stored["arms"]
    ]
    return stored | {"arms": arms}


def _as_judged(stored: Stored) -> Stored:
    """4 to 5: finals gained `share` and `refit`, recipes `validation` and `objective`, and arms
    `folds`, with other defaults. A study made before keeps what it was: as many trainings as its
    recipe says, on train alone, and trials scored on validation alone, by macro-F1."""
    recipe = stored["recipe"]
    if not isinstance(recipe, dict):
        return stored
    before = {"validation": "holdout", "objective": "macro_f1"}
    finals = recipe.get("finals", {})
    if isinstance(finals, dict):
        finals = {"seeds": 1, "share": None, "refit": False} | finals
    return stored | {"recipe": before | recipe | {"finals": finals}}


def _as_drawn(stored: Stored) -> Stored:
    """5 to 6: data gained `parted` and `redraw`, bounds `max_flips`, labels `description`, tasks
    and recipes `calibration`, recipes `train_subset`, facts of rows `subset`, counts of rows one of
    them, definitions `curve` and `subset`, all with defaults; models the family `decision`; and
    budgets `least_steps`: a study made before keeps the steps that its passes made."""
    recipe = stored["recipe"]
    budget = recipe.get("budget", {}) if isinstance(recipe, dict) else None
    if not isinstance(budget, dict):
        return stored
    return stored | {"recipe": recipe | {"budget": {"least_steps": 0} | budget}}


def _accompanied(stored: Stored) -> Stored:
    """6 to 7: arms gained `companions`; before, no hyperparameter named a model."""
    return stored


def _as_proposed(stored: Stored) -> Stored:
    """7 to 8: samplers gained `gp`, `cmaes`, `qmc` and `per_second`, recipes `stop`,
    definitions `sampler_named`, all with defaults."""
    return stored


def _beyond(values: Any, defaults: Stored) -> Stored:
    """The values that are not the defaults; none where they are no table, which is told later."""
    found: Stored = {}
    for key, value in values.items() if isinstance(values, dict) else ():
        default = defaults.get(key, ...)
        if isinstance(value, dict) and isinstance(default, dict) and default:
            value, default = _beyond(value, default), {}
        if value != default:
            found[key] = value
    return found


#: The step from version 1 to 2, from 2 to 3, and so on.
_STEPS: list[Callable[[Stored], Stored]] = [
    _said_apart,
    _as_it_was,
    _one_file,
    _as_judged,
    _as_drawn,
    _accompanied,
    _as_proposed,
]
