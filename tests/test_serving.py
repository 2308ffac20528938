"""Serving speed by the real LoadGen, in real child processes, on toy predictors."""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from conftest import PATIENCE

from suite.child.runner import Runner
from suite.errors import ModelError, StorageError
from suite.serving.batcher import Batcher, Closed, Overloaded
from suite.serving.load import loadgen, measure, server_load

# The suite's own: the first to start a child in a process decides what its forkserver has imported.
FORKSERVER = Runner()._context
TEXTS = [f"text {number} " + "word " * (number % 7) for number in range(50)]


class Toy:
    """Sleeps per call and per text, and answers that everything is class 1 of 3."""

    serving_shape = "toy"
    precision = "float32"
    batch = 16
    engine = "toy"
    #: Seconds that all toys of this process were asked to sleep.
    slept = 0.0

    def __init__(self, per_call: float = 0.0, per_text: float = 0.0) -> None:
        self.per_call, self.per_text = per_call, per_text
        self.calls: list[list[str]] = []
        self.took: list[float] = []

    def predict_proba(self, texts):
        begun = time.perf_counter()
        self.calls.append(list(texts))
        wait = self.per_call + self.per_text * len(texts)
        if wait:
            Toy.slept += wait
            time.sleep(wait)
        self.took.append(time.perf_counter() - begun)
        return np.tile(np.array([0.1, 0.8, 0.1], dtype=np.float32), (len(texts), 1))

    def save(self, folder):
        raise AssertionError("what is served here was never saved")


class FailsAtCall(Toy):
    """Raises at its n-th call, and after it."""

    def __init__(self, call: int) -> None:
        super().__init__(per_call=0.002)
        self.call = call

    def predict_proba(self, texts):
        if len(self.calls) + 1 >= self.call:
            raise RuntimeError("no weights left")
        return super().predict_proba(texts)


class OneRowShort(Toy):
    def predict_proba(self, texts):
        return super().predict_proba(texts)[:-1]


class Dies(Toy):
    def predict_proba(self, texts):
        os.kill(os.getpid(), signal.SIGKILL)


def sleeping(folder):
    return Toy(per_call=0.002)


def instant(folder):
    return Toy()


def failing_first(folder):
    return FailsAtCall(1)


def failing_later(folder):
    return FailsAtCall(60)


def short(folder):
    return OneRowShort()


def dying(folder):
    return Dies()


def none_kept(folder):
    raise ModelError(f"{folder} holds no trained predictor")


def scenario_in_child(connection, scenario, toy, texts, seconds, folder, **limits):
    for name, value in limits.items():
        setattr(loadgen, name, value)
    result = loadgen.run_scenario(scenario, toy.predict_proba, texts, seconds, folder)
    connection.send((result, toy.calls, toy.took))


def in_child(target, *args, **kwargs):
    """Runs `target(connection, ...)` in a fresh child; its message, and its exit code."""
    mine, its = FORKSERVER.Pipe()
    child = FORKSERVER.Process(target=target, args=(its, *args), kwargs=kwargs)
    child.start()
    its.close()
    try:
        message = mine.recv()
    except EOFError:
        message = None
    child.join(PATIENCE)
    return message, child.exitcode


def scenario(name, toy, seconds, folder, texts=TEXTS, **limits):
    """Runs a scenario in a child; its result, and the texts of each call.

    Args:
        limits: what the module's constants are in the child.
    """
    message, code = in_child(scenario_in_child, name, toy, texts, seconds, folder, **limits)
    assert code == 0
    result, calls, took = message
    if result.p50_ms is not None:  # what LoadGen saw is what the toy took, and a little
        middle = 1000 * statistics.median(took)
        assert middle * 0.5 <= result.p50_ms <= middle * 3 + 1
    return result, calls


