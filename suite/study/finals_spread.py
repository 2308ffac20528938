"""How far trainings of one kind lie apart, as other arms or earlier studies know it.

An arm that was trained once can't tell its own spread. Others of its kind may: of its strategy, and
of its model where the strategy has no pretrained one. This study's come first, then those of other
studies in the same storage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import variance
from typing import Any

from pydantic import ValidationError

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Final, KindSpread
from suite.errors import SuiteError
from suite.study import storage
from suite.study.database import Database
from suite.study.readable import attribute
from suite.study.record import FINALS, FINALS_ADAPTER
from suite.verdict.metrics import VALUE

#: A strategy whose models have nothing but their name in common.
_UNLIKE = "classic"


def kind(arm: str) -> str:
    """What of it is compared with others of its kind.

    >>> kind("tiny-bert/linear_head"), kind("fasttext/classic"), kind("qwen/sft+lora")
    ('linear_head', 'fasttext/classic', 'sft')
    """
    strategy = arm.rpartition("/")[2].partition("+")[0]
    return arm.partition("+")[0] if strategy == _UNLIKE else strategy


def of_kinds(
    scores: Mapping[str, list[float]],
    opened: Database,
    study: str,
    wanted: Iterable[str],
    objective: str,
) -> dict[str, KindSpread]:
    """Arm -> the spread of its kind, where that is known.

    Args:
        scores: arm -> the score of each training, of this study's arms whose training is random.
        opened: where other studies stand.
        study: this one's name.
        wanted: arms that were trained once.
        objective: key of the metric that the scores are of; others are of another scale.
    """
    own = {arm: found for arm, found in scores.items() if len(found) > 1}
    missing, spreads = [], {}
    for arm in wanted:
        alike = {other: found for other, found in own.items() if kind(other) == kind(arm)}
        if alike:
            spreads[arm] = _pooled(alike)
        else:
            missing.append(arm)
    # What answers are worth is of another scale in each study.
    asks = bool(missing) and objective != VALUE.key
    elsewhere = _of_others(opened, study, objective) if asks else {}
    for arm in missing:
        found = {
            (name, other): values
            for (name, other), values in elsewhere.items()
            if kind(other) == kind(arm)
        }
        if found:
            alike = {f"{name}:{other}": values for (name, other), values in found.items()}
            spread = _pooled(alike)
            spreads[arm] = KindSpread(
                spread.deviation,
                spread.trainings,
                sorted({other for _, other in found}),
                sorted({name for name, _ in found}),
            )
    return spreads


def _pooled(scores: Mapping[str, list[float]]) -> KindSpread:
    """The standard deviation within arms, each weighed by its degrees of freedom.

    >>> _pooled({"a": [0.8, 0.9], "b": [0.7, 0.7]}).deviation
    0.05
    """
    freedom = sum(len(found) - 1 for found in scores.values())
    squares = sum(variance(found) * (len(found) - 1) for found in scores.values())
    trainings = sum(map(len, scores.values()))
    return KindSpread(round((squares / freedom) ** 0.5, 6), trainings, sorted(scores))


def _of_others(opened: Database, study: str, objective: str) -> dict[tuple[str, str], list[float]]:
    """(study, arm) -> the score of each training, of arms that were trained more than once."""
    found: dict[tuple[str, str], list[float]] = {}
    for name in storage.names(opened):
        if name == study:
            continue
        try:
            stored: Any = attribute(storage.find(opened, name), FINALS)
            finals: list[Final] = FINALS_ADAPTER.validate_python(stored or [])
        except (SuiteError, ValidationError):
            continue  # what can't be read tells nothing
        for final in finals:
            own = final.test.objective.name if final.test.objective else DEFAULT_OBJECTIVE
            if own == objective and len(final.seed_scores) > 1 and not final.deterministic:
                found[name, final.arm] = final.seed_scores
    return found
