"""MLPerf's Server scenario: texts arrive at random, and 99 of 100 must be answered in time.

The result is a rate: the highest at which LoadGen calls a run valid. LoadGen has a search for it
of its own (the mode FindPeakPerformance); it bisects to a tenth of a query per second by runs of
full length, without a bound on their number, and what it finds need not pass its own rule for
short runs (on a toy of 1 ms a text: 13 runs, and the verdict INVALID). So the search is ours and
the verdicts are LoadGen's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from suite.contracts.strategy import Probabilities
from suite.serving.batcher import Batcher
from suite.serving.load.loadgen import (
    Predict,
    ScenarioResult,
    base_settings,
    described,
    milliseconds,
    prepare,
    run_test,
    shuffled,
)

#: Server: queries of one run at least, where there is time: enough for LoadGen's rule on the 99th
#: percentile with one query above the bound (with none, 459 are).
SERVER_QUERIES = 662
LEAST_SERVER_QUERIES = 459
#: A run's length in shares of the asked seconds: at least, and at most where the rate is so low
#: that those queries take longer. No run is begun past the last share.
SERVER_SHARES = (0.5, 3.0)
SERVER_PATIENCE = 6.0
SERVER_RUNS = 9
#: The first rate tried, as a share of the Offline speed; the search ends when the lowest rate that
#: failed is at most so much above the highest that passed.
FIRST_RATE = 0.7
RESOLUTION = 1.06
#: The batcher lets the oldest text wait this share of the bound for company, and a batch is to
#: take half of the bound at most: a text may have to wait for the batch before its own.
WAIT_SHARE = 0.05
BATCH_SHARE = 0.5


class _Queueing:
    """The callbacks of Server: a query is handed on at once, and completed when it is answered.

    LoadGen issues the next query only when `issue` has returned, on the schedule it drew.
    """

    def __init__(self, batcher: Batcher[str], texts: Sequence[str]) -> None:
        self.first_error: BaseException | None = None
        self.samples = 0
        self._batcher = batcher
        self._texts = texts

    def issue(self, queries: Sequence[Any]) -> None:
        """Queues a query's samples; returns at once, never raises."""
        for query in queries:
            try:
                if self.first_error is not None:
                    raise self.first_error
                future = self._batcher.submit(self._texts[query.index])
            except BaseException as error:  # noqa: BLE001 - would end the process by a signal
                self._complete(query.id, error, None)
            else:
                future.add_done_callback(partial(self._answered, query.id))

    def _answered(self, sample: int, future: Future[Any]) -> None:
        error = future.exception()
        self._complete(sample, error, None if error is not None else future.result())

    def _complete(self, sample: int, error: BaseException | None, answer: Any) -> None:
        import mlperf_loadgen

        start = size = 0
        if error is not None:
            self.first_error = self.first_error or error
        else:
            self.samples += 1
            start, size = answer.__array_interface__["data"][0], answer.nbytes
        # LoadGen may copy from this address until the call returns; `answer` lives.
        mlperf_loadgen.QuerySamplesComplete(
            [mlperf_loadgen.QuerySampleResponse(sample, start, size)]
        )

    def flush(self) -> None:
        """The batcher's deadline flushes it."""

    def load(self, indices: Sequence[int]) -> None:
        """All texts are in memory already."""

    def unload(self, indices: Sequence[int]) -> None:
        """They stay."""


