"""The sentence about what trainings took in energy: where a counter was read, and where not."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.rows import Leaderboard
from suite.report.words import Words

#: What codecarbon reckoned from rated power.
_ESTIMATED = "TDP"


def energy_told(results: StudyResults, board: Leaderboard, words: Words) -> str:
    """Kilowatt-hours of the best trials' trainings, by what they were read from; "" where none was
    looked at. What was estimated, or read while others computed, has no figure."""
    trials = {trial.number: trial for trial in results.trials}
    read: dict[str, list[str]] = defaultdict(list)
    without: dict[str, list[str]] = defaultdict(list)
    for row in board.rows:
        trial = trials.get(row.trial)
        by, kwh = _of(trial.circumstances if trial else {})
        if trial is None or kwh is None:
            continue
        arm = formats.name(row.arm)
        if by == _ESTIMATED:
            without["energy_estimated"].append(arm)
        elif trial.contended:
            without["energy_contended"].append(arm)
        else:
            read[by].append(words("energy_of", arm=arm, kwh=formats.quantity(kwh)))
    told = [words("energy_read", by=by, arms=words.join(arms)) for by, arms in read.items()]
    told += [words(key, arms=words.join(arms)) for key, arms in without.items()]
    return words.sentences(told)


def _of(facts: dict[str, Any]) -> tuple[str, float | None]:
    found = facts.get("energy")
    if not isinstance(found, dict):
        return "", None
    kwh: Any = found.get("kwh")
    known = isinstance(kwh, int | float) and not isinstance(kwh, bool) and kwh >= 0
    return str(found.get("by")), float(kwh) if known else None
