"""Runs one job in a child process and speaks with it in messages.

Checkpoint →, ← go on / stop, Finished →. A child that dies is a failed trial with its reason,
never a dead study. Children come fresh from a forkserver that has preloaded the heavy
libraries: memory is freed, and peak memory is true, by construction.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import multiprocessing.util
import os
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import numpy as np

from suite.child import entry, process
from suite.child.clock import synchronise
from suite.child.messages import (
    ANSWERED,
    LOG,
    Checkpointed,
    Continued,
    Failed,
    Finished,
    Job,
    Progressed,
    Sized,
)
from suite.child.offspring import Offspring
from suite.contracts.lengths import ENDS, bucket
from suite.contracts.objective import DEFAULT_OBJECTIVE
from suite.contracts.results import Checkpoint, Scores
from suite.contracts.scope import ScopeScore
from suite.contracts.speeds import BenchRow, Rps
from suite.contracts.strategy import Predictor, Rows
from suite.data.answered import Answered
from suite.data.snapshot import Split
from suite.endpoint import consent
from suite.errors import SuiteError
from suite.machine import surroundings
from suite.machine.scratch import Scratch
from suite.serving.load.engine_job import Doing, EngineJob, bench_engine
from suite.strategies import NETWORKS
from suite.verdict.worth import Worth

#: How often it is asked whether what a child works for still stands, in seconds.
STILL_SECONDS = 2.0


@dataclass(frozen=True)
class Predicted:
    """Class indices over a split, their scores, the seconds it took, and how probable each answer
    was (0 to 1; 0 for no answer), at its temperature. `answered` is the file `ANSWERED` among the
    logs, with all probabilities as they were before that. `losses` are the objective's values by
    row, where it is the mean of some."""

    predictions: list[int]
    scores: Scores
    seconds: float
    confidences: list[float]
    answered: Answered | None = None
    losses: list[float] | None = None
    #: The bucket of each text by its length in the model's tokens; None where it has none.
    lengths: list[int] | None = None
    #: How much each text seems to belong to any class, where that was asked, by what the model has
    #: beside its probabilities.
    belongs: dict[ScopeScore, list[float]] = field(default_factory=dict)


class Interrupted(Exception):
    """The study was asked to stop while a child ran; the child is gone."""


class Runner:
    """Starts children one call at a time; safe to use from several threads.

    Args:
        stop: set from outside (Ctrl-C) to end whatever runs; the call raises `Interrupted`.
        servers: that children may ask: of a study's models, settled by who can ask the user.
        preload: modules that the forkserver imports beside the usual ones; they must not fail,
            and must not touch CUDA. The first runner of a process decides.
        still: called every two seconds while a child runs; what it raises ends the child, and
            comes out of the call.
        max_silent_seconds: a child that neither says nor computes anything for so long is ended,
            and its job failed; None waits for ever.
    """

    def __init__(
        self,
        stop: threading.Event | None = None,
        preload: Sequence[str] = (),
        servers: frozenset[str] = frozenset(),
        still: Callable[[], None] = lambda: None,
        max_silent_seconds: float | None = None,
    ) -> None:
        self.stop = stop or threading.Event()
        self._servers = servers
        self._still = still
        self._max_silent_seconds = max_silent_seconds
        self._context = _context(preload)

    def warm(self, folder: Path) -> None:
        """Waits until children start in hundredths of a second: the first one of a process waits
        for what is imported once, and that is no time of its own.

        Args:
            folder: where a child may write.

        Raises:
            Interrupted: `stop` was set.
        """
        with self._child(_warm_main, (), folder) as child:
            while self._heard(child) is None:
                pass

    def train(
        self,
        job: Job,
        *,
        on_checkpoint: Callable[[Checkpoint], bool] = lambda checkpoint: True,
        on_progress: Callable[[float], None] = lambda fraction: None,
        on_size: Callable[[int], int] = lambda rows: rows,
        on_continued: Callable[[Continued], None] = lambda continued: None,
        max_seconds: float | None = None,
    ) -> Finished | Failed:
        """Runs a job to its end.

        Args:
            on_checkpoint: told of each checkpoint; returns whether the trial goes on.
            on_progress: told how far the budget is spent.
            on_size: told on how many validation rows this trial would score early checkpoints;
                returns on how many the arm does.
            on_continued: told whether the training goes on from its bookmark, where it has one.
            max_seconds: the child is ended, and the job failed, past this wall time, that of the
                processes that it goes on from included.

        Raises:
            Interrupted: `stop` was set.
        """
        begun = time.monotonic()
        with self._child(entry.main, (job,), job.folder) as child:
            while True:
                if max_seconds is not None and time.monotonic() - begun > max_seconds:
                    return Failed(f"stopped after max_trial_seconds = {max_seconds:g}")
                match self._heard(child):
                    case Progressed(fraction=fraction):
                        on_progress(fraction)
                    case Checkpointed(checkpoint=checkpoint):
                        go_on = on_checkpoint(checkpoint)
                        on_progress(checkpoint.fraction / max(1, job.folds))
                        child.send(go_on)
                    case Sized(rows=rows):
                        child.send(on_size(rows))
                    case Continued() as continued:
                        begun -= continued.seconds
                        on_continued(continued)
                    case Finished() | Failed() as outcome:
                        return outcome

    def measure(
        self,
        folder: Path,
        texts: Sequence[str],
        seconds: float,
        threads: int,
        logs: Path,
        *,
        seed: int = 0,
        forms: bool = True,
    ) -> Rps | Failed:
        """Measures a kept predictor's serving speed by LoadGen, in a child of its own.

        Args:
            seed: of the draw of texts.
            forms: whether other forms of the same model are measured, too.

        Raises:
            Interrupted: `stop` was set.
        """
        arguments = (folder, list(texts), seconds, threads, logs, seed, forms)
        # Loading, then a calibration and two scenarios for each form that is served; a LoadGen
        # that hangs must not hang the study.
        deadline = time.monotonic() + 180 + 60 * seconds
        with self._child(_measure_main, arguments, logs) as child:
            while time.monotonic() < deadline:
                match self._heard(child):
                    case Rps() | Failed() as outcome:
                        return outcome
        return Failed("the serving measurement did not end in time")

    def bench(
        self, job: EngineJob, *, on_doing: Callable[[str], None] = lambda what: None
    ) -> BenchRow | Failed:
        """Opens an engine, checks and measures it, in a child of its own.

        Args:
            on_doing: told what the child does now.

        Raises:
            Interrupted: `stop` was set.
        """
        # Converting and compiling take minutes on a small machine; agreement may, too.
        deadline = time.monotonic() + 3600 + 60 * job.seconds
        with self._child(_bench_main, (job,), job.scratch) as child:
            while time.monotonic() < deadline:
                match self._heard(child):
                    case Doing(what=what):
                        on_doing(what)
                    case BenchRow() | Failed() as outcome:
                        return outcome
        return Failed("the engine was not measured within an hour")

    def predict(
        self,
        folder: Path,
        snapshot: Path,
        split: Split,
        classes: int,
        threads: int,
        logs: Path,
        *,
        objective: str = DEFAULT_OBJECTIVE,
        outside: int | None = None,
        worth: Worth | None = None,
    ) -> Predicted | Failed:
        """A kept predictor's classes over a split, and their scores.

        Args:
            objective: key of the metric that counts.
            outside: the class of texts that fit no other, where the task has one.
            worth: what answers are worth, where a recipe says it.

        Raises:
            Interrupted: `stop` was set.
        """
        arguments = (
            folder, snapshot, split, classes, threads, logs, objective, outside, worth
        )  # fmt: skip
        with self._child(_predict_main, arguments, logs) as child:
            while True:
                match self._heard(child):
                    case Predicted() | Failed() as outcome:
                        return outcome

    @contextmanager
    def _child(
        self, target: Callable[..., None], arguments: tuple[Any, ...], folder: Path
    ) -> Iterator[Offspring]:
        """Within: a child runs; afterwards it is gone."""
        given = (self._servers, surroundings.variables(), target, *arguments)
        child = Offspring(self._context, _main, given, folder)
        try:
            yield child
        finally:
            child.end()

    def _heard(self, child: Offspring) -> Any:
        """The child's next message, `Failed` where it is gone, None after a short wait.

        Raises:
            Interrupted: `stop` was set.
        """
        if self.stop.is_set():
            raise Interrupted
        if child.due(STILL_SECONDS):
            self._still()
        message = child.receive()
        bound = self._max_silent_seconds
        if message is None and bound is not None and child.is_silent(bound):
            told = f"stopped after it hung for max_silent_seconds = {bound:g}"
            return Failed(told, cause="silent")
        return message


def measures_alone() -> None:
    """Says, before the first runner of a process, that its children have the machine to themselves.

    Their threads then wait for each other longer before they sleep: a single text through
    BERT-base in 8 bits takes two thirds of the time, but beside other work a training twice as
    long (BENCHMARKS.md).
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _context(preload: Sequence[str]) -> ForkServerContext:
    # OpenMP's threads spin while they wait for each other. On a machine with anything else to
    # do that is ruinous: a small network trained up to ten times slower on two busy cores
    # (BENCHMARKS.md). It must be set before the forkserver starts.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    # A training step takes and gives back as much memory as the model has, and each page of 4 KiB
    # costs a fault: 60,000 of them in a step of BERT-base, 2,000 where pages are large. Read by the
    # C library at a process's start, and by no other library than glibc.
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    surroundings.variables()  # what the forkserver has, and may be gone when a child starts
    context = multiprocessing.get_context("forkserver")
    # A process that goes on to other studies may need the networks then, and has one forkserver.
    later = () if surroundings.is_one_command() else (NETWORKS,)
    modules = dict.fromkeys(["suite.child.preload", *later, *preload, "suite.child.frozen"])
    context.set_forkserver_preload(list(modules))
    _own_sockets()
    return context


