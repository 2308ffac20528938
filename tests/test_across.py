"""Several studies together: averages, contests and changes by hand; pages that stand anything."""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import html5lib
import pytest
from conftest import PATIENCE, effort
from report_studies import EN, HOSTILE, ZH, in_rounds, speed, trial

from suite.contracts.predictions import TestPredictions
from suite.contracts.results import (
    Arm,
    Comparison,
    Final,
    Objective,
    StudyResults,
    TestScores,
)
from suite.contracts.rowfacts import Audit, DataFacts, Rows, SplitAudit
from suite.report import formats
from suite.report.charts import across_costs
from suite.report.data.across import Across, across, across_adapter, task_ranks
from suite.report.data.side_by_side import ALL_PAIRS, side_by_side
from suite.report.pages.across_answer import across_answer, refusals
from suite.report.pages.across_export import across_csv, across_files
from suite.report.pages.across_page import across_tiles, render_across
from suite.report.pages.images import across_charts
from suite.report.words import LANGUAGES, Words, words_of

A, B, C, Z = "tfidf/classic", "toy-bert/linear_head", "toy-qwen/probe", "toy-qwen/zero_shot"
BOX = {"cpu": {"model": "Toy CPU", "usable": 4.0}, "versions": {"torch": "2.11.0"}}


def study_of(
    task: str,
    scores: Mapping[str, float],
    *,
    level: tuple[tuple[str, str], ...] = (),
    seconds: Mapping[str, float] | None = None,
    rps: Mapping[str, float] | None = None,
    **changes: Any,
) -> StudyResults:
    """A study whose arms have these test scores; pairs in `level` could be chance, others not."""
    levels = {frozenset(pair) for pair in level}
    arms = sorted(scores, key=lambda arm: -scores[arm])
    pairs = list(itertools.combinations(arms, 2))
    ranks = {
        arm: 1 + sum(b == arm and frozenset((a, b)) not in levels for a, b in pairs) for arm in arms
    }
    finals = [
        Final(
            arm=arm,
            trial=i,
            seeds=1,
            stale=False,
            rank=ranks[arm],
            test=TestScores(f1, f1, (round(f1 - 0.0196, 6), round(f1 + 0.0196, 6))),
            train_seconds=(seconds or {}).get(arm, 10.0),
            rps=in_rounds((rps or {}).get(arm, 100.0)),
        )
        for i, (arm, f1) in enumerate(scores.items())
    ]
    plain: dict[str, Any] = {
        "study": task,
        "task": task,
        "title": task.capitalize(),
        "data": DataFacts(f"folder {task}", f"print-{task}", Rows(1000, 100, 200)),
        "environment": BOX,
        "arms": [Arm(arm, trials=1, family="classic" if arm == A else "encoder") for arm in scores],
        "trials": [trial(i, arm, f1 - 0.01) for i, (arm, f1) in enumerate(scores.items())],
        "test_openings": 1,
        "finals": finals,
        "comparisons": [
            Comparison(a, b, scores[a] - scores[b], (0.0, 0.1),
                       0.5 if frozenset((a, b)) in levels else 0.001)
            for a, b in pairs
        ],
        "labels": ["no", "yes"],
        "recipe": "quick",
        "created": "2026-01-02T03:04:05",
        "budget": {"epochs": 2.0},
    }  # fmt: skip
    return StudyResults(**(plain | changes))


def three() -> list[StudyResults]:
    """Three tasks; C is refused on the second. A and B meet on all, C on two."""
    second = study_of("two", {A: 0.70, B: 0.75})
    second = replace(
        second, arms=[*second.arms, Arm(C, refused="no weights reachable", family="decoder")]
    )
    return [
        study_of("one", {A: 0.80, B: 0.84, C: 0.90}, level=((A, B),),
               seconds={A: 1.0, B: 100.0, C: 50.0}, rps={A: 1000.0, B: 10.0, C: 20.0}),
        replace(second, finals=[
            replace(f, train_seconds=2.0, rps=in_rounds(500.0)) if f.arm == A
            else replace(f, train_seconds=50.0, rps=in_rounds(20.0))
            for f in second.finals
        ]),
        study_of("three", {A: 0.60, B: 0.58, C: 0.65}, seconds={A: 4.0, B: 400.0, C: 40.0},
               rps={A: 800.0, B: 8.0, C: 80.0}),
    ]  # fmt: skip


