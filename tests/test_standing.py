"""Who wins, who is within the bounds, which trial speaks for an arm: decided once, said alike."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import kept_of, write_recipe
from report_studies import EN, ZH, final, speed, told, trial
from typer.testing import CliRunner

from suite.cli import app
from suite.contracts.results import Arm, Comparison, Final, StudyResults
from suite.contracts.rowfacts import DataFacts, Rows
from suite.report.data.rows import METRICS, leaderboard, pareto_front
from suite.study import rounds
from suite.verdict import speeds
from suite.verdict.standing import best_trial, excess, holds, merit, standing

A, B, C = "a/classic", "b/classic", "c/classic"


def of(arm: str, number: int, f1: float, rps: float | None, rank: int = 1, **more) -> Final:
    made = final(arm, number, rank, f1, 10.0, rps or 0.0)
    return replace(made, **{"seeds": 3, "rps": speed(rps) if rps else None, **more})


def found(**changes) -> StudyResults:
    """B is best, A cannot be told apart from it and is 28 times as fast, C is beaten."""
    return StudyResults(
        **{
            "study": "s",
            "task": "t",
            "data": DataFacts("folder", "0", Rows(100, 20, 20)),
            "environment": {},
            "arms": [Arm(A), Arm(B), Arm(C)],
            "trials": [trial(0, A, 0.90), trial(1, B, 0.91), trial(2, C, 0.95)],
            "test_openings": 1,
            "finals": [
                of(B, 1, 0.910, 100.0),
                of(A, 0, 0.905, 2800.0),
                of(C, 2, 0.860, 9000.0, rank=3),
            ],
            "comparisons": [
                Comparison(B, A, 0.005, (-0.004, 0.013), 0.4),
                Comparison(B, C, 0.050, (0.03, 0.07), 0.001),
                Comparison(A, C, 0.045, (0.02, 0.06), 0.001),
            ],
            **changes,
        }
    )


def verdict(**changes):
    made = standing(found(**changes)).verdict
    assert made is not None
    return made


def finals_of(**changes) -> list[Final]:
    return [replace(f, **changes) for f in found().finals]


# ---------------------------------------------------------------- what is recommended


def test_the_cheapest_to_serve_of_those_that_could_be_best_is_recommended():
    made = verdict()
    assert (made.best, made.recommended, made.reason, made.of) == (B, A, "cheapest", "arms")
    assert (made.margin, made.could_be_below_by, made.within_bounds) == (0.01, 0.013, True)


def test_the_interval_is_read_in_whichever_order_the_pair_is_stored():
    turned = [Comparison(A, B, -0.005, (-0.013, 0.004), 0.4)]
    assert verdict(comparisons=turned).could_be_below_by == 0.013
    assert verdict(comparisons=[]).could_be_below_by is None


def test_an_arm_that_the_best_beats_or_that_lies_beyond_the_margin_is_not_recommended():
    beaten = [Comparison(B, A, 0.005, (0.001, 0.009), 0.01)]
    assert verdict(comparisons=beaten).recommended == B
    assert verdict(margin=0.004).recommended == B
    # .91 less .90 is a little more than .01 in binary.
    on_it = [of(B, 1, 0.91, 100.0), of(A, 0, 0.90, 2800.0)]
    assert verdict(finals=on_it).recommended == A
    alone = verdict(margin=0.0)
    assert (alone.recommended, alone.reason, alone.could_be_below_by) == (B, "cheapest", 0.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"finals": finals_of(seeds=1)}, "one_training"),
        ({"finals": finals_of(rps=None)}, "no_speed"),
        ({"finals": [], "comparisons": []}, "no_finals"),
    ],
)
def test_without_speeds_finals_or_a_second_training_the_best_is_recommended(changes, reason):
    made = verdict(**changes)
    best = C if reason == "no_finals" else B
    assert (made.best, made.recommended, made.reason) == (best, best, reason)
    assert made.of == "trained models"


def test_an_arm_that_is_asked_and_was_not_timed_comes_last():
    asked = [of(B, 1, 0.910, None), of(A, 0, 0.905, 5.0)]
    assert verdict(finals=asked).recommended == A
    turned = [of(B, 1, 0.910, 5.0), of(A, 0, 0.905, None)]
    assert verdict(finals=turned).recommended == B
    # What a trial measured is no figure of the finals.
    trials = [trial(0, A, 0.90, rps=speed(9e5)), trial(1, B, 0.91)]
    assert verdict(finals=turned, trials=trials).recommended == B


def test_of_equal_scores_and_speeds_validation_decides():
    same = [of(B, 1, 0.91, 100.0), of(A, 0, 0.91, 100.0)]
    made = verdict(finals=same, comparisons=[Comparison(B, A, 0.0, (-0.01, 0.01), 1.0)])
    assert (made.best, made.recommended) == (B, B)


# ---------------------------------------------------------------- bounds


def test_bounds_choose_first_and_the_best_is_the_best_within_them():
    made = verdict(bounds={"min_rps": 200.0, "max_train_seconds": None})
    assert (made.best, made.recommended, made.within_bounds) == (A, A, True)
    within = {p.arm: p.within for p in standing(found(bounds={"min_rps": 200.0})).places}
    assert within == {A: True, B: False, C: True}


def test_where_no_arm_meets_the_bounds_it_is_said_and_all_are_chosen_among():
    made = verdict(bounds={"min_rps": 1e6})
    assert (made.best, made.recommended, made.within_bounds) == (B, A, False)
    text = told(found(bounds={"min_rps": 1e6})).text
    assert text.startswith("No arm meets the bounds (at least 1,000,000 texts/s)")


def test_the_terminal_says_it_too(capsys):
    from suite.cli.tables import leaderboard_table, recommended

    recommended(found(bounds={"min_rps": 1e6}))
    said = " ".join(capsys.readouterr().out.split())
    assert "No arm meets the bounds (at least 1,000,000 texts/s)" in said
    assert "Recommended: a/classic, the cheapest to serve" in said
    table = leaderboard_table(found(bounds={"min_rps": 200.0}))
    assert list(table.columns[1].cells) == [B, A, C]
    assert list(table.columns[-1].cells) == ["breaks bounds", "", ""]
    assert list(table.columns[0].cells) == ["1=", "1=", "3"]


def test_a_speed_whose_interval_reaches_to_both_sides_of_a_bound_may_not_hold(capsys):
    from suite.cli.tables import leaderboard_table

    def measured(low: float, high: float):
        return replace(speed((low + high) / 2), offline_interval=(low, high))

    finals = [replace(f, rps=rps) for f, rps in zip(
        found().finals, [measured(500, 700), measured(180, 300), measured(90, 190)], strict=True
    )]  # fmt: skip
    results = found(finals=finals, bounds={"min_rps": 200.0})
    stood = standing(results)
    assert {p.arm: p.holds for p in stood.places} == {B: "within", A: "unsure", C: "outside"}
    # A is faster by its median than the bound, and would have been recommended.
    assert stood.contenders == (B,) and stood.verdict.recommended == B
    board = leaderboard(results)
    front = pareto_front(board.rows, METRICS["offline_rps"], board.score)
    assert front == (B,)
    table = leaderboard_table(results)
    assert list(table.columns[-1].cells) == ["", "bounds may not hold", "breaks bounds"]
    # None is within: those that may be come before those that are not.
    higher = replace(results, bounds={"min_rps": 250.0}, finals=results.finals[1:])
    assert standing(higher).contenders == (A,)
    assert not standing(higher).verdict.within_bounds
    text = told(higher).text
    assert text.startswith("No arm meets the bounds (at least 250 texts/s) for certain; what")
    assert "约束" in told(higher, "zh").text


def test_a_training_time_is_judged_by_its_trainings_where_there_are_several():
    def judged(*seconds):
        return holds({"max_train_seconds": 10.0}, sum(seconds) / len(seconds), None, seconds)

    assert judged(9.0, 9.1, 9.05) == "within" and judged(12.0, 12.1, 11.9) == "outside"
    # By their mean it would be within, or outside.
    assert judged(8.0, 10.0, 11.0) == judged(9.5, 10.5, 11.0) == "unsure"
    assert judged(9.9) == "within" and judged(10.1) == "outside"  # one: all that is known
    low, high = speeds.training(9.0, (8.0, 9.0, 10.0))
    assert (low, high) == pytest.approx((6.792, 11.827), abs=0.001)
    straddling = of(A, 0, 0.9, 100.0, train_seconds=9.7, seed_train_seconds=[8.0, 10.0, 11.0])
    stood = standing(found(finals=[straddling], bounds={"max_train_seconds": 10.0}))
    assert stood.place(A).holds == "unsure" and not stood.verdict.within_bounds


def test_a_rate_that_is_not_valid_or_missing_keeps_no_bound():
    doubtful = replace(speed(300.0), valid=False)
    for rps, state in ((doubtful, "unsure"), (replace(doubtful, offline_per_second=90.0),
                       "outside"), (None, "unsure"), (speed(None), "unsure"),
                       (speed(200.0), "within")):  # fmt: skip
        assert holds({"min_rps": 200.0}, 1.0, rps) == state
    assert holds({"max_train_seconds": 5.0}, None, None) == "unsure"
    assert holds({"max_train_seconds": 5.0, "min_rps": None}, 5.0, None) == "within"
    assert holds({}, None, None) == "within"


def test_arms_that_serve_as_fast_as_far_as_anybody_can_tell_cost_the_same():
    def measured(windows):
        return replace(speed(sorted(windows)[3]), windows=windows, rounds="r",
                       offline_interval=(min(windows), max(windows)))  # fmt: skip

    first = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]
    level = [first[0] - 1, *(w + 9 for w in first[1:])]  # slower in one round of six
    finals = [replace(f, rps=measured(w)) for f, w in zip(
        found().finals, (first, level, [w / 2 for w in first]), strict=True)]  # fmt: skip
    assert verdict(finals=finals).recommended == B
    faster = [replace(f, rps=measured([w + 9 for w in first])) if f.arm == A else f for f in finals]
    assert verdict(finals=faster).recommended == A
    stood = standing(found(finals=faster))
    assert stood.times_as_fast(A, B) == pytest.approx(111.5 / 102.5, rel=0.01)
    assert standing(found(finals=finals)).times_as_fast(A, B) is None


def test_the_finals_figures_decide_and_what_is_not_known_stops_no_search():
    slow = [replace(f, train_seconds=99.0) if f.arm == B else f for f in found().finals]
    assert verdict(finals=slow, bounds={"max_train_seconds": 50.0}).best == A
    # The trial was timed beside others and broke the bound; alone it keeps it.
    busy = [replace(t, train_seconds=99.0, feasible=False) for t in found().trials]
    assert verdict(trials=busy, bounds={"max_train_seconds": 50.0}).best == B
    unknown = [replace(f, rps=None, train_seconds=None) for f in found().finals]
    bare = [replace(t, rps=None, train_seconds=None) for t in found().trials]
    assert not verdict(finals=unknown, trials=bare, bounds={"min_rps": 1e6}).within_bounds
    assert excess({"min_rps": 5.0, "max_train_seconds": None}, None, None) == {"min_rps": 0.0}
    assert excess({"min_rps": 5.0, "max_train_seconds": 2.0}, 3.0, speed(4.0)) == {
        "max_train_seconds": 1.0,
        "min_rps": 1.0,
    }


def test_leaders_are_those_within_the_bounds_that_none_of_them_beats():
    assert standing(found()).leaders == (B, A)
    assert standing(found(bounds={"min_rps": 200.0})).leaders == (A,)
    assert standing(found(bounds={"min_rps": 5000.0})).leaders == (C,)
    # Ranks count every arm and stay as they were stored.
    ranks = {p.arm: p.rank for p in standing(found(bounds={"min_rps": 5000.0})).places}
    assert ranks == {B: 1, A: 1, C: 3}


def test_a_pair_without_a_test_is_decided_by_the_ranks():
    seen = standing(found(comparisons=[]))
    assert seen.leaders == (B, A) and seen.beats(B, C) and not seen.beats(B, A)


# ---------------------------------------------------------------- which trial speaks for an arm


def test_before_finals_a_feasible_trial_speaks_for_its_arm_before_a_better_one():
    trials = [trial(0, A, 0.99, feasible=False), trial(1, A, 0.7), trial(2, A, 0.8),
              trial(3, A, 0.8), trial(4, A, None, state="PRUNED")]  # fmt: skip
    assert best_trial(trials).number == 2
    assert best_trial(trials[:1]).number == 0 and best_trial(trials[4:]) is None
    assert merit(trials[1]) > merit(trials[0]) and merit(trials[2]) == merit(trials[3])
    (place,) = standing(found(trials=trials, finals=[])).places
    assert (place.trial.number, place.rank) == (2, 1)


def test_after_more_search_the_trial_that_was_tested_speaks_and_says_that_it_is_stale():
    more = [*found().trials, trial(3, A, 0.99, 77.0)]
    seen = standing(found(trials=more, finals=finals_of(stale=True)))
    place = seen.place(A)
    assert (place.trial.number, place.final.stale, place.score) == (0, True, 0.905)
    assert (place.train_seconds, place.rps.offline_per_second) == (10.0, 2800.0)
    # An arm that came in since has no test score, no rank, and does not win.
    late = standing(found(trials=[*more, trial(4, "d/classic", 0.999)]))
    assert late.place("d/classic").rank is None and late.verdict.recommended == A
    assert late.places[-1].arm == "d/classic"


def test_nothing_finished_is_no_verdict():
    seen = standing(found(trials=[], finals=[], comparisons=[]))
    assert (seen.basis, seen.places, seen.leaders, seen.verdict) == ("none", (), (), None)


# ---------------------------------------------------------------- what the page says


def test_the_page_says_which_arm_to_take_and_how_far_below_it_could_be():
    assert told(found()).notes[0] == (
        "Recommended: a/classic, the cheapest to serve (2,800 texts/s) of the arms that "
        "b/classic does not significantly beat and that lie at most 0.01 below it; it could be "
        "0.0130 below."
    )
    assert told(found(comparisons=[])).notes[0].endswith("at most 0.01 below it.")
    assert told(found(finals=finals_of(seeds=1))).notes[0] == (
        "Recommended of these trained models: b/classic; it was trained once, which says "
        "nothing of another training."
    )
    assert "a/classic" in told(found(), "zh").notes[0]


def test_the_only_arm_within_the_bounds_is_not_called_the_only_one_of():
    one = found(bounds={"min_rps": 5000.0})
    assert told(one).verdict == (
        "Within the bounds (at least 5,000 texts/s): c/classic has macro-F1 0.8600 (95 % interval "
        "0.8500–0.8720) on the test split; no other arm within them was tested."
    )
    assert "只有 c/classic 有测试集分数" not in told(one, "zh").verdict
    bare = replace(one, finals=[], comparisons=[], trials=[
        trial(0, A, 0.90, rps=speed(10.0), feasible=False), trial(2, C, 0.80, rps=speed(1e4)),
    ])  # fmt: skip
    assert "no other arm within them has a result" in told(bare).verdict


@pytest.mark.parametrize("words", [EN, ZH])
def test_every_reason_has_its_sentence(words):
    for reason in ("best", "one_training", "no_speed", "no_finals"):
        assert A in words(f"recommended_{reason}", arm=A, best=B, rps="", margin="0.010")


# ---------------------------------------------------------------- every output, one arm

cli = CliRunner()


def told_by(*words):
    return json.loads(suite(*words, "--json").stdout)


def suite(*words, code=0):
    result = cli.invoke(app, [str(w) for w in words])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def everywhere(name: str) -> dict[str, str]:
    """The arm that each output names as the one to take."""
    from suite import load_predictor
    from suite.cli.predict import chosen

    suite("report", name, "--format", "json,html,md", "--out", "out")
    suite("export", name, "model")
    said = {
        "show": told_by("study", "show", name)["verdict"]["recommended"],
        "best": told_by("study", "best", name)["arm"],
        "report": json.loads(Path(f"out/{name}.json").read_text())["verdict"]["recommended"],
        "predict": told_by("predict", name, "win cash")["arm"],
        "export": json.loads(Path("model/labels.json").read_text())["arm"],
        "serve": chosen(name, None, None).arm,
        "library": load_predictor(name).arm,
    }
    texts = {
        "page": Path(f"out/{name}.html").read_text(),
        "Markdown": Path(f"out/{name}.md").read_text(),
        "terminal": suite("study", "show", name).stdout,
        "best, said": suite("study", "best", name).stdout,
    }
    for where, text in texts.items():
        (arm,) = re.findall(r"Recommended[a-z ]*: ([a-z/+]+)", " ".join(text.split()))
        said[where] = arm
    return said


def test_every_output_names_the_same_arm_within_the_bounds(folder, toy_task):
    recipe = write_recipe(
        folder,
        trials=2,
        bounds={"max_train_seconds": 2},
        spaces={"fasttext/toy": {"seconds": 2.5, "noise": 0.0}, "tfidf/toy": {"noise": 0.4}},
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    assert set(everywhere("t").values()) == {"tfidf/toy"}
    assert told_by("study", "show", "t")["verdict"] | {"margin": None} == {
        "best": "tfidf/toy", "recommended": "tfidf/toy", "margin": None, "within_bounds": True,
        "could_be_below_by": 0.0, "of": "trained models", "reason": "one_training",
    }  # fmt: skip


def test_every_output_takes_the_cheaper_of_two_that_cannot_be_told_apart(
    folder, toy_task, monkeypatch
):
    monkeypatch.setattr(rounds, "ROUNDS", 1)
    recipe = write_recipe(
        folder,
        arms=["tfidf/toy", "tfidf/toy+twin"],
        trials=2,
        finals={"seeds": 2, "share": None},
        margin=0.02,
        measure={"seconds": 0.2},
        # Far enough apart that no pause on a busy machine makes the twin the slower one.
        spaces={
            "tfidf/toy": {"noise": 0.2, "answer_seconds": 0.01},
            "tfidf/toy+twin": {"noise": 0.2, "answer_seconds": 0.0},
        },
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    assert set(everywhere("t").values()) == {"tfidf/toy+twin"}
    shown = told_by("study", "show", "t")["verdict"]
    assert (shown["reason"], shown["of"], shown["margin"]) == ("cheapest", "arms", 0.02)


def test_more_search_after_the_finals_leaves_a_row_of_one_trial(folder, toy_task):
    spaces = {"*/toy": {"noise": [0.3, 0.0]}}
    recipe = write_recipe(folder, arms=["tfidf/toy"], trials=1, spaces=spaces)
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    import suite.study.finals as finals_room

    before = told_by("study", "show", "t")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finals_room, "due", lambda ledger, *, early: False)
        suite("study", "run", "t", "--trials", "2")
    found = told_by("study", "show", "t")
    first = before["trials"][0]["validation"]["macro_f1"]
    assert max(t["validation"]["macro_f1"] for t in found["trials"] if t["validation"]) > first
    best = told_by("study", "best", "t")
    assert (best["trial"]["number"], best["stale"]) == (0, True)
    terminal = suite("study", "show", "t").stdout
    board = terminal.partition("trials (")[0]
    assert f"{first:.4f}" in board and "stale" in board


def test_a_recommended_checkpoint_that_is_elsewhere_is_not_replaced_by_another(folder, toy_task):
    recipe = write_recipe(
        folder, trials=2, spaces={"fasttext/toy": {"noise": 0.0}, "tfidf/toy": {"noise": 0.4}}
    )
    suite("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    shutil.rmtree(kept_of("t", "fasttext/toy"))
    refused = " ".join(suite("predict", "t", "win cash", code=2).stderr.split())
    assert "the checkpoint of fasttext/toy is on" in refused
    assert "--arm tfidf/toy" in refused
    assert suite("predict", "t", "win cash", "--arm", "tfidf/toy").stdout
