"""The page that names every study of a storage, and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suite.contracts import moments
from suite.contracts.results import StudyResults
from suite.report.data.rows import leaderboard
from suite.report.pages.answer import Answer, answer
from suite.report.pages.shell import render
from suite.report.words import Words


@dataclass(frozen=True)
class IndexEntry:
    """A study's line in the index."""

    study: str
    href: str
    title: str
    task: str
    sample: bool
    answer: str
    leaders: tuple[str, ...]
    score: float | None
    basis: str
    arms: int
    trials: int
    created: str


def render_index(
    entries: Sequence[IndexEntry],
    words: Words,
    across: str | None = None,
    *,
    refresh: int | None = None,
) -> str:
    """The page that names every study and its answer.

    Args:
        across: the address of the page across studies, where there is one.
        refresh: seconds after which an open page loads itself again.
    """
    return render("index.html", words, {"entries": entries, "across": across}, refresh=refresh)


def index_entry(results: StudyResults, href: str, words: Words) -> IndexEntry:
    """A study's line in the index, from its results."""
    board = leaderboard(results)
    told: Answer = answer(results, board, words)
    first = board.row(told.leaders[0]) if told.leaders else None
    return IndexEntry(
        study=results.study,
        href=href,
        title=results.title or results.task,
        task=results.task,
        sample=results.sample,
        answer=words.sentences([*told.caveats, told.take, *told.reasons])
        if told.take
        else told.text,
        leaders=told.leaders,
        score=board.score.of(first) if first else None,
        basis=board.basis,
        arms=len(results.arms),
        trials=sum(t.state in ("COMPLETE", "PRUNED", "FAIL") for t in results.trials),
        created=moments.shown(results.created),
    )
