"""Results as tables in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from suite.cli.console import out, print_table, warn
from suite.contracts.results import BenchRow, StudyResults, Trial
from suite.report.data.rows import leaderboard
from suite.report.pages.answer import out_of_bounds, recommendation
from suite.report.words import words_of


def banner(found: StudyResults) -> None:
    """What must not be missed about these numbers."""
    if found.sample:
        out.print(Text(" BUNDLED SAMPLE ", "bold black on yellow"), end=" ")
        out.print("these numbers are of generated texts, not of a real data set")


def leaderboard_table(found: StudyResults) -> Table:
    """Arms by rank; by validation where test was not opened yet."""
    table = Table(title=f"{found.study}: {found.title}", title_justify="left")
    for column in (
        "rank",
        "arm",
        "F1 validation",
        "F1 test (95 %)",
        "training",
        "texts/s",
        "p90 ms",
        "memory",
        "trials",
    ):
        table.add_column(
            column, justify="left" if column == "arm" else "right", no_wrap=column == "arm"
        )
    board = leaderboard(found)
    for row in board.rows:
        flags = ["stale"] if row.stale else []
        flags += [] if row.feasible else ["out of bounds"]
        low, high = row.test_interval or (0.0, 0.0)
        table.add_row(
            f"{row.rank}{'=' if row.tied_with else ''}" if row.test_interval else "–",
            row.arm + (f" ({', '.join(flags)})" if flags else ""),
            "–" if row.validation_macro_f1 is None else f"{row.validation_macro_f1:.4f}",
            f"{row.test_macro_f1:.4f} [{low:.4f}, {high:.4f}]" if row.test_interval else "–",
            "–" if row.train_seconds is None else f"{row.train_seconds:,.1f} s",
            _number(row.offline_rps, row.offline_valid),
            "–" if row.p90_ms is None else f"{row.p90_ms:,.2f}",
            "–" if row.peak_memory_bytes is None else f"{row.peak_memory_bytes / 2**20:,.0f} MiB",
            str(row.complete + row.pruned),
        )
    return table


def recommended(found: StudyResults) -> None:
    """Says which arm to take, and whether any is within the bounds, as the page does."""
    board, words = leaderboard(found), words_of("en")
    for told in (out_of_bounds(found, board, words), recommendation(board, words)):
        if told:
            out.print(told, markup=False)


def _number(value: float | None, valid: bool) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" + ("" if valid else " ?")


def trials_table(found: StudyResults, limit: int = 200) -> Table:
    """Every trial, the newest last."""
    shown = found.trials[-limit:]
    title = f"trials ({len(shown)} of {len(found.trials)})"
    table = Table(title=title, title_justify="left")
    for column in ("#", "arm", "state", "F1", "training", "texts/s", "parameters"):
        table.add_column(column, justify="right" if column in {"#", "F1"} else "left")
    for trial in shown:
        rps = trial.rps
        table.add_row(
            str(trial.number),
            trial.arm,
            trial.state.lower(),
            "–" if trial.objective is None else f"{trial.objective:.4f}",
            "–" if trial.train_seconds is None else f"{trial.train_seconds:,.1f} s",
            _number(rps.offline_per_second if rps else None, rps is None or rps.valid),
            trial.error.splitlines()[0] if trial.error else parameters(trial),
        )
    return table


def bench_table(found: StudyResults) -> Table:
    """Engines by arm, the fastest Offline first; `*` marks the arm's fastest in a scenario."""
    bounds = {row.server.bound_ms for row in found.bench if row.server}
    within = f" within {min(bounds):g} ms" if len(bounds) == 1 else ""
    table = Table(title=f"{found.study}: serving engines", title_justify="left")
    for column in ("arm", "engine", "precision"):
        table.add_column(column, no_wrap=True)
    for column in ("agreement", "p50 ms", "p99 ms", "Offline/s", f"Server/s{within}"):
        table.add_column(column, justify="right")
    table.add_column("note")
    several = len({row.host for row in found.bench}) > 1
    before = None
    for row in found.bench:
        single, server = row.single_stream, row.server
        single_valid = single is None or single.valid
        table.add_row(
            row.arm if row.arm != before or not out.is_terminal else "",
            row.engine,
            row.precision or "–",
            "–" if row.agreement is None else f"{row.agreement:.2%}",
            _figure(row, "SingleStream", single.p50_ms if single else None, single_valid, 2),
            "–" if single is None or single.p99_ms is None else f"{single.p99_ms:,.2f}",
            _figure(row, "Offline", row.offline_per_second, row.offline_valid, 0),
            _figure(
                row, "Server", server.per_second if server else None, bool(server and server.valid)
            ),
            _bench_note(row, several),
            end_section=False,
        )
        before = row.arm
    return table


def _figure(row: BenchRow, scenario: str, value: float | None, valid: bool, digits: int = 0) -> str:
    if value is None:
        return "–"
    star = "*" if scenario in row.fastest_in else ""
    return f"{value:,.{digits}f}{'' if valid else ' ?'}{star}"


def _bench_note(row: BenchRow, several: bool) -> str:
    parts = [f"on {row.host}"] if several else []
    if row.state != "measured":
        parts.append(f"{row.state}: {row.reason}" if row.reason else row.state)
    elif row.contended:
        parts.append("contended: no rank")
    if row.stale:
        parts.append(f"of trial {row.trial}, which is kept no more: no rank")
    if row.server is not None and row.server.per_second is None:
        # Why there is none; the rest of the note is in the report.
        parts += [part for part in row.note.split("; ") if part.startswith("Server: ")]
    return "; ".join(parts)


def fastest_lines(rows: Sequence[BenchRow]) -> list[str]:
    """What is fastest of all in each scenario, machine by machine."""
    lines = []
    hosts = list(dict.fromkeys(row.host for row in rows))
    for host in hosts:
        best = [
            f"{scenario} {row.arm} on {row.engine} {row.precision}".rstrip()
            for scenario in ("SingleStream", "Offline", "Server")
            for row in rows
            if row.host == host and scenario in row.fastest_overall_in
        ]
        if best:
            where = f" ({host})" if len(hosts) > 1 else ""
            lines.append(f"Fastest{where}: {'; '.join(best)}")
    return lines


def parameters(trial: Trial) -> str:
    """Hyperparameters on one line."""
    return ", ".join(
        f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in trial.params.items()
    )


def refusals(found: StudyResults) -> None:
    """Arms that could not run, were given up, or had no time for more, each with its reason."""
    for arm in found.arms:
        if arm.refused:
            out.print(f"refused  {arm.arm}: {arm.refused}", markup=False, style="yellow")
        elif arm.retired:
            out.print(f"retired  {arm.arm}: {arm.retired}", markup=False, style="yellow")
        elif arm.short:
            out.print(f"short    {arm.arm}: {arm.short}", markup=False, style="yellow")


def unread(found: StudyResults) -> None:
    """What stands in the storage and can't be shown, since another version wrote it."""
    for line in found.unread:
        warn(f"not shown: {line}")


def show_results(found: StudyResults) -> None:
    """The banner, the leaderboard, which arm to take, and what was refused or retired."""
    banner(found)
    print_table(leaderboard_table(found))
    recommended(found)
    refusals(found)
    unread(found)
