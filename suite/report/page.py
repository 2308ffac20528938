"""One study as one HTML file that asks nobody for anything: data, charts and script inside.

The policy in its head allows exactly the scripts written here, by their hashes; so even a string
that slipped past the escaping could not run. Tables are plain HTML and read without the script,
which adds sorting, the charts and the list of all trials.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from suite import __version__
from suite.report import chart_data, charts, formats
from suite.report.answer import Answer, answer, bounds_text
from suite.report.rows import (
    METRICS,
    SIGNIFICANCE,
    Leaderboard,
    LeaderboardRow,
    absent,
    bounds_of,
    extreme,
    failures,
    leaderboard,
    references,
)
from suite.report.words import Words
from suite.results import Comparison, StudyResults, Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEMPLATES = Path(__file__).parent / "templates"
#: Longest reason printed whole; groups of failures listed; classes with a column of their own.
REASON_SHOWN = 1200
FAILURES_SHOWN = 40
ERROR_IN_TRIALS = 160
CLASS_COUNTS_OPEN = 20


@dataclass(frozen=True)
class Figure:
    """A drawn chart, named so that the page's script finds its data."""

    name: str
    height: int
    json: Markup


@dataclass(frozen=True)
class Whisker:
    """A score and its interval as per cent of the leaderboard's common scale."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class IndexEntry:
    """A study's line in the index."""

    study: str
    href: str
    title: str
    task: str
    sample: bool
    answer: str
    leaders: tuple[str, ...]
    score: float | None
    basis: str
    arms: int
    trials: int
    created: str


def render_page(results: StudyResults, words: Words) -> str:
    """The study's page, whole.

    Args:
        results: what the study found.
        words: the language to say it in.
    """
    board = leaderboard(results)
    styles = chart_data.styles(results)
    views = chart_data.class_views(results, board)
    told = answer(results, board, words)
    split = references(results)
    # Published numbers are on test: beside scores on validation they would mislead.
    tested = board.basis == "test"
    fronts = [
        chart_data.trade_off(board, METRICS[key], split.drawable if tested else ())
        for key in ("offline_rps", "train_seconds")
    ]
    curves = chart_data.curves(results)
    history = chart_data.history(results)
    per_class = chart_data.per_class(views)
    important = chart_data.importances(results)
    context: dict[str, Any] = {
        "r": results,
        "board": board,
        "answer": told,
        "leaders": [row for arm in told.leaders if (row := board.row(arm))],
        "styles": styles,
        "whiskers": whiskers(board),
        "comparisons": [_judged(c, words) for c in results.comparisons],
        "trade_offs": [
            (
                data,
                _figure(name, charts.trade_off_figure(data, styles, words))
                if data.points
                else None,
            )
            for name, data in zip(("rps", "time"), fronts, strict=True)
        ],
        "curves": curves,
        "curves_figure": (
            _figure("curves", charts.curves_figure(curves, styles, words))
            if curves.curves
            else None
        ),
        "history": history,
        "history_figure": (
            _figure("history", charts.history_figure(history, styles, words))
            if history.points
            else None
        ),
        "importance_figure": (
            _figure("importance", charts.importance_figure(important, styles, words))
            if important
            else None
        ),
        "class_views": [
            (view, _figure(f"confusion-{i}", charts.confusion_figure(view, results.labels, words)))
            for i, view in enumerate(views)
            if view.counts
        ],
        "per_class": per_class,
        "per_class_figure": (
            _figure("per-class", charts.per_class_figure(per_class, results.labels, styles, words))
            if per_class
            else None
        ),
        "absent": absent(results, board),
        "failures": failures(results)[:FAILURES_SHOWN],
        "failures_more": max(0, len(failures(results)) - FAILURES_SHOWN),
        "references": split,
        "ours": {
            "macro_f1": extreme(board.rows, METRICS["test_macro_f1"]),
            "accuracy": extreme(board.rows, METRICS["test_accuracy"]),
        },
        "bounds": bounds_text(bounds_of(results), words) if bounds_of(results) else None,
        "settings_rows": _settings_rows(results, words),
        "environment": formats.flat(results.environment),
        "measured": [_measured(row, results, words) for row in board.rows],
        "class_range": _class_range(results),
        "engines": results.bench,
        "trials_json": embed(_trials(results)),
        "words_json": embed(
            {key: words(key) for key in ("copied", "copy", "missing")}
            | {
                "language": words("html_lang"),
                "shown_of": words("shown_of", shown="{shown}", total="{total}"),
            }
        ),
        "curves_cap": chart_data.CURVES_PER_ARM,
        "constants": {"open_counts": CLASS_COUNTS_OPEN, "reason": REASON_SHOWN},
    }
    return _render("page.html", words, context, with_plotly=True)


