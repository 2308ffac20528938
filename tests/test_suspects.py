"""Labels that may be wrong: what is found of labels that were flipped, what is said, what is
refused."""

import json
import random

import numpy as np
import pytest
from conftest import command_line

from suite.contracts.strategy import Rows
from suite.contracts.suspects import FEWEST_ROWS
from suite.data import sample
from suite.data.named import rows_of
from suite.data.tables import PLACE
from suite.errors import DataError, StudyError
from suite.study import suspecting
from suite.verdict import suspects as verdict


def answers(labels, classes, sure):
    """Probabilities of a model that is right where `labels` are, and how sure it is there."""
    found = np.full((len(labels), classes), (1 - sure) / (classes - 1), dtype=np.float32)
    found[np.arange(len(labels)), labels] = sure
    return found


def test_what_models_speak_against_is_doubted_the_most_doubtful_first():
    truth = np.arange(300) % 3
    given = truth.copy()
    given[[3, 30, 299]] = (truth[[3, 30, 299]] + 1) % 3
    models = [answers(truth, 3, 0.8), answers(truth, 3, 0.9)]
    models[1][30] = [0.98, 0.01, 0.01]
    found = verdict.doubts(models, given.tolist(), 250)
    assert found[0].row == 30 and {one.row for one in found} == {3, 30, 299}
    assert all(one.likely == truth[one.row] and one.agreed == 2 for one in found)
    assert all(one.probability > one.own for one in found)
    assert verdict.doubts(models, truth.tolist(), 250) == []


def test_models_count_alike_however_sure_they_say_they_are():
    truth = np.arange(300) % 3
    given = np.where(np.arange(300) % 10, truth, (truth + 1) % 3).tolist()
    # The same model, and one that says of the same rows that it is hardly sure.
    sure, unsure = answers(truth, 3, 0.9), answers(truth, 3, 0.4)
    one, other = (verdict.averaged([own], given, 300) for own in (sure, unsure))
    np.testing.assert_allclose(one, other, atol=0.01)
    silent = np.zeros((300, 3), np.float32)
    np.testing.assert_allclose(verdict.averaged([sure, silent], given, 300), one, atol=1e-6)
    np.testing.assert_allclose(verdict.averaged([silent], given, 300), 1 / 3)


def test_rows_of_rare_classes_are_not_judged():
    truth = np.array([0, 1] * 100 + [2] * (FEWEST_ROWS - 1))
    given = truth.copy()
    given[0] = 1
    told = [answers(truth, 3, sure) for sure in (0.7, 0.8)]
    for model in told:
        model[200:] = [0.9, 0.05, 0.05]  # All of the rare class are taken for another.
    assert [one.row for one in verdict.doubts(told, given.tolist(), len(truth))] == [0]
    assert suspecting.few_rows(given.tolist(), ["a", "b", "c", "d"]) == {"c": 9, "d": 0}


# --- on the bundled sample ----------------------------------------------------------------------


def flipped(rows, share, of, seed=0):
    """The rows with a share of their labels changed, and which were.

    Args:
        of: label -> the labels that it is mistaken for.
    """
    generator = random.Random(seed)
    chosen = set(generator.sample(range(len(rows)), round(share * len(rows))))
    labels = [
        generator.choice(of(label)) if row in chosen else label
        for row, label in enumerate(rows.labels)
    ]
    return Rows(rows.texts, tuple(labels), others=rows.others), chosen


def any_other(label):
    return [other for other in range(4) if other != label]


def next_one(label):
    """A class is mistaken for one other, as classes that are alike are."""
    return [(label + 1) % 4]


