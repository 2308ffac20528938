"""One engine on one trained model: does it answer as the model does, and how fast?

The child's side of `suite bench`. Agreement on validation comes first; an engine that disagrees
is not timed. The trained model's own answers are asked once and kept in a file for the engines
that follow, each of which runs in a process of its own. The test split is not opened.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from suite.contracts.speeds import BenchRow, ServerLoad, SingleStream
from suite.contracts.strategy import Probabilities, Refused, Rows
from suite.contracts.temperature import tempered
from suite.data import snapshot
from suite.data.snapshot import Split
from suite.errors import ModelError, counted
from suite.machine.contention import Watch
from suite.serving.engines import open_engine, versions
from suite.serving.engines.agreement import agreement
from suite.serving.load.loadgen import Scenario, ScenarioResult, run_scenario
from suite.serving.load.measure import circumstances
from suite.serving.load.server_load import run_server
from suite.strategies.calibrated import temperature_of

#: Validation rows on which an engine must agree, at most: a seeded draw where there are more. One
#: of them is a twentieth of a per cent; the closest demand is half a per cent.
AGREEMENT_ROWS = 2000
#: Training texts that an engine may look at: for shapes, and for the ranges of 8-bit numbers.
EXAMPLE_TEXTS = 512

#: Opens an engine: folder, engine, precision, texts=..., scratch=... -> a predictor that also has
#: `engine`, `device`, `load_seconds` and `prepare_seconds`.
Opener = Callable[..., Any]


@dataclass(frozen=True)
class EngineJob:
    """One engine at one precision, whole: everything the child needs, as plain values."""

    arm: str
    trial: int
    host: str
    #: The kept predictor.
    folder: Path
    engine: str
    precision: str
    snapshot: Path
    classes: int
    #: A scenario's length.
    seconds: float
    #: How many texts the load is drawn from.
    texts: int
    #: p99 bound of Server.
    bound_ms: float
    threads: int
    #: For converted models and LoadGen's logs; removed afterwards.
    scratch: Path
    #: The trained model's probabilities on validation: read where it stands, else written.
    reference: Path
    #: The predictor is measured as it was kept: there is no engine to open, nothing to compare.
    as_kept: bool = False
    #: Takes the place of `suite.serving.engines.open_engine`.
    opener: Opener | None = None
    #: Length of SingleStream and of Offline, and the seed of the texts that are drawn for them.
    window_seconds: float | None = None
    seed: int = 0
    #: It was compared and put under Server's load before: only the two others are measured.
    known: bool = False
    #: Whose texts the load is drawn from.
    asked: Split = "validation"
    #: Whether it is read what Offline takes in energy.
    energy: bool = False


@dataclass(frozen=True)
class Doing:
    """What is being done now, in words."""

    what: str


def bench_engine(job: EngineJob, say: Callable[[str], None]) -> BenchRow:
    """Opens the engine, checks that it agrees, and measures its three scenarios; of one that is
    known, SingleStream and Offline alone.

    Args:
        job: what to measure.
        say: told what is being done.

    Returns:
        The row; `disagrees` without figures where the engine answers otherwise than the model.

    Raises:
        ModelError: no predictor is kept there, or it failed while answering.
        StorageError: the scratch folder can't be written.
    """
    row = BenchRow(
        arm=job.arm,
        trial=job.trial,
        engine=job.engine,
        precision=job.precision,
        host=job.host,
        state="measured",
        threads=job.threads,
        seconds=job.seconds,
        versions=versions(job.engine),
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    rows = snapshot.read_split(job.snapshot, "validation")
    try:
        if job.known:
            predictor: Any = _kept(job.folder) if job.as_kept else _open(job)
            row = replace(row, agrees=True)
        elif job.as_kept:
            say("loading")
            predictor = _kept(job.folder)
            row = replace(row, agrees=True, note="asked as it was in the study: nothing to compare")
        else:
            drawn = _drawn(rows)
            reference = _reference(job, drawn, say)
            say("loading and converting")
            predictor = _open(job)
            say(f"agreement on {counted(len(drawn), 'validation row')}")
            row = _compared(row, job, reference, predictor, drawn)
    except Refused as refusal:
        return replace(row, state="refused", reason=str(refusal))
    _, device, threads = circumstances(predictor)
    row = replace(
        row,
        device=device,
        threads=threads,
        batch=int(predictor.batch),
        load_seconds=getattr(predictor, "load_seconds", None),
        prepare_seconds=getattr(predictor, "prepare_seconds", None),
    )
    if not row.agrees:
        return replace(row, state="disagrees")
    texts = rows if job.asked == "validation" else snapshot.read_split(job.snapshot, job.asked)
    return _measured(row, job, predictor, list(texts.texts[: job.texts]), say)


def _kept(folder: Path) -> Any:
    from suite.strategies import load_uncalibrated

    predictor: Any = load_uncalibrated(folder)
    # What answers from memory would only measure the memory.
    return predictor.to_measure() if hasattr(predictor, "to_measure") else predictor


def _open(job: EngineJob) -> Any:
    opener = job.opener or open_engine
    train, _ = snapshot.read_train_validation(job.snapshot)
    draw = Random(0).sample(range(len(train)), min(EXAMPLE_TEXTS, len(train)))
    folder = job.scratch / "engine"
    folder.mkdir(parents=True, exist_ok=True)
    return opener(
        job.folder,
        job.engine,
        job.precision,
        texts=[train.texts[index] for index in draw],
        scratch=folder,
    )


def _drawn(rows: Rows) -> Rows:
    if len(rows) <= AGREEMENT_ROWS:
        return rows
    return rows.take(sorted(Random(0).sample(range(len(rows)), AGREEMENT_ROWS)))


def _reference(job: EngineJob, rows: Rows, say: Callable[[str], None]) -> Probabilities:
    """The trained model's own probabilities on the rows, from the file or asked now."""
    if job.reference.is_file():
        try:
            known: Probabilities = np.load(job.reference, allow_pickle=False)
        except (ValueError, OSError, EOFError):
            known = np.empty((0, 0), dtype=np.float32)
        if known.shape == (len(rows), job.classes):
            return known
    say(f"the trained model's own answers on {counted(len(rows), 'validation row')}")
    predictor = _kept(job.folder)
    answers = np.asarray(predictor.predict_proba(rows.texts), dtype=np.float32)
    job.reference.parent.mkdir(parents=True, exist_ok=True)
    aside = job.scratch / job.reference.name
    aside.parent.mkdir(parents=True, exist_ok=True)
    with aside.open("wb") as file:
        np.save(file, answers, allow_pickle=False)
    aside.replace(job.reference)
    del predictor
    gc.collect()
    return answers


