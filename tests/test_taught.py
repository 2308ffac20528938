"""Learning from a teacher: which texts it answers, what is learned of it, and what is told."""

import html
import json
import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import command_line, toy_rows, write_recipe
from remembering_run import RememberingRun
from report_studies import EN, FAST, ZH, study, trial
from test_strategies_classic import SMALL, builder_model, english_rows, toy_task

from suite import paths, strategies
from suite.config.recipe import Recipe
from suite.contracts.space import Choice, Fixed, Space
from suite.contracts.strategy import Refused, Rows
from suite.contracts.teaching import may_be_taught
from suite.data import soft, soft_begun
from suite.data.soft import Teacher
from suite.errors import DataError, StorageError
from suite.models.catalogue import find_model, load_catalogue
from suite.report.data.rows import leaderboard
from suite.report.data.taught import taught_told
from suite.report.pages import export
from suite.report.pages.page import render_page
from suite.strategies.classic import fasttext
from suite.strategies.heads import regression
from suite.strategies.network import soft_loss
from suite.strategies.network.taught import taught
from suite.study import arms, distilling, folding
from suite.study.probabilities import Answers, ArmAnswers

LABELS = [f"class {i}" for i in range(3)]
TEACHER = Teacher("toy", "big", "minilm/probe", 3, LABELS, train=60, texts=4, own=1, asked=9,
                  objective="macro_f1", score=0.93, per_second=80.0)  # fmt: skip
TEXTS = ["one \ud800 half", "two\nlines", "three", "four"]
SAID = np.asarray([[0.7, 0.2, 0.1], [0, 1, 0], [0.25, 0.25, 0.5], [1, 0, 0]], dtype=np.float32)
ROWS = english_rows(60)


def written(teacher=TEACHER, texts=TEXTS, said=SAID, own=None):
    own = ROWS.take([0]) if own is None else own
    of_own = np.asarray([[0.0, 0.5, 0.5]], dtype=np.float32)
    return soft.write("toy", teacher, texts, said, own, of_own)


def latest():
    return soft.read(soft.there("toy")[0])


def asked(folder, builder="fasttext", train=ROWS, **changes):
    params = SMALL[builder] | {"distilled": True}
    return RememberingRun(folder, builder_model(builder), toy_task(), train, params,
                          **{"fingerprint": "toy"} | changes)  # fmt: skip


# ---------------------------------------------------------------- the file


def test_what_a_teacher_said_is_read_back_and_sums_to_one(folder):
    found = soft.read(written())
    assert (found.teacher, list(found.texts)) == (TEACHER, TEXTS)
    np.testing.assert_allclose(found.probabilities, SAID, atol=1e-6)
    assert found.probabilities.dtype == np.float32
    assert found.own.keys() == {ROWS.texts[0]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: [], "holds no answers"),
        (lambda lines: ["[]", *lines[1:]], "holds no answers"),
        (lambda lines: [lines[0].replace('"big"', "7"), *lines[1:]], "line 1: study"),
        (lambda lines: lines[:-1], "cut short"),
        (lambda lines: [*lines[:2], "{", *lines[3:]], "damaged"),
        (lambda lines: [lines[0], '{"text": "a", "p": [1, 0]}', *lines[2:]], "line 2: no prob"),
        (lambda lines: [lines[0], '{"text": "a", "p": [2, -1, 0]}'], "line 2: no probabilities"),
        (lambda lines: [lines[0], '{"text": "a", "p": [NaN, 0, 1]}'], "toy~soft-"),
        (lambda lines: [lines[0], '{"p": [1, 0, 0]}'], "damaged"),
        (lambda lines: [*lines[:3], lines[3].replace("three", "3"), *lines[4:]], "was changed"),
        (lambda lines: [lines[0].replace('"trial": 3', '"trial": 4'), *lines[1:]], "was changed"),
    ],
)
def test_a_file_of_something_else_is_told(folder, change, says):
    file = written()
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(change(lines)), encoding="utf-8")
    with pytest.raises(DataError) as told:
        soft.read(file)
    assert says in str(told.value)