def test_single_stream_latency_of_a_sleeper(tmp_path):
    result, calls = scenario("SingleStream", Toy(per_call=0.002), 1.2, tmp_path)
    assert result.valid and result.error is None
    assert 2.0 <= result.p50_ms <= result.p90_ms
    assert result.p99_ms is None  # 1.2 s hold some 580 calls, and the 99th needs 662
    assert "p99" in result.reason
    assert result.queries == result.samples
    assert all(len(call) == 1 for call in calls)
    assert len({call[0] for call in calls}) > 25  # drawn from all texts, not one over and over


def test_p99_is_established_with_enough_calls(tmp_path):
    result, _ = scenario("SingleStream", Toy(), 0.6, tmp_path)
    assert result.valid and result.queries >= 662
    assert result.p50_ms <= result.p90_ms <= result.p99_ms
    assert result.reason == ""


def test_a_slow_predictor_has_a_median_only(tmp_path):
    # The 64 queries of the 90th take 1.92 s, and 1.8 s are allowed; 11 are easily had.
    result, _ = scenario("SingleStream", Toy(per_call=0.03), 0.9, tmp_path)
    assert not result.valid
    assert result.p50_ms >= 30
    assert result.p90_ms is None and result.p99_ms is None
    assert "64 queries" in result.reason


def test_a_very_slow_predictor_has_no_percentile(tmp_path):
    result, _ = scenario("SingleStream", Toy(per_call=0.2), 0.5, tmp_path)
    assert (result.p50_ms, result.p90_ms, result.p99_ms) == (None, None, None)
    assert not result.valid


def test_single_stream_goes_on_where_that_establishes_p90(tmp_path):
    assert loadgen.PATIENCE == 2.0  # more here, where sleeping may take long
    result, _ = scenario("SingleStream", Toy(per_call=0.006), 0.3, tmp_path, PATIENCE=20.0)
    assert result.valid and 64 <= result.queries < 70  # 0.3 s alone would hold 49
    assert result.p90_ms >= 6


def test_offline_is_one_query_of_about_the_asked_seconds(tmp_path):
    result, calls = scenario("Offline", Toy(per_call=0.001, per_text=0.0005), 0.8, tmp_path)
    assert result.valid and result.error is None
    assert 1000 <= result.samples_per_second <= 2000
    timed = calls[-1]
    assert len(timed) == result.samples
    assert 0.4 <= len(timed) / result.samples_per_second <= 1.6
    # LoadGen draws the texts: each appears equally often, but for a remainder.
    counts = [timed.count(text) for text in TEXTS]
    assert max(counts) - min(counts) <= 1
    # In its order, which its log names.
    log = (tmp_path / "mlperf_log_detail.txt").read_text(encoding="utf-8")
    line = next(line for line in log.splitlines() if '"loaded_qsl_set"' in line)
    order = json.loads(line.partition(":::MLLOG ")[2])["value"]
    assert timed[: len(order)] == [TEXTS[index] for index in order]


def test_offline_finds_the_speed_of_large_batches(tmp_path):
    # A call of one text takes as long as one of many: the rate of few texts says little.
    result, calls = scenario("Offline", Toy(per_call=0.15, per_text=0.0002), 0.5, tmp_path)
    assert result.valid
    assert result.samples_per_second > 1000  # eight at once make 53
    assert len(calls[-1]) == result.samples > 300


def test_offline_rate_of_an_instant_predictor_is_large(tmp_path):
    # Bounded by a number of texts that any machine passes on in a small part of the second.
    result, _ = scenario("Offline", Toy(), 1, tmp_path, MAX_SAMPLES=2000)
    assert result.valid
    assert result.samples_per_second > 2000
    assert result.samples == 2000 < loadgen.MAX_SAMPLES


# ---------------------------------------------------------------- Server


def server_in_child(connection, toy, seconds, folder, bound_ms, offline):
    result = server_load.run_server(
        toy.predict_proba, TEXTS, seconds, folder, bound_ms=bound_ms, offline_per_second=offline
    )
    connection.send((result, [len(call) for call in toy.calls]))


def server(toy, folder, seconds=0.6, bound_ms=200, offline=950.0):
    (result, sizes), code = in_child(server_in_child, toy, seconds, folder, bound_ms, offline)
    assert code == 0
    return result, sizes


