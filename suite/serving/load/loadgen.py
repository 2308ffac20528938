"""One MLPerf scenario against a predictor, in this process: how quick is it from raw text?

LoadGen (the package mlcommons-loadgen) draws the samples, keeps the time and judges whether its
figures hold; this module builds its settings, answers its queries and reads its log. Queries are
answered from raw text, so tokenisation is on the clock.

Three things about LoadGen shape the code. An exception that leaves a callback ends the process by
a signal: ours catch everything, complete the samples all the same, and the first error is
reported afterwards. It pre-generates its queries from an expected speed, so that speed is
calibrated first. And it says itself what it could not establish: a percentile counts only when
so many queries were seen that it holds with 99 % confidence (its early-stopping rule: 64 queries
for the 90th, 662 for the 99th); otherwise it is None here, and `valid` goes with every figure.

A scenario is a function that fills LoadGen's settings, entered in `_PLANS`. Server, which is a
search over several runs, is in `server_load.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import Any, Literal, Protocol

import numpy as np

from suite.contracts.strategy import Probabilities
from suite.errors import StorageError
from suite.machine.energy import Energy, metered

Scenario = Literal["SingleStream", "Offline", "Server"]
Predict = Callable[[Sequence[str]], Probabilities]

#: Queries that LoadGen's rule (at 99 % confidence, one query above the bound) asks for before a
#: percentile is established: the least n with p^n + n·(1-p)·p^(n-1) < 0.01.
MEDIAN_QUERIES = 11
P90_QUERIES = 64

#: SingleStream goes on for up to this many times the asked seconds where that establishes p90.
PATIENCE = 2.0
#: Offline: texts in one query at most, and the share of the asked seconds it must last.
MAX_SAMPLES = 200_000
LEAST_SHARE = 0.5
#: Offline: texts that a rate rests on at least. A text's cost varies about half as much as it is
#: on average: of 30 the mean is uncertain by a tenth, of 5 by a quarter. The query goes on for up
#: to this many times the asked seconds where that is enough for them.
LEAST_TEXTS = 30
OFFLINE_PATIENCE = 3.0
#: How often a query that ended too soon is run again, larger.
RECALIBRATIONS = 2
#: Shares of the asked seconds spent on warming up and (the last call; all calls) calibrating.
WARM_UP_SHARE = 0.1
CALIBRATION_SHARES = (0.1, 0.4)


@dataclass(frozen=True)
class ScenarioResult:
    """What LoadGen found, in its own words where it judges. Latencies are milliseconds.

    `error` is the predictor's first failure; then there are no figures and `valid` is False.
    """

    scenario: Scenario
    valid: bool
    queries: int = 0
    samples: int = 0
    samples_per_second: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p99_ms: float | None = None
    reason: str = ""
    """Why it is not valid, or which percentile is missing and why; empty when nothing is."""
    error: str | None = None
    within_bound: bool = False
    """Server: whether the 99th percentile as measured was within the bound."""
    batch: int = 0
    """Server: texts that one batch of the batcher could hold."""
    energy: Energy | None = None
    """What the machine took within the timed part; None where nobody looked."""


class Callbacks(Protocol):
    """What LoadGen calls. None of it may raise."""

    first_error: BaseException | None
    samples: int

    def issue(self, queries: Sequence[Any]) -> None:
        """Answers queries, at once or later."""

    def flush(self) -> None:
        """Nothing more comes for now."""

    def load(self, indices: Sequence[int]) -> None:
        """Texts to have in memory."""

    def unload(self, indices: Sequence[int]) -> None:
        """Texts that are no longer needed."""


class _Answering:
    """The callbacks. They answer queries and never raise."""

    def __init__(self, predict: Predict, texts: Sequence[str]) -> None:
        self.first_error: BaseException | None = None
        self.samples = 0
        self._predict = predict
        self._texts = texts

    def issue(self, queries: Sequence[Any]) -> None:
        """Answers one query of one or many samples, in LoadGen's order."""
        import mlperf_loadgen

        response = mlperf_loadgen.QuerySampleResponse
        answer: Probabilities | None = None
        if self.first_error is None:
            try:
                texts = self._texts
                answer = np.ascontiguousarray(
                    self._predict([texts[query.index] for query in queries]), dtype=np.float32
                )
                if answer.ndim != 2 or len(answer) != len(queries):
                    raise ValueError(f"{answer.shape} probabilities for {len(queries)} texts")
                self.samples += len(queries)
            except BaseException as error:  # noqa: BLE001 - would end the process by a signal
                self.first_error, answer = error, None
        if answer is None:
            responses = [response(query.id, 0, 0) for query in queries]
        else:
            # LoadGen may copy from these addresses until the call below returns; `answer` lives.
            start, size = answer.ctypes.data, answer.itemsize * answer.shape[1]
            responses = [
                response(query.id, start + row * size, size) for row, query in enumerate(queries)
            ]
        mlperf_loadgen.QuerySamplesComplete(responses)

    def flush(self) -> None:
        """Nothing is held back."""

    def load(self, indices: Sequence[int]) -> None:
        """All texts are in memory already."""

    def unload(self, indices: Sequence[int]) -> None:
        """They stay."""


