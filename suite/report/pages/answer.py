"""The answer: which arm to take, what it gives, what the best would add and cost, how sure it is.

Whatever would mislead a reader who stops after one sentence (a sample instead of real data,
families that never ran, bounds nobody meets) is said before the arm is named. Arms whose difference
could be chance are named together. A number in a sentence is the value of a cell of the leaderboard
or of the comparisons, written by the same function, or the difference or ratio of two such values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.absences import missing_families
from suite.report.data.balanced import balanced_told
from suite.report.data.rows import (
    METRICS,
    Leaderboard,
    LeaderboardRow,
    bounds_of,
    extreme,
)
from suite.report.data.slices import weak_slice
from suite.report.pages.leanings import leanings
from suite.report.pages.read_tokens import read_tokens
from suite.report.pages.trainings import basis_of
from suite.report.words import Words
from suite.verdict.metrics import MACRO_F1
from suite.verdict.metrics import METRICS as SCORES
from suite.verdict.standing import Basis

#: Arms of a tie that are named; the rest are counted and stand in the table.
NAMED = 6
#: An arm below this share of the best score is not told of as faster or cheaper.
USEFUL = 0.5
#: Changes of scores below this are told together.
WORTH_NAMING = 0.001


@dataclass(frozen=True)
class Answer:
    """What the page opens with.

    `take` says which arm to take, `reasons` what it gives and what others would add, save and
    cost; both are empty where nothing has finished. `verdict` is how the arms compare, `notes`
    how far that holds. `leaders` are the arms that cannot be told apart at the top (one: the
    winner), best score first; `second` has the next best score after the first, and `thrift` is
    the cheapest to train of those that are chosen among and score half as much as the best.
    """

    basis: Basis
    leaders: tuple[str, ...]
    second: str | None
    thrift: str | None
    caveats: tuple[str, ...]
    take: str
    reasons: tuple[str, ...]
    verdict: str
    notes: tuple[str, ...]
    text: str


def chosen_of(board: Leaderboard, words: Words) -> str:
    """What the best of several trials scored on validation, beside test: the choice flatters the
    former; "" where nothing was chosen, or test is not known."""
    arms = [
        words(
            "chosen_of_arm",
            arm=formats.name(row.arm),
            n=row.chosen_among or 0,
            validation=formats.score(row.validation_score),
            test=formats.score(row.test_score),
        )
        for row in board.rows
        if (row.chosen_among or 0) > 1
        and row.test_score is not None
        and row.validation_score is not None
    ]
    return words("chosen_of", arms=words.join(arms)) if arms else ""


def without_near(results: StudyResults, words: Words) -> str:
    """What arms score without the test rows that train nearly holds; "" where there are none."""
    found = [(f, f.test_without_near_duplicates) for f in results.finals]
    known = [(final, far) for final, far in found if far is not None]
    if not known:
        return ""
    most = max(abs(far.objective.value - final.test.score) for final, far in known)
    if most < WORTH_NAMING:
        count = known[0][1].left_out
        return words("near_left_out_little", n=count, most=formats.plain(WORTH_NAMING))
    arms = [
        words(
            "near_left_out_arm",
            arm=formats.name(final.arm),
            score=formats.score(far.objective.value),
            whole=formats.score(final.test.score),
        )
        for final, far in known
    ]
    return words("near_left_out", n=known[0][1].left_out, arms=words.join(arms))


def opened_elsewhere(results: StudyResults, words: Words) -> str:
    """Which other studies have opened the same test split; "" where none has."""
    if not results.test_opened_in:
        return ""
    return words(
        "answer_opened_elsewhere",
        n=results.test_openings_of_split,
        studies=words.join([formats.name(study) for study in results.test_opened_in]),
    )


def answer(results: StudyResults, board: Leaderboard, words: Words) -> Answer:
    """The answer to "which text classifier?", in the words' language."""
    words = words.about(results.objective)
    among = board.contenders
    leaders = [row for row in among if row.arm in board.standing.leaders]
    outside = out_of_bounds(results, board, words)
    bounded = not outside and not all(row.feasible for row in board.rows)
    second = among[1] if len(among) > 1 else None
    cheap = extreme(useful(board), METRICS["train_seconds"])
    caveats = _caveats(results, board, words, outside)
    verdict = _verdict(board, leaders, second, words, bounded=bounded)
    if bounded:
        verdict = words("answer_within", bounds=bounds_text(bounds_of(results), words)) + verdict
    notes = [recommendation(board, words), *basis_of(results, board, words)]
    if any(row.stale for row in board.rows):
        notes.append(words("answer_stale"))
    looks = max((final.looks for final in results.finals), default=1)
    if looks > 1:
        notes.append(words("answer_looks", n=looks))
    elif results.test_openings > 1:
        notes.append(words("answer_openings", n=results.test_openings))
    notes += [
        opened_elsewhere(results, words),
        without_near(results, words),
        weak_slice(results, words),
        *balanced_told(results, words),
        leanings(results, board, words),
        read_tokens(results, board, words),
    ]
    notes = [note for note in notes if note]
    take, reasons = _advice(board, cheap, words, bounded=bounded)
    return Answer(
        basis=board.basis,
        leaders=tuple(row.arm for row in leaders),
        second=second.arm if second else None,
        thrift=cheap.arm if cheap else None,
        caveats=tuple(caveats),
        take=take,
        reasons=tuple(reasons),
        verdict=verdict,
        notes=tuple(notes),
        text=words.sentences([*caveats, take, *reasons, verdict, *notes]),
    )