#: Characters of TMPDIR: with what is added, a socket's path stays below the 104 that macOS allows.
_LONGEST_PLACE = 30


@functools.cache
def _own_sockets() -> None:
    """Puts multiprocessing's sockets into a folder that the next command removes if this one is
    killed; where a socket's path would be too long they are left where they are."""
    with contextlib.suppress(OSError):
        if len(place := tempfile.gettempdir()) > _LONGEST_PLACE:
            return
        own, before = Scratch(Path(place)), tempfile.tempdir
        # After multiprocessing has removed its own folder in it, which it does at -100.
        multiprocessing.util.Finalize(None, own.close, exitpriority=-200)
        try:
            tempfile.tempdir = str(own.folder)
            multiprocessing.util.get_temp_dir()
        finally:
            tempfile.tempdir = before


def _main(
    channel: Connection,
    servers: frozenset[str],
    variables: Mapping[str, str | None],
    target: Callable[..., None],
    *arguments: Any,
) -> None:
    """Every child's entry: it has its parent's variables, and may ask what its parent may, whatever
    data names."""
    surroundings.take(variables)
    consent.inherit(servers)
    target(channel, *arguments)


def _warm_main(channel: Connection) -> None:
    """The entry of a child that only starts."""
    process.live_only_with_parent()
    channel.send(True)
    channel.close()


