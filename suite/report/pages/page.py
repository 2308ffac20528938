"""One study as one page: what stands where, in the order a reader asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from suite import shell
from suite.contracts import moments
from suite.contracts.deciding import Decision
from suite.contracts.results import StudyResults, Trial
from suite.report import formats
from suite.report.charts import STUDY_CHARTS, per_class
from suite.report.charts.chart import Drawn, StudyScene
from suite.report.charts.ranges import common_range
from suite.report.data.absences import absent, by_reason, failures
from suite.report.data.alike import alike_rows, alike_sentence, rho_interval
from suite.report.data.by_length import by_length, length_range
from suite.report.data.calibration import calibration_rows, change, temperature_of
from suite.report.data.classes import label_of
from suite.report.data.decided import decided_row, decided_sentences
from suite.report.data.energy import bench_energy_told, energy_told
from suite.report.data.every_metric import every_metric
from suite.report.data.growth import growth_view
from suite.report.data.learnt import learnt_in
from suite.report.data.money import money_intro, money_rows, money_told
from suite.report.data.over_splits import split_rows, split_sentences
from suite.report.data.placeless import placeless
from suite.report.data.rows import (
    METRICS,
    Leaderboard,
    LeaderboardRow,
    bounds_of,
    extreme,
    last_score,
    references,
    silence_of,
)
from suite.report.data.scope import scope_rows
from suite.report.data.slices import arm_of, slice_rows, slice_sentences
from suite.report.data.spoken import environment, spoken
from suite.report.data.stress import (
    by_chance,
    share_interval,
    signed_interval,
    stress_sentences,
    stress_table,
)
from suite.report.data.subsets import subset_told
from suite.report.data.taught import taught_told
from suite.report.data.wrong import wrong
from suite.report.pages.answer import Answer, answer, bounds_text, chosen_of, useful, validated
from suite.report.pages.pairs import comparisons_intro, judged, verdict_head
from suite.report.pages.shell import Pack, render
from suite.report.pages.terms import TERMS, Terms
from suite.report.words import Words
from suite.verdict.interval import LEVEL
from suite.verdict.metrics import COLUMNS

#: Groups of failures listed; classes whose counts are shown at once.
FAILURES_SHOWN = 40
ERROR_IN_TRIALS = 160
CLASS_COUNTS_OPEN = 20
TILES = 6


@dataclass(frozen=True)
class Tile:
    """An arm that a reader would choose for one reason or another.

    `training` and `speed` are its costs as multiples of the best arm's; empty for that arm.
    """

    row: LeaderboardRow
    roles: tuple[str, ...]
    training: str
    speed: str


@dataclass(frozen=True)
class Whisker:
    """A score and its interval as per cent of the leaderboard's common scale.

    `below` and `above` say that the interval goes on beyond an end; `mid` is None where the score
    itself lies beyond.
    """

    low: float
    mid: float | None
    high: float
    below: bool
    above: bool
    dots: tuple[float, ...] = ()
    """Where each training's score lies; none where there is but one."""


