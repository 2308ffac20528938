"""A model answers alone where that was certified: found, kept with it, exported, served, shown."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import command_line, write_recipe, write_task

from suite import api
from suite.contracts.deciding import Asked, Decision, Limit, Tried, Value
from suite.errors import DataError
from suite.handover.export import read_exported
from suite.report.data.decided import decided_row, decided_sentences
from suite.report.words import words_of
from suite.serving.http.interface import Limits, Served
from suite.serving.http.service import Service
from suite.study import deciding, decisions_record, storage
from suite.study.probabilities import ArmAnswers, Reader

SURE, WRONG = "tfidf/toy", "fasttext/toy"
TEXTS = ["win a prize now", "lunch with a friend"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study `t` whose recipe asks; one arm never errs, one in three of ten answers."""
    folder = tmp_path_factory.mktemp("decide")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_task(folder)
        recipe = write_recipe(
            folder, arms=[SURE, WRONG], trials=2, calibration={"share": 0.2, "least": 50},
            spaces={SURE: {"noise": 0.0}, WRONG: {"noise": 0.3}}, decide={"max_error": 0.05},
        )  # fmt: skip
        command_line("study", "create", "toy.yaml", "--recipe", recipe, "--name", "t", "--quiet")
    return folder


@pytest.fixture
def there(study, monkeypatch):
    monkeypatch.chdir(study)
    return study


def kept(name="t"):
    return {one.arm: one for one in api.load_results(name, importance=False).decisions}


def test_finals_certify_on_rows_set_aside_where_the_recipe_asks(there):
    found = kept()
    sure, wrong = found[SURE], found[WRONG]
    assert (sure.ground, sure.found, sure.max_error) == ("certified", Tried(50, 50, 0), 0.05)
    assert sure.bound == pytest.approx(0.045, abs=1e-3) and sure.enough_rows is None
    assert sure.test == Tried(100, 100, 0)
    # It errs everywhere alike, above the limit: no threshold does, and no number of rows would.
    assert (wrong.threshold, wrong.enough_rows, wrong.test.answered) == (None, None, 0)
    assert wrong.ground == "certified" and wrong.found == Tried(50, 0, 0)


def test_the_command_asks_anew_and_says_what_it_found(there):
    said = json.loads(command_line("decide", "t", "--max-error", ".2", "--json").stdout)
    assert said["study"] == "t"
    assert [(d["arm"], d["max_error"]) for d in said["decisions"]] == [(SURE, 0.2), (WRONG, 0.2)]
    # 45 rows without an error are the least for .05, and 50 are not enough for .01.
    told = command_line("decide", "t", "--max-error", ".01", "--arm", SURE).stdout
    assert "passes every text on" in told and "rows would do" in told
    assert kept()[WRONG].max_error == 0.2  # the other arm's stands
    told = command_line("decide", "t").stdout
    assert "answers 100% of texts alone; of those at most 5% are wrong, at 90% confidence" in told
    assert "Certified on 50 rows" in told
    told = command_line("--lang", "zh", "decide", "t").stdout
    assert "独立回答 100% 的文本" in told and "alone" not in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--max-error", "0"), "no number of rows shows that nothing is ever wrong"),
        (("--max-error", "1.5"), "max_error 1.5 lies not between 0 and 1"),
        (("--confidence", "1"), "confidence 1 lies not between .5 and 1"),
        (("--arm", "tfidf/toi"), "keeps no model of 'tfidf/toi'"),
    ],
)
def test_what_can_not_be_asked(there, words, says):
    result = command_line("decide", "t", *words, code=2)
    assert says in " ".join(result.output.split())


def test_without_rows_set_aside_it_is_estimated_and_not_certified(there, monkeypatch):
    left = Reader.left
    before_finals = {"calibration": (), "trainings": 0}
    monkeypatch.setattr(Reader, "left", lambda *own: replace(left(*own), **before_finals))
    try:
        told = command_line("decide", "t", "--arm", SURE).stdout
        assert "Estimated, not certified: on the 50 rows" in told and "Certified on" not in told
        assert kept()[SURE].ground == "estimated"
        monkeypatch.setattr(Reader, "left", lambda *own: ArmAnswers(None))
        result = command_line("decide", "t", code=2)
        assert "no probabilities of" in result.output and "suite finals t" in result.output
    finally:
        monkeypatch.setattr(Reader, "left", left)
        command_line("decide", "t")


