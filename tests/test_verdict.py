"""Verdicts about arms: variance, family, interval, ranks, each by hand or a second way."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from suite.verdict import comparison, confusions, family, interval, ranks, shrinking, variance


def answered(labels, wrong):
    """One training's answers: right but on these rows, of two classes."""
    return [1 - y if i in wrong else y for i, y in enumerate(labels)]


LABELS = [i % 2 for i in range(1000)]


def accuracy(confusion):
    classes = confusion.shape[-2]
    hits = np.diagonal(confusion[..., :classes], axis1=-2, axis2=-1).sum(axis=-1)
    return hits / np.maximum(confusion.sum(axis=(-2, -1)), 1)


def test_macro_f1_counts_only_classes_that_occur():
    confusion = np.array([[8.0, 2.0, 0.0], [1.0, 9.0, 0.0], [0.0, 0.0, 0.0]])
    # F1 of the first: 16/19, of the second: 18/21.
    assert confusions.macro_f1(confusion) == pytest.approx((16 / 19 + 18 / 21) / 2)


def test_a_pull_is_the_row_left_out():
    """In closed form for macro-F1, and by the matrix for any score; a class of one row goes."""
    draws = np.random.default_rng(0)
    labels, answers = draws.integers(0, 5, 12), draws.integers(-1, 5, 12)
    one = confusions.trained(labels, [answers], 5)
    other = confusions.trained(labels, [answers], 5, lambda matrix: confusions.macro_f1(matrix))
    assert one.scores == pytest.approx(other.scores)
    assert one.pulls == pytest.approx(other.pulls)
    without = [
        confusions.trained(np.delete(labels, i), [np.delete(answers, i)], 5).scores[0]
        for i in range(12)
    ]
    assert one.pulls[0] == pytest.approx((11 / 12) ** 0.5 * (np.mean(without) - without))


def test_pulls_of_accuracy_give_its_binomial_variance():
    one = confusions.trained(LABELS, [answered(LABELS, range(100))], 2, accuracy)
    assert (one.pulls**2).sum() == pytest.approx(0.9 * 0.1 / 999)


def test_components_by_hand():
    """Scores .90, .91, .95 and .80, .82 on rows of which two trainings share their mistakes."""
    wrong = [range(100), range(10, 100), range(50)]
    arm = confusions.trained(LABELS, [answered(LABELS, w) for w in wrong], 2, accuracy)
    other = confusions.trained(
        LABELS, [answered(LABELS, range(200)), answered(LABELS, range(180))], 2, accuracy
    )
    parts = variance.components([arm, other], [False, True])
    assert parts.means == pytest.approx([0.92, 0.81])
    assert parts.seeds == pytest.approx([np.var([0.9, 0.91, 0.95], ddof=1) / 3, 0])
    cells = [[float(i in w) for i in range(1000)] for w in wrong]
    covariances = np.cov(cells, ddof=1) / 1000
    between = (covariances.sum() - np.trace(covariances)) / 6
    assert parts.rows[0, 0] == pytest.approx(between)
    spread = variance.of_differences(parts, np.array([0]), np.array([1]))
    row = parts.rows[0, 0] + parts.rows[1, 1] - 2 * parts.rows[0, 1]
    assert spread.rows == pytest.approx([row])
    total = row + parts.seeds[0]
    assert spread.total == pytest.approx([total])
    assert spread.df == pytest.approx([total**2 / (parts.seeds[0] ** 2 / 2 + row**2 / 999)])


def test_two_arms_shrink_by_two_thirds_of_a_degree_of_freedom():
    variances, df = shrinking.shrunk(np.array([0.0002, 0.0001]), np.array([2.0, 2.0]))
    # Their logs scatter less than chance alone would have them: the centre is their mean.
    assert df == pytest.approx([2 + 2 / 3] * 2)
    assert variances == pytest.approx(
        [(2 / 3 * 0.00015 + 2 * own) / (2 + 2 / 3) for own in (0.0002, 0.0001)]
    )


