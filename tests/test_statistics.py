"""Which differences are chance, with literal numbers."""

import numpy as np
import pytest

from suite.verdict import changes, comparison, over_tasks
from suite.verdict.interval import Interval
from suite.verdict.settling import settling


def test_holm_is_step_down_and_monotone():
    assert changes.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert changes.holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert changes.holm([]) == []


def _answers(labels, wrong):
    """Predictions that are right but on these rows."""
    return [[1 - y if i in wrong else y for i, y in enumerate(labels)]]


def _pair(labels, a, b, **options):
    arms = {"a": a, "b": b}
    found = comparison.compare(labels, arms, 2, deterministic=arms, **options)
    return found, found.differences[0]


def test_a_clear_difference_is_none_of_chance():
    labels = [i % 2 for i in range(1000)]
    found, difference = _pair(labels, _answers(labels, range(50)), _answers(labels, range(200)))
    good = found.intervals["a"]
    assert good.value == pytest.approx(0.95, abs=1e-3)
    # The standard error of a rate of .95 on 1,000 rows is .0069.
    assert good.high - good.low == pytest.approx(4 * 0.0069, rel=0.2)
    assert (difference.a, difference.b) == ("a", "b")
    assert difference.p < 1e-9
    assert found.ranks == {"a": 1, "b": 2}


def test_a_difference_of_two_rows_is_chance_and_shares_the_rank():
    labels = [i % 2 for i in range(1000)]
    found, difference = _pair(labels, _answers(labels, range(50)), _answers(labels, range(20, 72)))
    assert difference.p > 0.05
    assert found.ranks == {"a": 1, "b": 1}


def test_pairing_sees_what_two_intervals_do_not():
    """Thirty more of 1,000 rows, on top of the same mistakes: intervals overlap, the pair tells."""
    labels = [i % 2 for i in range(1000)]
    found, difference = _pair(labels, _answers(labels, range(100)), _answers(labels, range(130)))
    assert found.intervals["a"].low < found.intervals["b"].high
    assert difference.p < 1e-6


def test_the_same_seed_gives_the_same_findings():
    labels = [i % 2 for i in range(100)]
    arms = {"a": _answers(labels, range(9)) * 2, "b": [*_answers(labels, range(7)), labels]}
    results = [comparison.compare(labels, arms, 2, seed=5) for _ in range(2)]
    assert results[0] == results[1]


def test_rows_without_an_answer_count_as_wrong():
    labels = [i % 2 for i in range(200)]
    silent = [[-1 if i < 100 else y for i, y in enumerate(labels)]]
    found, difference = _pair(labels, [labels], silent)
    assert found.intervals["a"].value == pytest.approx(1.0)
    assert found.intervals["b"].value == pytest.approx(2 / 3)  # precision 1, recall 1/2
    assert difference.a == "a" and difference.p < 0.05


def test_a_paired_change_is_the_paired_comparison():
    labels = [i % 2 for i in range(1000)]
    before, after = _answers(labels, range(140)), _answers(labels, range(100))
    change = changes.paired_change(labels, before, after, 2, deterministic=True)
    arms = {"after": after, "before": before}
    [difference] = comparison.compare(labels, arms, 2, deterministic=arms).differences
    assert change == changes.Change(
        difference.value, difference.low, difference.high, difference.p, "arms"
    )
    assert change.value == pytest.approx(0.04, abs=1e-4)
    assert change.p < 0.01
    back = changes.paired_change(labels, after, before, 2, deterministic=True)
    assert back.value == -change.value
    assert changes.paired_change(labels, before, after, 2).of == "trained models"


def test_a_paired_change_of_nothing_is_chance():
    labels = [0, 1] * 50
    same = changes.paired_change(labels, _answers(labels, {3}), _answers(labels, {3}), 2)
    assert (same.value, same.p) == (0.0, 1.0)
    swapped = changes.paired_change(labels, _answers(labels, {3, 5}), _answers(labels, {7}), 2)
    assert swapped.p > 0.2


def test_no_answer_is_wrong_and_seeds_widen_a_change():
    labels = [i % 2 for i in range(400)]
    silent = [[-1 if i < 40 else y for i, y in enumerate(labels)]]
    # The silent rows miss a hit in both classes and name no other: F1 = 2·180 / (200 + 180).
    change = changes.paired_change(labels, _answers(labels, ()), silent, 2)
    assert change.value == pytest.approx(360 / 380 - 1)
    still = [_answers(labels, range(40, 80))[0]] * 2
    one = changes.paired_change(labels, _answers(labels, range(40)) * 2, still, 2)
    several = [_answers(labels, range(40, 40 + k))[0] for k in (10, 40, 70)]
    many = changes.paired_change(labels, _answers(labels, range(40)) * 2, several, 2)
    assert many.of == "arms" and many.high - many.low > one.high - one.low


