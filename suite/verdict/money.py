"""What a study cost, and what its arms cost to serve, at the prices of the settings.

Nothing is estimated: a million texts are priced where a valid speed, or the server's own count of
tokens, was measured, and an amount has an interval where the speed that it is of has one. A moment
in which several trials ran on one machine is parted among them, so that the hours of a search are
never paid twice. A server's answers are paid for once: those that were kept cost nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from suite.contracts import moments
from suite.contracts.combination import Combination
from suite.contracts.money import Amount, ArmMoney, BreakEven, Missing, Money, Pays
from suite.contracts.prices import HOURS_OF_A_DAY, MILLION, SECONDS_OF_AN_HOUR, Prices, Tariff
from suite.contracts.results import StudyResults, Trial
from suite.contracts.speeds import Rps
from suite.verdict import speeds
from suite.verdict.standing import Place, Standing

_DAY = HOURS_OF_A_DAY * SECONDS_OF_AN_HOUR


def money(
    results: StudyResults,
    stood: Standing,
    prices: Prices,
    tariffs: Mapping[str, Tariff | None],
) -> Money | None:
    """What the arms of a study cost; None where no price is set.

    Args:
        tariffs: of the arms that ask a server, None where that has no price.
    """
    if not (prices.hosts or prices.models or prices.endpoints) and prices.per_hour is None:
        return None
    seconds = own_seconds(results.trials)
    trials: dict[str, list[Trial]] = defaultdict(list)
    for trial in results.trials:
        trials[trial.arm].append(trial)
    places = {place.arm: place for place in stood.places}
    arms = [
        _arm(arm, places.get(arm), trials[arm], seconds, prices, tariffs)
        for arm in dict.fromkeys([*places, *trials])
    ]
    searched = [arm.search for arm in arms if trials[arm.arm]]
    alone = {arm.arm: arm for arm in arms}
    arms = [
        _combined(arm, made, alone, tariffs) if (made := _made_of(places.get(arm.arm))) else arm
        for arm in arms
    ]
    return Money(
        currency=prices.currency,
        per_hour=prices.per_hour,
        search=None if None in searched else math.fsum(one or 0.0 for one in searched),
        search_whole=all(arm.search_whole for arm in arms),
        arms=arms,
        break_even=_break_even(stood, arms, prices),
    )


def own_seconds(trials: Iterable[Trial]) -> dict[int, float]:
    """Trial -> the seconds of its machine that it has to answer for: a moment in which several ran
    there is parted equally among them. Trials that never began are missing."""
    # Moments with a zone and without can't be put into one order.
    events: dict[tuple[str, bool], list[tuple[datetime, bool, int]]] = defaultdict(list)
    found: dict[int, float] = {}
    for trial in trials:
        span = moments.span(trial.started, trial.ended)
        if span is None:
            continue
        found[trial.number] = 0.0
        start, end = span
        events[host_of(trial), start.tzinfo is None] += [
            (start, True, trial.number),
            (max(start, end), False, trial.number),
        ]
    for happened in events.values():
        running: set[int] = set()
        before: datetime | None = None
        for moment, begins, number in sorted(happened, key=lambda event: event[0]):
            if running and before is not None:
                part = (moment - before).total_seconds() / len(running)
                for other in running:
                    found[other] += part
            before = moment
            if begins:
                running.add(number)
            else:
                running.discard(number)
    return found


def host_of(trial: Trial) -> str:
    """The machine that a trial ran on; "" where that is not known."""
    return trial.worker.rpartition(":")[0]


def _arm(
    name: str,
    place: Place | None,
    trials: Sequence[Trial],
    seconds: Mapping[int, float],
    prices: Prices,
    tariffs: Mapping[str, Tariff | None],
) -> ArmMoney:
    asks = name in tariffs
    tariff = tariffs.get(name)
    hours = [
        None if (hourly := prices.hourly(host_of(trial))) is None
        else hourly * seconds.get(trial.number, 0.0) / SECONDS_OF_AN_HOUR
        for trial in trials
    ]  # fmt: skip
    if not asks:
        amount, missing = _by_hours(place, prices)
        search = None if None in hours else math.fsum(one or 0.0 for one in hours)
        return ArmMoney(
            name, "hours", _training(place, prices), search, per_million=amount, missing=missing
        )
    amount, missing = _by_answers(place, tariff)
    uses = [_used(trial, tariff) for trial in trials if tariff is not None and tariff.by_use]
    counted = [use for use in uses if use is not None]
    # The machine only waits; where nobody says what its hour costs, that is no part of it. The
    # server's hour is: it is there for as long as a trial asks.
    per_second = (tariff.per_hour or 0.0) / SECONDS_OF_AN_HOUR if tariff else 0.0
    there = [per_second * one for one in own_seconds(trials).values()]
    search = math.fsum([*(one or 0.0 for one in hours), *there, *counted])
    return ArmMoney(
        name,
        "answers" if tariff is None or tariff.by_use else "hours",
        search=None if tariff is None else search,
        search_whole=len(counted) == len(uses),
        per_million=amount,
        missing=missing,
    )


def _made_of(place: Place | None) -> Combination | None:
    return place.final.combined if place is not None and place.final is not None else None


def _combined(
    own: ArmMoney,
    made: Combination,
    alone: Mapping[str, ArmMoney],
    tariffs: Mapping[str, Tariff | None],
) -> ArmMoney:
    """A combination: the searches of its members; its own time, and what a server takes for the
    texts that the first one passes on to it.

    Args:
        own: as an arm that asks nobody.
        alone: every arm by itself.
    """
    members = [alone[member.arm] for member in made.members]
    searches = [member.search for member in members]
    amount, missing, last = own.per_million, own.missing, members[-1]
    asks = last.arm in tariffs  # Nobody else may: each text would be a request.
    if asks and amount is not None:
        amount = last.per_million and _and_so_much(
            amount, last.per_million, 1 - (made.answered_first or 0.0)
        )
        missing = last.missing
    return replace(
        own,
        paid=last.paid if asks else "hours",
        search=None if None in searches else math.fsum(one or 0.0 for one in searches),
        search_whole=all(member.search_whole for member in members),
        per_million=amount,
        missing=missing,
    )


def _and_so_much(one: Amount, other: Amount, share: float) -> Amount:
    """An amount and a share of another, and between which that lies."""
    value = one.value + share * other.value
    if one.interval is None and other.interval is None:
        return Amount(value)
    (low, high), (least, most) = (each.interval or (each.value,) * 2 for each in (one, other))
    return Amount(value, (low + share * least, high + share * most))


def _training(place: Place | None, prices: Prices) -> Amount | None:
    """One training: the mean of the finals', with its interval, or the trial's."""
    if place is None or place.train_seconds is None:
        return None
    hourly = prices.hourly(_measured_on(place))
    if hourly is None:
        return None
    per_second = hourly / SECONDS_OF_AN_HOUR
    each = place.final.seed_train_seconds if place.final else []
    low, high = speeds.training(place.train_seconds, each)
    ends = (low * per_second, high * per_second) if len(each) > 1 else None
    return Amount(place.train_seconds * per_second, ends)


def _measured_on(place: Place) -> str:
    """The machine that an arm's speed was measured on."""
    rounds = place.rps.rounds if place.rps else ""
    if rounds:
        return rounds.rpartition(" ")[0]
    return host_of(place.trial) if place.trial else ""


