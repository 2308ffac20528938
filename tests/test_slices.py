"""Parts of test: what is no chance, what is corrected, what is told, and whether splits differ."""

import json
import random
import re
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import command_line, write_recipe
from report_studies import EN, ZH, study
from scipy.stats import hypergeom
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
from suite.verdict.slicing import Group, auroc, holm, judged, within_classes, worst
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


@pytest.mark.parametrize("accuracy", [0.99, 0.97, 0.7])
@pytest.mark.parametrize("sizes", [[10] * 20, [12, 15, 20, 30, 50, 80] * 3])
def test_where_no_part_is_worse_few_studies_call_one_so(accuracy, sizes):
    # Few rows, nearly all right: a normal curve calls two wrong answers of ten no chance.
    generator = np.random.default_rng(round(1000 * accuracy) + len(sizes))
    told = 0
    for _ in range(200):
        truth = generator.integers(0, 3, 1000)
        answers = np.where(generator.random(1000) < accuracy, truth, (truth + 1) % 3)
        order, ends = generator.permutation(1000), np.cumsum([0, *sizes])
        right = (answers == truth).astype(float)
        chances, worse = [], []
        for begin, end in pairwise(ends):
            inside = np.zeros(1000, bool)
            inside[order[begin:end]] = True
            expected, p = within_classes(right, truth, inside)
            chances.append(p)
            worse.append(right[inside].mean() < expected)
        told += any(p < 0.05 for p, below in zip(holm(chances), worse, strict=True) if below)
    assert told <= 0.05 * 200


def test_a_part_that_is_worse_is_found():
    generator = np.random.default_rng(5)
    found = 0
    for _ in range(100):
        truth = generator.integers(0, 3, 1000)
        inside = np.arange(1000) < 100
        right = (generator.random(1000) < np.where(inside, 0.7, 0.9)).astype(float)
        found += within_classes(right, truth, inside)[1] < 0.05 / 10
    assert found >= 90


def test_draws_from_a_class_come_out_as_exact_counts_say():
    # One class of 400 rows, 8 of them wrong; the part has 20: hypergeometric.
    truth, inside = np.zeros(400, int), np.arange(400) < 20
    for wrong in (2, 3, 4):
        right = np.ones(400)
        right[:wrong] = right[400 - (8 - wrong) :] = 0.0
        exact = hypergeom.sf(wrong - 1, 400, 8, 20)
        _, p = within_classes(right, truth, inside)
        assert exact < p < 8 * exact  # Two-sided, and never less than one side.


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
    assert first.p == pytest.approx(5 * alone.p, abs=1e-11) and first.p < 0.001
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


def test_classes_of_few_rows_are_called_weak_only_where_they_are():
    generator = np.random.default_rng(11)
    labels = np.repeat(np.arange(4), [300, 300, 300, 12])  # The last is rare.
    # As many rows of a class are taken for another as of that for it: F1 of all classes is .8.
    shares = np.array(
        [[0.8, 0.096, 0.096, 0.008], [0.096, 0.8, 0.104, 0], [0.096, 0.104, 0.8, 0],
         [0.2, 0, 0, 0.8]]
    )  # fmt: skip

    def answered(rare):
        known = np.cumsum([*shares[:3], [1 - rare, 0, 0, rare]], axis=1)
        draws = generator.random(len(labels))
        return (draws[:, None] > known[labels]).sum(axis=1).clip(max=3).tolist()

    group = Group("class_size", "10–99", np.flatnonzero(labels == 3).tolist(), (3,))

    def weak(rare):
        found = judged(labels.tolist(), {"a": [answered(rare)]}, [group], 4)
        return worst(found, "a", 0.05) is not None

    assert sum(weak(0.8) for _ in range(300)) <= 0.05 * 300
    assert sum(weak(0.0) for _ in range(50)) >= 45


def test_all_wrong_of_ten_is_not_taken_for_sure():
    # Two of five right elsewhere: of ten rows none is right by chance once in 160.
    labels = [0] * 100 + [1] * 100 + [2] * 10
    answers = [0] * 40 + [1] * 60 + [1] * 40 + [0] * 60 + [0, 1] * 5
    group = Group("class_size", "10–99", list(range(200, 210)), (2,))
    (one,) = judged(labels, {"a": [answers]}, [group], 3)
    (score,) = one.scores
    assert score.macro_f1 == 0 and 0.35 < score.elsewhere < 0.45
    assert 0.001 < score.p < 0.05


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
    groups, left = slicing.by_value("id", [f"u{row % 40}" for row in range(800)])
    assert (len(groups), left) == (20, 20)


def test_numbers_and_times_of_a_column_are_parted_into_thirds():
    groups, left = slicing.by_value("age", [str(row / 2) for row in range(90)])
    assert [(one.value, len(one.rows)) for one in groups] == [
        ("≤ 15", 31), ("> 15, ≤ 30", 30), ("> 30", 29)
    ] or [(one.value, len(one.rows)) for one in groups] == [
        ("≤ 15.0", 31), ("> 15.0, ≤ 30.0", 30), ("> 30.0", 29)
    ]  # fmt: skip
    assert left == 0 and all(one.column for one in groups)
    days = [f"2024-{month:02}-{day:02}" for month in range(1, 4) for day in range(1, 21)]
    groups, left = slicing.by_value("made", [*days, *[None] * 15])
    assert [one.value for one in groups] == [
        "≤ 2024-02-01", "> 2024-02-01, ≤ 2024-03-01", "> 2024-03-01", ""
    ]  # fmt: skip
    assert sum(len(one.rows) for one in groups) == 75 and left == 0
    # Of few different ones each is told of, as is what is no number.
    groups, _ = slicing.by_value("stars", [str(1 + row % 5) for row in range(100)])
    assert {one.value for one in groups} == set("12345")
    groups, left = slicing.by_value("id", [f"u{row}" for row in range(10_000)])
    assert groups == [] and left == 10_000
    groups, left = slicing.by_value("id", [str(row) for row in range(10_000)] + [""] * 3)
    assert [len(one.rows) for one in groups] == [3334, 3333, 3333] and left == 1


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
    marks = ["!" * (1 + n) for n in range(12)], ["?" * (1 + n) for n in range(12)]
    (silent,) = drifting.between({"train": marks[0], "test": marks[1]}, "en")
    assert silent.auroc == 0.5