def run_scenario(
    scenario: Scenario,
    predict: Predict,
    texts: Sequence[str],
    seconds: float,
    folder: Path,
    *,
    seed: int = 0,
    energy: bool = False,
) -> ScenarioResult:
    """Warms up, calibrates, and runs one scenario: SingleStream or Offline.

    SingleStream: one text at a time for `seconds`, up to twice that where it establishes p90.
    Offline: one query of as many texts as last about `seconds`; run again, larger, where the
    calibration was so far off that it lasted less than half of that. A rate from fewer than
    `LEAST_TEXTS` is not valid; the query lasts up to three times as long where that avoids it.

    Args:
        predict: texts -> probabilities [texts, classes]; whatever it raises is reported.
        texts: what LoadGen draws from; at least one.
        seconds: how long the timed part is to last; above 0.
        folder: LoadGen's logs are written here (`mlperf_log_*`).
        seed: of LoadGen's draw.
        energy: whether it is read what the timed part takes.

    Raises:
        StorageError: the folder can't be written.
        KeyboardInterrupt, SystemExit: came while answering; raised after LoadGen has ended.
    """
    prepare(texts, seconds, folder)

    def tested(settings: Any) -> ScenarioResult:
        with metered(energy) as reading:
            found = run_test(scenario, settings, _Answering(predict, texts), texts, folder)
        return replace(found, energy=reading.energy)

    try:
        settings = _PLANS[scenario](predict, texts, seconds, seed)
    except Exception as error:  # noqa: BLE001 - a predictor may raise anything; it is reported
        return ScenarioResult(scenario, valid=False, error=described(error))
    result = tested(settings)
    for _ in range(RECALIBRATIONS):
        if scenario != "Offline" or not _too_short(result, settings):
            break
        # More texts at once were quicker than a calibration by few: expect that to go on.
        settings = _offline_settings(2 * (result.samples_per_second or 1.0), seconds, seed)
        result = tested(settings)
    return _rests_on_enough(result) if scenario == "Offline" else result


def _rests_on_enough(result: ScenarioResult) -> ScenarioResult:
    """An Offline result, not valid where it rests on a handful of texts."""
    if result.error is not None or result.samples >= LEAST_TEXTS:
        return result
    few = f"too few texts for a rate ({result.samples} of {LEAST_TEXTS})"
    reason = "; ".join(filter(None, (result.reason, few)))
    return replace(result, valid=False, reason=reason)


def prepare(texts: Sequence[str], seconds: float, folder: Path) -> Path:
    """Makes LoadGen's log folder, and refuses what no scenario can run on."""
    if seconds <= 0 or not texts:
        raise ValueError(f"a scenario needs seconds ({seconds}) above 0 and texts ({len(texts)})")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mlperf_log_detail.txt").write_bytes(b"")
    except OSError as problem:
        raise StorageError(
            f"LoadGen's logs can't be written: {problem.strerror}", where=str(folder)
        ) from None
    return folder


