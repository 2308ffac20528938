"""The comparison of several studies as files: JSON, CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import StudyResults
from suite.report import formats
from suite.report.data.across import Across, Column, across
from suite.report.data.across_cells import Cell
from suite.report.data.rows import BEYOND
from suite.report.data.subsets import PartScore, part_sentences
from suite.report.pages.across_answer import (
    across_answer,
    method,
    over_tasks_said,
    refusals,
    stands,
)
from suite.report.pages.text_tables import csv_text, markdown_line, markdown_table
from suite.report.words import Words
from suite.verdict.metrics import METRICS

CSV_COLUMNS = (
    "arm", "family", "study", "task", "basis", "counted", "state", "reason", "macro_f1",
    "macro_f1_low", "macro_f1_high", "rank", "shared", "gap", "train_seconds",
    "offline_per_second", "training_ratio", "speed_ratio", "stale", "average_rank", "won",
    "level", "lost", "mean_gap", "average_rank_low", "average_rank_high", "win_rate",
    "win_rate_low", "win_rate_high", "rank_low", "rank_high", "holds", "objective", "score",
    "score_low", "score_high",
)  # fmt: skip


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
                "macro_f1": cell.score if column.objective == DEFAULT_OBJECTIVE else None,
                "macro_f1_low": cell.low if column.objective == DEFAULT_OBJECTIVE else None,
                "macro_f1_high": cell.high if column.objective == DEFAULT_OBJECTIVE else None,
                "objective": column.objective,
                "score": cell.score,
                "score_low": cell.low,
                "score_high": cell.high,
                "rank": cell.rank,
                "shared": cell.shared,
                "gap": cell.gap,
                "train_seconds": cell.train_seconds,
                "offline_per_second": cell.offline_rps,
                "training_ratio": cell.training,
                "speed_ratio": cell.speed,
                "stale": cell.stale,
                "holds": cell.holds if cell.state == "scored" else None,
                "average_rank": arm.average_rank,
                "won": arm.won,
                "level": arm.level,
                "lost": arm.lost,
                "mean_gap": arm.mean_gap,
                "average_rank_low": arm.rank_interval and arm.rank_interval[0],
                "average_rank_high": arm.rank_interval and arm.rank_interval[1],
                "win_rate": arm.win_rate,
                "win_rate_low": arm.win_interval and arm.win_interval[0],
                "win_rate_high": arm.win_interval and arm.win_interval[1],
                "rank_low": cell.rank_range and cell.rank_range[0],
                "rank_high": cell.rank_range and cell.rank_range[1],
            }
            for arm in data.arms
            for column, cell in zip(data.standing, arm.cells, strict=True)
        ],
    )


def _part_text(part: PartScore | None) -> str:
    """What a part scored, and the difference to random rows."""
    if part is None:
        return formats.MISSING
    found = part.difference
    if found is None:
        return formats.score(part.score)
    beyond = f"{formats.signed(found.value)} ({_signed_interval(found.low, found.high)})"
    return f"{formats.score(part.score)}, {beyond}"


def across_markdown(data: Across, words: Words) -> str:
    """The page's numbers as Markdown tables."""
    words = words.about(data.objective)
    lines = [f"# {words('across_title')}", "", markdown_line(across_answer(data, words).text)]
    lines += ["", f"## {words('across_matrix')}", ""]
    lines += [words("across_matrix_lead"), ""]
    rows = []
    for arm in data.arms:
        rank = formats.spanned(arm.average_rank, arm.rank_interval)
        rows.append(
            [arm.arm, *(_cell_text(cell, words) for cell in arm.cells), rank,
             f"{arm.won}–{arm.level}–{arm.lost}", _below(arm.mean_gap),
             formats.times(arm.training), formats.times(arm.times_as_fast)]
        )  # fmt: skip
    contests = "–".join(words(key) for key in ("across_won", "across_level", "across_lost"))
    heads = [words("metric_arm")]
    heads += [_heading(column, words) for column in data.standing]
    heads += [words("across_average_rank"), contests, words("across_gap"),
              words("across_training"), words("across_speed")]  # fmt: skip
    lines += markdown_table(heads, rows)
    lines += ["", over_tasks_said(data, words)]
    standing = stands(data, words)
    if standing:
        lines += ["", markdown_line(standing)]
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
    if data.parts:
        lines += ["", f"## {words('parts')}"]
    for table in data.parts:
        lines += ["", markdown_line(words.sentences(part_sentences(table, words))), ""]
        lines += markdown_table(
            [words("metric_arm"), words("split_train"), words("parts_drawn"),
             *(words(f"difficulty_{part}") for part in table.parts)],
            [
                [row.arm, formats.count(row.rows), formats.count(row.draws),
                 *(_part_text(part) for part in row.parts)]
                for row in table.rows
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


def _heading(column: Column, words: Words) -> str:
    more = [] if words.objective else [METRICS[column.objective].label(words.language)]
    more += [words("banner_sample")] if column.sample else []
    more += [words("by_validation")] if column.basis == "validation" else []
    return column.name + (f" ({words('comma').join(more)})" if more else "")


def _cell_text(cell: Cell, words: Words) -> str:
    if cell.state in ("refused", "retired"):
        return words(f"flag_{cell.state}")
    if cell.score is None:
        return formats.MISSING
    rank = f" #{cell.place}" if cell.place else ""
    bounds = "" if cell.low is None or cell.high is None else f" ({_short(cell)})"
    beyond = f" ({words(BEYOND[cell.holds][0])})" if cell.holds in BEYOND else ""
    return f"{formats.score(cell.score)}{bounds}{rank}{beyond}"


def _short(cell: Cell) -> str:
    return f"{formats.score(cell.low)}–{formats.score(cell.high)}"


def _below(gap: float | None) -> str:
    return formats.MISSING if gap is None else formats.gap(gap)


def _signed_interval(low: float | None, high: float | None) -> str:
    return formats.MISSING if low is None or high is None else f"{low:+.4f} … {high:+.4f}"
