"""Combinations of arms as sentences: what each is made of, and what it was chosen by."""

from __future__ import annotations

from suite.contracts.combination import Combination
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.words import Words


def combined_sentences(results: StudyResults, words: Words) -> list[str]:
    """Sentences on the combinations that the finals rank; none where there are none."""
    made = [(final.arm, final.combined) for final in results.finals if final.combined is not None]
    if not made:
        return []
    return [*(_made_of(arm, one, words) for arm, one in made), words("combined_time")]


def _made_of(arm: str, made: Combination, words: Words) -> str:
    chosen = words(
        "combined_chosen",
        rows=made.rows,
        held_out=formats.score(made.held_out),
        alone=formats.score(made.best_alone),
    )
    names = [member.arm for member in made.members]
    if made.threshold is not None:
        what = words(
            "combined_cascade",
            arm=arm,
            first=names[0],
            threshold=formats.plain(round(made.threshold, 3)),
            share=formats.percent(made.answered_first),
            second=names[1],
        )
    else:
        members = [
            words("combined_member", arm=member.arm, weight=formats.percent(member.weight))
            for member in made.members
        ]
        what = words("combined_ensemble", arm=arm, members=words.join(members))
    return words.sentences([what, chosen])