def five() -> list[StudyResults]:
    """The three, and two more tasks on which B is above A."""
    return [*three(), *(study_of(f"more-{i}", {A: 0.7, B: 0.8}) for i in range(2))]


def answered(
    results: StudyResults, wrong: Mapping[str, range], labels: list[int] | None = None
) -> StudyResults:
    """The study with predictions that miss these rows, and its scores as they follow."""
    truth = labels or [i % 2 for i in range(1000)]
    arms = {
        arm: [[1 - y if i in rows else y for i, y in enumerate(truth)]]
        for arm, rows in wrong.items()
    }
    finals = [
        replace(f, test=replace(f.test, macro_f1=1 - len(wrong[f.arm]) / len(truth)))
        if f.arm in wrong
        else f
        for f in results.finals
    ]
    return replace(results, finals=finals, predictions=TestPredictions(truth, arms))


def renamed(results: StudyResults, study: str, **changes: Any) -> StudyResults:
    return replace(results, study=study, **{"created": f"2026-02-{study[-2:]}", **changes})


def page_of(studies: list[StudyResults], words: Words = EN) -> str:
    return render_across(studies, [f"{i}.html" for i in range(len(studies))], words)


# --- averages and contests -----------------------------------------------------------------------


def test_averages_are_over_arms_common_to_all_tasks():
    data = across(three())
    assert data.common == (B, A)
    # By score among A and B: B first, first, second; A second, second, first.
    assert task_ranks(data) == {B: (1.0, 1.0, 2.0), A: (2.0, 2.0, 1.0)}
    assert data.over_tasks is None and not data.ranked, "three tasks rank nobody"
    data = across(five())
    ranks = {arm.arm: arm.average_rank for arm in data.arms}
    assert ranks[B] == pytest.approx(6 / 5) and ranks[A] == pytest.approx(9 / 5)
    assert ranks[C] is None
    assert [arm.arm for arm in data.arms] == [B, A, C]
    low, high = data.arm(B).rank_interval
    assert (low, data.arm(B).win_rate) == (1.0, pytest.approx(0.8)) and 1.2 < high < 2.0


def test_contests_are_won_lost_or_could_be_chance():
    data = across(three())
    counts = {arm.arm: (arm.won, arm.level, arm.lost) for arm in data.arms}
    # one: C beats both, A and B level. two: B beats A. three: C beats both, A beats B.
    assert counts == {A: (1, 1, 3), B: (1, 1, 3), C: (4, 0, 0)}
    assert data.arm(C).share("won") == 1.0
    assert data.arm(A).contests == 5
    assert [(d.against, d.won, d.level, d.lost) for d in data.duels] == [
        (C, 0, 0, 2),
        (A, 1, 1, 1),
    ]
    assert {arm.arm: arm.first for arm in data.arms} == {A: 0, B: 1, C: 2}


def test_gaps_and_costs_are_relative_to_the_best_and_to_one_arm():
    data = across(three())
    assert data.reference == B and data.same_machine
    a = data.arm(A)
    assert a.mean_gap == pytest.approx(-(0.10 + 0.05 + 0.05) / 3)
    assert [cell.training for cell in a.cells] == pytest.approx([0.01, 0.04, 0.01])
    assert a.training == pytest.approx((0.01 * 0.04 * 0.01) ** (1 / 3))
    assert a.speed == pytest.approx((100 * 25 * 100) ** (1 / 3))
    assert data.arm(C).training is None, "C has no figure on one task"
    assert [p.y for p in across_costs.values(data, "speed")[2].points] == [0.0, 0.0]


def test_the_matrix_says_who_was_refused_where():
    data = across(three())
    assert [cell.state for cell in data.arm(C).cells] == ["scored", "refused", "scored"]
    assert [(a, c.study, cell.reason) for a, c, cell in refusals(data)] == [
        (C, "two", "no weights reachable")
    ]
    first = data.arm(B).cells[0]
    assert (first.score, first.low, first.high) == (0.84, 0.8204, 0.8596)
    assert (first.rank, first.shared, data.arm(C).cells[0].shared) == (2, True, False)


