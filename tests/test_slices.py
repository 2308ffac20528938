"""Parts of test: what is no chance, what is corrected, what is told, and whether splits differ."""

import json
import random
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import command_line, write_recipe
from report_studies import EN, ZH, study
from sklearn.metrics import f1_score, roc_auc_score

from suite.cli import tables
from suite.contracts.results import StudyResults
from suite.contracts.slices import Drift, Slice, Slices, SliceScore
from suite.data.languages import of_each
from suite.report.data.rows import leaderboard
from suite.report.data.slices import slice_sentences, weak_slice
from suite.report.pages.answer import answer
from suite.report.pages.page import render_page
from suite.study import by_length, drifting, slicing
from suite.verdict.slicing import Group, auroc, judged, within_classes, worst
from suite.verdict.standing import standing

# --- what is no chance --------------------------------------------------------------------------


def test_a_part_is_held_against_other_rows_of_its_classes():
    # A hard class, half right, and an easy one; the part has most of the hard.
    truth = np.array([0] * 200 + [1] * 200)
    right = np.array([1.0, 0.0] * 100 + [1.0] * 200)
    inside = np.zeros(400, bool)
    inside[:150] = inside[200:210] = True
    expected, p = within_classes(right, truth, inside)
    assert right[inside].mean() < 0.55 < right[~inside].mean()  # A fifth and more below the rest,
    assert expected == pytest.approx((150 * 0.5 + 10 * 1.0) / 160)
    assert p > 0.5  # and no worse than these classes are elsewhere.
    right[:100] = 0.0
    assert within_classes(right, truth, inside)[1] < 1e-4


def test_chance_is_called_no_chance_as_often_as_it_may():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, 300)
    inside = np.arange(300) < 60
    found = []
    for _ in range(400):
        right = (generator.random(300) < 0.6 + 0.15 * truth).astype(float)
        found.append(within_classes(right, truth, inside)[1])
    assert 0.01 < np.mean(np.array(found) < 0.05) < 0.075


def test_where_there_are_no_others_nothing_is_compared():
    truth = np.array([0, 0, 1, 1])
    assert within_classes(np.ones(4), truth, truth == 0) == (None, None)


def drawn(rows=300, weak=()):
    generator = random.Random(1)
    labels = [row % 3 for row in range(rows)]
    answers = [
        (label + 1) % 3 if generator.random() < (0.6 if row in weak else 0.15) else label
        for row, label in enumerate(labels)
    ]
    return labels, answers


def test_each_part_has_its_score_and_p_is_corrected_for_all_of_them():
    weak = set(range(60))
    labels, answers = drawn(weak=weak)
    groups = [Group("tier", str(at), range(60 * at, 60 * at + 60)) for at in range(5)]
    groups.append(Group("tier", "few", range(5)))
    alone = judged(labels, {"a": [answers]}, groups[:1], 3)[0].scores[0]
    found = judged(labels, {"a": [answers], "b": [labels]}, groups, 3)
    assert [one.rows for one in found] == [60] * 5 + [5]
    first = found[0].scores[0]
    assert first.macro_f1 == pytest.approx(f1_score(labels[:60], answers[:60], average="macro"))
    assert first.interval[0] < first.macro_f1 < first.interval[1]
    assert first.right == pytest.approx(np.mean(np.equal(labels[:60], answers[:60])))
    assert first.p == pytest.approx(5 * alone.p, rel=1e-6) and first.p < 0.001
    assert found[-1].scores == []  # Of five rows nothing is said.
    assert [one.scores[1].p for one in found[:5]] == [1.0] * 5
    part, score = worst(found, "a", 0.05)
    assert (part.value, score) == ("0", first)
    assert worst(found, "b", 0.05) is None


def test_classes_of_a_size_are_scored_on_all_rows():
    labels, answers = drawn()
    group = Group("class_size", "10–99", [r for r, x in enumerate(labels) if x == 2], (2,))
    (one,) = judged(labels, {"a": [answers]}, [group], 3)
    of_each_class = f1_score(labels, answers, average=None)
    assert one.scores[0].macro_f1 == pytest.approx(of_each_class[2])
    assert one.scores[0].p > 0.05  # All three classes are alike.


# --- what rows are parted by --------------------------------------------------------------------


