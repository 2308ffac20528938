"""Results as tables in a terminal, in its language; numbers read as on the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from suite.cli.console import out, print_table, told, visible, warn, words
from suite.cli.fitting import name, number, text, word, wrapped
from suite.cli.growth_table import growth_table, growth_told
from suite.cli.splits_table import splits_table
from suite.contracts.results import StudyResults, Trial
from suite.contracts.speeds import BenchRow
from suite.report import formats
from suite.report.data.absences import failures
from suite.report.data.by_length import LengthRow, by_length, length_range
from suite.report.data.calibration import (
    CalibrationRow,
    calibration_rows,
    change,
    temperature_of,
)
from suite.report.data.combined import combined_sentences
from suite.report.data.energy import bench_energy_told, energy_told
from suite.report.data.money import money_intro, money_rows, money_told
from suite.report.data.over_splits import split_sentences
from suite.report.data.rows import (
    Leaderboard,
    LeaderboardRow,
    beyond_of,
    leaderboard,
    silence_of,
)
from suite.report.data.scope import ScopeRow, scope_rows
from suite.report.data.slices import arm_of, slice_rows
from suite.report.data.taught import taught_told
from suite.report.pages.answer import (
    chosen_of,
    opened_elsewhere,
    out_of_bounds,
    recommendation,
    validated,
    without_near,
)
from suite.report.pages.leanings import leanings
from suite.report.pages.read_tokens import read_tokens
from suite.report.words import Words
from suite.verdict.metrics import METRICS

SCENARIOS = ("SingleStream", "Offline", "Server")
#: Failed trials that are named one by one below the table; the rest are counted.
NAMED_FAILURES = 5


def banner(found: StudyResults) -> None:
    """What must not be missed about these numbers."""
    say = words()
    if found.sample:
        out.print(Text(f" {say('banner_terminal')} ", "bold black on yellow"), end=" ")
        out.print(say("banner_terminal_more"))


def leaderboard_table(found: StudyResults) -> Table:
    """Arms by rank; by validation where test was not opened yet."""
    say = words()
    board = leaderboard(found)
    table = Table(
        number(say("head_rank")),
        name(say("head_arm")),
        number(say("head_test")),
        number(say("head_interval"), leaves=3),
        number(say("head_validation"), leaves=4),
        number(say("head_training"), leaves=1),
        number(say("head_rate"), leaves=2),
        number(say("head_latency"), leaves=5),
        number(say("head_memory"), leaves=6),
        number(say("head_trials"), leaves=7),
        *(number(say.column(metric.key), leaves=8) for metric in board.further),
        title=say(
            "leaderboard_terminal",
            study=found.study,
            title=found.title,
            metric=METRICS[found.objective].label(say.language),
        ),
    )
    stressed = any(row.steered is not None for row in board.rows)
    if stressed:
        table.columns.append(number(say("stress_row_steered"), leaves=2))
    noted = any(_flags(row, say) for row in board.rows)
    if noted:
        table.columns.append(word(say("head_note")))
    for row in board.rows:
        cells = [
            board.place(row) if row.test_interval else formats.MISSING,
            row.arm,
            formats.score(row.test_score),
            formats.interval(row.test_interval),
            formats.score(row.validation_score),
            formats.duration(row.train_seconds, say),
            _rate(row.offline_rps, row.offline_valid),
            formats.quantity(row.p90_ms),
            formats.size(row.peak_memory_bytes),
            formats.count(row.complete + row.pruned),
            *(formats.score(metric.of(row)) for metric in board.further),
            *([formats.percent(row.steered)] if stressed else []),
        ]
        table.add_row(*cells, *([say.join(_flags(row, say))] if noted else []))
    return table


def lengths_table(rows: Sequence[LengthRow]) -> Table:
    """Macro-F1 on test by the length of texts, with intervals and how many rows they are of."""
    say = words()
    table = Table(
        name(say("head_arm")),
        number(say("by_length_length")),
        number(say("by_length_count")),
        number("F1"),
        number(say("head_interval")),
        word(say("by_length_unit")),
        title=say("by_length"),
    )
    for row in rows:
        for one in row.scores:
            table.add_row(
                row.arm,
                length_range(one, say),
                formats.count(one.rows),
                formats.score(one.macro_f1),
                formats.interval(one.interval),
                say(f"length_in_{row.unit}"),
            )
    return table


def slices_table(found: StudyResults) -> Table:
    """What the arm to take scores on parts of test."""
    say = words()
    table = Table(
        name(say("slices_by")),
        name(say("slices_value")),
        number(say("by_length_count")),
        number("F1"),
        number(say("head_interval"), leaves=1),
        number(say("slices_right")),
        number(say("slices_expected")),
        number(say("slices_p")),
        title=say("slices_title", arm=arm_of(found) or ""),
    )
    for row in slice_rows(found, say):
        table.add_row(
            row.by,
            row.value,
            formats.count(row.rows),
            formats.score(row.f1),
            formats.interval(row.interval),
            row.right,
            row.expected,
            row.p,
        )
    return table


def money_table(found: StudyResults) -> Table:
    """What arms cost, at the prices of the settings."""
    say, board = words(), leaderboard(found)
    currency = found.money.currency if found.money else ""
    table = Table(
        name(say("head_arm")),
        number(say("money_training", currency=currency), leaves=2),
        number(say("money_search", currency=currency), leaves=1),
        number(say("money_per_million", currency=currency)),
        number(say("head_interval"), leaves=3),
        title=say("money"),
    )
    for row in money_rows(found, board, say):
        table.add_row(
            row.of.arm,
            row.training,
            row.search,
            row.per_million,
            row.per_million_interval or formats.MISSING,
        )
    return table


def calibration_table(rows: Sequence[CalibrationRow]) -> Table:
    """How well each arm's probabilities hold on test, before and after they are calibrated."""
    say = words()
    table = Table(
        name(say("head_arm")),
        *(number(say(f"calibration_{key}")) for key in ("ece", "brier", "log_loss")),
        number(say("calibration_temperature")),
        title=say("calibration"),
    )
    for row in rows:
        scores = [change(before, after) for _, before, after in row.scores]
        table.add_row(row.arm, *scores, temperature_of(row, say))
    return table


