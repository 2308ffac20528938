"""Reports over results built by hand: literal numbers, hostile names, and a real browser."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from suite.errors import ReportError
from suite.report import chart_data, formats, write_reports
from suite.report.answer import Answer, answer
from suite.report.export import engines_csv, file_names, leaderboard_csv, to_json, to_markdown
from suite.report.page import render_page
from suite.report.rows import (
    METRICS,
    absent,
    extreme,
    failures,
    leaderboard,
    missing_families,
    pareto_front,
    references,
)
from suite.report.words import LANGUAGES, WORDS, words_of
from suite.results import (
    Arm,
    Audit,
    BenchRow,
    Checkpoint,
    Comparison,
    DataFacts,
    Final,
    Published,
    Rows,
    Rps,
    Scores,
    ServerLoad,
    ServingForm,
    SingleStream,
    SplitAudit,
    StudyResults,
    TestScores,
    Trial,
)

EN, ZH = words_of("en"), words_of("zh")
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">"
FAST, HEAD, BERT = "tfidf/classic", "toy-qwen/linear_head", "toy-bert/linear_head"


def scores(f1: float, confusion: list[list[int]] | None = None) -> Scores:
    return Scores(
        macro_f1=f1,
        accuracy=round(f1 + 0.001, 6),
        precision=f1,
        recall=f1,
        per_class_f1=[f1, f1],
        confusion=confusion or [[8, 2], [3, 7]],
    )


def speed(per_second: float | None, p90: float | None = 2.0, **more: Any) -> Rps:
    single = SingleStream(p50_ms=1.0, p90_ms=p90, p99_ms=None, valid=True)
    return Rps(single_stream=single, offline_per_second=per_second, valid=True, **more)


def trial(number: int, arm: str, f1: float | None, seconds: float = 10.0, **more: Any) -> Trial:
    return Trial(
        **{
            "number": number,
            "state": "COMPLETE",
            "arm": arm,
            "params": {"learning_rate": 2e-05, "batch": 16},
            "validation": scores(f1) if f1 is not None else None,
            "train_seconds": seconds,
            "checkpoints": [Checkpoint(0.5, 0.5, 1.0), Checkpoint(1.0, f1 or 0.5, 2.0)],
            **more,
        }
    )


def final(arm: str, number: int, rank: int, f1: float, seconds: float, rps: float) -> Final:
    return Final(
        arm=arm,
        trial=number,
        seeds=1,
        stale=False,
        rank=rank,
        test=TestScores(f1, f1, (round(f1 - 0.01, 6), round(f1 + 0.012, 6)),
                        per_class_f1=[f1, f1], confusion=[[80, 20], [5, 95]]),
        train_seconds=seconds,
        rps=speed(rps),
    )  # fmt: skip


def split_audit(rows: int, counts: list[int]) -> SplitAudit:
    return SplitAudit(rows, 0, 3, 5, 1, counts, 120.5, 110, 300, 900)


def study(**changes: Any) -> StudyResults:
    """Three arms; tfidf and qwen tie at rank 1, bert is significantly worse."""
    plain: dict[str, Any] = {
        "study": "toy",
        "task": "toy-task",
        "title": "Toy News",
        "data": DataFacts(
            source="folder toy",
            fingerprint="0123456789abcdef",
            rows=Rows(1000, 100, 200),
            audit=Audit(
                splits={
                    "train": split_audit(1000, [400, 600]),
                    "validation": split_audit(100, [40, 60]),
                    "test": split_audit(200, [80, 120]),
                },
                test_in_train=2,
                test_in_train_normalised=4,
                validation_in_train=1,
                warnings=["2 test rows stand in train"],
                truncated={"toy-bert": 0.125},
            ),
        ),
        "environment": {"python": "3.11", "cpu": "toy", "packages": {"torch": "2.11.0"}},
        "labels": ["World", "Sports"],
        "arms": [
            Arm(FAST, trials=2, family="classic"),
            Arm(HEAD, trials=2, family="decoder", model_revision="a" * 40),
            Arm(BERT, trials=2, family="encoder"),
        ],
        "trials": [
            trial(0, FAST, 0.90, 1.5, peak_memory_bytes=100 * 2**20, rps=speed(9000.0)),
            trial(1, HEAD, 0.92, 120.0, rps=speed(40.0), circumstances={"parameters": 596e6}),
            trial(2, BERT, 0.85, 60.0, rps=speed(80.0)),
            trial(3, FAST, 0.88, 1.0),
            trial(4, HEAD, None, 30.0, state="PRUNED"),
            trial(5, BERT, None, 1.0, state="FAIL", error="memory ran out", checkpoints=[]),
        ],
        "test_openings": 1,
        "finals": [
            final(FAST, 0, 1, 0.905, 1.6, 8312.0),
            final(HEAD, 1, 1, 0.911, 125.0, 41.5),
            final(BERT, 2, 3, 0.861, 61.0, 82.0),
        ],
        "comparisons": [
            Comparison(FAST, HEAD, -0.006, (-0.02, 0.008), 0.41),
            Comparison(FAST, BERT, 0.044, (0.02, 0.06), 0.0004),
            Comparison(HEAD, BERT, 0.05, (0.03, 0.07), 0.0002),
        ],
        "command": "suite study create toy-task --trials 6",
        "recipe": "quick",
        "created": "2026-01-02T03:04:05Z",
        "budget": {"epochs": 2.0},
        "references": [
            Published("paper-net", "macro_f1", 0.93, "a paper", None),
            Published("old-net", "accuracy", 0.88, "https://example.org/a?b=1&c=2", "1k test rows"),
        ],
        "importance": {HEAD: {"learning_rate": 0.8, "batch": 0.2}},
    }
    return StudyResults(**(plain | changes))


def benched(**changes: Any) -> StudyResults:
    """The study with four engines behind one arm: the fastest, a doubtful one, two untimed."""
    row = BenchRow(
        arm=BERT, trial=2, engine="openvino", precision="int8", host="box", state="measured",
        device="CPU", threads=2, batch=64, agreement=0.9954, agreement_rows=2000, macro_f1=0.8489,
        macro_f1_difference=-0.0011, agrees=True, single_stream=SingleStream(4.2, 5.0, 6.1, True),
        offline_per_second=412.5, offline_valid=True,
        server=ServerLoad(318.0, 97.5, 100.0, True), server_batch=20, load_seconds=0.4,
        prepare_seconds=125.0, seconds=10.0, measured="2026-01-02T03:04:05+00:00",
        versions={"openvino": "2026.1"}, note="Offline: 4,125 texts in one query",
        fastest_in=["SingleStream", "Offline", "Server"], fastest_overall_in=["SingleStream"],
    )  # fmt: skip
    slow = replace(
        row, engine="torch", precision="float32", agreement=1.0, macro_f1_difference=0.0,
        single_stream=SingleStream(33.0, None, None, False), offline_per_second=21.5,
        offline_valid=False, server=ServerLoad(None, None, 100.0, False), stale=True,
        note="Server: one text alone takes 133 ms, the bound is 100 ms", contended=True,
        fastest_in=[], fastest_overall_in=[],
    )  # fmt: skip
    none = {"single_stream": None, "offline_per_second": None, "server": None, "note": "",
            "fastest_in": [], "fastest_overall_in": [], "agrees": False}  # fmt: skip
    wrong = replace(row, engine="onnxruntime", state="disagrees", agreement=0.97,
                    reason=f"97 % < 99 % {HOSTILE}", **none)  # fmt: skip
    absent = replace(row, engine="compile", precision="bfloat16", state="refused", agreement=None,
                     macro_f1_difference=None, reason="=no compiler | here", **none)  # fmt: skip
    return study(bench=[row, slow, wrong, absent], **changes)


def told(results: StudyResults, language: str = "en") -> Answer:
    return answer(results, leaderboard(results), words_of(language))


def many_classes(classes: int = 150) -> StudyResults:
    names = [f"intent number {i}" for i in range(classes)]
    dice = random.Random(0)

    def wide(f1: float) -> TestScores:
        confusion = [[0] * classes for _ in range(classes)]
        for i in range(classes):
            confusion[i][i] = 27
            confusion[i][(i + 1) % classes] = 3
        confusion[7][9] = 19
        return TestScores(f1, f1, (f1 - 0.01, f1 + 0.01), confusion=confusion,
                          per_class_f1=[round(dice.uniform(0.5, 1), 4) for _ in names])  # fmt: skip

    base = study()
    return replace(
        base,
        study="wide",
        labels=names,
        finals=[replace(f, test=wide(f.test.macro_f1)) for f in base.finals],
        data=replace(
            base.data,
            audit=replace(base.data.audit, splits={"train": split_audit(9000, [60] * classes)}),
        ),
    )


# --- rows --------------------------------------------------------------------------------------


def test_leaderboard_ranks_by_test_and_shares_ties():
    board = leaderboard(study())
    assert board.basis == "test"
    assert [(row.arm, row.rank, row.tied_with) for row in board.rows] == [
        (HEAD, 1, (FAST,)),
        (FAST, 1, (HEAD,)),
        (BERT, 3, ()),
    ]
    head = board.rows[0]
    assert (head.test_macro_f1, head.test_interval) == (0.911, (0.901, 0.923))
    assert (head.validation_macro_f1, head.train_seconds, head.offline_rps) == (0.92, 125.0, 41.5)
    assert (head.p50_ms, head.p90_ms, head.p99_ms) == (1.0, 2.0, None)
    assert (head.trials, head.complete, head.pruned, head.failed) == (2, 1, 1, 0)
    assert (head.parameters, head.family, head.strategy) == (596e6, "decoder", "linear_head")
    assert board.rows[1].peak_memory_bytes == 104857600
    assert (board.rows[2].trials, board.rows[2].failed) == (2, 1)


def test_before_finals_the_order_is_by_validation_and_equal_scores_share_it():
    base = study(finals=[], comparisons=[], test_openings=0)
    board = leaderboard(base)
    assert board.basis == "validation"
    assert [(r.arm, r.rank, r.test_macro_f1) for r in board.rows] == [
        (HEAD, 1, None),
        (FAST, 2, None),
        (BERT, 3, None),
    ]
    same = replace(base, trials=[trial(0, FAST, 0.9), trial(1, HEAD, 0.9), trial(2, BERT, 0.8)])
    assert [r.rank for r in leaderboard(same).rows] == [1, 1, 3]


def test_an_arm_without_a_final_stands_last_and_unranked():
    base = study()
    board = leaderboard(replace(base, finals=base.finals[:1]))
    assert [(r.arm, r.rank) for r in board.rows] == [(FAST, 1), (HEAD, None), (BERT, None)]


def test_a_final_speaks_of_its_own_trial_even_when_a_later_one_is_better():
    base = study()
    later = [*base.trials, trial(6, FAST, 0.99, 77.0)]
    stale = [replace(f, stale=True) for f in base.finals]
    row = leaderboard(replace(base, trials=later, finals=stale)).row(FAST)
    assert row is not None
    assert (row.validation_macro_f1, row.trial, row.stale, row.train_seconds) == (0.9, 0, True, 1.6)


def test_contended_follows_the_numbers_that_are_shown():
    base = study()
    busy = [replace(t, contended=True) for t in base.trials]
    assert not any(r.contended for r in leaderboard(replace(base, trials=busy)).rows)
    unmeasured = [replace(f, train_seconds=None) for f in base.finals]
    rows = leaderboard(replace(base, trials=busy, finals=unmeasured)).rows
    assert all(r.contended for r in rows)
    assert {r.arm: r.train_seconds for r in rows} == {FAST: 1.5, HEAD: 120.0, BERT: 60.0}
    alone = [replace(f, rps=speed(5.0, contended=True)) for f in base.finals]
    assert all(r.contended for r in leaderboard(replace(base, finals=alone)).rows)


def test_pareto_front_knows_which_way_is_up():
    rows = leaderboard(study()).rows
    f1 = METRICS["test_macro_f1"]
    assert pareto_front(rows, METRICS["offline_rps"], f1) == (HEAD, FAST)
    assert pareto_front(rows, METRICS["train_seconds"], f1) == (FAST, HEAD)
    # BERT serves faster than HEAD at a lower F1: without FAST it is on the front.
    assert pareto_front([rows[0], rows[2]], METRICS["offline_rps"], f1) == (HEAD, BERT)
    twins = [replace(rows[0], arm="a/x"), replace(rows[0], arm="b/x")]
    assert pareto_front(twins, METRICS["offline_rps"], f1) == ("a/x", "b/x")
    blind = [replace(rows[0], offline_rps=None)]
    assert pareto_front(blind, METRICS["offline_rps"], f1) == ()


def test_metric_direction_is_data():
    rows = leaderboard(study()).rows
    fastest, cheapest = extreme(rows, METRICS["offline_rps"]), extreme(rows, METRICS["p90_ms"])
    assert fastest is not None and fastest.arm == FAST
    assert cheapest is not None and cheapest.p90_ms == 2.0
    assert extreme([], METRICS["p90_ms"]) is None


def test_references_split_by_what_differs():
    split = references(study())
    assert [r.model for r in split.drawable] == ["paper-net"]
    assert [r.model for r in split.footnotes] == ["old-net"]


def test_absent_arms_and_failures_keep_their_reasons():
    base = study()
    results = replace(
        base,
        arms=[
            *base.arms,
            Arm("big/sft", refused="no GPU", family="decoder"),
            Arm("bad/classic", retired="three failures in a row", family="classic"),
            Arm("late/probe", family="encoder"),
        ],
        trials=[
            *base.trials,
            trial(6, "bad/classic", None, state="FAIL", error="boom", checkpoints=[]),
            trial(7, "bad/classic", None, state="FAIL", error="boom", checkpoints=[]),
        ],
    )
    gone = absent(results, leaderboard(results))
    assert [(a.arm, a.kind, a.reason) for a in gone] == [
        ("big/sft", "refused", "no GPU"),
        ("bad/classic", "retired", "three failures in a row"),
        ("late/probe", "without_result", None),
    ]
    assert [(f.arm, f.reason, f.trials) for f in failures(results)] == [
        ("bad/classic", "boom", (6, 7)),
        (BERT, "memory ran out", (5,)),
    ]


# --- the answer ----------------------------------------------------------------------------------


def test_answer_names_every_arm_of_a_tie_and_what_is_fast_and_cheap_in_it():
    found = told(study())
    assert found.leaders == (HEAD, FAST)
    assert (found.fastest, found.cheapest, found.caveats) == (FAST, FAST, ())
    assert found.text == (
        "toy-qwen/linear_head (macro-F1 0.911, 95 % interval 0.901–0.923) and tfidf/classic "
        "(0.905, 0.895–0.917) share rank 1: on the test split they cannot be told apart. Of "
        "these, tfidf/classic is both the fastest to serve (8,312 texts/s) and the cheapest to "
        "train (1.60 s)."
    )
    assert told(study(), "zh").verdict == (
        "toy-qwen/linear_head（宏平均 F1 0.911，95% 区间 0.901–0.923） 和 tfidf/classic"
        "（0.905，0.895–0.917） 并列第一：在测试集上无法区分高下。"
    )


def test_answer_with_one_winner_says_who_is_faster_and_cheaper():
    base = study()
    ranks = {HEAD: 1, FAST: 2, BERT: 3}
    finals = [replace(f, rank=ranks[f.arm]) for f in base.finals]
    found = told(replace(base, finals=finals))
    assert found.leaders == (HEAD,)
    assert found.text == (
        "toy-qwen/linear_head is best on the test split: macro-F1 0.911 (95 % interval "
        "0.901–0.923), trained in 2 min 05 s, serves 41.5 texts/s. tfidf/classic is faster to "
        "serve (8,312 texts/s) and cheaper to train (1.60 s), at macro-F1 0.905."
    )


def test_an_arm_hardly_better_than_guessing_is_no_bargain():
    base = study()
    ranks = {HEAD: 1, FAST: 2, BERT: 3}
    finals = [
        replace(
            f,
            rank=ranks[f.arm],
            test=replace(f.test, macro_f1=0.1 if f.arm == FAST else f.test.macro_f1),
        )
        for f in base.finals
    ]
    found = told(replace(base, finals=finals))
    assert found.leaders == (HEAD,)
    assert "tfidf/classic" not in found.text


def test_every_serving_form_is_told_with_its_circumstances():
    base = study()
    other = ServingForm("options", 25.0, 40.25, valid=True)
    finals = [
        replace(f, rps=replace(f.rps, form="head", other_forms=[other])) if f.arm == HEAD else f
        for f in base.finals
    ]
    page = render_page(replace(base, finals=finals), words_of("en"))
    assert "torch (head)" in page
    assert "as options: 40.2 texts/s Offline, p50 25.0 ms SingleStream" in page


def test_a_single_arm_is_not_called_best():
    base = study()
    alone = replace(base, arms=base.arms[:1], trials=base.trials[:1], finals=base.finals[:1])
    assert told(alone).verdict.startswith("tfidf/classic is the only arm with a test score")


def test_answer_on_validation_says_that_chance_is_unknown():
    found = told(study(finals=[], comparisons=[], test_openings=0))
    assert found.basis == "validation"
    assert found.verdict == (
        "On validation alone toy-qwen/linear_head leads with macro-F1 0.920, trained in "
        "2 min 00 s, serves 40.0 texts/s. The test split has not been opened, so whether the "
        "lead is more than chance is not known yet."
    )


def test_answer_without_any_result():
    found = told(study(trials=[], finals=[], comparisons=[]))
    assert found.leaders == ()
    assert found.text == "No arm has finished a trial yet, so there is nothing to rank."


@pytest.mark.parametrize("language", LANGUAGES)
def test_caveats_come_before_the_winner(language: str):
    base = study()
    results = replace(
        base,
        data=replace(base.data, sample=True),
        arms=[
            base.arms[0],
            Arm(HEAD, refused="no weights", family="decoder"),
            Arm("other/sft", refused="no GPU", family="decoder"),
            Arm(BERT, retired="three failures", family="encoder"),
        ],
        trials=[replace(base.trials[0], feasible=False)],
        finals=base.finals[:1],
        bounds={"min_rps": 10000.0, "max_train_seconds": None},
        test_openings=2,
    )
    results = replace(results, finals=[replace(f, stale=True) for f in results.finals])
    found = told(results, language)
    assert len(found.caveats) == 3
    order = [found.text.index(part) for part in (*found.caveats, found.verdict, *found.notes)]
    assert order == sorted(order) and order[0] == 0
    assert missing_families(results, leaderboard(results)) == (("encoder", "decoder"), 3)
    if language == "en":
        assert found.caveats == (
            "This is the bundled sample, not the real data: it shows how the suite works, and "
            "no figure here holds for “Toy News”.",
            "No encoder or decoder arm could be compared: every one was refused or retired "
            "(3 in all; the reasons are listed).",
            "No arm meets the bounds (at least 10,000 texts/s).",
        )
        assert found.notes == (
            "The study searched on after the finals, so they are stale: a better trial may "
            "exist that was not tested.",
            "The test split has been opened 2 times; each look makes its score a little more "
            "flattering.",
        )


def test_a_family_with_one_result_is_not_missing():
    base = study()
    more = replace(base, arms=[*base.arms, Arm("big/sft", refused="no GPU", family="decoder")])
    assert told(more).caveats == ()


def test_bounds_choose_among_arms_that_meet_them_by_the_paired_tests():
    base = study(bounds={"min_rps": 60.0})
    slow = replace(base, trials=[replace(t, feasible=t.arm != HEAD) for t in base.trials])
    found = told(slow)
    assert found.leaders == (FAST,)
    assert found.verdict.startswith("Within the bounds (at least 60.0 texts/s): tfidf/classic is")
    # The two that are left differ only by chance, though the ranks say 1 and 3.
    chance = [replace(c, p=0.2) if {c.a, c.b} == {FAST, BERT} else c for c in base.comparisons]
    assert told(replace(slow, comparisons=chance)).leaders == (FAST, BERT)


def test_a_large_tie_names_a_few_and_counts_the_rest():
    arms = [f"m{i}/classic" for i in range(9)]
    results = study(
        arms=[Arm(a, family="classic") for a in arms],
        trials=[trial(i, a, 0.9) for i, a in enumerate(arms)],
        finals=[final(a, i, 1, 0.9 + i / 1000, 5.0 + i, 100.0 + i) for i, a in enumerate(arms)],
        comparisons=[],
    )
    found = told(results)
    assert len(found.leaders) == 9
    assert (found.fastest, found.cheapest) == ("m8/classic", "m0/classic")
    assert "m4/classic" in found.verdict and "m3/classic" not in found.verdict
    assert "and 4 more share rank 1" in found.verdict


# --- words and numbers ---------------------------------------------------------------------------


def test_every_phrase_has_both_languages_with_the_same_values():
    for key, (english, chinese) in WORDS.items():
        fields = [sorted(set(re.findall(r"{(\w+)}", text))) for text in (english, chinese)]
        assert fields[0] == fields[1], key
        assert english and (chinese or key == "space"), key


def test_numbers_read_the_same_everywhere():
    assert formats.score(0.94444) == "0.9444"
    assert formats.interval((0.9, 0.95)) == "0.9000–0.9500"
    assert formats.duration(1.234, EN) == "1.23 s"
    assert formats.duration(119.6, EN) == "2 min 00 s"
    assert formats.duration(7199, EN) == "119 min 59 s"
    assert formats.duration(7260, ZH) == "2 小时 01 分"
    assert formats.rate(8312.4, EN) == "8,312 texts/s"
    assert formats.quantity(0.0123) == "0.01"
    assert formats.size(1536) == "1.5 KiB"
    assert formats.size(100 * 2**20) == "100 MiB"
    assert formats.parameters(596e6) == "596M"
    assert formats.percent(0.0001) == "<0.1%"
    assert formats.p_value(0.0004) == "<.001"
    assert formats.settings({"a/b:learning_rate": 2.1e-5, "bf16": True}) == (
        "learning_rate=2.1e-05, bf16=true"
    )


# --- chart values --------------------------------------------------------------------------------


def test_trade_off_values():
    results = study()
    board = leaderboard(results)
    data = chart_data.trade_off(board, METRICS["offline_rps"], references(results).drawable)
    assert [(p.arm, p.x, p.y, p.low, p.high) for p in data.points] == [
        (HEAD, 41.5, 0.911, 0.901, 0.923),
        (FAST, 8312.0, 0.905, 0.895, 0.917),
        (BERT, 82.0, 0.861, 0.851, 0.873),
    ]
    assert data.front == (HEAD, FAST)
    assert data.y_range[0] < 0.851 and data.y_range[1] > 0.93
    assert 10 ** data.x_range[0] < 41.5 < 8312.0 < 10 ** data.x_range[1]
    blind = replace(board, rows=(replace(board.rows[0], offline_rps=0.0), *board.rows[1:]))
    assert chart_data.trade_off(blind, METRICS["offline_rps"]).left_out == (HEAD,)


def test_labels_keep_off_each_other():
    close = [("first/arm", 0.5, 0.5), ("second/arm", 0.5, 0.5), ("third/arm", 0.52, 0.5)]
    assert len(set(chart_data.place_labels(close))) == 3
    assert "right" not in chart_data.place_labels([("at/the/right/edge", 0.99, 0.5)])[0]


def test_styles_are_one_colour_per_arm_and_one_shape_per_family():
    styles = chart_data.styles(study())
    assert len({s.colour for s in styles.values()}) == 3
    assert [styles[a].symbol for a in (FAST, HEAD, BERT)] == ["circle", "diamond", "square"]
    many = study(arms=[Arm(f"m{i}/x", family="classic") for i in range(24)], trials=[], finals=[])
    looks = chart_data.styles(many)
    assert len({(s.colour, s.open) for s in looks.values()}) == 24


def test_curves_are_capped_at_the_best_and_keep_some_pruned():
    complete = [trial(i, FAST, 0.5 + i / 1000) for i in range(100)]
    pruned = [trial(100 + i, FAST, 0.3 + i / 1000, state="PRUNED") for i in range(100)]
    data = chart_data.curves(study(trials=complete + pruned, finals=[]))
    assert data.total == 200 and len(data.curves) == 30
    assert [c.trial for c in data.curves if c.best] == [99]
    assert sorted(c.trial for c in data.curves if not c.pruned) == list(range(80, 100))
    assert sorted(c.trial for c in data.curves if c.pruned) == list(range(190, 200))
    lone = chart_data.curves(
        study(trials=[trial(0, FAST, 0.9, checkpoints=[Checkpoint(1, 0.9, 1)])])
    )
    assert lone.curves == ()


def test_history_thins_but_keeps_every_improvement():
    trials = [trial(i, FAST, 0.5 + (i // 500) / 100) for i in range(5000)]
    data = chart_data.history(study(trials=trials, finals=[]), cap=200)
    assert data.total == 5000
    assert 150 <= len(data.points) <= 200
    assert [step[0] for step in data.best] == [*range(0, 5000, 500), 4999]
    assert {n for n, _ in data.best} <= {p.number for p in data.points}


def test_confusions_are_counted_and_shared():
    view = chart_data.class_view("a/b", "test", 3, [[80, 20, 0], [5, 95, 0], [0, 0, 0]], [0.9])
    assert view.shares == ((0.8, 0.2, 0.0), (0.05, 0.95, 0.0), (None, None, None))
    assert [(c.true, c.predicted, c.count, c.share) for c in view.confusions] == [
        (0, 1, 20, 0.2),
        (1, 0, 5, 0.05),
    ]


def test_class_views_use_test_where_finals_exist_else_validation():
    base = study()
    views = chart_data.class_views(base, leaderboard(base))
    assert {v.split for v in views} == {"test"}
    assert views[0].counts == ((80, 20), (5, 95))
    early = replace(base, finals=[])
    views = chart_data.class_views(early, leaderboard(early))
    assert {v.split for v in views} == {"validation"}
    assert views[0].counts == ((8, 2), (3, 7))


def test_many_classes_draw_the_hardest_and_list_the_worst_confusion():
    results = many_classes()
    views = chart_data.class_views(results, leaderboard(results))
    top = views[0].confusions[0]
    assert (top.true, top.predicted, top.count) == (7, 9, 19)
    classes = chart_data.per_class(views)
    assert classes is not None
    assert (len(classes.classes), classes.drawn) == (150, 30)
    means = [sum(row) / len(row) for row in classes.scores]
    assert means == sorted(means)


def test_figures_hold_the_values_and_escape_names():
    from suite.report import charts

    results = study(labels=[HOSTILE, HOSTILE])
    board, styles = leaderboard(results), chart_data.styles(results)
    data = chart_data.trade_off(board, METRICS["train_seconds"], references(results).drawable)
    figure = charts.trade_off_figure(data, styles, EN)
    assert figure.layout.xaxis.type == "log"
    assert list(figure.data[0].x) == [1.6, 125.0]
    drawn = {t.name: (t.x[0], t.y[0], t.marker.color) for t in figure.data[1:]}
    assert drawn[HEAD] == (125.0, 0.911, styles[HEAD].colour)
    assert [s.y0 for s in figure.layout.shapes] == [0.93]
    assert "paper-net 0.930" in figure.layout.annotations[0].text
    view = chart_data.class_views(results, board)[0]
    matrix = charts.confusion_figure(view, results.labels, EN)
    assert [list(row) for row in matrix.data[0].customdata] == [[80, 20], [5, 95]]
    assert len(set(matrix.data[0].x)) == 2, "equal names must not merge two classes"
    assert "<" not in "".join(matrix.data[0].x)
    assert matrix.data[0].texttemplate == "%{text}"
    wide = many_classes()
    view = chart_data.class_views(wide, leaderboard(wide))[0]
    assert charts.confusion_figure(view, wide.labels, EN).data[0].texttemplate is None
    history = charts.history_figure(chart_data.history(results), styles, EN)
    assert list(history.data[0].y) == [0.9, 0.92, 0.92]


# --- files ---------------------------------------------------------------------------------------


def test_every_format_is_written_and_the_page_is_last(tmp_path: Path):
    paths = write_reports(
        [study()], tmp_path / "new" / "folder", ["html", "csv", "json", "md"], "en"
    )
    assert [p.name for p in paths] == [
        "toy.json",
        "toy-leaderboard.csv",
        "toy-trials.csv",
        "toy.md",
        "toy.html",
    ]
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == sorted(
        p.name for p in paths
    )


def test_several_studies_get_an_index(tmp_path: Path):
    first, second = study(), study(study="index", title=HOSTILE)
    paths = write_reports([first, second], tmp_path, ["html"], "zh")
    assert [p.name for p in paths] == ["toy.html", "index-2.html", "index.html"]
    index = paths[-1].read_text(encoding="utf-8")
    assert 'href="toy.html"' in index and 'href="index-2.html"' in index
    assert "并列第一" in index and HOSTILE not in index
    assert len(index) < 60_000


def test_file_names_are_safe_and_never_equal():
    assert file_names(["a/b", "a b", "A_B", "../..", "新闻"]) == [
        "a_b",
        "a_b-2",
        "A_B-3",
        "study",
        "新闻",
    ]


def test_json_reads_back_and_holds_the_same_numbers():
    results = study()
    value = json.loads(to_json(results, EN))
    assert StudyResults.from_json(value) == results
    assert next(iter(value)) == "schema_version"
    assert value["answer"] == told(results).text
    assert value["leaderboard"][1]["offline_rps"] == 8312.0
    assert value["pareto"] == {"offline_rps": [HEAD, FAST], "train_seconds": [FAST, HEAD]}


def test_csv_has_full_digits_and_no_formula(tmp_path: Path):
    base = study()
    bad = replace(base.trials[5], error='=HYPERLINK("x")\nline two')
    results = replace(base, trials=[*base.trials[:5], bad])
    rows = list(csv.DictReader(leaderboard_csv(leaderboard(results)).splitlines()))
    assert rows[0]["arm"] == HEAD and rows[0]["test_macro_f1_high"] == "0.923"
    assert rows[0]["p99_ms"] == "" and rows[0]["stale"] == "false"
    assert json.loads(rows[0]["params"]) == {"learning_rate": 2e-05, "batch": 16}
    [_, trials] = write_reports([results], tmp_path, ["csv"], "en")
    with trials.open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert len(listed) == 6
    assert listed[5]["error"] == '\'=HYPERLINK("x")\nline two'
    assert listed[1]["offline_per_second"] == "40.0"


def test_markdown_has_the_same_numbers_and_no_markup_from_data():
    base = study()
    failed = replace(base.trials[5], error="a | b\n<script>")
    text = to_markdown(replace(base, trials=[*base.trials[:5], failed]), EN)
    assert (
        "| 1= | toy-qwen/linear_head | 0.9110 | 0.9010–0.9230 | 0.9200 | 2 min 05 s | 41.5 |"
        in text
    )
    assert "a \\| b &lt;script&gt;" in text
    assert "suite study create toy-task --trials 6" in text
    assert told(base).verdict in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"formats": ["html", "pdf"]}, "unknown format 'pdf'"),
        ({"lang": "fr"}, "unknown language 'fr'"),
        ({"studies": []}, "nothing to report"),
    ],
)
def test_what_cannot_be_reported_is_said(tmp_path: Path, changes: dict[str, Any], message: str):
    call = {"studies": [study()], "out": tmp_path, "formats": ["json"], "lang": "en"} | changes
    with pytest.raises(ReportError, match=message):
        write_reports(**call)


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path: Path):
    taken = tmp_path / "file"
    taken.write_text("here", encoding="utf-8")
    with pytest.raises(ReportError) as caught:
        write_reports([study()], taken, ["json"], "en")
    assert "--out" in str(caught.value) and str(taken) in str(caught.value)
    (tmp_path / "toy.json").mkdir()
    with pytest.raises(ReportError):
        write_reports([study()], tmp_path, ["json"], "en")
    assert not list(tmp_path.glob(".*")), "nothing half-written stays behind"


def test_plotly_is_imported_only_for_pages(tmp_path: Path):
    (tmp_path / "toy.json").write_text(json.dumps(study().to_json()), encoding="utf-8")
    script = """
