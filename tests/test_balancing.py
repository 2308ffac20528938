"""Rare classes: when what makes up for them is searched, what each way does, and what is told."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from report_studies import EN, ZH, study, trial
from report_studies import scores as scores_of
from test_arms import AGNEWS, CATALOGUE
from test_strategies_classic import ToyRun, builder_model, toy_task
from torch.nn.functional import cross_entropy

from suite import strategies
from suite.config.recipe import Recipe
from suite.contracts import balancing
from suite.contracts.space import Choice
from suite.contracts.strategy import Rows
from suite.report.data.balanced import balanced_told
from suite.report.data.rows import leaderboard
from suite.report.pages.answer import answer
from suite.strategies.heads import regression
from suite.strategies.network.balance import Balance, oversampled, weighted
from suite.strategies.network.soft_loss import LossBalance, summed
from suite.study import arms
from suite.verdict.of_confusion import counted
from suite.verdict.standing import standing
from suite.verdict.unpaired import apart

# --- when it is searched --------------------------------------------------------------------------

ARMS = (
    *("tfidf/classic", "fasttext/classic", "textcnn/classic", "minilm/linear_head"),
    *("minilm/probe", "potion-base-8m/linear_head", "potion-base-8m/probe", "qwen3-0.6b/sft"),
)


def planned(counts, **recipe):
    made = Recipe(name="r", arms=list(ARMS), **recipe)
    return arms.plan(made, AGNEWS, CATALOGUE, unavailable=lambda model: None, counts=counts)


def test_it_is_a_dimension_where_some_classes_are_rare():
    for counts in ((), (500, 101, 0)):
        assert all(balancing.NAME not in arm.space.dimensions for arm in planned(counts))
    offered = {
        arm.name: arm.space.dimensions[balancing.NAME].options for arm in planned((500, 100, 0))
    }
    all_ways = ("none", "weights", "oversampled", "focal", "logit_adjusted")
    assert offered == {
        "tfidf/classic": ("none", "weights"),
        "fasttext/classic": ("none", "weights"),
        "textcnn/classic": all_ways,
        "minilm/linear_head": all_ways,
        "minilm/probe": ("none", "weights", "logit_adjusted"),
        "potion-base-8m/linear_head": all_ways,
        "potion-base-8m/probe": ("none", "weights", "logit_adjusted"),
        "qwen3-0.6b/sft": all_ways,
    }
    for arm in planned((500, 100, 0)):
        ways = [point[balancing.NAME] for point in arm.space.known_good]
        assert ways[:2] == ["none", offered[arm.name][-1]] and set(ways[2:]) <= {"none"}


def test_a_recipe_may_ask_for_a_way_where_none_is_searched():
    found = planned((), spaces={"*/linear_head": {"balance": ["none", "focal"]}})
    heads = [arm for arm in found if arm.name.endswith("/linear_head")]
    assert [arm.space.dimensions["balance"] for arm in heads] == [Choice(("none", "focal"))] * 2
    with pytest.raises(Exception, match="must be one of task, none, weights, not 'focal'"):
        planned((), spaces={"tfidf/classic": {"balance": "focal"}})


def test_what_the_task_says_holds_where_a_trial_says_nothing():
    rows = Rows(("a",) * 4, (0, 0, 0, 2))
    balanced = toy_task(class_weights="balanced")
    run = ToyRun("fasttext", balanced, rows)
    assert weighted(run) and not weighted(ToyRun("fasttext", toy_task(), rows))
    run.params = {"balance": "none"}
    assert not weighted(run)
    space = strategies.for_rare_classes(
        "classic", builder_model("tfidf"), strategies.space(
            "classic", builder_model("tfidf"), balanced), balanced
    )  # fmt: skip
    assert space.known_good[0]["balance"] == "weights"


# --- what each way does ---------------------------------------------------------------------------


def skewed(way, counts=(90, 9, 1)):
    labels = tuple(label for label, rows in enumerate(counts) for _ in range(rows))
    run = ToyRun("textcnn", toy_task(), Rows(tuple(f"t{n}" for n in range(len(labels))), labels))
    run.params = {"balance": way}
    run.epochs, run.attached = 4, run.folder
    return run


def test_rows_of_rare_classes_stand_several_times_in_as_many_steps():
    run = skewed("oversampled")
    found = oversampled(run)
    counts = np.bincount(found.train.labels)
    # (even share / own share)½: 1, (33.3 / 9)½ = 1.92, 33.3½ = 5.77.
    assert counts[0] == 90 and 9 <= counts[1] <= 18 and counts[2] in (5, 6)
    assert found.epochs * len(found.train) == pytest.approx(4 * 100)
    assert found.fingerprint != run.fingerprint
    assert oversampled(skewed("weights")).train.labels == run.train.labels


def test_what_stands_several_times_is_not_weighted_too():
    run = skewed("oversampled")
    run.task = toy_task(class_weights="balanced")
    assert not weighted(run)
    found = oversampled(run)
    assert len(found.train) > len(run.train) and not weighted(found)
    assert oversampled(found).train.labels == found.train.labels  # and no more often


def test_the_loss_looks_past_rows_that_are_sure():
    logits = torch.tensor([[4.0, 0.0, 0.0], [0.2, 0.0, 0.0]])
    labels = torch.tensor([0, 0])
    plain = LossBalance(torch.ones(3), torch.zeros(3))
    focal = replace(plain, gamma=2.0)
    sure, unsure = (summed(logits[i : i + 1], labels[:1], focal) for i in (0, 1))
    each = cross_entropy(logits, labels, reduction="none")
    p = logits.softmax(dim=1)[:, 0]
    torch.testing.assert_close(torch.stack([sure, unsure]), (1 - p) ** 2 * each)
    assert sure / each[0] < 0.01 < 0.3 < unsure / each[1]
    soft = torch.eye(3)[labels]
    torch.testing.assert_close(summed(logits, soft, focal), sure + unsure)
    assert LossBalance.of(skewed("focal"), torch.device("cpu")).gamma == 2.0


def test_shares_are_taken_out_of_the_scores():
    found = Balance.of(skewed("logit_adjusted"))
    np.testing.assert_allclose(np.exp(found.priors), [0.9, 0.09, 0.01], rtol=1e-5)
    assert Balance.of(skewed("none")).plain and not found.plain
    logits, labels = torch.zeros(1, 3), torch.tensor([2])
    balance = LossBalance.of(skewed("logit_adjusted"), torch.device("cpu"))
    # A row of a rare class costs what its class' share says it does.
    assert summed(logits, labels, balance).item() == pytest.approx(-np.log(0.01), rel=1e-4)


def test_a_regression_answers_rare_classes_more_often():
    generator = np.random.default_rng(0)
    labels = np.array([0] * 180 + [1] * 20)
    matrix = (generator.normal(size=(200, 4)) + labels[:, None] * 0.8).astype(np.float32)
    rows = Rows(tuple(f"t{n}" for n in range(200)), tuple(labels.tolist()))
    named = {}
    for way in ("none", "weights", "logit_adjusted"):
        run = ToyRun("tfidf", toy_task(), rows)
        run.params = {"balance": way}
        head = regression.fit(matrix, run, C=1.0, scaling="none", relative=True)
        named[way] = int((head.logits(matrix, "none").argmax(axis=1) == 1).sum())
    assert named["none"] < 15 < 30 < min(named["weights"], named["logit_adjusted"])


@pytest.mark.parametrize("builder", ["tfidf", "fasttext", "textcnn"])
def test_each_classic_model_trains_with_its_last_way(builder, folder):
    common, rare = ["red apple pie"] * 80, ["blue sea fish"] * 8
    rows = Rows((*common, *rare), (*[0] * 80, *[1] * 8))
    strategy = strategies.get("classic")
    run = ToyRun(builder, toy_task(), rows)
    run.params = dict(strategy.space(builder_model(builder), toy_task()).known_good[0])
    way = strategy.hyperparameters(builder_model(builder))["balance"].options[-1]
    run.params |= {"balance": way}
    found = strategy.fit(run).predict_proba(["red apple pie", "blue sea fish"])
    assert found.argmax(axis=1).tolist() == [0, 1]


# --- what is told ---------------------------------------------------------------------------------


def test_the_findings_say_which_way_helped():
    base = study()
    base = replace(base, verdict=standing(base).verdict)
    arm = base.verdict.recommended
    scores = {"none": (0.61, 0.6), "logit_adjusted": (0.68,), "weights": (0.66, 0.5)}
    trials = [
        replace(trial(number, arm, score), params={"balance": way})
        for number, (way, score) in enumerate(
            (way, score) for way, own in scores.items() for score in own
        )
    ]
    found = replace(base, trials=trials)
    (said,) = balanced_told(found, EN)
    assert "logit_adjusted has" in said and arm in said
    assert "logit_adjusted 0.6800, 1 trial" in said
    assert "none 0.6100, best of 2 trials" in said
    assert said in answer(found, leaderboard(found), EN).notes
    assert "logit_adjusted" in balanced_told(found, ZH)[0]
    # Twenty rows of validation, told apart by nothing.
    assert "may be chance" in said and "可能出于偶然" in balanced_told(found, ZH)[0]
    many = {"none": [[190, 10], [19, 1]], "logit_adjusted": [[180, 20], [3, 17]]}
    clear = [
        replace(t, validation=scores_of(t.score, many.get(t.params["balance"]))) for t in trials
    ]
    assert "chance" not in balanced_told(replace(found, trials=clear), EN)[0]
    plain = replace(base, trials=[t for t in trials if t.params["balance"] != "logit_adjusted"][:3])
    assert balanced_told(plain, EN)[0].count("weights 0.6600") == 1
    none = replace(base, trials=[replace(t, params={"balance": w}) for t, w in zip(
        trials, ("none", "weights"), strict=False)])  # fmt: skip
    assert "no way that was searched" in balanced_told(none, EN)[0]
    assert balanced_told(base, EN) == []


def test_matrices_of_other_rows_are_told_apart_no_more_often_than_they_may_be():
    generator, draws = np.random.default_rng(0), 300

    def drawn(right):
        labels = generator.choice(3, 300, p=(0.8, 0.15, 0.05))
        wrong = (labels + generator.integers(1, 3, 300)) % 3
        answers = np.where(generator.random(300) < right, labels, wrong)
        answers[generator.random(300) < 0.02] = -1
        return counted(labels, answers, 3).astype(int).tolist()

    alike = np.mean([apart(drawn(0.8), drawn(0.8)) for _ in range(draws)])
    unlike = np.mean([apart(drawn(0.8), drawn(0.95)) for _ in range(draws)])
    assert alike < 0.09 and unlike > 0.9
    same = drawn(0.8)
    assert not apart(same, same)
