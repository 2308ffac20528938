"""The answer in a sentence or two: which arm, how sure, at what cost, and what to doubt first.

Whatever would mislead a reader who stops after one sentence (a sample instead of real data,
families that never ran, bounds nobody meets) is said before the winner is named. Arms whose
difference could be chance are named together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.rows import (
    METRICS,
    Leaderboard,
    LeaderboardRow,
    bounds_of,
    extreme,
    missing_families,
)
from suite.report.words import Words
from suite.verdict.standing import Basis

#: Arms of a tie that are named; the rest are counted and stand in the table.
NAMED = 6
#: An arm below this share of the winner's score is not told of as faster or cheaper.
USEFUL = 0.5


@dataclass(frozen=True)
class Answer:
    """What the page opens with.

    `leaders` are the arms that cannot be told apart at the top (one: the winner), best score
    first; `fastest` and `cheapest` are arms among them, or None where not measured. `second` has
    the next best score after the first, and `thrift` is the cheapest useful arm to train of all.
    `recommendation` says which arm to take; empty where there is none.
    """

    basis: Basis
    leaders: tuple[str, ...]
    fastest: str | None
    cheapest: str | None
    second: str | None
    thrift: str | None
    caveats: tuple[str, ...]
    verdict: str
    notes: tuple[str, ...]
    recommendation: str
    text: str


def answer(results: StudyResults, board: Leaderboard, words: Words) -> Answer:
    """The answer to "which text classifier?", in the words' language."""
    among = board.contenders
    leaders = [row for row in among if row.arm in board.standing.leaders]
    outside = out_of_bounds(results, board, words)
    bounded = not outside and not all(row.feasible for row in board.rows)
    caveats = _caveats(results, board, words, outside)
    second = among[1] if len(among) > 1 else None
    thrift = _cheapest(board, leaders, among)
    verdict = _verdict(board, leaders, second, words, bounded=bounded)
    if bounded:
        verdict = words("answer_within", bounds=bounds_text(bounds_of(results), words)) + verdict
    recommended = recommendation(board, words)
    notes = [_costs_note(board, leaders, second, thrift, words)]
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
        second=second.arm if second else None,
        thrift=thrift.arm if thrift else None,
        caveats=tuple(caveats),
        verdict=verdict,
        notes=tuple(notes),
        recommendation=recommended,
        text=words.sentences([*caveats, verdict, *notes, recommended]),
    )


def out_of_bounds(results: StudyResults, board: Leaderboard, words: Words) -> str:
    """That no arm meets the bounds; empty where one does."""
    verdict = board.standing.verdict
    if verdict is None or verdict.within_bounds:
        return ""
    return words("answer_infeasible", bounds=bounds_text(bounds_of(results), words))


def recommendation(board: Leaderboard, words: Words) -> str:
    """Which arm to take, and why that one; empty where nothing has finished."""
    verdict = board.standing.verdict
    if verdict is None:
        return ""
    row = board.row(verdict.recommended)
    cheaper = verdict.recommended != verdict.best
    key = "other" if cheaper else "best" if verdict.reason == "cheapest" else verdict.reason
    told = words(
        f"recommended_{key}",
        arm=verdict.recommended,
        best=verdict.best,
        rps=formats.rate(row.offline_rps if row else None, words),
        margin=formats.gap(verdict.margin),
    )
    if cheaper and verdict.could_be_below_by is not None:
        told += words("recommended_below", gap=formats.gap(verdict.could_be_below_by))
    return told + words("end")


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


def _caveats(results: StudyResults, board: Leaderboard, words: Words, outside: str) -> list[str]:
    caveats = []
    if results.sample:
        caveats.append(words("answer_sample", title=results.title or results.task))
    families, count = missing_families(results, board)
    if families:
        names = words.join([words(f"family_{family}") for family in families], "or")
        caveats.append(words("answer_missing", families=names, arms=count))
    return [*caveats, outside] if outside else caveats


def _verdict(
    board: Leaderboard,
    leaders: Sequence[LeaderboardRow],
    second: LeaderboardRow | None,
    words: Words,
    *,
    bounded: bool,
) -> str:
    if not leaders:
        return words("answer_nothing")
    first = leaders[0]
    if board.basis == "validation":
        f1 = formats.short_score(first.validation_macro_f1)
        if second is None:
            key = "answer_validation_only_within" if bounded else "answer_validation_only"
            return words(key, arm=first.arm, f1=f1)
        gap = formats.gap(_gap(board, first, second))
        return words("answer_validation", arm=first.arm, f1=f1, gap=gap, second=second.arm)
    if len(leaders) == 1:
        if second is None:
            key = "answer_only_within" if bounded else "answer_only"
            return words(key, arm=first.arm, f1=_score(first, words))
        return words(
            "answer_single",
            arm=first.arm,
            f1=_score(first, words),
            gap=formats.gap(_gap(board, first, second)),
            second=second.arm,
            chance=_chance(board, first, second, words),
        )
    shown = list(leaders) if len(leaders) <= NAMED else list(leaders[: NAMED - 1])
    more = [words("answer_more", n=len(leaders) - len(shown))] if len(leaders) > NAMED else []
    members = [
        _member(row, words, "answer_member" if row is first else "answer_member_next")
        for row in shown
    ]
    return words(
        "answer_tie_within" if bounded else "answer_tie",
        arms=words.join(members + more),
        gap=formats.gap(_gap(board, first, leaders[1])),
        second=leaders[1].arm,
        chance=_chance(board, first, leaders[1], words),
    )