def test_answers_say_whether_they_are_decided(there, tmp_path):
    command_line("decide", "t")
    said = json.loads(command_line("predict", "t", *TEXTS, "--arm", SURE, "--json").stdout)
    assert [one["decided"] for one in said["predictions"]] == [True, True]
    said = json.loads(command_line("predict", "t", TEXTS[0], "--arm", WRONG, "--json").stdout)
    assert said["predictions"][0]["decided"] is False
    told = command_line("predict", "t", TEXTS[0], "--arm", WRONG).stdout
    assert "(passed on)" in told
    (tmp_path / "in.txt").write_text("\n".join(TEXTS), encoding="utf-8")
    for name in ("out.csv", "out.parquet"):
        command_line(
            "predict", "t", "--arm", SURE, "--file", tmp_path / "in.txt", "--out", tmp_path / name
        )
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["decided"] for row in csv.DictReader(file)] == ["true", "true"]
    # An exported folder has the rule with it.
    command_line("export", "t", tmp_path / "model", "--arm", SURE)
    assert read_exported(tmp_path / "model").decision == kept()[SURE]
    said = json.loads(command_line("predict", tmp_path / "model", TEXTS[0], "--json").stdout)
    assert said["predictions"][0]["decided"] is True
    # Where nobody asked, nothing is said of it.
    study, _ = storage.load(storage.open_storage(None), "t")
    before = study.user_attrs[decisions_record.DECISIONS]
    study.set_user_attr(decisions_record.DECISIONS, [])
    said = json.loads(command_line("predict", "t", TEXTS[0], "--json").stdout)
    study.set_user_attr(decisions_record.DECISIONS, before)
    assert "decided" not in said["predictions"][0]


def test_a_server_says_it_too():
    def body(decide, rows):
        service = Service(Served(lambda texts: rows, ["a", "b"], {}, decide=decide), Limits())
        try:
            return json.loads(service.body(rows))["predictions"]
        finally:
            service.close()

    rows = [[0.9, 0.1], [0.0, 0.0]]
    assert body(None, rows)[1] == {"label": None, "probabilities": {"a": 0.0, "b": 0.0}}
    assert body(None, []) == []
    found = body(lambda shares: ([1, -1], [True, False]), rows)
    assert [(one["label"], one["decided"]) for one in found] == [("b", True), (None, False)]


def test_a_decision_of_another_model_than_the_arm_ships_is_not_shown(there):
    study, _ = storage.load(storage.open_storage(None), "t")
    before = decisions_record.standing(study.user_attrs)
    assert len(before) == 2
    # Another trial's, another training of it, or one that answers at another temperature by now:
    # its threshold is none of the probabilities that are given.
    for key, other in (("trial", 99), ("mark", "0a1b2c3d"), ("temperature", 7.5), ("refit", True)):
        changed = [one | {key: other} for one in before]
        assert (
            decisions_record.standing(study.user_attrs | {decisions_record.DECISIONS: changed})
            == []
        )


def test_decisions_that_a_kill_has_cost_are_made_by_the_next_run(there):
    study, _ = storage.load(storage.open_storage(None), "t")
    before = kept()
    study.set_user_attr(decisions_record.DECISIONS, [])
    command_line("study", "run", "t", "--quiet")
    assert kept() == before


def test_an_arm_that_nothing_can_be_said_of_costs_the_others_nothing(there, monkeypatch):
    left = Reader.left

    def damaged(reader, arm):
        found = left(reader, arm)
        if arm == SURE:
            return found
        odd = replace(found.unseen, probabilities=found.unseen.probabilities * 2, temperature=None)
        return replace(found, unseen=odd)

    monkeypatch.setattr(Reader, "left", damaged)
    told = []
    (only,) = deciding.decide("t", Asked(Limit()), say=told.append)
    assert only.arm == SURE and f"{WRONG}: nothing is said of when it answers alone" in told[0]
    with pytest.raises(DataError, match="sums to 2"):
        deciding.decide("t", Asked(Limit()), arm=WRONG)


