"""The answer in a sentence or two: which arm, how sure, at what cost, and what to doubt first.

Whatever would mislead a reader who stops after one sentence (a sample instead of real data,
families that never ran, bounds nobody meets) is said before the winner is named. Arms whose
difference could be chance are named together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suite.report import formats
from suite.report.rows import (
    METRICS,
    Basis,
    Leaderboard,
    LeaderboardRow,
    bounds_of,
    extreme,
    missing_families,
    significantly_better,
)
from suite.report.words import Words
from suite.results import StudyResults

#: Arms of a tie that are named; the rest are counted and stand in the table.
NAMED = 6
#: An arm below this share of the winner's score is not told of as faster or cheaper.
USEFUL = 0.5


@dataclass(frozen=True)
class Answer:
    """What the page opens with.

    `leaders` are the arms that cannot be told apart at the top (one: the winner), best score
    first; `fastest` and `cheapest` are arms among them, or None where not measured.
    """

    basis: Basis
    leaders: tuple[str, ...]
    fastest: str | None
    cheapest: str | None
    caveats: tuple[str, ...]
    verdict: str
    notes: tuple[str, ...]
    text: str


def answer(results: StudyResults, board: Leaderboard, words: Words) -> Answer:
    """The answer to "which text classifier?", in the words' language."""
    within = [row for row in board.rows if row.feasible]
    bounded = bool(within) and len(within) < len(board.rows)
    leaders = _leaders(results, board, within or list(board.rows))
    caveats = _caveats(results, board, words, feasible=bool(within))
    verdict = _verdict(board, leaders, words, bounded=bounded)
    if bounded:
        verdict = words("answer_within", bounds=bounds_text(bounds_of(results), words)) + verdict
    notes = [_costs_note(board, leaders, within, words)]
    if any(row.stale for row in board.rows):
        notes.append(words("answer_stale"))
    if results.test_openings > 1:
        notes.append(words("answer_openings", n=results.test_openings))
    notes = [note for note in notes if note]
    fastest = extreme(leaders, METRICS["offline_rps"])
    cheapest = extreme(leaders, METRICS["train_seconds"])
    return Answer(
        basis=board.basis,
        leaders=tuple(row.arm for row in leaders),
        fastest=fastest.arm if fastest else None,
        cheapest=cheapest.arm if cheapest else None,
        caveats=tuple(caveats),
        verdict=verdict,
        notes=tuple(notes),
        text=words.sentences([*caveats, verdict, *notes]),
    )


def bounds_text(bounds: dict[str, float], words: Words) -> str:
    """The bounds of a recipe as a phrase."""
    parts = []
    for name, value in bounds.items():
        if name == "min_rps":
            parts.append(words("bound_min_rps", value=formats.quantity(value)))
        elif name == "max_train_seconds":
            parts.append(words("bound_max_train_seconds", value=formats.duration(value, words)))
        else:
            parts.append(words("bound_other", name=name, value=formats.plain(value)))
    return words.join(parts) or words("missing")


def _leaders(
    results: StudyResults, board: Leaderboard, among: Sequence[LeaderboardRow]
) -> list[LeaderboardRow]:
    """The arms among these that none of these significantly beats, best score first."""
    if board.basis != "test":
        return list(among[:1])
    ranked = [row for row in among if row.rank is not None]
    if ranked and len(ranked) == sum(row.rank is not None for row in board.rows):
        return [row for row in ranked if row.rank == 1] or ranked[:1]
    # Ranks count every arm, also those out of bounds: among the rest, the pairs decide.
    better = significantly_better(results)
    return [row for row in ranked if not any(better(other, row) for other in ranked)]


def _caveats(
    results: StudyResults, board: Leaderboard, words: Words, *, feasible: bool
) -> list[str]:
    caveats = []
    if results.sample:
        caveats.append(words("answer_sample", title=results.title or results.task))
    families, count = missing_families(results, board)
    if families:
        names = words.join([words(f"family_{family}") for family in families], "or")
        caveats.append(words("answer_missing", families=names, n=count))
    if board.rows and not feasible:
        bounds = bounds_text(bounds_of(results), words)
        caveats.append(words("answer_infeasible", bounds=bounds))
    return caveats


