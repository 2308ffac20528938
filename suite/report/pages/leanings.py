"""The sentence about arms that name one class far more often than it occurs, and what helps."""

from __future__ import annotations

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.rows import Leaderboard
from suite.report.words import Words
from suite.verdict.leaning import leaning

#: The strategy, and of its models the family, that are told what helps them; all else learns too
#: little.
_ASKED, _DECISION = "zero_shot", "decision"


def leanings(results: StudyResults, board: Leaderboard, words: Words) -> str:
    """Which arms lean towards a class on validation, and what would help; "" where none does."""
    found = [
        (place.arm, lean)
        for place in board.standing.places
        if place.validation
        and (lean := leaning(place.validation.confusion, place.validation.unanswered))
    ]
    if not found:
        return ""
    arms = [
        words(
            "leans_arm",
            arm=formats.name(arm),
            label=formats.name(results.labels[lean.label]),
            named=formats.percent(lean.named),
            occurs=formats.percent(lean.occurs),
        )
        for arm, lean in found
    ]
    families = {arm.arm: arm.family for arm in results.arms}

    def help_of(arm: str) -> str:
        if arm.partition("/")[2].partition("+")[0] != _ASKED:
            return words("leans_help_trained")
        if families.get(arm) == _DECISION:
            return words("leans_help_decided")
        return words("leans_help_asked")

    helps = sorted({help_of(arm) for arm, _ in found})
    return words("leans", arms=words.join(arms), helps=words.sentences(helps))