def _measure_main(
    channel: Connection,
    folder: Path,
    texts: list[str],
    seconds: float,
    threads: int,
    logs: Path,
    seed: int,
    forms: bool,
) -> None:
    """The measuring child's entry."""
    from suite.serving.load.measure import measure_folder

    process.live_only_with_parent()
    logs.mkdir(parents=True, exist_ok=True)
    process.log_to(logs / LOG)
    message: Rps | Failed
    try:
        process.set_threads(threads)
        message = measure_folder(folder, texts, seconds, logs, seed=seed, forms=forms)
    except Exception as error:  # noqa: BLE001 - every failure is a message
        message = Failed(process.describe(error))
    channel.send(message)
    channel.close()


def _bench_main(channel: Connection, job: EngineJob) -> None:
    """The entry of the child that measures an engine."""
    process.live_only_with_parent()
    job.scratch.mkdir(parents=True, exist_ok=True)
    process.log_to(job.scratch / LOG)
    message: BenchRow | Failed
    try:
        process.set_threads(job.threads)
        message = bench_engine(job, lambda what: channel.send(Doing(what)))
    except SuiteError as error:
        message = Failed(" ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - every failure is a message
        traceback.print_exc()
        message = Failed(process.describe(error))
    channel.send(message)
    channel.close()


def _lengths(predictor: Predictor, texts: Sequence[str]) -> list[int] | None:
    """The bucket of each text by its length in the model's own tokens; None where it has none."""
    counted: Any = getattr(predictor, "lengths", None)
    if counted is None:
        return None
    # A text has no more tokens than bytes.
    long = [place for place, text in enumerate(texts) if len(text.encode()) > ENDS[0]]
    found = [0] * len(texts)
    for place, length in zip(long, counted([texts[place] for place in long]), strict=True):
        found[place] = bucket(length)
    return found


def _belonging(
    predictor: Predictor, rows: Rows, place: Path, outside: int | None
) -> dict[ScopeScore, list[float]]:
    """How much each row seems to belong to any class; where that fails, its log says why, and the
    answers count all the same."""
    from suite.child import scoping
    from suite.data import snapshot

    if outside is None:
        return {}
    try:
        return scoping.belonging(predictor, rows, snapshot.read_split(place, "train"), outside)
    except Exception:  # noqa: BLE001 - no answer is lost for it
        traceback.print_exc()
        return {}


def _predict_main(
    channel: Connection,
    folder: Path,
    snapshot: Path,
    split: Split,
    classes: int,
    threads: int,
    logs: Path,
    objective: str,
    outside: int | None,
    worth: Worth | None,
) -> None:
    """The predicting child's entry."""
    message: Predicted | Failed
    process.live_only_with_parent()
    logs.mkdir(parents=True, exist_ok=True)
    process.log_to(logs / LOG)
    try:
        from suite import strategies
        from suite.contracts.temperature import tempered
        from suite.data import answered
        from suite.data import snapshot as snapshots
        from suite.strategies.calibrated import temperature_of
        from suite.verdict.metrics import objective_of
        from suite.verdict.scoring import decide, score

        process.set_threads(threads)
        rows = snapshots.read_split(snapshot, split)
        predictor = strategies.load_uncalibrated(folder)
        temperature = temperature_of(folder)
        begun = time.perf_counter()
        own = predictor.predict_proba(rows.texts)
        probabilities = tempered(own, temperature)
        predictions = decide(probabilities)
        synchronise()
        seconds = time.perf_counter() - begun
        of_rows = objective_of(objective, worth).of_rows
        message = Predicted(
            predictions=[int(p) for p in predictions],
            scores=score(probabilities, rows.labels, classes, objective, worth),
            seconds=seconds,
            confidences=[float(p) for p in probabilities.max(axis=1)],
            answered=None
            if split == "train"
            else answered.write(logs / ANSWERED, own, split, rows),
            losses=None
            if of_rows is None
            else [float(loss) for loss in of_rows(np.asarray(rows.labels), probabilities)],
            lengths=_lengths(predictor, rows.texts),
            belongs=_belonging(predictor, rows, snapshot, outside),
        )
    except Exception as error:  # noqa: BLE001 - every failure is a message
        message = Failed(process.describe(error))
    channel.send(message)
    channel.close()