def test_friedman_needs_five_tasks_and_three_arms():
    same = {A: 0.6, B: 0.7, C: 0.8}
    four = across([study_of(f"t{i}", same) for i in range(4)])
    told = across_answer(four, EN)
    assert four.over_tasks is None and told.verdict == (
        "4 tasks are too few to rank arms over tasks, which takes 5: each task has its own "
        "verdicts below."
    )
    assert "start with" not in told.text and across_tiles(four) == []
    page = page_of([study_of(f"t{i}", same) for i in range(4)])
    assert "Average rank" not in page and "Win rate" not in page
    five = across([study_of(f"t{i}", same) for i in range(5)])
    assert five.over_tasks is not None
    # Every task orders them alike: χ² = 12·5/(3·4)·(1+4+9−12) = 10; CD = 2.343·√(12/30).
    assert five.over_tasks.statistic == pytest.approx(10.0)
    assert five.over_tasks.critical_difference == pytest.approx(1.482, abs=1e-3)
    text = across_answer(five, EN).text
    assert "could be chance: 1.00 ranks, where it takes 1.48" in text
    assert f"Within that: {B}" in text
    two = across([study_of(f"t{i}", {A: 0.6, B: 0.7}) for i in range(6)])
    assert two.over_tasks is None and "Two arms are too few" in across_answer(two, EN).text


def test_arms_without_a_difference_over_tasks_are_said_to_be_chance():
    orders = list(itertools.permutations((0.6, 0.7, 0.8)))
    data = across([study_of(f"t{i}", dict(zip((A, B, C), s, strict=True)))
                   for i, s in enumerate(orders)])  # fmt: skip
    assert {arm.average_rank for arm in data.arms} == {2.0}
    text = across_answer(data, EN).text
    assert "share the best average rank over 6 tasks, 2.00 of 3" in text
    assert "could all differ by chance (Friedman, p > .99)" in text


def test_costs_are_not_averaged_over_machines():
    studies = three()
    studies[1] = replace(studies[1], environment={"cpu": {"model": "Other"}})
    data = across(studies)
    assert not data.same_machine
    assert all(arm.speed is None and arm.training is None for arm in data.arms)
    assert data.arm(A).cells[0].speed == pytest.approx(100.0), "within a study it is compared"
    assert across_answer(data, EN).caveats[0].startswith("The studies ran on different machines")
    studies[1] = replace(studies[1], environment={})
    assert "Not every study tells its machine" in across_answer(across(studies), EN).text


# --- what stands, and what is counted ------------------------------------------------------------


def test_a_task_counts_once_and_the_latest_tested_study_stands_for_it():
    base = study_of("one", {A: 0.8, B: 0.7})
    older = renamed(base, "one-01")
    newer = renamed(base, "one-03", finals=[], comparisons=[])
    middle = renamed(base, "one-02")
    data = across([older, newer, middle, study_of("two", {A: 0.8, B: 0.7})])
    assert [c.study for c in data.standing] == ["one-02", "two"]
    assert [c.study for c in data.counted] == ["one-02", "two"]
    assert data.arm(A).tasks == 2
    assert [(p.before, p.after) for p in data.pairs] == [
        ("one-01", "one-02"), ("one-01", "one-03"), ("one-02", "one-03"),
    ]  # fmt: skip


def test_the_sample_and_unopened_tests_are_shown_but_not_averaged():
    fake = study_of("fake", {A: 0.99, B: 0.5})
    fake = replace(fake, data=replace(fake.data, sample=True))
    closed = replace(study_of("closed", {A: 0.9, B: 0.95}), finals=[], comparisons=[])
    stale = study_of("stale", {A: 0.8, B: 0.7})
    stale = replace(stale, finals=[replace(f, stale=True) for f in stale.finals])
    data = across([fake, closed, stale, study_of("good", {A: 0.8, B: 0.7})])
    assert [c.study for c in data.counted] == ["stale", "good"]
    assert data.arm(A).tasks == 2 and data.arm(A).mean_gap == 0.0
    assert data.arm(A).cells[1].score == pytest.approx(0.89), "its validation score is shown"
    told = across_answer(data, EN)
    assert told.caveats == (
        "fake: the bundled sample, shown but in no average.",
        "closed: scored on validation only, the test split is unopened; shown but in no average.",
        "stale: searched on after the finals, so the test scores are stale.",
    )
    only = across([fake, replace(fake, study="f2", task="f2")])
    assert len(only.counted) == 2
    assert across_answer(only, EN).caveats[0].startswith("These are bundled samples")


