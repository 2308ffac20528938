"""Whether the arms of finals find the same test rows hard, by what their models answered."""

from __future__ import annotations

from collections.abc import Sequence

from suite.contracts.alike import Alike
from suite.study.probabilities import Reader
from suite.verdict.alike import alike, losses


def of_arms(arms: Sequence[str], reader: Reader) -> list[Alike]:
    """Of arms whose models' answers to test are kept, all pairs, and each with itself.

    Args:
        arms: of the finals.
        reader: of what they answered.
    """
    answered = {arm: reader.left(arm).test for arm in arms}
    return alike(
        {
            arm: [losses(one.probabilities, one.rows.labels) for one in answers]
            for arm, answers in answered.items()
        }
    )
