"""The arithmetic of rules about answers: each promise is drawn many times, and holds as often as it
says."""

import math
import warnings

import numpy as np
import pytest
from pydantic import ValidationError

from suite.config.recipe import Recipe
from suite.contracts.deciding import Asked, Decide, Limit, Tried, Value
from suite.contracts.temperature import tempered
from suite.errors import DataError, RecipeError, UsageError
from suite.verdict import (
    certifying,
    conformal,
    deciding,
    offsets,
    out_of_scope,
    scored,
    selective,
)
from suite.verdict.answering import Answered, answered, of
from suite.verdict.deciding import Judged
from suite.verdict.metrics import objective_of
from suite.verdict.worth import Worth

LIMIT = Limit(0.05, 0.9)
#: What 10 % of so many draws may be by chance: two and a half standard errors more.
DRAWS = 250
AT_MOST = 0.1 + 2.5 * math.sqrt(0.1 * 0.9 / DRAWS)


def drawn(rows, seed, surest=0.01):
    """Rows of a model whose error rises as it is less sure; `surest`: the error where it is
    surest, of a model that errs there most by far."""
    generator = np.random.default_rng(seed)
    unsure = generator.random(rows)
    error = 0.01 + 0.4 * unsure**2
    error[unsure < 0.03] = surest
    sure = np.float16(1 - unsure / 2).astype(float)
    return Answered(sure, generator.random(rows) >= error)


POPULATIONS = {surest: drawn(300_000, 0, surest) for surest in (0.01, 0.1)}


@pytest.mark.parametrize("surest", [0.01, 0.1])
def test_a_certified_error_is_broken_as_seldom_as_promised(surest):
    population = POPULATIONS[surest]
    broken, naive, coverage, none, beyond = 0, 0, [], 0, 0
    for draw in range(DRAWS):
        learning, rows = drawn(400, 2 * draw + 1, surest), drawn(1500, 2 * draw + 2, surest)
        path = certifying.path(learning, LIMIT, len(rows))
        assert path == sorted(path, reverse=True)
        found = certifying.certify(rows, path, LIMIT)
        lowest = min((p.threshold for p in selective.curve(rows) if p.error <= 0.05), default=2.0)
        naive += _error(population, lowest) > 0.05
        if found is None:
            none += 1
            continue
        assert found.on == Tried(len(rows), *rows.at(found.threshold))
        error = _error(population, found.threshold)
        broken += error > 0.05
        beyond += error > certifying.upper_bound(found.on.answered, found.on.wrong, 0.9)
        coverage.append(population.at(found.threshold)[0] / len(population))
    assert broken / DRAWS <= AT_MOST
    # No theorem says it of the bound, whose threshold was chosen on these rows; it lies just below
    # the limit, and holds about as often.
    assert broken <= beyond and beyond / DRAWS <= AT_MOST
    # The rows themselves break it far more often: a threshold by their own error is none.
    assert naive / DRAWS > 3 * AT_MOST
    assert none / DRAWS < 0.5
    # The error reaches .05 where little more than half of the texts are answered, and where the
    # surest are often wrong a little before.
    assert 0.3 < np.mean(coverage) < 0.55


def _error(rows, threshold):
    own, wrong = rows.at(threshold)
    return wrong / max(own, 1)


def test_how_many_rows_would_do():
    assert certifying.rows_needed(LIMIT) == 45
    assert certifying.rows_needed(Limit(0.01, 0.95)) == 299
    assert certifying.rows_needed(LIMIT, 0.05) is None
    for error in (0.01, 0.03, 0.045):
        rows = certifying.rows_needed(LIMIT, error)
        wrong = math.ceil(rows * error)
        assert certifying.p_values(np.array(rows), np.array(wrong), 0.05) <= 0.1
        assert rows > 45


def test_44_rows_without_an_error_are_too_few_and_45_will_do():
    for rows, enough in ((44, False), (45, True)):
        perfect = Answered(np.full(rows, 0.9), np.ones(rows, bool))
        found = certifying.certify(perfect, [0.9], LIMIT)
        assert (found is not None) == enough
    assert certifying.upper_bound(45, 0, 0.9) == pytest.approx(0.0499, abs=1e-4)
    assert certifying.upper_bound(3, 3, 0.9) == 1