def render_index(entries: Sequence[IndexEntry], words: Words) -> str:
    """The page that names every study and its answer."""
    return _render("index.html", words, {"entries": entries}, with_plotly=False)


def index_entry(results: StudyResults, href: str, words: Words) -> IndexEntry:
    """A study's line in the index, from its results."""
    board = leaderboard(results)
    told: Answer = answer(results, board, words)
    first = board.row(told.leaders[0]) if told.leaders else None
    return IndexEntry(
        study=results.study,
        href=href,
        title=results.title or results.task,
        task=results.task,
        sample=results.sample,
        answer=told.text,
        leaders=told.leaders,
        score=board.score.of(first) if first else None,
        basis=board.basis,
        arms=len(results.arms),
        trials=sum(t.state in ("COMPLETE", "PRUNED", "FAIL") for t in results.trials),
        created=results.created,
    )


def embed(value: Any) -> Markup:
    """JSON that may stand inside a script element, whatever its strings hold."""
    return _inside_script(json.dumps(value, ensure_ascii=False, allow_nan=False,
                                     separators=(",", ":")))  # fmt: skip


def whiskers(board: Leaderboard) -> dict[str, Whisker]:
    """Each tested arm's score and interval on one scale, 4 to 96 per cent of the width."""
    tested = [
        (row.arm, row.test_macro_f1, row.test_interval or (row.test_macro_f1, row.test_macro_f1))
        for row in board.rows
        if row.test_macro_f1 is not None
    ]
    if not tested:
        return {}
    low = min(span[0] for _, _, span in tested)
    room = max(max(span[1] for _, _, span in tested) - low, 1e-6)

    def place(value: float) -> float:
        return round(4 + 92 * (value - low) / room, 2)

    return {arm: Whisker(place(s[0]), place(mid), place(s[1])) for arm, mid, s in tested}


def _judged(comparison: Comparison, words: Words) -> tuple[Comparison, str, bool]:
    """A comparison with its verdict in words, and whether it is real."""
    if comparison.p >= SIGNIFICANCE:
        return comparison, words("verdict_chance"), False
    better = comparison.a if comparison.difference > 0 else comparison.b
    return comparison, words("verdict_real", arm=better), True


def _figure(name: str, figure: go.Figure) -> Figure:
    return Figure(name, int(figure.layout.height), _inside_script(figure.to_json(engine="json")))


def _inside_script(text: str) -> Markup:
    # Inside a JSON string these may be written as escapes; outside one they do not occur. So
    # no label can close the script element or open a comment in it.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _settings_rows(results: StudyResults, words: Words) -> list[tuple[str, str]]:
    bounds = bounds_of(results)
    rows = [
        (words("study"), results.study),
        (words("task"), results.task),
        (words("recipe"), results.recipe),
        (words("created"), results.created),
        (words("data_source"), results.data.source),
        (words("data_fingerprint"), results.data.fingerprint),
        (words("target"), formats.count(results.target_trials) if results.target_trials else ""),
        (words("allocation"), results.allocation),
        (words("sampler"), results.sampler),
        (words("pruner"), results.pruner),
        (words("budget"), formats.settings(results.budget)),
        (words("bounds"), bounds_text(bounds, words) if bounds else words("none")),
        (
            words("latency_bound"),
            formats.milliseconds(results.latency_bound_ms, words)
            if results.latency_bound_ms is not None
            else "",
        ),
        (words("openings"), str(results.test_openings)),
    ]
    return [(name, value) for name, value in rows if value]


@dataclass(frozen=True)
class Measured:
    """Under what circumstances a row's numbers arose."""

    row: LeaderboardRow
    seed: int | None
    revision: str
    precision: str
    engine: str
    batch: int | None
    device: str
    threads: int | None
    load_seconds: float | None
    evaluation_seconds: float | None
    other: str