import sys
from pathlib import Path
from suite.report import write_reports
from suite.results import StudyResults
folder = Path(sys.argv[1])
results = StudyResults.from_json((folder / "toy.json").read_text(encoding="utf-8"))
write_reports([results], folder / "out", ["json", "csv", "md"], "en")
heavy = {"plotly", "jinja2", "torch", "transformers", "optuna", "sklearn", "evaluate", "datasets"}
print(sorted(heavy & set(sys.modules)))
write_reports([results], folder / "out", ["html"], "en")
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.stdout.splitlines() == ["[]", "['jinja2', 'plotly']"]


def page_of(results: StudyResults, folder: Path, language: str = "en") -> str:
    return write_reports([results], folder, ["html"], language)[-1].read_text(encoding="utf-8")


def bare(page: str) -> str:
    """The page without its scripts."""
    return re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.S)


def test_page_holds_the_leaderboard_and_reasons_without_any_script(tmp_path: Path):
    base = study()
    results = replace(
        base, arms=[*base.arms, Arm("big/sft", refused="needs <24 GB>", family="decoder")]
    )
    text = bare(page_of(results, tmp_path))
    for part in ("0.9110", "0.9010–0.9230", "2 min 05 s", "8,312", "100 MiB", "596M",
                 "needs &lt;24 GB&gt;", "memory ran out", "0123456789abcdef", "packages.torch",
                 "suite study create toy-task --trials 6", "1k test rows", "12.5%",
                 "Test rows that stand in train: 2 (4 when"):  # fmt: skip
        assert part in text, part
    assert "Bundled sample" not in text