def render_page(
    results: StudyResults, words: Words, *, refresh: int | None = None, storage: str | None = None
) -> str:
    """The study's page, whole.

    Args:
        results: what the study found.
        words: the language to say it in.
        storage: the database that the page's commands name; None for the usual one.
        refresh: seconds after which an open page loads itself again.
    """
    results, words = placeless(spoken(results, words)), words.about(results.objective)
    scene = StudyScene.of(results, words)
    board = scene.board
    told = answer(results, board, words)
    split = references(results)
    pack = Pack(values={"trials": _trials(results, words)})
    drawn = Drawn.of(STUDY_CHARTS, scene)
    for chart in drawn.all():
        pack.add(chart)
    context: dict[str, Any] = {
        "r": results,
        "name": results.study,
        "board": board,
        "best_first": "descending" if board.objective.higher_is_better else "ascending",
        "answer": told,
        # The banner says that of the sample.
        "caveats": told.caveats[1:] if results.sample else told.caveats,
        "tiles": tiles(told, board),
        "styles": scene.styles,
        "validated": validated(board, words),
        "silence_of": silence_of,
        "whiskers": whiskers(board),
        "chosen_of": chosen_of(board, words),
        "every_metric": every_metric(board),
        "by_length": by_length(board),
        "scope": scope_rows(results, board),
        "slices": slice_rows(results, words),
        "slices_arm": arm_of(results),
        "slices_told": slice_sentences(results, words),
        "slices_command": shell.command("data", "slices", results.study, storage=storage),
        "decided": [decided_row(one, words) for one in results.decisions],
        "decided_told": [decided_sentences(one, words) for one in _told_of(results)],
        "alike": alike_rows(results, board),
        "alike_told": alike_sentence(alike_rows(results, board), words),
        "rho_interval": rho_interval,
        "stress": stress_table(results, board),
        "stress_told": stress_sentences(results.stress, words),
        "stress_command": shell.command("stress", results.study, storage=storage),
        "bounds": bounds_of(results),
        "share_interval": share_interval,
        "signed_interval": signed_interval,
        "by_chance": by_chance,
        "length_range": lambda one: length_range(one, words),
        "energy": energy_told(results, board, words),
        "bench_energy": bench_energy_told(results, words),
        "taught": taught_told(results, board, words),
        "money": money_rows(results, board, words),
        "money_intro": money_intro(results, words),
        "money_told": money_told(results, words),
        "calibration": calibration_rows(board),
        "change": change,
        "temperature_of": lambda row: temperature_of(row, words),
        "per_class": per_class.values(scene.views),
        "per_class_table": per_class.table,
        "near": [metric for metric in board.further if metric.key.endswith("_accuracy")],
        "far": [metric for metric in board.further if not metric.key.endswith("_accuracy")],
        "comparisons": [judged(c, words, results.objective) for c in results.comparisons],
        "comparisons_intro": comparisons_intro(results, words),
        "verdict_head": verdict_head(results, words),
        "parted": any(c.df is not None for c in results.comparisons),
        "drawn": drawn,
        "class_views": {view.arm: view for view in scene.views},
        "terms": Terms(words),
        "glossary": TERMS,
        "use": use(results, words, storage),
        "wrong": wrong(results, words),
        "several_seeds": any(final.seeds > 1 for final in results.finals),
        "absent": by_reason(absent(results, board)),
        "failures": failures(results)[:FAILURES_SHOWN],
        "failures_more": max(0, len(failures(results)) - FAILURES_SHOWN),
        "references": split,
        "metrics": METRICS,
        "ours": {
            score.key: (score, extreme(board.rows, METRICS[f"test_{score.key}"]))
            for score in COLUMNS
        },
        "settings_rows": _settings_rows(results, words),
        "commands": _commands(results, storage),
        "examples_command": shell.command("report", results.study, "--examples", storage=storage),
        "decide_command": shell.command("decide", results.study, storage=storage),
        "errors_command": shell.command("errors", results.study, storage=storage),
        "environment": environment(results, words),
        "measured": [_measured(row, results, words) for row in board.rows],
        "class_range": _class_range(results),
        "engines": results.bench,
        "split_rows": split_rows(results.splits) if results.splits else [],
        "split_told": split_sentences(results.splits, words) if results.splits else [],
        "growth": growth_view(results, words),
        "created": moments.shown(results.created),
        "label_of": lambda labels, index: (
            words("no_answer") if index < 0 else label_of(labels, index)
        ),
        "constants": {"level": str(LEVEL), "open_counts": CLASS_COUNTS_OPEN},
    }
    return render("page.html", words, context, pack, refresh=refresh)


def _told_of(results: StudyResults) -> list[Decision]:
    """The decision of the arm to take, where there is one."""
    taken = results.verdict.recommended if results.verdict else None
    return [one for one in results.decisions if one.arm == taken]


def tiles(told: Answer, board: Leaderboard) -> list[Tile]:
    """The arms that matter at a glance: the best, the one to take, the runner-up, the fastest."""
    verdict = board.standing.verdict
    if verdict is None:
        return []
    level = "open" if board.ranged else "tied"
    roles: dict[str, list[str]] = {verdict.best: ["best" if len(told.leaders) == 1 else level]}
    if len(board.rows) > 1:
        roles.setdefault(verdict.recommended, []).append("recommended")
    if len(told.leaders) > 1:
        for arm in told.leaders[1:]:
            roles.setdefault(arm, []).append(level)
    elif told.second:
        roles.setdefault(told.second, []).append("second")
    first = board.contenders[0]
    fastest = extreme(useful(board), METRICS["offline_rps"])
    if fastest is not None and len(board.rows) > 1:
        roles.setdefault(fastest.arm, []).append("fastest")
    if told.thrift and len(board.rows) > 1:
        roles.setdefault(told.thrift, []).append("thrift")
    found = []
    for arm, own in list(roles.items())[:TILES]:
        row = board.row(arm)
        if row is None:
            continue
        same = row is first
        found.append(
            Tile(
                row,
                tuple(own),
                "" if same else _versus(row.train_seconds, first.train_seconds),
                "" if same else _versus(board.standing.times_as_fast(row.arm, first.arm), 1.0),
            )
        )
    return found


