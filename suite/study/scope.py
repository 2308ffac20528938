"""How well the arms of finals tell texts that fit no class from those that do, where their task
names the class of such texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from suite.contracts.results import Final
from suite.contracts.scope import OutOfScope
from suite.study.definition import Definition
from suite.study.probabilities import Answers, Reader
from suite.verdict import out_of_scope
from suite.verdict.out_of_scope import Scored


def with_scope(finals: Sequence[Final], definition: Definition, reader: Reader) -> list[Final]:
    """Finals that say so; as they are where the task names no such class, or what their models
    answered is not kept.

    Args:
        reader: of what they answered.
    """
    label = definition.task.out_of_scope
    if label is None:
        return list(finals)
    outside = definition.task.label_names.index(label)
    return [replace(one, out_of_scope=_of_arm(one.arm, reader, outside)) for one in finals]


def _of_arm(arm: str, reader: Reader, outside: int) -> OutOfScope | None:
    answers = reader.left(arm)
    if answers.unseen is None or not answers.test:
        return None
    return out_of_scope.judged(_scored(answers.unseen), [_scored(t) for t in answers.test], outside)


def _scored(answers: Answers) -> Scored:
    return Scored(answers.calibrated, answers.rows.labels)