# --- the answer ----------------------------------------------------------------------------------


def test_the_answer_names_the_rival_that_some_task_lacks():
    told = across_answer(across(five()), EN)
    assert told.verdict == (
        f"Over 5 tasks {B} is best on average: rank 1.20 among the 2 arms tested on all of them; "
        f"next is {A} with 1.80. But {C}, not tested on every task, beats it by more than chance "
        "on 2 of the 2 where both were."
    )
    assert f"start with {C}, and with {B} where that cannot run." in told.text
    assert "only a zero_shot arm could answer, and none was tested here" in told.text


def test_the_answer_offers_a_cheaper_arm_that_was_never_worse():
    studies = [
        study_of(f"t{i}", {A: 0.80, B: 0.81, Z: 0.5}, level=((A, B),),
               seconds={A: 1.0, B: 100.0, Z: 0.0}) for i in range(5)
    ]  # fmt: skip
    text = across_answer(across(studies), EN).text
    assert f"start with {B}; {A} was never worse than it by more than chance" in text
    assert "takes 1/100 of its training time" in text
    assert f"the best here is {Z}, 0.3100 below each task's best on average (5 of 5 tasks)" in text


def test_the_answer_with_nothing_one_or_no_common_arm():
    nothing = replace(study_of("one", {A: 0.8}), finals=[], trials=[], comparisons=[])
    refused = replace(nothing, arms=[Arm(A, refused="no", family="classic"), Arm(B, refused=None)])
    for studies in ([nothing], [refused, replace(refused, task="two", study="two")]):
        told = across_answer(across(studies), EN)
        assert told.verdict == "No study has test scores, so nothing can be said across tasks yet."
        assert "no result yet" in told.caveats[0]
    one = across_answer(across([study_of("one", {A: 0.8, B: 0.9})]), EN)
    assert one.verdict == (
        "Only one has test scores that count, so there is no average over tasks. The best there "
        f"is {B}, macro-F1 0.9000."
    )
    apart = across([study_of("one", {A: 0.8, B: 0.9}), study_of("two", {C: 0.8})])
    assert apart.common == () and apart.reference is None
    assert "No arm was tested on all 2 tasks" in across_answer(apart, EN).verdict
    # Without a common arm the study's median has a cost of 1.
    assert apart.arm(A).cells[0].training == 1.0
    single = across([study_of("one", {A: 0.8, B: 0.9}), study_of("two", {A: 0.8})])
    assert f"{A} is the only arm tested on all 2 tasks" in across_answer(single, EN).verdict


@pytest.mark.parametrize("language", LANGUAGES)
def test_tiles_and_answers_in_both_languages(language: str):
    data = across(five())
    assert [(t.arm.arm, t.roles) for t in across_tiles(data)] == [
        (B, ("average",)), (C, ("winner",)), (A, ("quick", "frugal")),
    ]  # fmt: skip
    text = across_answer(data, words_of(language)).text
    assert ("Over 5 tasks" in text) == (language == "en")
    assert across_tiles(across(three()[:1])) == []


# --- two studies of one task ---------------------------------------------------------------------


def test_the_same_rows_are_compared_in_pairs():
    base = study_of("one", {A: 0.9, B: 0.8, C: 0.7})
    before = answered(renamed(base, "one-01"), {A: range(100), B: range(110), C: range(50)})
    after = answered(
        renamed(base, "one-02", recipe="long", budget={"epochs": 4.0}),
        {A: range(100), B: range(80), C: range(90)},
    )
    pair = side_by_side(before, after)
    assert pair.why_unpaired == "" and pair.basis == "test"
    found = {c.arm: (round(c.difference, 3), c.method, c.verdict) for c in pair.arms}
    assert found == {
        A: (0.0, "paired", "chance"),
        B: (0.03, "paired", "better"),
        C: (-0.04, "paired", "worse"),
    }
    by_arm = {c.arm: c for c in pair.arms}
    assert by_arm[A].p == 1.0 and by_arm[B].p < 0.01 and by_arm[C].p < 0.01
    assert by_arm[B].low < 0.03 < by_arm[B].high
    assert [(c.fact, c.detail, c.before, c.after) for c in pair.changed] == [
        ("recipe", "", "quick", "long"), ("budget", "epochs", "2", "4"),
    ]  # fmt: skip
    assert {"source", "fingerprint", "machine", "versions", "arms"} <= set(pair.unchanged)
    assert across_answer(across([before, after]), EN).notes == (
        "Between them differ: recipe and budget.",
    )
    assert "one, from one-01 to one-02: toy-bert/linear_head better by more than chance" in (
        across_answer(across([after, before]), EN).verdict
    )