def test_p_values_are_mapies():
    from mapie.risk_control import BinaryClassificationController, precision

    rows = drawn(700, 5)
    grid = np.linspace(0.5, 0.99, 40)
    controller = BinaryClassificationController(
        lambda sure: np.stack([1 - sure, sure], axis=1),
        risk=precision,
        target_level=0.95,
        confidence_level=0.9,
        list_predict_params=grid,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        controller.calibrate(rows.sure, rows.right.astype(int))
    own, wrong = (np.array(side, float) for side in zip(*map(rows.at, grid)))
    ours = certifying.p_values(own, wrong, 0.05)
    theirs = controller.p_values.ravel()
    # Theirs takes rows from a share, rounded up: where floats lie above, it counts one too many.
    same = np.isclose(theirs, ours)
    assert same.mean() > 0.5
    one_more = certifying.p_values(own, wrong + 1, 0.05)
    np.testing.assert_allclose(theirs[~same], one_more[~same])


def test_never_sure_and_never_wrong():
    silent = Answered(np.zeros(100), np.zeros(100, bool))
    path = certifying.path(silent, LIMIT, 100)
    assert certifying.certify(silent, path, LIMIT) is None
    assert selective.aurc(silent) == pytest.approx(1)
    perfect = Answered(np.linspace(0.5, 1, 100), np.ones(100, bool))
    found = certifying.certify(perfect, certifying.path(perfect, LIMIT, 100), LIMIT)
    # Halfway from the least sure to nothing.
    assert (found.on.coverage, found.on.error, found.threshold) == (1, 0, 0.25)
    assert selective.aurc(perfect) == 0


@pytest.mark.parametrize(
    ("max_error", "confidence", "says"),
    [
        (0, 0.9, "no number of rows shows that nothing is ever wrong"),
        (1, 0.9, "lies not between 0 and 1"),
        (math.nan, 0.9, "lies not between 0 and 1"),
        (0.05, 1, "confidence 1"),
        (0.05, 0.2, "confidence 0.2"),
    ],
)
def test_limits_that_nothing_could_show(max_error, confidence, says):
    with pytest.raises(UsageError, match=says):
        Limit(max_error, confidence)


@pytest.mark.parametrize(
    ("probabilities", "labels", "says"),
    [
        ([[0.5, 0.5], [0.9, 0.9]], [0, 1], r"row 2 of the probabilities sums to 1\.8"),
        ([[0.5, 0.5], [math.nan, 1]], [0, 1], "row 2 of the probabilities sums to nan"),
        ([[0.5, 0.5], [-0.5, 1.5]], [0, 1], r"its least is -0\.5"),
        ([[0.5, 0.5], [0.1, 0.9]], [1, 1], "all rows are of one class"),
        ([[1.0], [1.0]], [0, 0], "probabilities of one class"),
        ([[0.5, 0.5], [0.1, 0.9]], [0, 2], "label 2 of probabilities of 2 classes"),
        ([[0.5, 0.5]], [0, 1], "for 2 labels"),
        (np.zeros((0, 2)), [], "no row"),
    ],
)
def test_what_are_no_probabilities_of_these_rows(probabilities, labels, says):
    with pytest.raises(DataError, match=says):
        answered(np.array(probabilities), labels)


def test_what_float32_gives_is_decided_as_what_float16_kept():
    given = np.array([[0.83337, 0.16663], [0.83300, 0.16700], [0, 0]], np.float32)
    kept = given.astype(np.float16).astype(np.float32)
    rows = answered(kept, [0, 1, 1])
    classes, sure = of(given)
    assert (sure == rows.sure).all() and classes.tolist() == [0, 0, -1]
    threshold = float(rows.sure.max())
    assert (sure >= threshold).tolist() == (rows.sure >= threshold).tolist()
    assert (given.max(axis=1) >= threshold).tolist() != (sure >= threshold).tolist()


def test_a_model_of_few_probabilities_is_decided_alike_before_and_after_it_is_kept():
    """What is kept is float16 before its temperature; what is served is float32 before it."""
    sure = np.repeat([0.9, 0.6], [300, 100]).astype(np.float32)
    given = np.column_stack([sure, 1 - sure])
    labels = [0] * 300 + [0, 1] * 50
    kept = given.astype(np.float16).astype(np.float32)
    model = deciding.Model("a", 0, False, ["x", "y"])
    asked = Asked(Limit(0.05, 0.9), coverage=0.9)
    for temperature in np.linspace(0.3, 3, 40):
        rows = Judged(tempered(kept, temperature), labels)
        found = deciding.found(model, asked, rows, rows, rows)
        served = tempered(given, temperature)
        _, decided = deciding.applied(found, served, model.labels)
        assert (int(decided.sum()), found.found.answered) == (300, 300), temperature
        held = conformal.sets(served, found.sets.threshold)[np.arange(400), labels]
        assert held.mean() == found.sets.holds >= 0.9, temperature


def test_offsets_are_not_told_of_where_an_answer_is_chosen_by_what_it_is_worth():
    shares, labels = classified(400, 3)
    rows = Judged(shares, labels)
    model = deciding.Model("a", 0, False, list("abcdef"), "0a1b2c3d", 1.5)
    by_worth = deciding.found(model, Asked(value=Value(wrong=-2), offsets=True), rows)
    assert by_worth.moved is None
    assert (by_worth.mark, by_worth.temperature) == ("0a1b2c3d", 1.5)
    both = deciding.found(model, Asked(Limit(0.3, 0.6), Value(wrong=-2), offsets=True), rows)
    assert both.moved is not None


def test_a_value_as_a_score_is_what_is_worth_having_of_every_text():
    worth = Worth.of(Value(right=2, wrong=-5, passed=1), ["a", "b"])
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.8, 0.2], [0, 0]])
    # From 6/7 on an answer pays; a right one is worth 1 more than passing on, a wrong one 6 less.
    assert worth.parts(np.array([0, 1, 0, 0]), shares).tolist() == [1.0, -6.0, 0.0, 0.0]
    metric = objective_of("value", worth)
    assert metric.bounds == (-6.0, 1.0) and metric.share(1.0) == 1 and metric.higher_is_better
    scores = scored.of_probabilities([0, 1, 0, 0], shares, "value", worth)
    assert scores.objective.value == scores.others["value"] == pytest.approx(-5 / 4)
    assert "value" not in scored.of_probabilities([0, 1, 0, 0], shares).others
    with pytest.raises(ValidationError, match="nothing says what answers are worth"):
        Recipe(name="r", arms=["a/b"], objective="value")


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def classified(rows, seed, sharp=2.0, classes=6):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    logits = generator.normal(size=(rows, classes))
    logits[np.arange(rows), labels] += 1.5
    return softmax(sharp * logits), labels.tolist()


