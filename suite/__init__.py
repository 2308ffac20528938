"""Which text classifier, how trained, at what cost: an Optuna-driven AutoML benchmark suite.

The rooms, top floor first; a room imports only rooms below it (`make lint` checks it):

    cli/         words in, one call, a table out
    api.py       the same as functions, for scripts and notebooks
    report/      results -> values -> charts -> pages; knows nothing of Optuna or torch
    handover/    what leaves a study: export, model card, logs
    study/       the only room that imports optuna: create, search, the worker's loop, finals, bench
    child/       one job in a child process, spoken with in messages: the clock, scoring
    serving/     a trained predictor behind engines, under MLPerf LoadGen, behind HTTP
    strategies/  how a model is made to classify
    prompting/   how a text becomes a multiple-choice question, and how an answer is read
    endpoint/    a model behind a server, asked by chat or for decisions
    verdict/     metrics, statistics, who ranks where
    data/        files and the hub to rows; labels, splits, audit, snapshot, the sample
    models/      the catalogue, the hub, what a model needs of a machine
    machine/     facts about this machine, checks, cache
    config/      tasks and recipes as YAML; the published schemas
    contracts/   what the rooms promise each other
    files.py     files of others, opened with care
    errors.py, paths.py, shell.py, version.py
    redaction.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from suite.version import __version__

if TYPE_CHECKING:
    from suite.api import (
        Created,
        Predictor,
        Progress,
        build_report,
        create_study,
        leaderboard_frame,
        load_predictor,
        load_results,
        load_task,
        run_study,
        score_finals,
        trials_frame,
    )
    from suite.contracts.results import StudyResults
    from suite.contracts.task import Task
    from suite.errors import SuiteError

__all__ = [
    "Created",
    "Predictor",
    "Progress",
    "StudyResults",
    "SuiteError",
    "Task",
    "__version__",
    "build_report",
    "create_study",
    "leaderboard_frame",
    "load_predictor",
    "load_results",
    "load_task",
    "run_study",
    "score_finals",
    "trials_frame",
]

_ELSEWHERE = {"StudyResults": "contracts.results", "SuiteError": "errors", "Task": "contracts.task"}


def __getattr__(name: str) -> Any:
    # `import suite` is part of every command, and must stay light.
    if name not in __all__:
        raise AttributeError(f"module 'suite' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"suite.{_ELSEWHERE.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