def _versus(own: float | None, other: float | None) -> str:
    return formats.times(own / other) if own is not None and other else ""


def use(results: StudyResults, words: Words, storage: str | None) -> list[tuple[str, str]]:
    """How the arm to take is used: each command as it is pasted."""
    name = results.study
    commands = {
        "predict": ("predict", name, words("use_text")),
        "serve": ("serve", name),
        "export": ("export", name, f"./{name}-model"),
    }
    return [(key, shell.command(*told, storage=storage)) for key, told in commands.items()]


def _commands(results: StudyResults, storage: str | None) -> str:
    """What else there is to run with this study, each command as typed."""
    name = results.study
    commands = (("study", "run", name), ("finals", name, "--seeds", 3), ("report", name))
    return "\n".join(shell.command(*words, storage=storage) for words in commands)


def whiskers(board: Leaderboard) -> dict[str, Whisker]:
    """Each tested arm's score and interval on one scale, 4 to 96 per cent of the width."""
    tested = [
        (row.arm, row.test_score, row.test_interval or (row.test_score, row.test_score))
        for row in board.rows
        if row.test_score is not None
    ]
    if not tested:
        return {}
    low, high = common_range([mid for _, mid, _ in tested], [span for _, _, span in tested])
    room = max(high - low, 1e-6)

    def place(value: float) -> float:
        return round(4 + 92 * (min(max(value, low), high) - low) / room, 2)

    dots = {
        row.arm: tuple(place(score) for score in row.seed_scores if low <= score <= high)
        for row in board.rows
        if len(row.seed_scores) > 1
    }
    return {
        arm: Whisker(
            low=place(span[0]),
            mid=place(mid) if low <= mid <= high else None,
            high=place(span[1]),
            below=span[0] < low,
            above=span[1] > high,
            dots=dots.get(arm, ()),
        )
        for arm, mid, span in tested
    }


def _settings_rows(results: StudyResults, words: Words) -> list[tuple[str, str]]:
    bounds = bounds_of(results)
    rows = [
        (words("study"), results.study),
        (words("task"), results.task),
        (words("recipe"), results.recipe),
        (words("created"), moments.shown(results.created)),
        (words("data_source"), results.data.source),
        (words("data_fingerprint"), results.data.fingerprint),
        (words("subset"), subset_told(results.data.subset, words)),
        (words("target"), formats.count(results.target_trials) if results.target_trials else ""),
        (words("allocation"), results.allocation),
        (words("sampler"), results.sampler),
        (words("pruner"), results.pruner),
        (words("ends_early"), formats.settings(results.stop)),
        (words("search_ended"), results.ended.why if results.ended else ""),
        (words("budget"), formats.settings(results.budget)),
        (words("bounds"), bounds_text(bounds, words) if bounds else words("none")),
        (
            words("latency_bound"),
            formats.milliseconds(results.latency_bound_ms, words)
            if results.latency_bound_ms is not None
            else "",
        ),
        (words("openings"), str(results.test_openings)),
        (words("openings_of_split"), formats.count(results.test_openings_of_split)),
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
    learnt: str
    other: str


def _measured(row: LeaderboardRow, results: StudyResults, words: Words) -> Measured:
    own = (row.trial, row.arm)  # A combination's trial is one of its members'.
    trial: Trial | None = next((t for t in results.trials if (t.number, t.arm) == own), None)
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
        learnt=learnt_in(trial, words),
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
        label_of(results.labels, low),
        counts[high],
        label_of(results.labels, high),
    )


def _trials(results: StudyResults, words: Words) -> dict[str, Any]:
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
            _rounded(last_score(trial)),
            _rounded(trial.train_seconds),
            _rounded(trial.rps.offline_per_second if trial.rps else None),
            _rounded(trial.rps.single_stream.p90_ms if trial.rps else None),
            formats.settings(trial.params),
            _note(trial, words),
        ]
        for trial in sorted(results.trials, key=lambda t: t.number)
    ]
    return {"arms": arms, "states": states, "rows": rows}


def _note(trial: Trial, words: Words) -> str:
    beyond = "" if trial.feasible else words("flag_infeasible")
    text = " ".join(" ".join(filter(None, (beyond, trial.error))).split())
    return text if len(text) <= ERROR_IN_TRIALS else f"{text[: ERROR_IN_TRIALS - 1]}…"


def _rounded(value: float | None) -> float | None:
    return None if value is None or value != value else float(f"{value:.6g}")
