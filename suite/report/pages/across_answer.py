"""What is said across studies: the answer (what to doubt, what is best, what to take), and how it
was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from suite.report import formats
from suite.report.data.across import FAR, Across, Column, Duel
from suite.report.data.across_cells import Cell
from suite.report.data.side_by_side import SideBySide, Verdict
from suite.report.words import Words
from suite.verdict.interval import LEVEL
from suite.verdict.metrics import METRICS
from suite.verdict.over_tasks import LEAST_TASKS

#: Arms named in a sentence; of more only the number is told.
NAMED = 3
FACTS = 5


@dataclass(frozen=True)
class AcrossAnswer:
    """What the page opens with: what to doubt, what is best, what to take."""

    caveats: tuple[str, ...]
    verdict: str
    notes: tuple[str, ...]
    text: str


def across_answer(data: Across, words: Words) -> AcrossAnswer:
    """The answer to "which arm, whatever the task?", in the words' language."""
    words = words.about(data.objective)
    caveats = _caveats(data, words)
    verdict = _verdict(data, words)
    notes = [note for note in _notes(data, words) if note]
    return AcrossAnswer(
        tuple(caveats), verdict, tuple(notes), words.sentences([*caveats, verdict, *notes])
    )


def _caveats(data: Across, words: Words) -> list[str]:
    caveats = []
    samples = [column for column in data.standing if column.sample]
    if samples and not any(column.counted and not column.sample for column in data.columns):
        if all(column.sample for column in data.columns):
            caveats.append(words("across_sample_all"))
        else:
            caveats.append(_about("across_sample_some", samples, words))
    elif samples:
        caveats.append(_about("across_sample_some", samples, words))
    for key, basis in (("across_validation", "validation"), ("across_nothing_yet", "none")):
        caveats.append(_about(key, [c for c in data.standing if c.basis == basis], words))
    caveats.append(_about("across_stale", [c for c in data.columns if c.stale], words))
    if not data.objective:
        own = [
            words(
                "across_objective_of",
                study=formats.name(column.study),
                metric=METRICS[column.objective].label(words.language),
            )
            for column in data.standing
        ]
        caveats.append(words("across_objectives", studies=words("semicolon").join(own)))
    if len(data.counted) > 1 and not data.same_machine:
        known = all(column.machine for column in data.counted)
        caveats.append(words("across_machines" if known else "across_machines_unknown"))
    return [caveat for caveat in caveats if caveat]


def _about(key: str, columns: Sequence[Column], words: Words) -> str:
    names = [formats.name(column.study) for column in columns]
    return words(key, studies=_several(names, words, "studies")) if names else ""


def _several(names: Sequence[str], words: Words, what: Literal["arms", "studies"]) -> str:
    if len(names) <= NAMED:
        return words.join(names)
    return words(f"n_{what}", **{what: len(names)})


def _verdict(data: Across, words: Words) -> str:
    tasks = len(data.counted)
    if tasks == 0:
        return words("across_none")
    if tasks == 1:
        column = data.counted[0]
        if data.pairs:
            return words.sentences([_pair_said(pair, words) for pair in data.pairs[:2]])
        first = data.arm(column.best) if column.best else None
        said = words("across_one_task", task=formats.name(column.name))
        if first is None:
            return said
        words = words.about(column.objective)
        f1 = formats.score(data.cell(first, column).score)
        own = data.cell(first, column).merit
        others = [data.cell(arm, column).merit for arm in data.arms]
        highest = own is not None and all(m is None or m <= own for m in others)
        key = "across_one_task_best" if highest else "across_one_task_best_within"
        best = words(key, arm=formats.name(first.arm), f1=f1)
        return words.sentences([said, best])
    if not data.common:
        winner = max(data.arms, key=lambda arm: (arm.share("won") or 0.0, arm.won))
        return words(
            "across_no_common",
            tasks=tasks,
            arm=formats.name(winner.arm),
            won=winner.won,
            contests=winner.contests,
        )
    if len(data.common) == 1:
        return words("across_one_common", tasks=tasks, arm=formats.name(data.common[0]))
    if not data.ranked:
        return words("across_silent", tasks=tasks, least=LEAST_TASKS)
    # The second sentence is what a reader must know before believing the first.
    return words.sentences([_best(data, words), _but(data, words) or _chance(data, words)])