def test_server_finds_the_rate_that_keeps_the_bound(tmp_path):
    # A batch of n takes 2 + n ms: above 960 a second the queue grows without end.
    result, sizes = server(Toy(per_call=0.002, per_text=0.001), tmp_path)
    assert result.valid and result.error is None and result.within_bound
    assert result.samples_per_second <= 1000
    assert result.p50_ms < result.p99_ms <= 200
    # Fewer do not establish the 99th percentile; a run lasts 1.8 s at most: 255 a second.
    assert result.queries >= 459
    # Nobody is batched by more than what takes half of the bound, and load makes batches.
    assert 2 < max(sizes) <= result.batch == round(0.5 * 0.2 * 950)
    verdicts = [
        loadgen.read_log("Server", log, 0).valid
        for log in tmp_path.glob("run-*/mlperf_log_detail.txt")
    ]
    assert True in verdicts and False in verdicts  # a rate that passed, and one that did not


def test_the_search_goes_by_the_verdict_and_not_by_the_percentile(tmp_path, monkeypatch):
    rates = []

    def run(settings, *rest):
        rates.append(round(settings.server_target_qps, 1))
        return loadgen.ScenarioResult(
            "Server",
            valid=rates[-1] <= 100,
            samples_per_second=rates[-1],
            p99_ms=90.0,
            within_bound=True,
        )

    monkeypatch.setattr(server_load, "_server_run", run)
    found = server_load.run_server(
        Toy().predict_proba, TEXTS, 10, tmp_path, bound_ms=100, offline_per_second=200
    )
    # Down from 0.7 of Offline until one passes, then the middle, in ratios.
    assert rates == [140, 98, 117.1, 107.1, 102.5]
    assert (found.samples_per_second, found.valid, found.reason) == (98, True, "")
    # Where time is up before a rate has failed, the figure says that it is a lower bound.
    rates.clear()
    monkeypatch.setattr(server_load, "SERVER_RUNS", 2)
    found = server_load.run_server(
        Toy().predict_proba, TEXTS, 10, tmp_path, bound_ms=100, offline_per_second=50
    )
    assert rates == [35, 49]
    assert found.valid and "49 a second was passed, higher rates were not tried" in found.reason


def test_server_batches_reach_more_than_one_text_at_a_time_could(tmp_path):
    # 20 ms whatever the batch: 50 a second one by one, at most.
    result, _ = server(Toy(per_call=0.02), tmp_path, offline=1500.0)
    assert result.valid and result.samples_per_second > 200


def test_server_where_no_rate_can_keep_the_bound(tmp_path):
    result, sizes = server(Toy(per_call=0.03), tmp_path, bound_ms=20, offline=30.0)
    assert not result.valid and result.samples_per_second is None
    assert re.search(r"one text alone takes [\d,]+ ms, the bound is 20 ms", result.reason)
    assert len(sizes) == 6  # the warm-up alone


def test_server_of_too_few_queries_is_not_valid(tmp_path):
    # Some 30 a second for 0.9 s at most: p99 is measured, and nothing is established.
    result, _ = server(Toy(per_call=0.025), tmp_path, seconds=0.3, offline=40.0, bound_ms=2000)
    assert result.within_bound and not result.valid
    assert result.p99_ms <= 2000 and result.queries < 459
    assert "more queries" in result.reason


def test_server_reports_what_a_predictor_raises(tmp_path):
    for call in (1, 20):
        result, _ = server(FailsAtCall(call), tmp_path)
        assert (result.valid, result.error) == (False, "RuntimeError: no weights left")
    result, _ = server(OneRowShort(), tmp_path)
    found = re.fullmatch(r"ValueError: (\d+) answers for (\d+) texts", result.error)
    assert int(found[1]) == int(found[2]) - 1  # however many came together


# ---------------------------------------------------------------- the batcher


