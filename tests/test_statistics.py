"""Which differences are chance, with literal numbers."""

import numpy as np
import pytest

from suite import statistics


def test_macro_f1_counts_only_classes_that_occur():
    confusion = np.array([[8.0, 2.0, 0.0], [1.0, 9.0, 0.0], [0.0, 0.0, 0.0]])
    # F1 of the first: 16/19, of the second: 18/21.
    assert statistics.macro_f1(confusion) == pytest.approx((16 / 19 + 18 / 21) / 2)


def test_holm_is_step_down_and_monotone():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert statistics.holm([]) == []


def _answers(labels, wrong):
    """Predictions that are right but on these rows."""
    return [[1 - y if i in wrong else y for i, y in enumerate(labels)]]


def test_a_clear_difference_is_none_of_chance():
    labels = [i % 2 for i in range(1000)]
    intervals, [difference] = statistics.compare(
        labels,
        {"good": _answers(labels, range(50)), "bad": _answers(labels, range(200))},
        2,
        resamples=1000,
    )
    assert intervals["good"].value == pytest.approx(0.95, abs=1e-3)
    assert intervals["good"].low < 0.95 < intervals["good"].high
    # The standard error of a rate of .95 on 1,000 rows is .0069.
    assert intervals["good"].high - intervals["good"].low == pytest.approx(4 * 0.0069, rel=0.2)
    assert (difference.a, difference.b) == ("good", "bad")
    assert difference.p < 0.005
    ranks = statistics.ranks({"good": 0.95, "bad": 0.8}, [difference])
    assert ranks == {"good": 1, "bad": 2}


def test_a_difference_of_two_rows_is_chance_and_shares_the_rank():
    labels = [i % 2 for i in range(1000)]
    _, [difference] = statistics.compare(
        labels,
        {"a": _answers(labels, range(50)), "b": _answers(labels, range(20, 72))},
        2,
        resamples=1000,
    )
    assert difference.p > 0.05
    assert statistics.ranks({"a": 0.95, "b": 0.948}, [difference]) == {"a": 1, "b": 1}


def test_pairing_sees_what_two_intervals_do_not():
    """Ten more of 1,000 rows, on top of the same mistakes: intervals overlap, the pair tells."""
    labels = [i % 2 for i in range(1000)]
    intervals, [difference] = statistics.compare(
        labels,
        {"a": _answers(labels, range(100)), "b": _answers(labels, range(110))},
        2,
        resamples=2000,
    )
    assert intervals["a"].low < intervals["b"].high
    assert difference.p < 0.05


def test_equal_arms_have_p_of_one():
    labels = [0, 1] * 50
    _, [difference] = statistics.compare(
        labels, {"a": _answers(labels, {3}), "b": _answers(labels, {3})}, 2, resamples=200
    )
    assert difference.p == 1.0 and difference.value == 0


def test_seeds_widen_the_interval():
    labels = [i % 2 for i in range(400)]
    one = statistics.compare(labels, {"a": _answers(labels, range(40))}, 2, resamples=800)
    seeds = [_answers(labels, range(k))[0] for k in (10, 40, 70)]
    three = statistics.compare(labels, {"a": seeds}, 2, resamples=800)
    width = [r[0]["a"].high - r[0]["a"].low for r in (one, three)]
    assert three[0]["a"].value == pytest.approx(0.9, abs=2e-3)
    assert width[1] > width[0]


def test_the_same_seed_gives_the_same_interval():
    labels = [i % 2 for i in range(100)]
    results = [
        statistics.compare(labels, {"a": _answers(labels, range(9))}, 2, resamples=100, seed=5)
        for _ in range(2)
    ]
    assert results[0] == results[1]


def test_rows_without_an_answer_count_as_wrong():
    labels = [i % 2 for i in range(200)]
    silent = [[-1 if i < 100 else y for i, y in enumerate(labels)]]
    intervals, [difference] = statistics.compare(
        labels, {"right": [labels], "silent": silent}, 2, resamples=200
    )
    assert intervals["right"].value == pytest.approx(1.0)
    assert intervals["silent"].value == pytest.approx(2 / 3)  # precision 1, recall 1/2
    assert difference.a == "right" and difference.p < 0.05