def test_another_teachers_answers_stand_beside_and_the_last_written_are_the_newest(folder):
    first = written()
    second = written(said=SAID[::-1])
    assert first != second and sorted(soft.there("toy")) == sorted([first, second])
    assert soft.newest(toy_task(), "toy") == second.stem.rpartition("-")[2]
    # The same teacher, asked again: seconds are a circumstance.
    os.utime(second, (1, 1))
    os.utime(written(replace(TEACHER, seconds=9.0)), (9, 9))
    assert len(soft.there("toy")) == 2
    assert soft.newest(toy_task(), "toy") == first.stem.rpartition("-")[2]
    assert soft.newest(toy_task(), "other") is None
    # Whatever comes later, a study learns from what it has chosen.
    run = asked(folder, teacher=second.stem.rpartition("-")[2])
    np.testing.assert_allclose(taught(run).train.soft[60:], SAID[::-1], atol=1e-6)
    second.unlink()
    with pytest.raises(Refused, match=r"are not here: .*toy~soft-") as told:
        taught(run)
    assert "教师回答不在此处" in ZH.told(str(told.value))


def test_probabilities_of_many_classes_are_read_as_they_were_rounded(folder):
    many = [f"class {i}" for i in range(400)]
    said = np.full((1, 400), 0.00006, dtype=np.float32)
    said[0, 0] = 1 - said[0, 1:].sum()
    file = soft.write("toy", replace(TEACHER, labels=many, texts=1, own=0), ["a"], said, None, None)
    assert soft.read(file).probabilities[0, 0] == pytest.approx(said[0, 0], abs=0.02)


class Slow:
    """Answers by the text's length; is killed at its third call."""

    def __init__(self, calls=99):
        self.left, self.asked = calls, []

    def predict_proba(self, texts):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        self.asked += texts
        share = np.asarray([len(text) / 20 for text in texts], np.float32)
        found = np.stack([share, 1 - share], axis=1)
        found[[text == "no" for text in texts]] = 0
        return found


def test_a_teacher_that_is_cut_short_goes_on_where_it_stopped(folder, monkeypatch):
    monkeypatch.setattr(distilling, "AT_ONCE", 2)
    file, seen = paths.soft_begun("toy", "0" * 16), []
    texts = ["a", "no", "ccc", "dddd", "eeeee", "ffffff"]

    def answers(slow, **more):
        with soft_begun.going_on(file, 2) as begun:
            found = distilling.answers_kept(slow, texts, None, begun, seen.append)
            told = begun.asked, begun.of(texts[:1])
            begun.done()
        return found, told

    with pytest.raises(KeyboardInterrupt):
        answers(killed := Slow(2))
    with file.open("a") as opened:
        opened.write('{"text": "eee')  # killed at once
    found, _ = answers(second := Slow())
    assert killed.asked == texts[:4] and second.asked == ["no", "eeeee", "ffffff"]
    assert seen == [2, 4, 5, 6] and not file.exists()
    whole, _ = answers(Slow())
    np.testing.assert_array_equal(found, whole)
    with soft_begun.going_on(file, 2), pytest.raises(StorageError, match="another `suite distil`"):
        answers(Slow())
    assert not list(file.parent.iterdir())


@pytest.mark.parametrize(
    "line", ["[]", "1", '{"text": "a"}', '{"text": "a", "p": [0.5, 0.2]}',
             '{"text": "a", "p": [1, 0, 0]}', '{"text": "a", "p": 1}', "{"],
)  # fmt: skip
def test_a_beginning_that_is_something_else_is_told(folder, line):
    file = paths.soft_begun("toy", "0" * 16)
    file.parent.mkdir(parents=True)
    file.write_text(f'{{"text": "a", "p": [0.5, 0.5]}}\n{line}\n')
    with pytest.raises(DataError, match="line 2"), soft_begun.going_on(file, 2):
        pass