def _by_hours(place: Place | None, prices: Prices) -> tuple[Amount | None, Missing | None]:
    """A million texts by the time that they take."""
    if place is None:
        return None, "speed"
    hourly = prices.hourly(_measured_on(place))
    if hourly is None:
        return None, "price"
    found = _of_speed(hourly, place.rps)
    return found, None if found else "speed"


def _of_speed(hourly: float, rps: Rps | None) -> Amount | None:
    if rps is None or not rps.valid or not rps.offline_per_second:
        return None
    per_second = hourly / SECONDS_OF_AN_HOUR * MILLION
    ends = rps.offline_interval
    interval = (per_second / ends[1], per_second / ends[0]) if ends and min(ends) > 0 else None
    return Amount(per_second / rps.offline_per_second, interval)


def _by_answers(place: Place | None, tariff: Tariff | None) -> tuple[Amount | None, Missing | None]:
    """A million texts by what the server takes: its answers, its hours, or both."""
    if tariff is None:
        return None, "price"
    facts = place.trial.circumstances if place and place.trial else {}
    total, interval = 0.0, None
    if tariff.by_use:
        use = tariff.of_use(
            # A question a text, where a strategy says nothing else.
            _number(facts.get("calls_per_text", 1)),
            _number(facts.get("prompt_tokens_per_text")),
            _number(facts.get("tokens_per_text")),
        )
        if use is None or not facts:
            return None, "tokens"
        total = use * MILLION
    if tariff.per_hour is not None:
        timed = _of_speed(tariff.per_hour, place.rps if place else None)
        if timed is None:
            return None, "speed"
        if timed.interval:
            interval = (total + timed.interval[0], total + timed.interval[1])
        total += timed.value
    return Amount(total, interval), None