def test_an_arm_unlike_the_others_is_neither_shrunk_nor_shrunk_towards():
    own = np.array([1e-6, 2e-6, 1.5e-6, 1e-2])
    variances, df = shrinking.shrunk(own, np.full(4, 2.0))
    assert variances[3] == own[3] and df[3] == 2
    assert df[:3] == pytest.approx([3.0] * 3) and variances[:3].max() < 2e-6
    assert shrinking.shrunk(own[:1], np.array([2.0])) == (own[:1], np.array([2.0]))
    # One whose scores fell together borrows a spread, and lends none.
    variances, df = shrinking.shrunk(np.array([0.0, 2e-6, 2e-6]), np.full(3, 2.0))
    assert variances[0] == pytest.approx(2 / 3 * 2e-6 / (2 + 2 / 3))


def test_shrinking_follows_how_far_variances_agree():
    """Smyth's moments, by hand for four arms with two degrees of freedom each."""
    own = np.array([1e-8, 1e-5, 1e-5, 1e-5])
    logs = np.log(own) - special.digamma(1)
    scatter = logs.var(ddof=1) - np.pi**2 / 6
    variances, df = shrinking.shrunk(own, np.full(4, 2.0))
    known = df[0] - 2
    assert special.polygamma(1, known / 2) == pytest.approx(scatter, rel=1e-6)
    centre = np.exp(logs.mean() + special.digamma(known / 2) - np.log(known / 2))
    assert variances == pytest.approx((known * centre + 2 * own) / (known + 2))


def test_the_rarest_difference_of_one_pair_is_a_mixture_of_t_and_normal():
    """Rows alone: Student's t; one training's part alone: t with its own degrees of freedom."""
    rows = variance.Components(
        np.zeros(2), np.zeros(2), np.zeros(2), np.diag([2e-4, 1e-4]), rows_df=9
    )
    pair = np.array([0]), np.array([1])
    found = family.rarest(rows, *pair, variance.of_differences(rows, *pair))
    assert found.critical == pytest.approx(stats.t.isf(0.025, 9), rel=0.02)
    # The two rows' own parts are known together, and the difference's by nine degrees of freedom.
    assert found.p(np.array([2.0])) == pytest.approx(2 * stats.t.sf([2], 9), rel=0.02)
    # So far out the tail is read between points that lie a third apart.
    assert found.p(np.array([40.0])) == pytest.approx(2 * stats.t.sf([40], 9), rel=0.15)
    seeds = variance.Components(
        np.zeros(2), np.array([1e-4, 0]), np.array([2.0, 0]), np.zeros((2, 2)), rows_df=10**6
    )
    found = family.rarest(seeds, *pair, variance.of_differences(seeds, *pair))
    assert found.critical == pytest.approx(stats.t.isf(0.025, 2), rel=0.05)


def test_the_rarest_of_all_pairs_of_alike_arms_is_the_studentised_range():
    arms = variance.Components(
        np.zeros(5), np.zeros(5), np.zeros(5), 1e-4 * np.eye(5), rows_df=10**6
    )
    a, b = np.triu_indices(5, 1)
    found = family.rarest(arms, a, b, variance.of_differences(arms, a, b))
    assert found.critical == pytest.approx(
        np.full(10, stats.studentized_range.ppf(0.95, 5, np.inf) / 2**0.5), rel=0.01
    )
    far = found.p(np.array([3.0] * 4 + [6.0] * 3 + [9.0] * 3))
    assert far[0] == pytest.approx(stats.studentized_range.sf(3 * 2**0.5, 5, np.inf), rel=0.2)
    assert far[[4, 7]] == pytest.approx(10 * 2 * stats.norm.sf([6, 9]), rel=0.05)


def test_arms_trained_a_few_times_do_not_hide_what_tells_two_others_apart():
    """Two arms that repeat themselves, 6.5 standard errors apart, beside five whose variances
    have two degrees of freedom each: these alone reach such a distance by chance."""
    seeds = np.array([0, 0] + [1e-4] * 5)
    df = np.where(seeds > 0, 2.0, 0.0)
    arms = variance.Components(np.zeros(7), seeds, df, 1e-6 * np.eye(7), rows_df=7599)
    a, b = np.triu_indices(7, 1)
    found = family.rarest(arms, a, b, variance.of_differences(arms, a, b))
    p = found.p(np.full(len(a), 6.5))
    assert p[0] < 1e-4
    # Of two of the five the same is no rare thing, even without the others: t with four degrees.
    assert p[-1] > 10 * stats.t.sf(6.5, 4)
    assert found.critical[0] < 1.1 * stats.norm.isf(0.025 / len(a)) < found.critical[-1]


