"""What measured speeds can say, and who else computed on the machine while they were taken."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import PATIENCE, command_line, write_recipe
from report_studies import speed
from test_serving import Toy, scenario

from suite.child.messages import Failed
from suite.config.recipe import Recipe
from suite.contracts.model import Model
from suite.contracts.speeds import Rps, SingleStream
from suite.machine import contention
from suite.study.finals_speed import Served, measure_all
from suite.study.rounds import combined
from suite.verdict import speeds

SIX = [90.0, 100.0, 101.0, 99.0, 103.0, 120.0]


def rounds(windows: list[float | None], named: str = "r") -> Rps:
    known = [window for window in windows if window is not None]
    found = speeds.middle(known)
    assert found is not None
    return replace(
        speed(found.value), windows=windows, offline_interval=found.interval, rounds=named
    )


# ---------------------------------------------------------------- medians and their intervals


@pytest.mark.parametrize("count", [6, 7, 9, 12, 20, 33])
def test_the_interval_of_a_median_covers_as_order_statistics_do(count):
    found = speeds.middle(range(count))
    low, high = found.interval
    within = sum(math.comb(count, k) for k in range(low + 1, high + 1)) / 2**count
    assert within >= 0.95
    # One figure less at each end would no longer do.
    assert count < 8 or sum(math.comb(count, k) for k in range(low + 2, high)) / 2**count < 0.95


def test_too_few_figures_have_a_median_and_no_interval():
    assert speeds.middle([]) is None
    assert speeds.middle([5.0, 1.0]) == speeds.Middle(3.0, None)
    assert speeds.middle(SIX[:5]).interval is None
    assert speeds.middle(SIX) == speeds.Middle(100.5, (90.0, 120.0))


# ---------------------------------------------------------------- which of two is faster


def test_arms_of_the_same_rounds_are_compared_round_by_round():
    # A minute twice as slow in the middle hides nothing: it hit both.
    slow = [1.0, 1.0, 0.5, 0.5, 1.0, 1.0]
    one = rounds([110 * s for s in slow])
    other = rounds([100 * s for s in slow])
    found = speeds.ratio(one, other)
    assert (found.value, found.low, found.high) == pytest.approx((1.1, 1.1, 1.1))
    assert speeds.ratio(one, other).low > 1 and speeds.ratio(other, one).high < 1
    # Measured apart, the same figures tell nothing.
    apart = replace(other, rounds="another day")
    assert not speeds.ratio(one, apart).parts
    assert not speeds.ratio(one, apart).low > 1
    assert speeds.ratio(rounds([9e3 + x for x in SIX]), apart).low > 1


def test_one_round_the_other_way_is_chance():
    one = rounds([101.0, 102.0, 103.0, 104.0, 105.0, 99.0])
    other = rounds([100.0] * 6)
    assert not speeds.ratio(one, other).parts


def test_measured_once_or_in_few_rounds_nothing_is_faster():
    once, few = speed(1e6), rounds(SIX[:4])
    assert speeds.ratio(once, rounds(SIX)) is speeds.ratio(few, few) is None
    assert speeds.ratio(None, rounds(SIX)) is None
    gap = rounds([None, *SIX[1:]])
    assert speeds.ratio(gap, rounds(SIX)) is None  # five pairs
    assert speeds.ratio(once, few) is None


def test_two_measurements_of_one_predictor_are_told_apart_in_three_of_a_hundred_cases():
    draw = random.Random(0)
    apart = 0
    for _ in range(4000):
        # A slow minute now and then, and a scatter of a tenth: as on a busy machine.
        machine = [draw.choice([1.0, 1.0, 0.6]) for _ in range(6)]
        one, other = (rounds([m * draw.lognormvariate(0, 0.1) for m in machine]) for _ in "ab")
        apart += speeds.ratio(one, other).parts
    assert 0.02 < apart / 4000 < 0.045  # 2/64 = .031, error .003


# ---------------------------------------------------------------- who else computes


def read_as(monkeypatch, *reads):
    found = iter([contention._Counters(*read) for read in reads])
    monkeypatch.setattr(contention, "_read", lambda: next(found))
    monkeypatch.setattr(contention.facts, "usable_cores", lambda: 2.0)
    return contention.Watch().beside()


@pytest.mark.parametrize(
    ("before", "after", "cores", "disturbed"),
    [
        # Seconds: wall, of all, of this process, waited for.
        ((0.0, 10.0, 1.0, None), (4.0, 16.0, 3.0, None), 1.0, True),
        ((0.0, 10.0, 1.0, None), (4.0, 12.4, 3.0, None), 0.1, False),
        # One thread on two cores, and still something waits: others, where nothing shows them.
        ((0.0, 10.0, 1.0, 5.0), (4.0, 14.0, 5.0, 6.5), 0.0, True),
        ((0.0, 10.0, 1.0, 5.0), (4.0, 14.0, 5.0, 5.2), 0.0, False),
        # Two threads on two cores wait for each other.
        ((0.0, 10.0, 1.0, 5.0), (4.0, 18.0, 9.0, 8.0), 0.0, False),
        # The counters move in steps.
        ((0.0, 10.0, 1.0, None), (0.02, 10.03, 1.0, None), 1.5, False),
    ],
)
def test_others_disturb_where_they_take_a_tenth_of_the_cores(
    monkeypatch, before, after, cores, disturbed
):
    found = read_as(monkeypatch, before, after)
    assert found.cores == pytest.approx(cores)
    assert found.disturbed is disturbed


def test_a_busy_process_is_seen_and_this_one_and_its_children_are_not():
    # Counted of a whole machine, on which others may run as well: at least these, not exactly.
    burn = "import time\nwhile time.process_time() < 0.6: pass"
    own = contention.Watch()
    before = contention._own()
    child = subprocess.Popen([sys.executable, "-c", burn])
    child.wait(PATIENCE)
    assert contention._own() - before > 0.55
    # Another's: a grandchild that this process does not know of any more.
    apart = contention.Watch()
    away = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {burn!r}])"
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", away], timeout=PATIENCE, check=True)
    time.sleep(1.2)
    beside = apart.beside()
    assert beside.cores > 0.1 / (time.perf_counter() - begun)
    assert own.beside().seconds > 0 and beside.usable <= (os.cpu_count() or 1)


def test_pressure_is_read_where_there_is_any(monkeypatch, tmp_path):
    file = tmp_path / "cpu"
    file.write_text("some avg10=1.00 avg60=1.00 avg300=1.00 total=2500000\nfull total=0\n")
    monkeypatch.setattr(contention, "PRESSURE", file)
    assert contention._waited() == 2.5
    for broken in ("", "some total=\n"):
        file.write_text(broken)
        assert contention._waited() is None
    monkeypatch.setattr(contention, "PRESSURE", Path("/nowhere"))
    assert contention._waited() is None


# ---------------------------------------------------------------- a handful of texts


def test_a_rate_from_a_handful_of_texts_is_not_valid(tmp_path):
    result, _ = scenario("Offline", Toy(per_text=0.05), 0.2, tmp_path)
    assert result.samples < 30 and result.samples_per_second and not result.valid
    assert "too few texts for a rate (" in result.reason


def test_the_query_goes_on_where_that_makes_it_valid(tmp_path):
    result, _ = scenario("Offline", Toy(per_text=0.0105), 0.3, tmp_path)
    assert (result.samples, result.valid, result.reason) == (30, True, "")


# ---------------------------------------------------------------- rounds of the finals


class Machine:
    """A study whose models take known times, and whose machine is now and then disturbed."""

    def __init__(self, rates: dict[str, list[float]], busy: set[int] = frozenset(), left=1e9):
        self.asked: list[tuple[str, int]] = []
        self.said: list[str] = []
        self._rates, self._busy = {name: iter(own) for name, own in rates.items()}, busy
        recipe = Recipe(name="r", arms=["m/s"], measure={"seconds": 3})
        definition = SimpleNamespace(recipe=recipe)
        self.ledger = SimpleNamespace(definition=definition, host="here")
        self.keeping = SimpleNamespace(scratch=Path("/scratch"))
        self.turns = SimpleNamespace(allowance=SimpleNamespace(left=left))
        self.observer = SimpleNamespace(said=self.said.append)
        self.speeds = SimpleNamespace(window=self.window)

    def window(self, folder, logs, *, seconds, seed, forms, split):
        assert seconds == 1.0 and not forms
        name, number = folder.name, len(self.asked)
        self.asked.append((name, seed))
        rate = next(self._rates[name])
        if rate is None:
            return Failed("it is broken")
        return replace(speed(rate), contended=number in self._busy, note="Offline: 9 texts")

    def measured(self, **known):
        model = Model(name="m", family="encoder", path="/m")
        served = {name: Served([model], Path(name), known.get(name)) for name in self._rates}
        return measure_all(self, served)


def test_rounds_go_over_all_arms_and_back():
    machine = Machine({"a": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "b": [10.0] * 6})
    found = machine.measured()
    assert [name for name, _ in machine.asked] == list("abbaabbaabba")
    assert [seed for _, seed in machine.asked] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert found["a"].windows == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert (found["a"].offline_per_second, found["a"].offline_interval) == (3.5, (1.0, 6.0))
    assert found["a"].rounds == found["b"].rounds != ""
    assert found["b"].single_stream.windows == [1.0] * 6
    assert speeds.ratio(found["b"], found["a"]).low > 1 and not found["a"].contended
    assert found["a"].note == "median of 6 rounds, each after loading anew; Offline: 9 texts"


def test_what_others_disturbed_is_measured_again_and_no_more_often_than_that():
    machine = Machine({"a": [9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}, busy={0})
    found = machine.measured()["a"]
    assert found.windows == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert (found.repeated, found.disturbed, found.contended) == (1, 0, False)
    machine = Machine({"a": [float(i) for i in range(1, 20)]}, busy=set(range(20)))
    found = machine.measured()["a"]
    # Three are measured again in vain: the first figure of a round stands.
    assert found.windows == [1.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert (found.repeated, found.disturbed, found.contended) == (3, 6, True)
    assert "6 rounds beside other work" in found.note


def test_a_model_that_fails_and_a_command_whose_time_is_up_cost_the_others_nothing():
    known = speed(7.0)
    machine = Machine({"a": [1.0, None], "b": [2.0] * 6, "c": [None]})
    found = machine.measured(c=known)
    assert found["a"].windows == [1.0, None, None, None, None, None]
    assert found["a"].offline_interval is None and found["b"].offline_interval == (2.0, 2.0)
    assert found["c"] is known
    assert sum("could not be measured: it is broken" in line for line in machine.said) == 2
    machine = Machine({"a": [1.0] * 6}, left=-1.0)
    found = machine.measured()["a"]
    assert found.windows == [1.0] and found.offline_interval is None
    assert machine.said[-1].startswith("time was up after 1 round of 6")


def test_a_percentile_that_no_window_establishes_is_that_of_the_search():
    known = replace(speed(7.0), single_stream=SingleStream(1.0, 3.0, 9.0, valid=True))
    short = [replace(speed(7.0, p90=None), other_forms=[]) for _ in range(6)]
    found = combined(short, 0, "r", known).single_stream
    assert (found.p50_ms, found.p90_ms, found.p99_ms) == (1.0, 3.0, 9.0)
    assert found.p50_interval == (1.0, 1.0)
    few = replace(short[0], valid=False)
    assert not combined([few, *short[1:]], 0, "r", None).valid
    assert combined([None], 0, "r", known) is known


def test_finals_measure_in_rounds(folder, toy_task):
    recipe = write_recipe(
        folder, arms=["tfidf/toy"], trials=1, measure={"seconds": 0.1, "texts": 32}
    )
    command_line("study", "create", toy_task, "--recipe", recipe, "--name", "t")
    found = json.loads(command_line("study", "show", "t", "--json").stdout)
    measured = [final["rps"] for final in found["finals"]]
    assert [len(rps["windows"]) for rps in measured] == [6]
    for rps in measured:
        assert rps["offline_interval"] == [min(rps["windows"]), max(rps["windows"])]
        assert min(rps["windows"]) <= rps["offline_per_second"] <= max(rps["windows"])