def scope_table(rows: Sequence[ScopeRow]) -> Table:
    """How well each arm tells texts that fit no class from those that do."""
    say = words()
    table = Table(
        name(say("head_arm")),
        *(number(say(f"scope_{key}")) for key in ("auroc", "fpr", "right", "let_in")),
        word(say("scope_score")),
        title=say("scope"),
    )
    for row in rows:
        own = row.found
        figures = (own.auroc, own.fpr, own.right, own.let_in)
        table.add_row(row.arm, *map(formats.score, figures), say(f"scope_by_{own.score}"))
    return table


def _flags(row: LeaderboardRow, say: Words) -> list[str]:
    flags = [say("flag_stale")] if row.stale else []
    if row.about_arm is False:
        flags.append(say("flag_one_training"))
    silence = silence_of(row, say)
    flags += [silence] if silence else []
    return [*flags, say(row.beyond[0])] if row.beyond else flags


def recommended(found: StudyResults) -> None:
    """Says what validation is of, which arm to take, and whether any is within the bounds, as the
    page does."""
    board, say = leaderboard(found), words()
    for line in (
        validated(board, say),
        out_of_bounds(found, board, say),
        recommendation(board, say),
        chosen_of(board, say),
        opened_elsewhere(found, say),
        without_near(found, say),
        leanings(found, board, say),
        read_tokens(found, board, say),
        *taught_told(found, board, say),
        energy_told(found, board, say),
    ):
        if line:
            prose(line)


def prose(line: str, style: str = "") -> None:
    """Sentences: on a terminal, lines end between words."""
    shown = "\n".join(wrapped(visible(line), out.width)) if out.is_terminal else line
    out.print(shown, style=style or None)


def _rate(value: float | None, valid: bool) -> str:
    return formats.quantity(value) + ("" if valid or value is None else " ?")


