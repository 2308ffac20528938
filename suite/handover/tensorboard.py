"""TensorBoard logs of a study, on request: one run folder per trial, written while it runs.

    DIR/STUDY/0003-tfidf--logreg/events.out.tfevents…

A run holds the validation macro-F1 of each checkpoint, once over the budget (the step is per cent
of it) and once over training time (the step is milliseconds), what was measured at the end, and
its hyperparameters with those measures, for TensorBoard's HParams view. Written by the process
that leads the workers, never by what trains, with TensorBoard's own package: tensorboardX imports
torch wherever that is installed, waits without end once a full disk has stopped its thread, and
calls every trial a success.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from suite.contracts.results import Checkpoint, Trial
from suite.errors import StudyError
from suite.files import reason, writing
from suite.study.artifacts import part
from suite.verdict.metrics import COLUMNS

if TYPE_CHECKING:
    from suite.study.watching import Observer

BY_BUDGET = "validation_macro_f1/by_percent_of_budget"
BY_TIME = "validation_macro_f1/by_training_milliseconds"

INSTALL = "Install it with: pip install tensorboard"


def final_values(trial: Trial) -> dict[str, float]:
    """What was measured of a trial at its end, by tag; what is not known is left out."""
    rps = trial.rps
    found: dict[str, float | int | None] = {
        **{f"final/{metric.key}": metric.of(trial.validation) for metric in COLUMNS},
        "final/train_seconds": trial.train_seconds,
        "final/train_loss": _number(trial.circumstances.get("train_loss")),
        "final/texts_per_second": rps.offline_per_second if rps else None,
        "final/p90_ms": rps.single_stream.p90_ms if rps else None,
        "final/peak_memory_mb": trial.peak_memory_bytes and trial.peak_memory_bytes / 1e6,
    }
    return {tag: float(value) for tag, value in found.items() if value is not None}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def require() -> None:
    """Looks whether logs can be written here, before anything else is done.

    Raises:
        StudyError: the package `tensorboard` is missing.
    """
    try:
        importlib.import_module("tensorboard.summary.writer.record_writer")
        importlib.import_module("tensorboard.plugins.hparams.plugin_data_pb2")
    except ImportError:
        raise StudyError(
            "logs for TensorBoard need the package 'tensorboard', which is not installed",
            where="--tensorboard",
            fix=INSTALL,
        ) from None


class TensorBoard:
    """Watches a study and writes its trials' logs; called from several workers' threads.

    Args:
        folder: where the study's folder is made.
        study: the study's name.
        say: told once where the disk refuses; the study goes on without logs then.

    Raises:
        StudyError: the package `tensorboard` is missing.
        StorageError: the folder can't be written.
    """

    def __init__(
        self, folder: Path, study: str, say: Callable[[str], None] = lambda text: None
    ) -> None:
        require()
        self.folder = Path(folder) / study
        self._say = say
        self._lock = threading.Lock()
        self._runs: dict[int, _Run] = {}
        self._broken = False
        fix = "Name a folder that can be written with --tensorboard DIR."
        with writing("the folder for TensorBoard cannot be written", self.folder, fix):
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self.folder / f".write-{time.time_ns()}"
            probe.touch()
            probe.unlink()

    def started(self, number: int, arm: str, params: Mapping[str, Any]) -> None:
        """A trial started: its folder is made."""
        name = f"{number:04d}-{part(arm)}"
        self._write(lambda: self._runs.update({number: _Run(self.folder / name, arm, params)}))

    def progressed(self, number: int, fraction: float) -> None:
        """Nothing is written: TensorBoard shows scores, not bars."""

    def scored(self, number: int, checkpoint: Checkpoint) -> None:
        """A checkpoint's macro-F1, over the budget and over training time."""
        run = self._runs.get(number)
        if run is not None:
            self._write(lambda: run.checkpoint(checkpoint))

    def ended(self, trial: Trial) -> None:
        """What was measured, and the hyperparameters with it; the file is closed."""
        run = self._runs.pop(trial.number, None)
        if run is not None:
            self._write(lambda: run.end(trial))

    def said(self, text: str) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """Closes the files of trials that were interrupted; they have no final values."""
        for number in list(self._runs):
            run = self._runs.pop(number)
            with contextlib.suppress(OSError):
                run.close()

    def _write(self, action: Callable[[], Any]) -> None:
        """A full disk costs the logs, not the trial."""
        with self._lock:
            if self._broken:
                return
            try:
                action()
            except OSError as error:
                self._broken = True
                self._say(
                    f"no more logs for TensorBoard: {self.folder}: {reason(error, self.folder)}"
                )


