"""The metrics: literal numbers, agreement with scikit-learn, and no need of a home or a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

os.environ["HF_HUB_OFFLINE"] = "1"

from sklearn.metrics import f1_score, precision_recall_fscore_support

from suite.contracts.deciding import Value
from suite.contracts.objective import ObjectiveName
from suite.contracts.results import Objective
from suite.errors import ModelError
from suite.verdict import of_confusion, scoring
from suite.verdict.metrics import METRICS, objective_of
from suite.verdict.worth import Worth

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


def test_rows_are_counted_once_for_all_scores(monkeypatch):
    counted, before = [], of_confusion.counted

    def watched(*words):
        counted.append(words)
        return before(*words)

    monkeypatch.setattr(of_confusion, "counted", watched)
    scores = scoring.score(PREDICTED, LABELS, classes=3)
    assert len(counted) == 1
    for name, metric in METRICS.items():
        if metric.of_confusion is not None:
            alone = scoring.Score(metric).compute(
                predictions=PREDICTED, references=LABELS, classes=3
            )
            assert alone == {name: metric.of(scores)}


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
    assert json.loads(json.dumps(asdict(scores))) == asdict(scores)


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


def _drawn(seed: int, classes: int, unanswered: float) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions of 400 rows; the last class occurs nowhere, the one before it is only
    predicted."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes - 2, 400)
    predicted = np.where(random.random(400) < 0.6, labels, random.integers(0, classes - 1, 400))
    return labels, np.where(random.random(400) < unanswered, -1, predicted)


def _scikit_learn(labels: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Each metric a second way; no answer is a value that names no class."""
    from sklearn import metrics

    occurring = sorted({*labels.tolist(), *predicted.tolist()} - {-1})

    def averaged(name: str, average: str) -> float:
        function = getattr(metrics, name)
        return function(labels, predicted, labels=occurring, average=average, zero_division=0)

    return {
        "macro_f1": averaged("f1_score", "macro"),
        "micro_f1": averaged("f1_score", "micro"),
        "weighted_f1": averaged("f1_score", "weighted"),
        "precision": averaged("precision_score", "macro"),
        "recall": averaged("recall_score", "macro"),
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "mcc": metrics.matthews_corrcoef(labels, predicted),
    }


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize(("classes", "unanswered"), [(4, 0.0), (4, 0.3), (12, 0.1), (3, 1.0)])
def test_each_metric_of_a_confusion_matrix_is_scikit_learns(classes, unanswered):
    for seed in range(5):
        labels, predicted = _drawn(seed, classes, unanswered)
        known = _scikit_learn(labels, predicted)
        matrix = of_confusion.counted(labels, predicted, classes)
        ours = {k: float(m.of_confusion(matrix)) for k, m in METRICS.items() if m.of_confusion}
        assert ours == pytest.approx(known)
        scores = scoring.score(predicted, labels.tolist(), classes)
        assert {k: METRICS[k].of(scores) for k in known} == pytest.approx(known)


def test_many_matrices_at_once_are_scored_as_one_by_one():
    stack = np.stack([of_confusion.counted(*_drawn(seed, 5, 0.2), 5) for seed in range(12)])
    stack = stack.reshape(3, 4, 5, 6)
    for metric in METRICS.values():
        if metric.of_confusion is not None:
            together = metric.of_confusion(stack)
            one_by_one = [[float(metric.of_confusion(m)) for m in row] for row in stack]
            assert together.shape == (3, 4)
            assert together == pytest.approx(np.array(one_by_one)), metric.key


def test_unanswered_rows_stand_beside_the_confusion_matrix():
    """Nine tenths are not answered, and of what was, .83 is right: that is no .83 of its class."""
    predicted = np.array([0] * 5 + [1] + [-1] * 54 + [1] * 60)
    scores = scoring.score(predicted, [0] * 60 + [1] * 60, classes=2)
    assert scores.confusion == [[5, 1], [0, 60]]
    assert scores.unanswered == [54, 0]
    assert scores.recall == pytest.approx((5 / 60 + 1) / 2)


def test_probabilities_are_scored_as_by_scikit_learn():
    from sklearn.metrics import brier_score_loss, log_loss

    random = np.random.default_rng(3)
    labels = random.integers(0, 4, 300)
    probabilities = random.dirichlet(np.ones(4), 300).astype(np.float32)
    scores = scoring.score(probabilities, labels.tolist(), classes=4)
    known = log_loss(labels, probabilities, labels=range(4))
    assert scores.others["log_loss"] == pytest.approx(known, rel=1e-5)
    known = brier_score_loss(labels, probabilities, labels=range(4), scale_by_half=False)
    assert scores.others["brier"] == pytest.approx(known, rel=1e-5)


def test_a_row_of_zeros_is_scored_as_the_even_guess():
    sure_and_wrong = np.array([[0.0, 1.0, 0.0, 0.0]], dtype=np.float32)
    scores = scoring.score(np.zeros((1, 4), dtype=np.float32), [0], classes=4)
    assert scores.others["log_loss"] == pytest.approx(np.log(4))
    assert scores.others["brier"] == pytest.approx(0.75)
    worse = scoring.score(sure_and_wrong, [0], classes=4)
    assert worse.others["log_loss"] == pytest.approx(15.94, abs=0.01)
    assert worse.others["brier"] == pytest.approx(2.0)
    # Class indices have no probabilities.
    assert "log_loss" not in scoring.score(np.array([0]), [0], classes=4).others


def test_every_objective_is_a_metric_of_confusion_matrices_or_a_mean_over_rows():
    """Arms are compared over rows, by what each adds to a confusion matrix or to a mean."""
    of_rows = {key for key, metric in METRICS.items() if metric.of_rows}
    of_confusion = {key for key, metric in METRICS.items() if metric.of_confusion}
    assert of_rows == {"log_loss", "brier", "aurc"} and not of_rows & of_confusion
    # What a row adds to an area over ranks depends on the others: arms are not compared by it.
    shown = {"precision", "recall", "aurc"}
    # What answers are worth is a mean over rows where a recipe says it, and nothing elsewhere.
    worth = Worth.of(Value(wrong=-5), ["a", "b"])
    assert objective_of("value", worth).of_rows and not objective_of("value").of_rows
    assert set(get_args(ObjectiveName)) == ((of_rows | of_confusion) - shown) | {"value"}


def test_aurc_is_small_where_a_model_knows_when_it_errs():
    labels = [0, 1, 0, 1]
    knows = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.45, 0.55]])
    # Right, right, wrong, right, the surest first: (0 + 0 + 1/3 + 1/4) / 4.
    assert scoring.score(knows, labels, 2).others["aurc"] == pytest.approx((1 / 3 + 1 / 4) / 4)
    boasts = knows.copy()
    boasts[2] = [0.01, 0.99]
    assert scoring.score(boasts, labels, 2).others["aurc"] == pytest.approx(
        (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4
    )
    # A class each and no probabilities: the error itself, whatever the order of the rows.
    sure = np.eye(2)[knows.argmax(axis=1)]
    assert scoring.score(sure, labels, 2).others["aurc"] == pytest.approx(0.25)


def test_the_objective_is_named_beside_macro_f1():
    scores = scoring.score(PREDICTED, LABELS, classes=3, objective="mcc")
    assert scores.objective == Objective("mcc", scores.others["mcc"])
    assert (scores.score, scores.macro_f1) == (scores.others["mcc"], pytest.approx(59 / 90))
