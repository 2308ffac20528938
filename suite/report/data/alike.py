"""Whether arms find the same rows hard: pairs as a table's lines, and the one to tell of."""

from __future__ import annotations

import math
from dataclasses import dataclass

from suite.contracts.measured import Measured
from suite.contracts.results import StudyResults
from suite.report.data.rows import Leaderboard
from suite.report.words import Words

#: What an arm has in common with itself that is trained in one way only.
_ALL = Measured(1.0, 1.0, 1.0)


@dataclass(frozen=True)
class AlikeRow:
    """Two arms, and the most that they can have in common: the geometric mean of what each has in
    common with itself, trained with two seeds (Spearman, "The proof and measurement of association
    between two things", 1904). Two that find exactly the same rows hard have that, and no more.

    An arm whose training repeats itself has all in common with itself; one that was trained once
    is taken to have, for more it can't be. None where neither was trained with two seeds.
    """

    a: str
    b: str
    spearman: Measured
    most: Measured | None


def alike_rows(results: StudyResults, board: Leaderboard) -> tuple[AlikeRow, ...]:
    """Pairs of the board's arms, those most alike first; none where finals kept no answers."""
    shown = {row.arm for row in board.rows}
    own = {one.a: one.spearman for one in results.alike if one.a == one.b}
    rows = [
        AlikeRow(one.a, one.b, one.spearman, _most(own.get(one.a), own.get(one.b)))
        for one in results.alike
        if one.a != one.b and {one.a, one.b} <= shown
    ]
    return tuple(sorted(rows, key=lambda row: -row.spearman.value))


def _most(one: Measured | None, other: Measured | None) -> Measured | None:
    if one is None and other is None:
        return None
    one, other = one or _ALL, other or _ALL
    return Measured(
        _mean(one.value, other.value), _mean(one.low, other.low), _mean(one.high, other.high)
    )


def _mean(one: float, other: float) -> float:
    """The geometric mean; nothing in common is none."""
    return math.sqrt(max(0.0, one) * max(0.0, other))


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
