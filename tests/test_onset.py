"""When learning has set in, and that a trial which learns late is not ended for it."""

import math
from dataclasses import astuple

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

from suite.config.recipe import Pruner
from suite.contracts.results import Checkpoint
from suite.study import pruning
from suite.study.pruning import Onset
from suite.verdict import of_confusion
from suite.verdict.guessing import Guessing

EVEN = Guessing.of([125] * 4)
ONSET = Onset(frozenset({"m/sft"}), EVEN, 500)
ARMS = optuna.distributions.CategoricalDistribution(["m/sft", "m/classic"])


def held(curve, arm="m/sft", state=TrialState.COMPLETE):
    """A trial with these (macro-F1, loss) at equal fractions of its budget, as it is stored."""
    checkpoints = [
        Checkpoint(i / 5, f1, 1.0, rows=500, loss=loss) for i, (f1, loss) in enumerate(curve, 1)
    ]
    return create_trial(
        state=state,
        params={"arm": arm},
        distributions={"arm": ARMS},
        intermediate_values={pruning.step(c.fraction): c.macro_f1 for c in checkpoints},
        user_attrs={pruning.CHECKPOINTS: [list(astuple(c)) for c in checkpoints]},
        value=max(f1 for f1, _ in curve) if state == TrialState.COMPLETE else None,
    )


def ended_at(curve, peers, arm="m/sft", onset=ONSET, **pruner):
    """The checkpoint (1 to 5) at which a trial with this curve is ended; None where it is not."""
    study = optuna.create_study(direction="maximize")
    for peer in peers:
        study.add_trial(held(peer, arm))
    judge = pruning.pruner(Pruner(**pruner), onset)
    for reached in range(1, len(curve)):
        study.add_trial(held(curve[:reached], arm, TrialState.RUNNING))
        if judge.prune(study, study.get_trials()[-1]):
            return reached
    return None


# A curve like that of SmolLM2-135M taught AG News, of which .089 after 40 % of its budget and .877
# at its end were seen. The other figures are drawn up, the losses as of a model that is sure and
# wrong until it learns.
LATE = [(0.10, 2.9), (0.089, 1.6), (0.41, 1.21), (0.80, 0.58), (0.877, 0.41)]
EARLY = [(0.71, 0.80), (0.82, 0.55), (0.85, 0.45), (0.86, 0.42), (0.865, 0.41)]
POOR = [(0.55, 1.10), (0.58, 1.05), (0.60, 1.02), (0.61, 1.00), (0.61, 1.00)]


@pytest.mark.parametrize("name", ["median", "percentile", "successive_halving"])
@pytest.mark.parametrize("scope", ["arm", "study"])
def test_a_trial_that_learns_late_goes_on_to_its_end(name, scope):
    assert ended_at(LATE, [EARLY] * 3, name=name, scope=scope) is None


def test_it_was_ended_at_once_where_equal_fractions_alone_decide():
    assert ended_at(LATE, [EARLY] * 3, onset=Onset(frozenset(), EVEN, 500)) == 1


def test_hyperband_waits_for_it_too():
    study = optuna.create_study(direction="maximize")
    judge = pruning.pruner(Pruner(name="hyperband", scope="study"), ONSET)
    assert isinstance(judge, optuna.pruners.HyperbandPruner)  # its sampler asks
    for peer in [EARLY] * 9:
        study.add_trial(held(peer))
    for reached in (1, 2, 3):
        study.add_trial(held(LATE[:reached], state=TrialState.RUNNING))
        assert not judge.prune(study, study.get_trials()[-1])


def test_one_that_has_learnt_and_stays_behind_is_ended():
    assert ended_at(POOR, [EARLY] * 3) == 2
    # Late or not: as long after its onset as the others were, it is behind.
    late = [(0.10, 2.9), (0.10, 1.5), *POOR[:3]]
    assert ended_at(late, [EARLY] * 3) == 4


def test_arms_that_learn_from_the_start_are_compared_at_equal_fractions():
    assert ended_at(LATE, [EARLY] * 3, arm="m/classic") == 1


def test_trials_of_before_the_loss_was_told_go_by_macro_f1():
    old = [(f1, None) for f1, _ in LATE]
    assert ended_at(old, [[(f1, None) for f1, _ in EARLY]] * 3) is None


def test_a_damaged_record_ends_nothing():
    trial = held(POOR[:3], state=TrialState.RUNNING)
    trial.user_attrs[pruning.CHECKPOINTS] = [["a", {}, None]]
    study = optuna.create_study(direction="maximize")
    for peer in [EARLY] * 3:
        study.add_trial(held(peer))
    assert not pruning.pruner(Pruner(), ONSET).prune(study, trial)


@pytest.mark.parametrize(
    ("f1", "loss", "shows"),
    [
        (0.25, 1.386, False),  # guessing
        (0.34, 1.40, False),  # better than chance, and sure where it is wrong: asked, not taught
        (0.507, 1.9, False),  # Qwen2.5-Coder-0.5B as it comes, its liking for a letter taken out
        (0.26, 1.37, False),  # learns the classes' shares
        (0.41, 1.21, True),
        (0.60, None, True),
    ],
)
def test_learning_shows_where_no_guess_scores_so(f1, loss, shows):
    assert ONSET.shows(Checkpoint(0.2, f1, 1.0, rows=500, loss=loss)) == shows


# ---------------------------------------------------------------- over simulated late learners


def curve(onset, rate, height):
    """A trial that guesses until its onset (a fraction of the budget), and learns from then on."""
    found = []
    for fraction in (0.2, 0.4, 0.6, 0.8, 1.0):
        learnt = 1 - math.exp(-max(0.0, fraction - onset) * rate)
        if fraction > onset:  # at once beyond what guessing may score: onset is when it shows
            found.append((0.35 + (height - 0.35) * learnt, 1.3 - 1.0 * learnt))
        else:
            found.append((0.1, 1.5))
    return found


onsets = st.floats(0.0, 0.95)


@settings(max_examples=150, deadline=None)
@given(
    onset=onsets,
    peers=st.lists(st.tuples(onsets, st.floats(0.5, 0.9)), min_size=2, max_size=5),
    rate=st.floats(1.0, 20.0),
    name=st.sampled_from(["median", "percentile"]),
)
def test_no_trial_is_ended_that_learns_as_well_as_the_others_once_it_does(onset, peers, rate, name):
    others = [curve(late, rate, height) for late, height in peers]
    best = max(height for _, height in peers)
    assert ended_at(curve(onset, rate, best), others, name=name) is None


def test_guessing_at_any_shares_is_taken_for_learning_once_in_a_thousand_times_at_most():
    random = np.random.default_rng(0)
    taken = tried = 0
    for counts in ([250, 250], [50, 450], [125] * 4, [20, 80, 400], [10] * 20):
        labels = np.repeat(np.arange(len(counts)), counts)
        bound = Guessing.of(counts).macro_f1(len(labels))
        for _ in range(400):
            shares = random.dirichlet(np.ones(len(counts)))
            guesses = random.choice(len(counts), size=len(labels), p=shares)
            matrix = of_confusion.counted(labels, guesses, len(counts))
            taken += float(of_confusion.macro_f1(matrix)) > bound
            tried += 1
    assert taken <= tried / 1000 + 1
    # And no shares, given as probabilities, cost less than the classes' own.
    shares = random.dirichlet(np.ones(3), size=2000)
    counts = np.array([20, 80, 400])
    assert (-(np.log(shares) @ counts) / 500).min() >= Guessing.of(counts.tolist()).loss - 1e-9
