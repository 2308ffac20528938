"""Several studies on one page, and the same as JSON, CSV and Markdown: the answer first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.across import (
    FAR,
    TASKS_FOR_TEST,
    Across,
    AcrossArm,
    Cell,
    Column,
    Duel,
    SideBySide,
    across,
    shown,
)
from suite.report.data.rows import SIGNIFICANCE
from suite.report.pages.text_tables import csv_text, markdown_line, markdown_table
from suite.report.words import Words

if TYPE_CHECKING:
    from suite.report.charts.chart import Chart

CSV_COLUMNS = (
    "arm", "family", "study", "task", "basis", "counted", "state", "reason", "macro_f1",
    "macro_f1_low", "macro_f1_high", "rank", "shared", "gap", "train_seconds",
    "offline_per_second", "training_ratio", "speed_ratio", "stale", "average_rank", "won",
    "level", "lost", "mean_gap",
)  # fmt: skip
#: Arms named in a sentence; of more only the number is told.
NAMED = 3
FACTS = 5
#: What lies further below the task's best than this has no colour in the matrix.
PALE = 0.10
TILES = 4
#: Costs nearer to each other than this factor are no reason to choose.
APART = 1.1


@dataclass(frozen=True)
class AcrossAnswer:
    """What the page opens with: what to doubt, what is best, what to take."""

    caveats: tuple[str, ...]
    verdict: str
    notes: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class AcrossTile:
    """An arm that a reader would choose for one reason or another."""

    arm: AcrossArm
    roles: tuple[str, ...]


def render_across(
    studies: Sequence[StudyResults],
    hrefs: Sequence[str],
    words: Words,
    *,
    refresh: int | None = None,
) -> str:
    """The page across studies, whole.

    Args:
        studies: in the order they are named.
        hrefs: the address of each study's own page.
        words: the language.
        refresh: seconds after which an open page loads itself again.
    """
    from suite.report.charts.across_charts import AcrossCharts, styles_of
    from suite.report.pages.shell import Pack, render

    data = across(studies)
    drawn = AcrossCharts.of(data, studies, words)
    pack = Pack()
    for chart in drawn.all():
        pack.add(chart)
    context: dict[str, Any] = {
        "data": data,
        "name": "across",
        "answer": across_answer(data, words),
        "tiles": across_tiles(data),
        "styles": styles_of(studies),
        "href_of": lambda column: hrefs[data.columns.index(column)],
        "shades": [[_shade(arm.cells[i]) for arm in data.arms] for i in range(len(data.standing))],
        "refusals": refusals(data),
        "stands": _stands(data, words),
        "test_said": _test_said(data, words),
        "drawn": drawn,
        "pairs": [
            (pair, chart, method(pair, words), unchanged(pair, words))
            for pair, chart in zip(data.pairs, drawn.changes, strict=True)
        ],
        "cut": shown,
        "cut_all": lambda names: [shown(name) for name in names],
    }
    return render("across.html", words, context, pack, refresh=refresh)


def across_images(studies: Sequence[StudyResults], words: Words) -> Sequence[Chart]:
    """Every chart of the page, to be drawn as images."""
    from suite.report.charts.across_charts import AcrossCharts

    return AcrossCharts.of(across(studies), studies, words).all()


def across_files(
    studies: Sequence[StudyResults], words: Words, wanted: Sequence[str]
) -> Iterable[tuple[str, str]]:
    """The comparison as files: (name, text) for each format wanted of json, csv and md."""
    data = across(studies)
    if "json" in wanted:
        yield "across.json", data.to_json()
    if "csv" in wanted:
        yield "across.csv", across_csv(data)
    if "md" in wanted:
        yield "across.md", across_markdown(data, words)


def across_answer(data: Across, words: Words) -> AcrossAnswer:
    """The answer to "which arm, whatever the task?", in the words' language."""
    caveats = _caveats(data, words)
    verdict = _verdict(data, words)
    notes = [note for note in _notes(data, words) if note]
    return AcrossAnswer(
        tuple(caveats), verdict, tuple(notes), words.sentences([*caveats, verdict, *notes])
    )


