"""Results as a page may show them: without where things lay on the machine they come from.

What a page shows of paths is what messages, commands and circumstances say; names of classes and
texts of the data are never touched, whatever they look like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from suite.contracts.results import Arm, StudyResults, Trial
from suite.contracts.speeds import BenchRow
from suite.report.formats import pathless


def placeless(results: StudyResults) -> StudyResults:
    """The same results; of each absolute path only its last name is left."""
    audit = results.data.audit
    if audit is not None:
        audit = replace(audit, warnings=[pathless(warning) for warning in audit.warnings])
    return replace(
        results,
        task=pathless(results.task),
        recipe=pathless(results.recipe),
        command=pathless(results.command),
        environment=_facts(results.environment),
        data=replace(results.data, source=pathless(results.data.source), audit=audit),
        arms=[_arm(arm) for arm in results.arms],
        trials=[_trial(trial) for trial in results.trials],
        bench=[_bench(row) for row in results.bench],
        unread=[pathless(line) for line in results.unread],
    )


def _arm(arm: Arm) -> Arm:
    return replace(arm, refused=_said(arm.refused), retired=_said(arm.retired))


def _trial(trial: Trial) -> Trial:
    if trial.error is None and not trial.circumstances:
        return trial
    return replace(trial, error=_said(trial.error), circumstances=_facts(trial.circumstances))


def _bench(row: BenchRow) -> BenchRow:
    return replace(row, reason=_said(row.reason), note=pathless(row.note))


def _said(text: str | None) -> str | None:
    return None if text is None else pathless(text)


def _facts(value: Any) -> Any:
    """JSON values with every text in them told without its paths; keys stay."""
    if isinstance(value, str):
        return pathless(value)
    if isinstance(value, Mapping):
        return {key: _facts(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_facts(inner) for inner in value]
    return value
