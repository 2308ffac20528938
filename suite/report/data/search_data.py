"""How the search went, as typed values: who ran when, what became of trials, where time went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from suite.contracts.results import State, StudyResults, Trial

#: Bars of the timeline that are drawn at most.
BARS_DRAWN = 1500
#: The order in which states are stacked and told.
STATES: tuple[State, ...] = ("COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING")


@dataclass(frozen=True)
class Bar:
    """One trial on its worker's line; moments in seconds since the first trial began."""

    trial: int
    arm: str
    state: State
    worker: str
    start: float
    end: float


@dataclass(frozen=True)
class Timeline:
    """Trials by worker. `idle_share` is the part of the workers' time with no trial on it."""

    bars: tuple[Bar, ...]
    workers: tuple[str, ...]
    began: str
    seconds: float
    idle_share: float
    total: int


@dataclass(frozen=True)
class ArmStates:
    """What became of an arm's trials: state -> how many."""

    arm: str
    counts: dict[State, int]

    @property
    def total(self) -> int:
        """All its trials."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class ArmCost:
    """What searching an arm took, in seconds of wall clock, by what it was spent on.

    `other` is what is neither training nor scoring: loading, serving measurements, processes.
    """

    arm: str
    trials: int
    training: float
    scoring: float
    other: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.training + self.scoring + self.other


def timeline(results: StudyResults, cap: int = BARS_DRAWN) -> Timeline | None:
    """Every trial with a beginning; None where there is none. The longest bars are kept."""
    spans = [(trial, *span) for trial in results.trials if (span := _span(trial))]
    if not spans:
        return None
    first = min(start for _, start, _ in spans)
    # A study that was left and taken up again would be mostly gap: the gap is no one's time.
    bars = [
        Bar(
            trial=trial.number,
            arm=trial.arm,
            state=trial.state,
            worker=trial.worker or "?",
            start=(start - first).total_seconds(),
            end=(end - first).total_seconds(),
        )
        for trial, start, end in spans
    ]
    workers = tuple(dict.fromkeys(bar.worker for bar in sorted(bars, key=lambda b: b.start)))
    busy = available = 0.0
    for worker in workers:
        own = [bar for bar in bars if bar.worker == worker]
        busy += sum(bar.end - bar.start for bar in own)
        available += max(bar.end for bar in own) - min(bar.start for bar in own)
    drawn = sorted(bars, key=lambda bar: bar.start - bar.end)[:cap]
    return Timeline(
        bars=tuple(sorted(drawn, key=lambda bar: bar.start)),
        workers=workers,
        began=first.isoformat(sep=" ", timespec="seconds"),
        seconds=max(bar.end for bar in bars),
        idle_share=max(0.0, 1 - busy / available) if available else 0.0,
        total=len(bars),
    )


def states(results: StudyResults) -> tuple[ArmStates, ...]:
    """Arms in the study's order, those without any trial left out."""
    found = []
    for arm in _arms(results):
        own = [trial.state for trial in results.trials if trial.arm == arm]
        if own:
            found.append(ArmStates(arm, {state: own.count(state) for state in STATES}))
    return tuple(found)


def costs(results: StudyResults) -> tuple[ArmCost, ...]:
    """What each arm's trials took, the dearest first."""
    found = []
    for arm in _arms(results):
        spans = [(t, span) for t in results.trials if t.arm == arm and (span := _span(t))]
        if not spans:
            continue
        training = scoring = other = 0.0
        for trial, (start, end) in spans:
            wall = (end - start).total_seconds()
            # Times are kept to the second here, and a cache adds back what it saved: the parts
            # must not exceed the whole.
            trained = min(_trained(trial), wall)
            scored = min(trial.evaluation_seconds or 0.0, wall - trained)
            training, scoring = training + trained, scoring + scored
            other += wall - trained - scored
        found.append(ArmCost(arm, len(spans), training, scoring, other))
    return tuple(sorted(found, key=lambda cost: (-cost.seconds, cost.arm)))


def _trained(trial: Trial) -> float:
    if trial.train_seconds is not None:
        return trial.train_seconds
    return max((c.train_seconds for c in trial.checkpoints), default=0.0)


def _arms(results: StudyResults) -> Sequence[str]:
    return list(dict.fromkeys([a.arm for a in results.arms] + [t.arm for t in results.trials]))


def _span(trial: Trial) -> tuple[datetime, datetime] | None:
    try:
        start = datetime.fromisoformat(trial.started)
        end = datetime.fromisoformat(trial.ended) if trial.ended else start
    except ValueError:
        return None
    return (start, end) if (start.tzinfo is None) == (end.tzinfo is None) else None