def test_two_arms_trained_once_are_the_paired_t_test_on_their_rows():
    """Deterministic arms under accuracy: scipy's own paired t test, and its interval."""
    a, b = answered(LABELS, range(60)), answered(LABELS, range(30, 120))
    found = comparison.compare(
        LABELS, {"a": [a], "b": [b]}, 2, deterministic={"a", "b"}, score=accuracy
    )
    [difference] = found.differences
    right = [np.equal(one, LABELS).astype(float) for one in (a, b)]
    test = stats.ttest_rel(*right)
    assert difference.p == pytest.approx(test.pvalue, rel=0.05)
    found_interval = difference.low, difference.high
    assert found_interval == pytest.approx(tuple(test.confidence_interval(0.95)), rel=0.01)
    assert difference.of == "arms" and difference.seed_variance == 0
    assert found.ranks == {"a": 1, "b": 2} and found.may_be_best == {"a": True, "b": False}


def test_trainings_that_scatter_take_a_verdict_away():
    """Ten rows of 1,000 tell two models; trainings that scatter by twenty rows do not."""
    a, b = answered(LABELS, range(100)), answered(LABELS, range(130))
    still = comparison.compare(LABELS, {"a": [a] * 3, "b": [b] * 3}, 2)
    assert still.differences[0].p < 0.001 and still.differences[0].winner == "a"
    scattered = {
        "a": [answered(LABELS, range(k)) for k in (60, 100, 140)],
        "b": [answered(LABELS, range(k)) for k in (90, 130, 170)],
    }
    found = comparison.compare(LABELS, scattered, 2)
    assert found.differences[0].p > 0.2
    assert found.ranges == {"a": (1, 2), "b": (1, 2)}
    assert found.scores["a"] == pytest.approx([0.94, 0.9, 0.86], abs=1e-3)


def test_no_variance_and_no_difference_is_p_of_one():
    same = answered(LABELS, {3})
    found = comparison.compare(LABELS, {"a": [same] * 3, "b": [same] * 3}, 2)
    [difference] = found.differences
    assert (difference.value, difference.p, difference.low, difference.high) == (0, 1, 0, 0)


def test_all_right_against_all_wrong_has_no_variance_and_is_told_by_signs():
    labels = [0, 1] * 5
    arms = {"right": [labels], "wrong": [[1 - y for y in labels]]}
    found = comparison.compare(labels, arms, 2, deterministic=arms)
    assert found.differences[0].p == pytest.approx(stats.binomtest(0, 10).pvalue)
    assert 0 < found.differences[0].low < 1 < found.differences[0].high


def test_few_rows_are_the_sign_tests():
    """Seven rows against one: t alone would call them different, the exact test does not."""
    a, b = answered(LABELS, {0}), answered(LABELS, range(1, 8))
    arms = {"a": [a], "b": [b]}
    found = comparison.compare(LABELS, arms, 2, deterministic=arms)
    [difference] = found.differences
    assert difference.p == pytest.approx(stats.binomtest(1, 8).pvalue)
    assert difference.low <= 0 <= difference.high


def test_p_is_not_bounded_by_a_number_of_draws():
    """Forty arms, one far above the rest: 780 pairs, and it beats every other."""
    draws = np.random.default_rng(1)
    labels = draws.integers(0, 2, 2000)
    arms = {
        f"arm {i}": [np.where(draws.random(2000) < (0.6 if i else 0.95), labels, 1 - labels)]
        for i in range(40)
    }
    found = comparison.compare(labels, arms, 2, deterministic=arms)
    assert found.ranges["arm 0"] == (1, 1)
    assert [arm for arm, may in found.may_be_best.items() if may] == ["arm 0"]
    assert max(d.p for d in found.differences if "arm 0" in (d.a, d.b)) < 1e-12


def test_an_arm_trained_once_is_a_trained_model():
    a, b, c = (answered(LABELS, range(k)) for k in (50, 100, 300))
    found = comparison.compare(LABELS, {"a": [a] * 2, "b": [b] * 2, "once": [c]}, 2)
    assert [(d.a, d.b, d.of) for d in found.differences] == [
        ("a", "b", "arms"),
        ("a", "once", "trained models"),
        ("b", "once", "trained models"),
    ]
    assert found.ranges == {"a": (1, 1), "b": (2, 2), "once": None}
    assert found.may_be_best == {"a": True, "b": False, "once": None}
    assert found.ranks == {"a": 1, "b": 2, "once": 3}