def trials_table(found: StudyResults, limit: int = 200) -> Table:
    """Every trial, the newest last."""
    say = words()
    shown = found.trials[-limit:]
    table = Table(
        number(say("head_trial")),
        name(say("head_arm")),
        word(say("head_state")),
        number(METRICS[found.objective].label(say.language)),
        number(say("head_training"), leaves=2),
        number(say("head_rate"), leaves=3),
        text(say("head_settings"), leaves=1),
        title=say("trials_terminal", shown=len(shown), all=len(found.trials)),
    )
    for trial in shown:
        rps = trial.rps
        table.add_row(
            str(trial.number),
            trial.arm,
            say(f"state_{trial.state.lower()}"),
            formats.score(trial.score),
            formats.duration(trial.train_seconds, say),
            _rate(rps.offline_per_second if rps else None, rps is None or rps.valid),
            told(trial.error.splitlines()[0])
            if trial.error
            else "; ".join(filter(None, (_beyond(trial, say), parameters(trial)))),
        )
    return table


def _beyond(trial: Trial, say: Words) -> str:
    """The mark of a trial that missed the bounds; empty where it kept them."""
    return "" if trial.feasible else say("flag_infeasible")


def bench_table(found: StudyResults) -> Table:
    """Engines by arm, the fastest Offline first; `*` marks the arm's fastest in a scenario."""
    say = words()
    table = Table(
        name(say("head_arm")),
        word(say("head_engine")),
        word(say("head_precision")),
        number(say("head_agreement"), leaves=4),
        number(say("head_p50"), leaves=1),
        number(say("head_p99"), leaves=5),
        number(say("head_offline")),
        number(say("head_server"), leaves=2),
        title=say("engines_terminal", study=found.study),
    )
    several = len({row.host for row in found.bench}) > 1
    board = leaderboard(found)
    notes = [_bench_note(row, board, several, say) for row in found.bench]
    if any(notes):
        table.columns.append(text(say("head_note")))
    before = None
    for row, note in zip(found.bench, notes, strict=True):
        single, server = row.single_stream, row.server
        table.add_row(
            row.arm if row.arm != before or not out.is_terminal else "",
            row.engine,
            row.precision or formats.MISSING,
            formats.agreement(row.agreement),
            _figure(
                row,
                "SingleStream",
                single.p50_ms if single else None,
                single is None or single.valid,
            ),
            formats.quantity(single.p99_ms if single else None),
            _figure(row, "Offline", row.offline_per_second, row.offline_valid),
            _figure(
                row,
                "Server",
                server.per_second if server else None,
                bool(server and server.valid),
            ),
            *([note] if any(notes) else []),
        )
        before = row.arm
    return table


def _figure(row: BenchRow, scenario: str, value: float | None, valid: bool) -> str:
    star = "*" if value is not None and scenario in row.fastest_in else ""
    return f"{_rate(value, valid)}{star}"


def _bench_note(row: BenchRow, board: Leaderboard, several: bool, say: Words) -> str:
    """What must be seen beside the numbers, in a few words; the reasons stand below."""
    parts = [row.host] if several else []
    if row.state != "measured":
        parts.append(say(f"flag_{row.state}"))
    elif row.contended:
        parts.append(say("flag_contended"))
    if row.stale:
        parts.append(say("flag_stale"))
    if beyond := beyond_of(board, row.arm, say):
        parts.append(beyond)
    return say.join(parts)


def bench_notes(found: StudyResults) -> None:
    """Below the table: what Server's bound is, and why an engine has no number, each once."""
    say = words()
    bounds = {row.server.bound_ms for row in found.bench if row.server}
    if len(bounds) == 1:
        prose(say("engines_within", bound=formats.milliseconds(min(bounds), say)), "dim")
    if energy := bench_energy_told(found, say):
        prose(energy, "dim")
    whys: dict[str, list[str]] = defaultdict(list)
    for row in found.bench:
        what = " ".join(filter(None, (row.arm, row.engine, row.precision)))
        if row.state != "measured" and row.reason:
            whys[told(row.reason)].append(what)
        if row.state == "measured" and row.stale:
            whys[say("engine_stale", n=row.trial)].append(what)
        if row.server is not None and row.server.per_second is None:
            # Why there is none; the rest of the note is in the report.
            for part in row.note.split("; "):
                if part.startswith("Server: "):
                    whys[told(part)].append(what)
    for why, whose in whys.items():
        prose(say("because", what=say.join(whose), reason=why), "yellow")


