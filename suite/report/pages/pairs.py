"""Every two arms that were compared, as the tables of a report show them: what differs by how much,
what of the doubt comes from the test rows and what from the trainings, and the verdict in words.
"""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Comparison, StudyResults
from suite.report import formats
from suite.report.words import Words
from suite.verdict.interval import LEVEL
from suite.verdict.metrics import METRICS


@dataclass(frozen=True)
class Pair:
    """A comparison with its verdict in words, and whether that is a real difference.

    `parts` says which share of the difference's variance comes from the rows and which from the
    trainings, as `83.0% · 17.0%`.
    """

    of: Comparison
    verdict: str
    real: bool
    parts: str


def judged(comparison: Comparison, words: Words, objective: str = DEFAULT_OBJECTIVE) -> Pair:
    """A comparison as it is told.

    Args:
        objective: key of the metric that the difference is of.
    """
    real = comparison.p < LEVEL
    ahead = METRICS[objective].merit(comparison.difference) > 0
    better = comparison.a if ahead else comparison.b
    verdict = words("verdict_real", arm=better) if real else words("verdict_chance")
    if comparison.of == "trained models":
        verdict = words("verdict_models", what=verdict)
    return Pair(comparison, verdict, real, _parts(comparison))


def comparisons_intro(results: StudyResults, words: Words) -> str:
    """How the pairs were compared."""
    told = any(c.df is not None for c in results.comparisons)
    return words("comparisons_family" if told else "comparisons_intro", level=str(LEVEL))


def verdict_head(results: StudyResults, words: Words) -> str:
    """What stands over the verdicts: after how many looks at test, where it was not the first."""
    looks = max((c.looks for c in results.comparisons), default=1)
    return words("verdict_looks", n=looks) if looks > 1 else words("verdict")


def _parts(comparison: Comparison) -> str:
    rows, seeds = comparison.row_variance, comparison.seed_variance
    if rows is None or seeds is None:
        return formats.MISSING
    whole = rows + seeds
    shares = (rows / whole, seeds / whole) if whole > 0 else (1.0, 0.0)
    return " · ".join(map(formats.percent, shares))
