"""What the claims of a page rest on: what of an arm is held fixed and what varies, how many
trainings a score is the mean of, and which arms are no more than one trained model.
"""

from __future__ import annotations

from collections import defaultdict

from suite.contracts.results import Final, StudyResults
from suite.report import formats
from suite.report.data.combined import combined_sentences
from suite.report.data.rows import Leaderboard
from suite.report.words import Words
from suite.verdict.interval import ROWS_PER_CLASS
from suite.verdict.settling import POWER, settling


def basis_of(results: StudyResults, board: Leaderboard, words: Words) -> list[str]:
    """Sentences for beside the verdict; none where finals tell of no trainings."""
    if not board.ranged:
        return []
    told = [words("claim")]
    several = sorted({row.seeds for row in board.rows if row.seeds > 1 and row.seed_scores})
    if several:
        n = "–".join(map(str, dict.fromkeys((several[0], several[-1]))))
        told.append(words("seeds_mean", n=n))
    refitted = [final.arm for final in results.finals if final.refit]
    if refitted:
        every = len(refitted) == len(results.finals)
        told.append(words("refit_all") if every else words("refit_some", arms=words.join(refitted)))
    return [
        *told,
        *_once(results, words),
        *combined_sentences(results, words),
        _narrow(results, words),
        settled_by(results, board, words),
    ]


def _narrow(results: StudyResults, words: Words) -> str:
    """That intervals are too narrow, where a class has as few test rows (in the harmonic mean) as
    simulations show them to be; empty elsewhere, and where nobody counted."""
    audit = results.data.audit
    split = audit.splits.get("test") if audit else None
    rows = [count for count in split.class_counts if count] if split else []
    each = len(rows) / sum(1 / count for count in rows) if rows else ROWS_PER_CLASS
    if each >= ROWS_PER_CLASS:
        return ""
    return words(
        "interval_narrow", rows=formats.quantity(each), least=formats.plain(ROWS_PER_CLASS)
    )


def settled_by(results: StudyResults, board: Leaderboard, words: Words) -> str:
    """What this study could have found between the two best arms, and what would find `margin`;
    empty where there are no two arms, or nothing varies."""
    ranked = [row for row in board.contenders if row.about_arm]
    if len(ranked) < 2:
        return ""
    one, other = ranked[:2]
    pair = board.standing.comparisons.get(frozenset((one.arm, other.arm)))
    if pair is None or pair.df is None or pair.row_variance is None or pair.seed_variance is None:
        return ""
    low, high = pair.interval
    found = settling(
        min(pair.difference - low, high - pair.difference),
        pair.row_variance,
        pair.seed_variance,
        pair.df,
        results.margin,
        rows=results.data.rows.test,
        trainings=min((row.seeds for row in (one, other) if not row.deterministic), default=1),
    )
    if found is None:
        return ""
    values = {
        "a": one.arm,
        "b": other.arm,
        "smallest": formats.gap(found.smallest),
        "margin": formats.plain(results.margin),
        "power": formats.plain(POWER),
    }
    if found.smallest <= results.margin:
        return words("settled_already", **values)
    ways = []
    if found.rows is not None:
        ways.append(words("settled_rows", rows=_roughly(found.rows)))
    if found.trainings is not None and not (one.deterministic and other.deterministic):
        ways.append(words("settled_trainings", n=_roughly(found.trainings)))
    if not ways:
        return words("settled_neither", **values)
    return words("settled_by", **values, ways=words.join(ways, "or"))


def _roughly(count: int) -> int:
    """A number from which a plan is made: two digits, rounded up."""
    step = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // step) * step


def _once(results: StudyResults, words: Words) -> list[str]:
    """The arms with one training whose training is random, by what time was missing; and how far
    trainings of their kind lie apart."""
    groups: dict[str | None, list[str]] = defaultdict(list)
    once = [final for final in results.finals if final.seed_scores and not final.about_arm]
    for final in once:
        groups[final.short].append(final.arm)
    told = []
    for reason, arms in groups.items():
        key = "one_training" if reason is None else "one_training_why"
        told.append(words(key, arms=words.join(arms), reason=reason or ""))
    return [*told, *(_spread(final, words) for final in once if final.spread_of_kind)]


def _spread(final: Final, words: Words) -> str:
    kind = final.spread_of_kind
    assert kind is not None
    return words(
        "spread_of_kind" if not kind.studies else "spread_of_kind_earlier",
        arm=final.arm,
        deviation=formats.score(kind.deviation),
        n=kind.trainings,
        arms=words.join(kind.arms),
    )
