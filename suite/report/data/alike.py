"""Whether arms find the same rows hard: pairs as a table's lines, and the one to tell of."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.measured import Measured
from suite.contracts.results import StudyResults
from suite.report.data.rows import Leaderboard
from suite.report.words import Words


@dataclass(frozen=True)
class AlikeRow:
    """Two arms, and the most that they can have in common: what the one of them that is less like
    itself has, trained with two seeds. None where neither was."""

    a: str
    b: str
    spearman: Measured
    most: Measured | None


def alike_rows(results: StudyResults, board: Leaderboard) -> tuple[AlikeRow, ...]:
    """Pairs of the board's arms, those most alike first; none where finals kept no answers."""
    shown = {row.arm for row in board.rows}
    own = {one.a: one.spearman for one in results.alike if one.a == one.b}
    rows = [
        AlikeRow(one.a, one.b, one.spearman, _less(own.get(one.a), own.get(one.b)))
        for one in results.alike
        if one.a != one.b and {one.a, one.b} <= shown
    ]
    return tuple(sorted(rows, key=lambda row: -row.spearman.value))


def _less(one: Measured | None, other: Measured | None) -> Measured | None:
    known = [found for found in (one, other) if found is not None]
    return min(known, key=lambda found: found.value, default=None)


def alike_sentence(rows: tuple[AlikeRow, ...], words: Words) -> str:
    """What is to be told of the pair that asks most: one model, used in two ways; else of the pair
    that is least alike. Empty where there is none."""
    if not rows:
        return ""
    one_model = [row for row in rows if _model(row.a) == _model(row.b)]
    row = (one_model or rows)[-1]
    values = {
        "a": row.a,
        "b": row.b,
        "rho": f"{row.spearman.value:.2f}",
        "interval": rho_interval(row.spearman),
    }
    if row.most is None:
        return words("alike_told", **values)
    return words("alike_told_most", most=f"{row.most.value:.2f}", **values)


def rho_interval(found: Measured) -> str:
    """A correlation's 95 % interval."""
    return f"{found.low:.2f}–{found.high:.2f}"


def _model(arm: str) -> str:
    return arm.partition("/")[0]
