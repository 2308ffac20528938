"""Reports over results built by hand: rows, answers, values of charts, files; literal numbers."""

from __future__ import annotations

import csv
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import html5lib
import pytest
from report_studies import (
    BERT,
    EN,
    FAST,
    HEAD,
    HOSTILE,
    ZH,
    final,
    many_classes,
    speed,
    study,
    told,
    trial,
)

from suite.cli.tables import leaderboard_table
from suite.contracts.results import Arm, Checkpoint, Comparison, Objective, StudyResults, Trial
from suite.contracts.speeds import ServingForm
from suite.contracts.strategy import Rows
from suite.data.purposes import check_purposes
from suite.errors import ReportError
from suite.report import formats, write_reports
from suite.report.charts import (
    confusion,
    costs,
    curves,
    history,
    per_class,
    states,
    timeline,
    trade_off,
)
from suite.report.charts.chart import StudyScene
from suite.report.charts.labels import place_labels
from suite.report.data.absences import absent, failures, missing_families
from suite.report.data.classes import class_view, class_views
from suite.report.data.knobs import knobs
from suite.report.data.rows import (
    METRICS,
    extreme,
    leaderboard,
    pareto_front,
    references,
)
from suite.report.data.spoken import spoken
from suite.report.data.styles import PALETTE, styles
from suite.report.pages.csv_files import leaderboard_csv
from suite.report.pages.export import file_names, to_json, to_markdown
from suite.report.pages.images import study_charts
from suite.report.pages.page import render_page
from suite.report.pages.shell import TEMPLATES
from suite.report.words import LANGUAGES, words_of
from suite.verdict.standing import standing

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


def test_answer_says_what_to_take_and_names_every_arm_of_a_tie():
    found = told(study())
    assert found.leaders == (HEAD, FAST)
    assert (found.thrift, found.caveats) == (FAST, ())
    assert found.text == (
        "Take toy-qwen/linear_head. It has the highest score on the test split: macro-F1 0.9110 "
        "(95 % interval 0.9010–0.9230), with accuracy 0.9110; training took 2 min 05 s; it answers "
        "41.5 texts/s. The cheapest to train was tfidf/classic (1.60 s, 8,312 texts/s); it scores "
        "0.0060 lower, "
        "which could be chance (p = 0.410). "
        "toy-qwen/linear_head (macro-F1 0.9110, 95 % interval 0.9010–0.9230) and tfidf/classic "
        "(0.9050, 0.8950–0.9170) share rank 1: on the test split they cannot be told apart, and "
        "the lead of 0.0060 over tfidf/classic could be chance (p = 0.410). "
        "Recommended of these trained models: toy-qwen/linear_head; it was trained once, "
        "which says nothing of another training."
    )
    assert told(study(), "zh").verdict == (
        "toy-qwen/linear_head（宏平均 F1 0.9110，95% 置信区间 0.9010–0.9230） 和 tfidf/classic"
        "（0.9050，0.8950–0.9170） 并列第一：在测试集上差异不显著；最好者比 "
        "tfidf/classic 好 0.0060，差异不显著（p = 0.410）。"
    )


def test_answer_says_what_the_best_would_add_and_cost():
    base = study()
    thrice = [replace(f, seeds=3) for f in base.finals]
    found = told(replace(base, finals=thrice))
    assert (found.take, *found.reasons) == (
        "Take tfidf/classic.",
        "On the test split it scores macro-F1 0.9050 (95 % interval 0.8950–0.9170) and accuracy "
        "0.9050; training took 1.60 s; it answers 8,312 texts/s.",
        "toy-qwen/linear_head scores best: 0.0060 more macro-F1, which could be chance "
        "(p = 0.410), at 78× the training time and 1/200 the speed.",
        "No arm was cheaper to train.",
    )
    same = [replace(f, test=replace(f.test, macro_f1=0.905)) for f in thrice]
    text = told(replace(base, finals=same)).text
    assert "0.0000" not in text, "a lead of nothing is none"