def test_without_predictions_intervals_decide_and_p_is_adjusted():
    before = renamed(study_of("one", {A: 0.80, B: 0.80}), "one-01")
    after = renamed(study_of("one", {A: 0.84, B: 0.83}), "one-02")
    pair = side_by_side(before, after)
    assert pair.why_unpaired == "no_predictions"
    a, b = pair.arms[0], pair.arms[1]
    assert (a.arm, a.method, b.method) == (A, "unpaired", "unpaired")
    # z = .04/.01414 = 2.828 and .03/.01414 = 2.121: p .00468 and .0339; Holm doubles the first.
    assert a.p == pytest.approx(0.00936, abs=1e-4) and a.verdict == "better"
    assert b.p == pytest.approx(0.0339, abs=2e-4) and b.verdict == "better"
    smaller = side_by_side(before, renamed(study_of("one", {A: 0.81, B: 0.83}), "one-02"))
    # Now B's .0339 is doubled: .068.
    assert {c.arm: c.verdict for c in smaller.arms} == {A: "chance", B: "chance"}


def test_other_rows_are_never_paired():
    base = answered(study_of("one", {A: 0.9}), {A: range(100)})
    other = [1 - i % 2 for i in range(1000)]
    assert side_by_side(base, base).why_unpaired == ""
    shuffled = answered(base, {A: range(100)}, other)
    assert side_by_side(base, shuffled).why_unpaired == "rows_differ"
    named = replace(base, labels=["yes", "no"])
    assert side_by_side(base, named).why_unpaired == "rows_differ"
    fake = replace(base, data=replace(base.data, sample=True))
    assert side_by_side(base, fake).why_unpaired == "sample"
    # Another train, the same test: lengths may tell that the test differs after all.
    train = replace(base, data=replace(base.data, fingerprint="other"))
    assert side_by_side(base, train).why_unpaired == ""

    def audited(results: StudyResults, longest: int) -> StudyResults:
        split = SplitAudit(1000, 0, 0, 0, 0, [500, 500], 50.0, 40, 90, longest)
        return replace(results, data=replace(results.data, audit=Audit({"test": split}, 0, 0, 0)))

    assert side_by_side(audited(base, 300), audited(train, 300)).why_unpaired == ""
    assert side_by_side(audited(base, 300), audited(train, 301)).why_unpaired == "rows_differ"


def test_arms_in_one_only_and_unopened_tests_make_no_claim():
    before = renamed(study_of("one", {A: 0.8, B: 0.7}), "one-01")
    after = renamed(
        study_of("one", {A: 0.9, C: 0.6}), "one-02", finals=[], comparisons=[],
        environment={"cpu": "other", "versions": {"torch": "2.12.0"}},
    )  # fmt: skip
    pair = side_by_side(before, after)
    assert (pair.only_before, pair.only_after, pair.basis) == ((B,), (C,), "validation")
    assert [(c.arm, c.verdict, c.p, c.training) for c in pair.arms] == [(A, "unknown", None, None)]
    changed = {(c.fact, c.detail): (c.before, c.after) for c in pair.changed}
    assert changed["versions", "torch"] == ("2.11.0", "2.12.0")
    assert changed["machine", ""] == ("Toy CPU × 4", "other")
    assert changed["arms", B] == ("yes", "") and changed["arms", C] == ("", "yes")
    same = side_by_side(before, renamed(before, "one-02"))
    assert same.same_machine and same.arms[0].training == 1.0


