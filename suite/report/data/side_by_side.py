"""Two studies of one task: which circumstances changed, and whether each arm got better by it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.rows import (
    Leaderboard,
    LeaderboardRow,
    bounds_of,
    leaderboard,
)
from suite.verdict import changes
from suite.verdict.interval import LEVEL, Interval
from suite.verdict.metrics import METRICS, Metric
from suite.verdict.speeds import apart, ratio_ends
from suite.verdict.standing import Basis

#: Up to so many studies of one task each is compared with each; of more, each with the latest.
ALL_PAIRS = 3
#: Pairs of studies compared in all.
PAIRS_SHOWN = 12

Method = Literal["paired", "unpaired", "none"]
Verdict = Literal["better", "worse", "chance", "unknown"]
WhyUnpaired = Literal["", "objectives", "losses", "no_predictions", "rows_differ", "sample"]


@dataclass(frozen=True)
class Changed:
    """A circumstance in two studies; `before` and `after` as they read."""

    fact: str
    detail: str
    before: str
    after: str


@dataclass(frozen=True)
class ArmChange:
    """An arm in two studies of one task; `difference` is after − before, p Holm-adjusted over
    the arms of the pair. `training` and `speed` are after ÷ before, where one machine measured.
    """

    arm: str
    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    p: float | None
    method: Method
    verdict: Verdict
    training: float | None
    speed: float | None
    speed_interval: tuple[float, float] | None = None
    """Of `speed`, where both were measured in rounds."""

    @property
    def times_as_fast(self) -> float | None:
        """How many times as fast it became; None where that can be chance."""
        return self.speed if apart(self.speed_interval) else None


@dataclass(frozen=True)
class SideBySide:
    """Two studies of one task, the earlier first.

    `why_unpaired` is empty where both hold predictions on the same test rows, from which what they
    go by is counted.
    """

    task: str
    title: str
    before: str
    after: str
    basis: Basis
    why_unpaired: WhyUnpaired
    same_machine: bool
    changed: tuple[Changed, ...]
    unchanged: tuple[str, ...]
    arms: tuple[ArmChange, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    objective: str = DEFAULT_OBJECTIVE
    """By what both go; "" where that differs, and no arm is compared."""

    def count(self, verdict: Verdict) -> int:
        """Arms with this verdict."""
        return sum(arm.verdict == verdict for arm in self.arms)


def machine_of(results: StudyResults) -> str:
    """The machine a study ran on in a line; empty where it does not tell."""
    cpu, gpus = results.environment.get("cpu"), results.environment.get("gpus")
    parts = []
    if isinstance(cpu, Mapping):
        cores = cpu.get("usable") or cpu.get("logical_cores")
        parts.append(formats.plain(cpu.get("model") or "CPU"))
        if cores is not None:
            parts[-1] += f" × {formats.plain(cores)}"
    elif cpu:
        parts.append(formats.plain(cpu))
    for gpu in gpus if isinstance(gpus, list) else []:
        parts.append(formats.plain(gpu.get("name", gpu) if isinstance(gpu, Mapping) else gpu))
    return " + ".join(parts)


def pairs_of(
    studies: Sequence[StudyResults], boards: Sequence[Leaderboard]
) -> tuple[list[SideBySide], int]:
    """Studies of one task, two by two; and how many pairs are not shown."""
    by_task: dict[str, list[int]] = {}
    for i, results in enumerate(studies):
        by_task.setdefault(results.task, []).append(i)
    chosen: list[tuple[int, int]] = []
    possible = 0
    for own in by_task.values():
        ordered = sorted(own, key=lambda i: (studies[i].created, i))
        possible += len(ordered) * (len(ordered) - 1) // 2
        if len(ordered) <= ALL_PAIRS:
            chosen += combinations(ordered, 2)
        else:
            chosen += [(i, ordered[-1]) for i in reversed(ordered[:-1])]
    kept = chosen[:PAIRS_SHOWN]
    pairs = [side_by_side(studies[a], studies[b], boards[a], boards[b]) for a, b in kept]
    return pairs, possible - len(kept)


def side_by_side(
    before: StudyResults,
    after: StudyResults,
    old: Leaderboard | None = None,
    new: Leaderboard | None = None,
) -> SideBySide:
    """What changed between two studies of one task, and whether each arm got better by it."""
    old, new = old or leaderboard(before), new or leaderboard(after)
    tested = old.basis == new.basis == "test"
    machine = machine_of(before)
    same_machine = bool(machine) and machine == machine_of(after)
    why = why_unpaired(before, after)
    shared = [row for row in new.rows if old.row(row.arm) is not None and why != "objectives"]
    found = [
        _arm_change(before, after, row_old, row, tested, paired=not why, same_machine=same_machine)
        for row in shared
        if (row_old := old.row(row.arm)) is not None
    ]
    changed, unchanged = _circumstances(before, after)
    compared = [change for change in found if change is not None]
    taken = {change.arm for change in compared}
    if why == "objectives":
        taken = {row.arm for row in new.rows} & {row.arm for row in old.rows}
    return SideBySide(
        task=after.task,
        title=after.title or after.task,
        before=before.study,
        after=after.study,
        basis="test" if tested else "validation",
        why_unpaired=why,
        same_machine=same_machine,
        changed=tuple(changed),
        unchanged=tuple(unchanged),
        arms=tuple(_adjusted(compared, METRICS[after.objective])),
        only_before=tuple(row.arm for row in old.rows if row.arm not in taken),
        only_after=tuple(row.arm for row in new.rows if row.arm not in taken),
        objective="" if why == "objectives" else after.objective,
    )


def why_unpaired(before: StudyResults, after: StudyResults) -> WhyUnpaired:
    """Why two studies cannot be compared row by row; empty where they can.

    The rows of test are the same where the data's fingerprint is, and also where as many rows
    have the same labels in the same order and, where both were audited, the same lengths: then
    only train differs. Of a loss by row, results hold no more than the mean.
    """
    if before.objective != after.objective:
        return "objectives"
    if before.sample != after.sample:
        return "sample"
    if METRICS[after.objective].of_confusion is None:
        return "losses"
    one, other = before.predictions, after.predictions
    if one is None or other is None:
        return "no_predictions"
    same = before.labels == after.labels and one.labels == other.labels
    if same and before.data.fingerprint != after.data.fingerprint:
        audits = [r.data.audit.splits.get("test") for r in (before, after) if r.data.audit]
        lengths = [(a.length_mean, a.length_p50, a.length_p95, a.length_max) for a in audits if a]
        same = len(set(lengths)) < 2
    return "" if same else "rows_differ"


def _arm_change(
    before: StudyResults,
    after: StudyResults,
    old: LeaderboardRow,
    new: LeaderboardRow,
    tested: bool,
    *,
    paired: bool,
    same_machine: bool,
) -> ArmChange | None:
    """An arm's change with its p as it is; None where one side has no score of that kind."""
    one = old.test_score if tested else old.validation_score
    other = new.test_score if tested else new.validation_score
    if one is None or other is None:
        return None
    plain = ArmChange(
        arm=new.arm,
        before=one,
        after=other,
        difference=other - one,
        low=None,
        high=None,
        p=None,
        method="none",
        verdict="unknown",
        training=ratio(new.train_seconds, old.train_seconds) if same_machine else None,
        speed=ratio(new.offline_rps, old.offline_rps) if same_machine else None,
        speed_interval=(
            ratio_ends(new.offline_interval, old.offline_interval) if same_machine else None
        ),
    )
    if not tested:
        return plain
    change: changes.Change | None = None
    method: Method = "none"
    score = METRICS[after.objective].of_confusion
    if paired and score is not None and before.predictions and after.predictions:
        answers = [r.predictions.arms.get(new.arm) for r in (before, after) if r.predictions]
        if all(answers):
            classes = max(len(after.labels), 1 + max(after.predictions.labels, default=0))
            change = changes.paired_change(
                after.predictions.labels,
                answers[0] or [],
                answers[1] or [],
                classes,
                deterministic=_deterministic(before, new.arm) and _deterministic(after, new.arm),
                score=score,
            )
            method = "paired"
    if change is None and old.test_interval and new.test_interval:
        change = changes.unpaired_change(
            Interval(one, *old.test_interval),
            Interval(other, *new.test_interval),
        )
        method = "unpaired" if change else "none"
    if change is None:
        return plain
    return replace(
        plain,
        difference=change.value,
        low=change.low,
        high=change.high,
        p=change.p,
        method=method,
    )


