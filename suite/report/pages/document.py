"""What `suite report` writes as JSON: the study's results, and what the page says of them.

Its schema is published beside that of the results, under the same `schema_version`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from suite.contracts.results import StudyResults
from suite.report.data.rows import METRICS, LeaderboardRow, leaderboard, pareto_front
from suite.report.pages.answer import answer
from suite.report.words import Words
from suite.verdict.standing import Basis


@dataclass(frozen=True)
class ReportDocument(StudyResults):
    """Results with the answer in words, the leaderboard, and the Pareto fronts."""

    answer: str = ""
    ranked_by: Basis = "none"
    """Whether ranks rest on test, or on validation before the finals."""
    leaderboard: list[LeaderboardRow] = field(default_factory=list)
    pareto: dict[str, list[str]] = field(default_factory=dict)
    """Cost (`offline_rps`, `train_seconds`) -> the arms that no other beats on both counts."""


def document(results: StudyResults, words: Words) -> dict[str, Any]:
    """The report of a study as plain JSON types."""
    board = leaderboard(results)
    values = {f.name: getattr(results, f.name) for f in fields(results)}
    # What each arm answered row by row is as long as test, and is for comparing studies.
    values["predictions"] = None
    values["verdict"] = board.standing.verdict
    made = ReportDocument(
        **values,
        answer=answer(results, board, words).text,
        ranked_by=board.basis,
        leaderboard=list(board.rows),
        pareto={
            key: list(pareto_front(board.rows, METRICS[key], board.score))
            for key in ("offline_rps", "train_seconds")
        },
    )
    dumped: dict[str, Any] = document_adapter().dump_python(made, mode="json")
    return {"schema_version": dumped.pop("schema_version"), **dumped}


@cache
def document_adapter() -> TypeAdapter[ReportDocument]:
    """The pydantic view of `ReportDocument`: dumping and JSON schema."""
    return TypeAdapter(ReportDocument)
