"""The same numbers as files for programs and for other documents: JSON, CSV, Markdown; and the
one place where reports are written to disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from suite.contracts import moments
from suite.contracts.results import StudyResults
from suite.contracts.speeds import BenchRow
from suite.errors import ReportError, nearest
from suite.files import reason, whole
from suite.report import formats
from suite.report.data.absences import absent, failures
from suite.report.data.energy import bench_energy_told
from suite.report.data.money import money_intro, money_rows, money_told
from suite.report.data.rows import Leaderboard, beyond_of, leaderboard, references, silence_of
from suite.report.data.spoken import environment, spoken
from suite.report.data.taught import taught_told
from suite.report.formats import FORMATS
from suite.report.pages.answer import answer, validated
from suite.report.pages.csv_files import engines_csv, leaderboard_csv, trials_csv
from suite.report.pages.document import document
from suite.report.pages.pairs import comparisons_intro, judged, verdict_head
from suite.report.pages.text_tables import markdown_line, markdown_table
from suite.report.words import Words, words_of

#: What an arm without a row is called, by its kind.
_STATES = {
    "refused": "flag_refused",
    "retired": "flag_retired",
    "without_result": "flag_short",
}
#: What helps where a file can't be written.
_ELSEWHERE = "Name a folder that can be written with --out DIR."


def write(
    studies: Sequence[StudyResults],
    out: Path,
    wanted: Sequence[str],
    lang: str,
    *,
    images: bool = False,
    refresh: int | None = None,
    storage: str | None = None,
) -> list[Path]:
    """See `suite.report.write_reports`."""
    words = words_of(lang)
    asked = list(dict.fromkeys(wanted))
    for name in asked:
        if name not in FORMATS:
            raise ReportError(
                f"unknown format '{name}'", where="--format", fix=nearest(name, FORMATS)
            )
    if not studies or not asked:
        raise ReportError(
            "nothing to report: no study" if not studies else "nothing to report: no format",
            fix="Create a study first, for example: suite study create agnews --sample",
        )
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = f"cannot be written: {reason(error, folder)}"
        raise ReportError(told, where=str(folder), fix=_ELSEWHERE) from None
    names = file_names([study.study for study in studies])
    # The page comes last, whatever the order it was asked in.
    ordered = [name for name in ("json", "csv", "md", "html") if name in asked]
    written: list[Path] = []
    if images:
        from suite.report.pages.images import across_charts, study_charts, write_images
    for results, name in zip(studies, names, strict=True):
        if images:
            written += write_images(study_charts(results, words), folder / f"{name}-images")
        for suffix, text in _files(results, ordered, words, refresh, storage):
            written.append(_write(folder / f"{name}{suffix}", text))
    if len(studies) > 1:
        from suite.report.pages.across_export import across_files

        if images:
            written += write_images(across_charts(studies, words), folder / "across-images")
        for file, text in across_files(studies, words, ordered):
            written.append(_write(folder / file, text))
    if "html" in asked and len(studies) > 1:
        from suite.report.pages.across_page import render_across
        from suite.report.pages.index_page import index_entry, render_index

        hrefs = [f"{name}.html" for name in names]
        text = render_across(studies, hrefs, words, refresh=refresh)
        written.append(_write(folder / "across.html", text))
        entries = [
            index_entry(results, href, words) for results, href in zip(studies, hrefs, strict=True)
        ]
        page = render_index(entries, words, across="across.html", refresh=refresh)
        written.append(_write(folder / "index.html", page))
    return written


def file_names(studies: Sequence[str]) -> list[str]:
    """A file name for each study: its own where safe; never one twice, `index` or `across`."""
    taken = {"index", "across"}
    names: list[str] = []
    for study in studies:
        stem = re.sub(r"[^\w.-]+", "_", study).strip("._") or "study"
        stem = stem[:100]
        name, again = stem, 1
        # Some file systems do not tell capitals apart.
        while name.lower() in taken:
            again += 1
            name = f"{stem}-{again}"
        taken.add(name.lower())
        names.append(name)
    return names


def to_json(results: StudyResults, words: Words) -> str:
    """The study's contract object, with the answer, the leaderboard and the fronts beside it."""
    return (
        json.dumps(document(results, words), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    )


def to_markdown(results: StudyResults, words: Words) -> str:
    """The page's numbers as Markdown tables, for a README or an issue."""
    results, words = spoken(results, words), words.about(results.objective)
    board = leaderboard(results)
    told = answer(results, board, words)
    data = results.data
    lines = [f"# {markdown_line(results.title or results.task)}", ""]
    if results.sample:
        lines += [f"> **{words('banner_sample')}.** {words('banner_sample_more')}", ""]
    lines += [markdown_line(told.text), "", f"## {words('leaderboard')}", ""]
    if board.rows:
        told_of = [words(f"leaderboard_{board.ranks}"), validated(board, words)]
        lines += [words.sentences(told_of), ""]
        lines += _board(board, words)
    else:
        lines.append(words("leaderboard_empty"))
    if bought := taught_told(results, board, words):
        lines += ["", f"## {words('taught')}", "", *(f"- {markdown_line(one)}" for one in bought)]
    lines += _money(results, board, words)
    if results.comparisons:
        lines += [
            "",
            f"## {words('comparisons')}",
            "",
            comparisons_intro(results, words),
            "",
        ]
        lines += _comparisons(results, words)
    if results.bench:
        lines += ["", f"## {words('engines')}", ""]
        lines += [words.sentences([words("engines_intro"), words("engines_star")]), ""]
        lines += _engines(results, board, words)
        if energy := bench_energy_told(results, words):
            lines += ["", markdown_line(energy)]
    gone = [a for a in absent(results, board) if a.reason or a.kind != "without_result"]
    if gone:
        lines += ["", f"## {words('absent')}", ""]
        lines += markdown_table(
            [words("metric_arm"), words("state"), words("reason")],
            [[a.arm, words(_STATES[a.kind]), a.reason or words("reason_unknown")] for a in gone],
        )
    failed = failures(results)
    if failed:
        lines += ["", f"## {words('failed')}", ""]
        lines += markdown_table(
            [words("metric_arm"), words("trials"), words("reason")],
            [[f.arm, str(len(f.trials)), f.reason or words("reason_unknown")] for f in failed],
        )
    split = references(results)
    if results.references:
        lines += ["", f"## {words('references')}", ""]
        lines += markdown_table(
            [words(k) for k in ("model", "metric", "value", "differs", "source")],
            [
                [r.model, r.metric, formats.score(r.value), r.differs or "", r.source]
                for r in (*split.drawable, *split.footnotes)
            ],
        )
    lines += ["", f"## {words('circumstances')}", ""]
    facts = [
        (words("study"), results.study),
        (words("data_source"), data.source),
        (words("data_fingerprint"), data.fingerprint),
        (
            words("rows"),
            words(
                "rows_line",
                train=data.rows.train,
                validation=data.rows.validation,
                test=data.rows.test,
            ),
        ),
        (words("recipe"), results.recipe),
        (words("sampler"), results.sampler),
        (words("pruner"), results.pruner),
        (words("ends_early"), formats.settings(results.stop)),
        (words("search_ended"), results.ended.why if results.ended else ""),
        (words("budget"), formats.settings(results.budget)),
        (words("openings"), str(results.test_openings)),
        (words("openings_of_split"), formats.count(results.test_openings_of_split)),
        (words("created"), moments.shown(results.created)),
        *environment(results, words),
    ]
    lines += [
        f"- {markdown_line(name)}{words('colon')}{markdown_line(value)}"
        for name, value in facts
        if value
    ]
    if results.command:
        fence = "`" * max(
            3, 1 + max((len(m) for m in re.findall(r"`+", results.command)), default=0)
        )
        lines += ["", fence, results.command, fence]
    return "\n".join(lines) + "\n"


def _money(results: StudyResults, board: Leaderboard, words: Words) -> list[str]:
    if results.money is None:
        return []
    currency = results.money.currency
    keys = ("money_training", "money_search", "money_per_million")
    told = [words.sentences(money_told(results, words))]
    return [
        "",
        f"## {words('money')}",
        "",
        money_intro(results, words),
        "",
        *markdown_table(
            [
                words("metric_arm"),
                *(words(key, currency=currency) for key in keys),
                words("metric_test_interval"),
            ],
            [
                [row.of.arm, row.training, row.search, row.per_million, row.per_million_interval]
                for row in money_rows(results, board, words)
            ],
        ),
        *(["", *told] if told[0] else []),
    ]


def _comparisons(results: StudyResults, words: Words) -> list[str]:
    pairs = [judged(c, words, results.objective) for c in results.comparisons]
    parts = any(pair.of.df is not None for pair in pairs)
    keys = ["pair_a", "pair_b", "difference", "interval", "p_family" if parts else "p_adjusted"]
    keys += ["degrees", "variance_parts"] if parts else []
    return markdown_table(
        [*(words(key) for key in keys), verdict_head(results, words)],
        [
            [
                pair.of.a,
                pair.of.b,
                f"{pair.of.difference:+.4f}",
                f"{pair.of.interval[0]:+.4f} … {pair.of.interval[1]:+.4f}",
                formats.p_value(pair.of.p),
                *([formats.quantity(pair.of.df), pair.parts] if parts else []),
                pair.verdict,
            ]
            for pair in pairs
        ],
    )


def _board(board: Leaderboard, words: Words) -> list[str]:
    tested = board.basis == "test"
    test, validation = (f"{split}_{board.objective.key}" for split in ("test", "validation"))
    keys = ["rank", "arm"] + ([test, "test_interval"] if tested else [])
    keys += [validation, "train_seconds", "offline_rps", "p50_ms", "p90_ms",
             "peak_memory_bytes", "parameters", "trials"]  # fmt: skip
    keys += ["steered"] if any(row.steered is not None for row in board.rows) else []
    rows = []
    for row in board.rows:
        flags = [
            words(flag)
            for flag, raised in (
                ("flag_stale", row.stale),
                ("flag_contended", row.contended),
                *([(row.beyond[0], True)] if row.beyond else []),
                ("flag_retired", row.retired is not None),
                ("flag_one_training", row.about_arm is False),
                ("flag_short", row.short is not None),
            )
            if raised
        ] + ([silence] if (silence := silence_of(row, words)) else [])
        cells = {
            "rank": board.place(row),
            "arm": row.arm + (f" ({words('comma').join(flags)})" if flags else ""),
            test: formats.score(row.test_score),
            "test_interval": formats.interval(row.test_interval),
            validation: formats.score(row.validation_score),
            "train_seconds": formats.duration(row.train_seconds, words),
            "offline_rps": formats.quantity(row.offline_rps),
            "p50_ms": formats.milliseconds(row.p50_ms, words),
            "p90_ms": formats.milliseconds(row.p90_ms, words),
            "peak_memory_bytes": formats.size(row.peak_memory_bytes),
            "parameters": formats.parameters(row.parameters),
            "steered": formats.percent(row.steered),
            "trials": (
                words("trials_pruned", n=row.trials, p=row.pruned)
                if row.pruned
                else str(row.trials)
            ),
        }
        rows.append([cells[key] for key in keys])
    return markdown_table([words.column(key) for key in keys], rows)


def _engines(results: StudyResults, board: Leaderboard, words: Words) -> list[str]:
    """Engines as a table; an asterisk stands where the page has bold figures."""
    keys = ("metric_arm", "engine", "precision", "agreement", "f1_difference", "single_p50",
            "single_p99", "offline_rate", "server_rate", "machine", "other_facts")  # fmt: skip

    def figure(row: BenchRow, scenario: str, text: str, valid: bool) -> str:
        doubt = "" if valid or text == formats.MISSING else f" ({words('flag_invalid')})"
        return text + doubt + (" *" if scenario in row.fastest_in else "")

    rows = []
    for row in results.bench:
        single, server = row.single_stream, row.server
        state = words(f"flag_{row.state}") if row.state != "measured" else ""
        contended = words("flag_contended") if row.contended else ""
        beyond = beyond_of(board, row.arm, words)
        stale = words("flag_stale") if row.stale else ""
        rows.append(
            [
                row.arm,
                row.engine,
                row.precision or formats.MISSING,
                formats.agreement(row.agreement),
                formats.signed(row.macro_f1_difference),
                figure(
                    row,
                    "SingleStream",
                    formats.milliseconds(single.p50_ms if single else None, words),
                    bool(single and single.valid),
                ),
                formats.milliseconds(single.p99_ms if single else None, words),
                figure(row, "Offline", formats.quantity(row.offline_per_second), row.offline_valid),
                figure(
                    row,
                    "Server",
                    formats.quantity(server.per_second if server else None),
                    bool(server and server.valid),
                ),
                row.host,
                "; ".join(filter(None, (beyond, state, contended, stale, row.reason, row.note))),
            ]
        )
    return markdown_table([words(key) for key in keys], rows)


def _files(
    results: StudyResults,
    wanted: Sequence[str],
    words: Words,
    refresh: int | None,
    storage: str | None,
) -> Iterable[tuple[str, str]]:
    for name in wanted:
        if name == "json":
            yield ".json", to_json(results, words)
        elif name == "csv":
            yield (
                "-leaderboard.csv",
                leaderboard_csv(
                    leaderboard(results), results.money.currency if results.money else ""
                ),
            )
            yield "-trials.csv", trials_csv(results)
            if results.bench:
                yield "-engines.csv", engines_csv(results)
        elif name == "md":
            yield ".md", to_markdown(results, words)
        else:
            from suite.report.pages.page import render_page

            yield ".html", render_page(results, words, refresh=refresh, storage=storage)


def _write(path: Path, text: str) -> Path:
    with whole(path, ReportError, fix=_ELSEWHERE) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")
    return path