def test_page_shows_engines_only_where_they_were_benched(tmp_path: Path):
    assert 'id="engines"' not in page_of(study(), tmp_path)
    page = page_of(benched(), tmp_path)
    text = bare(page)
    start = text.index('<section id="engines">')
    table = text[start : text.index("</section>", start)]
    assert '<a href="#engines">Serving engines</a>' in text
    for part in ("openvino", "99.54%", "-0.0011", "+0.0000", "<b>4.20 ms</b>", "6.10 ms",
                 "<b>412</b>", "<b>318</b>", "p99 within 100 ms: measured 97.5 ms", "2 min 05 s",
                 "on 2,000 validation rows", "openvino=2026.1", "box", "disagrees",
                 "97 % &lt; 99 %", "refused", "=no compiler | here", "one text alone takes 133 ms",
                 "contended", "measured with trial 2, whose checkpoint"):  # fmt: skip
        assert part in table, part
    assert table.count("fastest</span>") == 1  # overall in one scenario
    assert table.count("not valid</span>") == 2  # p50 and Offline of the doubtful row
    assert HOSTILE not in page
    chinese = bare(page_of(benched(), tmp_path, "zh"))
    assert "推理引擎" in chinese and "Serving engines" not in chinese


def test_engines_are_written_as_csv_and_markdown_too(tmp_path: Path):
    paths = write_reports([benched()], tmp_path, ["csv", "md"], "en")
    assert [p.name for p in paths][2] == "toy-engines.csv"
    rows = list(csv.DictReader(engines_csv(benched()).splitlines()))
    assert [r["engine"] for r in rows] == ["openvino", "torch", "onnxruntime", "compile"]
    assert (rows[0]["offline_per_second"], rows[0]["server_p99_ms"]) == ("412.5", "97.5")
    assert (rows[0]["agrees"], rows[0]["fastest_overall_in"]) == ("true", "SingleStream")
    assert json.loads(rows[0]["versions"]) == {"openvino": "2026.1"}
    assert (rows[3]["reason"], rows[3]["offline_per_second"]) == ("'=no compiler | here", "")
    text = to_markdown(benched(), EN)
    assert (
        "| toy-bert/linear_head | openvino | int8 | 99.54% | -0.0011 | 4.20 ms \\* | 6.10 ms | "
        "412 \\* | 318 \\* | box |" in text
    )
    assert "21.5 (not valid)" in text and "refused; =no compiler \\| here" in text
    assert "## Serving engines" not in to_markdown(study(), EN)