def _measured(row: LeaderboardRow, results: StudyResults, words: Words) -> Measured:
    trial: Trial | None = next((t for t in results.trials if t.number == row.trial), None)
    final = next((f for f in results.finals if f.arm == row.arm), None)
    rps = (final.rps if final else None) or (trial.rps if trial else None)
    facts = dict(trial.circumstances) if trial else {}
    arm = next((a for a in results.arms if a.arm == row.arm), None)
    precision = (rps.precision if rps else "") or formats.plain(facts.pop("precision", None))
    device = (rps.device if rps else "") or formats.plain(facts.pop("device", None))
    for told in ("precision", "device", "parameters"):
        facts.pop(told, None)
    note = [rps.note] if rps and rps.note else []
    note += [
        words(
            "other_form",
            form=other.form,
            rate=formats.rate(other.offline_per_second, words),
            p50=formats.milliseconds(other.p50_ms, words),
        )
        for other in (rps.other_forms if rps else ())
    ]
    return Measured(
        row=row,
        seed=trial.seed if trial else None,
        revision=arm.model_revision if arm else "",
        precision=precision,
        engine=" ".join(filter(None, (rps.engine, f"({rps.form})" if rps.form else "")))
        if rps
        else "",
        batch=rps.batch if rps and rps.batch else None,
        device=device,
        threads=rps.threads if rps and rps.threads else None,
        load_seconds=trial.load_seconds if trial else None,
        evaluation_seconds=trial.evaluation_seconds if trial else None,
        other="; ".join(note + [f"{name}={value}" for name, value in formats.flat(facts)]),
    )


@dataclass(frozen=True)
class ClassRange:
    """The smallest and the largest class of train."""

    low: int
    low_name: str
    high: int
    high_name: str


def _class_range(results: StudyResults) -> ClassRange | None:
    audit = results.data.audit
    counts = audit.splits["train"].class_counts if audit and "train" in audit.splits else []
    if not counts:
        return None
    low, high = counts.index(min(counts)), counts.index(max(counts))
    return ClassRange(
        counts[low],
        chart_data.label_of(results.labels, low),
        counts[high],
        chart_data.label_of(results.labels, high),
    )


def _trials(results: StudyResults) -> dict[str, Any]:
    """Every trial as a short list, arms and states by position: ten thousand stay small."""
    arms = list(dict.fromkeys(trial.arm for trial in results.trials))
    states = list(dict.fromkeys(trial.state for trial in results.trials))
    at_arm = {arm: i for i, arm in enumerate(arms)}
    at_state = {state: i for i, state in enumerate(states)}
    rows = [
        [
            trial.number,
            at_arm[trial.arm],
            at_state[trial.state],
            _rounded(_score(trial)),
            _rounded(trial.train_seconds),
            _rounded(trial.rps.offline_per_second if trial.rps else None),
            _rounded(trial.rps.single_stream.p90_ms if trial.rps else None),
            formats.settings(trial.params),
            _note(trial),
        ]
        for trial in sorted(results.trials, key=lambda t: t.number)
    ]
    return {"arms": arms, "states": states, "rows": rows}


def _note(trial: Trial) -> str:
    text = " ".join((trial.error or "").split())
    return text if len(text) <= ERROR_IN_TRIALS else f"{text[: ERROR_IN_TRIALS - 1]}…"


def _score(trial: Trial) -> float | None:
    if trial.macro_f1 is not None:
        return trial.macro_f1
    return max((c.macro_f1 for c in trial.checkpoints), default=None)


def _rounded(value: float | None) -> float | None:
    return None if value is None or value != value else float(f"{value:.6g}")


def _render(template: str, words: Words, context: Mapping[str, Any], *, with_plotly: bool) -> str:
    script = _read("page.js")
    plotly = _plotly() if with_plotly else ""
    allowed = " ".join(_hash(text) for text in ((plotly, script) if plotly else (script,)))
    return (
        _environment()
        .get_template(template)
        .render(
            w=words,
            f=formats,
            version=__version__,
            css=Markup(_read("page.css")),
            script=Markup(script),
            plotly=Markup(plotly),
            policy=(
                f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
                "img-src data: blob:; base-uri 'none'; form-action 'none'"
            ),
            label_of=chart_data.label_of,
            is_link=lambda text: bool(re.fullmatch(r"https?://[^\s\"'<>]+", text)),
            **context,
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    text: str = get_plotlyjs()
    return text


@cache
def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