def _deterministic(results: StudyResults, arm: str) -> bool:
    """Whether an arm's training repeats itself, as its finals say."""
    return any(final.arm == arm and final.deterministic for final in results.finals)


def _adjusted(compared: Sequence[ArmChange], metric: Metric) -> Iterator[ArmChange]:
    """The changes with p adjusted over all of them, and the verdict it gives."""
    tested = [change for change in compared if change.p is not None]
    adjusted: dict[str, float] = {}
    if tested:
        values = changes.holm([change.p or 0.0 for change in tested])
        adjusted = {change.arm: p for change, p in zip(tested, values, strict=True)}
    for change in compared:
        p = adjusted.get(change.arm)
        if p is None:
            yield change
        elif p >= LEVEL:
            yield replace(change, p=p, verdict="chance")
        else:
            better = metric.merit(change.difference) > 0
            yield replace(change, p=p, verdict="better" if better else "worse")


def _circumstances(before: StudyResults, after: StudyResults) -> tuple[list[Changed], list[str]]:
    """The facts that differ, and the names of those that do not."""
    changed, unchanged = [], []
    told: dict[str, None] = {}
    one, other = _facts(before), _facts(after)
    for key in dict.fromkeys([*one, *other]):
        fact, detail = key
        if one.get(key, "") != other.get(key, ""):
            changed.append(Changed(fact, detail, one.get(key, ""), other.get(key, "")))
        told[fact] = None
    differ = {change.fact for change in changed}
    unchanged = [fact for fact in told if fact not in differ]
    return changed, unchanged