def test_scores_that_differ_by_rounding_do_not_scatter():
    """One mistake each, in other rows: equal scores, as if added up in another order."""
    arms = {}
    for name, wrong in (("a", (0, 2, 4)), ("b", (1, 3, 5))):
        arm = confusions.trained(LABELS, [answered(LABELS, {k}) for k in wrong], 2)
        arms[name] = replace(arm, scores=arm.scores.mean() + np.array([0, 1e-16, 2e-16]))
    found = comparison.findings(arms)
    assert found.differences[0].seed_variance == 0 and found.differences[0].p > 0.9
    assert found.intervals["a"].low < 0.999 < found.intervals["a"].high


def test_rank_ranges_by_hand():
    found = ranks.ranges(["a", "b", "c", "d"], [("a", "c"), ("a", "d"), ("b", "d")])
    assert found == {"a": (1, 2), "b": (1, 3), "c": (2, 4), "d": (3, 4)}


def test_verdict_and_interval_are_one_procedure():
    draws = np.random.default_rng(2)
    labels = draws.integers(0, 3, 300)
    arms = {
        f"{i}": [np.where(draws.random(300) < 0.7 + 0.02 * i, labels, draws.integers(0, 3, 300))
                 for _ in range(3)]
        for i in range(6)
    }  # fmt: skip
    for difference in comparison.compare(labels, arms, 3).differences:
        assert (difference.p < 0.05) == (difference.low > 0 or difference.high < 0)


def test_an_interval_is_wilsons_where_rows_are_all_there_is():
    """Accuracy of a deterministic arm: Wilson's interval, by Student's t for the reach."""
    arms = {"a": [answered(LABELS, range(100))]}
    found = comparison.compare(LABELS, arms, 2, deterministic=arms, score=accuracy)
    own = found.intervals["a"]
    wilson = stats.binomtest(900, 1000).proportion_ci(method="wilson")
    assert (own.value, own.narrow) == (0.9, False)
    assert (own.low, own.high) == pytest.approx((wilson.low, wilson.high), abs=2e-4)


def test_an_interval_has_a_width_where_nothing_is_wrong():
    labels = [0, 1] * 10
    found = comparison.compare(labels, {"a": [labels]}, 2, deterministic={"a"})
    assert found.intervals["a"].high == 1
    assert 0.8 < found.intervals["a"].low < 0.87
    # Ten classes of which one has but one row: as much as 10² / (9/3 + 1) rows of it.
    labels = [*list(range(9)) * 3, 9]
    few = comparison.compare(labels, {"a": [labels]}, 10, deterministic={"a"})
    reach = stats.t.isf(0.025, 27) ** 2 / 25
    assert few.intervals["a"].low == pytest.approx(1 / (1 + reach))
    assert few.intervals["a"].narrow


def test_trainings_widen_an_interval():
    one = comparison.compare(LABELS, {"a": [answered(LABELS, range(100))] * 3}, 2)
    several = [answered(LABELS, range(k)) for k in (60, 100, 140)]
    many = comparison.compare(LABELS, {"a": several}, 2)
    widths = [f.intervals["a"].high - f.intervals["a"].low for f in (one, many)]
    assert many.intervals["a"].value == pytest.approx(0.9, abs=1e-3)
    assert widths[1] > 3 * widths[0]


def test_bias_is_taken_off_and_the_value_stays_inside():
    shifted = interval.around(0.8, 0.0004, 1.96, worth=100, bias=-0.03)
    plain = interval.around(0.8, 0.0004, 1.96, worth=100)
    assert shifted.value == plain.value == 0.8
    assert shifted.high - plain.high == pytest.approx(0.03, abs=0.004)
    assert interval.around(0.8, 1e-8, 1.96, worth=100, bias=0.1).high == 0.8
    unbounded = interval.around(-1.2, 0.01, 2.0, worth=100, bounds=None)
    assert (unbounded.low, unbounded.high) == pytest.approx((-1.4, -1.0))
    mirrored = interval.around(0.6, 0.0016, 1.96, worth=100, bounds=(-1.0, 1.0))
    assert (mirrored.low + 1) / 2 == pytest.approx(plain.low)