def run_test(
    scenario: Scenario,
    settings: Any,
    answering: Callbacks,
    texts: Sequence[str],
    folder: Path,
) -> ScenarioResult:
    """One test of LoadGen, with its log in a folder that exists, and what it found."""
    import mlperf_loadgen

    log = mlperf_loadgen.LogSettings()
    log.enable_trace = False
    log.log_output.outdir = str(folder)
    system = mlperf_loadgen.ConstructSUT(answering.issue, answering.flush)
    library = mlperf_loadgen.ConstructQSL(len(texts), len(texts), answering.load, answering.unload)
    try:
        # An audit.config in the working folder would change the settings: none is meant.
        audit = str(folder / "no-audit.config")
        mlperf_loadgen.StartTestWithLogSettings(system, library, settings, log, audit)
    finally:
        mlperf_loadgen.DestroyQSL(library)
        mlperf_loadgen.DestroySUT(system)
    error = answering.first_error
    if error is not None:
        if not isinstance(error, Exception):
            raise error
        return ScenarioResult(
            scenario, valid=False, samples=answering.samples, error=described(error)
        )
    return read_log(scenario, folder / "mlperf_log_detail.txt", answering.samples)


def base_settings(scenario: Scenario, seconds: float, seed: int) -> Any:
    """LoadGen's settings for a timed test of `seconds`, draws seeded."""
    import mlperf_loadgen

    settings = mlperf_loadgen.TestSettings()
    settings.scenario = getattr(mlperf_loadgen.TestScenario, scenario)
    settings.mode = mlperf_loadgen.TestMode.PerformanceOnly
    settings.max_duration_ms = milliseconds(PATIENCE * seconds)
    draw = Random(seed)
    settings.qsl_rng_seed = draw.getrandbits(32)
    settings.sample_index_rng_seed = draw.getrandbits(32)
    settings.schedule_rng_seed = draw.getrandbits(32)
    return settings


def _single_stream(predict: Predict, texts: Sequence[str], seconds: float, seed: int) -> Any:
    """Warm-up calls of one text; their quickest says how many queries may be needed."""
    drawn = shuffled(texts, seed)
    predict([next(drawn)])  # the first call pays for what is set up once
    latencies: list[float] = []
    begun = time.perf_counter()
    while not latencies or time.perf_counter() - begun < WARM_UP_SHARE * seconds:
        before = time.perf_counter()
        predict([next(drawn)])
        latencies.append(time.perf_counter() - before)
    settings = base_settings("SingleStream", seconds, seed)
    # LoadGen generates twice the queries this makes for, and ends early when it runs out.
    settings.single_stream_expected_latency_ns = max(2_000, round(min(latencies) * 1e9 / 2))
    settings.min_duration_ms = milliseconds(seconds)
    mean = sum(latencies) / len(latencies)
    within_reach = P90_QUERIES * mean <= PATIENCE * seconds
    settings.min_query_count = P90_QUERIES if within_reach else 1
    return settings


def _offline(predict: Predict, texts: Sequence[str], seconds: float, seed: int) -> Any:
    """Ever larger timed calls, until one is long enough and more texts no longer add speed."""
    drawn = shuffled(texts, seed)
    enough, at_most = (share * seconds for share in CALIBRATION_SHARES)
    predict([next(drawn)])  # the first call pays for what is set up once
    count, spent, slower = 1, 0.0, 0.0
    while True:
        asked = list(islice(drawn, count))
        before = time.perf_counter()
        predict(asked)
        took = max(time.perf_counter() - before, 1e-9)
        spent += took
        speed = count / took
        settled = took >= enough and speed < 1.5 * slower
        if settled or spent >= at_most or count >= MAX_SAMPLES:
            return _offline_settings(speed, seconds, seed)
        slower = speed
        growth = 8 if took >= enough else min(16.0, max(2.0, enough / took))
        count = min(MAX_SAMPLES, round(count * growth))


def _offline_settings(per_second: float, seconds: float, seed: int) -> Any:
    settings = base_settings("Offline", seconds, seed)
    samples = max(1, min(MAX_SAMPLES, round(per_second * seconds)))
    if per_second * OFFLINE_PATIENCE * seconds >= LEAST_TEXTS:
        samples = max(samples, LEAST_TEXTS)
    settings.min_query_count = samples
    # LoadGen itself shall call a query INVALID that ended too soon to be trusted.
    settings.min_duration_ms = milliseconds(LEAST_SHARE * samples / per_second)
    # It issues the larger of `samples` and 1.1 × duration × speed: keep the latter below.
    settings.offline_expected_qps = samples / (2 * settings.min_duration_ms / 1000)
    return settings