def test_many_studies_of_one_task_meet_the_latest():
    base = study_of("one", {A: 0.8, B: 0.7})
    twelve = [renamed(base, f"one-{i:02}") for i in range(1, 13)]
    data = across(twelve)
    assert len(data.pairs) == 11 and data.pairs_left_out == 66 - 11
    assert {pair.after for pair in data.pairs} == {"one-12"}
    assert data.pairs[0].before == "one-11"
    assert len(across(twelve[:ALL_PAIRS]).pairs) == 3
    assert len(data.standing) == 1 and data.standing[0].study == "one-12"


# --- files ---------------------------------------------------------------------------------------


def test_files_hold_the_same_numbers_and_read_back():
    studies = [*three(), renamed(study_of("one", {A: 0.9, B: 0.5}), "one-09")]
    files = dict(across_files(studies, EN, ["md", "csv", "json", "html"]))
    assert list(files) == ["across.json", "across.csv", "across.md"]
    data = across(studies)
    assert across_adapter().validate_json(files["across.json"]) == data
    assert json.loads(files["across.json"])["schema_version"] == 1
    rows = list(csv.DictReader(io.StringIO(files["across.csv"])))
    assert len(rows) == len(data.arms) * len(data.standing)
    row = next(r for r in rows if (r["arm"], r["study"]) == (A, "two"))
    assert (row["macro_f1"], row["rank"], row["counted"]) == ("0.7", "2", "true")
    assert "## one: one → one-09" in files["across.md"]
    assert "0.7000 (0.6804–0.7196) #2" in files["across.md"]
    assert "across.csv" not in dict(across_files(studies, ZH, ["md"]))


def test_a_column_called_macro_f1_holds_no_other_score():
    studies = [study_of("one", {A: 0.9, B: 0.8}), study_of("two", {A: 0.9}, objective="accuracy")]
    rows = list(csv.DictReader(io.StringIO(across_csv(across(studies)))))
    found = {(row["task"], row["arm"]): row for row in rows}
    one, two = found["one", A], found["two", A]
    assert (one["objective"], two["objective"]) == ("macro_f1", "accuracy")
    assert float(one["macro_f1"]) == float(one["score"]) == 0.9
    assert two["macro_f1"] == two["macro_f1_low"] == two["macro_f1_high"] == ""
    assert two["score"]


def test_names_do_not_turn_the_sentence_around_them():
    assert formats.name("a \u202e b\n c") == "a b c"
    assert formats.name("\u202eעברית") == "\u2068עברית\u2069"
    assert formats.name("x" * 100, 10) == "xxxxxxxxx…"
    assert "\u202e" not in across_answer(across(monstrous()), EN).text


def test_hostile_names_stay_text_in_every_format():
    evil = monstrous()
    files = dict(across_files(evil, EN, ["md", "csv", "json"]))
    assert "<img" not in files["across.md"] and "<script" not in files["across.md"]
    assert all(len(row) == len(next(csv.reader(io.StringIO(files["across.csv"]))))
               for row in csv.reader(io.StringIO(across_csv(across(evil)))))  # fmt: skip
    assert json.loads(files["across.json"])["columns"][0]["study"] == HOSTILE


# --- the page ------------------------------------------------------------------------------------


def monstrous() -> list[StudyResults]:
    """Two studies of one task and one of another; names are markup, bidirectional, very long."""
    long = "A" * 10_000
    arms = {f"x/{HOSTILE}": 0.9, "\u202eעברית/🙂 <b>\"'&": 0.8, f"{long}/probe": 0.7}
    base = study_of(HOSTILE, arms, title=HOSTILE, labels=[long, HOSTILE])
    gone = [Arm("r/x", refused=HOSTILE, family=HOSTILE), Arm("t/x", retired=long)]
    first = replace(base, arms=[*base.arms, *gone], environment={"cpu": HOSTILE},
                    data=replace(base.data, source=HOSTILE, fingerprint=HOSTILE))  # fmt: skip
    return [
        first,
        replace(base, study=f"{long}-2", recipe=HOSTILE, budget={HOSTILE: long}, created="2027"),
        replace(base, study=long, task=long, title=long),
    ]


def dozen() -> list[StudyResults]:
    """Twelve tasks of thirty arms."""
    dice = random.Random(0)
    arms = [f"model-{i}/probe" for i in range(30)]
    return [
        study_of(f"task-{t}", {arm: round(0.6 + 0.01 * i + dice.uniform(-0.05, 0.05), 4)
                             for i, arm in enumerate(arms)})
        for t in range(12)
    ]  # fmt: skip


