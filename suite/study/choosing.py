"""Recipe `auto`: which arms a study gets, by what machine, data and time allow. The rule, alone.

Arms are taken as long as all of them can finish: one trial of each and the finals of each with two
trainings, in the time that the command has less what timing may take. What the user brought is
taken first. Then comes one arm of each kind (each classic model, and for encoders and decoders each
strategy), the cheapest kind first, then a second one of each: many ways are compared before many
models. Of a kind, weights that are here come before others, and large models before small ones, as
far as a trial takes no more than the preset's share of the time. Nothing large is downloaded
unasked. Every arm that is left out is named with why, and with what would take it in.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from suite.contracts.limits import Preset
from suite.contracts.moments import duration
from suite.errors import counted
from suite.study.allotting import TIMING_SHARE
from suite.study.estimates import Finals
from suite.study.finals_plan import FEWEST
from suite.study.thumb import Thumb

#: Bytes of a download that nobody has to ask for.
UNASKED_BYTES = 500_000_000
#: An arm of which nothing tells what it takes is reckoned to take this part of the time.
UNKNOWN_SHARE = 0.1


@dataclass(frozen=True)
class Plan:
    """What a preset means.

    Args:
        rounds: trials that each arm is to have.
        arms: at most, those that the user brought not counted.
        share: of the command's time that one trial may take.
        seeds: over which the finals train each arm's best.
    """

    rounds: int
    arms: int
    share: float
    seeds: int


PLANS: dict[Preset, Plan] = {
    "fast": Plan(rounds=2, arms=4, share=0.05, seeds=2),
    "balanced": Plan(rounds=4, arms=8, share=0.1, seeds=3),
    "best": Plan(rounds=10, arms=16, share=0.2, seeds=5),
}


@dataclass(frozen=True)
class Candidate:
    """An arm that might be taken.

    Args:
        name: `model/strategy`.
        kind: what it is one of.
        thumb: what it takes by rule of thumb; None where there is no rule.
        brought: whether its model is one that the user brought: `--model`, `--endpoint`.
        fetched: bytes of weights that would be downloaded; 0 where they are here, None where
            nobody says how many.
        refused: why it can't run, or None.
    """

    name: str
    kind: str
    thumb: Thumb | None = None
    brought: bool = False
    fetched: float | None = 0.0
    refused: str | None = None


@dataclass(frozen=True)
class Chosen:
    """The arms that are taken, the cheapest first, and why each other one is not."""

    plan: Plan
    taken: tuple[str, ...]
    left_out: dict[str, str]


def choose(
    candidates: Sequence[Candidate],
    *,
    preset: Preset,
    seconds: float,
    test_rows: int,
    most_fetched: float = UNASKED_BYTES,
) -> Chosen:
    """The arms of a study that can finish in a command's time.

    Args:
        candidates: every arm there is.
        preset: how thoroughly.
        seconds: the whole command's.
        test_rows: that the finals score.
        most_fetched: bytes that may be downloaded for one model.
    """
    plan = PLANS[preset]
    there = (1 - TIMING_SHARE) * seconds
    unknown = UNKNOWN_SHARE * seconds
    taken: list[Candidate] = []
    out: dict[str, str] = {}
    spent = 0.0

    def cost(candidate: Candidate) -> float:
        return unknown if candidate.thumb is None else candidate.thumb.trial

    for one in _in_order(candidates, cost, plan.share * seconds, most_fetched):
        trial = cost(one)
        per_text = one.thumb.per_text if one.thumb else 0.0
        whole = trial + Finals(trial, per_text, 0.0).seconds(FEWEST, test_rows)
        others = sum(not other.brought for other in taken)
        if one.refused is not None:
            out[one.name] = one.refused
        elif _asks(one, most_fetched):
            out[one.name] = _download(one, most_fetched)
        elif trial > plan.share * seconds and not (one.brought and spent + whole <= there):
            out[one.name] = (
                f"one trial would take about {duration(trial)} on this machine, by rule of thumb: "
                f"more than {plan.share:.0%} of {duration(seconds)}; --timeout "
                f"{_option(trial / plan.share)} would do"
            )
        elif spent + whole > there:
            out[one.name] = (
                f"a trial and its finals would take about {duration(whole)}, and "
                f"{duration(max(0.0, there - spent))} are left beside the cheaper arms; more "
                f"--timeout takes it in"
            )
        elif not one.brought and others >= plan.arms:
            out[one.name] = (
                f"--preset {preset} takes {counted(plan.arms, 'arm')}, and others come first"
            )
        else:
            taken.append(one)
            spent += whole
    return Chosen(plan, tuple(c.name for c in sorted(taken, key=cost)), out)


def _in_order(
    candidates: Sequence[Candidate],
    cost: Callable[[Candidate], float],
    most: float,
    most_fetched: float,
) -> list[Candidate]:
    """Candidates in the order in which they are asked.

    Args:
        most: seconds of a trial above which an arm is not taken.
        most_fetched: bytes of a download above which it is not.
    """
    kinds: dict[str, list[Candidate]] = defaultdict(list)
    for one in candidates:
        kinds[one.kind].append(one)

    def excluded(one: Candidate) -> bool:
        return one.refused is not None or cost(one) > most or _asks(one, most_fetched)

    place: dict[str, int] = {}
    for several in kinds.values():
        several.sort(key=lambda c: (excluded(c), c.fetched != 0, -cost(c)))
        place |= {one.name: index for index, one in enumerate(several)}
    return sorted(candidates, key=lambda c: (not c.brought, place[c.name], cost(c)))


def _asks(one: Candidate, most: float) -> bool:
    """Whether its download is one that has to be asked for."""
    return one.fetched is None or one.fetched > most


def _download(one: Candidate, most: float) -> str:
    if one.fetched is None:
        return "how much would be downloaded is not known; --arms takes it in"
    size = math.ceil(one.fetched / 1e6)
    return (
        f"its weights would be downloaded: {size:,} MB, above {most / 1e6:,.0f} MB; "
        f"--download {size}MB allows it"
    )


def _option(seconds: float) -> str:
    """A time as `--timeout` takes it, rounded up to a whole number that is no less."""
    for size, letter in ((3600, "h"), (60, "m")):
        if seconds > 1.5 * size:
            return f"{math.ceil(seconds / size)}{letter}"
    return f"{math.ceil(seconds)}s"
