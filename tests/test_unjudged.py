"""Every metric and every class has an interval, by the law of the objective's, and no verdict."""

import numpy as np
import pytest

from suite.verdict import comparison, confusions, of_confusion, unjudged
from suite.verdict.metrics import METRICS

LABELS = [0] * 60 + [1] * 30 + [2] * 10


def _answers(seed, right=0.8):
    draws = np.random.default_rng(seed)
    truth = np.array(LABELS)
    return np.where(draws.random(100) < right, truth, draws.integers(-1, 3, 100))


def test_scores_of_margins_are_as_without_them_also_with_a_row_left_out():
    """The quick way and the general one, for every metric of a confusion matrix."""
    for metric in METRICS.values():
        if metric.of_confusion is None:
            continue
        quick = confusions.trained(LABELS, [_answers(1)], 3, metric.of_confusion)
        general = confusions.trained(
            LABELS, [_answers(1)], 3, lambda matrix, of=metric.of_confusion: of(matrix)
        )
        assert quick.pulls == pytest.approx(general.pulls, abs=1e-12), metric.key


def test_the_objectives_interval_is_the_same_by_either_way():
    answers = {"a": [_answers(1), _answers(2)], "b": [_answers(3, 0.6)]}
    found = unjudged.of_metrics(LABELS, answers, 3, METRICS.values(), {"b"})
    compared = comparison.compare(LABELS, answers, 3, deterministic={"b"})
    assert found["macro_f1"] == compared.intervals
    assert set(found) == {key for key, metric in METRICS.items() if metric.of_confusion}
    for of in found.values():
        for interval in of.values():
            assert interval.low < interval.value < interval.high


def test_accuracy_of_a_single_predictor_has_wilsons_interval():
    """80 of 100: Wilson's form with 1.96 has .711 to .867; here rows are 99 and it is 1.98."""
    right = [label if row >= 20 else (label + 1) % 3 for row, label in enumerate(LABELS)]
    found = unjudged.of_metrics(LABELS, {"a": [right]}, 3, [METRICS["accuracy"]], {"a"})
    interval = found["accuracy"]["a"]
    assert (interval.value, round(interval.low, 3), round(interval.high, 3)) == (0.8, 0.709, 0.868)


def test_a_correlation_below_nothing_has_an_interval_below_nothing():
    """What it lies between is the metric's own to say: -1 and 1, not 0 and 1."""
    answers = {"a": [np.random.default_rng(5).integers(0, 3, 100)]}
    interval = unjudged.of_metrics(LABELS, answers, 3, [METRICS["mcc"]], {"a"})["mcc"]["a"]
    assert interval.low < -0.05 and interval.high > 0.05


def test_classes_have_their_own_intervals_and_none_where_there_is_nothing():
    answers = {"a": [[0] * 60 + [1] * 30 + [-1] * 10], "b": [_answers(4)]}
    found = [unjudged.of_class(LABELS, answers, index, {"a", "b"}) for index in range(4)]
    first, second, third, nowhere = (of["a"] for of in found)
    assert (first.f1.value, first.f1.high, first.recall.value) == (1, 1, 1)
    # All right of 60, of 30: Wilson has a width where nothing is wrong, the less the more rows.
    assert second.recall.low < first.recall.low < 1
    assert (third.recall.value, third.recall.low, third.precision) == (0, 0, None)
    assert nowhere == unjudged.OfClass(None, None, None)
    matrix = of_confusion.counted(LABELS, answers["b"][0], 4)
    for index, one in enumerate(of["b"] for of in found[:3]):
        assert one.f1.value == pytest.approx(of_confusion.per_class_f1(matrix)[index])
        assert one.f1.low < one.f1.value < one.f1.high
        assert one.precision.value == pytest.approx(of_confusion.per_class_precision(matrix)[index])


def test_trainings_that_scatter_make_a_classs_interval_wider():
    same = {"a": [_answers(1)] * 3}
    apart = {"a": [_answers(1, right) for right in (0.6, 0.8, 0.95)]}
    widths = []
    for answers in (same, apart):
        one = unjudged.of_class(LABELS, answers, 0)["a"].f1
        widths.append(one.high - one.low)
    assert widths[1] > 1.5 * widths[0]