# ---------------------------------------------------------------- what is learned


def test_its_rows_stand_behind_the_runs_own(folder):
    written()
    run = asked(folder)
    found = taught(run)
    assert len(found.train) == 64 and list(found.train.texts[60:]) == TEXTS
    assert found.train.labels[60:] == (0, 1, 2, 0)
    np.testing.assert_allclose(found.train.soft[60:], SAID, atol=1e-6)
    # Half the label, half what was said of a row that it had not seen; the others are the label.
    label = np.eye(3)[ROWS.labels[0]]
    np.testing.assert_allclose(found.train.soft[0], 0.5 * label + [0, 0.25, 0.25], atol=1e-6)
    np.testing.assert_array_equal(found.train.soft[1:60], np.eye(3)[list(ROWS.labels[1:])])
    assert found.fingerprint != run.fingerprint and found.pool is None
    assert run.notes["taught"]["by"] == "minilm/probe" and run.notes["taught"]["texts"] == 4
    some = found.train.take([61, 0])
    np.testing.assert_array_equal(some.soft, found.train.soft[[61, 0]])
    # Without the variant nothing is read, though the file is there.
    plain = asked(folder)
    plain.params = dict(SMALL["fasttext"])
    assert taught(plain) is plain


def test_a_preflight_has_its_share_and_a_refit_has_all(folder):
    written()
    part = asked(folder, train=ROWS.take(range(30)), fingerprint="toy-first30")
    assert len(taught(part).train) == 32
    assert len(taught(asked(folder, fingerprint="toy-refit")).train) == 64


@pytest.mark.parametrize("change", [{"fingerprint": "other"}, {"labels": ["a", "b", "c"]}])
def test_answers_that_belong_to_other_rows_are_refused(folder, change):
    written(replace(TEACHER, **change))
    with pytest.raises(Refused, match="belong to other rows") as told:
        taught(asked(folder))
    assert "belong" not in ZH.told(str(told.value))


@pytest.mark.parametrize(
    ("model", "arm"),
    [
        ("fasttext", "fasttext/classic+distilled"),
        ("textcnn", "textcnn/classic+distilled"),
        ("potion-base-8m", "potion-base-8m/probe+distilled"),
        ("potion-base-8m", "potion-base-8m/linear_head+distilled"),
        ("bert-base-cased", "bert-base-cased/linear_head+distilled"),
    ],
)
def test_an_arm_without_its_teachers_answers_is_refused_when_planned(folder, model, arm):
    recipe = Recipe(name="r", arms=[arm])
    (planned,) = arms.plan(recipe, toy_task(), load_catalogue(), unavailable=lambda model: None)
    assert planned.refused and "suite distil toy --teacher STUDY" in planned.refused
    assert ZH.told(planned.refused).startswith("distilled 需要")
    written()
    (planned,) = arms.plan(recipe, toy_task(), load_catalogue(), unavailable=lambda model: None)
    assert planned.refused is None and planned.space.dimensions["distilled"] == Fixed(True)
    declared = strategies.hyperparameters(planned.strategy, find_model(model, load_catalogue()))
    assert declared["distilled"].default is False


def test_what_may_learn_from_a_teacher_is_not_scored_over_folds(monkeypatch):
    assert may_be_taught(Space({"distilled": Choice((False, True))}))
    assert not may_be_taught(Space({"distilled": Fixed(False)})) and not may_be_taught(Space({}))
    plain = arms.PlannedArm("fasttext/classic", builder_model("fasttext"), "classic", Space({}))
    pupil = replace(plain, name="p", space=Space({"distilled": Fixed(True)}))
    loaded = SimpleNamespace(timed=False, facts=study().data)
    monkeypatch.setattr(folding, "_cut", lambda task, loaded: SimpleNamespace(count=5))
    monkeypatch.setattr(folding, "replace", lambda one, **changes: (
        replace(one, **changes) if isinstance(one, arms.PlannedArm) else one))  # fmt: skip
    recipe = Recipe(name="r", arms=["fasttext/*"], validation="folds")
    decided, _ = folding.decide(recipe, [plain, pupil], toy_task(), loaded)
    assert [arm.folds for arm in decided] == [5, 0]