def all_refused() -> list[StudyResults]:
    base = replace(study_of("one", {A: 0.5}), finals=[], trials=[], comparisons=[],
                   arms=[Arm(A, refused="no weights"), Arm(B, refused="no GPU")])  # fmt: skip
    return [base, replace(base, study="two", task="two")]


def paired() -> list[StudyResults]:
    base = study_of("one", {A: 0.9, B: 0.8})
    return [
        answered(renamed(base, "one-01"), {A: range(100), B: range(110)}),
        answered(renamed(base, "one-02", recipe="long"), {A: range(60), B: range(110)}),
    ]


STUDIES: dict[str, Any] = {
    "one": lambda: three()[:1],
    "two": lambda: three()[:2],
    "three": three,
    "pair": paired,
    "refused": all_refused,
    "monstrous": monstrous,
    "dozen": dozen,
}


@cache
def rendered(kind: str, language: str = "en") -> str:
    """The page of such studies, drawn once for all tests that read it."""
    return page_of(STUDIES[kind](), words_of(language))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", STUDIES)
def test_every_page_is_valid_html(kind: str, language: str):
    page = rendered(kind, language)
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for link in tree.iter("a"):
        target = link.get("href", "")
        assert not target.startswith("#") or target[1:] in ids, target
    levels = [int(e.tag[1]) for e in tree.iter() if re.fullmatch(r"h[1-6]", str(e.tag))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), levels
    for table in tree.iter("table"):
        assert all(th.get("scope") for th in table.iter("th"))
        widths = {sum(int(c.get("colspan", 1)) for c in row if c.tag in ("th", "td"))
                  for row in table.iter("tr")}  # fmt: skip
        assert len(widths) == 1
    assert "<img" not in page


def test_the_page_reads_without_script_and_links_every_study():
    page = re.sub(r"<script[^>]*>.*?</script>", "", rendered("three"), flags=re.S)
    for text in ("0.8400", "0.8204–0.8596", "#2=", "no weights reachable", 'href="2.html"'):
        assert text in page
    assert "The same in both" not in page
    zh = rendered("pair", "zh")
    assert "变好" in zh and "could be chance" not in re.sub(
        r"<script.*?</script>", "", zh, flags=re.S
    )


@pytest.mark.parametrize("kind", ["one", "three", "pair", "refused", "monstrous"])
def test_every_chart_has_its_place_its_finding_and_its_data(kind: str):
    page = rendered(kind)
    charts = across_charts(STUDIES[kind](), EN)
    assert set(re.findall(r'data-chart="([^"]+)"', page)) == {chart.name for chart in charts}
    for chart in charts:
        assert len(chart.title) > 10 and chart.rows
        assert all(len(row) == len(chart.columns) for row in chart.rows)


def test_a_dozen_studies_are_quick_and_small():
    studies = dozen()
    spent, page = effort(lambda: page_of(studies))
    assert spent < 300
    assert len(page.encode()) < 3_500_000


def test_real_numbers_of_rows_are_compared_quickly():
    dice = random.Random(1)
    labels = [dice.randrange(77) for _ in range(3000)]

    def answers(right: float) -> list[list[int]]:
        return [[y if dice.random() < right else dice.randrange(77) for y in labels]]

    base = replace(study_of("one", {A: 0.9}), labels=[str(i) for i in range(77)])
    studies = [
        replace(base, predictions=TestPredictions(labels, {A: answers(right)}), study=study)
        for study, right in (("one-01", 0.8), ("one-02", 0.9))
    ]
    spent, pair = effort(lambda: side_by_side(*studies))
    assert spent < 200
    assert pair.arms[0].verdict == "better" and pair.arms[0].low > 0.05


