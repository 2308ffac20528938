"""What measured speeds can say: a median with its interval, and which of two arms is faster.

The finals measure every arm once in each of several rounds. A round's figures lie close together
in time, so that a slow minute hits all of them; two arms are compared by the ratio within each
round. Nothing is assumed about how speeds scatter but that rounds are independent: the interval is
between two of the ordered figures, and holds the median as often as a fair coin allows (six
figures: the least to the largest, 1 - 2/2^6 = .969). Of two measurements of one predictor, taken
in turn, each is ahead as often as the other, so that they are told apart in 3 % of cases, however
busy the machine.

Source: David and Nagaraja, "Order Statistics", 3rd edition, 2003, section 7.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from suite.contracts.speeds import BenchRow, Rps

#: What an interval is to cover at least.
COVERAGE = 0.95
#: Rounds that the finals measure: the fewest that reach it.
ROUNDS = 6


@dataclass(frozen=True)
class Middle:
    """A median and its interval; `interval` is None where the figures are too few for one."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Ratio:
    """How many times one speed is another, with its interval."""

    value: float
    low: float
    high: float

    @property
    def parts(self) -> bool:
        """Whether the two can be told apart."""
        return apart((self.low, self.high))


def apart(ends: tuple[float, float] | None) -> bool:
    """Whether two speeds can be told apart, by between which multiples of the other one lies."""
    return ends is not None and (ends[0] > 1 or ends[1] < 1)


def mean_ratio(ratios: Sequence[Ratio | None]) -> Ratio | None:
    """The geometric mean of ratios, one a task, between the geometric means of their ends.

    It lies there wherever each lies in its own interval. None where one of them is not known.
    """
    known = [one for one in ratios if one is not None]
    if not known or len(known) < len(ratios):
        return None
    return Ratio(
        *(
            math.exp(sum(math.log(getattr(one, part)) for one in known) / len(known))
            for part in ("value", "low", "high")
        )
    )


def reach(rps: Rps | None) -> tuple[float, float]:
    """Between which speeds an arm's lies, Offline, in texts per second.

    It is the interval where there is one; else the figure itself, which is all that is known of
    what was measured once. From a rate that is not valid, or none, no arm is shown to be fast.
    """
    if rps is None or rps.offline_per_second is None:
        return 0.0, math.inf
    if rps.offline_interval is not None:
        return rps.offline_interval
    return (rps.offline_per_second if rps.valid else 0.0), rps.offline_per_second


def training(mean: float | None, trainings: Sequence[float]) -> tuple[float, float]:
    """Between which times an arm's training lies, on average, in seconds.

    Of several trainings it is Student's interval of their logarithms, at 95 %: what is around a
    training multiplies its time. Of one it is that one's, which is all that is known.

    Args:
        mean: of the trainings, or what one took; None where nobody knows.
        trainings: of each, where that is known.
    """
    if mean is None:
        return 0.0, math.inf
    if len(trainings) < 2 or min(trainings) <= 0:
        return mean, mean
    from scipy.special import stdtrit

    logs = [math.log(seconds) for seconds in trainings]
    reach = float(stdtrit(len(logs) - 1, (1 + COVERAGE) / 2)) * stdev(logs) / math.sqrt(len(logs))
    centre = fmean(logs)
    return min(mean, math.exp(centre - reach)), max(mean, math.exp(centre + reach))


def coverage(figures: int, left_out: int) -> float:
    """How often the median lies within ordered figures of which some at each end are left out.

    >>> coverage(6, 0)
    0.96875
    >>> coverage(5, 0)
    0.9375
    """
    below = sum(math.comb(figures, k) for k in range(left_out + 1))
    return 1.0 - 2 * below / float(2**figures)


def middle(figures: Sequence[float]) -> Middle | None:
    """The median with its order-statistic interval, at 95 % or more; None of nothing.

    >>> middle([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])
    Middle(value=3.5, interval=(1.0, 6.0))
    >>> middle([3.0, 1.0, 2.0])
    Middle(value=2.0, interval=None)
    """
    if not figures:
        return None
    ordered, count = sorted(figures), len(figures)
    inner = [k for k in range((count + 1) // 2) if coverage(count, k) >= COVERAGE]
    interval = (ordered[inner[-1]], ordered[-1 - inner[-1]]) if inner else None
    return Middle(float(median(ordered)), interval)


@dataclass(frozen=True)
class Timed:
    """A speed as it was measured, in texts per second.

    Args:
        value: the median, or what was measured once; None where there is none.
        interval: of the median; None where there is none.
        windows: of each round; None where a round has none.
        rounds: what the rounds are known by.
    """

    value: float | None
    interval: tuple[float, float] | None
    windows: Sequence[float | None]
    rounds: str


def offline(found: Rps | BenchRow) -> Timed:
    """How fast all texts at once are answered."""
    return Timed(found.offline_per_second, found.offline_interval, found.windows, found.rounds)


def one_by_one(found: Rps | BenchRow) -> Timed:
    """How fast one text at a time is answered: by the median latency."""
    single = found.single_stream

    def rate(milliseconds: float | None) -> float | None:
        return 1000 / milliseconds if milliseconds else None

    if single is None:
        return Timed(None, None, (), found.rounds)
    ends = single.p50_interval
    interval = (1000 / ends[1], 1000 / ends[0]) if ends is not None and min(ends) > 0 else None
    return Timed(rate(single.p50_ms), interval, [rate(w) for w in single.windows], found.rounds)


def ratio(one: Rps | None, other: Rps | None) -> Ratio | None:
    """How many times as fast one arm is as another, Offline; as `times`."""
    return None if one is None or other is None else times(offline(one), offline(other))


def times(one: Timed, other: Timed) -> Ratio | None:
    """How many times one speed is another.

    What was measured in the same rounds is compared by the log ratio within each round; what was
    not, which is less sharp, by its own intervals: of those the ratio's ends are the ratios of
    opposite ends.

    Returns:
        None where either was measured once, or in too few rounds.
    """
    if one.rounds and one.rounds == other.rounds:
        logs = [
            math.log(a / b)
            for a, b in zip(one.windows, other.windows, strict=False)
            if a is not None and b is not None and a > 0 and b > 0
        ]
        found = middle(logs)
        if found is None or found.interval is None:
            return None
        return Ratio(math.exp(found.value), *(math.exp(end) for end in found.interval))
    if not one.value or not other.value:
        return None
    ends = ratio_ends(one.interval, other.interval)
    return ends and Ratio(one.value / other.value, *ends)


def ratio_ends(
    own: tuple[float, float] | None, its: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Between which multiples of another speed one lies, each known by its interval; None where
    either has none."""
    if own is None or its is None or min(*own, *its) <= 0:
        return None
    return own[0] / its[1], own[1] / its[0]