def definition(rows_of, language="en"):
    names = [f"c{label}" for label in range(len(rows_of))]
    split = SimpleNamespace(class_counts=rows_of)
    return SimpleNamespace(
        task=SimpleNamespace(label_names=names, language=language, labels=names),
        data=SimpleNamespace(audit=SimpleNamespace(splits={"train": split})),
    )


def test_rows_are_parted_by_words_and_by_rows_to_learn_from():
    texts = ["a " * length for length in range(1, 31)]
    found = by_length.thirds(texts, "en")
    assert [(one.value, len(one.rows)) for one in found] == [
        ("≤ 11", 11), ("12–21", 10), ("> 21", 9)
    ]  # fmt: skip
    assert by_length.thirds(["one two"] * 30, "en") == []
    assert by_length.thirds(["字" * n for n in range(1, 31)], "zh")[0].value == "≤ 11"
    made = definition([5, 10, 99, 2000])
    found = slicing.by_size(made, [0, 1, 2, 3, 3])
    assert [(one.value, list(one.rows), one.classes) for one in found] == [
        ("0–9", [0], (0,)), ("10–99", [1, 2], (1, 2)), ("≥ 1,000", [3, 4], (3,))
    ]  # fmt: skip
    assert slicing.by_size(definition([20, 30]), [0, 1]) == []
    assert slicing.few(made, [0, 1, 2, 3] * 10) == {"c0": (5, 10)}
    assert set(slicing.few(made, [3] * 20)) == {"c0", "c1", "c2"}


def test_rows_are_parted_by_language_where_there_are_several():
    english = ["The weather in the north will be cold and rainy this week"] * 12
    chinese = ["今天北方的天气将会很冷而且有雨"] * 10
    found = slicing.by_language([*english, *chinese, "123"])
    assert [(one.value, len(one.rows)) for one in found] == [("en", 12), ("zh", 10), ("und", 1)]
    assert slicing.by_language(english) == []
    assert of_each([]) == [] and of_each(["42"]) == ["und"]


def test_values_of_a_column_with_few_rows_are_left_out_and_counted():
    values = ["gold"] * 30 + [None] * 12 + ["rare"] * 9
    groups, left = slicing.by_value("tier", values)
    assert [(one.value, len(one.rows)) for one in groups] == [("gold", 30), ("", 12)]
    assert left == 1
    groups, left = slicing.by_value("id", [str(row % 40) for row in range(800)])
    assert (len(groups), left) == (20, 20)


# --- whether splits differ ------------------------------------------------------------------------


def test_the_area_and_its_variance():
    generator = np.random.default_rng(3)
    areas, variances = [], []
    for _ in range(300):
        positive = np.arange(120) < 50
        scores = np.round(generator.normal(size=120) + positive, 1)
        area, variance = auroc(scores, positive)
        areas.append(area)
        variances.append(variance)
    assert area == pytest.approx(roc_auc_score(positive, scores))
    assert np.mean(variances) == pytest.approx(np.var(areas), rel=0.2)


def sentences(rows, words, seed):
    generator = random.Random(seed)
    return [" ".join(generator.choices(words, k=8)) for _ in range(rows)]


def test_splits_of_one_source_are_not_told_apart_and_others_are():
    words = [f"w{n}" for n in range(60)]
    newer = [*words[:50], *(f"n{n}" for n in range(10))]
    found = drifting.between(
        {
            "train": sentences(200, words, 0),
            "validation": sentences(150, words, 1),
            "test": sentences(150, newer, 2),
            "empty": [],
        },
        "en",
    )
    told = {(one.one, one.other): one for one in found}
    assert set(told) == {("train", "validation"), ("train", "test"), ("validation", "test")}
    same, other = told["train", "validation"], told["train", "test"]
    assert same.interval[0] < 0.5 and same.rows == (200, 150)
    assert other.interval[0] > 0.6 and other.interval[0] < other.auroc < other.interval[1]
    (silent,) = drifting.between({"train": [""] * 12, "test": ["!"] * 12}, "en")
    assert silent.auroc == 0.5


# --- what is told ---------------------------------------------------------------------------------


def with_slices(p=0.001, **more):
    found = study()
    found = replace(found, verdict=standing(found).verdict)
    taken = found.verdict.recommended

    def score(right, p):
        return SliceScore(taken, right, (right - 0.1, right + 0.08), right, 0.84, p)

    parts = [
        Slice("length", "≤ 7", 60, [score(0.85, 1.0)]),
        Slice("customer_tier", "free <b>", 40, [score(0.61, p)]),
        Slice("customer_tier", "", 12, [score(0.8, 1.0)]),
        Slice("class_size", "0–9", 4, []),
    ]
    return replace(found, slices=Slices(parts, **more))