@pytest.mark.parametrize("digits", [7, 1], ids=["apart", "tied"])
def test_sets_hold_the_true_class_as_often_as_promised(digits):
    held, sizes = [], []
    for draw in range(300):
        shares, labels = classified(219, draw)
        shares = np.round(shares, digits)
        shares /= shares.sum(axis=1, keepdims=True)
        threshold = conformal.threshold_of_sets(shares[:119], labels[:119], 0.9)
        found = conformal.sets(shares[119:], threshold)
        assert found.any(axis=1).all()
        held.append(found[np.arange(100), labels[119:]].mean())
        sizes.append(found.sum(axis=1).mean())
    error = np.std(held) / math.sqrt(len(held))
    assert np.mean(held) >= 0.9 - 2.5 * error
    assert np.mean(held) <= (0.925 if digits == 7 else 1) and np.mean(sizes) < 5


def test_sets_of_too_few_rows_hold_every_class_and_no_answer_is_of_any():
    shares, labels = classified(8, 1)
    threshold = conformal.threshold_of_sets(shares, labels, 0.9)
    assert threshold == 0 and conformal.sets(shares, threshold).all()
    assert conformal.sets(np.array([[0, 0], [0.6, 0.4]]), 0.9).tolist() == [
        [True, True],
        [True, False],
    ]
    with pytest.raises(UsageError, match="a coverage of 1 "):
        conformal.threshold_of_sets(shares, labels, 1)


def test_the_share_of_all_texts_that_is_answered_wrongly_holds_in_the_mean():
    population = POPULATIONS[0.01]
    risks = []
    for draw in range(DRAWS):
        threshold = conformal.threshold_of_risk(drawn(99, draw + 1), 0.05)
        risks.append(population.at(threshold)[1] / len(population))
    error = np.std(risks) / math.sqrt(DRAWS)
    assert 0.04 < np.mean(risks) <= 0.05 + 2.5 * error
    silent = Answered(np.zeros(40), np.zeros(40, bool))
    assert conformal.threshold_of_risk(silent, 0.05) == 0
    boastful = Answered(np.ones(40), np.zeros(40, bool))
    assert conformal.threshold_of_risk(boastful, 0.05) is None


