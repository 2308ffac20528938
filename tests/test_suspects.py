"""Labels that may be wrong: what is found of labels that were flipped, what is said, what is
refused."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from conftest import command_line

from suite.contracts.strategy import Rows
from suite.contracts.suspects import FEWEST_ROWS, Suspect, Suspects
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


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_is_the_line_of_the_file_whatever_stands_in_it(folder, end):
    # Texts on several lines, empty lines, and what only looks like the end of a line.
    (folder / "own").mkdir()
    for split, rows in (("train", 40), ("test", 20)):
        written = "\ufefftext,label" + end
        for number in range(rows):
            body = f"{split} {number}"
            if number % 3 == 0:
                body += f"{end}second \u2028 half \x0b of it"
            written += f'"{body}",{"ab"[number % 2]}{end}'
            if number % 5 == 0:
                written += end
        (folder / "own" / f"{split}.csv").write_bytes(written.encode())
    (folder / "own.yaml").write_text(
        "name: own\ntitle: Own\nlanguage: en\nlabels: [{name: a}, {name: b}]\n"
        "data: {folder: own, text: [text], label: label, licence: made for the tests}\n"
        "validation: {share: 0.25, seed: 0}\n"
    )
    _, data = rows_of("own.yaml", others=(PLACE,))
    assert len(data.train) + len(data.validation) == 40 and len(data.test) == 20
    for rows in (data.train, data.validation, data.test):
        for text, place in zip(rows.texts, rows.others[PLACE], strict=True):
            file, _, line = place.rpartition(", line ")
            lines = (folder / file).read_bytes().decode().split("\n")
            first = text.split("\r")[0].split("\n")[0]
            assert f'"{first}' in lines[int(line) - 1].removesuffix("\r") + '"'
            assert lines[int(line) - 1].startswith(f'"{first}')


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


def test_one_class_and_only_rare_ones_are_refused(folder):
    write(folder, 260)
    lines = (folder / "own.jsonl").read_text().splitlines()
    rare = [json.dumps({"text": f"odd {n}", "label": f"c{n // 4}"}) for n in range(20)]
    (folder / "own.jsonl").write_text("\n".join([*lines[::2], *rare]) + "\n")
    said = command_line("data", "suspects", "own.jsonl", code=2).stderr
    assert "only 1 class with at least 10 labelled rows" in said
    (folder / "one.jsonl").write_text("\n".join(lines[::2]) + "\n")
    said = command_line("data", "suspects", "one.jsonl", code=2).stderr
    assert "Traceback" not in said and "one.jsonl" in said


def test_a_class_of_one_row_is_named_and_hinders_nothing(folder):
    write(folder, 160)
    lines = (folder / "own.jsonl").read_text().splitlines()
    alone = [json.dumps({"text": f"single {name}", "label": name}) for name in "xyz"]
    (folder / "own.jsonl").write_text("\n".join([*lines, *alone]) + "\n")
    said = command_line("data", "suspects", "own.jsonl", "--no-scores", "--json").stdout
    found = json.loads(said)
    assert set(found["few"]) == set("xyz") and max(found["few"].values()) <= 1
    assert not {one["given"] for one in found["found"] + found["test"]} & set("xyz")


def test_one_model_alone_is_refused(folder):
    write(folder, 200)
    said = command_line("data", "suspects", "own.jsonl", "--arms", "tfidf/*", code=2).stderr
    assert "tfidf alone can't tell its own blind spots from wrong labels" in said
    said = command_line("data", "suspects", "own.jsonl", "--arms", "x", code=2).stderr
    assert "an arm is model/strategy, not 'x'" in said and "--arms" in said
    with pytest.raises(StudyError, match="an arm can't be asked"):
        suspecting.suspects(*rows_of("own.jsonl"), globs=["tfidf/classic", "minilm/probe"])


def test_every_model_that_is_named_is_asked():
    from suite.config.task import find_task
    from suite.models.catalogue import load_catalogue

    task, catalogue = find_task("agnews")[0], load_catalogue()
    named = [catalogue["minilm"], catalogue["bert-base-cased"]]
    chosen = suspecting._chosen(task, catalogue, named)
    assert chosen == ["tfidf/classic", "minilm/probe", "bert-base-cased/probe"]
    assert suspecting._chosen(task, {}, []) == ["tfidf/classic", "fasttext/classic"]


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


def test_suspects_of_test_alone_have_scores_with_and_without_them(clean):
    from suite.config.task import find_task
    from suite.data.load import describe

    test, wrong = flipped(clean[2], 0.1, any_other)
    task = sample.sample_task(find_task("agnews")[0])
    data = describe(clean[0], clean[1], test, task.label_names, source="a test")
    found = suspecting.suspects(task, data, globs=[suspecting.WORDS, suspecting.OTHER])
    there = {int(one.place.rsplit(" ", 1)[1]) - 1 for one in found.test}
    assert there and len(there & wrong) >= 0.5 * len(there)
    assert len(found.scores) == 2
    for row in found.scores:
        assert row.sure.macro_f1 > row.test.macro_f1
        # Where nothing is doubted to learn from, nothing was trained without it.
        assert (row.trained is None) == (not found.found) == (row.p is None)


def test_all_that_is_written_can_be_read_again(folder):
    from suite.cli import data_suspects
    from suite.data import difficulty

    one = Suspect("train", "own.csv, line 2", "- a\nlist", "a", "b", 0.9, 0.1, 2)
    other = replace(one, text="=1+1", given="b")
    for name in ("some.csv", "some.jsonl"):
        data_suspects._write(folder / name, [one, other])
        rows = [("- a\nlist", "a"), ("=1+1", "b"), ("=1+1", "a"), ("- a", "a")]
        hashes = [difficulty.row_hash(text, label) for text, label in rows]
        assert difficulty.suspected(folder / name, hashes).tolist() == [1, 1, 0, 0]
    data_suspects._write(folder / "none.csv", [])
    assert (folder / "none.csv").read_text().startswith("part,place,text,given,")


def test_no_more_are_shown_than_asked_for(folder, monkeypatch):
    write(folder, 200)
    one = Suspect("train", "own.jsonl, line 2", "some text", "a", "b", 0.9, 0.1, 2)
    listed = [replace(one, place=f"own.jsonl, line {line}") for line in range(2, 32)]
    made = Suspects("own", "file own.jsonl", "f", ["a/b"], 5, {"train": 150, "validation": 10,
                    "test": 40}, {}, listed, listed[:3])  # fmt: skip
    monkeypatch.setattr(suspecting, "suspects", lambda *rest, **named: made)
    words = ("data", "suspects", "own.jsonl")
    assert len(json.loads(command_line(*words, "--json").stdout)["found"]) == 30
    some = json.loads(command_line(*words, "--json", "--limit", "2").stdout)
    assert [len(some["found"]), len(some["test"])] == [2, 2]
    shown = command_line(*words, "--out", "all.jsonl").stdout
    assert shown.count("own.jsonl, line") == 20 + 3 and "Labels of test met answers" in shown
    assert len((folder / "all.jsonl").read_text().splitlines()) == 33
    assert command_line(*words, "--limit", "1").stdout.count("own.jsonl, line") == 2
    assert command_line(*words).stdout.count("own.jsonl, line") == 33