def test_nothing_is_called_the_cheapest_of_all_beside_a_cheaper_one():
    """An arm hardly better than guessing costs nothing: it stands in the table, in no sentence."""
    base = study()
    last = replace(final(BERT, 2, 3, 0.25, 0.41, 82.0), seeds=3)
    thrice = [*(replace(f, seeds=3) for f in base.finals[:2]), last]
    found = told(replace(base, finals=thrice))
    assert found.thrift == FAST and BERT not in found.text
    assert found.reasons[-1] == (
        "Of the ranked arms that score at least half as much as the best, none was cheaper to "
        "train."
    )


def test_a_p_value_never_reads_as_one_nor_as_the_other_side_of_the_level():
    told_as = {0.0: "< .001", 0.0009: "< .001", 0.021: "= 0.021", 0.0496: "= 0.0496",
               0.049999: "< .05", 0.05: "= 0.050", 0.41: "= 0.410", 0.991: "> .99",
               1.0: "> .99"}  # fmt: skip
    assert {p: formats.p_told(p) for p in told_as} == told_as
    assert (formats.p_value(1.0), formats.p_value(0.0)) == (">.99", "<.001")


def test_what_was_best_only_at_its_end_is_not_said_to_have_been_there_all_along():
    def title(*scores: float) -> str:
        steps = [Checkpoint((i + 1) / len(scores), s, 1.0) for i, s in enumerate(scores)]
        one = trial(0, FAST, max(scores), checkpoints=steps)
        results = study(trials=[one], finals=[], comparisons=[])
        return curves.finding(curves.values(results), FAST, EN)

    assert title(0.5, 0.6, 0.9) == (
        "tfidf/classic's best trial still gained 0.3000 in the last part of its budget: more may "
        "help"
    )
    assert title(0.5, 0.895, 0.9, 0.9) == (
        "tfidf/classic's best trial is within 0.01 of its best score from 50% of its budget on"
    )
    assert title(0.5, 0.9, 0.7) == (
        "tfidf/classic's best trial was at its best at 67% of its budget, and fell by 0.2000 after"
    )


def test_answer_with_one_winner_says_by_how_much():
    base = study()
    ranks = {HEAD: 1, FAST: 2, BERT: 3}
    finals = [replace(f, rank=ranks[f.arm]) for f in base.finals]
    pairs = [replace(base.comparisons[0], p=0.01), *base.comparisons[1:]]
    found = told(replace(base, finals=finals, comparisons=pairs))
    assert (found.leaders, found.second, found.thrift) == ((HEAD,), FAST, FAST)
    assert found.text == (
        "Take toy-qwen/linear_head. It has the highest score on the test split: macro-F1 0.9110 "
        "(95 % interval 0.9010–0.9230), with accuracy 0.9110; training took 2 min 05 s; it answers "
        "41.5 texts/s. The cheapest to train was tfidf/classic (1.60 s, 8,312 texts/s); it scores "
        "0.0060 lower, "
        "which is more than chance (p = 0.010). "
        "toy-qwen/linear_head is best on the test split: its lead of 0.0060 over tfidf/classic is "
        "more than chance (p = 0.010). "
        "Recommended of these trained models: toy-qwen/linear_head; it was trained once, "
        "which says nothing of another training."
    )


def test_answer_compares_with_the_runner_up_and_with_the_cheapest():
    base = study()
    changed = {HEAD: (1, 0.911), BERT: (2, 0.891), FAST: (3, 0.861)}
    finals = [
        replace(f, rank=changed[f.arm][0], test=replace(f.test, macro_f1=changed[f.arm][1]))
        for f in base.finals
    ]
    pair = [Comparison(HEAD, BERT, 0.02, (0.01, 0.03), 0.0004)]
    found = told(replace(base, finals=finals, comparisons=pair))
    assert found.verdict.endswith(
        ": its lead of 0.0200 over toy-bert/linear_head is more than chance (p < .001)."
    )
    assert found.reasons[1:] == (
        "The cheapest to train was tfidf/classic (1.60 s, 8,312 texts/s); it scores 0.0500 "
        "lower, which is more "
        "than chance.",
    )