def test_a_limit_to_wrong_answers_among_all_texts_is_a_decision_like_others():
    model = deciding.Model("a", 0, False, list("abcdef"))
    rows, aside, test = (Judged(*classified(400, seed)) for seed in (1, 2, 3))
    found = deciding.found(model, Asked(max_wrong=0.1), rows, aside, test)
    assert found.ground == "certified" and found.max_wrong == 0.1 and found.max_error is None
    assert 0 < found.found.wrong <= 0.1 * 401 - 1 and 0.02 < found.test.wrong / 400 < 0.15
    few = Judged(*classified(18, 4))
    none = deciding.found(model, Asked(max_wrong=0.05), rows, few, test)
    assert (none.threshold, none.enough_rows, none.test.answered) == (None, 19, 0)
    assert deciding.found(model, Asked(max_wrong=0.05), rows).ground == "estimated"
    with pytest.raises(ValidationError, match="give one of them"):
        Decide(max_wrong=0.1, max_error=0.05)


def test_the_curve_ends_with_all_rows_and_knows_ties():
    rows = Answered(np.array([0.9, 0.6, 0.6, 0.0]), np.array([True, False, True, False]))
    points = selective.curve(rows)
    assert [(p.coverage, round(p.error, 4)) for p in points] == [
        (0.25, 0),
        (0.75, 0.3333),
        (1, 0.5),
    ]
    assert len(selective.curve(drawn(5000, 1), points=50)) <= 50
    for order in ([0, 1, 2, 3], [0, 2, 1, 3]):
        assert selective.aurc(rows.take(np.array(order))) == pytest.approx(
            (0 + 0.25 + 1 / 3 + 0.5) / 4
        )


def test_an_answer_pays_from_the_break_even_probability_on():
    value = Value(right=1, wrong=-5, passed=0)
    assert value.break_even == pytest.approx(5 / 6)
    rule = Worth.of(value, ["a", "b"])
    shares = np.array([[0.84, 0.16], [0.83, 0.17], [0, 0], [0.1, 0.9]])
    classes, decided = rule.decide(shares)
    assert classes.tolist() == [0, 0, -1, 1] and decided.tolist() == [True, False, False, True]
    # Right, passed on, passed on, wrong: 1 - 5 over four texts.
    assert rule.saved(classes, decided, [0, 0, 0, 0]) == pytest.approx(-100)
    other = Worth.of(Value(right=3, wrong=0, passed=1), ["a", "b"])
    assert other.saved(classes, decided, [0, 0, 0, 1]) == pytest.approx(100)


def test_thresholds_by_worth_are_worth_most_where_probabilities_are_true():
    generator = np.random.default_rng(3)
    sure = generator.uniform(0.5, 1, 200_000)
    labels = np.where(generator.random(len(sure)) < sure, 0, 1).tolist()
    rule = Worth.of(Value(right=1, wrong=-5), ["a", "b"])
    classes, decided = rule.decide(np.stack([sure, 1 - sure], axis=1))
    best = rule.saved(classes, decided, labels)
    for threshold in (0.7, 0.78, 0.88, 0.95):
        assert rule.saved(classes, sure >= threshold, labels) < best


def test_pairs_of_classes_may_be_worth_something_else():
    names = ["bill", "spam"]
    rule = Worth.of(Value(right=1, wrong=-1, pairs={"bill": {"spam": -20}}), names)
    assert rule.table.tolist() == [[1, -20], [-1, 1]]
    # Nine of ten are spam, and what is no spam must not be taken for it.
    classes, decided = rule.decide(np.array([[0.1, 0.9], [0.02, 0.98]]))
    assert classes.tolist() == [0, 1] and decided.tolist() == [False, True]
    for pairs, says in (
        ({"bill": {"spm": 1}}, "'spm' is no class"),
        ({"bill": {"bill": 1}}, "'bill' answered as 'bill' is right"),
    ):
        with pytest.raises(RecipeError, match=says):
            Worth.of(Value(pairs=pairs), names)


@pytest.mark.parametrize(("right", "passed", "wrong"), [(1, 1, 0), (1, 0, 0), (math.nan, 0, -1)])
def test_values_that_leave_nothing_to_decide(right, passed, wrong):
    with pytest.raises(ValidationError, match=r"leave nothing to decide|finite number"):
        Value(right=right, passed=passed, wrong=wrong)


