"""Near duplicates: held to Jaccard's own definition, in English and Chinese, and bounded."""

from __future__ import annotations

import random

import numpy as np

from suite.contracts.strategy import Rows
from suite.data import near
from suite.data.audit import audit, near_train, normalise

LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: Common characters, and enough of them that texts of them are strangers.
CHARACTERS = [chr(code) for code in range(0x4E00, 0x4E00 + 2000)]


def drawn(seed: int, count: int, chinese: bool = False) -> list[list[str]]:
    """Texts as their words, of which a few can be changed."""
    random_ = random.Random(seed)
    words = ["".join(random_.choices(LETTERS, k=random_.randint(2, 9))) for _ in range(4000)]
    if chinese:
        words = ["".join(random_.choices(CHARACTERS, k=2)) for _ in range(4000)]
    return [random_.choices(words, k=random_.randint(20, 60)) for _ in range(count)]


def changed(text: list[str], count: int, random_: random.Random) -> list[str]:
    found = list(text)
    for place in random_.sample(range(len(found)), count):
        found[place] = random_.choice(["新闻", "天气"] if found[0][0] > "z" else ["quite", "other"])
    return found


def shared(one: str, other: str) -> float:
    """Jaccard's share of what two texts have in common, of four bytes each: the second way."""
    sets = [
        {text[i : i + 4] for i in range(len(text) - 3)}
        for text in (normalise(one).encode(), normalise(other).encode())
    ]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def signed(texts: list[str]) -> near.Signatures:
    return near.signatures([normalise(text) for text in texts])


def recall(chinese: bool) -> tuple[float, float, int]:
    """Of texts with a word changed here and there: the share found of those that share .85 and
    more, of those that share .7 and less, and how many the former are."""
    random_ = random.Random(5)
    words = drawn(1, 800, chinese)
    join = ("" if chinese else " ").join
    texts = [join(text) for text in words]
    copies = [join(changed(text, random_.choice([1, 1, 2, 12]), random_)) for text in words]
    found = near.held(signed(copies), signed(texts))
    shares = np.array([shared(text, copy) for text, copy in zip(texts, copies)])
    return found[shares >= 0.85].mean(), found[shares <= 0.7].mean(), int((shares >= 0.85).sum())


def test_near_duplicates_are_found():
    found, wrong, count = recall(chinese=False)
    assert count > 300
    assert found >= 0.99, found
    assert wrong <= 0.01, wrong


def test_near_duplicates_are_found_in_chinese():
    found, wrong, count = recall(chinese=True)
    assert count > 300
    assert found >= 0.99, found
    assert wrong <= 0.01, wrong


def test_strangers_are_not_near():
    for chinese in (False, True):
        join = ("" if chinese else " ").join
        texts = [join(text) for text in drawn(2, 1500, chinese)]
        assert not near.repeated(signed(texts)).any()


def test_short_and_empty_texts_are_compared_too():
    texts = ["", "a", "ok", "ok!", "好", "好。", "a much longer one than those"]
    assert near.repeated(signed(texts)).tolist() == [False] * 3 + [True, False, True, False]
    assert near.held(signed([]), signed(texts)).tolist() == []
    assert near.held(signed(texts), signed([])).tolist() == [False] * 7


def test_batches_change_nothing(monkeypatch):
    texts = [" ".join(text) for text in drawn(3, 100)]
    whole = signed(texts)
    monkeypatch.setattr(near, "_BATCH", 7)
    assert (signed(texts) == whole).all()


def test_the_audit_tells_near_duplicates_within_and_across_splits():
    random_ = random.Random(7)
    words = drawn(4, 60)
    train = [" ".join(text) for text in words[:40]]
    train.append(" ".join(changed(words[0], 1, random_)))
    nearly = [" ".join(changed(words[row], 1, random_)) for row in (3, 4)]
    test = [train[5], *nearly, *(" ".join(text) for text in words[40:])]
    rows = Rows(tuple(test), tuple([0, 1] * 11 + [0]))
    training = Rows(tuple(train), tuple([0, 1] * 20 + [0]))
    found = audit(training, rows.take([7, 8]), rows, ["a", "b"])
    assert (found.test_in_train, found.test_near_train) == (1, 3)
    assert (found.splits["train"].near_duplicates, found.splits["test"].near_duplicates) == (1, 0)
    assert found.validation_near_train == 0
    assert "2 more test texts are nearly in train: a few words differ" in found.warnings
    assert "1 train text nearly repeats an earlier one" in found.warnings
    assert near_train(training, rows) == [True] * 3 + [False] * 20


def test_rows_beyond_the_bound_are_said_and_not_compared(monkeypatch):
    monkeypatch.setattr(near, "MOST_ROWS", 3)
    rows = Rows(("one text", "another one", "a third", "one text"), (0, 1, 0, 1))
    found = audit(rows, rows.take([]), rows, ["a", "b"])
    assert found.near_rows == 3
    assert found.splits["train"].near_duplicates == 0
    assert near_train(rows, rows) == [True, True, True, False]


def test_finals_say_what_arms_score_without_the_rows_that_train_nearly_holds():
    from types import SimpleNamespace

    from report_studies import EN, ZH, study

    from suite.report.pages.answer import without_near
    from suite.study.far_rows import with_far_rows
    from suite.verdict.metrics import METRICS

    results = study()
    finals = results.finals[:1]
    arm = finals[0].arm
    labels, answers = [0, 1, 0, 1], {arm: [[0, 1, 1, 1], [0, 1, 0, 0]]}
    near_ones = [True, True, False, False]
    (found,) = with_far_rows(finals, labels, answers, near_ones, 2, METRICS["accuracy"], {})
    far = found.test_without_near_duplicates
    assert (far.rows, far.left_out, far.objective.value) == (2, 2, 0.5)
    assert far.macro_f1 == (1 / 3 + 1 / 3) / 2
    for none in ([False] * 4, [True] * 4):
        assert with_far_rows(finals, labels, answers, none, 2, METRICS["accuracy"], {}) == finals
    told = without_near(SimpleNamespace(finals=[found]), EN)
    assert told.startswith("Without the 2 test rows that training nearly held: ")
    assert "2" in without_near(SimpleNamespace(finals=[found]), ZH)
    assert without_near(results, EN) == ""
    # Changes that nobody would read are told together.
    score = far.objective.value + 0.0004
    alike = SimpleNamespace(
        arm=arm, test=SimpleNamespace(score=score), test_without_near_duplicates=far
    )
    assert without_near(SimpleNamespace(finals=[alike]), EN) == (
        "Without the 2 test rows that training nearly held, no score changes by more than 0.001."
    )