@pytest.fixture(scope="module")
def clean():
    """A task whose labels are right, and whose texts tell them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "NOISE", 0.0)
        patch.setattr(sample, "VAGUE", 0.0)
        train, validation, test = sample.generate("en", (480, 120, 60))
    return train, validation, test


@pytest.mark.parametrize("kind", [any_other, next_one])
def test_most_flipped_labels_are_found_and_most_that_is_found_was_flipped(clean, kind):
    from suite.config.task import find_task
    from suite.data.load import describe

    train, wrong = flipped(clean[0], 0.1, kind)
    task = sample.sample_task(find_task("agnews")[0])
    data = describe(train, *clean[1:], task.label_names, source="a test")
    found = suspecting.suspects(
        task, data, globs=[suspecting.WORDS, suspecting.OTHER], scores=kind is any_other
    )
    there = {int(one.place.rsplit(" ", 1)[1]) - 1 for one in found.found if one.part == "train"}
    every = len(found.found)
    hits = len(there & wrong)
    print(f"{hits} of {len(wrong)} found, {every} listed")
    assert hits >= 0.7 * len(wrong)
    assert hits >= 0.5 * every
    assert found.arms == ["tfidf/classic", "fasttext/classic"]
    assert found.rows == {"train": 480, "validation": 120, "test": 60}
    assert {one.part for one in found.test} <= {"test"}
    assert len(found.scores) == (2 if kind is any_other else 0)
    # Test is as it was: whole, beside what leaving its suspects out would score.
    for row in found.scores:
        assert row.test.interval[0] <= row.test.macro_f1 <= row.test.interval[1]
        assert row.sure.macro_f1 >= row.test.macro_f1
        assert row.difference == pytest.approx(row.trained.macro_f1 - row.test.macro_f1)
        low, high = row.difference_interval
        assert low <= row.difference <= high and (row.p < 0.05) == (low > 0 or high < 0)


# --- where rows stand ----------------------------------------------------------------------------


def test_each_row_says_its_file_and_line(folder):
    text = "id,text,label\n"
    for number in range(30):
        # A text on two lines: rows and lines are not the same.
        text += f'{number},"text {number}\nof two lines",{"ab"[number % 2]}\n'
    (folder / "own.csv").write_text(text)
    _, data = rows_of("own.csv", others=(PLACE,))
    seen = {}
    for rows in (data.train, data.validation, data.test):
        assert len(rows.others[PLACE]) == len(rows)
        seen |= dict(zip(rows.texts, rows.others[PLACE], strict=True))
    assert len(seen) == 30
    assert seen["text 0\nof two lines"] == "own.csv, line 2"
    assert seen["text 4\nof two lines"] == "own.csv, line 10"
    assert not (folder / "tasks").exists()


def test_other_columns_come_with_their_rows(folder):
    lines = ["text,label,tier"]
    lines += [f"some text {n},{'ab'[n % 2]},{'gold' if n % 3 else ''}" for n in range(40)]
    (folder / "own.csv").write_text("\n".join(lines) + "\n")
    _, data = rows_of("own.csv", others=("tier",))
    for rows in (data.train, data.validation, data.test):
        for text, tier in zip(rows.texts, rows.others["tier"], strict=True):
            assert tier == ("gold" if int(text.split()[-1]) % 3 else None)
    with pytest.raises(DataError, match="no column 'teir'"):
        rows_of("own.csv", others=("teir",))


# --- the command, and what it refuses ------------------------------------------------------------


def write(folder, rows):
    lines = [
        json.dumps({"text": f"{'good fine' if n % 2 else 'bad poor'} {n % 7} w{n}",
                    "label": "ab"[n % 2]})
        for n in range(rows)
    ]  # fmt: skip
    (folder / "own.jsonl").write_text("\n".join(lines) + "\n")


def test_thirty_rows_are_refused(folder):
    write(folder, 30)
    said = command_line("data", "suspects", "own.jsonl", code=2).stderr
    assert "too few rows to tell wrong labels from hard texts: 24 of train" in said
    assert "Give 100 at least" in said
    said = command_line("data", "suspects", "own.jsonl", "--lang", "zh", code=2).stderr
    assert "训练集与验证集只有 24 行" in said and "至少给出 100 行" in said


def test_one_model_alone_is_refused(folder):
    write(folder, 200)
    said = command_line("data", "suspects", "own.jsonl", "--arms", "tfidf/*", code=2).stderr
    assert "tfidf alone can't tell its own blind spots from wrong labels" in said
    with pytest.raises(StudyError, match="an arm can't be asked"):
        suspecting.suspects(*rows_of("own.jsonl"), globs=["tfidf/classic", "minilm/probe"])


def test_the_command_lists_rows_and_writes_them(folder):
    write(folder, 160)
    lines = (folder / "own.jsonl").read_text().splitlines()
    row = json.loads(lines[41])
    assert row["label"] == "b"
    lines[41] = json.dumps(row | {"label": "a"})
    (folder / "own.jsonl").write_text("\n".join(lines) + "\n")
    result = command_line("data", "suspects", "own.jsonl", "--no-scores", "--out", "suspects.csv")
    assert "Suspects in train and validation" in result.stdout
    written = (folder / "suspects.csv").read_text().splitlines()
    assert written[0].startswith("part,place,text,given,likely,probability")
    assert any("own.jsonl, line 42" in line and ",a,b," in line for line in written[1:])
    said = command_line("data", "suspects", "own.jsonl", "--out", "suspects.csv", code=2).stderr
    assert "suspects.csv exists" in said