def test_repeats_that_carving_left_on_one_side_are_no_drift():
    # Each text four times, but for case and marks; all four in the split of the first.
    words = [f"w{n}" for n in range(60)]
    some = sentences(120, words, 4)
    four = [form for text in some for form in (text, text.upper(), f"{text}!", f" {text}")]
    (found,) = drifting.between({"train": four[:320], "test": four[320:]}, "en")
    assert found.rows == (80, 40)
    assert found.interval[0] < 0.5
    assert drifting.between({"train": ["again"] * 50, "test": some}, "en") == []


@pytest.mark.parametrize("rows", [(30, 30), (200, 40), (100, 100)])
def test_splits_of_one_source_are_seldom_called_different(rows):
    # Nine classes, the last ones rare, each with words of its own.
    generator = random.Random(sum(rows))

    def text():
        own = min(int(generator.expovariate(0.5)), 8)
        return " ".join(f"c{own}w{generator.randrange(12)}" for _ in range(6))

    told = 0
    for _ in range(20):
        splits = {
            "train": [text() for _ in range(rows[0])],
            "test": [text() for _ in range(rows[1])],
        }
        (found,) = drifting.between(splits, "en")
        told += found.interval[0] > 0.5
    assert told <= 3  # 2.5 % of 20 are .5; more than 3 are so once in 700 runs.


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


def test_classes_by_their_rows_are_told_by_what_their_p_is_of():
    found = with_slices(p=1.0)
    taken = found.verdict.recommended
    rare = SliceScore(taken, 0.31, (0.2, 0.45), 0.4, 0.84, 0.002, elsewhere=0.86, narrow=True)
    parts = [*found.slices.slices[:-1], Slice("class_size", "10–99", 24, [rare])]
    found = replace(found, slices=Slices(parts))
    weak = weak_slice(found, EN)
    assert "weaker on classes with 10–99 rows to learn from" in weak
    assert "F1 is 0.3100 on 24 rows, and 0.8600" in weak and "0.002, of 4 parts" in weak
    assert "训练样本数为 10–99" in weak_slice(found, ZH)
    assert any("interval of 1 part is too narrow" in line for line in slice_sentences(found, EN))
    assert any("1 个部分的置信区间偏窄" in line for line in slice_sentences(found, ZH))


def test_a_column_is_called_what_it_is_called():
    found = with_slices()
    taken = found.verdict.recommended
    score = SliceScore(taken, 0.5, (0.4, 0.6), 0.5, 0.84, 0.001)
    for column, said in ((True, "where language is en"), (False, "where language is en")):
        one = Slice("language", "en", 40, [score], column)
        assert said in weak_slice(replace(found, slices=Slices([one])), EN)
    for column, said in ((True, "where length is 7"), (False, "where words is 7")):
        one = Slice("length", "7", 40, [score], column)
        assert said in weak_slice(replace(found, slices=Slices([one])), EN)
    one = Slice("language", "und", 40, [score])
    assert "language is (no letters)" in weak_slice(replace(found, slices=Slices([one])), EN)


def test_where_nothing_is_compared_nothing_is_called_chance():
    found = with_slices()
    few = replace(found, slices=Slices([], few={"Rare": (3, 40)}))
    for words, said in ((EN, "No part can be compared"), (ZH, "没有可以比较的部分")):
        assert slice_sentences(few, words)[0].startswith(said)
        # Classes of which little can be said are told on the page all the same.
        page = render_page(few, words)
        assert '<details id="slices" open>' in page and "Rare" in page


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
    shown = command_line("data", "slices", "t", "--slice", "tier", "--slice", "tier").stdout
    assert len(re.findall(r"^tier\tgold\t", shown, re.M)) == 1
    assert re.search(r"^tier\tgold\t\d+\t0\.", shown, re.M) and "train from test" in shown
    after = json.loads(command_line("study", "show", "t", "--json").stdout)
    assert after["test_openings"] == before["test_openings"]
    drift = after["slices"]["drift"]
    assert len(drift) == 3
    parts = {(one["by"], one["value"]): one["rows"] for one in after["slices"]["slices"]}
    assert parts["tier", "gold"] + parts["tier", "free"] == after["data"]["rows"]["test"]
    said = command_line("data", "slices", "t", "--slice", "teir", code=2).stderr
    assert "no column 'teir'" in said
    said = command_line("data", "slices", "t", "--data", ".", code=2).stderr
    assert "--data says nothing without --slice COLUMN" in said
    said = command_line("--lang", "zh", "data", "slices", "t", "--data", ".", code=2).stderr
    assert "没有 --slice COLUMN，--data 不起作用" in said
    command_line("finals", "t", "--seeds", "2", "--quiet")
    again = json.loads(command_line("study", "show", "t", "--json").stdout)
    assert again["slices"]["drift"] == drift
    assert {one["by"] for one in again["slices"]["slices"]} == {"length"}
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