def test_results_from_before_engines_read_as_none_benched():
    value = study().to_json()
    del value["bench"]
    assert StudyResults.from_json(value).bench == []
    assert StudyResults.from_json(benched().to_json()) == benched()


def test_sample_page_has_its_banner_first(tmp_path: Path):
    base = study()
    results = replace(base, data=replace(base.data, sample=True))
    text = bare(page_of(results, tmp_path))
    assert text.index('class="banner"') < text.index("share rank 1") < text.index("<table")
    chinese = bare(page_of(results, tmp_path, "zh"))
    assert "内置样例，并非真实数据" in chinese and 'lang="zh-CN"' in chinese
    assert "Leaderboard" not in chinese


def test_before_finals_no_published_number_is_drawn(tmp_path: Path):
    page = page_of(study(finals=[], comparisons=[], test_openings=0), tmp_path)
    assert "no claim about chance is made" in bare(page)
    assert "drawn once the finals have run" in bare(page)
    figure = re.search(r'id="figure-rps">(.*?)</script>', page, flags=re.S)
    assert figure is not None
    assert json.loads(figure.group(1))["layout"].get("shapes") is None


def test_an_empty_study_still_makes_a_page(tmp_path: Path):
    empty = study(trials=[], finals=[], comparisons=[], references=[], importance={}, labels=[],
                  environment={}, command="", title="",
                  data=replace(study().data, audit=None))  # fmt: skip
    text = bare(page_of(empty, tmp_path))
    assert "No arm has finished a trial yet" in text and "no trial has finished yet" in text