def useful(board: Leaderboard) -> list[LeaderboardRow]:
    """The arms chosen among that score half as much as the best: what is hardly better than
    guessing is no bargain, whatever it saves."""
    among = board.contenders
    best = _score(board, among[0]) if among else 0.0
    least = best * USEFUL if board.score.higher_is_better else best / USEFUL
    return [row for row in among if _score(board, row) >= least]


def out_of_bounds(results: StudyResults, board: Leaderboard, words: Words) -> str:
    """That no arm meets the bounds, or none for certain; empty where one does."""
    verdict = board.standing.verdict
    if verdict is None or verdict.within_bounds:
        return ""
    may = any(row.holds == "unsure" for row in board.rows if row.rank is not None)
    bounds = bounds_text(bounds_of(results), words)
    return words("answer_unsure" if may else "answer_infeasible", bounds=bounds)


def recommendation(board: Leaderboard, words: Words) -> str:
    """Why the arm to take is that one; empty where nothing has finished."""
    verdict, words = board.standing.verdict, words.about(board.objective.key)
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
        margin=formats.plain(verdict.margin),
    )
    if cheaper and (verdict.could_be_below_by or 0.0) > 0:
        told += words("recommended_below", gap=formats.gap(verdict.could_be_below_by))
    return told + words("end")


def validated(board: Leaderboard, words: Words) -> str:
    """What scores on validation are of, where trials were scored over folds; else empty."""
    folds = {place.arm: place.trial.folds for place in board.standing.places if place.trial}
    over = [arm for arm, count in folds.items() if count]
    if not over:
        return ""
    count = max(folds.values())
    if len(over) == len(folds):
        return words("validation_folds", n=count)
    return words("validation_folds_some", n=count, arms=words.join(over))


def bounds_text(bounds: dict[str, float], words: Words) -> str:
    """The bounds of a recipe as a phrase."""
    parts = []
    for name, value in bounds.items():
        if name == "min_rps":
            parts.append(words("bound_min_rps", value=formats.quantity(value)))
        elif name == "max_train_seconds":
            parts.append(words("bound_max_train_seconds", value=formats.duration(value, words)))
        elif name == "max_flips":
            parts.append(words("bound_max_flips", value=formats.whole_or_more(value)))
        else:
            parts.append(words("bound_other", name=name, value=formats.plain(value)))
    return words.join(parts) or words("missing")


def _caveats(results: StudyResults, board: Leaderboard, words: Words, outside: str) -> list[str]:
    caveats: list[str] = []
    # What was trained on rows that it is judged by has learned them: no number may be read.
    warnings = results.data.audit.warnings if results.data.audit else ()
    purposes = words("ends_two_purposes")
    caveats += [warning + words("end") for warning in warnings if warning.endswith(purposes)]
    if results.sample:
        caveats.append(words("answer_sample"))
    families, count = missing_families(results, board)
    if families:
        names = words.join([words.family(family) for family in families], "or")
        caveats.append(words("answer_missing", families=names, arms=count))
    return [*caveats, outside] if outside else caveats


def _advice(
    board: Leaderboard, cheap: LeaderboardRow | None, words: Words, *, bounded: bool
) -> tuple[str, list[str]]:
    """Which arm to take, and beside it the best and the cheapest to train of use."""
    verdict = board.standing.verdict
    taken = board.row(verdict.recommended) if verdict else None
    best = board.row(verdict.best) if verdict else None
    if verdict is None or taken is None or best is None:
        return "", []
    take = words("take_for_now" if verdict.reason == "no_finals" else "take", arm=taken.arm)
    reasons = [_gives(board, taken, words)]
    if best is not taken:
        gap = _score(board, best) - _score(board, taken)
        adds = "best_adds_within" if bounded else "best_adds"
        reasons.append(
            words(
                adds if gap else "best_adds_nothing",
                best=best.arm,
                gap=formats.gap(gap),
                chance=_chance(board, best, taken, words),
                costs=_costs(board, best, taken, words),
            )
        )
    if cheap is None or len(board.contenders) < 2:
        return take, reasons
    everyone = "all" if len(useful(board)) == len(board.rows) else "useful"
    if cheap is taken:
        reasons.append(words(f"cheapest_taken_{everyone}"))
    elif cheap is not best:
        below = _score(board, taken) - _score(board, cheap)
        told = "lower" if below > 0 else "higher" if below < 0 else "same"
        if told == "lower" and board.basis == "test":
            told = "lower_tested"
        costs = [formats.duration(cheap.train_seconds, words)]
        if cheap.offline_rps is not None:
            costs.append(formats.rate(cheap.offline_rps, words))
        reasons.append(
            words(
                f"cheapest_{everyone}",
                arm=cheap.arm,
                costs=words("comma").join(costs),
                scores=words(
                    f"scores_{told}",
                    gap=formats.gap(below),
                    chance=_chance(board, taken, cheap, words),
                ),
            )
        )
    return take, reasons


