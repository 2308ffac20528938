"""What distilling bought: each arm that learned from a teacher beside the same arm without, and
beside its teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.rows import Leaderboard, LeaderboardRow
from suite.report.words import Words
from suite.verdict.metrics import METRICS

#: How such an arm's name ends.
_ENDS = "+distilled"


@dataclass(frozen=True)
class TaughtArm:
    """An arm that learned from a teacher.

    Args:
        plain: the same arm without, where the study has it.
        by, study: the teacher; `teacher` its own row, where this study has it.
        texts: without labels that it answered; `own` training rows that it had not seen.
        asked: calls to the teacher's server that this took; 0 where it is none.
        score, per_second: of the teacher, by this study where it is there, else by its own; None
            where they are of another metric, or were not measured.
    """

    row: LeaderboardRow
    plain: LeaderboardRow | None
    by: str
    study: str
    texts: int
    own: int
    asked: int
    score: float | None
    per_second: float | None


def taught_arms(results: StudyResults, board: Leaderboard) -> tuple[TaughtArm, ...]:
    """Those on the leaderboard, in its order."""
    facts = {trial.number: trial.circumstances.get("taught") for trial in results.trials}
    found = []
    for row in board.rows:
        told = facts.get(row.trial)
        if row.arm.endswith(_ENDS) and isinstance(told, dict):
            found.append(_arm(row, told, board))
    return tuple(found)


def _arm(row: LeaderboardRow, told: dict[str, Any], board: Leaderboard) -> TaughtArm:
    by = str(told.get("by", ""))
    here = board.row(by)
    same = told.get("objective") == board.objective.key
    return TaughtArm(
        row=row,
        plain=board.row(row.arm.removesuffix(_ENDS)),
        by=by,
        study=str(told.get("study", "")),
        texts=_count(told.get("texts")),
        own=_count(told.get("own")),
        asked=_count(told.get("asked")),
        score=board.score.of(here) if here else _number(told.get("score")) if same else None,
        per_second=here.offline_rps if here else _number(told.get("per_second")),
    )


def taught_told(results: StudyResults, board: Leaderboard, words: Words) -> list[str]:
    """What was bought, arm by arm: the score with and without, the speed beside the teacher's, and
    the calls that are saved."""
    return [_told(one, board, words) for one in taught_arms(results, board)]


def _told(one: TaughtArm, board: Leaderboard, words: Words) -> str:
    metric = METRICS[board.objective.key].label(words.language)
    said = [
        words(
            "taught_by",
            arm=formats.name(one.row.arm),
            by=formats.name(one.by),
            study=formats.name(one.study),
            texts=words("taught_texts", n=one.texts),
            own=words("taught_own", n=one.own) if one.own else "",
        )
    ]
    score = board.score.of(one.row)
    without = board.score.of(one.plain) if one.plain else None
    if score is not None:
        values = {"metric": metric, "score": _scored(one.row, score)}
        if one.plain is not None and without is not None:
            values["without"] = _scored(one.plain, without)
            said.append(words("taught_gain", **values))
        else:
            said.append(words("taught_score", **values))
    if one.score is not None:
        said.append(words("taught_teacher", metric=metric, score=formats.score(one.score)))
    if one.row.offline_rps and one.per_second:
        # Of another study's rounds, or machine: no multiple is told.
        own, theirs = formats.quantity(one.row.offline_rps), formats.quantity(one.per_second)
        said.append(words("taught_speed", own=own, theirs=theirs))
    said.append(words("taught_asked", n=one.asked) if one.asked else words("taught_saved"))
    return words.sentences(said)


def _scored(row: LeaderboardRow, score: float) -> str:
    span = f" ({formats.interval(row.test_interval)})" if row.test_interval else ""
    return f"{formats.score(score)}{span}"


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None