def test_policy_allows_exactly_the_scripts_of_the_page(tmp_path: Path):
    import base64
    import hashlib

    page = page_of(study(title=HOSTILE), tmp_path)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    allowed = set(re.findall(r"sha256-[\w+/=]+", policy.group(1)))
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    assert len(scripts) == 2
    assert allowed == {
        "sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts
    }
    assert "default-src &#39;none&#39;" in policy.group(1)
    assert "unsafe-eval" not in policy.group(1)
    assert HOSTILE not in page
    assert not re.search(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=[\"']?(?:https?:)?//", page)


def test_ten_thousand_trials_stay_small_and_quick(tmp_path: Path):
    wide = many_classes()
    points = [Checkpoint(k / 5, 0.4 + k / 20, float(k)) for k in range(1, 6)]
    arms = [FAST, HEAD, BERT]
    trials = [
        trial(i, arms[i % 3], 0.5 + (i * 7919 % 4000) / 10000, checkpoints=points,
              state="PRUNED" if i % 4 == 0 else "COMPLETE", rps=speed(100.0))
        for i in range(10_000)
    ]  # fmt: skip
    started = time.perf_counter()
    page = page_of(replace(wide, trials=trials), tmp_path)
    assert time.perf_counter() - started < 10
    assert len(page.encode()) < 12_000_000
    listed = re.search(r'id="trials-data">(.*?)</script>', page, flags=re.S)
    assert listed is not None and len(json.loads(listed.group(1))["rows"]) == 10_000


# --- a real browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if
         (path := shutil.which(name))), None,
    )  # fmt: skip
    if found is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as play:
        launched = play.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                  "--disable-background-networking", "--disable-component-update",
                  "--disable-sync"],
        )  # fmt: skip
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page by file:// and, at the end, insists that it asked for nothing else."""
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    requests: list[str] = []
    complaints: list[str] = []
    context.on("request", lambda request: requests.append(request.url))

    def open_page(results: StudyResults, language: str = "en") -> Any:
        path = write_reports([results], tmp_path, ["html"], language)[-1]
        page = context.new_page()
        page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_page
    assert complaints == []
    assert [u for u in requests if not u.startswith(("file:", "data:", "blob:"))] == []
    assert len([u for u in requests if u.startswith("file:")]) == 1
    context.close()