def _gap(board: Leaderboard, first: LeaderboardRow, second: LeaderboardRow) -> float:
    return (board.score.of(first) or 0.0) - (board.score.of(second) or 0.0)


def _chance(board: Leaderboard, first: LeaderboardRow, second: LeaderboardRow, words: Words) -> str:
    """Whether the first's lead is more than chance, with the p-value where the pair has one."""
    real = board.standing.beats(first.arm, second.arm)
    p = board.standing.p(first.arm, second.arm)
    if p is None:
        return words("more_than_chance" if real else "could_be_chance")
    key = "more_than_chance_p" if real else "could_be_chance_p"
    return words(key, p=formats.p_told(p))


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


def _costs_note(
    board: Leaderboard,
    leaders: Sequence[LeaderboardRow],
    second: LeaderboardRow | None,
    cheapest: LeaderboardRow | None,
    words: Words,
) -> str:
    """What the winner costs beside the runner-up and the cheapest; in a tie, who costs least."""
    if not leaders:
        return ""
    if len(leaders) > 1:
        clauses = [_tie_costs(leaders, words)]
        if cheapest is not None and cheapest not in leaders:
            clauses.append(_cheapest_of_all(board, leaders[0], cheapest, words))
    else:
        clauses = [_own_costs(leaders[0], words)]
        if second is not None and second is not cheapest:
            clauses.append(_against(leaders[0], second, words, "answer_against_second"))
        if cheapest is leaders[0] and second is not None:
            clauses.append(words("answer_is_cheapest"))
        elif cheapest is not None and cheapest is not leaders[0]:
            gap = formats.gap(_gap(board, leaders[0], cheapest))
            both = cheapest is second
            key = "answer_against_both" if both else "answer_against_cheapest"
            clauses.append(_against(leaders[0], cheapest, words, key, gap=gap))
    clauses = [clause for clause in clauses if clause]
    return words("semicolon").join(clauses) + words("end") if clauses else ""


def _own_costs(row: LeaderboardRow, words: Words) -> str:
    time = formats.duration(row.train_seconds, words)
    rps = formats.rate(row.offline_rps, words)
    if row.train_seconds is None:
        return "" if row.offline_rps is None else words("answer_serves", rps=rps)
    if row.offline_rps is None:
        return words("answer_trained", time=time)
    return words("answer_costs", time=time, rps=rps)


def _against(
    first: LeaderboardRow, other: LeaderboardRow, words: Words, key: str, **more: str
) -> str:
    """The first's training time and speed as multiples of another arm's."""
    parts = []
    if first.train_seconds is not None and other.train_seconds:
        times = formats.times(first.train_seconds / other.train_seconds)
        parts.append(words("answer_times_training", times=times))
    if first.offline_rps is not None and other.offline_rps:
        times = formats.times(first.offline_rps / other.offline_rps)
        parts.append(words("answer_times_speed", times=times))
    return words(key, arm=other.arm, costs=words("costs_and").join(parts), **more) if parts else ""


def _tie_costs(leaders: Sequence[LeaderboardRow], words: Words) -> str:
    speed, time = METRICS["offline_rps"], METRICS["train_seconds"]
    fast, cheap = extreme(leaders, speed), extreme(leaders, time)
    if fast is not None and cheap is not None:
        key = "answer_tie_both" if fast is cheap else "answer_tie_fast_cheap"
    elif fast is not None:
        key = "answer_tie_fast"
    elif cheap is not None:
        key = "answer_tie_cheap"
    else:
        return ""
    told = words(
        key,
        arm=fast.arm if fast else "",
        fast=fast.arm if fast else "",
        cheap=cheap.arm if cheap else "",
        rps=formats.rate(speed.of(fast) if fast else None, words),
        time=formats.duration(time.of(cheap) if cheap else None, words),
    )
    # What taking the highest score instead would cost.
    first = leaders[0]
    if cheap is not None and first is not cheap:
        told += _against(first, cheap, words, "answer_tie_instead", leader=first.arm)
    return told


def _cheapest_of_all(
    board: Leaderboard, first: LeaderboardRow, cheapest: LeaderboardRow, words: Words
) -> str:
    return words(
        "answer_rival_cheap",
        cheap=cheapest.arm,
        time=formats.duration(cheapest.train_seconds, words),
        rps=formats.rate(cheapest.offline_rps, words),
        gap=formats.gap(_gap(board, first, cheapest)),
    )


def _cheapest(
    board: Leaderboard, leaders: Sequence[LeaderboardRow], among: Sequence[LeaderboardRow]
) -> LeaderboardRow | None:
    """The arm that is cheapest to train among those that are of use."""
    if not leaders:
        return None
    # An arm that is hardly better than guessing is no bargain, whatever it saves.
    least = USEFUL * (board.score.of(leaders[0]) or 0.0)
    return extreme(
        [row for row in among if (board.score.of(row) or 0.0) >= least], METRICS["train_seconds"]
    )