def test_the_worst_part_is_a_finding_only_where_it_can_be_no_chance():
    weak = weak_slice(with_slices(), EN)
    assert "customer_tier is free <b>" in weak and "61" in weak and "84" in weak
    assert "of 3 parts" in weak
    board = leaderboard(with_slices())
    assert weak in answer(with_slices(), board, EN).notes
    chance = with_slices(p=0.2)
    assert weak_slice(chance, EN) == weak_slice(chance, ZH) == ""
    assert slice_sentences(chance, EN)[0].startswith("That any of the 3 parts is worse could")
    assert weak_slice(study(), EN) == "" and slice_sentences(study(), EN) == []


def test_rare_classes_drift_and_what_is_left_out_are_told():
    found = with_slices(
        few={"Rare": (3, 40)},
        drift=[Drift("train", "test", (200, 150), 0.71, (0.66, 0.76)),
               Drift("train", "validation", (200, 150), 0.5, (0.44, 0.56))],
        left_out={"customer_tier": 7},
    )  # fmt: skip
    said = " ".join(slice_sentences(found, EN))
    assert "Of 1 class little can be said" in said and "Rare (3 to learn from, 40 in test)" in said
    assert "A classifier tells train from test" in said and ".710" in said
    assert "does not tell train from validation" in said
    assert "7 values of customer_tier are left out" in said
    said = " ".join(slice_sentences(found, ZH))
    assert "Rare（可学 3 条，测试 40 条）" in said and "分类器能区分训练集与测试集" in said


def test_page_terminal_and_json_have_them():
    found = with_slices()
    for words in (EN, ZH):
        page = render_page(found, words)
        assert '<details id="slices" open>' in page and "free &lt;b&gt;" in page
        assert "free <b>" not in page
    assert '<details id="slices"' not in render_page(study(), EN)
    table = tables.slices_table(found)
    assert [len(column._cells) for column in table.columns] == [4] * 8
    again = StudyResults.from_json(json.dumps(found.to_json()))
    assert again.slices == found.slices
    old = found.to_json()
    del old["slices"]
    assert StudyResults.from_json(old).slices is None


# --- the command ----------------------------------------------------------------------------------


def test_a_column_of_the_source_is_read_again_and_kept_with_the_study(folder):
    lines = ["text,label,tier"]
    for row in range(300):
        word = "kind friend" if row % 2 else "win prize"
        lines.append(
            f"{word} {'so ' * (row % 5)}n{row},{'ab'[row % 2]},{'gold' if row % 3 else 'free'}"
        )
    (folder / "own.csv").write_text("\n".join(lines) + "\n")
    recipe = write_recipe(folder, trials=2)
    command_line("study", "create", "own.csv", "--recipe", recipe, "--name", "t", "--quiet")
    before = json.loads(command_line("study", "show", "t", "--json").stdout)
    assert {one["by"] for one in before["slices"]["slices"]} == {"length"}
    shown = command_line("data", "slices", "t", "--slice", "tier").stdout
    assert re.search(r"^tier\tgold\t\d+\t0\.", shown, re.M) and "train from test" in shown
    after = json.loads(command_line("study", "show", "t", "--json").stdout)
    assert after["test_openings"] == before["test_openings"]
    parts = {(one["by"], one["value"]): one["rows"] for one in after["slices"]["slices"]}
    assert parts["tier", "gold"] + parts["tier", "free"] == after["data"]["rows"]["test"]
    said = command_line("data", "slices", "t", "--slice", "teir", code=2).stderr
    assert "no column 'teir'" in said
    (folder / "own.csv").write_text("\n".join(lines).replace("n1", "m1") + "\n")
    said = command_line("data", "slices", "t", "--slice", "tier", code=2).stderr
    assert "not those of the study" in said
    assert "tier" not in command_line("data", "slices", "t").stdout


def test_without_finals_there_is_nothing_to_part(folder):
    (folder / "own.csv").write_text(
        "text,label\n" + "".join(f"text {n},{'ab'[n % 2]}\n" for n in range(60))
    )
    recipe = write_recipe(folder)
    command_line("study", "create", "own.csv", "--recipe", recipe, "--name", "t", "--no-run")
    said = command_line("data", "slices", "t", code=2).stderr
    assert "'t' has no finals yet" in said
