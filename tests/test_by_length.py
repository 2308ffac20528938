"""F1 by the length of texts: what is counted, when it is said, and where it is shown."""

import random
from types import SimpleNamespace

import pytest
from report_studies import BERT, FAST, study, with_lengths
from sklearn.metrics import f1_score

from suite.child.runner import _lengths
from suite.cli import tables
from suite.contracts.lengths import bucket
from suite.contracts.results import StudyResults
from suite.report.data.by_length import by_length
from suite.report.data.rows import leaderboard
from suite.report.pages.page import render_page
from suite.report.words import words_of
from suite.study import by_length as of_lengths
from suite.study import trainings_record
from suite.verdict.metrics import MACRO_F1
from suite.verdict.unjudged import of_metrics


def drawn(rows, wrong, seed):
    generator = random.Random(seed)
    labels = [generator.randrange(3) for _ in range(rows)]
    return labels, [generator.randrange(3) if generator.random() < wrong else x for x in labels]


def told(tokens, words=None, rows=120):
    labels, first = drawn(rows, 0.4, 0)
    _, second = drawn(rows, 0.2, 0)
    finals = study().finals[:2]
    answers = {finals[0].arm: [first, second], finals[1].arm: [second]}
    found = of_lengths.with_lengths(
        finals, labels, answers, {finals[0].arm: tokens}, words or [0] * rows, 3, set()
    )
    return found, labels, answers


def test_each_bucket_has_its_own_score_and_interval():
    places = [0] * 60 + [1] * 55 + [2] * 5
    found, labels, answers = told(places)
    own = found[0].by_length
    assert own.unit == "tokens"
    assert [(one.above, one.most, one.rows) for one in own.scores] == [
        (0, 510, 60),
        (510, 1022, 55),
        (1022, None, 5),
    ]
    middle = own.scores[1]
    part = slice(60, 115)
    each = [f1_score(labels[part], rows[part], average="macro") for rows in answers[found[0].arm]]
    assert middle.macro_f1 == pytest.approx(sum(each) / 2)
    wanted = of_metrics(
        labels[part], {"a": [rows[part] for rows in answers[found[0].arm]]}, 3, [MACRO_F1]
    )["macro_f1"]["a"]
    assert middle.interval == (wanted.low, wanted.high)
    assert middle.interval[0] < middle.macro_f1 < middle.interval[1]
    # Of fewer rows than ten nothing is said.
    assert (own.scores[2].macro_f1, own.scores[2].interval) == (None, None)
    # The other arm's model has no tokens: words, of which no text has many.
    assert found[1].by_length.unit == "words"
    assert [one.rows for one in found[1].by_length.scores] == [120, 0, 0]


def test_nothing_is_said_where_no_text_is_long():
    for tokens in ([0] * 120, None):
        found, *_ = told(tokens)
        assert [final.by_length for final in found] == [None, None]
    found, *_ = told(None, words=[0] * 100 + [2] * 20)
    assert [final.by_length.unit for final in found] == ["words", "words"]


def test_lengths_are_asked_of_the_model_that_has_tokens():
    asked = []

    def lengths(texts):
        asked.extend(texts)
        return [len(text.split()) for text in texts]

    texts = ["a short one", "x " * 511, "y " * 1023, "é" * 300]
    assert _lengths(SimpleNamespace(lengths=lengths), texts) == [0, 1, 2, 0]
    assert asked == texts[1:]  # a text of few bytes has few tokens
    assert _lengths(SimpleNamespace(), texts) is None
    assert of_lengths.of_words(texts, "en") == [0, 1, 2, 0]
    assert of_lengths.of_words(["字" * 511, "字" * 510], "zh") == [1, 0]
    assert bucket(1022) == 1


def test_lengths_are_kept_with_a_training():
    from test_finals import scores

    kept = {}
    storage = SimpleNamespace(set_user_attr=kept.__setitem__, user_attrs=kept)
    made = trainings_record.Training(
        trial=1, index=0, seed=2, refit=False, train_seconds=1.0, seconds=2.0, scores=scores(0.5),
        predictions=[0, 1, 1], confidences=[1.0] * 3, lengths=[0, 2, 1],
    )  # fmt: skip
    trainings_record.store(storage, "a/b", made)
    assert trainings_record.stored(storage, "a/b", trial=1, refit=False)[0].lengths == [0, 2, 1]
    (value,) = kept.values()
    del value["lengths"]  # as it was before
    assert trainings_record.stored(storage, "a/b", trial=1, refit=False)[0].lengths is None


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Macro-F1 on test by the length of texts", "511–1,022", "45 rows", "tokens"]),
        ("zh", ["测试集上按文本长度的宏平均 F1", "511–1,022", "45 条", "词元"]),
    ],
)
def test_the_page_shows_it_where_texts_are_long(language, said):
    page = render_page(with_lengths(), words_of(language))
    for one in (*said, "0.8056", "0.7001–0.8801"):
        assert one in page, one
    assert 'id="by-length"' not in render_page(study(), words_of(language))


@pytest.mark.parametrize(("language", "unit"), [("en", "words"), ("zh", "词")])
def test_the_terminal_shows_it_too(monkeypatch, language, unit):
    monkeypatch.setattr(tables, "words", lambda: words_of(language))
    rows = by_length(leaderboard(with_lengths()))
    table = tables.lengths_table(rows)
    cells = list(zip(*(column.cells for column in table.columns), strict=True))
    assert (FAST, "511–1,022", "45", "0.8056", "0.7001–0.8801", unit) in cells
    assert (FAST, "> 1,022", "5", "–", "–", unit) in cells
    assert {row[0] for row in cells} >= {BERT, FAST}
    assert by_length(leaderboard(study())) == ()


def test_results_say_it_and_are_read_back():
    found = with_lengths()
    dumped = found.to_json()
    assert dumped["finals"][0]["by_length"]["scores"][0]["rows"] == 150
    again = StudyResults.from_json(dumped)
    assert again.finals[0].by_length == found.finals[0].by_length
    del dumped["finals"][0]["by_length"]
    assert StudyResults.from_json(dumped).finals[0].by_length is None
