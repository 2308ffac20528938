"""How well the arms of finals tell texts that fit no class from those that do, where their task
names the class of such texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from suite.contracts.results import Final
from suite.contracts.scope import ScopeScore
from suite.study.definition import Definition
from suite.study.probabilities import Answers, Reader
from suite.verdict import out_of_scope
from suite.verdict.out_of_scope import Scored


def with_scope(
    finals: Sequence[Final],
    definition: Definition,
    reader: Reader,
    belonging: Callable[[str], Mapping[ScopeScore, Sequence[float]]] = lambda arm: {},
) -> list[Final]:
    """Finals that say so; as they are where the task names no such class, or what their models
    answered is not kept.

    Args:
        reader: of what they answered.
        belonging: of an arm, how much each validation text seems to belong to any class, beside
            its probabilities.
    """
    outside = definition.task.outside
    if outside is None:
        return list(finals)
    rows = definition.data.rows.validation
    found = []
    for one in finals:
        answers = reader.left(one.arm)
        judged = None
        if answers.unseen is not None and answers.test:
            beside = belonging(one.arm)
            # Scores are compared on the same rows: over folds, others are answered too.
            unseen = answers.unseen.last(rows, "validation") if beside else answers.unseen
            judged = out_of_scope.judged(
                _scored(unseen, beside),
                [_scored(answer, answer.belongs) for answer in answers.test],
                outside,
                [_scored(answer, answer.belongs) for answer in answers.calibration],
            )
        found.append(replace(one, out_of_scope=judged))
    return found


def _scored(answers: Answers, beside: Mapping[ScopeScore, Sequence[float]]) -> Scored:
    further = {score: np.asarray(own, np.float64) for score, own in beside.items()}
    return Scored(answers.calibrated, answers.rows.labels, further)