def test_a_recipe_that_asks_for_no_error_at_all():
    with pytest.raises(ValidationError, match="no number of rows shows that nothing is ever wrong"):
        Decide(max_error=0)
    assert Decide(max_error=0.01).limit == Limit(0.01, 0.9)


def imbalanced(rows, seed, taught):
    """Rows of which few are of the last class; `taught`: with probabilities that say so."""
    generator = np.random.default_rng(seed)
    shares = np.array([0.6, 0.35, 0.05])
    labels = generator.choice(3, rows, p=shares)
    logits = generator.normal(size=(rows, 3))
    logits[np.arange(rows), labels] += 1.2
    return softmax(1.2 * logits + (np.log(shares) if taught else 0)), labels.tolist()


def test_offsets_that_raise_macro_f1_on_other_rows_are_kept():
    shares, labels = imbalanced(4000, 1, taught=True)
    found = offsets.fit(shares, labels)
    assert found.kept and found.crossed > found.macro_f1 + 0.02
    assert np.argmax(found.offsets) == 2 and np.mean(found.offsets) == pytest.approx(0)
    fresh, true = imbalanced(20_000, 2, taught=True)
    gained = [_macro_f1(fresh, true, own) for own in ((), found.offsets)]
    assert gained[1] > gained[0] + 0.02
    assert gained[1] == pytest.approx(offsets.scored(fresh, true, found.offsets))
    # A rule that moves classes answers with them, and is sure of what it answers.
    model = deciding.Model("a", 0, False, ["x", "y", "z"])
    judged = [deciding.Judged(*imbalanced(rows, seed, taught=True)) for rows, seed in
              ((4000, 1), (1500, 3), (20_000, 2))]  # fmt: skip
    made = deciding.found(model, Asked(Limit(0.3), offsets=True), *judged)
    assert made.moved.kept and made.offsets == found.offsets and made.ground == "certified"
    assert made.moved.test_after > made.moved.test_before + 0.02
    classes, decided = deciding.applied(made, fresh, model.labels)
    assert (classes == of(fresh, found.offsets)[0]).all()
    assert made.test.answered == decided.sum() and made.test.error < 0.3
    assert found == offsets.fit(shares, labels)


def test_offsets_that_fit_nothing_but_their_own_rows_are_not_kept():
    kept = 0
    for seed in range(12):
        shares, labels = classified(150, seed, sharp=1.0)
        found = offsets.fit(shares, labels)
        kept += found.kept
        own = _macro_f1(shares, labels, found.offsets)
        assert own >= found.macro_f1
    assert kept <= 4
    silent = shares.copy()
    silent[:75] = 0
    assert offsets.fit(silent, labels).macro_f1 < 0.5


def _macro_f1(shares, labels, values):
    from sklearn.metrics import f1_score

    classes, _ = of(shares, values)
    return f1_score(labels, classes, average="macro")


def test_outside_is_told_from_inside_as_scikit_learn_tells_it():
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(0)
    inside = generator.random(500) < 0.8
    belongs = np.round(generator.normal(size=500) + inside, 1)
    found = out_of_scope.detection(belongs, inside)
    assert found.auroc == pytest.approx(roc_auc_score(inside, belongs))
    assert (belongs[inside] >= found.cut).mean() >= 0.95
    assert (belongs[inside] > found.cut).mean() < 0.95
    assert found.fpr == (belongs[~inside] >= found.cut).mean()
    with pytest.raises(DataError, match="no row is outside the scope"):
        out_of_scope.detection(belongs, np.ones(500, bool))


def test_scores_of_how_much_a_text_belongs():
    shares = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    assert out_of_scope.largest(shares, outside=2).tolist() == [0.7, 0.1]
    assert out_of_scope.of_class(shares, outside=2).tolist() == pytest.approx([0.9, 0.2])
    # A text that is not answered is none that surely fits, though nothing says that it does not.
    silent = np.zeros((1, 3))
    assert out_of_scope.of_class(silent, outside=2).tolist() == [0.0]
    assert out_of_scope.largest(silent, outside=2).tolist() == [0.0]
    assert out_of_scope.energy(np.array([[1000.0, 0, 5], [0, 0, 5]]), outside=2).tolist() == (
        pytest.approx([1000, math.log(2)])
    )
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 3, 120)
    # Wide in the first direction: a distance that does not know it takes the far for the near.
    rows = generator.normal(size=(120, 2)) * [10, 0.1]
    rows[:, 1] += labels
    centres = out_of_scope.Centres.of(rows, labels.tolist(), outside=2)
    near, far = centres.belongs(np.array([[15.0, 0.0], [0.0, 2.0]]))
    assert near > far


