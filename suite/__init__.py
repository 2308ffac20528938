"""Which text classifier, how trained, at what cost: an Optuna-driven AutoML benchmark suite.

The rooms, top floor first; a room imports only rooms below it:

    cli/         words in, one call, a table out
    api.py       the same as functions, for scripts and notebooks
    report/      results -> rows -> charts -> page
    course.py    a study's whole course: preflight, search, finals
    finals.py    the best of each arm on the test split, and which differences are chance
    distil.py    thoughts of a larger model about training rows, as training data
    study/       the only room that imports optuna
    runner.py    one arm in a child process, spoken with in messages
    worker.py    the child's side: the clock, scoring on validation
    strategies/  how a model is made to classify
    serving/     a trained predictor behind engines, and MLPerf LoadGen driving it
    prompting/   how a text becomes a multiple-choice question, and how an answer is read
    catalog.py, hub.py          the models; whether the Hub can be reached
    endpoint/                   a model behind an OpenAI-compatible server
    data.py, snapshot.py, ...   task -> splits with a fingerprint, audited; the bundled sample
    arms.py                     globs -> arms, each runnable or refused with why
    task.py, recipe.py          the schemas of the two YAML files
    protocols.py, results.py, metrics.py, space.py, yamlfile.py, errors.py, paths.py
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