def test_a_loss_with_probabilities_is_that_with_labels_where_they_are_sure():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 3, generator=generator)
    labels, weights = torch.tensor([0, 2, 1, 1, 0]), torch.tensor([1.0, 2.0, 0.5])
    sure = torch.eye(3)[labels]
    weights = soft_loss.LossBalance(weights, torch.zeros(3))
    with_labels = soft_loss.summed(logits, labels, weights)
    torch.testing.assert_close(soft_loss.summed(logits, sure, weights), with_labels)
    unsure = torch.full((5, 3), 1 / 3)
    each = [soft_loss.summed(logits, torch.full((5,), c), weights) for c in range(3)]
    torch.testing.assert_close(soft_loss.summed(logits, unsure, weights), sum(each) / 3)
    assert soft_loss.by_row(Rows(("a", "b"), (1, 0))) == (1, 0)


def test_fasttext_draws_a_label_for_each_pass(folder):
    rows = Rows(("a b", "c d"), (0, 1), soft=np.asarray([[0.75, 0.25, 0], [0, 0, 1]], np.float32))
    run = asked(folder, train=rows)
    lines = list(fasttext._lines(run, [["a", "b"], ["c", "d"]], 2000, 0.0))
    named = {words: [line.split()[0][-1] for line in lines if line.endswith(f"{words}\n")]
             for words in ("a b", "c d")}  # fmt: skip
    assert set(named["c d"]) == {"2"} and len(named["c d"]) == 2000
    assert named["a b"].count("0") / 2000 == pytest.approx(0.75, abs=0.04)
    assert named["a b"].count("2") == 0