class Echo:
    """Answers a text by itself, upper case; remembers its batches and can be held."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = threading.Event()
        self.go.set()
        self.threads: set[int] = set()

    def __call__(self, texts):
        self.batches.append(list(texts))
        self.threads.add(threading.get_ident())
        assert self.go.wait(PATIENCE)
        return [text.upper() for text in texts]


def wait_until(true):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def test_many_threads_get_their_own_answers_from_one():
    echo = Echo()
    answers: dict[str, str] = {}

    def ask(number):
        for turn in range(20):
            text = f"t{number}-{turn}"
            answers[text] = batcher.submit(text).result(PATIENCE)

    with Batcher(echo, max_batch=16, max_wait_seconds=0.02, max_queue=1000) as batcher:
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert answers == {text: text.upper() for text in answers} and len(answers) == 800
    assert len(echo.threads) == 1
    assert max(map(len, echo.batches)) <= 16 and len(echo.batches) < 400


def test_what_gathers_while_one_batch_is_answered_is_the_next():
    echo = Echo()
    echo.go.clear()
    with Batcher(echo, max_batch=3, max_wait_seconds=0, max_queue=10) as batcher:
        futures = [batcher.submit("a")]
        wait_until(lambda: echo.batches)
        futures += [batcher.submit(text) for text in "bcde"]
        echo.go.set()
        assert [future.result(PATIENCE) for future in futures] == list("ABCDE")
    assert echo.batches == [["a"], ["b", "c", "d"], ["e"]]


class Clock:
    """Stands in for the module `time`: it goes on when it is told to."""

    now = 100.0

    def monotonic(self):
        return self.now


def test_the_oldest_waits_for_company_and_not_longer(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(sys.modules[Batcher.__module__], "time", clock)
    echo = Echo()
    with Batcher(echo, max_batch=100, max_wait_seconds=0.15, max_queue=10) as batcher:
        first = batcher.submit("a")
        clock.now += 0.1
        second = batcher.submit("b")
        clock.now += 0.04
        time.sleep(0.3)  # whatever the clock on the wall says
        assert not first.done() and not second.done()
        clock.now += 0.02  # what came second does not make the first wait anew
        assert first.result(PATIENCE) == "A" and second.result(PATIENCE) == "B"
    assert echo.batches == [["a", "b"]]


def test_a_full_batch_does_not_wait():
    echo = Echo()
    with Batcher(echo, max_batch=2, max_wait_seconds=3600, max_queue=10) as batcher:
        futures = [batcher.submit("a")]
        time.sleep(0.05)
        assert not futures[0].done()  # it waits for company
        futures.append(batcher.submit("b"))
        assert [f.result(PATIENCE) for f in futures] == ["A", "B"]


def test_a_batch_is_bounded_by_what_size_counts():
    echo = Echo()
    echo.go.clear()
    with Batcher(echo, 10, 0, 100, size=len) as batcher:
        futures = [batcher.submit("x")]
        wait_until(lambda: echo.batches)
        futures += [batcher.submit(t) for t in ("aaaa", "bbbbbb", "c", "d" * 30, "e")]
        echo.go.set()
        assert all(f.result(PATIENCE) for f in futures)
    assert echo.batches == [["x"], ["aaaa", "bbbbbb"], ["c"], ["d" * 30], ["e"]]


def test_a_failure_reaches_everyone_in_its_batch_and_nobody_else():
    taken, held = threading.Event(), threading.Event()

    def predict(texts):
        taken.set()
        assert held.wait(PATIENCE)
        if "bad" in texts:
            raise RuntimeError("no weights left")
        return texts

    with Batcher(predict, max_batch=2, max_wait_seconds=0, max_queue=10) as batcher:
        futures = [batcher.submit(t) for t in ("a",)]
        assert taken.wait(PATIENCE)  # alone
        futures += [batcher.submit(t) for t in ("bad", "b", "c")]
        held.set()
        assert futures[0].result(PATIENCE) == "a" and futures[3].result(PATIENCE) == "c"
        for failed in futures[1:3]:
            with pytest.raises(RuntimeError, match="no weights left"):
                failed.result(PATIENCE)


def test_too_many_waiting_are_turned_away_and_one_who_left_is_not_computed():
    echo = Echo()
    echo.go.clear()
    with Batcher(echo, max_batch=1, max_wait_seconds=0, max_queue=2) as batcher:
        first = batcher.submit("a")
        wait_until(lambda: echo.batches)
        left = batcher.submit("b")
        last = batcher.submit("c")
        with pytest.raises(Overloaded, match="2 texts waiting already"):
            batcher.submit("d")
        assert left.cancel()
        echo.go.set()
        assert (first.result(PATIENCE), last.result(PATIENCE)) == ("A", "C")
    assert echo.batches == [["a"], ["c"]]


@pytest.mark.parametrize("answer_waiting", [True, False])
def test_closing_answers_what_waits_or_says_so(answer_waiting):
    echo = Echo()
    echo.go.clear()
    batcher = Batcher(echo, max_batch=1, max_wait_seconds=0, max_queue=10)
    first = batcher.submit("a")
    wait_until(lambda: echo.batches)
    waiting = [batcher.submit(text) for text in "bc"]
    closing = threading.Thread(target=batcher.close, kwargs={"answer_waiting": answer_waiting})
    closing.start()
    wait_until(lambda: batcher._closed)
    with pytest.raises(Closed):
        batcher.submit("d")
    echo.go.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert first.result(0) == "A"  # what is being answered is always answered
    if answer_waiting:
        assert [future.result(0) for future in waiting] == ["B", "C"]
    else:
        for future in waiting:
            with pytest.raises(Closed, match="before the text's turn"):
                future.result(0)


def test_a_batcher_of_nothing_is_a_defect_of_the_caller():
    for words in ((0, 0.0, 1), (1, -1.0, 1), (1, 0.0, 0)):
        with pytest.raises(ValueError, match="a batcher needs"):
            Batcher(list, *words)


def test_one_text_is_enough(tmp_path):
    result, calls = scenario("Offline", Toy(per_text=0.001), 0.2, tmp_path, texts=["alone"])
    assert result.valid and {text for call in calls for text in call} == {"alone"}


@pytest.mark.parametrize("name", ["SingleStream", "Offline"])
@pytest.mark.parametrize("call", [1, 5])
def test_a_predictor_that_raises_is_reported(name, call, tmp_path):
    result, _ = scenario(name, FailsAtCall(call), 0.3, tmp_path)
    assert result.error == "RuntimeError: no weights left"
    assert not result.valid
    assert result.samples_per_second is None and result.p50_ms is None


def scenario_in_folder(connection, folder, *rest):
    os.chdir(folder)
    scenario_in_child(connection, *rest)


def test_an_audit_file_in_the_working_folder_changes_nothing(tmp_path):
    # LoadGen would take it for an order to issue one sample over and over.
    (tmp_path / "audit.config").write_text(
        "*.*.performance_issue_same = 1\n*.*.performance_issue_same_index = 7\n"
    )
    rest = ("Offline", Toy(per_text=0.001), TEXTS, 0.5, tmp_path / "logs")
    (result, calls, _), code = in_child(scenario_in_folder, tmp_path, *rest)
    assert code == 0 and result.valid
    assert set(calls[-1]) == set(TEXTS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["audit.config", "logs"]


def test_a_log_folder_that_cannot_be_written():
    with pytest.raises(StorageError, match="logs can't be written"):
        loadgen.run_scenario("Offline", Toy().predict_proba, TEXTS, 1, Path("/dev/null/logs"))


def test_nothing_to_measure_is_a_defect_of_the_caller(tmp_path):
    with pytest.raises(ValueError):
        loadgen.run_scenario("Offline", Toy().predict_proba, [], 1, tmp_path)
    with pytest.raises(ValueError):
        loadgen.run_scenario("Offline", Toy().predict_proba, TEXTS, 0, tmp_path)


def test_a_log_without_a_verdict(tmp_path):
    file = tmp_path / "mlperf_log_detail.txt"
    assert not loadgen.read_log("Offline", file, 0).valid
    file.write_text(
        "noise\n:::MLLOG {broken\n:::MLLOG [1]\n"
        ':::MLLOG {"key": "error_runtime", "value": "lost", "metadata": {"is_error": true}}\n'
    )
    found = loadgen.read_log("Offline", file, 0)
    assert not found.valid and "no verdict" in found.reason and "lost" in found.reason


def test_an_error_in_the_log_beats_its_verdict(tmp_path):
    file = tmp_path / "mlperf_log_detail.txt"
    lines = [
        {"key": "result_validity", "value": "VALID"},
        {"key": "result_query_count", "value": 1},
        {"key": "result_samples_per_second", "value": 12.5},
    ]
    file.write_text("".join(f":::MLLOG {json.dumps(line)}\n" for line in lines))
    found = loadgen.read_log("Offline", file, 7)
    assert (found.valid, found.samples_per_second, found.samples) == (True, 12.5, 7)
    lines.append({"key": "error_runtime", "value": "x", "metadata": {"is_error": True}})
    file.write_text("".join(f":::MLLOG {json.dumps(line)}\n" for line in lines))
    assert not loadgen.read_log("Offline", file, 7).valid


def send_measurement(connection, folder, texts, seconds, logs, *, loader):
    try:
        found = asdict(measure.measure_folder(folder, texts, seconds, logs, loader=loader))
        message = ("rps", found | {"slept": Toy.slept})
    except Exception as error:
        message = ("error", f"{type(error).__name__}: {error}")
    connection.send(message)
    connection.close()


def measured(loader, folder, seconds=0.3):
    return in_child(send_measurement, folder, TEXTS, seconds, folder / "logs", loader=loader)


def test_measure_folder_in_a_child(tmp_path):
    (kind, rps), code = measured(sleeping, tmp_path, seconds=1.2)
    assert (kind, code) == ("rps", 0)
    assert rps["single_stream"]["p50_ms"] >= 2.0
    assert rps["single_stream"]["valid"] and rps["single_stream"]["p99_ms"] is None
    assert (rps["engine"], rps["precision"], rps["batch"]) == ("toy", "float32", 16)
    assert (rps["device"], rps["seconds"], rps["contended"]) == ("cpu", 1.2, False)
    assert rps["threads"] >= 1
    assert "texts in one query" in rps["note"]
    assert rps["slept"] < 3.5 * 1.2  # of the calls' own seconds, whatever the machine adds
    assert (tmp_path / "logs" / "Offline" / "mlperf_log_summary.txt").is_file()
    json.dumps(rps, allow_nan=False)


class TwoForms(Toy):
    """Serves in one call, and the same in another form that takes ten times as long."""

    form = "head"

    def forms(self):
        return {"options": Toy(per_call=0.02)}

    def to_measure(self):
        return TwoForms(per_call=0.002)


def two_forms(folder):
    return TwoForms(per_call=1.0)  # with what a measurement must not see


def test_every_form_a_predictor_serves_in_is_measured(tmp_path):
    (kind, rps), code = measured(two_forms, tmp_path, seconds=1)
    assert (kind, code, rps["form"]) == ("rps", 0, "head")
    [other] = rps["other_forms"]
    assert other["form"] == "options" and other["valid"] in (True, False)
    assert 2.0 <= rps["single_stream"]["p50_ms"] < other["p50_ms"] >= 20.0
    assert other["offline_per_second"] > 0
    assert (tmp_path / "logs" / "options" / "Offline").is_dir()


def test_circumstances_of_a_predictor_that_holds_a_torch_module():
    import torch

    class Plain(Toy):
        engine = None

    whole, parted = Plain(), Plain()
    whole.model = torch.nn.Linear(2, 2)
    parted.embedder = Plain()
    parted.embedder.model = torch.nn.Linear(2, 2)
    expected = ("torch", "cpu", torch.get_num_threads())
    assert measure.circumstances(whole) == expected
    assert measure.circumstances(parted) == expected
    assert measure.circumstances(Plain())[:2] == ("python", "cpu")


def test_threads_a_predictor_without_torch_may_use(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert measure.circumstances(Toy()) == ("toy", "cpu", 3)
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(measure.os, "sched_getaffinity", lambda pid: {0, 5}, raising=False)
    assert measure.circumstances(Toy())[2] == 2


def test_failures_are_messages(tmp_path):
    (kind, text), code = measured(failing_first, tmp_path)
    assert (kind, code) == ("error", 0) and "no weights left" in text
    (kind, text), code = measured(failing_later, tmp_path, seconds=2)  # 60 calls are soon made
    assert (kind, code) == ("error", 0) and "SingleStream" in text
    (kind, text), code = measured(short, tmp_path)
    assert (kind, code) == ("error", 0) and "probabilities for" in text
    (kind, text), code = measured(none_kept, tmp_path)
    assert (kind, code) == ("error", 0) and "no trained predictor" in text


def test_a_child_that_is_killed_sends_nothing(tmp_path):
    message, code = measured(dying, tmp_path)
    assert message is None and code == -signal.SIGKILL


@pytest.fixture
def own_lock(tmp_path, monkeypatch):
    """A temporary folder of our own, so that nobody's real measurement is waited for."""
    monkeypatch.setattr(measure.tempfile, "tempdir", str(tmp_path))
    return tmp_path / measure.LOCK_NAME