def across_tiles(data: Across) -> list[AcrossTile]:
    """The arms that matter at a glance; none before two tasks are tested."""
    if len(data.counted) < 2:
        return []
    roles: dict[str, list[str]] = {}
    if len(data.common) > 1:
        roles[data.common[0]] = ["average"]
    contested = [arm for arm in data.arms if arm.contests]
    if contested:
        winner = max(contested, key=lambda arm: (arm.share("won") or 0, -(arm.share("lost") or 0)))
        roles.setdefault(winner.arm, []).append("winner")
    useful = [arm for arm in data.arms if arm.mean_gap is not None and arm.mean_gap >= -FAR]
    fast = [(arm.speed, arm.arm) for arm in useful if arm.speed is not None]
    if fast and max(fast)[0] > APART * min(fast)[0]:
        roles.setdefault(max(fast)[1], []).append("quick")
    cheap = [(arm.training, arm.arm) for arm in useful if arm.training is not None]
    if cheap and max(cheap)[0] > APART * min(cheap)[0]:
        roles.setdefault(min(cheap)[1], []).append("frugal")
    found = [(data.arm(name), own) for name, own in roles.items()]
    return [AcrossTile(arm, tuple(own)) for arm, own in found if arm is not None][:TILES]


def refusals(data: Across) -> list[tuple[str, Column, Cell]]:
    """Every arm that a standing study refused or retired, with where and why."""
    return [
        (arm.arm, column, cell)
        for arm in data.arms
        for column, cell in zip(data.standing, arm.cells, strict=True)
        if cell.state in ("refused", "retired")
    ]


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


def across_csv(data: Across) -> str:
    """A line for each arm and task with full digits; a missing value is an empty cell."""
    return csv_text(
        CSV_COLUMNS,
        [
            {
                "arm": arm.arm,
                "family": arm.family,
                "study": column.study,
                "task": column.task,
                "basis": column.basis,
                "counted": column.counted,
                "state": cell.state,
                "reason": cell.reason,
                "macro_f1": cell.score,
                "macro_f1_low": cell.low,
                "macro_f1_high": cell.high,
                "rank": cell.rank,
                "shared": cell.shared,
                "gap": cell.gap,
                "train_seconds": cell.train_seconds,
                "offline_per_second": cell.offline_rps,
                "training_ratio": cell.training,
                "speed_ratio": cell.speed,
                "stale": cell.stale,
                "average_rank": arm.average_rank,
                "won": arm.won,
                "level": arm.level,
                "lost": arm.lost,
                "mean_gap": arm.mean_gap,
            }
            for arm in data.arms
            for column, cell in zip(data.standing, arm.cells, strict=True)
        ],
    )


def across_markdown(data: Across, words: Words) -> str:
    """The page's numbers as Markdown tables."""
    lines = [f"# {words('across_title')}", "", markdown_line(across_answer(data, words).text)]
    lines += ["", f"## {words('across_matrix')}", ""]
    lines += [words("across_matrix_lead"), ""]
    rows = []
    for arm in data.arms:
        rank = formats.MISSING if arm.average_rank is None else f"{arm.average_rank:.2f}"
        rows.append(
            [arm.arm, *(_cell_text(cell, words) for cell in arm.cells), rank,
             f"{arm.won}–{arm.level}–{arm.lost}", _below(arm.mean_gap),
             formats.times(arm.training), formats.times(arm.speed)]
        )  # fmt: skip
    contests = "–".join(words(f"across_{key}") for key in ("won", "level", "lost"))
    heads = [words("metric_arm")]
    heads += [_heading(column, words) for column in data.standing]
    heads += [words("across_average_rank"), contests, words("across_gap"),
              words("across_training"), words("across_speed")]  # fmt: skip
    lines += markdown_table(heads, rows)
    lines += ["", _test_said(data, words)]
    stands = _stands(data, words)
    if stands:
        lines += ["", markdown_line(stands)]
    gone = refusals(data)
    if gone:
        lines += ["", f"## {words('across_refusals')}", ""]
        lines += markdown_table(
            [words("metric_arm"), words("task"), words("state"), words("reason")],
            [
                [arm, column.name, words(f"flag_{cell.state}"),
                 cell.reason or words("reason_unknown")]
                for arm, column, cell in gone
            ],
        )  # fmt: skip
    for pair in data.pairs:
        title = words("across_from_to", task=pair.task, before=pair.before, after=pair.after)
        lines += ["", f"## {markdown_line(title)}", "", method(pair, words), ""]
        lines += markdown_table(
            [words("metric_arm"), words("across_before"), words("across_after"),
             words("across_change"), words("interval"), words("p_adjusted"), words("verdict")],
            [
                [c.arm, formats.score(c.before), formats.score(c.after),
                 formats.signed(c.difference), _signed_interval(c.low, c.high),
                 formats.MISSING if c.p is None else formats.p_value(c.p),
                 words(f"across_verdict_{c.verdict}")]
                for c in pair.arms
            ],
        )  # fmt: skip
        only = [
            words(f"across_only_{side}", study=study, arms=words.join(arms))
            for side, study, arms in (
                ("before", pair.before, pair.only_before),
                ("after", pair.after, pair.only_after),
            )
            if arms
        ]
        if only:
            lines += ["", markdown_line(words.sentences(only))]
        lines += ["", f"### {words('across_what_changed')}", ""]
        if pair.changed:
            lines += markdown_table(
                [words("across_fact"), pair.before, pair.after],
                [
                    [words(f"fact_{c.fact}") + (f" {c.detail}" if c.detail else ""),
                     c.before or formats.MISSING, c.after or formats.MISSING]
                    for c in pair.changed
                ],
            )  # fmt: skip
        else:
            lines.append(words("across_nothing_changed"))
    return "\n".join(lines) + "\n"


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
    if len(data.counted) > 1 and not data.same_machine:
        known = all(column.machine for column in data.counted)
        caveats.append(words("across_machines" if known else "across_machines_unknown"))
    return [caveat for caveat in caveats if caveat]