def arms_in_order(page: Any) -> list[str]:
    return page.locator("#leaderboard table.board tbody th").evaluate_all(
        "cells => cells.map(cell => cell.dataset.text)"
    )


@pytest.mark.slow
def test_browser_sorts_by_click_and_by_keyboard(opened: Any):
    page = opened(study())
    assert arms_in_order(page) == [HEAD, FAST, BERT]
    speed_head = page.locator("table.board thead th", has_text="Texts/s")
    speed_head.locator("button").click()
    assert speed_head.get_attribute("aria-sort") == "descending"
    assert arms_in_order(page) == [FAST, BERT, HEAD]
    page.keyboard.press("Enter")
    assert speed_head.get_attribute("aria-sort") == "ascending"
    assert arms_in_order(page) == [HEAD, BERT, FAST]
    rank_head = page.locator("table.board thead th", has_text="Rank")
    assert rank_head.get_attribute("aria-sort") == "none"
    # Only FAST has a peak memory: what is missing stays last both ways.
    memory = page.locator("table.board thead th", has_text="Peak memory").locator("button")
    memory.focus()
    page.keyboard.press("Space")
    assert arms_in_order(page)[0] == FAST
    page.keyboard.press("Space")
    assert arms_in_order(page)[0] == FAST


@pytest.mark.slow
def test_browser_draws_every_chart_and_shares_nothing(opened: Any):
    page = opened(study())
    for chart in page.locator(".chart:visible").all():
        chart.scroll_into_view_if_needed()
        chart.locator("svg.main-svg").first.wait_for(state="attached")
    drawn = page.evaluate("document.getElementById('chart-rps').data.map(trace => trace.name)")
    assert drawn[1:] == [HEAD, FAST, BERT]
    titles = page.locator("#chart-rps .modebar-btn").evaluate_all(
        "all => all.map(button => button.dataset.title ?? button.getAttribute('aria-label'))"
    )
    assert len(titles) == 4 and all(titles)
    assert not [t for t in titles if re.search("share|cloud|studio", t or "", flags=re.I)]
    page.select_option("#pick-arm", label=BERT)
    assert page.locator(".view:visible h3").inner_text().strip().startswith(BERT)
    page.locator(".view:visible .chart svg.main-svg").first.wait_for(state="attached")
    before = page.evaluate("document.getElementById('chart-rps').layout.font.color")
    page.emulate_media(color_scheme="dark")
    # Not `wait_for_function`: it polls through eval, which the page's policy forbids.
    deadline = time.monotonic() + 10
    while page.evaluate("document.getElementById('chart-rps').layout.font.color") == before:
        assert time.monotonic() < deadline, "the charts do not follow the colour scheme"
        page.wait_for_timeout(50)