def _gives(board: Leaderboard, row: LeaderboardRow, words: Words) -> str:
    """What an arm scores and costs, as its row of the table has it."""
    # Beside accuracy itself, what is usual.
    other = SCORES["accuracy"] if board.objective.key != "accuracy" else MACRO_F1
    low, high = row.test_interval or (None, None)
    highest = all(_score(board, row) >= _score(board, other) for other in board.rows)
    told = words(
        f"gives_{board.split}{'_best' if highest else ''}",
        f1=formats.score(board.score.of(row)),
        low=formats.score(low),
        high=formats.score(high),
        other=other.label(words.language),
        accuracy=formats.score(METRICS[f"{board.split}_{other.key}"].of(row)),
    )
    if row.train_seconds is not None:
        told += words("gives_trained", time=formats.duration(row.train_seconds, words))
    if row.offline_rps is not None:
        told += words("gives_serves", rps=formats.rate(row.offline_rps, words))
    return told + words("end")


def _costs(board: Leaderboard, one: LeaderboardRow, other: LeaderboardRow, words: Words) -> str:
    """One arm's training time and speed as multiples of another's; empty where not measured, the
    speed also where the two can't be told apart."""
    parts = []
    if one.train_seconds is not None and other.train_seconds:
        times = formats.times(one.train_seconds / other.train_seconds)
        parts.append(words("costs_training", times=times))
    times_as_fast = board.standing.times_as_fast(one.arm, other.arm)
    if times_as_fast is not None:
        parts.append(words("costs_speed", times=formats.times(times_as_fast)))
    return words("costs_at", costs=words("costs_and").join(parts)) if parts else ""


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
        f1 = formats.score(first.validation_score)
        if second is None:
            key = "answer_validation_only_within" if bounded else "answer_validation_only"
            return words(key, arm=first.arm, f1=f1)
        gap = _score(board, first) - _score(board, second)
        return words(
            "answer_validation" if gap else "answer_validation_same",
            arm=first.arm,
            f1=f1,
            gap=formats.gap(gap),
            second=second.arm,
        )
    if len(leaders) == 1:
        if second is None:
            key = "answer_only_within" if bounded else "answer_only"
            return words(key, arm=first.arm, f1=_interval(first, words))
        taken = board.standing.verdict and board.standing.verdict.recommended
        return words(
            # What the arm to take scores was just said.
            "answer_lead" if taken == first.arm else "answer_single",
            arm=first.arm,
            f1=_interval(first, words),
            gap=formats.gap(_score(board, first) - _score(board, second)),
            second=second.arm,
            chance=_chance(board, first, second, words),
        )
    shown = list(leaders) if len(leaders) <= NAMED else list(leaders[: NAMED - 1])
    more = [words("answer_more", n=len(leaders) - len(shown))] if len(leaders) > NAMED else []
    members = [
        _member(row, words, "answer_member" if row is first else "answer_member_next")
        for row in shown
    ]
    gap = _score(board, first) - _score(board, leaders[1])
    within = "_within" if bounded else "_ranges" if board.ranged else ""
    same = "" if gap else "_same"
    return words(
        f"answer_tie{within}{same}",
        arms=words.join(members + more),
        gap=formats.gap(gap),
        second=leaders[1].arm,
        chance=_chance(board, first, leaders[1], words),
    )


def _score(board: Leaderboard, row: LeaderboardRow) -> float:
    """An arm's score as a number of which the higher is the better one."""
    value = board.score.of(row)
    worst = 0.0 if board.score.higher_is_better else -inf
    return worst if value is None else board.score.merit(value)


def _chance(board: Leaderboard, first: LeaderboardRow, second: LeaderboardRow, words: Words) -> str:
    """Whether the first's lead is more than chance, with the p-value where the pair has one."""
    real = board.standing.beats(first.arm, second.arm)
    p = board.standing.p(first.arm, second.arm)
    if p is None:
        return words("more_than_chance" if real else "could_be_chance")
    key = "more_than_chance_p" if real else "could_be_chance_p"
    told = words(key, p=formats.p_told(p))
    pair = board.standing.comparisons[frozenset((first.arm, second.arm))]
    return words("chance_models", what=told) if pair.of == "trained models" else told


def _member(row: LeaderboardRow, words: Words, key: str) -> str:
    """An arm of a tie with its score; the first spells out what the numbers are."""
    low, high = row.test_interval or (None, None)
    return words(
        key,
        arm=row.arm,
        f1=formats.score(row.test_score),
        low=formats.score(low),
        high=formats.score(high),
    )


def _interval(row: LeaderboardRow, words: Words) -> str:
    f1 = formats.score(row.test_score)
    if row.test_interval is None:
        return f1
    low, high = (formats.score(bound) for bound in row.test_interval)
    return words("answer_interval", f1=f1, low=low, high=high)