def _about(key: str, columns: Sequence[Column], words: Words) -> str:
    names = [shown(column.study) for column in columns]
    return words(key, studies=_several(names, words, "across_studies_line")) if names else ""


def _several(names: Sequence[str], words: Words, key: str) -> str:
    return words.join(names) if len(names) <= NAMED else words(key, n=len(names))


def _verdict(data: Across, words: Words) -> str:
    tasks = len(data.counted)
    if tasks == 0:
        return words("across_none")
    if tasks == 1:
        column = data.counted[0]
        if data.pairs:
            return words.sentences([_pair_said(pair, words) for pair in data.pairs[:2]])
        first = data.arm(column.best) if column.best else None
        said = words("across_one_task", task=shown(column.name))
        if first is None:
            return said
        f1 = formats.short_score(data.cell(first, column).score)
        return words.sentences([said, words("across_one_task_best", arm=shown(first.arm), f1=f1)])
    if not data.common:
        winner = max(data.arms, key=lambda arm: (arm.share("won") or 0.0, arm.won))
        return words(
            "across_no_common",
            n=tasks,
            arm=shown(winner.arm),
            won=winner.won,
            contests=winner.contests,
        )
    if len(data.common) == 1:
        return words("across_one_common", n=tasks, arm=shown(data.common[0]))
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
    return words("across_but", arm=shown(rival.against), lost=rival.lost, met=met)


def _ranked(data: Across) -> list[tuple[str, float]]:
    return [(arm.arm, arm.average_rank) for arm in data.arms if arm.average_rank is not None]


def _best(data: Across, words: Words) -> str:
    ranked = _ranked(data)
    rank, k = ranked[0][1], len(ranked)
    top = [arm for arm, own in ranked if own == rank]
    if len(top) > 1:
        arms = _several([shown(arm) for arm in top], words, "across_n_arms")
        return words("across_best_shared", arms=arms, n=len(data.counted), rank=f"{rank:.2f}", k=k)
    return words(
        "across_best",
        arm=shown(ranked[0][0]),
        n=len(data.counted),
        rank=f"{rank:.2f}",
        k=k,
        second=shown(ranked[1][0]),
        rank2=f"{ranked[1][1]:.2f}",
    )


def _chance(data: Across, words: Words) -> str:
    """Whether the lead in average rank is more than chance, or why that can't be told."""
    ranked = _ranked(data)
    (first, rank), (second, rank2) = ranked[:2]
    test = data.over_tasks
    if test is None:
        duel = next((d for d in data.duels if d.against == second), Duel(second, 0, 0, 0))
        few = len(data.counted) < TASKS_FOR_TEST
        return words(
            "across_too_few" if few else "across_too_few_arms",
            n=len(data.counted),
            least=TASKS_FOR_TEST,
            arm=shown(first),
            second=shown(second),
            won=duel.won,
            level=duel.level,
            lost=duel.lost,
        )
    p = formats.p_value(test.p)
    if test.p >= SIGNIFICANCE:
        return words("across_friedman_none", p=p)
    cd, distance = f"{test.critical_difference:.2f}", f"{rank2 - rank:.2f}"
    if rank2 - rank >= test.critical_difference:
        return words("across_cd_real", distance=distance, cd=cd, p=p)
    near = [shown(arm) for arm, own in ranked[1:] if own - rank < test.critical_difference]
    arms = _several(near, words, "across_n_arms")
    return words("across_cd_chance", distance=distance, cd=cd, p=p, arms=arms)