# --- a real browser ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "width"), [("three", 1300), ("monstrous", 390), ("dozen", 390)])
def test_browser_draws_the_page_and_asks_for_nothing(
    browser: Any, tmp_path: Path, kind: str, width: int
):
    path = tmp_path / "across.html"
    path.write_text(rendered(kind), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme="dark")
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda m: m.type in ("error", "warning") and complaints.append(m.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    for chart in page.locator(".chart").all()[:12]:
        chart.scroll_into_view_if_needed()
        chart.locator("svg.main-svg").first.wait_for(state="attached")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.title() == "Across studies"
    assert page.locator("img, iframe, object").count() == 0
    if kind == "three":
        names = "cells => cells.map(cell => cell.dataset.text)"
        rows = page.locator("#matrix-table tbody th")
        assert rows.evaluate_all(names) == [B, A, C]
        page.locator("#matrix-table thead button").nth(1).click()
        assert rows.evaluate_all(names) == [C, B, A]
    assert complaints == []
    assert [u for u in requests if not u.startswith(("data:", "blob:"))] == [path.as_uri()]
    context.close()


def test_across_is_a_frozen_value():
    assert isinstance(across(three()), Across)
    with pytest.raises(AttributeError):
        across(three()).reference = A  # type: ignore[misc]


def by_accuracy(found: StudyResults) -> StudyResults:
    """The same study going by accuracy."""
    finals = [
        replace(f, test=replace(f.test, objective=Objective("accuracy", f.test.accuracy),
                                objective_interval=f.test.macro_f1_interval))
        for f in found.finals
    ]  # fmt: skip
    return replace(found, finals=finals, objective="accuracy")


def test_studies_that_go_by_unlike_scores_say_so_and_are_not_averaged():
    first, second, third = three()
    data = across([first, by_accuracy(second), third])
    told = across_answer(data, EN).text
    assert "go by different scores (one: macro-F1; two: accuracy; three: macro-F1)" in told
    assert all(arm.mean_gap is None for arm in data.arms)
    page = render_across([first, by_accuracy(second), third], ["a", "b", "c"], EN)
    assert "Score on test with its 95 % interval" in page and 'id="trade-offs"' not in page
    assert "zero_shot" not in told and "macro-F1 below the task's best" not in page
    same = [by_accuracy(found) for found in (first, second, third)]
    page = render_across(same, ["a", "b", "c"], EN)
    assert (
        "Accuracy on test with its 95 % interval" in page
        and "macro-F1" not in page[: page.index("<script")]
    )
    pair = across([first, by_accuracy(replace(first, study="again"))]).pairs[0]
    assert (pair.arms, pair.why_unpaired, pair.only_before) == ((), "objectives", ())


def test_multiples_of_speed_are_told_only_where_the_intervals_part():
    """By the rule of a study's page: in rounds, and on every task."""

    def rates(first: list[float], second: list[float]) -> list[StudyResults]:
        windows = {A: first, B: second}
        return [
            replace(
                found,
                finals=[
                    replace(f, rps=speed(f.rps.offline_per_second, windows=windows[f.arm],
                                         rounds="r", offline_interval=(min(windows[f.arm]),
                                                                       max(windows[f.arm]))))
                    for f in found.finals
                ],
            )
            for found in (study_of("one", {A: 0.9, B: 0.8}, rps={B: 300.0}),
                          study_of("two", {A: 0.9, B: 0.8}, rps={B: 300.0}))
        ]  # fmt: skip

    apart = across(rates([100.0] * 6, [280.0, 290.0, 300.0, 300.0, 310.0, 320.0]))
    level = across(rates([100.0] * 6, [90.0, 90.0, 300.0, 300.0, 310.0, 320.0]))
    single = [study_of(t, {A: 0.9, B: 0.8}, rps={B: 300.0}) for t in ("one", "two")]
    once = across(
        [
            replace(s, finals=[replace(f, rps=speed(f.rps.offline_per_second)) for f in s.finals])
            for s in single
        ]
    )
    told = []
    for data in (apart, level, once):
        arm = data.arm(B)
        title = across_costs.finding(data, "speed", across_costs.values(data, "speed"), A, EN)
        told.append((round(arm.speed, 6), arm.times_as_fast is not None, "no multiple" in title))
    assert told == [(3.0, True, False), (3.0, False, True), (3.0, False, True)]
    assert apart.arm(B).speed_interval == pytest.approx((2.8, 3.2))
    one, two = rates([100.0] * 6, [300.0] * 6)
    pair = side_by_side(one, replace(two, task="one", created="2026-02-02"))
    assert [change.times_as_fast for change in pair.arms] == [None, None]
