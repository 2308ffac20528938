"""Log-loss and Brier score as objectives: less is better in search, finals, verdicts and words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from report_studies import BERT, EN, FAST, HEAD, ZH, study, told
from test_evaluation import Channel, Wrong, child, kept  # noqa: F401

from suite.contracts.results import Checkpoint, Comparison, Objective
from suite.contracts.strategy import Refused
from suite.report.charts import curves, history, trade_off
from suite.report.charts.chart import StudyScene
from suite.report.data.across import across
from suite.report.data.knobs import knobs
from suite.report.data.rows import METRICS, leaderboard, pareto_front
from suite.report.data.side_by_side import side_by_side
from suite.report.data.styles import styles
from suite.report.pages.page import render_page
from suite.report.pages.pairs import judged
from suite.study.finals_plan import chosen_fraction
from suite.verdict import losses
from suite.verdict.metrics import LEAST
from suite.verdict.metrics import METRICS as SCORES
from suite.verdict.standing import best_trial, standing

# ---------------------------------------------------------------- the law


def test_pulls_are_the_jackknife_s_of_a_mean():
    rows = np.array([0.1, 0.7, 2.0, 0.2, 0.9])
    found = losses.trained([rows])
    without = np.array([-np.delete(rows, i).mean() for i in range(5)])
    expected = np.sqrt(4 / 5) * (without.mean() - without)
    assert found.pulls[0] == pytest.approx(expected)
    assert (found.pulls**2).sum() == pytest.approx(rows.var(ddof=1) / 5)  # of a mean
    assert found.scores[0] == pytest.approx(-0.78) and found.biases[0] == 0
    # A score that is known more exactly stands.
    assert losses.trained([rows], [0.7801]).scores[0] == -0.7801


def compared(arms, deterministic=(), bounds=(0.0, 2.0)):
    scores = {arm: [float(np.mean(one)) for one in own] for arm, own in arms.items()}
    return losses.compare(arms, scores, bounds=bounds, deterministic=deterministic)


def test_the_arm_that_loses_less_is_ahead_and_what_does_not_differ_is_chance():
    draw = np.random.default_rng(0)
    base = draw.exponential(0.4, 600).clip(0, 2)
    arms = {
        "good": [base * 0.8, base * 0.82],
        "same": [base * 0.8, base * 0.82],
        "bad": [base + 0.1, base + 0.12],
    }
    found = compared(arms)
    p = {frozenset((d.a, d.b)): d.p for d in found.differences}
    assert p[frozenset(("good", "same"))] == 1.0 and p[frozenset(("good", "bad"))] < 0.05
    assert found.ranges == {"good": (1, 2), "same": (1, 2), "bad": (3, 3)}
    (winner,) = {
        d.winner for d in found.differences if "bad" in (d.a, d.b) and "good" in (d.a, d.b)
    }
    assert winner == "good"


@pytest.mark.parametrize("metric", ["log_loss", "brier"])
def test_intervals_cover_and_stay_within_what_a_loss_can_be(metric):
    draw = np.random.default_rng(1)
    bounds = SCORES[metric].bounds
    assert bounds == ((0.0, -np.log(LEAST)) if metric == "log_loss" else (0.0, 2.0))
    covered = 0
    for _ in range(400):
        rows = draw.exponential(0.3, 150).clip(*bounds)
        found = compared({"a": [rows]}, {"a"}, bounds).intervals["a"]
        assert -bounds[1] <= found.low <= found.value <= found.high <= 0
        covered += found.low <= -0.3 <= found.high
    assert covered / 400 > 0.92
    none = compared({"a": [np.zeros(50)]}, {"a"}, bounds).intervals["a"]
    assert none.value == none.high == 0 and none.low < 0


def test_answers_that_are_a_class_each_are_refused(folder):
    run = child(folder, Channel(), evaluation="full", checkpoints=1)
    run._job = replace(run._job, objective="brier")
    with pytest.raises(Refused, match="a class each, and no probabilities: Brier score"):
        run.checkpoint(Wrong("sure", range(9)), 1.0)


# ---------------------------------------------------------------- what is chosen, and shown


def by(name, value):
    return Objective(name, value)


def scored(of, loss):
    return replace(of, objective=by("log_loss", loss), others={"log_loss": loss})


def lossy(**changes):
    """The toy study by log-loss: HEAD .30, FAST .34, BERT .60."""
    own = {FAST: 0.34, HEAD: 0.30, BERT: 0.60}
    base = study(objective="log_loss")
    trials = [
        replace(
            t,
            validation=t.validation and scored(t.validation, own[t.arm] + 0.01 * t.number),
            checkpoints=[
                replace(c, objective=by("log_loss", 0.9 - c.fraction / 2)) for c in t.checkpoints
            ],
        )
        for t in base.trials
    ]
    finals = [
        replace(
            f,
            test=replace(
                scored(f.test, own[f.arm]),
                objective_interval=(own[f.arm] - 0.02, own[f.arm] + 0.03),
            ),
            seeds=3,
            seed_scores=[own[f.arm]] * 3,
        )
        for f in base.finals
    ]
    pairs = [
        Comparison(FAST, HEAD, 0.04, (-0.01, 0.09), 0.4),
        Comparison(FAST, BERT, -0.26, (-0.3, -0.2), 0.001),
        Comparison(HEAD, BERT, -0.30, (-0.4, -0.2), 0.001),
    ]
    return replace(base, trials=trials, finals=finals, comparisons=pairs, margin=0.05, **changes)


def test_the_least_loss_leads_and_the_gap_is_how_much_more_the_other_may_lose():
    found = lossy()
    stood = standing(found)
    assert [place.arm for place in stood.places] == [HEAD, FAST, BERT]
    assert stood.verdict.best == HEAD and stood.verdict.recommended == FAST
    assert stood.verdict.could_be_below_by == 0.09
    other = replace(found, comparisons=[Comparison(HEAD, FAST, -0.04, (-0.09, 0.01), 0.4)])
    assert standing(other).verdict.could_be_below_by == 0.09
    assert best_trial([t for t in found.trials if t.arm == FAST]).number == 0
    assert [judged(c, EN, "log_loss").verdict for c in found.comparisons][1:] == [
        EN("verdict_real", arm=FAST),
        EN("verdict_real", arm=HEAD),
    ]
    board = leaderboard(found)
    assert pareto_front(board.rows, METRICS["offline_rps"], board.score) == (HEAD, FAST)


def test_the_checkpoint_with_the_least_loss_is_the_chosen_one():
    scored = [(0.25, 0.9), (0.5, 0.4), (0.75, 0.5), (1.0, 0.6)]
    points = [Checkpoint(f, 0.5, 1.0, 100, by("brier", loss)) for f, loss in scored]
    assert chosen_fraction(replace(study().trials[0], checkpoints=points), 100) == 0.5


def test_charts_know_the_best_of_losses():
    found = lossy()
    assert [score for _, score in history.values(found).best][:2] == [0.34, 0.31]
    assert "trial 1 (toy-qwen/linear_head) scored best on validation, 0.3100" in history.finding(
        history.values(found), EN
    )
    more = [replace(found.trials[0], number=n, params={"C": 0.1 * n}) for n in (6, 7)]
    drawn = {k.arm: k for k in knobs(replace(found, trials=[*found.trials, *more]),
                                     leaderboard(found))}  # fmt: skip
    assert FAST not in drawn or drawn[FAST].trials[drawn[FAST].best] == 0


def test_the_scale_of_curves_goes_by_how_trials_end_and_not_by_how_much_they_lost_first():
    def figure(objective, first, last):
        trials = [
            replace(
                study().trials[0],
                number=n,
                checkpoints=[
                    Checkpoint(f, 0.5, 1.0, 100, by(objective, value + n / 100))
                    for f, value in ((0.5, first), (1.0, last))
                ],
            )
            for n in range(3)
        ]
        data = curves.values(replace(study(objective=objective), trials=trials))
        return curves.figure(data, styles([study()]), EN).layout.yaxis.range

    low, high = figure("log_loss", 9.0, 0.3)
    assert 0.29 < low < 0.3 and 0.32 < high < 0.4
    low, high = figure("mcc", -0.9, 0.3)
    assert 0.2 < low < 0.3 and 0.32 < high < 0.33


def test_what_is_a_share_is_not_drawn_among_losses():
    def drawn(results):
        kinds = (trade_off.SPEED, trade_off.TRAINING)
        return [c for kind in kinds for c in kind.draw(StudyScene.of(results, EN))]

    losing, usual = drawn(lossy()), drawn(study())
    assert all("Down and towards the cheaper side" in c.about for c in losing)
    assert all("Up and towards the cheaper side" in c.about for c in usual)
    assert not any("paper-net" in c.figure.to_json() for c in losing)
    assert all("paper-net" in c.figure.to_json() for c in usual)


def test_a_page_sorts_the_least_loss_first_and_a_cell_says_what_it_is_worth():
    page = render_page(lossy(), EN)
    assert (
        'aria-sort="ascending" data-first="ascending"><button type="button">Test log-loss' in page
    )
    cells = {arm.arm: arm.cells[0] for arm in across([lossy()]).arms}
    assert (cells[HEAD].merit, cells[HEAD].gap) == (-0.3, 0.0)
    assert (cells[FAST].score, cells[FAST].gap) == (0.34, pytest.approx(-0.04))


def test_of_two_studies_the_one_that_loses_less_is_better():
    before = lossy()
    finals = [
        replace(f, test=replace(scored(f.test, 0.1), objective_interval=(0.09, 0.12)))
        for f in before.finals
    ]
    found = side_by_side(before, replace(before, study="after", finals=finals))
    assert {change.verdict for change in found.arms} == {"better"}
    assert all(change.difference < 0 for change in found.arms)
    assert found.why_unpaired == "losses"


def test_sentences_name_the_metric_and_which_way_is_up():
    text = told(lossy()).text
    assert "log-loss 0.3400 (95 % interval 0.3200–0.3700)" in text  # of the one to take
    assert "scores best: 0.0400 less log-loss" in text and "macro-F1" not in text
    lead = told(replace(lossy(), margin=0.0)).text
    assert "It has the lowest score on the test split: log-loss 0.3000" in lead
    chinese = told(replace(lossy(), margin=0.0), "zh").text
    assert "得分最低：对数损失 为 0.3000" in chinese
    # By a metric of which more is better, it is named as well.
    by_mcc = replace(
        study(objective="mcc"),
        finals=[
            replace(
                f,
                test=replace(
                    f.test, objective=by("mcc", f.test.macro_f1), others={"mcc": f.test.macro_f1}
                ),
            )
            for f in study().finals
        ],
    )
    assert "the highest score on the test split: Matthews correlation 0.9110" in told(by_mcc).text
    assert ZH.about("brier")("way_more") == "低" and EN.about("brier")("way_below") == "above"
    # Of studies by several scores no direction is that of all.
    assert EN.about("")("way_below") == "below"