@pytest.mark.slow
def test_browser_shows_hostile_strings_as_text(opened: Any):
    base = study()
    evil = f"x/{HOSTILE}"

    def rename(arm: str) -> str:
        return evil if arm == HEAD else arm

    results = replace(
        base,
        title=HOSTILE,
        labels=[HOSTILE, "<a href='https://example.org'>b</a>"],
        command=HOSTILE,
        environment={HOSTILE: HOSTILE},
        arms=[replace(a, arm=rename(a.arm)) for a in base.arms]
        + [Arm("r/x", refused=HOSTILE, family=HOSTILE), Arm("t/x", retired=HOSTILE)],
        trials=[
            replace(t, arm=rename(t.arm), error=HOSTILE if t.state == "FAIL" else None,
                    params={HOSTILE: HOSTILE}, circumstances={HOSTILE: HOSTILE})
            for t in base.trials
        ],
        finals=[replace(f, arm=rename(f.arm)) for f in base.finals],
        comparisons=[replace(c, a=rename(c.a), b=rename(c.b)) for c in base.comparisons],
        references=[Published(HOSTILE, HOSTILE, 0.9, "javascript:alert(1)", None),
                    Published("m", "accuracy", 0.9, "https://x.org/'onclick='alert(1)", HOSTILE)],
        importance={evil: {HOSTILE: 0.5}},
        data=replace(base.data, source=HOSTILE, fingerprint=HOSTILE,
                     audit=replace(base.data.audit, warnings=[HOSTILE], truncated={HOSTILE: 0.1},
                                   splits={HOSTILE: split_audit(3, [1, 2])})),
    )  # fmt: skip
    page = opened(results)
    for chart in page.locator(".chart:visible").all():
        chart.scroll_into_view_if_needed()
        chart.locator("svg.main-svg").first.wait_for(state="attached")
    page.locator("#all-trials summary").click()
    page.locator("#trials-table tbody tr").first.wait_for()
    assert page.title() == f"{HOSTILE} · toy"
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.locator("img, iframe, object").count() == 0
    assert page.locator("a:not(nav a)").count() == 0, "no link comes from data"
    assert page.locator(".js-plotly-plot a").count() == 0
    assert page.evaluate("[...document.scripts].filter(s => !s.type).length") == 2
    assert HOSTILE in page.locator("#trials-table tbody").inner_text()


