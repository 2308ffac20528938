"""An arm that names one class far more often than it occurs is named, with what would help."""

import dataclasses
from types import SimpleNamespace

import pytest

from suite.report.pages.leanings import leanings
from suite.report.words import words_of
from suite.verdict.leaning import LEAST, leaning


def test_the_class_that_is_named_most_too_often_is_found():
    # 60 rows of three classes; all but ten are called the second.
    found = leaning([[4, 16, 0], [0, 20, 0], [0, 14, 6]])
    assert (found.label, found.named, found.occurs) == (1, 50 / 60, 20 / 60)
    # A class that is most of the rows is rightly named often.
    assert leaning([[54, 0], [3, 3]]) is None
    # Rows without an answer occur, and name nothing.
    assert leaning([[5, 5], [0, 10]], unanswered=[80, 0]) is None
    assert leaning([[0, 0], [0, 0]]) is None
    least = leaning([[50, 0], [int(100 * LEAST), 20]])
    assert least is not None and least.named - least.occurs == pytest.approx(LEAST)


def test_it_is_said_with_what_would_help():
    from suite.contracts.results import Scores

    def place(arm, confusion):
        scores = Scores(0.3, 0.3, 0.3, 0.3, [0.3, 0.3], confusion)
        return SimpleNamespace(arm=arm, validation=scores)

    arms = [SimpleNamespace(arm="jev/zero_shot", family="decision")]
    results = SimpleNamespace(labels=["ham", "spam"], arms=arms)
    fair, leans = [[18, 2], [1, 19]], [[20, 0], [18, 2]]

    def told(*places, language="en"):
        board = SimpleNamespace(standing=SimpleNamespace(places=places))
        return leanings(results, board, words_of(language))

    assert told(place("tfidf/classic", fair)) == ""
    asked = told(place("tfidf/classic", fair), place("m/zero_shot+no_think", leans))
    assert "m/zero_shot+no_think names ham for 95.0% of the rows, and 50.0% are it" in asked
    assert "calibration: batch" in asked and "more passes" not in asked
    both = told(place("m/sft", leans), place("m/zero_shot", leans))
    assert "more passes" in both and "calibration: batch" in both
    decided = told(place("jev/zero_shot", leans))
    assert "form: yes_no" in decided and "calibration" not in decided
    assert "95.0%" in told(place("m/sft", leans), language="zh")
    silent = dataclasses.replace(place("m/sft", leans).validation, unanswered=[400, 0])
    assert told(SimpleNamespace(arm="m/sft", validation=silent)) == ""


def test_what_a_prompt_takes_is_said_of_arms_that_ask():
    from suite.report.pages.read_tokens import read_tokens

    facts = [
        {"prompt_tokens_per_text": 145.26, "tokens_read_per_text": 104.5},
        {"prompt_tokens_per_text": 130},
        {"prompt_tokens_per_text": "many", "tokens_read_per_text": True},
    ]
    trials = [
        SimpleNamespace(number=n, arm=f"m{n}/zero_shot", circumstances=own)
        for n, own in enumerate(facts)
    ]
    rows = [SimpleNamespace(arm=f"m{n}/zero_shot", trial=n) for n in (0, 1, 2)]
    rows.append(SimpleNamespace(arm="tfidf/classic", trial=None))
    results, board = SimpleNamespace(trials=trials), SimpleNamespace(rows=rows)
    told = read_tokens(results, board, words_of("en"))
    assert "m0/zero_shot 145, of which 104 are read anew" in told
    assert "m1/zero_shot 130" in told and "m2" not in told and "tfidf" not in told
    assert "m0/zero_shot 为 145" in read_tokens(results, board, words_of("zh"))
    assert read_tokens(results, SimpleNamespace(rows=rows[2:]), words_of("en")) == ""