def test_a_regression_learns_what_a_teacher_was_unsure_of(folder):
    matrix = np.asarray([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=np.float32)
    said = np.asarray([[0.6, 0.4, 0], [0, 0.2, 0.8], [0.6, 0.4, 0], [0, 0.2, 0.8]], np.float32)
    run = asked(folder, train=Rows(("a",) * 4, (0, 2, 0, 2), soft=said))
    head = regression.fit(matrix, run, C=1e4, scaling="none", relative=False)
    found = torch.softmax(torch.from_numpy(head.logits(matrix, "none")), dim=1).numpy()
    np.testing.assert_allclose(found, said, atol=0.02)


@pytest.mark.parametrize("builder", ["fasttext", "textcnn"])
def test_a_pupil_learns_a_class_that_only_its_teacher_knows(folder, builder, one_thread):
    """Of the third class there is no label: the teacher alone says what it looks like."""
    known = ROWS.take([i for i, label in enumerate(ROWS.labels) if label != 2])
    third = [text for text, label in zip(ROWS.texts, ROWS.labels) if label == 2]
    said = np.asarray([[0.05, 0.05, 0.9]] * len(third), dtype=np.float32)
    written(replace(TEACHER, train=len(known), texts=len(third)), third, said, own=known.take([0]))
    found = {}
    for distilled in (True, False):
        run = asked(folder, builder, train=known, epochs=12.0)
        run.params = run.params | {"distilled": distilled}
        predictor = strategies.get("classic").fit(run)
        found[distilled] = predictor.predict_proba(third)[:, 2].mean()
    assert found[True] > 0.6 > 0.4 > found[False]


# ---------------------------------------------------------------- which texts it answers


def test_training_rows_and_texts_are_answered_at_the_arms_temperature_and_folds_are_told():
    """The rows of train are as sure as the texts, and trainings over folds have seen validation."""
    made = SimpleNamespace(params={})
    arm = SimpleNamespace(name="tfidf/classic", strategy="classic", model=builder_model("tfidf"))
    kept = SimpleNamespace(
        arm="tfidf/classic", made_by=made, definition=SimpleNamespace(arms=[arm])
    )
    own = np.asarray([[0.8, 0.2], [0.0, 0.0], [0.3, 0.7]], dtype=np.float32)
    train = Rows(("a", "b"), (0, 1))
    rows = Rows(("a", "b", "c"), (0, 1, 1))
    unseen = Answers(own, rows, "0" * 16, "train+validation", temperature=2.0)
    found = distilling._own(kept, ArmAnswers(unseen), None, train)
    assert found.rows.texts == ("a",) and found.over_folds
    np.testing.assert_allclose(found.probabilities, [[2 / 3, 1 / 3]], atol=1e-6)
    alone = replace(unseen, which="validation")
    assert distilling._own(kept, ArmAnswers(alone), None, train) is None


def test_calls_to_servers_are_counted_over_the_members_of_a_combination():
    def server(asked):
        return SimpleNamespace(endpoint=SimpleNamespace(counts=SimpleNamespace(asked=asked)))

    plain = SimpleNamespace()
    assert distilling._asked(plain) == 0 and distilling._asked(server(3)) == 3
    assert distilling._asked(SimpleNamespace(members=[plain, server(4)])) == 4


def test_no_text_of_test_and_none_with_a_label_is_answered():
    long = "oil prices fall as the supply of the gulf states grows again this week in the market"
    test = Rows(("A Test Text", f"{long} today"), (0, 1))
    texts = ["new", "  ", "a  test, text!", f"{long} now", "known", "NEW!", "other"]
    chosen, left = distilling.answerable(texts, [Rows(("Known.",), (0,))], [test])
    assert chosen == ["new", "other"]
    assert (left.blank, left.test, left.known, left.repeated, left.all) == (1, 2, 1, 1, 5)


# ---------------------------------------------------------------- the command, and what is told


def test_a_study_teaches_another_and_the_page_says_what_was_bought(toy_task_here):
    common = {"trials": 1, "validation": "folds"}
    teacher = write_recipe(toy_task_here, "teachers", arms=["tfidf/classic"], **common)
    command_line("study", "create", "toy.yaml", "--recipe", teacher, "--name", "big", "--quiet")
    rows = [row["text"] for row in toy_rows(60, 5)]
    test = [json.loads(line)["text"] for line in (toy_task_here / "data" / "test.jsonl").open()]
    (toy_task_here / "more.txt").write_text("\n".join([*rows, *test[:7]]), encoding="utf-8")
    said = command_line("distil", "toy.yaml", "--teacher", "big", "--unlabelled", "more.txt").output
    found = latest()
    assert not set(found.texts) & set(test)
    # Those that answered training rows over folds were trained on validation.
    assert found.teacher.arm == "tfidf/classic" and found.teacher.refit
    assert "on validation too" in said and "has learnt them" not in said
    assert "suite study create toy.yaml --arms fasttext/classic --arms" in said.replace("\n", " ")
    assert 0 < found.teacher.texts <= 60 and found.teacher.own == 150
    assert "left out for standing in test or calibration, or nearly" in said
    pupils = ["fasttext/classic", "fasttext/classic+distilled"]
    recipe = write_recipe(
        toy_task_here, "pupils", arms=pupils, trials=2, finals={"seeds": 1, "refit": True},
        validation="holdout",
        spaces={"fasttext/classic": {"dim": 8, "buckets": 1024}},
    )  # fmt: skip
    command_line("study", "create", "toy.yaml", "--recipe", recipe, "--name", "small", "--quiet")
    results = json.loads(command_line("study", "show", "small", "--json").stdout)
    (taught_by,) = [t["circumstances"]["taught"] for t in results["trials"]
                    if t["arm"].endswith("+distilled")]  # fmt: skip
    assert (taught_by["by"], taught_by["study"]) == ("tfidf/classic", "big")
    assert taught_by["texts"] == found.teacher.texts
    assert "learned from tfidf/classic (big)" in command_line("study", "show", "small").stdout
    # A teacher without folds has learnt its training rows, and is not asked about them.
    both = ("--teacher", "small", "--arm", "fasttext/classic")
    said = command_line("distil", "toy.yaml", *both, "--unlabelled", "more.txt").output
    assert "has learnt them" in said and latest().own == {}
    assert len(soft.there("toy")) == 2 and not list(toy_task_here.glob("**/*begun*"))
    # Who has begun to learn goes on with the same teacher; who begins now has the new one.
    command_line("study", "run", "small", "--trials", "4", "--quiet")
    assert teachers_of("small") == {("tfidf/classic", "big")}
    command_line("study", "create", "toy.yaml", "--recipe", recipe, "--name", "third", "--quiet")
    assert teachers_of("third") == {("fasttext/classic", "small")}
    told = command_line("distil", "toy.yaml", *both, code=2).stderr.replace("\n", " ")
    assert "has learnt its training rows" in told and "--unlabelled FILE" in told


def teachers_of(study):
    trials = json.loads(command_line("study", "show", study, "--json").stdout)["trials"]
    facts = [t["circumstances"].get("taught") for t in trials if t["arm"].endswith("+distilled")]
    return {(one["by"], one["study"]) for one in facts}


@pytest.fixture
def toy_task_here(toy_task, folder):
    return folder


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--teacher", "x", "--model", "qwen3-4b"], "--teacher contradicts"),
        (["--teacher", "x", "--sample"], "--teacher contradicts"),
        (["--unlabelled", "x.txt", "--model", "qwen3-4b"], "go with --teacher"),
        (["--teacher", "x"], "x"),
    ],
)
def test_wrong_words_exit_with_2(toy_task_here, words, says):
    assert says in command_line("distil", "toy.yaml", *words, code=2).stderr