def _used(trial: Trial, tariff: Tariff) -> float | None:
    """What a trial's answers cost, by what its server was asked and counted; None where that was
    not told."""
    if trial.state == "WAITING":
        return 0.0
    counts = trial.circumstances.get("endpoint")
    if not isinstance(counts, dict):
        return None
    asked, read, written = (
        _number(counts.get(name)) for name in ("asked", "prompt_tokens", "completion_tokens")
    )
    if not asked:
        read = written = 0.0
    elif not read:
        # A server that was asked and counted no token of the question does not count; one that
        # wrote none may: a decision model writes nothing.
        read = written = None
    return tariff.of_use(asked, read, written)


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known and math.isfinite(value) and value >= 0 else None


def _break_even(stood: Standing, arms: Sequence[ArmMoney], prices: Prices) -> list[BreakEven]:
    """The arm to take of those that run on one's own machine, or else the best of them, against
    each that is paid by its answers, best first."""
    found = {arm.arm: arm for arm in arms}
    own = _own(stood, found)
    if own is None:
        return []
    place = stood.place(own.arm)
    hourly = prices.hourly(_measured_on(place))
    if hourly is None or place.rps is None or not place.rps.offline_per_second:
        return []
    lowest, highest = (
        _DAY * end for end in place.rps.offline_interval or (place.rps.offline_per_second,) * 2
    )
    told = []
    for other in (found[one.arm] for one in sorted(stood.places, key=lambda one: -one.merit)):
        if other.paid != "answers" or other.per_million is None or not other.per_million.value:
            continue
        texts = hourly * HOURS_OF_A_DAY * MILLION / other.per_million.value
        pays: Pays = "pays" if texts <= lowest else "never" if texts > highest else "unsure"
        told.append(
            BreakEven(
                own=own.arm,
                asked=other.arm,
                pays=pays,
                texts_a_day=texts,
                most_a_day=_DAY * place.rps.offline_per_second,
                repaid_after=_repaid_after(own, other),
            )
        )
    return told


def _own(stood: Standing, arms: Mapping[str, ArmMoney]) -> ArmMoney | None:
    """The own arm to compare with: the one to take where it is one, else the best."""
    taken = [stood.verdict.recommended] if stood.verdict else []
    for name in (*taken, *stood.contenders, *(place.arm for place in stood.places)):
        arm = arms[name]
        own = arm.training is not None and arm.paid == "hours"
        if own and arm.per_million is not None:
            return arm
    return None


def _repaid_after(own: ArmMoney, other: ArmMoney) -> float | None:
    if own.training is None or own.search is None or not own.per_million or not other.per_million:
        return None
    saved = (other.per_million.value - own.per_million.value) / MILLION
    return (own.training.value + own.search) / saved if saved > 0 else None
