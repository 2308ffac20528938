"""What arms cost, as rows of a table: those on the leaderboard first, in its order."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.money import ArmMoney
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.rows import Leaderboard
from suite.report.words import Words


@dataclass(frozen=True)
class MoneyRow:
    """An arm's amounts, as they are shown; `score` is what the leaderboard ranks by."""

    of: ArmMoney
    score: float | None
    training: str
    training_interval: str
    search: str
    per_million: str
    per_million_interval: str


def money_rows(results: StudyResults, board: Leaderboard, words: Words) -> tuple[MoneyRow, ...]:
    """The table's rows; none where no price is set."""
    if results.money is None:
        return ()
    scores = {row.arm: board.score.of(row) for row in board.rows}
    order = {arm: place for place, arm in enumerate(scores)}
    arms = sorted(results.money.arms, key=lambda one: order.get(one.arm, len(order)))
    return tuple(_row(arm, scores.get(arm.arm), words) for arm in arms)


def money_intro(results: StudyResults, words: Words) -> str:
    """By which prices the amounts are, and what they are of."""
    found = results.money
    if found is None:
        return ""
    hour = f"{formats.quantity(found.per_hour)} {found.currency}"
    return words.sentences(
        [
            "" if found.per_hour is None else words("money_hour", hour=hour),
            words("money_intro"),
            "" if found.search_whole else words("money_least"),
        ]
    )


def money_told(results: StudyResults, words: Words) -> list[str]:
    """From how many texts a day a machine of one's own pays, server by server."""
    return [
        words.sentences(
            [
                words(
                    f"money_{one.pays}",
                    own=formats.name(one.own),
                    asked=formats.name(one.asked),
                    texts=formats.quantity(one.texts_a_day),
                    most=formats.quantity(one.most_a_day),
                ),
                words("money_repaid", texts=formats.quantity(one.repaid_after))
                if one.repaid_after is not None and one.pays != "never"
                else "",
            ]
        )
        for one in (results.money.break_even if results.money else ())
    ]


def _row(arm: ArmMoney, score: float | None, words: Words) -> MoneyRow:
    def span(ends: tuple[float, float] | None) -> str:
        return f"{formats.quantity(ends[0])}–{formats.quantity(ends[1])}" if ends else ""

    training, texts = arm.training, arm.per_million
    least = "" if arm.search_whole or arm.search is None else "≥ "
    return MoneyRow(
        of=arm,
        score=score,
        training=formats.quantity(training.value if training else None),
        training_interval=span(training.interval if training else None),
        search=least + formats.quantity(arm.search),
        per_million=formats.quantity(texts.value) if texts else words(f"money_no_{arm.missing}"),
        per_million_interval=span(texts.interval if texts else None),
    )