@contextmanager
def watched(observer: Observer, study: str, tensorboard: str | Path | None) -> Iterator[Observer]:
    """An observer, joined by TensorBoard's logs where a folder for them is named.

    Raises:
        SuiteError: the logs can't be written, or the package is missing.
    """
    if tensorboard is None:
        yield observer
        return
    board = TensorBoard(Path(tensorboard), study, say=observer.said)
    try:
        yield _Both(observer, board)
    finally:
        board.close()


class _Both:
    """Two observers, told the same."""

    def __init__(self, one: Observer, other: Observer) -> None:
        self._told = (one, other)

    def started(self, number: int, arm: str, params: Mapping[str, Any]) -> None:
        for observer in self._told:
            observer.started(number, arm, params)

    def progressed(self, number: int, fraction: float) -> None:
        for observer in self._told:
            observer.progressed(number, fraction)

    def scored(self, number: int, checkpoint: Checkpoint) -> None:
        for observer in self._told:
            observer.scored(number, checkpoint)

    def ended(self, trial: Trial) -> None:
        for observer in self._told:
            observer.ended(trial)

    def said(self, text: str) -> None:
        for observer in self._told:
            observer.said(text)


class _Run:
    """One trial's event file."""

    def __init__(self, folder: Path, arm: str, params: Mapping[str, Any]) -> None:
        from tensorboard.compat.proto import event_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event: Any = event_pb2.Event
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        self._file: IO[bytes] = (folder / name).open("ab")
        self._writer = RecordWriter(self._file)
        self._arm, self._params = arm, dict(params)
        self._began = time.time()
        self._write(file_version="brain.Event:2")

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        score = checkpoint.macro_f1
        self._scalar(BY_BUDGET, score, round(checkpoint.fraction * 100))
        self._scalar(BY_TIME, score, round(checkpoint.train_seconds * 1000))

    def end(self, trial: Trial) -> None:
        from tensorboard.plugins.hparams.summary_v2 import hparams_pb
        from tensorboard.plugins.text.summary_v2 import text_pb

        try:
            for tag, value in final_values(trial).items():
                self._scalar(tag, value, 0)
            if trial.error:
                self._put(text_pb("error", trial.error.encode("utf-8", "replace")))
            knobs = {"arm": self._arm, "state": trial.state} | {
                name: value if isinstance(value, bool | int | float) else str(value)
                for name, value in self._params.items()
            }
            # The third summary of the plugin, which would fix the columns, is left out: arms
            # differ in their hyperparameters, and TensorBoard finds those of all runs.
            self._put(hparams_pb(knobs, self._folder.name, self._began))
            self._put(_session_end(failed=trial.state == "FAIL"))
        finally:
            self.close()

    def close(self) -> None:
        self._file.close()

    def _scalar(self, tag: str, value: float, step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._put(Summary(value=[Summary.Value(tag=tag, simple_value=value)]), step)

    def _put(self, summary: Any, step: int = 0) -> None:
        self._write(summary=summary, step=step)

    def _write(self, **fields: Any) -> None:
        self._writer.write(self._event(wall_time=time.time(), **fields).SerializeToString())
        # A study runs for hours and is looked at meanwhile.
        self._file.flush()


def _session_end(failed: bool) -> Any:
    """The end of a session of the HParams plugin; its package makes one with TensorFlow only."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.Status.STATUS_FAILURE if failed else api_pb2.Status.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    described = metadata.create_summary_metadata(
        plugin_data_pb2.HParamsPluginData(session_end_info=end)
    )
    tag = metadata.SESSION_END_INFO_TAG
    return Summary(value=[Summary.Value(tag=tag, metadata=described, tensor=metadata.NULL_TENSOR)])