def _rival(data: Across) -> Duel | None:
    """The arm that some task lacks but that beats the best of the common ones where both ran."""
    outside = [duel for duel in data.duels if duel.against not in data.common]
    winners = [duel for duel in outside if duel.lost > duel.won]
    return max(winners, key=lambda d: (d.lost - d.won, -d.level, d.against), default=None)


def _but(data: Across, words: Words) -> str:
    rival = _rival(data)
    if rival is None:
        return ""
    met = rival.won + rival.level + rival.lost
    return words("across_but", arm=formats.name(rival.against), lost=rival.lost, met=met)


def _ranked(data: Across) -> list[tuple[str, float]]:
    return [(arm.arm, arm.average_rank) for arm in data.arms if arm.average_rank is not None]


def _best(data: Across, words: Words) -> str:
    ranked = _ranked(data)
    rank, k = ranked[0][1], len(ranked)
    top = [arm for arm, own in ranked if own == rank]
    if len(top) > 1:
        names = _several([formats.name(arm) for arm in top], words, "arms")
        return words(
            "across_best_shared", names=names, tasks=len(data.counted), rank=f"{rank:.2f}", arms=k
        )
    return words(
        "across_best",
        arm=formats.name(ranked[0][0]),
        tasks=len(data.counted),
        rank=f"{rank:.2f}",
        arms=k,
        second=formats.name(ranked[1][0]),
        rank2=f"{ranked[1][1]:.2f}",
    )


def _chance(data: Across, words: Words) -> str:
    """Whether the lead in average rank is more than chance, or why that can't be told."""
    ranked = _ranked(data)
    (first, rank), (second, rank2) = ranked[:2]
    test = data.over_tasks
    if test is None:
        duel = next((d for d in data.duels if d.against == second), Duel(second, 0, 0, 0))
        return words(
            "across_too_few_arms",
            arm=formats.name(first),
            second=formats.name(second),
            won=duel.won,
            level=duel.level,
            lost=duel.lost,
        )
    p = formats.p_told(test.p)
    if test.p >= LEVEL:
        return words("across_friedman_none", p=p)
    cd, distance = f"{test.critical_difference:.2f}", f"{rank2 - rank:.2f}"
    if rank2 - rank >= test.critical_difference:
        return words("across_cd_real", distance=distance, cd=cd, p=p)
    near = [formats.name(arm) for arm, own in ranked[1:] if own - rank < test.critical_difference]
    arms = _several(near, words, "arms")
    return words("across_cd_chance", distance=distance, cd=cd, p=p, arms=arms)


def _notes(data: Across, words: Words) -> list[str]:
    notes = []
    if len(data.counted) > 1 and len(data.common) > 1:
        if data.ranked:
            notes.append(_rests(data, words))
            notes.append(_chance(data, words) if _rival(data) else "")
            notes.append(_take(data, words))
        notes.append(_unlabelled(data, words))
    if len(data.counted) > 1:
        notes += [_pair_said(pair, words) for pair in data.pairs[:2]]
    elif len(data.pairs) == 1:
        notes.append(_differ(data.pairs[0], words))
    return notes


def _rests(data: Across, words: Words) -> str:
    """How little the ranking rests on: the first arm's interval over draws of the tasks."""
    first = next(arm for arm in data.arms if arm.rank_interval is not None)
    (low, high), (least, most) = first.rank_interval or (0, 0), first.win_interval or (0, 0)
    return words(
        "across_rests",
        tasks=len(data.counted),
        arm=formats.name(first.arm),
        low=f"{low:.2f}",
        high=f"{high:.2f}",
        rate=formats.whole_percent(first.win_rate or 0.0),
        least=formats.whole_percent(least),
        most=formats.whole_percent(most),
    )


def _differ(pair: SideBySide, words: Words) -> str:
    """Which circumstances a change may come from."""
    facts = list(dict.fromkeys(words(f"fact_{change.fact}") for change in pair.changed))
    if not facts:
        return words("across_pair_alike")
    named = words.join(facts) if len(facts) <= FACTS else words("across_more_facts", n=len(facts))
    return words("across_pair_differ", facts=named)


