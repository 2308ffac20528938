"""What trainings, and answers, took in energy, in a sentence: where a counter was read, and where
none was.
"""

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


def bench_energy_told(results: StudyResults, words: Words) -> str:
    """Joules of a text that is answered Offline, engine by engine, by what they were read from; ""
    where none were looked at. What was estimated, or read beside other work, has no figure."""
    read: dict[str, list[str]] = defaultdict(list)
    without: dict[str, list[str]] = defaultdict(list)
    for row in results.bench:
        if row.state != "measured" or not row.energy_by:
            continue
        engine = formats.name(" ".join(filter(None, (row.arm, row.engine, row.precision))))
        if row.energy_by == _ESTIMATED:
            without["energy_estimated"].append(engine)
        elif row.joules_per_text is None:
            without["energy_contended"].append(engine)
        else:
            joules = formats.quantity(row.joules_per_text)
            read[row.energy_by].append(words("energy_of_text", engine=engine, joules=joules))
    told = [words("energy_served", by=by, engines=words.join(one)) for by, one in read.items()]
    told += [words(key, arms=words.join(engines)) for key, engines in without.items()]
    return words.sentences(told)


def _of(facts: dict[str, Any]) -> tuple[str, float | None]:
    found = facts.get("energy")
    if not isinstance(found, dict):
        return "", None
    kwh: Any = found.get("kwh")
    known = isinstance(kwh, int | float) and not isinstance(kwh, bool) and kwh >= 0
    return str(found.get("by")), float(kwh) if known else None
