"""The metrics: literal numbers, agreement with scikit-learn, and no need of a home or a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ["HF_HUB_OFFLINE"] = "1"

from sklearn.metrics import f1_score, precision_recall_fscore_support

from suite.errors import ModelError
from suite.verdict import scoring

LABELS = [0, 0, 0, 1, 1, 2]
PREDICTED = np.array([0, 0, 1, 1, 2, 2])


def test_literal_numbers():
    scores = scoring.score(PREDICTED, LABELS, classes=3)
    # F1 by class: 2·2/(2+3), 2·1/(2+2), 2·1/(2+1)
    assert scores.per_class_f1 == pytest.approx([4 / 5, 1 / 2, 2 / 3])
    assert scores.macro_f1 == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.precision == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert scores.recall == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert scores.confusion == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]


def test_a_class_that_occurs_nowhere_is_left_out_of_the_averages():
    without = scoring.score(PREDICTED, LABELS, classes=3)
    with_two_more = scoring.score(PREDICTED, LABELS, classes=5)
    assert with_two_more.macro_f1 == without.macro_f1
    assert with_two_more.precision == without.precision
    assert with_two_more.recall == without.recall
    assert with_two_more.per_class_f1 == [*without.per_class_f1, 0.0, 0.0]
    assert with_two_more.confusion[3] == [0, 0, 0, 0, 0]
    assert [len(row) for row in with_two_more.confusion] == [5] * 5


def test_a_class_only_predicted_counts_as_zero():
    scores = scoring.score(np.array([0, 0, 3]), [0, 0, 0], classes=5)
    assert scores.macro_f1 == pytest.approx((4 / 5 + 0) / 2)
    assert scores.recall == pytest.approx((2 / 3 + 0) / 2)


def test_as_scikit_learn_on_many_classes():
    random = np.random.default_rng(0)
    labels = random.integers(0, 98, 1749)  # 98 of 119 classes occur
    predicted = np.where(random.random(1749) < 0.5, labels, random.integers(0, 98, 1749))
    scores = scoring.score(predicted, labels.tolist(), classes=119)
    assert scores.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))
    precision, recall, _, _ = precision_recall_fscore_support(
        labels, predicted, average="macro", zero_division=0
    )
    assert (scores.precision, scores.recall) == (pytest.approx(precision), pytest.approx(recall))
    assert sum(map(sum, scores.confusion)) == 1749
    assert len(scores.per_class_f1) == 119


def test_probabilities_are_decided_by_the_largest():
    probabilities = np.array([[0.2, 0.7, 0.1], [0.5, 0.4, 0.1]], dtype=np.float32)
    scores = scoring.score(probabilities, [1, 1], classes=3)
    assert scores.confusion == [[0, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_plain_json():
    scores = scoring.score(PREDICTED.astype(np.int64), LABELS, classes=3)
    assert json.loads(json.dumps(scores.__dict__)) == scores.__dict__


def test_diverged_probabilities_are_refused():
    with pytest.raises(ModelError, match="not finite"):
        scoring.score(np.array([[np.nan, np.nan]]), [0], classes=2)


@pytest.mark.parametrize(
    ("predicted", "labels", "classes"),
    [
        (np.array([0, 1]), [0], 2),
        (np.array([0, 2]), [0, 1], 2),
        (np.array([0, 1]), [0, -1], 2),
        (np.array([0.0, 1.0]), [0, 1], 2),
        (np.array([], dtype=np.int64), [], 2),
        (np.array([[0.5, 0.5]]), [0], 3),
    ],
)
def test_what_does_not_fit_is_refused(predicted, labels, classes):
    with pytest.raises(ValueError):
        scoring.score(predicted, labels, classes=classes)


def test_offline_and_with_an_unwritable_home(tmp_path):
    """In a child whose home can't be written (/dev/null holds no folders, not even for root)."""
    hidden = ("HF_HOME", "HF_METRICS_CACHE", "HF_DATASETS_CACHE", "XDG_CACHE_HOME")
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    environment |= {"HOME": "/dev/null/home", "HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    code = (
        "import evaluate, numpy as np\n"
        "from suite.verdict import scoring\n"
        "from suite.verdict.metrics import METRICS\n"
        "two = [METRICS['macro_f1'], METRICS['accuracy']]\n"
        "both = evaluate.combine([scoring.Score(metric) for metric in two])\n"
        "both.add_batch(predictions=[0, 1], references=[0, 0])\n"
        "both.add_batch(predictions=[1, 1], references=[1, 1])\n"
        "print(both.compute(classes=2))\n"
        "print(scoring.score(np.array([0, 1, 1, 1]), [0, 0, 1, 1], classes=2).macro_f1)\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert child.returncode == 0, child.stderr
    combined, alone = child.stdout.splitlines()[-2:]
    expected = (2 / 3 + 4 / 5) / 2
    assert eval(combined) == {"macro_f1": pytest.approx(expected), "accuracy": 0.75}
    assert float(alone) == pytest.approx(expected)
    assert list(tmp_path.iterdir()) == []


def test_no_answer_is_wrong_and_no_class():
    probabilities = np.array([[0.9, 0.1], [0.0, 0.0], [0.2, 0.8], [0.0, 0.0]])
    assert scoring.decide(probabilities).tolist() == [0, -1, 1, -1]
    scores = scoring.score(probabilities, [0, 0, 1, 1], classes=2)
    # Each class: one hit, one row not answered: precision 1, recall 1/2, F1 2/3.
    assert scores.macro_f1 == pytest.approx(2 / 3)
    assert scores.precision == pytest.approx(1.0)
    assert scores.recall == pytest.approx(0.5)
    assert scores.accuracy == pytest.approx(0.5)
    assert scores.confusion == [[1, 0], [0, 1]]
    nothing = scoring.score(np.zeros((3, 2)), [0, 1, 1], classes=2)
    assert (nothing.macro_f1, nothing.accuracy) == (0.0, 0.0)
    with pytest.raises(ValueError, match="outside"):
        scoring.score(np.array([-2, 0]), [0, 0], classes=2)