def test_answer_says_so_where_the_winner_is_the_cheapest():
    base = study()
    ranks = {FAST: 1, HEAD: 2, BERT: 3}
    finals = [
        replace(f, rank=ranks[f.arm], test=replace(f.test, macro_f1=0.95))
        if f.arm == FAST
        else replace(f, rank=ranks[f.arm])
        for f in base.finals
    ]
    pairs = [Comparison(FAST, HEAD, 0.039, (0.02, 0.05), 0.0002), *base.comparisons[1:]]
    reasons = told(replace(base, finals=finals, comparisons=pairs)).reasons
    assert reasons[1:] == ("No arm was cheaper to train.",)


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
    assert (found.leaders, found.thrift) == ((HEAD,), BERT)
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
        "On validation alone toy-qwen/linear_head leads with macro-F1 0.9200, 0.0200 above "
        "tfidf/classic; the test split has not been opened, so whether that is more than chance is "
        "not known yet."
    )


def test_answer_without_any_result():
    found = told(study(trials=[], finals=[], comparisons=[]))
    assert found.leaders == ()
    assert found.text == "No arm has finished a trial yet, so there is nothing to rank."


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_split_that_serves_two_purposes_is_the_first_line(language: str):
    base = study()
    shared = check_purposes(
        {"train": Rows(["a", "b"], [0, 1]), "test": Rows(["a", "b"], [0, 1])}, "here"
    )
    audit = replace(base.data.audit, warnings=["Another.", *shared])
    results = replace(base, data=replace(base.data, audit=audit, sample=True))
    words = words_of(language)
    found = told(spoken(results, words), language)
    assert len(shared) == 1 and len(found.caveats) == 2
    assert found.text.startswith(words.told(shared[0]) + words("end"))


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
    order = [
        found.text.index(part) for part in (*found.caveats, found.take, found.verdict, *found.notes)
    ]
    assert order == sorted(order) and order[0] == 0
    assert missing_families(results, leaderboard(results)) == (("encoder", "decoder"), 3)
    if language == "en":
        assert found.caveats == (
            "These are figures of the bundled sample, whose rows a generator wrote: on real data "
            "every one of them will differ.",
            "No encoder or decoder arm could be compared: every one was refused or retired "
            "(3 in all; the reasons are listed).",
            "No arm meets the bounds (at least 10,000 texts/s); what follows is chosen among all.",
        )
        assert found.notes == (
            "Recommended of these trained models: tfidf/classic; it was trained once, which "
            "says nothing of another training.",
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
    assert found.thrift == "m0/classic"
    assert "m4/classic" in found.verdict and "m3/classic" not in found.verdict
    assert "and 4 more share rank 1" in found.verdict


# --- words and numbers ---------------------------------------------------------------------------


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
    # What is less is said one way, whether it is a half or a hundredth.
    told = {130.4: "130×", 2.44: "2.4×", 0.96: "1.0×", 0.94: "1/1.1", 0.41: "1/2.4", 0.1: "1/10"}
    told |= {1 / 41: "1/41", 0.0: "0×"}
    assert {ratio: formats.times(ratio) for ratio in told} == told
    assert formats.p_value(0.0004) == "<.001"
    assert formats.settings({"a/b:learning_rate": 2.1e-5, "bf16": True}) == (
        "learning_rate=2.1e-05, bf16=true"
    )


# --- chart values --------------------------------------------------------------------------------


def test_trade_off_values():
    results = study()
    board = leaderboard(results)
    data = trade_off.values(board, METRICS["offline_rps"], references(results).drawable)
    assert [(p.arm, p.x, p.y, p.low, p.high) for p in data.points] == [
        (HEAD, 41.5, 0.911, 0.901, 0.923),
        (FAST, 8312.0, 0.905, 0.895, 0.917),
        (BERT, 82.0, 0.861, 0.851, 0.873),
    ]
    assert data.front == (HEAD, FAST)
    assert data.y_range[0] < 0.851 and data.y_range[1] > 0.93
    assert 10 ** data.x_range[0] < 41.5 < 8312.0 < 10 ** data.x_range[1]
    blind = replace(board, rows=(replace(board.rows[0], offline_rps=0.0), *board.rows[1:]))
    assert trade_off.values(blind, METRICS["offline_rps"]).left_out == (HEAD,)


def test_labels_keep_off_each_other():
    close = [("first/arm", 0.5, 0.5), ("second/arm", 0.5, 0.5), ("third/arm", 0.52, 0.5)]
    assert len(set(place_labels(close))) == 3
    assert "right" not in place_labels([("at/the/right/edge", 0.99, 0.5)])[0]


def test_styles_are_one_colour_per_arm_and_one_shape_per_family():
    looks = styles([study()])
    assert len({s.colour for s in looks.values()}) == 3
    assert [looks[a].symbol for a in (FAST, HEAD, BERT)] == ["circle", "diamond", "square"]
    many = study(arms=[Arm(f"m{i}/x", family="classic") for i in range(24)], trials=[], finals=[])
    looks = styles([many])
    assert len({(s.colour, s.open) for s in looks.values()}) == 24


def test_curves_are_capped_at_the_best_and_keep_some_pruned():
    complete = [trial(i, FAST, 0.5 + i / 1000) for i in range(100)]
    pruned = [trial(100 + i, FAST, 0.3 + i / 1000, state="PRUNED") for i in range(100)]
    data = curves.values(study(trials=complete + pruned, finals=[]))
    assert data.total == 200 and len(data.curves) == 30
    assert [c.trial for c in data.curves if c.best] == [99]
    assert sorted(c.trial for c in data.curves if not c.pruned) == list(range(80, 100))
    assert sorted(c.trial for c in data.curves if c.pruned) == list(range(190, 200))
    lone = curves.values(study(trials=[trial(0, FAST, 0.9, checkpoints=[Checkpoint(1, 0.9, 1)])]))
    assert lone.curves == ()


def test_losses_are_drawn_beside_the_scores_with_what_a_guess_costs():
    told = [Checkpoint(0.5, 0.5, 1, loss=0.9), Checkpoint(1.0, 0.9, 2, loss=0.3)]
    results = study(trials=[trial(0, FAST, 0.9, checkpoints=told), trial(1, HEAD, 0.8)], finals=[])
    found = list(curves.draw(StudyScene.of(results, EN)))
    assert [chart.name for chart in found] == ["curves", "losses"]
    losses = found[1]
    assert losses.title == (
        f"{FAST}'s best trial first does better at 100% of its budget than a guess that does not "
        "read"
    )
    assert [row[3:] for row in losses.rows] == [(0.5, 0.9, 100), (1.0, 0.3, 100)]
    assert {tuple(trace.y) for trace in losses.figure.data} == {(0.9, 0.3)}
    # Of 40 rows of one class and 60 of the other.
    least = -(0.4 * math.log(0.4) + 0.6 * math.log(0.6))
    assert losses.figure.layout.shapes[0].y0 == pytest.approx(least)
    # Where the objective is that loss, or no answer has one, there is one chart.
    for other in (replace(results, objective="log_loss"), study(finals=[])):
        assert [c.name for c in curves.draw(StudyScene.of(other, EN))] == ["curves"]


def test_history_thins_but_keeps_every_improvement():
    trials = [trial(i, FAST, 0.5 + (i // 500) / 100) for i in range(5000)]
    data = history.values(study(trials=trials, finals=[]), cap=200)
    assert data.total == 5000
    assert 150 <= len(data.points) <= 200
    assert [step[0] for step in data.best] == [*range(0, 5000, 500), 4999]
    assert {n for n, _ in data.best} <= {p.number for p in data.points}


def test_confusions_are_counted_and_shared():
    view = class_view("a/b", "test", 3, [[80, 20, 0], [5, 95, 0], [0, 0, 0]], [0.9])
    assert view.shares == ((0.8, 0.2, 0.0), (0.05, 0.95, 0.0), (None, None, None))
    assert [(c.true, c.predicted, c.count, c.share) for c in view.confusions] == [
        (0, 1, 20, 0.2),
        (1, 0, 5, 0.05),
    ]


def test_class_views_use_test_where_finals_exist_else_validation():
    base = study()
    views = class_views(base, leaderboard(base))
    assert {v.split for v in views} == {"test"}
    assert views[0].counts == ((80, 20), (5, 95))
    early = replace(base, finals=[])
    views = class_views(early, leaderboard(early))
    assert {v.split for v in views} == {"validation"}
    assert views[0].counts == ((8, 2), (3, 7))


def test_rows_without_an_answer_stand_in_a_column_of_their_own():
    """Nine of ten not answered is not "83 % right": shares are of all rows of a class."""
    view = class_view("a", "test", 0, [[5, 1], [0, 6]], [0.5, 0.5], unanswered=[54, 0])
    assert view.shares[0] == pytest.approx((5 / 60, 1 / 60)) and view.silence(0) == 0.9
    assert [(c.true, c.predicted, c.count) for c in view.confusions] == [(0, -1, 54), (0, 1, 1)]
    drawn = confusion.figure(view, ["no", "yes"], EN)
    assert list(drawn.data[0].x) == ["no", "yes", "no answer"]
    assert [list(row) for row in drawn.data[0].customdata] == [[5, 1, 54], [0, 6, 0]]
    silent = class_view("a", "test", 0, [[6, 0], [0, 6]], [1, 1], unanswered=[3, 0])
    assert confusion.finding(silent, ["no", "yes"], EN) == "3 rows of no were not answered (33.3%)"
    whole = class_view("a", "test", 0, [[6, 0], [0, 6]], [1, 1], unanswered=[0, 0])
    assert whole.unanswered == () and list(
        confusion.figure(whole, ["no", "yes"], EN).data[0].x) == ["no", "yes"]  # fmt: skip


def test_many_classes_draw_the_hardest_and_list_the_worst_confusion():
    results = many_classes()
    views = class_views(results, leaderboard(results))
    top = views[0].confusions[0]
    assert (top.true, top.predicted, top.count) == (7, 9, 19)
    classes = per_class.values(views)
    assert classes is not None
    assert (len(classes.classes), classes.drawn) == (150, 30)
    means = [sum(row) / len(row) for row in classes.scores]
    assert means == sorted(means)


def test_figures_hold_the_values_and_escape_names():
    results = study(labels=[HOSTILE, HOSTILE])
    board, looks = leaderboard(results), styles([results])
    data = trade_off.values(board, METRICS["train_seconds"], references(results).drawable)
    figure = trade_off.figure(data, looks, EN)
    assert figure.layout.xaxis.type == "log"
    assert list(figure.data[0].x) == [1.6, 125.0]
    drawn = {t.name: (t.x[0], t.y[0], t.marker.color) for t in figure.data[1:]}
    assert drawn[HEAD] == (125.0, 0.911, looks[HEAD].colour)
    assert [s.y0 for s in figure.layout.shapes] == [0.93]
    assert "paper-net 0.930" in figure.layout.annotations[0].text
    view = class_views(results, board)[0]
    matrix = confusion.figure(view, results.labels, EN)
    assert [list(row) for row in matrix.data[0].customdata] == [[80, 20], [5, 95]]
    assert len(set(matrix.data[0].x)) == 2, "equal names must not merge two classes"
    assert "<" not in "".join(matrix.data[0].x)
    assert matrix.data[0].texttemplate == "%{text}"
    wide = many_classes()
    view = class_views(wide, leaderboard(wide))[0]
    assert confusion.figure(view, wide.labels, EN).data[0].texttemplate is None
    steps = history.figure(history.values(results), looks, EN)
    assert list(steps.data[0].y) == [0.9, 0.92, 0.92]


def ran(number: int, arm: str, start: int, end: int, **more: Any) -> Trial:
    """A trial from second to second after noon."""
    noon = datetime(2026, 1, 2, 12)
    return trial(
        number,
        arm,
        more.pop("f1", 0.5),
        started=(noon + timedelta(seconds=start)).isoformat(),
        ended=(noon + timedelta(seconds=end)).isoformat() if end else "",
        **more,
    )


def test_timeline_has_workers_idle_time_and_what_is_left_out():
    results = study(
        trials=[
            ran(0, FAST, 0, 10, worker="a:1"),
            ran(1, HEAD, 5, 45, worker="b:2", state="PRUNED"),
            ran(2, FAST, 30, 40, worker="a:1", state="FAIL"),
            trial(3, FAST, 0.5, state="WAITING"),
        ]
    )
    found = timeline.values(results)
    assert found is not None
    assert [(b.trial, b.worker, b.start, b.end) for b in found.bars] == [
        (0, "a:1", 0, 10), (1, "b:2", 5, 45), (2, "a:1", 30, 40)
    ]  # fmt: skip
    assert (found.workers, found.seconds, found.total) == (("a:1", "b:2"), 45, 3)
    # a: 20 of 40 seconds, b: 40 of 40.
    assert found.idle_share == pytest.approx(1 - 60 / 80)
    kept = timeline.values(results, cap=1)
    assert kept is not None and [b.trial for b in kept.bars] == [1] and kept.total == 3
    assert timeline.values(study(trials=[])) is None


def test_costs_part_the_wall_clock_and_never_exceed_it():
    results = study(
        trials=[
            ran(0, FAST, 0, 10, seconds=4.0, evaluation_seconds=2.0),
            # What a cache saved is added to the clock: training may exceed the wall.
            ran(1, FAST, 10, 15, seconds=30.0, evaluation_seconds=1.0),
            ran(2, HEAD, 15, 115, seconds=60.0, evaluation_seconds=None),
        ]
    )
    head, fast = costs.values(results)
    assert (head.arm, head.training, head.scoring, head.other) == (HEAD, 60, 0, 40)
    assert (fast.arm, fast.trials, fast.training, fast.scoring, fast.other) == (FAST, 2, 9, 2, 4)
    assert fast.seconds == 15


def test_states_are_counted_for_each_arm_that_ran():
    found = {arm.arm: arm for arm in states.values(study())}
    assert found[HEAD].counts["PRUNED"] == 1 and found[HEAD].total == 2
    assert found[BERT].counts["FAIL"] == 1
    assert list(found) == [FAST, HEAD, BERT]


def test_parallel_axes_place_values_by_their_kind():
    rates = [1e-5, 1e-4, 1e-3, 1e-2]
    trials = [
        trial(
            i, HEAD, 0.5 + i / 10, params={"lr": rate, "layers": i, "kind": "ab"[i % 2], "same": 1}
        )
        for i, rate in enumerate(rates)
    ]
    trials.append(trial(4, HEAD, None, state="PRUNED", params={"lr": 1e-5, "layers": 3}))
    results = study(trials=trials, finals=[], importance={HEAD: {"layers": 0.9, "lr": 0.1}})
    (found,) = knobs(results, leaderboard(results))
    axes = {axis.parameter: axis for axis in found.axes}
    assert list(axes) == ["layers", "lr", "kind"], "the most important first, constants left out"
    assert (axes["lr"].kind, axes["layers"].kind, axes["kind"].kind) == ("log", "linear", "choice")
    assert axes["lr"].places == pytest.approx((0, 1 / 3, 2 / 3, 1, 0))
    assert axes["layers"].places == pytest.approx((0, 1 / 3, 2 / 3, 1, 1))
    assert axes["kind"].places == (0, 1, 0, 1, None)
    assert axes["lr"].ticks[0][0] == 0 and axes["lr"].ticks[-1] == (1, "0.01")
    assert (found.best, found.total, found.pruned) == (3, 5, (False,) * 4 + (True,))
    capped = knobs(results, leaderboard(results), cap=2)[0]
    assert len(capped.trials) == 2 and 3 in capped.trials and capped.total == 5


def test_bubbles_grow_with_memory_and_axes_are_logarithmic_where_it_helps():
    board = leaderboard(study())
    wide = trade_off.values(board, METRICS["offline_rps"])
    assert wide.log and [p.memory for p in wide.points if p.arm == FAST] == [100 * 2**20]
    base = study()
    near = [replace(f, rps=speed(100.0 + i)) for i, f in enumerate(base.finals)]
    memory = {0: 400, 1: 100, 2: None}
    trials = [replace(t, peak_memory_bytes=memory.get(t.number)) for t in base.trials]
    found = trade_off.values(
        leaderboard(replace(base, finals=near, trials=trials)), METRICS["offline_rps"]
    )
    assert not found.log
    sizes = {p.arm: p.size for p in found.points}
    largest = trade_off.BUBBLES[1]
    assert sizes == {FAST: largest, HEAD: largest / 2, BERT: trade_off.BUBBLES[0]}


def test_each_chart_states_what_it_shows():
    results = study()
    board = leaderboard(results)
    titles = {chart.name: chart.title for chart in study_charts(results, EN)}
    assert titles["trade-off-rps"] == (
        "tfidf/classic serves 200× as many texts as toy-qwen/linear_head, for 0.0060 less macro-F1"
    )
    assert titles["trade-off-time"] == (
        "toy-qwen/linear_head takes 78× the training time of tfidf/classic, for 0.0060 more "
        "macro-F1"
    )
    assert titles["curves"] == (
        "toy-qwen/linear_head's best trial still gained 0.4200 in the last part of its budget: "
        "more may help"
    )
    assert titles["history"] == (
        "Of the trials that ran to the end, trial 1 (toy-qwen/linear_head) scored best on "
        "validation, 0.9200; 3 trials finished after it"
    )
    assert titles["importance"] == (
        "In toy-qwen/linear_head, learning_rate explains 80% of the differences between trials"
    )
    assert titles["confusion-0"] == (
        "World is most often taken for Sports: 20 rows, 20.0% of its class"
    )
    assert titles["states"] == "Of 6 trials 4 ran to the end, 1 failed, and pruning stopped 1"
    best = trade_off.values(board, METRICS["train_seconds"])
    only = replace(best, points=best.points[:1])
    assert trade_off.finding(only, EN) == "Only toy-qwen/linear_head has both figures"
    for chart in study_charts(results, ZH):
        assert re.search("[一-龥]", chart.title + chart.about), chart.name
        assert all(len(row) == len(chart.columns) for row in chart.rows), chart.name


def test_colours_stand_out_on_white_and_on_black():
    dark = re.search(r'data-theme="dark"\] \{.*?--card: (#\w+)', css(), flags=re.S)
    assert dark is not None
    for colour in PALETTE:
        assert contrast(colour, "#ffffff") >= 3, colour
        assert contrast(colour, dark.group(1)) >= 3, colour


@pytest.mark.parametrize("scheme", [":root {", ':root[data-theme="dark"] {'])
def test_text_is_readable_in_both_schemes(scheme: str):
    block = css()[css().index(scheme) :].split("}")[0]
    value = dict(re.findall(r"--([\w-]+): (#\w{6})", block))
    pairs = [("ink", "paper"), ("ink", "card"), ("muted", "paper"), ("muted", "card"),
             ("muted", "soft"), ("accent", "card"), ("accent", "paper"), ("warn-ink", "warn"),
             ("bad-ink", "bad"), ("good-ink", "good")]  # fmt: skip
    for ink, paper in pairs:
        assert contrast(value[ink], value[paper]) >= 4.5, (ink, paper)


def css() -> str:
    return (TEMPLATES / "page.css").read_text(encoding="utf-8")


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


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
    assert [p.name for p in paths] == ["toy.html", "index-2.html", "across.html", "index.html"]
    index = paths[-1].read_text(encoding="utf-8")
    for href in ("toy.html", "index-2.html", "across.html"):
        assert f'href="{href}"' in index
    html5lib.HTMLParser(strict=True).parse(index)
    assert "选用 " in index and HOSTILE not in index
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
    assert StudyResults.from_json(value) == replace(results, verdict=standing(results).verdict)
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
from suite.contracts.results import StudyResults
print("fluent" in sys.modules)
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
    assert done.stdout.splitlines() == ["False", "[]", "['jinja2', 'plotly']"]


def test_an_interval_is_that_of_the_score_it_stands_beside():
    finals = [
        replace(f, test=replace(f.test, objective=Objective("mcc", mcc), others={"mcc": mcc},
                                objective_interval=(mcc - 0.02, mcc + 0.02)))
        for f, mcc in zip(study().finals, (0.6, 0.7, 0.5), strict=True)
    ]  # fmt: skip
    results = study(objective="mcc", finals=finals)
    assert "0.7000 (95 % interval 0.6800–0.7200)" in told(results).text
    assert "| 0.7000 | 0.6800–0.7200 |" in to_markdown(results, EN)


def test_few_rows_a_class_are_told_to_make_intervals_too_narrow():
    base = study(finals=[replace(f, seed_scores=[f.test.macro_f1], deterministic=True)
                         for f in study().finals])  # fmt: skip
    splits = base.data.audit.splits
    few = replace(base.data.audit, splits=splits | {"test": replace(
        splits["test"], class_counts=[1, 2, 40])})  # fmt: skip
    line = "The rows of test for each class, in the harmonic mean, are 1.97: for fewer than 3 the"
    assert line in told(replace(base, data=replace(base.data, audit=few))).text
    assert "harmonic" not in told(base).text


def test_metrics_and_classes_show_their_own_intervals_and_no_verdict(tmp_path: Path):
    """Of accuracy and of each class, on the page, in its charts and in the files."""
    results = study()
    write_reports([results], tmp_path, ["html", "csv", "json"], "en")
    page = (tmp_path / "toy.html").read_text(encoding="utf-8")
    table = page[page.index('id="every-metric"') :]
    table = table[: table.index("</table>")]
    assert "0.9110" in table and "0.8987–0.9221" in table and " p " not in table
    classes = page[page.index('<section id="classes">') :]
    assert "0.8910–0.9320" in classes and "precision 0.9410 (0.9200–0.9600); recall –" in classes
    board = list(csv.DictReader((tmp_path / "toy-leaderboard.csv").read_text().splitlines()))
    assert [round(float(board[0][f"test_accuracy_{end}"]), 4) for end in ("low", "high")] == [
        0.8987,
        0.9221,
    ]
    told = json.loads((tmp_path / "toy.json").read_text(encoding="utf-8"))
    assert told["finals"][0]["test"]["per_class"][0]["f1"].keys() == {"value", "low", "high"}
    scene = StudyScene.of(results, EN)
    chart = next(c for c in per_class.draw(scene))
    hover = chart.figure.data[0].customdata[0]
    assert hover[1] == " (0.8910–0.9320)" and hover[2].startswith("<br>precision 0.9410")
    old = replace(
        results,
        finals=[
            replace(f, test=replace(f.test, intervals={}, per_class=[])) for f in results.finals
        ],
    )
    assert 'id="every-metric"' not in render_page(old, EN)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_axes_and_heads_name_the_objective(language: str):
    """No page, chart or file of a study that goes by another score calls it macro-F1."""
    base = study()

    def named(scores: Any) -> Any:
        return scores and replace(scores, objective=Objective("mcc", scores.macro_f1))

    results = replace(
        base,
        objective="mcc",
        references=[],
        trials=[replace(t, validation=named(t.validation)) for t in base.trials],
        finals=[
            replace(f, test=replace(named(f.test), objective_interval=f.test.macro_f1_interval))
            for f in base.finals
        ],
    )
    words = words_of(language)
    page = re.sub(r"<(script|style|dl class=\"glossary).*?</(script|style|dl)>", "",
                  render_page(results, words), flags=re.S)  # fmt: skip
    other, own = ("macro-F1", "Matthews") if language == "en" else ("宏平均 F1", "马修斯相关系数")
    said = [line for line in page.splitlines() if other in line or other.capitalize() in line]
    # Its own column, and the table of every metric, are of macro-F1.
    assert all("data-tier" in line or "aria-sort" in line or "<dt>" in line for line in said), said
    assert page.count(own) > 12
    charts = study_charts(results, words)
    assert not [c.name for c in charts if other in f"{c.title}{c.about}".replace("Macro", "macro")]
    assert f"{words('difference')}" not in to_markdown(results, words)
    assert own in told(results, language).text


def test_rows_without_an_answer_stand_beside_the_score_wherever_it_is_shown(tmp_path: Path):
    """54 of 200 test rows: on the page, in Markdown, CSV and the terminal's table."""
    base = study()
    silent = replace(base.finals[0].test, confusion=[[45, 1], [5, 95]], unanswered=[54, 0])
    results = replace(base, finals=[replace(base.finals[0], test=silent), *base.finals[1:]])
    arm = base.finals[0].arm
    row = leaderboard(results).row(arm)
    assert row is not None and row.unanswered == 0.27
    assert "(27.0% unanswered" in to_markdown(results, EN)
    assert "27.0% 未作答" in to_markdown(results, ZH)
    assert "unanswered" not in to_markdown(base, EN)
    rows = csv.DictReader(leaderboard_csv(leaderboard(results)).splitlines())
    assert {row["arm"]: row["unanswered"] for row in rows if row["unanswered"]} == {arm: "0.27"}
    assert "27.0% unanswered" in render_page(results, EN)
    table = leaderboard_table(results)
    notes = dict(zip(table.columns[1].cells, table.columns[-1].cells, strict=True))
    assert [name for name, note in notes.items() if "27.0% unanswered" in str(note)] == [arm]