def scoped(rows, seed):
    """Two classes and texts outside, whose class the model knows a little of."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, rows, p=[0.4, 0.4, 0.2])
    logits = generator.normal(size=(rows, 3))
    inside = labels != 2
    logits[np.arange(rows)[inside], labels[inside]] += 4
    logits[~inside, 2] += 1
    return out_of_scope.Scored(softmax(logits), labels.tolist())


def test_the_score_that_tells_best_on_validation_judges_test():
    unseen, test = scoped(2000, 1), scoped(3000, 2)
    found = out_of_scope.judged(unseen, [test, scoped(3000, 2)], outside=2)
    assert set(found.tried) == {"probability", "class"}
    assert found.score == max(found.tried, key=found.tried.get)
    assert found.auroc == pytest.approx(found.tried[found.score], abs=0.03)
    assert (found.inside + found.outside, found.inside > 2300) == (3000, True)
    # Of the texts inside, 95 of 100 are let in, and of these a few are given another's class.
    assert 0.85 < found.right <= 0.965 and 0 < found.let_in < 1
    # A score of the arm's own is taken where it tells better, and only where every training has it.
    perfect = {"energy": np.where(np.asarray(test.labels) == 2, 0.0, 1.0)}
    own = {"energy": np.where(np.asarray(unseen.labels) == 2, 0.0, 1.0)}
    known = out_of_scope.Scored(unseen.probabilities, unseen.labels, own)
    more = out_of_scope.Scored(test.probabilities, test.labels, perfect)
    assert out_of_scope.judged(known, [more], outside=2).score == "energy"
    assert out_of_scope.judged(known, [more], outside=2).fpr == 0
    assert out_of_scope.judged(known, [more, test], outside=2).score != "energy"


def test_what_is_set_aside_cuts_and_every_score_is_told_on_test():
    unseen, test, other = scoped(2000, 1), scoped(3000, 2), scoped(3000, 3)
    # Of a model that is surer of all it says than the search's was: its own rows say how sure.
    surer = out_of_scope.Scored(np.sqrt(test.probabilities), test.labels)
    aside = out_of_scope.Scored(np.sqrt(other.probabilities), other.labels)
    found = out_of_scope.judged(unseen, [surer], 2, [aside])
    by = surer.by(2)[found.score]
    cut = out_of_scope.cut_at(aside.by(2)[found.score][aside.inside(2)])
    assert found.cut_on == "calibration"
    assert found.let_in == pytest.approx((by[~surer.inside(2)] >= cut).mean())
    assert out_of_scope.judged(unseen, [surer], 2).let_in != found.let_in
    # One training of two has rows that were set aside: validation cuts for both.
    assert out_of_scope.judged(unseen, [surer, test], 2, [aside]).cut_on == "validation"
    assert set(found.on_test) == {"probability", "class"} == set(found.tried)
    for name, figures in found.on_test.items():
        told = out_of_scope.detection(surer.by(2)[name], surer.inside(2))
        assert (figures.auroc, figures.fpr) == (told.auroc, told.fpr)
    assert found.auroc == found.on_test[found.score].auroc


def test_distances_of_rows_that_all_lie_on_their_class_are_numbers():
    rows = np.repeat(np.eye(2), 3, axis=0)
    centres = out_of_scope.Centres.of(rows, [0, 0, 0, 1, 1, 1], outside=2)
    near, far = centres.belongs(np.array([[1.0, 0.0], [9.0, 9.0]]))
    assert np.isfinite([near, far]).all() and near > far


def test_validation_without_a_text_outside_leaves_the_largest_probability():
    unseen, test = scoped(500, 1), scoped(500, 2)
    inside = np.flatnonzero(unseen.inside(2))
    alone = out_of_scope.Scored(
        unseen.probabilities[inside], np.asarray(unseen.labels)[inside].tolist()
    )
    found = out_of_scope.judged(alone, [test], outside=2)
    assert (found.score, found.tried) == ("probability", {})
    assert out_of_scope.judged(unseen, [alone], outside=2) is None
