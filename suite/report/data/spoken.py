"""Results as a page in another language may show them: what studies keep as English sentences is
said in that language, as far as it is known there.

Names, numbers, paths, commands and the data's own words are never touched. JSON and CSV hold the
sentences as they are kept.
"""

from __future__ import annotations

from dataclasses import replace

from suite.contracts.results import Arm, Final, Published, StudyResults, Trial
from suite.contracts.speeds import BenchRow, Rps
from suite.report import formats
from suite.report.words import SPOKEN, Words


def spoken(results: StudyResults, words: Words) -> StudyResults:
    """The same results, their sentences in the words' language."""
    if words.language == SPOKEN:
        return results
    audit = results.data.audit
    if audit is not None:
        audit = replace(audit, warnings=[words.told(warning) for warning in audit.warnings])
    return replace(
        results,
        data=replace(results.data, source=words.told(results.data.source), audit=audit),
        arms=[_arm(arm, words) for arm in results.arms],
        trials=[_trial(trial, words) for trial in results.trials],
        finals=[_final(final, words) for final in results.finals],
        bench=[_bench(row, words) for row in results.bench],
        references=[_published(one, words) for one in results.references],
        unread=[words.told(line) for line in results.unread],
        allocation=words.told(results.allocation),
        sampler=words.told(results.sampler),
        pruner=words.told(results.pruner),
        ended=results.ended and replace(results.ended, why=words.told(results.ended.why)),
    )


def environment(results: StudyResults, words: Words) -> list[tuple[str, str]]:
    """The machine's facts by name; a version stands under its package's own name."""
    return [
        (name if name.startswith("versions.") else words.told(name), words.told(value))
        for name, value in formats.flat(results.environment)
    ]


def _arm(arm: Arm, words: Words) -> Arm:
    return replace(
        arm,
        refused=arm.refused and words.told(arm.refused),
        retired=arm.retired and words.told(arm.retired),
        short=arm.short and words.told(arm.short),
    )


def _final(final: Final, words: Words) -> Final:
    short = final.short and words.told(final.short)
    return replace(final, rps=_rps(final.rps, words), short=short)


def _trial(trial: Trial, words: Words) -> Trial:
    return replace(trial, error=trial.error and words.told(trial.error), rps=_rps(trial.rps, words))


def _rps(rps: Rps | None, words: Words) -> Rps | None:
    return rps and replace(rps, note=words.told(rps.note))


def _bench(row: BenchRow, words: Words) -> BenchRow:
    return replace(row, reason=row.reason and words.told(row.reason), note=words.told(row.note))


def _published(one: Published, words: Words) -> Published:
    return replace(one, differs=one.differs and words.told(one.differs))