def test_an_unpaired_change_reads_intervals_as_standard_errors():
    # Both reach .0196 either way, so the standard error of the difference is .01 · √2.
    before = Interval(0.80, 0.7804, 0.8196)
    change = changes.unpaired_change(before, Interval(0.84, 0.8204, 0.8596))
    assert change is not None
    assert change.value == pytest.approx(0.04)
    assert change.low == pytest.approx(0.04 - 0.02772, abs=1e-4)
    assert change.p == pytest.approx(0.00468, abs=1e-4)  # z = 2.828
    flat = Interval(0.9, 0.9, 0.9)
    assert changes.unpaired_change(before, flat) is None


def test_average_ranks_by_hand():
    ranks = over_tasks.average_ranks({"a": [0.9, 0.8], "b": [0.9, 0.7], "c": [0.1, 0.9]})
    assert ranks == {"a": 1.75, "b": 2.25, "c": 2.0}
    assert over_tasks.average_ranks({}) == {}


def test_rank_test_by_hand():
    scores = {
        "a": [0.9, 0.9, 0.9, 0.9, 0.8],
        "b": [0.8, 0.8, 0.8, 0.7, 0.9],
        "c": [0.7, 0.7, 0.7, 0.8, 0.7],
    }
    assert over_tasks.average_ranks(scores) == {"a": 1.2, "b": 2.0, "c": 2.8}
    test = over_tasks.rank_test(scores)
    assert test is not None
    # 12·5 / (3·4) · (1.44 + 4 + 7.84 − 12) = 6.4; F = 4·6.4 / (10 − 6.4) = 7.111;
    # with 2 and 8 degrees of freedom p = (1 + 2·7.111/8)⁻⁴.
    assert test.statistic == pytest.approx(6.4)
    assert test.p == pytest.approx(0.016796, abs=1e-5)
    # Demšar's table of q: 2.343 for three arms, 2.569 for four.
    assert test.critical_difference == pytest.approx(2.343 * (12 / 30) ** 0.5, abs=1e-3)
    four = over_tasks.rank_test({arm: [float(i)] * 14 for i, arm in enumerate("abcd")})
    assert four is not None
    assert four.critical_difference == pytest.approx(2.569 * (20 / 84) ** 0.5, abs=1e-3)


def test_rank_test_where_there_is_little_to_test():
    assert over_tasks.rank_test({"a": [1.0] * 9, "b": [0.0] * 9}) is None
    assert over_tasks.rank_test({}) is None
    same = over_tasks.rank_test({"a": [0.5] * 5, "b": [0.5] * 5, "c": [0.5] * 5})
    assert same is not None and (same.statistic, same.p) == (0.0, 1.0)
    alike = over_tasks.rank_test({"a": [0.9] * 5, "b": [0.8] * 5, "c": [0.7] * 5})
    assert alike is not None and alike.p == 0.0 and alike.statistic == pytest.approx(10.0)


def test_what_would_settle_a_pair_is_reckoned_from_its_variances():
    """Simulated: the smallest difference is found in about 8 of 10 studies, and so is the margin
    with the rows, or the trainings, that are said to find it."""
    rows, seeds, row, seed = 1000, 3, 4e-5, 3e-5
    error = (row + seed) ** 0.5
    half = 2.1 * error
    found = settling(half, row, seed, 900.0, 0.03, rows=rows, trainings=seeds)
    draws = np.random.default_rng(0).standard_normal(20_000)

    def power(true: float, variance: float) -> float:
        return float(np.mean(true + draws * variance**0.5 > 2.1 * variance**0.5))

    assert power(found.smallest, row + seed) == pytest.approx(0.8, abs=0.01)
    found = settling(half, row, seed, 900.0, 0.02, rows=rows, trainings=seeds)
    assert found.rows > rows and found.trainings > seeds
    assert power(0.02, row * rows / found.rows + seed) == pytest.approx(0.8, abs=0.02)
    assert power(0.02, row + seed * seeds / found.trainings) >= 0.79
    few = settling(half, row, seed, 900.0, 0.001, rows=rows, trainings=seeds)
    assert (few.rows, few.trainings) == (None, None), "either part alone is too much"
    assert settling(0.0, 0.0, 0.0, 1.0, 0.01, rows=10, trainings=1) is None


def test_ranks_over_tasks_come_with_what_other_tasks_would_give():
    scores = {
        "a": [0.9, 0.9, 0.9, 0.9, 0.5], "b": [0.8, 0.8, 0.8, 0.8, 0.6],
        "c": [0.7, 0.7, 0.7, 0.7, 0.7],
    }  # fmt: skip
    found = over_tasks.over_tasks(scores)
    # Four tasks order them a, b, c and one the other way.
    assert found["a"].average_rank == pytest.approx((4 * 1 + 3) / 5)
    assert found["a"].win_rate == pytest.approx(4 / 5) and found["b"].win_rate == 0.5
    # In a draw of five tasks, the odd one comes up 0 to 5 times: at .95, at most 3.
    assert found["a"].rank_interval == pytest.approx((1.0, 2.2))
    assert found["a"].win_interval == pytest.approx((0.4, 1.0))
    assert found["b"].rank_interval == (2.0, 2.0)
    assert over_tasks.over_tasks(scores) == found, "the draws are seeded"
    assert over_tasks.over_tasks({arm: own[:4] for arm, own in scores.items()}) == {}
    assert over_tasks.over_tasks({"a": [0.9] * 9}) == {}