def _verdict(
    board: Leaderboard, leaders: Sequence[LeaderboardRow], words: Words, *, bounded: bool
) -> str:
    if not leaders:
        return words("answer_nothing")
    first = leaders[0]
    if board.basis == "validation":
        f1 = formats.short_score(first.validation_macro_f1)
        return words("answer_validation", arm=first.arm, f1=f1, costs=_costs(first, words))
    if len(leaders) == 1:
        tested = sum(row.test_macro_f1 is not None for row in board.rows)
        key = "answer_only" if tested == 1 else "answer_single"
        return words(key, arm=first.arm, f1=_score(first, words), costs=_costs(first, words))
    shown = list(leaders) if len(leaders) <= NAMED else list(leaders[: NAMED - 1])
    more = [words("answer_more", n=len(leaders) - len(shown))] if len(leaders) > NAMED else []
    members = [
        _member(row, words, "answer_member" if row is first else "answer_member_next")
        for row in shown
    ]
    return words("answer_tie_within" if bounded else "answer_tie", arms=words.join(members + more))


def _member(row: LeaderboardRow, words: Words, key: str) -> str:
    """An arm of a tie with its score; the first spells out what the numbers are."""
    low, high = row.test_interval or (None, None)
    return words(
        key,
        arm=row.arm,
        f1=formats.short_score(row.test_macro_f1),
        low=formats.short_score(low),
        high=formats.short_score(high),
    )


def _score(row: LeaderboardRow, words: Words) -> str:
    f1 = formats.short_score(row.test_macro_f1)
    if row.test_interval is None:
        return f1
    low, high = (formats.short_score(bound) for bound in row.test_interval)
    return words("answer_interval", f1=f1, low=low, high=high)


def _costs(row: LeaderboardRow, words: Words) -> str:
    parts = []
    if row.train_seconds is not None:
        parts.append(words("answer_trained", time=formats.duration(row.train_seconds, words)))
    if row.offline_rps is not None:
        parts.append(words("answer_serves", rps=formats.rate(row.offline_rps, words)))
    comma = ", " if words.language == "en" else "，"
    return "".join(comma + part for part in parts)


def _costs_note(
    board: Leaderboard,
    leaders: Sequence[LeaderboardRow],
    within: Sequence[LeaderboardRow],
    words: Words,
) -> str:
    """Within a tie: who is fastest and who is cheapest. Beside a winner: who beats it on cost."""
    speed, time = METRICS["offline_rps"], METRICS["train_seconds"]
    if len(leaders) > 1:
        fast, cheap = extreme(leaders, speed), extreme(leaders, time)
        if fast is not None and cheap is not None:
            key = "answer_tie_both" if fast is cheap else "answer_tie_fast_cheap"
        elif fast is not None:
            key = "answer_tie_fast"
        elif cheap is not None:
            key = "answer_tie_cheap"
        else:
            return ""
        return words(
            key,
            arm=fast.arm if fast else "",
            fast=fast.arm if fast else "",
            cheap=cheap.arm if cheap else "",
            rps=formats.rate(speed.of(fast) if fast else None, words),
            time=formats.duration(time.of(cheap) if cheap else None, words),
        )
    if not leaders:
        return ""
    # An arm that is hardly better than guessing is no bargain, whatever it saves.
    least = USEFUL * (board.score.of(leaders[0]) or 0.0)
    rivals = [row for row in within or board.rows if (board.score.of(row) or 0.0) >= least]
    fast, cheap = extreme(rivals, speed), extreme(rivals, time)
    if fast is leaders[0] or speed.of(leaders[0]) is None:
        fast = None
    if cheap is leaders[0] or time.of(leaders[0]) is None:
        cheap = None

    def told(key: str, row: LeaderboardRow) -> str:
        return words(
            key,
            arm=row.arm,
            fast=row.arm,
            cheap=row.arm,
            rps=formats.rate(speed.of(row), words),
            time=formats.duration(time.of(row), words),
            f1=formats.short_score(board.score.of(row)),
        )

    if fast is not None and fast is cheap:
        return told("answer_rival_both", fast)
    return words.sentences(
        [
            told("answer_rival_fast", fast) if fast else "",
            told("answer_rival_cheap", cheap) if cheap else "",
        ]
    )
