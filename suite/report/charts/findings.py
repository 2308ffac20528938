"""What each chart shows to be so, in one sentence from its values: the chart's title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from suite.report import formats
from suite.report.data.chart_data import (
    ClassView,
    Curves,
    History,
    Lengths,
    PerClass,
    TradeOff,
    label_of,
)
from suite.report.data.knob_data import Importance, Knobs
from suite.report.data.search_data import ArmCost, ArmStates, Timeline
from suite.report.words import Words

#: Within so much of its last score a trial has learnt what it will.
NEAR = 0.01
#: Names longer than this are cut in a title.
LONGEST = 40


def short(text: str) -> str:
    """A name from data as it stands in a title: one line, cut where too long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def trade_off(data: TradeOff, words: Words) -> str:
    """What the other end of the front costs."""
    if len(data.points) == 1:
        return words("finding_only", arm=short(data.points[0].arm))
    best = max(data.points, key=lambda p: p.y)
    up = data.x.higher_is_better
    least = (max if up else min)(data.points, key=lambda p: (p.x, p.y if up else -p.y))
    kind = "speed" if up else "time"
    if least.arm == best.arm or least.y >= best.y:
        return words(f"finding_{kind}_same", arm=short(least.arm))
    ratio = least.x / best.x if up else best.x / least.x
    return words(
        f"finding_{kind}",
        arm=short(least.arm),
        best=short(best.arm),
        times=formats.times(ratio),
        gap=formats.gap(best.y - least.y),
    )


def curves(data: Curves, leader: str | None, words: Words) -> str:
    """From where on the leading arm's best trial had learnt what it would."""
    best = [curve for curve in data.curves if curve.best and len(curve.scores) > 1]
    chosen = next((c for c in best if c.arm == leader), best[0] if best else None)
    if chosen is None:
        return words("finding_curves_none", n=data.total)
    top = max(chosen.scores)
    # Where it first came near and stayed near.
    since = len(chosen.scores) - 1
    while since > 0 and chosen.scores[since - 1] >= top - NEAR:
        since -= 1
    if chosen.scores[since] < top - NEAR:
        at = chosen.fractions[chosen.scores.index(top)]
        return words("finding_curves_fell", arm=short(chosen.arm), share=formats.whole_percent(at))
    share = formats.whole_percent(chosen.fractions[since])
    return words("finding_curves", arm=short(chosen.arm), share=share)


def history(data: History, words: Words) -> str:
    """Which trial brought the best score, and how many came after it."""
    if not data.best:
        return words("finding_history_none")
    top = max(score for _, score in data.best)
    number = next(number for number, score in data.best if score == top)
    arm = next((p.arm for p in data.points if p.number == number), "")
    after = data.after(number)
    return words("finding_history", n=number, arm=short(arm), score=formats.score(top), after=after)


def importance(data: Sequence[Importance], words: Words) -> str:
    """The hyperparameter that explains most of all."""
    most = max(data, key=lambda item: item.value)
    return words(
        "finding_importance",
        arm=short(most.arm),
        parameter=short(most.parameter),
        share=formats.whole_percent(most.value),
    )


def parallel(data: Knobs, words: Words) -> str:
    """Where the best trial stands on the axis that matters most."""
    axis = data.axes[0]
    value = axis.values[data.best]
    return words(
        "finding_parallel",
        n=data.trials[data.best],
        score=formats.score(data.scores[data.best]),
        parameter=short(axis.parameter),
        value=short(formats.plain(value)),
    )


def slices(data: Knobs, words: Words) -> str:
    """How far apart an arm's trials are."""
    low, high = min(data.scores), max(data.scores)
    return words(
        "finding_slices",
        n=data.total,
        low=formats.short_score(low),
        high=formats.short_score(high),
    )


def confusion(view: ClassView, labels: Sequence[str], words: Words) -> str:
    """The most frequent confusion."""
    if not view.confusions:
        return words("no_confusions")
    most = view.confusions[0]
    return words(
        "finding_confusion",
        true=short(label_of(labels, most.true)),
        predicted=short(label_of(labels, most.predicted)),
        n=formats.count(most.count),
        share=formats.percent(most.share),
    )


def per_class(data: PerClass, labels: Sequence[str], words: Words) -> str:
    """The hardest class and the easiest."""
    means = [sum(scores) / len(scores) for scores in data.scores]
    return words(
        "finding_per_class",
        hard=short(label_of(labels, data.classes[0])),
        low=formats.short_score(means[0]),
        easy=short(label_of(labels, data.classes[-1])),
        high=formats.short_score(means[-1]),
    )


def timeline(data: Timeline, words: Words) -> str:
    """How long the search took, and how much of that nobody used."""
    key = "finding_timeline_one" if len(data.workers) == 1 else "finding_timeline"
    return words(
        key,
        n=formats.count(data.total),
        time=formats.duration(data.seconds, words),
        workers=len(data.workers),
        idle=formats.whole_percent(data.idle_share),
    )


def states(data: Sequence[ArmStates], words: Words) -> str:
    """What became of the trials."""
    counts: Mapping[str, int] = {
        state: sum(arm.counts[state] for arm in data) for state in data[0].counts
    }
    return words(
        "finding_states",
        n=formats.count(sum(counts.values())),
        complete=formats.count(counts["COMPLETE"]),
        pruned=formats.count(counts["PRUNED"]),
        failed=formats.count(counts["FAIL"]),
    )


def costs(data: Sequence[ArmCost], words: Words) -> str:
    """The dearest arm."""
    total = sum(arm.seconds for arm in data)
    return words(
        "finding_costs",
        arm=short(data[0].arm),
        share=formats.whole_percent(data[0].seconds / total if total else 0.0),
        time=formats.duration(total, words),
    )


def lengths(data: Lengths, words: Words) -> str:
    """How long a usual text is, and a long one."""
    first = data.splits[0]
    return words(
        "finding_lengths",
        split=words(f"split_{first.split}"),
        half=formats.count(first.quantiles[10]),
        long=formats.count(first.quantiles[19]),
    )