def _compared(
    row: BenchRow, job: EngineJob, reference: Probabilities, predictor: Any, rows: Rows
) -> BenchRow:
    answers = predictor.predict_proba(rows.texts)
    reference = tempered(reference, temperature_of(job.folder))
    found = agreement(reference, answers, rows.labels, job.classes, job.precision)
    return replace(
        row,
        agreement=float(found.share),
        agreement_rows=len(rows),
        macro_f1=float(found.macro_f1),
        macro_f1_difference=float(found.macro_f1 - found.reference_macro_f1),
        agrees=bool(found.agrees),
        reason=found.reason or None,
    )


def _measured(
    row: BenchRow, job: EngineJob, predictor: Any, texts: list[str], say: Callable[[str], None]
) -> BenchRow:
    """The row with the figures of the three scenarios."""
    logs = job.scratch / "loadgen"
    watch = Watch()
    predict = predictor.predict_proba
    seconds = job.window_seconds or job.seconds
    two: dict[Scenario, ScenarioResult] = {}
    for scenario in ("SingleStream", "Offline"):
        say(f"{scenario}, {seconds:g} s")
        two[scenario] = _answered(
            job,
            run_scenario(
                scenario, predict, texts, seconds, logs / scenario, seed=job.seed,
                energy=job.energy and scenario == "Offline",
            ),
        )  # fmt: skip
    single, offline = two["SingleStream"], two["Offline"]
    notes = [f"Offline: {counted(offline.samples, 'text')} in one query"]
    found = {"SingleStream": single, "Offline": offline}
    server: ScenarioResult | None = None
    if offline.samples_per_second and not job.known:
        say(f"Server, the highest rate with p99 within {job.bound_ms:g} ms")
        server = found["Server"] = _answered(
            job,
            run_server(
                predict,
                texts,
                job.seconds,
                logs / "Server",
                bound_ms=job.bound_ms,
                offline_per_second=offline.samples_per_second,
            ),
        )
    notes += [f"{name}: {result.reason}" for name, result in found.items() if result.reason]
    beside = watch.beside()
    disturbed = not job.as_kept and beside.disturbed
    if disturbed:
        notes.append(str(beside))
    return replace(
        row,
        single_stream=SingleStream(single.p50_ms, single.p90_ms, single.p99_ms, single.valid),
        offline_per_second=offline.samples_per_second,
        offline_valid=offline.valid,
        server=ServerLoad(server.samples_per_second, server.p99_ms, job.bound_ms, server.valid)
        if server
        else None,
        server_batch=server.batch if server else 0,
        disturbed=int(disturbed),
        joules_per_text=None if disturbed else _joules_per_text(offline),
        energy_by=offline.energy.by if offline.energy else "",
        note="; ".join(filter(None, (row.note, *notes))),
    )


def _joules_per_text(offline: ScenarioResult) -> float | None:
    spent = offline.energy.joules if offline.energy else None
    return spent / offline.samples if spent is not None and offline.samples else None


def _answered(job: EngineJob, result: ScenarioResult) -> ScenarioResult:
    if result.error is not None:
        raise ModelError(
            f"the engine failed while it was served ({result.scenario}): {result.error}",
            where=f"{job.arm}, {job.engine} {job.precision}",
        )
    return result