def _facts(results: StudyResults) -> dict[tuple[str, str], str]:
    """(fact, detail) -> how it reads; an arm reads `yes`, `refused` or `retired`."""
    rows, environment = results.data.rows, results.environment
    seeds = sorted({final.seeds for final in results.finals})
    finished = sum(t.state in ("COMPLETE", "PRUNED", "FAIL") for t in results.trials)
    facts: dict[tuple[str, str], str] = {
        ("recipe", ""): results.recipe,
        ("source", ""): results.data.source,
        ("fingerprint", ""): results.data.fingerprint,
        ("train_rows", ""): formats.count(rows.train),
        ("validation_rows", ""): formats.count(rows.validation),
        ("test_rows", ""): formats.count(rows.test),
        ("classes", ""): formats.count(len(results.labels)),
        ("machine", ""): machine_of(results),
        ("python", ""): formats.plain(environment.get("python", "")),
        ("seeds", ""): ", ".join(str(n) for n in seeds),
        ("trials", ""): formats.count(finished),
        ("allocation", ""): results.allocation,
        ("sampler", ""): results.sampler,
        ("pruner", ""): results.pruner,
        ("openings", ""): formats.count(results.test_openings),
    }
    facts |= {
        ("arms", arm.arm): "refused"
        if arm.refused is not None
        else "retired"
        if arm.retired
        else "yes"
        for arm in results.arms
    }
    for name, value in formats.flat(results.budget):
        facts["budget", name] = value
    for name, bound in bounds_of(results).items():
        facts["bounds", name] = formats.plain(bound)
    for group in ("versions", "packages"):
        versions = environment.get(group)
        if isinstance(versions, Mapping):
            facts |= {("versions", str(n)): formats.plain(v) for n, v in versions.items()}
    for arm in results.arms:
        if arm.model_revision:
            facts["revision", arm.arm] = arm.model_revision
    return facts


def ratio(own: float | None, base: float | None) -> float | None:
    """A cost as a multiple of another; None where either is not known or not above nothing."""
    found = own / base if own and base and own > 0 and base > 0 else None
    return found if found is not None and math.isfinite(found) else None