_PLANS: dict[Scenario, Callable[[Predict, Sequence[str], float, int], Any]] = {
    "SingleStream": _single_stream,
    "Offline": _offline,
}


def _too_short(result: ScenarioResult, settings: Any) -> bool:
    if result.error is not None or not result.samples_per_second:
        return False
    lasted = result.samples / result.samples_per_second
    return lasted * 1000 < settings.min_duration_ms and result.samples < MAX_SAMPLES


def shuffled(texts: Sequence[str], seed: int) -> Iterator[str]:
    """The texts in a seeded order, over and over."""
    order = list(range(len(texts)))
    Random(seed).shuffle(order)
    return cycle(texts[index] for index in order)


def milliseconds(seconds: float) -> int:
    """At least one, as LoadGen counts them."""
    return max(1, round(seconds * 1000))


def described(error: BaseException) -> str:
    """An error as one line."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def read_log(scenario: Scenario, file: Path, samples: int) -> ScenarioResult:
    """The figures in LoadGen's detail log (`:::MLLOG {json}`, one line each, in any order).

    Args:
        file: `mlperf_log_detail.txt`. Lines that are not of this form are skipped; without a
            verdict in it, the result is not valid.
        samples: how many were answered.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, mark, text = line.partition(":::MLLOG ")
        if not mark:
            continue
        try:
            entry = json.loads(text)
            key, value, about = entry["key"], entry["value"], entry.get("metadata", {})
        except (ValueError, KeyError, TypeError):
            continue
        values[key] = value
        if about.get("is_error"):
            problems.append(f"{key}: {value}")
    verdict = values.get("result_validity")
    if verdict is None:
        return ScenarioResult(
            scenario,
            valid=False,
            samples=samples,
            reason="; ".join(["LoadGen's log holds no verdict", *problems]),
        )
    valid = verdict == "VALID" and not problems
    if verdict != "VALID":
        problems.append(_why_invalid(values))
    queries = int(_number(values, "result_query_count") or 0)
    if scenario == "Offline":
        return ScenarioResult(
            scenario,
            valid,
            queries,
            samples,
            samples_per_second=_number(values, "result_samples_per_second"),
            reason="; ".join(problems),
        )
    if scenario == "Server":
        return ScenarioResult(
            scenario,
            valid,
            queries,
            samples,
            samples_per_second=_number(values, "result_completed_samples_per_sec"),
            p50_ms=_latency(values, "50.00") if queries >= MEDIAN_QUERIES else None,
            p99_ms=_latency(values, "99.00"),
            reason="; ".join(problems),
            within_bound=values.get("result_perf_constraints_met") is True,
        )
    p50 = _latency(values, "50.00") if queries >= MEDIAN_QUERIES else None
    p90 = _latency(values, "90.00") if values.get("early_stopping_met") is True else None
    # LoadGen keeps its estimate of the 99th under `_ms`, for MultiStream; 0 is "none".
    p99 = _latency(values, "99.00") if _number(values, "early_stopping_latency_ms") else None
    if valid and p99 is None:
        problems.append(f"too few queries ({queries}) for p99")
    return ScenarioResult(
        scenario,
        valid,
        queries,
        samples,
        samples_per_second=_number(values, "result_qps_with_loadgen_overhead"),
        p50_ms=p50,
        p90_ms=p90,
        p99_ms=p99,
        reason="; ".join(problems),
    )


def _why_invalid(values: dict[str, Any]) -> str:
    failed = {
        "result_min_duration_met": "it ended too soon",
        "result_min_queries_met": "too few queries",
        "result_perf_constraints_met": "its bound was not met",
    }
    reasons = [words for key, words in failed.items() if values.get(key) is False]
    if values.get("early_stopping_met") is False:
        said = str(values.get("early_stopping_result", ""))
        reasons.append(" ".join(said.replace("*", "").split()) or "too few queries for p90")
    return "; ".join(reasons) or str(values.get("result_invalid_reason", "")).strip() or "INVALID"


def _number(values: dict[str, Any], key: str) -> float | None:
    value = values.get(key)
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _latency(values: dict[str, Any], percentile: str) -> float | None:
    nanoseconds = _number(values, f"result_{percentile}_percentile_latency_ns")
    return None if nanoseconds is None else nanoseconds / 1e6
