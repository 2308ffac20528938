"""What a command's time is spent on: the rule, a simulated study, and what is known of arms."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from suite.contracts.model import Model
from suite.contracts.results import Checkpoint, Trial
from suite.contracts.rowfacts import Rows
from suite.contracts.space import Choice, Fixed
from suite.study import estimates
from suite.study.allotting import TIMING_SHARE, Allowance, Contender, next_turn
from suite.study.record import MEASURED, OWNER, SHORT
from suite.study.thumb import Machine, Texts, reckon
from suite.study.turns import Turns

# ---------------------------------------------------------------- whose turn


def test_the_cheapest_of_those_with_the_fewest_trials_is_next():
    arms = [
        Contender("slow", 1, seconds=30.0),
        Contender("new", 1, seconds=5.0),
        Contender("quick", 2, seconds=1.0),
    ]
    turn = next_turn(arms, left=100, timing_left=10)
    assert (turn.do, turn.arm, turn.order) == ("start", "new", ("new", "slow", "quick"))


def test_an_arm_that_no_longer_fits_leaves_its_turn_and_says_what_it_would_take():
    arms = [Contender("slow", 1, seconds=60.0), Contender("quick", 3, seconds=2.0)]
    turn = next_turn(arms, left=50, timing_left=0)
    assert (turn.do, turn.arm, turn.unfit) == ("start", "quick", {"slow": 60.0})
    assert next_turn(arms, left=1, timing_left=0).do == "stop"


def test_what_was_only_reckoned_is_told_as_a_rule_of_thumb(monkeypatch):
    stored, said = {}, []
    turns = object.__new__(Turns)
    turns.unfit = {"a/sft": 1320.0, "b/probe": 60.0, "c/toy": float("inf")}
    turns._ledger = SimpleNamespace(
        study=SimpleNamespace(
            get_trials=lambda deepcopy: [], user_attrs={}, set_user_attr=stored.__setitem__
        ),
        known_seconds=lambda: {"b/probe": 60.0},
    )
    monkeypatch.setattr(Turns, "_rounds", lambda self, trials, out: 1)
    turns.tell(said.append)
    assert said == [
        "a/sft: 0 of 1 round: one more would take about 22 min by rule of thumb, longer than there "
        "was time",
        "b/probe: 0 of 1 round: one more would take about 60 s, longer than there was time",
        "c/toy: 0 of 1 round: there was no time for one more",
    ]
    assert list(stored[SHORT]) == ["a/sft", "b/probe", "c/toy"]


def test_what_the_finals_take_is_kept_back():
    arms = [
        Contender("a", 1, seconds=10.0, finals=20.0),
        Contender("b", 1, seconds=10.0, finals=25.0),
        Contender("new", 0, seconds=10.0, finals=5.0),
    ]
    # Of the finals those of an arm without a trial are only due once it has one.
    assert next_turn(arms, left=59, timing_left=0).unfit == {"new": 10.0}
    assert next_turn(arms, left=60, timing_left=0).arm == "new"


def test_an_arm_s_first_trial_comes_before_a_second_training_of_others():
    tried = [
        Contender("a", 1, seconds=10.0, finals=20.0, least=10.0),
        Contender("b", 1, seconds=10.0, finals=20.0, least=10.0),
    ]
    new = Contender("new", 0, seconds=10.0, finals=20.0, least=10.0)
    # 10 for its trial, and one training of each.
    assert next_turn([*tried, new], left=40, timing_left=0).arm == "new"
    assert next_turn([*tried, new], left=39, timing_left=0).do == "stop"
    # A second trial needs the whole of what is kept back, of those that have all their trials too.
    done = Contender("done", 2, seconds=10.0, finals=20.0, least=10.0)
    assert next_turn([*tried, done], left=70, timing_left=0, rounds=2).arm == "a"
    assert next_turn([*tried, done], left=69, timing_left=0, rounds=2).do == "stop"
    assert next_turn([done, new], left=30, timing_left=0, rounds=2).arm == "new"


def test_a_command_that_was_slow_to_start_tries_its_cheapest_arm_all_the_same():
    arms = [Contender("slow", 0, thumb=40.0), Contender("quick", 0, thumb=4.0)]
    turn = next_turn(arms, left=-1, timing_left=0, whole=15)
    assert (turn.do, turn.arm, turn.unfit) == ("start", "quick", {"slow": 40.0})
    assert next_turn([Contender("unknown", 0)], -1, 0, whole=15).do == "start"
    # Once: what was tried is an answer. And not what its whole time would not do for.
    tried = [Contender("slow", 0, thumb=40.0), Contender("quick", 1, seconds=4.0)]
    assert next_turn(tried, left=-1, timing_left=0, whole=15).do == "stop"
    tried = [Contender("next", 0, thumb=10.0), Contender("quick", 1, seconds=4.0)]
    assert next_turn(tried, left=-1, timing_left=0, whole=15).do == "stop"
    assert next_turn(arms[:1], left=-1, timing_left=0, whole=15).do == "stop"
    # Tried, with all its rounds, and so not among those whose turn it may be.
    assert next_turn(tried, left=-1, timing_left=0, rounds=1, whole=15).do == "stop"


def test_an_arm_is_timed_only_where_the_rule_of_thumb_does_not_settle_it():
    sure = Contender("sure", 0, thumb=3.0)
    open_ = Contender("open", 0, thumb=20.0)
    unknown = Contender("unknown", 0)
    assert next_turn([sure, open_], 100, 10).do == "start"
    turn = next_turn([open_, unknown], 100, 10)
    assert (turn.do, turn.arm) == ("time", "open")
    # The share for it is spent: the rule of thumb has to do, and what nobody knows is tried.
    turn = next_turn([open_, unknown], 100, 0.5)
    assert (turn.do, turn.arm) == ("start", "open")
    assert next_turn([unknown], 100, 0.5).do == "start"
    assert next_turn([Contender("far", 0, thumb=200.0)], 100, 0.5).do == "stop"
    assert next_turn([Contender("tried", 0, thumb=20.0, timed=True)], 100, 10).do == "start"


class Simulated:
    """A study of arms with known costs, run by the rule on a clock that only they move."""

    def __init__(self, costs, seconds, rounds, *, finals=2.0, errs=1.0, timing=1.0):
        self.costs, self.rounds, self.finals, self.errs = costs, rounds, finals, errs
        self.now = 0.0
        self.timing = timing
        self.trials = dict.fromkeys(costs, 0)
        self.known, self.order, self.first = {}, [], None
        self.allowance = Allowance(seconds, clock=lambda: self.now)

    def run(self):
        while sum(self.trials.values()) < self.rounds * len(self.costs):
            arms = [
                Contender(arm, self.trials[arm], seconds=self.known.get(arm), thumb=cost,
                          finals=self.finals)
                for arm, cost in self.costs.items()
            ]  # fmt: skip
            turn = next_turn(
                arms, self.allowance.left, self.allowance.timing_left, rounds=self.rounds
            )
            if turn.do == "stop":
                break
            if turn.do == "time":
                with self.allowance.timing():
                    self.now += self.timing
                self.known[turn.arm] = self.costs[turn.arm]
                continue
            self.now += self.costs[turn.arm] * self.errs
            self.known[turn.arm] = self.costs[turn.arm] * self.errs
            self.trials[turn.arm] += 1
            self.order.append(turn.arm)
            self.first = self.first if self.first is not None else self.now
        return self


COSTS = {"bert": 40.0, "tfidf": 2.0, "qwen": 21.0, "fasttext": 4.0}


def test_a_simulated_study_keeps_within_its_time_in_equal_rounds_the_cheapest_first():
    run = Simulated(COSTS, seconds=240, rounds=4).run()
    assert run.order[:4] == ["tfidf", "fasttext", "qwen", "bert"]
    assert run.now + 4 * run.finals <= 240
    # 67 s a round: three are whole, and of the fourth what fits.
    assert run.trials["tfidf"] == run.trials["fasttext"] == 4
    assert run.trials["bert"] == 3
    assert run.first <= 3.0  # nothing is timed before the cheapest has run


def test_a_simulated_study_times_its_arms_in_a_tenth_of_its_time():
    run = Simulated(COSTS, seconds=100, rounds=4, timing=6.0).run()
    # 10 s for timing: one arm takes 6, and the next may take what is left of the share, and ends.
    assert run.allowance.timing_left >= -2.0
    assert run.trials["tfidf"] >= 1 and run.trials["fasttext"] >= 1
    assert run.now + run.finals * sum(n > 0 for n in run.trials.values()) <= 100


@pytest.mark.parametrize("errs", [0.5, 1.0, 3.0])
def test_a_simulated_study_is_late_by_one_trial_at_most(errs):
    seconds = 150
    run = Simulated(COSTS, seconds=seconds, rounds=20, errs=errs).run()
    kept_back = run.finals * sum(n > 0 for n in run.trials.values())
    assert run.now + kept_back <= seconds + max(COSTS.values()) * errs
    assert run.trials["tfidf"] >= 1


def test_the_share_for_timing_is_of_the_whole_and_ends_with_it():
    now = [0.0]
    allowance = Allowance(100, clock=lambda: now[0])
    assert allowance.timing_left == TIMING_SHARE * 100
    with allowance.timing():
        now[0] = 4.0
    assert (allowance.left, allowance.timing_left) == (96, 6)
    now[0] = 98.0
    assert allowance.timing_left == 2
    assert Allowance(None).left == Allowance(None).timing_left == float("inf")


# ---------------------------------------------------------------- what is known


def trial(arm, seconds, *, state=TrialState.COMPLETE, measured=0.0, host="here", reached=100):
    begun = datetime(2026, 1, 1)
    found = create_trial(
        state=state, value=0.5, params={"arm": arm}, intermediate_values={reached: 0.5},
        distributions={"arm": CategoricalDistribution(["a", "b"])},
        user_attrs={OWNER: {"host": host}, MEASURED: measured},
    )  # fmt: skip
    found.datetime_start, found.datetime_complete = begun, begun + timedelta(seconds=seconds)
    return found


def test_a_resumed_study_knows_what_its_finished_trials_took():
    done = [trial("a", 12.0, measured=8.0), trial("a", 6.0), trial("b", 3.0, host="there")]
    found = estimates.taken(done, "here", {})
    assert found["a"] == estimates.Taken(mean=5.0, longest=6.0)
    assert found["b"].mean == 3.0
    # As trials tell, and only else as the preflight reckoned.
    stored = {estimates.ESTIMATES: {"a": 341.0, "c": 7.0}}
    assert estimates.each(done, stored, "here", {}) == {"a": 5.0, "b": 3.0, "c": 7.0}


def test_a_pruned_trial_counts_as_if_it_had_gone_on_where_none_was_complete():
    pruned = trial("a", 4.0, state=TrialState.PRUNED, reached=40)
    assert estimates.taken([pruned], "here", {})["a"].mean == pytest.approx(10.0)
    assert estimates.taken([pruned, trial("a", 7.0)], "here", {})["a"].mean == 7.0


def test_the_finals_of_an_arm_are_reckoned_from_its_trial():
    found = Trial(
        number=0, state="COMPLETE", arm="a", params={}, evaluation_seconds=6.0,
        checkpoints=[Checkpoint(0.5, 0.4, 1.0, rows=500), Checkpoint(1.0, 0.5, 2.0)],
    )  # fmt: skip
    rows = Rows(train=15_000, validation=1500, test=10_000)
    known = estimates.finals_of(found, seconds=20.0, measure=9.5, rows=rows)
    assert known.per_text == pytest.approx(0.003)
    # No training: the kept checkpoint is scored, and its speed, which is not known, measured.
    assert known.seconds(trainings=0, rows=10_000) == pytest.approx(2 + 30 + 9.5)
    assert known.seconds(trainings=3, rows=10_000) == pytest.approx(60 + 3 * 32 + 9.5)
    # On a tenth more rows, unscored, and as far as half of the budget.
    refitted = estimates.finals_of(found, seconds=20.0, measure=9.5, rows=rows, refit=0.5)
    assert refitted.training == pytest.approx((20 - 6) * 1.1 * 0.5)
    # Of trainings over folds one is repeated, however long other trials of the arm took.
    folds = replace(found, train_seconds=3.0, load_seconds=1.0, search_seconds=40.0)
    assert estimates.finals_of(folds, 20.0, 9.5, rows, refit=1.0).training == pytest.approx(4.4)
    assert estimates.finals_of(folds, 20.0, 9.5, rows).training == pytest.approx(4.0)


def test_a_rule_of_thumb_tells_seconds_from_minutes_and_days():
    texts = Texts(train=3000, validation=300, test=600, characters=300, language="en", classes=6)
    laptop, server = Machine(cores=2), Machine(cores=16, gpu=True)

    def seconds(strategy, model, here, of=texts, **more):
        found = reckon(strategy, model, of, here, epochs=2, checkpoints=5, max_tokens=256, **more)
        return found and found.trial

    tfidf = Model(name="tfidf", family="classic", builder="tfidf")
    bert = Model(name="bert", family="encoder", hub="o/bert", parameters=108.0)
    qwen = Model(name="qwen", family="decoder", hub="o/qwen", parameters=596.0)
    assert seconds("classic", tfidf, laptop) < 5
    assert 60 < seconds("linear_head", bert, laptop) < 7200
    assert seconds("probe", bert, laptop) < seconds("linear_head", bert, laptop) / 3
    assert seconds("sft", qwen, laptop) > 3600
    # Weights that stay as they are need no gradients of their own.
    lora = seconds("sft", qwen, laptop, dimensions={"tuning": Fixed("lora")})
    assert 0.6 < lora / seconds("sft", qwen, laptop) < 0.8
    # A calibration reads 128 of the training texts beside those that are answered.
    asked = [
        seconds("zero_shot", qwen, laptop, dimensions={"calibration": Fixed(way)}) - 5
        for way in ("none", "batch")
    ]
    assert asked[1] / asked[0] == pytest.approx((300 + 128) / 300)
    either = {"tuning": Choice(("full", "lora"))}
    assert seconds("sft", qwen, laptop, dimensions=either) == seconds("sft", qwen, laptop)
    assert seconds("linear_head", bert, server) < 30
    # However small the model, a loop has its steps; a trainer of prompts has slow ones.
    tiny = Model(name="tiny", family="decoder", builder="tiny-qwen3", parameters=1.2)
    assert seconds("sft", tiny, laptop) > 18 + seconds("linear_head", tiny, laptop)
    # Chinese has more tokens to the character.
    chinese = Texts(3000, 300, 600, 300, "zh", 6)
    assert seconds("probe", bert, laptop, chinese) > 2 * seconds("probe", bert, laptop)
    # There is no rule for somebody's own strategy, nor for a server.
    assert seconds("toy", bert, laptop) is None
    served = Model(name="s", family="decoder", endpoint="http://127.0.0.1:9/v1", endpoint_model="m")
    assert seconds("zero_shot", served, laptop) is None