def run_server(
    predict: Predict,
    texts: Sequence[str],
    seconds: float,
    folder: Path,
    *,
    bound_ms: float,
    offline_per_second: float,
    seed: int = 0,
) -> ScenarioResult:
    """The highest Poisson arrival rate at which the 99th percentile stays within the bound.

    LoadGen is run at one rate after another, its own verdict on each decides where to look next:
    begin below the Offline speed, widen until one rate passes and one fails, then halve the
    distance. A rate too low for LoadGen's rule within three times `seconds` passes by its
    measured percentile alone, and is not valid.

    Args:
        predict: texts -> probabilities [texts, classes]; whatever it raises is reported.
        texts: what LoadGen draws from; at least one.
        seconds: the search takes about six times as long at most, twice that where no rate has
            passed by then, and one run more.
        folder: each run's logs are written into a folder inside it.
        bound_ms: for the 99th percentile, from a query's scheduled arrival to its answer.
        offline_per_second: the Offline speed: how quick batches are.

    Returns:
        The best run: `samples_per_second` is what was completed in it, and its percentiles. Where
        no rate is within the bound, `samples_per_second` is None and `reason` says so.

    Raises:
        StorageError: the folder can't be written.
        KeyboardInterrupt, SystemExit: came while answering; raised after LoadGen has ended.
    """
    if bound_ms <= 0 or offline_per_second <= 0:
        raise ValueError(f"bound ({bound_ms} ms) and speed ({offline_per_second}) must be above 0")
    prepare(texts, seconds, folder)
    bound = bound_ms / 1000
    largest = max(1, round(BATCH_SHARE * bound * offline_per_second))
    try:
        single = _warm_up(predict, shuffled(texts, seed), largest)
    except Exception as error:  # noqa: BLE001 - a predictor may raise anything; it is reported
        return ScenarioResult("Server", valid=False, error=described(error))
    if single > bound:
        reason = f"one text alone takes {single * 1000:,.0f} ms, the bound is {bound_ms:,g} ms"
        return ScenarioResult("Server", valid=False, reason=reason, batch=largest)
    begun = time.perf_counter()
    rate = FIRST_RATE * offline_per_second
    passed: tuple[float, ScenarioResult] | None = None
    failed: float | None = None
    for number in range(SERVER_RUNS):
        settings = _server_settings(rate, bound, seconds, seed)
        result = _server_run(
            settings, predict, texts, prepare(texts, seconds, folder / f"run-{number}"), largest,
            WAIT_SHARE * bound,
        )  # fmt: skip
        if result.error is not None:
            return result
        too_few = settings.min_query_count < LEAST_SERVER_QUERIES
        if result.valid or (too_few and result.within_bound):
            passed = (rate, result)
        else:
            failed = rate
        if passed and failed and failed <= RESOLUTION * passed[0]:
            break
        # Without a rate that passed there is no figure at all: that is worth as long again.
        patience = SERVER_PATIENCE if passed else 2 * SERVER_PATIENCE
        if time.perf_counter() - begun > patience * seconds:
            break
        rate = _next_rate(rate, result, passed[0] if passed else None, failed)
    if passed is None:
        tried = f"no rate tried kept within {bound_ms:,g} ms"
        reason = f"{tried}; the lowest was {failed:,.3g} a second"
        return ScenarioResult("Server", valid=False, reason=reason, batch=largest)
    rate, result = passed
    if failed is None or failed > RESOLUTION * rate:
        higher = "higher rates were not tried" if failed is None else f"{failed:,.3g} is too much"
        reason = f"the search ended early: {rate:,.3g} a second was passed, {higher}"
        result = replace(result, reason="; ".join(filter(None, (result.reason, reason))))
    return replace(result, batch=largest)


def _server_run(
    settings: Any,
    predict: Predict,
    texts: Sequence[str],
    folder: Path,
    largest: int,
    wait: float,
) -> ScenarioResult:
    def answers(asked: Sequence[str]) -> Probabilities:
        found = np.ascontiguousarray(predict(asked), dtype=np.float32)
        if found.ndim != 2:
            raise ValueError(f"{found.shape} probabilities for {len(asked)} texts")
        return found

    with Batcher(answers, largest, wait, 2 * settings.server_max_async_queries) as batcher:
        return run_test("Server", settings, _Queueing(batcher, texts), texts, folder)


def _next_rate(
    rate: float, result: ScenarioResult, passed: float | None, failed: float | None
) -> float:
    """Where to look next: the middle of what is known, else lower or higher by a good step."""
    if passed is not None and failed is not None:
        return math.sqrt(passed * failed)
    if failed is None:
        return 1.4 * rate
    # What an overloaded run completed is about what can be completed at all.
    reached = result.samples_per_second or rate
    return min(0.6 * rate, 0.85 * reached) if reached < 0.9 * rate else 0.7 * rate


def _warm_up(predict: Predict, drawn: Iterator[str], largest: int) -> float:
    """Calls of every size up to the largest batch, roughly; the median seconds of one text."""
    predict([next(drawn)])  # the first call pays for what is set up once
    latencies = []
    for _ in range(5):
        asked = [next(drawn)]
        before = time.perf_counter()
        predict(asked)
        latencies.append(time.perf_counter() - before)
    size = 2
    while size <= largest:
        predict(list(islice(drawn, size)))
        size *= 2
    return sorted(latencies)[2]


def _server_settings(rate: float, bound: float, seconds: float, seed: int) -> Any:
    settings = base_settings("Server", seconds, seed)
    least, most = (share * seconds for share in SERVER_SHARES)
    # A Poisson process of n queries on average has fewer half of the time: ask for some more.
    lasts = min(max(least, 1.1 * SERVER_QUERIES / rate), most)
    settings.max_duration_ms = 0  # the queries are drawn beforehand; they end by themselves
    settings.min_duration_ms = milliseconds(0.9 * lasts)
    settings.min_query_count = max(1, min(SERVER_QUERIES, int(rate * lasts / 1.1)))
    settings.server_target_qps = rate
    settings.server_target_latency_ns = round(bound * 1e9)
    settings.server_target_latency_percentile = 0.99
    # So many outstanding queries are late by far: LoadGen ends the run, and calls it invalid.
    settings.server_max_async_queries = 100 + round(4 * rate * bound)
    return settings
