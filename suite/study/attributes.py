"""What Optuna's own tools show of a study: few plain values by clear names, and a note.

The suite's own records stand under `suite:…` and hold everything, as JSON; Optuna Dashboard shows
them as one long text. So a trial and a study also bear what a person looks for. Nothing in the
suite reads these values: studies without them work as well.
"""

from __future__ import annotations

from typing import Any

from suite import shell
from suite.contracts.results import Trial
from suite.errors import counted
from suite.study import internals
from suite.study.definition import Definition
from suite.verdict.metrics import METRICS

Plain = str | int | float | bool

#: By which studies of the same rows, and of the same test split, are known in a storage.
FINGERPRINT, TEST_DIGEST = "data_fingerprint", "test_digest"

#: Optuna Dashboard's keys of a study's note, and the characters that one part of it holds.
_NOTE_VERSION, _NOTE_PART, _NOTE_LENGTH = "dashboard:note_ver", "dashboard:note_str:0", 2045

#: Characters of a failure's reason; the whole stands in the suite's own record.
_REASON = 300


def of_trial(trial: Trial) -> dict[str, Plain]:
    """A trial's plain values; what is not known is left out.

    Units: seconds, milliseconds, texts per second, megabytes (10⁶ bytes).
    """
    rps = trial.rps
    memory = trial.peak_memory_bytes
    found: dict[str, Plain | None] = {
        "arm": trial.arm,
        **{key: _rounded(metric.of(trial.validation), 5) for key, metric in METRICS.items()},
        "train_seconds": _rounded(trial.train_seconds, 3),
        "texts_per_second": _rounded(rps.offline_per_second if rps else None, 1),
        "p90_ms": _rounded(rps.single_stream.p90_ms if rps else None, 3),
        "peak_memory_mb": None if memory is None else round(memory / 1e6),
        "contended": trial.contended if trial.validation else None,
        "error": trial.error[:_REASON] if trial.error else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def of_study(definition: Definition) -> dict[str, Plain]:
    """A study's plain values."""
    data = definition.data
    return {
        "task": definition.task.name,
        "recipe": definition.recipe.name,
        "data_source": data.source,
        FINGERPRINT: data.fingerprint,
        **({TEST_DIGEST: data.test_digest} if data.test_digest is not None else {}),
        "bundled_sample": data.sample,
        "train_rows": data.rows.train,
        "validation_rows": data.rows.validation,
        "test_rows": data.rows.test,
        "seed": definition.seed,
    }


def notes(definition: Definition) -> dict[str, Any]:
    """A study's system attributes: the name of its objective, and its note.

    The note stands as `optuna_dashboard.save_note` writes it: the package is optional.
    """
    return internals.metric_names([_objective(definition)]) | {
        _NOTE_VERSION: 1,
        _NOTE_PART: note(definition)[:_NOTE_LENGTH],
    }


def note(definition: Definition) -> str:
    """What the study is, in Markdown."""
    data, rows = definition.data, definition.data.rows
    arms = [f"- `{arm.name}`" for arm in definition.runnable]
    arms += [f"- `{arm.name}`: refused" for arm in definition.arms if arm.refused is not None]
    shown = "\n".join(arms[:20] + ([f"- and {len(arms) - 20} more"] if len(arms) > 20 else []))
    text = (
        f"## {definition.task.title}\n\n"
        + ("**Bundled sample: its numbers say nothing about the real data.**\n\n")
        * definition.sample
        + f"Objective: {_objective(definition)}. Task `{definition.task.name}`, recipe "
        f"`{definition.recipe.name}`, seed {definition.seed}, created {definition.created}.\n\n"
        f"Data: {data.source}, fingerprint `{data.fingerprint}`; {rows.train:,} training, "
        f"{rows.validation:,} validation and {counted(rows.test, 'test row')}.\n\n"
        f"{shown}\n\n"
        f"The page, with test scores: `{shell.command('report', definition.name)}`\n"
    )
    # The dashboard renders Markdown; a title from a file is not to bring tags with it.
    return text.replace("<", "&lt;")


def _objective(definition: Definition) -> str:
    """What the objective is called in Optuna's plots and tables."""
    return f"validation {METRICS[definition.recipe.objective].label('en')}"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