def fastest_lines(rows: Sequence[BenchRow]) -> list[str]:
    """What is fastest of all in each scenario, machine by machine."""
    say = words()
    lines = []
    hosts = list(dict.fromkeys(row.host for row in rows))
    for host in hosts:
        for scenario in SCENARIOS:
            best = [
                say("fastest_on", arm=row.arm, engine=f"{row.engine} {row.precision}".rstrip())
                for row in rows
                if row.host == host and scenario in row.fastest_overall_in
            ]
            if best:
                where = f" ({say('on_host', host=host)})" if len(hosts) > 1 else ""
                what = say.join(best) + where
                lines.append(say("fastest_terminal", scenario=scenario, what=what))
    return lines


def parameters(trial: Trial) -> str:
    """Hyperparameters on one line."""
    return formats.settings(trial.params)


def refusals(found: StudyResults, *, known: bool = False) -> None:
    """Arms that could not run, were given up, or had no time for more: each reason once.

    Args:
        known: which could not run was said before; now only how many.
    """
    refused = [(a.arm, a.refused) for a in found.arms if a.refused]
    if known and refused:
        prose(words()("arms_said_above", n=len(refused)), "yellow")
    for key, arms in (
        ("refused_arms", [] if known else refused),
        ("retired_arms", [(a.arm, a.retired) for a in found.arms if a.retired and not a.refused]),
        (
            "short_arms",
            [
                (arm.arm, arm.short)
                for arm in found.arms
                if arm.short and not arm.refused and not arm.retired
            ],
        ),
    ):
        for line in by_reason(key, arms):
            prose(line, "yellow")


def by_reason(key: str, arms: Iterable[tuple[str, str]]) -> list[str]:
    """Arms with their reasons, a line for each reason, as the phrase under a key says it."""
    say = words()
    whose: dict[str, list[str]] = defaultdict(list)
    for arm, reason in arms:
        whose[reason].append(arm)
    return [
        say("because", what=say(key, arms=say.join(arms)), reason=told(reason))
        for reason, arms in whose.items()
    ]


def failed(found: StudyResults) -> None:
    """Why trials failed, each reason once for each arm."""
    say = words()
    for failure in failures(found):
        numbers = [str(trial) for trial in failure.trials[:NAMED_FAILURES]]
        if len(failure.trials) > NAMED_FAILURES:
            numbers.append("…")
        what = say(
            "failed_trials",
            n=len(failure.trials),
            trials=say("comma").join(numbers),
            arm=failure.arm,
        )
        reason = failure.reason.splitlines()[0] if failure.reason else say("reason_unknown")
        prose(say("because", what=what, reason=told(reason)), "yellow")


def unread(found: StudyResults) -> None:
    """What stands in the storage and can't be shown, since another version wrote it."""
    for line in found.unread:
        warn(f"not shown: {line}")


def show_results(found: StudyResults, *, known: bool = False) -> None:
    """The banner, the leaderboard, which arm to take, and what was refused or retired.

    Args:
        known: as of `refusals`.
    """
    banner(found)
    print_table(leaderboard_table(found))
    if rows := by_length(leaderboard(found)):
        print_table(lengths_table(rows))
    if calibrated := calibration_rows(leaderboard(found)):
        print_table(calibration_table(calibrated))
    if found.money is not None:
        print_table(money_table(found))
        for line in (money_intro(found, words()), *money_told(found, words())):
            prose(line)
    if scoped := scope_rows(found, leaderboard(found)):
        print_table(scope_table(scoped))
    recommended(found)
    if told_of := combined_sentences(found, words()):
        prose(words().sentences(told_of))
    if found.splits is not None:
        print_table(splits_table(found.study, found.splits))
        prose(words().sentences(split_sentences(found.splits, words())))
    if found.growth is not None:
        print_table(growth_table(found.study, found.growth))
        for line in growth_told(found):
            prose(line)
    if found.ended is not None and found.ended.early:
        prose(words()("ended_early", why=told(found.ended.why)))
    refusals(found, known=known)
    unread(found)