@pytest.mark.slow
def test_browser_lists_many_trials_by_the_page(opened: Any):
    trials = [trial(i, FAST if i % 2 else HEAD, 0.5 + i / 10000) for i in range(1000)]
    page = opened(study(trials=trials, finals=[], comparisons=[]), "zh")
    page.locator("#all-trials summary").click()
    rows = page.locator("#trials-table tbody tr")
    rows.first.wait_for()
    assert rows.count() == 200
    assert page.locator("#trials-shown").inner_text() == "200 / 1,000"
    page.locator("#trials-more").click()
    assert rows.count() == 1000
    page.locator("#trials-table thead th", has_text="宏 F1").locator("button").click()
    assert rows.first.locator("td").first.inner_text() == "999"
    page.select_option("#trials-arm", label=HEAD)
    assert page.locator("#trials-shown").inner_text() == "200 / 500"
    assert rows.first.locator("td").first.inner_text() == "998"


@pytest.mark.slow
def test_browser_draws_a_hundred_and_fifty_classes(opened: Any):
    page = opened(many_classes())
    page.locator("#classes").scroll_into_view_if_needed()
    page.locator("#chart-confusion-0 svg.main-svg").first.wait_for(state="attached")
    assert page.evaluate("document.getElementById('chart-confusion-0').data[0].z.length") == 150
    first = page.locator(".view:visible tbody tr").first.inner_text().split("\t")
    assert first == ["intent number 7", "intent number 9", "19", "38.8%"]