def test_value_may_be_what_a_study_goes_by(there):
    recipe = write_recipe(
        there, "worth", arms=[SURE, WRONG], trials=2, objective="value",
        calibration={"least": 20}, value={"right": 1, "wrong": -5},
        spaces={SURE: {"noise": 0.0}, WRONG: {"noise": 0.3}},
    )  # fmt: skip
    command_line("study", "create", "toy.yaml", "--recipe", recipe, "--name", "w", "--quiet")
    results = api.load_results("w", importance=False)
    assert results.objective == "value" and results.verdict.best == SURE
    values = {t.arm: t.validation.objective.value for t in results.trials}
    # It answers all at .91, which pays, and the one of the two is often wrong.
    assert values[SURE] == 1 and values[WRONG] < 0
    finals = {one.arm: one for one in results.finals}
    assert (finals[SURE].test.objective.name, finals[SURE].test.objective.value) == ("value", 1)
    # At its temperature it knows that no answer pays, and gives none.
    assert finals[WRONG].test.objective.value == 0
    assert {one.arm: one.saved for one in results.decisions} == {SURE: 100.0, WRONG: 0.0}
    assert "value" in command_line("study", "show", "w").stdout


def test_sets_name_the_classes_that_a_text_may_be_of(there):
    told = command_line("decide", "t", "--coverage", ".9").stdout
    assert "Sets that are to hold the true class for 90% of texts hold it for 100.0%" in told
    said = json.loads(command_line("predict", "t", TEXTS[0], "--arm", SURE, "--json").stdout)
    (one,) = said["predictions"]
    assert one["set"] == [one["label"]]
    # An arm that is as sure where it errs leaves no class out.
    said = json.loads(command_line("predict", "t", TEXTS[0], "--arm", WRONG, "--json").stdout)
    assert sorted(said["predictions"][0]["set"]) == ["ham", "spam"]
    assert "--coverage" in command_line("decide", "t", "--help").stdout
    result = command_line("decide", "t", "--coverage", "1", code=2)
    assert "a coverage of 1 lies not between 0 and 1" in result.output


def test_a_limit_to_wrong_answers_among_all_texts(there):
    told = command_line("decide", "t", "--max-wrong", ".05", "--arm", SURE).stdout
    told = " ".join(told.split())
    assert (
        f"{SURE} answers 100% of texts alone; of all texts at most 5% are answered wrongly" in told
    )
    assert "Certified on 50 rows" in told and "That is 0.0% of all texts there." in told
    told = " ".join(command_line("decide", "t", "--max-wrong", ".01", "--arm", SURE).stdout.split())
    assert "99 rows without an error would do" in told
    for words, says in (
        (("--max-error", ".1"), "--max-error of the answered ones"), ((), "not between 0 and 1")
    ):  # fmt: skip
        wrong = ".05" if words else "1"
        output = command_line("decide", "t", "--max-wrong", wrong, *words, code=2).output
        assert says in " ".join(output.split())
    command_line("decide", "t")


def test_value_says_what_answers_are_worth(there):
    worth = deciding.decide("t", Asked(value=Value(right=1, wrong=-5)))
    by = {one.arm: one for one in worth}
    assert by[SURE].ground == "worth" and by[SURE].threshold == pytest.approx(5 / 6)
    assert by[SURE].saved == pytest.approx(100)
    both = deciding.decide("t", Asked(Limit(), Value(right=1, wrong=-5)))
    assert [(one.ground, one.saved) for one in both] == [("certified", 100.0), ("certified", 0.0)]


DECISION = Decision(
    "tfidf/classic", 3, True, "certified", 0.8125, Tried(500, 415, 12), 0.05, 0.9, 0.0432, None,
    Tried(1000, 840, 31), Value(right=1, wrong=-5), 65.4,
)  # fmt: skip