def test_the_lock_says_whether_it_waited(own_lock, monkeypatch):
    with measure.machine_lock(timeout=1) as waited:
        assert waited is False
    assert own_lock.stat().st_mode & 0o777 == 0o666  # also where the umask is 022

    held, free = threading.Event(), threading.Event()

    def holder():
        with measure.machine_lock(timeout=1):
            held.set()
            free.wait(PATIENCE)

    thread = threading.Thread(target=holder)
    thread.start()
    held.wait(PATIENCE)
    with pytest.raises(StorageError, match="held this machine"), measure.machine_lock(timeout=0.1):
        raise AssertionError("it was held")

    class Awaited(measure.FileLock):
        """The holder lets go when somebody waits."""

        def acquire(self, timeout):
            if timeout:
                free.set()
            return super().acquire(timeout)

    monkeypatch.setattr(measure, "FileLock", Awaited)
    with measure.machine_lock(timeout=PATIENCE) as waited:
        assert waited is True
    thread.join()


def test_the_lock_holds_between_processes_and_is_freed_by_death(own_lock):
    code = (
        "import sys, tempfile, time; tempfile.tempdir = sys.argv[1]\n"
        "from suite.serving.load.measure import machine_lock\n"
        "with machine_lock(5): print('held', flush=True); time.sleep(3600)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(own_lock.parent)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    try:
        assert child.stdout.readline() == "held\n"
        told = []
        with pytest.raises(StorageError), measure.machine_lock(timeout=0.1, say=told.append):
            raise AssertionError("it was held")
        assert len(told) == 1 and f"pid {child.pid}" in told[0] and "waited for" in told[0]
        child.send_signal(signal.SIGKILL)
        with measure.machine_lock(timeout=PATIENCE):
            pass
    finally:
        child.kill()
        child.wait()


def test_no_lock_where_nothing_can_be_written(monkeypatch):
    monkeypatch.setattr(measure.tempfile, "tempdir", "/dev/null")
    with pytest.raises(StorageError, match="can't be made"), measure.machine_lock(timeout=0):
        raise AssertionError("there is no lock")


def test_the_lock_is_released_after_an_error(own_lock):
    with pytest.raises(KeyError), measure.machine_lock(timeout=0):
        raise KeyError
    with measure.machine_lock(timeout=0) as waited:
        assert waited is False


def test_no_heavy_import():
    code = (
        "import sys, suite.serving.load.measure, suite.serving.load.loadgen\n"
        "heavy = {'torch', 'transformers', 'evaluate', 'datasets', 'sklearn', 'mlperf_loadgen'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert child.stdout.strip() == "[]"