def _take(data: Across, words: Words) -> str:
    """What to start with on a new task, and what would be cheaper."""
    first = data.common[0]
    own = data.arm(first)
    rival = _rival(data)
    if rival is not None:
        arms = {"rival": formats.name(rival.against), "arm": formats.name(first)}
        return words("across_take_rival", **arms) + words("end")
    said = words("across_take", arm=formats.name(first))
    others = [
        arm
        for arm in data.arms
        if arm.arm in data.common
        and arm.arm != first
        and arm.training is not None
        and arm.mean_gap is not None
        and arm.mean_gap >= -FAR
    ]
    if own is None or own.training is None or not others:
        return said + words("end")
    never_worse = {duel.against for duel in data.duels if duel.won == 0}
    level = [arm for arm in others if arm.arm in never_worse]
    for key, among in (("level", level), ("cheap", others)):
        chosen = min(among, key=lambda arm: arm.training or 0.0, default=None)
        if chosen is None or chosen.training is None or chosen.training >= own.training:
            continue
        gap = (own.mean_gap or 0.0) - (chosen.mean_gap or 0.0)
        said += words(
            f"across_take_{key}",
            arm=formats.name(chosen.arm),
            training=formats.times(chosen.training / own.training),
            gap=formats.gap(max(gap, 0.0)),
            far=formats.plain(FAR),
        )
        break
    return said + words("end")


def _unlabelled(data: Across, words: Words) -> str:
    """What a user without any labels is left with."""
    asked = [
        arm
        for arm in data.arms
        if arm.arm.rpartition("/")[2] == "zero_shot" and arm.mean_gap is not None
    ]
    if not data.objective:
        return ""
    if not asked:
        return words("across_no_zero_shot")
    best = max(asked, key=lambda arm: (arm.tasks, arm.mean_gap or 0.0))
    return words(
        "across_zero_shot",
        arm=formats.name(best.arm),
        gap=formats.gap(best.mean_gap),
        n=best.tasks,
        tasks=len(data.counted),
    )


def _pair_said(pair: SideBySide, words: Words) -> str:
    verdicts: tuple[Verdict, ...] = ("better", "worse", "chance", "unknown")
    parts = []
    for verdict in verdicts:
        arms = [formats.name(change.arm) for change in pair.arms if change.verdict == verdict]
        if arms:
            named = _several(arms, words, "arms")
            parts.append(words(f"across_pair_{verdict}", arms=named))
    none = "across_pair_none" if pair.objective else "across_pair_objectives"
    what = words("semicolon").join(parts) or words(none)
    return words(
        "across_pair",
        task=formats.name(pair.task),
        before=formats.name(pair.before),
        after=formats.name(pair.after),
        what=what,
    )


def method(pair: SideBySide, words: Words) -> str:
    """How the arms of a pair were compared, and what was not compared."""
    if pair.basis != "test":
        said = words("across_no_claim")
    elif pair.why_unpaired:
        said = words(f"across_unpaired_{pair.why_unpaired}")
    else:
        said = words("across_paired")
    return words.sentences([said, "" if pair.same_machine else words("across_machine_costs")])


def unchanged(pair: SideBySide, words: Words) -> str:
    """Which circumstances are the same in both studies."""
    if not pair.unchanged:
        return ""
    facts = words("comma").join(words(f"fact_{fact}") for fact in pair.unchanged)
    return words("across_unchanged", facts=facts)


def over_tasks_said(data: Across, words: Words) -> str:
    """What the test over tasks found, or why none was made."""
    n, k = len(data.counted), len(data.common)
    test = data.over_tasks
    if test is None:
        return words("across_test_few", least=LEAST_TASKS, tasks=n, arms=k)
    return words(
        "across_test_said",
        tasks=n,
        arms=k,
        statistic=f"{test.statistic:.2f}",
        p=formats.p_told(test.p),
        cd=f"{test.critical_difference:.2f}",
    )


def stands(data: Across, words: Words) -> str:
    """Which studies stand for tasks that have several."""
    several = {c.task for c in data.columns if not c.stands}
    names = [formats.name(column.study) for column in data.standing if column.task in several]
    return words("across_stands", names=words.join(names)) if names else ""


def refusals(data: Across) -> list[tuple[str, Column, Cell]]:
    """Every arm that a standing study refused or retired, with where and why."""
    return [
        (arm.arm, column, cell)
        for arm in data.arms
        for column, cell in zip(data.standing, arm.cells, strict=True)
        if cell.state in ("refused", "retired")
    ]