def test_sentences_and_rows_of_a_decision_in_both_languages():
    english = " ".join(decided_sentences(DECISION, words_of("en")))
    assert english == (
        "tfidf/classic answers 83% of texts alone; of those at most 5% are wrong, at 90% "
        "confidence. It passes the rest on. Certified on 500 rows that were set aside for it and "
        "that nothing else had seen. On test it answers 84.0%, and 3.7% of these answers are "
        "wrong. Work saved per 100 texts, on test: +65.4."
    )
    chinese = "".join(decided_sentences(DECISION, words_of("zh")))
    assert "独立回答 83% 的文本" in chinese and "500 行上证实" in chinese
    row = decided_row(DECISION, words_of("en"))
    assert (row.answers, row.wrong, row.at_most, row.threshold, row.saved, row.ground) == (
        "83.0%", "2.9%", "4.3%", "0.8125", "+65.4", "certified",
    )  # fmt: skip


def test_the_page_has_curves_and_what_may_be_decided():
    from report_studies import study

    from suite.contracts.results import TestPredictions
    from suite.report.pages.page import render_page

    results = study()
    arm = results.finals[0].arm
    answers = [0, 1] * 50
    shares = [0.5 + row / 200 for row in range(100)]
    results = replace(
        results,
        decisions=[replace(DECISION, arm=arm)],
        predictions=TestPredictions([0] * 100, {arm: [answers]}, {arm: shares}),
    )
    for language in ("en", "zh"):
        words = words_of(language)
        page = render_page(results, words)
        assert words("coverage_intro") in page and words("deciding_intro") in page
        assert 'id="deciding"' in page and "+65.4" in page
    bare = render_page(replace(results, decisions=[], predictions=None), words_of("en"))
    assert 'id="deciding"' not in bare


def test_a_recipe_that_tells_the_value_of_no_class_is_refused_before_anything_is_searched(there):
    recipe = write_recipe(there, "odd", arms=[SURE], trials=1, calibration={"least": 20},
                          value={"pairs": {"ham": {"spma": -9}}})  # fmt: skip
    result = command_line(
        "study", "create", "toy.yaml", "--recipe", recipe, "--name", "o", "--quiet", code=2
    )
    assert "value.pairs: 'spma' is no class" in result.output and "spam" in result.output


def test_a_split_too_small_to_certify_on_is_refused_with_how_many_rows_would_do(there):
    recipe = write_recipe(there, "small", arms=[SURE], trials=1, decide={})
    result = command_line(
        "study", "create", "toy.yaml", "--recipe", recipe, "--name", "s", "--quiet", code=2
    )
    assert "more than half of the 150" in result.output and "1,000 rows" in result.output


def test_finals_tell_texts_that_fit_no_class_where_the_task_names_theirs():
    from report_studies import study

    from suite.cli.tables import scope_table
    from suite.contracts.strategy import Rows
    from suite.report.data.rows import leaderboard
    from suite.report.data.scope import scope_rows
    from suite.report.pages.page import render_page
    from suite.study.scope import with_scope

    labels = (0, 0, 1, 1)
    shares = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.6, 0.4]], np.float32)
    answers = SimpleNamespace(calibrated=shares, rows=Rows(("",) * 4, labels), belongs={})
    kept = {"a": ArmAnswers(answers, (answers,)), "b": ArmAnswers(None)}
    reader = SimpleNamespace(left=kept.get)
    results = study()
    finals = [replace(one, arm=arm) for one, arm in zip(results.finals, kept, strict=False)]

    def told(outside):
        task = SimpleNamespace(outside=outside)
        data = SimpleNamespace(rows=SimpleNamespace(validation=4))
        definition = SimpleNamespace(task=task, data=data)
        return [one.out_of_scope for one in with_scope(finals, definition, reader)]

    assert told(None) == [None, None]
    found, nothing = told(1)
    assert nothing is None and (found.auroc, found.inside, found.outside) == (1.0, 2, 2)
    # Both texts inside are let in and right; none from outside seems to belong as much.
    assert (found.right, found.fpr, found.let_in) == (1.0, 0.0, 0.0)
    results = replace(results, finals=[replace(results.finals[0], out_of_scope=found)])
    (row,) = scope_rows(results, leaderboard(results))
    assert scope_table([row]).row_count == 1
    for language in ("en", "zh"):
        page = render_page(results, words_of(language))
        assert 'id="scope"' in page and words_of(language)("scope_right") in page
        assert 'id="scope-scores"' in page
