"""The sentence about arms that name one class far more often than it occurs, and what helps."""

from __future__ import annotations

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.rows import Leaderboard
from suite.report.words import Words
from suite.verdict.leaning import leaning

#: Strategies that are told what helps them; the others learn too little.
_ASKED = "zero_shot"


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
    kinds = {arm.partition("/")[2].partition("+")[0] == _ASKED for arm, _ in found}
    helps = [
        words("leans_help_asked" if asked else "leans_help_trained") for asked in sorted(kinds)
    ]
    return words("leans", arms=words.join(arms), helps=words.sentences(helps))