def bought():
    found = study()
    facts = {"taught": {"by": "minilm/probe", "study": "big", "texts": 5000, "own": 500,
                        "asked": 0, "objective": "macro_f1", "score": 0.93,
                        "per_second": 80.0}}  # fmt: skip
    arm = f"{FAST}+distilled"
    pupil = trial(6, arm, 0.91, 2.0, rps=found.trials[0].rps, circumstances=facts)
    return replace(
        found,
        trials=[*found.trials, pupil],
        arms=[*found.arms, replace(found.arms[0], arm=arm)],
        finals=[*found.finals, replace(found.finals[0], arm=arm, trial=6)],
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (EN, ["What distilling bought", "5,000 texts without labels and 500 training rows",
              "Its macro-F1 is 0.9050 (0.8950–0.9170); without the teacher it is 0.9050",
              "The teacher's macro-F1 is 0.9300.", "It answers 8,312 texts a second, its teacher "
              "80.0.", "The teacher is not asked any more."]),
        (ZH, ["蒸馏的收获", "5,000 条无标注文本", "此后不再需要教师"]),
    ],
)  # fmt: skip
def test_what_was_bought_stands_on_page_and_in_markdown(words, said):
    found = bought()
    page = html.unescape(render_page(found, words))
    markdown = export.to_markdown(found, words)
    for one in said:
        assert one in page and one in markdown, one
    assert 'id="taught"' not in render_page(study(), words)


def test_calls_to_a_server_are_told_and_a_teacher_in_this_study_is_its_own_row():
    found = bought()
    facts = found.trials[-1].circumstances["taught"] | {"asked": 5000, "by": "toy-qwen/linear_head"}
    pupil = replace(found.trials[-1], circumstances={"taught": facts})
    found = replace(found, trials=[*found.trials[:-1], pupil])
    (told,) = taught_told(found, leaderboard(found), EN)
    assert "It took 5,000 calls to the teacher's server; answering takes none." in told
    assert "The teacher's macro-F1 is 0.9110." in told and "its teacher 41.5." in told
