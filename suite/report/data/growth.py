"""A learning curve as rows and sentences: on the page, in a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from suite.contracts.growth import (
    Advice,
    ClassGain,
    Growth,
    GrowthArm,
    GrowthChoice,
    GrowthCrossing,
)
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.classes import label_of
from suite.report.words import Words
from suite.verdict.metrics import METRICS

#: Crossings that are told in sentences; all are in the table.
_TOLD = 5


@dataclass(frozen=True)
class GrowthRow:
    """An arm's line.

    Args:
        smallest, largest: its score at the ends of the curve.
        twice: what its law says at twice the largest size.
        error: how far the largest size's score was predicted off from half of its rows.
    """

    arm: str
    smallest: float | None
    largest: float | None
    exponent: tuple[float, float, float] | None
    twice: float | None
    twice_interval: tuple[float, float] | None
    error: float | None


@dataclass(frozen=True)
class GrowthView:
    """What the page has of a curve beside its charts.

    Args:
        intro: how the sizes were made.
        told: what they say together.
        choices: the cheapest good arm by rows.
        advice: what more rows of each class would bring; empty where that was not asked.
    """

    rows: list[GrowthRow]
    intro: str
    told: list[str]
    choices: list[str]
    advice: list[str]


def growth_view(results: StudyResults, words: Words) -> GrowthView | None:
    """The curve that a study is the largest size of; None of others."""
    growth = results.growth
    if growth is None:
        return None
    return GrowthView(
        growth_rows(growth),
        growth_intro(growth, words),
        growth_sentences(growth, words),
        [choice_told(choice, words) for choice in growth.choices],
        advice_told(growth.advice, results.labels, words) if growth.advice else [],
    )


def growth_rows(growth: Growth) -> list[GrowthRow]:
    """Arms, the best at the largest size first."""
    rows = [_row(growth, arm) for arm in growth.arms]
    up = METRICS[growth.objective].higher_is_better
    worst = float("-inf") if up else float("inf")
    return sorted(
        rows,
        key=lambda row: row.largest if row.largest is not None else worst,
        reverse=up,
    )


def _row(growth: Growth, arm: GrowthArm) -> GrowthRow:
    twice = arm.band[-1] if arm.band else None
    return GrowthRow(
        arm.arm,
        growth.score(arm.arm, growth.sizes[0]),
        growth.score(arm.arm, growth.sizes[-1]),
        arm.exponent,
        None if twice is None else twice.value,
        None if twice is None else (twice.low, twice.high),
        None if arm.check is None else arm.check.error,
    )


def growth_sentences(growth: Growth, words: Words) -> list[str]:
    """What a curve's parts say: crossings, the check, whom it can't be told of, what is missing."""
    said = [crossing_told(one, words) for one in growth.crossings[:_TOLD]]
    checks = [arm.check for arm in growth.arms if arm.check is not None]
    checks = [check for check in checks if check.rows == growth.sizes[-1]]
    if checks:
        off = sum(check.error for check in checks) / len(checks)
        said.append(
            words(
                "growth_checked",
                known=formats.count(max(check.known for check in checks)),
                size=formats.count(checks[0].rows),
                error=formats.gap(off),
                held=formats.count(sum(c.low <= c.truth <= c.high for c in checks)),
                n=len(checks),
            )
        )
    without = [arm.arm for arm in growth.arms if not arm.band]
    if without:
        said.append(words("growth_no_law", arms=words.join(without)))
    if growth.missing:
        some = growth.missing[:_TOLD]
        more = len(growth.missing) - len(some)
        named = [*some, *([words("growth_more_missing", n=more)] if more else [])]
        said.append(words("growth_missing", studies=words.join(named)))
    return said


def growth_intro(growth: Growth, words: Words) -> str:
    """How the sizes were made, and where hyperparameters were searched."""
    return words(
        "growth_intro",
        sizes=words.join([formats.count(size) for size in growth.sizes]),
        searched=words.join([formats.count(size) for size in growth.searched]),
        n=growth.draws,
        validation=formats.count(growth.validation_rows),
    )


def crossing_told(crossing: GrowthCrossing, words: Words) -> str:
    """Where one arm overtakes another, in a sentence."""
    return words(
        "growth_crossing",
        above=crossing.above,
        below=crossing.below,
        size=formats.count(crossing.rows),
        span=crossing_span(crossing, words),
    )


def crossing_span(crossing: GrowthCrossing, words: Words) -> str:
    """The interval of a crossing."""
    low = words("growth_sooner") if crossing.low is None else formats.count(crossing.low)
    high = words("growth_later") if crossing.high is None else formats.count(crossing.high)
    return words("growth_span", low=low, high=high)


def choice_told(choice: GrowthChoice, words: Words) -> str:
    """The cheapest good arm at a number of rows, in a sentence."""
    values = {"size": formats.count(choice.rows), "score": formats.score(choice.score)}
    if choice.per_second is None:
        return words("growth_choice_unmeasured", best=choice.best, **values)
    if choice.cheapest == choice.best:
        return words("growth_choice_best", best=choice.best, **values)
    return words("growth_choice", best=choice.best, cheapest=choice.cheapest, **values)


def advice_told(advice: Advice, labels: list[str], words: Words) -> list[str]:
    """What more rows of each class would bring, the most first, and of rows at random beside it."""
    if not advice.gains:
        return [words("growth_advice_none", arm=advice.arm)]
    said = [gain_told(gain, advice.more, labels, words) for gain in advice.gains]
    if advice.any_class is not None:
        said.append(gain_told(advice.any_class, advice.more, labels, words))
    return said


def gain_told(gain: ClassGain, more: int, labels: list[str], words: Words) -> str:
    """What more rows of a class would bring, in a sentence."""
    whose = words("growth_any") if gain.label is None else label_of(labels, gain.label)
    if gain.reach is None:
        return words("growth_gain_once", n=more, label=whose, gain=f"{gain.gain:+.4f}")
    reach = f"{gain.reach:.4f}"
    if not gain.measurable:
        return words("growth_gain_none", n=more, label=whose, reach=reach)
    return words("growth_gain", n=more, label=whose, gain=f"{gain.gain:+.4f}", reach=reach)
