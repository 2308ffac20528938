"""When arms' models answer alone, as rows and sentences: on the page, in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suite.report import formats
from suite.report.words import Words

if TYPE_CHECKING:
    from suite.contracts.deciding import Decision, Tried


@dataclass(frozen=True)
class DecidedRow:
    """An arm's line: shares as per cent, `MISSING` where there is none.

    Args:
        answers: of texts that it answers alone, by the rows that speak for it.
        wrong: of these that are wrong there.
        at_most: that may be wrong, by these rows.
        test_answers: of test, by which nothing was chosen.
        test_wrong: of these that are wrong.
        saved: worth of its answers beyond passing every text on, per 100 texts.
        ground: why it answers there, in a word.
    """

    arm: str
    answers: str
    wrong: str
    at_most: str
    threshold: str
    test_answers: str
    test_wrong: str
    saved: str
    ground: str


def decided_row(decision: Decision, words: Words) -> DecidedRow:
    """A decision as a line of a table."""
    test = decision.test
    return DecidedRow(
        decision.arm,
        formats.percent(decision.found.coverage),
        formats.percent(decision.found.error),
        formats.percent(decision.bound),
        formats.MISSING if decision.threshold is None else f"{decision.threshold:.4f}",
        formats.percent(test.coverage) if test else formats.MISSING,
        formats.percent(test.error) if test else formats.MISSING,
        formats.MISSING if decision.saved is None else f"{decision.saved:+.1f}",
        words(f"decided_{decision.ground}"),
    )


def decided_sentences(decision: Decision, words: Words) -> list[str]:
    """What is known of a decision, in sentences: what it does, on what ground, what test says."""
    said = _does(decision, words)
    if decision.threshold is not None and decision.ground != "worth":
        said.append(words(f"decided_{decision.ground}_more", rows=decision.found.rows))
    if decision.ground == "certified" and decision.threshold is None:
        said.append(words("decided_tried", rows=decision.found.rows))
    if decision.test is not None and decision.test.answered:
        said.append(_on(decision.test, words))
        if decision.max_wrong is not None:
            share = formats.percent(decision.test.wrong / decision.test.rows)
            said.append(words("decided_test_of_all", share=share))
    if decision.saved is not None:
        said.append(words("decided_saves", saved=f"{decision.saved:+.1f}"))
    moved = decision.moved
    if moved is not None:
        said.append(
            words(
                "decided_moved" if moved.kept else "decided_not_moved",
                before=formats.score(moved.macro_f1),
                after=formats.score(moved.crossed),
            )
        )
        if moved.kept and moved.test_after is not None:
            before, after = formats.score(moved.test_before), formats.score(moved.test_after)
            said.append(words("decided_moved_test", before=before, after=after))
    sets = decision.sets
    if sets is not None and sets.holds is not None and sets.size is not None:
        said.append(
            words(
                "decided_sets",
                coverage=formats.whole_or_more(sets.coverage),
                holds=formats.percent(sets.holds),
                size=f"{sets.size:.2f}",
            )
        )
    return said


def _does(decision: Decision, words: Words) -> list[str]:
    arm = decision.arm
    if decision.max_wrong is not None:
        most = formats.whole_or_more(decision.max_wrong)
        if decision.threshold is not None:
            share = formats.whole_percent(decision.found.coverage)
            return [words("decided_answers_of_all", arm=arm, share=share, most=most)]
        none = words("decided_none_of_all", arm=arm, most=most)
        if decision.enough_rows is None:
            return [none]
        return [none, words("decided_enough_of_all", rows=decision.enough_rows)]
    if decision.max_error is None or decision.confidence is None:
        at = decision.threshold
        if at is None:
            return [words("decided_by_pairs", arm=arm)]
        return [words("decided_by_value", arm=arm, threshold=f"{at:.3g}")]
    limits = {
        "most": formats.whole_or_more(decision.max_error),
        "confidence": formats.whole_or_more(decision.confidence),
    }
    if decision.threshold is not None:
        share = formats.whole_percent(decision.found.coverage)
        return [words("decided_answers", arm=arm, share=share, **limits)]
    none = words("decided_none", arm=arm, **limits)
    if decision.enough_rows is None:
        return [none, words("decided_never")]
    return [none, words("decided_enough", rows=decision.enough_rows)]


def _on(test: Tried, words: Words) -> str:
    share, wrong = formats.percent(test.coverage), formats.percent(test.error)
    return words("decided_test", share=share, wrong=wrong)
