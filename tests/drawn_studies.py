"""Studies drawn by hypothesis, for what must hold of every report: near ties and far ones, missing
figures, arms without finals, trials of every state, bounds, seeds, p-values at every edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from hypothesis import strategies as st
from report_studies import study

from suite.contracts.results import (
    Arm,
    Checkpoint,
    Comparison,
    Final,
    KindSpread,
    Scores,
    StudyResults,
    TestScores,
    Trial,
)
from suite.contracts.rowfacts import DataFacts, Rows
from suite.contracts.speeds import Rps, SingleStream

#: Names without a digit, so that every digit of a sentence belongs to one of its values.
ARMS = {"maple/classic": "classic", "cedar/probe": "encoder", "birch/linear_head": "decoder",
        "aspen/sft": "decoder", "rowan/zero_shot": "decoder"}  # fmt: skip
LABELS = ["World", "Sports", "Money"]

share = st.one_of(
    st.integers(0, 10**6).map(lambda n: n / 10**6),
    st.sampled_from([0.9, 0.90004, 0.89996, 0.9001, 0.45, 0.0, 1.0]),
)
seconds = st.floats(-2.0, 5.5).map(lambda power: 10**power)
loss = st.floats(0.01, 3.0)
rate = st.floats(-2.0, 5.0).map(lambda power: 10**power)
p_value = st.one_of(
    st.sampled_from([0.0, 0.0004, 0.001, 0.0496, 0.04999, 0.05, 0.0504, 0.41, 0.9904, 1.0]),
    st.floats(0.0, 1.0),
)
maybe = st.none()


@st.composite
def speeds(draw: st.DrawFn) -> Rps | None:
    if draw(st.integers(0, 4)) == 0:
        return None
    single = SingleStream(draw(rate), draw(maybe | rate), None, True)
    offline = draw(maybe | rate)
    found = Rps(single_stream=single, offline_per_second=offline, valid=True)
    if offline is None or draw(st.booleans()):
        return found  # measured once
    return replace(found, windows=[offline] * 6, offline_interval=(offline, offline), rounds="r")


@st.composite
def confusions(draw: st.DrawFn) -> list[list[int]]:
    return [[draw(st.integers(0, 30)) for _ in LABELS] for _ in LABELS]


@st.composite
def trials_of(draw: st.DrawFn, arm: str, first: int, noon: datetime) -> list[Trial]:
    """One complete trial at least, then some of every state."""
    found = []
    for number in range(first, first + draw(st.integers(1, 4))):
        state = "COMPLETE" if number == first else draw(
            st.sampled_from(["COMPLETE", "COMPLETE", "PRUNED", "FAIL", "RUNNING"]))  # fmt: skip
        steps = draw(st.integers(1, 4))
        points = [draw(share) for _ in range(steps)] if state != "FAIL" else []
        told = draw(st.booleans())  # A class each has no loss.
        checkpoints = [
            Checkpoint((i + 1) / steps, f1, i + 1.0, loss=draw(loss) if told else None)
            for i, f1 in enumerate(points)
        ]
        scores = None
        if state == "COMPLETE":
            scores = Scores(max(points), draw(share), 0.5, 0.5, [draw(share) for _ in LABELS],
                            draw(confusions()))  # fmt: skip
        began = noon + timedelta(seconds=10 * number)
        ended = "" if state == "RUNNING" else began + timedelta(seconds=draw(st.integers(1, 9)))
        found.append(
            Trial(
                number=number, state=state, arm=arm, checkpoints=checkpoints, validation=scores,
                params={"rate": draw(share), "depth": draw(st.integers(1, 9))},
                train_seconds=draw(maybe | seconds), evaluation_seconds=draw(maybe | seconds),
                rps=draw(speeds()), worker="a worker", started=began.isoformat(),
                ended=ended.isoformat() if ended else "",
                error="broke" if state == "FAIL" else None,
            )
        )  # fmt: skip
    return found


@st.composite
def studies(
    draw: st.DrawFn, names: list[str] | None = None, *, solid: bool = False
) -> StudyResults:
    """A study as the suite may write it: comparisons, ranks and bounds agree with each other.

    Args:
        names: its arms; None draws them.
        solid: every arm is tested and timed, and the rows are real.
    """
    drawn = st.lists(st.sampled_from(list(ARMS)), min_size=1, max_size=4, unique=True)
    names = names or draw(drawn)
    noon = datetime(2026, 1, 2, 12)
    trials: list[Trial] = []
    for name in names:
        trials += draw(trials_of(name, len(trials), noon))
    tested = names if solid else draw(st.sampled_from([[], names, names, names[:-1] or names]))
    seeds = draw(st.sampled_from([1, 3]))
    # Finals of today tell of each training; older ones do not.
    told = draw(st.booleans())
    kinds = {name: draw(st.sampled_from(["several", "fixed", "once"])) for name in tested}
    looks = draw(st.sampled_from([1, 1, 2])) if told else 1
    middle = {name: draw(share) for name in tested}
    comparisons = []
    for a, b in combinations(tested, 2):
        difference = middle[a] - middle[b]
        more = {}
        if told:
            one = "once" in (kinds[a], kinds[b])
            more = {"df": draw(st.floats(1.0, 7599.0)), "row_variance": draw(st.floats(0.0, 1e-4)),
                    "seed_variance": draw(st.floats(0.0, 1e-4)), "looks": looks,
                    "of": "trained models" if one else "arms"}  # fmt: skip
        comparisons.append(
            Comparison(a, b, difference, (difference - 0.01, difference + 0.012),
                       draw(p_value) if difference else 1.0, **more)
        )  # fmt: skip
    lost = [c.b if c.difference > 0 else c.a for c in comparisons if c.p < 0.05]
    claimed = [name for name in tested if kinds[name] != "once"]
    wins = [(c.a, c.b) if c.difference > 0 else (c.b, c.a) for c in comparisons
            if c.p < 0.05 and c.a in claimed and c.b in claimed]  # fmt: skip

    def trainings(name: str) -> dict[str, Any]:
        """What today's finals tell of an arm's trainings, ranks among the arms claimed about."""
        kind = kinds[name]
        low = 1 + sum(loser == name for _, loser in wins)
        high = len(claimed) - sum(winner == name for winner, _ in wins)
        return {
            "seeds": 3 if kind == "several" else 1,
            "seed_scores": [draw(share) for _ in range(3 if kind == "several" else 1)],
            "deterministic": kind == "fixed", "refit": draw(st.booleans()), "looks": looks,
            "rank_range": (low, high) if name in claimed else None,
            "may_be_best": low == 1 if name in claimed else None,
            "short": draw(st.sampled_from([None, "another training would take too long"]))
            if kind == "once" else None,
            "spread_of_kind": KindSpread(draw(share), 5, ["elm/probe"], draw(
                st.sampled_from([[], ["earlier"]]))) if kind == "once" else None,
        }  # fmt: skip

    finals = [
        Final(
            arm=name, trial=next(t.number for t in trials if t.arm == name),
            **(trainings(name) if told else {"seeds": seeds}),
            stale=draw(st.booleans()), rank=1 + lost.count(name),
            test=TestScores(middle[name], draw(share),
                            (max(0.0, middle[name] - 0.01), min(1.0, middle[name] + 0.012)),
                            per_class_f1=[draw(share) for _ in LABELS],
                            confusion=draw(confusions())),
            train_seconds=draw(seconds if solid else maybe | seconds), rps=draw(speeds()),
        )
        for name in tested
    ]  # fmt: skip
    refused = draw(st.lists(st.sampled_from(["encoder", "decoder"]), max_size=3))
    bounds = draw(st.sampled_from([{}, {}, {"min_rps": 50.0}, {"max_train_seconds": 20.0}]))
    audit = study().data.audit
    lengths = sorted(draw(st.lists(st.integers(0, 900), min_size=21, max_size=21)))
    assert audit is not None
    splits = {
        name: replace(split, length_quantiles=lengths, class_counts=[400, 300, 300])
        for name, split in audit.splits.items()
    }
    return study(
        arms=[
            *(Arm(name, family=ARMS[name]) for name in names),
            *(Arm(f"out{'of' * i}/sft", refused="no GPU", family=f) for i, f in enumerate(refused)),
        ],
        trials=trials, finals=finals, comparisons=comparisons, labels=LABELS,
        test_openings=draw(st.integers(0, 3)) if finals else 0,
        data=DataFacts(source="folder toy", fingerprint="f" * 16, rows=Rows(1000, 100, 200),
                       audit=replace(audit, splits=splits),
                       sample=not solid and draw(st.booleans())),
        bounds=bounds, references=[], environment={}, recipe="quick",
        importance={names[0]: {"rate": draw(share), "depth": draw(share)}},
    )  # fmt: skip


#: Names of tasks without a digit.
TASKS = ["ants", "bees", "crows", "deer", "eels", "fish"]


@st.composite
def several_studies(draw: st.DrawFn) -> list[StudyResults]:
    """Studies of different tasks, on one machine or on machines that do not tell."""
    names = draw(st.lists(st.sampled_from(list(ARMS)), min_size=2, max_size=4, unique=True))
    machine = draw(st.sampled_from([{}, {"cpu": "toy", "memory": "some"}]))
    solid = draw(st.booleans())
    found = []
    for task in TASKS[: draw(st.integers(1, len(TASKS)))]:
        own = draw(studies(draw(st.sampled_from([names, names, names[:-1]])), solid=solid))
        found.append(replace(own, study=task, task=task, title=task, environment=machine))
    return found