def _notes(data: Across, words: Words) -> list[str]:
    notes = []
    if len(data.counted) > 1 and len(data.common) > 1:
        notes.append(_chance(data, words) if _rival(data) else "")
        notes.append(_take(data, words))
        notes.append(_unlabelled(data, words))
    if len(data.counted) > 1:
        notes += [_pair_said(pair, words) for pair in data.pairs[:2]]
    elif len(data.pairs) == 1:
        notes.append(_differ(data.pairs[0], words))
    return notes


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
    if rival is None:
        said = words("across_take", arm=shown(first))
    else:
        said = words("across_take_rival", rival=shown(rival.against), arm=shown(first)) + words(
            "end"
        )
        return said
    others = [
        arm
        for arm in data.arms
        if arm.arm in data.common
        and arm.arm != first
        and arm.training is not None
        and (arm.mean_gap or 0.0) >= -FAR
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
            arm=shown(chosen.arm),
            training=formats.times(chosen.training / own.training),
            gap=formats.gap(max(gap, 0.0)),
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
    if not asked:
        return words("across_no_zero_shot")
    best = max(asked, key=lambda arm: (arm.tasks, arm.mean_gap or 0.0))
    return words(
        "across_zero_shot",
        arm=shown(best.arm),
        gap=formats.gap(best.mean_gap),
        tasks=best.tasks,
        n=len(data.counted),
    )


def _pair_said(pair: SideBySide, words: Words) -> str:
    verdicts: tuple[Literal["better", "worse", "chance", "unknown"], ...] = (
        "better", "worse", "chance", "unknown",
    )  # fmt: skip
    parts = []
    for verdict in verdicts:
        arms = [shown(change.arm) for change in pair.arms if change.verdict == verdict]
        if arms:
            named = _several(arms, words, "across_n_arms")
            parts.append(words(f"across_pair_{verdict}", arms=named))
    what = words("semicolon").join(parts) or words("across_pair_none")
    return words(
        "across_pair",
        task=shown(pair.task),
        before=shown(pair.before),
        after=shown(pair.after),
        what=what,
    )


def _test_said(data: Across, words: Words) -> str:
    n, k = len(data.counted), len(data.common)
    test = data.over_tasks
    if test is None:
        return words("across_test_few", least=TASKS_FOR_TEST, n=n, k=k)
    return words(
        "across_test_said",
        n=n,
        k=k,
        statistic=f"{test.statistic:.2f}",
        p=formats.p_value(test.p),
        cd=f"{test.critical_difference:.2f}",
    )


def _stands(data: Across, words: Words) -> str:
    """Which studies stand for tasks that have several."""
    several = {c.task for c in data.columns if not c.stands}
    names = [shown(column.study) for column in data.standing if column.task in several]
    return words("across_stands", names=words.join(names)) if names else ""


def _heading(column: Column, words: Words) -> str:
    more = [words("banner_sample")] if column.sample else []
    more += [words("by_validation")] if column.basis == "validation" else []
    return column.name + (f" ({words('comma').join(more)})" if more else "")


def _cell_text(cell: Cell, words: Words) -> str:
    if cell.state in ("refused", "retired"):
        return words(f"flag_{cell.state}")
    if cell.score is None:
        return formats.MISSING
    rank = f" #{cell.rank}{'=' if cell.shared else ''}" if cell.rank is not None else ""
    bounds = "" if cell.low is None or cell.high is None else f" ({_short(cell)})"
    return f"{formats.score(cell.score)}{bounds}{rank}"


def _short(cell: Cell) -> str:
    return f"{formats.short_score(cell.low)}–{formats.short_score(cell.high)}"


def _below(gap: float | None) -> str:
    return formats.MISSING if gap is None else formats.gap(gap)


def _signed_interval(low: float | None, high: float | None) -> str:
    return formats.MISSING if low is None or high is None else f"{low:+.4f} … {high:+.4f}"


def _shade(cell: Cell) -> int:
    """How deep a cell's colour is, in per cent: 30 for the task's best, 0 from `PALE` below."""
    if cell.gap is None:
        return 0
    return round(30 * max(0.0, 1 + cell.gap / PALE))
