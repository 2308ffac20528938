"""The bundled sample: the same everywhere, clean, and hard in the ways it claims to be."""

import pytest
from conftest import effort

from suite.contracts.language import LANGUAGES
from suite.contracts.task import Task
from suite.data import sample
from suite.errors import DataError

ENGLISH, CHINESE = sample.words_of("en"), sample.words_of("zh")
TASK = {
    "name": "agnews",
    "title": "AG News",
    "language": "en",
    "labels": [{"name": "a"}, {"name": "b"}],
    "data": {"hub": {"id": "owner/name"}, "licence": "theirs"},
    "references": [{"model": "m", "metric": "accuracy", "value": 0.9, "source": "s"}],
    "latency_bound_ms": 250,
}


@pytest.fixture(scope="module")
def english():
    return sample.generate("en")


@pytest.fixture(scope="module")
def chinese():
    return sample.generate("zh")


def test_the_rows_are_the_same_everywhere():
    # Literal fingerprints: no library, machine or Python may change the sample unseen.
    assert sample.sample_data("en").facts.fingerprint == "0694cc63adf025d6"
    assert sample.sample_data("zh").facts.fingerprint == "954698ef0125c79a"
    assert sample.sample_data("en", seed=1).facts.fingerprint not in (
        "0694cc63adf025d6",
        "954698ef0125c79a",
    )


def test_a_prefix_of_the_sizes_asked_for():
    train, validation, test = sample.generate("zh", (8, 4, 12), seed=5)
    assert (len(train), len(validation), len(test)) == (8, 4, 12)


def test_it_takes_less_than_a_second():
    spent, _ = effort(lambda: sample.generate("en", seed=7))
    assert spent < 20


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_facts_say_what_it_is(language):
    facts = sample.sample_data(language).facts
    assert facts.sample is True
    assert facts.source == "bundled sample (generated, seed 0)"
    assert (facts.rows.train, facts.rows.validation, facts.rows.test) == (2400, 600, 1200)
    # Sentences that are made of parts may be near each other; none is another's.
    assert all("is nearly in train" in warning for warning in facts.audit.warnings)
    for split in facts.audit.splits.values():
        assert split.normalised_duplicates == 0
        assert max(split.class_counts) / split.rows < 0.27


def test_train_rows_are_nested_and_bounded():
    whole, some = sample.sample_data("en"), sample.sample_data("en", train_rows=100)
    assert some.train == whole.train.take(range(100))
    assert (some.test, some.validation) == (whole.test, whole.validation)
    assert some.facts.train_rows_of == 2400
    assert [some.train.labels.count(label) for label in range(4)] == pytest.approx([25] * 4, abs=1)
    for wrong in (3, 2401):
        with pytest.raises(DataError, match=f"--train-rows {wrong:,}"):
            sample.sample_data("en", train_rows=wrong)


def test_short_and_long_texts(english, chinese):
    for train, short, long in ((english[0], 100, 300), (chinese[0], 25, 80)):
        lengths = sorted(map(len, train.texts))
        assert lengths[len(lengths) // 2] < short
        assert lengths[int(len(lengths) * 0.9)] > long
        assert lengths[0] > 8


def test_sentences_are_filled_and_begin_in_capitals(english, chinese):
    for texts in (english[0].texts, chinese[0].texts):
        assert not any(mark in text for text in texts for mark in "{}")
    assert all(text[0].isupper() for text in english[0].texts)
    assert all("  " not in text for text in english[0].texts)


def test_words_are_shared_between_classes():
    for shared in ("record", "strike", "deal", "launch", "sign", "lose"):
        having = [t.name for t in ENGLISH.topics if any(shared in phrase for phrase in t.does)]
        assert len(having) >= 3, shared
    for shared in ("纪录", "对手"):
        having = [t.name for t in CHINESE.topics if any(shared in phrase for phrase in t.does)]
        assert len(having) >= 2, shared


def test_about_one_label_in_twenty_is_wrong(english):
    """Compounds of one class's halves can be told by rule; the rule is wrong as often as labels."""
    told = wrong = 0
    for index, topic in enumerate(ENGLISH.topics):
        compounds = {front + back for front in topic.fronts for back in topic.backs}
        others = {
            front + back
            for other in ENGLISH.topics
            if other is not topic
            for front in other.fronts
            for back in other.backs
        }
        for text, label in zip(english[0].texts, english[0].labels, strict=True):
            if (compounds - others) & set(text.lower().rstrip(".?").replace(",", "").split()):
                told += 1
                wrong += label != index
    assert told > 100
    assert 0.01 < wrong / told < 0.12


@pytest.mark.parametrize("language", ["en", "zh"])
def test_arms_differ_and_none_is_perfect(language, english, chinese):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import f1_score
    from sklearn.svm import LinearSVC

    train, _, test = english if language == "en" else chinese

    def score(**options):
        vectorizer = TfidfVectorizer(sublinear_tf=True, **options)
        model = LinearSVC(C=0.5).fit(vectorizer.fit_transform(train.texts), train.labels)
        predicted = model.predict(vectorizer.transform(test.texts))
        return f1_score(test.labels, predicted, average="macro")

    if language == "en":
        blind, sighted = score(), score(analyzer="char_wb", ngram_range=(2, 5))
    else:
        blind, sighted = score(analyzer="char"), score(analyzer="char", ngram_range=(1, 3))
    assert 0.80 < blind < 0.88
    assert blind + 0.01 < sighted < 0.93


def test_word_order_alone_tells_some_texts(english):
    """The same words in another order are another class, so half of these defeat a bag of words."""
    about = {phrase: i for i, topic in enumerate(ENGLISH.topics) for phrase in topic.about}
    turned = {}
    for text, label in zip(english[0].texts, english[0].labels, strict=True):
        if "the talk is not of" in text:
            wrong, right = text.split(" not of ")[1].split(" but of ")
            right = next(p for p in sorted(about, key=len, reverse=True) if right.startswith(p))
            turned[text] = (about[right] == label, about[wrong] == label)
    assert len(turned) > 30
    assert sum(right for right, _ in turned.values()) / len(turned) > 0.85
    assert sum(wrong for _, wrong in turned.values()) / len(turned) < 0.1


def test_the_task_that_stands_in():
    task = sample.sample_task(Task.model_validate(TASK))
    assert task.name == "agnews-sample"
    assert task.label_names == ["World", "Sports", "Business", "Sci/Tech"]
    assert task.references == []
    assert task.latency_bound_ms == 250
    assert set(task.prompt) == set(LANGUAGES)
    chinese = sample.sample_task(Task.model_validate(TASK | {"language": "zh", "name": "a" * 64}))
    assert chinese.label_names == ["国际", "体育", "财经", "科技"]
    assert len(chinese.name) == 64
